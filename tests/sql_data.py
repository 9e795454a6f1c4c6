"""Random tables of changes, in batches that take turns, for the queries of tests/sql_generator.py.

A row is only taken back where it is there. Values come from few, so that they meet; numbers with a fraction are
multiples of 0.25, whose sums are exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import attrs
import pyarrow as pa

from flow.schema import WEIGHT
from tests.sql_choices import Choices

INT, FLOAT, TEXT, BOOL = "BIGINT", "DOUBLE", "VARCHAR", "BOOLEAN"
DECIMAL, DATE, TIME = "DECIMAL(9, 2)", "DATE", "TIMESTAMP"
KINDS = (INT, TEXT, FLOAT, BOOL, DECIMAL, DATE, TIME)
USUAL = (INT, INT, INT, TEXT, TEXT, FLOAT, FLOAT, BOOL, DECIMAL, DATE, TIME)
"""Kinds as often as they are drawn."""
ARROW = {
    INT: pa.int64(),
    FLOAT: pa.float64(),
    TEXT: pa.string(),
    BOOL: pa.bool_(),
    DECIMAL: pa.decimal128(9, 2),
    DATE: pa.date32(),
    TIME: pa.timestamp("us"),
}
VALUES: dict[str, list[Any]] = {
    INT: [0, 1, None, 2, -1, 3],
    TEXT: ["a", "b", None, "", "ab"],
    FLOAT: [0.0, 0.5, None, 1.0, -0.25, 2.75],
    BOOL: [False, True, None],
    DECIMAL: [Decimal("0.00"), Decimal("1.50"), None, Decimal("1.00"), Decimal("-0.25"), Decimal("20.10")],
    DATE: [date(2024, 1, 1), date(2024, 1, 2), None, date(2023, 12, 31), date(2024, 2, 29)],
    TIME: [
        datetime(2024, 1, 1),
        datetime(2024, 1, 1, 0, 1, 30),
        None,
        datetime(2024, 1, 1, 0, 2),
        datetime(2023, 12, 31, 23, 59, 59, 500_000),
        datetime(2024, 1, 1, 1),
    ],
}
NAMES = {INT: "i", FLOAT: "f", TEXT: "s", BOOL: "b", DECIMAL: "m", DATE: "d", TIME: "w"}
EVENT_TIME = "event_time"
BATCHINGS = ("all", 7, 3, "random", "all", 1)
MOST_CHANGES = (6, 12, 20)
MOST_BATCHES = 4

Row = tuple[Any, ...]
Change = tuple[Row, int]


@attrs.frozen
class Shape:
    """A table's columns (names and kinds), whether its rows can be taken back, and what is encoded as dictionaries."""

    columns: tuple[tuple[str, str], ...]
    changing: bool
    encoded: bool = False

    @property
    def event_time(self) -> str | None:
        return EVENT_TIME if any(name == EVENT_TIME for name, _ in self.columns) else None

    @property
    def schema(self) -> pa.Schema:
        fields = [pa.field(name, self._type(kind)) for name, kind in self.columns]
        if self.changing:
            fields.append(pa.field(WEIGHT, pa.int64(), nullable=False))
        return pa.schema(fields)

    def batch(self, changes: Iterable[Change]) -> pa.RecordBatch:
        rows = [(*row, weight) if self.changing else row for row, weight in changes]
        schema = self.schema
        arrays = []
        for number, field in enumerate(schema):
            values = [row[number] for row in rows]
            encoded = pa.types.is_dictionary(field.type)
            plain = pa.array(values, field.type.value_type if encoded else field.type)
            arrays.append(plain.dictionary_encode() if encoded else plain)
        return pa.RecordBatch.from_arrays(arrays, schema=schema)

    def _type(self, kind: str) -> pa.DataType:
        return pa.dictionary(pa.int32(), pa.string()) if self.encoded and kind == TEXT else ARROW[kind]


@attrs.frozen
class Data:
    """Changes in batches, in the order in which they come: the name of a table, and its next changes."""

    batches: tuple[tuple[str, tuple[Change, ...]], ...]

    def changes(self, name: str) -> list[Change]:
        return [change for table, batch in self.batches if table == name for change in batch]

    def lives(self, name: str) -> Iterator[tuple[Row, int, int]]:
        """The rows of a table, each with the number of batches after which it is there, and is there no more."""
        there: dict[Row, list[int]] = {}
        for number, (table, batch) in enumerate(self.batches, 1):
            for row, weight in batch if table == name else ():
                if weight > 0:
                    there.setdefault(row, []).append(number)
                else:
                    yield row, there[row].pop(), number
        for row, numbers in there.items():
            yield from ((row, number, FOREVER) for number in numbers)


FOREVER = 1_000
"""More batches than there are."""


def shapes(choices: Choices) -> dict[str, Shape]:
    """Tables by their names."""
    out = {}
    for number in range(1 + choices.below(3)):
        kinds = [INT, *choices.some(USUAL, 1, 3)]
        columns = [(f"{NAMES[kind]}{place}", kind) for place, kind in enumerate(kinds)]
        if choices.one_in(3):
            columns.append((EVENT_TIME, TIME))
        out[f"t{number}"] = Shape(tuple(columns), choices.below(4) > 0, choices.one_in(4))
    return out


def data(choices: Choices, tables: dict[str, Shape]) -> Data:
    """Changes of all tables; the batches of one keep their order."""
    left = {name: pieces(choices, changes(choices, shape)) for name, shape in tables.items()}
    batches = []
    while waiting := [name for name, each in left.items() if each]:
        name = choices.pick(waiting)
        batches.append((name, tuple(left[name].pop(0))))
    return Data(tuple(batches))


def changes(choices: Choices, shape: Shape) -> list[Change]:
    """Some tables are empty, in some few values meet often, and in some a column has nothing but NULLs."""
    values = []
    for name, kind in shape.columns:
        how = choices.below(8)
        few = [value for value in VALUES[kind] if value is not None or name != EVENT_TIME]
        values.append([None] if how == 7 and name != EVENT_TIME else few if how > 3 else choices.different(few, 1, 3))
    count = choices.below(choices.pick(MOST_CHANGES))
    backwards = choices.pick([3, 2, 5]) if shape.changing else 0
    there: list[Row] = []
    out: list[Change] = []
    while len(out) < count:
        if backwards and there and choices.one_in(backwards):
            row = there.pop(choices.below(len(there)))
            out.append((row, -1))
            if choices.one_in(3):
                continue
            # What is updated keeps the rest of its values: most of its groups stay, and change.
            place = choices.below(len(row))
            row = (*row[:place], choices.pick(values[place]), *row[place + 1 :])
        else:
            row = tuple(choices.pick(few) for few in values)
        there.append(row)
        out.append((row, 1))
    return out


def pieces(choices: Choices, rows: list[Change]) -> list[list[Change]]:
    batching = choices.pick(BATCHINGS)
    out, at = [], 0
    while at < len(rows):
        size = len(rows) if batching == "all" else 1 + choices.below(6) if batching == "random" else int(batching)
        size = max(size, len(rows) // MOST_BATCHES)
        out.append(rows[at : at + size])
        at += size
    return out


def valid(batches: Iterable[tuple[str, Iterable[Change]]]) -> Data:
    """The batches without changes that take back what is not there."""
    there: dict[tuple[str, Row], int] = {}
    out = []
    for name, batch in batches:
        kept = []
        for row, weight in batch:
            if weight > 0 or there.get((name, row), 0) > 0:
                there[name, row] = there.get((name, row), 0) + weight
                kept.append((row, weight))
        if kept:
            out.append((name, tuple(kept)))
    return Data(tuple(out))
