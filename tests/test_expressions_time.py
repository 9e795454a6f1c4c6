import datetime
from datetime import timedelta

import pyarrow as pa
import pytest

from flow import RowError
from operators.expressions import ExpressionError, call, cast, coalesce, col, lit
from tests.expressions_for_tests import ROWS, assert_alike, day, duckdb_values, i, j, t, values

ZONED = pa.record_batch(
    {
        "z": pa.array(
            [datetime.datetime(2024, 3, 31, 0, 30), datetime.datetime(2024, 3, 30, 1), None],
            pa.timestamp("ms", "Europe/Berlin"),
        ),
        "n": pa.array([1, 2, None]),
        "span": pa.array([timedelta(hours=30, seconds=1.5), timedelta(seconds=-90), None]),
        "months": pa.array([pa.MonthDayNano([14, 2, 3_600_000_000_000]), None, pa.MonthDayNano([-1, 0, 0])]),
        "clock": pa.array([datetime.time(1, 2, 3, 500_000)] * 3),
    }
)
z, n, span, months, clock = (col(name) for name in ZONED.schema.names)


def interval(months=0, days=0, nanoseconds=0):
    return lit(pa.MonthDayNano([months, days, nanoseconds]))


def at(*parts):
    return datetime.datetime(*parts)


def utc(*parts):
    return datetime.datetime(*parts, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    "part",
    ["year", "month", "day", "hour", "minute", "dow", "isodow", "doy", "week", "quarter", "decade", "century",
     "millennium", "isoyear", "microsecond", "epoch"],
)  # fmt: skip
def test_parts_agree_with_duckdb(part):
    assert_alike(values(call("extract", part, t)), duckdb_values(f"extract('{part}' FROM t)"))
    if part not in ("hour", "minute", "microsecond"):
        assert_alike(values(call("date_part", part, day)), duckdb_values(f"extract('{part}' FROM day)"))


def test_seconds_have_a_fraction_as_in_postgresql():
    assert values(call("extract", "second", t)) == [59.123456, 0.0, 0.0, None, 1.0]
    assert values(call("extract", "MILLISECONDS", t)) == [59123.456, 0.0, 0.0, None, 1000.0]
    assert values(call("extract", "second", clock), ZONED) == [3.5] * 3


@pytest.mark.parametrize(
    "unit", ["second", "minute", "hour", "day", "week", "month", "quarter", "year", "decade", "century", "millennium"]
)
def test_truncation_agrees_with_duckdb(unit):
    built = call("date_trunc", unit, t)
    # DuckDB's centuries begin a year early.
    expected = {"century": "2001 1901 2001 1901", "millennium": "2001 1001 2001 1001"}.get(unit)
    if expected is None:
        assert_alike(values(built), duckdb_values(str(built)))
    else:
        one, two, three, _ = (at(int(year), 1, 1) for year in expected.split())
        last = at(1901, 1, 1) if unit == "century" else at(1001, 1, 1)
        assert values(built) == [one, two, three, None, last]


def test_truncation_of_dates_and_by_swapped_arguments():
    assert values(call("date_trunc", "month", day))[0] == at(2024, 1, 1)
    assert values(call("timestamp_trunc", t, "HOUR")) == values(call("date_trunc", "hour", t))


def test_zoned_timestamps_are_taken_apart_in_their_zone():
    assert values(call("extract", "hour", z), ZONED) == [1, 2, None]
    assert values(call("extract", "epoch", z), ZONED) == [1711845000.0, 1711760400.0, None]
    truncated = values(call("date_trunc", "day", z), ZONED)
    assert [each and each.isoformat() for each in truncated] == [
        "2024-03-31T00:00:00+01:00",
        "2024-03-30T00:00:00+01:00",
        None,
    ]


@pytest.mark.parametrize(
    ("built", "sql"),
    [
        (t + interval(months=1), "t + INTERVAL '1 month'"),
        (t - interval(months=1), "t - INTERVAL '1 month'"),
        (t + interval(1, -1, 1_500_000_000), "t + INTERVAL '1 month' - INTERVAL '1 day' + INTERVAL '1.5 seconds'"),
        (interval(days=1) + t, "t + INTERVAL '1 day'"),
        (t + interval(days=1) * j, "t + INTERVAL '1 day' * j"),
        (t + interval(months=1) * i, "t + INTERVAL '1 month' * i"),
        (day + interval(months=1), "day + INTERVAL '1 month'"),
        (day + interval(nanoseconds=3_600_000_000_000), "day + INTERVAL '1 hour'"),
        (day + i, "day + i"),
        (day - 1, "day - 1"),
        (2 + day, "2 + day"),
        (day - "2024-01-01", "day - DATE '2024-01-01'"),
        (t - "2024-01-01", "t - TIMESTAMP '2024-01-01'"),
        (t - day, "t - day::timestamp"),
        (t + timedelta(hours=1), "t + INTERVAL '1 hour'"),
        (t - timedelta(microseconds=1), "t - INTERVAL '1 microsecond'"),
        (t >= "2024-01-31 23:59:59.123456", "t >= '2024-01-31 23:59:59.123456'"),
        (t.between("2000-01-01", "2024-02-01"), "t BETWEEN '2000-01-01' AND '2024-02-01'"),
        (day == "2000-01-01", "day = '2000-01-01'"),
        (t.is_in(["2024-02-29 12:30:00"]), "t IN ('2024-02-29 12:30:00')"),
        (t > day, "t > day"),
        (call("greatest", t, day), "greatest(t, day::timestamp)"),
        (coalesce(t, "2020-01-01"), "coalesce(t, TIMESTAMP '2020-01-01')"),
        ((t - "2024-01-01") > interval(days=5), "(t - TIMESTAMP '2024-01-01') > INTERVAL '5 days'"),
        (call("epoch", t), "epoch(t)"),
        (call("epoch_ms", t), "epoch_ms(t)"),
        (call("epoch_us", t), "epoch_us(t)"),
        (call("epoch_ms", 1_640_995_200_123), "epoch_ms(1640995200123)"),
        (call("make_date", 2024, j, 29), "make_date(2024, j, 29)"),
        (call("make_timestamp", 2024, 1, j, 3, 4, 5.5), "make_timestamp(2024, 1, j, 3, 4, 5.5)"),
        (call("time_bucket", interval(nanoseconds=900_000_000_000), t), "time_bucket(INTERVAL '15 minutes', t)"),
        (call("strftime", t, "%Y/%m %H:%M:%S"), "strftime(t, '%Y/%m %H:%M:%S')"),
        (cast(t, "date"), "t::date"),
        (cast(t, "time"), "t::time"),
        (cast(t, "text"), "t::text"),
        (cast(day, "text"), "day::text"),
        (cast(day, "timestamp"), "day::timestamp"),
        (cast(cast(t, "text"), "timestamp"), "t"),
    ],
    ids=str,
)
def test_arithmetic_of_time_agrees_with_duckdb(built, sql):
    assert_alike(values(built), duckdb_values(sql))


@pytest.mark.parametrize(
    ("built", "expected"),
    [
        (call("to_timestamp", 1_640_995_200), utc(2022, 1, 1)),
        (call("to_timestamp", -0.25), utc(1969, 12, 31, 23, 59, 59, 750_000)),
        (call("to_timestamp_ms", 1_640_995_200_123), at(2022, 1, 1, 0, 0, 0, 123_000)),
        (call("to_timestamp_us", 1_640_995_200_123_456), at(2022, 1, 1, 0, 0, 0, 123_456)),
        (call("date_bin", interval(days=1), "2024-05-05 10:00:00", "2024-05-01 09:00:00"), at(2024, 5, 5, 9)),
        (interval(months=2) + interval(days=3) - interval(months=1), pa.MonthDayNano([1, 3, 0])),
        (-interval(1, 2, 3), pa.MonthDayNano([-1, -2, -3])),
        (interval(months=1) > interval(days=29), True),
        (interval(months=1) == interval(days=30), True),
        (lit(timedelta(minutes=3)) * 1.5, timedelta(minutes=4.5)),
        (lit(timedelta(minutes=3)) / 2, timedelta(minutes=1.5)),
        (-lit(timedelta(minutes=3)), timedelta(minutes=-3)),
        (lit(timedelta(minutes=3)) + timedelta(seconds=1), timedelta(seconds=181)),
        (cast(lit("2020-01-01T00:00:00Z"), "timestamp"), at(2020, 1, 1)),
        (cast(lit("2020-01-01 02:00:00.5+02"), "timestamp"), at(2020, 1, 1, 0, 0, 0, 500_000)),
        (cast(lit(" 2020-01-01 "), "timestamp"), at(2020, 1, 1)),
        (cast(lit("2020-01-01 00:00:00.123456789"), "timestamp"), at(2020, 1, 1, 0, 0, 0, 123_456)),
        (cast(lit("2020-01-01 00:00:00 UTC"), "timestamp"), at(2020, 1, 1)),
        (cast(lit("2020-01-01T10:00Z"), "date"), datetime.date(2020, 1, 1)),
        (cast(lit("10:30"), "time"), datetime.time(10, 30)),
        (cast(lit("2020-01-01"), "timestamptz"), datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)),
        (cast(lit("2020-01-01 05:00:00+05"), "timestamptz"), datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)),
        (cast(cast(lit("2020-01-01 05:00:00+05"), "timestamptz"), "text"), "2020-01-01 00:00:00+00"),
        (call("timezone", "Europe/Berlin", cast(lit("2024-07-01"), "timestamptz")), at(2024, 7, 1, 2)),
    ],
    ids=str,
)
def test_time_agrees_with_postgresql(built, expected):
    assert values(built) == [expected] * ROWS.num_rows


def test_days_and_months_are_added_on_the_clock_of_the_zone():
    later = values(z + interval(days=1), ZONED)
    assert [each and each.isoformat() for each in later] == [
        "2024-04-01T01:30:00+02:00",
        "2024-03-31T03:00:00+02:00",  # 02:00 is left out that night
        None,
    ]
    assert values(z + interval(nanoseconds=86_400_000_000_000), ZONED)[0].isoformat() == "2024-04-01T02:30:00+02:00"


def test_a_clock_time_becomes_a_moment_by_its_zone():
    built = call("timezone", "Europe/Berlin", t)
    assert built.bind(ROWS.schema).type == pa.timestamp("us", "UTC")
    assert values(built)[0].isoformat() == "2024-01-31T22:59:59.123456+00:00"
    assert values(call("timezone", "America/New_York", z), ZONED) == [
        at(2024, 3, 30, 20, 30),
        at(2024, 3, 29, 21),
        None,
    ]


@pytest.mark.parametrize(
    ("part", "of_span", "of_months"),
    [
        ("hour", [6, 0, None], [1, None, 0]),
        ("minute", [0, -1, None], [0, None, 0]),
        ("second", [1.5, -30.0, None], [0.0, None, 0.0]),
        ("epoch", [108001.5, -90.0, None], [36_918_000.0, None, -2_592_000.0]),
        ("day", [1, 0, None], [2, None, 0]),
        ("month", [0, 0, None], [2, None, -1]),
    ],
)
def test_parts_of_spans(part, of_span, of_months):
    for column, expected in ((span, of_span), (months, of_months)):
        if expected is not None:
            assert values(call("extract", part, column), ZONED) == expected


def test_mixed_text_becomes_timestamps_with_and_without_zone():
    batch = pa.record_batch({"k": ["2024-01-01T00:00:00Z", "2024-01-01 01:00:00+01:00", "2024-01-01", None]})
    assert values(cast(col("k"), "timestamp"), batch) == [at(2024, 1, 1)] * 3 + [None]
    assert values(cast(col("k"), "date"), batch) == [datetime.date(2024, 1, 1)] * 3 + [None]


@pytest.mark.parametrize(
    ("built", "message"),
    [
        (call("make_date", 2023, 2, 29), "2023-2-29 is no date"),
        (call("make_timestamp", 2023, 2, 1, 25, 0, 0.0), "a time of day is out of range"),
        (t + interval(months=12 * 300_000), "out of range"),
        (call("to_timestamp_ms", 2**62), "out of range"),
        (day + 2**40, "not in range"),
        (call("date_bin", interval(), t), "the stride must be greater than zero"),
        (cast(lit("2024-02-30"), "date") + 0, "2024-02-30"),
    ],
    ids=str,
)
def test_what_is_no_time_is_an_error(built, message):
    with pytest.raises(RowError, match=message):
        values(built)


@pytest.mark.parametrize(
    ("built", "message"),
    [
        (call("timezone", "Mars/Olympus", t), "no time zone 'Mars/Olympus'"),
        (call("extract", "hour", day), "no unit 'hour'; known here"),
        (call("date_trunc", "hours ago", t), "no unit 'hours ago'"),
        (call("extract", col("s"), t), "the unit must be a literal"),
        (t + 1, r"'\+' does not take \(TIMESTAMP, BIGINT\)"),
        (t + t, r"'\+' does not take"),
        (t > "soon", "'soon' is no date or timestamp"),
        (cast(i, "timestamp"), "INTEGER cannot be cast to TIMESTAMP"),
    ],
    ids=str,
)
def test_what_makes_no_sense_of_time_is_refused(built, message):
    with pytest.raises(ExpressionError, match=message):
        built.bind(ROWS.schema)
