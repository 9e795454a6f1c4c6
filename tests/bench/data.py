"""Makes the benchmark data, the same every time: trades of 200 symbols, and the same with a million user ids.

    python -m tests.bench.data DIRECTORY [--rows 10000000]

Event times are integer milliseconds, 1 ms apart on average and up to 2 s out of order.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

FIRST = 1_700_000_040_000
ROW_GROUP = 65_536


def make(directory: Path, rows: int) -> None:
    """Write trades_N.parquet, trades_N.csv, trades_N.jsonl and users_N.parquet, where they are not there yet."""
    directory.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(7)
    price = np.round(random.uniform(1.0, 1000.0, rows), 2)
    volume = random.integers(1, 1000, rows)
    times = FIRST + np.arange(rows) + 2_000 - random.integers(0, 2_000, rows)
    names = pa.array([f"SYM{number:04d}" for number in range(200)])
    symbols = names.take(pa.array(random.integers(0, 200, rows)))
    rest = {"price": price, "volume": volume, "event_time": times}
    trades = pa.table({"symbol": symbols, **rest})
    users = pa.table({"user_id": random.integers(0, 1_000_000, rows), **rest})
    for name, table in (("trades", trades), ("users", users)):
        path = directory / f"{name}_{rows}.parquet"
        if not path.exists():
            pq.write_table(table, path, row_group_size=ROW_GROUP)
    small = trades.slice(0, min(rows, 5_000_000))
    csv = directory / f"trades_{rows}.csv"
    if not csv.exists():
        pyarrow.csv.write_csv(small, csv, pyarrow.csv.WriteOptions(quoting_style="none"))
    lines = directory / f"trades_{rows}.jsonl"
    if not lines.exists():
        with lines.open("w") as file:
            for batch in small.to_batches(ROW_GROUP):
                columns = [column.to_pylist() for column in batch.columns]
                file.writelines(
                    f'{{"symbol":"{s}","price":{p},"volume":{v},"event_time":{t}}}\n'
                    for s, p, v, t in zip(*columns, strict=True)
                )


def directory_argument(parser: argparse.ArgumentParser) -> None:
    """The arguments that every benchmark over these files takes."""
    parser.add_argument("--data", type=Path, default=Path("out/bench"), help="where the data is, or will be made")
    parser.add_argument("--rows", type=int, default=10_000_000)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--rows", type=int, default=10_000_000)
    args = parser.parse_args()
    make(args.directory, args.rows)
