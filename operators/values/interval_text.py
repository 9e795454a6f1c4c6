"""Intervals as text, and text as intervals, as PostgreSQL writes and reads them.

An interval is months, days and nanoseconds, which stay apart: only fractions of a unit go down to the next one.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from operators.values.time_units import IN_MONTHS

_DAYS: Final = {"day": 1, "week": 7}
_TIME: Final = {
    "nanosecond": 1,
    "microsecond": 1_000,
    "millisecond": 1_000_000,
    "second": 1_000_000_000,
    "minute": 60_000_000_000,
    "hour": 3_600_000_000_000,
}
_DAY_NANOSECONDS: Final = 86_400_000_000_000
_ORDER: Final = ("second", "minute", "hour", "day", "month", "year")

SPELLINGS: Final = {
    "ns": "nanosecond", "nsec": "nanosecond", "us": "microsecond", "usec": "microsecond", "microsec": "microsecond",
    "µs": "microsecond", "ms": "millisecond", "msec": "millisecond", "millisec": "millisecond", "s": "second",
    "sec": "second", "m": "minute", "min": "minute", "h": "hour", "hr": "hour", "d": "day", "w": "week",
    "mon": "month", "qtr": "quarter", "y": "year", "yr": "year", "dec": "decade", "decs": "decade", "c": "century",
    "cent": "century", "centuries": "century", "mil": "millennium", "millennia": "millennium",
    "sql_tsi_second": "second", "sql_tsi_minute": "minute", "sql_tsi_hour": "hour", "sql_tsi_day": "day",
    "sql_tsi_week": "week", "sql_tsi_month": "month", "sql_tsi_quarter": "quarter", "sql_tsi_year": "year",
}  # fmt: skip
"""Units of time by their other names."""

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<clock>[+-]?\d+:\d+(?::\d+(?:\.\d*)?)?)|(?P<years>[+-]?\d+)-(?P<months>\d+)"
    r"|(?P<number>[+-]?(?:\d+\.?\d*|\.\d+))|(?P<word>[a-zµ_]+)|(?P<noise>@))\s*",
    re.IGNORECASE,
)
_ISO: Final = re.compile(r"P(?P<date>[^T]*)(?:T(?P<time>.*))?", re.IGNORECASE)
_ISO_PART: Final = re.compile(r"([+-]?\d*\.?\d+)([A-Z])", re.IGNORECASE)
_ISO_UNITS: Final = ({"Y": "year", "M": "month", "W": "week", "D": "day"}, {"H": "hour", "M": "minute", "S": "second"})


def unit_named(name: str) -> str:
    """A unit's one name: in lower case, singular, written out."""
    unit = name.strip().lower()
    return SPELLINGS.get(unit) or SPELLINGS.get(unit.removesuffix("s")) or unit.removesuffix("s")


def interval_of(text: str, first: str = "", last: str = "") -> tuple[int, int, int]:
    """Months, days and nanoseconds of a text; raises ArrowInvalid where it is no interval.

    Args:
        text: in PostgreSQL's own, in SQL's or in ISO 8601's words.
        first: the unit of ``INTERVAL '...' first TO last``.
        last: the unit of a number without one, where not seconds.
    """
    try:
        return _iso(text.strip()) if text.strip()[:1] in ("P", "p") else _plain(text, first, last or "second")
    except (ValueError, OverflowError):
        raise pa.ArrowInvalid(f"{text!r} is no interval; write for example '1 day 02:30:00'") from None


def amount_of(number: Decimal, unit: str) -> tuple[int, int, int]:
    """Months, days and nanoseconds of so many units; raises ValueError for a unit that is unknown."""
    whole = int(number)
    rest = number - whole
    if unit in IN_MONTHS:
        if unit == "month":
            _, days, time = amount_of(rest * 30, "day")
            return whole, days, time
        return whole * IN_MONTHS[unit] + int((rest * IN_MONTHS[unit]).to_integral_value(ROUND_HALF_EVEN)), 0, 0
    if unit == "week":
        _, days, time = amount_of(rest * 7, "day")
        return 0, whole * 7 + days, time
    if unit == "day":
        return 0, whole, int((rest * _DAY_NANOSECONDS).to_integral_value(ROUND_HALF_EVEN))
    if unit not in _TIME:
        raise ValueError(unit)
    return 0, 0, int((number * _TIME[unit]).to_integral_value(ROUND_HALF_EVEN))


def _plain(text: str, first: str, last: str) -> tuple[int, int, int]:
    parts: list[tuple[int, int, int]] = []
    waiting: list[Decimal] = []
    position, sign = 0, 1
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise ValueError(text)
        position = found.end()
        if found["number"]:
            waiting.append(Decimal(found["number"]))
        elif found["clock"]:
            parts += _amounts(waiting, "day")
            parts.append(_clock(found["clock"], first, last))
            waiting.clear()
        elif found["years"]:
            months = int(found["months"])
            years = int(found["years"])
            parts.append((years * 12 + (-months if found["years"].startswith("-") else months), 0, 0))
        elif found["word"]:
            if found["word"].lower() == "ago":
                sign = -1
            elif len(waiting) != 1:
                raise ValueError(text)
            else:
                parts.append(amount_of(waiting.pop(), unit_named(found["word"])))
    if len(waiting) > 1 and not first:
        raise ValueError(text)
    parts += _amounts(waiting, last)
    if not parts:
        raise ValueError(text)
    months, days, time = (sign * sum(part[place] for part in parts) for place in range(3))
    return months, days, time


def _amounts(numbers: list[Decimal], unit: str) -> list[tuple[int, int, int]]:
    """Numbers without a unit: the last one has this, those before it the next larger ones."""
    units = _ORDER[_ORDER.index(unit) :] if unit in _ORDER else (unit,) * len(numbers)
    if len(numbers) > len(units):
        raise ValueError(f"there is no unit for each of {len(numbers)} numbers")
    return [amount_of(number, each) for number, each in zip(reversed(numbers), units, strict=False)]


def _clock(text: str, first: str, last: str) -> tuple[int, int, int]:
    pieces = [Decimal(piece) for piece in text.lstrip("+-").split(":")]
    if len(pieces) == 2 and first == "minute" and last == "second":
        pieces.insert(0, Decimal(0))
    units = ("hour", "minute", "second")
    if any(piece >= 60 for piece in pieces[1:]):
        raise ValueError(text)
    time = sum(int(piece * _TIME[unit]) for piece, unit in zip(pieces, units, strict=False))
    return 0, 0, -time if text.startswith("-") else time


def _iso(text: str) -> tuple[int, int, int]:
    found = _ISO.fullmatch(text)
    if found is None or not (found["date"] or found["time"]):
        raise ValueError(text)
    total = [0, 0, 0]
    for part, units in zip((found["date"], found["time"]), _ISO_UNITS, strict=True):
        if part and "".join(match[0] for match in _ISO_PART.finditer(part)) != part:
            raise ValueError(text)
        for number, letter in _ISO_PART.findall(part or ""):
            if letter.upper() not in units:
                raise ValueError(text)
            for place, amount in enumerate(amount_of(Decimal(number), units[letter.upper()])):
                total[place] += amount
    return total[0], total[1], total[2]


def interval_texts(months: Any, days: Any, nanoseconds: Any, missing: Any) -> pa.Array:
    """Intervals as text, from arrays of their parts."""
    rows = len(missing)
    negative = np.zeros(rows, bool)
    pieces = []
    whole_months, whole_days = np.broadcast_to(months, rows), np.broadcast_to(days, rows)
    years = np.trunc(whole_months / 12).astype(np.int64)
    for value, unit in ((years, "year"), (whole_months - years * 12, "mon"), (whole_days, "day")):
        sign = np.where(negative & (value > 0), "+", "")
        ending = np.where(value == 1, f" {unit}", f" {unit}s")
        text = pc.binary_join_element_wise(_texts(sign), pc.cast(pa.array(value), pa.string()), _texts(ending), "")
        pieces.append(pc.if_else(pa.array(value != 0), text, pa.scalar(None, pa.string())))
        negative = np.where(value != 0, value < 0, negative)
    time = np.broadcast_to(nanoseconds, rows)
    shown = (time != 0) | ((whole_months == 0) & (whole_days == 0))
    sign = np.where(time < 0, "-", np.where(negative, "+", ""))
    clock = pc.binary_join_element_wise(_texts(sign), clock_texts(np.abs(time)), "")
    pieces.append(pc.if_else(pa.array(shown), clock, pa.scalar(None, pa.string())))
    joined = pc.binary_join_element_wise(*pieces, " ", null_handling="skip")
    return pc.if_else(pa.array(missing), pa.scalar(None, pa.string()), joined)


def clock_texts(nanoseconds: Any) -> pa.Array:
    """Spans of time that are not negative as ``hours:minutes:seconds``, with the digits of a second that matter."""
    seconds, fraction = np.divmod(nanoseconds, 1_000_000_000)
    parts = [_two_digits(seconds // 3600), _two_digits(seconds // 60 % 60), _two_digits(seconds % 60)]
    text = pc.binary_join_element_wise(*parts, ":")
    if not fraction.any():
        return text
    digits = pc.utf8_lpad(pc.cast(pa.array(fraction), pa.string()), 9, "0")
    tail = pc.utf8_rtrim(pc.binary_join_element_wise(pa.scalar(""), digits, "."), "0")
    return pc.binary_join_element_wise(text, pc.utf8_rtrim(tail, "."), "")


def _two_digits(value: Any) -> pa.Array:
    return pc.utf8_lpad(pc.cast(pa.array(value), pa.string()), 2, "0")


def _texts(value: Any) -> pa.Array:
    return pa.array(value.astype(object), pa.string())
