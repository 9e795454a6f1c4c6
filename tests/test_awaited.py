"""Readers that are awaited for long: nothing waits for them that need not, and nothing of theirs is lost or doubled."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import attrs
import pyarrow as pa
import pytest
import trio

from flow import AsyncReader, Graph, Idle, Sink, Source, Split, StepError, StreamSchema, Writer, WriterContext
from flow.awaited import Reading
from flow.epochs import Control
from flow.feed import Feed, SplitPool
from flow.kernels import SETTLE, Kernels
from flow.messages import END, Barrier, Watermark
from flow.metrics import Counters
from flow.nodes import SourceNode
from flow.reading import Read
from flow.schema import BEFORE_ALL
from operators import AsyncRows, Callback, agg
from tests.bad_input import failure, run

COLUMNS = pa.schema([("t", pa.timestamp("us")), ("n", pa.int64())])

TOPOLOGIES = pytest.mark.parametrize("topology", ["serial", "routed", "prefetched", "aligned"])


def batch(*numbers: int) -> pa.RecordBatch:
    return pa.record_batch([pa.array(numbers, pa.timestamp("us")), list(numbers)], schema=COLUMNS)


class Slow(AsyncReader):
    """Gives what it was told to, each time after so many seconds; an exception is raised."""

    def __init__(self, answers: Sequence[Any], seconds: float = 100, closing: float = 0) -> None:
        self.answers, self.seconds, self.closing = list(answers), seconds, closing
        self.calls: list[str] = []

    async def read(self) -> Any:
        self.calls.append("read")
        await trio.sleep(self.seconds)
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def offset(self) -> int:
        return self.calls.count("read")

    async def aclose(self) -> None:
        self.calls.append("aclose")
        await trio.sleep(self.closing)
        self.calls.append("closed")


@attrs.frozen
class One(Source):
    """One split, which a reader that is there already reads."""

    reader: Any

    def schema(self) -> pa.Schema:
        return COLUMNS

    def splits(self) -> list[Split]:
        return [Split("a")]

    def open(self, split: Split, offset: Any = None) -> Any:
        return self.reader


class Inline(Kernels):
    """Calls without a thread: the tests' clock jumps while a thread is at work."""

    async def call(self, function: Callable[[], Any], *, name: str, waits: bool = True) -> Any:
        await trio.lowlevel.checkpoint()
        return function()


def feed(reader: AsyncReader, start_soon: Any, **options: Any) -> tuple[Feed, Control]:
    node = SourceNode("s", One(reader), "t", **options)
    pool, control = SplitPool(node, node.source.splits(), 1, aligned=False), Control()
    schema = StreamSchema(COLUMNS, "t")
    return Feed(node, node.source, schema, pool, 0, Counters(), control, Inline(1, 1), start_soon), control


def told(item: Any) -> Any:
    return [n for rows in item.batches for n in rows["n"].to_pylist()] if isinstance(item, Read) else item


async def rows_of(feed: Feed) -> list[Any]:
    """What comes up to the end, but for the watermarks."""
    items: list[Any] = []
    while not items or items[-1] != END:
        item = await feed.next()
        items += [] if isinstance(item, Watermark) else [told(item)]
    return items


async def test_a_barrier_does_not_wait_for_a_read_which_is_neither_lost_nor_repeated(autojump_clock: object) -> None:
    reader = Slow([batch(1), batch(2)])
    async with trio.open_nursery() as nursery:
        feed_, control = feed(reader, nursery.start_soon)

        async def end_epochs() -> None:
            for _ in range(3):
                await trio.sleep(30)
                asked = trio.current_time()
                control.end_epoch()
                await trio.testing.wait_all_tasks_blocked()
                assert trio.current_time() == asked

        nursery.start_soon(end_epochs)
        assert await rows_of(feed_) == [Barrier(1), Barrier(2), Barrier(3), [1], [2], END]
    assert reader.calls == ["read", "read", "read", "aclose", "closed"]


async def test_a_stop_cancels_the_read_and_closes_the_reader(autojump_clock: object) -> None:
    reader = Slow([], 10_000, closing=5)
    async with trio.open_nursery() as nursery:
        feed_, control = feed(reader, nursery.start_soon)
        began = trio.current_time()

        async def stop() -> None:
            await trio.sleep(1)
            control.stop()

        nursery.start_soon(stop)
        assert await rows_of(feed_) == [END]
        assert trio.current_time() - began == pytest.approx(6)
    assert reader.calls == ["read", "aclose", "closed"]


async def test_a_split_that_is_silent_inside_of_a_read_lets_go_of_the_watermark(
    autojump_clock: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flow.progress.monotonic", trio.current_time)
    reader = Slow([batch(7), batch(8)])
    async with trio.open_nursery() as nursery:
        feed_, _ = feed(reader, nursery.start_soon, idle_timeout=2_500_000)
        while told(item := await feed_.next()) != [7]:
            assert isinstance(item, Watermark)
        began = trio.current_time()
        assert (await feed_.next(), trio.current_time() - began) == (Watermark(7, idle=False), pytest.approx(0.001))
        assert (await feed_.next(), trio.current_time() - began) == (Watermark(7, idle=True), pytest.approx(2.5))
        assert (told(await feed_.next()), trio.current_time() - began) == ([8], pytest.approx(100))
        assert await feed_.next() == Watermark(8, idle=False)
        nursery.cancel_scope.cancel()


async def test_where_nothing_comes_for_long_this_is_told_once(autojump_clock: object) -> None:
    async with trio.open_nursery() as nursery:
        feed_, _ = feed(Slow([batch(1)]), nursery.start_soon)
        assert await feed_.next() == Watermark(BEFORE_ALL, idle=False)
        assert told(await feed_.next()) == [1]
        nursery.cancel_scope.cancel()


async def test_a_reader_that_answers_at_once_is_read_without_pause(autojump_clock: object) -> None:
    async with trio.open_nursery() as nursery:
        feed_, _ = feed(Slow([batch(1), Idle(5), batch(2)], 0), nursery.start_soon)
        began = trio.current_time()
        assert await rows_of(feed_) == [[1], [2], END]
        assert trio.current_time() - began == pytest.approx(5)


async def test_whoever_stops_waiting_misses_nothing(autojump_clock: object) -> None:
    reader = Slow([batch(1)])
    async with trio.open_nursery() as nursery:
        feed_, _ = feed(reader, nursery.start_soon)
        for _ in range(5):
            with trio.move_on_after(10):
                while isinstance(await feed_.next(), Watermark):
                    pass
        assert await rows_of(feed_) == [[1], END]
    assert reader.calls == ["read", "read", "aclose", "closed"]


@pytest.mark.parametrize("closing", [SETTLE / 2, SETTLE * 10])
async def test_an_abort_cancels_the_read_and_closes_the_reader_in_bounded_time(
    closing: float, autojump_clock: object
) -> None:
    reader = Slow([], closing=closing)
    async with trio.open_nursery() as nursery:
        feed_, _ = feed(reader, nursery.start_soon)
        nursery.start_soon(feed_.next)
        nursery.start_soon(feed_.next)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
        began = trio.current_time()
    assert trio.current_time() - began == pytest.approx(min(closing, SETTLE))
    await feed_.aclose()
    assert reader.calls[:2] == ["read", "aclose"]
    assert reader.calls.count("aclose") == 1


async def test_a_reader_that_was_never_read_is_closed() -> None:
    reader = Slow([])
    reading = Reading(reader)
    await reading.aclose()
    await reading.aclose()
    assert reader.calls == ["aclose", "closed"]


async def test_an_error_is_told_with_split_and_offset_and_the_reader_closed(autojump_clock: object) -> None:
    reader = Slow([batch(1), OSError("torn off")])
    async with trio.open_nursery() as nursery:
        feed_, _ = feed(reader, nursery.start_soon)
        with pytest.raises(StepError, match=r"'s' \(split a, offset 2\): OSError: torn off"):
            await rows_of(feed_)
        await feed_.aclose()
    assert reader.calls == ["read", "read", "aclose", "closed"]


async def test_an_error_of_closing_is_told_once() -> None:
    class Stuck(Slow):
        async def aclose(self) -> None:
            self.calls.append("aclose")
            raise OSError("stuck")

    reader = Stuck([batch(1)], 0)
    async with trio.open_nursery() as nursery:
        feed_, _ = feed(reader, nursery.start_soon)
        with pytest.raises(StepError, match=r"'s' \(split a, offset 2\): OSError: stuck"):
            await rows_of(feed_)
        await feed_.aclose()
    assert reader.calls.count("aclose") == 1


# Whole runs


@attrs.frozen
class Committed(Sink):
    """Keeps the numbers that are committed."""

    numbers: list[int] = attrs.field(factory=list, eq=False)

    def open(self, context: WriterContext) -> Writer:
        return _Committing(self.numbers)


class _Committing(Writer):
    def __init__(self, numbers: list[int]) -> None:
        self.numbers, self.waiting = numbers, list[int]()

    def write(self, batch: pa.RecordBatch) -> None:
        self.waiting += batch["n"].to_pylist()

    def commit(self, epoch: int) -> None:
        self.numbers.extend(self.waiting)
        self.waiting = []


def waiting_for(ready: Callable[[int], bool], rows: int) -> Callable[[], AsyncIterator[dict[str, int]]]:
    """Rows that come one by one, each only once `ready` says of the one before that it has arrived."""

    async def each() -> AsyncIterator[dict[str, int]]:
        for number in range(rows):
            yield {"n": number}
            while not ready(number):  # noqa: ASYNC110
                await trio.sleep(0.001)

    return each


@TOPOLOGIES
def test_rows_are_committed_while_the_source_waits_for_the_next(topology: Any) -> None:
    graph, sink = Graph("g"), Committed()
    rows = waiting_for(lambda number: number in sink.numbers, 5)
    graph.source("in", AsyncRows(rows, schema={"n": "int64"})).sink("out", sink)
    stats = run(graph, 2, topology=topology, commit_every=0.002)
    assert (sink.numbers, stats.rows_in, stats.outcome) == (list(range(5)), 5, "finished")


@TOPOLOGIES
def test_what_is_held_back_for_larger_batches_is_given_out_while_the_source_waits(topology: Any) -> None:
    graph, seen = Graph("g"), list[int]()
    rows = waiting_for(lambda number: number in seen, 5)
    stream = graph.source("in", AsyncRows(rows, schema={"n": "int64"}))
    counted = stream.key_by("n").aggregate(count=agg.count())
    counted.sink("out", Callback(lambda batch: seen.extend(batch["n"].to_pylist()), takes_changes=True))
    run(graph, 2, topology=topology)
    assert seen == list(range(5))


@TOPOLOGIES
def test_a_failing_async_source_ends_the_run(topology: Any) -> None:
    async def each() -> AsyncIterator[dict[str, int]]:
        yield {"n": 1}
        await trio.sleep(0.005)
        raise ConnectionError("gone")

    graph, sink = Graph("g"), Committed()
    graph.source("in", AsyncRows(each, schema={"n": "int64"})).sink("out", sink)
    assert str(failure(lambda: run(graph, 2, topology=topology))) == "'in' (split all, offset 1): ConnectionError: gone"
    assert sink.numbers == []
