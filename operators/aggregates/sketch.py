"""Approximate numbers of different values: HyperLogLog (Flajolet et al., 2007) with registers for what was seen only.

A slot has at most 4,096 registers, and no more than values, so that many small groups cost little; the standard error
is 1.6 %, and next to none below 10,000 values. Sums over registers are integers: no order of values matters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa

from flow.hashing import hash_columns
from flow.keys import KeyIndex
from operators.aggregates.accumulator import Accumulator, MadeOfRows, Values
from operators.aggregates.columns import BoolArray, IntArray, column, grown, physical

_BITS: Final = 12
_REGISTERS: Final = 2**_BITS
_MOST: Final = 40
_ALPHA: Final = 0.7213 / (1 + 1.079 / _REGISTERS)


class Sketch(MadeOfRows):
    """The registers of all slots."""

    def __init__(self, kind: pa.DataType) -> None:
        super().__init__(kind)
        self._used = np.zeros(0, np.int64)
        # The sum of 2 ** -rank over the registers in use, in units of 2 ** -_MOST.
        self._sums = np.zeros(0, np.int64)
        self.clear()

    def grow(self, size: int) -> None:
        """As `Accumulator.grow`."""
        self._used, self._sums = grown(self._used, size, 0), grown(self._sums, size, 0)

    def update(self, values: Values) -> None:
        """Take values into account."""
        hashes = hash_columns([values.array])
        rest = hashes >> np.uint64(_BITS)
        lowest = (rest & (~rest + np.uint64(1))).astype(np.float64)
        ranks = np.where(rest == 0, _MOST, np.minimum(np.frexp(lowest)[1], _MOST)).astype(np.int64)
        registers = (hashes & np.uint64(_REGISTERS - 1)).astype(np.int64)
        self._raise(values.slots * _REGISTERS + registers, ranks)

    def result(self, slots: IntArray, counts: IntArray) -> pa.Array:
        """The estimates; 0 where there is no value."""
        free = _REGISTERS - self._used[slots]
        harmonic = self._sums[slots] / 2.0**_MOST + free
        estimate = _ALPHA * _REGISTERS * _REGISTERS / harmonic
        counted = _REGISTERS * np.log(_REGISTERS / np.maximum(free, 1))
        small = (estimate <= 2.5 * _REGISTERS) & (free > 0)
        return column(pa.int64(), np.rint(np.where(small, counted, estimate)).astype(np.int64))

    @property
    def partial_types(self) -> Sequence[pa.DataType]:
        """The registers in use, and their ranks."""
        return (pa.list_(pa.int64()), pa.list_(pa.int64()))

    def partial(self, slots: IntArray, keep: BoolArray | None) -> list[pa.Array]:
        """As `partial_types`."""
        place = np.full(len(self._used), -1, np.int64)
        place[slots] = np.arange(len(slots))
        cells = physical(self._index.columns()[0])
        places = place[cells >> _BITS]
        order = np.argsort(places, kind="stable")
        order = order[places[order] >= 0]
        ends = np.zeros(len(slots) + 1, np.int32)
        np.cumsum(np.bincount(places[order], minlength=len(slots)), out=ends[1:])
        columns = (cells[order] & (_REGISTERS - 1), self._ranks[order])
        return [pa.ListArray.from_arrays(pa.array(ends), column(pa.int64(), part)) for part in columns]

    def merge(self, slots: IntArray, counts: IntArray, columns: Sequence[pa.Array], size: int) -> None:
        """As `Accumulator.merge`."""
        registers, ranks = (physical(part.flatten()) for part in columns)
        owners = np.repeat(slots, physical(columns[0].value_lengths()))
        self._raise(owners * _REGISTERS + registers, ranks)

    def empty(self) -> Accumulator:
        """As `MadeOfRows.empty`."""
        return Sketch(self.kind)

    def clear(self) -> None:
        """As `Accumulator.clear`."""
        self._index = KeyIndex([pa.int64()])
        self._ranks = np.zeros(0, np.int64)
        self._used.fill(0)
        self._sums.fill(0)

    def _raise(self, cells: IntArray, ranks: IntArray) -> None:
        entries = self._index.slots([column(pa.int64(), cells)])
        self._ranks = grown(self._ranks, len(self._index), 0)
        touched, first = np.unique(entries, return_index=True)
        before = self._ranks[touched]
        np.maximum.at(self._ranks, entries, ranks)
        after, owners = self._ranks[touched], cells[first] >> _BITS
        np.add.at(self._used, owners, (before == 0).astype(np.int64))
        weights = np.int64(1) << (_MOST - after)
        np.add.at(self._sums, owners, weights - np.where(before == 0, 0, np.int64(1) << (_MOST - before)))
