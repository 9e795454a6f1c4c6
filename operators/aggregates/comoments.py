"""Sums, variances and regressions from exact sums: they can be taken out again, and know no order of values.

Deviations are never formed: n * sum(x * y) - sum(x) * sum(y) is computed exactly, then rounded, so nothing cancels.
Rows with a value that is not finite are counted apart, and make the result what such a value makes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from operators.aggregates.accumulator import Accumulator, MadeOfRows, Values
from operators.aggregates.columns import BoolArray, IntArray, column, floats, grown, physical, present
from operators.aggregates.exact import LIMBS, Exact, ExactSums

FloatArray = NDArray[np.float64]


class ExactSum(MadeOfRows):
    """A sum a slot over finite numbers, and how many NaNs and infinities of each sign it has besides."""

    def __init__(self, kind: pa.DataType) -> None:
        super().__init__(kind)
        self._sums = ExactSums()
        self._odd = [np.zeros(0, np.int64) for _ in range(3)]

    def grow(self, size: int) -> None:
        """As `Accumulator.grow`."""
        self._sums.grow(size)
        self._odd = [grown(counts, size, 0) for counts in self._odd]

    def update(self, values: Values) -> None:
        """Add numbers, or take them out."""
        slots, numbers, weights = values.slots, values.floats, values.weights
        finite = np.isfinite(numbers)
        if not finite.all():
            times = np.ones(len(slots), np.int64) if weights is None else weights
            for counts, odd in zip(self._odd, (np.isnan(numbers), numbers == np.inf, numbers == -np.inf), strict=True):
                np.add.at(counts, slots[odd], times[odd])
            slots, numbers, weights = slots[finite], numbers[finite], times[finite]
        self._sums.add(slots, numbers, weights)

    def totals(self, slots: IntArray) -> FloatArray:
        """The sums of slots."""
        nan, plus, minus = (counts[slots] for counts in self._odd)
        total = self._sums.of(slots).floats()
        total[plus > 0] = np.inf
        total[minus > 0] = -np.inf
        total[(nan > 0) | ((plus > 0) & (minus > 0))] = np.nan
        return total

    def result(self, slots: IntArray, counts: IntArray) -> pa.Array:
        """The sums; NULL where there is no value."""
        return column(pa.float64(), self.totals(slots), present(counts > 0))

    @property
    def partial_types(self) -> Sequence[pa.DataType]:
        """The finite sum, and three counts."""
        return (LIMBS, pa.int64(), pa.int64(), pa.int64())

    def partial(self, slots: IntArray, keep: BoolArray | None) -> list[pa.Array]:
        """As `partial_types`."""
        odd = [column(pa.int64(), counts[slots], keep) for counts in self._odd]
        return [self._sums.partial(slots, keep), *odd]

    def merge(self, slots: IntArray, counts: IntArray, columns: Sequence[pa.Array], size: int) -> None:
        """As `Accumulator.merge`."""
        self._sums.merge(slots, columns[0])
        for state, added in zip(self._odd, columns[1:], strict=True):
            np.add.at(state, slots, physical(added))

    def empty(self) -> Accumulator:
        """As `MadeOfRows.empty`."""
        return ExactSum(self.kind)

    def clear(self) -> None:
        """As `Accumulator.clear`."""
        self._sums.clear()
        for counts in self._odd:
            counts.fill(0)


class Comoments(MadeOfRows):
    """Sums of one or two numbers a row, of their squares and of their product; and how many rows were not finite."""

    def __init__(self, kinds: Sequence[pa.DataType]) -> None:
        super().__init__(kinds[0])
        self._kinds = kinds
        self._sums = [ExactSums() for _ in range(2 if len(kinds) == 1 else 5)]
        self._finite = np.zeros(0, np.int64)
        self._odd = np.zeros(0, np.int64)

    def grow(self, size: int) -> None:
        """As `Accumulator.grow`."""
        self._finite, self._odd = grown(self._finite, size, 0), grown(self._odd, size, 0)
        for sums in self._sums:
            sums.grow(size)

    def update(self, values: Values) -> None:
        """Add rows, or take them out."""
        slots, weights = values.slots, values.weights
        numbers = [values.floats, *map(floats, values.more)]
        finite = np.logical_and.reduce([np.isfinite(part) for part in numbers])
        if not finite.all():
            np.add.at(self._odd, slots[~finite], 1 if weights is None else weights[~finite])
            slots, numbers = slots[finite], [part[finite] for part in numbers]
            weights = None if weights is None else weights[finite]
        np.add.at(self._finite, slots, 1 if weights is None else weights)
        rest = iter(self._sums)
        for part in numbers:
            next(rest).add(slots, part, weights)
            next(rest).add_products(slots, part, part, weights)
        for sums in rest:
            sums.add_products(slots, numbers[0], numbers[1], weights)

    def variance(self, slots: IntArray, sample: bool) -> tuple[FloatArray, BoolArray]:
        """The variance of the first number, and where there is one."""
        count = self._finite[slots] + self._odd[slots]
        away = self._away(slots)[0].floats()
        return self._divided(slots, away, count * np.maximum(count - sample, 1.0)), count > sample

    def related(self, slots: IntArray, function: str) -> pa.Array:
        """An aggregate of two numbers: the dependent one, y, and x, on which it depends; by SQL's name."""
        counts = self._finite[slots] + self._odd[slots]
        known: BoolArray = counts > 0
        if function == "regr_count":
            return column(pa.int64(), counts)
        yy, xx, xy = self._away(slots)
        odd = self._odd[slots] > 0
        level, flat = yy.is_zero() & ~odd, xx.is_zero() & ~odd
        match function:
            case "covar_pop" | "covar_samp":
                sample = function == "covar_samp"
                known = counts > sample
                values = self._divided(slots, xy.floats(), counts * np.maximum(counts - sample, 1.0))
            case "regr_sxx" | "regr_syy" | "regr_sxy":
                part = {"regr_sxx": xx, "regr_syy": yy, "regr_sxy": xy}[function]
                values = self._divided(slots, part.floats(), counts)
            case "regr_avgx" | "regr_avgy":
                sums = self._sums[2 if function == "regr_avgx" else 0]
                values = self._divided(slots, sums.of(slots).floats(), counts)
            case "corr":
                known = known & ~flat & ~level
                # One root of the exact product is right to the last digit, but the product may be beyond float64.
                spread = np.sqrt((xx * yy).floats())
                spread = np.where(np.isinf(spread) | (spread == 0), np.sqrt(xx.floats()) * np.sqrt(yy.floats()), spread)
                values = np.clip(self._divided(slots, xy.floats(), spread), -1.0, 1.0)
            case "regr_slope":
                known = known & ~flat
                values = self._divided(slots, xy.floats(), xx.floats())
            case "regr_r2":
                known = known & ~flat
                slope = self._divided(slots, xy.floats(), xx.floats())
                values = np.where(level, 1.0, slope * self._divided(slots, xy.floats(), yy.floats()))
            case _:
                known = known & ~flat
                of_y, of_x = self._sums[0].of(slots), self._sums[2].of(slots)
                least = of_y * self._sums[3].of(slots) - of_x * self._sums[4].of(slots)
                values = self._divided(slots, least.floats(), xx.floats())
        return column(pa.float64(), values, present(known))

    @property
    def partial_types(self) -> Sequence[pa.DataType]:
        """How many rows were not finite, and the sums."""
        return (pa.int64(), *(LIMBS for _ in self._sums))

    def partial(self, slots: IntArray, keep: BoolArray | None) -> list[pa.Array]:
        """As `partial_types`."""
        odd = column(pa.int64(), self._odd[slots], keep)
        return [odd, *(sums.partial(slots, keep) for sums in self._sums)]

    def merge(self, slots: IntArray, counts: IntArray, columns: Sequence[pa.Array], size: int) -> None:
        """As `Accumulator.merge`."""
        odd = physical(columns[0])
        np.add.at(self._odd, slots, odd)
        np.add.at(self._finite, slots, counts - odd)
        for sums, states in zip(self._sums, columns[1:], strict=True):
            sums.merge(slots, states)

    def empty(self) -> Accumulator:
        """As `MadeOfRows.empty`."""
        return Comoments(self._kinds)

    def clear(self) -> None:
        """As `Accumulator.clear`."""
        self._finite.fill(0)
        self._odd.fill(0)
        for sums in self._sums:
            sums.clear()

    def _away(self, slots: IntArray) -> list[Exact]:
        """The sums of squared deviations of each number, then that of their products, each n times."""
        count = Exact.of_counts(self._finite[slots])
        sums = [part.of(slots) for part in self._sums]
        away = [count * sums[1] - sums[0] * sums[0]]
        if len(sums) > 2:
            away += [count * sums[3] - sums[2] * sums[2], count * sums[4] - sums[0] * sums[2]]
        return away

    def _divided(self, slots: IntArray, values: FloatArray, by: NDArray[Any]) -> FloatArray:
        """A quotient; NaN where a row was not finite."""
        with np.errstate(all="ignore"):
            quotients: FloatArray = values / by
        quotients[self._odd[slots] > 0] = np.nan
        return quotients
