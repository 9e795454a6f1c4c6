"""What feeds a source's chain: opens splits one after the other, reads them, and keeps the watermark.

A feed is used by one task. The splits of a source are shared by its feeds through a pool, on the event loop only.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence, Set
from contextlib import contextmanager
from threading import Lock
from time import perf_counter_ns
from typing import TypeVar

import attrs
import trio

from flow.awaited import QUIET, Reading, StartSoon
from flow.channel import Inbox
from flow.epochs import Control
from flow.errors import StepError
from flow.kernels import Kernels
from flow.messages import END, Barrier, End, Watermark
from flow.metrics import Counters
from flow.nodes import SourceNode
from flow.origin import Origins, Stretch
from flow.progress import SplitWatermark
from flow.reading import Begun, Gathered, Read
from flow.schema import AFTER_ALL, BEFORE_ALL, StreamSchema
from flow.source import AsyncReader, Offset, Reader, Source, Split

Result = TypeVar("Result")

_PATIENCE = 0.02
"""Seconds that a read may take before something else is done meanwhile."""


class SplitPool:
    """The splits of a source that no reader has opened yet.

    Args:
        node: the source's node.
        splits: all of them, in order.
        readers: how many read them.
        aligned: whether split i belongs to reader i modulo `readers`; else it goes to whoever is free.
    """

    def __init__(self, node: SourceNode, splits: Sequence[Split], readers: int, *, aligned: bool) -> None:
        self._node = node
        self._readers = readers
        self._aligned = aligned
        self._known: set[str] = set()
        self._queues: list[list[Split]] = [[] for _ in range(readers if aligned else 1)]
        self._taken = [0] * len(self._queues)
        self._bounds: list[list[int]] = []
        self.total = 0
        self.unfinished = readers
        self.add(splits)

    def add(self, splits: Sequence[Split]) -> None:
        """Splits were discovered; those that are known already are passed over."""
        for split in splits:
            if split.id not in self._known:
                self._known.add(split.id)
                self._queues[self.total % len(self._queues)].append(split)
                self.total += 1
        self._bounds = [_least_from_each_on(queue) for queue in self._queues]

    def take(self, reader: int) -> Split | None:
        """The next split for a reader; None when there is none."""
        number = reader % len(self._queues)
        if self._taken[number] == len(self._queues[number]):
            return None
        self._taken[number] += 1
        return self._queues[number][self._taken[number] - 1]

    def bound(self, reader: int) -> int:
        """The least watermark that the splits still waiting for this reader allow."""
        if self._node.ordered:
            return AFTER_ALL
        number = reader % len(self._queues)
        least = self._bounds[number][self._taken[number]]
        return least if least in (BEFORE_ALL, AFTER_ALL) else least - self._node.delay


def _least_from_each_on(splits: Sequence[Split]) -> list[int]:
    """For each split, the earliest event time in it and all after it; at the end, infinity."""
    bounds = [AFTER_ALL]
    for split in reversed(splits):
        bounds.append(min(bounds[-1], BEFORE_ALL if split.earliest is None else split.earliest))
    bounds.reverse()
    return bounds


class Feed:
    """Reads split after split for one instance of a source.

    Args:
        node: the source's node.
        source: what to read, narrowed to what is used.
        schema: of what the readers return.
        pool: the source's splits.
        reader: number of this instance.
        counters: of this instance.
        start_soon: starts a task of the run.

    Attributes:
        work: what to do with what was read while still in the thread that read it; None: hand it on.
        after: the sources that are read to their ends before this one begins.
        more_is_coming: whether the next rows are only a matter of computing: nobody has to make do without them.
    """

    def __init__(
        self,
        node: SourceNode,
        source: Source,
        schema: StreamSchema,
        pool: SplitPool,
        reader: int,
        counters: Counters,
        control: Control,
        kernels: Kernels,
        start_soon: StartSoon,
    ) -> None:
        self._node = node
        self._source = source
        self._schema = schema
        self._pool = pool
        self._number = reader
        self.counters = counters
        self._control = control
        self._kernels = kernels
        self._start_soon = start_soon
        self._split: Split | None = None
        self._reader: Reader | Reading | None = None
        self._offset: Offset = None
        self._reads = 0
        self._watermark = SplitWatermark(None)
        self._time_column = None if schema.event_time is None else schema.columns.get_field_index(schema.event_time)
        self._sent = BEFORE_ALL
        self._silent = False
        self._epoch = control.epoch
        self._barred = False
        self._idle: float | None = None
        self._ended = False
        self.work: Callable[[Read], Begun] | None = None
        self.after: Set[str] = frozenset()
        self.more_is_coming = False
        self._at_work = Lock()

    @property
    def label(self) -> str:
        """What the feed is called in the log."""
        return f"{self._node.name} reader {self._number}"

    async def next(self) -> Read | Watermark | Barrier | End:
        """What comes next; waits where nothing is there. After `End` nothing comes."""
        while True:
            if self._control.stopping or self._ended:
                await self.aclose()
                return END
            if self._control.epoch != self._epoch and not self._barred:
                self._epoch, self._barred = self._control.epoch, True
                return Barrier(self._epoch)
            if self.after and not self.after <= self._control.read:
                self._barred = False
                await self._wait_for_others()
                continue
            self._barred = False  # between two barriers something is read, however fast epochs follow each other
            if self._idle is not None:
                time, silent = self._time()
                if time > self._sent or silent != self._silent:
                    self._sent, self._silent = max(time, self._sent), silent
                    return Watermark(self._sent, silent)
                await self._nap(self._idle)
                self._idle = None
                continue
            if self._reader is None and not await self._open_next():
                continue
            read = await self._read()
            if read is not None:
                return read

    async def next_or(self, meanwhile: Callable[[], Awaitable[None]]) -> Read | Watermark | Barrier | End:
        """As `next`; where that takes long, something is done meanwhile, once, and never at the same time as `work`."""
        came, done = trio.Event(), trio.Event()

        async def do() -> None:
            with trio.move_on_after(_PATIENCE):
                await came.wait()
            if not came.is_set() and self._at_work.acquire(blocking=False):
                with self._released():
                    await meanwhile()
            done.set()

        self._start_soon(do)
        try:
            item = await self.next()
        finally:
            came.set()
        await done.wait()
        return item

    @contextmanager
    def _released(self) -> Iterator[None]:
        try:
            yield
        finally:
            self._at_work.release()

    async def aclose(self) -> None:
        """Close the open split, if there is one."""
        try:
            if isinstance(self._reader, Reading):
                await self._reader.aclose()
                self._reader = None
            elif self._reader is not None:
                await self._kernels.call(self._close, name=self.label)
        except (Exception, SystemExit) as error:
            raise self._failure(error) from error

    def _time(self) -> tuple[int, bool]:
        """The watermark of this reader (the least of its open split and the waiting ones), and whether it idles."""
        bound = self._pool.bound(self._number)
        if self._reader is not None and self._watermark.holds:
            return min(bound, self._watermark.time), False
        if bound < AFTER_ALL:
            return bound, False
        # As far as what was read told; who has no split to read holds nobody.
        return max(self._sent, self._watermark.time), self._reader is None or self._node.idle_timeout is not None

    async def _nap(self, seconds: float) -> None:
        self.more_is_coming = False
        start = perf_counter_ns()
        if isinstance(self._reader, Reading):
            await self._reader.wait(self._control, seconds)
        else:
            await self._control.nap(seconds)
        self.counters.starved += perf_counter_ns() - start

    async def _wait_for_others(self) -> None:
        start = perf_counter_ns()
        await self._control.changed()
        self.counters.starved += perf_counter_ns() - start

    async def _open_next(self) -> bool:
        split = self._pool.take(self._number)
        if split is None:
            every = self._source.discover_every
            if every is None:
                self._ended = True
                self._pool.unfinished -= 1
                if not self._pool.unfinished:
                    self._control.end_source(self._node.name)
                return False
            self._pool.add(await self._blocking(self._source.splits))
            split = self._pool.take(self._number)
            if split is None:
                self._idle = every
                return False
        self._split = split
        self._watermark = SplitWatermark(
            self._time_column, self._node.delay, self._node.idle_timeout, self._node.max_future
        )
        if not self._source.never_waits:
            await self._blocking(self._open)
        return True

    def _open(self) -> None:
        """Open the split, in a thread: so it is closed in the end even when the wait for the thread is cancelled."""
        assert self._split is not None
        reader = self._source.open(self._split)
        if not isinstance(reader, Reader | AsyncReader):
            raise TypeError(f"the source opened a {type(reader).__name__}; it should be a reader")
        self._reader = Reading(reader) if isinstance(reader, AsyncReader) else reader
        self._offset = reader.offset()

    def _close(self) -> None:
        """Close the split, in a thread: so a close that is cancelled before it begins is made up for at the end."""
        reader, self._reader = self._reader, None
        if isinstance(reader, Reader):
            reader.close()

    async def _blocking(self, function: Callable[[], Result]) -> Result:
        start = perf_counter_ns()
        try:
            return await self._kernels.call(function, name=self.label)
        except (Exception, SystemExit) as error:
            raise self._failure(error) from error
        finally:
            self.counters.busy += perf_counter_ns() - start

    def _failure(self, error: BaseException) -> StepError:
        split = f"split {self._split.id}" if self._split is not None else f"reader {self._number}"
        offset = self._reader.offset() if self._reader is not None else None
        return StepError(self._node.name, split, error, offset)

    async def _read(self) -> Read | Watermark | None:
        gathered = Gathered(self._schema.columns)
        if isinstance(self._reader, Reading):
            return await self._await_one(self._reader, gathered)
        return await self._call_many(gathered)

    async def _call_many(self, gathered: Gathered) -> Read | None:
        asked = perf_counter_ns()
        try:
            started, ended, read = await self._kernels.call(
                lambda: self._gather(gathered), name=self.label, waits=not self._source.never_waits
            )
        except StepError:
            raise
        except (Exception, SystemExit) as error:
            raise self._failure(error) from error
        self.counters.queued += started - asked + perf_counter_ns() - ended
        return read

    def _gather(self, gathered: Gathered) -> tuple[int, int, Read | None]:
        """Open the split if need be, read, close it at its end, begin to work: all in one hop to a thread.

        Returns:
            When that began and ended, and what was read.
        """
        started = perf_counter_ns()
        if self._reader is None:
            self._open()
        reader = self._reader
        if not isinstance(reader, Reader):
            raise TypeError(f"{self._node.name!r} opens both readers that wait and readers that are awaited")
        self.more_is_coming = self._source.never_waits
        gathered.gather(reader, many=self._source.never_waits)
        gathered.take_from(reader)
        self._watermark.observe(gathered.batches)
        if gathered.ended:
            self._close()
        read = self._taken_in(gathered)
        self.counters.busy += perf_counter_ns() - started
        if read is not None and self.work is not None and self._at_work.acquire(blocking=False):
            with self._released():
                read = attrs.evolve(read, begun=self.work(read))
        return started, perf_counter_ns(), read

    async def _await_one(self, reading: Reading, gathered: Gathered) -> Read | Watermark | None:
        """What an awaited reader gives next; where that takes long, that nothing more is there now, and later None."""
        if asked := reading.ask(self._start_soon):
            await self._nap(QUIET)
        if not reading.answered:
            self._idle = self._watermark.patience
            return Watermark(self._sent, self._silent) if asked else None
        try:
            gathered.take(reading.take())
            gathered.take_from(reading.reader)
            self._watermark.observe(gathered.batches)
        except (Exception, SystemExit) as error:
            raise self._failure(error) from error
        if gathered.ended:
            await self.aclose()
        return self._taken_in(gathered)

    def _taken_in(self, gathered: Gathered) -> Read | None:
        assert self._split is not None
        start, self._offset = self._offset, gathered.offset
        self.counters.splits_done += gathered.ended
        self._idle = gathered.idle
        if not gathered.batches and not gathered.rejected:
            return None
        self.counters.rows_in += gathered.rows
        self.counters.bytes_in += gathered.bytes
        time, _ = self._time()
        self._sent, self._silent = max(self._sent, time), False
        quiet = gathered.idle is not None
        split, end, number = self._split.id, gathered.offset, self._reads
        self._reads += 1
        origins = Origins((Stretch(self._node.name, split, start, end, number, number),))
        return Read(split, gathered.batches, end, gathered.bytes, gathered.rejected, self._sent, quiet, origins)


class Ahead:
    """Reads ahead of the task that takes what is read: a feed with a bounded buffer.

    Args:
        feed: what to read ahead.
        reads: how many reads may wait.
        max_bytes: how many bytes may wait.
    """

    def __init__(self, feed: Feed, reads: int, max_bytes: int) -> None:
        self._feed = feed
        self.buffer: Inbox[Read | Watermark | Barrier | End] = Inbox(1, slots=reads, max_bytes=max_bytes)
        self.label = feed.label
        self.aclose = feed.aclose

    async def run(self) -> None:
        """Read until the end."""
        while True:
            item = await self._feed.next()
            size = item.size if isinstance(item, Read) else 0
            start = perf_counter_ns()
            await self.buffer.send(0, item, size)
            self._feed.counters.blocked += perf_counter_ns() - start
            if isinstance(item, End):
                return

    @property
    def more_is_coming(self) -> bool:
        """As `Feed.more_is_coming`."""
        return self._feed.more_is_coming

    def next_nowait(self) -> Read | Watermark | Barrier | End | None:
        """What was read next; None when nothing waits."""
        received = self.buffer.receive_nowait()
        return None if received is None else received[1]

    async def next(self) -> Read | Watermark | Barrier | End:
        """What was read next, after waiting for it."""
        return (await self.buffer.receive())[1]
