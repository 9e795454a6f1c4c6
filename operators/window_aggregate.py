"""WindowAggregate: one row of results a group and window, out once when the watermark has passed the window's end.

A window closes when the watermark reaches its end plus the allowed lateness. Its state is dropped then; rows that come for it
later are late: counted, and handed to the late output.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import attrs
import numpy as np
import pyarrow as pa

from flow.durations import microseconds
from flow.errors import GraphError
from flow.operator import KEY_GROUP, Operator, Partition, PartitionContext, Tables, TwoPhase
from flow.schema import StreamSchema, changelog_of
from operators.aggregates.aggregation import check_changelog
from operators.aggregates.bank import Aggregations
from operators.aggregates.columns import IntArray, column, physical
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
from operators.aggregates.store import Store
from operators.panes import Block, Panes
from operators.preaggregate import PreAggregate, used
from operators.window import WINDOW_END, Window, timed_rows, window_columns, window_fields

_NUMBERS: Final = np.iinfo(np.int64)


@attrs.frozen
class WindowAggregate(Operator):
    """Aggregates the rows of each key in each window of event time.

    With ``emit="final"`` a row comes out once, when its window closes, windows in order. With ``"changes"`` a batch gives, for
    each group and window whose result it changed, a retraction of the old row and an insertion of the new one; nothing comes
    out when a window closes. A row that belongs to several windows is late when all of them have closed; it counts in
    those that have not. Rows without event time are rejected.

    What comes out has `window_end` as its event time, where no lateness is allowed: then no row is behind the watermark.

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
    allowed_lateness: int = attrs.field(default=0, converter=microseconds)
    routed: tuple[str, ...] = attrs.field(default=(), converter=as_names)
    single: bool = attrs.field(init=False, repr=False, eq=False)

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
        check_changelog(schema, self.aggregations)
        window = window_fields(schema, self.window)
        if schema.event_time != self.window.column:
            stands = "the stream has none" if schema.event_time is None else f"the stream's is {schema.event_time!r}"
            raise GraphError(
                f"windows over {self.window.column!r} would never close: watermarks speak of the event time, and {stands}"
            )
        columns = pa.schema([*key_fields(schema, self.keys), *window, *result_fields(schema, self.aggregations)])
        columns = changelog_of(columns) if self.emit == "changes" else columns
        return StreamSchema(columns, None if self.allowed_lateness else WINDOW_END)

    def open(self, context: PartitionContext) -> Partition:
        """As `Operator.open`."""
        return _WindowPartition(self, context.input, context, merging=False)

    def needs(self, wanted: frozenset[str]) -> Mapping[str, frozenset[str]]:
        """Keys, arguments and the event time."""
        return {"in": used(self.keys, self.aggregations, self.window)}

    def two_phase(self, inputs: Mapping[str, StreamSchema]) -> TwoPhase | None:
        """Partial results before the exchange, unless rows can be retracted or their order matters."""
        (schema,) = inputs.values()
        if not can_merge(schema, self.aggregations):
            return None
        return TwoPhase(PreAggregate(self.keys, self.aggregations, self.window), MergeWindows(self, schema))


@attrs.frozen
class MergeWindows(Operator):
    """The half of a `WindowAggregate` that runs after the exchange: merges what `PreAggregate` puts out.

    Attributes:
        aggregate: the whole.
        schema: of the rows that are aggregated.
    """

    aggregate: WindowAggregate
    schema: StreamSchema
    single: bool = attrs.field(init=False, repr=False, eq=False)

    @single.default
    def _single(self) -> bool:
        return self.aggregate.single

    def output(self, inputs: Mapping[str, StreamSchema]) -> StreamSchema:
        """As the whole's."""
        return self.aggregate.output({"in": self.schema})

    def open(self, context: PartitionContext) -> Partition:
        """As `Operator.open`."""
        return _WindowPartition(self.aggregate, self.schema, context, merging=True)


class _WindowPartition(Partition):
    def __init__(
        self, operator: WindowAggregate, schema: StreamSchema, context: PartitionContext, merging: bool
    ) -> None:
        self._window = operator.window
        self._context = context
        self._columns = operator.output({"in": schema}).columns
        self._final = operator.emit == "final"
        self._stays = operator.window.size + operator.allowed_lateness
        names = list(operator.keys)
        self._keys = [names.index(key) if merging else schema.columns.get_field_index(key) for key in names]
        self._time = len(names) if merging else schema.columns.get_field_index(operator.window.column)
        self._partials = len(names) + 1 if merging else None
        self._kind = self._columns.field(len(names)).type
        kinds = self._columns.types[: len(names)]
        self._panes = Panes(
            lambda several: Store(schema, [*kinds, pa.int64()] if several else kinds, operator.aggregations)
        )
        self._routed = [names.index(key) for key in operator.routed or names]
        states = Store(schema, kinds, operator.aggregations).bank.partial_types
        (number,) = apart([*names, KEY_GROUP], ["_window"])
        self._names = [*names, number, *partial_names([*names, number, KEY_GROUP], len(states)), KEY_GROUP]
        self._state = pa.schema([*map(pa.field, self._names, [*kinds, pa.int64(), *states, pa.int64()])])
        self._closed = int(_NUMBERS.min)

    def on_batch(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Take rows in, and yield the changes that follow."""
        return iter(self._take_in(batch))

    def on_watermark(self, time: int) -> Iterator[pa.RecordBatch]:
        """Close windows, and yield their results unless these have come out as they came."""
        last = min(max((time - self._window.offset - self._stays) // self._window.slide, _NUMBERS.min), _NUMBERS.max)
        if last <= self._closed:
            return iter(())
        self._closed = last
        closed = self._close(last) if self._final else []
        self._panes.drop(last)
        return iter(closed)

    def snapshot(self) -> Tables:
        """A row a group and open window: keys, window, partial states, key group; and which windows have closed."""
        parts = []
        for block in self._panes:
            slots = block.store.standing()
            numbers = block.numbers(slots)
            if (numbers <= self._closed).any():
                slots, numbers = slots[numbers > self._closed], numbers[numbers > self._closed]
            keys, states, groups = block.store.snapshot(slots, self._routed)
            keys = keys[: len(self._keys)]
            arrays = [*keys, column(pa.int64(), numbers), *states, column(pa.int64(), groups)]
            parts.append(pa.RecordBatch.from_arrays(arrays, schema=self._state))
        return {"panes": pa.Table.from_batches(parts, self._state), "closed": pa.table({"window": [self._closed]})}

    @np.errstate(all="ignore")
    def restore(self, state: Tables) -> None:
        """Take up groups, from any number of partitions."""
        for batch in state["panes"].drop_columns([KEY_GROUP]).to_batches() if "panes" in state else ():
            if batch.num_rows:
                keys = batch.columns[: len(self._keys)]
                for block, part, groups in self._divide(batch, keys, physical(batch.column(len(keys)))):
                    block.store.add(part, groups, len(keys) + 1)
        if "closed" in state:
            self._closed = max([self._closed, *state["closed"]["window"].to_pylist()])

    @np.errstate(all="ignore")
    def _take_in(self, batch: pa.RecordBatch) -> list[pa.RecordBatch]:
        if not batch.num_rows:
            return []
        if self._partials is None:
            batch, slices = timed_rows(batch, self._time, self._window, self._context)
        else:
            slices = physical(batch.column(self._time))
        if not batch.num_rows:
            return []
        late = self._window.last(slices[[slices.argmin()]])[0] <= self._closed
        if late:
            batch, slices = self._without_late(batch, slices)
        places, numbers = self._window.windows(slices)
        if places is not None:
            open_windows = numbers > self._closed
            if not open_windows.all():
                places, numbers = places[open_windows], numbers[open_windows]
            batch = batch.take(pa.array(places))
        if not batch.num_rows:
            return []
        results = []
        for block, part, keys in self._divide(batch, [batch.column(index) for index in self._keys], numbers):
            if self._final:
                block.store.add(part, keys, self._partials)
            else:
                changes = block.store.change(part, keys, self._partials)
                if changes is not None:
                    weights = column(pa.int64(), changes.weights)
                    results.append(self._rows(block, changes.slots, [*changes.results, weights]))
        return results

    def _without_late(self, batch: pa.RecordBatch, slices: IntArray) -> tuple[pa.RecordBatch, IntArray]:
        late = (self._window.last(slices) <= self._closed) & self._window.inside(slices)
        rows = np.flatnonzero(late)
        if self._partials is None:
            self._context.late(batch.take(pa.array(rows)))
        else:
            self._context.late_rows(int(physical(batch.column(self._partials))[rows].sum()))
        kept = np.flatnonzero(~late)
        return batch.take(pa.array(kept)), slices[kept]

    def _divide(
        self, batch: pa.RecordBatch, keys: list[pa.Array], numbers: IntArray
    ) -> Iterator[tuple[Block, pa.RecordBatch, list[pa.Array]]]:
        """The rows of each block, and the keys that its store has."""
        for block, places in self._panes.split(numbers):
            groups = [*keys, column(pa.int64(), numbers)] if block.several else keys
            if places is None:
                yield block, batch, groups
            else:
                chosen = pa.array(places)
                yield block, batch.take(chosen), [group.take(chosen) for group in groups]

    @np.errstate(all="ignore")
    def _close(self, last: int) -> list[pa.RecordBatch]:
        batches: list[pa.RecordBatch] = []
        for block in self._panes:
            if block.low > last:
                break
            slots = block.closing(last)
            for low in range(0, len(slots), CHUNK):
                some = slots[low : low + CHUNK]
                batches.append(self._rows(block, some, block.store.bank.results(some)))
        if len(batches) < 2:
            return batches
        return pa.Table.from_batches(batches).combine_chunks().to_batches(max_chunksize=CHUNK)

    def _rows(self, block: Block, slots: IntArray, results: list[pa.Array]) -> pa.RecordBatch:
        keys = block.store.keys(slots)[: len(self._keys)]
        window = window_columns(self._window, block.numbers(slots), self._kind)
        return pa.RecordBatch.from_arrays([*keys, *window, *results], schema=self._columns)
