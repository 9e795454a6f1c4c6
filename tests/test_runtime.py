"""Whole graphs on the runtime: rows, errors, policies, drain, abort, commits."""

from __future__ import annotations

import json
import threading
from typing import Any

import attrs
import pyarrow as pa
import pytest

from flow import (
    BROADCAST,
    FORWARD,
    ROUND_ROBIN,
    Graph,
    GraphError,
    Idle,
    Partition,
    PartitionContext,
    Reader,
    Router,
    RowError,
    Split,
    StepError,
)
from flow.settings import TOPOLOGIES
from operators import Collect, Table, Tumble, agg
from tests.operators_for_tests import Endless, _EndlessReader
from tests.running import NUMBERS, Each, Recording, _Each, values


@pytest.mark.parametrize("topology", TOPOLOGIES)
@pytest.mark.parametrize("batch_rows", [1, 65_536])
def test_every_row_arrives_once_in_every_topology(topology: str, batch_rows: int) -> None:
    graph, out = Graph("g"), Collect()
    source = graph.source("numbers", Table(NUMBERS, batch_rows=1_000))
    source.key_by("key").apply(Each(lambda batch: batch), name="each", partitions=4).sink("out", out)
    stats = graph.run(topology=topology, batch_rows=batch_rows)
    assert values(out) == list(range(10_000))
    assert stats.outcome == "finished"
    assert stats.rows_in == stats.rows_out == 10_000


@pytest.mark.parametrize(("router", "copies"), [(ROUND_ROBIN, 1), (BROADCAST, 3), (FORWARD, 1)])
def test_routers(router: Router, copies: int) -> None:
    graph, out = Graph("g"), Collect()
    source = graph.source("numbers", Table(NUMBERS, batch_rows=500))
    source.route(router).apply(Each(lambda batch: batch), name="each", partitions=3).sink("out", out)
    graph.run()
    assert values(out) == sorted(list(range(10_000)) * copies)


def test_equal_keys_meet() -> None:
    partitions: dict[int, set[int]] = {}

    @attrs.frozen
    class Where(Each):
        def open(self, context: PartitionContext) -> Partition:
            def note(batch: pa.RecordBatch) -> pa.RecordBatch:
                partitions.setdefault(context.partition, set()).update(batch["key"].to_pylist())
                return batch

            return _Each(note, context)

    graph = Graph("g")
    source = graph.source("numbers", Table(NUMBERS, batch_rows=100))
    source.key_by("key").apply(Where(None), partitions=4).sink("out", Collect())
    graph.run()
    assert sum(len(keys) for keys in partitions.values()) == 7
    assert set().union(*partitions.values()) == set(range(7))


def test_two_branches_and_a_union_of_two_sources() -> None:
    graph, left, right = Graph("g"), Collect(), Collect()
    one = graph.source("one", Table(NUMBERS))
    two = graph.source("two", Table(NUMBERS))
    both = one.union(two)
    both.sink("left", left)
    both.key_by("key").apply(Each(lambda batch: batch)).sink("right", right)
    for topology in ("prefetched", "serial"):
        graph.run(topology=topology)
        assert values(left) == values(right) == sorted(list(range(10_000)) * 2)


def failing_at(value: int) -> Any:
    def check(batch: pa.RecordBatch) -> pa.RecordBatch:
        if value in batch["value"].to_pylist():
            raise ValueError(f"cannot bear {value}")
        return batch

    return check


@pytest.mark.parametrize("value", [0, 9_999])
def test_an_operator_that_raises_ends_the_run_with_node_and_cause(value: int) -> None:
    graph, sink = Graph("g"), Recording()
    source = graph.source("numbers", Table(NUMBERS, batch_rows=1_000))
    source.route(ROUND_ROBIN).apply(Each(failing_at(value)), name="picky").sink("out", sink)
    with pytest.raises(ExceptionGroup) as raised:
        graph.run()
    (error,) = raised.value.exceptions
    assert isinstance(error, StepError)
    assert error.node == "picky"
    assert error.instance.startswith("partition ")
    assert isinstance(error.cause, ValueError)
    assert f"cannot bear {value}" in str(error)
    kinds = [kind for kind, _ in sink.calls]
    assert "commit" not in kinds
    assert kinds[-2:] == ["abort", "close"]


def test_skip_gives_up_only_the_bad_rows() -> None:
    graph, out = Graph("g"), Collect()
    source = graph.source("numbers", Table(NUMBERS))
    source.apply(Each(failing_at(4_321)), name="picky", on_error="skip").sink("out", out)
    stats = graph.run()
    assert values(out) == [value for value in range(10_000) if value != 4_321]
    assert stats.nodes["picky"].skipped_rows == 1


def test_dead_letters_say_row_error_node() -> None:
    graph, out, dead = Graph("g"), Collect(), Collect()
    source = graph.source("numbers", Table(NUMBERS))
    picky = source.apply(Each(failing_at(4_321)), name="picky", on_error="dead_letter")
    picky.sink("out", out)
    picky.dead_letters.sink("dead", dead)
    stats = graph.run()
    assert len(values(out)) == 9_999
    (letter,) = dead.table().to_pylist()
    assert letter["row"] == '{"key": 2, "value": 4321}'
    assert letter["node"] == "picky"
    assert "cannot bear 4321" in letter["error"]
    assert stats.nodes["picky"].dead_letters == 1


def test_dead_letters_need_somewhere_to_go() -> None:
    graph = Graph("g")
    source = graph.source("numbers", Table(NUMBERS))
    source.apply(Each(failing_at(1)), name="picky", on_error="dead_letter").sink("out", Collect())
    with pytest.raises(GraphError, match="'picky' has on_error='dead_letter', but nothing reads its dead letters"):
        graph.run()


def test_a_reader_of_other_columns_than_announced_is_an_error() -> None:
    @attrs.frozen
    class Liar(Endless):
        def schema(self) -> pa.Schema:
            return pa.schema([("value", pa.string())])

    graph = Graph("g")
    graph.source("liar", Liar()).sink("out", Collect())
    with pytest.raises(ExceptionGroup) as raised:
        graph.run()
    assert "the reader returned the columns value int64, not value string" in str(raised.value.exceptions[0])


def test_rejected_rows_of_a_source_are_dead_letters() -> None:
    @attrs.frozen
    class Torn(Endless):
        def open(self, split: Split, offset: Any = None) -> Reader:
            class Tears(_EndlessReader):
                def read(self) -> pa.RecordBatch | None:  # type: ignore[override]
                    if self.count == 3:
                        return None
                    self.reject("1,2", "too many columns", {"line": 7})
                    return super().read()  # type: ignore[return-value]

            return Tears(None)

    graph, out, dead = Graph("g"), Collect(), Collect()
    source = graph.source("torn", Torn(), on_error="dead_letter")
    source.sink("out", out)
    source.dead_letters.sink("dead", dead)
    graph.run()
    assert values(out) == [1, 2, 3]
    letters = dead.table().to_pylist()
    assert [json.loads(letter["offset"]) for letter in letters] == [
        {"source": "torn", "split": "0", "offset": {"line": 7}}
    ] * 3

    graph = Graph("g")
    graph.source("torn", Torn()).sink("out", Collect())
    with pytest.raises(ExceptionGroup) as raised:
        graph.run()
    (error,) = raised.value.exceptions
    assert isinstance(error.cause, RowError)
    assert error.offset == {"line": 7}


def test_zero_splits_and_zero_rows_end_at_once() -> None:
    @attrs.frozen
    class Nothing(Endless):
        def splits(self) -> list[Split]:
            return []

    for source in (Nothing(), Table(NUMBERS.slice(0, 0))):
        graph, out = Graph("g"), Collect()
        graph.source("none", source).route(ROUND_ROBIN).apply(Each(lambda batch: batch)).sink("out", out)
        assert graph.run().rows_out == 0
        assert out.table().num_rows == 0


def test_no_thread_is_left_in_a_kernel() -> None:
    before = threading.active_count()
    graph = Graph("g")
    graph.source("numbers", Table(NUMBERS)).key_by("key").apply(Each(lambda batch: batch)).sink("out", Collect())
    graph.run()
    idle = [thread for thread in threading.enumerate() if not thread.daemon]
    assert len(idle) <= before


def test_watch_sees_the_end() -> None:
    graph, seen = Graph("g"), []
    graph.source("numbers", Table(NUMBERS)).sink("out", Collect())
    graph.run(watch=seen.append)
    assert seen[-1].outcome == "finished"
    assert seen[-1].rows_out == 10_000


@pytest.mark.parametrize("topology", ["serial", "prefetched"])
def test_late_rows_and_results_go_their_own_ways(topology: str) -> None:
    @attrs.frozen
    class Events(Endless):
        def schema(self) -> pa.Schema:
            return pa.schema([("t", pa.timestamp("s")), ("value", pa.int64())])

        def open(self, split: Split, offset: Any = None) -> Reader:
            class OneByOne(_EndlessReader):
                def read(self) -> pa.RecordBatch | Idle | None:  # type: ignore[override]
                    answer = super().read()
                    if isinstance(answer, Idle) or self.count > 4:
                        return answer if isinstance(answer, Idle) else None
                    time_ = [0, 130, 10, 200][self.count - 1]
                    return pa.record_batch([pa.array([time_], pa.timestamp("s")), answer[0]], ["t", "value"])

            return OneByOne(0.0)

    graph, out, late = Graph("g"), Collect(), Collect()
    source = graph.source("events", Events(), event_time="t")
    sums = source.aggregate(window=Tumble("t", "1 minute"), total=agg.sum("value"))
    sums.sink("out", out)
    sums.late.sink("late", late)
    stats = graph.run(topology=topology, readers=1)
    assert out.table().sort_by("window_start")["total"].to_pylist() == [1, 2, 4]
    assert late.table()["value"].to_pylist() == [3]
    assert sum(node.late_rows for node in stats.nodes.values()) == 1
