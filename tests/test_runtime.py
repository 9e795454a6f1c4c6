"""Whole graphs on the runtime: rows, errors, policies, drain, abort, commits."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs
import numpy as np
import pyarrow as pa
import pytest
import trio

import flow
from flow import (
    BROADCAST,
    FORWARD,
    ROUND_ROBIN,
    Graph,
    GraphError,
    Idle,
    NodeStats,
    Operator,
    Partition,
    PartitionContext,
    Reader,
    Router,
    RowError,
    Sink,
    Source,
    Split,
    StepError,
    StreamSchema,
    Writer,
    WriterContext,
)
from flow.settings import TOPOLOGIES
from operators import Collect, Table, Tumble, agg

NUMBERS = pa.table({"key": np.arange(10_000) % 7, "value": np.arange(10_000)})


@attrs.frozen
class Each(Operator):
    """Calls a function on each batch."""

    function: Any
    stateless = True

    def output(self, inputs: Any) -> StreamSchema:
        return inputs["in"]

    def open(self, context: PartitionContext) -> Partition:
        return _Each(self.function, context)


class _Each(Partition):
    def __init__(self, function: Any, context: PartitionContext) -> None:
        self.function, self.context = function, context

    def on_batch(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        yield self.function(batch)


@attrs.frozen
class Endless(Source):
    """Counts for ever, as fast as it is read; `pause` makes it idle after each batch."""

    pause: float | None = None
    parts: int = 1
    unbounded = True

    def schema(self) -> pa.Schema:
        return pa.schema([("value", pa.int64())])

    def splits(self) -> list[Split]:
        return [Split(str(number)) for number in range(self.parts)]

    def open(self, split: Split, offset: Any = None) -> Reader:
        return _EndlessReader(self.pause)


class _EndlessReader(Reader):
    def __init__(self, pause: float | None) -> None:
        self.pause, self.count, self.turn = pause, 0, False

    def read(self) -> pa.RecordBatch | Idle:
        self.turn = not self.turn
        if self.pause is not None and not self.turn:
            return Idle(self.pause)
        self.count += 1
        return pa.record_batch({"value": [self.count]})

    def offset(self) -> int:
        return self.count


@attrs.frozen
class Recording(Sink):
    """Writes down the calls that its writers get."""

    calls: list[Any] = attrs.field(factory=list, eq=False)
    fails: str = ""
    takes_changes = True

    def open(self, context: WriterContext) -> Writer:
        return _Recorder(self)


class _Recorder(Writer):
    def __init__(self, sink: Recording) -> None:
        self.sink = sink

    def note(self, what: str, value: Any = None) -> None:
        self.sink.calls.append((what, value))
        if self.sink.fails == what:
            raise OSError(f"no {what} today")

    def write(self, batch: pa.RecordBatch) -> None:
        self.note("write", batch.num_rows)

    def prepare(self, epoch: int) -> None:
        self.note("prepare", epoch)

    def commit(self, epoch: int) -> None:
        self.note("commit", epoch)

    def abort(self) -> None:
        self.note("abort")

    def close(self) -> None:
        self.note("close")


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds, which it must within 60 s."""
    limit = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < limit
        time.sleep(0.001)


def values(out: Collect) -> list[int]:
    return sorted(out.table()["value"].to_pylist())


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
