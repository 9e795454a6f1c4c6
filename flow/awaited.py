"""An `AsyncReader` in a task of its own, so that a read that takes long keeps nobody from what is to be done meanwhile.

A read that has begun goes on, whoever stopped waiting for it: what it brings is neither lost nor read twice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pyarrow as pa
import trio

from flow.epochs import Control
from flow.kernels import SETTLE
from flow.source import AsyncReader, Idle, Offset

StartSoon = Callable[[Callable[[], Awaitable[None]]], object]
"""Starts a task of the run."""

QUIET = 0.001
"""Seconds without input after which rows that are held back for the sake of larger batches are given out."""

_STEPS = 2
"""Steps in which a read that has not to wait comes back; where it does, nothing has to be set up and taken down."""


class Reading:
    """Reads and closes a reader for a feed; `run` is the task.

    Args:
        reader: what to read; nobody else calls its `read` and `aclose`.

    Attributes:
        answered: whether a read has come back that nobody has taken yet.
    """

    def __init__(self, reader: AsyncReader) -> None:
        self.reader = reader
        self.answered = False
        self._begun = False
        self._answer: pa.RecordBatch | Idle | None = None
        self._error: Exception | SystemExit | None = None
        self._asked = trio.Event()
        self._closed = trio.Event()
        self._reads = trio.CancelScope()
        self._waits = trio.CancelScope()

    async def run(self) -> None:
        """Read whenever it is asked for, until it is closed."""
        try:
            with self._reads:
                while True:
                    await self._asked.wait()
                    await self._read()
        except trio.Cancelled:
            with trio.move_on_after(SETTLE, shield=True):
                await self._close()
            raise
        await self._close()

    def offset(self) -> Offset:
        """Where to resume, as the reader says."""
        return self.reader.offset()

    def ask(self, start_soon: StartSoon) -> bool:
        """Ask for a read, unless one is under way or has not been taken; whether this was done."""
        if self.answered or self._asked.is_set():
            return False
        if not self._begun:
            self._begun = True
            start_soon(self.run)
        self._asked.set()
        return True

    async def wait(self, control: Control, seconds: float) -> None:
        """Wait for the read, but for no longer than that, and only until something is asked for by the run."""
        for _ in range(_STEPS):
            if self.answered:
                return
            await trio.lowlevel.checkpoint()
        with trio.CancelScope() as self._waits:
            if not self.answered:
                await control.nap(seconds)

    def take(self) -> pa.RecordBatch | Idle | None:
        """What the read has brought; raises what it has raised."""
        self.answered = False
        self._raise()
        return self._answer

    async def aclose(self) -> None:
        """Cancel the read that is under way, and close the reader; raises what that raises, once."""
        self._reads.cancel()
        if self._begun:
            await self._closed.wait()
        else:
            self._begun = True
            await self._close()
        self._raise()

    async def _read(self) -> None:
        try:
            self._answer = await self.reader.read()
        except (Exception, SystemExit) as error:
            self._error = error
        self._asked = trio.Event()
        self.answered = True
        self._waits.cancel()

    async def _close(self) -> None:
        self._error = None
        try:
            await self.reader.aclose()
        except (Exception, SystemExit) as error:
            self._error = error
        finally:
            self._closed.set()

    def _raise(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error
