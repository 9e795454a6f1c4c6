"""Durations as people write them: ``"2s"``, ``"500ms"``, ``"1 minute"``, a timedelta, or a number of seconds."""

from __future__ import annotations

import re
from datetime import timedelta

from flow.errors import SettingsError

Duration = str | float | int | timedelta

_UNITS = {
    "us": 1, "microsecond": 1,
    "ms": 1_000, "millisecond": 1_000,
    "s": 1_000_000, "sec": 1_000_000, "second": 1_000_000,
    "m": 60_000_000, "min": 60_000_000, "minute": 60_000_000,
    "h": 3_600_000_000, "hour": 3_600_000_000,
    "d": 86_400_000_000, "day": 86_400_000_000,
    "w": 604_800_000_000, "week": 604_800_000_000,
}  # fmt: skip
_LONGEST = 10**12
"""Seconds; sums of event times and durations stay within 64 bits."""

_PART = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*", re.IGNORECASE)


def microseconds(duration: Duration) -> int:
    """A duration in microseconds; several parts add up (``"1h 30m"``). Raises SettingsError where it is none."""
    if isinstance(duration, timedelta):
        duration = duration.total_seconds()
    if isinstance(duration, int | float) and not isinstance(duration, bool):
        if not abs(duration) <= _LONGEST:
            raise SettingsError(f"{duration!r} seconds are no duration: at most {_LONGEST} are")
        return round(duration * 1_000_000)
    if not isinstance(duration, str):
        raise SettingsError(f"{duration!r} is no duration; write for example '2s', or a number of seconds")
    total, position = 0.0, 0
    while position < len(duration):
        part = _PART.match(duration, position)
        unit = part and (_UNITS.get(part[2].lower()) or _UNITS.get(part[2].lower().removesuffix("s")))
        if not part or not unit:
            break
        total += float(part[1]) * unit
        position = part.end()
    if position == 0 or position < len(duration):
        raise SettingsError(f"{duration!r} is no duration; write for example '2s', '500ms', '1 minute' or '1h 30m'")
    if total > _LONGEST * 1_000_000:
        raise SettingsError(f"{duration!r} is no duration: it is longer than {_LONGEST} seconds")
    return round(total)


def spelled(duration: int) -> str:
    """A duration in microseconds as people write it: ``2s``, ``1h 30m``; the other way round from `microseconds`."""
    parts = []
    for unit in ("d", "h", "m", "s", "ms", "us"):
        count, duration = divmod(duration, _UNITS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts) or "0s"
