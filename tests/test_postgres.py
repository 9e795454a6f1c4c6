"""Expressions of numbers and time, and the text that PostgreSQL 15 makes of them (time zone UTC), in tests/postgres."""

import math
from pathlib import Path

import pyarrow as pa
import pytest

from operators.expressions import Cast
from operators.sql import SqlError
from operators.sql.expressions.constants import constant, value_of
from operators.sql.grammar.dialect import Text, parse

FOLDER = Path(__file__).parent / "postgres"
LINES = [
    tuple(line.rstrip("\n").split("  =>  "))
    for path in sorted(FOLDER.glob("*.txt"))
    for line in path.read_text().split("\n")
    if line
]


def shown(sql, dialect="postgres"):
    """A constant's value as text."""
    text = Text(f"SELECT {sql}")
    tree = parse(text, dialect)[0].expressions[0]
    value = value_of(text, Cast(constant(text, tree, "a test"), pa.string()), tree)
    return "NULL" if value[0].as_py() is None else value[0].as_py()


def same(ours, theirs):
    """Whether two texts are the same, or are the same number written with other digits."""
    try:
        return ours == theirs or math.isclose(float(ours), float(theirs), rel_tol=1e-12, abs_tol=1e-15)
    except ValueError:
        return False


@pytest.mark.parametrize(("sql", "theirs"), LINES)
def test_as_postgresql(sql, theirs):
    if theirs == "ERROR":
        with pytest.raises(SqlError):
            shown(sql)
    else:
        assert same(shown(sql), theirs), (sql, shown(sql), theirs)


@pytest.mark.parametrize(
    ("dialect", "sql", "expected"),
    [
        ("duckdb", "date_diff('month', DATE '2024-01-31', DATE '2024-02-01')", "1"),
        ("duckdb", "date_sub('month', DATE '2024-01-31', DATE '2024-02-01')", "0"),
        ("duckdb", "strftime(DATE '2024-02-29', '%d.%m.%Y')", "29.02.2024"),
        ("duckdb", "strptime('29.02.2024', '%d.%m.%Y')", "2024-02-29 00:00:00"),
        ("duckdb", "last_day(DATE '2024-02-01')", "2024-02-29"),
        ("duckdb", "make_timestamp(1500000)", "1970-01-01 00:00:01.5"),
        ("duckdb", "epoch(TIMESTAMP '1970-01-02')", "86400"),
        ("duckdb", "TIMESTAMP '2024-01-01' + INTERVAL (1 + 2) DAY", "2024-01-04 00:00:00"),
        ("mysql", "DATE_FORMAT(TIMESTAMP '2024-02-29 10:11:12', '%Y-%m')", "2024-02"),
        ("mysql", "STR_TO_DATE('29.02.2024', '%d.%m.%Y')", "2024-02-29"),
        ("mysql", "DATEDIFF(DATE '2024-03-01', DATE '2024-02-28')", "2"),
        ("mysql", "TIMESTAMPDIFF(MONTH, DATE '2024-01-31', DATE '2024-03-01')", "1"),
        ("mysql", "DATE_ADD(DATE '2024-02-28', INTERVAL 2 DAY)", "2024-03-01 00:00:00"),
        ("mysql", "FROM_UNIXTIME(86400)", "1970-01-02 00:00:00+00"),
        ("mysql", "MONTHNAME(DATE '2024-02-28')", "February"),
        ("snowflake", "DATEADD(day, 2, DATE '2024-02-28')", "2024-03-01 00:00:00"),
        ("snowflake", "DATEDIFF(week, DATE '2024-02-25', DATE '2024-02-26')", "1"),
        ("snowflake", "TO_CHAR(DATE '2024-02-28', 'YYYY/MM/DD')", "2024/02/28"),
        ("snowflake", "DAYNAME(DATE '2024-02-28')", "Wed"),
        ("spark", "date_add(DATE '2024-02-28', 2)", "2024-03-01 00:00:00"),
        ("spark", "date_sub(DATE '2024-03-01', 2)", "2024-02-28 00:00:00"),
        ("spark", "datediff(DATE '2024-03-01', DATE '2024-02-28')", "2"),
        ("spark", "date_format(TIMESTAMP '2024-02-28 10:11:12', 'yyyy-MM-dd')", "2024-02-28"),
        ("spark", "add_months(DATE '2024-01-31', 1)", "2024-02-29"),
        ("bigquery", "DATE_DIFF(DATE '2024-03-01', DATE '2024-02-28', DAY)", "2"),
        ("bigquery", "TIMESTAMP_TRUNC(TIMESTAMP '2024-02-28 10:11:12', HOUR)", "2024-02-28 10:00:00+00"),
        ("tsql", "DATEADD(day, 2, CAST('2024-02-28' AS DATE))", "2024-03-01 00:00:00"),
        ("tsql", "EOMONTH(CAST('2024-02-03' AS DATE))", "2024-02-29"),
        ("postgres", "timestampdiff(day, DATE '2024-02-28', DATE '2024-03-01')", "2"),
        ("postgres", "timestampadd(month, 1, DATE '2024-01-31')", "2024-02-29 00:00:00"),
        ("postgres", "floor(TIMESTAMP '2024-02-28 10:11:12' TO hour)", "2024-02-28 10:00:00"),
        ("postgres", "date_diff('day', DATE '2024-02-28', DATE '2024-03-01')", "2"),
    ],
)
def test_in_other_dialects(dialect, sql, expected):
    assert shown(sql, dialect) == expected


@pytest.mark.parametrize(
    "sql",
    [
        "now()",
        "current_timestamp",
        "current_date",
        "localtimestamp",
        "clock_timestamp()",
        "random()",
        "age(DATE '2024-01-01')",
    ],
)
def test_what_would_change_is_refused(sql):
    with pytest.raises(SqlError, match=r"computed as it was|does not take"):
        shown(sql)
