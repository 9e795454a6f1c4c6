"""Running a graph from elsewhere: under trio, or on a trio thread of its own (for asyncio, notebooks, threads)."""

from __future__ import annotations

import atexit
import concurrent.futures
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from types import TracebackType
from typing import Any

import anyio
import anyio.to_thread
import attrs
from anyio.from_thread import BlockingPortal, start_blocking_portal

from flow.graph import Graph
from flow.metrics import RunStats
from flow.runtime import Run, Watch
from flow.settings import Settings


async def run(
    graph: Graph,
    settings: Settings | None = None,
    *,
    watch: Watch | None = None,
    watch_every: float = 0.25,
    **changes: Any,
) -> RunStats:
    """Run a graph under trio; cancelling it aborts the run. As `Graph.run`, but signals are the caller's.

    Raises:
        GraphError: the graph cannot run.
        ExceptionGroup: flat, of StepError, when something failed.
    """
    chosen = attrs.evolve(settings or graph.settings, **changes)
    return await Run(graph.name, graph.nodes, chosen).execute(watch=watch, watch_every=watch_every)


class Handle:
    """A run on a thread of its own; its methods may be called from any thread.

    As a context manager it waits for the run at the end of the block, after aborting it if the block raised or the wait
    was interrupted. A run that goes on when the interpreter ends is aborted.
    """

    def __init__(self, run: Run, portal: BlockingPortal, close: Callable[[], object], future: Future[RunStats]) -> None:
        self._run = run
        self._portal = portal
        self._future = future

        def close_at_the_end() -> None:
            concurrent.futures.wait([future])
            close()
            _unfinished.discard(self)

        # Closing the portal joins its thread, which that thread cannot do itself; daemon, as the portal's thread is.
        self._closing = threading.Thread(target=close_at_the_end, name=f"close {run.run_id}", daemon=True)
        _unfinished.add(self)
        self._closing.start()

    def wait(self, timeout: float | None = None) -> RunStats:
        """Wait for the end and return the final counts.

        Raises:
            TimeoutError: the run has not ended after `timeout` seconds; it goes on.
            ExceptionGroup: flat, of StepError, when something failed.
        """
        try:
            return self._future.result(timeout)
        finally:
            if self._future.done():
                self._closing.join()

    async def wait_async(self) -> RunStats:
        """As `wait`, without blocking the event loop (asyncio or trio) on which it is called."""
        # No thread waits meanwhile: one that the caller does not wait for any more would keep the program from its end.
        async with BlockingPortal() as here:
            ended = anyio.Event()

            def tell(_: Future[RunStats]) -> None:
                try:
                    here.start_task_soon(ended.set)
                except RuntimeError:
                    ended.set()  # it had ended before, or nobody waits any more

            self._future.add_done_callback(tell)
            await ended.wait()
        return await anyio.to_thread.run_sync(self.wait)

    @property
    def done(self) -> bool:
        """Whether the run has ended."""
        return self._future.done()

    def drain(self) -> None:
        """Stop reading, finish what was read, commit, and end; returns at once."""
        self._tell(self._run.drain)

    def abort(self) -> None:
        """Stop at once; what was not committed is removed. Returns at once."""
        self._tell(self._run.abort)

    def stats(self) -> RunStats:
        """The counts of this moment."""
        return self._run.stats()

    def _tell(self, what: Any) -> None:
        if not self._future.done():
            try:
                self._portal.start_task_soon(what)
            except RuntimeError:
                pass  # it has ended in the meantime

    def __enter__(self) -> Handle:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            try:
                self.wait()
            except KeyboardInterrupt:
                self.abort()
                concurrent.futures.wait([self._future])
                raise
            return
        self.abort()
        try:
            self.wait()
        except ExceptionGroup as failure:
            errors = "; ".join(str(each) for each in failure.exceptions)
            error.add_note(f"{failure.message}, too: {errors}")


_unfinished: set[Handle] = set()


@atexit.register
def _abort_all() -> None:
    """End what nobody waited for: the threads of these runs would be stopped wherever they are."""
    unfinished = list(_unfinished)
    for handle in unfinished:
        handle.abort()
    for handle in unfinished:
        concurrent.futures.wait([handle._future])


def start(
    graph: Graph,
    settings: Settings | None = None,
    *,
    watch: Watch | None = None,
    watch_every: float = 0.25,
    **changes: Any,
) -> Handle:
    """Run a graph on a trio thread of its own, and return at once.

    Raises:
        GraphError: the graph cannot run.
    """
    chosen = attrs.evolve(settings or graph.settings, **changes)
    run = Run(graph.name, graph.nodes, chosen)
    manager = start_blocking_portal("trio")
    portal = manager.__enter__()

    async def execute() -> RunStats:
        return await run.execute(watch=watch, watch_every=watch_every)

    future = portal.start_task_soon(execute)
    return Handle(run, portal, partial(manager.__exit__, None, None, None), future)
