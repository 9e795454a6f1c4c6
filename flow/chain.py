"""One running instance of a chain: its partitions and writer, called one after the other, and what they send on.

Plain synchronous code without an event loop: every method yields the messages to send, so the caller decides in which
thread the work is done and when to stop for breath. Nothing in here is shared with another instance.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from time import perf_counter_ns

import attrs
import pyarrow as pa

from flow.cost import Cost
from flow.errors import RowError, StepError
from flow.layout import Across, Chain, Edge, Layout, Step
from flow.messages import END, Barrier, Message, Rows, Watermark
from flow.metrics import Counters
from flow.nodes import DEAD_LETTER_COLUMNS
from flow.operator import AsyncPartition, Partition, PartitionContext, PortedPartition
from flow.progress import Frontier
from flow.router import Aligned, Forward
from flow.routing import Divider, divider
from flow.schema import AFTER_ALL
from flow.sink import Writer, WriterContext
from flow.source import RejectedRow

LINGER = 20_000_000
"""Nanoseconds for which a partition may hold rows back for the sake of larger batches while more keeps coming."""


@attrs.frozen
class Send:
    """A message for an instance downstream."""

    edge: int
    instance: int
    message: Message
    size: int = 0


class _Way:
    """From this instance along one edge: which instances get what."""

    def __init__(self, edge: Edge, instance: int, instances: int, counters: Counters) -> None:
        self.edge = edge.number
        self.timed = edge.timed
        self.counters = counters
        self._divider: Divider = divider(edge.router, instances, instance)
        stays = isinstance(edge.router, Forward | Aligned)
        self.reached = [instance % instances] if stays else list(range(instances))

    def rows(self, batch: pa.RecordBatch) -> Iterator[Send]:
        counters = self.counters
        start = perf_counter_ns()
        parts = self._divider.divide(batch)
        counters.busy += perf_counter_ns() - start
        counters.rows_in += batch.num_rows
        counters.batches_in += 1
        counters.batches_out += len(parts)
        for instance, part in parts:
            size = part.nbytes
            counters.rows_out += part.num_rows
            counters.bytes_out += size
            yield Send(self.edge, instance, Rows(part), size)

    def control(self, message: Message) -> Iterator[Send]:
        for instance in self.reached:
            yield Send(self.edge, instance, message)


class _Running:
    """A step with its live partition or writer."""

    def __init__(self, step: Step) -> None:
        self.step = step
        self.counters = Counters()
        self.frontier = Frontier(step.ports)
        self.partition: Partition | None = None
        self.writer: Writer | None = None
        self.inside: list[tuple[_Running, int]] = []
        self.ways: list[_Way] = []
        self.late: list[_Way] = []
        self.dead_letters: list[_Way] = []
        self.aside: list[Send] = []
        self.port_names = list(step.inputs)
        self.offset: object = None


class ChainInstance:
    """A chain's instance, to be used by one task at a time.

    Args:
        layout: the layout that the chain is part of.
        chain: the chain.
        instance: its number, from 0.
        batch_rows: waiting batches are concatenated up to this many rows.
        run_id: unique to the run.
    """

    def __init__(self, layout: Layout, chain: Chain, instance: int, batch_rows: int, run_id: str) -> None:
        self.chain = chain
        self.instance = instance
        self._batch_rows = batch_rows
        self._run_id = run_id
        self._lingering = perf_counter_ns()
        self.waits = Counters()
        """Where the time of the instance's task went when no step was busy."""
        self.cost = Cost()
        self.control_cost = Cost()
        self.reads_ahead = False
        self.inbox_fill: Callable[[], float] = lambda: 0.0
        self._born = self._died = 0
        self.router_counters: dict[str, Counters] = {}
        self.steps = [_Running(step) for step in chain.steps]
        self.waiting_partition: AsyncPartition | None = None
        for running in self.steps:
            for side, target in running.step.targets:
                if isinstance(target, Across):
                    edge = layout.edges[target.edge]
                    counters = Counters()
                    if edge.router_name is not None:
                        counters = self.router_counters.setdefault(edge.router_name, counters)
                    way = _Way(edge, instance, layout.chains[edge.downstream].instances, counters)
                    {"out": running.ways, "late": running.late, "dead_letters": running.dead_letters}[side].append(way)
                else:
                    running.inside.append((self.steps[target.step], target.port))

    @property
    def label(self) -> str:
        """What the instance is called in the log."""
        return f"{self.chain.name}[{self.instance}]"

    def begin(self) -> None:
        """The instance's task begins."""
        self._born = perf_counter_ns()

    def end_of_life(self) -> None:
        """The instance's task has ended."""
        self._died = perf_counter_ns()

    def alive(self) -> int:
        """Nanoseconds for which the instance's task has lived."""
        return (self._died or perf_counter_ns()) - self._born if self._born else 0

    @property
    def writes(self) -> bool:
        """Whether there is a writer among the steps."""
        return any(running.writer is not None for running in self.steps)

    @property
    def holds_back(self) -> bool:
        """Whether a partition may hold rows back until it is flushed."""
        return any(
            running.partition is not None and type(running.partition).flush is not Partition.flush
            for running in self.steps
        )

    @property
    def writers(self) -> list[Writer]:
        """The writers in this instance."""
        return [running.writer for running in self.steps if running.writer is not None]

    def open(self) -> None:
        """Open partitions and writers; blocking. Raises StepError."""
        for running in self.steps:
            try:
                self._open(running)
            except Exception as error:
                raise self.failure(running, error) from error

    def _open(self, running: _Running) -> None:
        step = running.step
        if step.operator is not None:
            context = PartitionContext(
                step.name,
                step.inputs,
                self.instance,
                self.chain.instances,
                partial(self._late, running),
                partial(self._late_rows, running),
                partial(self._rejected, running),
            )
            opened = step.operator.open(context)
            if isinstance(opened, AsyncPartition):
                self.waiting_partition = opened
            else:
                running.partition = opened
        elif step.sink is not None:
            context_of_writer = WriterContext(step.name, step.output, self.instance, self.chain.instances, self._run_id)
            running.writer = step.sink.open(context_of_writer)

    def prepare(self, epoch: int) -> None:
        """Let every writer prepare an epoch; blocking. Raises StepError."""
        self._each_writer(lambda writer: writer.prepare(epoch))

    def commit(self, epoch: int) -> None:
        """Let every writer commit an epoch; blocking. Raises StepError."""
        self._each_writer(lambda writer: writer.commit(epoch))

    def _each_writer(self, do: Callable[[Writer], None]) -> None:
        for running in self.steps:
            if running.writer is None:
                continue
            start = perf_counter_ns()
            try:
                do(running.writer)
            except Exception as error:
                raise self.failure(running, error) from error
            finally:
                running.counters.busy += perf_counter_ns() - start

    def finish(self, *, committed: bool) -> list[Exception]:
        """Close everything; writers are aborted first unless all was committed. Returns the errors of doing so."""
        errors: list[Exception] = []
        for running in reversed(self.steps):
            opened = running.writer or running.partition
            if opened is None:
                continue
            if running.writer is not None and not committed:
                self._try(running, running.writer.abort, errors)
            self._try(running, opened.close, errors)
            running.writer = running.partition = None
        return errors

    def _try(self, running: _Running, do: Callable[[], None], errors: list[Exception]) -> None:
        try:
            do()
        except Exception as error:
            errors.append(self.failure(running, error))

    def failure(self, running: _Running, error: BaseException) -> StepError:
        """An error as it is reported: with the node, the instance and the offset."""
        if isinstance(error, StepError):
            return error
        kind = {"source": "reader", "sink": "writer"}.get(running.step.kind, "partition")
        return StepError(running.step.name, f"{kind} {self.instance}", error, running.offset)

    def rows(self, step: int, port: int, batches: Sequence[pa.RecordBatch]) -> Iterator[Send]:
        """Rows came in at a step."""
        running = self.steps[step]
        whole = running.step.operator is None or running.step.operator.coalesce
        for batch in coalesced(batches, self._batch_rows if whole else 1):
            yield from self._rows(running, port, batch)
        if perf_counter_ns() - self._lingering > LINGER:
            yield from self.flush()

    def read(self, step: int, batches: Sequence[pa.RecordBatch], offset: object = None) -> Iterator[Send]:
        """A source's reader read rows."""
        for running in self.steps:
            running.offset = offset
        running = self.steps[step]
        for batch in coalesced(batches, self._batch_rows):
            yield from self._forward(running, batch)
        if perf_counter_ns() - self._lingering > LINGER:
            yield from self.flush()

    def rejected(self, step: int, rows: Sequence[RejectedRow]) -> Iterator[Send]:
        """A source's reader rejected rows: they go where the node's policy sends them."""
        running = self.steps[step]
        yield from self._reject(running, [(row.row, row.error, row.offset) for row in rows])

    def advance(self, step: int, port: int, time: int, *, idle: bool = False) -> Iterator[Send]:
        """The watermark of a step's input came to `time`, and the input may have fallen idle there."""
        yield from self._advance(self.steps[step], port, time, idle=idle)

    def flush(self) -> Iterator[Send]:
        """Give out everything that is held back for the sake of larger batches."""
        self._lingering = perf_counter_ns()
        for running in self.steps:
            if running.partition is not None:
                yield from self._emit(running, running.partition.flush())

    def barrier(self, epoch: int) -> Iterator[Send]:
        """An epoch ends here."""
        yield from self.flush()
        for running in self.steps:
            for way in (*running.ways, *running.late, *running.dead_letters):
                yield from way.control(Barrier(epoch))

    def end(self, step: int, port: int) -> Iterator[Send]:
        """An input of a step ended."""
        yield from self._end(self.steps[step], port)

    def put_out(self, batches: Sequence[pa.RecordBatch]) -> Iterator[Send]:
        """Calls of the waiting partition came back."""
        for batch in coalesced(batches, self._batch_rows):
            yield from self._forward(self.steps[0], batch)

    def give_up(self, rows: pa.RecordBatch, error: Exception) -> Iterator[Send]:
        """A call of the waiting partition failed: the node's error policy applies to its rows."""
        running = self.steps[0]
        if running.step.on_error == "fail":
            raise self.failure(running, error) from error
        yield from self._reject(running, [(row, _said(error), running.offset) for row in _as_json(rows)])

    def _rows(self, running: _Running, port: int, batch: pa.RecordBatch) -> Iterator[Send]:
        counters = running.counters
        counters.rows_in += batch.num_rows
        counters.batches_in += 1
        counters.bytes_in += batch.nbytes
        if running.writer is not None:
            yield from self._write(running, batch)
        elif running.step.on_error == "fail":
            yield from self._emit(running, self._call(running, port, batch))
        else:
            yield from self._guarded(running, port, batch)

    def _call(self, running: _Running, port: int, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        partition = running.partition
        assert partition is not None
        if isinstance(partition, PortedPartition):
            return partition.on_batch(batch, running.port_names[port])
        return partition.on_batch(batch)

    def _emit(self, running: _Running, outputs: Iterator[pa.RecordBatch]) -> Iterator[Send]:
        counters = running.counters
        iterator = None
        while True:
            start = perf_counter_ns()
            try:
                if iterator is None:
                    iterator = iter(outputs)
                batch = next(iterator, None)
            except Exception as error:
                raise self.failure(running, error) from error
            finally:
                counters.busy += perf_counter_ns() - start
            if running.aside:
                yield from self._take_aside(running)
            if batch is None:
                return
            yield from self._forward(running, batch)

    def _take_aside(self, running: _Running) -> Iterator[Send]:
        aside, running.aside = running.aside, []
        yield from aside

    def _forward(self, running: _Running, batch: pa.RecordBatch) -> Iterator[Send]:
        if not batch.num_rows:
            return
        counters = running.counters
        counters.rows_out += batch.num_rows
        counters.batches_out += 1
        for following, port in running.inside:
            yield from self._rows(following, port, batch)
        for way in running.ways:
            try:
                yield from way.rows(batch)
            except Exception as error:
                raise self.failure(running, error) from error

    def _write(self, running: _Running, batch: pa.RecordBatch) -> Iterator[Send]:
        assert running.writer is not None
        start = perf_counter_ns()
        try:
            running.writer.write(batch)
        except Exception as error:
            if running.step.on_error == "fail":
                raise self.failure(running, error) from error
            yield from self._reject(running, [(row, _said(error), None) for row in _as_json(batch)])
        finally:
            running.counters.busy += perf_counter_ns() - start

    def _advance(self, running: _Running, port: int, time: int, *, idle: bool = False) -> Iterator[Send]:
        frontier = running.frontier
        was_idle = frontier.idle
        moved = frontier.advance(port, time, idle=idle)
        if not moved and frontier.idle == was_idle:
            return
        time, idle = frontier.time, frontier.idle
        running.counters.watermark = time
        if not running.step.timed and time < AFTER_ALL:
            return
        if running.partition is not None and moved:
            yield from self._emit(running, running.partition.flush())
            yield from self._emit(running, running.partition.on_watermark(time))
        for following, following_port in running.inside:
            yield from self._advance(following, following_port, time, idle=idle)
        if time < AFTER_ALL:  # an end says as much
            for way in running.ways:
                if way.timed:
                    yield from way.control(Watermark(time, idle))

    def _end(self, running: _Running, port: int) -> Iterator[Send]:
        yield from self._advance(running, port, AFTER_ALL)
        if not running.frontier.end(port):
            return
        if running.partition is not None:
            yield from self._emit(running, running.partition.flush())
            yield from self._emit(running, running.partition.on_end())
        for following, following_port in running.inside:
            yield from self._end(following, following_port)
        for way in (*running.ways, *running.late, *running.dead_letters):
            yield from way.control(END)

    def _late(self, running: _Running, batch: pa.RecordBatch) -> None:
        running.counters.late_rows += batch.num_rows
        for way in running.late:
            running.aside.extend(way.rows(batch))

    def _late_rows(self, running: _Running, rows: int) -> None:
        running.counters.late_rows += rows

    def _rejected(self, running: _Running, batch: pa.RecordBatch, error: str) -> None:
        if running.step.on_error == "fail":
            raise RowError(f"{error} in row {next(_as_json(batch), '')}")
        running.aside.extend(self._reject(running, [(row, error, running.offset) for row in _as_json(batch)]))

    def _guarded(self, running: _Running, port: int, batch: pa.RecordBatch) -> Iterator[Send]:
        """Run a batch under a policy other than `fail`, giving up only the rows at which the operator raises."""
        try:
            outputs = self._collect(running, port, batch)
        except Exception as error:
            running.aside.clear()
            operator = running.step.operator
            assert operator is not None
            if operator.stateless and batch.num_rows > 1:
                half = batch.num_rows // 2
                yield from self._guarded(running, port, batch.slice(0, half))
                yield from self._guarded(running, port, batch.slice(half))
            else:
                letters = [(row, _said(error), running.offset) for row in _as_json(batch)]
                yield from self._reject(running, letters)
            return
        yield from self._take_aside(running)
        for output in outputs:
            yield from self._forward(running, output)

    def _collect(self, running: _Running, port: int, batch: pa.RecordBatch) -> list[pa.RecordBatch]:
        start = perf_counter_ns()
        try:
            return list(self._call(running, port, batch))
        finally:
            running.counters.busy += perf_counter_ns() - start

    def _reject(self, running: _Running, rows: Sequence[tuple[str, str, object]]) -> Iterator[Send]:
        if not rows:
            return
        if running.step.on_error == "fail":
            row, error, offset = rows[0]
            more = f" (and {len(rows) - 1} more rows)" if len(rows) > 1 else ""
            running.offset = running.offset if offset is None else offset
            raise self.failure(running, RowError(f"{error}{more}; row: {row}"))
        if running.step.on_error == "skip":
            running.counters.skipped_rows += len(rows)
            return
        running.counters.dead_letters += len(rows)
        columns = [
            [row for row, _, _ in rows],
            [error for _, error, _ in rows],
            [running.step.name] * len(rows),
            [None if offset is None else json.dumps(offset, default=str) for _, _, offset in rows],
        ]
        letters = pa.record_batch([pa.array(values, pa.string()) for values in columns], schema=DEAD_LETTER_COLUMNS)
        for way in running.dead_letters:
            yield from way.rows(letters)


def coalesced(batches: Sequence[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """The same rows in fewer batches of up to `rows` rows; a batch that is larger already stays whole."""
    waiting: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        if waiting and count + batch.num_rows > rows:
            yield pa.concat_batches(waiting) if len(waiting) > 1 else waiting[0]
            waiting, count = [], 0
        waiting.append(batch)
        count += batch.num_rows
    if waiting:
        yield pa.concat_batches(waiting) if len(waiting) > 1 else waiting[0]


def _said(error: BaseException) -> str:
    return str(error) or type(error).__name__


def _as_json(batch: pa.RecordBatch) -> Iterator[str]:
    for row in batch.to_pylist():
        yield json.dumps(row, default=str, ensure_ascii=False)
