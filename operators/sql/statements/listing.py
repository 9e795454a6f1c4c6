"""SHOW and DESCRIBE: what a script has declared, and what a query gives, as Arrow tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import pyarrow as pa

from flow.durations import spelled
from flow.errors import known
from operators.aggregates.aggregation import FUNCTIONS
from operators.expressions.registry import entries, signature_parts
from operators.expressions.type_names import type_text
from operators.expressions.types import logical
from operators.sql.connectors.registry import connectors
from operators.sql.explain import keys_text, kind_text
from operators.sql.expressions.user_functions import signature
from operators.sql.grammar.dialect import Text, exp
from operators.sql.plan import nodes as p
from operators.sql.plan.operators import schema_of
from operators.sql.plan.unique import unique_keys
from operators.sql.statements.catalog import Catalog
from operators.sql.statements.declarations import Table
from operators.sql.statements.run_settings import RunSettings
from operators.sql.statements.targets import Targets


def strings(names: Sequence[str], rows: Sequence[Sequence[str | None]]) -> pa.Table:
    """A table of texts."""
    columns = zip(*rows, strict=True) if rows else ([] for _ in names)
    return pa.table({name: pa.array(column, pa.string()) for name, column in zip(names, columns, strict=True)})


class Listing:
    """What SHOW can list, of a script so far."""

    def __init__(self, text: Text, catalog: Catalog, settings: RunSettings) -> None:
        self._text = text
        self._catalog = catalog
        self._settings = settings

    def show(self, statement: exp.Show) -> pa.Table:
        """The table of a SHOW.

        Raises:
            SqlError: there is no such thing to show.
        """
        listings: dict[str, Callable[[], pa.Table]] = {
            "TABLES": lambda: self._tables(("table", "source", "sink")),
            "SOURCES": lambda: self._tables(("source",)),
            "SINKS": lambda: self._tables(("sink",)),
            "VIEWS": self._views,
            "FUNCTIONS": self._functions,
            "CONNECTORS": self._connectors,
            "SETTINGS": self._all,
            "ALL": self._all,
        }
        name = statement.name.upper()
        if name in listings:
            return listings[name]()
        rows = [row for row in self._settings.listed() if row[0] == name.lower()]
        if not rows:
            choices = [*listings, *(row[0] for row in self._settings.listed())]
            raise self._text.error(f"nothing to SHOW is called {statement.name!r}; {known(name, choices)}", statement)
        return strings(("name", "value", "meaning"), rows)

    def _tables(self, kinds: Sequence[str]) -> pa.Table:
        rows = [
            (name, table.kind, self._use(table), table.options.again().text("connector"))
            for name, table in self._catalog.tables.items()
            if table.kind in kinds
        ]
        return strings(("name", "kind", "use", "connector"), rows)

    def _use(self, table: Table) -> str:
        if table.name in self._catalog.written:
            return "written"
        return "read" if self._catalog.is_read(table.name) else "not used yet"

    def _views(self) -> pa.Table:
        rows = [
            (name, "materialized view" if view.materialized else "view") for name, view in self._catalog.views.items()
        ]
        return strings(("name", "kind"), rows)

    def _functions(self) -> pa.Table:
        said = {name: entry.says for entry in entries() if entry.says for name in entry.names}
        rows = {
            (name, "function", signature, said.get(name, ""))
            for entry in entries()
            for signature in entry.signatures
            if (name := signature_parts(signature)[0])
        }
        rows |= {(name, "aggregate", "", "") for name in FUNCTIONS}
        for name, each in self._text.functions.items():
            rows.add((name, "of a user", f"{name}{signature(each)}", ""))
        return strings(("name", "kind", "signature", "meaning"), sorted(rows))

    def _connectors(self) -> pa.Table:
        yes_no: Final = {True: "yes", False: "no"}
        rows = [
            (name, "by key" if each.lookup else yes_no[each.source is not None], yes_no[each.sink is not None])
            for name, each in connectors().items()
        ]
        return strings(("name", "reads", "writes"), rows)

    def _all(self) -> pa.Table:
        return strings(("name", "value", "meaning"), self._settings.listed())


def described(plan: p.Plan) -> tuple[pa.Table, str]:
    """The columns of a plan, and in words what else is known of its rows."""
    schema = schema_of(plan)
    keyed = {name for key in unique_keys(plan) for name in key}
    rows = [
        (
            name,
            type_text(logical(schema.column_type(name))),
            ", ".join(
                word
                for word, holds in (("event time", name == schema.event_time), ("in a unique key", name in keyed))
                if holds
            ),
        )
        for name in schema.names
    ]
    keys = keys_text(plan)
    note = f"{kind_text(plan)}; {f'unique: {keys}' if keys else 'no unique key is known'}"
    return strings(("column", "type", "is"), rows), note


def described_sink(table: Table, targets: Targets) -> tuple[pa.Table, str]:
    """The columns of a table that is not read, as it declares them, else as queries give them to it."""
    fields: list[tuple[str, pa.DataType]] = [(column.name, column.type) for column in table.columns]
    given = targets.schema(table.name)
    if not fields and given is not None:
        fields = [(field.name, field.type) for field in given]
    rows = [
        (name, type_text(logical(kind)), "in the primary key" if name in table.key else "") for name, kind in fields
    ]
    note = "written" if given is not None else "not used yet"
    if table.watermark is not None:
        note += f"; event time {table.watermark.column.name}, {spelled(table.watermark.delay)} behind"
    if not fields:
        note += "; its columns are those of the query that is inserted first"
    return strings(("column", "type", "is"), rows), note
