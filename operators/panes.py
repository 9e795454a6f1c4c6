"""Panes: the state of open windows, in blocks of neighbouring windows that are dropped whole.

A block usually holds one window. Where a batch brings many windows at once (history, or very short windows), a block
holds several, so that the cost of a batch does not grow with its windows. Blocks never overlap, and are kept in order.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import attrs
import numpy as np
import pyarrow as pa

from operators.aggregates.columns import IntArray, physical
from operators.aggregates.numbered import NumberedKeys
from operators.aggregates.store import Store

_BLOCKS_A_BATCH: Final = 1
_DENSE: Final = 4096
_SMALL: Final = 16_384
_SPARE: Final = 8


@attrs.define
class Block:
    """The groups of the windows `low` to `high` - 1; if `several`, `store` has the window as its last key."""

    low: int
    high: int
    store: Store
    numbered: NumberedKeys

    @property
    def several(self) -> bool:
        """Whether the block may hold more than one window."""
        return self.high - self.low > 1

    def keys(self, slots: IntArray) -> list[pa.Array]:
        """The keys of slots, without the window."""
        return self.numbered.decode(self.store.keys(slots))

    def numbers(self, slots: IntArray) -> IntArray:
        """The windows of slots."""
        if not self.several:
            return np.full(len(slots), self.low)
        numbers: IntArray = physical(self.store.keys(slots)[-1])
        return numbers

    def closing(self, closed: int, last: int) -> IntArray:
        """The slots of groups that stand in windows after `closed` and up to `last`, by window."""
        slots = self.store.standing()
        if not self.several or not len(slots):
            return slots
        numbers = self.numbers(slots)
        chosen = np.flatnonzero((numbers > closed) & (numbers <= last))
        return slots[chosen[np.argsort(numbers[chosen], kind="stable")]]


class Panes:
    """The blocks of all open windows."""

    def __init__(self, kinds: Sequence[pa.DataType], make: Callable[[Sequence[pa.DataType]], Store]) -> None:
        """No block; `kinds` are the (plain) types of the keys, and `make` gives an empty store for key types."""
        self._make = make
        self._numbered = NumberedKeys(kinds)
        self._blocks: list[Block] = []
        self._lows: list[int] = []
        self._spare: list[Store] = []

    def __iter__(self) -> Iterator[Block]:
        return iter(self._blocks)

    def split(self, numbers: IntArray) -> tuple[IntArray | None, list[tuple[Block, int, int]]]:
        """The blocks in which windows lie.

        Returns:
            An order of `numbers` (not empty) in which those of each block stand together (None: as they are), and each
            block with the beginning and the end of its stretch.
        """
        low, high = int(numbers.min()), int(numbers.max())
        block = self._block(low)
        if block is None or high >= block.high:
            self._cover(numbers, low, high)
            block = self._block(low)
            assert block is not None
        if high < block.high:
            return None, [(block, 0, len(numbers))]
        which = np.searchsorted(np.array(self._lows), numbers, side="right") - 1
        order = np.argsort(which.astype(np.int16) if len(self._lows) < _DENSE else which, kind="stable")
        which = which[order]
        ends = (np.flatnonzero(np.diff(which, append=-1)) + 1).tolist()
        blocks = [self._blocks[number] for number in which[np.array(ends) - 1].tolist()]
        return order, list(zip(blocks, [0, *ends[:-1]], ends, strict=True))

    def drop(self, last: int) -> None:
        """Forget the blocks in which all windows are at most `last`."""
        number = bisect_right([block.high - 1 for block in self._blocks], last)
        for block in self._blocks[:number]:
            if not block.several and len(block.store) < _SMALL and len(self._spare) < _SPARE:
                block.store.clear()
                self._spare.append(block.store)
        del self._blocks[:number], self._lows[:number]
        if number and len(self._numbered) > _SMALL:
            used = max((len(block.store) for block in self._blocks if block.numbered is self._numbered), default=0)
            if len(self._numbered) > 2 * used:
                # Blocks to come number their keys anew, so that keys of the past go with the last block that had them.
                self._numbered = NumberedKeys(self._numbered.kinds)

    def _block(self, number: int) -> Block | None:
        place = bisect_right(self._lows, number) - 1
        return self._blocks[place] if place >= 0 and number < self._blocks[place].high else None

    def _cover(self, numbers: IntArray, low: int, high: int) -> None:
        """Make blocks for the windows that lie in none."""
        dense = high - low < _DENSE
        present = np.flatnonzero(np.bincount(numbers - low)) + low if dense else np.unique(numbers)
        missing = [number for number in present.tolist() if self._block(number) is None]
        # The number of windows sets the width, not their span: one row from far ahead must not make blocks that stay.
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
            self._blocks.insert(place, Block(start, end, self._store(end - start > 1), self._numbered))
            self._lows.insert(place, start)

    def _store(self, several: bool) -> Store:
        if not several and self._spare:
            return self._spare.pop()
        return self._make([*self._numbered.store_kinds, *([pa.int64()] if several else [])])
