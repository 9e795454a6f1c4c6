"""PreAggregate: the half of an aggregate that runs before the exchange, so that groups move and not rows.

It holds partial results until it is told to flush or has many, and passes rows on as partial results of one row each
while grouping them would save next to nothing. What its output merges to does not depend on any of this.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import attrs
import numpy as np
import pyarrow as pa

from flow.operator import Kept, Operator, Partition, PartitionContext
from flow.schema import StreamSchema
from operators.aggregates.bank import Aggregations, Bank
from operators.aggregates.columns import IntArray, column, plain
from operators.aggregates.grouped import grouped
from operators.aggregates.layout import CHUNK, apart, key_fields, partial_names
from operators.aggregates.numbered import NumberedKeys
from operators.aggregates.probe import Probe
from operators.aggregates.store import Store
from operators.window import Window, timed_rows

_HELD: Final = 32_768
_NUMBERED: Final = 4 * _HELD
_WORTHWHILE: Final = 2
_WORTH_A_KERNEL: Final = 4_096
_LONGEST_REST: Final = 64


@attrs.frozen
class PreAggregate(Operator):
    """Aggregates rows to partial results by key (and slice of time, where there is a window).

    What comes out: the keys, the number of the slice, and partial states, of which the first is the number of rows.
    """

    keys: tuple[str, ...]
    aggregations: Aggregations
    window: Window | None = None
    timed = False
    vectorised = True

    def output(self, inputs: Mapping[str, StreamSchema]) -> StreamSchema:
        """Keys, slice, partial states."""
        (schema,) = inputs.values()
        fields = key_fields(schema, self.keys)
        if self.window is not None:
            fields.append(pa.field(apart(self.keys, ["_slice"])[0], pa.int64()))
        kinds = Bank(schema, self.aggregations).partial_types
        names = partial_names([field.name for field in fields], len(kinds))
        return StreamSchema(pa.schema([*fields, *map(pa.field, names, kinds)]))

    def keeps(self, inputs: Mapping[str, StreamSchema]) -> Kept | None:
        """What has not been given out yet."""
        return Kept("partial results, until they are sent on", "bounded")

    def open(self, context: PartitionContext) -> Partition:
        """As `Operator.open`."""
        return _PrePartition(self, context)

    def open_partition(self, inputs: Mapping[str, StreamSchema]) -> Partition:
        """A partition inside another one, which has seen to rows that cannot be used."""
        return _PrePartition(self, PartitionContext("", inputs))

    def needs(self, wanted: frozenset[str]) -> Mapping[str, frozenset[str]]:
        """Keys, arguments and the event time."""
        return {"in": used(self.keys, self.aggregations, self.window)}


def used(keys: tuple[str, ...], aggregations: Aggregations, window: Window | None = None) -> frozenset[str]:
    """The input columns that an aggregate uses."""
    arguments = frozenset(name for _, aggregation in aggregations for name in aggregation.columns)
    return arguments.union(keys, () if window is None else (window.column,))


class _PrePartition(Partition):
    def __init__(self, operator: PreAggregate, context: PartitionContext) -> None:
        schema = context.input
        self._window = operator.window
        self._context = context
        self._keys = [schema.columns.get_field_index(key) for key in operator.keys]
        self._time = -1 if operator.window is None else schema.columns.get_field_index(operator.window.column)
        self._columns = operator.output(context.inputs).columns
        self._numbered = NumberedKeys(self._columns.types[: len(self._keys)])
        kinds = [*self._numbered.store_kinds, *([] if operator.window is None else [pa.int64()])]
        self._store = Store(schema, kinds, operator.aggregations)
        self._probe = Probe(schema, operator.aggregations)
        slices = [] if operator.window is None else [pa.int64()]
        key_types = [schema.columns.field(index).type for index in self._keys]
        self._grouped = grouped(schema, [*key_types, *slices], operator.aggregations)
        self._held: list[pa.RecordBatch] = []
        self._rows = 0
        self._resting = 0
        self._next_rest = 1

    def probe(self, batch: pa.RecordBatch) -> None:
        """Raise where an argument or filter cannot be computed of a row."""
        self._probe(batch)

    def on_batch(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Take rows in; gives out partial results where there are many."""
        return iter(self._take_in(batch))

    def flush(self) -> Iterator[pa.RecordBatch]:
        """Give out the partial results held."""
        return iter(self._give_out())

    def state_rows(self) -> int:
        """As `Partition.state_rows`."""
        return self._groups

    @np.errstate(all="ignore")
    def _take_in(self, batch: pa.RecordBatch) -> list[pa.RecordBatch]:
        slices: list[pa.Array] = []
        if self._window is not None:
            batch, numbers = timed_rows(batch, self._time, self._window, self._context)
            slices = [column(pa.int64(), numbers)]
        if not batch.num_rows:
            return []
        keys = [batch.column(index) for index in self._keys]
        if self._resting:
            self._resting -= 1
            states = self._store.bank.raw(batch)
            return [pa.RecordBatch.from_arrays([*map(plain, keys), *slices, *states], schema=self._columns)]
        partial = None
        if self._grouped is not None and batch.num_rows >= _WORTH_A_KERNEL:
            partial = self._grouped.of_rows(batch, [*keys, *slices])
        if partial is None:
            self._store.add(batch, [*self._numbered.encode(keys), *slices], merging=False)
        else:
            self._held.append(partial)
        self._rows += batch.num_rows
        return self._give_out() if self._groups >= _HELD else []

    @property
    def _groups(self) -> int:
        held: int = sum(partial.num_rows for partial in self._held)
        return len(self._store) + held

    def _give_out(self) -> list[pa.RecordBatch]:
        groups = self._groups
        if not groups:
            return []
        if groups >= _HELD:
            if groups * _WORTHWHILE > self._rows:
                self._resting = self._next_rest
                self._next_rest = min(2 * self._next_rest, _LONGEST_REST)
            else:
                self._next_rest = 1
        self._rows = 0
        return [*self._give_out_held(), *self._give_out_stored()]

    def _give_out_held(self) -> list[pa.RecordBatch]:
        if self._grouped is None or not self._held:
            return []
        held, self._held = self._grouped.merged(self._held), []
        return [pa.RecordBatch.from_arrays(partial.columns, schema=self._columns) for partial in held]

    def _give_out_stored(self) -> list[pa.RecordBatch]:
        number = len(self._store)
        if not number:
            return []
        batches = [self._partial(np.arange(low, min(low + CHUNK, number))) for low in range(0, number, CHUNK)]
        self._store.clear()
        if len(self._numbered) > _NUMBERED:
            self._numbered = NumberedKeys(self._numbered.kinds)
        return batches

    def _partial(self, slots: IntArray) -> pa.RecordBatch:
        groups = self._store.keys(slots)
        slices = groups[-1:] if self._window is not None else []
        arrays = [*self._numbered.decode(groups), *slices, *self._store.bank.partial(slots)]
        return pa.RecordBatch.from_arrays(arrays, schema=self._columns)
