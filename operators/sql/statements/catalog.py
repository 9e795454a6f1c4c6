"""What the queries of a script can read: its tables, whose sources are added where they are first read, and its views.

A table that is read is not written; what a table declares of its rows is checked behind its source.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import cast

import attrs
import pyarrow as pa

from flow.errors import GraphError, known
from flow.graph import Graph, Stream
from flow.nodes import ErrorPolicy, OperatorNode, Output, SinkNode
from flow.schema import StreamSchema
from flow.source import Source
from operators.calling.await_calls import AwaitCalls
from operators.check import Check
from operators.computed import Computed
from operators.expressions import Column, Expression, bind_condition
from operators.expressions.type_names import in_sql
from operators.sql.connectors.options import Options
from operators.sql.connectors.registry import looks_up, lookup_of, source_of
from operators.sql.explain import needed
from operators.sql.grammar.dialect import Text, Tree, exp
from operators.sql.lowering.lower import Made, lower
from operators.sql.optimising.join_order import rows_of
from operators.sql.optimising.sharing import Shared
from operators.sql.plan import nodes as p
from operators.sql.plan.operators import schema_of
from operators.sql.plan.unique import unique_keys
from operators.sql.planning.planner import plan_query
from operators.sql.qualifying.names import match
from operators.sql.statements.change_tables import last_of_each_key, replaced
from operators.sql.statements.declarations import Table

_POLICIES = ("fail", "skip", "dead_letter")


@attrs.frozen(eq=False)
class View:
    """A named query: what a reader of it reads, and what it computes."""

    plan: p.Plan
    computes: p.Plan
    materialized: bool = False


class Catalog(Mapping[str, p.Plan]):
    """The tables and views of a script, each looked at when a query names it.

    Attributes:
        tables: by name, as declared.
        views: by name.
        streams: what plans scan, by the names that they call it.
        written: the names of the tables that are written.
        letters: of each table that is read, the streams of rows that could not be used.
    """

    def __init__(self, text: Text, graph: Graph) -> None:
        self._text = text
        self._graph = graph
        self.tables: dict[str, Table] = {}
        self.views: dict[str, View] = {}
        self.streams: dict[str, Stream] = {}
        self.written: set[str] = set()
        self.letters: dict[str, list[Stream]] = {}
        self._reads: dict[str, p.Plan] = {}
        self._shared = Shared()
        self._made = Made()

    def __iter__(self) -> Iterator[str]:
        return iter([*self.tables, *self.views])

    def __len__(self) -> int:
        return len(self.tables) + len(self.views)

    def __contains__(self, name: object) -> bool:
        return name in self.tables or name in self.views

    def __getitem__(self, name: str) -> p.Plan:
        """What a query reads by a name: a view's plan, or a scan of a table, whose source is added by the first."""
        if name in self.views:
            return self.views[name].plan
        table = self.tables[name]
        if table.kind == "sink":
            raise self._text.error(f"{name!r} is a sink, which cannot be read", table.at, "declare it by CREATE TABLE")
        if name in self.written:
            raise self.read_and_written(table, table.at)
        if name not in self._reads:
            self._reads[name] = self._read(table)
        return self._reads[name]

    def is_read(self, name: str) -> bool:
        """Whether a query reads a table."""
        return name in self._reads

    def is_looked_up(self, table: Table) -> bool:
        """Whether a table is asked for the row of a key."""
        return looks_up(table.options.again().text("connector"))

    def refused(self, name: str) -> list[Stream]:
        """The rows that asked a table and got no answer, of all nodes that lead to a sink and ask it."""
        sinks = {node.name for node in self._graph if isinstance(node, SinkNode)}
        return [
            Stream(self._graph, Output(node.name)).dead_letters
            for node in needed(self._graph, sinks)
            if isinstance(node, OperatorNode)
            and isinstance(node.operator, AwaitCalls)
            and node.on_error == "dead_letter"
            and any(call.function.name == name for _, call in node.operator.calls)
        ]

    def forget(self, name: str) -> None:
        """Drop a table that nobody has used, or a view, of which readers have what they need."""
        self.tables.pop(name, None)
        self.views.pop(name, None)

    def lowered(self, plan: p.Plan, stem: str, name: str | None = None) -> Stream:
        """The stream of a plan, of which other statements may have added parts already."""
        plan = self._shared.of(plan)
        return lower(plan, self.streams, stem, name=name, graph=self._graph, made=self._made)

    def read_and_written(self, table: Table, at: Tree) -> GraphError:
        """The error for a table that is both."""
        return self._text.error(
            f"{table.name!r} is read and written: a table is one or the other",
            at,
            "declare two tables over the same data",
        )

    def policy(self, options: Options) -> ErrorPolicy:
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

    def checked(self, table: Table, stream: Stream, policy: ErrorPolicy) -> Stream:
        """The rows of a stream that satisfy what a table declares; the stream itself where that is nothing."""
        if not table.conditions:
            return stream
        trees = [tree for tree, _ in table.conditions]
        labels = [label for _, label in table.conditions]
        conditions = self._values(table.name, stream.schema, trees)
        for tree, condition in zip(trees, conditions, strict=True):
            try:
                bind_condition(condition, stream.schema.columns)
            except GraphError as error:
                raise self._text.error(in_sql(str(error)), tree) from error
        check = Check(tuple(zip(labels, conditions, strict=True)))
        name = self._graph.unique_name(f"{table.name}.check")
        return table.options.make(lambda: stream.apply(check, name=name, on_error=policy))

    def _values(self, table: str, schema: StreamSchema, trees: Sequence[Tree]) -> list[Expression]:
        """Expressions over the columns of a table."""
        outputs = [exp.alias_(tree.copy(), f"value{place}", quoted=True) for place, tree in enumerate(trees)]
        plan = self._computing(table, p.Scan(table, schema), outputs)
        assert isinstance(plan, p.Project)
        return [value for _, value in plan.columns]

    def _computing(self, table: str, scan: p.Scan, outputs: Sequence[Tree]) -> p.Plan:
        relation = exp.Table(this=exp.to_identifier(table, quoted=True))
        query = exp.Select(expressions=[output.copy() for output in outputs]).from_(relation)
        return plan_query(self._text, query, {table: scan})

    def _looked_up(self, table: Table) -> p.LookupTable:
        """A table that is asked for the row of a key."""
        described = table.for_connector()
        says = f"{table.name!r} is asked for the row of a key"
        if not table.key or not table.columns:
            raise self._text.error(
                f"{says}: it has columns and a PRIMARY KEY", table.at, "declare them: (id BIGINT PRIMARY KEY, ...)"
            )
        refused = [
            *(tree for tree in table.outputs if isinstance(tree, exp.Alias)),
            *(tree for tree, label in table.conditions if label not in {f"{name} NOT NULL" for name in table.key}),
            *table.defaults.values(),
            *([table.watermark.column] if table.watermark else []),
        ]
        if refused:
            raise self._text.error(
                f"{says}: it has no computed columns, conditions, defaults or watermark",
                refused[0],
                "leave it out; compute it in the query, or in the function",
            )
        function = attrs.evolve(lookup_of(described), on_error=self.policy(described.options))
        described.options.finish(table.name)
        schema = StreamSchema(pa.schema(list(described.types.items())))
        return p.LookupTable(table.name, schema, (table.key,), row=function)

    def _read(self, table: Table) -> p.Plan:
        if self.is_looked_up(table):
            return self._looked_up(table)
        for name, tree in table.defaults.items():
            raise self._text.error(
                f"{table.name!r} is read, and DEFAULT of {name!r} is for what an INSERT leaves out",
                tree,
                "compute it: coalesce(column, value), in the query or as a computed column of another name",
            )
        stream, timed, policy = self._source(table)
        keys = (self._key(table, stream.schema),) if table.key else ()
        outputs = [
            exp.column(exp.to_identifier(output.alias, quoted=True))
            if isinstance(output, exp.Alias) and output.alias == timed
            else output
            for output in table.outputs
        ]
        # What is read by the table's name are rows that have been checked.
        named = f"{table.name}, unchecked" if table.conditions else table.name
        scan = p.Scan(named, stream.schema, keys, rows_of(stream))
        self.streams[named] = stream
        plan: p.Plan = self._computing(table.name, scan, outputs) if table.computed else scan
        if table.conditions:
            checked = self.checked(table, self.lowered(plan, table.name), policy)
            self.streams[table.name] = checked
            self.letters[table.name].append(checked.dead_letters)
            plan = p.Scan(table.name, checked.schema, unique_keys(plan), rows_of(stream))
        return plan

    def _key(self, table: Table, schema: StreamSchema) -> tuple[str, ...]:
        computed = {output.alias for output in table.outputs if isinstance(output, exp.Alias)}
        for name in table.key:
            if name not in schema.names and name not in computed:
                raise self._text.error(f"PRIMARY KEY: no column {name!r}; {known(name, schema.names)}", table.at)
        return table.key

    def _source(self, table: Table) -> tuple[Stream, str | None, ErrorPolicy]:
        """The stream of a table's source, the column that it computes for the watermark, and the error policy."""
        described = table.for_connector()
        options = described.options
        source = source_of(described)
        event_time: str | None = None
        timed: str | None = None
        if table.watermark is not None:
            event_time = match(self._text, table.watermark.column, options.make(source.schema).names, "column")
            if event_time is None:
                source = self._with_event_time(table, source)
                event_time = timed = table.watermark.column.name
        idle_timeout, max_future = options.duration("idle_timeout"), options.duration("max_future")
        ordered = options.flag("ordered")
        broadcast = None if options.text("broadcast") is None else options.flag("broadcast")
        policy = self.policy(options)
        replacing = last_of_each_key(table, options, source, partial(self._values, table.name))
        if replacing is not None and table.watermark is not None:
            raise self._text.error(
                f"{table.name!r} takes back rows of long ago, so that it has no watermark", table.watermark.column
            )
        options.finish(table.name)
        stream = options.make(
            lambda: self._graph.source(
                table.name,
                source,
                event_time=event_time,
                delay=table.watermark.delay / 1_000_000 if table.watermark else 0,
                idle_timeout=idle_timeout,
                max_future=max_future,
                ordered=ordered,
                on_error=policy,
                broadcast=broadcast,
            )
        )
        self.letters[table.name] = [stream.dead_letters]
        if replacing is not None:
            stream = options.make(lambda: replaced(self._graph, table, stream, replacing, policy))
            self.letters[table.name].append(stream.dead_letters)
        return stream, timed, policy

    def _with_event_time(self, table: Table, source: Source) -> Source:
        """The source, whose readers compute the column of the watermark."""
        assert table.watermark is not None
        column = table.watermark.column
        computed = {output.alias: output.this for output in table.outputs if isinstance(output, exp.Alias)}
        schema = source.schema()
        if column.name not in computed:
            raise self._text.error(
                f"no column {column.name!r} in {table.name!r}; {known(column.name, [*schema.names, *computed])}", column
            )
        (value,) = self._values(table.name, StreamSchema(schema), [computed[column.name]])
        return table.options.make(lambda: Computed(source, ((column.name, value),)))


def renamed(text: Text, plan: p.Plan, names: Sequence[str], at: Tree) -> p.Plan:
    """The plan with its columns under other names.

    Raises:
        SqlError: there are more or fewer names than columns.
    """
    held = schema_of(plan).names
    if len(names) != len(held):
        raise text.error(f"{len(names)} names for {len(held)} columns: {held}", at)
    if list(names) == held:
        return plan
    return p.Project(plan, tuple((new, Column(old)) for new, old in zip(names, held, strict=True)))
