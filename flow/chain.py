"""One running instance of a chain: a batch goes from step to step by calls, and out along the edges.

Plain synchronous code without an event loop: every method yields the messages to send, so the caller decides in which
thread the work is done and when to stop for breath. Nothing in here is shared with another instance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from time import perf_counter_ns

import pyarrow as pa

from flow.cost import Cost
from flow.errors import StepError
from flow.layout import Across, Chain, Layout
from flow.messages import END, LAST_EPOCH, Barrier, Watermark
from flow.metrics import Counters
from flow.nodes import Side
from flow.operator import AsyncPartition, Partition
from flow.origin import NOWHERE, Origins, Trace
from flow.schema import AFTER_ALL
from flow.source import RejectedRow
from flow.steps import RunningStep, Send, Way, has_state

MOST_ROWS = 65_536
"""Rows of a batch for a partition or writer that may take its time for each of them."""

LINGER = 250_000_000
"""Nanoseconds for which a partition may hold rows back for the sake of larger batches while more keeps coming."""

LOOK = 1_000_000_000
"""Nanoseconds between looks at how large the state is."""


class ChainInstance:
    """A chain's instance, to be used by one task at a time.

    Args:
        layout: the layout that the chain is part of.
        chain: the chain.
        instance: its number, from 0.
        batch_rows: waiting batches are concatenated up to this many rows.
        run_id: unique to the run.

    Attributes:
        waits: where the time of the instance's task went when no step was busy.
        reads_ahead: whether a source at the head reads in a task of its own.
        holds_back: whether a partition may hold rows back until it is flushed.
        inbox_fill: how full the inbox is, 0..1.
        committed: the last epoch that its writers committed, or tried to.
        cost: of the work on rows.
        control_cost: of the work that is not in proportion to rows.
        router_counters: by the name of each router that rows leave through.
    """

    def __init__(self, layout: Layout, chain: Chain, instance: int, batch_rows: int, run_id: str) -> None:
        self.chain = chain
        self.instance = instance
        self.waits = Counters()
        self.reads_ahead = False
        self.holds_back = False
        self.inbox_fill: Callable[[], float] = lambda: 0.0
        self.committed = 0
        self._prepared = 0
        self.cost = Cost()
        self.control_cost = Cost()
        self.router_counters: dict[str, Counters] = {}
        self._batch_rows = batch_rows
        self._run_id = run_id
        self._flushed = self._looked = perf_counter_ns()
        self._watermarks_held: dict[int, int] = {}
        self._born = self._died = 0
        self._trace = Trace(remembers=any(step.kind == "sink" or has_state(step) for step in chain.steps))
        self.steps = [RunningStep(step, instance, chain.instances, self._trace) for step in chain.steps]
        for running in self.steps:
            for side, target in running.step.targets:
                if isinstance(target, Across):
                    edge = layout.edges[target.edge]
                    counters = Counters()
                    if edge.router_name is not None:
                        counters = self.router_counters.setdefault(edge.router_name, counters)
                    way = Way(edge, instance, layout.chains[edge.downstream].instances, counters)
                    running.ways[side].append(way)
                else:
                    following = self.steps[target.step]
                    following.fed_from_state |= has_state(running.step) or running.fed_from_state
                    running.inside[side].append((following, target.port))

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
    def waiting_partition(self) -> AsyncPartition | None:
        """The partition that waits for the outside world, if this is the chain of one."""
        return self.steps[0].waiting_partition

    def open(self) -> None:
        """Open partitions and writers; blocking. Raises StepError."""
        for running in self.steps:
            running.open(self._run_id)
            if running.partition is not None and type(running.partition).flush is not Partition.flush:
                self.holds_back = True

    def prepare(self, epoch: int) -> None:
        """Let every writer prepare an epoch; blocking. Raises StepError."""
        self._prepared = epoch if epoch < LAST_EPOCH else self._prepared + 1
        for running in self.steps:
            if running.writer is not None:
                running.at_rows = False
                with running.working():
                    running.writer.prepare(self._prepared)

    def commit(self, epoch: int) -> None:
        """Let every writer commit an epoch, also where one before it raises; blocking. Raises the first StepError."""
        self.committed = epoch
        failures: list[StepError] = []
        for running in self.steps:
            if running.writer is not None:
                running.at_rows = False
                try:
                    with running.working():
                        running.writer.commit(self._prepared)
                except StepError as error:
                    failures.append(error)
        if failures:
            raise failures[0]

    @property
    def holds_something(self) -> bool:
        """Whether there is something to close that may take its time."""
        return any(running.holds_something for running in self.steps)

    def finish(self, *, committed: bool) -> list[Exception]:
        """Close everything; writers are aborted first unless all was committed. Returns the errors of doing so."""
        return [error for running in reversed(self.steps) for error in running.finish(committed=committed)]

    def rows(
        self, step: int, port: int, batches: Sequence[pa.RecordBatch], origins: Sequence[Origins] = ()
    ) -> Iterator[Send]:
        """Rows came in at a step; they come from somewhere among `origins`."""
        self._trace.begin(origins)
        running = self.steps[step]
        whole = running.step.operator is None or running.step.operator.coalesce
        for batch in coalesced(batches, self._batch_rows if whole else 1):
            yield from self._rows(running, port, batch)
        yield from self._flush_in_time()

    def read(
        self, step: int, batches: Sequence[pa.RecordBatch], time: int, origins: Origins = NOWHERE
    ) -> Iterator[Send]:
        """A source's reader read rows, after which its watermark is `time`.

        Where rows are held back, so is the watermark: it would force them out.
        """
        self._trace.begin((origins,))
        for batch in coalesced(batches, self._batch_rows):
            yield from self._forward(self.steps[step], batch)
        if self.holds_back:
            self._watermarks_held[step] = time
            yield from self._flush_in_time()
        else:
            yield from self._advance(self.steps[step], 0, time)

    def rejected(self, step: int, rows: Sequence[RejectedRow], origins: Origins = NOWHERE) -> Iterator[Send]:
        """A source's reader rejected rows: they go where the node's policy sends them."""
        self._trace.begin((origins,))
        self.steps[step].reject([(row.row, row.error, row.offset) for row in rows])
        yield from self._put_aside(self.steps[step])

    def advance(self, step: int, port: int, time: int, *, idle: bool = False) -> Iterator[Send]:
        """The watermark of a step's input came to `time`, and the input may have fallen idle there."""
        yield from self._advance(self.steps[step], port, time, idle=idle)

    def flush(self) -> Iterator[Send]:
        """Give out everything that is held back for the sake of larger batches."""
        self._flushed = perf_counter_ns()
        if self._flushed - self._looked > LOOK:
            self._looked = self._flushed
            for running in self.steps:
                running.state.look()
        for running in self.steps:
            if running.partition is not None:
                yield from self._let_go(running, running.partition.flush)
        held, self._watermarks_held = self._watermarks_held, {}
        for step, time in held.items():
            yield from self._advance(self.steps[step], 0, time)

    def barrier(self, epoch: int) -> Iterator[Send]:
        """An epoch ends here."""
        yield from self.flush()
        for running in self.steps:
            for ways in running.ways.values():
                for way in ways:
                    yield from way.control(Barrier(epoch))

    def end(self, step: int, port: int) -> Iterator[Send]:
        """An input of a step ended."""
        yield from self._end(self.steps[step], port)

    def put_out(self, batches: Sequence[pa.RecordBatch], origins: Sequence[Origins] = ()) -> Iterator[Send]:
        """Calls of the waiting partition came back."""
        self._trace.begin(origins)
        for batch in coalesced(batches, self._batch_rows):
            yield from self._forward(self.steps[0], batch)

    def give_up(
        self, rows: pa.RecordBatch, error: Exception | SystemExit, origins: Origins = NOWHERE
    ) -> Iterator[Send]:
        """A call of the waiting partition failed: the node's error policy applies to its rows."""
        self._trace.begin((origins,))
        running = self.steps[0]
        if running.step.on_error == "fail":
            raise running.failure(error) from error
        running.reject(running.letters(rows, error))
        yield from self._put_aside(running)

    def _flush_in_time(self) -> Iterator[Send]:
        if perf_counter_ns() - self._flushed > LINGER:
            yield from self.flush()

    def _rows(self, running: RunningStep, port: int, batch: pa.RecordBatch) -> Iterator[Send]:
        most = max(self._batch_rows, MOST_ROWS)
        if batch.num_rows > most and not running.vectorised:
            for start in range(0, batch.num_rows, most):
                yield from self._rows(running, port, batch.slice(start, most))
            return
        running.at_rows = True
        counters = running.counters
        counters.rows_in += batch.num_rows
        counters.batches_in += 1
        counters.bytes_in += batch.nbytes
        guarded = running.step.on_error != "fail"
        if guarded and running.probes:
            usable = self._usable(running, port, batch)
            yield from self._put_aside(running)
            if usable:
                yield from self._put_out(running, partial(running.on_batch, port, concatenated(usable)))
        elif guarded:
            yield from self._guarded(running, port, batch)
        elif running.writer is not None:
            with running.working():
                running.writer.write(batch)
        else:
            yield from self._put_out(running, partial(running.on_batch, port, batch))

    def _guarded(self, running: RunningStep, port: int, batch: pa.RecordBatch) -> Iterator[Send]:
        """Work on a batch under a policy other than `fail`, giving up only the rows at which it raises."""
        counters = running.counters
        aside = counters.late_rows, counters.skipped_rows, counters.dead_letters
        try:
            if running.writer is not None:
                with running.working():
                    running.writer.write(batch)
                running.refusals.took()
                return
            outputs = list(running.outputs(partial(running.on_batch, port, batch)))
        except StepError as error:
            running.take_aside()
            counters.late_rows, counters.skipped_rows, counters.dead_letters = aside  # they will be put aside again
            if batch.num_rows > 1 and running.may_try_halves:
                half = batch.num_rows // 2
                yield from self._guarded(running, port, batch.slice(0, half))
                yield from self._guarded(running, port, batch.slice(half))
            else:
                running.refusals.refused(error.cause)
                running.reject(running.letters(batch, error.cause))
                yield from self._put_aside(running)
            return
        yield from self._put_aside(running)
        for output in outputs:
            yield from self._forward(running, output)

    def _usable(self, running: RunningStep, port: int, batch: pa.RecordBatch) -> list[pa.RecordBatch]:
        """The rows of a batch that a partition with state can use, in parts; the others are given up."""
        try:
            running.probe(port, batch)
        except StepError as error:
            if batch.num_rows == 1:
                running.reject(running.letters(batch, error.cause))
                return []
            half = batch.num_rows // 2
            parts = (batch.slice(0, half), batch.slice(half))
            return [usable for part in parts for usable in self._usable(running, port, part)]
        return [batch]

    def _let_go(self, running: RunningStep, call: Callable[[], Iterator[pa.RecordBatch]]) -> Iterator[Send]:
        """Make a call of a partition that lets go of what it has kept, and hand on what comes of it."""
        running.at_rows = False
        yield from self._put_out(running, call)

    def _put_out(self, running: RunningStep, call: Callable[[], Iterator[pa.RecordBatch]]) -> Iterator[Send]:
        """Make a call of a partition and hand on what comes of it."""
        for batch in running.outputs(call):
            yield from self._put_aside(running)
            yield from self._forward(running, batch)
        yield from self._put_aside(running)

    def _put_aside(self, running: RunningStep) -> Iterator[Send]:
        for side, batch in running.take_aside():
            yield from self._go_out(running, side, batch)

    def _forward(self, running: RunningStep, batch: pa.RecordBatch) -> Iterator[Send]:
        if batch.num_rows:
            running.counters.rows_out += batch.num_rows
            running.counters.batches_out += 1
            yield from self._go_out(running, "out", batch)

    def _go_out(self, running: RunningStep, side: Side, batch: pa.RecordBatch) -> Iterator[Send]:
        for following, port in running.inside[side]:
            yield from self._rows(following, port, batch)
        origins = running.origins_out if running.ways[side] else NOWHERE
        for way in running.ways[side]:
            yield from way.rows(batch, origins)

    def _advance(self, running: RunningStep, port: int, time: int, *, idle: bool = False) -> Iterator[Send]:
        was_idle = running.frontier.idle
        moved = running.frontier.advance(port, time, idle=idle)
        yield from self._tell(running, moved=moved, was_idle=was_idle)

    def _tell(self, running: RunningStep, *, moved: bool, was_idle: bool) -> Iterator[Send]:
        """Tell the partition, and what follows, where the frontier of a step is now."""
        time, idle = running.frontier.time, running.frontier.idle
        if not moved and idle == was_idle:
            return
        running.counters.watermark = time
        if time == AFTER_ALL:
            running.state.end()
        if not running.step.timed and time < AFTER_ALL:
            return
        if running.partition is not None and moved:
            yield from self._let_go(running, running.partition.flush)
            yield from self._let_go(running, partial(running.partition.on_watermark, time))
        for following, following_port in running.inside["out"]:
            yield from self._advance(following, following_port, time, idle=idle)
        if time < AFTER_ALL:  # an end says as much
            for way in running.ways["out"]:
                if way.timed:
                    yield from way.control(Watermark(time, idle))

    def _end(self, running: RunningStep, port: int) -> Iterator[Send]:
        before, was_idle = running.frontier.time, running.frontier.idle
        ended = running.frontier.end(port)
        yield from self._tell(running, moved=running.frontier.time > before, was_idle=was_idle)
        if not ended:
            running.state.look()  # what the port kept may go now
            running.on_port_end(port)
            return
        if running.partition is not None:
            yield from self._let_go(running, running.partition.flush)
            yield from self._let_go(running, running.partition.on_end)
        for side in running.ways:
            for following, following_port in running.inside[side]:
                yield from self._end(following, following_port)
            for way in running.ways[side]:
                yield from way.control(END)


def coalesced(batches: Sequence[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """The same rows in fewer batches of up to `rows` rows; a batch that is larger already stays whole."""
    waiting: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        if waiting and count + batch.num_rows > rows:
            yield concatenated(waiting)
            waiting, count = [], 0
        waiting.append(batch)
        count += batch.num_rows
    if waiting:
        yield concatenated(waiting)


def concatenated(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    """The rows of one batch or more as one."""
    return pa.concat_batches(batches) if len(batches) > 1 else batches[0]
