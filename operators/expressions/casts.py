"""Conversion of values from one logical type to another, with PostgreSQL's rounding and refusals.

A cast either converts every row or raises ArrowInvalid; text without a zone and timestamps without one are UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flow import intervals
from operators.expressions.types import INTERVAL, MAX_PRECISION, Family, family, logical
from operators.values.time_units import DAY

Value = Any
"""A `pa.Array` or a `pa.Scalar`: one value a row, or one value for all rows."""

_TRUE: Final = pa.array(["t", "tr", "tru", "true", "y", "ye", "yes", "on", "1"])
_DIGITS_AT_ONCE: Final = 9
_DAYS_OF_MICROSECONDS: Final = 2**63 // DAY
_FALSE: Final = pa.array(["f", "fa", "fal", "fals", "false", "n", "no", "of", "off", "0"])


def castable(source: pa.DataType, target: pa.DataType) -> bool:
    """Whether values of one logical type can be cast to another at all (single values may still be refused)."""
    if source == target or pa.types.is_null(source):
        return True
    start, end = family(source), family(target)
    if start == end and start in ("list", "struct", "map"):
        parts = _parts(source), _parts(target)
        return len(parts[0]) == len(parts[1]) and all(map(castable, *parts))
    if "text" in (start, end) and (nested := {start, end} & {"list", "struct", "map"}):
        return start != "text" or ("list" in nested and all(castable(pa.string(), part) for part in _parts(target)))
    return (start, end) in _CASTS or (start == end and start in ("text", "binary"))


def _parts(kind: pa.DataType) -> list[pa.DataType]:
    """The types of what nested values hold."""
    if pa.types.is_struct(kind):
        return [logical(kind.field(number).type) for number in range(kind.num_fields)]
    if pa.types.is_map(kind):
        return [logical(kind.key_type), logical(kind.item_type)]
    return [logical(kind.value_type)]


def register_casts(casts: Mapping[tuple[Family, Family], Callable[[pa.Array, pa.DataType], Any]]) -> None:
    """Take in more ways from one family to another."""
    _CASTS.update(casts)


def cast_value(value: Value, target: pa.DataType) -> Value:
    """Values as `target`, a logical type that `castable` allows. Raises ArrowInvalid where a value does not fit."""
    if value.type == target:
        return value
    if isinstance(value, pa.Scalar):
        if not value.is_valid:
            return pa.scalar(None, target)
        return cast_value(pa.array([value.as_py()], value.type), target)[0]
    if pa.types.is_null(value.type):
        return pa.nulls(len(value), target)
    step = _CASTS.get((family(value.type), family(target)))
    return step(value, target) if step is not None else pc.cast(value, target)


def try_cast_value(value: Value, target: pa.DataType) -> Value:
    """As `cast_value`, with NULL for values that do not fit."""
    try:
        return cast_value(value, target)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        if isinstance(value, pa.Scalar) or len(value) == 1:
            return pa.scalar(None, target) if isinstance(value, pa.Scalar) else pa.nulls(1, target)
        middle = len(value) // 2
        return pa.concat_arrays([try_cast_value(value[:middle], target), try_cast_value(value[middle:], target)])


def _to_integer(value: pa.Array, target: pa.DataType) -> pa.Array:
    start = family(value.type)
    if start == "float":
        value = pc.round(value, 0, "half_to_even")
    elif start == "decimal":
        value = rounded(value, 0)
    return pc.cast(value, target)


def rounded(value: Value, scale: int) -> Value:
    """Decimals with so many digits behind the point, rounded half away from zero."""
    kind = value.type
    # Rounding up may take one digit more, and Arrow does not always notice when there is none.
    precision, held = min(76, kind.precision + 1), kind.scale
    wide = pc.cast(value, pa.decimal256(precision, held))
    while held - scale > _DIGITS_AT_ONCE:
        # Arrow divides some numbers wrongly by more than 32 bits; what is cut off first does not change the rounding.
        held -= _DIGITS_AT_ONCE
        wide = pc.cast(wide, pa.decimal256(precision, held), safe=False)
    return pc.round(wide, scale, "half_towards_infinity")


def _boolean_to_number(value: pa.Array, target: pa.DataType) -> pa.Array:
    return cast_value(pc.cast(value, pa.int8()), target)


def _to_decimal(value: pa.Array, target: pa.DataType) -> pa.Array:
    start = family(value.type)
    if start == "integer":
        value = pc.cast(value, pa.decimal256(20, 0))
    elif start == "float":
        return pc.cast(value, target)
    elif start == "text":
        value = pc.cast(pc.utf8_trim_whitespace(value), pa.decimal256(2 * MAX_PRECISION, MAX_PRECISION))
    if value.type.scale > target.scale:
        value = rounded(value, target.scale)
    return pc.cast(value, target)


def _text_to_number(value: pa.Array, target: pa.DataType) -> pa.Array:
    return pc.cast(pc.utf8_trim_whitespace(value), target)


def _text_to_boolean(value: pa.Array, target: pa.DataType) -> pa.Array:
    word = pc.utf8_lower(pc.utf8_trim_whitespace(value))
    truth = pc.is_in(word, value_set=_TRUE)
    strange = pc.filter(value, pc.and_(pc.is_valid(value), pc.invert(pc.or_(truth, pc.is_in(word, value_set=_FALSE)))))
    if len(strange):
        raise pa.ArrowInvalid(f"{strange[0].as_py()!r} is no boolean")
    return pc.if_else(pc.is_valid(value), truth, pa.scalar(None, pa.bool_()))


def _timestamp_to_date(value: pa.Array, target: pa.DataType) -> pa.Array:
    return pc.cast(pc.floor_temporal(_without_zone(value), unit="day"), target, safe=False)


def _timestamp_to_time(value: pa.Array, target: pa.DataType) -> pa.Array:
    return pc.cast(_without_zone(value), target, safe=False)


def _timestamp_to_timestamp(value: pa.Array, target: pa.DataType) -> pa.Array:
    if value.type.tz is not None and target.tz is None:
        value = _without_zone(value)
    elif value.type.tz is None and target.tz is not None:
        value = pc.assume_timezone(value, "UTC")
    return _rescaled(value, target)


def _date_to_timestamp(value: pa.Array, target: pa.DataType) -> pa.Array:
    plain = pc.cast(value, pa.timestamp(target.unit))
    return plain if target.tz is None else pc.assume_timezone(plain, "UTC").cast(target)


def _rescaled(value: pa.Array, target: pa.DataType) -> pa.Array:
    """Time in another unit: milliseconds and seconds are rounded, digits beyond microseconds are cut off.

    What is too large for the finer unit is an error.
    """
    units = ("s", "ms", "us", "ns")
    finer = units.index(value.type.unit) - units.index(target.unit)
    if finer > 0 and target.unit in ("s", "ms"):
        half = 1_000**finer // 2
        kind = pa.int64() if value.type.bit_width == 64 else pa.int32()
        value = pc.add_checked(value.cast(kind), pa.scalar(half, kind)).cast(value.type)
        if pa.types.is_timestamp(value.type):
            # Moments before 1970 are negative, and a cast would cut them off towards zero.
            value = pc.floor_temporal(value, unit={"s": "second", "ms": "millisecond"}[target.unit])
    return pc.cast(value, target, safe=finer <= 0)


def interval_parts(value: Value) -> tuple[Any, Any, Any]:
    """Months, days and nanoseconds of intervals, as arrays of int64; of a scalar, as arrays of one."""
    return intervals.interval_parts(pa.array([value.as_py()], INTERVAL) if isinstance(value, pa.Scalar) else value)


def interval_array(months: Any, days: Any, nanoseconds: Any, missing: Any) -> pa.Array:
    """Intervals from their parts; raises ArrowInvalid where months or days are out of range."""
    if max(np.abs(months).max(initial=0), np.abs(days).max(initial=0)) >= 2**31:
        raise pa.ArrowInvalid("interval out of range")
    parts = np.empty(len(missing), intervals.PARTS)
    parts["months"], parts["days"], parts["nanoseconds"] = months, days, nanoseconds
    return pa.Array.from_buffers(INTERVAL, len(missing), [pa.array(~missing).buffers()[1], pa.py_buffer(parts)])


def _duration_to_interval(value: pa.Array, target: pa.DataType) -> pa.Array:
    nanoseconds = pc.cast(value, pa.duration("ns")).cast(pa.int64()).fill_null(0).to_numpy()
    return interval_array(0, 0, nanoseconds, value.is_null().to_numpy(zero_copy_only=False))


def _interval_to_duration(value: pa.Array, target: pa.DataType) -> pa.Array:
    """As PostgreSQL compares intervals: a month has 30 days, a day 24 hours."""
    days, nanoseconds = intervals.lengths(value)
    missing = value.is_null().to_numpy(zero_copy_only=False)
    if np.abs(days[~missing]).max(initial=0) >= _DAYS_OF_MICROSECONDS:
        raise pa.ArrowInvalid("interval out of range")
    microseconds = days * DAY + nanoseconds // 1_000
    return _rescaled(pa.array(microseconds, pa.int64(), mask=missing).cast(pa.duration("us")), target)


def _without_zone(value: pa.Array) -> pa.Array:
    return value if value.type.tz is None else pc.local_timestamp(value)


def _plain(value: pa.Array, target: pa.DataType) -> pa.Array:
    return pc.cast(value, target)


def _timestamp_to_text(value: pa.Array, target: pa.DataType) -> pa.Array:
    text = pc.cast(pc.cast(_without_zone(value), pa.timestamp("us"), safe=False), target)
    if _fractional(value):
        text = pc.replace_substring_regex(text, r"\.?0+$", "")
    else:
        text = pc.utf8_slice_codeunits(text, 0, 19)
    if value.type.tz is None:
        return text
    zone = pc.replace_substring_regex(pc.strftime(value, "%z"), r"(\d\d)(\d\d)$", r"\1:\2")
    return pc.binary_join_element_wise(text, pc.replace_substring_regex(zone, ":00$", ""), "")


def _fractional(value: pa.Array) -> bool:
    return bool(pc.any(pc.not_equal(pc.subsecond(value), 0.0)).as_py())


_CASTS: Final[dict[tuple[Family, Family], Callable[[pa.Array, pa.DataType], Any]]] = {
    ("integer", "integer"): _plain,
    ("integer", "float"): lambda value, target: pc.cast(value, target, safe=False),
    ("integer", "boolean"): _plain,
    ("integer", "text"): _plain,
    ("integer", "decimal"): _to_decimal,
    ("float", "float"): lambda value, target: pc.cast(value, target, safe=False),
    ("float", "integer"): _to_integer,
    ("float", "decimal"): _to_decimal,
    ("decimal", "decimal"): _to_decimal,
    ("decimal", "integer"): _to_integer,
    ("decimal", "float"): _plain,
    ("decimal", "text"): _plain,
    ("boolean", "integer"): _plain,
    ("boolean", "float"): _boolean_to_number,
    ("boolean", "text"): _plain,
    ("text", "boolean"): _text_to_boolean,
    ("text", "integer"): _text_to_number,
    ("text", "float"): _text_to_number,
    ("text", "decimal"): _to_decimal,
    ("text", "binary"): _plain,
    ("binary", "text"): _plain,
    ("date", "date"): _plain,
    ("date", "timestamp"): _date_to_timestamp,
    ("date", "text"): _plain,
    ("time", "time"): _rescaled,
    ("timestamp", "timestamp"): _timestamp_to_timestamp,
    ("timestamp", "date"): _timestamp_to_date,
    ("timestamp", "time"): _timestamp_to_time,
    ("timestamp", "text"): _timestamp_to_text,
    ("duration", "duration"): _rescaled,
    ("duration", "interval"): _duration_to_interval,
    ("interval", "duration"): _interval_to_duration,
}
