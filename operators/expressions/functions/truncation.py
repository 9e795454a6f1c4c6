"""Dates, timestamps and intervals rounded down to a unit of time, and into bins of any width.

Timestamps with a zone are rounded on that zone's clock; dates become timestamps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from operators.expressions.casts import interval_array
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
from operators.expressions.functions.time import constant_unit, parts_of
from operators.expressions.registry import Resolved, function, overload
from operators.expressions.types import INTERVAL, Argument, ExpressionError
from operators.values.time_units import DAY, IN_MICROSECONDS, IN_MONTHS, PER_SECOND

_TRUNCATIONS: Final = (*IN_MICROSECONDS, *IN_MONTHS)
_YEARS: Final = {"decade": (10, 0), "century": (100, 1), "millennium": (1000, 1)}
_MONDAY: Final = 10_959 * DAY
"""2000-01-03, from which DuckDB's bins are counted."""


def _trunc_rule(arguments: Sequence[Argument]) -> Resolved | None:
    if len(arguments) not in (2, 3):
        return None
    if arguments[0].family != "text" or (arguments[0].constant is None and arguments[1].constant is not None):
        return None
    kind = arguments[1].type
    if arguments[1].family in ("interval", "duration") and len(arguments) == 2:
        return _trunc_interval(arguments)
    if arguments[1].family == "date":
        kind = pa.timestamp("us")
    elif arguments[1].family == "null":
        kind = pa.timestamp("us", "UTC")
    elif arguments[1].family != "timestamp":
        return None
    unit = constant_unit(arguments[0], _TRUNCATIONS)
    if len(arguments) == 2:
        return Resolved((pa.string(), kind), kind, lambda _, value: truncated(unit, value), total=True)
    zone = arguments[2].constant
    if zone is None:
        raise ExpressionError("the time zone must be a literal, for example 'Europe/Berlin'")
    there, result = pa.timestamp(kind.unit, zone), pa.timestamp(kind.unit, kind.tz or "UTC")
    return Resolved(
        (pa.string(), result, pa.string()), result, lambda _, value, __: truncated(unit, value.cast(there)).cast(result)
    )


def _trunc_interval(arguments: Sequence[Argument]) -> Resolved:
    unit = constant_unit(arguments[0], [unit for unit in _TRUNCATIONS if unit != "week"])

    def kernel(_: Any, value: Any) -> pa.Array:
        months, days, time = parts_of(value)
        if unit in IN_MONTHS:
            step = IN_MONTHS[unit]
            return interval_array(months - np.fmod(months, step), 0, 0, missing_of(value))
        return interval_array(months, days, time - np.fmod(time, IN_MICROSECONDS[unit] * 1_000), missing_of(value))

    return Resolved((pa.string(), arguments[1].type), INTERVAL, kernel, total=True)


overload(
    "date_trunc(const text, timestamp) -> same",
    _trunc_rule,
    says="A timestamp or interval rounded down to a unit, on the clock of a third argument's time zone if given.",
    examples=[
        "date_trunc('hour', TIMESTAMP '2024-02-29 20:38:40') = TIMESTAMP '2024-02-29 20:00:00'",
        "date_trunc('week', NULL) IS NULL",
        "date_trunc('week', DATE '2024-02-29') = TIMESTAMP '2024-02-26'",
        "date_trunc('hour', INTERVAL '3 days 02:47:33') = INTERVAL '3 days 02:00:00'",
        "date_trunc('day', TIMESTAMPTZ '2001-02-16 20:38:40+00', 'Australia/Sydney')"
        " = TIMESTAMPTZ '2001-02-16 13:00:00+00'",
    ],
)


def _trunc_swapped(arguments: Sequence[Argument]) -> Resolved | None:
    resolved = _trunc_rule(arguments[::-1]) if len(arguments) == 2 else None
    if resolved is None:
        return None
    kernel = resolved.kernel
    return Resolved(resolved.arguments[::-1], resolved.result, lambda value, unit: kernel(unit, value), total=True)


overload(
    "timestamp_trunc(timestamp, const text) -> same",
    _trunc_swapped,
    says="As `date_trunc`.",
    examples=["timestamp_trunc(TIMESTAMP '2024-02-29 20:38:40', HOUR) = TIMESTAMP '2024-02-29 20:00:00'"],
)


def truncated(unit: str, value: Any) -> pa.Array:
    """Timestamps rounded down to a unit of time, in their own zone."""
    kind = value.type
    if unit in IN_MICROSECONDS and unit != "week" and kind.tz in (None, "UTC"):
        step = IN_MICROSECONDS[unit] * PER_SECOND[kind.unit] // 1_000_000
        return _floored(value, step, 0) if step > 1 else value
    if unit in _YEARS:
        years, first = _YEARS[unit]
        local = value if kind.tz is None else pc.local_timestamp(value)
        year = pc.subtract(pc.year(local), first).fill_null(1970).to_numpy()
        starts = (year // years * years + first - 1970).astype("datetime64[Y]").astype(f"datetime64[{kind.unit}]")
        result = pa.array(starts, pa.timestamp(kind.unit), mask=value.is_null().to_numpy(zero_copy_only=False))
        return result if kind.tz is None else at_zone(result, kind.tz)
    return pc.floor_temporal(value, unit=unit)


def _floored(value: Any, step: int, origin: int) -> pa.Array:
    """Much faster than `floor_temporal`, which knows calendars."""
    count = pc.cast(value, pa.int64())
    numbers = (count.fill_null(0) if count.null_count else count).to_numpy()
    floored = numbers - np.remainder(numbers - origin, step)
    mask = value.is_null().to_numpy(zero_copy_only=False) if value.null_count else None
    return pa.array(floored, pa.int64(), mask=mask).cast(value.type)


def _ceil_rule(arguments: Sequence[Argument]) -> Resolved | None:
    resolved = _trunc_rule(arguments) if len(arguments) == 2 and arguments[1].family in ("date", "timestamp") else None
    if resolved is None:
        return None
    unit = constant_unit(arguments[0], _TRUNCATIONS)

    def kernel(_: Any, value: Any) -> pa.Array:
        down = truncated(unit, value)
        if unit in IN_MICROSECONDS:
            step = IN_MICROSECONDS[unit]
            up = pc.add_checked(down, pa.scalar(step, pa.duration("us")).cast(pa.duration(value.type.unit)))
        else:
            months, _ = months_of(clock_of(down) // DAY)
            starts = timestamps(month_start(months + IN_MONTHS[unit]) * DAY, missing_of(value))
            plain = starts.cast(pa.timestamp(value.type.unit))
            up = plain if value.type.tz is None else at_zone(plain, value.type.tz).cast(value.type)
        return pc.if_else(pc.equal(down, value), value, up)

    return Resolved(resolved.arguments, resolved.result, kernel)


overload(
    "date_ceil(const text, timestamp) -> same",
    _ceil_rule,
    says="A timestamp rounded up to a unit: what `ceil(t TO unit)` is; `floor(t TO unit)` is `date_trunc`.",
    examples=["ceil(TIMESTAMP '2024-02-29 20:38:40' TO month) = TIMESTAMP '2024-03-01'"],
)


def _bin_rule(arguments: Sequence[Argument]) -> Resolved | None:
    if len(arguments) not in (2, 3) or not (arguments[0].family in ("interval", "duration") or arguments[0].unknown):
        return None
    if any(argument.family not in ("timestamp", "date") and not argument.unknown for argument in arguments[1:]):
        return None
    if arguments[0].family == "interval" and arguments[0].constant is None:
        # Only durations are certain to have no months.
        raise ExpressionError("the width of the bins must be a literal, for example INTERVAL '15 minutes'")
    if isinstance(arguments[0].constant, pa.MonthDayNano) and arguments[0].constant.months:
        raise ExpressionError("the bins of date_bin are of one length: its stride has no months; use time_bucket()")
    kind = arguments[1].type if arguments[1].family == "timestamp" else pa.timestamp("us")
    return Resolved((pa.duration("us"), *(kind for _ in arguments[1:])), kind, _binned)


def _binned(stride: Any, value: Any, origin: Any = None) -> pa.Array:
    return _in_bins(stride, value, pa.scalar(0, pa.int64()) if origin is None else origin.cast(pa.int64()))


def _in_bins(stride: Any, value: Any, start: Any) -> pa.Array:
    stride, value, start = rows_of(stride, value, start)
    missing = missing_of(stride, value, start)
    step = numbers_of(stride.cast(pa.int64()), 1) * PER_SECOND[value.type.unit] // 1_000_000
    if (~missing & (step <= 0)).any():
        raise pa.ArrowInvalid("the stride must be greater than zero")
    count = numbers_of(value.cast(pa.int64()))
    floored = count - np.remainder(count - numbers_of(start), np.where(missing, 1, step))
    return pa.array(floored, pa.int64(), mask=missing).cast(value.type)


def _bucket_rule(arguments: Sequence[Argument]) -> Resolved | None:
    width = arguments[0].constant if arguments else None
    if not isinstance(width, pa.MonthDayNano) or not width.months:
        resolved = _bin_rule(arguments)
        if resolved is None or len(arguments) == 3:
            return resolved

        def kernel(stride: Any, value: Any) -> pa.Array:
            start = pa.scalar(_MONDAY * PER_SECOND[value.type.unit] // 1_000_000, pa.int64())
            return _in_bins(stride, value, start)

        return Resolved(resolved.arguments, resolved.result, kernel)
    if width.days or width.nanoseconds or width.months < 0 or len(arguments) != 2:
        raise ExpressionError("the width of a bucket is in months or in days and time, not in both; it has no origin")
    if arguments[1].family not in ("timestamp", "date"):
        return None
    kind = pa.timestamp(arguments[1].type.unit if arguments[1].family == "timestamp" else "us")

    def by_months(_: Any, value: Any) -> pa.Array:
        months, _rest = months_of(clock_of(value) // DAY)
        starts = month_start((months - 360) // width.months * width.months + 360)
        return timestamps(starts * DAY, missing_of(value)).cast(kind)

    return Resolved((INTERVAL, kind), kind, by_months)


overload(
    "date_bin(interval, timestamp) -> timestamp",
    _bin_rule,
    says="A timestamp rounded down to a multiple of an interval, counted from an origin.",
    examples=[
        "date_bin(INTERVAL '15 minutes', TIMESTAMP '2024-02-11 15:44:17', TIMESTAMP '2001-01-01 00:02:30')"
        " = TIMESTAMP '2024-02-11 15:32:30'"
    ],
)
overload("date_bin(interval, timestamp, timestamp) -> timestamp", _bin_rule)
overload(
    "time_bucket(interval, timestamp) -> timestamp",
    _bucket_rule,
    says="A timestamp rounded down to a multiple of a width in time or in months, counted from Monday 2000-01-03.",
    examples=[
        "time_bucket(INTERVAL '15 minutes', TIMESTAMP '2024-02-11 15:44:17') = TIMESTAMP '2024-02-11 15:30:00'",
        "time_bucket(INTERVAL '3 months', TIMESTAMP '2024-02-11 15:44:17') = TIMESTAMP '2024-01-01'",
    ],
)
overload("time_bucket(interval, timestamp, timestamp) -> timestamp", _bucket_rule)


@function(
    "last_day(timestamp) -> date",
    total=True,
    says="The last day of the month.",
    examples=["last_day(DATE '2024-02-11') = DATE '2024-02-29'"],
)
def _last_day(value: Any) -> pa.Array:
    months, _ = months_of(clock_of(value) // DAY)
    return pa.array((month_start(months + 1) - 1).astype(np.int32), pa.int32(), mask=missing_of(value)).cast(
        pa.date32()
    )
