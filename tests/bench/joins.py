"""Joins beside batch engines: a stream with a table, then grouped; and two changelogs, both kept up to date.

    python -m tests.bench.joins [--join table | changes] [--rows 10000000] [--runs 5]

`table`: trades from Parquet with the sectors of 10,000 symbols, grouped by sector. `changes`: two changelogs of half as
many rows each from memory, a tenth of which take back earlier ones, on a key of a million values, counted and summed.
The batch engines compute the same once, from the same input.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from flow import Graph
from flow.schema import WEIGHT
from operators import Collect, Parquet, Table, sql
from tests.bench.measure import Case, Clock, main

SYMBOLS = 10_000
KEYS = 1_000_000

BY_SECTOR = (
    "SELECT r.sector, count(*) AS n, sum(t.volume) AS v, avg(t.price) AS p "
    "FROM trades t JOIN ref r ON t.symbol = r.symbol GROUP BY r.sector"
)
PAIRS = "SELECT count(*) AS n, sum(a.x * b.y) AS v FROM a JOIN b ON a.key = b.key"
NET_PAIRS = (
    f"SELECT cast(sum(a.{WEIGHT} * b.{WEIGHT}) AS bigint) AS n, "
    f"cast(sum(a.{WEIGHT} * b.{WEIGHT} * a.x * b.y) AS bigint) AS v FROM a JOIN b ON a.key = b.key"
)


def files(args: argparse.Namespace) -> dict[str, Path]:
    """The Parquet files of trades and symbols, made where they are not there yet."""
    paths = {"trades": args.data / f"trades_{args.rows}.parquet", "ref": args.data / "ref.parquet"}
    if not all(path.exists() for path in paths.values()):
        args.data.mkdir(parents=True, exist_ok=True)
        random = np.random.default_rng(5)
        symbols = pa.array([f"SYM{number:05d}" for number in range(SYMBOLS)])
        trades = pa.table(
            {
                "symbol": symbols.take(pa.array(random.integers(0, SYMBOLS, args.rows))),
                "price": np.round(random.uniform(1, 1000, args.rows), 2),
                "volume": random.integers(1, 1000, args.rows),
            }
        )
        sectors = pa.array([f"sector {number % 20}" for number in range(SYMBOLS)])
        pq.write_table(trades, paths["trades"], row_group_size=131_072)
        pq.write_table(pa.table({"symbol": symbols, "sector": sectors}), paths["ref"])
    return paths


def changelog(rows: int, column: str, seed: int) -> pa.Table:
    """Rows of a key and a number; each tenth one takes back one that came before it."""
    random = np.random.default_rng(seed)
    keys, values = random.integers(0, KEYS, rows), random.integers(0, 1000, rows)
    weights = np.ones(rows, np.int64)
    back = np.arange(rows // 2, rows, 5)
    gone = random.permutation(rows // 2)[: len(back)]
    keys[back], values[back], weights[back] = keys[gone], values[gone], -1
    fields = [("key", pa.int64()), (column, pa.int64()), pa.field(WEIGHT, pa.int64(), nullable=False)]
    return pa.table([keys, values, weights], pa.schema(fields))


def changelogs(args: argparse.Namespace) -> dict[str, pa.Table]:
    return {"a": changelog(args.rows // 2, "x", 1), "b": changelog(args.rows // 2, "y", 2)}


def penstock(args: argparse.Namespace) -> dict[str, Any]:
    graph, out = Graph("joins"), Collect()
    if args.join == "table":
        streams = {name: graph.source(name, Parquet(str(path))) for name, path in files(args).items()}
    else:
        streams = {name: graph.source(name, Table(table)) for name, table in changelogs(args).items()}
    sql(BY_SECTOR if args.join == "table" else PAIRS, **streams).sink("out", out)
    with Clock() as clock:
        graph.run()
    return told(clock, args, net(out.changes()))


def net(changes: pa.Table) -> pa.Table:
    """The rows that are left of changes: of each first column's value, or of all, the one inserted last."""
    if changes.column_names[0] == "n":
        return changes.slice(changes.num_rows - 1)
    last = {row["sector"]: row for row in changes.to_pylist() if row[WEIGHT] > 0}
    return pa.Table.from_pylist(list(last.values()))


def told(clock: Clock, args: argparse.Namespace, result: pa.Table) -> dict[str, Any]:
    rows = args.rows + SYMBOLS if args.join == "table" else args.rows
    check = {name: sum(int(value) for value in result.column(name).to_pylist()) for name in ("n", "v")}
    return clock.result(rows, check=check)


def duckdb(args: argparse.Namespace) -> dict[str, Any]:
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET threads = 2")
    if args.join == "table":
        for name, path in files(args).items():
            connection.execute(f"CREATE VIEW {name} AS SELECT * FROM '{path}'")
    else:
        for name, table in changelogs(args).items():
            connection.register(name, table)
    with Clock() as clock:
        result = connection.sql(BY_SECTOR if args.join == "table" else NET_PAIRS).to_arrow_table()
    return told(clock, args, result)


def datafusion(args: argparse.Namespace) -> dict[str, Any]:
    import datafusion

    context = datafusion.SessionContext(datafusion.SessionConfig().with_target_partitions(2))
    if args.join == "table":
        for name, path in files(args).items():
            context.register_parquet(name, str(path))
    else:
        for name, table in changelogs(args).items():
            context.register_record_batches(name, [table.to_batches(65_536)])
    with Clock() as clock:
        batches = context.sql(BY_SECTOR if args.join == "table" else NET_PAIRS).collect()
    return told(clock, args, pa.Table.from_batches(batches))


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, default=Path("out/bench/joins"), help="where the files are")
    parser.add_argument("--rows", type=int, default=10_000_000, help="rows of the stream, or of both changelogs")
    parser.add_argument("--join", choices=["table", "changes"], default="table", help="which join (default: table)")


CASES: dict[str, Case] = {"penstock": penstock, "duckdb 2 threads": duckdb, "datafusion 2 partitions": datafusion}


if __name__ == "__main__":
    main(__doc__.splitlines()[0], CASES, arguments)
