"""Rows and how often each is there: an index from whole rows to slots, and counts beside it.

Equal rows have one slot; NULLs are equal, and so are NaNs. A count may be below zero for a while, where a retraction
overtakes its insertion. Slots of rows that are gone are given back by `compact`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import pyarrow as pa

from flow.errors import GraphError
from flow.keys import KeyIndex
from flow.operator import KEY_GROUP, Tables
from flow.schema import StreamSchema
from operators.aggregates.columns import BoolArray, IntArray, column, grown, physical, plain_type, unique_slots
from operators.aggregates.layout import apart
from operators.aggregates.store import groups_of
from operators.wide_keys import key_index

_FEW: Final = 4096


class RowCounts:
    """Distinct rows, and one or more counts of each.

    Attributes:
        counts: int64 arrays, an item a slot and room for more.
    """

    def __init__(self, kinds: Sequence[pa.DataType], counts: int = 1) -> None:
        self._index: Final = key_index(kinds)
        self._live = 0
        self.counts: Final = [np.zeros(0, np.int64) for _ in range(counts)]

    def __len__(self) -> int:
        return len(self._index)

    def slots(self, columns: Sequence[pa.Array]) -> IntArray:
        """The slot of each row; rows not met before get one, with counts of zero."""
        slots = self._index.slots(columns)
        for number, counts in enumerate(self.counts):
            self.counts[number] = grown(counts, len(self._index), 0)
        return slots

    def add(self, slots: IntArray, weights: IntArray | None, which: int = 0) -> tuple[IntArray, IntArray]:
        """Add weights (None: 1 for each) to one of the counts.

        Returns:
            The slots whose count is another one now, each once and ascending, and by how much.
        """
        touched = unique_slots(slots, len(self))
        counts = self.counts[which]
        before, lived = counts[touched], self._alive(touched)
        np.add.at(counts, slots, 1 if weights is None else weights)
        self._live += int(np.count_nonzero(self._alive(touched))) - int(np.count_nonzero(lived))
        changes = counts[touched] - before
        changed = np.flatnonzero(changes)
        return touched[changed], changes[changed]

    def forget(self, slots: IntArray) -> None:
        """Set the counts of slots to zero."""
        self._live -= int(np.count_nonzero(self._alive(slots)))
        for counts in self.counts:
            counts[slots] = 0

    def live(self) -> IntArray:
        """The slots with a count that is not zero, ascending."""
        return np.flatnonzero(self._alive(np.arange(len(self))))

    def columns(self, slots: IntArray) -> list[pa.Array]:
        """The rows of slots, column by column."""
        return self._index.columns(slots)

    def compact(self) -> IntArray | None:
        """Give back the slots of rows that are gone, where these are most.

        Returns:
            The new slot of each old one, int64[n], -1 where it is gone; None where all stay as they are.
        """
        size = len(self)
        if size < _FEW or 2 * self._live > size:
            return None
        kept = self.live()
        columns, counts = self.columns(kept), [each[kept] for each in self.counts]
        self._index.clear()
        moved = np.full(size, -1, np.int64)
        if len(kept):
            moved[kept] = self._index.slots(columns)
        for number, each in enumerate(counts):
            self.counts[number] = np.zeros(len(kept), np.int64)
            self.counts[number][moved[kept]] = each
        return moved

    def snapshot(self, names: Sequence[str], routed: Sequence[int]) -> Tables:
        """A row for each distinct row: its columns, how often it is there by each count, key group.

        Args:
            names: of the columns.
            routed: positions of the columns by which rows are divided among the partitions.
        """
        slots = self.live()
        columns = self.columns(slots)
        counts = [column(pa.int64(), each[slots]) for each in self.counts]
        groups = column(pa.int64(), groups_of(columns, routed, len(slots)))
        counted = apart([*names, KEY_GROUP], [f"_count_{number}" for number in range(len(counts))])
        return {"rows": pa.table([*columns, *counts, groups], [*names, *counted, KEY_GROUP])}

    def _alive(self, slots: IntArray) -> BoolArray:
        alive: BoolArray = self.counts[0][slots] != 0
        for counts in self.counts[1:]:
            alive |= counts[slots] != 0
        return alive


def counted_rows(state: Tables, width: int) -> Iterator[tuple[list[pa.Array], list[IntArray]]]:
    """The rows of snapshots, batch by batch: their columns, of which there are `width`, and their counts."""
    for batch in state["rows"].drop_columns([KEY_GROUP]).to_batches() if "rows" in state else ():
        if batch.num_rows:
            yield batch.columns[:width], [physical(counts) for counts in batch.columns[width:]]


def row_kinds(schema: StreamSchema) -> list[pa.DataType]:
    """The plain types of a stream's columns, without the weight; raises GraphError where rows cannot be told apart."""
    kinds = [plain_type(schema.column_type(name)) for name in schema.names]
    try:
        KeyIndex(kinds)
        for kind in kinds:
            pa.nulls(0, kind).take(pa.array([], pa.int64()))
    except (TypeError, ValueError, pa.ArrowNotImplementedError) as error:
        raise GraphError(f"rows cannot be compared: {error}") from error
    return kinds


def rows_and_weights(batch: pa.RecordBatch, changelog: bool) -> tuple[list[pa.Array], IntArray | None]:
    """The columns of a batch without the weight, and the weights, if it has any."""
    return (batch.columns[:-1], physical(batch.column(-1))) if changelog else (batch.columns, None)


def changes_of(
    rows: Sequence[pa.Array], changes: IntArray, columns: pa.Schema, changelog: bool = True
) -> pa.RecordBatch | None:
    """The batch that inserts each row as often as its change says, or, below zero, retracts it; None for nothing.

    Retractions come first.
    """
    if not changes.any():
        return None
    gone, come = np.flatnonzero(changes < 0), np.flatnonzero(changes > 0)
    order = np.concatenate([gone, come])
    places = np.repeat(order, np.abs(changes[order]))
    whole = len(places) == len(order) == len(changes) and (not len(gone) or not len(come))
    chosen = pa.array(places)
    arrays = [array if whole else array.take(chosen) for array in rows]
    if changelog:
        arrays.append(column(pa.int64(), np.sign(changes[places])))
    return pa.RecordBatch.from_arrays(arrays, schema=columns)
