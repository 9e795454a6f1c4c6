"""What stands until something better comes: the first value, and the row that comes first in an order.

These take nothing out again; what can, is a view of a bag.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from operators.aggregates.accumulator import Accumulator, MergedByValue, Values
from operators.aggregates.columns import BoolArray, IntArray
from operators.aggregates.pool import Pool
from operators.aggregates.ranks import Sort, firsts, sort_key


class Kept(MergedByValue):
    """The value of each slot that came first."""

    def __init__(self, kind: pa.DataType) -> None:
        super().__init__(kind)
        self.state_type = kind
        self._pool = Pool(kind)

    def grow(self, size: int) -> None:
        """As `Accumulator.grow`."""
        self._pool.grow(size)

    def update(self, values: Values) -> None:
        """Take values into account."""
        rows = np.flatnonzero(~self._pool.held(values.slots))
        if len(rows):
            slots, first = np.unique(values.slots[rows], return_index=True)
            self._pool.put(slots, values.array.take(pa.array(rows[first])))

    def partial(self, slots: IntArray, keep: BoolArray | None) -> list[pa.Array]:
        """The values."""
        return [self._pool.take(slots)]

    def clear(self) -> None:
        """As `Accumulator.clear`."""
        self._pool.clear()


class Champion(Accumulator):
    """The row of each slot that comes first in an order, or, of equal ones, came first (or last)."""

    def __init__(self, kinds: Sequence[pa.DataType], sorts: tuple[Sort, ...], latest: bool = False) -> None:
        super().__init__(kinds[0])
        self._kinds = kinds
        self._sorts = sorts
        self._latest = latest
        self._pools = [Pool(kind) for kind in kinds]

    def grow(self, size: int) -> None:
        """As `Accumulator.grow`."""
        for pool in self._pools:
            pool.grow(size)

    def update(self, values: Values) -> None:
        """Take rows into account."""
        columns, number = [values.array, *values.more], len(values.slots)
        standing = values.touched[self._pools[0].held(values.touched)]
        slots = np.concatenate([standing, values.slots])
        if len(standing):
            columns = [pa.concat_arrays(pair) for pair in zip(self._taken(standing), columns, strict=True)]
        rows = np.arange(len(slots))
        keys = [sort_key(columns[sort.column], sort) for sort in self._sorts if sort.column is not None]
        best = firsts(slots, [*keys, -rows if self._latest else rows])
        best = best[best >= len(slots) - number]
        for pool, part in zip(self._pools, columns, strict=True):
            pool.put(slots[best], part.take(pa.array(best)))

    def result(self, slots: IntArray, counts: IntArray) -> pa.Array:
        """The rows' first values."""
        return self._pools[0].take(slots)

    @property
    def partial_types(self) -> Sequence[pa.DataType]:
        """The row."""
        return self._kinds

    def partial(self, slots: IntArray, keep: BoolArray | None) -> list[pa.Array]:
        """The rows."""
        return self._taken(slots)

    def merge(self, slots: IntArray, counts: IntArray, columns: Sequence[pa.Array], size: int) -> None:
        """As `Accumulator.merge`."""
        self.update(Values(slots, columns[0], size, more=columns[1:]))

    def raw(self, array: pa.Array, *more: pa.Array) -> list[pa.Array]:
        """The rows themselves."""
        return [array, *more]

    def clear(self) -> None:
        """As `Accumulator.clear`."""
        for pool in self._pools:
            pool.clear()

    def _taken(self, slots: IntArray) -> list[pa.Array]:
        return [pool.take(slots) for pool in self._pools]
