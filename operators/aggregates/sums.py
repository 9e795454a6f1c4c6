"""Sums: exact over integers and decimals, where a result that does not fit is an error and never a wrap.

Floats are added in the order in which they come, unless they can be taken out again: see `exact`.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from flow.errors import RowError
from operators.aggregates.accumulator import MergedByValue, Values
from operators.aggregates.columns import BoolArray, IntArray, column, floats, grown, present
from operators.expressions.type_names import type_text
from operators.values.decimals import decimals, largest, unscaled

_LIMIT: Final = 2**63
_LOW: Final = 0xFFFFFFFF
_DECIMAL_LIMIT: Final = 10**38
_SHORT_DECIMAL: Final = 28


def is_averaged_by_sum(kind: pa.DataType) -> bool:
    """Whether an average is the exact sum, divided: of numbers so short that their sum always fits."""
    if pa.types.is_decimal128(kind):
        return bool(kind.precision <= _SHORT_DECIMAL)
    return bool(pa.types.is_integer(kind) and kind.bit_width <= 32)


class IntegerSum(MergedByValue):
    """An int64 sum a slot.

    `_bound` is never below the greatest absolute sum; as long as it stays below 2**63, no sum needs to be looked at.
    """

    state_type = pa.int64()

    def __init__(self, kind: pa.DataType) -> None:
        super().__init__(kind)
        self._sums = np.zeros(0, np.int64)
        self._bound = 0

    def grow(self, size: int) -> None:
        """As `Accumulator.grow`."""
        self._sums = grown(self._sums, size, 0)

    def update(self, values: Values) -> None:
        """Add integers."""
        numbers = values.numbers
        if not len(numbers):
            return
        most = largest(numbers) * (1 if values.weights is None else largest(values.weights))
        if self._bound + most * len(numbers) >= _LIMIT:
            self._bound = largest(self._sums)
            if self._bound + most * len(numbers) >= _LIMIT:
                self._add_exactly(values)
                return
        self._bound += most * len(numbers)
        numbers = numbers.astype(np.int64, copy=False)
        np.add.at(self._sums, values.slots, numbers if values.weights is None else numbers * values.weights)

    def _add_exactly(self, values: Values) -> None:
        touched = values.touched
        sums = _Limbs(len(touched), 3)
        sums.add_integers(values.local, values.numbers, values.weights)
        sums.add_integers(np.arange(len(touched)), self._sums[touched], None)
        sums.carry()
        low, high, top = sums.limbs
        if (top != -(high >> 31)).any():
            other = "" if pa.types.is_temporal(self.kind) else "; cast the argument to decimal or double"
            raise RowError(f"the sum is beyond BIGINT{other}")
        self._sums[touched] = high << 32 | low
        self._bound = largest(self._sums)

    def totals(self, slots: IntArray) -> NDArray[np.float64]:
        """The sums of slots, as float64."""
        return self._sums[slots].astype(np.float64)

    def partial(self, slots: IntArray, keep: BoolArray | None) -> list[pa.Array]:
        """The sums."""
        return [column(pa.int64(), self._sums[slots], keep)]

    def clear(self) -> None:
        """As `Accumulator.clear`."""
        self._sums.fill(0)
        self._bound = 0


class FloatSum(MergedByValue):
    """A float64 sum a slot."""

    state_type = pa.float64()

    def __init__(self, kind: pa.DataType) -> None:
        super().__init__(kind)
        self.sums = np.zeros(0, np.float64)

    def grow(self, size: int) -> None:
        """As `Accumulator.grow`."""
        self.sums = grown(self.sums, size, 0.0)

    def update(self, values: Values) -> None:
        """Add numbers."""
        np.add.at(self.sums, values.slots, values.floats)

    def totals(self, slots: IntArray) -> NDArray[np.float64]:
        """The sums of slots."""
        return self.sums[slots]

    def result(self, slots: IntArray, counts: IntArray) -> pa.Array:
        """The sums; NULL where there is no value."""
        return column(pa.float64(), self.totals(slots), present(counts > 0))

    def partial(self, slots: IntArray, keep: BoolArray | None) -> list[pa.Array]:
        """The sums."""
        return [column(pa.float64(), self.sums[slots], keep)]

    def clear(self) -> None:
        """As `Accumulator.clear`."""
        self.sums.fill(0.0)


class DecimalSum(MergedByValue):
    """A decimal sum of 38 digits a slot: in an int64 as long as all of them fit.

    From then on they are kept as four limbs of 32 bits, of which the last has the sign.
    """

    def __init__(self, kind: pa.DataType) -> None:
        super().__init__(kind)
        self.state_type = pa.decimal128(38, kind.scale)
        self._short: IntArray | None = np.zeros(0, np.int64)
        # Never below the greatest absolute sum.
        self._bound = 0
        self._limbs = _Limbs(0, 4)

    def grow(self, size: int) -> None:
        """As `Accumulator.grow`."""
        if self._short is not None:
            self._short = grown(self._short, size, 0)
        else:
            self._limbs.limbs = [grown(limb, size, 0) for limb in self._limbs.limbs]

    def update(self, values: Values) -> None:
        """Add decimals."""
        if self._short is not None:
            if self._add_short(values, self._short):
                return
            short, self._short = self._short, None
            self._limbs.limbs = [short & _LOW, (short >> 32) & _LOW, (short >> 63) & _LOW, short >> 63]
        self._add_long(values)

    def _add_short(self, values: Values, sums: IntArray) -> bool:
        """Add decimals to sums of 64 bits, unless these may not be enough."""
        digits = unscaled(values.array)
        if digits is None:
            return False
        added = len(digits) * largest(digits) * (1 if values.weights is None else largest(values.weights))
        if self._bound + added >= _LIMIT:
            self._bound = largest(sums)
            if self._bound + added >= _LIMIT:
                return False
        self._bound += added
        np.add.at(sums, values.slots, digits if values.weights is None else digits * values.weights)
        return True

    def _add_long(self, values: Values) -> None:
        touched = _Limbs.of([limb[values.touched] for limb in self._limbs.limbs])
        sums = _small_sums(values)
        if sums is None:
            touched.add_decimals(values.local, values.array, values.weights)
        else:
            touched.limbs[0] += sums & _LOW
            touched.limbs[1] += sums >> 32
        touched.carry()
        # Only a first limb this large can mean 10**38 or more; the exact comparison is for those few.
        edge = _DECIMAL_LIMIT >> 96
        for place in np.flatnonzero((touched.limbs[3] >= edge) | (touched.limbs[3] < -edge)).tolist():
            total = sum(int(limb[place]) << (32 * power) for power, limb in enumerate(touched.limbs))
            if abs(total) >= _DECIMAL_LIMIT:
                raise RowError(f"the sum is beyond {type_text(self.state_type)}; cast the argument to DOUBLE")
        for limb, carried in zip(self._limbs.limbs, touched.limbs, strict=True):
            limb[values.touched] = carried

    def totals(self, slots: IntArray) -> NDArray[np.float64]:
        """The sums of slots, as float64."""
        return floats(self.partial(slots, None)[0])

    def partial(self, slots: IntArray, keep: BoolArray | None) -> list[pa.Array]:
        """The sums."""
        if self._short is not None:
            return [decimals(self.state_type, self._short[slots], None if keep is None else ~keep)]
        words = np.empty((len(slots), 4), np.uint32)
        for power, limb in enumerate(self._limbs.limbs):
            words[:, power] = limb[slots].astype(np.uint32)
        validity = None if keep is None else pa.py_buffer(np.packbits(keep, bitorder="little"))
        return [pa.Array.from_buffers(self.state_type, len(slots), [validity, pa.py_buffer(words)])]

    def clear(self) -> None:
        """As `Accumulator.clear`."""
        size = len(self._limbs.limbs[0]) if self._short is None else len(self._short)
        self._short, self._bound, self._limbs = np.zeros(size, np.int64), 0, _Limbs(0, 4)


class _Limbs:
    """Integers in limbs of 32 bits, each limb in an int64 so that many can be added before a carry.

    Between carries a limb holds at most 2**63 / 2**32 added limbs, weights counted.
    """

    def __init__(self, size: int, number: int) -> None:
        self.limbs = [np.zeros(size, np.int64) for _ in range(number)]

    @classmethod
    def of(cls, limbs: list[IntArray]) -> _Limbs:
        """These limbs, least first."""
        made = cls(0, 0)
        made.limbs = limbs
        return made

    def add_integers(self, slots: IntArray, numbers: NDArray[np.integer], weights: IntArray | None) -> None:
        """Add integers of any width, each `weights` times."""
        low = numbers & numbers.dtype.type(_LOW) if numbers.dtype.itemsize == 8 else numbers.astype(np.int64) & _LOW
        high = numbers >> numbers.dtype.type(32) if numbers.dtype.itemsize == 8 else numbers.astype(np.int64) >> 32
        self._add(slots, [low.astype(np.int64), high.astype(np.int64)], weights)

    def add_decimals(self, slots: IntArray, array: pa.Array, weights: IntArray | None) -> None:
        """Add the unscaled values of a decimal128 column without NULLs."""
        words = np.frombuffer(array.buffers()[1], np.uint32)[4 * array.offset : 4 * (array.offset + len(array))]
        limbs = [words[power::4].astype(np.int64) for power in range(3)]
        self._add(slots, [*limbs, words.view(np.int32)[3::4].astype(np.int64)], weights)

    def _add(self, slots: IntArray, limbs: list[IntArray], weights: IntArray | None) -> None:
        if weights is not None:
            if largest(weights) * len(weights) >= 2**30:
                raise RowError("the changelog's weights are too large to be summed exactly")
            limbs = [limb * weights for limb in limbs]
        for state, limb in zip(self.limbs, limbs, strict=False):
            np.add.at(state, slots, limb)

    def carry(self) -> None:
        """Bring every limb but the last to 0..2**32-1."""
        for power in range(len(self.limbs) - 1):
            self.limbs[power + 1] = self.limbs[power + 1] + (self.limbs[power] >> 32)
            self.limbs[power] = self.limbs[power] & _LOW


def _small_sums(values: Values) -> IntArray | None:
    """The sum of decimals for each slot that is touched; None where it may not fit into 64 bits."""
    digits = unscaled(values.array)
    if (
        digits is None
        or len(digits) * largest(digits) * (1 if values.weights is None else largest(values.weights)) >= _LIMIT
    ):
        return None
    sums = np.zeros(len(values.touched), np.int64)
    np.add.at(sums, values.local, digits if values.weights is None else digits * values.weights)
    return sums
