"""Whole graphs on the runtime: commits, drain, abort, cancelling, and a sink that is slow."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import attrs
import pyarrow as pa
import pytest
import trio

import flow
from flow import (
    ROUND_ROBIN,
    Graph,
    NodeStats,
    StepError,
    Writer,
    WriterContext,
)
from operators import Collect, Table
from tests.operators_for_tests import Endless
from tests.running import NUMBERS, Each, Recording, _Recorder, until


@pytest.mark.parametrize("fails", ["write", "prepare", "commit"])
def test_a_sink_that_fails_fails_the_run(fails: str) -> None:
    graph, sink = Graph("g"), Recording(fails=fails)
    graph.source("numbers", Table(NUMBERS)).sink("out", sink)
    with pytest.raises(ExceptionGroup) as raised:
        graph.run()
    (error,) = raised.value.exceptions
    assert isinstance(error, StepError)
    assert (error.node, error.instance) == ("out", "writer 0")
    assert [kind for kind, _ in sink.calls][-2:] == ["abort", "close"]


def test_two_sinks_commit_together_after_both_have_prepared() -> None:
    calls: list[Any] = []
    graph = Graph("g")
    source = graph.source("numbers", Table(NUMBERS))
    source.sink("one", Recording(calls))
    source.sink("two", Recording(calls))
    graph.run()
    kinds = [kind for kind, _ in calls if kind in ("prepare", "commit")]
    assert kinds == ["prepare", "prepare", "commit", "commit"]


def test_nothing_is_committed_where_one_sink_cannot_prepare() -> None:
    good = Recording()
    graph = Graph("g")
    source = graph.source("numbers", Table(NUMBERS))
    source.sink("good", good)
    source.sink("bad", Recording(fails="prepare"))
    with pytest.raises(ExceptionGroup):
        graph.run()
    assert "commit" not in [kind for kind, _ in good.calls]


def test_epochs_commit_while_the_run_goes_on() -> None:
    graph, sink = Graph("g"), Recording()
    graph.source("endless", Endless(pause=0.001, parts=2)).sink("out", sink)
    handle = flow.start(graph, commit_every=0.01, grace=60.0)
    until(lambda: len([kind for kind, _ in sink.calls if kind == "commit"]) >= 3)
    handle.drain()
    stats = handle.wait(60)
    epochs = [epoch for kind, epoch in sink.calls if kind == "commit"]
    assert epochs[:3] == [1, 2, 3]
    assert stats.outcome == "drained"
    written = sum(rows for kind, rows in sink.calls if kind == "write")
    assert written == stats.rows_in > 0
    kinds = [kind for kind, _ in sink.calls]
    assert "write" not in kinds[len(kinds) - kinds[::-1].index("commit") :]


def test_drain_finishes_what_was_read() -> None:
    graph, out = Graph("g"), Collect()
    source = graph.source("endless", Endless(parts=3))
    source.route(ROUND_ROBIN).apply(Each(lambda batch: batch), partitions=2).sink("out", out)
    handle = flow.start(graph, grace=60.0)
    until(lambda: handle.stats().rows_out >= 1_000)
    handle.drain()
    stats = handle.wait(60)
    assert stats.outcome == "drained"
    assert out.table().num_rows == stats.rows_in >= 1_000


def test_abort_removes_what_was_not_committed() -> None:
    graph, sink = Graph("g"), Recording()
    graph.source("endless", Endless()).sink("out", sink)
    handle = flow.start(graph)
    until(lambda: bool(sink.calls))
    handle.abort()
    assert handle.wait(30).outcome == "aborted"
    assert [kind for kind, _ in sink.calls][-2:] == ["abort", "close"]


def test_a_drain_that_takes_longer_than_the_grace_period_becomes_an_abort() -> None:
    release = threading.Event()
    graph, sink = Graph("g"), Recording()

    def block(batch: pa.RecordBatch) -> pa.RecordBatch:
        release.wait(60)
        return batch

    async def until_aborted(row: dict[str, Any]) -> None:
        try:
            await trio.sleep_forever()
        finally:
            release.set()

    graph.source("endless", Endless()).route(ROUND_ROBIN).apply(Each(block), partitions=1).sink("out", sink)
    graph.source("one", Table({"value": [1]})).map_async(until_aborted, name="call").sink("nowhere", Collect())
    handle = flow.start(graph, grace=0.05)
    until(lambda: handle.stats().nodes["endless"].rows_out > 0 and handle.stats().nodes["call"].rows_in > 0)
    handle.drain()
    assert handle.wait(60).outcome == "aborted"
    assert "commit" not in [kind for kind, _ in sink.calls]


async def test_cancelling_the_caller_aborts() -> None:
    graph, sink = Graph("g"), Recording()
    graph.source("endless", Endless(pause=0.01)).sink("out", sink)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(flow.run, graph)
        while not sink.calls:  # noqa: ASYNC110
            await trio.sleep(0.001)
        nursery.cancel_scope.cancel()
    assert nursery.cancel_scope.cancelled_caught
    assert [kind for kind, _ in sink.calls][-2:] == ["abort", "close"]


def test_a_slow_sink_holds_back_a_fast_source() -> None:
    release = threading.Event()
    graph = Graph("g")
    source = graph.source("endless", Endless(pause=0.0))

    @attrs.frozen
    class Slow(Recording):
        def open(self, context: WriterContext) -> Writer:
            class Waits(_Recorder):
                def write(self, batch: pa.RecordBatch) -> None:
                    release.wait(60)

            return Waits(self)

    source.sink("slow", Slow())
    graph.source("free", Endless(pause=0.0)).sink("fast", Recording())
    handle = flow.start(graph, edge_slots=2, prefetch=1, batch_rows=1)

    def settled(nodes: Mapping[str, NodeStats]) -> bool:
        return nodes["endless"].rows_in >= 2 and nodes["slow"].queue_fill > 0 and nodes["free"].rows_in >= 100

    until(lambda: settled(handle.stats().nodes))
    nodes = handle.stats().nodes
    assert 2 <= nodes["endless"].rows_in <= 12
    assert 0 < nodes["slow"].queue_fill <= 1
    handle.abort()
    release.set()
    assert handle.wait(60).nodes["endless"].blocked > 0
