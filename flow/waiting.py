"""Calls to the outside world that are under way: what may be put out next, in order or as it comes.

Pieces and control go in at one end, and come out when their turn has come; control never overtakes a piece, and a
call that has come back keeps its place among the bounded number until its result was sent on: backpressure reaches
the outside world.
"""

from __future__ import annotations

from collections import deque
from time import perf_counter_ns

import attrs
import pyarrow as pa
import trio

from flow.chain import ChainInstance
from flow.inputs import Work
from flow.operator import AsyncPartition
from flow.origin import NOWHERE, Origins


@attrs.define(eq=False)
class Piece:
    """Rows for which one call is under way, then what came of it."""

    rows: pa.RecordBatch
    result: pa.RecordBatch | None = None
    error: Exception | SystemExit | None = None
    done: bool = False
    origins: Origins = NOWHERE


class UnderWay:
    """Pieces and control in the order in which they came.

    Args:
        ordered: whether pieces come out in that order, or each as soon as it is done.
    """

    def __init__(self, *, ordered: bool) -> None:
        self._ordered = ordered
        self._entries: deque[Piece | Work] = deque()

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, entry: Piece | Work) -> None:
        """A call begins, or control has arrived behind the pieces before it."""
        self._entries.append(entry)

    def take(self) -> list[Piece | Work]:
        """What can be put out now; it is forgotten here."""
        taken: list[Piece | Work] = []
        while self._entries:
            head = self._entries[0]
            if isinstance(head, Piece) and not head.done:
                break
            taken.append(self._entries.popleft())
        if not self._ordered:
            waiting: deque[Piece | Work] = deque()
            while self._entries and isinstance(head := self._entries[0], Piece):
                self._entries.popleft()
                (taken if head.done else waiting).append(head)
            waiting.extend(self._entries)
            self._entries = waiting
        return taken


class Calls:
    """The calls of one waiting partition; `busy` counts how much of the allowed number is in use."""

    def __init__(self, instance: ChainInstance, partition: AsyncPartition) -> None:
        self._partition = partition
        self._step = instance.steps[0]
        self._counters = self._step.counters
        self._under_way = UnderWay(ordered=partition.ordered)
        self._places = trio.Semaphore(partition.concurrency)
        self._progress = trio.Event()
        self._calling = 0
        self._since = perf_counter_ns()
        self._closed = False

    async def begin(self, piece: Piece) -> None:
        """Take a place for a call, after waiting for one where all are taken."""
        await self._places.acquire()
        self._counters.rows_in += piece.rows.num_rows
        self._counters.batches_in += 1
        self._under_way.add(piece)

    async def call(self, piece: Piece) -> None:
        """Make the call for a piece that has begun."""
        self._count(1)
        try:
            result = await self._partition.on_piece(piece.rows)
            self._step.check(result)
            piece.result = result
        except (Exception, SystemExit) as error:
            piece.error = error
        finally:
            self._count(-1)
        piece.done = True
        self._tell()

    def control(self, work: Work) -> None:
        """Let control follow the pieces before it."""
        if work.watermarks or work.ended or work.barrier is not None:
            work.batches.clear()
            work.origins.clear()
            self._under_way.add(work)
            self._tell()

    def close(self) -> None:
        """Nothing follows."""
        self._closed = True
        self._tell()

    async def all_out(self) -> None:
        """Wait until everything that is under way has been put out."""
        while len(self._under_way):
            await self._progress.wait()
            await trio.lowlevel.checkpoint()

    async def ready(self) -> list[Piece | Work] | None:
        """What can be put out next; None when nothing follows. Its places are kept until `put_out`."""
        while not (taken := self._under_way.take()):
            if self._closed and not len(self._under_way):
                return None
            await self._progress.wait()
        return taken

    def put_out(self, entries: list[Piece | Work]) -> None:
        """What was ready has been sent on: its places are free."""
        for entry in entries:
            if isinstance(entry, Piece):
                self._places.release()
        self._tell()

    def _count(self, change: int) -> None:
        now = perf_counter_ns()
        self._counters.busy += (now - self._since) * self._calling // self._partition.concurrency
        self._since = now
        self._calling += change

    def _tell(self) -> None:
        progress, self._progress = self._progress, trio.Event()
        progress.set()
