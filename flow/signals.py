"""SIGINT and SIGTERM for the time of a run: none is lost, and none interrupts the run in the middle of a step.

Before the event loop runs, either raises KeyboardInterrupt, for nothing is there yet to be finished. From then on a
signal only tells the run, which ends as it wants to; what comes after its end is ignored.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, Self

import trio

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Signals:
    """A context that has the signals while it lasts, and gives them back; on other threads than the main one, nothing.

    As opposed to `trio.open_signal_receiver`, it is there before the event loop and until after its end.
    """

    def __init__(self) -> None:
        self._before: dict[signal.Signals, Any] = {}
        self._held: int | None = None
        self._tell: Callable[[], object] | None = None

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                # None: a handler that was not set from Python, and could not be given back.
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def hold(self) -> None:
        """From now on signals wait for somebody to listen."""
        self._held = 0

    def listen(self, tell: Callable[[], object]) -> None:
        """Call `tell` on this event loop for every signal, those that waited included."""
        token = trio.lowlevel.current_trio_token()

        def tell_soon() -> None:
            try:
                token.run_sync_soon(tell)
            except trio.RunFinishedError:
                pass  # the run has ended in the meantime

        self._tell = tell_soon
        for _ in range(self._held or 0):
            tell()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._tell is not None:
            self._tell()
        elif self._held is not None:
            self._held += 1
        else:
            raise KeyboardInterrupt
