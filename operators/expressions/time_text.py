"""Text as dates, timestamps and times of day, in the forms beside ISO 8601 that PostgreSQL reads.

Arrow's own parser reads the usual form fast; this one reads what that refuses, one value after another.
"""

from __future__ import annotations

import datetime
import re
import zoneinfo
from typing import Final

import pyarrow as pa

MONTHS: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
DAYS: Final = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")

_MONTH: Final = "(?P<name>" + "|".join(f"{month[:3]}(?:{month[3:]})?" for month in MONTHS) + ")"
_DATES: Final = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        r"(?P<year>\d{4,6})[-/](?P<month>\d{1,2})[-/](?P<day>\d{1,2})",
        r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})(?!\d)",
        r"(?P<month>\d{1,2})[-/](?P<day>\d{1,2})[-/](?P<year>\d{4})",
        rf"{_MONTH}[- .]*(?P<day>\d{{1,2}}),?[- ]+(?P<year>\d{{4}})",
        rf"(?P<day>\d{{1,2}})[- .]*{_MONTH}[- ,]*(?P<year>\d{{4}})",
        rf"(?P<year>\d{{4}})-{_MONTH}-(?P<day>\d{{1,2}})",
    )
)
_CLOCKS: Final = tuple(
    re.compile(form + r"\s*(?P<half>am|pm)?", re.IGNORECASE)
    for form in (
        r"(?P<hour>\d{1,2}):(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:[.,](?P<fraction>\d*))?)?",
        r"(?P<hour>\d{2})(?P<minute>\d{2})(?P<second>\d{2})(?:\.(?P<fraction>\d*))?(?!\d)",
        r"(?P<hour>\d{1,2})(?=\s*[ap]m)",
    )
)
_OFFSET: Final = re.compile(r"(?:utc|gmt)?(?P<sign>[+-])(?P<hours>\d{1,2})(?::?(?P<minutes>\d{2}))?", re.IGNORECASE)
_SECOND: Final = 1_000_000
_DAY: Final = 86_400 * _SECOND


def moment_of(text: str) -> tuple[int, str | int | None]:
    """Microseconds since 1970 on the clock that a text shows, and its zone: a name, seconds east of UTC, or None.

    Raises ArrowInvalid where it is no moment.
    """
    rest = text.strip()
    if rest.lower() == "epoch":
        return 0, 0
    if rest.lower() in ("infinity", "-infinity"):
        raise pa.ArrowInvalid(f"{text!r}: infinite times are not supported")
    found = next((match for form in _DATES if (match := form.match(rest))), None)
    if found is None:
        raise pa.ArrowInvalid(f"{text!r} is no date or timestamp; write for example '2024-01-31 12:30:00'")
    parts = found.groupdict()
    month = parts.get("month") or str(_month_number(parts["name"]))
    try:
        day = datetime.date(int(parts["year"]), int(month), int(parts["day"]))
    except ValueError:
        raise pa.ArrowInvalid(f"date out of range: {text!r}") from None
    count = (day.toordinal() - 719_163) * _DAY
    rest = rest[found.end() :].lstrip(" Tt,") if found.end() < len(rest) else ""
    if not rest:
        return count, None
    time, rest = _clock(text, rest)
    return count + time, _zone(text, rest.strip())


def time_of(text: str) -> int:
    """Microseconds since midnight; what a text says of a date and a zone is left out."""
    stripped = text.strip()
    if any(form.match(stripped) for form in (_DATES[0], *_DATES[2:])):
        return moment_of(text)[0] % _DAY
    time, rest = _clock(text, stripped)
    _zone(text, rest.strip())
    return time


def _month_number(name: str) -> int:
    return next(number for number, month in enumerate(MONTHS, 1) if month.startswith(name.lower()))


def _clock(text: str, rest: str) -> tuple[int, str]:
    found = next((match for form in _CLOCKS if (match := form.match(rest))), None)
    if found is None:
        raise pa.ArrowInvalid(f"{text!r} is no time; write for example '12:30:00'")
    parts = found.groupdict()
    hour, minute, second = int(parts["hour"]), int(parts.get("minute") or 0), int(parts.get("second") or 0)
    half = (parts["half"] or "").lower()
    if half and not 1 <= hour <= 12:
        raise pa.ArrowInvalid(f"time out of range: {text!r}")
    hour = hour % 12 + 12 * (half == "pm") if half else hour
    fraction = int((parts.get("fraction") or "").ljust(6, "0")[:6] or 0)
    time = ((hour * 60 + minute) * 60 + second) * _SECOND + fraction
    if minute > 59 or second > 60 or time > _DAY:
        raise pa.ArrowInvalid(f"time out of range: {text!r}")
    return time, rest[found.end() :]


def _zone(text: str, zone: str) -> str | int | None:
    if not zone:
        return None
    if zone.lower() in ("z", "utc", "gmt"):
        return 0
    if found := _OFFSET.fullmatch(zone):
        seconds = int(found["hours"]) * 3600 + int(found["minutes"] or 0) * 60
        return -seconds if found["sign"] == "-" else seconds
    return named_zone(zone)


def named_zone(name: str) -> str:
    """The name of a time zone as it is spelled in the list of zones; raises ArrowInvalid where there is none."""
    for spelled in (name, name.upper(), name.title()):
        try:
            return zoneinfo.ZoneInfo(spelled).key
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            continue
    raise pa.ArrowInvalid(f"no time zone {name!r}")
