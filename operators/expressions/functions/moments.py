"""Dates, times and timestamps as NumPy arrays of days and microseconds, and clocks as moments of a time zone.

An hour that a clock leaves out in spring is read by the offset before it, one that it shows twice as the later one
(PostgreSQL).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from operators.expressions.time_casts import time_count
from operators.values.time_units import DAY


def rows_of(*values: Any) -> list[pa.Array]:
    """Values of a call as arrays of one length; at least one of them is one."""
    rows = next(len(value) for value in values if isinstance(value, pa.Array))
    return [pa.repeat(value, rows) if isinstance(value, pa.Scalar) else value for value in values]


def missing_of(*arrays: pa.Array) -> Any:
    """Where any of the arrays is NULL."""
    return np.logical_or.reduce([array.is_null().to_numpy(zero_copy_only=False) for array in arrays])


def numbers_of(array: pa.Array, missing: Any = 0) -> Any:
    """An array of numbers, with a value in place of NULL."""
    return array.fill_null(pa.scalar(missing, array.type)).to_numpy(zero_copy_only=False)


def clock_of(value: pa.Array) -> Any:
    """Microseconds since 1970 on the clock of a timestamp's zone, since midnight for times, of midnight for dates."""
    kind = value.type
    if pa.types.is_date(kind):
        return pc.cast(value, pa.date32()).cast(pa.int32()).fill_null(0).to_numpy().astype(np.int64) * DAY
    if pa.types.is_time(kind):
        return time_count(value)
    local = value if kind.tz is None else pc.local_timestamp(value)
    return pc.cast(local, pa.timestamp("us"), safe=False).cast(pa.int64()).fill_null(0).to_numpy()


def timestamps(count: Any, missing: Any) -> pa.Array:
    """Timestamps without zone from microseconds."""
    return pa.array(count, pa.int64(), mask=missing).cast(pa.timestamp("us"))


def months_of(days: Any) -> tuple[Any, Any]:
    """Months since 1970 that days are in, and their place in these, from 0."""
    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    return months.astype(np.int64), (dates - months.astype("datetime64[D]")).astype(np.int64)


def month_start(months: Any) -> Any:
    """The first day of months since 1970."""
    return np.asarray(months).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def at_zone(clock: pa.Array, zone: str) -> pa.Array:
    """What a zone's clock shows (timestamps without zone), as moments in this zone."""
    moments = pc.assume_timezone(clock, zone, ambiguous="latest", nonexistent="latest")
    left_out = pc.fill_null(pc.not_equal(pc.local_timestamp(moments), clock), False)
    if not pc.any(left_out).as_py():
        return moments
    before = pc.subtract(clock.filter(left_out), pa.scalar(DAY, pa.duration("us")).cast(pa.duration(clock.type.unit)))
    offset = pc.subtract(before, pc.assume_timezone(before, zone, ambiguous="latest", nonexistent="latest").cast(
        pa.timestamp(clock.type.unit, "UTC")
    ).cast(pa.timestamp(clock.type.unit)))  # fmt: skip
    right = pc.subtract(clock.filter(left_out), offset).cast(pa.timestamp(clock.type.unit, "UTC")).cast(moments.type)
    return pc.replace_with_mask(moments, left_out, right)
