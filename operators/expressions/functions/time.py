"""Parts of dates, times, timestamps and intervals.

Timestamps without zone are UTC; those with one are taken apart in their own zone. A difference of two timestamps has
days and hours, as PostgreSQL's interval.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flow.errors import known
from operators.expressions.casts import interval_parts
from operators.expressions.functions.moments import clock_of, missing_of
from operators.expressions.registry import Resolved, function, overload
from operators.expressions.time_casts import duration_parts
from operators.expressions.types import Argument, ExpressionError
from operators.values.interval_text import unit_named
from operators.values.time_units import DAY, PER_SECOND

_JULIAN_1970: Final = 2_440_588
_PARTS: Final = {
    "dayofweek": "dow", "weekday": "dow", "dayofyear": "doy", "dayofmonth": "day", "weekofyear": "week",
    "week_iso": "week", "weekiso": "week", "dayofweek_iso": "isodow", "dayofweekiso": "isodow", "yearofweek": "isoyear",
    "epoch_second": "epoch", "mm": "month", "yyyy": "year", "yy": "year", "dd": "day",
}  # fmt: skip


def part_named(name: Any) -> str:
    """A part's one name."""
    part = str(name).strip().lower()
    return _PARTS.get(part) or _PARTS.get(unit_named(part)) or unit_named(part)


def constant_unit(argument: Argument, units: Any) -> str:
    """The unit that a literal names. Raises ExpressionError where it names none of `units`."""
    if argument.constant is None:
        raise ExpressionError("the unit must be a literal, for example 'hour'")
    unit = part_named(argument.constant)
    if unit not in units:
        raise ExpressionError(f"no unit {argument.constant!r}; {known(unit, units)}")
    return unit


def _seconds(value: Any) -> pa.Array:
    fraction = pc.cast(pc.subsecond(value), pa.float64())
    return pc.add(pc.cast(pc.second(value), pa.float64()), fraction)


def _micros(value: Any) -> pa.Array:
    return pc.cast(pc.round(pc.multiply(_seconds(value), 1e6)), pa.int64())


def _epoch(value: Any) -> pa.Array:
    """Seconds since 1970 UTC; of a zoned timestamp, of its moment."""
    kind = value.type
    if pa.types.is_date(kind):
        return pc.multiply(pc.cast(pc.cast(value, pa.date32()).cast(pa.int32()), pa.float64()), 86_400.0)
    count = pc.cast(pc.cast(value, pa.int32() if kind.bit_width == 32 else pa.int64()), pa.float64(), safe=False)
    return pc.divide(count, float(PER_SECOND[kind.unit]))


def _of_year(divisor: int) -> Callable[[Any], pa.Array]:
    """The period of so many years that a year is in; the first begins with year 1."""
    return lambda value: pc.add(pc.divide(pc.subtract(pc.year(value), 1), divisor), 1)


def _julian(value: Any) -> pa.Array:
    return pa.array(clock_of(value) / DAY + _JULIAN_1970, pa.float64(), mask=missing_of(value))


def _julian_day(value: Any) -> pa.Array:
    return pa.array(clock_of(value) // DAY + _JULIAN_1970, pa.int64(), mask=missing_of(value))


def _offset(divisor: int, wrap: int) -> Callable[[Any], pa.Array]:
    """What the zone is ahead of UTC, of which so many seconds are one, the sign as in PostgreSQL."""

    def part(value: Any) -> pa.Array:
        utc = value.cast(pa.timestamp(value.type.unit, "UTC")).cast(pa.timestamp(value.type.unit))
        ahead = pc.subtract(pc.local_timestamp(value), utc).cast(pa.duration("us"), safe=False)
        seconds = ahead.cast(pa.int64()).fill_null(0).to_numpy() // 1_000_000
        result = np.fmod(np.trunc(seconds / divisor).astype(np.int64), wrap)
        return pa.array(result, pa.int64(), mask=missing_of(value))

    return part


_WHOLE_PARTS: Final[dict[str, Callable[[Any], pa.Array]]] = {
    "minute": pc.minute,
    "hour": pc.hour,
    "microsecond": _micros,
}
_DATE_PARTS: Final[dict[str, Callable[[Any], pa.Array]]] = {
    "day": pc.day,
    "dow": partial(pc.day_of_week, count_from_zero=True, week_start=7),
    "isodow": partial(pc.day_of_week, count_from_zero=False, week_start=1),
    "doy": pc.day_of_year,
    "week": pc.iso_week,
    "month": pc.month,
    "quarter": pc.quarter,
    "year": pc.year,
    "isoyear": pc.iso_year,
    "yearweek": lambda value: pc.add(pc.multiply(pc.iso_year(value), 100), pc.iso_week(value)),
    "decade": lambda value: pc.divide(pc.year(value), 10),
    "century": _of_year(100),
    "millennium": _of_year(1000),
}
_ZONE_PARTS: Final[dict[str, Callable[[Any], pa.Array]]] = {
    "timezone": _offset(1, 1 << 40),
    "timezone_hour": _offset(3600, 1 << 40),
    "timezone_minute": _offset(60, 60),
}
_FRACTIONAL_PARTS: Final[dict[str, Callable[[Any], pa.Array]]] = {
    "second": _seconds,
    "millisecond": lambda value: pc.multiply(_seconds(value), 1e3),
    "epoch": _epoch,
}


def _cut(value: Any, divisor: int) -> Any:
    """A quotient without its fraction, exactly."""
    return np.sign(value) * (np.abs(value) // divisor)


_INTERVAL_PARTS: Final[dict[str, Callable[[Any, Any, Any], Any]]] = {
    "microsecond": lambda _months, _days, time: _cut(np.fmod(time, 60_000_000_000), 1_000),
    "millisecond": lambda _months, _days, time: np.fmod(time, 60_000_000_000) / 1e6,
    "second": lambda _months, _days, time: np.fmod(time, 60_000_000_000) / 1e9,
    "minute": lambda _months, _days, time: np.fmod(_cut(time, 60_000_000_000), 60),
    "hour": lambda _months, _days, time: _cut(time, 3_600_000_000_000),
    "day": lambda _months, days, _time: days,
    "month": lambda months, _days, _time: np.fmod(months, 12),
    "quarter": lambda months, _days, _time: _cut(np.fmod(months, 12), 3) + 1,
    "year": lambda months, _days, _time: _cut(months, 12),
    "decade": lambda months, _days, _time: _cut(months, 120),
    "century": lambda months, _days, _time: _cut(months, 1200),
    "millennium": lambda months, _days, _time: _cut(months, 12_000),
    "epoch": lambda months, days, time: (
        (_cut(months, 12) * 365.25 + np.fmod(months, 12) * 30 + days) * 86_400 + time / 1e9
    ),
}


def parts_of(value: Any) -> tuple[Any, Any, Any]:
    """Months, days and nanoseconds of intervals and durations."""
    if pa.types.is_duration(value.type):
        days, time = duration_parts(value)
        return np.zeros(len(value), np.int64), days, time
    return interval_parts(value)


def _part_rule(arguments: Sequence[Argument]) -> Resolved | None:
    if len(arguments) != 2 or arguments[0].family != "text":
        return None
    if arguments[1].family == "null":
        return _part_rule((arguments[0], Argument(pa.timestamp("us", "UTC"))))
    kind, place = arguments[1].type, arguments[1].family
    parts = _WHOLE_PARTS | _FRACTIONAL_PARTS
    if place == "timestamp":
        parts = parts | _DATE_PARTS | {"julian": _julian} | (_ZONE_PARTS if kind.tz else {})
    elif place == "date":
        parts = _DATE_PARTS | {"epoch": _epoch, "julian": _julian_day}
    elif place in ("duration", "interval"):
        return _interval_part_rule(arguments)
    elif place != "time":
        return None
    unit = constant_unit(arguments[0], parts)
    fractional = unit in _FRACTIONAL_PARTS or (unit == "julian" and place == "timestamp")
    part = parts[unit]
    result = pa.float64() if fractional else pa.int64()
    return Resolved((pa.string(), kind), result, lambda _, value: part(value), total=True)


def _interval_part_rule(arguments: Sequence[Argument]) -> Resolved:
    unit = constant_unit(arguments[0], _INTERVAL_PARTS)
    part = _INTERVAL_PARTS[unit]
    result = pa.float64() if unit in _FRACTIONAL_PARTS else pa.int64()

    def kernel(_: Any, value: Any) -> pa.Array:
        return pa.array(part(*parts_of(value)), result, mask=missing_of(value))

    return Resolved((pa.string(), arguments[1].type), result, kernel, total=True)


overload(
    "extract(const text, any) -> bigint",
    _part_rule,
    says="A part of a date, time, timestamp or interval; seconds, milliseconds and the epoch are DOUBLE.",
    examples=[
        "extract(year FROM DATE '2024-02-29') = 2024",
        "extract(week FROM DATE '2005-01-01') = 53",
        "extract(second FROM TIMESTAMP '2024-02-29 10:11:12.5') = 12.5",
        "extract(hour FROM INTERVAL '1 day 30 hours') = 30",
        "extract(epoch FROM INTERVAL '1 month') = 2592000",
        "extract(day FROM TIMESTAMP '2024-03-02' - TIMESTAMP '2024-02-28 12:00') = 2",
        "extract(year FROM NULL) IS NULL",
        "extract(timezone_hour FROM TIMESTAMPTZ '2024-01-01 00:00+00') = 0",
        "extract(julian FROM DATE '2006-01-01') = 2453737",
    ],
)
overload(
    "date_part(const text, any) -> bigint",
    _part_rule,
    says="As `extract`.",
    examples=["date_part('month', DATE '2024-02-29') = 2"],
)


def _shorthand(name: str, unit: str, example: str) -> None:
    """DuckDB's, MySQL's and others' functions that are called like the part."""

    def rule(arguments: Sequence[Argument]) -> Resolved | None:
        resolved = _part_rule((Argument(pa.string(), unit), *arguments)) if len(arguments) == 1 else None
        if resolved is None or pa.types.is_null(resolved.arguments[1]):
            return None
        kernel = resolved.kernel
        return Resolved(resolved.arguments[1:], resolved.result, lambda value: kernel(None, value), total=True)

    overload(f"{name}(any) -> bigint", rule, says=f"As `extract({unit} FROM ...)`.", examples=[example])


for _name, _unit, _value in (
    ("century", "century", 21), ("dayofmonth", "day", 29), ("dayofweek", "dow", 4), ("dayofyear", "doy", 60),
    ("decade", "decade", 202), ("isodow", "isodow", 4), ("isoyear", "isoyear", 2024), ("julian", "julian", 2460370),
    ("millennium", "millennium", 3), ("weekday", "dow", 4), ("weekofyear", "week", 9), ("yearweek", "yearweek", 202409),
):  # fmt: skip
    _shorthand(_name, _unit, f"{_name}(DATE '2024-02-29') = {_value}")
for _name, _value in (("microsecond", 5_500_000), ("millisecond", 5_500)):
    _shorthand(_name, _name, f"{_name}(TIME '10:11:05.5') = {_value}")


@function(
    "epoch(timestamp) -> double",
    "epoch(time) -> double",
    total=True,
    says="Seconds since 1970 UTC (of a time, since midnight).",
    examples=["epoch(TIMESTAMP '1970-01-02 00:00:00.5') = 86400.5"],
)
def _epoch_of(value: Any) -> pa.Array:
    return _epoch(value)


def _counted(name: str, unit: str, result: str) -> None:
    """Whole units since 1970."""

    @function(
        f"{name}(timestamp) -> bigint",
        says=f"Whole {unit} since 1970 UTC.",
        examples=[f"{name}(TIMESTAMP '1970-01-01 00:00:01.5') = {result}"],
    )
    def _count(value: Any) -> pa.Array:
        moment = value.cast(pa.timestamp(value.type.unit, "UTC")).cast(pa.timestamp(value.type.unit))
        step = PER_SECOND[value.type.unit]
        wanted = {"seconds": 1, "milliseconds": 1_000, "microseconds": 1_000_000, "nanoseconds": 1_000_000_000}[unit]
        count = moment.cast(pa.int64())
        if wanted >= step:
            return pc.multiply_checked(count, wanted // step)
        numbers = count.fill_null(0).to_numpy() // (step // wanted)
        return pa.array(numbers, pa.int64(), mask=missing_of(value))


_counted("epoch_ms", "milliseconds", "1500")
_counted("epoch_us", "microseconds", "1500000")
_counted("epoch_ns", "nanoseconds", "1500000000")
_counted("unix_seconds", "seconds", "1")
_counted("unix_timestamp", "seconds", "1")


@function("epoch_ms(bigint) -> timestamp")
def _of_milliseconds(value: Any) -> pa.Array:
    return pc.cast(pc.multiply_checked(value, 1_000), pa.timestamp("us"))
