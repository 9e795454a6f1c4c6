"""Time zones, and what is refused because it would say something else each time it is asked.

AT TIME ZONE goes both ways: a clock's timestamp becomes a moment (TIMESTAMPTZ), a moment what the zone's clock shows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from operators.expressions.functions.moments import at_zone
from operators.expressions.registry import Resolved, overload, refuse
from operators.expressions.time_text import named_zone
from operators.expressions.types import Argument, ExpressionError

_ABBREVIATIONS: Final = {
    "hst": -10, "akst": -9, "akdt": -8, "pst": -8, "pdt": -7, "mst": -7, "mdt": -6, "cst": -6, "cdt": -5, "est": -5,
    "edt": -4, "ast": -4, "adt": -3, "gmt": 0, "utc": 0, "z": 0, "wet": 0, "west": 1, "bst": 1, "cet": 1, "cest": 2,
    "eet": 2, "eest": 3, "msk": 3, "jst": 9, "kst": 9, "aest": 10, "aedt": 11, "nzst": 12, "nzdt": 13,
}  # fmt: skip
_OFFSET: Final = re.compile(r"(?P<sign>[+-])?(?P<hours>\d{1,2})(?::?(?P<minutes>\d{2}))?")


def zone_named(argument: Argument) -> str:
    """Arrow's name of the zone that a literal names. Raises ExpressionError where it names none."""
    zone = argument.constant
    if zone is None:
        raise ExpressionError("the time zone must be a literal, for example 'Europe/Berlin'")
    if isinstance(zone, pa.MonthDayNano):
        if zone.months or zone.days:
            raise ExpressionError("an interval that is a time zone has hours and minutes alone")
        return _offset(zone.nanoseconds // 60_000_000_000)
    if zone.lower() in _ABBREVIATIONS:
        return _offset(_ABBREVIATIONS[zone.lower()] * 60)
    if found := _OFFSET.fullmatch(zone):
        minutes = int(found["hours"]) * 60 + int(found["minutes"] or 0)
        # In a zone's name the sign is POSIX's, which counts to the west; unlike in a timestamp's text.
        return _offset(minutes if found["sign"] == "-" else -minutes)
    try:
        return named_zone(zone)
    except pa.ArrowInvalid as error:
        raise ExpressionError(str(error)) from error


def _offset(minutes: int) -> str:
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}" if minutes else "UTC"


def _zone_rule(arguments: Sequence[Argument]) -> Resolved | None:
    if len(arguments) != 2 or arguments[0].family not in ("text", "interval"):
        return None
    if arguments[1].family not in ("timestamp", "date"):
        return None
    zone = zone_named(arguments[0])
    kind = arguments[1].type if arguments[1].family == "timestamp" else pa.timestamp("us", "UTC")
    if kind.tz is None:
        result = pa.timestamp(kind.unit, "UTC")
        return Resolved((arguments[0].type, kind), result, lambda _, value: at_zone(value, zone).cast(result))
    local = pa.timestamp(kind.unit, zone)
    return Resolved(
        (arguments[0].type, kind),
        pa.timestamp(kind.unit),
        lambda _, value: pc.local_timestamp(value.cast(local)),
        total=True,
    )


overload(
    "timezone(const text, timestamp) -> timestamp",
    _zone_rule,
    says="`t AT TIME ZONE zone`: the moment at which the zone's clock shows a TIMESTAMP, or what it shows at a"
    " TIMESTAMPTZ. Zones are names, abbreviations or intervals; in spring's gap the offset before it holds, of an hour"
    " that comes twice the later is meant.",
    examples=[
        "TIMESTAMP '2024-07-01 02:00' AT TIME ZONE 'Europe/Berlin' = TIMESTAMPTZ '2024-07-01 00:00+00'",
        "TIMESTAMPTZ '2024-07-01 00:00+00' AT TIME ZONE 'Asia/Tokyo' = TIMESTAMP '2024-07-01 09:00'",
        "TIMESTAMP '2024-03-31 02:30' AT TIME ZONE 'Europe/Berlin' = TIMESTAMPTZ '2024-03-31 01:30+00'",
        "TIMESTAMP '2024-10-27 02:30' AT TIME ZONE 'Europe/Berlin' = TIMESTAMPTZ '2024-10-27 01:30+00'",
        "TIMESTAMP '2024-07-01' AT TIME ZONE INTERVAL '2 hours' = TIMESTAMPTZ '2024-06-30 22:00+00'",
    ],
)

refuse(
    "the time of the run is another one each time a row is computed, but a row that is taken back must be computed as"
    " it was: write a literal (TIMESTAMP '...'), or use a column of event time",
    "now", "current_date", "current_time", "localtimestamp", "localtime", "clock_timestamp", "statement_timestamp",
    "transaction_timestamp", "today", "get_current_timestamp", "current_timestamp", "timeofday", "current_localtime",
    "current_localtimestamp", "sysdate", "getdate", "curdate", "curtime", "utc_timestamp", "proctime",
)  # fmt: skip
refuse(
    "a random number is another one each time a row is computed, but a row that is taken back must be computed as it"
    " was: derive it from a column, for example by md5(name)",
    "random", "rand", "random_normal", "setseed",
)  # fmt: skip
