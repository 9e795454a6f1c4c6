"""Random tables of changes, in batches that take turns, for the queries of tests/sql_generator.py.

A row is only taken back where it is there, unless the table's changes are in no order. Values come from few, so that
they meet; numbers with a fraction are multiples of 0.25, whose sums are exact.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import attrs
import pyarrow as pa

from flow.schema import WEIGHT
from tests.sql_choices import Choices


class Items(list[Any]):
    """A list that is never changed."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(self))


class Fields(dict[str, Any]):
    """A struct that is never changed."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(self.items()))


INT, FLOAT, TEXT, BOOL = "BIGINT", "DOUBLE", "VARCHAR", "BOOLEAN"
DECIMAL, DATE, TIME = "DECIMAL(9, 2)", "DATE", "TIMESTAMP"
LIST, STRUCT = "BIGINT[]", "STRUCT<x BIGINT, y VARCHAR>"
KINDS = (INT, TEXT, FLOAT, BOOL, DECIMAL, DATE, TIME, LIST, STRUCT)
_PLAIN = (INT, INT, INT, TEXT, TEXT, FLOAT, FLOAT, BOOL, DECIMAL, DATE, TIME)
USUAL = (*_PLAIN, *_PLAIN, LIST, STRUCT)
"""Kinds as often as they are drawn."""
ARROW = {
    INT: pa.int64(),
    FLOAT: pa.float64(),
    TEXT: pa.string(),
    BOOL: pa.bool_(),
    DECIMAL: pa.decimal128(9, 2),
    DATE: pa.date32(),
    TIME: pa.timestamp("us"),
    LIST: pa.list_(pa.int64()),
    STRUCT: pa.struct([("x", pa.int64()), ("y", pa.string())]),
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
    LIST: [Items([1]), Items([1, 2]), None, Items([]), Items([None]), Items([1, None])],
    STRUCT: [Fields(x=1, y="a"), Fields(x=1, y=None), None, Fields(x=None, y="a"), Fields(x=2, y="b")],
}
NAMES = {LIST: "l", STRUCT: "r", INT: "i", FLOAT: "f", TEXT: "s", BOOL: "b", DECIMAL: "m", DATE: "d", TIME: "w"}
EVENT_TIME = "event_time"
GONE = "gone"
"""A column of tables whose later rows replace the earlier ones: whether the row deletes its key."""
KEYS = [0, 1, 2, -1, 3, 7, 10, -5]
SPECIAL = {
    FLOAT: [math.nan, -0.0, 0.0, math.inf, None, 1.0],
    TEXT: ["", "\u00e9", "e\u0301", "a" * 300, None, "\U0001f600"],
}
"""Values that are often wrong where others are right."""
SIZES = (0, 1_000_000, 100, 100_000_000)
"""Bytes that a table is said to have, by which the order of joins and what is broadcast are chosen."""
BATCHINGS = ("all", 7, 3, "random", "all", 1)
MOST_CHANGES = (6, 12, 20)
MOST_BATCHES = 4

Row = tuple[Any, ...]
Change = tuple[Row, int]


@attrs.frozen
class Shape:
    """A table's columns (names and kinds), and how it is declared.

    Attributes:
        form: how its rows come: they stay (``append``), they come and go (``weight``), or later ones replace those of
            the same key (``upsert``).
        keyed: whether no two rows have the same value in the first column.
        ordered: whether rows are only taken back after they came.
        encoded: whether text is encoded as dictionaries.
        broadcast: whether it is declared to be, or not to be; None where nothing is said.
        size: bytes that it is said to have.
        special: whether its values are those that are often wrong.
    """

    columns: tuple[tuple[str, str], ...]
    form: str = "append"
    keyed: bool = False
    ordered: bool = True
    encoded: bool = False
    broadcast: bool | None = None
    size: int = 0
    special: bool = False

    @property
    def event_time(self) -> str | None:
        return EVENT_TIME if any(name == EVENT_TIME for name, _ in self.columns) and self.form != "upsert" else None

    @property
    def schema(self) -> pa.Schema:
        """The rows and, where they come and go, their weights."""
        fields = [pa.field(name, self._type(kind)) for name, kind in self.columns]
        if self.form != "append":
            fields.append(pa.field(WEIGHT, pa.int64(), nullable=False))
        return pa.schema(fields)

    def batch(self, changes: Iterable[Change]) -> pa.RecordBatch:
        """Changes with their weights."""
        rows = [(*row, weight) if self.form != "append" else row for row, weight in changes]
        return _batch(rows, self.schema)

    def read(self, changes: Iterable[Change]) -> pa.RecordBatch:
        """What a source reads of them: where later rows replace the earlier ones, each key's next row, or its end."""
        if self.form != "upsert":
            return self.batch(changes)
        rows: list[Row] = []
        for row, weight in changes:
            if rows and rows[-1][-1] and rows[-1][0] == row[0]:
                rows.pop()
            rows.append((*row, weight < 0))
        return _batch(rows, self.schema.remove(len(self.columns)).append(pa.field(GONE, pa.bool_())))

    def _type(self, kind: str) -> pa.DataType:
        return pa.dictionary(pa.int32(), pa.string()) if self.encoded and kind == TEXT else ARROW[kind]


def _batch(rows: list[Row], schema: pa.Schema) -> pa.RecordBatch:
    arrays = []
    for number, field in enumerate(schema):
        values = [row[number] for row in rows]
        encoded = pa.types.is_dictionary(field.type)
        plain = pa.array(values, field.type.value_type if encoded else field.type)
        arrays.append(plain.dictionary_encode() if encoded else plain)
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


@attrs.frozen
class Data:
    """Changes in batches, in the order in which they come: the name of a table, and its next changes."""

    batches: tuple[tuple[str, tuple[Change, ...]], ...]

    def changes(self, name: str) -> list[Change]:
        return [change for table, batch in self.batches if table == name for change in batch]

    def lives(self, name: str) -> Iterator[tuple[Row, int, int]]:
        """The rows of a table, each with the number of batches after which it is there, and is there no more."""
        there: dict[Row, list[int]] = {}
        for number, table, counts in self._counts():
            for row, count in counts.items() if table == name else ():
                held = there.setdefault(row, [])
                held += [number] * (count - len(held))
                while len(held) > max(count, 0):
                    yield row, held.pop(), number
        for row, numbers in there.items():
            yield from ((row, number, FOREVER) for number in numbers)

    def moments(self) -> list[int]:
        """The numbers of batches after which no row has been taken back more often than it came."""
        below: dict[str, bool] = {}
        out = []
        for number, table, counts in self._counts():
            below[table] = min(counts.values()) < 0
            if not any(below.values()):
                out.append(number)
        return out

    def _counts(self) -> Iterator[tuple[int, str, dict[Row, int]]]:
        """After each batch, how often each row that its table ever had is there."""
        counts: dict[str, dict[Row, int]] = {}
        for number, (table, batch) in enumerate(self.batches, 1):
            held = counts.setdefault(table, {})
            for row, weight in batch:
                held[row] = held.get(row, 0) + weight
            yield number, table, held


FOREVER = 1_000
"""More batches than there are."""


def shapes(choices: Choices) -> dict[str, Shape]:
    """Tables by their names."""
    out = {}
    stays = choices.one_in(3)
    for number in range(1 + choices.below(3)):
        kinds = [INT, *choices.some(USUAL, 1, 3)]
        columns = [(f"{NAMES[kind]}{place}", kind) for place, kind in enumerate(kinds)]
        form = "append" if stays and not choices.one_in(5) else choices.pick(["append", "weight", "weight", "upsert"])
        if choices.one_in(3) and form != "upsert":
            columns.append((EVENT_TIME, TIME))
        ordered = form != "weight" or not choices.one_in(5)
        out[f"t{number}"] = Shape(
            tuple(columns),
            form,
            keyed=form == "upsert" or (ordered and choices.one_in(5)),
            ordered=ordered,
            encoded=choices.one_in(4),
            broadcast=choices.pick([None, True] if stays and number else [None, None, True, None, False]),
            size=choices.pick(SIZES),
            special=choices.one_in(6),
        )
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
    values = [_few(choices, shape, name, kind) for name, kind in shape.columns]
    count = choices.below(choices.pick(MOST_CHANGES))
    backwards = choices.pick([3, 2, 5]) if shape.form != "append" else 0
    there: list[Row] = []
    out: list[Change] = []
    for _ in range(count):
        if len(out) >= count:
            break
        row: Row
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
        if shape.keyed and any(other[0] == row[0] for other in there):
            continue
        there.append(row)
        out.append((row, 1))
    if not shape.ordered:
        out = [out.pop(choices.below(len(out))) for _ in range(len(out))]
    return out


def _few(choices: Choices, shape: Shape, name: str, kind: str) -> list[Any]:
    """The values of a column."""
    if shape.keyed and name == shape.columns[0][0]:
        return KEYS
    how = choices.below(8)
    from_ = SPECIAL[kind] if shape.special and kind in SPECIAL else VALUES[kind]
    few = [value for value in from_ if value is not None or name != EVENT_TIME]
    if how == 7 and name != EVENT_TIME:
        return [None]
    return few if how > 3 else choices.different(few, 1, 3)


def pieces(choices: Choices, rows: list[Change]) -> list[list[Change]]:
    batching = choices.pick(BATCHINGS)
    out, at = [], 0
    while at < len(rows):
        size = len(rows) if batching == "all" else 1 + choices.below(6) if batching == "random" else int(batching)
        size = max(size, len(rows) // MOST_BATCHES)
        out.append(rows[at : at + size])
        at += size
    return out


def valid(batches: Iterable[tuple[str, Iterable[Change]]], tables: Mapping[str, Shape]) -> Data:
    """The batches without changes that take back what is not there, or bring a key twice."""
    there: dict[str, Counter[Row]] = {name: Counter() for name in tables}
    keys: dict[str, set[Any]] = {name: set() for name in tables}
    out = []
    left = [(name, list(batch)) for name, batch in batches]
    if any(not shape.ordered for shape in tables.values()):
        totals: dict[str, Counter[Row]] = {name: Counter() for name in tables}
        for name, batch in left:
            for row, weight in batch:
                totals[name][row] += weight
        if any(count < 0 for counts in totals.values() for count in counts.values()):
            return Data(())
    for name, batch in left:
        kept = []
        for row, weight in batch:
            shape = tables[name]
            if shape.ordered and (
                there[name][row] + weight < 0 or (shape.keyed and weight > 0 and row[0] in keys[name])
            ):
                continue
            there[name][row] += weight
            (keys[name].add if weight > 0 else keys[name].discard)(row[0])
            kept.append((row, weight))
        if kept:
            out.append((name, tuple(kept)))
    return Data(tuple(out))
