"""Values of every type are compared, ordered, grouped and joined as their ranks are, which DuckDB knows as integers."""

import datetime
import math
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from functools import cache
from uuid import UUID

import pyarrow as pa
import pytest

from flow import WEIGHT, Graph
from operators import Collect, Table, sql
from operators.testing import Reference, counted, plain

DAY = datetime.datetime(2024, 2, 29, 10, 11, 12)
SPAN = pa.MonthDayNano


def times(kind: pa.DataType) -> tuple[list[object], pa.DataType]:
    return [DAY.replace(year=1960), DAY, DAY.replace(second=13), DAY.replace(year=2096)], kind


TYPES: dict[str, tuple[list[object], pa.DataType]] = {
    "bool": ([False, True], pa.bool_()),
    **{str(kind): ([-(2 ** (kind.bit_width - 1)), -1, 0, 2 ** (kind.bit_width - 1) - 1], kind) for kind in (
        pa.int8(), pa.int64(),
    )},
    **{str(kind): ([0, 1, 2 ** (kind.bit_width - 1), 2**kind.bit_width - 1], kind) for kind in (
        pa.uint32(), pa.uint64(),
    )},
    **{str(kind): ([-math.inf, -1.5, [0.0, -0.0], 0.5, math.inf, math.nan], kind) for kind in (
        pa.float32(), pa.float64(),
    )},
    "decimal": ([Decimal("-1.50"), Decimal("0.00"), Decimal("22.25")], pa.decimal128(10, 2)),
    "decimal_38": ([Decimal(-(10**37)), Decimal(2**64 - 1), Decimal(10**37)], pa.decimal128(38, 0)),
    "text": (["", "A", "Z", "a", "z" * 40, "é", "\U0001f600"], pa.string()),
    "dictionary": (["", "A", "a", "b"], pa.dictionary(pa.int32(), pa.string())),
    "bytes": ([b"", b"\x00", b"a", b"ab", b"\xff"], pa.binary()),
    "date": ([datetime.date(1960, 1, 1), datetime.date(2024, 2, 29), datetime.date(2100, 1, 1)], pa.date32()),
    "time": ([datetime.time(0), datetime.time(10, 11, 12, 5), datetime.time(23, 59, 59)], pa.time64("us")),
    "time_ms": ([datetime.time(0), datetime.time(10, 11, 12), datetime.time(23, 59, 59)], pa.time32("ms")),
    **{f"timestamp_{unit}": times(pa.timestamp(unit)) for unit in ("ms", "us", "ns")},
    "timestamptz": (
        [moment.replace(tzinfo=datetime.UTC) for moment in (DAY, DAY.replace(year=2096))],
        pa.timestamp("us", "UTC"),
    ),
    "duration": ([datetime.timedelta(-1), datetime.timedelta(0), datetime.timedelta(0, 1)], pa.duration("us")),
    "interval": (
        [SPAN([0, -1, 0]), SPAN([0, 0, 5]), SPAN([0, 29, 0]), [SPAN([1, 0, 0]), SPAN([0, 30, 0])], SPAN([12, 0, 0])],
        pa.month_day_nano_interval(),
    ),
    "uuid": ([UUID(int=0).bytes, UUID(int=255).bytes, UUID(int=2**127).bytes], pa.uuid()),
    "json": (['"a"', '{"a": 1}'], pa.json_()),
    "array": ([[], [1], [1, 2], [1, None], [2], [None]], pa.list_(pa.int64())),
    "struct": (
        [{"a": 1, "b": "x"}, {"a": 1, "b": "y"}, {"a": 1, "b": None}, {"a": 2, "b": "a"}, {"a": None, "b": "a"}],
        pa.struct([("a", pa.int64()), ("b", pa.string())]),
    ),
    "map": ([[], [("a", 1)], [("a", 2)], [("b", 1)]], pa.map_(pa.string(), pa.int64())),
    "intervals": ([[SPAN([0, 1, 0])], [SPAN([1, 0, 0])], [SPAN([0, 31, 0])]], pa.list_(pa.month_day_nano_interval())),
}  # fmt: skip
"""The values of each type in ascending order; those in a list of their own are equal. Lists hold no such."""

QUERIES = {
    "groups": "SELECT x, count(*) AS n FROM t GROUP BY x",
    "distinct": "SELECT DISTINCT x FROM t",
    "join": "SELECT a.k, b.k AS l, a.x FROM t AS a JOIN u AS b ON a.x = b.x",
    "outer join": "SELECT a.k, b.k AS l, b.x FROM t AS a LEFT JOIN u AS b ON a.x = b.x AND a.k <> b.k",
    "in": "SELECT k FROM t WHERE x IN (SELECT x FROM u)",
    "top": "SELECT x, k FROM t ORDER BY x, k LIMIT 4",
    "top, descending": "SELECT x, k FROM t ORDER BY x DESC NULLS LAST, k LIMIT 4",
    "top of each": "SELECT DISTINCT ON (k) k, x FROM t ORDER BY k, x DESC NULLS LAST",
    "extremes": "SELECT k, min(x) AS low, max(x) AS high, count(DISTINCT x) AS n FROM t GROUP BY k",
    "by order": "SELECT k, first(x ORDER BY x) AS low, arg_min(k, x) AS one FROM t WHERE x IS NOT NULL GROUP BY k",
    "lists": "SELECT k, array_agg(x ORDER BY x) AS xs FROM t GROUP BY k",
    "union": "SELECT x FROM t UNION SELECT x FROM u",
    "intersection": "SELECT x FROM t INTERSECT ALL SELECT x FROM u",
    "difference": "SELECT x FROM t EXCEPT SELECT x FROM u WHERE k = 1",
    "compared": "SELECT a.k, b.k AS l, a.x < b.x AS less, a.x = b.x AS same, a.x IS DISTINCT FROM b.x AS apart,"
    " greatest(a.x, b.x) AS g FROM t AS a, u AS b",
}


APPENDED = ("groups", "outer join", "top", "extremes", "by order", "lists", "intersection")
"""Queries of which other code computes the result where rows only come."""


def ranked(values: list[object], kind: pa.DataType) -> tuple[list[object], list[int]]:
    """The values, and the rank of each."""
    flat, ranks = [], []
    nested = pa.types.is_nested(kind)
    for rank, value in enumerate(values):
        several = isinstance(value, list) and not nested
        for each in value if several else [value]:
            flat.append(each)
            ranks.append(rank)
    return flat, ranks


def made(values: list[object], kind: pa.DataType) -> pa.Array:
    if isinstance(kind, pa.BaseExtensionType):
        return kind.wrap_array(pa.array(values, kind.storage_type))
    return pa.array(values, kind)


def tables(values: pa.Array, changing: bool) -> dict[str, pa.Table]:
    """Tables of values."""
    size = len(values)
    held = pa.concat_arrays([values, pa.nulls(1, values.type)])
    result = {}
    for table, shift in (("t", 0), ("u", 1)):
        # Every value, some of them twice, and NULL; and, where rows come and go, all of them once more for a while.
        rows = [*range(shift, size), *range(0, size, 2), size, size]
        weights = [1] * len(rows)
        if changing:
            rows, weights = (
                [*rows, *range(size + 1), *range(size + 1)],
                [*weights, *[1] * (size + 1), *[-1] * (size + 1)],
            )
        columns = {"k": pa.array([row % 3 for row in rows]), "x": held.take(pa.array(rows))}
        result[table] = pa.table({**columns, WEIGHT: weights} if changing else columns)
    return result


@cache
def expected_of(what: str, ranks: tuple[int, ...], changing: bool) -> Counter[tuple[object, ...]]:
    """What DuckDB gives over ranks."""
    query = QUERIES[what]
    used = {name: table for name, table in tables(pa.array(ranks), changing).items() if f" {name}" in query}
    with Reference(query) as batch:
        return batch.rows(used)


def results_of(queries: Iterable[str], given: dict[str, pa.Table]) -> dict[str, pa.Table]:
    """What queries put out, all in one run."""
    graph = Graph("types")
    results = {what: Collect() for what in queries}
    streams = {name: graph.source(name, Table(table.to_batches(max_chunksize=5))) for name, table in given.items()}
    for number, (what, result) in enumerate(results.items()):
        used = {name: stream for name, stream in streams.items() if f" {name}" in QUERIES[what]}
        sql(QUERIES[what], name=f"q{number}", **used).sink(f"out{number}", result)
    graph.run(partitions=4)
    return {what: result.changes() for what, result in results.items()}


def in_ranks(table: pa.Table, known: dict[object, object], typed: list[str]) -> Counter[tuple[object, ...]]:
    names = [name for name in table.schema.names if name != WEIGHT]
    counts: Counter[tuple[object, ...]] = Counter()
    for row, times in counted(table).items():
        pairs = zip(names, row, strict=True)
        counts[tuple(_ranks(value, known) if name in typed else value for name, value in pairs)] += times
    return Counter({row: times for row, times in counts.items() if times})


def _ranks(value: object, known: dict[object, object]) -> object:
    if value is None or value in known:
        return known.get(value)
    assert isinstance(value, tuple)
    return tuple(_ranks(each, known) for each in value)


@pytest.mark.parametrize("changing", [False, True], ids=["rows", "changes"])
@pytest.mark.parametrize("name", TYPES)
def test_every_type_is_compared_as_its_ranks_are(name: str, changing: bool) -> None:
    listed, kind = TYPES[name]
    values, ranks = ranked(listed, kind)
    array = made(values, kind)
    typed = tables(array, changing)
    known = {plain(value): rank for value, rank in zip(array.to_pylist(), ranks, strict=True)}
    wrong = {}
    for what, result in results_of(QUERIES if changing else APPENDED, typed).items():
        expected = expected_of(what, tuple(ranks), changing)
        columns = [name for name in result.schema.names if name in ("x", "low", "high", "xs", "g")]
        found = in_ranks(result, known, columns)
        if found != expected:
            wrong[what] = found - expected, expected - found
    assert not wrong
