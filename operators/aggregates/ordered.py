"""First and last values: by event time where rows have one, else in the order in which they come.

Of equal times the first that came is the first, and the last that came the last.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from operators.aggregates.accumulator import Accumulator, Values
from operators.aggregates.columns import BoolArray, IntArray, column, grown, physical
from operators.aggregates.pool import Pool


class Ordered(Accumulator):
    """The first or the last value a slot, and its place in the order."""

    def __init__(self, kind: pa.DataType, last: bool) -> None:
        super().__init__(kind)
        self._last = last
        self._pool = Pool(kind)
        self._order = np.zeros(0, np.int64)
        self._next = 0

    def grow(self, size: int) -> None:
        """As `Accumulator.grow`."""
        self._pool.grow(size)
        self._order = grown(self._order, size, 0)

    def update(self, values: Values) -> None:
        """Take values into account."""
        number = len(values.slots)
        if not number:
            return
        rows = np.arange(number)
        if values.order is None:
            order = rows + self._next
            self._next += number
        else:
            order = values.order
            if (order[1:] < order[:-1]).any():
                rows = np.argsort(order, kind="stable")
        # Of several assignments to one place the last one stays.
        winners = np.empty(len(values.touched), np.int64)
        rows = rows if self._last else rows[::-1]
        winners[values.local[rows]] = rows
        slots, order = values.touched, order[winners]
        standing = self._order[slots]
        better = ~self._pool.held(slots) | (order >= standing if self._last else order < standing)
        slots, order, winners = slots[better], order[better], winners[better]
        self._order[slots] = order
        self._pool.put(slots, values.array.take(pa.array(winners)))

    @property
    def partial_types(self) -> Sequence[pa.DataType]:
        """The value, and its place in the order."""
        return (self.kind, pa.int64())

    def partial(self, slots: IntArray, keep: BoolArray | None) -> list[pa.Array]:
        """As `partial_types`."""
        return [self._pool.take(slots), column(pa.int64(), self._order[slots], keep)]

    def merge(self, slots: IntArray, counts: IntArray, columns: Sequence[pa.Array], size: int) -> None:
        """As `Accumulator.merge`."""
        order = physical(columns[1])
        self.update(Values(slots, columns[0], size, order=order))
        self._next = max(self._next, int(order.max(initial=-1)) + 1)

    def raw(self, array: pa.Array, *more: pa.Array) -> list[pa.Array]:
        """Not to be had: without its rows' times a column has no order."""
        raise NotImplementedError

    def clear(self) -> None:
        """As `Accumulator.clear`."""
        self._pool.clear()
