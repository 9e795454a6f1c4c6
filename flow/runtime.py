"""The runtime: one nursery, one task for every instance of every chain, bounded inboxes between them.

This is the one file that opens nurseries. A task receives, lets its chain's instance work (inline or in a worker
thread), and sends what came of it, waiting where there is no room; nothing is shared between tasks but inboxes and
the run's control.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
from time import perf_counter_ns

import structlog
import trio

from flow.awaited import QUIET
from flow.chain import LINGER, ChainInstance
from flow.cost import Cost
from flow.epochs import Commits, Control
from flow.errors import StepError, leaves
from flow.feed import Ahead, Feed, SplitPool
from flow.heap import spared
from flow.inputs import Inputs, Work
from flow.kernels import SETTLE, Kernels
from flow.layout import Layout, lay_out
from flow.messages import Barrier, End, Watermark
from flow.metering import LoopMeter, node_stats
from flow.metrics import Outcome, RunStats
from flow.nodes import Node, SourceNode
from flow.operator import AsyncPartition
from flow.reading import Read
from flow.settings import Settings, cores
from flow.signals import Signals
from flow.steps import Send
from flow.waiting import Calls, Piece
from flow.work import begin, of_calls, of_read, of_work

Watch = Callable[[RunStats], None]

WATCH = "watch"
"""What the call that shows the counts is known by: what it writes to may be stuck."""

log = structlog.get_logger("penstock")

_WORTH = 4
"""How many times as long as giving out took, the last time, rows are held back before they are given out again."""


class Run:
    """One run of a graph, from opening to closing; to be used on the event loop only.

    Args:
        name: the graph's.
        nodes: the graph's.
        settings: how to run them.

    Raises:
        GraphError: the graph cannot be laid out.
    """

    def __init__(self, name: str, nodes: Mapping[str, Node], settings: Settings) -> None:
        self.name = name
        self.settings = settings
        self.run_id = uuid.uuid4().hex[:12]
        self.layout: Layout = lay_out(nodes, settings)
        self.outcome: Outcome = "running"
        self._threads = settings.threads or cores()
        self._control = Control()
        # Reads, writes and whoever watches may wait; each has a thread, so that none of them waits for another.
        waiting = sum(2 * chain.instances for chain in self.layout.chains if chain.kind != "operator")
        self._kernels = Kernels(self._threads, waiting + 1)
        self._instances: list[list[ChainInstance]] = []
        self._inputs: list[list[Inputs]] = []
        for chain in self.layout.chains:
            numbers = range(chain.instances)
            self._instances.append(
                [ChainInstance(self.layout, chain, number, settings.batch_rows, self.run_id) for number in numbers]
            )
            self._inputs.append([Inputs(self.layout, chain, number, settings) for number in numbers])
            for instance, inputs in zip(self._instances[-1], self._inputs[-1], strict=True):
                instance.inbox_fill = inputs.inbox.fill
        self._pools = {
            step.name: SplitPool(step.node, self.layout.splits[step.name], chain.instances, aligned=chain.aligned)
            for chain in self.layout.chains
            for step in chain.steps
            if isinstance(step.node, SourceNode)
        }
        self._feeds = {
            instance.label: self._feeds_of(instance)
            for chain in self.layout.chains
            for instance in self._instances[chain.number]
            if chain.kind == "source"
        }
        writers = [instance.label for instance in self._all() if any(s.kind == "sink" for s in instance.chain.steps)]
        self._writer_numbers = {label: number for number, label in enumerate(writers)}
        self._commits = Commits(len(writers))
        self._meter = LoopMeter()
        self._scope = trio.CancelScope()
        self._committed = False
        self._nursery: trio.Nursery | None = None

    def drain(self) -> None:
        """Stop reading, finish what was read, commit, and end; after the grace period this becomes an abort."""
        if not self._control.stopping:
            log.info("draining", run=self.run_id, graph=self.name, grace=self.settings.grace)
            self._scope.deadline = trio.current_time() + self.settings.grace
            self._control.stop()

    def abort(self) -> None:
        """Stop at once; what was not committed is removed."""
        self._scope.cancel()

    def interrupt(self) -> None:
        """A signal came: the first drains, the second aborts."""
        if self._control.stopping:
            self.abort()
        else:
            self.drain()

    def stats(self) -> RunStats:
        """The counts of this moment."""
        return RunStats(
            graph=self.name,
            seconds=self._meter.seconds,
            nodes=node_stats(self.layout, self._instances),
            threads=self._threads,
            cores=cores(),
            cpu_seconds=self._meter.cpu_seconds,
            loop_busy=self._meter.busy,
            outcome=self.outcome,
            topology=self.settings.topology,
        )

    async def execute(
        self, *, signals: Signals | None = None, watch: Watch | None = None, watch_every: float = 0.25
    ) -> RunStats:
        """Run to the end.

        Args:
            signals: tells of SIGINT and SIGTERM, which drain, and abort when they come again.
            watch: called with the counts now and then, and once at the end; in a worker thread.
            watch_every: seconds between such calls.

        Returns:
            The final counts.

        Raises:
            ExceptionGroup: flat, of StepError, when something failed.
        """
        trio.lowlevel.add_instrument(self._meter)
        self._meter.begin()
        if signals is not None:
            signals.listen(self.interrupt)
        failures: list[BaseException] = []
        try:
            with spared(), self._scope:
                await self._run(watch, watch_every)
        except BaseException as error:
            failures += leaves(error)
        try:
            # In a task of its own: KeyboardInterrupt, which trio raises in the main task, must not cut it short.
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._finish, failures)
        except BaseException as error:
            failures += leaves(error)
        self._meter.end()
        trio.lowlevel.remove_instrument(self._meter)
        errors = [error for error in failures if isinstance(error, Exception)]
        stops = [error for error in failures if not isinstance(error, Exception)]
        self.outcome = self._outcome(errors)
        for label in self._kernels.abandoned:
            log.warning("a call did not return; its thread is abandoned", run=self.run_id, instance=label)
        if watch is not None and WATCH not in self._kernels.abandoned:
            with trio.move_on_after(SETTLE, shield=True):
                await self._kernels.call(lambda: watch(self.stats()), name=WATCH)
        if errors:
            raise ExceptionGroup(f"the run of {self.name!r} failed", errors)
        for stop in stops:
            raise stop
        return self.stats()

    def _outcome(self, errors: list[Exception]) -> Outcome:
        if errors:
            return "failed"
        if not self._committed:
            return "aborted"
        return "drained" if self._control.stopping else "finished"

    async def _run(self, watch: Watch | None, watch_every: float) -> None:
        async with trio.open_nursery() as around:
            for instance in self._all():
                await self._kernels.call(instance.open, name=instance.label)
            if watch is not None:
                around.start_soon(self._watch, watch, watch_every)
            around.start_soon(self._end_epochs)
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                for chain in self.layout.chains:
                    for instance in self._instances[chain.number]:
                        nursery.start_soon(self._live, instance)
                        for feed in self._feeds.get(instance.label, ()):
                            if isinstance(feed, Ahead):
                                nursery.start_soon(feed.run)
            self._committed = True
            around.cancel_scope.cancel()

    async def _watch(self, watch: Watch, every: float) -> None:
        while True:
            await trio.sleep(every)
            await self._kernels.call(lambda: watch(self.stats()), name=WATCH)

    async def _end_epochs(self) -> None:
        """End an epoch every so often, each after the one before was committed."""
        while self.settings.commit_every is not None:
            await trio.sleep(self.settings.commit_every)
            if self._commits.committed == self._control.epoch and not self._control.stopping:
                self._control.end_epoch()

    async def _finish(self, failures: list[BaseException]) -> None:
        """Close everything, and add what goes wrong to the failures."""
        with trio.move_on_after(max(self.settings.grace, SETTLE), shield=True):
            await self._finish_commits(failures)
            for feed in (feed for feeds in self._feeds.values() for feed in feeds):
                if feed.label not in self._kernels.abandoned:
                    failures += await _closed(feed.aclose)
            for instance in self._all():
                if instance.label in self._kernels.abandoned:
                    continue  # a thread is still in it
                if instance.waiting_partition is not None:
                    errors = await _closed(instance.waiting_partition.aclose)
                    failures += [instance.steps[0].failure(error) for error in errors]
                finish = partial(instance.finish, committed=self._committed)
                holds = instance.holds_something
                failures += await self._kernels.call(finish, name=instance.label) if holds else finish()

    async def _finish_commits(self, failures: list[BaseException]) -> None:
        """Commit what all writers had prepared when the run was ended: an epoch is seen whole or not at all."""
        decided = self._commits.decided
        writing = [instance for instance in self._all() if instance.writes]
        for instance in writing:
            if instance.label not in self._kernels.abandoned and instance.committed < decided:
                try:
                    await self._kernels.call(partial(instance.commit, decided), name=instance.label)
                except StepError as error:
                    failures.append(error)
        failed = any(isinstance(failure, Exception) for failure in failures)
        done = all(instance.label not in self._kernels.abandoned for instance in writing)
        self._committed = self._committed or (decided == Commits.LAST and done and not failed)

    def _start_soon(self, function: Callable[[], Awaitable[None]]) -> None:
        assert self._nursery is not None
        self._nursery.start_soon(function)

    def _all(self) -> Iterator[ChainInstance]:
        for group in self._instances:
            yield from group

    def _feeds_of(self, instance: ChainInstance) -> list[Feed | Ahead]:
        chain = instance.chain
        feeds: list[Feed | Ahead] = []
        for number in chain.sources:
            step = chain.steps[number]
            assert isinstance(step.node, SourceNode)
            assert step.source is not None
            counters = instance.steps[number].counters
            feed = Feed(
                step.node, step.source, step.output, self._pools[step.name], instance.instance, counters,
                self._control, self._kernels, self._start_soon,
            )  # fmt: skip
            feed.after = self.layout.after.get(step.name, frozenset())
            instance.reads_ahead = chain.reads_ahead > 0
            if chain.reads_ahead:
                ahead = Ahead(feed, chain.reads_ahead, self.settings.edge_bytes)
                instance.inbox_fill = ahead.buffer.fill
                feeds.append(ahead)
            else:
                feed.work = partial(begin, instance, number)
                feeds.append(feed)
        return feeds

    async def _live(self, instance: ChainInstance) -> None:
        """The life of one instance's task."""
        instance.begin()
        try:
            if instance.chain.kind == "source":
                await self._feed(instance, self._feeds[instance.label])
            elif instance.waiting_partition is not None:
                await self._wait(instance, instance.waiting_partition)
            else:
                await self._work(instance)
            if instance.writes:
                await self._commit(instance, Commits.LAST)
        finally:
            instance.end_of_life()

    async def _feed(self, instance: ChainInstance, feeds: list[Feed | Ahead]) -> None:
        """Take what the feeds read in turn, until all have ended."""
        unfinished = dict(zip(instance.chain.sources, feeds, strict=True))
        while unfinished:
            for step, feed in list(unfinished.items()):
                match await self._next(instance, feed):
                    case Read() as read:
                        sends, taken, done = read.begun or (of_read(instance, step, read), [], False)
                        await self._send_all(instance, taken)
                        if not done:
                            await self._perform(instance, sends, read.rows, instance.cost)
                        if read.quiet:
                            await self._control_of(instance, instance.flush())
                    case Watermark(time, idle):
                        # It comes without rows where nothing more is there now.
                        await self._control_of(instance, instance.flush())
                        await self._control_of(instance, instance.advance(step, 0, time, idle=idle))
                    case Barrier(epoch):
                        await self._end_epoch(instance, epoch)
                    case End():
                        await self._perform(instance, instance.end(step, 0), 0, Cost())
                        del unfinished[step]

    async def _next(self, instance: ChainInstance, feed: Feed | Ahead) -> Read | Watermark | Barrier | End:
        """What a feed has next; where it takes long to come, rows that are held back are given out meanwhile."""
        if isinstance(feed, Feed):
            if not instance.holds_back or feed.more_is_coming:
                return await feed.next()
            return await feed.next_or(lambda: self._control_of(instance, instance.flush()))
        if (item := feed.next_nowait()) is not None:
            await trio.lowlevel.checkpoint()
            return item
        start = perf_counter_ns()
        if instance.holds_back and not feed.more_is_coming:
            with trio.move_on_after(QUIET):
                item = await feed.next()
            if item is None:
                instance.waits.starved += perf_counter_ns() - start
                await self._control_of(instance, instance.flush())
                start = perf_counter_ns()
        item = item or await feed.next()
        instance.waits.starved += perf_counter_ns() - start
        return item

    async def _work(self, instance: ChainInstance) -> None:
        """Receive, work, send, until nothing follows."""
        inputs = self._inputs[instance.chain.number][instance.instance]
        held, patience = False, QUIET
        while not inputs.ended:
            work = inputs.receive_nowait()
            if work is not None:
                await trio.lowlevel.checkpoint()
            else:
                work = await self._starve(instance, inputs, patience if held else math.inf)
                if work is None:
                    held, start = False, perf_counter_ns()
                    await self._control_of(instance, instance.flush())
                    patience = min(max(QUIET, _WORTH * (perf_counter_ns() - start) / 1e9), LINGER / 1e9)
                    continue
            held = held or (instance.holds_back and bool(work.batches))
            await self._perform(instance, of_work(instance, work), work.rows, Cost() if work.ended else instance.cost)
            if work.barrier is not None:
                await self._end_epoch(instance, work.barrier)
                inputs.release()

    async def _starve(self, instance: ChainInstance, inputs: Inputs, seconds: float) -> Work | None:
        """Wait for work; not for longer than so many seconds, where rows are held back that could be given out."""
        start = perf_counter_ns()
        try:
            with trio.move_on_after(seconds):
                return await inputs.receive()
            return None
        finally:
            instance.waits.starved += perf_counter_ns() - start

    async def _wait(self, instance: ChainInstance, partition: AsyncPartition) -> None:
        """Keep calls to the outside world under way, and put out what comes back."""
        inputs = self._inputs[instance.chain.number][instance.instance]
        calls = Calls(instance, partition)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._put_out, instance, calls)
            while not inputs.ended:
                work = inputs.receive_nowait() or await self._starve(instance, inputs, math.inf)
                assert work is not None
                for batch, origins in work.rows_in_turn():
                    for rows in partition.pieces(batch):
                        piece = Piece(rows, origins=origins)
                        await calls.begin(piece)
                        nursery.start_soon(calls.call, piece)
                calls.control(work)
                if work.barrier is not None:
                    await calls.all_out()
                    inputs.release()
            calls.close()

    async def _put_out(self, instance: ChainInstance, calls: Calls) -> None:
        while (entries := await calls.ready()) is not None:
            await self._control_of(instance, of_calls(instance, entries))
            calls.put_out(entries)

    async def _control_of(self, instance: ChainInstance, sends: Iterator[Send]) -> None:
        """Let an instance do what is not in proportion to rows that came in."""
        await self._perform(instance, sends, 0, instance.control_cost)

    async def _end_epoch(self, instance: ChainInstance, epoch: int) -> None:
        await self._control_of(instance, instance.barrier(epoch))
        if instance.writes:
            await self._commit(instance, epoch)

    async def _perform(self, instance: ChainInstance, sends: Iterator[Send], rows: int, cost: Cost) -> None:
        """Let an instance work, and send what comes of it."""
        waits = instance.chain.kind == "sink"
        done = False
        while not done:
            taken, done = await self._kernels.pull(sends, rows, cost, instance.waits, name=instance.label, waits=waits)
            await self._send_all(instance, taken)

    async def _send_all(self, instance: ChainInstance, taken: list[Send]) -> None:
        for send in taken:
            await self._send(instance, send)

    async def _send(self, instance: ChainInstance, send: Send) -> None:
        edge = self.layout.edges[send.edge]
        inputs = self._inputs[edge.downstream][send.instance]
        number = inputs.numbers[send.edge, instance.instance]
        if inputs.inbox.has_room(number, send.size):
            inputs.inbox.put(number, send.message, send.size)
            return
        start = perf_counter_ns()
        await inputs.inbox.send(number, send.message, send.size)
        instance.waits.blocked += perf_counter_ns() - start

    async def _commit(self, instance: ChainInstance, epoch: int) -> None:
        """Prepare what the instance's writers wrote, wait until all others have, and commit it."""
        await self._kernels.call(partial(instance.prepare, epoch), name=instance.label)
        ready = await self._commits.prepared(self._writer_numbers[instance.label], epoch)
        await self._kernels.call(partial(instance.commit, ready), name=instance.label)


async def _closed(close: Callable[[], Awaitable[None]]) -> list[Exception | SystemExit]:
    """Close one thing, and give back what went wrong with it, which must not keep the others open."""
    try:
        await close()
    except (Exception, SystemExit) as error:
        return [error]
    return []
