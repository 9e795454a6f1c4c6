"""How large the state of partitions is: what is counted, when it is looked at, and that looking harms nothing."""

from __future__ import annotations

import gc
import threading
import tracemalloc
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import numpy as np
import pyarrow as pa
import pytest
import structlog
import trio
import trio.testing

import flow.chain
from flow import AsyncPartition, Graph, Kept, Operator, Partition, PartitionContext, StreamSchema
from flow.drawing import draw
from flow.memory import bytes_held, spelled_bytes
from flow.schema import AFTER_ALL, changelog_of
from operators import Null, Order, Table, agg, explain, sql
from operators.aggregate import Aggregate
from operators.change_streams.by_key import ByKey
from operators.deduplicate import Deduplicate
from operators.join import Join
from operators.preaggregate import PreAggregate
from operators.sets import Distinct, SetOperation
from operators.top_n import TopN
from operators.upsert import Upsert
from operators.window import Tumble
from operators.window_aggregate import WindowAggregate
from tests.chains import after_exchange, batch

ROWS = 40_000
KEYS = 5_000


class Holder:
    """Has what it is given as attributes."""

    def __init__(self, **held: Any) -> None:
        self.__dict__.update(held)


class Slotted:
    __slots__ = ("array", "never")

    def __init__(self, array: Any) -> None:
        self.array = array


KB = np.zeros(1_000, np.uint8)


@pytest.mark.parametrize(
    ("held", "size"),
    [
        (KB, 1_000),
        (pa.array(KB), 1_000),
        (pa.table({"a": KB, "b": KB}), 2_000),
        (pa.py_buffer(KB), 1_000),
        (Slotted(KB), 1_000),
        (Holder(inner=Holder(array=KB)), 1_000),
        (KB[:10], 1_000),
        (Holder(one=KB, other=KB[5:]), 1_000),
        (7, 0),
        (None, 0),
        (lambda: KB, 0),
        (pa.schema([("a", pa.int64())]), 0),
        (threading.local(), 0),
        (bytes(967), 1_000),
    ],
)
def test_arrays_are_counted_once_and_whole(held: Any, size: int) -> None:
    assert bytes_held(Holder(held=held)) == size


@pytest.mark.parametrize("kind", [list, tuple, deque])
def test_of_long_containers_some_items_stand_for_all(kind: Any) -> None:
    arrays = kind(np.zeros(1_000, np.uint8) for _ in range(1_000))
    assert bytes_held(Holder(arrays=arrays)) == pytest.approx(1_000_000, rel=0.05)
    counts = Holder(counts={f"a key of text {number}": number for number in range(10_000)})
    assert 1_000_000 < bytes_held(counts) < 1_500_000


def test_what_leads_back_is_seen_once_and_what_belongs_to_others_is_not() -> None:
    holder = Holder(array=KB)
    holder.__dict__["itself"] = [holder]
    assert 1_000 <= bytes_held(holder) < 1_200
    assert bytes_held(Holder(other=Slotted(KB)), (Slotted,)) == 0


def test_what_waits_for_a_task_does_not_lead_into_the_loop() -> None:
    async def main() -> None:
        event, huge = trio.Event(), Holder(array=KB)

        async def waiting(held: Holder) -> None:
            await event.wait()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(waiting, huge)
            await trio.testing.wait_all_tasks_blocked()
            assert bytes_held(Holder(event=event, array=KB)) == 1_000
            event.set()

    trio.run(main)


def test_bytes_are_spelled_in_at_most_seven_characters() -> None:
    numbers = [0, 999, 999.5, 9_994, 12_345, 123_456, 999_500, 12_345_678, 5e9, 7e12]
    assert [spelled_bytes(number) for number in numbers] == [
        "0 B", "999 B", "1.00 kB", "9.99 kB", "12.3 kB", "123 kB", "1.00 MB", "12.3 MB", "5.00 GB", "7.00 TB",
    ]  # fmt: skip


COLUMNS = pa.schema([("key", pa.string()), ("id", pa.int64()), ("value", pa.float64()), ("at", pa.timestamp("us"))])
PLAIN = StreamSchema(COLUMNS, "at")
RIGHT = StreamSchema(pa.schema([field.with_name(f"{field.name}_2") for field in COLUMNS]))
CHANGES = StreamSchema(changelog_of(pa.schema(list(COLUMNS)[:3])))
AGGREGATIONS = {"n": agg.count(), "s": agg.sum("value"), "most": agg.max("key")}

CASES: dict[str, tuple[Operator, Mapping[str, StreamSchema], int]] = {
    "aggregate": (Aggregate(("key",), AGGREGATIONS), {"in": PLAIN}, KEYS),
    "one group": (Aggregate((), AGGREGATIONS), {"in": PLAIN}, 1),
    "values of groups": (Aggregate(("key",), {"d": agg.count_distinct("id")}), {"in": PLAIN}, KEYS),
    "before the exchange": (PreAggregate(("key",), tuple(AGGREGATIONS.items())), {"in": PLAIN}, KEYS),
    "windows": (WindowAggregate(("key",), AGGREGATIONS, Tumble("at", "1s")), {"in": PLAIN}, 2 * KEYS),
    "join": (Join("full", [("key", "key_2")]), {"left": PLAIN, "right": RIGHT}, 2 * ROWS),
    "semi join": (Join("semi", [("key", "key_2")]), {"left": PLAIN, "right": RIGHT}, ROWS + KEYS),
    "deduplicate": (Deduplicate(("key",)), {"in": PLAIN}, KEYS),
    "upsert": (Upsert(("key",)), {"in": PLAIN}, KEYS),
    "top": (TopN((Order("value"),), 1, 0, ("key",)), {"in": PLAIN}, KEYS),
    "distinct": (Distinct(), {"in": CHANGES}, ROWS),
    "set operation": (SetOperation("except"), {"left": CHANGES, "right": CHANGES}, ROWS),
    "by key": (ByKey(("id",)), {"in": CHANGES}, ROWS),
}  # fmt: skip


def rows_of(schema: StreamSchema) -> list[pa.RecordBatch]:
    numbers = np.arange(ROWS)
    columns = [
        pa.array([f"the key {number % KEYS}" for number in numbers]),
        pa.array(numbers),
        pa.array(numbers * 7919 % ROWS / 2),
        pa.array(numbers // KEYS * 250_000, pa.timestamp("us")),
    ]
    if schema.changelog:
        columns[3] = pa.array(np.ones(ROWS, np.int64))
    whole = pa.RecordBatch.from_arrays(columns, schema=schema.columns)
    return [whole.slice(low, ROWS // 4) for low in range(0, ROWS, ROWS // 4)]


def fed(operator: Operator, inputs: Mapping[str, StreamSchema]) -> Any:
    """A partition that every port's rows have come to."""
    partition: Any = operator.open(PartitionContext("made", inputs))
    for port, schema in inputs.items():
        for rows in rows_of(schema):
            for _ in partition.on_batch(rows, *([port] if len(inputs) > 1 else [])):
                pass
    return partition


@pytest.mark.parametrize("name", CASES)
def test_partitions_say_how_large_their_state_is(name: str) -> None:
    operator, inputs, rows = CASES[name]
    kept = operator.keeps(inputs)
    assert kept is not None
    assert kept.growth != "unknown"
    fed(operator, inputs)  # what is made once, such as caches of functions, is no state
    gc.collect()
    arrow = pa.total_allocated_bytes()
    tracemalloc.start()
    partition = fed(operator, inputs)
    gc.collect()
    taken = tracemalloc.get_traced_memory()[0] + pa.total_allocated_bytes() - arrow
    tracemalloc.stop()
    most = 3 * KEYS if name == "top" else rows
    assert rows <= partition.state_rows() <= most
    # What partitions say is the memory that they take, up to what is not an array.
    assert 0.8 * taken - 50_000 <= partition.state_bytes() <= 1.25 * taken + 50_000


@attrs.frozen
class Remembering(Operator):
    """Keeps all rows that have come, until its input ends."""

    fails: bool = False

    def output(self, inputs: Mapping[str, StreamSchema]) -> StreamSchema:
        return inputs["in"]

    def keeps(self, inputs: Mapping[str, StreamSchema]) -> Kept:
        return Kept("every row", "rows")

    def open(self, context: PartitionContext) -> Partition:
        return RememberingPartition(self.fails)


class RememberingPartition(Partition):
    def __init__(self, fails: bool) -> None:
        self.fails, self.held = fails, list[pa.RecordBatch]()

    def on_batch(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        self.held.append(batch)
        yield batch

    def on_watermark(self, time: int) -> Iterator[pa.RecordBatch]:
        if time == AFTER_ALL:
            self.held.clear()
        return iter(())

    def state_rows(self) -> int:
        if self.fails:
            raise ValueError("not now")
        return sum(batch.num_rows for batch in self.held)


def graph_of(operator: Operator) -> Graph:
    graph = Graph("state")
    numbers = graph.source("numbers", Table(pa.table({"n": np.arange(10_000)})))
    numbers.key_by("n").apply(operator, name="kept", partitions=3).sink("out", Null())
    return graph


def test_a_run_tells_the_state_as_it_was_before_the_input_ended() -> None:
    stats = graph_of(Remembering()).run()
    assert [name for name, node in stats.nodes.items() if node.state is not None] == ["kept"]
    state = stats.nodes["kept"].state
    assert state is not None
    assert (state.rows, state.most_rows) == (10_000, 10_000)
    assert 80_000 <= state.bytes <= state.most_bytes < 200_000


def test_a_join_tells_the_rows_that_it_kept_although_it_keeps_none_in_the_end() -> None:
    graph = Graph("joined")
    left, right = (graph.source(name, Table(pa.table({"n": np.arange(2_000)}))) for name in ("left", "right"))
    left.join(right, on="n", name="pairs", partitions=2).sink("out", Null())
    (state,) = [node.state for node in graph.run().nodes.values() if node.state is not None]
    assert state.most_rows is not None
    assert 2_000 <= state.most_rows <= 4_000


@pytest.mark.parametrize(
    "query",
    [
        "SELECT a, count(DISTINCT b) AS n FROM t GROUP BY a",
        "SELECT DISTINCT a FROM t WHERE a IN (SELECT b FROM t)",
        "SELECT x.a, y.b FROM t AS x LEFT JOIN t AS y ON x.a = y.b ORDER BY x.a LIMIT 3",
        "SELECT a FROM t INTERSECT SELECT b FROM t",
    ],
)
def test_explain_drawing_and_report_say_the_same_of_state(query: str) -> None:
    graph = Graph("words")
    t = graph.source("t", Table(pa.table({"a": [1, 2, 2], "b": [2, 3, 3]})))
    explained = explain(query, t=t)
    sql(query, t=t).sink("out", Null())
    boxes = {box.node: box for box in draw(graph).boxes}
    states = {name: node.state for name, node in graph.run().nodes.items() if node.state is not None}
    told = {name: state for name, state in states.items() if name in boxes}
    assert told
    for name, state in told.items():
        assert str(state.kept) in explained
        assert boxes[name].text[-2:] == state.kept.lines


def test_state_is_looked_at_on_the_way_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = after_exchange(Remembering())
    meter = chain.steps[0].state
    list(chain.rows(0, 0, [batch(1, 2, 3)]))
    list(chain.flush())
    assert (meter.most.rows, meter.now().rows) == (None, 3)
    monkeypatch.setattr(flow.chain, "LOOK", -1)
    list(chain.flush())
    assert meter.most.rows == 3
    list(chain.rows(0, 0, [batch(4, 5)]))
    list(chain.end(0, 0))
    assert (meter.most.rows, meter.now().rows) == (5, 5)
    chain.finish(committed=True)
    assert meter.now().rows == 5


def test_partitions_that_wait_have_state_too() -> None:
    @attrs.frozen
    class Asking(Remembering):
        waits = True

        def open(self, context: PartitionContext) -> Any:
            return AskingPartition()

    state = graph_of(Asking()).run().nodes["kept"].state
    assert state is not None
    assert (state.rows, state.kept.growth) == (10_000, "rows")


class AskingPartition(AsyncPartition):
    concurrency, ordered = 2, True

    def __init__(self) -> None:
        self.rows = 0

    def pieces(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        yield batch

    async def on_piece(self, piece: pa.RecordBatch) -> pa.RecordBatch:
        self.rows += piece.num_rows
        return piece

    def state_rows(self) -> int:
        return self.rows


def test_a_partition_that_cannot_say_harms_nothing_and_is_told_of() -> None:
    # A command that was run before may have chosen to log errors only.
    structlog.reset_defaults()
    with structlog.testing.capture_logs() as logged:
        stats = graph_of(Remembering(fails=True)).run()
    assert stats.outcome == "finished"
    state = stats.nodes["kept"].state
    assert state is not None
    assert state.rows is None
    (first, *_) = [entry for entry in logged if entry["log_level"] == "warning"]
    assert (first["node"], first["error"]) == ("kept", "ValueError: not now")


def test_without_words_of_its_own_an_operator_with_state_shows_its_bytes() -> None:
    class Silent(Partition):
        def __init__(self) -> None:
            self.array = np.zeros(1_000)

        def on_batch(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
            yield batch

    assert (Silent().state_rows(), Silent().state_bytes()) == (None, 8_000)
