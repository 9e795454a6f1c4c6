"""Time is attributed to the node that spends it, and waiting to the side on which a node waits."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import attrs
import pyarrow as pa
import pytest

import flow
from flow import ROUND_ROBIN, Graph, NodeStats, RunStats, Sink, Source, Split, Writer, WriterContext
from flow.source import Reader
from operators import Collect, Table
from tests.operators_for_tests import Passing

BATCHES = 120


class Pauses:
    """Pauses of 3 ms and each a twentieth longer, so that what a loaded machine adds is outweighed before they end."""

    def __init__(self) -> None:
        self._seconds = 0.003

    def __call__(self) -> None:
        time.sleep(self._seconds)
        self._seconds *= 1.05


def nothing() -> None:
    """No pause."""


@attrs.frozen
class Paced(Source):
    """Batches of one row, each after a pause."""

    pause: Callable[[], None] = nothing

    def schema(self) -> pa.Schema:
        return pa.schema([("n", pa.int64())])

    def splits(self) -> list[Split]:
        return [Split("only")]

    def open(self, split: Split, offset: Any = None) -> Reader:
        return _Paced(self.pause)


class _Paced(Reader):
    def __init__(self, pause: Callable[[], None]) -> None:
        self.pause, self.count = pause, 0

    def read(self) -> pa.RecordBatch | None:
        if self.count == BATCHES:
            return None
        self.pause()
        self.count += 1
        return pa.record_batch({"n": [self.count]})


@attrs.frozen
class Slow(Sink):
    pause: Callable[[], None] = nothing

    def open(self, context: WriterContext) -> Writer:
        return _SlowWriter(self.pause)


class _SlowWriter(Writer):
    def __init__(self, pause: Callable[[], None]) -> None:
        self.pause = pause

    def write(self, batch: pa.RecordBatch) -> None:
        self.pause()


Nodes = Mapping[str, NodeStats]


def pipeline(slow: str = "") -> Graph:
    """One reader, one partition and one writer, one of which pauses at every batch."""
    pauses = {name: Pauses() if name == slow else nothing for name in ("source", "operator", "sink")}
    graph = Graph("g")
    stream = graph.source("source", Paced(pauses["source"])).route(ROUND_ROBIN, name="router")
    worked = stream.apply(Passing(lambda context, batch: pauses["operator"]()), name="operator", partitions=1)
    worked.sink("sink", Slow(pauses["sink"]))
    return graph


def holds(slow: str, expected: Callable[[Nodes], bool], topology: str = "prefetched") -> RunStats:
    """Run until the statistics are as expected, which they must be before the pauses have ended.

    The figures are wall time: how soon one outweighs another depends on what else the machine does; that it does must
    not. Little may wait between the nodes.
    """
    handle = flow.start(pipeline(slow), topology=topology, edge_slots=1, batch_rows=1, prefetch=1)
    for _ in range(2_000):
        if seen := expected(handle.stats().nodes):
            break
        time.sleep(0.02)
    handle.drain()
    stats = handle.wait(60)
    assert seen, stats.nodes
    return stats


def shares(node: NodeStats) -> float:
    return (node.busy + node.queued + node.starved + node.blocked) / node.alive


@pytest.mark.parametrize("topology", ["serial", "routed", "prefetched"])
@pytest.mark.parametrize("slow", ["source", "operator", "sink"])
def test_who_is_slow_is_busy(topology: str, slow: str) -> None:
    def busiest(nodes: Nodes) -> bool:
        return all(nodes[slow].busy > node.busy for node in nodes.values() if node.name not in (slow, "router"))

    for node in holds(slow, busiest, topology).nodes.values():
        assert shares(node) <= 1.001, node
        assert min(node.busy, node.queued, node.starved, node.blocked) >= 0


def test_behind_a_slow_source_everybody_is_starved() -> None:
    def starved(node: NodeStats) -> bool:
        return node.starved > node.busy and node.starved > 5 * node.blocked

    holds("source", lambda nodes: starved(nodes["operator"]) and starved(nodes["sink"]))


def test_before_a_slow_sink_everybody_is_blocked() -> None:
    def blocked(node: NodeStats) -> bool:
        return node.blocked > node.busy + node.starved

    stats = holds("sink", lambda nodes: blocked(nodes["source"]) and blocked(nodes["operator"]))
    assert stats.nodes["sink"].blocked == 0


def test_around_a_slow_operator_one_side_is_blocked_and_the_other_starved() -> None:
    def around(nodes: Nodes) -> bool:
        source, operator, sink = (nodes[name] for name in ("source", "operator", "sink"))
        waits = operator.starved + operator.blocked
        return source.blocked > source.starved and sink.starved > sink.blocked and operator.busy > waits

    holds("operator", around)


def test_rows_batches_and_inputs_of_every_node() -> None:
    stats = pipeline().run(edge_slots=1, batch_rows=1, prefetch=1)
    assert list(stats.nodes) == ["source", "router", "operator", "sink"]
    assert [(node.rows_in, node.rows_out) for node in stats.nodes.values()][1:3] == [(BATCHES, BATCHES)] * 2
    assert (stats.rows_in, stats.rows_out) == (BATCHES, BATCHES)
    assert [node.inputs for node in stats.nodes.values()] == [(), ("source",), ("router",), ("operator",)]
    assert (stats.nodes["source"].splits, stats.nodes["source"].splits_done) == (1, 1)
    assert stats.nodes["router"].chain == "source"


def test_instances_are_summed_and_shown_apart() -> None:
    graph = Graph("g")
    stream = graph.source("source", Table({"n": list(range(300))}, batch_rows=1)).route(ROUND_ROBIN)
    stream.apply(Passing(), name="operator", partitions=3).sink("sink", Collect())
    node = graph.run().nodes["operator"]
    assert node.instances == len(node.instance_busy) == 3
    assert node.busy == pytest.approx(sum(node.instance_busy))
    assert node.rows_in == 300


def test_figures_stay_as_they_are_after_the_end() -> None:
    seen: list[RunStats] = []
    graph = Graph("g")
    graph.source("source", Paced()).sink("sink", Slow())
    stats = graph.run(watch=seen.append)
    assert seen[-1] == stats
    assert 0 <= stats.loop_busy <= stats.seconds
    assert stats.cpu_seconds > 0
