"""The inbox: bounded by slots and bytes for each input, fair, and cancel-safe."""

from __future__ import annotations

import pytest
import trio

from flow.channel import Inbox


async def test_items_come_in_order_of_arrival_with_their_input() -> None:
    inbox: Inbox[str] = Inbox(2, slots=4, max_bytes=100)
    await inbox.send(0, "a", 1)
    await inbox.send(1, "b", 1)
    await inbox.send(0, "c", 1)
    assert [await inbox.receive() for _ in range(3)] == [(0, "a"), (1, "b"), (0, "c")]
    assert inbox.receive_nowait() is None


@pytest.mark.parametrize(("slots", "size"), [(2, 1), (100, 50)])
async def test_a_sender_waits_while_its_share_is_used_up(slots: int, size: int, autojump_clock: object) -> None:
    inbox: Inbox[int] = Inbox(1, slots=slots, max_bytes=100)
    sent: list[int] = []

    async def send() -> None:
        for number in range(5):
            await inbox.send(0, number, size)
            sent.append(number)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        await trio.testing.wait_all_tasks_blocked()
        assert sent == [0, 1]
        assert inbox.bytes == 2 * size
        await inbox.receive()
        await trio.testing.wait_all_tasks_blocked()
        assert sent == [0, 1, 2]
        for _ in range(4):
            await inbox.receive()
    assert inbox.bytes == 0


async def test_a_full_input_does_not_keep_another_out() -> None:
    inbox: Inbox[str] = Inbox(2, slots=1, max_bytes=100)
    await inbox.send(0, "a", 1)
    assert not inbox.has_room(0, 1)
    assert inbox.has_room(1, 1)
    with trio.move_on_after(60):
        await inbox.send(1, "b", 1)
    assert [await inbox.receive(), await inbox.receive()] == [(0, "a"), (1, "b")]


async def test_an_item_larger_than_the_share_gets_in_alone() -> None:
    inbox: Inbox[str] = Inbox(1, slots=4, max_bytes=10)
    with trio.fail_after(60):
        await inbox.send(0, "large", 1_000)
    assert not inbox.has_room(0, 1)
    await inbox.receive()
    assert inbox.has_room(0, 1_000)


async def test_a_held_input_is_not_received_from_until_its_release() -> None:
    inbox: Inbox[str] = Inbox(2, slots=8, max_bytes=100)
    inbox.hold(0)
    for number, item in [(0, "a"), (1, "b"), (0, "c"), (1, "d")]:
        await inbox.send(number, item, 1)
    assert [await inbox.receive(), await inbox.receive()] == [(1, "b"), (1, "d")]
    assert inbox.receive_nowait() is None
    assert inbox.bytes == 2, "what stands behind the barrier is still counted"
    inbox.release()
    assert [await inbox.receive(), await inbox.receive()] == [(0, "a"), (0, "c")]


async def test_a_cancelled_sender_leaves_nothing_behind(autojump_clock: object) -> None:
    inbox: Inbox[str] = Inbox(1, slots=1, max_bytes=100)
    await inbox.send(0, "a", 1)
    with trio.move_on_after(1) as scope:
        await inbox.send(0, "b", 1)
    assert scope.cancelled_caught
    assert await inbox.receive() == (0, "a")
    assert inbox.receive_nowait() is None


async def test_a_receiver_wakes_for_what_was_put() -> None:
    inbox: Inbox[str] = Inbox(1, slots=1, max_bytes=100)
    received: list[tuple[int, str]] = []

    async def receive() -> None:
        received.append(await inbox.receive())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(receive)
        await trio.testing.wait_all_tasks_blocked()
        inbox.put(0, "a")
    assert received == [(0, "a")]
