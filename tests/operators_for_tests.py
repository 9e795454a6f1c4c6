"""Small operators, sources and sinks that several test files use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs
import pyarrow as pa

from flow import Idle, Operator, Partition, PartitionContext, Reader, Source, Split, StreamSchema


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


@attrs.frozen
class Endless(Source):
    """Counts for ever, as fast as it is read; `pause` makes it idle after each batch."""

    pause: float | None = None
    parts: int = 1
    unbounded = True

    def schema(self) -> pa.Schema:
        return pa.schema([("value", pa.int64())])

    def splits(self) -> list[Split]:
        return [Split(str(number)) for number in range(self.parts)]

    def open(self, split: Split, offset: Any = None) -> Reader:
        return _EndlessReader(self.pause)


class _EndlessReader(Reader):
    def __init__(self, pause: float | None) -> None:
        self.pause, self.count, self.turn = pause, 0, False

    def read(self) -> pa.RecordBatch | Idle:
        self.turn = not self.turn
        if self.pause is not None and not self.turn:
            return Idle(self.pause)
        self.count += 1
        return pa.record_batch({"value": [self.count]})

    def offset(self) -> int:
        return self.count
