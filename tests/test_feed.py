"""Splits are dealt out, read to their end and watched: watermarks, barriers, stops, and errors with their offset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import pyarrow as pa
import pytest
import trio

from flow.epochs import Control
from flow.errors import StepError
from flow.feed import Ahead, Feed, SplitPool
from flow.kernels import Kernels
from flow.messages import END, Barrier, Watermark
from flow.metrics import Counters
from flow.nodes import SourceNode
from flow.origin import Origins, Stretch
from flow.reading import Read
from flow.schema import AFTER_ALL, BEFORE_ALL, StreamSchema
from flow.source import AsyncReader, Idle, Reader, Source, Split

COLUMNS = pa.schema([("t", pa.timestamp("us")), ("n", pa.int64())])

NOW = Idle(0.001)
"""Nothing now; ask again soon."""


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """How much is gathered at a time shall not depend on how busy the machine is."""
    monkeypatch.setattr("flow.reading.LOOK", 10**12)


def at(*times: int | None) -> pa.RecordBatch:
    return pa.record_batch([pa.array(times, pa.timestamp("us")), list(range(len(times)))], schema=COLUMNS)


@attrs.define
class Scripted(Source):
    """Each split gives the answers written down for it, then ends."""

    answers: Mapping[str, Sequence[Any]]
    earliest: Mapping[str, int] = attrs.field(factory=dict)
    discover: float | None = None
    kind: type = attrs.field(factory=lambda: ScriptedReader)
    opened: list[Any] = attrs.field(factory=list)

    @property
    def never_waits(self) -> bool:
        return not issubclass(self.kind, AsyncReader)

    def schema(self) -> pa.Schema:
        return COLUMNS

    def splits(self) -> list[Split]:
        return [Split(name, earliest=self.earliest.get(name)) for name in self.answers]

    def open(self, split: Split, offset: Any = None) -> Any:
        self.opened.append(self.kind(self.answers[split.id]))
        return self.opened[-1]

    @property
    def discover_every(self) -> float | None:
        return self.discover


class _Scripted:
    def __init__(self, answers: Sequence[Any]) -> None:
        self.answers, self.position, self.closed = answers, 0, 0

    def next(self) -> Any:
        if self.position == len(self.answers):
            return None
        answer = self.answers[self.position]
        if isinstance(answer, Exception):
            raise answer
        self.position += 1
        if isinstance(answer, str):
            self.reject(answer, "torn", self.position)  # type: ignore[attr-defined]
            return self.next()
        return answer

    def offset(self) -> int:
        return self.position


class ScriptedReader(_Scripted, Reader):
    def read(self) -> Any:
        return self.next()

    def close(self) -> None:
        self.closed += 1


class AsyncScriptedReader(_Scripted, AsyncReader):
    async def read(self) -> Any:
        await trio.lowlevel.checkpoint()
        if self.position == len(self.answers):
            return None
        if self.answers[self.position] == "for ever":
            await trio.sleep_forever()
        return self.next()

    async def aclose(self) -> None:
        self.closed += 1


def pool_of(source: Scripted, readers: int = 1, *, aligned: bool = False, **options: Any) -> SplitPool:
    return SplitPool(SourceNode("s", source, "t", **options), source.splits(), readers, aligned=aligned)


START: Any = trio.lowlevel.spawn_system_task


@attrs.define
class Fed:
    """A feed and what it stands on."""

    source: Scripted
    feed: Feed
    control: Control
    counters: Counters


def feeds(source: Scripted, readers: int = 1, **options: Any) -> list[Fed]:
    node = SourceNode("s", source, options.pop("event_time", "t"), **options)
    pool = SplitPool(node, source.splits(), readers, aligned=False)
    control, kernels, schema = Control(), Kernels(2, 4), StreamSchema(COLUMNS, "t")
    made = []
    for number in range(readers):
        counters = Counters()
        made.append(
            Fed(
                source,
                Feed(node, source, schema, pool, number, counters, control, kernels, START),
                control,
                counters,
            )
        )
    return made


def feed(answers: Mapping[str, Sequence[Any]], **options: Any) -> Fed:
    names = ("earliest", "discover", "kind")
    source = Scripted(answers, **{name: options.pop(name) for name in names if name in options})
    return feeds(source, **options)[0]


async def to_the_end(feed: Feed | Ahead) -> list[Any]:
    items: list[Any] = []
    with trio.fail_after(60):
        while not items or items[-1] != END:
            items.append(await feed.next())
    return items


def told(item: Any) -> Any:
    return (item.split, item.rows, item.time) if isinstance(item, Read) else item


def taken(pool: SplitPool, reader: int) -> str | None:
    split = pool.take(reader)
    return None if split is None else split.id


async def test_a_read_tells_the_stretch_of_the_split_that_it_is() -> None:
    fed = feed({"a": [at(1), Idle(0), at(2, 3)], "b": [at(4)]})
    reads = [item for item in await to_the_end(fed.feed) if isinstance(item, Read)]
    assert [read.origins for read in reads] == [
        Origins((Stretch("s", "a", 0, 2, 0, 0),)),
        Origins((Stretch("s", "a", 2, 3, 1, 1),)),
        Origins((Stretch("s", "b", 0, 1, 2, 2),)),
    ]


def test_splits_go_to_whoever_is_free_in_order() -> None:
    pool = pool_of(Scripted({"a": [], "b": [], "c": []}), 2)
    assert [taken(pool, 1), taken(pool, 0), taken(pool, 1), taken(pool, 0)] == ["a", "b", "c", None]
    assert pool.total == 3


def test_aligned_splits_belong_to_their_reader() -> None:
    pool = pool_of(Scripted({"a": [], "b": [], "c": []}), 2, aligned=True)
    assert [taken(pool, 1), taken(pool, 1)] == ["b", None]
    assert [taken(pool, 0), taken(pool, 0), taken(pool, 0)] == ["a", "c", None]


def test_discovered_splits_are_added_once_and_aligned_ones_go_on_in_turn() -> None:
    pool = pool_of(Scripted({"a": [], "b": [], "c": []}), 2, aligned=True)
    pool.add([Split("a"), Split("d"), Split("b"), Split("d")])
    assert pool.total == 4
    assert [taken(pool, 1), taken(pool, 1), taken(pool, 1)] == ["b", "d", None]


def test_waiting_splits_bound_the_watermark_by_their_earliest_time() -> None:
    earliest = {"a": 100, "b": 50, "c": 300}
    pool = pool_of(Scripted({"a": [], "b": [], "c": []}, earliest), delay=10)
    bounds = [pool.bound(0)]
    while pool.take(0):
        bounds.append(pool.bound(0))
    assert bounds == [40, 40, 290, AFTER_ALL]


def test_a_waiting_split_of_which_nothing_is_known_holds_the_watermark_altogether() -> None:
    pool = pool_of(Scripted({"a": [], "b": []}, {"a": 100}), delay=10)
    assert pool.bound(0) == BEFORE_ALL
    assert pool_of(Scripted({"a": [], "b": []}), ordered=True).bound(0) == AFTER_ALL


async def test_a_split_is_read_to_its_end_and_closed() -> None:
    fed = feed({"a": [at(1, 5), at(3)], "b": [at(9)]})
    items = await to_the_end(fed.feed)
    assert [told(item)[:2] for item in items[:-1]] == [("a", 3), ("b", 1)]
    assert [item.offset for item in items[:-1]] == [2, 1]
    assert [reader.closed for reader in fed.source.opened] == [1, 1]
    assert (fed.counters.rows_in, fed.counters.splits_done) == (4, 2)
    assert await fed.feed.next() == END


async def test_the_watermark_is_that_of_the_open_split_and_the_waiting_ones() -> None:
    fed = feed({"a": [at(10), NOW, at(500)], "b": [at(30)]}, earliest={"a": 0, "b": 20}, delay=2)
    items = [told(item) for item in await to_the_end(fed.feed)]
    assert items == [("a", 1, 8), ("a", 1, 18), ("b", 1, 28), END]


async def test_without_knowledge_of_the_waiting_splits_there_is_no_watermark_before_the_last() -> None:
    fed = feed({"a": [at(10)], "b": [at(5), NOW, at(30)]})
    assert [told(item) for item in await to_the_end(fed.feed)] == [("a", 1, BEFORE_ALL), ("b", 1, 5), ("b", 1, 30), END]


async def test_ordered_splits_do_not_wait_for_later_ones_however_short_they_are() -> None:
    fed = feed({"a": [at(10)], "b": [at(20)], "c": [at(30)]}, ordered=True, delay=1)
    assert [told(item) for item in await to_the_end(fed.feed)] == [("a", 1, 9), ("b", 1, 19), ("c", 1, 29), END]


async def test_the_watermark_never_falls_back() -> None:
    fed = feed({"a": [at(100), NOW], "b": [at(7)]}, ordered=True)
    assert [told(item) for item in await to_the_end(fed.feed)] == [("a", 1, 100), ("b", 1, 100), END]


async def test_null_times_do_not_move_the_watermark() -> None:
    fed = feed({"a": [at(None, 4), NOW, at(None)]})
    assert [told(item) for item in await to_the_end(fed.feed)] == [("a", 2, 4), ("a", 1, 4), END]


async def test_nothing_now_ends_a_read_and_is_told_as_quiet() -> None:
    fed = feed({"a": [at(1), at(2), NOW, NOW, at(3)]})
    items = await to_the_end(fed.feed)
    assert [(item.rows, item.quiet) for item in items[:-1]] == [(2, True), (1, False)]


async def test_batches_without_rows_are_passed_over() -> None:
    fed = feed({"a": [at(), at(1), at()], "b": []})
    assert [told(item)[:2] for item in (await to_the_end(fed.feed))[:-1]] == [("a", 1)]


async def test_no_more_is_read_at_a_time_than_is_worth_while() -> None:
    fed = feed({"a": [at(*range(70_000))] * 4})
    assert [item.rows for item in (await to_the_end(fed.feed))[:-1]] == [140_000, 140_000]


async def test_a_silent_split_lets_go_of_the_watermark_after_its_timeout() -> None:
    fed = feed({"a": [at(1), *[NOW] * 20, at(2)]}, idle_timeout=0)
    items = [told(item) for item in await to_the_end(fed.feed)]
    assert Watermark(1, idle=True) in items
    assert items[-2][:2] == ("a", 1)
    silent = feed({"a": [at(1), *[NOW] * 20]}, idle_timeout=3_600_000_000)
    assert not [item for item in await to_the_end(silent.feed) if isinstance(item, Watermark)]


async def test_new_splits_are_discovered_while_the_feed_waits() -> None:
    answers: dict[str, Sequence[Any]] = {"a": [at(1)]}
    fed = feed(answers, discover=0.001)
    with trio.fail_after(60):
        assert told(await fed.feed.next())[:2] == ("a", 1)
        answers["b"] = [at(2)]
        item = await fed.feed.next()
        while isinstance(item, Watermark):
            item = await fed.feed.next()
        assert told(item)[:2] == ("b", 1)
        fed.control.stop()
        assert await fed.feed.next() == END


async def test_the_watermark_follows_a_split_that_ended_while_more_may_be_discovered() -> None:
    fed = feed({"a": [at(100)]}, discover=0.001, delay=10)
    with trio.fail_after(60):
        assert told(await fed.feed.next()) == ("a", 1, 90)


async def test_a_reader_without_a_split_holds_nobody() -> None:
    """There is one followed file and two readers: the watermark is that of the file."""
    both = feeds(Scripted({"a": [at(100), NOW]}, discover=0.001), 2)
    with trio.fail_after(60):
        assert told(await both[0].feed.next()) == ("a", 1, 100)
        assert await both[1].feed.next() == Watermark(BEFORE_ALL, idle=True)


async def test_a_barrier_comes_between_reads_once_an_epoch() -> None:
    fed = feed({"a": [at(1), NOW, at(2), NOW, at(3)]})
    items = []
    with trio.fail_after(60):
        items.append(told(await fed.feed.next()))
        fed.control.end_epoch()
        items += [told(await fed.feed.next()), told(await fed.feed.next())]
        fed.control.end_epoch()
        items += [told(item) for item in await to_the_end(fed.feed)]
    assert items == [("a", 1, 1), Barrier(1), ("a", 1, 2), Barrier(2), ("a", 1, 3), END]


async def test_neither_a_barrier_nor_a_stop_waits_for_a_silent_split() -> None:
    fed = feed({"a": [Idle(3600.0)]})
    items: list[Any] = []

    async def follow() -> None:
        while END not in items:
            items.append(await fed.feed.next())

    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(follow)
            while not (fed.source.opened and fed.source.opened[0].position):  # noqa: ASYNC110
                await trio.sleep(0.001)
            fed.control.end_epoch()
            while not items:  # noqa: ASYNC110
                await trio.sleep(0.001)
            fed.control.stop()
    assert items == [Barrier(1), END]


async def test_a_stop_ends_the_feed_and_closes_the_open_split() -> None:
    fed = feed({"a": [at(1), NOW, at(2)], "b": [at(3)]})
    assert told(await fed.feed.next())[:2] == ("a", 1)
    fed.control.stop()
    assert await fed.feed.next() == END
    assert [reader.closed for reader in fed.source.opened] == [1]
    await fed.feed.aclose()
    assert [reader.closed for reader in fed.source.opened] == [1]


async def test_an_async_reader_is_awaited_and_a_stop_interrupts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flow.feed.QUIET", 100)
    fed = feed({"a": [at(1), at(2), "for ever"]}, kind=AsyncScriptedReader)
    with trio.fail_after(60):
        assert [told(await fed.feed.next()) for _ in range(2)] == [("a", 1, 1), ("a", 1, 2)]
        async with trio.open_nursery() as nursery:

            async def stop() -> None:
                await trio.testing.wait_all_tasks_blocked()
                fed.control.stop()

            nursery.start_soon(stop)
            assert (await to_the_end(fed.feed))[-1] == END
    assert fed.source.opened[0].closed == 1


@pytest.mark.parametrize("kind", [ScriptedReader, AsyncScriptedReader])
async def test_a_reader_that_fails_is_told_with_split_and_offset(kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flow.feed.QUIET", 100)
    fed = feed({"a": [at(1), NOW, OSError("torn off")]}, kind=kind)
    assert told(await fed.feed.next())[:2] == ("a", 1)
    with pytest.raises(StepError) as raised:
        await to_the_end(fed.feed)
    assert (raised.value.node, raised.value.instance, raised.value.offset) == ("s", "split a", 2)
    assert isinstance(raised.value.cause, OSError)
    await fed.feed.aclose()
    assert fed.source.opened[0].closed == 1


async def test_a_split_that_cannot_be_opened_is_told() -> None:
    @attrs.define
    class Locked(Scripted):
        def open(self, split: Split, offset: Any = None) -> Any:
            raise PermissionError("locked")

    with pytest.raises(StepError, match=r"'s' \(split a\): PermissionError: locked"):
        await feeds(Locked({"a": []}))[0].feed.next()


async def test_other_columns_than_announced_are_an_error() -> None:
    fed = feed({"a": [pa.record_batch({"t": [1]})]})
    with pytest.raises(StepError, match=r"the columns t int64, not t timestamp\[us\], n int64"):
        await fed.feed.next()


async def test_rejected_rows_come_with_the_read_also_alone() -> None:
    fed = feed({"a": ["x", at(1), NOW, "y"]})
    first, second, end = await to_the_end(fed.feed)
    assert [(row.row, row.error, row.offset) for row in first.rejected] == [("x", "torn", 1)]
    assert [(row.row, row.offset) for row in second.rejected] == [("y", 4)]
    assert (first.rows, second.rows, end) == (1, 0, END)


async def test_a_reader_that_was_opened_by_a_cancelled_call_is_closed() -> None:
    opening = trio.Event()
    token = trio.lowlevel.current_trio_token()

    @attrs.define
    class Slow(Scripted):
        def open(self, split: Split, offset: Any = None) -> Any:
            trio.from_thread.run_sync(opening.set, trio_token=token)
            return super().open(split, offset)

    fed = feeds(Slow({"a": [at(1)]}))[0]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(fed.feed.next)
        await opening.wait()
        nursery.cancel_scope.cancel()
    await fed.feed.aclose()
    assert [reader.closed for reader in fed.source.opened] == [1]


async def test_reading_ahead_is_bounded_and_keeps_the_order() -> None:
    fed = feed({"a": [answer for number in range(6) for answer in (at(number), Idle(0.0))]})
    ahead = Ahead(fed.feed, 2, 1 << 20)
    async with trio.open_nursery() as nursery:
        assert ahead.next_nowait() is None
        nursery.start_soon(ahead.run)
        while fed.counters.rows_in < 3:  # noqa: ASYNC110
            await trio.sleep(0.001)
        await trio.sleep(0.005)
        assert fed.counters.rows_in == 3, "two wait, and one wants to"
        items = [told(item) for item in await to_the_end(ahead)]
    assert [item[2] for item in items[:-1]] == list(range(6))
    assert fed.counters.blocked > 0
