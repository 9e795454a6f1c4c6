"""Work is done inline or in a thread; a call that is cancelled is waited for a little, then abandoned.

These tests wait for worker threads by events of their own: trio's jumping clock takes such a wait for idleness, and
would let every timeout of the runtime pass at once.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pyarrow as pa
import pytest
import trio
import trio.testing

from flow.cost import Cost
from flow.kernels import Kernels
from flow.messages import Rows
from flow.metrics import Counters
from flow.steps import Send

ROWS = Rows(pa.record_batch({"n": [1]}))


def working(threads: list[threading.Thread], *sizes: int) -> Iterator[Send]:
    """Sends of so many bytes; notes in which threads it was worked on."""
    for size in sizes:
        threads.append(threading.current_thread())
        yield Send(0, 0, ROWS, size)


def known_small() -> Cost:
    cost = Cost()
    cost.observe(1, 1)
    return cost


async def test_small_work_is_done_inline_and_other_work_in_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flow.kernels.PATIENCE", 10**15)
    kernels, counters, threads = Kernels(2, 2), Counters(), []
    sends, done = await kernels.pull(working(threads, 1, 2), 1, known_small(), counters, name="n")
    assert ([send.size for send in sends], done) == ([1, 2], True)
    assert set(threads) == {threading.current_thread()}
    assert counters.queued == 0
    threads.clear()
    sends, done = await kernels.pull(working(threads, 3), 1, Cost(), counters, name="n")
    assert ([send.size for send in sends], done) == ([3], True)
    assert threading.current_thread() not in threads
    assert counters.queued > 0


async def test_what_may_wait_is_never_done_inline() -> None:
    threads: list[threading.Thread] = []
    await Kernels(2, 2).pull(working(threads, 1), 1, known_small(), Counters(), name="n", waits=True)
    assert threading.current_thread() not in threads


async def test_work_becomes_known_by_being_done() -> None:
    kernels, cost, threads = Kernels(2, 2), Cost(), []
    await kernels.pull(working(threads, 1), 10**9, cost, Counters(), name="n")
    await kernels.pull(working(threads, 1), 1, cost, Counters(), name="n")
    assert [thread is threading.current_thread() for thread in threads] == [False, True]


@pytest.mark.parametrize("cost", [known_small(), Cost()], ids=["inline", "thread"])
async def test_a_kernel_stops_for_breath(cost: Cost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flow.kernels.PATIENCE", 10**15)
    monkeypatch.setattr("flow.kernels.BREATH", 10)
    sends = working([], 4, 4, 4, 4, 4)
    kernels, taken = Kernels(2, 2), []
    done = False
    while not done:
        some, done = await kernels.pull(sends, 1, cost, Counters(), name="n")
        taken.append([send.size for send in some])
    assert taken == [[4, 4, 4], [4, 4]]
    monkeypatch.setattr("flow.kernels.PATIENCE", -1)
    some, done = await kernels.pull(working([], 1, 1), 1, cost, Counters(), name="n")
    assert ([send.size for send in some], done) == ([1], False)


async def test_errors_come_through() -> None:
    def fail() -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await Kernels(2, 2).call(fail, name="n")


async def test_no_more_compute_at_a_time_than_allowed_and_those_who_wait_do_not_count() -> None:
    kernels = Kernels(2, 3)
    lock, release = threading.Lock(), threading.Event()
    under_way = {"computing": 0, "waiting": 0}

    def work(kind: str) -> None:
        with lock:
            under_way[kind] += 1
        release.wait(30)

    async with trio.open_nursery() as nursery:
        for _ in range(4):
            nursery.start_soon(lambda: kernels.call(lambda: work("computing"), name="n", waits=False))
            nursery.start_soon(lambda: kernels.call(lambda: work("waiting"), name="n"))
        while under_way != {"computing": 2, "waiting": 3}:  # noqa: ASYNC110
            await trio.sleep(0.001)
        await trio.sleep(0.005)
        assert under_way == {"computing": 2, "waiting": 3}
        release.set()
    assert under_way == {"computing": 4, "waiting": 4}


async def cancelled_while_it_works(kernels: Kernels, release_after: trio.Event | None) -> bool:
    """A call that is cancelled while its thread works; whether the thread was done when the canceller went on."""
    begun, release, finished = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        release.wait(30)
        finished.set()

    async def let_go() -> None:
        if release_after is not None:
            await trio.testing.wait_all_tasks_blocked()
            release.set()

    async with trio.open_nursery() as around:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: kernels.call(work, name="slow"))
            while not begun.is_set():  # noqa: ASYNC110
                await trio.sleep(0.001)
            around.start_soon(let_go)
            nursery.cancel_scope.cancel()
        done = finished.is_set()
    release.set()
    finished.wait(30)
    return done


async def test_a_call_that_is_cancelled_is_waited_for() -> None:
    kernels = Kernels(2, 2)
    assert await cancelled_while_it_works(kernels, trio.Event())
    assert kernels.abandoned == []


async def test_a_call_that_does_not_come_back_is_abandoned_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flow.kernels.SETTLE", 0.005)
    kernels = Kernels(2, 2)
    assert not await cancelled_while_it_works(kernels, None)
    assert kernels.abandoned == ["slow"]


async def test_a_jumping_clock_does_not_see_worker_threads(autojump_clock: object) -> None:
    """What the docstring of this file warns of."""
    kernels = Kernels(2, 2)
    assert not await cancelled_while_it_works(kernels, None)
    assert kernels.abandoned == ["slow"]


async def test_a_call_that_was_cancelled_before_it_began_never_begins() -> None:
    kernels, release, called = Kernels(1, 1), threading.Event(), []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: kernels.call(lambda: release.wait(30), name="first"))
        await trio.testing.wait_all_tasks_blocked()
        with trio.move_on_after(0.005) as scope:
            await kernels.call(lambda: called.append(1), name="second")
        assert scope.cancelled_caught
        release.set()
    await kernels.call(lambda: None, name="third")
    assert called == []
    assert kernels.abandoned == []


def test_a_thread_that_comes_back_after_the_loop_has_ended_harms_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flow.kernels.SETTLE", 0.001)
    begun, release, finished = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        release.wait(30)
        finished.set()

    async def program() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: Kernels(1, 1).call(work, name="n"))
            while not begun.is_set():  # noqa: ASYNC110
                await trio.sleep(0.001)
            nursery.cancel_scope.cancel()

    trio.run(program)
    release.set()
    assert finished.wait(30)
