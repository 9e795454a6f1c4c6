"""WindowAggregate: one row of results a group and window, out once when the watermark has passed the window's end.

A window closes when the watermark reaches its end plus the allowed lateness. Its state is dropped then; rows that come
for it later are late: counted, and handed to the late output.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import attrs
import numpy as np
import pyarrow as pa

from flow.durations import microseconds, spelled
from flow.errors import GraphError
from flow.operator import KEY_GROUP, Kept, Partition, PartitionContext, Tables, TwoPhase
from flow.schema import StreamSchema, changelog_of
from operators.aggregates.bank import Aggregations, Bank
from operators.aggregates.columns import BoolArray, IntArray, column, physical
from operators.aggregates.layout import (
    CHUNK,
    Emit,
    apart,
    as_names,
    as_pairs,
    can_merge,
    check_emit,
    key_fields,
    partial_names,
    result_fields,
)
from operators.aggregates.probe import Probe
from operators.aggregates.store import Store, groups_of
from operators.merge_aggregate import MergeAggregate, WholeAggregate
from operators.panes import Block, Panes
from operators.preaggregate import PreAggregate, used
from operators.window import WINDOW_END, Window, timed_rows, window_columns, window_fields

_NUMBERS: Final = np.iinfo(np.int64)
_PENDING: Final = 32_768


@attrs.frozen
class WindowAggregate(WholeAggregate):
    """Aggregates the rows of each key in each window of event time.

    With ``emit="final"`` a row comes out once, when its window closes, windows in order. With ``"changes"`` a batch
    gives, for each group and window whose result it changed, a retraction of the old row and an insertion of the new
    one; nothing comes out when a window closes. A row that belongs to several windows is late when all of them have
    closed, and counts in those that have not. Rows without event time are rejected.

    The event time of what comes out is `window_end`, unless lateness is allowed: else it would be behind the watermark.

    Attributes:
        keys: names of key columns.
        aggregations: name of the result, and aggregation (a mapping will do).
        window: `Tumble` or `Hop` over the stream's event time.
        emit: when results come out.
        allowed_lateness: how much longer than to their ends windows stay open; kept in microseconds.
        routed: by which of the keys the rows were divided among the partitions (default: by all, in their order).
        single: whether there is one partition: where there is no key.
    """

    keys: tuple[str, ...] = attrs.field(converter=as_names)
    aggregations: Aggregations = attrs.field(converter=as_pairs)
    window: Window
    emit: Emit = attrs.field(default="final")
    allowed_lateness: int = attrs.field(default=0, converter=microseconds, repr=spelled)
    routed: tuple[str, ...] = attrs.field(default=(), converter=as_names)
    single: bool = attrs.field(init=False, repr=False, eq=False)

    vectorised = True
    takes_back = "takes a window's row back when the window changes (unless it emits final results)"

    @single.default
    def _single(self) -> bool:
        return not self.keys

    @emit.validator
    def _known_emit(self, attribute: attrs.Attribute[str], value: str) -> None:
        check_emit(value)

    @allowed_lateness.validator
    def _not_negative(self, attribute: attrs.Attribute[int], value: int) -> None:
        if value < 0:
            raise GraphError(f"the allowed lateness must not be negative, not {value} microseconds")

    def output(self, inputs: Mapping[str, StreamSchema]) -> StreamSchema:
        """Keys, `window_start`, `window_end` (timestamps in microseconds, in the event time's zone), results."""
        (schema,) = inputs.values()
        window = window_fields(schema, self.window)
        if schema.event_time != self.window.column:
            stands = "there is none" if schema.event_time is None else f"that is {schema.event_time!r}"
            raise GraphError(
                f"windows over {self.window.column!r} would never close: they must be over the stream's event time, "
                f"and {stands}"
            )
        columns = pa.schema([*key_fields(schema, self.keys), *window, *result_fields(schema, self.aggregations)])
        columns = changelog_of(columns) if self.emit == "changes" else columns
        return StreamSchema(columns, None if self.allowed_lateness else WINDOW_END)

    def open(self, context: PartitionContext) -> Partition:
        """As `Operator.open`."""
        return _WindowPartition(self, context.input, context, merging=False)

    def open_merging(self, schema: StreamSchema, context: PartitionContext) -> Partition:
        """As `WholeAggregate.open_merging`."""
        return _WindowPartition(self, schema, context, merging=True)

    def needs(self, wanted: frozenset[str]) -> Mapping[str, frozenset[str]]:
        """Keys, arguments and the event time."""
        return {"in": used(self.keys, self.aggregations, self.window)}

    def keeps(self, inputs: Mapping[str, StreamSchema]) -> Kept | None:
        """The open windows."""
        return Kept(f"{'one entry a key' if self.keys else 'one entry'} in each open window", "bounded")

    def two_phase(self, inputs: Mapping[str, StreamSchema]) -> TwoPhase | None:
        """Partial results before the exchange, unless rows can be retracted or their order matters."""
        (schema,) = inputs.values()
        if not can_merge(schema, self.aggregations):
            return None
        return TwoPhase(PreAggregate(self.keys, self.aggregations, self.window), MergeAggregate(self, schema))


class _WindowPartition(Partition):
    def __init__(
        self, operator: WindowAggregate, schema: StreamSchema, context: PartitionContext, merging: bool
    ) -> None:
        self._window = operator.window
        self._context = context
        self._merging = merging
        self._columns = operator.output({"in": schema}).columns
        self._final = operator.emit == "final"
        self._stays = operator.window.size + operator.allowed_lateness
        names = list(operator.keys)
        self._keys = [schema.columns.get_field_index(key) for key in names]
        self._time = schema.columns.get_field_index(operator.window.column)
        self._kind = self._columns.field(len(names)).type
        kinds = self._columns.types[: len(names)]
        self._panes = Panes(kinds, lambda kinds: Store(schema, kinds, operator.aggregations))
        self._probe = None if merging else Probe(schema, operator.aggregations)
        self._local: Partition | None = None
        if not merging and can_merge(schema, operator.aggregations):
            # Rows are grouped by slice first: a row that belongs to many windows is then looked at once.
            phase = PreAggregate(operator.keys, operator.aggregations, operator.window)
            self._local = phase.open_partition({"in": schema})
        self._routed = [names.index(key) for key in operator.routed or names]
        states = Bank(schema, operator.aggregations).partial_types
        (number,) = apart([*names, KEY_GROUP], ["_window"])
        columns = [*names, number, *partial_names([*names, number, KEY_GROUP], len(states)), KEY_GROUP]
        self._states = list(range(len(names) + 1, len(names) + 1 + len(states)))
        self._state = pa.schema([*map(pa.field, columns, [*kinds, pa.int64(), *states, pa.int64()])])
        self._closed = int(_NUMBERS.min)
        # Partial states that no result was asked of yet: merging a few rows takes as long as merging thousands.
        self._pending: list[pa.RecordBatch] = []

    def probe(self, batch: pa.RecordBatch) -> None:
        """Raise where an argument or filter cannot be computed of a row."""
        if self._probe is not None:
            self._probe(batch)

    def on_batch(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Take rows in, and yield the changes that follow."""
        return iter(self._take_in(batch))

    def on_watermark(self, time: int) -> Iterator[pa.RecordBatch]:
        """Close windows, and yield their results unless these have come out as they came."""
        last = min(max((time - self._window.offset - self._stays) // self._window.slide, _NUMBERS.min), _NUMBERS.max)
        if last <= self._closed:
            return iter(())
        self._settle()
        results = self._close(last) if self._final else []
        self._closed = last
        self._panes.drop(last)
        return iter(results)

    def state_rows(self) -> int:
        """As `Partition.state_rows`."""
        waiting: int = sum(batch.num_rows for batch in self._pending)
        return waiting + sum(len(block.store) for block in self._panes)

    def snapshot(self) -> Tables:
        """A row a group and open window: keys, window, partial states, key group; and which windows have closed."""
        self._settle()
        parts = []
        for block in self._panes:
            slots = block.store.standing()
            numbers = block.numbers(slots)
            slots, numbers = slots[numbers > self._closed], numbers[numbers > self._closed]
            keys = block.keys(slots)
            groups = column(pa.int64(), groups_of(keys, self._routed, len(slots)))
            arrays = [*keys, column(pa.int64(), numbers), *block.store.bank.partial(slots), groups]
            parts.append(pa.RecordBatch.from_arrays(arrays, schema=self._state))
        return {"panes": pa.Table.from_batches(parts, self._state), "closed": pa.table({"window": [self._closed]})}

    @np.errstate(all="ignore")
    def restore(self, state: Tables) -> None:
        """Take up groups, from any number of partitions."""
        place = len(self._keys)
        for batch in state["panes"].drop_columns([KEY_GROUP]).to_batches() if "panes" in state else ():
            if batch.num_rows:
                numbers = physical(batch.column(place))
                states = batch.select(self._states)
                for block, part, keys in self._divide(states, batch.columns[:place], numbers):
                    block.store.add(part, keys, merging=True)
        if "closed" in state:
            self._closed = max([self._closed, *state["closed"]["window"].to_pylist()])

    @np.errstate(all="ignore")
    def _take_in(self, batch: pa.RecordBatch) -> list[pa.RecordBatch]:
        if not batch.num_rows:
            return []
        if self._merging and self._final:
            self._pending.append(batch)
            if sum(pending.num_rows for pending in self._pending) >= _PENDING:
                self._settle()
            return []
        if self._merging:
            return self._merge(batch)
        batch, slices = timed_rows(batch, self._time, self._window, self._context)
        late = self._late(slices)
        if late is not None:
            self._context.late(batch.take(pa.array(np.flatnonzero(late))))
            kept = np.flatnonzero(~late)
            batch, slices = batch.take(pa.array(kept)), slices[kept]
        if not batch.num_rows:
            return []
        if self._local is None:
            return self._add(batch, [batch.column(index) for index in self._keys], slices, merging=False)
        partials = [*self._local.on_batch(batch), *self._local.flush()]
        return [result for partial in partials for result in self._merge(partial)]

    @np.errstate(all="ignore")
    def _settle(self) -> None:
        """Merge the partial states that wait for it."""
        if self._pending:
            pending, self._pending = self._pending, []
            self._merge(pa.concat_batches(pending) if len(pending) > 1 else pending[0])

    def _merge(self, batch: pa.RecordBatch) -> list[pa.RecordBatch]:
        """Take partial states in: keys, slice, states, of which the first is the number of rows."""
        place = len(self._keys)
        slices = physical(batch.column(place))
        late = self._late(slices)
        if late is not None:
            self._context.late_rows(int(physical(batch.column(place + 1))[late].sum()))
            kept = np.flatnonzero(~late)
            batch, slices = batch.take(pa.array(kept)), slices[kept]
        return self._add(batch.select(self._states), batch.columns[:place], slices, merging=True)

    def _late(self, slices: IntArray) -> BoolArray | None:
        """Which slices are those of windows that have all closed; None where none is."""
        if not len(slices) or self._window.last(slices[[slices.argmin()]])[0] > self._closed:
            return None
        late: BoolArray = (self._window.last(slices) <= self._closed) & self._window.inside(slices)
        return late

    def _add(
        self, batch: pa.RecordBatch, keys: list[pa.Array], slices: IntArray, merging: bool
    ) -> list[pa.RecordBatch]:
        places, numbers = self._window.windows(slices)
        if places is not None:
            kept = numbers > self._closed
            places, numbers = places[kept], numbers[kept]
            chosen = pa.array(places)
            batch, keys = batch.take(chosen), [key.take(chosen) for key in keys]
        results = []
        for block, part, groups in self._divide(batch, keys, numbers) if batch.num_rows else ():
            if self._final:
                block.store.add(part, groups, merging)
            else:
                changes = block.store.change(part, groups, merging)
                if changes is not None:
                    weights = column(pa.int64(), changes.weights)
                    results.append(self._rows(block, changes.slots, [*changes.results, weights]))
        return results

    def _divide(
        self, batch: pa.RecordBatch, keys: list[pa.Array], numbers: IntArray
    ) -> Iterator[tuple[Block, pa.RecordBatch, list[pa.Array]]]:
        """The rows of each block, and the keys that its store has."""
        encoded: dict[int, list[pa.Array]] = {}
        order, stretches = self._panes.split(numbers)
        if order is not None:
            # One copy in the blocks' order, of which each block gets a slice, as opposed to a copy a block.
            places = column(pa.int64(), order)
            batch, keys, numbers = batch.take(places), [key.take(places) for key in keys], numbers[order]
        for block, start, end in stretches:
            groups = encoded.get(id(block.numbered))
            if groups is None:
                groups = encoded[id(block.numbered)] = block.numbered.encode(keys)
            if block.several:
                groups = [*groups, column(pa.int64(), numbers)]
            if end - start == len(numbers):
                yield block, batch, groups
            else:
                yield block, batch.slice(start, end - start), [group.slice(start, end - start) for group in groups]

    @np.errstate(all="ignore")
    def _close(self, last: int) -> list[pa.RecordBatch]:
        batches: list[pa.RecordBatch] = []
        for block in self._panes:
            if block.low > last:
                break
            slots = block.closing(self._closed, last)
            for low in range(0, len(slots), CHUNK):
                some = slots[low : low + CHUNK]
                batches.append(self._rows(block, some, block.store.bank.results(some)))
        if len(batches) < 2:
            return batches
        joined: list[pa.RecordBatch] = pa.Table.from_batches(batches).combine_chunks().to_batches(max_chunksize=CHUNK)
        return joined

    def _rows(self, block: Block, slots: IntArray, results: list[pa.Array]) -> pa.RecordBatch:
        window = window_columns(self._window, block.numbers(slots), self._kind)
        return pa.RecordBatch.from_arrays([*block.keys(slots), *window, *results], schema=self._columns)
