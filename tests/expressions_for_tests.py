"""Evaluating an expression, and asking DuckDB for the same."""

from __future__ import annotations

import datetime
import math
from decimal import Decimal
from functools import cache

import duckdb
import pyarrow as pa

from operators.expressions import col

ROWS = pa.record_batch(
    {
        "i": pa.array([7, -7, 0, None, 2], pa.int32()),
        "j": pa.array([2, 2, 3, 4, None], pa.int64()),
        "x": pa.array([1.5, -2.5, math.nan, None, math.inf]),
        "y": pa.array([0.5, 4.0, math.nan, 1.0, -1.0]),
        "d": pa.array([Decimal("1.25"), Decimal("-7.50"), None, Decimal("9.99"), Decimal("0.00")]),
        "b": pa.array([True, False, None, True, False]),
        "c": pa.array([True, None, None, False, False]),
        "s": pa.array(["apple", "Żubr", "", None, "a,b,,c"]),
        "e": pa.array(["x", "y", "x", None, "apple"]).dictionary_encode(),
        "t": pa.array(
            [
                datetime.datetime(2024, 1, 31, 23, 59, 59, 123456),
                datetime.datetime(1969, 12, 31, 1, 0),
                datetime.datetime(2024, 2, 29, 12, 30),
                None,
                datetime.datetime(2000, 12, 25, 0, 0, 1),
            ],
            pa.timestamp("us"),
        ),
        "day": pa.array([datetime.date(2024, 1, 31), datetime.date(1969, 7, 1), None, datetime.date(2000, 1, 1), None]),
        "l": pa.array([[1, 2, 3], [], None, [4], [None, 5]], pa.list_(pa.int64())),
    }
)
"""Every kind of value, NULL, NaN and infinity."""

i, j, x, y, d, b, c, s, e, t, day, l = (col(name) for name in ROWS.schema.names)  # noqa: E741


def values(expression, batch=ROWS):
    """The values of an expression for a batch, as Python's; the declared type is checked."""
    bound = expression.bind(batch.schema)
    array = bound(batch)
    assert isinstance(array, pa.Array)
    assert array.type == bound.type
    assert len(array) == batch.num_rows
    array.validate(full=True)
    return array.to_pylist()


@cache
def _duckdb():
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("SET TimeZone = 'UTC'")
    connection.register("rows", pa.Table.from_batches([ROWS]))
    return connection


def duckdb_values(sql):
    """What DuckDB says for `ROWS`."""
    return [row[0] for row in _duckdb().execute(f"SELECT {sql} FROM rows").fetchall()]


def alike(one, other):
    """Whether two values are the same: NaN is, and floating-point numbers may differ in the last digits."""
    if isinstance(one, float) and isinstance(other, int | float | Decimal):
        other = float(other)
        return (math.isnan(one) and math.isnan(other)) or one == other or math.isclose(one, other, rel_tol=1e-12)
    return one == other and (one is None) == (other is None)


def assert_alike(ours, theirs):
    assert len(ours) == len(theirs)
    assert all(alike(one, other) for one, other in zip(ours, theirs, strict=True)), (ours, theirs)
