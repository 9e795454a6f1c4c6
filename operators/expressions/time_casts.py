"""Casts of dates, times, durations and intervals, and of floating-point numbers to text; importing registers them.

Text is read and written as PostgreSQL does it; what Arrow cannot read goes value by value, over the distinct ones.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from operators.expressions.casts import cast_value, interval_array, interval_parts, register_casts
from operators.expressions.time_text import moment_of, time_of
from operators.expressions.types import INTERVAL
from operators.values.interval_text import clock_texts, interval_of, interval_texts
from operators.values.time_units import DAY

_TOO_FINE: Final = r"(:\d\d\.\d{6})\d+"
_ZONED: Final = r"\d:?\d\d(:?\d\d)?(\.\d+)? ?([Zz]|UTC|[+-]\d\d(:?\d\d)?)$"


def over_distinct(value: pa.Array, kind: pa.DataType, function: Callable[[Any], Any]) -> pa.Array:
    """What a Python function makes of each value, called once for each distinct one; NULL stays NULL."""
    encoded = value.dictionary_encode()
    made = pa.array([function(each) for each in encoded.dictionary.to_pylist()], kind)
    return made.take(encoded.indices)


def _missing(value: pa.Array) -> Any:
    return value.is_null().to_numpy(zero_copy_only=False)


def _text_to_timestamp(value: pa.Array, target: pa.DataType) -> pa.Array:
    """Text without a zone is UTC."""
    if target.unit in ("s", "ms"):
        # What is behind the digits of the unit is rounded, not an error.
        return cast_value(_text_to_timestamp(value, pa.timestamp("us", target.tz)), target)
    try:
        return _usual_timestamp(value, target)
    except pa.ArrowInvalid:
        counts = over_distinct(value, pa.int64(), _moment)
        return counts.cast(pa.timestamp("us", "UTC" if target.tz else None)).cast(target)


def _usual_timestamp(value: pa.Array, target: pa.DataType) -> pa.Array:
    plain, utc = pa.timestamp(target.unit), pa.timestamp(target.unit, "UTC")
    for uniform in (plain, utc):
        try:
            moments = pc.cast(value, uniform).cast(plain)
        except pa.ArrowInvalid:
            continue
        return moments if target.tz is None else pc.assume_timezone(moments, "UTC").cast(target)
    # Digits beyond microseconds are cut off.
    value = pc.replace_substring_regex(pc.utf8_trim_whitespace(value), _TOO_FINE, r"\1")
    zoned = pc.fill_null(pc.match_substring_regex(value, _ZONED), False)
    if not pc.any(zoned).as_py():
        result = pc.cast(value, plain)
    else:
        spelled = pc.replace_substring_regex(pc.filter(value, zoned), r" ?(UTC|z)$", "Z")
        moments = pc.cast(spelled, utc).cast(plain)
        rest = pc.cast(pc.if_else(zoned, pa.scalar(None, pa.string()), value), plain)
        result = pc.replace_with_mask(rest, zoned, moments)
    return result if target.tz is None else pc.assume_timezone(result, "UTC").cast(target)


def _moment(text: str) -> int:
    """Microseconds since 1970 UTC."""
    count, zone = moment_of(text)
    if isinstance(zone, str):
        clock = pa.array([count], pa.timestamp("us"))
        moment = pc.assume_timezone(clock, zone, ambiguous="latest", nonexistent="latest")
        return int(moment.cast(pa.int64())[0].as_py())
    return count - (zone or 0) * 1_000_000


def _text_to_date(value: pa.Array, target: pa.DataType) -> pa.Array:
    try:
        return pc.cast(pc.utf8_trim_whitespace(value), target)
    except pa.ArrowInvalid:
        return cast_value(_text_to_timestamp(value, pa.timestamp("us")), target)


def _text_to_time(value: pa.Array, target: pa.DataType) -> pa.Array:
    try:
        dated = pc.binary_join_element_wise("1970-01-01", pc.utf8_trim_whitespace(value), " ")
        return cast_value(pc.cast(_usual_timestamp(dated, pa.timestamp("us")), pa.time64("us"), safe=False), target)
    except pa.ArrowInvalid:
        return cast_value(over_distinct(value, pa.int64(), _time).cast(pa.time64("us")), target)


def _time(text: str) -> int:
    time = time_of(text)
    if time == DAY:
        raise pa.ArrowInvalid(f"{text!r}: a time of day ends before 24:00")
    return time


def _text_to_interval(value: pa.Array, target: pa.DataType) -> pa.Array:
    encoded = value.dictionary_encode()
    parts = np.array([interval_of(text) for text in encoded.dictionary.to_pylist()] or [(0, 0, 0)], np.int64)
    rows = encoded.indices.fill_null(0).to_numpy()
    months, days, time = parts[rows].T
    return interval_array(months, days, time, _missing(value))


def _text_to_duration(value: pa.Array, target: pa.DataType) -> pa.Array:
    return cast_value(_text_to_interval(value, INTERVAL), target)


def _interval_to_text(value: pa.Array, target: pa.DataType) -> pa.Array:
    return interval_texts(*interval_parts(value), _missing(value))


def _duration_to_text(value: pa.Array, target: pa.DataType) -> pa.Array:
    days, time = duration_parts(value)
    return interval_texts(np.zeros(len(value), np.int64), days, time, _missing(value))


def duration_parts(value: pa.Array) -> tuple[Any, Any]:
    """Days and nanoseconds of durations, of one sign: as PostgreSQL's difference of two timestamps has them."""
    per_day = {"s": 86_400, "ms": 86_400_000, "us": DAY, "ns": DAY * 1_000}[value.type.unit]
    count = value.cast(pa.int64()).fill_null(0).to_numpy()
    days = np.trunc(count / per_day).astype(np.int64)
    # The quotient of large numbers may be rounded up to the next day.
    days -= np.sign(count) * (np.abs(days) * per_day > np.abs(count))
    return days, (count - days * per_day) * (DAY * 1_000 // per_day)


def _time_to_text(value: pa.Array, target: pa.DataType) -> pa.Array:
    text = clock_texts(time_count(value) * 1_000 if value.type != pa.time64("ns") else _nanoseconds(value))
    return pc.if_else(value.is_valid(), text, pa.scalar(None, pa.string()))


def _nanoseconds(value: pa.Array) -> Any:
    return value.cast(pa.int64()).fill_null(0).to_numpy()


def time_count(value: pa.Array) -> Any:
    """Microseconds since midnight of times of day, as int64; 0 for NULL."""
    return pc.cast(value, pa.time64("us"), safe=False).cast(pa.int64()).fill_null(0).to_numpy()


def _time_to_interval(value: pa.Array, target: pa.DataType) -> pa.Array:
    return interval_array(0, 0, time_count(value) * 1_000, _missing(value))


def _interval_to_time(value: pa.Array, target: pa.DataType) -> pa.Array:
    _, _, time = interval_parts(value)
    return _clock(time // 1_000, _missing(value), target)


def _duration_to_time(value: pa.Array, target: pa.DataType) -> pa.Array:
    _, time = duration_parts(value)
    return _clock(time // 1_000, _missing(value), target)


def _clock(microseconds: Any, missing: Any, target: pa.DataType) -> pa.Array:
    return cast_value(pa.array(microseconds % DAY, pa.int64(), mask=missing).cast(pa.time64("us")), target)


def _time_to_duration(value: pa.Array, target: pa.DataType) -> pa.Array:
    return pa.array(time_count(value), pa.int64(), mask=_missing(value)).cast(pa.duration("us")).cast(target)


def _float_to_text(value: pa.Array, target: pa.DataType) -> pa.Array:
    """The shortest text that is the same number, as PostgreSQL writes it: plain below 1e15 (REAL: 1e6)."""
    text = pc.cast(value, pa.string())
    digits = 6 if value.type.bit_width < 64 else 15
    limit = 10.0**digits
    plain = pc.and_(pc.less(pc.abs(value), limit), pc.invert(pc.match_substring_regex(text, "e|n|0000")))
    odd = pc.and_(pc.is_valid(value), pc.invert(plain))
    if not pc.any(odd).as_py():
        return text
    return pc.replace_with_mask(
        text,
        pc.fill_null(odd, False),
        over_distinct(text.filter(odd), pa.string(), lambda each: _spelled(each, digits)),
    )


def _spelled(text: str, digits: int) -> str:
    named = {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN", "-nan": "NaN"}.get(text)
    if named is not None:
        return named
    number = Decimal(text)
    sign, figures, exponent = number.normalize().as_tuple()
    assert isinstance(exponent, int)
    place = len(figures) + exponent - 1
    if -4 <= place < digits or not number:
        return f"{number.normalize():f}"
    mantissa = str(figures[0]) + ("." + "".join(map(str, figures[1:])) if len(figures) > 1 else "")
    return f"{'-' * sign}{mantissa}e{place:+03d}"


register_casts(
    {
        ("text", "timestamp"): _text_to_timestamp,
        ("text", "date"): _text_to_date,
        ("text", "time"): _text_to_time,
        ("text", "interval"): _text_to_interval,
        ("text", "duration"): _text_to_duration,
        ("interval", "text"): _interval_to_text,
        ("interval", "time"): _interval_to_time,
        ("duration", "text"): _duration_to_text,
        ("duration", "time"): _duration_to_time,
        ("time", "text"): _time_to_text,
        ("time", "interval"): _time_to_interval,
        ("time", "duration"): _time_to_duration,
        ("float", "text"): _float_to_text,
    }
)
