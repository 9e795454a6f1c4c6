"""Tables that are streams of changes by key: what the options say of them, and the operator behind their source.

Also why a query cannot go into a table that only appends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import attrs

from flow.changes import why
from flow.graph import Graph, Stream
from flow.nodes import ErrorPolicy
from flow.router import Hash
from flow.schema import StreamSchema
from flow.sink import Sink
from flow.source import Source
from operators.change_streams.forms import DELETED, READ_AS
from operators.expressions import Column, Expression
from operators.files.debezium import DebeziumJson
from operators.sql.connectors.options import Options
from operators.sql.grammar.dialect import Text, Tree, parse
from operators.sql.grammar.errors import SqlError
from operators.sql.plan import nodes as p
from operators.sql.statements.declarations import Table
from operators.upsert import Upsert

_NULLS: Final = "nulls"


def last_of_each_key(
    table: Table,
    options: Options,
    source: Source,
    values: Callable[[StreamSchema, Sequence[Tree]], list[Expression]],
) -> Upsert | None:
    """The operator behind the source of a table whose later rows replace the earlier ones; None for other tables.

    Args:
        table: as declared.
        options: what is written in WITH.
        source: of the table.
        values: makes expressions of trees over the columns of a stream.

    Raises:
        SqlError: the table has no key, or what deletes is no condition over its columns.
    """
    if isinstance(source, DebeziumJson):
        return Upsert(source.key, DELETED, drop=(DELETED,)) if source.key else None
    deletes = options.text("deletes")
    if options.choice("changes", READ_AS) != "upsert":
        if deletes is not None:
            raise options.error("deletes", "rows delete others by key: write changes = 'upsert' as well")
        return None
    if not table.key:
        raise options.error("changes", "rows replace each other by key: declare the PRIMARY KEY of the table")
    if deletes is None or deletes.lower() == _NULLS:
        return Upsert(table.key, null_deletes=deletes is not None)
    condition = _condition(options, source, deletes, values)
    drop = (condition.name,) if isinstance(condition, Column) else ()
    return Upsert(table.key, condition, drop=drop)


def _condition(
    options: Options, source: Source, said: str, values: Callable[[StreamSchema, Sequence[Tree]], list[Expression]]
) -> Expression:
    try:
        (query,) = parse(Text(f"SELECT {said}"))
        (tree,) = query.expressions
        for node in tree.walk():
            # Its place is one in the option's text, not in the script's.
            node.meta.pop("start", None)
        (value,) = values(StreamSchema(source.schema()), [tree])
    except (SqlError, ValueError) as error:
        told = error.message if isinstance(error, SqlError) else f"{said!r} is no condition"
        raise options.error("deletes", f"what deletes is 'nulls' or a condition over the columns: {told}") from error
    return value


def replaced(graph: Graph, table: Table, stream: Stream, operator: Upsert, policy: ErrorPolicy) -> Stream:
    """The stream of a table's source, of which only the last row of each key stands."""
    divided = stream.route(Hash(operator.keys), name=graph.unique_name(f"{table.name}.keys"))
    made = attrs.evolve(operator, routed=operator.keys)
    return divided.apply(made, name=graph.unique_name(f"{table.name}.upsert"), on_error=policy)


def refuse_changes(text: Text, table: Table, stream: Stream, sink: Sink, plan: p.Plan, query: Tree) -> None:
    """Raise SqlError where the rows of a query can be taken back, and its table only appends.

    Args:
        text: the script.
        table: what is written.
        stream: what it is given, of which the query is a part.
        sink: of the table.
        plan: of the query.
        query: the tree of the query.
    """
    if sink.takes_changes:
        return
    ways = f"""declare {table.name!r} with changes = 'weight', with changes = 'upsert' and a PRIMARY KEY, or with \
format = 'debezium-json'"""
    while isinstance(plan, p.Project | p.Filter):
        plan = plan.input
    if isinstance(plan, p.Aggregate):
        ways += "; or end the query with EMIT FINAL, for one result when the input has ended"
    makers = why(stream.graph.nodes, stream.output, stream.graph.schema)
    raise text.error(f"{table.name!r} only appends, and rows of this query are taken back: {makers}", query, ways)
