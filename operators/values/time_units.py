"""Units of time: how many microseconds or months long they are, and what Arrow's are of a second.

Units with a fixed length and units of months stay apart, since a month is no number of days.
"""

from __future__ import annotations

from typing import Final

DAY: Final = 86_400_000_000
"""Microseconds."""

IN_MICROSECONDS: Final = {
    "microsecond": 1,
    "millisecond": 1_000,
    "second": 1_000_000,
    "minute": 60_000_000,
    "hour": 3_600_000_000,
    "day": DAY,
    "week": 7 * DAY,
}
"""Lengths of units that have a fixed one."""

IN_MONTHS: Final = {"month": 1, "quarter": 3, "year": 12, "decade": 120, "century": 1200, "millennium": 12_000}
"""Lengths of the other units."""

PER_SECOND: Final = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
"""Arrow's units of time in a second."""
