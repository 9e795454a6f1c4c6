"""Direct addressing: a cell for every key within the ranges of its words, where the ranges are narrow.

Invariant: the cell of a key is determined by its words alone, and different keys within the ranges have different
cells. Regular gaps cost nothing: the starts of minute windows in microseconds lie next to each other.
"""

from __future__ import annotations

import math
from typing import Final, cast

import attrs
import numpy as np
from numpy.typing import NDArray

from flow.hashing import Integers
from flow.keys.tables import Nulls, Words, WordStore

_SAMPLE: Final = 64
_FIRST_CLAIM: Final = 4096
_CLAIM_GROWTH: Final = 16
_FEW_CELLS: Final = 4096
_CELLS_PER_ROW: Final = 64
_CELLS_PER_KEY: Final = 16
_CELLS_AHEAD: Final = 64
_MOST_CELLS_PER_ROWS: Final = 1 << 22


@attrs.frozen
class Axis:
    """Coordinates for words in a range: 0 is NULL, 1 the base, 2 the base plus the stride, and so on.

    Attributes:
        base: the least word.
        stride: divides the distance of every word from the base.
        size: how many coordinates there are.
    """

    base: int = 0
    stride: int = 1
    size: int = 1

    @property
    def last(self) -> int:
        """The greatest word."""
        return self.base + (self.size - 2) * self.stride

    def locate(self, words: Integers, nulls: Nulls) -> tuple[Integers, NDArray[np.bool_] | None]:
        """The coordinate of each word, and which have one (None: all have)."""
        if nulls is not None:
            words = np.where(nulls, self.base, words)
        steps = words - self.base
        inside: NDArray[np.bool_] | None = None
        if len(words) and (words.min() < self.base or words.max() > self.last):
            inside = (words >= self.base) & (words <= self.last)
        if self.stride != 1:
            # Unsigned: division by a constant is then a multiplication, and what is out of range does not matter.
            distances = steps.view(np.uint64)
            whole = distances // np.uint64(self.stride)
            exact = whole * np.uint64(self.stride) == distances
            if not exact.all():
                inside = exact if inside is None else inside & exact
            steps = whole.view(np.int64)
        steps += 1
        if nulls is not None:
            steps[nulls] = 0
            if inside is not None:
                inside |= nulls
                if inside.all():
                    inside = None
        return steps, inside

    def widened(self, words: Integers, nulls: Nulls) -> Axis | None:
        """The shortest axis that has all coordinates of this one and these words too; None where none can."""
        if nulls is not None:
            words = words[~nulls]
        if not len(words):
            return self
        low, high, stride = int(words.min()), int(words.max()), 0
        if self.size > 1:
            low, high = min(low, self.base), max(high, self.last)
            stride = math.gcd(self.stride if self.size > 2 else 0, self.base - low)
        if high - low >= 1 << 62:
            return None
        stride = _common_divisor(words, low, stride) or 1
        return Axis(low, stride, (high - low) // stride + 2)

    def continues(self, before: Axis) -> bool:
        """Whether this axis begins as another, on which there are words."""
        same = (self.base, self.stride) == (before.base, before.stride)
        return same and self.size >= before.size > 1

    def extended(self, before: Axis) -> Axis:
        """This axis, twice as long where it reaches beyond what it was: keys that advance seldom need a new table."""
        if before.size == 1 or self == before:
            return self
        span = (self.size - 2) * self.stride
        low = max(self.base - span, -(2**63)) if self.base < before.base else self.base
        low = self.base - (self.base - low) // self.stride * self.stride
        high = min(self.last + span, 2**63 - 1) if self.last > before.last else self.last
        return Axis(low, self.stride, (high - low) // self.stride + 2)


class Grid:
    """Numbers of keys by cell, the product of one axis a word column."""

    def __init__(self, store: WordStore) -> None:
        self._store: Final = store
        self._axes: tuple[Axis, ...] = (Axis(),) * store.width
        # One more than the number, 0 where there is none: zeros that nobody has written take no memory.
        self._table = np.zeros(1, np.int32)

    def find(self, keys: Words) -> Integers:
        """The number of each key, -1 where it is not held."""
        cells, inside = self._cells(keys)
        if inside is None:
            return self._numbers(cells)
        cells[~inside] = 0
        numbers = self._numbers(cells)
        numbers[~inside] = -1
        return numbers

    def insert(self, keys: Words) -> Integers | None:
        """The number of each key; what is not held is appended to the store.

        None, and nothing done, where the keys spread too far for a table of cells.
        """
        # The axes of an empty grid reach nowhere: there is no point in looking.
        cells, inside = self._cells(keys) if len(self._store) else (None, None)
        if cells is None or inside is not None:
            if not self.fit(keys):
                return None
            cells, _ = self._cells(keys)
        size = _FIRST_CLAIM
        if not len(self._store):
            self._claim(keys, cells, np.arange(min(size, len(cells))))
        numbers = self._numbers(cells)
        while len(numbers) and numbers.min() < 0:
            missing = np.flatnonzero(numbers < 0)
            self._claim(keys, cells, missing[:size])
            if len(missing) <= size:
                numbers[missing] = self._numbers(cells[missing])
                break
            # Most of the others may be equal to the first few: then a look is cheaper than a claim.
            numbers = self._numbers(cells)
            size *= _CLAIM_GROWTH
        return numbers

    def _numbers(self, cells: Integers) -> Integers:
        """The number in each cell, -1 where there is none."""
        numbers = self._table[cells].astype(np.int64)
        numbers -= 1
        return numbers

    def _claim(self, keys: Words, cells: Integers, rows: Integers) -> None:
        """Take in rows that are not held, which may be equal to each other."""
        table, wanted = self._table, cells[rows]
        # Rows with the same key all write to its cell, the first of them last; who finds itself there is new.
        table[wanted[::-1]] = rows[::-1]
        new = table[wanted] == rows
        start = len(self._store)
        self._store.append(keys, rows[new])
        table[wanted[new]] = np.arange(start + 1, len(self._store) + 1)

    def fit(self, keys: Words) -> bool:
        """Make room for these keys beside those held; False, and nothing done, where that takes too many cells."""
        rows = keys.size
        most = max(
            _FEW_CELLS, _CELLS_PER_KEY * (len(self._store) + rows), min(_CELLS_PER_ROW * rows, _MOST_CELLS_PER_ROWS)
        )
        widened = [
            axis.widened(words, nulls) for axis, words, nulls in zip(self._axes, keys.values, keys.nulls, strict=True)
        ]
        if any(axis is None for axis in widened):
            return False
        needed = cast("list[Axis]", widened)
        axes = [axis.extended(before) for axis, before in zip(needed, self._axes, strict=True)]
        # Cells that no key reaches yet take no memory: there may be more of them than of those in use.
        if _product(axes) > max(most, _CELLS_AHEAD * (len(self._store) + rows)):
            axes = needed
        if _product(needed) > most:
            return False
        before, self._axes = self._axes, tuple(axes)
        table = np.zeros(_product(axes), np.int32)
        if axes[0].continues(before[0]) and axes[1:] == list(before[1:]):
            # The cells there are come first, in the same order.
            table[: len(self._table)] = self._table
            self._table = table
        else:
            self._table = table
            cells, _ = self._cells(self._store.keys)
            self._table[cells] = np.arange(1, len(self._store) + 1)
        return True

    def _cells(self, keys: Words) -> tuple[Integers, NDArray[np.bool_] | None]:
        """The cell of each key, and which keys have one (None: all have)."""
        cells, inside = self._axes[0].locate(keys.values[0], keys.nulls[0])
        for axis, words, nulls in zip(self._axes[1:], keys.values[1:], keys.nulls[1:], strict=True):
            steps, located = axis.locate(words, nulls)
            cells *= axis.size
            cells += steps
            if located is not None:
                inside = located if inside is None else inside & located
        return cells, inside


def _product(axes: list[Axis]) -> int:
    return math.prod(axis.size for axis in axes)


def _common_divisor(words: Integers, low: int, divisor: int) -> int:
    """The greatest common divisor of the distances of all words from `low`, the least, and `divisor`."""
    # A sample nearly always tells; what it does not divide is tried again.
    divisor = math.gcd(divisor, int(np.gcd.reduce(words[:_SAMPLE] - low)))
    if divisor == 1:
        return divisor
    rest = (words - low).view(np.uint64)
    while divisor != 1:
        rest = rest[rest // np.uint64(divisor) * np.uint64(divisor) != rest] if divisor else rest[rest != 0]
        if not len(rest):
            break
        divisor = math.gcd(divisor, int(np.gcd.reduce(rest[:_SAMPLE])))
    return divisor
