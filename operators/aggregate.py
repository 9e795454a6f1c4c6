"""Aggregate: one row of results a group, over all rows so far.

Put together, the changes that have come out are at any time the aggregate of all rows that have gone in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import attrs
import numpy as np
import pyarrow as pa

from flow.durations import Duration
from flow.errors import GraphError
from flow.graph import Stream
from flow.nodes import ErrorPolicy
from flow.operator import KEY_GROUP, Kept, Operator, Partition, PartitionContext, Tables, TwoPhase
from flow.schema import StreamSchema, changelog_of
from flow.verbs import verb
from operators.aggregates.aggregation import Aggregation
from operators.aggregates.bank import Aggregations
from operators.aggregates.columns import IntArray, column
from operators.aggregates.layout import (
    CHUNK,
    Emit,
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
from operators.preaggregate import PreAggregate, used
from operators.routing import keyed
from operators.window import Window
from operators.window_aggregate import WindowAggregate

_MANY: Final = 4_096
"""Changed groups from which on changes are held back until a flush."""

_FEWER_KEYS: Final = "group by windows of event time too: a window's groups go when it closes"
_FEWER_VALUES: Final = f"{_FEWER_KEYS}; or use a function that keeps less, such as approx_count_distinct"


@attrs.frozen
class Aggregate(WholeAggregate):
    """Aggregates all rows of each key.

    With ``emit="changes"`` a batch gives, for each group whose result it changed, a retraction of the old row and an
    insertion of the new one; where these are many, they are held back for those of the next batches, which take their
    places. With ``"final"`` every group comes out once, when the input has ended. Without keys there
    is exactly one row, even if no row ever comes in.

    The state is one entry a key, for ever. Key columns come out plain where they come in dictionary-encoded.

    Attributes:
        keys: names of key columns.
        aggregations: name of the result, and aggregation (a mapping will do).
        emit: when results come out.
        routed: by which of the keys the rows were divided among the partitions (default: by all, in their order).
        single: whether there is one partition: where there is no key.
    """

    keys: tuple[str, ...] = attrs.field(converter=as_names)
    aggregations: Aggregations = attrs.field(converter=as_pairs)
    emit: Emit = attrs.field(default="changes")
    routed: tuple[str, ...] = attrs.field(default=(), converter=as_names)
    single: bool = attrs.field(init=False, repr=False, eq=False)

    timed = False
    vectorised = True
    takes_back = "takes a group's row back when the group changes (unless it emits final results)"

    @single.default
    def _single(self) -> bool:
        return not self.keys

    @emit.validator
    def _known_emit(self, attribute: attrs.Attribute[str], value: str) -> None:
        check_emit(value)

    def output(self, inputs: Mapping[str, StreamSchema]) -> StreamSchema:
        """Keys and results."""
        (schema,) = inputs.values()
        columns = pa.schema([*key_fields(schema, self.keys), *result_fields(schema, self.aggregations)])
        return StreamSchema(changelog_of(columns) if self.emit == "changes" else columns)

    def open(self, context: PartitionContext) -> Partition:
        """As `Operator.open`."""
        return _AggregatePartition(self, context.input, context, merging=False)

    def open_merging(self, schema: StreamSchema, context: PartitionContext) -> Partition:
        """As `WholeAggregate.open_merging`."""
        return _AggregatePartition(self, schema, context, merging=True)

    def needs(self, wanted: frozenset[str]) -> Mapping[str, frozenset[str]] | None:
        """Keys and arguments; all columns where rows have an order, since that may be the event time's."""
        if any(aggregation.arrives for _, aggregation in self.aggregations):
            return None
        return {"in": used(self.keys, self.aggregations)}

    def keeps(self, inputs: Mapping[str, StreamSchema]) -> Kept | None:
        """One entry a key, and the values of which an aggregation keeps all."""
        (schema,) = inputs.values()
        holding = [name for name, aggregation in self.aggregations if aggregation.keeps_values(schema.changelog)]
        of = "of each key" if self.keys else "of all rows"
        if holding:
            return Kept(f"every different value {of} ({', '.join(holding)})", "rows", _FEWER_VALUES)
        return Kept("one entry a key", "keys", _FEWER_KEYS) if self.keys else Kept("one entry", "bounded")

    def two_phase(self, inputs: Mapping[str, StreamSchema]) -> TwoPhase | None:
        """Partial results before the exchange, unless rows can be retracted or their order matters."""
        (schema,) = inputs.values()
        if not can_merge(schema, self.aggregations):
            return None
        return TwoPhase(PreAggregate(self.keys, self.aggregations), MergeAggregate(self, schema))


class _AggregatePartition(Partition):
    def __init__(self, operator: Aggregate, schema: StreamSchema, context: PartitionContext, merging: bool) -> None:
        self._columns = operator.output({"in": schema}).columns
        self._final = operator.emit == "final"
        self._whole = not operator.keys and context.partition == 0
        names = list(operator.keys)
        self._keys = [names.index(key) if merging else schema.columns.get_field_index(key) for key in names]
        self._merging = merging
        self._store = Store(schema, self._columns.types[: len(names)], operator.aggregations, table=not names)
        self._routed = [names.index(key) for key in operator.routed or names]
        self._probe = None if merging else Probe(schema, operator.aggregations)
        kinds = self._store.bank.partial_types
        self._states = list(range(len(names), len(names) + len(kinds)))
        self._names = [*names, *partial_names([*names, KEY_GROUP], len(kinds)), KEY_GROUP]

    def probe(self, batch: pa.RecordBatch) -> None:
        """Raise where an argument or filter cannot be computed of a row."""
        if self._probe is not None:
            self._probe(batch)

    def on_batch(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Take rows in, and yield the changes that follow."""
        return iter(self._take_in(batch))

    @np.errstate(all="ignore")
    def flush(self) -> Iterator[pa.RecordBatch]:
        """Yield changes held back; and the row of a table without rows, where none has come yet."""
        if self._final or not self._whole or len(self._store):
            return iter(self._changed())
        self._stand()
        return iter([self._inserted(np.zeros(1, np.int64))])

    @np.errstate(all="ignore")
    def on_end(self) -> Iterator[pa.RecordBatch]:
        """Yield all groups, unless their changes have come out as they came."""
        if not self._final:
            return self.flush()
        if self._whole and not len(self._store):
            self._stand()
        slots = self._store.standing()
        return (self._inserted(slots[low : low + CHUNK]) for low in range(0, len(slots), CHUNK))

    def state_rows(self) -> int:
        """As `Partition.state_rows`."""
        return len(self._store)

    def snapshot(self) -> Tables:
        """A row a group: keys, partial states, key group."""
        slots = self._store.standing()
        keys = self._store.keys(slots)
        groups = column(pa.int64(), groups_of(keys, self._routed, len(slots)))
        return {"groups": pa.table([*keys, *self._store.bank.partial(slots), groups], self._names)}

    @np.errstate(all="ignore")
    def restore(self, state: Tables) -> None:
        """Take up groups, from any number of partitions."""
        for batch in state["groups"].drop_columns([KEY_GROUP]).to_batches() if "groups" in state else ():
            if batch.num_rows:
                self._store.add(batch.select(self._states), batch.columns[: len(self._keys)], merging=True)

    @np.errstate(all="ignore")
    def _take_in(self, batch: pa.RecordBatch) -> list[pa.RecordBatch]:
        if not batch.num_rows:
            return []
        keys = [batch.column(index) for index in self._keys]
        if self._merging:
            batch = batch.select(self._states)
        if self._final:
            self._store.add(batch, keys, self._merging)
            return []
        # Where one batch changes many groups the next one will change many of them again.
        many = self._store.take(batch, keys, self._merging) >= _MANY
        return [] if many else self._changed()

    def _changed(self) -> list[pa.RecordBatch]:
        """The changes since the last call."""
        batches = []
        for changes in self._store.changes():
            weights = column(pa.int64(), changes.weights)
            arrays = [*self._store.keys(changes.slots), *changes.results, weights]
            batches.append(pa.RecordBatch.from_arrays(arrays, schema=self._columns))
        return batches

    def _stand(self) -> None:
        """Let the whole table have its row."""
        self._store.slots([], 0)
        self._store.bank.grow(1)

    def _inserted(self, slots: IntArray) -> pa.RecordBatch:
        arrays = [*self._store.keys(slots), *self._store.bank.results(slots)]
        if not self._final:
            arrays.append(column(pa.int64(), np.ones(len(slots), np.int64)))
        return pa.RecordBatch.from_arrays(arrays, schema=self._columns)


@verb
def aggregate(
    stream: Stream,
    *,
    keys: str | Sequence[str] | None = None,
    window: Window | None = None,
    emit: Emit | None = None,
    allowed_lateness: Duration = 0,
    name: str | None = None,
    partitions: int | None = None,
    on_error: ErrorPolicy = "fail",
    **aggregations: Aggregation,
) -> Stream:
    """Aggregate the rows of each key: ``trades.key_by("symbol").aggregate(volume=agg.sum("volume"))``.

    Args:
        stream: what to read; rows are divided by key here, unless that was done by `key_by`.
        keys: key columns (default: those of `key_by`; without any there is one group).
        window: aggregate each window of event time apart.
        emit: ``"changes"`` (the default without window) or ``"final"`` (the default with one).
        allowed_lateness: how much longer than to their ends windows stay open.
        name: of the node.
        partitions: how many instances.
        on_error: what becomes of rows that cannot be aggregated.
        aggregations: by the names of their results.

    Raises:
        GraphError: a column is missing or of the wrong type, or an aggregation does not fit a changelog.
    """
    wanted = stream.keys if keys is None else (keys,) if isinstance(keys, str) else tuple(keys)
    stream, routed = keyed(stream, wanted)
    operator: Operator
    if window is not None:
        operator = WindowAggregate(wanted, aggregations, window, emit or "final", allowed_lateness, routed)
    elif allowed_lateness:
        raise GraphError("allowed_lateness says how long windows stay open; there is no window")
    else:
        operator = Aggregate(wanted, aggregations, emit or "changes", routed)
    return stream.apply(operator, name=name, partitions=partitions, on_error=on_error)
