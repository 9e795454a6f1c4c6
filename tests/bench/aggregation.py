"""Prints rows a second of aggregating operators, each alone on one core. Run: python -m tests.bench.aggregation"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa

from flow.operator import Operator, Partition, PartitionContext
from flow.schema import AFTER_ALL, WEIGHT, StreamSchema
from operators import Aggregate, Deduplicate, Hop, Tumble, WindowAggregate, agg
from operators.window import Window

ROWS = 65_536


def batches(table: pa.Table, rows: int = ROWS) -> list[pa.RecordBatch]:
    """The table in batches of so many rows, dictionaries shared by each."""
    return table.combine_chunks().to_batches(max_chunksize=rows)


def trades(number: int) -> pa.Table:
    """Trades of 200 symbols, a millisecond apart and up to two seconds out of order."""
    random = np.random.default_rng(7)
    times = 1_700_000_040_000 + np.arange(number) + 2000 - random.integers(0, 2000, number)
    symbols = pa.array([f"SYM{number:04d}" for number in range(200)])
    codes = pa.array(random.integers(0, 200, number, dtype=np.int32))
    return pa.table(
        {
            "symbol": pa.DictionaryArray.from_arrays(codes, symbols),
            "price": np.round(random.uniform(1, 1000, number), 2),
            "volume": random.integers(1, 1000, number),
            "event_time": pa.array(times, pa.timestamp("ms")),
            "user_id": random.integers(0, 1_000_000, number),
            "group_id": np.arange(number) % 10,
        }
    )


def changed(table: pa.Table) -> pa.Table:
    """The rows as a changelog, of which every tenth, all in the second half, takes back one of the first half."""
    random, rows = np.random.default_rng(8), table.num_rows
    back = np.arange(rows // 2, rows, 5)
    places, weights = np.arange(rows), np.ones(rows, np.int64)
    places[back], weights[back] = random.permutation(rows // 2)[: len(back)], -1
    untimed = table.drop_columns(["event_time"]).take(pa.array(places))
    return untimed.append_column(pa.field(WEIGHT, pa.int64(), nullable=False), pa.array(weights))


def opened(operator: Operator, schema: StreamSchema) -> Partition:
    """A partition of an operator with one input."""
    partition = operator.open(PartitionContext("bench", {"in": schema}))
    assert isinstance(partition, Partition)
    return partition


def drained(output: Iterator[pa.RecordBatch]) -> int:
    """The number of rows that come out."""
    return sum(batch.num_rows for batch in output)


def timed(title: str, rows: int, calls: int, run: Callable[[], object], repeats: int = 3) -> None:
    """Print the best of some runs, by processor time."""
    best = float("inf")
    for _ in range(repeats):
        start = time.thread_time()
        run()
        best = min(best, time.thread_time() - start)
    print(f"{title:58} {rows / best / 1e6:8.1f} M rows/s {best / calls * 1e6:10.0f} us a call")


def feed(operator: Operator, schema: StreamSchema, given: list[pa.RecordBatch], end: bool = True) -> Callable[[], int]:
    """One run of a new partition over batches."""

    def run() -> int:
        partition = opened(operator, schema)
        rows = sum(drained(partition.on_batch(batch)) for batch in given)
        rows += drained(partition.flush())
        if end:
            rows += drained(partition.on_watermark(AFTER_ALL)) + drained(partition.on_end())
        return rows

    return run


BARS = {
    "trades": agg.count(),
    "volume": agg.sum("volume"),
    "price": agg.avg("price"),
    "low": agg.min("price"),
    "high": agg.max("price"),
}


def bars(window: Window) -> WindowAggregate:
    """Trades by symbol and window."""
    return WindowAggregate(("symbol",), BARS, window)


def main() -> None:
    """Print all figures."""
    table = trades(32 * ROWS)
    given = batches(table)
    schema = StreamSchema(table.schema, "event_time")
    rows = len(given) * ROWS

    minute = bars(Tumble("event_time", "1 minute"))
    phases = minute.two_phase({"in": schema})
    assert phases is not None
    timed("minutes by symbol, before the exchange", rows, len(given), feed(phases.before, schema, given))
    timed("minutes by symbol, one phase", rows, len(given), feed(minute, schema, given))
    timed("hops of 5 minutes by 1", rows, len(given), feed(bars(Hop("event_time", 300, 60)), schema, given))
    timed("seconds by symbol, one phase", rows, len(given), feed(bars(Tumble("event_time", 1)), schema, given))
    users = WindowAggregate(("user_id",), BARS, Tumble("event_time", 60))
    timed("minutes by user (a million), one phase", rows, len(given), feed(users, schema, given))
    halves = users.two_phase({"in": schema})
    assert halves is not None
    timed("minutes by user, before the exchange", rows, len(given), feed(halves.before, schema, given))

    totals = Aggregate(("user_id",), {"n": agg.count(), "volume": agg.sum("volume")}, "final")
    timed("totals by user (a million), final", rows, len(given), feed(totals, schema, given))
    groups = Aggregate(("group_id",), {"volume": agg.sum("volume")})
    timed("ten groups, changes", rows, len(given), feed(groups, schema, given))
    small = batches(table.slice(0, 8 * ROWS), 1000)
    timed("ten groups, changes, batches of 1000", 8 * ROWS, len(small), feed(groups, schema, small))
    tiny = batches(table.slice(0, 20_000), 10)
    timed("ten groups, changes, batches of 10", 20_000, len(tiny), feed(groups, schema, tiny))
    grouped = groups.two_phase({"in": schema})
    assert grouped is not None
    partials = []
    before = opened(grouped.before, schema)
    for batch in small:
        partials += [*before.on_batch(batch), *before.flush()]
    merged = grouped.before.output({"in": schema})
    timed("merging ten groups, changes", 10 * len(partials), len(partials), feed(grouped.after, merged, partials))
    timed("ten groups, before the exchange", rows, len(given), feed(grouped.before, schema, given))
    medians = Aggregate(("symbol",), {"median": agg.median("price")})
    timed("median by symbol, changes", rows, len(given), feed(medians, schema, given), 1)
    log = changed(table)
    taken = batches(log)
    for title, key in (("symbol", "symbol"), ("user (a million)", "user_id")):
        for name, made in (("median", agg.median("price")), ("max", agg.max("price"))):
            over = feed(Aggregate((key,), {"value": made}), StreamSchema(log.schema), taken)
            timed(f"{name} by {title}, a tenth taken back", rows, len(taken), over, 1)
    timed("distinct users", rows, len(given), feed(Deduplicate(("user_id",)), schema, given))


if __name__ == "__main__":
    main()
