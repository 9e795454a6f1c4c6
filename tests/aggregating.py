"""Runs operators without a runtime, and compares what comes out with DuckDB."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import duckdb
import pyarrow as pa

from flow.hashing import hash_columns, key_groups
from flow.operator import KEY_GROUP, Operator, Partition, PartitionContext
from flow.schema import AFTER_ALL, WEIGHT, StreamSchema

Row = tuple[Any, ...]


def opened(operator: Operator, schema: StreamSchema, **context: Any) -> Partition:
    partition = operator.open(PartitionContext("node", {"in": schema}, **context))
    assert isinstance(partition, Partition)
    return partition


def rows(batches: Iterable[pa.RecordBatch]) -> list[Row]:
    return [tuple(row.values()) for batch in batches for row in batch.to_pylist()]


def run(operator: Operator, schema: StreamSchema, batches: Sequence[pa.RecordBatch]) -> list[Row]:
    """All rows that come out over a whole input, checked against the declared schema."""
    partition = opened(operator, schema)
    out = [result for batch in batches for result in partition.on_batch(batch)]
    out += [*partition.on_watermark(AFTER_ALL), *partition.on_end()]
    declared = operator.output({"in": schema}).columns
    assert all(batch.schema == declared for batch in out)
    for batch in out:
        batch.validate(full=True)
    return rows(out)


def run_in_two(
    operator: Operator, schema: StreamSchema, batches: Sequence[pa.RecordBatch], readers: int = 2, flush_every: int = 2
) -> list[Row]:
    """As `run`, in two phases: so many halves before the exchange, each flushed now and then, and one after it."""
    phases = operator.two_phase({"in": schema})
    assert phases is not None
    between = phases.before.output({"in": schema})
    befores = [opened(phases.before, schema) for _ in range(readers)]
    after = opened(phases.after, between)
    assert phases.after.output({"in": between}) == operator.output({"in": schema})
    out: list[pa.RecordBatch] = []
    for number, batch in enumerate(batches):
        before = befores[number % readers]
        partials = [*before.on_batch(batch), *(before.flush() if number % flush_every == 0 else ())]
        assert all(partial.schema == between.columns for partial in partials)
        out += [result for partial in partials for result in after.on_batch(partial)]
    for before in befores:
        out += [result for partial in before.flush() for result in after.on_batch(partial)]
    return rows([*out, *after.on_watermark(AFTER_ALL), *after.on_end()])


def summed(changes: Iterable[Row]) -> list[Row]:
    """The rows that stand after changes."""
    standing: Counter[Row] = Counter()
    for change in changes:
        standing[tuple(map(_hashable, change[:-1]))] += change[-1]
    assert all(number >= 0 for number in standing.values())
    return [row for row, number in standing.items() for _ in range(number)]


def _hashable(value: Any) -> Any:
    return "NaN" if isinstance(value, float) and math.isnan(value) else value


def _place(row: Row) -> tuple[Any, ...]:
    return tuple((value is None, str(type(value)), _hashable(value)) for value in row if not isinstance(value, float))


def same(got: Iterable[Row], expected: Iterable[Row]) -> None:
    """Assert that both have the same rows in any order, floats to 1e-9 relative."""
    left, right = sorted(got, key=_place), sorted(expected, key=_place)
    assert len(left) == len(right)
    for one, other in zip(left, right, strict=True):
        assert len(one) == len(other)
        for value, wanted in zip(one, other, strict=True):
            if isinstance(wanted, float) and isinstance(value, float) and math.isfinite(wanted):
                assert math.isclose(value, wanted, rel_tol=1e-9, abs_tol=1e-9), (one, other)
            else:
                assert _hashable(value) == _hashable(wanted), (one, other)


def oracle(query: str, **tables: pa.Table) -> list[Row]:
    """DuckDB's answer."""
    connection = _duckdb()
    for name, table in tables.items():
        connection.register(name, table)
    return connection.execute(query).fetchall()


@cache
def _duckdb() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def cut(table: pa.Table, sizes: Sequence[int]) -> list[pa.RecordBatch]:
    """The table in batches of these sizes, over and over."""
    whole = table.combine_chunks().to_batches()[0] if len(table) else pa.RecordBatch.from_pylist([], table.schema)
    out, start, turn = [], 0, 0
    while start < len(table):
        size = sizes[turn % len(sizes)]
        out.append(whole.slice(start, size))
        start, turn = start + size, turn + 1
    return out


def divided(batches: Iterable[pa.RecordBatch], keys: Sequence[str], partitions: int) -> list[list[pa.RecordBatch]]:
    """The rows of each of so many partitions, as a hash router divides them."""
    parts: list[list[pa.RecordBatch]] = [[] for _ in range(partitions)]
    for batch in batches:
        groups = key_groups(hash_columns([batch.column(key) for key in keys]))
        for number, part in enumerate(parts):
            owned = PartitionContext("node", {}, number, partitions).key_groups
            part.append(batch.filter(pa.array((groups >= owned.start) & (groups < owned.stop))))
    return parts


def handed_over(
    operator: Operator,
    schema: StreamSchema,
    batches: list[pa.RecordBatch],
    keys: Sequence[str],
    before: int,
    after: int,
) -> list[Row]:
    """As `run`, with a snapshot in the middle: so many partitions up to it, and so many from it on."""
    middle = len(batches) // 2
    out: list[pa.RecordBatch] = []
    tables: dict[str, list[pa.Table]] = {}
    for number, part in enumerate(divided(batches[:middle], keys, before)):
        partition = opened(operator, schema, partition=number, partitions=before)
        out += [result for batch in part for result in partition.on_batch(batch)]
        for name, table in partition.snapshot().items():
            tables.setdefault(name, []).append(table)
    for number, part in enumerate(divided(batches[middle:], keys, after)):
        partition = opened(operator, schema, partition=number, partitions=after)
        owned = PartitionContext("node", {}, number, after).key_groups
        state = {}
        for name, pieces in tables.items():
            whole = pa.concat_tables(pieces)
            if KEY_GROUP in whole.column_names:
                groups = whole[KEY_GROUP].to_numpy()
                whole = whole.filter(pa.array((groups >= owned.start) & (groups < owned.stop)))
            state[name] = whole
        partition.restore(state)
        out += [result for batch in part for result in partition.on_batch(batch)]
        out += [*partition.on_watermark(AFTER_ALL), *partition.on_end()]
    return rows(out)


def changelog(table: pa.Table, weights: Sequence[int]) -> pa.Table:
    """The table as a changelog."""
    return table.append_column(pa.field(WEIGHT, pa.int64(), nullable=False), pa.array(weights, pa.int64()))
