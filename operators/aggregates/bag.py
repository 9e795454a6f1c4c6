"""Multisets of values, a slot one: what aggregates are made from that need all values, or have to take some out again.

An entry is a slot and a value (of one column or several) with the number of its copies; it is live while that is above
zero. Aggregates over a bag are views: they are told which entries came alive and which died, or ask for the live ones.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Final, TypeVar, cast

import numpy as np
import pyarrow as pa

from flow.keys import KeyIndex
from operators.aggregates.accumulator import Accumulator, MadeOfRows, Values
from operators.aggregates.columns import BoolArray, IntArray, column, grown, physical, unique_slots
from operators.aggregates.ranks import Sort, sort_key

_SPARE: Final = 4096


class View(ABC):
    """Something that follows which values are there."""

    @abstractmethod
    def grow(self, size: int) -> None:
        """Make room for slots below `size`."""

    @abstractmethod
    def change(self, born: IntArray, died: IntArray) -> None:
        """Entries have come alive, and others have died."""

    @abstractmethod
    def clear(self) -> None:
        """Forget all slots."""

    def renumber(self, numbers: IntArray) -> None:
        """Entry n is now called ``numbers[n]``; those called -1 are gone, and none of them was live."""


_View = TypeVar("_View", bound=View)


class Bag(MadeOfRows):
    """The values of all slots.

    Attributes:
        times: int64[n], how many copies each entry has.
        owners: int64[n], the slot of each entry.
        arrivals: int64[n], a number that tells which of two live entries came alive first.
        slots: how many slots there is room for.
    """

    def __init__(self, kinds: Sequence[pa.DataType]) -> None:
        super().__init__(kinds[0])
        self._kinds = list(kinds)
        self._views: dict[object, View] = {}
        self.slots = 0
        self._index = KeyIndex([pa.int64(), *kinds])
        self.times, self.owners, self.arrivals = (np.zeros(0, np.int64) for _ in range(3))
        self._next = self._live = self._filed = 0
        # Sorted by owner, each run at least twice as long as the next: so that an entry is sorted only a few times.
        self._runs: list[tuple[IntArray, IntArray]] = []
        self._memo: tuple[IntArray, tuple[Sort, ...], tuple[IntArray, IntArray]] | None = None

    def view(self, name: object, make: Callable[[Bag], _View]) -> _View:
        """The view of a name, made where there is none yet; before any value comes."""
        if name not in self._views:
            self._views[name] = make(self)
        return cast(_View, self._views[name])

    def grow(self, size: int) -> None:
        """As `Accumulator.grow`."""
        self.slots = max(self.slots, size)
        for view in self._views.values():
            view.grow(size)

    def update(self, values: Values) -> None:
        """Add values, or take them out."""
        known = len(self._index)
        entries = self._index.slots([column(pa.int64(), values.slots), values.array, *values.more])
        size = len(self._index)
        self._memo = None
        if size > known:
            self.times, self.owners = grown(self.times, size, 0), grown(self.owners, size, 0)
            self.arrivals = grown(self.arrivals, size, 0)
            self.owners[entries] = values.slots
        if values.weights is None:
            np.add.at(self.times, entries, 1)
            born, died = np.arange(known, size), np.zeros(0, np.int64)
        else:
            touched = unique_slots(entries, size)
            before = self.times[touched] > 0
            np.add.at(self.times, entries, values.weights)
            after = self.times[touched] > 0
            born, died = touched[after & ~before], touched[before & ~after]
        self.arrivals[born] = np.arange(self._next, self._next + len(born))
        self._next += len(born)
        self._live += len(born) - len(died)
        for view in self._views.values():
            view.change(born, died)
        if size > 2 * self._live + _SPARE:
            self._compact()

    def values(self, entries: IntArray) -> list[pa.Array]:
        """The values of entries, a column each."""
        return self._index.columns(entries)[1:]

    def column(self, entries: IntArray, number: int = 0) -> pa.Array:
        """One column's values of entries; NULL where an entry is -1."""
        known = entries >= 0
        if known.all():
            return self.values(entries)[number]
        places = np.cumsum(known) - 1
        return self.values(entries[known])[number].take(pa.array(places, mask=~known))

    def members(self, slots: IntArray) -> tuple[IntArray, IntArray]:
        """The live entries of distinct slots, and where in `slots` the slot of each stands; in no order."""
        self._file()
        places, entries = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for owners, filed in self._runs:
            low, high = np.searchsorted(owners, slots), np.searchsorted(owners, slots, "right")
            lengths = high - low
            shift = np.repeat(low - (np.cumsum(lengths) - lengths), lengths)
            places.append(np.repeat(np.arange(len(slots)), lengths))
            entries.append(filed[np.arange(len(shift)) + shift])
        place, entry = np.concatenate(places), np.concatenate(entries)
        live = self.times[entry] > 0
        return place[live], entry[live]

    def sorted(self, slots: IntArray, sorts: tuple[Sort, ...]) -> tuple[IntArray, IntArray]:
        """As `members`, by slot, and within a slot in the order of `sorts` (then of arrival)."""
        if self._memo is not None and self._memo[0] is slots and self._memo[1] == sorts:
            return self._memo[2]
        places, entries = self.members(slots)
        order = np.lexsort((*reversed(self.sort_keys(entries, sorts)), places))
        found = places[order], entries[order]
        self._memo = (slots, sorts, found)
        return found

    def sort_keys(self, entries: IntArray, sorts: Sequence[Sort]) -> list[IntArray]:
        """What to sort entries by, the most important first; the last is their arrival, so that no two are alike."""
        columns = self.values(entries) if any(sort.column is not None for sort in sorts) else []
        keys, arrivals = [], self.arrivals[entries]
        for sort in sorts:
            if sort.column is None:
                keys.append(-arrivals if sort.descending else arrivals)
            else:
                keys.append(sort_key(columns[sort.column], sort))
        return [*keys, arrivals]

    @property
    def partial_types(self) -> Sequence[pa.DataType]:
        """The values as lists, a column each, and how often each is there."""
        return [*map(pa.list_, self._kinds), pa.list_(pa.int64())]

    def partial(self, slots: IntArray, keep: BoolArray | None) -> list[pa.Array]:
        """As `partial_types`, in order of arrival."""
        place = np.full(self.slots, -1, np.int64)
        place[slots] = np.arange(len(slots))
        size = len(self._index)
        entries = np.flatnonzero((place[self.owners[:size]] >= 0) & (self.times[:size] != 0))
        places = place[self.owners[entries]]
        order = np.lexsort((self.arrivals[entries], places))
        entries = entries[order]
        ends = np.zeros(len(slots) + 1, np.int32)
        np.cumsum(np.bincount(places, minlength=len(slots)), out=ends[1:])
        offsets = pa.array(ends)
        columns = [*self.values(entries), column(pa.int64(), self.times[entries])]
        return [pa.ListArray.from_arrays(offsets, part) for part in columns]

    def merge(self, slots: IntArray, counts: IntArray, columns: Sequence[pa.Array], size: int) -> None:
        """As `Accumulator.merge`."""
        lengths = physical(columns[0].value_lengths())
        first, *more, times = (part.flatten() for part in columns)
        self.update(Values(np.repeat(slots, lengths), first, size, physical(times), more=more))

    def empty(self) -> Accumulator:
        """As `MadeOfRows.empty`."""
        return Bag(self._kinds)

    def clear(self) -> None:
        """As `Accumulator.clear`."""
        self._index.clear()
        for state in (self.times, self.owners, self.arrivals):
            state.fill(0)
        self._next = self._live = self._filed = 0
        self._runs, self._memo = [], None
        for view in self._views.values():
            view.clear()

    def _file(self) -> None:
        """Have all entries in the runs."""
        size = len(self._index)
        if self._filed == size:
            return
        entries = np.arange(self._filed, size)
        while self._runs and len(self._runs[-1][1]) < 2 * len(entries):
            entries = np.concatenate([self._runs.pop()[1], entries])
        entries = entries[np.argsort(self.owners[entries], kind="stable")]
        self._runs.append((self.owners[entries], entries))
        self._filed = size

    def _compact(self) -> None:
        """Forget entries of which there is no copy."""
        kept = np.flatnonzero(self.times[: len(self._index)])
        columns = self._index.columns(kept)
        numbers = np.full(len(self._index), -1, np.int64)
        self._index = KeyIndex([pa.int64(), *self._kinds])
        numbers[kept] = renamed = self._index.slots(columns)
        order = np.argsort(renamed)
        self.times, self.owners, self.arrivals = (
            state[kept[order]] for state in (self.times, self.owners, self.arrivals)
        )
        self._runs, self._filed = [], 0
        for view in self._views.values():
            view.renumber(numbers)
