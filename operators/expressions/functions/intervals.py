"""Arithmetic of dates, timestamps, durations and intervals.

A duration is a number of time units; an interval has months, days and nanoseconds, which stay apart: a month is as long
as it is where it is added, and ends no later than its last day.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from operators.expressions.casts import cast_value, interval_array, interval_parts
from operators.expressions.functions.moments import at_zone, clock_of, missing_of, rows_of, timestamps
from operators.expressions.registry import Kernel, Resolved, function, overload
from operators.expressions.types import INTERVAL, Argument, finest
from operators.values.time_units import DAY, PER_SECOND

_DAY_SECONDS: Final = 86_400


def _missing(*values: Any) -> Any:
    rows = next(len(value) for value in values if isinstance(value, pa.Array))
    missing = np.zeros(rows, bool)
    for value in values:
        missing |= value.is_null().to_numpy(zero_copy_only=False) if isinstance(value, pa.Array) else not value.is_valid
    return missing


def shifted(moment: Any, interval: Any, sign: int = 1) -> pa.Array:
    """Timestamps moved by intervals: first months, then days, both on the clock of the zone, then time."""
    kind = moment.type
    missing = _missing(moment, interval)
    months, days, nanoseconds = (sign * part for part in interval_parts(interval))
    per_second = PER_SECOND[kind.unit]
    zone = None if kind.tz == "UTC" else kind.tz
    if isinstance(moment, pa.Scalar):
        moment = pa.repeat(moment, len(missing))
    if months.any() or days.any():
        local = pc.local_timestamp(moment) if zone else moment
        count = local.cast(pa.int64()).fill_null(0).to_numpy()
        day, time = np.divmod(count, _DAY_SECONDS * per_second)
        if months.any():
            day = _months_later(day, months)
        count = _checked_days(day + days, per_second) + time
        moment = pa.array(count, pa.int64(), mask=missing).cast(pa.timestamp(kind.unit))
        if zone:
            moment = at_zone(moment, zone)
        moment = moment.cast(kind)
    time = np.broadcast_to(nanoseconds // (1_000_000_000 // per_second), len(missing))
    return pc.add_checked(moment, pa.array(time, pa.int64(), mask=missing).cast(pa.duration(kind.unit)))


def _months_later(day: Any, months: Any) -> Any:
    dates = day.astype("datetime64[D]")
    month = dates.astype("datetime64[M]")
    of_month = dates - month.astype("datetime64[D]")
    target = month + months
    first = target.astype("datetime64[D]")
    last = (target + 1).astype("datetime64[D]") - first - 1
    return (first + np.minimum(of_month, last)).astype(np.int64)


def _checked_days(day: Any, per_second: int) -> Any:
    most = (2**63 - 1) // (_DAY_SECONDS * per_second) - 1
    if np.abs(day).max(initial=0) > most:
        raise pa.ArrowInvalid("timestamp out of range")
    return day * (_DAY_SECONDS * per_second)


def _stamp(kind: pa.DataType, other: str = "us") -> pa.DataType:
    """The timestamp type that keeps the digits of both."""
    return pa.timestamp(finest(kind.unit, other), kind.tz) if pa.types.is_timestamp(kind) else pa.timestamp("us")


_SPANS: Final = frozenset({"duration", "interval"})
_MOMENTS: Final = frozenset({"timestamp", "date"})


def _fits(argument: Argument, families: frozenset[str]) -> bool:
    return argument.family in families


def _moment_and_span(moment: Argument, span: Argument, sign: int) -> tuple[pa.DataType, pa.DataType, Kernel]:
    if span.family == "interval":
        kind = _stamp(moment.type)
        return kind, INTERVAL, lambda left, right: shifted(left, right, sign)
    kind = _stamp(moment.type, span.type.unit)
    return kind, pa.duration(kind.unit), pc.add_checked if sign > 0 else pc.subtract_checked


def _plus(arguments: Sequence[Argument]) -> Resolved | None:
    if len(arguments) != 2:
        return None
    left, right = arguments
    if _fits(left, _SPANS) and _fits(right, _MOMENTS):
        swapped = _plus((right, left))
        if swapped is None:
            return None
        kernel = swapped.kernel
        return Resolved(swapped.arguments[::-1], swapped.result, lambda span, moment: kernel(moment, span))
    if _fits(left, _MOMENTS) and _fits(right, _SPANS):
        kind, span, kernel = _moment_and_span(left, right, 1)
        return Resolved((kind, span), kind, kernel)
    if {left.family, right.family} == {"date", "time"}:
        kinds = tuple(pa.date32() if each.family == "date" else pa.time64("us") for each in (left, right))
        return Resolved(kinds, pa.timestamp("us"), _at_time)
    if _fits(left, _SPANS) and right.family == "time":
        return Resolved((INTERVAL, right.type), right.type, lambda span, time: _clock_shifted(time, span, 1))
    if left.family == "time" and _fits(right, _SPANS):
        return Resolved((left.type, INTERVAL), left.type, lambda time, span: _clock_shifted(time, span, 1))
    if left.family == "date" and right.family == "integer":
        return Resolved((pa.date32(), pa.int64()), pa.date32(), lambda date, days: _days_later(date, days, 1))
    if left.family == "integer" and right.family == "date":
        return Resolved((pa.int64(), pa.date32()), pa.date32(), lambda days, date: _days_later(date, days, 1))
    return _spans(left, right, 1)


def _minus(arguments: Sequence[Argument]) -> Resolved | None:
    if len(arguments) != 2:
        return None
    left, right = arguments
    if left.unknown and right.family in _MOMENTS:
        left = Argument(right.type)
    if right.unknown and left.family in _MOMENTS and not pa.types.is_null(right.type):
        right = Argument(left.type)
    if left.unknown and right.family == "time":
        left = Argument(right.type)
    if right.unknown and left.family == "time" and not pa.types.is_null(right.type):
        right = Argument(left.type)
    if left.family == right.family == "time":
        return Resolved((left.type, right.type), pa.duration("us"), _between_times)
    if left.family == "time" and _fits(right, _SPANS):
        return Resolved((left.type, INTERVAL), left.type, lambda time, span: _clock_shifted(time, span, -1))
    if left.family == right.family == "date":
        return Resolved((pa.date32(), pa.date32()), pa.int64(), _days_between)
    if _fits(left, _MOMENTS) and _fits(right, _MOMENTS):
        zone = next((kind.tz for kind in (left.type, right.type) if pa.types.is_timestamp(kind) and kind.tz), None)
        unit = finest(*(kind.unit for kind in (left.type, right.type) if pa.types.is_timestamp(kind)))
        kind = pa.timestamp(unit, zone)
        return Resolved((kind, kind), pa.duration(unit), pc.subtract_checked)
    if _fits(left, _MOMENTS) and _fits(right, _SPANS):
        kind, span, kernel = _moment_and_span(left, right, -1)
        return Resolved((kind, span), kind, kernel)
    if left.family == "date" and right.family == "integer":
        return Resolved((pa.date32(), pa.int64()), pa.date32(), lambda date, days: _days_later(date, days, -1))
    return _spans(left, right, -1)


def _at_time(left: Any, right: Any) -> pa.Array:
    left, right = rows_of(left, right)
    return timestamps(clock_of(left) + clock_of(right), missing_of(left, right))


def _clock_shifted(time: Any, span: Any, sign: int) -> pa.Array:
    """A time of day moved around the clock: months and days do not matter."""
    time, span = rows_of(time, span)
    _, _, nanoseconds = interval_parts(span)
    count = (clock_of(time) + sign * (nanoseconds // 1_000)) % DAY
    return cast_value(pa.array(count, pa.int64(), mask=missing_of(time, span)).cast(pa.time64("us")), time.type)


def _between_times(left: Any, right: Any) -> pa.Array:
    left, right = rows_of(left, right)
    return pa.array(clock_of(left) - clock_of(right), pa.int64(), mask=missing_of(left, right)).cast(pa.duration("us"))


def _spans(left: Argument, right: Argument, sign: int) -> Resolved | None:
    if left.family == right.family == "duration":
        kind = pa.duration(finest(left.type.unit, right.type.unit))
        return Resolved((kind, kind), kind, pc.add_checked if sign > 0 else pc.subtract_checked)
    if _fits(left, _SPANS) and _fits(right, _SPANS):
        return Resolved((INTERVAL, INTERVAL), INTERVAL, lambda one, other: _interval_sum(one, other, sign))
    return None


def _interval_sum(left: Any, right: Any, sign: int) -> pa.Array:
    (months, days, time), (more_months, more_days, more_time) = interval_parts(left), interval_parts(right)
    return interval_array(
        months + sign * more_months, days + sign * more_days, time + sign * more_time, _missing(left, right)
    )


def _days_later(date: Any, days: Any, sign: int) -> pa.Array:
    count = pc.cast(pc.cast(date, pa.int32()), pa.int64())
    moved = pc.add_checked(count, days) if sign > 0 else pc.subtract_checked(count, days)
    return pc.cast(pc.cast(moved, pa.int32()), pa.date32())


def _days_between(left: Any, right: Any) -> pa.Array:
    left, right = (pc.cast(pc.cast(value, pa.int32()), pa.int64()) for value in (left, right))
    return pc.subtract(left, right)


def _times(arguments: Sequence[Argument]) -> Resolved | None:
    if len(arguments) != 2:
        return None
    left, right = arguments
    if _fits(right, _SPANS) and not _fits(left, _SPANS):
        swapped = _times((right, left))
        if swapped is None:
            return None
        kernel = swapped.kernel
        return Resolved(swapped.arguments[::-1], swapped.result, lambda number, span: kernel(span, number))
    return _scaled(left, right, pc.multiply_checked, _interval_product)


def _over(arguments: Sequence[Argument]) -> Resolved | None:
    if len(arguments) != 2 or not _fits(arguments[0], _SPANS):
        return None
    if arguments[0].family == "interval" and arguments[1].family in ("integer", "float", "decimal"):
        return Resolved((INTERVAL, pa.float64()), INTERVAL, lambda span, number: interval_scaled(span, number, True))
    return _scaled(arguments[0], arguments[1], pc.divide_checked, None)


def _scaled(span: Argument, number: Argument, kernel: Kernel, whole: Kernel | None) -> Resolved | None:
    if not _fits(span, _SPANS) or number.family not in ("integer", "float", "decimal"):
        return None
    if span.family == "interval":
        if number.family == "integer" and whole is not None:
            return Resolved((INTERVAL, pa.int64()), INTERVAL, whole)
        return Resolved((INTERVAL, pa.float64()), INTERVAL, interval_scaled)
    kind = span.type
    if number.family == "integer":
        return Resolved((kind, pa.int64()), kind, kernel)

    def rounded(value: Any, factor: Any) -> pa.Array:
        count = kernel(pc.cast(pc.cast(value, pa.int64()), pa.float64(), safe=False), factor)
        return pc.cast(cast_value(count, pa.int64()), kind)

    return Resolved((kind, pa.float64()), kind, rounded)


def _interval_product(interval: Any, number: Any) -> pa.Array:
    missing = _missing(interval, number)
    factor = number.as_py() or 0 if isinstance(number, pa.Scalar) else number.fill_null(0).to_numpy()
    months, days, nanoseconds = interval_parts(interval)
    largest = np.abs(nanoseconds).max(initial=0).astype(float) * np.abs(np.asarray(factor, float)).max(initial=0)
    if largest >= 2.0**63:
        raise pa.ArrowInvalid("interval out of range")
    return interval_array(months * factor, days * factor, nanoseconds * factor, missing)


def interval_scaled(interval: Any, number: Any, divided: bool = False) -> pa.Array:
    """Fractions of months become days of a thirtieth, fractions of days time, rounded to microseconds (PostgreSQL)."""
    interval, number = rows_of(interval, number)
    missing = missing_of(interval, number)
    factor = number.fill_null(1).to_numpy()
    if divided and (factor[~missing] == 0).any():
        raise pa.ArrowInvalid("divide by zero")
    months, days, nanoseconds = (_times_number(part, factor, divided) for part in interval_parts(interval))
    whole_months, whole_days = np.trunc(months), np.trunc(days)
    more_days = np.round((months - whole_months) * 30, 6)
    seconds = np.round((days - whole_days + more_days - np.trunc(more_days)) * _DAY_SECONDS, 6)
    carried = np.trunc(seconds / _DAY_SECONDS)
    seconds = seconds - carried * _DAY_SECONDS
    whole_days = whole_days + carried + np.trunc(more_days)
    microseconds = np.rint(nanoseconds / 1_000 + seconds * 1e6)
    if not (np.abs(microseconds) < 2.0**53).all() or not (np.abs(whole_months) < 2.0**31).all():
        raise pa.ArrowInvalid("interval out of range")
    parts = (whole_months.astype(np.int64), whole_days.astype(np.int64), microseconds.astype(np.int64) * 1_000)
    return interval_array(*parts, missing)


def _times_number(part: Any, factor: Any, divided: bool) -> Any:
    return part / factor if divided else part * factor


overload(
    "+(timestamp, interval) -> timestamp",
    _plus,
    says="A date, time or timestamp so much later: months end no later than their last day, days are those of the"
    " clock; a date and days, a date and a time, or two intervals.",
    examples=[
        "TIMESTAMP '2024-01-31 10:00' + INTERVAL '1 month' = TIMESTAMP '2024-02-29 10:00'",
        "DATE '2024-02-28' + 2 = DATE '2024-03-01'",
        "DATE '2024-02-28' + TIME '03:00' = TIMESTAMP '2024-02-28 03:00'",
        "TIME '22:00' + INTERVAL '3 hours' = TIME '01:00'",
        "INTERVAL '1 month' + INTERVAL '-1 day' = INTERVAL '1 month -1 day'",
    ],
)
overload(
    "-(timestamp, interval) -> timestamp",
    _minus,
    says="So much earlier; or what lies between two dates (days), times, timestamps or intervals.",
    examples=[
        "TIMESTAMP '2024-03-31' - INTERVAL '1 month' = TIMESTAMP '2024-02-29'",
        "DATE '2024-03-01' - DATE '2024-02-28' = 2",
        "TIMESTAMP '2024-03-01 12:00' - TIMESTAMP '2024-02-28' = INTERVAL '2 days 12:00:00'",
        "TIME '03:00' - TIME '05:00' = INTERVAL '-2 hours'",
    ],
)
for _signature in ("(date, integer) -> date", "(interval, interval) -> interval", "(time, interval) -> time"):
    overload(f"+{_signature}", _plus)
    overload(f"-{_signature}", _minus)
overload("+(date, time) -> timestamp", _plus)
overload("-(timestamp, timestamp) -> duration", _minus)
overload("-(time, time) -> duration", _minus)
overload("-(date, date) -> bigint", _minus)
overload(
    "*(interval, number) -> interval",
    _times,
    says="An interval so many times: fractions of months become days of a thirtieth, fractions of days time.",
    examples=["INTERVAL '1 month' * 1.5 = INTERVAL '1 month 15 days'", "3 * INTERVAL '1 day' = INTERVAL '3 days'"],
)
overload(
    "/(interval, number) -> interval",
    _over,
    says="A part of an interval.",
    examples=["INTERVAL '1 day' / 3 = INTERVAL '8 hours'"],
)


@function("-(duration) -> same")
def _negated_duration(value: Any) -> pa.Array:
    return pc.negate_checked(value)


@function("-(interval) -> interval")
def _negated_interval(value: Any) -> pa.Array:
    months, days, time = interval_parts(value)
    return interval_array(-months, -days, -time, _missing(value))
