"""One input of a join: its rows, how often each is there, and the lists by key slot that the other input probes.

Invariant: rows are numbered as they come, which needs no look at the rows there are; a row that is taken back is looked
for under its key. Where that would take long, or finds nothing, rows are numbered by value from then on, each once. A
row that is gone keeps its number until another row of its key takes its place or the whole state is rebuilt. A row is
listed under its slot while it is there, and at most as many listed rows are gone as there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import attrs
import numpy as np
import pyarrow as pa

from flow.hashing import hash_columns
from flow.keys import KeyIndex, factorise
from operators.aggregates.columns import BoolArray, IntArray, column, grown, unique_slots
from operators.joining.lists import Lists
from operators.joining.payload import Payload, equal_rows

_FEW_GONE: Final = 4
_FEW_ROWS: Final = 65_536
_AT_ONCE: Final = 65_536
_FEW_TO_LOOK_AT: Final = 2
_FEW_ALIKE: Final = 64
_FEW_OF_MANY: Final = 16
_ANOTHER: Final = 0x9E3779B97F4A7C15 - 2**64


@attrs.frozen
class Delta:
    """What a batch changes, each row of a changelog once.

    Attributes:
        columns: of the rows, as the side keeps them.
        slots: of the rows' keys.
        weights: by how many each row becomes more or fewer; None: one more of each.
        rows: their numbers; none where the side keeps no rows.
    """

    columns: list[pa.Array]
    slots: IntArray
    weights: IntArray | None
    rows: IntArray

    def __len__(self) -> int:
        return len(self.slots)

    @property
    def counts(self) -> IntArray:
        """int64[n]: `weights`, ones included."""
        return np.ones(len(self), np.int64) if self.weights is None else self.weights

    def take(self, kept: BoolArray) -> Delta:
        """Some of the rows."""
        chosen = np.flatnonzero(kept)
        rows = pa.array(chosen)
        weights = None if self.weights is None else self.weights[chosen]
        numbers = self.rows[chosen] if len(self.rows) else self.rows
        return Delta([array.take(rows) for array in self.columns], self.slots[chosen], weights, numbers)


class Side:
    """The rows of one input.

    Args:
        kinds: types of its columns.
        indexed: the columns whose values are in the index, as which of the keys.
        index: of the keys.
    """

    def __init__(
        self, kinds: Sequence[pa.DataType], indexed: Mapping[int, int] | None = None, index: KeyIndex | None = None
    ) -> None:
        self._indexed = {} if indexed is None or index is None else dict(indexed)
        self._index = index
        self.stored: Final = [place for place in range(len(kinds)) if place not in self._indexed]
        self._kinds = [kinds[place] for place in self.stored]
        self._all = range(len(kinds))
        self._identity: KeyIndex | None = None
        self._counted = False
        self._empty()

    def _empty(self) -> None:
        self._payload = Payload(self._kinds)
        self._lists = Lists()
        self._slots = np.zeros(0, np.int64)
        self._listed = np.zeros(0, np.bool_)
        self._gone = np.zeros(0, np.int64)
        self._marks = np.zeros(0, np.int64)
        self._seen = np.zeros(0, np.int64)
        self._owes = np.zeros(0, np.int64)
        self._debts = 0
        self._live = 0
        self.counts = np.zeros(0, np.int64)
        self._partners = np.zeros(0, np.int64)
        self.rows = 0

    @property
    def partners(self) -> IntArray:
        """By how many each row is met, as whoever asks for it counts them: where nobody does, nothing is kept."""
        self._partners = grown(self._partners, self.rows, 0)
        return self._partners

    @property
    def worn(self) -> bool:
        """Whether most of the rows that are held are gone, so that rebuilding is worth it."""
        return self._counted and self.rows > 2 * self._live + _FEW_ROWS

    @property
    def live_slots(self) -> IntArray:
        """The slot of each row that is there."""
        return self._slots[self.standing()]

    def standing(self) -> IntArray:
        """The numbers of the rows that are there."""
        return np.flatnonzero(self.counts[: self.rows]) if self._counted else np.arange(self.rows)

    def slots(self, rows: IntArray) -> IntArray:
        """The slots of rows' keys."""
        return self._slots[rows]

    def values(self, rows: IntArray, columns: Sequence[int] | None = None) -> list[pa.Array]:
        """The values of rows, in some of the columns or all."""
        chosen = self._all if columns is None else columns
        held = [place for place in chosen if place not in self._indexed]
        values = dict(zip(held, self._payload.take(rows, [self.stored.index(place) for place in held]), strict=True))
        if len(held) < len(chosen):
            assert self._index is not None
            keys = self._index.columns(self._slots[rows])
            values |= {place: keys[self._indexed[place]] for place in chosen if place in self._indexed}
        return [values[place] for place in chosen]

    def count(self, rows: IntArray) -> IntArray | None:
        """How often rows are there; None: once each."""
        return self.counts[rows] if self._counted else None

    def pairs(self, slots: IntArray, most: int) -> Iterator[tuple[IntArray, IntArray]]:
        """As `Lists.pairs`; some rows may be gone."""
        return self._lists.pairs(slots, most)

    def of(self, slots: IntArray) -> IntArray:
        """The numbers of all rows under distinct slots, some of which may be gone."""
        return self._lists.of(slots)

    def apply(self, columns: list[pa.Array], slots: IntArray, weights: IntArray | None) -> Delta:
        """Let rows come and go; where `weights` is None, each comes once."""
        if self._identity is None and weights is None and not self._debts:
            return self._extend(columns, slots)
        weights = np.ones(len(slots), np.int64) if weights is None else weights
        if self._identity is None:
            delta = self._found(Delta(columns, slots, weights, np.zeros(0, np.int64)))
            if delta is not None:
                return delta
        return self._settle(columns, slots, weights, self._number(self._by_value(), self._stored(columns), slots))

    def load(self, stored: list[pa.Array], slots: IntArray, weights: IntArray | None, partners: IntArray) -> None:
        """Let rows, of the stored columns, come with the numbers of their partners; where `weights` is None, once."""
        if self._identity is None and (weights is None or (weights == 1).all()):
            rows = self._come(stored, slots)
            if partners.any():
                self.partners[rows] = partners
            return
        weights = np.ones(len(slots), np.int64) if weights is None else weights
        rows = self._number(self._by_value(), stored, slots)
        self.partners[rows] = partners
        self._settle([], slots, weights, rows)

    def _stored(self, columns: list[pa.Array]) -> list[pa.Array]:
        return [columns[place] for place in self.stored]

    def _by_value(self) -> KeyIndex:
        """The numbers of rows by their hashes; the first call numbers the rows that are there anew."""
        if self._identity is None:
            payload, slots, partners, counts = self._payload, self._slots, self.partners, self.counts
            standing = self.standing()
            self._identity = KeyIndex([pa.int64()])
            self._counted = True
            self._empty()
            # An index that is given all rows at once looks for most of them again each time that it grows.
            for low in range(0, len(standing), _AT_ONCE):
                rows = standing[low : low + _AT_ONCE]
                often = counts[rows] if len(counts) else None
                self.load(payload.take(rows, range(len(self.stored))), slots[rows], often, partners[rows])
        return self._identity

    def _extend(self, columns: list[pa.Array], slots: IntArray) -> Delta:
        return Delta(columns, slots, None, self._come(self._stored(columns), slots))

    def _come(self, stored: list[pa.Array], slots: IntArray) -> IntArray:
        rows = np.arange(self.rows, self.rows + len(slots))
        self._append(stored, slots)
        self._lists.add(slots, rows)
        if self._counted:
            self.counts[rows] = 1
            self._listed[rows] = True
            self._live += len(rows)
        return rows

    def _found(self, delta: Delta) -> Delta | None:
        """Let rows come and go where those that go are soon found; None, and nothing done, where they are not."""
        if np.abs(delta.counts).max() > 1:
            return None
        self._seen = grown(self._seen, int(delta.slots.max()) + 1, 0)
        left = self._without_pairs(delta)
        self._begin_to_count()
        gone, come = np.flatnonzero(left.counts < 0), np.flatnonzero(left.counts > 0)
        owed = come[:0]
        if self._debts:
            self._owes = grown(self._owes, int(delta.slots.max()) + 1, 0)
            owed = come[self._owes[left.slots[come]] > 0]
        rows, met = self._rows_of(left, gone, 1), self._rows_of(left, owed, -1)
        if rows is None or met is None:
            return None
        numbers = np.full(len(left), -1, np.int64)
        numbers[gone], numbers[owed] = rows, met
        return self._exchange(left, numbers)

    def _without_pairs(self, delta: Delta) -> Delta:
        """The changes without rows that both come and go."""
        weights, slots, seen = delta.counts, delta.slots, self._seen
        gone, come = np.flatnonzero(weights < 0), np.flatnonzero(weights > 0)
        seen[slots[come]] = -1
        seen[slots[gone]] = gone
        come = come[seen[slots[come]] >= 0]
        if not len(come):
            return delta
        seen[slots[gone]] = -1
        seen[slots[come]] = come
        gone = gone[seen[slots[gone]] >= 0]
        kept = np.ones(len(delta), np.bool_)
        if self._differ(slots[gone]) and self._differ(slots[come]):
            seen[slots[gone]] = gone
            before = seen[slots[come]]
            arrays = [[array.take(pa.array(some)) for array in self._stored(delta.columns)] for some in (before, come)]
            same = equal_rows(arrays[0], arrays[1], len(come))
            kept[before[same]] = kept[come[same]] = False
        else:
            some = np.concatenate([gone, come])
            places = pa.array(some)
            codes, first = factorise(
                [column(pa.int64(), slots[some]), *(array.take(places) for array in self._stored(delta.columns))]
            )
            net = np.zeros(len(first), np.int64)
            np.add.at(net, codes, weights[some])
            kept[some] = False
            often = np.abs(net)
            order = np.concatenate([np.flatnonzero(kept), np.repeat(some[first], often)])
            weights = np.concatenate([weights[kept], np.repeat(np.sign(net), often)])
            places = pa.array(order)
            return Delta([array.take(places) for array in delta.columns], slots[order], weights, delta.rows)
        return delta if kept.all() else delta.take(kept)

    def _differ(self, slots: IntArray) -> bool:
        """Whether all slots differ."""
        places = np.arange(len(slots))
        self._seen[slots] = places
        return bool((self._seen[slots] == places).all())

    def _rows_of(self, delta: Delta, places: IntArray, sign: int) -> IntArray | None:
        """The numbers that changed rows have among those there whose counts have this sign, all different; else -1.

        None where it takes long to look, or many are alike.
        """
        slots = delta.slots[places]
        if int(self._lists.lengths(slots).sum()) > _FEW_TO_LOOK_AT * len(delta):
            return None
        numbers = np.full(len(places), -1, np.int64)
        columns = self._stored(delta.columns)
        for owners, rows in self._lists.pairs(slots, _AT_ONCE):
            chosen = pa.array(places[owners])
            same = equal_rows([array.take(chosen) for array in columns], self.values(rows, self.stored), len(rows))
            same &= self.counts[rows] == sign
            numbers[owners[same]] = rows[same]
        known = np.flatnonzero(numbers >= 0)
        first = self._firsts(numbers[known]) == np.arange(len(known))
        lost = known[~first]
        if len(lost) > _FEW_ALIKE:
            return None
        if len(lost):
            # Equal rows want the same number: those that come later get others.
            taken = numbers[known[first]]
            self.counts[taken] = 0
            others = self._rows_of(delta, places[lost], sign)
            self.counts[taken] = sign
            if others is None:
                return None
            numbers[lost] = others
        return numbers

    def _exchange(self, delta: Delta, numbers: IntArray) -> Delta:
        """Take rows out by their numbers, and others in: in their places, where both have the same key.

        A row that goes and has no number has gone before it came: it is counted below zero until it comes.
        """
        counts, slots = delta.counts, delta.slots
        leaving, new = np.flatnonzero(numbers >= 0), np.flatnonzero(numbers < 0)
        met = leaving[counts[leaving] > 0]
        if len(met):
            np.subtract.at(self._owes, slots[met], 1)
            self._debts -= len(met)
        if self._payload.replaceable:
            gone, come = leaving[counts[leaving] < 0], new[counts[new] > 0]
            # Of several rows of a key one takes the place of one.
            self._seen[slots[come]] = -1
            self._seen[slots[gone]] = gone
            before = self._seen[slots[come]]
            self._seen[slots[come]] = come
            placed = (before >= 0) & (self._seen[slots[come]] == come)
            replaced, come = before[placed], come[placed]
            numbers[come] = numbers[replaced]
            chosen = pa.array(come)
            self._payload.replace(numbers[come], [array.take(chosen) for array in self._stored(delta.columns)])
            stays = np.ones(len(delta), np.bool_)
            stays[replaced] = False
            leaving, new = leaving[stays[leaving]], new[numbers[new] < 0]
        if len(new):
            chosen = pa.array(new)
            numbers[new] = self._come([array.take(chosen) for array in self._stored(delta.columns)], slots[new])
            self.counts[numbers[new]] = counts[new]
            owing = new[counts[new] < 0]
            if len(owing):
                self._owes = grown(self._owes, int(slots.max()) + 1, 0)
                np.add.at(self._owes, slots[owing], 1)
                self._debts += len(owing)
        if len(leaving):
            self.counts[numbers[leaving]] = 0
            self._live -= len(leaving)
            self._gone = grown(self._gone, int(slots[leaving].max()) + 1, 0)
            np.add.at(self._gone, slots[leaving], 1)
            self._shorten(unique_slots(slots[leaving], len(self._gone)))
        return Delta(delta.columns, slots, counts, numbers)

    def _begin_to_count(self) -> None:
        if not self._counted:
            self._counted = True
            self.counts = grown(self.counts, self.rows, 0)
            self._listed = grown(self._listed, self.rows, False)
            self.counts[: self.rows] = 1
            self._listed[: self.rows] = True
            self._live = self.rows

    def _settle(self, columns: list[pa.Array], slots: IntArray, weights: IntArray, rows: IntArray) -> Delta:
        """Change how often numbered rows are there."""
        first = self._firsts(rows)
        places = np.arange(len(rows))
        kept = first == places
        if not kept.all():
            net = np.zeros(len(rows), np.int64)
            np.add.at(net, first, weights)
            weights = net
        kept &= weights != 0
        delta = Delta(columns, slots, weights, rows)
        if not kept.all():
            delta = delta.take(kept)
        self._count(delta)
        return delta

    def _count(self, delta: Delta) -> None:
        rows, slots = delta.rows, delta.slots
        before = self.counts[rows]
        after = before + delta.counts
        self.counts[rows] = after
        leaving, coming = after == 0, before == 0
        self._live += int(coming.sum()) - int(leaving.sum())
        if not len(rows):
            return
        fresh = ~self._listed[rows]
        self._gone = grown(self._gone, int(slots.max()) + 1, 0)
        if fresh.any():
            self._listed[rows[fresh]] = True
            self._lists.add(slots[fresh], rows[fresh])
        returned = coming & ~fresh
        if returned.any():
            np.subtract.at(self._gone, slots[returned], 1)
        if leaving.any():
            np.add.at(self._gone, slots[leaving], 1)
            self._shorten(unique_slots(slots[leaving], len(self._gone)))

    def _shorten(self, slots: IntArray) -> None:
        slots = slots[2 * self._gone[slots] > self._lists.lengths(slots) + _FEW_GONE]
        if len(slots):
            dropped = self._lists.keep(slots, self.counts)
            self._listed[dropped] = False
            self._gone[slots] = 0

    def _append(self, columns: Sequence[pa.Array], slots: IntArray) -> None:
        start, self.rows = self.rows, self.rows + len(slots)
        self._payload.append(columns)
        self._slots = grown(self._slots, self.rows, 0)
        self._slots[start : self.rows] = slots
        if self._counted:
            self.counts = grown(self.counts, self.rows, 0)
            self._listed = grown(self._listed, self.rows, False)

    def _firsts(self, rows: IntArray) -> IntArray:
        """The first place at which each row's number stands."""
        if len(rows) * _FEW_OF_MANY < self.rows:
            _, first, which = np.unique(rows, return_index=True, return_inverse=True)
            firsts: IntArray = first[which]
            return firsts
        self._marks = grown(self._marks, self.rows, 0)
        self._marks[rows[::-1]] = np.arange(len(rows))[::-1]
        return self._marks[rows]

    def _number(self, identity: KeyIndex, columns: Sequence[pa.Array], slots: IntArray) -> IntArray:
        """The numbers of rows, by their hashes; rows whose hashes only happen to be equal get others."""
        hashes = hash_columns([column(pa.int64(), slots), *columns]).view(np.int64)
        numbers = np.zeros(len(slots), np.int64)
        left = np.arange(len(slots))
        while len(left):
            known = self.rows
            found = identity.slots([column(pa.int64(), hashes[left])])
            numbers[left] = found
            source = np.zeros(len(identity) - known, np.int64)
            new = found >= known
            source[found[new][::-1] - known] = left[new][::-1]
            taken = pa.array(source)
            self._append([array.take(taken) for array in columns], slots[source])
            check = ~new
            check[new] = source[found[new] - known] != left[new]
            left, met = left[check], found[check]
            rows = pa.array(left)
            same = self._slots[met] == slots[left]
            same &= equal_rows([array.take(rows) for array in columns], self.values(met, self.stored), len(left))
            left = left[~same]
            hashes[left] += np.int64(_ANOTHER)
        return numbers
