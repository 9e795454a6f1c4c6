"""What a script writes: its tables as sinks, each fed by one or several queries and by the dead letters of others.

Sinks are added last, each before the one that its dead letters go to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from graphlib import CycleError, TopologicalSorter

import attrs
import pyarrow as pa

from flow.errors import GraphError, known
from flow.graph import Stream
from operators.expressions import Cast, Column, Expression, Literal
from operators.expressions.type_names import in_sql
from operators.sql.connectors.registry import sink_of
from operators.sql.expressions.constants import constant, value_of
from operators.sql.grammar.dialect import Text, Tree, exp
from operators.sql.optimising.optimise import optimise
from operators.sql.plan import nodes as p
from operators.sql.plan.operators import schema_of
from operators.sql.plan.unique import unique_keys
from operators.sql.planning.sets import cast_to
from operators.sql.qualifying.clauses import row_of
from operators.sql.statements.catalog import Catalog, renamed
from operators.sql.statements.change_tables import refuse_changes
from operators.sql.statements.declarations import Table


@attrs.define
class _Target:
    """A table that is written, and the plans of what is written."""

    table: Table
    plans: list[p.Plan] = attrs.field(factory=list)
    queries: list[Tree] = attrs.field(factory=list)

    @property
    def plan(self) -> p.Plan:
        return optimise(self.plans[0] if len(self.plans) == 1 else p.Union(tuple(self.plans)))


class Targets:
    """The tables that are written."""

    def __init__(self, text: Text, catalog: Catalog) -> None:
        self._text = text
        self._catalog = catalog
        self._targets: dict[str, _Target] = {}
        self._last: list[str] = []

    def __iter__(self) -> Iterator[tuple[str, p.Plan]]:
        return ((name, target.plan) for name, target in self._targets.items())

    def __len__(self) -> int:
        return len(self._targets)

    def schema(self, name: str) -> pa.Schema | None:
        """The columns that a table is given by queries; None where it is given none yet."""
        return schema_of(self._targets[name].plans[0]).columns if name in self._targets else None

    def fitted(self, table: Table, plan: p.Plan, names: list[str] | None, query: Tree, at: Tree) -> p.Plan:
        """The plan with the columns of a table, as INSERT names them, and with their types.

        Raises:
            SqlError: they do not fit.
        """
        self._refuse_unwritable(table, query)
        self._check_constants(table, plan, names, query)
        if names is not None:
            plan = self._placed(plan, table, names, at)
        if not table.columns:
            return plan
        held = schema_of(plan).names
        if len(held) != len(table.columns):
            raise self._text.error(
                f"{table.name!r} has {len(table.columns)} columns {[column.name for column in table.columns]}, "
                f"the query {len(held)}: {held}",
                query,
            )
        return self._cast(plan, pa.schema([(column.name, column.type) for column in table.columns]), query)

    def add(self, table: Table, plan: p.Plan, query: Tree) -> None:
        """Let a table be given the rows of a plan, which is fitted to it."""
        self._catalog.written.add(table.name)
        target = self._targets.setdefault(table.name, _Target(table))
        if target.plans:
            first = schema_of(target.plans[0])
            wanted = pa.schema([first.columns.field(name) for name in first.names])
            if len(schema_of(plan).names) != len(wanted):
                raise self._text.error(f"{table.name!r} is given {len(wanted)} columns by an INSERT before", query)
            plan = self._cast(plan, wanted, query)
        target.plans.append(plan)
        target.queries.append(query)

    def _check_constants(self, table: Table, plan: p.Plan, names: list[str] | None, query: Tree) -> None:
        """Raise SqlError where a value that the query says is none of its column's type."""
        kinds = {column.name: column.type for column in table.columns}
        wanted = [kinds.get(name) for name in (kinds if names is None else names)]
        if isinstance(query, exp.Values):
            for row in query.expressions:
                self._check_row(wanted, row_of(row))
        elif isinstance(query, exp.Select) and isinstance(plan, p.Project):
            self._check_row(wanted, query.expressions)

    def _check_row(self, wanted: Sequence[pa.DataType | None], trees: Sequence[Tree]) -> None:
        for kind, tree in zip(wanted, trees, strict=False):
            value = tree.unalias()
            if isinstance(value, exp.Neg):
                value = value.this
            if kind is not None and isinstance(value, exp.Literal):
                given = constant(self._text, tree.unalias(), "INSERT")
                value_of(self._text, given, tree, kind, "write a value of the column's type")

    def _refuse_unwritable(self, table: Table, query: Tree) -> None:
        if self._catalog.is_read(table.name):
            raise self._catalog.read_and_written(table, query)
        if table.kind == "source":
            raise self._text.error(
                f"{table.name!r} is a source, which cannot be written", query, "declare it by CREATE TABLE"
            )
        for output in table.outputs:
            if isinstance(output, exp.Alias):
                raise self._text.error(
                    f"{table.name!r} is written, and its column {output.alias!r} is computed",
                    output,
                    "declare its type, and compute it in the query",
                )

    def _placed(self, plan: p.Plan, table: Table, names: list[str], at: Tree) -> p.Plan:
        """The plan's columns under the names that INSERT gives them, and the defaults or NULL in the table's others."""
        plan = renamed(self._text, plan, names, at)
        if not table.columns:
            return plan
        declared = {column.name: column.type for column in table.columns}
        for place, name in enumerate(names):
            if name in names[:place]:
                raise self._text.error(f"the column {name!r} is named twice", at)
            if name not in declared:
                raise self._text.error(f"{table.name!r} has no column {name!r}; {known(name, declared)}", at)
        values: dict[str, Expression] = {
            name: Column(name) if name in names else self._default(table, name, kind) for name, kind in declared.items()
        }
        return p.Project(plan, tuple(values.items()))

    def _default(self, table: Table, name: str, kind: pa.DataType) -> Expression:
        tree = table.defaults.get(name)
        if tree is None:
            return Cast(Literal(None), kind)
        value = constant(self._text, tree, "DEFAULT")
        # What has no such value is an error here, not when it runs.
        value_of(self._text, value, tree, kind)
        return Cast(value, kind)

    def _cast(self, plan: p.Plan, columns: pa.Schema, at: Tree) -> p.Plan:
        try:
            return cast_to(plan, columns)
        except GraphError as error:
            raise self._text.error(in_sql(str(error)), at) from error

    def write(self) -> None:
        """Add the sinks.

        Raises:
            SqlError: a sink cannot be made, or cannot take what it is given.
        """
        tables = self._catalog.tables
        after: dict[str, list[str]] = {}
        for name, streams in self._catalog.letters.items():
            letters = self._letters_of(tables[name])
            for stream in streams if letters is not None else ():
                self._add_letters(letters, stream)
        last = {letters for table in self._looked_up() if (letters := self._letters_of(table)) is not None}
        queue = list(dict.fromkeys([*self._targets, *sorted(last)]))
        for name in queue:
            letters = self._letters_of(tables[name])
            after.setdefault(name, [])
            if letters is not None:
                after.setdefault(letters, []).append(name)
                if letters not in queue:
                    queue.append(letters)
        try:
            order = list(TopologicalSorter(after).static_order())
        except CycleError as error:
            name = error.args[1][0]
            raise self._text.error(f"the dead letters of {name!r} would come back to it", tables[name].at) from None
        for name in order:
            if name in last or not last.isdisjoint(after[name]):
                last.add(name)
                self._last.append(name)
            else:
                self._write_one(name)

    def write_last(self) -> None:
        """Add the sinks of rows that asked for others and got none, when it is known who asks.

        Raises:
            SqlError: as `write`.
        """
        for name in self._last:
            for table in self._looked_up():
                for stream in self._catalog.refused(table.name) if self._letters_of(table) == name else ():
                    self._add_letters(name, stream)
            if name in self._targets:
                self._write_one(name)

    def _looked_up(self) -> list[Table]:
        """The tables that are asked for the row of a key."""
        return [table for table in self._catalog.tables.values() if self._catalog.is_looked_up(table)]

    def _write_one(self, name: str) -> None:
        refused = self._write(self._targets[name])
        letters = self._letters_of(self._catalog.tables[name])
        for stream in refused if letters is not None else ():
            self._add_letters(letters, stream)

    def _letters_of(self, table: Table) -> str | None:
        """The name of the table that a table's dead letters go to."""
        wanted = table.options.again().text("dead_letters")
        if wanted is None or wanted in self._catalog.tables:
            return wanted
        raise table.options.error("dead_letters", f"no table {wanted!r}; {known(wanted, self._catalog.tables)}")

    def _add_letters(self, letters: str | None, stream: Stream) -> None:
        assert letters is not None
        target = self._catalog.tables[letters]
        scan = p.Scan(str(stream.output), stream.schema)
        self.add(target, self.fitted(target, scan, None, target.at, target.at), target.at)
        self._catalog.streams[scan.table] = stream

    def _write(self, target: _Target) -> list[Stream]:
        """Add a sink; what comes back are the rows that are refused on the way into it."""
        table = target.table
        described = table.for_connector()
        if not table.key:
            known_keys = [key for key in unique_keys(target.plan) if key]
            described = attrs.evolve(described, key=known_keys[0] if known_keys else ())
        sink = sink_of(described)
        policy = self._catalog.policy(described.options)
        writers = described.options.number("writers")
        described.options.finish(table.name)
        stream = self._catalog.lowered(target.plan, table.name)
        for plan, query in zip(target.plans, target.queries, strict=True):
            if schema_of(plan).changelog:
                refuse_changes(self._text, table, stream, sink, plan, query)
        checked = self._catalog.checked(table, stream, policy)
        written = described.options.make(lambda: checked.sink(table.name, sink, writers=writers, on_error=policy))
        return [written.dead_letters, *([checked.dead_letters] if checked != stream else [])]
