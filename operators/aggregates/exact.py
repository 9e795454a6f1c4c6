"""Exact sums of float64 and of products of two, from which what was added can be taken out without a trace.

A sum is a fixed-point number in limbs of 32 bits, each in an int64, over the range of exponents that values have had;
it is rounded once, when it is asked for (the "small superaccumulator" of Neal, arXiv:1505.05571). As opposed to
compensated sums, nothing drifts, and the order in which values come does not matter.
"""

from __future__ import annotations

from typing import Final

import attrs
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from flow.errors import RowError
from operators.aggregates.columns import BoolArray, IntArray, column, physical

FloatArray = NDArray[np.float64]

_BITS: Final = 32
_LOW: Final = 0xFFFFFFFF
_MANTISSA: Final = 53
_HALF: Final = 27
_CARRY_AT: Final = 2**30

LIMBS: Final = pa.list_(pa.int64())
"""The type of a sum as a partial state: the place of its first limb, and its limbs."""


@attrs.frozen
class Exact:
    """Numbers: the sum of ``limbs[:, k] * 2**(32 * (base + k))``, each limb but the last in 0..2**32-1."""

    limbs: IntArray
    base: int

    @staticmethod
    def of_counts(counts: IntArray) -> Exact:
        """Integers."""
        return _exact(np.stack([counts, np.zeros_like(counts), np.zeros_like(counts)], axis=1), 0)

    def __mul__(self, other: Exact) -> Exact:
        (left, right), signs = (self._magnitudes(), other._magnitudes()), self._signs() * other._signs()
        limbs = np.zeros((len(signs), left.shape[1] + right.shape[1] + 1), np.int64)
        used = np.flatnonzero(right.any(axis=0)).tolist()
        for low in np.flatnonzero(left.any(axis=0)).tolist():
            for high in used:
                product = left[:, low] * right[:, high]
                limbs[:, low + high] += (product & np.uint64(_LOW)).astype(np.int64)
                limbs[:, low + high + 1] += (product >> np.uint64(_BITS)).astype(np.int64)
        return _exact(_carried(limbs) * signs[:, None], self.base + other.base)

    def __sub__(self, other: Exact) -> Exact:
        base = min(self.base, other.base)
        end = max(self.base + self.limbs.shape[1], other.base + other.limbs.shape[1])
        limbs = np.zeros((len(self.limbs), end - base + 1), np.int64)
        for part, sign in ((self, 1), (other, -1)):
            start = part.base - base
            limbs[:, start : start + part.limbs.shape[1]] += sign * part.limbs
        return _exact(limbs, base)

    def floats(self) -> FloatArray:
        """The numbers as float64, rounded to the nearest."""
        signs = self._signs()
        limbs = np.pad(self._magnitudes(), ((0, 0), (2, 0)))
        rows, filled = np.arange(len(limbs)), limbs != 0
        top = np.maximum(limbs.shape[1] - 1 - np.argmax(filled[:, ::-1], axis=1), 2)
        first, second, third = limbs[rows, top], limbs[rows, top - 1], limbs[rows, top - 2]
        width = np.maximum(np.frexp(first.astype(np.float64))[1], 1).astype(np.uint64)
        full, half = np.uint64(2 * _BITS), np.uint64(_BITS)
        lead = first << (full - width) | second << (half - width) | third >> width
        rest = (third & ((np.uint64(1) << width) - np.uint64(1))) != 0
        rest |= (np.argmax(filled, axis=1) < top - 2) & (first > 0)
        # The conversion rounds by the bits below its 53: whether anything is left below them all is the last one.
        values = (lead | rest.astype(np.uint64)).astype(np.float64)
        powers = width.astype(np.int64) + _BITS * (top - 4 + self.base)
        with np.errstate(over="ignore", under="ignore"):
            rounded: FloatArray = np.ldexp(values, np.clip(powers, -4000, 4000).astype(np.int32)) * signs
        return rounded

    def is_zero(self) -> BoolArray:
        """Which of the numbers are 0."""
        zero: BoolArray = np.equal(np.count_nonzero(self.limbs, axis=1), 0)
        return zero

    def _signs(self) -> IntArray:
        return np.where(self.limbs[:, -1] < 0, -1, 1)

    def _magnitudes(self) -> NDArray[np.uint64]:
        return _carried(self.limbs * self._signs()[:, None]).astype(np.uint64)


class ExactSums:
    """A sum a slot."""

    def __init__(self) -> None:
        # No limbs until a value says which.
        self._limbs = np.zeros((0, 0), np.int64)
        self._base = 0
        self._added = 0

    def grow(self, size: int) -> None:
        """Make room for slots below `size`."""
        if len(self._limbs) < size:
            larger = np.zeros((max(size, 2 * len(self._limbs), 64), self._limbs.shape[1]), np.int64)
            larger[: len(self._limbs)] = self._limbs
            self._limbs = larger

    def add(self, slots: IntArray, numbers: FloatArray, weights: IntArray | None) -> None:
        """Add finite numbers, each `weights` times (None: once)."""
        mantissas, exponents = _parts(numbers)
        self._add(slots, mantissas, exponents, weights)

    def add_products(self, slots: IntArray, left: FloatArray, right: FloatArray, weights: IntArray | None) -> None:
        """Add the products of finite numbers."""
        (one, first), (other, second) = _parts(left), _parts(right)
        exponents = first + second
        high, low = one >> _HALF, one & (2**_HALF - 1)
        upper, lower = other >> _HALF, other & (2**_HALF - 1)
        self._add(slots, low * lower, exponents, weights)
        self._add(slots, high * lower + low * upper, exponents + _HALF, weights)
        self._add(slots, high * upper, exponents + 2 * _HALF, weights)

    def of(self, slots: IntArray) -> Exact:
        """The sums of slots."""
        return _exact(self._limbs[slots], self._base)

    def partial(self, slots: IntArray, keep: BoolArray | None) -> pa.Array:
        """The sums of slots, as `LIMBS`; NULL where `keep` is false."""
        sums = self.of(slots)
        width = sums.limbs.shape[1] + 1
        flat = np.concatenate([np.full((len(slots), 1), sums.base, np.int64), sums.limbs], axis=1)
        offsets = pa.array(np.arange(len(slots) + 1, dtype=np.int32) * np.int32(width))
        mask = None if keep is None else pa.array(~keep)
        return pa.ListArray.from_arrays(offsets, column(pa.int64(), flat.reshape(-1)), mask=mask)

    def merge(self, slots: IntArray, states: pa.Array) -> None:
        """Add sums, as they come out of `partial`; none is NULL."""
        if not len(slots):
            return
        lengths, flat = physical(states.value_lengths()).astype(np.int64), physical(states.flatten())
        starts = np.cumsum(lengths) - lengths
        bases = flat[starts]
        self._fit(int(bases.min()), int((bases + lengths).max()))
        self._spend(len(slots))
        places = np.arange(len(flat)) - np.repeat(starts, lengths)
        limbs = places > 0
        targets = np.repeat(slots * self._limbs.shape[1] + bases - self._base - 1, lengths) + places
        np.add.at(self._limbs.reshape(-1), targets[limbs], flat[limbs])

    def clear(self) -> None:
        """Forget all sums."""
        self._limbs = np.zeros((len(self._limbs), 0), np.int64)
        self._added = 0

    def _add(self, slots: IntArray, mantissas: IntArray, exponents: IntArray, weights: IntArray | None) -> None:
        if not len(slots):
            return
        places, shifts = exponents >> 5, (exponents & 31).astype(np.uint64)
        self._fit(int(places.min()), int(places.max()) + 3)
        most = 1 if weights is None else max(1, int(weights.max()), -int(weights.min()))
        self._spend(most * len(slots))
        signs = np.sign(mantissas) if weights is None else np.sign(mantissas) * weights
        size = np.abs(mantissas).astype(np.uint64)
        back, mask = np.uint64(_BITS) - shifts, np.uint64(_LOW)
        targets, flat = slots * self._limbs.shape[1] + (places - self._base), self._limbs.reshape(-1)
        for limb, part in enumerate(((size << shifts) & mask, (size >> back) & mask, size >> np.uint64(_BITS) >> back)):
            np.add.at(flat, targets + limb, part.astype(np.int64) * signs)

    def _spend(self, additions: int) -> None:
        """Carry before so many more additions could overflow a limb."""
        if additions >= _CARRY_AT:
            raise RowError("the changelog's weights are too large to be summed exactly")
        if self._added + additions >= _CARRY_AT:
            self._limbs = _carried(self._limbs)
            self._added = 1
            if np.abs(self._limbs[:, -1]).max(initial=0) >= 2**31:
                self._fit(self._base, self._base + self._limbs.shape[1])
        self._added += additions

    def _fit(self, low: int, high: int) -> None:
        """Have limbs for places from `low` to before `high`, and one more for what is carried."""
        width = self._limbs.shape[1]
        end = high + 1
        if width:
            low, end = min(low, self._base), max(end, self._base + width)
        if end - low == width:
            return
        wider = np.zeros((len(self._limbs), end - low), np.int64)
        if width:
            wider[:, self._base - low : self._base - low + width] = self._limbs
        self._limbs, self._base = wider, low


def _parts(numbers: FloatArray) -> tuple[IntArray, IntArray]:
    """Integers and exponents of 2 that make up finite numbers."""
    fractions, exponents = np.frexp(numbers)
    return np.ldexp(fractions, _MANTISSA).astype(np.int64), exponents.astype(np.int64) - _MANTISSA


def _carried(limbs: IntArray) -> IntArray:
    """The same numbers, with every limb but the last in 0..2**32-1."""
    limbs = limbs.copy()
    for place in range(limbs.shape[1] - 1):
        limbs[:, place + 1] += limbs[:, place] >> _BITS
        limbs[:, place] &= _LOW
    return limbs


def _exact(limbs: IntArray, base: int) -> Exact:
    """Numbers, with their limbs carried and no more than are needed."""
    limbs = _carried(limbs)
    used = np.flatnonzero(limbs.any(axis=0))
    if not len(used):
        return Exact(np.zeros((len(limbs), 1), np.int64), 0)
    return Exact(limbs[:, used[0] : used[-1] + 1], base + int(used[0]))
