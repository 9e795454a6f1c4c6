"""Bounds: memory under a sink that is much slower than its source, and the latency of a quiet event.

python -m tests.bench.bounds memory [--seconds 60]
python -m tests.bench.bounds latency [--events 200]
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

import attrs
import numpy as np
import pyarrow as pa
import trio

import flow
from flow import AsyncReader, Graph, Source, Split
from operators import Callback, Generator
from tests.bench.measure import MemoryWatch, machine


def numbers(start: int, count: int) -> pa.RecordBatch:
    return pa.record_batch({"id": np.arange(start, start + count), "value": np.random.default_rng(start).random(count)})


def memory(seconds: float) -> None:
    """A source that runs flat out and a sink that sleeps: resident memory over the run."""
    written = 0

    def slow(batch: pa.RecordBatch) -> None:
        nonlocal written
        written += batch.num_rows
        time.sleep(batch.num_rows / 200_000)

    graph = Graph("memory")
    graph.source("numbers", Generator(numbers)).sink("slow", Callback(slow))
    handle = flow.start(graph)
    time.sleep(min(5.0, seconds / 4))
    with MemoryWatch() as watch:
        time.sleep(seconds)
    stats = handle.stats()
    handle.abort()
    handle.wait()
    least, most = min(watch.samples), max(watch.samples)
    print(f"{seconds:.0f} s, {machine()}: {written / stats.seconds:,.0f} rows/s written")
    print(
        f"memory {least:.0f} to {most:.0f} MB, median {statistics.median(watch.samples):.0f} MB: {most / least - 1:.1%}"
    )
    source = stats.nodes["numbers"]
    print(f"the source was blocked {source.share(source.blocked):.0%} of the time")


@attrs.frozen
class Events(Source):
    """One row, a pause, one row, a pause: each row says when it was made."""

    events: int
    pause: float = 0.02

    def schema(self) -> pa.Schema:
        return pa.schema([("made", pa.int64())])

    def splits(self) -> list[Split]:
        return [Split("events")]

    def open(self, split: Split, offset: Any = None) -> AsyncReader:
        return _EventReader(self.events, self.pause)


class _EventReader(AsyncReader):
    def __init__(self, events: int, pause: float) -> None:
        self.left, self.pause = events, pause

    async def read(self) -> pa.RecordBatch | None:
        await trio.sleep(self.pause)
        self.left -= 1
        return pa.record_batch({"made": [time.perf_counter_ns()]}) if self.left >= 0 else None


def latency(events: int) -> None:
    """Source to sink through a hash exchange, one event at a time."""
    took: list[float] = []

    def arrived(batch: pa.RecordBatch) -> None:
        now = time.perf_counter_ns()
        took.extend((now - made) / 1e6 for made in batch["made"].to_pylist())

    graph = Graph("latency")
    stream = graph.source("events", Events(events)).key_by("made")
    stream.map_batches(lambda batch: batch, name="pass", partitions=4).sink("out", Callback(arrived))
    graph.run()
    ordered = sorted(took)
    print(f"{events} events 20 ms apart, {machine()}: source to sink")
    late = ordered[int(len(ordered) * 0.99)]
    print(f"median {statistics.median(took):.2f} ms, 99 % {late:.2f} ms, most {ordered[-1]:.2f} ms")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["memory", "latency"])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--events", type=int, default=200)
    args = parser.parse_args()
    if args.what == "memory":
        memory(args.seconds)
    else:
        latency(args.events)
