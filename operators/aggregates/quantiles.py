"""Sorted numbers of all slots, from which medians and other percentiles are read by their places.

Invariant: there is one ascending array for all slots, of complex numbers, which NumPy sorts by real part and then by
imaginary part: the slot and the number. NaN, which comes after all numbers, stands at half a slot more. What is taken
out before it comes is owed, and is not there until then.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from operators.aggregates.accumulator import Accumulator, MadeOfRows, Values
from operators.aggregates.columns import BoolArray, IntArray, column, grown, physical, present

_Sorted = NDArray[np.complex128]


class Quantiles(MadeOfRows):
    """All numbers of each slot, as float64."""

    def __init__(self, kind: pa.DataType) -> None:
        super().__init__(kind)
        self._held: _Sorted = np.zeros(0, np.complex128)
        self._owed: _Sorted = np.zeros(0, np.complex128)
        self._counts = np.zeros(0, np.int64)
        self._starts: IntArray | None = None

    def grow(self, size: int) -> None:
        """As `Accumulator.grow`."""
        if size > len(self._counts):
            self._counts = grown(self._counts, size, 0)
            self._starts = None

    def update(self, values: Values) -> None:
        """Add numbers, or take them out."""
        come, gone = _placed(values.slots, values.floats), self._held[:0]
        if values.weights is not None:
            come, gone = _netted(come, values.weights)
        else:
            come.sort()
        if len(self._owed) and len(come):
            paid, come = _found(self._owed, come)
            self._owed = np.delete(self._owed, paid)
        if len(gone):
            places, owing = _found(self._held, gone)
            self._count(self._held[places], -1)
            self._held = np.delete(self._held, places)
            self._owed = _merged(self._owed, owing)
        self._count(come, 1)
        self._held = _merged(self._held, come)
        self._starts = None

    def percentile(self, slots: IntArray, fraction: float, descending: bool) -> pa.Array:
        """PERCENTILE_CONT: between the two values next to the fraction; NULL where there is no value."""
        starts, totals = self._spans(slots)
        position = fraction * np.maximum(totals - 1, 0)
        below = np.floor(position)
        low, high = (self._at(starts, totals, rank.astype(np.int64), descending) for rank in (below, np.ceil(position)))
        share = position - below
        with np.errstate(invalid="ignore"):
            between = np.where((share == 0) | (low == high), low, low + (high - low) * share)
        return column(pa.float64(), between, present(totals > 0))

    @property
    def partial_types(self) -> Sequence[pa.DataType]:
        """The numbers as a list, and how often each is there: once, or, where it is owed, once less than never."""
        return (pa.list_(pa.float64()), pa.list_(pa.int64()))

    def partial(self, slots: IntArray, keep: BoolArray | None) -> list[pa.Array]:
        """As `partial_types`, ascending."""
        starts, lengths = self._spans(slots)
        numbers = self._held[np.repeat(starts - (np.cumsum(lengths) - lengths), lengths) + np.arange(lengths.sum())]
        times = np.ones(len(numbers), np.int64)
        if len(self._owed):
            places = np.full(len(self._counts), -1, np.int64)
            places[slots] = np.arange(len(slots))
            owners = places[self._owed.real.astype(np.int64)]
            owed = owners >= 0
            owners = np.concatenate([np.repeat(np.arange(len(slots)), lengths), owners[owed]])
            order = np.argsort(owners, kind="stable")
            numbers = np.concatenate([numbers, self._owed[owed]])[order]
            times = np.concatenate([times, np.full(int(owed.sum()), -1)])[order]
            lengths = np.bincount(owners, minlength=len(slots))
        ends = np.zeros(len(slots) + 1, np.int32)
        np.cumsum(lengths, out=ends[1:])
        offsets = pa.array(ends)
        parts = (column(pa.float64(), _numbers(numbers)), column(pa.int64(), times))
        return [pa.ListArray.from_arrays(offsets, part) for part in parts]

    def merge(self, slots: IntArray, counts: IntArray, columns: Sequence[pa.Array], size: int) -> None:
        """As `Accumulator.merge`."""
        lengths = physical(columns[0].value_lengths())
        numbers, times = (part.flatten() for part in columns)
        self.update(Values(np.repeat(slots, lengths), numbers, size, physical(times)))

    def empty(self) -> Accumulator:
        """As `MadeOfRows.empty`."""
        return Quantiles(self.kind)

    def clear(self) -> None:
        """As `Accumulator.clear`."""
        self._held, self._owed = np.zeros(0, np.complex128), np.zeros(0, np.complex128)
        self._counts.fill(0)
        self._starts = None

    def _count(self, numbers: _Sorted, sign: int) -> None:
        if len(numbers):
            np.add.at(self._counts, numbers.real.astype(np.int64), sign)

    def _spans(self, slots: IntArray) -> tuple[IntArray, IntArray]:
        """Where the numbers of slots begin, and how many there are."""
        starts = self._starts
        if starts is None:
            starts = self._starts = np.cumsum(self._counts) - self._counts
        return starts[slots], self._counts[slots]

    def _at(self, starts: IntArray, totals: IntArray, ranks: IntArray, descending: bool) -> NDArray[np.float64]:
        """The numbers of these ranks, from 0; any where there is none."""
        if not len(self._held):
            return np.zeros(len(starts))
        places = starts + (totals - 1 - ranks if descending else ranks)
        return _numbers(self._held[np.clip(places, 0, len(self._held) - 1)])


def _placed(slots: IntArray, numbers: NDArray[np.float64]) -> _Sorted:
    placed = np.empty(len(slots), np.complex128)
    placed.real = slots
    placed.imag = numbers
    placed.imag += 0.0  # -0.0 is 0.0.
    unknown = np.isnan(numbers)
    if unknown.any():
        placed[unknown] = slots[unknown] + 0.5
    return placed


def _numbers(placed: _Sorted) -> NDArray[np.float64]:
    return np.where(placed.real % 1 == 0, placed.imag, np.nan)


def _netted(placed: _Sorted, weights: IntArray) -> tuple[_Sorted, _Sorted]:
    """What comes and what goes, ascending, when what cancels out is left out."""
    order = np.argsort(placed, kind="stable")
    placed, weights = placed[order], weights[order]
    if len(placed):
        begins = np.flatnonzero(np.concatenate([[True], placed[1:] != placed[:-1]]))
        placed, weights = placed[begins], np.add.reduceat(weights, begins)
    return np.repeat(placed, np.maximum(weights, 0)), np.repeat(placed, np.maximum(-weights, 0))


def _found(held: _Sorted, wanted: _Sorted) -> tuple[IntArray, _Sorted]:
    """The places of wanted numbers, each of its own, and those that there are none for; all is ascending."""
    lows, highs = np.searchsorted(held, wanted), np.searchsorted(held, wanted, "right")
    places = lows + np.arange(len(wanted)) - np.searchsorted(wanted, wanted)
    there = places < highs
    return places[there], wanted[~there]


def _merged(held: _Sorted, more: _Sorted) -> _Sorted:
    if not len(more):
        return held
    places = np.searchsorted(held, more, "right") + np.arange(len(more))
    merged = np.empty(len(held) + len(more), np.complex128)
    old = np.ones(len(merged), np.bool_)
    old[places] = False
    merged[places] = more
    merged[old] = held
    return merged
