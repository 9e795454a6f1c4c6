"""Scaling without cores: a kernel that sleeps per batch, batches left as they come, as many threads as partitions.

python -m tests.bench.scaling [--milliseconds 50] [--partitions 1 8 64] [--batches 20]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator, Mapping

import attrs
import numpy as np
import pyarrow as pa

from flow import ROUND_ROBIN, Graph, Operator, Partition, PartitionContext, RunStats, StreamSchema
from operators import Null, Table
from tests.bench.measure import machine


@attrs.frozen
class Sleep(Operator):
    """Passes batches on after sleeping without the interpreter lock."""

    seconds: float
    stateless = True
    timed = False
    coalesce = False

    def output(self, inputs: Mapping[str, StreamSchema]) -> StreamSchema:
        return inputs["in"]

    def open(self, context: PartitionContext) -> Partition:
        return _Sleeping(self.seconds)


class _Sleeping(Partition):
    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def on_batch(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        time.sleep(self.seconds)
        yield batch


def run(seconds: float, partitions: int, batches: int) -> tuple[float, RunStats]:
    """Batches per second with so many partitions, and the counts."""
    table = pa.table({"id": np.arange(batches * partitions * 100)})
    graph = Graph("sleep")
    source = graph.source("batches", Table(table, batch_rows=100))
    source.route(ROUND_ROBIN).apply(Sleep(seconds), name="sleep", partitions=partitions).sink("out", Null())
    stats = graph.run(batch_rows=1, threads=partitions)
    return batches * partitions / stats.seconds, stats


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--milliseconds", type=float, default=50)
    parser.add_argument("--partitions", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--batches", type=int, default=20, help="batches for each partition")
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    print(f"{args.milliseconds} ms a batch, {args.batches} batches a partition; {machine()}; {args.runs} runs")
    rates: dict[int, list[float]] = {partitions: [] for partitions in args.partitions}
    last: dict[int, RunStats] = {}
    for _ in range(args.runs):
        for partitions in args.partitions:
            rate, last[partitions] = run(args.milliseconds / 1_000, partitions, args.batches)
            rates[partitions].append(rate)
    base = rates[args.partitions[0]]
    for partitions, measured in rates.items():
        ratios = [rate / one for rate, one in zip(measured, base, strict=True)]
        stats = last[partitions]
        source, sleep = stats.nodes["batches"], stats.nodes["sleep"]
        print(
            f"{partitions:4} partitions: {statistics.median(measured):9.1f} batches/s, "
            f"{statistics.median(ratios):6.2f} x [{min(ratios):.2f}-{max(ratios):.2f}]; "
            f"readers {source.share(source.busy):.0%} busy, partitions {sleep.share(sleep.busy):.0%} busy, "
            f"loop {stats.loop_busy / stats.seconds:.0%} busy"
        )


if __name__ == "__main__":
    main()
