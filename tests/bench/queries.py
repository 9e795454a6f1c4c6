"""Whole queries from a file, streamed by Penstock and as one batch by DuckDB and DataFusion, side by side.

    python -m tests.bench.queries windows [--data DIRECTORY] [--rows 10000000] [--runs 5]
    python -m tests.bench.queries users
    python -m tests.bench.queries filter
    python -m tests.bench.queries symbols
    python -m tests.bench.queries csv
    python -m tests.bench.queries json

`windows`: one-minute windows by symbol (count, sum, avg, min, max) from Parquet. `users`: count and sum by a million
user ids, at the end and with changes. `symbols`: the same by 200 symbols, with changes. `filter`: the trades of more
than a sum, which is computed. `csv` and `json`: the windows again, from one big text file, by one reader and by all.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flow import Graph
from operators import Collect, Csv, JsonLines, Parquet, sql
from tests.bench.data import directory_argument
from tests.bench.measure import Case, Clock, main

WINDOWS = """
    SELECT symbol, window_start, count(*) AS n, sum(volume) AS v, avg(price) AS p, min(price) AS lo, max(price) AS hi
    FROM TUMBLE(input, event_time, INTERVAL '1 minute') GROUP BY symbol, window_start"""
USERS = "SELECT user_id, count(*) AS n, sum(volume) AS v FROM input GROUP BY user_id EMIT FINAL"
CHANGES = "SELECT user_id, count(*) AS n, sum(volume) AS v FROM input GROUP BY user_id"
SYMBOLS = "SELECT symbol, count(*) AS n, sum(volume) AS v FROM input GROUP BY symbol"
FILTER = "SELECT symbol, price * volume AS notional, event_time FROM input WHERE price * volume > 400000"
BATCH = {
    WINDOWS: """
        SELECT symbol, event_time // 60000 AS w, count(*) AS n, sum(volume) AS v, avg(price) AS p, min(price) AS lo,
            max(price) AS hi
        FROM {table} GROUP BY symbol, event_time // 60000""",
    USERS: "SELECT user_id, count(*) AS n, sum(volume) AS v FROM {table} GROUP BY user_id",
    SYMBOLS: "SELECT symbol, count(*) AS n, sum(volume) AS v FROM {table} GROUP BY symbol",
    FILTER: "SELECT symbol, price * volume AS notional, event_time FROM {table} WHERE price * volume > 400000",
}
TIMES = {"event_time": pa.timestamp("ms")}


def check(result: pa.Table) -> list[int]:
    """Groups, rows, volume; or rows and the sum of the products, to a millionth."""
    if "notional" in result.column_names:
        return [result.num_rows, round(pc.sum(result["notional"]).as_py() / 1e6)]
    return [result.num_rows, pc.sum(result["n"]).as_py(), int(pc.sum(result["v"]).as_py())]


def streamed(query: str, file: str, **settings: Any) -> Case:
    """The query over a stream."""

    def case(args: argparse.Namespace) -> dict[str, Any]:
        path = str(args.data / file.format(rows=args.rows))
        source = {
            "parquet": lambda: Parquet(path, types=TIMES),
            "csv": lambda: Csv(path, types=TIMES),
            "jsonl": lambda: JsonLines(path, types=TIMES),
        }[path.rsplit(".", 1)[1]]()
        graph, out = Graph("bench"), Collect()
        sql(query, input=graph.source("input", source, event_time="event_time", delay="2s")).sink("out", out)
        with Clock() as clock:
            stats = graph.run(**settings)
        return clock.result(stats.rows_in, check=check(out.table()), loop=f"{stats.loop_busy / stats.seconds:.0%}")

    return case


def on_one_core(case: Case) -> Case:
    """The same on one processor."""

    def pinned(args: argparse.Namespace) -> dict[str, Any]:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        return dict(case(args))

    return pinned


def batch(query: str, file: str, threads: int) -> Case:
    """The same by DuckDB."""

    def case(args: argparse.Namespace) -> dict[str, Any]:
        path = str(args.data / file.format(rows=args.rows))
        import duckdb

        connection = duckdb.connect()
        connection.execute(f"SET threads = {threads}")
        with Clock() as clock:
            result = connection.sql(BATCH[query].format(table=f"'{path}'")).to_arrow_table()
        return clock.result(args.rows, check=check(result))

    return case


def datafusion(query: str, file: str) -> Case:
    """The same by DataFusion."""

    def case(args: argparse.Namespace) -> dict[str, Any]:
        import datafusion

        context = datafusion.SessionContext(datafusion.SessionConfig().with_target_partitions(2))
        context.register_parquet("input", str(args.data / file.format(rows=args.rows)))
        with Clock() as clock:
            batches = context.sql(BATCH[query].format(table="input")).collect()
        return clock.result(args.rows, check=check(pa.Table.from_batches(batches)))

    return case


TRADES, PEOPLE = "trades_{rows}.parquet", "users_{rows}.parquet"
SUITES: dict[str, dict[str, Case]] = {
    "windows": {
        "penstock": streamed(WINDOWS, TRADES),
        "penstock routed": streamed(WINDOWS, TRADES, topology="routed"),
        "penstock serial": streamed(WINDOWS, TRADES, topology="serial"),
        "penstock on one core": on_one_core(streamed(WINDOWS, TRADES)),
        "duckdb 2 threads": batch(WINDOWS, TRADES, 2),
        "duckdb 1 thread": batch(WINDOWS, TRADES, 1),
    },
    "users": {
        "penstock": streamed(USERS, PEOPLE),
        "penstock with changes": streamed(CHANGES, PEOPLE),
        "duckdb 2 threads": batch(USERS, PEOPLE, 2),
        "datafusion 2 partitions": datafusion(USERS, PEOPLE),
    },
    "filter": {
        "penstock": streamed(FILTER, TRADES),
        "duckdb 2 threads": batch(FILTER, TRADES, 2),
        "datafusion 2 partitions": datafusion(FILTER, TRADES),
    },
    "symbols": {
        "penstock": streamed(SYMBOLS, TRADES),
        "duckdb 2 threads": batch(SYMBOLS, TRADES, 2),
        "datafusion 2 partitions": datafusion(SYMBOLS, TRADES),
    },
    "csv": {
        "penstock 1 reader": streamed(WINDOWS, "trades_{rows}.csv", readers=1),
        "penstock 2 readers": streamed(WINDOWS, "trades_{rows}.csv", readers=2),
    },
    "json": {
        "penstock 1 reader": streamed(WINDOWS, "trades_{rows}.jsonl", readers=1),
        "penstock 2 readers": streamed(WINDOWS, "trades_{rows}.jsonl", readers=2),
    },
}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("suite", choices=SUITES)
    directory_argument(parser)


if __name__ == "__main__":
    suite = next((argument for argument in sys.argv[1:] if argument in SUITES), None)
    if suite is not None and "--case" not in sys.argv:
        parser = argparse.ArgumentParser(add_help=False)
        arguments(parser)
        known, _ = parser.parse_known_args()
        # In a process of its own: a child's peak of memory begins with what its parent held.
        command = [sys.executable, "-m", "tests.bench.data", str(known.data), "--rows", str(known.rows)]
        subprocess.run(command, check=True)
    main(__doc__.splitlines()[0], SUITES[suite or "windows"], arguments)
