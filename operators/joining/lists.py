"""For each slot a list of row numbers: what a join probes.

Invariant: a slot's list is one stretch of one array, so that many lists are read at once by arithmetic. A list that
has no room left moves to the array's end with twice the room, which makes adding cost a constant time a row.
"""

from __future__ import annotations

import numpy as np

from operators.aggregates.columns import IntArray, grown
from operators.joining.ragged import sorted_order, spread

_ALL = 1 << 62


class Lists:
    """Lists of row numbers by slot."""

    def __init__(self) -> None:
        self._starts = np.zeros(0, np.int64)
        self._lengths = np.zeros(0, np.int64)
        self._room = np.zeros(0, np.int64)
        self._items = np.zeros(0, np.int64)
        self._used = 0

    def spans(self, slots: IntArray) -> tuple[IntArray, IntArray]:
        """Where the lists of these slots start, and how long they are."""
        if len(slots) and int(slots.max()) >= len(self._lengths):
            self._cover(int(slots.max()) + 1)
        return self._starts[slots], self._lengths[slots]

    def at(self, places: IntArray) -> IntArray:
        """The row numbers at these places."""
        return self._items[places]

    def of(self, slots: IntArray) -> tuple[IntArray, IntArray]:
        """All row numbers of distinct slots, and by how many each slot has them."""
        starts, lengths = self.spans(slots)
        for owners, places in spread(lengths, _ALL):
            return self._items[starts[owners] + places], lengths
        return np.zeros(0, np.int64), lengths

    def add(self, slots: IntArray, rows: IntArray) -> None:
        """Put each row on the list of its slot."""
        if not len(slots):
            return
        order, ascending = sorted_order(slots)
        firsts = np.flatnonzero(np.diff(ascending, prepend=-1))
        touched, number = ascending[firsts], np.diff(firsts, append=len(slots))
        self._cover(int(touched[-1]) + 1)
        lengths = self._lengths[touched]
        tight = lengths + number > self._room[touched]
        if tight.any():
            self._move(touched[tight], lengths[tight], number[tight])
        free = self._starts[touched] + lengths
        self._items[np.repeat(free - firsts, number) + np.arange(len(slots))] = rows[order]
        self._lengths[touched] = lengths + number

    def keep(self, slots: IntArray, counts: IntArray) -> IntArray:
        """Shorten the lists of distinct slots to the rows whose `counts` are not 0; returns the others."""
        starts, lengths = self.spans(slots)
        rows, _ = self.of(slots)
        owners = np.repeat(np.arange(len(slots)), lengths)
        stays = counts[rows] != 0
        left = np.bincount(owners[stays], minlength=len(slots))
        begins = np.cumsum(left) - left
        self._items[np.repeat(starts - begins, left) + np.arange(left.sum())] = rows[stays]
        self._lengths[slots] = left
        dropped: IntArray = rows[~stays]
        return dropped

    def _cover(self, size: int) -> None:
        self._starts = grown(self._starts, size, 0)
        self._lengths = grown(self._lengths, size, 0)
        self._room = grown(self._room, size, 0)

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
