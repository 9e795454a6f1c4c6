"""The test kit: drive an operator without an event loop, a graph, or threads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

import attrs
import pyarrow as pa

from flow.operator import AsyncPartition, Operator, Partition, PartitionContext, PortedPartition
from flow.schema import AFTER_ALL, StreamSchema

Item: TypeAlias = pa.RecordBatch | int | tuple[str, pa.RecordBatch]
"""Rows, rows for a named port, or a watermark (microseconds)."""


@attrs.define
class Driven:
    """What came out of a driven operator."""

    schema: pa.Schema
    batches: list[pa.RecordBatch] = attrs.field(factory=list)
    late: list[pa.RecordBatch] = attrs.field(factory=list)
    late_rows: int = 0
    rejected: list[tuple[dict[str, object], str]] = attrs.field(factory=list)

    @property
    def table(self) -> pa.Table:
        """All rows that came out, in order."""
        return pa.Table.from_batches(self.batches, self.schema)

    @property
    def rows(self) -> list[dict[str, object]]:
        """All rows that came out, in order, as dicts."""
        return self.table.to_pylist()  # type: ignore[no-any-return]


def drive(
    operator: Operator,
    items: Iterable[Item],
    *,
    inputs: Mapping[str, StreamSchema] | StreamSchema | None = None,
    event_time: str | None = None,
    end: bool = True,
) -> Driven:
    """Let one partition of an operator work through batches and watermarks, in this order.

    Args:
        operator: what to drive.
        items: record batches (for several ports: pairs of port and batch) and watermarks (int microseconds).
        inputs: the schema of the input, or of each port; taken from the first batch where left out.
        event_time: the event time column, where the schema is taken from the first batch.
        end: whether the input ends after the last item.

    Raises:
        GraphError: the operator does not fit its input.
    """
    items = list(items)
    schemas = _schemas(operator, items, inputs, event_time)
    driven = Driven(operator.output(schemas).columns)

    def late(batch: pa.RecordBatch) -> None:
        driven.late.append(batch)
        driven.late_rows += batch.num_rows

    def late_rows(rows: int) -> None:
        driven.late_rows += rows

    def reject(batch: pa.RecordBatch, error: str) -> None:
        driven.rejected.extend((row, error) for row in batch.to_pylist())

    context = PartitionContext("driven", schemas, late=late, late_rows=late_rows, reject=reject)
    partition = operator.open(context)
    if isinstance(partition, AsyncPartition):
        raise TypeError("an operator that waits for the outside world needs an event loop; run it in a graph")
    for item in items:
        driven.batches.extend(_step(partition, item))
    if end:
        driven.batches.extend(_step(partition, AFTER_ALL))
        driven.batches.extend(partition.flush())
        driven.batches.extend(partition.on_end())
    partition.close()
    return driven


def _schemas(
    operator: Operator,
    items: Sequence[Item],
    inputs: Mapping[str, StreamSchema] | StreamSchema | None,
    event_time: str | None,
) -> Mapping[str, StreamSchema]:
    if isinstance(inputs, StreamSchema):
        return {operator.ports[0]: inputs}
    if inputs is not None:
        return inputs
    found: dict[str, StreamSchema] = {}
    for item in items:
        if isinstance(item, int):
            continue
        port, batch = item if isinstance(item, tuple) else (operator.ports[0], item)
        found.setdefault(port, StreamSchema(batch.schema, event_time))
    return found


def _step(partition: Partition, item: Item) -> Iterator[pa.RecordBatch]:
    if isinstance(item, int):
        yield from partition.flush()
        yield from partition.on_watermark(item)
    elif isinstance(partition, PortedPartition):
        port, batch = item
        yield from partition.on_batch(batch, port)
    else:
        yield from partition.on_batch(item)
