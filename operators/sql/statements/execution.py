"""The statements of a script, carried out in order: what they declare, insert, set and ask.

A statement sees what stands before it; nothing runs, and sinks are added when all have been read.
"""

from __future__ import annotations

from collections import Counter

import attrs
import pyarrow as pa

from flow.errors import known
from flow.graph import Graph
from flow.nodes import SinkNode
from operators.expressions import Column
from operators.in_process.terminal import Terminal
from operators.sql.connectors.registry import connectors
from operators.sql.explain import logical, needed, physically
from operators.sql.expressions.user_functions import create_function
from operators.sql.grammar.dialect import EXPLAIN, Text, Tree, exp, offset_of, parse
from operators.sql.optimising.optimise import optimise
from operators.sql.plan import nodes as p
from operators.sql.plan.operators import schema_of
from operators.sql.plan.unique import unique_keys
from operators.sql.planning.planner import plan_query
from operators.sql.qualifying.names import match
from operators.sql.statements.catalog import Catalog, View, renamed
from operators.sql.statements.declarations import read_table
from operators.sql.statements.listing import Listing, described, described_sink, strings
from operators.sql.statements.run_settings import RunSettings
from operators.sql.statements.targets import Targets

_STATEMENTS = (
    "CREATE TABLE", "CREATE SOURCE", "CREATE SINK", "CREATE VIEW", "CREATE MATERIALIZED VIEW", "CREATE FUNCTION",
    "INSERT INTO", "DROP", "SET", "RESET", "SHOW", "DESCRIBE", "EXPLAIN",
)  # fmt: skip

_NO_INSERTS = ("overwrite", "conflict", "returning", "alternative", "ignore", "by_name", "where", "default")


@attrs.frozen(eq=False)
class Answer:
    """What SHOW, DESCRIBE or EXPLAIN found.

    Attributes:
        title: the statement.
        table: the answer; of EXPLAIN a line of text a row.
        note: what is known besides; empty where that is nothing.
    """

    title: str
    table: pa.Table
    note: str = ""


class Statements:
    """A script being read.

    Attributes:
        answers: to what it has asked.
        graph: where its sources are, and at last its sinks.
    """

    def __init__(self, text: Text, graph: Graph, dialect: str) -> None:
        self._text = text
        self._dialect = dialect
        self._settings = RunSettings(text, dialect)
        self._catalog = Catalog(text, graph)
        self._targets = Targets(text, self._catalog)
        self._results: list[p.Plan] = []
        self._uses: Counter[str] = Counter()
        self._filled: set[str] = set()
        self.answers: list[Answer] = []
        self.graph = graph

    def carry_out(self) -> None:
        """Read all statements, and add what runs to the graph.

        Raises:
            SqlError: a statement is wrong; says where.
        """
        statements = parse(self._text, self._dialect)
        for statement in statements:
            if not isinstance(statement, exp.Describe | exp.Drop):
                self._uses.update(_named_in(statement))
            if isinstance(statement, exp.Insert) or (isinstance(statement, exp.Create) and statement.expression):
                target = statement.this.this if isinstance(statement.this, exp.Schema) else statement.this
                self._filled.add(target.name.lower())
        for statement in statements:
            self._statement(statement)
        self._targets.write()
        for plan in self._results:
            name = self.graph.unique_name("result")
            self._catalog.lowered(plan, name).sink(name, Terminal())
        self._targets.write_last()
        sinks = {node.name for node in self.graph if isinstance(node, SinkNode)}
        # Sources that only an unused view reads are left out.
        self.graph = needed(self.graph, sinks)
        self.graph.settings = self._settings.settings

    def plans(self) -> list[tuple[str, p.Plan]]:
        """What is computed: views that are nodes of their own, then what is written, by the names of the sinks."""
        nodes = set(self.graph.nodes)
        views = [(name, view.computes) for name, view in self._catalog.views.items() if view.plan is not view.computes]
        results = [
            ("result" if number == 1 else f"result_{number}", plan) for number, plan in enumerate(self._results, 1)
        ]
        return [*((name, plan) for name, plan in views if name in nodes), *self._targets, *results]

    def _statement(self, statement: Tree) -> None:
        match statement:
            case exp.Create(kind="TABLE" | "SOURCE" | "SINK"):
                self._create_table(statement)
            case exp.Create(kind="VIEW" | "MATERIALIZED VIEW"):
                self._create_view(statement)
            case exp.Create(kind="FUNCTION"):
                create_function(self._text, statement)
            case exp.Insert():
                self._insert(statement)
            case exp.Query() | exp.Values():
                self._results.append(self._plan(statement))
            case exp.Drop():
                self._drop(statement)
            case exp.Set():
                self._settings.change(statement)
            case exp.Show():
                listing = Listing(self._text, self._catalog, self._settings)
                self.answers.append(Answer(f"SHOW {statement.name}", listing.show(statement)))
            case exp.Describe() if statement.args.get("kind") == EXPLAIN:
                self._explain(statement)
            case exp.Describe():
                self._describe(statement)
            case _:
                word = self._text.text[offset_of(statement) or 0 :].split(maxsplit=1)[0].strip(";").upper()
                raise self._text.error(
                    f"{word} is no statement of a script; known here: {list(_STATEMENTS)}", statement
                )

    def _create_table(self, statement: exp.Create) -> None:
        table = read_table(self._text, statement)
        if not self._new_name(table.name, table.at, statement):
            return
        self._catalog.tables[table.name] = table
        if query := statement.args.get("expression"):
            plan = self._targets.fitted(table, self._plan(query), None, query, table.at)
            self._targets.add(table, plan, query)

    def _create_view(self, statement: exp.Create) -> None:
        schema = statement.this
        name = schema.this if isinstance(schema, exp.Schema) else schema
        if not self._new_name(name.name, name, statement):
            return
        plan = self._plan(statement.args["expression"])
        if isinstance(schema, exp.Schema):
            plan = renamed(self._text, plan, [column.name for column in schema.expressions], schema)
        materialized = statement.args["kind"] != "VIEW"
        read = plan
        if materialized or (self._uses[name.name.lower()] > 2 and not isinstance(plan, p.Scan)):
            # Computed once, at the price that no reader's condition moves into it.
            read = self._node(plan, name.name)
        self._catalog.views[name.name] = View(read, plan, materialized)

    def _node(self, plan: p.Plan, name: str) -> p.Plan:
        """A scan of a node that computes a plan."""
        if isinstance(plan, p.Scan):
            plan = p.Project(plan, tuple((each, Column(each)) for each in schema_of(plan).names))
        node = self.graph.unique_name(name)
        stream = self._catalog.lowered(plan, name, node)
        self._catalog.streams[node] = stream
        return p.Scan(node, stream.schema, unique_keys(plan))

    def _new_name(self, name: str, at: Tree, statement: exp.Create) -> bool:
        """Whether the name is free; raises where it is not and must be."""
        if name not in self._catalog:
            return True
        if statement.args.get("exists"):
            return False
        if statement.args.get("replace") and name in self._catalog.views:
            return True
        raise self._text.error(f"there is a table or view {name!r} already", at)

    def _insert(self, statement: exp.Insert) -> None:
        name, plan, query = self._inserted(statement)
        self._targets.add(self._catalog.tables[name], plan, query)

    def _inserted(self, statement: exp.Insert) -> tuple[str, p.Plan, Tree]:
        """The table that is inserted into, and what, with the table's columns."""
        target = statement.this
        columns: list[str] | None = None
        if isinstance(target, exp.Schema):
            columns = [column.name for column in target.expressions]
            target = target.this
        for key in _NO_INSERTS:
            if statement.args.get(key):
                raise self._text.error(f"INSERT {key.upper()} is not supported", statement)
        name = match(self._text, target.this, self._catalog.tables, "table")
        if name is None:
            if match(self._text, target.this, self._catalog.views, "view") is not None:
                raise self._text.error(f"{target.name!r} is a view, which cannot be written", target)
            raise self._text.error(f"no table {target.name!r}; {known(target.name, self._catalog.tables)}", target)
        query = statement.expression
        if not isinstance(query, exp.Query | exp.Values):
            raise self._text.error("INSERT takes a query: INSERT INTO table SELECT ...", statement)
        plan = self._targets.fitted(self._catalog.tables[name], self._plan(query), columns, query, target)
        return name, plan, query

    def _plan(self, query: Tree) -> p.Plan:
        if not isinstance(query, exp.Query | exp.Values):
            raise self._text.error("expected SELECT ... FROM ...", query)
        return plan_query(self._text, query, self._catalog)

    def _drop(self, statement: exp.Drop) -> None:
        identifier, kind = statement.this.this, statement.args["kind"]
        if kind == "FUNCTION":
            if self._text.functions.pop(identifier.name.lower(), None) is None and not statement.args.get("exists"):
                raise self._text.error(
                    f"no function {identifier.name!r}; {known(identifier.name, self._text.functions)}", identifier
                )
            return
        name = match(self._text, identifier, self._catalog, "table")
        if name is None:
            if not statement.args.get("exists"):
                raise self._text.error(
                    f"no table or view {identifier.name!r}; {known(identifier.name, list(self._catalog))}", identifier
                )
            return
        if (name in self._catalog.views) != kind.endswith("VIEW"):
            held = "a view" if name in self._catalog.views else "a table"
            raise self._text.error(f"DROP {kind}: {name!r} is {held}", identifier)
        if self._catalog.is_read(name) or name in self._catalog.written:
            raise self._text.error(
                f"{name!r} cannot be dropped: statements before this one use it, and all run together",
                identifier,
                "leave DROP out, or give the next table another name",
            )
        self._catalog.forget(name)

    def _describe(self, statement: exp.Describe) -> None:
        what = statement.this
        if not isinstance(what, exp.Table):
            self.answers.append(Answer("DESCRIBE query", *described(self._plan(what))))
            return
        name = match(self._text, what.this, self._catalog, "table")
        if name is None:
            raise self._text.error(f"no table or view {what.name!r}; {known(what.name, list(self._catalog))}", what)
        title = f"DESCRIBE {name}"
        table = self._catalog.tables.get(name)
        if table is None or self._catalog.is_read(name) or (name not in self._catalog.written and self._reads(name)):
            self.answers.append(Answer(title, *described(self._catalog[name])))
        else:
            self.answers.append(Answer(title, *described_sink(table, self._targets)))

    def _reads(self, name: str) -> bool:
        """Whether a table that nobody uses yet is one to be read: no statement that follows writes it."""
        table = self._catalog.tables[name]
        connector = connectors().get(table.options.again().text("connector") or "")
        readable = connector is not None and (connector.source is not None or connector.lookup is not None)
        return readable and table.kind != "sink" and name.lower() not in self._filled

    def _explain(self, statement: exp.Describe) -> None:
        query, style = statement.this, statement.args["style"]
        name = ""
        if isinstance(query, exp.Insert):
            name, plan, query = self._inserted(query)
        else:
            plan = self._plan(query)
        plan = optimise(plan)
        if style == "PHYSICAL":
            text = physically(plan, self.graph, self._catalog.streams, self._settings.settings)
        else:
            text = logical(plan)
        title = f"{EXPLAIN} {style} {f'INSERT INTO {name}' if name else 'query'}"
        self.answers.append(Answer(title, strings(("plan",), [(line,) for line in text.splitlines()])))


def _named_in(statement: Tree) -> list[str]:
    """The names of tables and views in a statement."""
    return [
        part.name.lower()
        for table in statement.find_all(exp.Table)
        for part in (table.this, *table.find_all(exp.Column))
    ]
