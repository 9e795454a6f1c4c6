"""The seed workload: SUM(value) GROUP BY group_id with changes emitted, from batches of 1,000 rows made beforehand.

python -m tests.bench.seed [--rows 10000000] [--runs 5]
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
import pyarrow as pa

from flow import Graph
from operators import Collect, Table, sql
from tests.bench.measure import Case, Clock, main

QUERY = "SELECT group_id, SUM(value) AS total FROM input GROUP BY group_id"


def batches(rows: int) -> list[pa.RecordBatch]:
    made = []
    for start in range(0, rows, 1_000):
        ids = np.arange(start, min(start + 1_000, rows))
        made.append(
            pa.record_batch(
                {
                    "id": ids,
                    "group_id": ids % 10,
                    "value": ids % 100,
                    "source": pa.array(["input"] * len(ids)),
                    "event_time": pa.array(1640995200000 + ids, pa.timestamp("ms")),
                }
            )
        )
    return made


def engine(**settings: Any) -> Case:
    def case(args: argparse.Namespace) -> dict[str, Any]:
        made = batches(args.rows)
        graph, out = Graph("seed"), Collect()
        stream = graph.source("input", Table(made), event_time="event_time")
        sql(QUERY, input=stream).sink("out", out)
        with Clock() as clock:
            stats = graph.run(**settings)
        totals = out.table().sort_by("group_id").to_pydict()
        loop = f"{stats.loop_busy / stats.seconds:.0%}"
        return clock.result(args.rows, check=totals["total"], loop=loop)

    return case


def plain_python(args: argparse.Namespace) -> dict[str, Any]:
    rows = [list(zip(b["group_id"].to_pylist(), b["value"].to_pylist(), strict=True)) for b in batches(args.rows)]
    with Clock() as clock:
        totals: dict[int, int] = {}
        for batch in rows:
            for group, value in batch:
                totals[group] = totals.get(group, 0) + value
    return clock.result(args.rows, check=[totals[group] for group in sorted(totals)])


CASES: dict[str, Case] = {
    "serial": engine(topology="serial"),
    "routed@1": engine(topology="routed", partitions=1),
    "routed@8": engine(topology="routed", partitions=8),
    "prefetched@1": engine(topology="prefetched", partitions=1),
    "prefetched@8": engine(topology="prefetched", partitions=8),
    "python dict": plain_python,
}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rows", type=int, default=10_000_000)


if __name__ == "__main__":
    main(__doc__.splitlines()[0], CASES, arguments)
