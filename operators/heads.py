"""The first rows of each group: a list of slots for every group, all in one array.

Lists that change are written anew at the array's end, and what they leave behind is given back now and then.
"""

from __future__ import annotations

from typing import Final, TypeVar

import attrs
import numpy as np
from numpy.typing import NDArray

from operators.aggregates.columns import BoolArray, IntArray, grown

_FEW: Final = 4096

T = TypeVar("T", bound=np.generic)


class Heads:
    """Lists of slots by group; a group that was given none has an empty one."""

    def __init__(self) -> None:
        self._starts = np.zeros(0, np.int64)
        self._lengths = np.zeros(0, np.int64)
        self._slots = np.zeros(0, np.int64)
        self._used = 0
        self._held = 0

    def grow(self, groups: int) -> None:
        """Have room for so many groups."""
        self._starts, self._lengths = grown(self._starts, groups, 0), grown(self._lengths, groups, 0)

    def of(self, groups: IntArray) -> IntArray:
        """The slots of some groups, one list after the other."""
        lengths = self._lengths[groups]
        ends = np.cumsum(lengths)
        slots: IntArray = self._slots[
            np.repeat(self._starts[groups] - (ends - lengths), lengths) + np.arange(lengths.sum())
        ]
        return slots

    def lengths(self, groups: IntArray) -> IntArray:
        """How long the lists of some groups are."""
        return self._lengths[groups]

    def last(self, groups: IntArray) -> IntArray:
        """The last slot of each of some groups, none of whose lists is empty."""
        slots: IntArray = self._slots[self._starts[groups] + self._lengths[groups] - 1]
        return slots

    def put(self, groups: IntArray, lengths: IntArray, slots: IntArray) -> None:
        """Replace the lists of distinct groups by others, which stand one after the other in `slots`."""
        self._held += len(slots) - int(self._lengths[groups].sum())
        start, self._used = self._used, self._used + len(slots)
        self._slots = grown(self._slots, self._used, 0)
        self._slots[start : self._used] = slots
        self._starts[groups] = start + np.cumsum(lengths) - lengths
        self._lengths[groups] = lengths
        if self._used > 2 * self._held + _FEW:
            filled = np.flatnonzero(self._lengths)
            kept, lengths = self.of(filled), self._lengths[filled]
            self._slots, self._used = kept, len(kept)
            self._starts[filled] = np.cumsum(lengths) - lengths


@attrs.frozen
class Runs:
    """Rows that stand together by group.

    Attributes:
        groups: of the runs.
        starts: where each run starts.
        lengths: of the runs.
    """

    groups: IntArray
    starts: IntArray
    lengths: IntArray

    @classmethod
    def of(cls, groups: IntArray) -> Runs:
        """The runs of equal groups."""
        starts = np.flatnonzero(np.diff(groups, prepend=-1))
        return cls(groups[starts], starts, np.diff(starts, append=len(groups)))

    def sum(self, values: IntArray | BoolArray) -> IntArray:
        """The sum of each run."""
        if not len(self.starts):
            return np.zeros(0, np.int64)
        sums: IntArray = np.add.reduceat(values, self.starts, dtype=np.int64)
        return sums

    def before(self, values: IntArray | BoolArray) -> IntArray:
        """For each row the sum of its run's rows before it."""
        sums = np.cumsum(values, dtype=np.int64) - values
        return sums - self.spread(sums[self.starts])

    def spread(self, values: NDArray[T]) -> NDArray[T]:
        """For each row its run's value."""
        return np.repeat(values, self.lengths)


@attrs.frozen
class Seen:
    """Between which numbers (from 0, the end excluded) copies of rows could be seen, and now can.

    Attributes:
        slots: of the rows, int64[n], as are the others.
    """

    slots: IntArray
    was_start: IntArray
    was_until: IntArray
    start: IntArray
    until: IntArray

    def ranks(self) -> tuple[IntArray, IntArray, IntArray]:
        """Slots, numbers (from 1) and weights of the numbered rows that go and come."""
        old, new = (self.was_start, self.was_until), (self.start, self.until)
        made = []
        for (start, until), (other, other_until), weight in ((old, new, -1), (new, old, 1)):
            for low, high in ((start, np.minimum(until, other)), (np.maximum(start, other_until), until)):
                counts = np.maximum(high - low, 0)
                ends = np.cumsum(counts)
                ranks = np.repeat(low - (ends - counts), counts) + np.arange(counts.sum()) + 1
                made.append((np.repeat(self.slots, counts), ranks, np.full(len(ranks), weight)))
        slots, ranks, weights = (np.concatenate(parts) for parts in zip(*made, strict=True))
        return slots, ranks, weights
