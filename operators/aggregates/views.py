"""Aggregates over bags of values: numbers of values, extremes, whatever counts each value once, percentiles, lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, Protocol, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from operators.aggregates.accumulator import Accumulator, Values
from operators.aggregates.bag import Bag, View
from operators.aggregates.columns import IntArray, column, grown, present, unique_slots
from operators.aggregates.ranks import Sort, firsts, starts


class Numbers(View):
    """How many different values each slot has."""

    def __init__(self, bag: Bag) -> None:
        self._bag = bag
        self.numbers = np.zeros(bag.slots, np.int64)

    def grow(self, size: int) -> None:
        """As `View.grow`."""
        self.numbers = grown(self.numbers, size, 0)

    def change(self, born: IntArray, died: IntArray) -> None:
        """As `View.change`."""
        np.add.at(self.numbers, self._bag.owners[born], 1)
        np.add.at(self.numbers, self._bag.owners[died], -1)

    def result(self, slots: IntArray, counts: IntArray) -> pa.Array:
        """The numbers; 0 where there is no value."""
        return column(pa.int64(), self.numbers[slots])

    def clear(self) -> None:
        """As `View.clear`."""
        self.numbers.fill(0)


class Fed(Protocol):
    """What takes values: accumulators."""

    @property
    def accumulators(self) -> Mapping[object, Accumulator]:
        """By what they are."""


_Fed = TypeVar("_Fed", bound=Fed)


class Once(View, Generic[_Fed]):
    """Feeds each different value to accumulators once, and takes it out with its last copy."""

    def __init__(self, bag: Bag, fed: _Fed) -> None:
        self._bag = bag
        self.fed = fed

    def grow(self, size: int) -> None:
        """As `View.grow`."""
        for accumulator in self.fed.accumulators.values():
            accumulator.grow(size)

    def change(self, born: IntArray, died: IntArray) -> None:
        """As `View.change`."""
        weights = None
        if len(died):
            weights = np.ones(len(born) + len(died), np.int64)
            weights[len(born) :] = -1
            born = np.concatenate([born, died])
        (array,) = self._bag.values(born)
        values = Values(self._bag.owners[born], array, self._bag.slots, weights)
        for accumulator in self.fed.accumulators.values():
            accumulator.update(values)

    def clear(self) -> None:
        """As `View.clear`."""
        for accumulator in self.fed.accumulators.values():
            accumulator.clear()


class Best(View):
    """The value that comes first in an order, a slot one.

    When it goes, the slot is looked at again: but only when its result is asked for.
    """

    def __init__(self, bag: Bag, sorts: tuple[Sort, ...]) -> None:
        self._bag = bag
        self._sorts = sorts
        self._best = np.full(bag.slots, -1, np.int64)
        self._lost = np.zeros(bag.slots, np.bool_)

    def grow(self, size: int) -> None:
        """As `View.grow`."""
        self._best = grown(self._best, size, -1)
        self._lost = grown(self._lost, size, False)

    def change(self, born: IntArray, died: IntArray) -> None:
        """As `View.change`."""
        owners = self._bag.owners
        gone = owners[died]
        self._lost[gone[self._best[gone] == died]] = True
        born = born[~self._lost[owners[born]]]
        if len(born):
            standing = self._best[unique_slots(owners[born], self._bag.slots)]
            self._choose(np.concatenate([born, standing[standing >= 0]]))

    def result(self, slots: IntArray, counts: IntArray) -> pa.Array:
        """The values of the first column; NULL where there is none."""
        lost = slots[self._lost[slots]]
        if len(lost):
            self._best[lost] = -1
            self._lost[lost] = False
            self._choose(self._bag.members(lost)[1])
        return self._bag.column(self._best[slots])

    def renumber(self, numbers: IntArray) -> None:
        """As `View.renumber`."""
        held = np.flatnonzero(self._best >= 0)
        self._best[held] = numbers[self._best[held]]

    def clear(self) -> None:
        """As `View.clear`."""
        self._best.fill(-1)
        self._lost.fill(False)

    def _choose(self, entries: IntArray) -> None:
        owners, keys = self._bag.owners[entries], self._bag.sort_keys(entries, self._sorts)
        if 8 * len(entries) > self._bag.slots:
            # What does not come first by the most important key need not be sorted.
            least = np.full(self._bag.slots, np.iinfo(np.int64).max)
            np.minimum.at(least, owners, keys[0])
            near = np.flatnonzero(keys[0] == least[owners])
            entries, owners, keys = entries[near], owners[near], [key[near] for key in keys]
        best = firsts(owners, keys)
        self._best[owners[best]] = entries[best]


def discrete_percentile(bag: Bag, slots: IntArray, fraction: float, descending: bool) -> pa.Array:
    """PERCENTILE_DISC: the first value up to which there are at least that share of all; NULL where there is none."""
    places, entries = bag.sorted(slots, (Sort(0, descending),))
    ends, last, totals = _counted(bag, slots, places, entries)
    found = _at(ends, last, totals, np.maximum(np.ceil(fraction * totals).astype(np.int64), 1))
    chosen = np.full(len(slots), -1, np.int64)
    chosen[found >= 0] = entries[found[found >= 0]]
    return bag.column(chosen)


def mode(bag: Bag, slots: IntArray, descending: bool) -> pa.Array:
    """The value with the most copies, of several the one that comes first; NULL where there is none."""
    places, entries = bag.sorted(slots, (Sort(0, descending),))
    best = firsts(places, [-bag.times[entries]])
    chosen = np.full(len(slots), -1, np.int64)
    chosen[places[best]] = entries[best]
    return bag.column(chosen)


def listed(bag: Bag, slots: IntArray, sorts: tuple[Sort, ...], once: bool) -> pa.Array:
    """All values as a list in an order; NULL where there is none."""
    places, entries = bag.sorted(slots, sorts)
    if not once:
        times = bag.times[entries]
        places, entries = np.repeat(places, times), np.repeat(entries, times)
    lengths = np.bincount(places, minlength=len(slots))
    ends = np.zeros(len(slots) + 1, np.int32)
    np.cumsum(lengths, out=ends[1:])
    known = present(lengths > 0)
    mask = None if known is None else pa.array(~known)
    return pa.ListArray.from_arrays(pa.array(ends), bag.column(entries), mask=mask)


def joined(lists: pa.Array, separator: str) -> pa.Array:
    """Lists of strings as strings."""
    return pc.binary_join(lists, pa.scalar(separator, lists.type.value_type))


def _counted(bag: Bag, slots: IntArray, places: IntArray, entries: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """How many values there are up to each entry, over all slots; before each slot; and in each slot."""
    ends = np.cumsum(bag.times[entries])
    totals = np.zeros(len(slots), np.int64)
    begins = np.flatnonzero(starts(places))
    totals[places[begins]] = np.add.reduceat(bag.times[entries], begins) if len(begins) else 0
    return ends, np.cumsum(totals) - totals, totals


def _at(ends: IntArray, before: IntArray, totals: IntArray, ranks: IntArray) -> IntArray:
    """Where the entry of the rank-th value (from 1) of each slot stands; -1 where the slot has none."""
    return np.where(totals > 0, np.searchsorted(ends, before + ranks), -1)
