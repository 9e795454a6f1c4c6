"""No epoch is committed before all writers have prepared it; readers hear of barriers and stops at once."""

from __future__ import annotations

import math

import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from flow.epochs import Commits, Control


async def test_nobody_commits_before_all_have_prepared() -> None:
    commits, ready = Commits(2), []

    async def write(writer: int) -> None:
        ready.append((writer, await commits.prepared(writer, 1)))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(write, 0)
        await trio.testing.wait_all_tasks_blocked()
        assert ready == []
        assert commits.committed == 0
        nursery.start_soon(write, 1)
    assert sorted(ready) == [(0, 1), (1, 1)]
    assert commits.committed == 1


async def test_a_writer_alone_commits_at_once() -> None:
    commits = Commits(1)
    assert [await commits.prepared(0, epoch) for epoch in (1, 2, Commits.LAST)] == [1, 2, Commits.LAST]


async def test_a_writer_that_ended_commits_with_the_next_epoch_and_holds_nobody_afterwards() -> None:
    commits, ready = Commits(2), []

    async def end() -> None:
        ready.append(await commits.prepared(1, Commits.LAST))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(end)
        await trio.testing.wait_all_tasks_blocked()
        assert ready == []
        assert await commits.prepared(0, 1) == 1
    assert ready == [1]
    assert [await commits.prepared(0, epoch) for epoch in (2, Commits.LAST)] == [2, Commits.LAST]


async def test_a_writer_that_is_cancelled_while_it_waits_leaves_the_others_alone() -> None:
    commits = Commits(2)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(commits.prepared, 0, 1)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert await commits.prepared(1, 1) == 1


@given(
    st.integers(1, 4).flatmap(
        lambda writers: st.tuples(
            st.lists(st.integers(0, 3), min_size=writers, max_size=writers),
            st.lists(st.integers(0, writers - 1), max_size=24),
        )
    )
)
@settings(max_examples=60, deadline=None)
def test_however_writers_interleave_nothing_is_committed_that_somebody_has_not_prepared(
    case: tuple[list[int], list[int]],
) -> None:
    """Each writer takes part in some epochs and then ends; the rest is the order in which they get on."""
    epochs, order = case
    prepared, committed = [0] * len(epochs), [0] * len(epochs)
    commits = Commits(len(epochs))
    turns = [trio.Semaphore(0) for _ in epochs]

    async def write(writer: int) -> None:
        for epoch in [*range(1, epochs[writer] + 1), Commits.LAST]:
            await turns[writer].acquire()
            prepared[writer] = epoch
            ready = await commits.prepared(writer, epoch)
            assert ready <= min(prepared)
            assert ready <= epoch
            assert ready > committed[writer]
            committed[writer] = ready

    async def everybody() -> None:
        with trio.fail_after(60):
            async with trio.open_nursery() as nursery:
                for writer in range(len(epochs)):
                    nursery.start_soon(write, writer)
                for writer in order:
                    turns[writer].release()
                    await trio.testing.wait_all_tasks_blocked()
                for turn in turns:
                    for _ in range(4):
                        turn.release()

    trio.run(everybody)
    assert commits.committed == max(committed)
    assert min(prepared) == Commits.LAST


async def test_a_nap_ends_when_something_is_asked_for(autojump_clock: object) -> None:
    control = Control()
    start = trio.current_time()
    await control.nap(5)
    assert trio.current_time() - start == 5
    for ask in (control.end_epoch, control.stop):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(control.nap, math.inf)
            nursery.start_soon(control.changed)
            await trio.testing.wait_all_tasks_blocked()
            ask()
    assert (control.epoch, control.stopping) == (1, True)
