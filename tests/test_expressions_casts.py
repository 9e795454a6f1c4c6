import math
from decimal import Decimal

import pyarrow as pa
import pytest

from flow import RowError
from operators.expressions import ExpressionError, cast, col, lit
from tests.expressions_for_tests import ROWS, assert_alike, b, d, duckdb_values, e, i, j, l, values, x, y


@pytest.mark.parametrize(
    "built",
    [
        cast(i, "bigint"),
        cast(j, "smallint"),
        cast(i, "double"),
        cast(i, "text"),
        cast(i, "boolean"),
        cast(i, "decimal(10, 2)"),
        cast(d, "double"),
        cast(d, "decimal(10, 4)"),
        cast(d, "decimal(10, 1)"),
        cast(d, "bigint"),
        cast(d, "text"),
        cast(y, "real"),
        cast(b, "integer"),
        cast(b, "double"),
        cast(b, "text"),
        cast(cast(i, "text"), "bigint"),
        cast(cast(d, "text"), "decimal(10, 1)"),
        cast(cast(x, "text"), "double"),
        cast(e, "text"),
        col("s").try_cast("bigint"),
        x.try_cast("tinyint"),
        (i * 100).try_cast("tinyint"),
    ],
    ids=str,
)
def test_casts_agree_with_duckdb(built):
    assert_alike(values(built), duckdb_values(str(built)))


@pytest.mark.parametrize(
    ("built", "expected"),
    [
        (cast(1.5, "bigint"), 2),
        (cast(2.5, "bigint"), 2),
        (cast(Decimal("2.5"), "bigint"), 3),
        (cast(Decimal("-2.5"), "bigint"), -3),
        (cast(lit("1.255"), "decimal(5, 2)"), Decimal("1.26")),
        (cast(lit("  42 "), "integer"), 42),
        (cast(lit("yes"), "boolean"), True),
        (cast(lit(" OFF"), "boolean"), False),
        (cast(lit("NaN"), "double"), math.nan),
        (cast(lit("-Infinity"), "double"), -math.inf),
        (cast(1.0, "text"), "1"),
        (cast(None, "date"), None),
        (lit("x").try_cast("integer"), None),
        (lit("1").cast("text"), "1"),
    ],
    ids=str,
)
def test_casts_agree_with_postgresql(built, expected):
    assert_alike(values(built), [expected] * ROWS.num_rows)


@pytest.mark.parametrize(
    ("built", "message"),
    [
        (cast(i * 100, "tinyint"), r"CAST\(i \* 100 AS TINYINT\): .*not in range"),
        (cast(x, "bigint"), "nan|inf"),
        (cast(col("s"), "bigint"), "'a,b,,c' is no BIGINT"),
        (cast(col("s"), "boolean"), "'apple' is no boolean"),
        (cast(col("j") * 1000, "decimal(4, 2)"), "precision|Decimal"),
        (cast(lit("2**3"), "double"), "is no DOUBLE"),
    ],
    ids=str,
)
def test_values_that_do_not_fit_are_errors(built, message):
    with pytest.raises(RowError, match=message):
        values(built)


def test_a_forgiving_cast_finds_the_few_that_do_not_fit():
    texts = [str(number) for number in range(1000)]
    texts[7], texts[500] = "seven", None
    batch = pa.record_batch({"k": texts})
    expected = [None if number in (7, 500) else number for number in range(1000)]
    assert values(col("k").try_cast("integer"), batch) == expected


def test_lists_are_cast_value_by_value():
    assert values(cast(l, pa.list_(pa.float64())))[:2] == [[1.0, 2.0, 3.0], []]


@pytest.mark.parametrize(
    ("built", "message"),
    [
        (cast(b, "timestamp"), "BOOLEAN cannot be cast to TIMESTAMP"),
        (cast(l, "bigint"), r"BIGINT\[\] cannot be cast to BIGINT"),
    ],
    ids=str,
)
def test_casts_that_make_no_sense_are_refused(built, message):
    with pytest.raises(ExpressionError, match=message):
        built.bind(ROWS.schema)
