"""TopN: the first rows in an order, of each key or of all, kept up to date while rows come and go.

What has come out is at any time the first rows of all that has gone in; only changes of these come out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final

import attrs
import numpy as np
import pyarrow as pa

from flow.errors import GraphError, known
from flow.graph import Stream
from flow.keys import KeyIndex
from flow.nodes import ErrorPolicy
from flow.operator import Kept, Operator, Partition, PartitionContext, Tables
from flow.schema import WEIGHT, StreamSchema, changelog_of
from flow.verbs import verb
from operators.aggregates.columns import IntArray, column, grown, plain, plain_type, unique_slots
from operators.aggregates.layout import as_names
from operators.expressions.type_names import type_text
from operators.heads import Heads, Runs, Seen
from operators.routing import keyed
from operators.row_counts import RowCounts, changes_of, counted_rows, row_kinds, rows_and_weights
from operators.values.order_words import Order, arranged, closest, has_order, order_words

_ENDLESS: Final = 2**62
_SPARE: Final = 64
_GREATEST: Final = 2**63 - 1


def _as_orders(given: Iterable[Order | str]) -> tuple[Order, ...]:
    return tuple(Order(each) if isinstance(each, str) else each for each in given)


@attrs.frozen
class TopN(Operator):
    """The first rows in an order, of each key or of all; the result is a changelog.

    Rows that the order does not tell apart are ordered by their other columns, ascending, so that the result is always
    the same. Columns come out plain where they come in dictionary-encoded.

    Of an input that only appends, the state is the first `offset` + `limit` rows of each key; else it is all rows.

    Attributes:
        order: columns to order by (a name alone means ascending).
        limit: how many rows come out at most (None: all).
        offset: how many rows at the beginning do not.
        keys: the names of key columns; without any, the first rows of all.
        rank: the name of a further column with the rows' numbers in the order: int64, from 1; the offset counts.
        routed: by which of the keys the rows were divided among the partitions (default: by all, in their order).
        single: whether there is one partition: where there is no key.
    """

    order: tuple[Order, ...] = attrs.field(converter=_as_orders)
    limit: int | None = None
    offset: int = 0
    keys: tuple[str, ...] = attrs.field(default=(), converter=as_names)
    rank: str | None = None
    routed: tuple[str, ...] = attrs.field(default=(), converter=as_names)
    single: bool = attrs.field(init=False, repr=False, eq=False)

    timed = False
    vectorised = True
    takes_back = "takes rows back when others come before them"

    @single.default
    def _single(self) -> bool:
        return not self.keys

    def __attrs_post_init__(self) -> None:
        for name, value in (("limit", self.limit), ("offset", self.offset)):
            if value is not None and value < 0:
                raise GraphError(f"{name} must not be negative; it is {value}")
        if self.limit is None and not self.offset and self.rank is None:
            raise GraphError("an order alone changes no table: give a limit, an offset, or a name for the rows' rank")

    def output(self, inputs: Mapping[str, StreamSchema]) -> StreamSchema:
        """The input's columns, then the rank."""
        (schema,) = inputs.values()
        row_kinds(schema)
        for name in (*self.keys, *(order.column for order in self.order)):
            if name not in schema.names:
                raise GraphError(f"no column {name!r}; {known(name, schema.names)}")
        for order in self.order:
            kind = plain_type(schema.column_type(order.column))
            if not has_order(kind):
                raise GraphError(f"column {order.column!r} is {type_text(kind)}, whose values have no order")
        fields = [pa.field(name, plain_type(schema.column_type(name))) for name in schema.names]
        if self.rank is not None:
            if self.rank in (*schema.names, WEIGHT):
                raise GraphError(f"the rank cannot be called {self.rank!r}: there is a column of that name")
            fields.append(pa.field(self.rank, pa.int64()))
        return StreamSchema(changelog_of(pa.schema(fields)))

    def keeps(self, inputs: Mapping[str, StreamSchema]) -> Kept | None:
        """The first rows of each key; all rows where some can be taken back, or where all come out."""
        (schema,) = inputs.values()
        if schema.changelog or self.limit is None:
            return Kept("every row", "rows")
        rows = f"the first {self.offset + self.limit} rows"
        return Kept(f"{rows} of each key", "keys") if self.keys else Kept(rows, "bounded")

    def open(self, context: PartitionContext) -> Partition:
        """As `Operator.open`."""
        return _TopPartition(self, context)


class _TopPartition(Partition):
    """Of each group the head is known: its first rows, in their order, and whether others stand behind (it is cut).

    A head that is cut goes on up to the last row that comes out, and, where rows can be taken back, somewhat further:
    then all rows of a group must be looked through only now and then.
    """

    def __init__(self, operator: TopN, context: PartitionContext) -> None:
        schema = context.input
        names = schema.names
        self._columns = operator.output(context.inputs).columns
        self._changelog = schema.changelog
        self._names = names
        self._offset = operator.offset
        self._end = min(_ENDLESS if operator.limit is None else operator.offset + operator.limit, _ENDLESS)
        self._most = min(2 * self._end + _SPARE, _ENDLESS) if self._changelog else self._end
        self._nothing = operator.limit == 0
        self._ranked = operator.rank is not None
        self._keys = [names.index(key) for key in operator.keys]
        self._routed = [names.index(key) for key in operator.routed or operator.keys]
        places = [names.index(order.column) for order in operator.order]
        others = [place for place in range(len(names)) if place not in (*places, *self._keys)]
        self._order = list(zip(places, operator.order, strict=True))
        self._ties = [(place, Order(names[place])) for place in others]
        self._kinds = row_kinds(schema)
        self._rows = RowCounts(self._kinds)
        self._groups = KeyIndex([self._kinds[place] for place in self._keys]) if self._keys else None
        self._heads = Heads()
        self._heads.grow(1)
        self._cut = np.zeros(1, np.bool_)
        self._group = np.zeros(0, np.int64)
        self._inside = np.zeros(0, np.bool_)
        self._change = np.zeros(0, np.int64)

    def on_batch(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Yield the changes of the first rows that follow from rows."""
        if not batch.num_rows or self._nothing:
            return
        columns, weights = rows_and_weights(batch, self._changelog)
        groups = self._group_of(columns)
        near = self._near(columns, groups)
        if not self._changelog:
            columns, groups = _taken(columns, groups, near)
            near = None
            if not len(groups):
                return
        slots = self._slots(columns, groups)
        touched, changes = self._rows.add(slots, weights)
        self._change[touched] = changes
        if near is not None:
            touched_near = unique_slots(slots[near], len(self._rows))
            near = touched_near[self._change[touched_near] != 0]
        yield from self._emitted(self._settle(touched if near is None else near))
        self._change[touched] = 0
        self._compact()

    def state_rows(self) -> int:
        """As `Partition.state_rows`."""
        return len(self._rows)

    def snapshot(self) -> Tables:
        """A row for each distinct row: its columns, how often it is there, key group."""
        return self._rows.snapshot(self._names, self._routed)

    def restore(self, state: Tables) -> None:
        """Take up rows, from any number of partitions."""
        for columns, (counts,) in counted_rows(state, len(self._names)):
            self._rows.add(self._slots(columns, self._group_of(columns)), counts)
        if len(self._rows):
            self._revise(np.flatnonzero(self._rows.counts[0][: len(self._rows)] > 0), whole=True)

    def _group_of(self, columns: Sequence[pa.Array]) -> IntArray:
        """The group of each row."""
        if self._groups is None:
            return np.zeros(len(columns[0]), np.int64)
        groups = self._groups.slots([columns[place] for place in self._keys])
        self._heads.grow(len(self._groups))
        self._cut = grown(self._cut, len(self._groups), False)
        return groups

    def _slots(self, columns: Sequence[pa.Array], groups: IntArray) -> IntArray:
        slots, size = self._rows.slots(columns), len(self._rows)
        self._group, self._change = grown(self._group, size, 0), grown(self._change, size, 0)
        self._inside = grown(self._inside, size, False)
        self._group[slots] = groups
        return slots

    def _near(self, columns: Sequence[pa.Array], groups: IntArray) -> IntArray | None:
        """The rows that can belong into a head, as far as the first column of the order says; None: all."""
        order = (self._order or self._ties)[:1]
        present = unique_slots(groups, len(self._cut))
        cut = present[self._cut[present]]
        if not order or (self._changelog and not len(cut)):
            return None
        place, first = order[0]
        array = plain(columns[place])
        if len(cut):
            array = pa.concat_arrays([array, self._rows.columns(self._heads.last(cut))[place]])
        words = order_words(array, first.descending, first.nulls_first)
        bounds = np.full(len(self._cut), _GREATEST)
        bounds[cut] = words[len(groups) :]
        words = words[: len(groups)]
        near = np.flatnonzero(words <= bounds[groups])
        if not self._changelog and len(near):
            best = closest(words[near], groups[near], self._end)
            near = near if best is None else near[best]
        return None if len(near) == len(groups) else near

    def _settle(self, changed: IntArray) -> Seen | None:
        """Bring the heads up to date of the groups of some rows, whose counts have changed."""
        if not len(changed):
            return None
        groups = unique_slots(self._group[changed], len(self._cut))
        seen, short = self._revise(np.concatenate([self._heads.of(groups), changed[~self._inside[changed]]]))
        if not len(short):
            return seen
        rows, left = self._first_of(short)
        again, _ = self._revise(rows, whole=True)
        self._cut[left] = True
        return Seen(*(np.concatenate(pair) for pair in zip(attrs.astuple(seen), attrs.astuple(again), strict=True)))

    def _first_of(self, groups: IntArray) -> tuple[IntArray, IntArray]:
        """All rows of some groups, as far as they can belong into heads, and the groups of which some cannot."""
        wanted = np.zeros(len(self._cut), np.bool_)
        wanted[groups] = True
        size = len(self._rows)
        mine, there = wanted[self._group[:size]], self._rows.counts[0][:size] > 0
        rows = np.flatnonzero(mine & there)
        gone = np.flatnonzero(mine & self._inside[:size] & ~there)
        if len(rows) > self._most:
            place, first = (self._order or self._ties)[0]
            words = order_words(self._rows.columns(rows)[place], first.descending, first.nulls_first)
            best = closest(words, self._group[rows], self._most)
            if best is not None:
                left = np.ones(len(rows), np.bool_)
                left[best] = False
                return np.concatenate([rows[best], gone]), unique_slots(self._group[rows[left]], len(self._cut))
        return np.concatenate([rows, gone]), groups[:0]

    def _revise(self, slots: IntArray, whole: bool = False) -> tuple[Seen, IntArray]:
        """Find the heads of groups anew.

        Args:
            slots: the rows that are or can now be in heads, each once.
            whole: whether these are all rows of their groups.

        Returns:
            Where these rows could and can be seen, and groups left as they are: too few of their rows are known.
        """
        slots = slots[self._arranged(slots)]
        groups, inside = self._group[slots], self._inside[slots]
        runs = Runs.of(groups)
        counts = self._rows.counts[0][slots]
        old = np.where(inside, np.maximum(counts - self._change[slots], 0), 0)
        new = np.maximum(counts, 0)
        cut = self._cut[runs.groups] & (not whole)
        # Where the last row of a head is, others may have been left out behind it.
        behind = runs.spread(cut) & ~inside & (runs.before(inside) == runs.spread(runs.sum(inside)))
        new[behind] = 0
        lacking = cut & (runs.sum(new) < self._end)
        if lacking.any():
            kept = ~runs.spread(lacking)
            short = runs.groups[lacking]
            slots, old, new, counts = (each[kept] for each in (slots, old, new, counts))
            runs, cut = Runs.of(groups[kept]), cut[~lacking]
        else:
            short = runs.groups[:0]
        was, now = runs.before(old), runs.before(new)
        head = (new > 0) & (now < self._most)
        self._cut[runs.groups] = cut | (runs.sum((counts > 0) & ~head) > 0)
        self._heads.put(runs.groups, runs.sum(head), slots[head])
        self._inside[slots] = head
        if not self._changelog:
            self._rows.forget(slots[~head])
        edges = (np.clip(edge, self._offset, self._end) for edge in (was, was + old, now, now + new))
        return Seen(slots, *edges), short

    def _arranged(self, slots: IntArray) -> IntArray:
        columns = self._rows.columns(slots)
        words = [
            [partial(order_words, columns[place], order.descending, order.nulls_first) for place, order in orders]
            for orders in (self._order, self._ties)
        ]
        return arranged(self._group[slots], *words)

    def _emitted(self, seen: Seen | None) -> Iterator[pa.RecordBatch]:
        if seen is None:
            return
        if self._ranked:
            slots, ranks, weights = seen.ranks()
        else:
            slots, weights = seen.slots, seen.until - seen.start - (seen.was_until - seen.was_start)
        changed = np.flatnonzero(weights)
        if len(changed):
            columns = self._rows.columns(slots[changed])
            if self._ranked:
                columns.append(column(pa.int64(), ranks[changed]))
            made = changes_of(columns, weights[changed], self._columns)
            assert made is not None
            yield made

    def _compact(self) -> None:
        moved = self._rows.compact()
        if moved is None:
            return
        kept = np.flatnonzero(moved >= 0)
        old, size = self._group[kept], len(kept)
        used = unique_slots(old, len(self._cut))
        lengths, heads, cut = self._heads.lengths(used), self._heads.of(used), self._cut[used]
        groups = np.zeros(len(used), np.int64)
        if self._groups is not None:
            keys = self._groups.columns(used)
            self._groups.clear()
            groups = self._groups.slots(keys) if len(used) else groups
        renumbered = np.zeros(len(self._cut), np.int64)
        renumbered[used] = groups
        inside = self._inside[kept]
        self._group, self._inside = np.zeros(size, np.int64), np.zeros(size, np.bool_)
        self._change = np.zeros(size, np.int64)
        self._group[moved[kept]], self._inside[moved[kept]] = renumbered[old], inside
        self._heads, self._cut = Heads(), np.zeros(max(1, len(used)), np.bool_)
        self._heads.grow(len(self._cut))
        self._heads.put(groups, lengths, moved[heads])
        self._cut[groups] = cut


def _taken(columns: list[pa.Array], groups: IntArray, rows: IntArray | None) -> tuple[list[pa.Array], IntArray]:
    if rows is None:
        return columns, groups
    chosen = pa.array(rows)
    return [each.take(chosen) for each in columns], groups[rows]


@verb
def top(
    stream: Stream,
    limit: int | None,
    *order: Order | str,
    offset: int = 0,
    keys: str | Sequence[str] | None = None,
    rank: str | None = None,
    name: str | None = None,
    partitions: int | None = None,
    on_error: ErrorPolicy = "fail",
) -> Stream:
    """The first rows in an order, of each key or of all: ``flights.top(3, Order("delay", True), keys="origin")``.

    Args:
        stream: what to read; rows are divided by key here, unless that was done by `key_by`.
        limit: how many rows; None: all (with `offset` or `rank`).
        order: columns to order by; a name alone means ascending.
        offset: how many rows at the beginning do not come out.
        keys: key columns (default: those of `key_by`; without any, the first rows of all).
        rank: the name of a further column with the rows' numbers, from 1.
        name: of the node.
        partitions: how many instances.
        on_error: what becomes of rows that cannot be ordered.

    Raises:
        GraphError: a column is missing or has no order, or there is neither limit nor offset nor rank.
    """
    wanted = stream.keys if keys is None else (keys,) if isinstance(keys, str) else tuple(keys)
    stream, routed = keyed(stream, wanted)
    operator = TopN(order, limit, offset, wanted, rank, routed)
    return stream.apply(operator, name=name, partitions=partitions, on_error=on_error)
