"""Deduplicate: the first row of each key passes.

A key is forgotten, where that is asked for, when the watermark is `within` past the event time of the row that passed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import attrs
import numpy as np
import pyarrow as pa

from flow.durations import Duration, microseconds, spelled
from flow.errors import GraphError, known
from flow.graph import Stream
from flow.hashing import hash_columns, key_groups
from flow.keys import KeyIndex, factorise
from flow.nodes import ErrorPolicy
from flow.operator import KEY_GROUP, Kept, Operator, Partition, PartitionContext, Tables
from flow.schema import BEFORE_ALL, StreamSchema
from flow.verbs import verb
from operators.aggregates.columns import BoolArray, IntArray, column, event_microseconds, grown, physical, plain_type
from operators.aggregates.layout import apart, as_names
from operators.routing import keyed

_FEWER: Final = (
    "say within what time a key may come again, deduplicate(within=...), or group by windows of event time in its place"
)


def _within(value: Duration | None) -> int | None:
    return None if value is None else microseconds(value)


@attrs.frozen
class Deduplicate(Operator):
    """Lets the first row of each key pass, of an input that only appends.

    Without `within` the state is one entry a key, for ever. With it, rows that are more than `within` behind the
    watermark are late, since their keys may have been forgotten; rows without event time are rejected.

    Attributes:
        keys: names of key columns (none: all columns).
        within: how long keys are remembered, in event time; kept in microseconds.
        routed: by which of the keys the rows were divided among the partitions (default: by all, in their order).
    """

    keys: tuple[str, ...] = attrs.field(default=(), converter=as_names)
    within: int | None = attrs.field(default=None, converter=_within)
    routed: tuple[str, ...] = attrs.field(default=(), converter=as_names)

    vectorised = True

    @within.validator
    def _positive(self, attribute: attrs.Attribute[int | None], value: int | None) -> None:
        if value is not None and value <= 0:
            raise GraphError(f"within must be longer than nothing, not {value} microseconds")

    def output(self, inputs: Mapping[str, StreamSchema]) -> StreamSchema:
        """The input's columns."""
        (schema,) = inputs.values()
        if schema.changelog:
            raise GraphError(
                "the input is a changelog: a row that passed could be taken back; use aggregate(...) by key"
            )
        names = set(schema.names)
        for key in self.keys:
            if key not in names:
                raise GraphError(f"no key column {key!r}; {known(key, schema.names)}")
        if self.within is not None and schema.event_time is None:
            raise GraphError("within is measured in event time, and the stream has none")
        return schema

    def keeps(self, inputs: Mapping[str, StreamSchema]) -> Kept | None:
        """The keys that have come."""
        if self.within is None:
            return Kept("one entry a key", "keys", _FEWER)
        return Kept(f"one entry a key that came within {spelled(self.within)}", "bounded")

    def open(self, context: PartitionContext) -> Partition:
        """As `Operator.open`."""
        return _DeduplicatePartition(self, context)


class _Seen:
    """Keys that passed, and the event times of the rows that did."""

    def __init__(self, kinds: list[pa.DataType]) -> None:
        self.index = KeyIndex(kinds)
        self.times = np.zeros(0, np.int64)

    def remembered(self, keys: list[pa.Array], expired: int) -> BoolArray:
        """Which keys are there, with a time after `expired`."""
        slots = self.index.find(keys)
        there: BoolArray = slots >= 0
        if len(self.times):
            there &= self.times[slots] > expired
        return there

    def add(self, keys: list[pa.Array], times: IntArray) -> None:
        """Remember distinct keys; the later time counts where a key is there."""
        slots = self.index.slots(keys)
        self.times = grown(self.times, len(self.index), BEFORE_ALL)
        self.times[slots] = np.maximum(self.times[slots], times)


class _DeduplicatePartition(Partition):
    def __init__(self, operator: Deduplicate, context: PartitionContext) -> None:
        schema = context.input
        self._context = context
        self._names = list(operator.keys) or schema.names
        self._keys = [schema.columns.get_field_index(key) for key in self._names]
        self._routed = [self._names.index(key) for key in operator.routed or self._names]
        self._kinds = [plain_type(schema.columns.field(index).type) for index in self._keys]
        self._within = operator.within
        self._time_name = schema.event_time
        self._time = -1 if schema.event_time is None else schema.columns.get_field_index(schema.event_time)
        # Keys by when they are forgotten: a generation is as long as `within`, and dropped whole.
        self._generations: dict[int, _Seen] = {}
        self._expired = BEFORE_ALL

    def on_batch(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Yield the rows whose keys are new."""
        times = np.zeros(batch.num_rows, np.int64)
        if self._within is not None:
            batch, times = self._timed(batch)
        if not batch.num_rows:
            return
        _, first = factorise([batch.column(index) for index in self._keys])
        first = np.sort(first)
        keys = [batch.column(index).take(pa.array(first)) for index in self._keys]
        fresh = np.ones(len(first), np.bool_)
        for seen in self._generations.values():
            fresh &= ~seen.remembered(keys, self._expired)
        rows = first[fresh]
        if not len(rows):
            return
        chosen = pa.array(np.flatnonzero(fresh))
        self._remember([key.take(chosen) for key in keys], times[rows])
        yield batch if len(rows) == batch.num_rows else batch.take(pa.array(rows))

    def on_watermark(self, time: int) -> Iterator[pa.RecordBatch]:
        """Forget keys."""
        if self._within is not None:
            self._expired = max(self._expired, time - self._within - 1)
            for generation in [key for key in self._generations if (key + 1) * self._within - 1 <= self._expired]:
                del self._generations[generation]
        return iter(())

    def state_rows(self) -> int:
        """As `Partition.state_rows`."""
        return sum(len(seen.index) for seen in list(self._generations.values()))

    def snapshot(self) -> Tables:
        """A row a key: the key, its time, key group; and up to which time keys are forgotten."""
        (time,) = apart([*self._names, KEY_GROUP], ["_time"])
        tables = []
        for seen in self._generations.values():
            keys = seen.index.columns()
            groups = key_groups(hash_columns([keys[index] for index in self._routed]))
            arrays = [*keys, column(pa.int64(), seen.times[: len(groups)]), column(pa.int64(), groups)]
            tables.append(pa.table(arrays, [*self._names, time, KEY_GROUP]))
        progress = pa.table({"expired": pa.array([self._expired], pa.int64())})
        return {"keys": pa.concat_tables(tables), "progress": progress} if tables else {"progress": progress}

    def restore(self, state: Tables) -> None:
        """Take up keys, from any number of partitions."""
        for batch in state["keys"].to_batches() if "keys" in state else ():
            if batch.num_rows:
                keys = batch.columns[: len(self._keys)]
                self._remember(keys, physical(batch.column(len(keys))))
        if "progress" in state:
            self._expired = max([self._expired, *state["progress"]["expired"].to_pylist()])

    def _timed(self, batch: pa.RecordBatch) -> tuple[pa.RecordBatch, IntArray]:
        array = batch.column(self._time)
        if array.null_count:
            self._context.reject(batch.filter(array.is_null()), f"NULL event time in {self._time_name!r}")
            batch = batch.filter(array.is_valid())
        times = event_microseconds(batch.column(self._time))
        late = times <= self._expired
        if late.any():
            self._context.late(batch.filter(pa.array(late)))
            batch, times = batch.filter(pa.array(~late)), times[~late]
        return batch, times

    def _remember(self, keys: list[pa.Array], times: IntArray) -> None:
        generations = np.zeros(len(times), np.int64) if self._within is None else times // self._within
        for generation in np.unique(generations).tolist():
            places = np.flatnonzero(generations == generation)
            chosen = pa.array(places)
            if generation not in self._generations:
                self._generations[generation] = _Seen(self._kinds)
            self._generations[generation].add([key.take(chosen) for key in keys], times[places])


@verb
def deduplicate(
    stream: Stream,
    *keys: str,
    within: Duration | None = None,
    name: str | None = None,
    partitions: int | None = None,
    on_error: ErrorPolicy = "fail",
) -> Stream:
    """Let the first row of each key pass.

    Args:
        stream: what to read; rows are divided by key here, unless that was done by `key_by`.
        keys: key columns (none: those of `key_by`, or else all).
        within: forget a key when the watermark is this far past the row that passed (default: never).
        name: of the node.
        partitions: how many instances.
        on_error: what becomes of rows without event time.
    """
    wanted = keys or stream.keys or tuple(stream.schema.names)
    stream, routed = keyed(stream, wanted)
    return stream.apply(Deduplicate(wanted, within, routed), name=name, partitions=partitions, on_error=on_error)
