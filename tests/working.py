"""Steps to drive by calls: operators made of functions, a sink that notes its calls, and what goes aside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import attrs
import pyarrow as pa

from flow import (
    Operator,
    Partition,
    PartitionContext,
    PortedPartition,
    Sink,
    StreamSchema,
    Writer,
    WriterContext,
)
from flow.layout import Step
from flow.nodes import ErrorPolicy, OperatorNode, Output, SinkNode
from flow.origin import Origins, Stretch
from flow.steps import RunningStep

COLUMNS = pa.schema([("n", pa.int64())])
SCHEMA = StreamSchema(COLUMNS)


def batch(*numbers: int) -> pa.RecordBatch:
    return pa.record_batch([list(numbers)], schema=COLUMNS)


def read_of(split: str, start: Any, end: Any) -> Origins:
    return Origins((Stretch("in", split, start, end),))


@attrs.frozen
class Doing(Operator):
    """An operator whose partitions do what a function does with each batch."""

    rows: Callable[[pa.RecordBatch], Any] = lambda rows: [rows]
    opened: Callable[[Doing, PartitionContext], Any] = lambda operator, context: _Doing(operator, context)

    def output(self, inputs: Mapping[str, StreamSchema]) -> StreamSchema:
        return next(iter(inputs.values()))

    def open(self, context: PartitionContext) -> Any:
        return self.opened(self, context)


class _Doing(Partition):
    def __init__(self, operator: Doing, context: PartitionContext) -> None:
        self.operator, self.context, self.closed = operator, context, 0

    def on_batch(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        return self.operator.rows(batch)  # type: ignore[no-any-return]

    def close(self) -> None:
        self.closed += 1


class _Ported(PortedPartition):
    def on_batch(self, batch: pa.RecordBatch, port: str) -> Iterator[pa.RecordBatch]:
        yield batch if port == "right" else batch.slice(0, 0)


@attrs.frozen
class Noting(Sink):
    """Notes its writer's calls, and raises in those that it is told to."""

    fails: tuple[str, ...] = ()
    calls: list[str] = attrs.field(factory=list, eq=False)

    def open(self, context: WriterContext) -> Any:
        self.note("open")
        return _Noted(self)

    def note(self, call: str) -> None:
        self.calls.append(call)
        if call in self.fails:
            raise OSError(f"no {call}")


class _Noted(Writer):
    def __init__(self, sink: Noting) -> None:
        self.sink = sink

    def write(self, batch: pa.RecordBatch) -> None:
        self.sink.note("write")

    def abort(self) -> None:
        self.sink.note("abort")

    def close(self) -> None:
        self.sink.note("close")


def working(operator: Operator, on_error: ErrorPolicy = "fail", ports: Iterable[str] = ("in",)) -> RunningStep:
    """An operator's step, the third instance of four, not yet open."""
    inputs = dict.fromkeys(ports, SCHEMA)
    node = OperatorNode("node", operator, tuple((port, Output("rows")) for port in ports))
    return RunningStep(Step("node", "operator", inputs, SCHEMA, node, operator=operator, on_error=on_error), 2, 4)


def opened(operator: Operator | None = None, on_error: ErrorPolicy = "fail", **options: Any) -> RunningStep:
    running = working(operator or Doing(), on_error, **options)
    running.open("run")
    return running


def writing(sink: Any) -> RunningStep:
    node = SinkNode("node", sink, Output("rows"))
    return RunningStep(Step("node", "sink", {"in": SCHEMA}, SCHEMA, node, sink=sink), 2, 4)


def context_of(running: RunningStep) -> PartitionContext:
    assert isinstance(running.partition, _Doing)
    return running.partition.context


def aside(running: RunningStep) -> list[tuple[str, list[dict[str, Any]]]]:
    return [(side, rows.to_pylist()) for side, rows in running.take_aside()]
