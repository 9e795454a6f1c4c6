"""Runs on a thread of their own: from a plain thread, from asyncio, as a context manager; and nothing stays behind."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import attrs
import pyarrow as pa
import pytest
import trio

import flow
from flow import Graph, GraphError, Handle, Idle, Reader, Source, Split, StepError
from operators import Collect, Table
from tests.operators_for_tests import Passing


@attrs.frozen
class Waiting(Source):
    """One row, then silence until the event is set, then the end."""

    go_on: threading.Event = attrs.field(factory=threading.Event)

    def schema(self) -> pa.Schema:
        return pa.schema([("value", pa.int64())])

    def splits(self) -> list[Split]:
        return [Split("only")]

    def open(self, split: Split, offset: Any = None) -> Reader:
        return _WaitingReader(self.go_on)


class _WaitingReader(Reader):
    def __init__(self, go_on: threading.Event) -> None:
        self.go_on, self.first = go_on, True

    def read(self) -> pa.RecordBatch | Idle | None:
        if self.first:
            self.first = False
            return pa.record_batch({"value": [1]})
        return None if self.go_on.is_set() else Idle(0.001)


def waiting() -> tuple[Graph, threading.Event, Collect]:
    graph, source, out = Graph("g"), Waiting(), Collect()
    graph.source("rows", source).sink("out", out)
    return graph, source.go_on, out


def finite() -> tuple[Graph, Collect]:
    graph, out = Graph("g"), Collect()
    graph.source("rows", Table({"value": [1, 2, 3]})).sink("out", out)
    return graph, out


def failing() -> Graph:
    def fail(context: Any, batch: pa.RecordBatch) -> None:
        raise ValueError("no")

    graph = Graph("g")
    graph.source("rows", Table({"value": [1]})).apply(Passing(fail), name="bad").sink("out", Collect())
    return graph


def until_read(handle: Handle) -> None:
    """Returns when the source has read its row."""
    while not handle.stats().rows_in:
        time.sleep(0.001)


def test_from_a_plain_thread() -> None:
    graph, go_on, out = waiting()
    outcomes: list[str] = []

    def elsewhere() -> None:
        handle = flow.start(graph)
        assert not handle.done
        go_on.set()
        outcomes.append(handle.wait(30).outcome)
        assert handle.done

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join(30)
    assert outcomes == ["finished"]
    assert out.rows == [{"value": 1}]


def test_waiting_for_no_longer_than_asked_leaves_the_run_alone() -> None:
    graph, go_on, _ = waiting()
    handle = flow.start(graph)
    with pytest.raises(TimeoutError):
        handle.wait(0.001)
    assert not handle.done
    go_on.set()
    assert handle.wait(30).rows_out == 1


def test_nothing_is_left_of_a_run_that_was_waited_for() -> None:
    graph, _ = finite()
    flow.start(graph).wait(30)
    before = {thread.name for thread in threading.enumerate()}
    for _ in range(3):
        flow.start(graph).wait(30)
        with pytest.raises(ExceptionGroup):
            flow.start(failing()).wait(30)
    after = {thread.name for thread in threading.enumerate()}
    # Trio keeps the threads of its pool for a while, for whoever needs one next.
    assert {name for name in after - before if not name.startswith("Trio thread")} == set()


def test_nothing_is_left_of_a_run_that_nobody_waited_for() -> None:
    before = set(threading.enumerate())
    graph, go_on, _ = waiting()
    handle = flow.start(graph)
    new = [thread for thread in threading.enumerate() if thread not in before]
    own = [thread for thread in new if thread.name.startswith("close ") or "portal" in thread.name]
    assert len(own) == 2
    go_on.set()
    for thread in own:
        thread.join(60)
    assert handle.done
    assert not [thread.name for thread in own if thread.is_alive()]


def test_from_asyncio_without_blocking_its_loop() -> None:
    graph, go_on, out = waiting()

    async def program() -> str:
        handle = flow.start(graph)
        async with asyncio.timeout(30):
            waiter = asyncio.create_task(handle.wait_async())
            await asyncio.to_thread(until_read, handle)
            assert not waiter.done()
            go_on.set()
            return (await waiter).outcome

    assert asyncio.run(program()) == "finished"
    assert out.rows == [{"value": 1}]


def test_a_waiter_that_is_cancelled_leaves_the_run_alone() -> None:
    graph, go_on, _ = waiting()
    handle = flow.start(graph)

    async def impatient() -> None:
        with trio.move_on_after(0.01) as scope:
            await handle.wait_async()
        assert scope.cancelled_caught

    trio.run(impatient)
    assert not handle.done
    go_on.set()
    assert handle.wait(30).outcome == "finished"


def test_errors_come_out_of_wait_as_one_flat_group() -> None:
    handle = flow.start(failing())
    with pytest.raises(ExceptionGroup) as raised:
        handle.wait(30)
    (error,) = raised.value.exceptions
    assert isinstance(error, StepError)
    assert error.node == "bad"
    with pytest.raises(ExceptionGroup):
        handle.wait(30)


def test_as_a_context_manager_it_waits() -> None:
    graph, out = finite()
    with flow.start(graph) as handle:
        assert isinstance(handle, Handle)
    assert handle.done
    assert handle.stats().outcome == "finished"
    assert out.table().num_rows == 3


def raise_inside(handle: Handle) -> None:
    with handle:
        raise KeyError("mine")


def test_as_a_context_manager_it_aborts_where_the_block_raises() -> None:
    handle = flow.start(waiting()[0])
    with pytest.raises(KeyError, match="mine"):
        raise_inside(handle)
    assert handle.stats().outcome == "aborted"


def test_a_block_that_raises_is_not_hidden_by_the_run_s_own_failure() -> None:
    handle = flow.start(failing())
    while not handle.done:
        time.sleep(0.001)
    with pytest.raises(KeyError, match="mine") as raised:
        raise_inside(handle)
    (note,) = raised.value.__notes__
    assert note.startswith("the run of 'g' failed, too: 'bad' (partition 0")


def test_drain_commits_what_was_read() -> None:
    graph, _, out = waiting()
    handle = flow.start(graph)
    until_read(handle)
    handle.drain()
    assert handle.wait(60).outcome == "drained"
    assert out.rows == [{"value": 1}]


def test_abort_commits_nothing() -> None:
    graph, _, out = waiting()
    handle = flow.start(graph)
    until_read(handle)
    handle.abort()
    assert handle.wait(30).outcome == "aborted"
    assert out.rows == []


def test_asking_a_run_that_has_ended_is_no_error() -> None:
    graph, _ = finite()
    handle = flow.start(graph)
    assert handle.wait(30).outcome == "finished"
    handle.drain()
    handle.abort()
    assert handle.wait(30).outcome == "finished"
    assert handle.stats().rows_out == 3


def test_what_cannot_run_is_refused_at_once() -> None:
    before = set(threading.enumerate())
    with pytest.raises(GraphError, match="no sink"):
        flow.start(Graph("empty"))
    assert set(threading.enumerate()) <= before


async def test_run_is_awaited_under_trio() -> None:
    graph, out = finite()
    stats = await flow.run(graph, flow.Settings(partitions=3), topology="serial")
    assert (stats.outcome, stats.topology) == ("finished", "serial")
    assert out.table().num_rows == 3
