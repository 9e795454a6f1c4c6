"""Where the work on a batch is done: in a worker thread, or inline where the hop to one would cost more than the work.

Threads that compute share one limit, sized to the cores; reads and writes, which may wait for a disk or a network, do
not use it up. A call that is cancelled is waited for a little, then abandoned, so a run ends in bounded time whatever
a kernel does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import perf_counter_ns
from typing import TypeVar

import trio

from flow.cost import Cost
from flow.metrics import Counters
from flow.steps import Send

Result = TypeVar("Result")

BREATH = 4 << 20
"""Bytes of output after which a kernel stops, so that what it put out is sent before it goes on."""

PATIENCE = 20_000_000
"""Nanoseconds after which what a kernel has put out is sent before it goes on."""

SETTLE = 2.0
"""Seconds that a cancelled call is given to come back before its thread is abandoned."""


def pull_once(sends: Iterator[Send]) -> tuple[list[Send], bool]:
    """What is sent, as far as one breath goes, and whether that was all."""
    taken: list[Send] = []
    size, began = 0, perf_counter_ns()
    for send in sends:
        taken.append(send)
        size += send.size
        if size >= BREATH or perf_counter_ns() - began > PATIENCE:
            return taken, False
    return taken, True


class Kernels:
    """Runs blocking calls for the instances of one run.

    Args:
        threads: computing calls at the same time.
        waiting: reads and writes at the same time.
    """

    def __init__(self, threads: int, waiting: int) -> None:
        self._computing = trio.CapacityLimiter(threads)
        self._waiting = trio.CapacityLimiter(max(1, waiting))
        self.abandoned: list[str] = []

    async def pull(
        self, sends: Iterator[Send], rows: int, cost: Cost, counters: Counters, *, name: str, waits: bool = False
    ) -> tuple[list[Send], bool]:
        """What a chain's instance sends, as far as one breath goes; and whether that was all."""
        if not waits and cost.is_small(rows):
            start = perf_counter_ns()
            pulled = pull_once(sends)
            cost.observe(rows, perf_counter_ns() - start)
            return pulled
        asked = perf_counter_ns()
        started, ended, pulled = await self.call(lambda: _timed(sends), name=name, waits=waits)
        # Waiting for a thread, and for the event loop to take notice that the work is done.
        counters.queued += started - asked + perf_counter_ns() - ended
        cost.observe(rows, ended - started)
        return pulled

    async def call(self, function: Callable[[], Result], *, name: str, waits: bool = True) -> Result:
        """Run a blocking call in a thread; `name` is what a call that never comes back is known by."""
        token = trio.lowlevel.current_trio_token()
        done = trio.Event()
        started = finished = abandoned = False

        def job() -> Result:
            nonlocal started, finished
            started = True
            try:
                if abandoned:
                    raise trio.BrokenResourceError  # nobody listens any more
                return function()
            finally:
                # Either this sees that the call was cancelled, or the canceller sees that it has finished.
                finished = True
                if abandoned:
                    _notify(token, done)

        limiter = self._waiting if waits else self._computing
        try:
            return await trio.to_thread.run_sync(job, abandon_on_cancel=True, limiter=limiter)
        except trio.Cancelled:
            abandoned = True
            if started and not finished:
                with trio.move_on_after(SETTLE, shield=True):
                    await done.wait()
                if not done.is_set():
                    self.abandoned.append(name)
            raise


def _notify(token: trio.lowlevel.TrioToken, done: trio.Event) -> None:
    try:
        token.run_sync_soon(done.set)
    except trio.RunFinishedError:
        pass  # the run has ended in the meantime


def _timed(sends: Iterator[Send]) -> tuple[int, int, tuple[list[Send], bool]]:
    started = perf_counter_ns()
    pulled = pull_once(sends)
    return started, perf_counter_ns(), pulled
