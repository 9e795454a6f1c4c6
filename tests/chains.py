"""Chains to drive by calls: operators made of functions, a sink that notes its calls, and what is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import attrs
import pyarrow as pa

from flow import (
    Graph,
    Operator,
    Partition,
    PartitionContext,
    PortedPartition,
    Settings,
    Sink,
    StreamSchema,
    Writer,
    WriterContext,
)
from flow.chain import ChainInstance
from flow.layout import Layout, lay_out
from flow.messages import Rows
from flow.nodes import ErrorPolicy
from flow.origin import Origins, Stretch
from flow.steps import Send
from operators import Null, Table

COLUMNS = pa.schema([("t", pa.timestamp("us")), ("n", pa.int64())])
NUMBERS = Table(pa.record_batch([pa.array([0], pa.timestamp("us")), [0]], schema=COLUMNS))


def batch(*numbers: int) -> pa.RecordBatch:
    return pa.record_batch([pa.array(numbers, pa.timestamp("us")), list(numbers)], schema=COLUMNS)


def read_of(split: str, start: Any, end: Any, number: int = 0) -> Origins:
    return Origins((Stretch("rows", split, start, end, number, number),))


@attrs.frozen
class Doing(Operator):
    """An operator made of functions; what they do is noted in `calls`."""

    rows: Callable[[Any, pa.RecordBatch], Iterable[pa.RecordBatch]] = lambda context, rows: [rows]
    held: bool = False
    stateless: bool = True  # type: ignore[misc]
    ports: tuple[str, ...] = ("in",)  # type: ignore[misc]
    calls: list[Any] = attrs.field(factory=list, eq=False)

    def output(self, inputs: Mapping[str, StreamSchema]) -> StreamSchema:
        return next(iter(inputs.values()))

    def open(self, context: PartitionContext) -> Partition:
        return (
            _Holding(self, context) if self.held else _Ported(self, context) if self.ports[1:] else _Did(self, context)
        )


class _Did(Partition):
    def __init__(self, operator: Doing, context: PartitionContext) -> None:
        self.operator, self.context = operator, context

    def on_batch(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        yield from self.operator.rows(self.context, batch)

    def on_watermark(self, time: int) -> Iterator[pa.RecordBatch]:
        self.operator.calls.append(time)
        return iter(())

    def on_end(self) -> Iterator[pa.RecordBatch]:
        self.operator.calls.append("end")
        yield batch(99)

    def close(self) -> None:
        self.operator.calls.append("close")


class _Ported(PortedPartition, _Did):
    def on_batch(self, batch: pa.RecordBatch, port: str = "") -> Iterator[pa.RecordBatch]:
        self.operator.calls.append((port, batch["n"].to_pylist()))
        yield batch


class _Holding(_Did):
    """Gives out what it has when it is flushed."""

    def __init__(self, operator: Doing, context: PartitionContext) -> None:
        super().__init__(operator, context)
        self.waiting: list[pa.RecordBatch] = []

    def on_batch(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        self.waiting.append(batch)
        return iter(())

    def flush(self) -> Iterator[pa.RecordBatch]:
        waiting, self.waiting = self.waiting, []
        if waiting:
            yield pa.concat_batches(waiting)


@attrs.frozen
class Noting(Sink):
    """Refuses negative numbers, and notes its calls."""

    calls: list[Any] = attrs.field(factory=list, eq=False)

    def open(self, context: WriterContext) -> Writer:
        return _Noted(self.calls)


class _Noted(Writer):
    def __init__(self, calls: list[Any]) -> None:
        self.calls = calls

    def write(self, batch: pa.RecordBatch) -> None:
        numbers = batch["n"].to_pylist()
        if min(numbers) < 0:
            raise ValueError("negative")
        self.calls.append(numbers)

    def prepare(self, epoch: int) -> None:
        self.calls.append(("prepare", epoch))

    def commit(self, epoch: int) -> None:
        self.calls.append(("commit", epoch))

    def abort(self) -> None:
        self.calls.append("abort")
        raise OSError("cannot abort")

    def close(self) -> None:
        self.calls.append("close")


def opened(graph: Graph, chain: str, instance: int = 0, **settings: Any) -> ChainInstance:
    layout: Layout = lay_out(graph.nodes, Settings(**{"readers": 1, "partitions": 2, **settings}))
    found = next(each for each in layout.chains if each.name == chain)
    made = ChainInstance(layout, found, instance, settings.get("batch_rows", 65_536), "run")
    made.open()
    return made


def fused(*operators: Operator, on_error: ErrorPolicy = "fail", sides: tuple[str, ...] = ()) -> ChainInstance:
    """A source with operators fused behind it, and a sink for each side of the last one."""
    graph = Graph("g")
    stream = graph.source("rows", NUMBERS, event_time="t")
    for number, operator in enumerate(operators):
        stream = stream.apply(operator, name=f"step{number}", on_error=on_error)
    stream.sink("out", Null())
    for side in sides:
        getattr(stream, side).sink(side, Null())
    return opened(graph, "rows")


def after_exchange(operator: Operator, **settings: Any) -> ChainInstance:
    """The operator as the head of a chain behind a hash router; a timed one reads what it puts out."""
    graph = Graph("g")
    keyed = graph.source("rows", NUMBERS, event_time="t").key_by("n").apply(operator, name="head")
    keyed.key_by("n").apply(Doing(), name="next").sink("out", Null())
    return opened(graph, "head", **settings)


def told(sends: Iterable[Send]) -> list[Any]:
    """What is sent, without where."""
    return [
        send.message.batch.column("n").to_pylist() if isinstance(send.message, Rows) else send.message for send in sends
    ]
