"""SQL scripts: the statements of a text, in order, as one graph.

A table is a source where it is read and a sink where it is written, never both; paths are relative to the current
directory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import cast

import attrs
import pyarrow as pa

from flow.errors import GraphError, known
from flow.graph import Graph, Stream, Written
from flow.nodes import ErrorPolicy, SinkNode
from operators.expressions import Cast, Column, Expression, Literal
from operators.sql import plan as p
from operators.sql.connectors import sink_of, source_of
from operators.sql.declarations import Table, read_table
from operators.sql.dialect import Text, Tree, exp, parse
from operators.sql.lowering import Made, lower, schema_of
from operators.sql.names import match
from operators.sql.optimise import optimise
from operators.sql.options import Options
from operators.sql.planner import plan_query
from operators.sql.sets import cast_to
from operators.sql.sharing import Shared
from operators.sql.user_functions import create_function
from operators.terminal import Terminal

_POLICIES = ("fail", "skip", "dead_letter")


def load_script(path: str | Path) -> Graph:
    """The graph of a ``.sql`` file, named after it.

    Raises:
        SqlError: a statement is wrong; says where.
        GraphError: the script inserts into no table.
    """
    path = Path(path)
    return script(path.read_text(encoding="utf-8"), name=path.stem)


def script(text: str, *, name: str = "script") -> Graph:
    """The graph of a SQL script: CREATE TABLE, CREATE VIEW and INSERT INTO … SELECT, separated by semicolons.

    A SELECT that is inserted nowhere is printed.

    Args:
        text: the script.
        name: of the graph.

    Raises:
        SqlError: a statement is wrong; says where.
        GraphError: the script inserts into no table.
    """
    return _Script(Text(text), Graph(name)).build()


@attrs.define
class _Target:
    """A table that is written, and the plans of what is written."""

    table: Table
    plans: list[p.Plan] = attrs.field(factory=list)


class _Catalog(Mapping[str, p.Plan]):
    """The tables and views of a script, each looked at when a query names it."""

    def __init__(self, statements: _Script) -> None:
        self._script = statements

    def __getitem__(self, name: str) -> p.Plan:
        return self._script.read(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._script.names())

    def __len__(self) -> int:
        return len(self._script.names())


class _Script:
    def __init__(self, text: Text, graph: Graph) -> None:
        self._text = text
        self._graph = graph
        self._tables: dict[str, Table] = {}
        self._views: dict[str, p.Plan] = {}
        self._streams: dict[str, Stream] = {}
        self._reads: dict[str, p.Plan] = {}
        self._targets: dict[str, _Target] = {}
        self._results: list[p.Plan] = []
        self._uses: dict[str, int] = {}
        self._shared = Shared()
        self._made = Made()

    def build(self) -> Graph:
        """The graph of all statements."""
        statements = parse(self._text)
        for statement in statements:
            for table in statement.find_all(exp.Table):
                for part in (table.this, *table.find_all(exp.Column)):
                    self._uses[part.name.lower()] = self._uses.get(part.name.lower(), 0) + 1
        for statement in statements:
            self._statement(statement)
        if not self._targets and not self._results:
            raise GraphError("the script inserts into no table: nothing would run; write INSERT INTO table SELECT ...")
        self._write_all()
        for plan in self._results:
            name = self._graph.unique_name("result")
            self._lowered(plan, name).sink(name, Terminal())
        return self._needed()

    def _needed(self) -> Graph:
        """The graph without what leads to no sink: sources that only an unused view reads."""
        needed = {node.name for node in self._graph if isinstance(node, SinkNode)}
        for node in reversed(list(self._graph)):
            if node.name in needed:
                needed |= {output.node for output in node.inputs.values()}
        return Graph(self._graph.name, {node.name: node for node in self._graph if node.name in needed})

    def _statement(self, statement: Tree) -> None:
        match statement:
            case exp.Create(kind="TABLE" | "SOURCE" | "SINK"):
                self._create_table(statement)
            case exp.Create(kind="VIEW"):
                self._create_view(statement)
            case exp.Create(kind="FUNCTION"):
                create_function(self._text, statement)
            case exp.Insert():
                self._insert(statement)
            case exp.Query() | exp.Values():
                self._results.append(self._plan(statement))
            case exp.Set():
                raise self._text.error(
                    "SET is not supported yet", statement, "give a run its options on the command line"
                )
            case _:
                raise self._text.error(
                    f"{statement.key.upper()} is no statement of a script; known here: "
                    "['CREATE TABLE', 'CREATE VIEW', 'INSERT INTO']",
                    statement,
                )

    def _create_table(self, statement: exp.Create) -> None:
        table = read_table(self._text, statement)
        if not self._new_name(table.name, table.at, statement):
            return
        self._tables[table.name] = table
        if query := statement.args.get("expression"):
            self._add(table, self._plan(query), query)

    def _create_view(self, statement: exp.Create) -> None:
        schema = statement.this
        name = schema.this if isinstance(schema, exp.Schema) else schema
        if not self._new_name(name.name, name, statement):
            return
        plan = self._plan(statement.args["expression"])
        if isinstance(schema, exp.Schema):
            plan = self._named(plan, [column.name for column in schema.expressions], schema)
        if self._uses.get(name.name.lower(), 0) > 2 and not isinstance(plan, p.Scan):
            # Read more than once: computed once, at the price that no reader's condition moves into it.
            stream = self._lowered(plan, name.name, name.name)
            self._streams[name.name] = stream
            plan = p.Scan(name.name, stream.schema)
        self._views[name.name] = plan

    def _new_name(self, name: str, at: Tree, statement: exp.Create) -> bool:
        """Whether the name is free; raises where it is not and must be."""
        taken = [*self._tables, *self._views]
        if name not in taken:
            return True
        if statement.args.get("exists"):
            return False
        if statement.args.get("replace") and name in self._views:
            return True
        raise self._text.error(f"there is a table or view {name!r} already", at)

    def _insert(self, statement: exp.Insert) -> None:
        target = statement.this
        columns: list[str] | None = None
        if isinstance(target, exp.Schema):
            columns = [column.name for column in target.expressions]
            target = target.this
        for key in ("overwrite", "conflict", "returning", "alternative", "ignore", "by_name", "where", "default"):
            if statement.args.get(key):
                raise self._text.error(f"INSERT {key.upper()} is not supported", statement)
        name = match(self._text, target.this, self._tables, "table")
        if name is None:
            if match(self._text, target.this, self._views, "view") is not None:
                raise self._text.error(f"{target.name!r} is a view, which cannot be written", target)
            raise self._text.error(f"no table {target.name!r}; {known(target.name, self._tables)}", target)
        query = statement.expression
        if not isinstance(query, exp.Query | exp.Values):
            raise self._text.error("INSERT takes a query: INSERT INTO table SELECT ...", statement)
        plan = self._plan(query)
        if columns is not None:
            plan = self._placed(plan, self._tables[name], columns, target)
        self._add(self._tables[name], plan, query)

    def _plan(self, query: Tree) -> p.Plan:
        if not isinstance(query, exp.Query | exp.Values):
            raise self._text.error("expected SELECT ... FROM ...", query)
        return plan_query(self._text, query, _Catalog(self))

    def _placed(self, plan: p.Plan, table: Table, names: list[str], at: Tree) -> p.Plan:
        """The plan's columns under the names that INSERT gives them, and NULL in the table's others."""
        plan = self._named(plan, names, at)
        if not table.columns:
            return plan
        declared = {column.name: column.type for column in table.columns}
        for name in names:
            if name not in declared:
                raise self._text.error(f"{table.name!r} has no column {name!r}; {known(name, declared)}", at)
        values: dict[str, Expression] = {
            name: Column(name) if name in names else Cast(Literal(None), kind) for name, kind in declared.items()
        }
        return p.Project(plan, tuple(values.items()))

    def _named(self, plan: p.Plan, names: list[str], at: Tree) -> p.Plan:
        held = schema_of(plan).names
        if len(names) != len(held):
            raise self._text.error(f"{len(names)} names for {len(held)} columns: {held}", at)
        if names == held:
            return plan
        return p.Project(plan, tuple((new, Column(old)) for new, old in zip(names, held, strict=True)))

    def _add(self, table: Table, plan: p.Plan, query: Tree) -> None:
        if table.name in self._streams:
            raise self._both(table, query)
        if table.columns:
            held = schema_of(plan).names
            if len(held) != len(table.columns):
                raise self._text.error(
                    f"{table.name!r} has {len(table.columns)} columns {[column.name for column in table.columns]}, "
                    f"the query {len(held)}: {held}",
                    query,
                )
            plan = self._cast(plan, pa.schema([(column.name, column.type) for column in table.columns]), query)
        target = self._targets.setdefault(table.name, _Target(table))
        if target.plans:
            first = schema_of(target.plans[0])
            wanted = pa.schema([first.columns.field(name) for name in first.names])
            if len(schema_of(plan).names) != len(wanted):
                raise self._text.error(f"{table.name!r} is given {len(wanted)} columns by an INSERT before", query)
            plan = self._cast(plan, wanted, query)
        target.plans.append(plan)

    def _cast(self, plan: p.Plan, columns: pa.Schema, at: Tree) -> p.Plan:
        try:
            return cast_to(plan, columns)
        except GraphError as error:
            raise self._text.error(str(error), at) from error

    def _both(self, table: Table, at: Tree) -> GraphError:
        return self._text.error(
            f"{table.name!r} is read and written: a table is one or the other",
            at,
            "declare two tables over the same data",
        )

    def _write_all(self) -> None:
        """Add the sinks, each before the one that its dead letters go to."""
        after: dict[str, list[str]] = {}
        for name in self._reads:
            letters = self._letters_of(self._tables[name])
            if letters is not None:
                self._add_letters(name, letters, self._streams[name].dead_letters)
        queue = list(self._targets)
        for name in queue:
            letters = self._letters_of(self._tables[name])
            after.setdefault(name, [])
            if letters is not None:
                after.setdefault(letters, []).append(name)
                if letters not in queue:
                    queue.append(letters)
        try:
            order = list(TopologicalSorter(after).static_order())
        except CycleError as error:
            name = error.args[1][0]
            raise self._text.error(
                f"the dead letters of {name!r} would come back to it", self._tables[name].at
            ) from None
        for name in order:
            written = self._write(self._targets[name])
            letters = self._letters_of(self._tables[name])
            if letters is not None:
                self._add_letters(name, letters, written.dead_letters)

    def _letters_of(self, table: Table) -> str | None:
        """The name of the table that a table's dead letters go to."""
        wanted = table.options.again().text("dead_letters")
        if wanted is None or wanted in self._tables:
            return wanted
        raise table.options.error("dead_letters", f"no table {wanted!r}; {known(wanted, self._tables)}")

    def _add_letters(self, name: str, letters: str, stream: Stream) -> None:
        target = self._tables[letters]
        scan = p.Scan(str(stream.output), stream.schema)
        self._add(target, scan, target.at)
        self._streams[scan.table] = stream

    def _policy(self, options: Options) -> ErrorPolicy:
        """What becomes of a table's bad rows; a table for them says as much."""
        letters = options.text("dead_letters") is not None
        policy = options.choice("on_error", _POLICIES, "dead_letter" if letters else "fail")
        if letters and policy != "dead_letter":
            raise options.error("on_error", f"there is a table for dead letters, but on_error is {policy!r}")
        if policy == "dead_letter" and not letters:
            raise options.error(
                "on_error", "dead letters need a table that they go to; write dead_letters = 'table' as well"
            )
        return cast("ErrorPolicy", policy)

    def _write(self, target: _Target) -> Written:
        table = target.table
        plan = optimise(target.plans[0] if len(target.plans) == 1 else p.Union(tuple(target.plans)))
        described = table.for_connector()
        sink = sink_of(described)
        policy = self._policy(described.options)
        writers = described.options.number("writers")
        described.options.finish(table.name)
        stream = self._lowered(plan, table.name)
        return described.options.make(lambda: stream.sink(table.name, sink, writers=writers, on_error=policy))

    def _lowered(self, plan: p.Plan, stem: str, name: str | None = None) -> Stream:
        """The stream of a plan, of which other statements may have added parts already."""
        plan = self._shared.of(plan)
        return lower(plan, self._streams, stem, name=name, graph=self._graph, made=self._made)

    def names(self) -> list[str]:
        """What a query can read."""
        return [*self._tables, *self._views]

    def read(self, name: str) -> p.Plan:
        """What a query reads by a name: a view's plan, or a scan of a table, whose source is added by the first."""
        if name in self._views:
            return self._views[name]
        table = self._tables[name]
        if name in self._targets:
            raise self._both(table, table.at)
        if name not in self._reads:
            self._streams[name] = self._source(table)
            scan = p.Scan(name, self._streams[name].schema)
            self._reads[name] = self._computed(table, scan) if table.computed else scan
        return self._reads[name]

    def _source(self, table: Table) -> Stream:
        described = table.for_connector()
        options = described.options
        source = source_of(described)
        event_time = None
        if table.watermark is not None:
            names = options.make(source.schema).names
            event_time = match(self._text, table.watermark.column, names, "column")
            if event_time is None:
                computed = [output.alias for output in table.outputs if isinstance(output, exp.Alias)]
                if table.watermark.column.name in computed:
                    raise self._text.error(
                        "a watermark on a computed column is not supported yet", table.watermark.column
                    )
                wanted = table.watermark.column.name
                raise self._text.error(
                    f"no column {wanted!r} in {table.name!r}; {known(wanted, names)}", table.watermark.column
                )
        idle_timeout, max_future = options.duration("idle_timeout"), options.duration("max_future")
        ordered = options.flag("ordered")
        policy = self._policy(options)
        options.finish(table.name)
        return options.make(
            lambda: self._graph.source(
                table.name,
                source,
                event_time=event_time,
                delay=table.watermark.delay / 1_000_000 if table.watermark else 0,
                idle_timeout=idle_timeout,
                max_future=max_future,
                ordered=ordered,
                on_error=policy,
            )
        )

    def _computed(self, table: Table, scan: p.Scan) -> p.Plan:
        """The table with its computed columns."""
        relation = exp.Table(this=exp.to_identifier(table.name, quoted=True))
        query = exp.Select(expressions=list(table.outputs)).from_(relation)
        return plan_query(self._text, query, {table.name: scan})
