"""Upsert: the table of which a stream brings the latest row of each key.

What has come out is at any time, for each key, the last row that has gone in, unless that deletes the key. Which row of
a key is the last one is known as long as its rows come in the order of their split.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import attrs
import numpy as np
import pyarrow as pa

from flow.errors import GraphError, known
from flow.graph import Stream
from flow.hashing import hash_columns, key_groups
from flow.keys import KeyIndex
from flow.nodes import ErrorPolicy
from flow.operator import KEY_GROUP, Kept, Operator, Partition, PartitionContext, Tables
from flow.schema import StreamSchema, changelog_of
from flow.verbs import verb
from operators.aggregates.columns import BoolArray, IntArray, column, grown, plain, plain_type, unique_slots
from operators.aggregates.layout import as_names
from operators.expressions import Expression, expression
from operators.expressions.type_names import type_text
from operators.joining.payload import Payload, equal_rows
from operators.routing import keyed

_FEW: Final = 4096


def _condition(value: Any) -> Expression | None:
    return None if value is None else expression(value)


@attrs.frozen
class Upsert(Operator):
    """Keeps the last row of each key, of an input that only appends: a later row replaces the earlier.

    A batch gives for each key whose row it changes a retraction of the old row and an insertion of the new one; rows of
    a batch that are replaced in the same batch leave no trace. A row that deletes takes its key's row back, and does
    nothing where there is none, so that it may come twice. A row with NULL in a key is rejected.

    The state is one row a key that is there. The result has no event time, since it takes back rows of long ago; key
    columns and all others come out plain where they come in dictionary-encoded.

    Attributes:
        keys: names of key columns.
        deletes: a condition: rows for which it is true delete their key.
        null_deletes: whether a row deletes its key where it has NULL in all columns that are no key.
        drop: columns that are left out of the result (they may say what a row does, and nothing else).
        routed: by which of the keys the rows were divided among the partitions (default: by all, in their order).
    """

    keys: tuple[str, ...] = attrs.field(converter=as_names)
    deletes: Expression | None = attrs.field(default=None, converter=_condition)
    null_deletes: bool = False
    drop: tuple[str, ...] = attrs.field(default=(), converter=as_names)
    routed: tuple[str, ...] = attrs.field(default=(), converter=as_names)

    timed = False
    vectorised = True
    in_order = True
    takes_back = "takes a key's row back when a later one replaces it"

    @keys.validator
    def _some(self, attribute: attrs.Attribute[Any], value: tuple[str, ...]) -> None:
        if not value:
            raise GraphError("rows replace each other by key: name at least one key column")

    def output(self, inputs: Mapping[str, StreamSchema]) -> StreamSchema:
        """The input's columns without those that are dropped, as a changelog."""
        (schema,) = inputs.values()
        if schema.changelog:
            raise GraphError("the input is a changelog already: it says itself which rows are taken back")
        for name in (*self.keys, *self.drop):
            if name not in schema.names:
                raise GraphError(f"no column {name!r}; {known(name, schema.names)}")
        for name in self.keys:
            if name in self.drop:
                raise GraphError(f"{name!r} is a key, which cannot be left out")
        kinds = {name: plain_type(schema.column_type(name)) for name in schema.names if name not in self.drop}
        for name, kind in kinds.items():
            try:
                hash_columns([pa.nulls(0, kind)])
            except TypeError as error:
                raise GraphError(
                    f"rows with the column {name!r} of type {type_text(kind)} cannot be told apart: {error}"
                ) from error
        if self.deletes is not None:
            kind = self.deletes.bind(schema.columns).type
            if not (pa.types.is_boolean(kind) or pa.types.is_null(kind)):
                raise GraphError(f"what deletes is a condition; {self.deletes} is of type {type_text(kind)}")
        return StreamSchema(changelog_of(pa.schema(kinds.items())))

    def keeps(self, inputs: Mapping[str, StreamSchema]) -> Kept | None:
        """The rows that stand."""
        return Kept("the last row of each key", "keys")

    def open(self, context: PartitionContext) -> Partition:
        """As `Operator.open`."""
        return _UpsertPartition(self, context)


class _UpsertPartition(Partition):
    def __init__(self, operator: Upsert, context: PartitionContext) -> None:
        schema = context.input
        self._reject = context.reject
        self._columns = operator.output(context.inputs).columns
        self._names = self._columns.names[:-1]
        self._keys = list(operator.keys)
        self._values = [name for name in self._names if name not in self._keys]
        self._routed = [self._keys.index(key) for key in operator.routed or self._keys]
        self._deletes = None if operator.deletes is None else operator.deletes.bind(schema.columns)
        self._null_deletes = operator.null_deletes
        self._clear()

    def _clear(self) -> None:
        self._index = KeyIndex([self._columns.field(name).type for name in self._keys])
        self._payload = Payload([self._columns.field(name).type for name in self._values])
        self._row = np.zeros(0, np.int64)
        """For each slot the number of its row, from 1; 0 where the key is not there."""
        self._rows = self._live = 0

    def probe(self, batch: pa.RecordBatch) -> None:
        """Raise where it cannot be computed whether a row deletes its key."""
        if self._deletes is not None:
            self._deletes(batch)

    def on_batch(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Yield what the rows change."""
        batch = self._with_keys(batch)
        if not batch.num_rows:
            return
        deleting = self._deleting(batch)
        keys = [plain(batch.column(name)) for name in self._keys]
        slots = self._index.slots(keys)
        touched = unique_slots(slots, len(self._index))
        # Where a slot is there several times, the last assignment stands.
        last = np.zeros(len(self._index), np.int64)
        last[slots] = np.arange(len(slots))
        rows = last[touched]
        after = np.zeros(len(touched), np.bool_) if deleting is None else deleting[rows]
        changes = self._put(touched, batch, rows, ~after)
        if changes is not None:
            yield changes
        self._compact()

    def state_rows(self) -> int:
        """As `Partition.state_rows`."""
        return len(self._index)

    def snapshot(self) -> Tables:
        """A row a key that is there: keys, other columns, key group."""
        self._row = grown(self._row, len(self._index), 0)
        slots = np.flatnonzero(self._row[: len(self._index)])
        keys = self._index.columns(slots)
        groups = key_groups(hash_columns([keys[index] for index in self._routed]))
        arrays = [*keys, *self._taken(slots), column(pa.int64(), groups)]
        return {"rows": pa.table(arrays, [*self._keys, *self._values, KEY_GROUP])}

    def restore(self, state: Tables) -> None:
        """Take up rows, from any number of partitions."""
        for batch in state["rows"].to_batches() if "rows" in state else ():
            if batch.num_rows:
                slots = self._index.slots(batch.columns[: len(self._keys)])
                self._put(slots, batch, np.arange(len(slots)), np.ones(len(slots), np.bool_))

    def _with_keys(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        for name in self._keys:
            held = batch.column(name)
            if held.null_count:
                self._reject(batch.filter(held.is_null()), f"NULL in the key column {name!r}")
                batch = batch.filter(batch.column(name).is_valid())
        return batch

    def _deleting(self, batch: pa.RecordBatch) -> BoolArray | None:
        """Which rows delete their key; None where none can."""
        deleting: BoolArray | None = None
        if self._deletes is not None:
            said = self._deletes(batch)
            if not pa.types.is_null(said.type):
                deleting = np.asarray(said.fill_null(False).to_numpy(zero_copy_only=False))
        if self._null_deletes:
            empty = np.ones(batch.num_rows, np.bool_)
            for name in self._values:
                empty &= np.asarray(batch.column(name).is_null().to_numpy(zero_copy_only=False))
            deleting = empty if deleting is None else deleting | empty
        return deleting

    def _put(self, slots: IntArray, batch: pa.RecordBatch, rows: IntArray, there: BoolArray) -> pa.RecordBatch | None:
        """Let rows of a batch stand for their slots, each once, or, where `there` is false, none; what that changes."""
        self._row = grown(self._row, len(self._index), 0)
        stood = self._row[slots] > 0
        chosen = pa.array(rows)
        new = [plain(batch.column(name)).take(chosen) for name in self._values]
        both = np.flatnonzero(stood & there)
        old = self._taken(slots[both])
        some = pa.array(both)
        same = equal_rows(old, [array.take(some) for array in new], len(both))
        come, gone = there.copy(), stood & ~there
        come[both[same]] = False
        gone[both[~same]] = True
        if not come.any() and not gone.any():
            return None
        leaving, coming = np.flatnonzero(gone), np.flatnonzero(come)
        before = self._taken(slots[leaving])
        added = [array.take(pa.array(coming)) for array in new]
        self._payload.append(added)
        self._row[slots[leaving]] = 0
        self._row[slots[coming]] = self._rows + 1 + np.arange(len(coming))
        self._rows += len(coming)
        self._live += len(coming) - len(leaving)
        places = np.concatenate([slots[leaving], slots[coming]])
        held = dict(zip(self._keys, self._index.columns(places), strict=True))
        for name, one, other in zip(self._values, before, added, strict=True):
            held[name] = pa.concat_arrays([one, other])
        weights = np.repeat(np.array([-1, 1], np.int64), [len(leaving), len(coming)])
        arrays = [*(held[name] for name in self._names), column(pa.int64(), weights)]
        return pa.RecordBatch.from_arrays(arrays, schema=self._columns)

    def _taken(self, slots: IntArray) -> list[pa.Array]:
        """The columns that are no keys, of slots whose keys are there."""
        if not len(slots):
            return [pa.nulls(0, self._columns.field(name).type) for name in self._values]
        return self._payload.take(self._row[slots] - 1, range(len(self._values)))

    def _compact(self) -> None:
        """Forget rows that were replaced and keys that were deleted, where these are most."""
        if max(self._rows, len(self._index)) < max(_FEW, 2 * self._live):
            return
        (table,) = self.snapshot().values()
        self._clear()
        self.restore({"rows": table})


@verb
def upsert(
    stream: Stream,
    *keys: str,
    deletes: Any = None,
    null_deletes: bool = False,
    drop: Sequence[str] = (),
    name: str | None = None,
    partitions: int | None = None,
    on_error: ErrorPolicy = "fail",
) -> Stream:
    """The table of the last row of each key: ``updates.upsert("id", deletes=col("op") == "d", drop=["op"])``.

    Args:
        stream: rows in the order of their changes; they are divided by key here, unless that was done by `key_by`.
        keys: key columns (none: those of `key_by`).
        deletes: a condition, or the name of a boolean column: rows for which it is true delete their key.
        null_deletes: a row deletes its key where all its other columns are NULL.
        drop: columns that are left out of the result.
        name: of the node.
        partitions: how many instances.
        on_error: what becomes of rows with NULL in a key, and of those that `deletes` cannot be computed of.

    Raises:
        GraphError: there is no key, a column is missing, or the stream is a changelog already.
    """
    wanted = keys or stream.keys
    operator = Upsert(wanted, deletes, null_deletes, drop)
    stream, routed = keyed(stream, wanted)
    return stream.apply(attrs.evolve(operator, routed=routed), name=name, partitions=partitions, on_error=on_error)
