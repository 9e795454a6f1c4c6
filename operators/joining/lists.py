"""For each slot a list of row numbers: what a join probes.

Invariant: while no slot has more than one row, that row stands in the slot's place. From then on a slot's list is one
stretch of one array, so that many lists are read at once by arithmetic; a list that has no room left moves to the
array's end with twice the room, which makes adding cost a constant time a row.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from operators.aggregates.columns import IntArray, grown
from operators.joining.ragged import sorted_order, spread

_ALL = 1 << 62


class Lists:
    """Lists of row numbers by slot."""

    def __init__(self) -> None:
        # One more than the row number of each slot, 0 where there is none; None once some slot has several.
        self._only: IntArray | None = np.zeros(0, np.int64)
        self._starts = np.zeros(0, np.int64)
        self._lengths = np.zeros(0, np.int64)
        self._room = np.zeros(0, np.int64)
        self._items = np.zeros(0, np.int64)
        self._used = 0

    def lengths(self, slots: IntArray) -> IntArray:
        """How many rows each of these slots has."""
        self._cover(slots)
        return self._lengths[slots] if self._only is None else (self._only[slots] > 0).astype(np.int64)

    def pairs(self, slots: IntArray, most: int) -> Iterator[tuple[IntArray, IntArray]]:
        """The rows of these slots, in pieces of at most so many: the place among the slots, ascending, and the row."""
        self._cover(slots)
        if self._only is None:
            starts = self._starts[slots]
            for owners, places in spread(self._lengths[slots], most):
                places += starts[owners]
                yield owners, self._items[places]
            return
        for low in range(0, len(slots), most):
            rows = self._only[slots[low : low + most]]
            if len(rows) and rows.min() > 0:
                yield np.arange(low, low + len(rows)), rows - 1
            else:
                owners = np.flatnonzero(rows)
                if len(owners):
                    yield owners + low, rows[owners] - 1

    def of(self, slots: IntArray) -> IntArray:
        """All row numbers of distinct slots."""
        for _, rows in self.pairs(slots, _ALL):
            return rows
        return np.zeros(0, np.int64)

    def add(self, slots: IntArray, rows: IntArray) -> None:
        """Put each row on the list of its slot."""
        if not len(slots):
            return
        self._cover(slots)
        if self._only is not None:
            if not self._only[slots].any():
                self._only[slots] = numbers = rows + 1
                if (self._only[slots] == numbers).all():
                    return
                self._only[slots] = 0
            self._spread_out()
        order, ascending = sorted_order(slots)
        firsts = np.flatnonzero(np.diff(ascending, prepend=-1))
        touched, number = ascending[firsts], np.diff(firsts, append=len(slots))
        lengths = self._lengths[touched]
        tight = lengths + number > self._room[touched]
        if tight.any():
            self._move(touched[tight], lengths[tight], number[tight])
        free = self._starts[touched] + lengths
        self._items[np.repeat(free - firsts, number) + np.arange(len(slots))] = rows[order]
        self._lengths[touched] = lengths + number

    def keep(self, slots: IntArray, counts: IntArray) -> IntArray:
        """Shorten the lists of distinct slots to the rows whose `counts` are not 0; returns the others."""
        self._cover(slots)
        rows = self.of(slots)
        stays = counts[rows] != 0
        dropped: IntArray = rows[~stays]
        if self._only is not None:
            there = slots[self._only[slots] > 0]
            self._only[there[~stays]] = 0
            return dropped
        starts, lengths = self._starts[slots], self._lengths[slots]
        owners = np.repeat(np.arange(len(slots)), lengths)
        left = np.bincount(owners[stays], minlength=len(slots))
        begins = np.cumsum(left) - left
        self._items[np.repeat(starts - begins, left) + np.arange(left.sum())] = rows[stays]
        self._lengths[slots] = left
        return dropped

    def _cover(self, slots: IntArray) -> None:
        size = int(slots.max()) + 1 if len(slots) else 0
        if self._only is not None:
            self._only = grown(self._only, size, 0)
        elif size > len(self._lengths):
            self._starts = grown(self._starts, size, 0)
            self._lengths = grown(self._lengths, size, 0)
            self._room = grown(self._room, size, 0)

    def _spread_out(self) -> None:
        """From one row a slot to a list a slot, each in its slot's place."""
        assert self._only is not None
        size = len(self._only)
        self._items, self._lengths = self._only - 1, (self._only > 0).astype(np.int64)
        self._starts, self._room, self._used = np.arange(size), np.ones(size, np.int64), size
        self._only = None

    def _move(self, slots: IntArray, lengths: IntArray, more: IntArray) -> None:
        room = np.where(lengths == 0, more, 2 * (lengths + more))
        ends = self._used + np.cumsum(room)
        starts = ends - room
        self._used = int(ends[-1])
        self._items = grown(self._items, self._used, 0)
        for owners, places in spread(lengths, _ALL):
            self._items[starts[owners] + places] = self._items[self._starts[slots][owners] + places]
        self._starts[slots] = starts
        self._room[slots] = room
