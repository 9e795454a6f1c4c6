"""Series: numbers and times from one to another, by equal steps, as arrays.

A list is as long as its series, and all lists of a batch together hold less than 2**31 values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from operators.expressions.casts import interval_array, interval_parts
from operators.expressions.functions.intervals import shifted
from operators.expressions.lists import listed, null_where_any
from operators.expressions.registry import function
from operators.values.time_units import DAY

_LAST: Final = {"generate_series": 1, "range": 0}


def _series(name: str) -> Callable[..., pa.Array]:
    @null_where_any
    def kernel(*bounds: pa.Array) -> pa.Array:
        numbers = [bound.to_numpy() for bound in bounds]
        first, last = (np.zeros_like(numbers[0]), numbers[0]) if len(numbers) == 1 else numbers[:2]
        step = numbers[2] if len(numbers) > 2 else np.ones_like(first)
        if (step == 0).any():
            raise pa.ArrowInvalid("step size cannot be zero")
        inside = (last - first) * np.sign(step) + _LAST[name]
        lengths = np.maximum(-(-inside // np.abs(step)), 0)
        rows, places = _places(lengths)
        return listed(pa.array(first[rows] + step[rows] * places), lengths)

    return kernel


for _name, _counts in (("generate_series", (2, 3)), ("range", (1, 2, 3))):
    function(
        *(f"{_name}({', '.join(['bigint'] * count)}) -> list" for count in _counts),
        result=lambda types: pa.list_(pa.int64()),
        says="The numbers from the first to the second, by steps of the third, as an array: `generate_series` with the "
        "last number, `range` without. Where it stands in SELECT or FROM, `generate_series` gives rows.",
        examples=("range(1, 3) = [1, 2]", "range(5, 0, -2) = [5, 3, 1]"),
    )(_series(_name))


def _places(lengths: Any) -> tuple[Any, Any]:
    """The row of each value of lists of such lengths, and its place in the list."""
    if lengths.sum() >= 2**31:
        raise pa.ArrowInvalid("the lists of one batch are too long together")
    rows = np.repeat(np.arange(len(lengths)), lengths)
    return rows, np.arange(len(rows)) - np.repeat(np.cumsum(lengths) - lengths, lengths)


_SHORTEST_MONTH: Final = 28 * DAY


def _times(end: int) -> Callable[..., pa.Array]:
    """A series of timestamps; days and months are those of the clock in their zone."""

    @null_where_any
    def kernel(first: pa.Array, last: pa.Array, step: pa.Array) -> pa.Array:
        kind = pa.timestamp("us", first.type.tz)
        first, last = first.cast(kind), last.cast(kind)
        months, days, nanoseconds = interval_parts(step)
        if ((months != 0) & ((days != 0) | (nanoseconds != 0))).any():
            raise pa.ArrowInvalid("the step of a series is months, or days and time, but not both together")
        least = np.where(months != 0, months * _SHORTEST_MONTH, days * DAY + nanoseconds // 1_000)
        if (least == 0).any():
            raise pa.ArrowInvalid("step size cannot be zero")
        span = last.cast(pa.int64()).to_numpy() - first.cast(pa.int64()).to_numpy()
        # A day of the clock may have an hour less, and what is too much is left out below.
        spare = np.where(days != 0, 2 + span // (365 * 24 * least), 2)
        rows, places = _places(np.where(span * np.sign(least) < 0, 0, span // least + np.maximum(spare, 2)))
        moved = (part[rows] * places for part in (months, days, nanoseconds))
        steps = interval_array(next(moved), next(moved), next(moved), np.zeros(len(rows), np.bool_))
        chosen = pa.array(rows)
        values = shifted(first.take(chosen), steps)
        values = _never_longer(values, rows, months)
        at, stop = values.cast(pa.int64()).to_numpy(), last.take(chosen).cast(pa.int64()).to_numpy()
        inside = ((stop - at) * np.sign(least)[rows]) >= 1 - end
        return listed(values.filter(pa.array(inside)), np.bincount(rows[inside], minlength=len(first)))

    return kernel


def _never_longer(values: pa.Array, rows: Any, months: Any) -> pa.Array:
    """Months later, where each day is that of the month before if there is one: after February 29 comes March 29."""
    if not months.any():
        return values
    days = pc.day(values).to_numpy()
    # Of later rows every day is less than all of those before, so that the least so far is the row's own.
    least = np.minimum.accumulate(days - 32 * rows) + 32 * rows
    back = np.where(months[rows] != 0, days - least, 0)
    nothing = np.zeros(len(rows), np.int64)
    return shifted(values, interval_array(nothing, -back, nothing, np.zeros(len(rows), np.bool_)))


for _name in _LAST:
    function(
        f"{_name}(timestamp, timestamp, interval) -> list",
        result=lambda types: pa.list_(pa.timestamp("us", types[0].tz)),
        says="The times from the first to the second, by steps of the third, as an array: `generate_series` with the "
        "last time, `range` without.",
        examples=(
            "range(DATE '2024-01-30', DATE '2024-02-01', INTERVAL '1 day') = "
            "[TIMESTAMP '2024-01-30', TIMESTAMP '2024-01-31']",
        ),
    )(_times(_LAST[_name]))
