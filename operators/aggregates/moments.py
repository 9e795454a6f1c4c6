"""Mean and sum of squared deviations, merged by the formula of Chan, Golub and LeVeque (1979).

As opposed to sums of squares, nothing cancels where the mean is large and the deviations are small.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from operators.aggregates.accumulator import Accumulator, Values
from operators.aggregates.columns import BoolArray, IntArray, column, grown, physical, unique_slots

FloatArray = NDArray[np.float64]


def _weighted(places: IntArray, weights: FloatArray, size: int) -> FloatArray:
    """The sums of weights by place: what `np.bincount` gives, and its type stubs do not say."""
    sums: FloatArray = np.asarray(np.bincount(places, weights, size), np.float64)
    return sums


class Moments(Accumulator):
    """Count, mean and sum of squared deviations a slot, over finite numbers; and how many others there were."""

    def __init__(self, kind: pa.DataType) -> None:
        super().__init__(kind)
        self._counts = np.zeros(0, np.int64)
        self._odd = np.zeros(0, np.int64)
        self._means = np.zeros(0, np.float64)
        self._squares = np.zeros(0, np.float64)

    def grow(self, size: int) -> None:
        """As `Accumulator.grow`."""
        self._counts = grown(self._counts, size, 0)
        self._odd = grown(self._odd, size, 0)
        self._means = grown(self._means, size, 0.0)
        self._squares = grown(self._squares, size, 0.0)

    def update(self, values: Values) -> None:
        """Add numbers, or take them out."""
        numbers, weights = values.floats, values.weights
        finite = np.isfinite(numbers)
        if weights is None and finite.all():
            self._add(values.touched, values.local, numbers, None)
            return
        weights = np.ones(len(numbers), np.int64) if weights is None else weights
        np.add.at(self._odd, values.slots[~finite], weights[~finite])
        # Rows are put in before others are taken out, so that no count passes zero on the way.
        for sign in (1, -1):
            chosen = np.flatnonzero(finite & (weights * sign > 0))
            if len(chosen):
                touched = unique_slots(values.slots[chosen], values.size)
                local = np.searchsorted(touched, values.slots[chosen])
                self._add(touched, local, numbers[chosen], weights[chosen] * sign, sign)

    def _add(
        self, touched: IntArray, local: IntArray, numbers: FloatArray, weights: IntArray | None, sign: int = 1
    ) -> None:
        size = len(touched)
        if weights is None:
            counts: IntArray = np.bincount(local, minlength=size)
            means: FloatArray = np.bincount(local, numbers, size) / counts
            away = numbers - means[local]
            squares = _weighted(local, np.square(away), size)
        else:
            counts = np.bincount(local, weights, size).astype(np.int64)
            means = np.bincount(local, numbers * weights, size) / counts
            away = numbers - means[local]
            squares = _weighted(local, away * away * weights, size)
        self._combine(touched, counts * sign, means, squares * sign)

    def _combine(self, slots: IntArray, counts: IntArray, means: FloatArray, squares: FloatArray) -> None:
        """Add moments (of distinct slots), or take them out where `counts` is negative."""
        before = self._counts[slots]
        total = before + counts
        share = counts / np.where(total == 0, 1, total)
        apart = means - self._means[slots]
        squares = self._squares[slots] + squares + apart * apart * before * share
        self._counts[slots] = total
        self._means[slots] = np.where(total == 0, 0.0, self._means[slots] + apart * share)
        self._squares[slots] = np.where(total < 2, 0.0, np.maximum(squares, 0.0))

    def variance(self, slots: IntArray, sample: bool) -> tuple[FloatArray, BoolArray]:
        """The variance of slots, and where there is one."""
        counts = self._counts[slots] + self._odd[slots] - sample
        variance = self._squares[slots] / np.maximum(counts, 1)
        variance[self._odd[slots] > 0] = np.nan
        return variance, counts > 0

    @property
    def partial_types(self) -> Sequence[pa.DataType]:
        """The mean, the squared deviations, and how many numbers were not finite."""
        return (pa.float64(), pa.float64(), pa.int64())

    def partial(self, slots: IntArray, keep: BoolArray | None) -> list[pa.Array]:
        """As `partial_types`."""
        return [
            column(pa.float64(), self._means[slots], keep),
            column(pa.float64(), self._squares[slots], keep),
            column(pa.int64(), self._odd[slots], keep),
        ]

    def merge(self, slots: IntArray, counts: IntArray, columns: Sequence[pa.Array], size: int) -> None:
        """As `Accumulator.merge`."""
        means, squares, odd = (physical(part) for part in columns)
        np.add.at(self._odd, slots, odd)
        counts = counts - odd
        values = Values(slots, columns[0], size)
        touched, local = values.touched, values.local
        if len(touched) == len(slots):
            self._combine(slots, counts, means, squares)
            return
        total = np.bincount(local, counts, len(touched))
        middle = np.bincount(local, means * counts, len(touched)) / np.where(total == 0, 1, total)
        away = means - middle[local]
        around = _weighted(local, squares + away * away * counts, len(touched))
        self._combine(touched, total.astype(np.int64), middle, around)

    def raw(self, array: pa.Array, *more: pa.Array) -> list[pa.Array]:
        """As `Accumulator.raw`."""
        numbers = physical(array.cast(pa.float64()))
        keep = np.asarray(array.is_valid().to_numpy(zero_copy_only=False)) if array.null_count else None
        finite = np.isfinite(numbers)
        return [
            column(pa.float64(), np.where(finite, numbers, 0.0), keep),
            column(pa.float64(), np.zeros(len(array)), keep),
            column(pa.int64(), (~finite).astype(np.int64), keep),
        ]

    def clear(self) -> None:
        """As `Accumulator.clear`."""
        for state in (self._counts, self._odd, self._means, self._squares):
            state.fill(0)
