"""Aggregates of truth values and of bits, which only count, so that what they counted can be taken out again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from operators.aggregates.accumulator import Accumulator, MadeOfRows, MergedByValue, Values
from operators.aggregates.columns import BoolArray, IntArray, column, grown, physical, physical_type, present

_UFUNCS: Final[dict[str, np.ufunc]] = {
    "bit_and": np.bitwise_and,
    "bit_or": np.bitwise_or,
    "bit_xor": np.bitwise_xor,
}


class Falses(MadeOfRows):
    """How many values of each slot are false."""

    def __init__(self, kind: pa.DataType) -> None:
        super().__init__(kind)
        self._falses = np.zeros(0, np.int64)

    def grow(self, size: int) -> None:
        """As `Accumulator.grow`."""
        self._falses = grown(self._falses, size, 0)

    def update(self, values: Values) -> None:
        """Add values, or take them out."""
        wrong = ~values.numbers
        np.add.at(self._falses, values.slots[wrong], 1 if values.weights is None else values.weights[wrong])

    def every(self, slots: IntArray, counts: IntArray) -> pa.Array:
        """Whether all values are true."""
        return column(pa.bool_(), self._falses[slots] <= 0, present(counts > 0))

    def any(self, slots: IntArray, counts: IntArray) -> pa.Array:
        """Whether a value is true."""
        return column(pa.bool_(), self._falses[slots] < counts, present(counts > 0))

    @property
    def partial_types(self) -> Sequence[pa.DataType]:
        """The number."""
        return (pa.int64(),)

    def partial(self, slots: IntArray, keep: BoolArray | None) -> list[pa.Array]:
        """The numbers."""
        return [column(pa.int64(), self._falses[slots], keep)]

    def merge(self, slots: IntArray, counts: IntArray, columns: Sequence[pa.Array], size: int) -> None:
        """As `Accumulator.merge`."""
        np.add.at(self._falses, slots, physical(columns[0]))

    def empty(self) -> Accumulator:
        """As `MadeOfRows.empty`."""
        return Falses(self.kind)

    def clear(self) -> None:
        """As `Accumulator.clear`."""
        self._falses.fill(0)


class Bits(MergedByValue):
    """The AND, OR or XOR of integers a slot; only XOR takes values out again, for which it is its own inverse."""

    def __init__(self, kind: pa.DataType, function: str) -> None:
        super().__init__(kind)
        self.state_type = kind
        self._ufunc = _UFUNCS[function]
        width = _width(kind)
        self._fill = width.type(0) if function != "bit_and" else ~width.type(0)
        self._state: NDArray[Any] = np.zeros(0, width)

    def grow(self, size: int) -> None:
        """As `Accumulator.grow`."""
        self._state = grown(self._state, size, self._fill)

    def update(self, values: Values) -> None:
        """Add integers."""
        slots, numbers = values.slots, values.numbers
        if values.weights is not None:
            odd = (values.weights & 1).astype(np.bool_)
            slots, numbers = slots[odd], numbers[odd]
        self._ufunc.at(self._state, slots, numbers)

    def partial(self, slots: IntArray, keep: BoolArray | None) -> list[pa.Array]:
        """The bits."""
        return [column(self.kind, self._state[slots], keep)]

    def clear(self) -> None:
        """As `Accumulator.clear`."""
        self._state.fill(self._fill)


class BitCounts(MadeOfRows):
    """How many integers of each slot have each bit set."""

    def __init__(self, kind: pa.DataType) -> None:
        super().__init__(kind)
        self._bits = _width(kind).itemsize * 8
        self._ones = [np.zeros(0, np.int64) for _ in range(self._bits)]

    def grow(self, size: int) -> None:
        """As `Accumulator.grow`."""
        self._ones = [grown(ones, size, 0) for ones in self._ones]

    def update(self, values: Values) -> None:
        """Add integers, or take them out."""
        weights = np.ones(len(values.slots), np.int64) if values.weights is None else values.weights
        numbers = values.numbers
        for bit, ones in enumerate(self._ones):
            chosen = ((numbers >> numbers.dtype.type(bit)) & numbers.dtype.type(1)).astype(np.bool_)
            np.add.at(ones, values.slots[chosen], weights[chosen])

    def every(self, slots: IntArray, counts: IntArray) -> pa.Array:
        """The bits that are set in all values."""
        return self._of([ones[slots] >= counts for ones in self._ones], counts)

    def any(self, slots: IntArray, counts: IntArray) -> pa.Array:
        """The bits that are set in a value."""
        return self._of([ones[slots] > 0 for ones in self._ones], counts)

    @property
    def partial_types(self) -> Sequence[pa.DataType]:
        """The numbers, lowest bit first."""
        return (pa.list_(pa.int64()),)

    def partial(self, slots: IntArray, keep: BoolArray | None) -> list[pa.Array]:
        """The numbers."""
        ones = np.stack([ones[slots] for ones in self._ones], axis=1)
        offsets = pa.array(np.arange(len(slots) + 1, dtype=np.int32) * np.int32(self._bits))
        mask = None if keep is None else pa.array(~keep)
        return [pa.ListArray.from_arrays(offsets, column(pa.int64(), ones.reshape(-1)), mask=mask)]

    def merge(self, slots: IntArray, counts: IntArray, columns: Sequence[pa.Array], size: int) -> None:
        """As `Accumulator.merge`."""
        added = physical(columns[0].flatten()).reshape(len(slots), self._bits)
        for bit, ones in enumerate(self._ones):
            np.add.at(ones, slots, added[:, bit])

    def empty(self) -> Accumulator:
        """As `MadeOfRows.empty`."""
        return BitCounts(self.kind)

    def clear(self) -> None:
        """As `Accumulator.clear`."""
        for ones in self._ones:
            ones.fill(0)

    def _of(self, bits: Sequence[BoolArray], counts: IntArray) -> pa.Array:
        words = np.packbits(np.stack(bits, axis=1), axis=1, bitorder="little")
        values = np.ascontiguousarray(words).view(_width(self.kind)).reshape(-1)
        return column(self.kind, values, present(counts > 0))


def _width(kind: pa.DataType) -> np.dtype[Any]:
    width = physical_type(kind)
    assert width is not None
    return width
