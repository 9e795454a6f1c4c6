"""Distinct, intersect and except: rows told apart by all their columns, and how often each is there.

What has come out is at any time the set operation of all that has gone in. NULLs are equal to each other here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

import attrs
import numpy as np
import pyarrow as pa

from flow.errors import GraphError, known
from flow.graph import Stream
from flow.nodes import ErrorPolicy
from flow.operator import Kept, Operator, Partition, PartitionContext, PortedPartition, Tables
from flow.schema import StreamSchema, changelog_of
from flow.verbs import verb
from operators.aggregates.columns import IntArray, plain_type
from operators.aggregates.layout import as_names
from operators.deduplicate import deduplicate
from operators.project import Project
from operators.routing import keyed
from operators.row_counts import RowCounts, changes_of, counted_rows, row_kinds, rows_and_weights

Kind = Literal["intersect", "except"]


@attrs.frozen
class Distinct(Operator):
    """Each row once, as long as it is there at all, of an input whose rows can be taken back.

    The state is one entry for each distinct row. Columns come out plain where they come in dictionary-encoded.

    Attributes:
        routed: by which columns the rows were divided among the partitions (default: by all, in their order).
    """

    routed: tuple[str, ...] = attrs.field(default=(), converter=as_names)

    timed = False
    vectorised = True

    def output(self, inputs: Mapping[str, StreamSchema]) -> StreamSchema:
        """The input's columns; append-only where the input is."""
        (schema,) = inputs.values()
        row_kinds(schema)
        return schema.with_columns(_plain(schema, schema.changelog))

    def keeps(self, inputs: Mapping[str, StreamSchema]) -> Kept | None:
        """How often each row is there."""
        return Kept("one entry for each distinct row", "keys")

    def open(self, context: PartitionContext) -> Partition:
        """As `Operator.open`."""
        return _DistinctPartition(self, context)


@attrs.frozen
class SetOperation(Operator):
    """The rows that are on both sides (intersect), or on the left but not on the right (except).

    Columns correspond by position and have the same types; the names are the left's. Without `all` each row comes once;
    with it, a row that is there l times left and r times right comes min(l, r) times, or max(l - r, 0) times.

    Rows of both sides are divided by all columns in their order. The state is one entry for each distinct row.

    Attributes:
        kind: what is kept.
        all: whether a row may come more than once.
    """

    ports = ("left", "right")

    kind: Kind
    all: bool = False

    timed = False
    vectorised = True
    takes_back = "(except) takes rows back when they come on the right"

    def __attrs_post_init__(self) -> None:
        if self.kind not in ("intersect", "except"):
            raise GraphError(f"kind={self.kind!r}; known here: ['intersect', 'except']")

    def output(self, inputs: Mapping[str, StreamSchema]) -> StreamSchema:
        """The left's columns; append-only where no row is ever taken back: an intersection of append-only inputs."""
        left, right = inputs["left"], inputs["right"]
        if len(left.names) != len(right.names):
            raise GraphError(
                f"the left has {len(left.names)} columns {left.names}, the right {len(right.names)} {right.names}"
            )
        row_kinds(left)
        for one, other in zip(left.names, right.names, strict=True):
            kinds = left.column_type(one), right.column_type(other)
            if plain_type(kinds[0]) != plain_type(kinds[1]):
                raise GraphError(
                    f"column {one!r} is {kinds[0]} on the left, and {other!r} is {kinds[1]} on the right: cast one"
                )
        columns = _plain(left, left.changelog or right.changelog or self.kind == "except")
        positions = {_position(schema, schema.event_time) for schema in (left, right)}
        return left.with_columns(columns) if len(positions) == 1 else StreamSchema(columns)

    def keeps(self, inputs: Mapping[str, StreamSchema]) -> Kept | None:
        """How often each row is there on either side."""
        return Kept("one entry for each distinct row of both sides", "keys")

    def open(self, context: PartitionContext) -> Partition:
        """As `Operator.open`."""
        return _SetPartition(self, context)


def _plain(schema: StreamSchema, changelog: bool) -> pa.Schema:
    columns = pa.schema([pa.field(name, plain_type(schema.column_type(name))) for name in schema.names])
    return changelog_of(columns) if changelog else columns


def _position(schema: StreamSchema, name: str | None) -> int:
    return -1 if name is None else schema.columns.get_field_index(name)


class _DistinctPartition(Partition):
    def __init__(self, operator: Distinct, context: PartitionContext) -> None:
        schema = operator.output(context.inputs)
        self._columns, self._changelog = schema.columns, schema.changelog
        self._rows = RowCounts(row_kinds(schema))
        self._names = schema.names
        self._routed = [schema.names.index(name) for name in operator.routed or schema.names]

    def on_batch(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Yield the rows that came to be there, and those that are there no more."""
        if not batch.num_rows:
            return
        columns, weights = rows_and_weights(batch, self._changelog)
        touched, changes = self._rows.add(self._rows.slots(columns), weights)
        after = self._rows.counts[0][touched]
        there = (after > 0).astype(np.int64) - (after - changes > 0)
        yield from _emitted(self._rows, touched, there, self._columns, self._changelog)

    def state_rows(self) -> int:
        """As `Partition.state_rows`."""
        return len(self._rows)

    def snapshot(self) -> Tables:
        """A row for each distinct row: its columns, how often it is there, key group."""
        return self._rows.snapshot(self._names, self._routed)

    def restore(self, state: Tables) -> None:
        """Take up rows, from any number of partitions."""
        _take_up(self._rows, state, len(self._names))


class _SetPartition(PortedPartition):
    def __init__(self, operator: SetOperation, context: PartitionContext) -> None:
        schema = operator.output(context.inputs)
        self._kind, self._all = operator.kind, operator.all
        self._columns, self._changelog = schema.columns, schema.changelog
        self._changelogs = {port: given.changelog for port, given in context.inputs.items()}
        self._rows = RowCounts(row_kinds(schema), counts=2)
        self._names = schema.names

    def on_batch(self, batch: pa.RecordBatch, port: str = "left") -> Iterator[pa.RecordBatch]:
        """Yield the changes that follow from rows of one side."""
        if not batch.num_rows:
            return
        columns, weights = rows_and_weights(batch, self._changelogs[port])
        side = SetOperation.ports.index(port)
        touched, changes = self._rows.add(self._rows.slots(columns), weights, side)
        after = [counts[touched] for counts in self._rows.counts]
        before = list(after)
        before[side] = after[side] - changes
        yield from _emitted(
            self._rows, touched, self._times(*after) - self._times(*before), self._columns, self._changelog
        )

    def state_rows(self) -> int:
        """As `Partition.state_rows`."""
        return len(self._rows)

    def snapshot(self) -> Tables:
        """A row for each distinct row: its columns, how often it is there on each side, key group."""
        return self._rows.snapshot(self._names, range(len(self._names)))

    def restore(self, state: Tables) -> None:
        """Take up rows, from any number of partitions."""
        _take_up(self._rows, state, len(self._names))

    def _times(self, left: IntArray, right: IntArray) -> IntArray:
        """How often rows come out that are there so often."""
        left, right = np.maximum(left, 0), np.maximum(right, 0)
        if not self._all:
            left = np.minimum(left, 1)
        times: IntArray = np.minimum(left, right) if self._kind == "intersect" else np.maximum(left - right, 0)
        return times


def _emitted(
    rows: RowCounts, touched: IntArray, changes: IntArray, columns: pa.Schema, changelog: bool
) -> Iterator[pa.RecordBatch]:
    changed = np.flatnonzero(changes)
    made = changes_of(rows.columns(touched[changed]), changes[changed], columns, changelog) if len(changed) else None
    rows.compact()
    return iter(() if made is None else (made,))


def _take_up(rows: RowCounts, state: Tables, width: int) -> None:
    for columns, counts in counted_rows(state, width):
        slots = rows.slots(columns)
        for number, each in enumerate(counts):
            rows.add(slots, each, number)


@verb
def distinct(stream: Stream, *, name: str | None = None, partitions: int | None = None) -> Stream:
    """Each row once, told apart by all columns.

    Where rows can be taken back, a row goes when its last copy does; else its first copy passes, as by `deduplicate`.

    Args:
        stream: what to read; rows are divided by all columns here, unless `key_by` divided them by some.
        name: of the node.
        partitions: how many instances.

    Raises:
        GraphError: rows have a column by which they cannot be told apart.
    """
    names = tuple(stream.schema.names)
    if not stream.schema.changelog:
        return deduplicate(stream, *names, name=name, partitions=partitions)
    stream, routed = keyed(stream, names)
    return stream.apply(Distinct(routed), name=name, partitions=partitions)


@verb
def intersect(
    stream: Stream,
    other: Stream,
    *,
    all: bool = False,  # noqa: A002  # SQL's word
    name: str | None = None,
    partitions: int | None = None,
    on_error: ErrorPolicy = "fail",
) -> Stream:
    """The rows that both streams have: ``ordered.intersect(paid)``.

    Args:
        stream: one of them; its order of columns is the result's.
        other: the other one, with columns of the same names and types in any order.
        all: a row that is there l and r times comes min(l, r) times, instead of once.
        name: of the node.
        partitions: how many instances.
        on_error: what becomes of rows that cannot be compared.

    Raises:
        GraphError: the columns differ in name or type, or rows cannot be told apart by one.
    """
    return _applied(SetOperation("intersect", all), stream, other, name, partitions, on_error)


@verb
def except_(
    stream: Stream,
    other: Stream,
    *,
    all: bool = False,  # noqa: A002  # SQL's word
    name: str | None = None,
    partitions: int | None = None,
    on_error: ErrorPolicy = "fail",
) -> Stream:
    """The rows of this stream that the other one does not have: ``ordered.except_(paid)``.

    Args:
        stream: whose rows come out.
        other: whose rows do not, with columns of the same names and types in any order.
        all: a row that is there l times here and r times there comes max(l - r, 0) times, instead of at most once.
        name: of the node.
        partitions: how many instances.
        on_error: what becomes of rows that cannot be compared.

    Raises:
        GraphError: the columns differ in name or type, or rows cannot be told apart by one.
    """
    return _applied(SetOperation("except", all), stream, other, name, partitions, on_error)


def _applied(
    operator: SetOperation, left: Stream, right: Stream, name: str | None, partitions: int | None, on_error: ErrorPolicy
) -> Stream:
    names = left.schema.names
    for one, other in ((left, right), (right, left)):
        for each in one.schema.names:
            if each not in other.schema.names:
                raise GraphError(
                    f"{other.name!r} has no column {each!r}, which {one.name!r} has; {known(each, other.schema.names)}"
                )
    if right.schema.names != names:
        right = right.apply(Project([(each, each) for each in names]))
    left, right = (each if each.keys == tuple(names) else each.key_by(*names) for each in (left, right))
    return left.apply(operator, name=name, partitions=partitions, on_error=on_error, right=right)
