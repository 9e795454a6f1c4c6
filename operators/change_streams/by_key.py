"""ByKey: the changes of a table that has a key, put in order for those who keep one row a key.

Changes of a key that come from several partitions may overtake each other; what comes out has, for each key, what goes
before what comes, and never two rows of a key at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs
import numpy as np
import pyarrow as pa

from flow.errors import GraphError, RowError, known
from flow.graph import Stream
from flow.hashing import hash_columns, key_groups
from flow.keys import KeyIndex
from flow.nodes import OperatorNode
from flow.operator import KEY_GROUP, Kept, Operator, Partition, PartitionContext, Tables
from flow.schema import StreamSchema, changelog_of
from operators.aggregate import Aggregate
from operators.aggregates.columns import IntArray, column, grown, physical, plain_type, unique_slots
from operators.aggregates.layout import apart, as_names
from operators.check import Check
from operators.expressions import Column
from operators.filter import Filter
from operators.project import Project
from operators.routing import keyed
from operators.row_counts import RowCounts, changes_of, row_kinds, rows_and_weights
from operators.upsert import Upsert

_FEW: Final = 4096


@attrs.frozen
class ByKey(Operator):
    """For each key the row that stands, as it changes; the run fails where in the end a key has several.

    While a key has several rows, the one that came last stands. The state is one entry for each row.

    Attributes:
        keys: names of key columns.
        routed: by which of the keys the rows were divided among the partitions (default: by all, in their order).
    """

    keys: tuple[str, ...] = attrs.field(converter=as_names)
    routed: tuple[str, ...] = attrs.field(default=(), converter=as_names)

    timed = False
    vectorised = True

    def output(self, inputs: Mapping[str, StreamSchema]) -> StreamSchema:
        """The input's columns; raises GraphError where rows cannot be told apart."""
        (schema,) = inputs.values()
        for name in self.keys:
            if name not in schema.names:
                raise GraphError(f"no key column {name!r}; {known(name, schema.names)}")
        return StreamSchema(changelog_of(pa.schema(list(zip(schema.names, row_kinds(schema), strict=True)))))

    def keeps(self, inputs: Mapping[str, StreamSchema]) -> Kept | None:
        """The rows that stand."""
        return Kept("the row of each key", "keys")

    def open(self, context: PartitionContext) -> Partition:
        """As `Operator.open`."""
        return _ByKeyPartition(self, context)


class _ByKeyPartition(Partition):
    def __init__(self, operator: ByKey, context: PartitionContext) -> None:
        schema = operator.output(context.inputs)
        self._columns = schema.columns
        self._names = schema.names
        self._changelog = context.input.changelog
        self._kinds = [plain_type(kind) for kind in schema.columns.types[:-1]]
        self._keys = [self._names.index(key) for key in operator.keys]
        self._routed = [self._names.index(key) for key in operator.routed or operator.keys]
        self._clear()

    def _clear(self) -> None:
        self._rows = RowCounts(self._kinds)
        self._index = KeyIndex([self._kinds[index] for index in self._keys])
        self._key_of = np.zeros(0, np.int64)
        """For each row the slot of its key."""
        self._there = np.zeros(0, np.int64)
        """For each key the number of different rows that it has."""
        self._standing = np.zeros(0, np.int64)
        """For each key the row that stands, from 1; 0 where there is none."""

    def on_batch(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Yield the changes of the rows that stand."""
        if not batch.num_rows:
            return
        columns, weights = rows_and_weights(batch, self._changelog)
        made = self._take_in(columns, weights)
        if made is not None:
            yield made
        if len(self._rows) >= max(_FEW, 2 * int(np.count_nonzero(self._standing))):
            (table,) = self.snapshot().values()
            self._clear()
            self.restore({"rows": table})

    def on_end(self) -> Iterator[pa.RecordBatch]:
        """Fail where the key is none, or rows went that had not come."""
        counts = self._rows.counts[0][: len(self._rows)]
        several = np.flatnonzero((self._there > 1)[self._key_of[: len(counts)]] & (counts > 0))
        several = np.concatenate([several, np.flatnonzero(counts > 1)])
        if len(several):
            raise RowError(f"the key {self._told()} is not unique: several rows have {self._row(several[0], True)}")
        missing = np.flatnonzero(counts < 0)
        if len(missing):
            raise RowError(f"a row was taken back that had not come: {self._row(missing[0], False)}")
        return iter(())

    def state_rows(self) -> int:
        """As `Partition.state_rows`."""
        return len(self._rows)

    def snapshot(self) -> Tables:
        """A row for each row: its columns, how often it is there, whether it stands for its key, key group."""
        slots = self._rows.live()
        columns = self._rows.columns(slots)
        groups = key_groups(hash_columns([columns[index] for index in self._routed]))
        stands = self._standing[self._key_of[slots]] == slots + 1
        names = [*self._names, *apart([*self._names, KEY_GROUP], ["_count", "_stands"]), KEY_GROUP]
        counts = column(pa.int64(), self._rows.counts[0][slots])
        return {"rows": pa.table([*columns, counts, pa.array(stands), column(pa.int64(), groups)], names)}

    def restore(self, state: Tables) -> None:
        """Take up rows, from any number of partitions."""
        width = len(self._names)
        for batch in state["rows"].to_batches() if "rows" in state else ():
            if batch.num_rows:
                slots, _ = self._slots(batch.columns[:width])
                counts = physical(batch.column(width))
                self._rows.add(slots, counts)
                np.add.at(self._there, self._key_of[slots], counts > 0)
                stand = slots[np.asarray(batch.column(width + 1).to_numpy(zero_copy_only=False))]
                self._standing[self._key_of[stand]] = stand + 1

    def _slots(self, columns: list[pa.Array]) -> tuple[IntArray, IntArray]:
        """The slots of rows and of their keys."""
        rows = self._rows.slots(columns)
        keys = self._index.slots([columns[index] for index in self._keys])
        self._key_of = grown(self._key_of, len(self._rows), 0)
        self._key_of[rows] = keys
        self._there = grown(self._there, len(self._index), 0)
        self._standing = grown(self._standing, len(self._index), 0)
        return rows, keys

    def _take_in(self, columns: list[pa.Array], weights: IntArray | None) -> pa.RecordBatch | None:
        rows, _ = self._slots(columns)
        touched, changes = self._rows.add(rows, weights)
        after = self._rows.counts[0][touched]
        is_there, was_there = after > 0, after - changes > 0
        changed = np.flatnonzero(is_there != was_there)
        if not len(changed):
            return None
        keys = self._key_of[touched[changed]]
        np.add.at(self._there, keys, np.where(is_there[changed], 1, -1))
        affected = unique_slots(keys, len(self._index))
        before = self._standing[affected].copy()
        gone = (before > 0) & (self._rows.counts[0][np.maximum(before - 1, 0)] <= 0)
        self._standing[affected[gone]] = 0
        come = touched[changed[is_there[changed]]]
        when = np.zeros(len(self._rows), np.int64)
        when[rows] = np.arange(len(rows))
        come = come[np.argsort(when[come], kind="stable")]
        # Where a key comes several times, the last assignment stands.
        self._standing[self._key_of[come]] = come + 1
        self._stand_in(affected[(self._standing[affected] == 0) & (self._there[affected] > 0)])
        now = self._standing[affected]
        moved = before != now
        old, new = before[moved & (before > 0)] - 1, now[moved & (now > 0)] - 1
        places = np.concatenate([old, new])
        signs = np.repeat(np.array([-1, 1], np.int64), [len(old), len(new)])
        return changes_of(self._rows.columns(places), signs, self._columns) if len(places) else None

    def _stand_in(self, keys: IntArray) -> None:
        """Let another row stand for keys whose row has gone."""
        if len(keys):
            wanted = np.zeros(len(self._index), np.bool_)
            wanted[keys] = True
            counts = self._rows.counts[0][: len(self._rows)]
            rows = np.flatnonzero((counts > 0) & wanted[self._key_of[: len(counts)]])
            self._standing[self._key_of[rows]] = rows + 1

    def _told(self) -> list[str]:
        return [self._names[index] for index in self._keys]

    def _row(self, slot: Any, key_only: bool) -> dict[str, Any]:
        columns = self._rows.columns(np.array([slot]))
        row = {name: array[0].as_py() for name, array in zip(self._names, columns, strict=True)}
        return {name: row[name] for name in self._told()} if key_only else row


def by_key(stream: Stream, keys: tuple[str, ...], name: str) -> Stream:
    """A changelog with the changes of each key in order; the stream itself where it has them so already.

    Args:
        stream: a changelog.
        keys: key columns.
        name: of the node that orders them.

    Raises:
        GraphError: a key is no column.
    """
    if _in_order(stream, keys):
        return stream
    divided, routed = keyed(stream, keys)
    return divided.apply(ByKey(keys, routed), name=stream.graph.unique_name(name))


def _in_order(stream: Stream, keys: tuple[str, ...]) -> bool:
    """Whether one partition makes all changes of a key, and one row a key: that of its group, or its last one."""
    node = stream.graph.node(stream.name)
    names: tuple[str, ...] | None = keys
    while isinstance(node, OperatorNode) and names is not None:
        match node.operator:
            case Filter() | Check():
                pass
            case Project(columns=columns):
                values = dict(columns)
                held = [values.get(name) for name in names]
                names = tuple(each.name for each in held if isinstance(each, Column))
                if len(names) < len(held):
                    return False
            case Aggregate(keys=grouped) | Upsert(keys=grouped):
                return bool(grouped) and set(grouped) <= set(names)
            case _:
                return False
        ((_, below),) = node.ports
        upper = node
        node = stream.graph.node(below.node)
        if isinstance(node, OperatorNode) and node.partitions != upper.partitions:
            return False
    return False
