"""Union: the rows of several streams as one stream; none is dropped, equal rows included.

The streams have the same columns by name and type; their order is that of the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import pyarrow as pa
import pyarrow.compute as pc

from flow.errors import GraphError, known
from flow.graph import Stream
from flow.operator import Operator, Partition, PartitionContext, PortedPartition
from flow.schema import WEIGHT, StreamSchema
from flow.verbs import verb


@attrs.frozen
class Union(Operator):
    """The rows of `count` streams, on the ports in1, in2, ...

    Text may be dictionary-encoded in some and plain in others; it is plain then. Where one stream is a changelog, all
    are taken for changelogs. The event time stays where all have the same.
    """

    stateless = True
    vectorised = True
    timed = False

    count: int
    ports: tuple[str, ...] = attrs.field(init=False, repr=False, eq=False)  # type: ignore[misc]  # one for each stream

    @ports.default
    def _numbered(self) -> tuple[str, ...]:
        return tuple(f"in{number}" for number in range(1, self.count + 1))

    def __attrs_post_init__(self) -> None:
        if self.count < 2:
            raise GraphError(f"a union is of at least 2 streams, not {self.count}")

    def output(self, inputs: Mapping[str, StreamSchema]) -> StreamSchema:
        """The columns that all have. Raises GraphError where they differ in name or type."""
        first = inputs[self.ports[0]]
        fields = {name: first.columns.field(name) for name in first.names}
        for port in self.ports[1:]:
            other = inputs[port]
            others = {name: other.columns.field(name) for name in other.names}
            for name in (*fields, *others):
                if name not in others:
                    raise GraphError(f"{port!r} has no column {name!r}; {known(name, others)}")
                if name not in fields:
                    raise GraphError(
                        f"{port!r} has a column {name!r}, the first stream has not; known here: {first.names}"
                    )
            fields = {name: _common(port, field, others[name]) for name, field in fields.items()}
        if any(schema.changelog for schema in inputs.values()):
            fields[WEIGHT] = pa.field(WEIGHT, pa.int64(), nullable=False)
        same_time = all(schema.event_time == first.event_time for schema in inputs.values())
        return StreamSchema(pa.schema(list(fields.values())), first.event_time if same_time else None)

    def open(self, context: PartitionContext) -> Partition:
        """A partition that brings columns in the order of the first stream."""
        return _UnionPartition(self.output(context.inputs).columns)


def _common(port: str, field: pa.Field, other: pa.Field) -> pa.Field:
    kind = field.type
    if kind != other.type:
        kind = _plain(kind)
        if kind != _plain(other.type):
            raise GraphError(
                f"column {field.name!r} is {field.type} in the first stream and {other.type} in {port!r}: cast one"
            )
    return pa.field(field.name, kind, field.nullable or other.nullable)


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


class _UnionPartition(PortedPartition):
    def __init__(self, columns: pa.Schema) -> None:
        self._columns = columns

    def on_batch(self, batch: pa.RecordBatch, port: str = "") -> Iterator[pa.RecordBatch]:
        if batch.schema != self._columns:
            batch = pa.RecordBatch.from_arrays([_column(batch, field) for field in self._columns], schema=self._columns)
        yield batch


def _column(batch: pa.RecordBatch, field: pa.Field) -> pa.Array:
    index = batch.schema.get_field_index(field.name)
    if index < 0:
        return pa.repeat(pa.scalar(1, pa.int64()), batch.num_rows)
    column = batch.column(index)
    return column if column.type == field.type else pc.cast(column, field.type)


@verb
def union(stream: Stream, *others: Stream, name: str | None = None, partitions: int | None = None) -> Stream:
    """The rows of this stream and of others with the same columns.

    Args:
        stream: the first.
        others: the further ones.
        name: of the node.
        partitions: how many instances.

    Raises:
        GraphError: the columns differ in name or type.
    """
    operator = Union(1 + len(others))
    ports: dict[str, Any] = dict(zip(operator.ports[1:], others, strict=True))
    return stream.apply(operator, name=name, partitions=partitions, **ports)
