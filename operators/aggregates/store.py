"""Groups and their aggregates: an index from keys to slots, and a bank of accumulators over the slots.

A group stands when it has a row of the result: while rows of it are there, or, where it is the whole table, always.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import attrs
import numpy as np
import pyarrow as pa

from flow.hashing import hash_columns, key_groups
from flow.schema import StreamSchema
from operators.aggregates.bank import Aggregations, Bank
from operators.aggregates.columns import BoolArray, IntArray, differ, grown, unique_slots
from operators.wide_keys import key_index


@attrs.frozen
class Changes:
    """Rows of the result that go and come: first all that go (`retracted` many), then all that come.

    Attributes:
        slots: int64[n].
        results: the aggregates, a column each.
    """

    slots: IntArray
    results: list[pa.Array]
    retracted: int

    @property
    def weights(self) -> IntArray:
        """int64[n]: -1 for rows that go, 1 for rows that come."""
        weights = np.ones(len(self.slots), np.int64)
        weights[: self.retracted] = -1
        return weights


@attrs.frozen
class _Before:
    """Groups as they were: which of them stood, and their results, if any did."""

    slots: IntArray
    stood: BoolArray
    results: list[pa.Array]


class Store:
    """The groups of one partition, or of some of its windows."""

    def __init__(
        self, schema: StreamSchema, kinds: Sequence[pa.DataType], aggregations: Aggregations, *, table: bool = False
    ) -> None:
        """An empty store; `kinds` are the (plain) types of the keys, `schema` that of the rows that are aggregated.

        Without keys there is one group. With `table`, it is the whole table, and stands when it has no rows, too.
        """
        self._index = key_index(kinds) if kinds else None
        self._table = table
        self._whole = False
        self._noted: list[_Before] = []
        self._marks = np.zeros(0, np.bool_)
        self.bank = Bank(schema, aggregations)

    def __len__(self) -> int:
        return int(self._whole) if self._index is None else len(self._index)

    def keys(self, slots: IntArray | None = None) -> list[pa.Array]:
        """The keys of slots (None: of all)."""
        return [] if self._index is None else self._index.columns(slots)

    def slots(self, keys: Sequence[pa.Array], rows: int) -> IntArray:
        """The slots of so many rows with these keys."""
        if self._index is not None:
            return self._index.slots(keys)
        self._whole = True
        return np.zeros(rows, np.int64)

    def add(self, batch: pa.RecordBatch, keys: Sequence[pa.Array], merging: bool) -> None:
        """Add rows of the input, or, where `merging`, partial states."""
        self._apply(batch, self.slots(keys, batch.num_rows), merging)

    def change(self, batch: pa.RecordBatch, keys: Sequence[pa.Array], merging: bool) -> Changes | None:
        """As `add`, and say which rows of the result change."""
        self.take(batch, keys, merging)
        return next(self.changes(), None)

    def take(self, batch: pa.RecordBatch, keys: Sequence[pa.Array], merging: bool) -> int:
        """As `add`, noting the results of groups as they were; returns how many are noted since the last `changes`."""
        known = len(self)
        slots = self.slots(keys, batch.num_rows)
        touched = unique_slots(slots, len(self))
        self.bank.grow(len(self))
        if self._noted:
            self._marks = grown(self._marks, len(self), False)
            self._marks[self._noted[-1].slots] = True
            touched = touched[~self._marks[touched]]
        stood = self._stand(touched, known)
        self._noted.append(_Before(touched, stood, self.bank.results(touched) if stood.any() else []))
        self._apply(batch, slots, merging)
        return sum(len(before.slots) for before in self._noted)

    def changes(self) -> Iterator[Changes]:
        """Which rows of the result have changed since the last call, some groups at a time."""
        noted, self._noted = self._noted, []
        for before in noted:
            if len(self._marks):
                self._marks[before.slots[before.slots < len(self._marks)]] = False
            changes = self._changes_since(before)
            if changes is not None:
                yield changes

    def _changes_since(self, noted: _Before) -> Changes | None:
        touched, stood, before = noted.slots, noted.stood, noted.results
        stand = self._stand(touched, len(self))
        after = self.bank.results(touched)
        if before and not self.bank.counts_all:
            changed: BoolArray = stood != stand
            for old, new in zip(before, after, strict=True):
                changed = changed | differ(old, new)
            stood, stand = stood & changed, stand & changed
        if before and stood.all() and stand.all():
            results = [pa.concat_arrays(pair) for pair in zip(before, after, strict=True)]
            return Changes(np.concatenate([touched, touched]), results, len(touched))
        gone, come = np.flatnonzero(stood), np.flatnonzero(stand)
        if not len(gone) and not len(come):
            return None
        results = _taken(after, come)
        if len(gone):
            results = [pa.concat_arrays(pair) for pair in zip(_taken(before, gone), results, strict=True)]
        return Changes(np.concatenate([touched[gone], touched[come]]), results, len(gone))

    def standing(self) -> IntArray:
        """The slots of all groups that stand, ascending."""
        slots = np.arange(len(self))
        return slots[self._stand(slots, len(self))]

    def clear(self) -> None:
        """Forget all groups."""
        if self._index is not None:
            self._index.clear()
        self._whole = False
        self.bank.clear()

    def _apply(self, batch: pa.RecordBatch, slots: IntArray, merging: bool) -> None:
        if merging:
            self.bank.merge(batch.columns, slots, len(self))
        else:
            self.bank.update(batch, slots, len(self))

    def _stand(self, slots: IntArray, known: int) -> BoolArray:
        return slots < known if self._table else self.bank.rows[slots] > 0


def _taken(columns: Iterable[pa.Array], rows: IntArray) -> list[pa.Array]:
    chosen = pa.array(rows)
    return [column if len(rows) == len(column) else column.take(chosen) for column in columns]


def groups_of(keys: Sequence[pa.Array], routed: Sequence[int], rows: int) -> IntArray:
    """The key group of so many rows, by the keys at the positions `routed`; 0 where there are none."""
    return key_groups(hash_columns([keys[index] for index in routed])) if routed else np.zeros(rows, np.int64)
