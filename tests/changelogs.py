"""Random changes to tables, in random batches, and what stands after them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from flow.schema import WEIGHT, StreamSchema, changelog_of
from tests.aggregating import Row

Changes = list[tuple[Row, int]]
"""Rows and their weights."""


@st.composite
def changes(draw: st.DrawFn, row: st.SearchStrategy[Row], deletes: bool = True, size: int = 30) -> Changes:
    """Insertions of rows, and retractions of rows that are there (but for the order within a batch)."""
    standing: list[Row] = []
    made: Changes = []
    for new, gone in draw(st.lists(st.tuples(row, st.none() | st.integers(0, 99)), max_size=size)):
        if deletes and gone is not None and standing:
            made.append((standing.pop(gone % len(standing)), -1))
        else:
            standing.append(new)
            made.append((new, 1))
    return made


def batches_of(
    made: Changes, columns: pa.Schema, sizes: Sequence[int], changelog: bool = True, backwards: bool = False
) -> list[pa.RecordBatch]:
    """Changes as batches of these sizes, over and over; rows of a batch may stand backwards."""
    schema = changelog_of(columns) if changelog else columns
    out, start, turn = [], 0, 0
    while start < len(made):
        part = made[start : start + sizes[turn % len(sizes)]]
        start, turn = start + len(part), turn + 1
        out.append(as_batch(part[::-1] if backwards else part, schema))
    return out or [as_batch([], schema)]


def as_batch(part: Changes, schema: pa.Schema) -> pa.RecordBatch:
    """One batch."""
    rows: list[Row] = [(*row, weight) for row, weight in part]
    arrays = [pa.array([row[number] for row in rows], field.type) for number, field in enumerate(schema)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def standing(batches: Iterable[pa.RecordBatch], schema: StreamSchema) -> pa.Table:
    """The rows that stand after changes, each as often as it does."""
    names = schema.names
    if not schema.changelog:
        return pa.Table.from_batches(batches, schema.columns)
    counts: Counter[Row] = Counter()
    for batch in batches:
        for row in batch.to_pylist():
            weight = row.pop(WEIGHT)
            counts[tuple(row.values())] += weight
    kept: list[Any] = [row for row, count in counts.items() for _ in range(count)]
    plain = pa.schema([schema.columns.field(name) for name in names])
    return pa.table([pa.array([row[i] for row in kept], field.type) for i, field in enumerate(plain)], schema=plain)
