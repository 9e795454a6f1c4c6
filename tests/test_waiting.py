"""Calls under way: order, places, and control that never overtakes; and async functions in whole graphs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from itertools import count
from types import SimpleNamespace
from typing import Any

import attrs
import pyarrow as pa
import pytest
import trio
import trio.lowlevel
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st

import flow
from flow import AsyncPartition, Graph, Operator, Partition, PartitionContext, RowError, StepError, StreamSchema
from flow.inputs import Work
from flow.metrics import Counters
from flow.waiting import Calls, Piece, UnderWay
from operators import Batches, Callback, Collect, Table


def piece(number: int) -> Piece:
    return Piece(pa.record_batch({"n": [number]}))


def control(epoch: int = 1) -> Work:
    return Work(barrier=epoch)


def under_way(*entries: Piece | Work, ordered: bool) -> UnderWay:
    made = UnderWay(ordered=ordered)
    for entry in entries:
        made.add(entry)
    return made


def test_in_order_what_is_done_waits_for_what_came_before() -> None:
    first, second, third = piece(1), piece(2), piece(3)
    calls = under_way(first, second, third, ordered=True)
    second.done = True
    assert calls.take() == []
    first.done = True
    assert calls.take() == [first, second]
    assert len(calls) == 1


def test_out_of_order_each_comes_as_soon_as_it_is_done() -> None:
    first, second, third = piece(1), piece(2), piece(3)
    calls = under_way(first, second, third, ordered=False)
    third.done = second.done = True
    assert calls.take() == [second, third]
    assert calls.take() == []
    first.done = True
    assert calls.take() == [first]


@pytest.mark.parametrize("ordered", [True, False])
def test_control_overtakes_no_piece_and_no_piece_overtakes_control(ordered: bool) -> None:
    before, barrier, after = piece(1), control(), piece(2)
    calls = under_way(before, barrier, after, ordered=ordered)
    after.done = True
    assert calls.take() == []
    before.done = True
    assert [*calls.take(), *calls.take()] == [before, barrier, after]
    assert under_way(barrier, ordered=ordered).take() == [barrier]


@given(st.lists(st.booleans(), max_size=12), st.randoms(use_true_random=False), st.booleans())
@settings(max_examples=80, deadline=None)
def test_everything_comes_out_once_and_in_its_section(kinds: list[bool], random: Any, ordered: bool) -> None:
    entries = [piece(number) if is_piece else control() for number, is_piece in enumerate(kinds)]
    calls = under_way(*entries, ordered=ordered)
    pieces = [entry for entry in entries if isinstance(entry, Piece)]
    random.shuffle(pieces)
    out: list[Piece | Work] = list(calls.take())
    for done in pieces:
        done.done = True
        while taken := calls.take():
            out += taken
    place = {id(entry): number for number, entry in enumerate(entries)}
    places = [place[id(entry)] for entry in out]
    assert sorted(places) == list(range(len(entries)))
    for at, number in enumerate(places):
        if ordered or not kinds[number]:
            assert at == number


@attrs.define
class Answering(AsyncPartition):
    """Answers a piece when it is told to."""

    concurrency: int = 2
    ordered: bool = True
    answers: dict[int, trio.Event] = attrs.field(factory=dict)

    def pieces(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        yield batch

    async def on_piece(self, piece: pa.RecordBatch) -> pa.RecordBatch:
        event = self.answers.setdefault(piece["n"][0].as_py(), trio.Event())
        await event.wait()
        return piece


def calls_of(partition: AsyncPartition) -> Calls:
    step = SimpleNamespace(counters=Counters())
    return Calls(SimpleNamespace(steps=[step]), partition)  # type: ignore[arg-type]


async def test_a_place_is_kept_until_its_result_was_put_out() -> None:
    partition = Answering()
    calls, begun = calls_of(partition), []

    async def begin(nursery: trio.Nursery) -> None:
        for number in range(4):
            each = piece(number)
            await calls.begin(each)
            begun.append(number)
            nursery.start_soon(calls.call, each)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(begin, nursery)
        await trio.testing.wait_all_tasks_blocked()
        assert begun == [0, 1]
        partition.answers[0].set()
        entries = await calls.ready()
        await trio.testing.wait_all_tasks_blocked()
        assert begun == [0, 1], "the answer was taken, but not sent on yet"
        assert entries is not None
        calls.put_out(entries)
        await trio.testing.wait_all_tasks_blocked()
        assert begun == [0, 1, 2]
        nursery.cancel_scope.cancel()


async def test_all_out_waits_for_what_is_under_way_and_the_end_for_all_of_it() -> None:
    partition = Answering(concurrency=3)
    calls, events, first = calls_of(partition), [], piece(1)

    async def drain() -> None:
        await calls.all_out()
        events.append("all out")

    async def put_out() -> None:
        while (entries := await calls.ready()) is not None:
            events.extend("control" if isinstance(entry, Work) else "piece" for entry in entries)
            calls.put_out(entries)
        events.append("end")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(put_out)
        await calls.begin(first)
        nursery.start_soon(calls.call, first)
        calls.control(control())
        calls.control(Work())  # asks for nothing
        nursery.start_soon(drain)
        await trio.testing.wait_all_tasks_blocked()
        assert events == []
        partition.answers[1].set()
        await trio.testing.wait_all_tasks_blocked()
        assert events == ["piece", "control", "all out"]
        calls.close()
    assert events[-1] == "end"


def numbers(count: int, batch_rows: int = 7) -> Table:
    return Table({"n": list(range(count))}, batch_rows=batch_rows)


@pytest.mark.parametrize("ordered", [True, False])
def test_no_more_calls_are_under_way_than_allowed(ordered: bool) -> None:
    now, most = 0, 0

    async def counted(row: dict[str, Any]) -> dict[str, Any]:
        nonlocal now, most
        now += 1
        most = max(most, now)
        while most < 5:  # nobody leaves before as many are there as may be
            await trio.lowlevel.checkpoint()
        await trio.lowlevel.checkpoint()
        now -= 1
        return row

    graph, out = Graph("g"), Collect()
    rows = graph.source("rows", numbers(300))
    rows.map_async(counted, concurrency=5, ordered=ordered, partitions=1).sink("out", out)
    graph.run(readers=1)
    assert most == 5
    found = [row["n"] for row in out.rows]
    assert (found if ordered else sorted(found)) == list(range(300))


@pytest.mark.parametrize("ordered", [True, False])
def test_out_of_order_means_as_they_come(ordered: bool) -> None:
    answered: list[int] = []
    written: list[int] = []

    async def first_is_last(row: dict[str, Any]) -> dict[str, Any]:
        while row["n"] == 0 and len(answered if ordered else written) < 49:  # noqa: ASYNC110
            await trio.sleep(0.001)
        answered.append(row["n"])
        return row

    graph = Graph("g")
    rows = graph.source("rows", numbers(50, 50))
    rows = rows.map_async(first_is_last, concurrency=50, ordered=ordered, partitions=1)
    rows.sink("out", Callback(lambda batch: written.extend(batch["n"].to_pylist())))
    graph.run(readers=1)
    assert answered[-1] == 0
    assert written == (list(range(50)) if ordered else [*range(1, 50), 0])


@attrs.frozen
class Witness(Operator):
    """Passes rows on, and writes down the order of rows and watermarks."""

    seen: list[Any] = attrs.field(factory=list, eq=False)

    def output(self, inputs: Mapping[str, StreamSchema]) -> StreamSchema:
        return inputs["in"]

    def open(self, context: PartitionContext) -> Partition:
        return _Witnessing(self.seen)


class _Witnessing(Partition):
    def __init__(self, seen: list[Any]) -> None:
        self.seen = seen

    def on_batch(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        self.seen += [("row", at) for at in batch["t"].cast(pa.int64()).to_pylist()]
        yield batch

    def on_watermark(self, time: int) -> Iterator[pa.RecordBatch]:
        self.seen.append(("watermark", time))
        return iter(())


@pytest.mark.parametrize("ordered", [True, False])
def test_no_row_comes_after_its_watermark(ordered: bool) -> None:
    async def slowly(row: dict[str, Any]) -> dict[str, Any]:
        for _ in range(row["t"].microsecond % 5):
            await trio.lowlevel.checkpoint()
        return row

    times = pa.array(range(200), pa.timestamp("us"))
    graph, witness = Graph("g"), Witness()
    stream = graph.source("rows", Table(pa.table({"t": times}), batch_rows=3), event_time="t", ordered=True)
    stream = stream.map_async(slowly, concurrency=8, ordered=ordered, partitions=1)
    stream.apply(witness, partitions=1).sink("out", Collect())
    graph.run(readers=1, batch_rows=1)
    reached = -1
    for kind, at in witness.seen:
        if kind == "watermark":
            reached = at
        else:
            assert at >= reached
    assert len([at for kind, at in witness.seen if kind == "row"]) == 200


def of_rows(function: Any, **options: Any) -> tuple[Graph, Collect, Collect | None]:
    graph, out = Graph("g"), Collect()
    policy = options.get("on_error", "fail")
    stream = graph.source("rows", numbers(20)).map_async(function, name="calls", **options)
    stream.sink("out", out)
    dead = Collect() if policy == "dead_letter" else None
    if dead is not None:
        stream.dead_letters.sink("dead", dead)
    return graph, out, dead


async def choosy(row: dict[str, Any]) -> dict[str, Any]:
    await trio.lowlevel.checkpoint()
    if row["n"] in (3, 11):
        raise OSError(f"no {row['n']}")
    return row


def test_a_failed_call_ends_the_run_and_cancels_the_others() -> None:
    cancelled = []

    async def one_fails(row: dict[str, Any]) -> dict[str, Any]:
        if row["n"] == 3:
            raise OSError("no 3")
        try:
            await trio.sleep_forever()
        except trio.Cancelled:
            cancelled.append(row["n"])
            raise

    graph, _, _ = of_rows(one_fails, ordered=False)
    with pytest.raises(ExceptionGroup) as raised:
        graph.run()
    (error,) = raised.value.exceptions
    assert isinstance(error, StepError)
    assert (error.node, str(error.cause)) == ("calls", "OSError: no 3")
    assert cancelled


def test_skip_and_dead_letters_give_up_only_the_row() -> None:
    for policy in ("skip", "dead_letter"):
        graph, out, dead = of_rows(choosy, on_error=policy, concurrency=4)
        stats = graph.run()
        assert sorted(row["n"] for row in out.rows) == [n for n in range(20) if n not in (3, 11)]
        node = stats.nodes["calls"]
        assert (node.rows_in, node.rows_out) == (20, 18)
        assert node.skipped_rows + node.dead_letters == 2
        if dead is not None:
            assert sorted(row["error"] for row in dead.rows) == ["OSError: no 11", "OSError: no 3"]


def test_a_call_is_repeated_until_it_succeeds() -> None:
    failures: dict[int, int] = {}

    async def flaky(row: dict[str, Any]) -> dict[str, Any]:
        await trio.lowlevel.checkpoint()
        failures[row["n"]] = failures.get(row["n"], 0) + 1
        if failures[row["n"]] <= row["n"] % 3:
            raise OSError("busy")
        return row

    graph, out, _ = of_rows(flaky, retries=2, backoff=0.0001)
    graph.run()
    assert sorted(row["n"] for row in out.rows) == list(range(20))
    assert failures == {n: n % 3 + 1 for n in range(20)}


def test_a_call_that_takes_too_long_is_an_error() -> None:
    async def hanging(row: dict[str, Any]) -> dict[str, Any]:
        if row["n"] == 5:  # the others never wait, so no time is too short for them
            await trio.sleep_forever()
        return row

    graph, out, _ = of_rows(hanging, timeout="200ms", on_error="skip")
    assert graph.run().nodes["calls"].skipped_rows == 1
    assert len(out.rows) == 19


async def test_cancelling_the_run_cancels_the_calls() -> None:
    state = {"begun": 0, "cancelled": 0}
    begun = trio.Event()

    async def hanging(row: dict[str, Any]) -> dict[str, Any]:
        state["begun"] += 1
        begun.set()
        try:
            await trio.sleep_forever()
        finally:
            state["cancelled"] += 1
        return row

    graph, _, _ = of_rows(hanging, concurrency=4)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(flow.run, graph)
        await begun.wait()
        nursery.cancel_scope.cancel()
    assert state["begun"] == state["cancelled"] > 0


def test_calls_that_are_under_way_are_finished_when_the_run_is_drained() -> None:
    def forever() -> Iterator[pa.RecordBatch]:
        for start in count(0, 10):
            yield pa.record_batch({"n": range(start, start + 10)})

    graph, out = Graph("g"), Collect()
    rows = graph.source("rows", Batches(forever, {"n": "int64"}))
    rows.map_async(choosy, on_error="skip", concurrency=4).sink("out", out)
    handle = flow.start(graph, prefetch=0, edge_bytes=1, grace=60.0)
    while handle.stats().rows_out < 100:
        time.sleep(0.001)
    handle.drain()
    stats = handle.wait(60)
    assert stats.outcome == "drained"
    assert out.table().num_rows + stats.skipped_rows == stats.rows_in


def test_epochs_end_while_calls_are_under_way() -> None:
    graph, out = Graph("g"), Collect()
    graph.source("rows", numbers(500, 1)).map_async(choosy, on_error="skip").sink("out", out)
    graph.run(commit_every=0.0)
    assert len(out.rows) == 498


def test_what_does_not_fit_is_the_row_s_error() -> None:
    async def wrong(row: dict[str, Any]) -> dict[str, Any]:
        await trio.lowlevel.checkpoint()
        return {"n": "text"}

    graph, _, _ = of_rows(wrong)
    with pytest.raises(ExceptionGroup) as raised:
        graph.run()
    assert isinstance(raised.value.exceptions[0].cause, RowError)  # type: ignore[attr-defined]
