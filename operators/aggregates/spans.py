"""Sums and averages of durations and intervals, which may be taken out again; what does not fit is an error.

An interval's months, days and nanoseconds are summed apart, as in PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from flow.errors import RowError
from flow.intervals import interval_parts
from operators.aggregates.accumulator import Accumulator, Values
from operators.aggregates.columns import BoolArray, IntArray, column, physical, present, valid
from operators.aggregates.sums import IntegerSum
from operators.expressions.casts import interval_array
from operators.expressions.functions.intervals import interval_scaled


class DurationSum(IntegerSum):
    """A sum of durations a slot."""

    def result(self, slots: IntArray, counts: IntArray) -> pa.Array:
        """The sums; NULL where there is no value."""
        return super().result(slots, counts).view(self.kind)

    def average(self, slots: IntArray, counts: IntArray) -> pa.Array:
        """The averages in whole units, halves to the even one, as PostgreSQL rounds microseconds."""
        sums, number = physical(super().result(slots, counts)), np.maximum(counts, 1)
        whole, rest = np.divmod(sums, number)
        above = 2 * rest - number
        whole += (above > 0) | ((above == 0) & (whole % 2 == 1))
        return column(self.kind, whole, present(counts > 0))


class IntervalSum(Accumulator):
    """A sum of intervals a slot."""

    def __init__(self, kind: pa.DataType) -> None:
        super().__init__(kind)
        self._parts = [IntegerSum(pa.int64()) for _ in range(3)]

    def grow(self, size: int) -> None:
        """As `Accumulator.grow`."""
        for part in self._parts:
            part.grow(size)

    def update(self, values: Values) -> None:
        """Add intervals."""
        columns = [column(pa.int64(), numbers) for numbers in interval_parts(values.array)]
        for part, numbers in zip(self._parts, columns, strict=True):
            part.update(Values(values.slots, numbers, values.size, values.weights))

    @property
    def partial_types(self) -> Sequence[pa.DataType]:
        """Months, days and nanoseconds."""
        return (pa.int64(),) * 3

    def partial(self, slots: IntArray, keep: BoolArray | None) -> list[pa.Array]:
        """As `partial_types`."""
        return [part.partial(slots, keep)[0] for part in self._parts]

    def merge(self, slots: IntArray, counts: IntArray, columns: Sequence[pa.Array], size: int) -> None:
        """As `Accumulator.merge`."""
        for part, numbers in zip(self._parts, columns, strict=True):
            part.update(Values(slots, numbers, size))

    def raw(self, array: pa.Array, *more: pa.Array) -> list[pa.Array]:
        """As `Accumulator.raw`."""
        keep = valid(array)
        return [column(pa.int64(), numbers, keep) for numbers in interval_parts(array)]

    def result(self, slots: IntArray, counts: IntArray) -> pa.Array:
        """The sums; NULL where there is no value."""
        months, days, nanoseconds = (physical(part) for part in self.partial(slots, None))
        try:
            return interval_array(months, days, nanoseconds, counts <= 0)
        except pa.ArrowInvalid as error:
            raise RowError(f"the sum of intervals: {error}") from error

    def average(self, slots: IntArray, counts: IntArray) -> pa.Array:
        """The averages, rounded to microseconds; fractions of months become days, fractions of days time."""
        number = column(pa.float64(), np.maximum(counts, 1).astype(np.float64))
        return interval_scaled(self.result(slots, counts), number, divided=True)

    def clear(self) -> None:
        """As `Accumulator.clear`."""
        for part in self._parts:
            part.clear()
