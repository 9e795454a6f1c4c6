"""TPC-H's 22 queries, kept up to date over streams by Penstock and computed once by DuckDB, one after the other.

    python -m tests.bench.tpch [--scale 0.1] [--runs 5] [--queries q1 q6] [--data DIRECTORY] [--interleaved]
    python -m tests.bench.tpch --check [--interleaved]

Every table is a stream of batches of 65,536 rows from memory; `--check` compares the results of both, query by query,
over batches of 10,000 rows, whole and after a tenth of the rows of each table was deleted again. With `--interleaved`
all tables are read side by side, a batch of each in turn, as endless streams would come; else what ends is read before
what it is joined with.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import pyarrow as pa

from flow import Graph
from operators import Collect, Table, sql
from operators.testing import Reference, counted, difference
from tests.bench.measure import Case, Clock, main
from tests.tpch import make, queries, tables_of, with_deletions


def tables(args: argparse.Namespace) -> dict[str, pa.Table]:
    return make(args.data / f"scale_{args.scale}", args.scale)


def maintained(query: str, inputs: dict[str, pa.Table], batch_rows: int, *, interleaved: bool = False) -> pa.Table:
    """The changes that a query puts out over its tables as streams."""
    graph, out = Graph("tpch"), Collect()
    streams = {name: graph.source(name, Table(inputs[name], batch_rows)) for name in tables_of(query)}
    sql(query, **streams).sink("out", out)
    graph.run(interleaved=interleaved)
    return out.changes()


def penstock(args: argparse.Namespace) -> dict[str, Any]:
    inputs = tables(args)
    seconds: dict[str, float] = {}
    with Clock() as clock:
        for name in args.queries:
            start = perf_counter()
            maintained(queries()[name], inputs, 65_536, interleaved=args.interleaved)
            seconds[name] = round(perf_counter() - start, 2)
    slowest = sorted(seconds, key=lambda name: -seconds[name])[:5]
    return clock.result(rows_read(inputs, args), slowest={name: seconds[name] for name in slowest})


def duckdb(threads: int) -> Case:
    def case(args: argparse.Namespace) -> dict[str, Any]:
        import duckdb

        inputs = tables(args)
        connection = duckdb.connect()
        connection.execute(f"SET threads = {threads}")
        for name, table in inputs.items():
            connection.register(f"{name}_arrow", table)
            connection.execute(f"CREATE TABLE {name} AS SELECT * FROM {name}_arrow")
        with Clock() as clock:
            for name in args.queries:
                connection.sql(queries()[name]).to_arrow_table()
        return clock.result(rows_read(inputs, args))

    return case


def rows_read(inputs: dict[str, pa.Table], args: argparse.Namespace) -> int:
    return sum(inputs[table].num_rows for name in args.queries for table in tables_of(queries()[name]))


def check(args: argparse.Namespace) -> int:
    """How many of the queries differ from DuckDB."""
    wrong = 0
    for told, inputs in (
        ("inserted", tables(args)),
        ("a tenth deleted", {name: with_deletions(table) for name, table in tables(args).items()}),
    ):
        for name in args.queries:
            query = queries()[name]
            start = perf_counter()
            given = counted(maintained(query, inputs, 10_000, interleaved=args.interleaved))
            seconds = perf_counter() - start
            with Reference(query) as batch:
                missing, extra = difference(batch.rows({table: inputs[table] for table in tables_of(query)}), given)
            verdict = "as DuckDB" if not missing and not extra else f"{len(missing)} missing, {len(extra)} too many"
            wrong += verdict != "as DuckDB"
            print(f"{name:4} {told:16} {verdict}, {seconds:.2f} s", flush=True)
    return wrong


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, default=Path("out/bench/tpch"), help="where the data is, or will be made")
    parser.add_argument("--scale", type=float, default=0.1, help="TPC-H's scale factor (default: 0.1)")
    parser.add_argument("--queries", nargs="+", default=list(queries()), help="which queries (default: all)")
    parser.add_argument("--interleaved", action="store_true", help="read all tables side by side")


CASES: dict[str, Case] = {"penstock": penstock, "duckdb 2 threads": duckdb(2), "duckdb 1 thread": duckdb(1)}


if __name__ == "__main__":
    if "--check" in sys.argv:
        parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
        parser.add_argument("--check", action="store_true")
        arguments(parser)
        sys.exit(min(check(parser.parse_args()), 1))
    main(__doc__.splitlines()[0], CASES, arguments)
