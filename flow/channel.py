"""The inbox of a running instance: one bounded channel for each of its inputs, and one place to wait for all of them.

Every input has its own share of slots and bytes, so a fast input cannot crowd out a slow one, and an input that waits
at a barrier cannot keep the others from reaching it. A sender waits while its share is used up: backpressure, never
loss.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

import trio

Item = TypeVar("Item")


class _Share:
    __slots__ = ("bytes", "held", "lot", "slots", "stash")

    def __init__(self) -> None:
        self.slots = 0
        self.bytes = 0
        self.held = False
        self.lot = trio.lowlevel.ParkingLot()
        self.stash: deque[tuple[object, int]] = deque()


class Inbox(Generic[Item]):
    """Items from several inputs, received in order of arrival by exactly one task.

    Args:
        inputs: how many inputs there are; input i is used by exactly one sender.
        slots: items that may wait from one input.
        max_bytes: bytes that may wait, over all inputs; an input's share is an equal part. An item larger than the
            share is let in when nothing else of that input waits.
    """

    def __init__(self, inputs: int, *, slots: int, max_bytes: int) -> None:
        self._shares = [_Share() for _ in range(inputs)]
        self._slots = slots
        self._share_bytes = max(1, max_bytes // max(1, inputs))
        self._arrived: deque[tuple[int, Item, int]] = deque()
        self._receiver = trio.lowlevel.ParkingLot()
        self.max_bytes = max_bytes
        self.bytes = 0

    def fill(self) -> float:
        """How full the inbox is, by bytes, 0..1."""
        return min(1.0, self.bytes / self.max_bytes)

    async def send(self, number: int, item: Item, size: int) -> None:
        """Put an item in, after waiting for room where there is none."""
        share = self._shares[number]
        while share.slots and (share.slots >= self._slots or share.bytes + size > self._share_bytes):
            await share.lot.park()
        self.put(number, item, size)

    def has_room(self, number: int, size: int) -> bool:
        """Whether `send` would not wait."""
        share = self._shares[number]
        return not share.slots or (share.slots < self._slots and share.bytes + size <= self._share_bytes)

    def put(self, number: int, item: Item, size: int = 0) -> None:
        """Put an item in without asking for room: for control items, which are few and small."""
        share = self._shares[number]
        share.slots += 1
        share.bytes += size
        self.bytes += size
        self._arrived.append((number, item, size))
        self._receiver.unpark()

    def hold(self, number: int) -> None:
        """Receive nothing more from an input until `release`: it stands at a barrier."""
        self._shares[number].held = True

    def release(self) -> None:
        """Receive from all inputs again; what came from the held ones in the meantime comes first."""
        waiting: deque[tuple[int, Item, int]] = deque()
        for number, share in enumerate(self._shares):
            share.held = False
            while share.stash:
                item, size = share.stash.popleft()
                waiting.append((number, item, size))  # type: ignore[arg-type]  # the stash holds this inbox's items
        waiting.extend(self._arrived)
        self._arrived = waiting

    def receive_nowait(self) -> tuple[int, Item] | None:
        """The next item with the number of its input; None when none is waiting."""
        while self._arrived:
            number, item, size = self._arrived.popleft()
            share = self._shares[number]
            if share.held:
                share.stash.append((item, size))
                continue
            share.slots -= 1
            share.bytes -= size
            self.bytes -= size
            share.lot.unpark()
            return number, item
        return None

    async def receive(self) -> tuple[int, Item]:
        """The next item with the number of its input, after waiting for one where there is none."""
        while (received := self.receive_nowait()) is None:
            await self._receiver.park()
        return received
