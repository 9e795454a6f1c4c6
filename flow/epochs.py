"""Epochs: when the next barrier is due, when a drain was asked for, and when all writers are ready to commit."""

from __future__ import annotations

import trio

from flow.messages import LAST_EPOCH


class Control:
    """What all instances of a run have to know: the epoch that is to end, and whether reading is to stop.

    Attributes:
        epoch: the one that is to end.
        stopping: whether reading is to stop.
        read: the sources that have been read to their ends.
    """

    def __init__(self) -> None:
        self.epoch = 0
        self.stopping = False
        self.read: set[str] = set()
        self._changed = trio.Event()

    def end_epoch(self) -> None:
        """Ask the readers to end the current epoch with a barrier."""
        self.epoch += 1
        self._notify()

    def stop(self) -> None:
        """Ask the readers to stop reading; what was read is finished."""
        self.stopping = True
        self._notify()

    def end_source(self, name: str) -> None:
        """A source has been read to its end."""
        self.read.add(name)
        self._notify()

    def _notify(self) -> None:
        changed, self._changed = self._changed, trio.Event()
        changed.set()

    async def nap(self, seconds: float) -> None:
        """Wait for so long, or until something is asked for."""
        with trio.move_on_after(seconds):
            await self._changed.wait()

    async def changed(self) -> None:
        """Wait until something is asked for."""
        await self._changed.wait()


class Commits:
    """Lets every writer commit an epoch once all writers have prepared it.

    A writer that ended has prepared all epochs to come.

    Args:
        writers: how many instances write.

    Attributes:
        decided: the last epoch that all writers have prepared: it is to be committed, whatever happens.
        committed: the last epoch that a writer was let commit.
    """

    LAST = LAST_EPOCH
    """The epoch that a writer prepares when its input has ended."""

    def __init__(self, writers: int) -> None:
        self._prepared = [0] * writers
        self.decided = 0
        self._all_prepared = trio.Condition()
        self.committed = 0

    async def prepared(self, writer: int, epoch: int) -> int:
        """A writer has prepared an epoch; waits for the others, and returns the epoch that it may commit.

        A writer that ended waits for whichever epoch comes next.
        """
        async with self._all_prepared:
            before = min(self._prepared)
            self._prepared[writer] = epoch
            self.decided = min(self._prepared)
            if self.decided > before:
                self._all_prepared.notify_all()
            while (ready := min(self._prepared)) <= before and ready < epoch:
                await self._all_prepared.wait()
            self.committed = max(self.committed, ready)
            return ready
