"""Keys per second of hashing, `KeyIndex`, `factorise` and routing, on one thread, for the usual kinds of key.

Run: python tests/bench/keys.py [--rows 65536] [--seconds 0.5] [--only TEXT]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa

from flow.hashing import hash_columns
from flow.keys import KeyIndex, factorise
from flow.router import Hash
from flow.routing import divider

Batches = list[list[pa.Array]]


def cases(rows: int, batches: int) -> dict[str, Batches]:
    """Columns of so many batches for each kind of key."""
    random = np.random.default_rng(0)
    dictionary = pa.array([f"symbol-{number}" for number in range(200)])
    large = random.integers(-(2**63), 2**63 - 1, 1_000_000)
    many = pa.array([f"user-{number:x}" for number in large[:100_000]])
    minute = 60_000_000

    def encoded() -> pa.Array:
        return pa.DictionaryArray.from_arrays(pa.array(random.integers(0, 200, rows, dtype=np.int32)), dictionary)

    def times(count: int) -> pa.Array:
        return pa.array(1_640_995_200_000_000 + minute * random.integers(0, count, rows), pa.timestamp("us"))

    def several(make: Callable[[], list[pa.Array]]) -> Batches:
        return [make() for _ in range(batches)]

    return {
        "dictionary, 200 values": several(lambda: [encoded()]),
        "plain strings, 200 values": several(lambda: [dictionary.take(pa.array(random.integers(0, 200, rows)))]),
        "plain strings, 100 k values": several(lambda: [many.take(pa.array(random.integers(0, 100_000, rows)))]),
        "int64, 10 values": several(lambda: [pa.array(random.integers(0, 10, rows))]),
        "int64, dense, 1 M values": several(lambda: [pa.array(random.integers(0, 1_000_000, rows))]),
        "int64, random, 1 M values": several(lambda: [pa.array(random.choice(large, rows))]),
        "timestamp, 60 minutes": several(lambda: [times(60)]),
        "dictionary and timestamp, 400": several(lambda: [encoded(), times(2)]),
        "dictionary and int64, 600": several(lambda: [encoded(), pa.array(random.integers(7, 10, rows))]),
        "random int64 and timestamp, 2 M": several(lambda: [pa.array(random.choice(large, rows)), times(2)]),
    }


def rate(work: Callable[[list[pa.Array]], object], batches: Batches, seconds: float) -> float:
    """Million rows a second, by the median batch, after one pass over all batches."""
    for batch in batches:
        work(batch)
    spent = []
    ends = time.perf_counter() + seconds
    while time.perf_counter() < ends:
        for batch in batches:
            start = time.perf_counter()
            work(batch)
            spent.append(time.perf_counter() - start)
    return len(batches[0][0]) / float(np.median(spent)) / 1e6


def measurements(columns: Batches) -> Iterator[tuple[str, Callable[[list[pa.Array]], object]]]:
    """What is measured for each kind of key."""
    index = KeyIndex([column.type for column in columns[0]])
    names = [f"key{number}" for number in range(len(columns[0]))]
    by_key = divider(Hash(tuple(names)), partitions=8)
    yield "hash", hash_columns
    yield "slots", index.slots
    yield "factorise", factorise
    yield "divide 8", lambda batch: by_key.divide(pa.RecordBatch.from_arrays(batch, names))


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=65_536, help="rows in a batch")
    parser.add_argument("--batches", type=int, default=32, help="different batches of each kind")
    parser.add_argument("--seconds", type=float, default=0.5, help="seconds for each figure")
    parser.add_argument("--only", default="", help="only kinds of key whose name contains this text")
    options = parser.parse_args()
    print(f"million keys a second, one thread, batches of {options.rows} rows")
    print(f"{'':34}{'hash':>10}{'slots':>10}{'factorise':>11}{'divide 8':>10}")
    for name, batches in cases(options.rows, options.batches).items():
        if options.only in name:
            rates = [rate(work, batches, options.seconds) for _, work in measurements(batches)]
            print(f"{name:34}{rates[0]:10.1f}{rates[1]:10.1f}{rates[2]:11.1f}{rates[3]:10.1f}", flush=True)


if __name__ == "__main__":
    main()
