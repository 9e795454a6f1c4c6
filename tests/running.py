"""Whole graphs to run: endless sources, functions as operators, and a sink that notes its calls."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import numpy as np
import pyarrow as pa

from flow import (
    Operator,
    Partition,
    PartitionContext,
    Sink,
    StreamSchema,
    Writer,
    WriterContext,
)
from operators import Collect

NUMBERS = pa.table({"key": np.arange(10_000) % 7, "value": np.arange(10_000)})


@attrs.frozen
class Each(Operator):
    """Calls a function on each batch."""

    function: Any
    stateless = True

    def output(self, inputs: Any) -> StreamSchema:
        return inputs["in"]

    def open(self, context: PartitionContext) -> Partition:
        return _Each(self.function, context)


class _Each(Partition):
    def __init__(self, function: Any, context: PartitionContext) -> None:
        self.function, self.context = function, context

    def on_batch(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        yield self.function(batch)


@attrs.frozen
class Recording(Sink):
    """Writes down the calls that its writers get."""

    calls: list[Any] = attrs.field(factory=list, eq=False)
    fails: str = ""
    takes_changes = True

    def open(self, context: WriterContext) -> Writer:
        return _Recorder(self)


class _Recorder(Writer):
    def __init__(self, sink: Recording) -> None:
        self.sink = sink

    def note(self, what: str, value: Any = None) -> None:
        self.sink.calls.append((what, value))
        if self.sink.fails == what:
            raise OSError(f"no {what} today")

    def write(self, batch: pa.RecordBatch) -> None:
        self.note("write", batch.num_rows)

    def prepare(self, epoch: int) -> None:
        self.note("prepare", epoch)

    def commit(self, epoch: int) -> None:
        self.note("commit", epoch)

    def abort(self) -> None:
        self.note("abort")

    def close(self) -> None:
        self.note("close")


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds, which it must within 60 s."""
    limit = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < limit
        time.sleep(0.001)


def values(out: Collect) -> list[int]:
    return sorted(out.table()["value"].to_pylist())
