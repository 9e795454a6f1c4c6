"""Numbers of different values: an index over pairs of slot and value, and how often each pair is there.

Pairs that were taken out again keep their place in the index.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from flow.keys import KeyIndex
from operators.aggregates.accumulator import Accumulator, Values
from operators.aggregates.columns import BoolArray, IntArray, column, grown, physical, unique_slots


class Distinct(Accumulator):
    """The number of different values a slot."""

    def __init__(self, kind: pa.DataType) -> None:
        super().__init__(kind)
        self._pairs = KeyIndex([pa.int64(), kind])
        self._times = np.zeros(0, np.int64)
        self._owners = np.zeros(0, np.int64)
        self._numbers = np.zeros(0, np.int64)

    def grow(self, size: int) -> None:
        """As `Accumulator.grow`."""
        self._numbers = grown(self._numbers, size, 0)

    def update(self, values: Values) -> None:
        """Add values, or take them out."""
        known = len(self._pairs)
        pairs = self._pairs.slots([column(pa.int64(), values.slots), values.array])
        size = len(self._pairs)
        self._times = grown(self._times, size, 0)
        self._owners = grown(self._owners, size, 0)
        if size > known:
            added = np.arange(known, size)
            self._owners[added] = physical(self._pairs.columns(added)[0])
        if values.weights is None:
            np.add.at(self._numbers, self._owners[known:size], 1)
            self._times[known:size] = 1
            return
        touched = unique_slots(pairs, size)
        before = self._times[touched] > 0
        np.add.at(self._times, pairs, values.weights)
        after = self._times[touched] > 0
        np.add.at(self._numbers, self._owners[touched], after.astype(np.int64) - before)

    def result(self, slots: IntArray, counts: IntArray) -> pa.Array:
        """The numbers; 0 where there is no value."""
        return column(pa.int64(), self._numbers[slots])

    @property
    def partial_types(self) -> Sequence[pa.DataType]:
        """The values as a list, and how often each is there."""
        return (pa.list_(self.kind), pa.list_(pa.int64()))

    def partial(self, slots: IntArray, keep: BoolArray | None) -> list[pa.Array]:
        """As `partial_types`."""
        place = np.full(len(self._numbers), -1, np.int64)
        place[slots] = np.arange(len(slots))
        size = len(self._pairs)
        pairs = np.flatnonzero((place[self._owners[:size]] >= 0) & (self._times[:size] != 0))
        places = place[self._owners[pairs]]
        order = np.argsort(places, kind="stable")
        pairs = pairs[order]
        ends = np.zeros(len(slots) + 1, np.int32)
        np.cumsum(np.bincount(places, minlength=len(slots)), out=ends[1:])
        offsets = pa.array(ends)
        return [
            pa.ListArray.from_arrays(offsets, self._pairs.columns(pairs)[1]),
            pa.ListArray.from_arrays(offsets, column(pa.int64(), self._times[pairs])),
        ]

    def merge(self, slots: IntArray, counts: IntArray, columns: Sequence[pa.Array], size: int) -> None:
        """As `Accumulator.merge`."""
        lengths = physical(columns[0].value_lengths())
        times = physical(columns[1].flatten())
        self.update(Values(np.repeat(slots, lengths), columns[0].flatten(), size, times))

    def raw(self, array: pa.Array) -> list[pa.Array]:
        """As `Accumulator.raw`."""
        keep = np.asarray(array.is_valid().to_numpy(zero_copy_only=False))
        offsets = pa.array(np.concatenate([[0], np.cumsum(keep)]).astype(np.int32))
        values = array.drop_null()
        ones = column(pa.int64(), np.ones(len(values), np.int64))
        return [pa.ListArray.from_arrays(offsets, values), pa.ListArray.from_arrays(offsets, ones)]

    def clear(self) -> None:
        """As `Accumulator.clear`."""
        self._pairs.clear()
        self._times.fill(0)
        self._numbers.fill(0)
