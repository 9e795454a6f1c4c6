"""Time is attributed to the node that spends it, and waiting to the side on which a node waits."""

from __future__ import annotations

import time
from typing import Any

import attrs
import pyarrow as pa
import pytest

from flow import ROUND_ROBIN, Graph, NodeStats, RunStats, Sink, Source, Split, Writer, WriterContext
from flow.source import Reader
from operators import Collect, Table
from tests.operators_for_tests import Passing

BATCHES = 40
SLOW = 0.003


@attrs.frozen
class Paced(Source):
    """Batches of one row, each after a pause."""

    pause: float = 0.0

    def schema(self) -> pa.Schema:
        return pa.schema([("n", pa.int64())])

    def splits(self) -> list[Split]:
        return [Split("only")]

    def open(self, split: Split, offset: Any = None) -> Reader:
        return _Paced(self.pause)


class _Paced(Reader):
    def __init__(self, pause: float) -> None:
        self.pause, self.count = pause, 0

    def read(self) -> pa.RecordBatch | None:
        if self.count == BATCHES:
            return None
        time.sleep(self.pause)
        self.count += 1
        return pa.record_batch({"n": [self.count]})


@attrs.frozen
class Slow(Sink):
    pause: float = 0.0

    def open(self, context: WriterContext) -> Writer:
        return _SlowWriter(self.pause)


class _SlowWriter(Writer):
    def __init__(self, pause: float) -> None:
        self.pause = pause

    def write(self, batch: pa.RecordBatch) -> None:
        time.sleep(self.pause)


def run(*, source: float = 0.0, operator: float = 0.0, sink: float = 0.0, topology: str = "prefetched") -> RunStats:
    """A run of one reader, one partition and one writer, with pauses, where little may wait between them."""
    graph = Graph("g")
    stream = graph.source("source", Paced(source)).route(ROUND_ROBIN, name="router")
    worked = stream.apply(Passing(lambda context, batch: time.sleep(operator)), name="operator", partitions=1)
    worked.sink("sink", Slow(sink))
    return graph.run(topology=topology, edge_slots=1, batch_rows=1, prefetch=1)


def shares(node: NodeStats) -> float:
    return (node.busy + node.queued + node.starved + node.blocked) / node.alive


@pytest.mark.parametrize("topology", ["serial", "routed", "prefetched"])
@pytest.mark.parametrize("slow", ["source", "operator", "sink"])
def test_who_is_slow_is_busy(topology: str, slow: str) -> None:
    stats = run(topology=topology, **{slow: SLOW})  # type: ignore[arg-type]
    nodes = {name: node for name, node in stats.nodes.items() if node.kind != "router"}
    assert max(nodes, key=lambda name: nodes[name].busy) == slow
    assert nodes[slow].busy >= BATCHES * SLOW
    for node in nodes.values():
        assert shares(node) <= 1.001, node
        assert min(node.busy, node.queued, node.starved, node.blocked) >= 0


def test_behind_a_slow_source_everybody_is_starved() -> None:
    nodes = run(source=SLOW).nodes
    for name in ("operator", "sink"):
        assert nodes[name].starved > nodes[name].busy
        assert nodes[name].starved > 10 * nodes[name].blocked


def test_before_a_slow_sink_everybody_is_blocked() -> None:
    nodes = run(sink=SLOW).nodes
    for name in ("source", "operator"):
        assert nodes[name].blocked > nodes[name].busy
        assert nodes[name].blocked > nodes[name].starved
    assert nodes["sink"].blocked == 0


def test_around_a_slow_operator_one_side_is_blocked_and_the_other_starved() -> None:
    nodes = run(operator=SLOW).nodes
    assert nodes["source"].blocked > nodes["source"].starved
    assert nodes["sink"].starved > nodes["sink"].blocked
    assert nodes["operator"].busy > nodes["operator"].starved + nodes["operator"].blocked


def test_rows_batches_and_inputs_of_every_node() -> None:
    stats = run()
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
