"""What comes in to one running instance: everything that waits is gathered into one piece of work (natural batching).

Control keeps its place: rows from before a barrier are never mixed with rows from after it, a watermark is acted on
after the rows that came before it, and an input that ended neither holds the watermark nor keeps a barrier from
aligning.
"""

from __future__ import annotations

from collections.abc import Iterator

import attrs
import pyarrow as pa

from flow.channel import Inbox
from flow.layout import Chain, Layout
from flow.messages import Barrier, End, Message, Rows, Watermark
from flow.origin import Origins
from flow.progress import Alignment, Frontier
from flow.settings import Settings

MOST_ROWS = 65_536
"""Rows after which what waits is worked on, so that results are sent on before more is taken in."""


@attrs.define
class Work:
    """What an instance has to do next, in this order: rows, watermarks, ended ports, barrier.

    Attributes:
        batches: rows by port, in order of arrival.
        origins: for each of these batches, where its rows come from.
        watermarks: for each port whose frontier moved: where it is, and whether the port idles there.
        ended: ports on which nothing follows.
        barrier: the epoch that ends here.
    """

    batches: dict[int, list[pa.RecordBatch]] = attrs.field(factory=dict)
    origins: dict[int, list[Origins]] = attrs.field(factory=dict)
    watermarks: dict[int, tuple[int, bool]] = attrs.field(factory=dict)
    ended: list[int] = attrs.field(factory=list)
    barrier: int | None = None
    rows: int = 0

    def rows_in_turn(self) -> Iterator[tuple[pa.RecordBatch, Origins]]:
        """The batches of all ports, each with its origins."""
        for port, batches in self.batches.items():
            yield from zip(batches, self.origins[port], strict=True)


class Inputs:
    """The inbox of one instance of a chain, with the progress of each of its ports."""

    def __init__(self, layout: Layout, chain: Chain, instance: int, settings: Settings) -> None:
        channels = layout.inputs(chain, instance)
        self._ports = [edge.port for edge, _ in channels]
        self.numbers = {(edge.number, upstream): number for number, (edge, upstream) in enumerate(channels)}
        in_port = [self._ports[:number].count(port) for number, port in enumerate(self._ports)]
        self._in_port = in_port
        self._all = Frontier(len(channels))
        self._frontiers = [Frontier(self._ports.count(port)) for port in range(chain.steps[0].ports)]
        self._alignment = Alignment(self._all, len(channels))
        self._unfed = [port for port, frontier in enumerate(self._frontiers) if frontier.ended]
        self.inbox: Inbox[Message] = Inbox(len(channels), slots=settings.edge_slots, max_bytes=settings.edge_bytes)

    @property
    def ended(self) -> bool:
        """Whether nothing follows on any port."""
        return self._all.ended and not self._unfed

    def receive_nowait(self) -> Work | None:
        """What there is to do now; None when nothing waits."""
        if self._unfed:
            work = Work(ended=self._unfed)
            self._unfed = []
            return work
        received = self.inbox.receive_nowait()
        return None if received is None else self._gather(*received)

    async def receive(self) -> Work:
        """What there is to do next, after waiting for something where nothing waits."""
        return self._gather(*await self.inbox.receive())

    def release(self) -> None:
        """The barrier has been dealt with; take in what stood behind it."""
        self._alignment.release()
        self.inbox.release()

    def _gather(self, number: int, message: Message) -> Work:
        work = Work()
        while True:
            self._take(work, number, message)
            if work.barrier is not None or self._all.ended or work.rows >= MOST_ROWS:
                return work
            received = self.inbox.receive_nowait()
            if received is None:
                return work
            number, message = received

    def _take(self, work: Work, number: int, message: Message) -> None:
        port = self._ports[number]
        frontier = self._frontiers[port]
        match message:
            case Rows(batch, origins):
                work.batches.setdefault(port, []).append(batch)
                work.origins.setdefault(port, []).append(origins)
                work.rows += batch.num_rows
                return
            case Watermark(time, idle):
                was_idle = frontier.idle
                moved = frontier.advance(self._in_port[number], time, idle=idle)
            case Barrier(epoch):
                self.inbox.hold(number)
                if self._alignment.arrive(number, epoch):
                    work.barrier = epoch
                return
            case End():
                before, was_idle = frontier.time, frontier.idle
                self._all.end(number)
                if frontier.end(self._in_port[number]):
                    work.ended.append(port)
                moved = frontier.time > before
                if self._alignment.complete:
                    work.barrier = self._alignment.epoch
        if (moved or frontier.idle != was_idle) and not frontier.ended:
            work.watermarks[port] = (frontier.time, frontier.idle)
