"""SQL scripts: the statements of a text as one graph, and what the script has asked.

A table is a source where it is read and a sink where it is written, never both; paths are relative to the current
directory.
"""

from __future__ import annotations

from pathlib import Path

import attrs

from flow.errors import GraphError
from flow.graph import Graph
from operators.sql.grammar.dialect import POSTGRES, Text
from operators.sql.plan.nodes import Plan
from operators.sql.statements.execution import Answer, Statements


@attrs.frozen(eq=False)
class Script:
    """A script that has been read.

    Attributes:
        graph: what it runs, with the settings that it makes; without nodes where it only asks.
        answers: to SHOW, DESCRIBE and EXPLAIN, in order.
        plans: what is computed, by the names of views that are nodes of their own, and of the sinks.
    """

    graph: Graph
    answers: tuple[Answer, ...] = ()
    plans: tuple[tuple[str, Plan], ...] = ()


def load_script(path: str | Path) -> Graph:
    """The graph of a ``.sql`` file, named after it.

    Raises:
        SqlError: a statement is wrong; says where.
        GraphError: the script inserts into no table.
    """
    return _to_run(open_script(path)).graph


def open_script(path: str | Path) -> Script:
    """As `read_script`, of a ``.sql`` file, after which the graph is named."""
    path = Path(path)
    return read_script(path.read_text(encoding="utf-8"), name=path.stem)


def script(text: str, *, name: str = "script", dialect: str = POSTGRES) -> Graph:
    """The graph of a SQL script: statements that declare, insert and set, separated by semicolons.

    A SELECT that is inserted nowhere is printed. What SHOW, DESCRIBE and EXPLAIN say is left out: see `read_script`.

    Args:
        text: the script.
        name: of the graph.
        dialect: the SQL dialect in which it begins; ``SET dialect`` changes it.

    Raises:
        SqlError: a statement is wrong; says where.
        GraphError: the script inserts into no table.
    """
    return _to_run(read_script(text, name=name, dialect=dialect)).graph


def read_script(text: str, *, name: str = "script", dialect: str = POSTGRES) -> Script:
    """A SQL script, read but not run: its graph, and the answers to SHOW, DESCRIBE and EXPLAIN as Arrow tables.

    Args:
        text: as for `script`.
        name: as for `script`.
        dialect: as for `script`.

    Raises:
        SqlError: a statement is wrong; says where.
        GraphError: the script neither inserts nor asks.
    """
    statements = Statements(Text(text), Graph(name), dialect)
    statements.carry_out()
    read = Script(statements.graph, tuple(statements.answers), tuple(statements.plans()))
    return read if read.answers else _to_run(read)


def _to_run(read: Script) -> Script:
    if not read.graph.nodes:
        raise GraphError("the script inserts into no table: nothing would run; write INSERT INTO table SELECT ...")
    return read
