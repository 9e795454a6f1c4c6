"""Keys with long values beside short ones: looked up by the short ones alone, as long as these say the rest.

`GROUP BY user_id, name, address` names one column that tells users apart and several that follow from it; to number
each of their values again in every row costs many times what the numbers do. So a key is found by its short values,
and its long ones are compared with those that came with them first.

Invariant: as of a `KeyIndex`. Keys that have other long values than the first of their short ones stand aside, in an
index of all columns; where these are many from the start, all keys go there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa

from flow.keys import KeyIndex
from operators.aggregates.columns import (
    BoolArray,
    IntArray,
    column,
    differ,
    grown,
    physical,
    physical_type,
    plain,
    valid,
)
from operators.joining.payload import Payload

_FEW: Final = 4_096
_SELDOM: Final = 16


class WideKeys:
    """An index from keys to dense slots, for keys of short and of long values."""

    def __init__(self, kinds: Sequence[pa.DataType]) -> None:
        """An empty index; some of the types are short and others long."""
        self._kinds: Final = list(kinds)
        self._short: Final = [number for number, kind in enumerate(kinds) if _is_short(kind)]
        self._long: Final = [number for number, kind in enumerate(kinds) if not _is_short(kind)]
        self.clear()

    def clear(self) -> None:
        """Forget all keys."""
        self._narrow = KeyIndex([part for number in self._short for part in _parts(self._kinds[number])])
        self._rest = Payload([self._kinds[number] for number in self._long])
        self._whole: KeyIndex | None = None
        # The first slots of `_whole` by those that they had before, and the other way round, where these are others.
        self._moved = self._back = np.zeros(0, np.int64)
        self._aside: KeyIndex | None = None
        # As long as no key stands aside, slots are the numbers of `_narrow`. Below zero is the inverse of one aside.
        self._numbers, self._slots, self._slots_aside = (np.zeros(0, np.int64) for _ in range(3))

    def __len__(self) -> int:
        if self._whole is not None:
            return len(self._whole)
        return len(self._narrow) + (0 if self._aside is None else len(self._aside))

    def slots(self, columns: Sequence[pa.Array]) -> IntArray:
        """The slot of each row, int64[n]; keys not met before get new slots."""
        if self._whole is not None:
            return _renumbered(self._whole.slots(columns), self._moved)
        known, size = len(self._narrow), len(self)
        columns = [plain(array) for array in columns]
        numbers = self._narrow.slots([part for number in self._short for part in _split(columns[number])])
        apart = self._apart([columns[number] for number in self._long], numbers, known)
        if self._aside is None:
            if not len(apart):
                return numbers
            if known <= _FEW and len(apart) * _SELDOM > len(numbers):
                self._give_up(known)
                return self.slots(columns)
            self._aside = KeyIndex(self._kinds)
            self._numbers, self._slots = np.arange(known), np.arange(known)
        aside = self._slots_of_apart(columns, apart, known, size)
        slots: IntArray = self._slots[numbers]
        slots[apart] = aside
        return slots

    def columns(self, slots: IntArray | None = None) -> list[pa.Array]:
        """The key values of slots (None: of all), one array a key column."""
        slots = np.arange(len(self)) if slots is None else slots
        if self._whole is not None:
            return self._whole.columns(_renumbered(slots, self._back))
        if self._aside is None:
            return self._narrow_columns(slots)
        numbers = self._numbers[slots]
        narrow = numbers >= 0
        order = np.empty(len(slots), np.int64)
        order[np.concatenate([np.flatnonzero(narrow), np.flatnonzero(~narrow)])] = np.arange(len(slots))
        some, others = self._narrow_columns(numbers[narrow]), self._aside.columns(~numbers[~narrow])
        places = pa.array(order)
        return [pa.concat_arrays(pair).take(places) for pair in zip(some, others, strict=True)]

    def _apart(self, given: Sequence[pa.Array], numbers: IntArray, known: int) -> IntArray:
        """The rows whose long values are not those that came with their short ones first; those that did are kept."""
        repeated = np.ones(len(numbers), np.bool_)
        if len(self._narrow) > known:
            fresh = np.flatnonzero(numbers >= known)
            firsts = np.empty(len(self._narrow) - known, np.int64)
            firsts[numbers[fresh[::-1]] - known] = fresh[::-1]
            chosen = pa.array(firsts)
            self._rest.append([array.take(chosen) for array in given])
            repeated[firsts] = False
        rows = np.flatnonzero(repeated)
        if not len(rows):
            return rows
        chosen = None if len(rows) == len(numbers) else pa.array(rows)
        held = self._rest.take(numbers[rows], range(len(given)))
        apart: BoolArray = np.zeros(len(rows), np.bool_)
        for before, array in zip(held, given, strict=True):
            after = array if chosen is None else array.take(chosen)
            apart |= differ(before, after if after.type == before.type else after.cast(before.type))
        return rows[apart]

    def _give_up(self, known: int) -> None:
        """Use an index of all columns from now on, in which the first `known` keys have the slots that they had."""
        whole = KeyIndex(self._kinds)
        back = whole.slots(self._narrow_columns(np.arange(known)))
        self.clear()
        self._whole = whole
        if (back != np.arange(known)).any():
            self._back, self._moved = back, np.argsort(back)

    def _slots_of_apart(self, columns: Sequence[pa.Array], apart: IntArray, known: int, size: int) -> IntArray:
        """The slots of rows whose keys stand aside; those of new keys, here and there, are noted."""
        assert self._aside is not None
        held = len(self._aside)
        chosen = pa.array(apart)
        aside = self._aside.slots([array.take(chosen) for array in columns])
        new, more = len(self._narrow) - known, len(self._aside) - held
        self._numbers, self._slots = grown(self._numbers, len(self), 0), grown(self._slots, len(self._narrow), 0)
        self._slots_aside = grown(self._slots_aside, len(self._aside), 0)
        self._slots[known : known + new] = np.arange(size, size + new)
        self._slots_aside[held : held + more] = np.arange(size + new, size + new + more)
        self._numbers[size : size + new] = np.arange(known, known + new)
        self._numbers[size + new : size + new + more] = ~np.arange(held, held + more)
        return self._slots_aside[aside]

    def _narrow_columns(self, numbers: IntArray) -> list[pa.Array]:
        parts = self._narrow.columns(numbers)
        columns: list[pa.Array | None] = [None] * len(self._kinds)
        for number in self._short:
            kind = self._kinds[number]
            own, parts = parts[: len(_parts(kind))], parts[len(_parts(kind)) :]
            columns[number] = _joined(kind, own)
        for number, array in zip(self._long, self._rest.take(numbers, range(len(self._long))), strict=True):
            columns[number] = array
        return columns


def _renumbered(slots: IntArray, numbers: IntArray) -> IntArray:
    """Slots, of which the first ones have other numbers."""
    if not len(numbers):
        return slots
    known = slots < len(numbers)
    renumbered = slots.copy()
    renumbered[known] = numbers[slots[known]]
    return renumbered


def key_index(kinds: Sequence[pa.DataType]) -> KeyIndex | WideKeys:
    """An index from keys of these (plain) types to dense slots."""
    short = [_is_short(kind) for kind in kinds]
    if not any(short) or all(short) or not all(map(_is_key_of_wide, kinds)):
        return KeyIndex(kinds)
    return WideKeys(kinds)


def _is_short(kind: pa.DataType) -> bool:
    return physical_type(kind) is not None or pa.types.is_boolean(kind) or pa.types.is_decimal128(kind)


def _is_key_of_wide(kind: pa.DataType) -> bool:
    types = pa.types
    text = types.is_string(kind) or types.is_large_string(kind) or types.is_binary(kind) or types.is_large_binary(kind)
    return text or _is_short(kind)


def _parts(kind: pa.DataType) -> list[pa.DataType]:
    """The types of what stands for values of a short type in an index: decimals are two words."""
    return [pa.int64(), pa.int64()] if pa.types.is_decimal128(kind) else [kind]


def _split(array: pa.Array) -> list[pa.Array]:
    if not pa.types.is_decimal128(array.type):
        return [array]
    keep, buffer = valid(array), array.buffers()[1]
    if buffer is None:
        return [pa.nulls(len(array), pa.int64())] * 2
    words = np.frombuffer(buffer, np.int64, 2 * len(array), 16 * array.offset)
    return [column(pa.int64(), words[::2], keep), column(pa.int64(), words[1::2], keep)]


def _joined(kind: pa.DataType, parts: Sequence[pa.Array]) -> pa.Array:
    if not pa.types.is_decimal128(kind):
        return parts[0]
    low, high = parts
    words = np.empty(2 * len(low), np.int64)
    words[::2], words[1::2] = physical(low), physical(high)
    keep = valid(low)
    validity = None if keep is None else pa.py_buffer(np.packbits(keep, bitorder="little"))
    return pa.Array.from_buffers(kind, len(low), [validity, pa.py_buffer(words)])
