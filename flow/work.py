"""From what came in to what is sent on: the order in which one piece of work is done by an instance of a chain."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from flow.chain import ChainInstance
from flow.inputs import Work
from flow.kernels import pull_once
from flow.origin import Origins
from flow.reading import Begun, Read
from flow.steps import Send
from flow.waiting import Piece


def of_read(instance: ChainInstance, step: int, read: Read) -> Iterator[Send]:
    """What follows from a read: from rejected rows, then from rows, then from the watermark after them."""
    if read.rejected:
        yield from instance.rejected(step, read.rejected, read.origins)
    yield from instance.read(step, read.batches, read.time, read.origins)


def begin(instance: ChainInstance, step: int, read: Read) -> Begun:
    """Work on what was read, in the thread that read it, while it is warm in the core's cache."""
    sends = of_read(instance, step, read)
    return sends, *pull_once(sends)


def of_work(instance: ChainInstance, work: Work) -> Iterator[Send]:
    """What follows from work that was received: from rows, then from watermarks, then from ends."""
    for port, batches in work.batches.items():
        yield from instance.rows(0, port, batches, work.origins[port])
    for port, (time, idle) in work.watermarks.items():
        yield from instance.advance(0, port, time, idle=idle)
    for port in work.ended:
        yield from instance.end(0, port)


def of_calls(instance: ChainInstance, entries: list[Piece | Work]) -> Iterator[Send]:
    """What follows from calls that came back, and from the control that stood behind them."""
    results: list[pa.RecordBatch] = []
    origins: list[Origins] = []
    for entry in entries:
        if isinstance(entry, Work):
            yield from instance.put_out(results, origins)
            results, origins = [], []
            yield from of_work(instance, entry)
            if entry.barrier is not None:
                yield from instance.barrier(entry.barrier)
        elif entry.error is not None:
            yield from instance.give_up(entry.rows, entry.error, entry.origins)
        elif entry.result is not None:
            results.append(entry.result)
            origins.append(entry.origins)
    yield from instance.put_out(results, origins)
