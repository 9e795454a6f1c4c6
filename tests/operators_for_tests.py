"""Small operators, sources and sinks that several test files use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import attrs
import pyarrow as pa

from flow import Operator, Partition, PartitionContext, StreamSchema


@attrs.frozen
class Passing(Operator):
    """Passes every batch on, after showing it to a function."""

    see: Callable[[PartitionContext, pa.RecordBatch], None] = lambda context, batch: None
    stateless = True

    def output(self, inputs: Mapping[str, StreamSchema]) -> StreamSchema:
        return inputs["in"]

    def open(self, context: PartitionContext) -> Partition:
        return _Passing(self.see, context)


class _Passing(Partition):
    def __init__(self, see: Callable[[PartitionContext, pa.RecordBatch], None], context: PartitionContext) -> None:
        self.see, self.context = see, context

    def on_batch(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        self.see(self.context, batch)
        yield batch
