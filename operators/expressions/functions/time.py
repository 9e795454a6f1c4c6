"""Functions of dates, times of day and timestamps.

Timestamps without zone are UTC; those with one are taken apart in their own zone. Numbers of seconds count from
1970-01-01 UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flow.errors import known
from operators.expressions.casts import cast_value, interval_parts
from operators.expressions.registry import Resolved, function, overload
from operators.expressions.types import Argument, ExpressionError

_MICROSECONDS: Final = {
    "microsecond": 1,
    "millisecond": 1_000,
    "second": 1_000_000,
    "minute": 60_000_000,
    "hour": 3_600_000_000,
    "day": 86_400_000_000,
}
_PER_SECOND: Final = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_SPELLINGS: Final = {
    "us": "microsecond", "usec": "microsecond", "ms": "millisecond", "msec": "millisecond", "s": "second",
    "sec": "second", "m": "minute", "min": "minute", "h": "hour", "hr": "hour", "d": "day", "w": "week",
    "mon": "month", "y": "year", "yr": "year", "dayofweek": "dow", "weekday": "dow", "dayofyear": "doy",
    "centuries": "century", "millennia": "millennium",
}  # fmt: skip


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
    return pc.divide(count, float(_PER_SECOND[kind.unit]))


def _of_year(divisor: int) -> Callable[[Any], pa.Array]:
    """The period of so many years that a year is in; the first begins with year 1."""
    return lambda value: pc.add(pc.divide(pc.subtract(pc.year(value), 1), divisor), 1)


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
    "decade": lambda value: pc.divide(pc.year(value), 10),
    "century": _of_year(100),
    "millennium": _of_year(1000),
}
_FRACTIONAL_PARTS: Final[dict[str, Callable[[Any], pa.Array]]] = {
    "second": _seconds,
    "millisecond": lambda value: pc.multiply(_seconds(value), 1e3),
    "epoch": _epoch,
}
_INTERVAL_PARTS: Final[dict[str, Callable[[Any, Any, Any], Any]]] = {
    "microsecond": lambda _months, _days, time: time // 1_000 % 60_000_000,
    "minute": lambda _months, _days, time: time // 60_000_000_000 % 60,
    "hour": lambda _months, _days, time: time // 3_600_000_000_000,
    "day": lambda _months, days, _time: days,
    "month": lambda months, _days, _time: np.fmod(months, 12),
    "year": lambda months, _days, _time: months // 12,
}


def unit_named(name: Any) -> str:
    """A unit's or part's one name: in lower case, singular, written out."""
    unit = str(name).strip().lower()
    return _SPELLINGS.get(unit) or _SPELLINGS.get(unit.removesuffix("s")) or unit.removesuffix("s")


def _part_rule(arguments: Sequence[Argument]) -> Resolved | None:
    if len(arguments) != 2 or arguments[0].family != "text":
        return None
    kind, place = arguments[1].type, arguments[1].family
    parts = _WHOLE_PARTS | _FRACTIONAL_PARTS
    if place == "timestamp":
        parts = parts | _DATE_PARTS
    elif place == "date":
        parts = _DATE_PARTS | {"epoch": _epoch}
    elif place in ("duration", "interval"):
        return _interval_part_rule(arguments)
    elif place != "time":
        return None
    unit = _constant_unit(arguments[0], parts)
    result = pa.float64() if unit in _FRACTIONAL_PARTS else pa.int64()
    part = parts[unit]
    return Resolved((pa.string(), kind), result, lambda _, value: part(value), total=True)


def _interval_part_rule(arguments: Sequence[Argument]) -> Resolved:
    kind = arguments[1].type
    if pa.types.is_duration(kind):
        unit = _constant_unit(arguments[0], [*_MICROSECONDS, "epoch"])
        return Resolved(
            (pa.string(), pa.duration("us")), pa.float64() if unit in _FRACTIONAL_PARTS else pa.int64(),
            lambda _, value: _duration_part(unit, value), total=True,
        )  # fmt: skip
    unit = _constant_unit(arguments[0], _INTERVAL_PARTS)
    part = _INTERVAL_PARTS[unit]

    def kernel(_: Any, value: Any) -> pa.Array:
        return pa.array(part(*interval_parts(value)), pa.int64(), mask=value.is_null().to_numpy(zero_copy_only=False))

    return Resolved((pa.string(), kind), pa.int64(), kernel, total=True)


def _duration_part(unit: str, value: Any) -> pa.Array:
    """A part of a span of time; hours go on counting past 24, since a duration has no days of its own."""
    count = pc.cast(value, pa.int64())
    wrap = {"microsecond": 60_000_000, "millisecond": 60_000_000, "second": 60_000_000, "minute": 3_600_000_000}
    if unit in wrap:
        count = pc.subtract(count, pc.multiply(pc.divide(count, wrap[unit]), wrap[unit]))
    if unit == "epoch":
        return pc.divide(pc.cast(count, pa.float64(), safe=False), 1e6)
    if unit in _FRACTIONAL_PARTS:
        return pc.divide(pc.cast(count, pa.float64()), float(_MICROSECONDS[unit]))
    return pc.divide(count, _MICROSECONDS[unit])


def _constant_unit(argument: Argument, units: Any) -> str:
    if argument.constant is None:
        raise ExpressionError("the unit must be a literal, for example 'hour'")
    unit = unit_named(argument.constant)
    if unit not in units:
        raise ExpressionError(f"no unit {argument.constant!r}; {known(unit, units)}")
    return unit


for _name in ("extract", "date_part"):
    overload(f"{_name}(const text, any) -> bigint", _part_rule)


_TRUNCATIONS: Final = (*_MICROSECONDS, "week", "month", "quarter", "year", "decade", "century", "millennium")
_YEARS: Final = {"decade": (10, 0), "century": (100, 1), "millennium": (1000, 1)}


def _trunc_rule(arguments: Sequence[Argument]) -> Resolved | None:
    if len(arguments) != 2:
        return None
    if arguments[0].family != "text" or (arguments[0].constant is None and arguments[1].constant is not None):
        return None
    kind = arguments[1].type
    if arguments[1].family == "date":
        kind = pa.timestamp("us")
    elif arguments[1].family != "timestamp":
        return None
    unit = _constant_unit(arguments[0], _TRUNCATIONS)
    return Resolved((pa.string(), kind), kind, lambda _, value: truncated(unit, value), total=True)


overload("date_trunc(const text, timestamp) -> same", _trunc_rule)


def _trunc_swapped(arguments: Sequence[Argument]) -> Resolved | None:
    resolved = _trunc_rule(arguments[::-1]) if len(arguments) == 2 else None
    if resolved is None:
        return None
    kernel = resolved.kernel
    return Resolved(resolved.arguments[::-1], resolved.result, lambda value, unit: kernel(unit, value), total=True)


overload("timestamp_trunc(timestamp, const text) -> same", _trunc_swapped)


def truncated(unit: str, value: Any) -> pa.Array:
    """Timestamps rounded down to a unit of time, in their own zone."""
    kind = value.type
    if unit in _MICROSECONDS and kind.tz in (None, "UTC"):
        step = _MICROSECONDS[unit] * _PER_SECOND[kind.unit] // 1_000_000
        return _floored(value, step, 0) if step > 1 else value
    if unit in _YEARS:
        years, first = _YEARS[unit]
        local = value if kind.tz is None else pc.local_timestamp(value)
        year = pc.subtract(pc.year(local), first).fill_null(1970).to_numpy()
        starts = (year // years * years + first - 1970).astype("datetime64[Y]").astype(f"datetime64[{kind.unit}]")
        result = pa.array(starts, pa.timestamp(kind.unit), mask=value.is_null().to_numpy(zero_copy_only=False))
        return result if kind.tz is None else pc.assume_timezone(result, kind.tz)
    return pc.floor_temporal(value, unit=unit)


def _floored(value: Any, step: int, origin: int) -> pa.Array:
    """Much faster than `floor_temporal`, which knows calendars."""
    count = pc.cast(value, pa.int64())
    numbers = (count.fill_null(0) if count.null_count else count).to_numpy()
    floored = numbers - np.remainder(numbers - origin, step)
    mask = value.is_null().to_numpy(zero_copy_only=False) if value.null_count else None
    return pa.array(floored, pa.int64(), mask=mask).cast(value.type)


def _bin_rule(arguments: Sequence[Argument]) -> Resolved | None:
    if len(arguments) not in (2, 3) or arguments[0].family not in ("interval", "duration"):
        return None
    if any(argument.family not in ("timestamp", "date") and not argument.unknown for argument in arguments[1:]):
        return None
    kind = arguments[1].type if arguments[1].family == "timestamp" else pa.timestamp("us")
    return Resolved((pa.duration("us"), *(kind for _ in arguments[1:])), kind, _binned)


def _constant(value: Any, what: str) -> pa.Scalar:
    if isinstance(value, pa.Array):
        if len(value) != 1:
            raise pa.ArrowInvalid(f"the {what} must be a literal")
        return value[0]
    return value


def _binned(stride: Any, value: Any, origin: Any = None) -> pa.Array:
    stride = _constant(stride, "stride")
    origin = None if origin is None else _constant(origin, "origin")
    per_second = _PER_SECOND[value.type.unit]
    step = (stride.cast(pa.int64()).as_py() or 0) * per_second // 1_000_000
    if step <= 0:
        raise pa.ArrowInvalid("the stride must be greater than zero")
    return _floored(value, step, 0 if origin is None else origin.cast(pa.int64()).as_py() or 0)


overload("date_bin(interval, timestamp) -> timestamp", _bin_rule)
overload("date_bin(interval, timestamp, timestamp) -> timestamp", _bin_rule)
overload("time_bucket(interval, timestamp) -> timestamp", _bin_rule)


@function("to_timestamp(double) -> timestamp")
def _to_timestamp(value: Any) -> pa.Array:
    microseconds = pc.round(pc.multiply(value, 1e6), 0, "half_to_even")
    return pc.cast(pc.cast(microseconds, pa.int64()), pa.timestamp("us"))


@function("to_timestamp(bigint) -> timestamp")
def _whole_seconds_to_timestamp(value: Any) -> pa.Array:
    return pc.cast(pc.multiply_checked(value, 1_000_000), pa.timestamp("us"))


@function("to_timestamp_ms(bigint) -> timestamp", "epoch_ms(bigint) -> timestamp")
def _to_timestamp_ms(value: Any) -> pa.Array:
    return pc.cast(pc.multiply_checked(value, 1_000), pa.timestamp("us"))


@function("to_timestamp_us(bigint) -> timestamp", total=True)
def _to_timestamp_us(value: Any) -> pa.Array:
    return pc.cast(value, pa.timestamp("us"))


function("epoch(timestamp) -> double", total=True)(_epoch)


@function("epoch_ms(timestamp) -> bigint", total=True)
def _epoch_ms(value: Any) -> pa.Array:
    return _counted(value, "ms")


@function("epoch_us(timestamp) -> bigint")
def _epoch_us(value: Any) -> pa.Array:
    return _counted(value, "us")


def _counted(value: Any, unit: str) -> pa.Array:
    coarser = pc.floor_temporal(value, unit={"ms": "millisecond", "us": "microsecond"}[unit])
    return pc.cast(pc.cast(coarser, pa.timestamp(unit, value.type.tz)), pa.int64())


def _integers(values: Sequence[Any]) -> tuple[list[Any], Any]:
    """Integer arrays of one length without NULLs, and where a NULL was."""
    rows = next(len(value) for value in values if isinstance(value, pa.Array))
    arrays = [pa.repeat(value, rows) if isinstance(value, pa.Scalar) else value for value in values]
    missing = np.zeros(rows, bool)
    for array in arrays:
        missing |= array.is_null().to_numpy(zero_copy_only=False)
    return [array.fill_null(1).to_numpy() for array in arrays], missing


def _days(values: Sequence[Any]) -> tuple[Any, Any]:
    (year, month, day), missing = _integers(values)
    months = (year - 1970) * 12 + month - 1
    first = months.astype("datetime64[M]").astype("datetime64[D]")
    length = ((months + 1).astype("datetime64[M]").astype("datetime64[D]") - first).astype(np.int64)
    wrong = ~missing & ((month < 1) | (month > 12) | (day < 1) | (day > length) | (year < 1) | (year > 9999))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise pa.ArrowInvalid(f"{year[row]}-{month[row]}-{day[row]} is no date")
    return first + (day - 1), missing


@function("make_date(bigint, bigint, bigint) -> date")
def _make_date(year: Any, month: Any, day: Any) -> pa.Array:
    days, missing = _days((year, month, day))
    return pa.array(days, pa.date32(), mask=missing)


@function("make_timestamp(bigint, bigint, bigint, bigint, bigint, double) -> timestamp")
def _make_timestamp(year: Any, month: Any, day: Any, hour: Any, minute: Any, second: Any) -> pa.Array:
    microsecond = pc.cast(pc.round(pc.multiply(second, 1e6)), pa.int64())
    rest = [hour, minute, microsecond]
    arrays, missing = _integers([year, month, day, *rest])
    days, _ = _days([pa.array(array, mask=missing) for array in arrays[:3]])
    hours, minutes, microseconds = arrays[3:]
    inside = (hours >= 0) & (hours < 24) & (minutes >= 0) & (minutes < 60)
    if (~missing & ~(inside & (microseconds >= 0) & (microseconds <= 60_000_000))).any():
        raise pa.ArrowInvalid("a time of day is out of range")
    count = days.astype("datetime64[us]").astype(np.int64) + (hours * 60 + minutes) * 60_000_000 + microseconds
    return pa.array(count, pa.int64(), mask=missing).cast(pa.timestamp("us"))


def _zone_rule(arguments: Sequence[Argument]) -> Resolved | None:
    """``timestamp AT TIME ZONE zone``: a moment as that zone's clock shows it, or what the clock shows as a moment."""
    if len(arguments) != 2 or arguments[1].family != "timestamp" or arguments[0].family != "text":
        return None
    zone, kind = arguments[0].constant, arguments[1].type
    if zone is None:
        raise ExpressionError("the time zone must be a literal, for example 'Europe/Berlin'")
    try:
        pc.assume_timezone(pa.array([0], pa.timestamp("s")), zone)
    except (pa.ArrowException, ValueError) as error:
        raise ExpressionError(f"no time zone {zone!r}") from error
    if kind.tz is None:
        result = pa.timestamp(kind.unit, "UTC")
        there = {"ambiguous": "latest", "nonexistent": "latest"}
        return Resolved(
            (pa.string(), kind), result, lambda _, value: pc.assume_timezone(value, zone, **there).cast(result)
        )
    result = pa.timestamp(kind.unit)
    local = pa.timestamp(kind.unit, zone)
    return Resolved((pa.string(), kind), result, lambda _, value: pc.local_timestamp(value.cast(local)), total=True)


overload("timezone(const text, timestamp) -> timestamp", _zone_rule)


@function("strftime(timestamp, text) -> text")
def _strftime(value: Any, form: Any) -> pa.Array:
    # Arrow's %S has the fraction of the unit; C's, which people know, has none.
    return pc.strftime(
        cast_value(value, pa.timestamp("s", value.type.tz)), format=_constant(form, "format").as_py() or ""
    )
