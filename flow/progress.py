"""How far event time has come: frontiers over inputs, and the watermark of a split that is being read.

Everything here is pure: no I/O, no event loop. Times are int microseconds; an input that ended stands at infinity.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic, time_ns

import attrs
import numpy as np
import pyarrow as pa

from flow.schema import AFTER_ALL, BEFORE_ALL

_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


class Frontier:
    """The least position over all inputs that are not idle; it never moves back, and ended inputs are at infinity."""

    def __init__(self, inputs: int) -> None:
        self._positions = [BEFORE_ALL] * inputs
        self._idle = [False] * inputs
        self._ended = [False] * inputs
        self._open = inputs
        self.time = BEFORE_ALL if inputs else AFTER_ALL

    def advance(self, number: int, time: int, *, idle: bool = False) -> bool:
        """An input has come to `time`, and may have fallen idle there; whether the frontier has moved by it.

        While all open inputs are idle, the frontier is where the furthest of them stands: nobody else will move it.
        """
        known = self._positions[number]
        if time <= known and idle == self._idle[number]:
            return False
        held_here = known <= self.time
        self._positions[number] = max(known, time)
        if not held_here and not idle and not self._idle[number]:
            return False
        self._idle[number] = idle
        holding = [at for at, idles in zip(self._positions, self._idle, strict=True) if not idles and at < AFTER_ALL]
        if not holding:
            holding = [max((at for at in self._positions if at < AFTER_ALL), default=AFTER_ALL)]
        least = min(holding)
        if least <= self.time:
            return False
        self.time = least
        return True

    def end(self, number: int) -> bool:
        """An input has ended; whether all have now."""
        if not self._ended[number]:
            self._ended[number] = True
            self._open -= 1
            self.advance(number, AFTER_ALL)
        return self._open == 0

    @property
    def idle(self) -> bool:
        """Whether no input holds the frontier, though some have not ended."""
        return self._open > 0 and all(idle or ended for idle, ended in zip(self._idle, self._ended, strict=True))

    @property
    def ended(self) -> bool:
        """Whether all inputs have ended."""
        return self._open == 0

    def has_ended(self, number: int) -> bool:
        """Whether this input has ended."""
        return self._ended[number]


class Alignment:
    """Which inputs have come to the barrier of the current epoch; an input that ended is at every barrier."""

    def __init__(self, frontier: Frontier, inputs: int) -> None:
        self._frontier = frontier
        self._inputs = inputs
        self._arrived: set[int] = set()
        self.epoch: int | None = None

    def arrive(self, number: int, epoch: int) -> bool:
        """An input has come to the barrier; whether all have now."""
        self.epoch = epoch
        self._arrived.add(number)
        return self.complete

    @property
    def complete(self) -> bool:
        """Whether a barrier is under way, and every input has come to it or has ended."""
        return self.epoch is not None and all(
            number in self._arrived or self._frontier.has_ended(number) for number in range(self._inputs)
        )

    def release(self) -> int:
        """The aligned epoch; the next barrier may come."""
        epoch, self.epoch = self.epoch, None
        assert epoch is not None
        self._arrived.clear()
        return epoch


def greatest_time(column: pa.Array, bound: int | None = None) -> int | None:
    """The greatest event time up to `bound` in a timestamp column, in microseconds; None where there is none."""
    if len(column) == column.null_count:
        return None
    if column.null_count:
        column = column.drop_null()
    per_second = _PER_SECOND[column.type.unit]
    values = column.view(pa.int64()).to_numpy(zero_copy_only=True)
    greatest = _to_microseconds(int(values.max()), per_second)
    if bound is None or greatest <= bound:
        return greatest
    within = values[values <= bound * per_second // 1_000_000]
    return _to_microseconds(int(np.max(within)), per_second) if len(within) else None


def _to_microseconds(value: int, per_second: int) -> int:
    # Seconds and milliseconds reach further than microseconds do, and no event time is as late as the end.
    return min(max(value * 1_000_000 // per_second, BEFORE_ALL), AFTER_ALL - 1)


@attrs.define
class SplitWatermark:
    """The watermark of one open split: its greatest event time so far minus the delay.

    Attributes:
        column: index of the event time column, None where the source has no event time.
        delay: microseconds by which event times may be out of order.
        idle_timeout: microseconds of silence after which the split no longer holds the watermark.
        max_future: microseconds by which a row may be ahead of the clock and still advance the watermark.
        time: the watermark now.
    """

    column: int | None
    delay: int = 0
    idle_timeout: int | None = None
    max_future: int | None = None
    time: int = BEFORE_ALL
    _heard: float = attrs.field(factory=monotonic)

    def observe(self, batches: Sequence[pa.RecordBatch]) -> None:
        """Rows of the split were read."""
        if not batches:
            return
        if self.idle_timeout is not None:
            self._heard = monotonic()
        if self.column is None:
            return
        bound = None if self.max_future is None else time_ns() // 1_000 + self.max_future
        times = [batch.column(self.column) for batch in batches]
        greatest = greatest_time(pa.concat_arrays(times) if len(times) > 1 else times[0], bound)
        if greatest is not None and greatest - self.delay > self.time:
            self.time = greatest - self.delay

    @property
    def holds(self) -> bool:
        """Whether the split holds the watermark: it has an event time, and has not been silent for too long."""
        return self.idle_timeout is None or (monotonic() - self._heard) * 1_000_000 < self.idle_timeout

    @property
    def patience(self) -> float:
        """Seconds after which to look whether the split still holds the watermark: those left to it, or a second."""
        if self.idle_timeout is None or not self.holds:
            return 1.0
        return min(1.0, max(0.0, self.idle_timeout / 1_000_000 - (monotonic() - self._heard)))
