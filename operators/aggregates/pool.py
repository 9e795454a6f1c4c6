"""Values of any type, one a slot, replaced often: appended to a pool, and found by position.

The pool holds at most about twice as many values as there are slots with one.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from operators.aggregates.columns import BoolArray, IntArray, grown, present

_CHUNKS = 32
_SPARE = 4096


class Pool:
    """One value a slot, or none."""

    def __init__(self, kind: pa.DataType) -> None:
        """An empty pool of values of a type."""
        self._kind = kind
        self._positions = np.zeros(0, np.int64)
        self._chunks: list[pa.Array] = []
        self._length = 0

    def grow(self, size: int) -> None:
        """Make room for slots below `size`."""
        self._positions = grown(self._positions, size, -1)

    def held(self, slots: IntArray) -> BoolArray:
        """Which slots have a value."""
        return self._positions[slots] >= 0

    def put(self, slots: IntArray, values: pa.Array) -> None:
        """Set the values of distinct slots."""
        if not len(slots):
            return
        self._positions[slots] = np.arange(self._length, self._length + len(slots))
        self._chunks.append(values)
        self._length += len(slots)
        if len(self._chunks) > _CHUNKS:
            self._compact()

    def take(self, slots: IntArray) -> pa.Array:
        """The values of slots; NULL where there is none."""
        positions = self._positions[slots]
        if not self._chunks:
            return pa.nulls(len(slots), self._kind)
        keep = present(positions >= 0)
        return self._joined().take(pa.array(positions, mask=None if keep is None else ~keep))

    def clear(self) -> None:
        """Forget all values."""
        self._positions.fill(-1)
        self._chunks, self._length = [], 0

    def _joined(self) -> pa.Array:
        if len(self._chunks) > 1:
            self._chunks = [pa.concat_arrays(self._chunks)]
        return self._chunks[0]

    def _compact(self) -> None:
        values = self._joined()
        live = np.flatnonzero(self._positions >= 0)
        if self._length > 2 * len(live) + _SPARE:
            self._chunks = [values.take(pa.array(self._positions[live]))]
            self._positions[live] = np.arange(len(live))
            self._length = len(live)
