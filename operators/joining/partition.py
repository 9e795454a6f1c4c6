"""A join at work: what each batch on one side changes in the result, given the rows of the other.

Invariant: the changes put out so far sum up to the join of the rows that have come in. With A and B the two sides, a
change dA of A gives the pairs of dA with B, and whatever rows of B gain their first partner or lose their last. What a
batch gives contains no row both as coming and as going, and comes in pieces, of which only one is laid out at a time.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flow.hashing import hash_columns, key_groups
from flow.keys import KeyIndex
from flow.operator import KEY_GROUP, KEY_GROUPS, PortedPartition, Tables
from flow.schema import WEIGHT
from operators.aggregates.columns import BoolArray, IntArray, column, grown, physical, plain, unique_slots
from operators.expressions import BoundExpression
from operators.joining.input import Input, blank_rows, known_nulls, netted, of_type, same_columns
from operators.joining.ragged import spread
from operators.joining.side import Delta, Side

PIECE: Final = 131_072
"""Most rows of a batch that comes out."""

_MANY_SLOTS: Final = 65_536
_PORTS: Final = ("left", "right")


class JoinPartition(PortedPartition):
    """The state of a join, and what comes out of it.

    Args:
        inputs: left and right.
        output: the columns of the result.
        paired: whether pairs come out; else rows of the left only.
        null_safe: whether NULL keys equal each other.
        condition: what a pair must satisfy too.
        everywhere: the side, as its place in `inputs`, whose rows every partition has.
        elsewhere: the side whose rows are another partition's to store.
    """

    def __init__(
        self,
        inputs: tuple[Input, Input],
        output: pa.Schema,
        paired: bool,
        null_safe: bool,
        condition: BoundExpression | None,
        *,
        everywhere: int | None = None,
        elsewhere: int | None = None,
    ) -> None:
        self._inputs = inputs
        self._output = output
        self._weighted = bool(output.names) and output.names[-1] == WEIGHT
        self._paired = paired
        self._null_safe = null_safe
        self._condition = condition
        self._everywhere = everywhere
        self._elsewhere = elsewhere
        self._same = [same_columns(inputs[own], inputs[1 - own]) for own in (0, 1)]
        self._fetched = [[place for place in inputs[1 - own].given if place not in self._same[own]] for own in (0, 1)]
        self._begin()

    def _begin(self) -> None:
        kinds = self._inputs[0].key_kinds
        self._index = KeyIndex(kinds) if kinds else None
        self._sides = [self._empty(own) for own in (0, 1)]
        self._totals = [np.zeros(0, np.int64), np.zeros(0, np.int64)]
        self._next_look = _MANY_SLOTS
        self._ended = [False, False]

    def _empty(self, own: int) -> Side:
        return Side(self._inputs[own].kinds, self._inputs[own].indexed, self._index)

    def on_batch(self, batch: pa.RecordBatch, port: str = "") -> Iterator[pa.RecordBatch]:
        """Yield what a batch on the port ``left`` or ``right`` changes."""
        if not batch.num_rows:
            return
        self._rebuild_where_worn()
        own = _PORTS.index(port)
        if self._ended[own]:
            raise RuntimeError(
                f"rows came in on the {port}, which had ended when the state was stored: they find nothing"
            )
        given = self._inputs[own]
        columns = [known_nulls(batch.column(name)) for name in given.columns]
        # A key that is dictionary-encoded is looked up once a value of the dictionary.
        keys = [known_nulls(batch.column(name)) for name in given.keys]
        if self._keeps(own):
            columns = [of_type(array, kind) for array, kind in zip(columns, given.kinds, strict=True)]
        weights = physical(batch.column(WEIGHT)) if given.changelog else None
        if weights is not None and (weights == 1).all():
            weights = None
        slots = unmatched = None
        if not self._null_safe and any(array.null_count for array in keys):
            unmatched = np.logical_or.reduce([np.asarray(array.is_null()) for array in keys])
        if self._ended[1 - own] and self._index is not None:
            slots = self._index.find(keys)
            unknown = slots < 0
            if unknown.any():
                unmatched = unknown if unmatched is None else unmatched | unknown
        rows = batch.num_rows
        if unmatched is not None:
            yield from self._unmatched(own, columns, weights, unmatched)
            chosen = np.flatnonzero(~unmatched)
            rows = len(chosen)
            if not rows:
                return
            columns = [array.take(pa.array(chosen)) for array in columns]
            weights = None if weights is None else weights[chosen]
            slots = None if slots is None else slots[chosen]
            keys = [array.take(pa.array(chosen)) for array in keys] if slots is None else keys
        if slots is None:
            slots = self._slots(keys, rows)
        yield from self._changes(own, columns, slots, weights)

    def probe(self, batch: pa.RecordBatch, port: str = "") -> None:
        """Raise where the condition cannot be computed for a row and one that is there on the other side."""
        if self._condition is None or self._condition.root.total or not batch.num_rows:
            return
        own = _PORTS.index(port)
        given = self._inputs[own]
        columns = [plain(batch.column(name)) for name in given.columns]
        keys = [batch.column(name) for name in given.keys]
        slots = np.zeros(batch.num_rows, np.int64) if self._index is None else self._index.find(keys)
        known = slots >= 0
        if not self._null_safe:
            known = np.logical_and.reduce([known, *(np.asarray(array.is_valid()) for array in keys)])
        delta = Delta(columns, slots, None, np.zeros(0, np.int64)).take(known)
        for owners, rows, _ in self._pairs(own, delta):
            self._satisfying(own, delta, owners, rows)

    def on_port_end(self, port: str) -> None:
        """Rows of the other side are no longer kept: what they have not met by now they will not meet."""
        own = _PORTS.index(port)
        self._ended[own] = True
        if not self._keeps(1 - own):
            self._sides[1 - own] = self._empty(1 - own)

    def _keeps(self, own: int) -> bool:
        """Whether rows of a side are asked for later: by new ones of the other side, or by those that turn."""
        return self._inputs[own].kept and not (self._ended[1 - own] and not self._inputs[1 - own].shown)

    def state_rows(self) -> int:
        """As `Partition.state_rows`: rows, and, where a side only counts, keys."""
        rows = sum(side.rows for side in self._sides)
        if self._index is None or all(given.kept for given in self._inputs):
            return rows
        return rows + len(self._index)

    def snapshot(self) -> Tables:
        """A row a row that is there, or, of a side that only counts, a row a key."""
        tables = self._state()
        if self._elsewhere is not None:
            name = _PORTS[self._elsewhere]
            tables[name] = tables[name].slice(0, 0)
        return tables

    def _state(self) -> dict[str, pa.Table]:
        tables = {}
        for own, (name, given) in enumerate(zip(_PORTS, self._inputs, strict=True)):
            side = self._sides[own]
            rows = side.standing()
            if given.kept:
                slots, arrays, count = side.slots(rows), side.values(rows, side.stored), side.count(rows)
                counts = np.ones(len(rows), np.int64) if count is None else count
                partners = side.partners[rows]
            else:
                slots = np.flatnonzero(self._totals[own])
                arrays, counts, partners = [], self._totals[own][slots], np.zeros(len(slots), np.int64)
            keys = [] if self._index is None else self._index.columns(slots)
            groups = key_groups(hash_columns(keys)) if keys else np.zeros(len(slots), np.int64)
            ours = [column(pa.int64(), values) for values in (counts, partners, groups)]
            if own == self._everywhere:
                ours[-1] = pa.nulls(len(groups), pa.int64())
            names = [f"key_{number}" for number in range(len(keys))] + [
                f"column_{place}" for place in range(len(arrays))
            ]
            tables[name] = pa.table([*keys, *arrays, *ours], [*names, WEIGHT, "partners", KEY_GROUP])
        if any(self._ended):
            ports = [name for name, ended in zip(_PORTS, self._ended, strict=True) if ended]
            # Every partition has to know, whichever key groups it owns.
            ends = [(name, group) for name in ports for group in range(KEY_GROUPS)]
            tables["ended"] = pa.table([[name for name, _ in ends], [group for _, group in ends]], ["port", KEY_GROUP])
        return tables

    def restore(self, state: Tables) -> None:
        """Take up rows, from any number of partitions."""
        for own, (name, given) in enumerate(zip(_PORTS, self._inputs, strict=True)):
            for batch in state[name].combine_chunks().to_batches(PIECE) if name in state else ():
                if not batch.num_rows:
                    continue
                counts, partners = physical(batch.column(WEIGHT)), physical(batch.column("partners"))
                keys, columns = batch.columns[: len(given.keys)], batch.columns[len(given.keys) : -3]
                slots = self._slots(keys, batch.num_rows)
                if given.kept:
                    self._sides[own].load(columns, slots, counts if given.changelog else None, partners)
                self._total(own, slots, counts)
        for name in state["ended"].column("port").to_pylist() if "ended" in state else ():
            self._ended[_PORTS.index(name)] = True

    def _slots(self, keys: Sequence[pa.Array], rows: int) -> IntArray:
        return np.zeros(rows, np.int64) if self._index is None else self._index.slots(keys)

    def _total(self, own: int, slots: IntArray, counts: IntArray) -> None:
        """Count the rows of a side by key, where the other side has to know whether there are any."""
        if self._condition is None and self._inputs[1 - own].shown and len(slots):
            self._totals[own] = grown(self._totals[own], int(slots.max()) + 1, 0)
            np.add.at(self._totals[own], slots, counts)

    def _unmatched(
        self, own: int, columns: list[pa.Array], weights: IntArray | None, rows: BoolArray
    ) -> Iterator[pa.RecordBatch]:
        """Rows that no row can match: a key is NULL, or new to an input that ended. Nothing need be remembered."""
        if self._inputs[own].shown >= 0 or not rows.any():
            return
        chosen = np.flatnonzero(rows)
        arrays = [array.take(pa.array(chosen)) for array in columns]
        counts = np.ones(len(chosen), np.int64)
        if weights is not None:
            first, counts = netted(arrays, weights[chosen])
            arrays = [array.take(pa.array(first)) for array in arrays]
        yield from self._alone(own, arrays, counts)

    def _changes(
        self, own: int, columns: list[pa.Array], slots: IntArray, weights: IntArray | None
    ) -> Iterator[pa.RecordBatch]:
        if self._keeps(own):
            delta = self._sides[own].apply(columns, slots, weights)
        else:
            delta = Delta(columns, slots, weights, np.zeros(0, np.int64))
            if weights is not None and self._inputs[own].kept:
                first, net = netted([column(pa.int64(), slots), *columns], weights)
                places = pa.array(first)
                columns = [array.take(places) for array in columns]
                delta = Delta(columns, slots[first], net, delta.rows).take(net != 0)
        if not len(delta):
            return
        if self._condition is None:
            yield from self._by_key(own, delta)
        else:
            yield from self._by_pair(own, delta)

    def _by_key(self, own: int, delta: Delta) -> Iterator[pa.RecordBatch]:
        """Whether a row has partners is the same for all rows of a key."""
        other, shown, paired = 1 - own, self._inputs[1 - own].shown, delta
        counts = delta.counts
        if shown:
            touched = unique_slots(delta.slots, int(delta.slots.max()) + 1)
            self._totals[own] = grown(self._totals[own], int(touched[-1]) + 1, 0)
            before = self._totals[own][touched] > 0
            self._total(own, delta.slots, counts)
            after = self._totals[own][touched] > 0
            factors = shown * (after.astype(np.int64) - before)
            blank = blank_rows(delta.columns, len(delta)) if self._paired else None
            if blank is not None:
                # With a row of NULLs a pair looks like a row without partner: both are put out as one change.
                np.add.at(factors, np.searchsorted(touched, delta.slots[blank]), counts[blank])
                paired = delta.take(~blank)
        if self._paired:
            for owners, rows, there in self._pairs(own, paired):
                yield from self._joined(own, paired, owners, rows, there)
        void = 0
        if self._inputs[own].shown:
            totals = self._totals[other] = grown(self._totals[other], int(delta.slots.max()) + 1, 0)
            chosen = (totals[delta.slots] > 0) == (self._inputs[own].shown > 0)
            void = yield from self._shown(own, delta.columns, np.where(chosen, counts, 0), bool(shown))
        if shown:
            turned = np.flatnonzero(factors)
            for owners, rows in self._sides[other].pairs(touched[turned], PIECE):
                void += yield from self._turned(other, rows, factors[turned][owners])
            yield from self._voids(void)

    def _by_pair(self, own: int, delta: Delta) -> Iterator[pa.RecordBatch]:
        """Which rows are partners depends on the condition: their number is kept for every row."""
        other, shown = 1 - own, self._inputs[1 - own].shown
        mine, theirs = self._sides[own], self._sides[other]
        counts, found = delta.counts, np.zeros(len(delta), np.int64)
        blank = extra = None
        if shown:
            near = theirs.of(unique_slots(delta.slots, int(delta.slots.max()) + 1))
            before = theirs.partners[near] > 0
            blank = blank_rows(delta.columns, len(delta)) if self._paired else None
            if blank is not None:
                extra = np.zeros(theirs.rows, np.int64)
        for owners, rows, _ in self._pairs(own, delta):
            owners, rows = self._satisfying(own, delta, owners, rows)
            if not len(rows):
                continue
            there = theirs.count(rows)
            low = int(owners[0])
            high = int(owners[-1]) + 1
            np.add.at(found[low:high], owners - low, 1 if there is None else there)
            if shown:
                np.add.at(theirs.partners, rows, counts[owners])
            if blank is not None and extra is not None:
                ordinary = ~blank[owners]
                np.add.at(extra, rows[~ordinary], counts[owners[~ordinary]])
                owners, rows = owners[ordinary], rows[ordinary]
                there = None if there is None else there[ordinary]
            if self._paired:
                yield from self._joined(own, delta, owners, rows, there)
        void = 0
        if self._inputs[own].shown:
            if len(delta.rows):
                # Where a row took the place of one that went, its number is the other's.
                for change in (counts < 0, counts > 0):
                    mine.partners[delta.rows[change]] = found[change]
            chosen = (found > 0) == (self._inputs[own].shown > 0)
            void = yield from self._shown(own, delta.columns, np.where(chosen, counts, 0), bool(shown))
        if shown:
            factors = shown * ((theirs.partners[near] > 0).astype(np.int64) - before)
            if extra is not None:
                factors += extra[near]
            turned = np.flatnonzero(factors)
            for low in range(0, len(turned), PIECE):
                some = turned[low : low + PIECE]
                void += yield from self._turned(other, near[some], factors[some])
            yield from self._voids(void)

    def _pairs(self, own: int, delta: Delta) -> Iterator[tuple[IntArray, IntArray, IntArray | None]]:
        """Changed rows, by their places in the delta, rows of the other side with the same key, and how often each.

        As in `Side.count`, None stands for once each.
        """
        theirs = self._sides[1 - own]
        for owners, rows in theirs.pairs(delta.slots, PIECE):
            there = theirs.count(rows)
            if there is not None and not there.all():
                standing = np.flatnonzero(there)
                owners, rows, there = owners[standing], rows[standing], there[standing]
            if len(rows):
                yield owners, rows, there

    def _satisfying(self, own: int, delta: Delta, owners: IntArray, rows: IntArray) -> tuple[IntArray, IntArray]:
        assert self._condition is not None
        other, places = 1 - own, pa.array(owners)
        arrays = [list[pa.Array](), list[pa.Array]()]
        arrays[own] = [plain(delta.columns[index].take(places)) for index in self._inputs[own].asked]
        arrays[other] = [plain(array) for array in self._sides[other].values(rows, self._inputs[other].asked)]
        names = [given.columns[index] for given in self._inputs for index in given.asked]
        batch = pa.RecordBatch.from_arrays([*arrays[0], *arrays[1]], names)
        kept = np.flatnonzero(np.asarray(pc.fill_null(self._condition(batch), False)))
        return owners[kept], rows[kept]

    def _joined(
        self, own: int, delta: Delta, owners: IntArray, rows: IntArray, there: IntArray | None
    ) -> Iterator[pa.RecordBatch]:
        """Pairs, with the product of their weights."""
        if not len(rows):
            return
        other = 1 - own
        weights = None if delta.weights is None else delta.weights[owners]
        if there is not None:
            weights = there if weights is None else weights * there
        same, given = self._same[own], self._inputs[own].given
        needed = {*given, *(same[place] for place in self._inputs[other].given if place in same)}
        mine = {place: delta.columns[place] for place in needed}
        if len(owners) != len(delta) or not (owners == np.arange(len(delta))).all():
            places = pa.array(owners)
            mine = {place: array.take(places) for place, array in mine.items()}
        fetched = self._fetched[own]
        values = dict(zip(fetched, self._sides[other].values(rows, fetched), strict=True))
        ours = [mine[place] for place in given]
        theirs = [mine[same[place]] if place in same else values[place] for place in self._inputs[other].given]
        yield from self._out([*ours, *theirs] if own == 0 else [*theirs, *ours], weights, len(rows))

    def _shown(
        self, own: int, columns: list[pa.Array], weights: IntArray, hold: bool
    ) -> Generator[pa.RecordBatch, None, int]:
        """Changed rows without a partner (or with one); held back and returned: how many rows of nothing but NULLs."""
        blank = blank_rows(columns, len(weights)) if self._paired and hold else None
        if blank is None:
            yield from self._alone(own, columns, weights)
            return 0
        yield from self._alone(own, columns, np.where(blank, 0, weights))
        return int(weights[blank].sum())

    def _turned(self, own: int, rows: IntArray, factors: IntArray) -> Generator[pa.RecordBatch, None, int]:
        """Rows of the side that did not change, which come or go as often as they are there; returns as `_shown`."""
        there = self._sides[own].count(rows)
        weights = factors if there is None else factors * there
        return (yield from self._shown(own, self._sides[own].values(rows), weights, self._inputs[1 - own].shown != 0))

    def _voids(self, weight: int) -> Iterator[pa.RecordBatch]:
        """Rows of nothing but NULLs, which may stand for a row of either side without partner."""
        if weight:
            blank = [pa.nulls(1, given.kinds[place]) for given in self._inputs for place in given.given]
            yield from self._out(blank, np.array([weight]), 1)

    def _alone(self, own: int, columns: list[pa.Array], weights: IntArray) -> Iterator[pa.RecordBatch]:
        """Rows of one side without the other: with NULLs in its place where pairs come out."""
        chosen = np.flatnonzero(weights)
        if not len(chosen):
            return
        columns = [columns[place] for place in self._inputs[own].given]
        if len(chosen) < len(weights):
            rows = pa.array(chosen)
            columns, weights = [array.take(rows) for array in columns], weights[chosen]
        if self._paired:
            other = self._inputs[1 - own]
            padding = [pa.nulls(len(chosen), other.kinds[place]) for place in other.given]
            columns = [*columns, *padding] if own == 0 else [*padding, *columns]
        yield from self._out(columns, weights, len(chosen))

    def _out(self, columns: list[pa.Array], weights: IntArray | None, rows: int) -> Iterator[pa.RecordBatch]:
        """Rows with their weights (none is 0): as often as the weight says, each with a weight of 1 or -1."""
        columns = [of_type(array, field.type) for array, field in zip(columns, self._output, strict=False)]
        if not self._weighted:
            yield pa.RecordBatch.from_arrays(columns, schema=self._output)
            return
        if weights is None:
            weights = np.ones(rows, np.int64)
        often = np.abs(weights)
        if (often == 1).all():
            yield pa.RecordBatch.from_arrays([*columns, column(pa.int64(), weights)], schema=self._output)
            return
        for owners, _ in spread(often, PIECE):
            places = pa.array(owners)
            arrays = [array.take(places) for array in columns]
            arrays.append(column(pa.int64(), np.sign(weights[owners])))
            yield pa.RecordBatch.from_arrays(arrays, schema=self._output)

    def _rebuild_where_worn(self) -> None:
        """Forget rows and keys that are gone, once most are."""
        if not any(given.changelog for given in self._inputs):
            return
        worn = any(side.worn for side in self._sides)
        if not worn and self._index is not None and len(self._index) >= self._next_look:
            used = np.zeros(len(self._index), np.bool_)
            for side, totals in zip(self._sides, self._totals, strict=True):
                used[side.live_slots] = True
                used[np.flatnonzero(totals)] = True
            worn = 2 * int(used.sum()) < len(used)
            self._next_look = 2 * len(used)
        if worn:
            state = self._state()
            ended = self._ended
            self._begin()
            self.restore(state)
            self._ended = ended
