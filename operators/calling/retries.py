"""Calls to the outside world that may fail or hang: a timeout, and repetitions after growing pauses."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import attrs
import trio

from flow.durations import Duration, microseconds
from flow.errors import GraphError, RowError

_LONGEST_PAUSE = 60.0

_Result = TypeVar("_Result")


def _seconds(duration: Duration) -> float:
    return microseconds(duration) / 1e6


@attrs.frozen
class Retries:
    """How often a call is repeated that raises or takes too long, and after what pause.

    Pauses double from `backoff` on, up to a minute, each shortened by chance by up to a half, so that many callers do
    not come back at the same moment.

    Attributes:
        timeout: seconds that a call may take; None: any number.
        times: how often a failed call is repeated.
        backoff: seconds before the first repetition.
    """

    timeout: float | None = attrs.field(default=None, converter=attrs.converters.optional(_seconds))
    times: int = 0
    backoff: float = attrs.field(default=0.1, converter=_seconds)

    def __attrs_post_init__(self) -> None:
        if self.times < 0:
            raise GraphError(f"retries must not be negative, not {self.times}")
        if self.timeout is not None and self.timeout <= 0:
            raise GraphError(f"a timeout must be longer than nothing; this is {self.timeout} s")

    async def call(self, function: Callable[[], Awaitable[_Result]]) -> _Result:
        """What the function returns, under trio. Raises RowError once it is not called again."""
        limit = float("inf") if self.timeout is None else self.timeout
        for repetition in range(self.times + 1):
            try:
                with trio.fail_after(limit):
                    return await function()
            except Exception as error:
                if repetition == self.times:
                    raise self._failure(error) from error
            pause = min(self.backoff * 2**repetition, _LONGEST_PAUSE)
            await trio.sleep(pause * random.uniform(0.5, 1.0))
        raise AssertionError("a call returns or raises")

    def _failure(self, error: Exception) -> RowError:
        calls = self.times + 1
        timed_out = self.timeout is not None and isinstance(error, trio.TooSlowError)
        said = f"no answer within {self.timeout:g} s" if timed_out else f"{type(error).__name__}: {error}"
        return RowError(said if calls == 1 else f"{said} (the last of {calls} calls)")
