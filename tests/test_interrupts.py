"""Interrupts: at moments of real programs, and at chosen points of a run; and what any run leaves behind."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import trio

import flow
import flow.kernels
from flow import Graph, Sink, Split, Writer, WriterContext
from flow.runtime import Run
from operators import Callback, Collect, Parquet, Table
from tests.bench.interrupts import JOBS, ROOT, interrupt
from tests.operators_for_tests import Endless, Passing

# Moments of the run; those of the start-up, which belong to Python until our code is loaded, are left to the benchmark.
MOMENTS = [
    ("python", 0.0, None, signal.SIGINT, True),
    ("epochs", 0.3, None, signal.SIGTERM, True),
    ("epochs", 0.2, 0.01, signal.SIGINT, True),
    ("display", 0.1, 0.05, signal.SIGINT, True),
    ("script", 0.05, None, signal.SIGTERM, True),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "delay", "second", "number", "running"), MOMENTS)
def test_programs_end_soon_and_leave_whole_files_only(
    name: str, delay: float, second: float | None, number: int, running: bool
) -> None:
    job = JOBS[name]
    if job.command:  # how long it takes to finish what was read when the signal came depends on the machine
        job = attrs.evolve(job, arguments=(*job.arguments, "--grace", "60s"))
    trial = interrupt(job, delay, second, number, running=running, within=60.0)
    assert trial.wrong == []


class Told:
    """What a run was told, as events that other threads can wait for."""

    def __init__(self) -> None:
        self.drain = threading.Event()
        self.abort = threading.Event()


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    noted = Told()

    def noting(event: threading.Event, method: Callable[[Run], None]) -> Callable[[Run], None]:
        def both(run: Run) -> None:
            method(run)
            event.set()

        return both

    monkeypatch.setattr(Run, "drain", noting(noted.drain, Run.drain))
    monkeypatch.setattr(Run, "abort", noting(noted.abort, Run.abort))
    return noted


@pytest.fixture(autouse=True)
def _handlers_are_given_back() -> Iterator[None]:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    yield
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def send(number: int = signal.SIGINT) -> None:
    os.kill(os.getpid(), number)


class Once:
    """A function over batches that interrupts the run while it works on the first one with rows."""

    def __init__(self, interruption: Callable[[], object]) -> None:
        self.interruption, self.done = interruption, False

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        if batch.num_rows and not self.done:
            self.done = True
            self.interruption()
        return batch


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_a_kernel_works_lets_it_finish(told: Told, number: int) -> None:
    graph, out = Graph("g"), Collect()
    kernel = Once(lambda: (send(number), told.drain.wait(30)))
    graph.source("rows", Endless(pause=0.0005)).map_batches(kernel, name="slow").sink("out", out)
    stats = graph.run()
    assert stats.outcome == "drained"
    assert out.table().num_rows == stats.rows_in > 0


def test_a_signal_while_a_sink_writes_lets_everything_be_written(told: Told) -> None:
    graph = Graph("g")
    rows: list[int] = []
    write = Once(lambda: (send(), told.drain.wait(30)))
    graph.source("rows", Endless(pause=0.0005)).sink(
        "out", Callback(lambda batch: rows.extend(write(batch)["value"].to_pylist()))
    )
    stats = graph.run()
    assert stats.outcome == "drained"
    assert len(rows) == stats.rows_in > 0


@pytest.mark.parametrize("settings", [{"grace": 0.0}, {}])
def test_an_abort_shows_nothing_that_was_not_committed(
    tmp_path: Path, told: Told, monkeypatch: pytest.MonkeyPatch, settings: dict[str, float]
) -> None:
    monkeypatch.setattr(flow.kernels, "SETTLE", 0.01)
    release = threading.Event()

    def twice() -> None:
        send()
        told.drain.wait(30)
        if not settings:
            send()
            told.abort.wait(30)
        release.wait(30)

    graph = Graph("g")
    graph.source("rows", Endless(pause=0.0005)).map_batches(Once(twice), name="stuck").sink(
        "out", Parquet(str(tmp_path))
    )
    outcomes: list[str] = []
    try:
        with pytest.raises(KeyboardInterrupt, match="'g' was aborted"):
            # Only the last call: one that is under way at the abort could be abandoned before it comes back.
            graph.run(watch=lambda stats: outcomes.append(stats.outcome), watch_every=3_600.0, **settings)
    finally:
        release.set()
    assert outcomes[-1] == "aborted"
    assert list(tmp_path.iterdir()) == []


@attrs.frozen
class Committing(Sink):
    """Calls a function at the first commit."""

    first: Callable[[], object]
    committed: list[int] = attrs.field(factory=list)

    def open(self, context: WriterContext) -> Writer:
        return _CommittingWriter(self, context.writer)


class _CommittingWriter(Writer):
    def __init__(self, sink: Committing, number: int) -> None:
        self.sink, self.number = sink, number

    def write(self, batch: pa.RecordBatch) -> None:
        pass

    def commit(self, epoch: int) -> None:
        if not self.sink.committed:
            self.sink.committed.append(self.number)
            self.sink.first()
        else:
            self.sink.committed.append(self.number)


def test_an_epoch_that_one_writer_commits_is_committed_by_all(told: Told) -> None:
    def abort() -> None:
        send()
        told.drain.wait(30)
        send()
        told.abort.wait(30)

    graph, sink = Graph("g"), Committing(abort)
    graph.source("rows", Table({"value": [1]})).sink("out", sink, writers=3)
    assert graph.run().outcome == "drained"
    assert sorted(sink.committed) == [0, 1, 2]


def test_a_signal_before_the_run_begins_is_a_keyboard_interrupt(tmp_path: Path) -> None:
    class Interrupted(Table):
        def splits(self) -> list[Split]:
            signal.raise_signal(signal.SIGTERM)
            return list(super().splits())

    graph = Graph("g")
    graph.source("rows", Interrupted({"value": [1]})).sink("out", Parquet(str(tmp_path / "out")))
    with pytest.raises(KeyboardInterrupt):
        graph.run()
    assert not (tmp_path / "out").exists()


def test_signals_after_the_end_are_ignored() -> None:
    graph, out = Graph("g"), Collect()
    graph.source("rows", Table({"value": [1, 2]})).sink("out", out)

    def at_the_end(stats: flow.RunStats) -> None:
        if stats.outcome == "finished":
            for number in (signal.SIGINT, signal.SIGTERM):
                send(number)

    assert graph.run(watch=at_the_end).outcome == "finished"
    assert out.table().num_rows == 2


def test_a_run_on_another_thread_leaves_the_signals_alone() -> None:
    before = signal.getsignal(signal.SIGINT)
    seen: list[Any] = []
    graph = Graph("g")
    graph.source("rows", Table({"value": [1]})).sink("out", Callback(lambda _: seen.append(signal.getsignal(2))))
    thread = threading.Thread(target=graph.run)
    thread.start()
    thread.join(30)
    assert seen == [before]


def interrupting(started: threading.Event) -> Graph:
    """Interrupts the program, not the run, once the run goes and somebody waits for it."""
    graph = Graph("g")
    kernel = Once(lambda: (started.wait(30), send()))
    graph.source("rows", Endless(pause=0.0005)).map_batches(kernel, name="k").sink("out", Collect())
    return graph


def wait_in_a_block(graph: Graph, handles: list[flow.Handle]) -> None:
    with flow.start(graph) as handle:
        handles.append(handle)


def test_a_block_around_a_run_that_is_interrupted_aborts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    started, handles = threading.Event(), []
    wait = flow.Handle.wait

    def noted(handle: flow.Handle, timeout: float | None = None) -> flow.RunStats:
        started.set()
        return wait(handle, timeout)

    monkeypatch.setattr(flow.Handle, "wait", noted)
    with pytest.raises(KeyboardInterrupt):
        wait_in_a_block(interrupting(started), handles)
    assert handles[0].stats().outcome == "aborted"


def test_an_asyncio_program_that_is_interrupted_aborts_its_run() -> None:
    started = threading.Event()
    graph, handles = interrupting(started), []

    async def program() -> None:
        with flow.start(graph) as handle:
            handles.append(handle)
            asyncio.get_running_loop().call_soon(started.set)
            await handle.wait_async()

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(program())
    assert handles[0].stats().outcome == "aborted"
    assert not [
        thread for thread in threading.enumerate() if not thread.daemon and thread is not threading.main_thread()
    ]


def test_a_trio_program_that_is_interrupted_twice_still_closes_its_run(tmp_path: Path) -> None:
    graph = Graph("g")
    kernel = Once(send)
    graph.source("rows", Endless(pause=0.0005)).map_batches(kernel, name="k").sink("out", Parquet(str(tmp_path)))
    with pytest.raises(KeyboardInterrupt):
        trio.run(flow.run, graph)
    assert list(tmp_path.iterdir()) == []


def fail(context: Any, batch: pa.RecordBatch) -> None:
    raise ValueError("no")


def one_run(folder: Path, *, failing: bool) -> None:
    graph = Graph("g")
    stream = graph.source("rows", Table({"key": [1, 2, 3], "value": [1.0, 2.0, 3.0]})).key_by("key")
    if failing:
        stream = stream.apply(Passing(fail), name="bad")
    stream.sink("out", Parquet(str(folder), overwrite=True), writers=2)
    if failing:
        with pytest.raises(ExceptionGroup):
            graph.run(partitions=2)
    else:
        assert graph.run(partitions=2).outcome == "finished"


def resident() -> int:
    """Bytes of memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="there is no /proc to look at")
def test_runs_leave_no_thread_no_open_file_and_no_memory(tmp_path: Path) -> None:
    for _ in range(10):
        one_run(tmp_path, failing=False)
        one_run(tmp_path, failing=True)
    gc.collect()
    files, memory, arrow = len(os.listdir("/proc/self/fd")), resident(), pa.total_allocated_bytes()
    for number in range(50):
        one_run(tmp_path, failing=number % 2 == 1)
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) == files
    # Threads of trio's pool are daemons, and stay for a while for whoever needs one next.
    assert [thread for thread in threading.enumerate() if not thread.daemon] == [threading.main_thread()]
    assert pa.total_allocated_bytes() == arrow
    assert resident() - memory < 8 << 20
    assert all(pq.read_table(part).num_rows for part in tmp_path.iterdir())


def test_a_watch_that_never_returns_does_not_keep_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow.kernels, "SETTLE", 0.01)
    release, called = threading.Event(), threading.Event()

    def stuck(stats: flow.RunStats) -> None:
        called.set()
        release.wait(30)

    graph = Graph("g")
    graph.source("rows", Table({"value": [1]})).map_batches(Once(lambda: called.wait(30)), name="k").sink(
        "o", Collect()
    )
    try:
        assert graph.run(watch=stuck, watch_every=0.001).outcome == "finished"
    finally:
        release.set()


FORGETFUL = """
import time
import flow
from flow import Sink, Writer
from tests.operators_for_tests import Endless

class Closing(Sink):
    def open(self, context):
        return ClosingWriter()

class ClosingWriter(Writer):
    def write(self, batch):
        pass

    def abort(self):
        print("aborted")

    def close(self):
        print("closed")

graph = flow.Graph("g")
graph.source("rows", Endless(pause=0.0005)).sink("out", Closing())
handle = flow.start(graph)
while not handle.stats().rows_in:
    time.sleep(0.001)
"""


@pytest.mark.slow
def test_a_program_that_ends_before_its_run_aborts_it() -> None:
    command = [sys.executable, "-c", FORGETFUL]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "aborted\nclosed\n", "")
