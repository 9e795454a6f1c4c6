"""Panes: the state of open windows, in blocks of neighbouring windows that are dropped whole.

A block usually holds one window. Where a batch brings many windows at once (history, or very short windows), a block holds
several, so that the cost of a batch does not grow with its windows. Blocks never overlap, and are kept in order.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import Final

import attrs
import numpy as np

from operators.aggregates.columns import IntArray, physical
from operators.aggregates.store import Store

_BLOCKS_A_BATCH: Final = 4
_DENSE: Final = 4096


@attrs.define
class Block:
    """The groups of the windows `low` to `high` - 1; the number of the window is the last key of `store` if `several`."""

    low: int
    high: int
    store: Store

    @property
    def several(self) -> bool:
        """Whether the block may hold more than one window."""
        return self.high - self.low > 1

    def numbers(self, slots: IntArray) -> IntArray:
        """The windows of slots."""
        if not self.several:
            return np.full(len(slots), self.low)
        numbers: IntArray = physical(self.store.keys(slots)[-1])
        return numbers

    def closing(self, last: int) -> IntArray:
        """The slots of groups that stand in windows up to `last`, by window."""
        slots = self.store.standing()
        if not self.several or not len(slots):
            return slots
        numbers = self.numbers(slots)
        chosen = np.flatnonzero(numbers <= last)
        return slots[chosen[np.argsort(numbers[chosen], kind="stable")]]


class Panes:
    """The blocks of all open windows."""

    def __init__(self, make: Callable[[bool], Store]) -> None:
        """No block; `make` gives an empty store, with a last key for the number of the window where asked for."""
        self._make = make
        self._blocks: list[Block] = []
        self._lows: list[int] = []

    def __iter__(self) -> Iterator[Block]:
        return iter(self._blocks)

    def split(self, numbers: IntArray) -> Iterator[tuple[Block, IntArray | None]]:
        """The blocks in which windows lie, and the places in `numbers` (not empty) of each; None means all."""
        low, high = int(numbers.min()), int(numbers.max())
        block = self._block(low)
        if block is None or high >= block.high:
            self._cover(numbers, low, high)
            block = self._block(low)
            assert block is not None
        if high < block.high:
            yield block, None
            return
        which = np.searchsorted(np.array(self._lows), numbers, side="right") - 1
        order = np.argsort(which.astype(np.int16) if len(self._lows) < _DENSE else which, kind="stable")
        ends = np.flatnonzero(np.diff(which[order], append=-1)) + 1
        for places in np.split(order, ends[:-1]):
            yield self._blocks[int(which[places[0]])], places

    def drop(self, last: int) -> None:
        """Forget the blocks in which all windows are at most `last`."""
        number = bisect_right([block.high - 1 for block in self._blocks], last)
        del self._blocks[:number], self._lows[:number]

    def _block(self, number: int) -> Block | None:
        place = bisect_right(self._lows, number) - 1
        return self._blocks[place] if place >= 0 and number < self._blocks[place].high else None

    def _cover(self, numbers: IntArray, low: int, high: int) -> None:
        """Make blocks for the windows that lie in none."""
        if high - low < _DENSE:
            present = np.flatnonzero(np.bincount(numbers - low)) + low
        else:
            present = np.unique(numbers)
        missing = [number for number in present.tolist() if self._block(number) is None]
        # The number of windows sets the width, not their span: one row from far ahead must not make blocks that stay open.
        width = 1
        while len(missing) > _BLOCKS_A_BATCH * width:
            width *= 2
        for number in missing:
            if self._block(number) is not None:
                continue
            place = bisect_right(self._lows, number)
            start = number - number % width
            end = start + width
            if place:
                start = max(start, self._blocks[place - 1].high)
            if place < len(self._blocks):
                end = min(end, self._blocks[place].low)
            self._blocks.insert(place, Block(start, end, self._make(end - start > 1)))
            self._lows.insert(place, start)
