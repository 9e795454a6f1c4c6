"""Intervals as their parts, and as what PostgreSQL compares them by.

Invariant: two intervals are equal exactly when `lengths` of them are, where a month has 30 days and a day 24 hours; the
first array decides which of two is longer, the second where the first is equal.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

PARTS: Final = np.dtype([("months", "<i4"), ("days", "<i4"), ("nanoseconds", "<i8")])
"""An interval in memory."""

_DAY: Final = 86_400_000_000_000


def interval_parts(array: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Months, days and nanoseconds of intervals, int64[n] each; where NULL, anything."""
    buffer = array.buffers()[1]
    held = np.zeros(0, PARTS) if buffer is None or not len(array) else np.frombuffer(buffer, PARTS)
    parts = held[array.offset : array.offset + len(array)]
    months, days, nanoseconds = (parts[name].astype(np.int64) for name in ("months", "days", "nanoseconds"))
    return months, days, nanoseconds


def lengths(array: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Days, and nanoseconds of a day (0 to 86,400 * 10^9 - 1), of intervals; where NULL, anything."""
    months, days, nanoseconds = interval_parts(array)
    more, rest = np.divmod(nanoseconds, _DAY)
    return 30 * months + days + more, rest
