"""Functions of the calendar: ages, differences in a unit, names of days, and dates and times made from numbers.

Differences count microseconds on the clocks that timestamps show; a month is complete when its day and time have come.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

from operators.expressions.casts import cast_value, interval_array, interval_parts
from operators.expressions.functions.moments import (
    at_zone,
    clock_of,
    missing_of,
    month_start,
    months_of,
    numbers_of,
    rows_of,
    timestamps,
)
from operators.expressions.functions.time import constant_unit
from operators.expressions.functions.zones import zone_named
from operators.expressions.registry import Resolved, Rule, function, overload, refuse
from operators.expressions.time_text import DAYS, MONTHS
from operators.expressions.types import INTERVAL, Argument
from operators.values.time_units import DAY, IN_MICROSECONDS, IN_MONTHS

_NANOSECONDS: Final = DAY * 1_000


@function(
    "age(timestamp, timestamp) -> interval",
    says="The time from the second timestamp to the first, in years, months and days.",
    examples=[
        "age(TIMESTAMP '2001-04-10', TIMESTAMP '1957-06-13') = INTERVAL '43 years 9 months 27 days'",
        "age(DATE '2024-03-01', DATE '2024-01-31') = INTERVAL '1 month 1 day'",
    ],
)
def _age(late: Any, early: Any) -> pa.Array:
    late, early = rows_of(late, early)
    missing = missing_of(late, early)
    one, other = clock_of(late), clock_of(early)
    sign = np.where(one < other, -1, 1)
    first, last = np.minimum(one, other), np.maximum(one, other)
    (first_month, first_day), (last_month, last_day) = months_of(first // DAY), months_of(last // DAY)
    months, days, time = last_month - first_month, last_day - first_day, last % DAY - first % DAY
    borrowed = time < 0
    time, days = time + borrowed * DAY, days - borrowed
    length = month_start(first_month + 1) - month_start(first_month)
    for _ in range(2):
        short = days < 0
        days, months = days + short * length, months - short
    return interval_array(sign * months, sign * days, sign * time * 1_000, missing)


def _difference_rule(complete: bool) -> Rule:
    def rule(arguments: Sequence[Argument]) -> Resolved | None:
        if len(arguments) != 3 or arguments[0].family != "text":
            return None
        families = {argument.family for argument in arguments[1:] if not argument.unknown}
        if not families or not families <= {"date", "timestamp", "time"} or ("time" in families and len(families) > 1):
            return None
        unit = constant_unit(
            arguments[0], list(IN_MICROSECONDS) if "time" in families else [*IN_MICROSECONDS, *IN_MONTHS]
        )
        kinds = [argument.type for argument in arguments[1:] if not argument.unknown]
        first, last = (kinds[0] if argument.unknown else argument.type for argument in arguments[1:])

        def kernel(_: Any, start: Any, end: Any) -> pa.Array:
            start, end = rows_of(start, end)
            count = _complete if complete else _boundaries
            return pa.array(count(unit, clock_of(start), clock_of(end)), pa.int64(), mask=missing_of(start, end))

        return Resolved((pa.string(), first, last), pa.int64(), kernel, total=True)

    return rule


def _boundaries(unit: str, start: Any, end: Any) -> Any:
    if unit in IN_MICROSECONDS:
        # Weeks begin on Monday: 1970-01-01 was a Thursday.
        shift = 3 * DAY if unit == "week" else 0
        return (end + shift) // IN_MICROSECONDS[unit] - (start + shift) // IN_MICROSECONDS[unit]
    one, other = (months_of(moment // DAY)[0] + 1970 * 12 for moment in (start, end))
    shift = 12 if unit in ("century", "millennium") else 0
    return (other - shift) // IN_MONTHS[unit] - (one - shift) // IN_MONTHS[unit]


def _complete(unit: str, start: Any, end: Any) -> Any:
    if unit in IN_MICROSECONDS:
        whole, step = end - start, IN_MICROSECONDS[unit]
        return np.sign(whole) * (np.abs(whole) // step)
    (one, one_day), (other, other_day) = months_of(start // DAY), months_of(end // DAY)
    rest = other_day * DAY + end % DAY - one_day * DAY - start % DAY
    months = other - one
    months = months - ((months > 0) & (rest < 0)) + ((months < 0) & (rest > 0))
    return np.sign(months) * (np.abs(months) // IN_MONTHS[unit])


for _name in ("date_diff", "datediff"):
    overload(
        f"{_name}(const text, timestamp, timestamp) -> bigint",
        _difference_rule(complete=False),
        says="How many boundaries of a unit lie between two dates, timestamps or times.",
        examples=[f"{_name}('month', DATE '2024-01-31', DATE '2024-02-01') = 1"],
    )
for _name in ("date_sub", "datesub"):
    overload(
        f"{_name}(const text, timestamp, timestamp) -> bigint",
        _difference_rule(complete=True),
        says="How many complete units lie between two dates, timestamps or times: also `TIMESTAMPDIFF(unit, a, b)`.",
        examples=[
            f"{_name}('month', DATE '2024-01-31', DATE '2024-02-01') = 0",
            f"{_name}('hour', TIMESTAMP '2024-01-01 10:30', TIMESTAMP '2024-01-01 08:00') = -2",
        ],
    )


def _add_months_rule(arguments: Sequence[Argument]) -> Resolved | None:
    if len(arguments) != 2 or arguments[0].family not in ("date", "timestamp") or arguments[1].family != "integer":
        return None
    kind = arguments[0].type

    def kernel(value: Any, number: Any) -> pa.Array:
        value, number = rows_of(value, number)
        clock = clock_of(value)
        months, day = months_of(clock // DAY)
        start = month_start(months + numbers_of(number))
        length = month_start(months + numbers_of(number) + 1) - start
        moved = timestamps((start + np.minimum(day, length - 1)) * DAY + clock % DAY, missing_of(value, number))
        if pa.types.is_timestamp(kind) and kind.tz is not None:
            return at_zone(moved.cast(pa.timestamp(kind.unit)), kind.tz).cast(kind)
        return cast_value(moved, kind)

    return Resolved((kind, pa.int64()), kind, kernel)


overload(
    "add_months(timestamp, bigint) -> same",
    _add_months_rule,
    says="A date or timestamp so many months later, on the last day of a month that is shorter.",
    examples=["add_months(DATE '2024-01-31', 1) = DATE '2024-02-29'"],
)


@function(
    "months_between(timestamp, timestamp) -> double",
    total=True,
    says="By how many months the first is later than the second: whole ones between equal days and between last days "
    "of months, else with 31sts of one.",
    examples=[
        "months_between(DATE '2024-03-31', DATE '2024-02-29') = 1.0",
        "months_between(TIMESTAMP '2024-03-15 12:00:00', DATE '2024-02-01') = 1.467741935483871",
    ],
)
def _months_between(later: Any, earlier: Any) -> pa.Array:
    later, earlier = rows_of(later, earlier)
    clocks = clock_of(later), clock_of(earlier)
    (one, day), (other, start) = (months_of(clock // DAY) for clock in clocks)
    last = [month_start(months + 1) - month_start(months) - 1 == days for months, days in ((one, day), (other, start))]
    whole = (day == start) | (last[0] & last[1])
    rest = (day - start) * DAY + clocks[0] % DAY - clocks[1] % DAY
    months = (one - other) + np.where(whole, 0, rest / (31 * DAY))
    return pa.array(months, pa.float64(), mask=missing_of(later, earlier))


def _named(names: Sequence[str], places: Any, missing: Any) -> pa.Array:
    return pa.array([name.title() for name in names]).take(pa.array(places, mask=missing))


@function("dayname(timestamp) -> text", total=True, says="The English name of the day of the week.",
          examples=["dayname(DATE '2024-02-29') = 'Thursday'"])  # fmt: skip
def _dayname(value: Any) -> pa.Array:
    return _named(DAYS, (clock_of(value) // DAY + 4) % 7, missing_of(value))


@function("monthname(timestamp) -> text", total=True, says="The English name of the month.",
          examples=["monthname(DATE '2024-02-29') = 'February'"])  # fmt: skip
def _monthname(value: Any) -> pa.Array:
    return _named(MONTHS, months_of(clock_of(value) // DAY)[0] % 12, missing_of(value))


def _carried(large: Any, small: Any, size: int) -> tuple[Any, Any]:
    """What exceeds `size` in the small unit goes to the large one, so that both have one sign."""
    whole = np.sign(small) * (np.abs(small) // size)
    large, small = large + whole, small - whole * size
    down, up = (large > 0) & (small < 0), (large < 0) & (small > 0)
    return large - down + up, small + (down * size) - (up * size)


@function("justify_hours(interval) -> interval", says="Hours from 24 on become days.",
          examples=["justify_hours(INTERVAL '50 hours 10 minutes') = INTERVAL '2 days 02:10:00'"])  # fmt: skip
def _justify_hours(value: Any) -> pa.Array:
    months, days, time = interval_parts(value)
    return interval_array(months, *_carried(days, time, _NANOSECONDS), missing_of(value))


@function("justify_days(interval) -> interval", says="Days from 30 on become months.",
          examples=["justify_days(INTERVAL '1 year 65 days') = INTERVAL '1 year 2 months 5 days'"])  # fmt: skip
def _justify_days(value: Any) -> pa.Array:
    months, days, time = interval_parts(value)
    return interval_array(*_carried(months, days, 30), time, missing_of(value))


@function("justify_interval(interval) -> interval", says="Both of these, so that all parts have one sign.",
          examples=["justify_interval(INTERVAL '1 month -1 hour') = INTERVAL '29 days 23:00:00'"])  # fmt: skip
def _justify_interval(value: Any) -> pa.Array:
    months, days, time = interval_parts(value)
    whole = np.sign(time) * (np.abs(time) // _NANOSECONDS)
    days, time = days + whole, time - whole * _NANOSECONDS
    whole = np.sign(days) * (np.abs(days) // 30)
    months, days = months + whole, days - whole * 30
    down = (months > 0) & ((days < 0) | ((days == 0) & (time < 0)))
    up = (months < 0) & ((days > 0) | ((days == 0) & (time > 0)))
    months, days = months - down + up, days + 30 * down - 30 * up
    return interval_array(months, *_carried(days, time, _NANOSECONDS), missing_of(value))


def _checked(what: str, wrong: Any, *parts: Any) -> None:
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise pa.ArrowInvalid(f"{what} out of range: {', '.join(str(part[row]) for part in parts)}")


def _days(year: Any, month: Any, day: Any, missing: Any) -> Any:
    months = (year - 1970) * 12 + month - 1
    first = month_start(np.where(missing, 0, months))
    length = month_start(np.where(missing, 0, months) + 1) - first
    wrong = ~missing & ((month < 1) | (month > 12) | (day < 1) | (day > length) | (year < 1) | (year > 9999))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise pa.ArrowInvalid(f"{year[row]}-{month[row]}-{day[row]} is no date")
    return first + day - 1


def _clock(hour: Any, minute: Any, second: Any, missing: Any) -> Any:
    if not np.isfinite(second).all():
        raise pa.ArrowInvalid("a time of day is out of range")
    microsecond = np.rint(second * 1e6).astype(np.int64)
    inside = (hour >= 0) & (hour < 24) & (minute >= 0) & (minute < 60) & (microsecond >= 0)
    _checked("a time of day is", ~missing & ~(inside & (microsecond <= 60_000_000)), hour, minute, second)
    return (hour * 60 + minute) * 60_000_000 + microsecond


def _numbers(values: Sequence[Any]) -> tuple[list[Any], Any]:
    arrays = rows_of(*values)
    return [numbers_of(array, 1) for array in arrays], missing_of(*arrays)


@function("make_date(bigint, bigint, bigint) -> date", says="A date from year, month and day.",
          examples=["make_date(2024, 2, 29) = DATE '2024-02-29'"])  # fmt: skip
def _make_date(*values: Any) -> pa.Array:
    (year, month, day), missing = _numbers(values)
    return pa.array(_days(year, month, day, missing).astype(np.int32), pa.int32(), mask=missing).cast(pa.date32())


@function("make_time(bigint, bigint, double) -> time", says="A time of day from hour, minute and second.",
          examples=["make_time(8, 15, 23.5) = TIME '08:15:23.5'"])  # fmt: skip
def _make_time(*values: Any) -> pa.Array:
    (hour, minute, second), missing = _numbers(values)
    count = _clock(hour, minute, second, missing)
    _checked("a time of day is", ~missing & (count >= DAY), hour, minute, second)
    return pa.array(count, pa.int64(), mask=missing).cast(pa.time64("us"))


@function("make_timestamp(bigint, bigint, bigint, bigint, bigint, double) -> timestamp",
          says="A timestamp from year, month, day, hour, minute and second.",
          examples=["make_timestamp(2024, 2, 29, 8, 15, 23.5) = TIMESTAMP '2024-02-29 08:15:23.5'"])  # fmt: skip
def _make_timestamp(*values: Any) -> pa.Array:
    (year, month, day, hour, minute, second), missing = _numbers(values)
    return timestamps(_days(year, month, day, missing) * DAY + _clock(hour, minute, second, missing), missing)


@function("make_timestamp(bigint) -> timestamp", total=True)
def _of_microseconds(value: Any) -> pa.Array:
    return pa.array(numbers_of(value), pa.int64(), mask=missing_of(value)).cast(pa.timestamp("us"))


def _make_timestamptz_rule(arguments: Sequence[Argument]) -> Resolved | None:
    numbers = ("integer", "float", "decimal", "null")
    if len(arguments) not in (6, 7) or any(argument.family not in numbers for argument in arguments[:6]):
        return None
    zone = zone_named(arguments[6]) if len(arguments) == 7 else "UTC"
    result = pa.timestamp("us", "UTC")
    kinds = (*[pa.int64()] * 5, pa.float64(), *[pa.string()] * (len(arguments) - 6))
    return Resolved(kinds, result, lambda *values: at_zone(_make_timestamp(*values[:6]), zone).cast(result))


overload(
    "make_timestamptz(bigint, bigint, bigint, bigint, bigint, double, const text) -> timestamp",
    _make_timestamptz_rule,
    says="As `make_timestamp`, on the clock of a time zone (left out: UTC).",
    examples=[
        "make_timestamptz(2024, 7, 1, 8, 0, 0, 'Europe/London') = TIMESTAMPTZ '2024-07-01 07:00+00'",
        "make_timestamptz(2024, 7, 1, 8, 0, 0) = TIMESTAMPTZ '2024-07-01 08:00+00'",
    ],
)


@function("make_interval(bigint, bigint, bigint, bigint, bigint, bigint, double) -> interval",
          says="An interval from years, months, weeks, days, hours, mins and secs, also by these names.",
          examples=["make_interval(years => 1, days => 3, secs => 1.5) = INTERVAL '1 year 3 days 1.5 seconds'",
                    "make_interval(0, 2) = INTERVAL '2 months'"])  # fmt: skip
def _make_interval(*values: Any) -> pa.Array:
    (years, months, weeks, days, hours, minutes, seconds), missing = _numbers(values)
    size = (
        np.abs(hours).max(initial=0) * 3600.0 + np.abs(minutes).max(initial=0) * 60.0 + np.abs(seconds).max(initial=0)
    )
    if not size < 2**63 / 1e9:
        raise pa.ArrowInvalid("interval out of range")
    time = (hours * 60 + minutes) * 60_000_000_000 + np.rint(seconds * 1e6).astype(np.int64) * 1_000
    return interval_array(years * 12 + months, weeks * 7 + days, time, missing)


def _overlaps_rule(arguments: Sequence[Argument]) -> Resolved | None:
    if len(arguments) != 4:
        return None
    families = {argument.family for argument in arguments if not argument.unknown} - {"interval", "duration"}
    if not families or not (families <= {"date", "timestamp"} or families == {"time"}):
        return None
    starts = [argument.type for argument in arguments if argument.family in families and not argument.unknown]
    kinds = [starts[0] if argument.unknown else argument.type for argument in arguments]

    def kernel(*values: Any) -> pa.Array:
        arrays = rows_of(*values)
        missing = [missing_of(array) for array in arrays]
        bounds = []
        for start, end in ((arrays[0], arrays[1]), (arrays[2], arrays[3])):
            first = clock_of(start)
            spans = pa.types.is_interval(end.type) or pa.types.is_duration(end.type)
            last = _later(first, cast_value(end, INTERVAL)) if spans else clock_of(end)
            bounds.append((np.minimum(first, last), np.maximum(first, last)))
        (one, one_end), (other, other_end) = bounds
        result = np.where(one == other, True, np.where(one > other, one < other_end, other < one_end))
        return pa.array(result, mask=np.logical_or.reduce(missing))

    return Resolved(tuple(kinds), pa.bool_(), kernel, total=True)


def _later(clock: Any, interval: pa.Array) -> Any:
    months, days, time = interval_parts(interval)
    month, day = months_of(clock // DAY)
    start = month_start(month + months)
    day = np.minimum(day, month_start(month + months + 1) - start - 1)
    return (start + day + days) * DAY + clock % DAY + time // 1_000


overload(
    "overlaps(timestamp, timestamp, timestamp, timestamp) -> boolean",
    _overlaps_rule,
    says="`(start, end) OVERLAPS (start, end)`: whether two periods have a moment in common; an end may be an interval."
    " NULL where any of the four is.",
    examples=[
        "((DATE '2001-02-16', DATE '2001-12-21') OVERLAPS (DATE '2001-10-30', INTERVAL '1 year')) = TRUE",
        "((TIME '01:00', TIME '02:00') OVERLAPS (TIME '02:00', TIME '04:00')) = FALSE",
    ],
)


refuse("take datediff('month', b, a) for whole months, or age(a, b) for what lies between", "months_between")
