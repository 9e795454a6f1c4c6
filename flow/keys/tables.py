"""Tables from keys to dense numbers 0, 1, 2...: stores that hold the keys, and two ways to look keys up in them.

Invariant: number i of a store is the i-th key that was appended to it, no two of which are equal; a lookup compares
keys, never hashes alone.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple, Protocol, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from flow.hashing import Bytes, Hashes, Integers, hash_bytes, mix, word_positions

_SMALLEST_TABLE: Final = 64
_QUICK_GROWTH: Final = 1 << 16
_WORDS_IN_LOOP: Final = 4
_MULTIPLIER: Final = np.uint64(0x9E3779B97F4A7C15)

Nulls = NDArray[np.bool_] | None
"""Which rows are NULL; None where no row is."""

Rows = Any
"""Row numbers, or a slice of them."""


class Words(NamedTuple):
    """Keys of one or more int64 words each; the word of a NULL is 0.

    Attributes:
        values: a column of words each.
        nulls: which rows of each column are NULL.
    """

    values: list[Integers]
    nulls: list[Nulls]

    @property
    def size(self) -> int:
        """Number of keys."""
        return len(self.values[0])


def hash_words(keys: Words) -> Hashes:
    """One hash a key, for use within the process."""
    hashes = keys.values[0].astype(np.uint64)
    for column in keys.values[1:]:
        hashes *= _MULTIPLIER
        hashes = mix(hashes)
        hashes += column.view(np.uint64)
    return mix(hashes)


K = TypeVar("K", contravariant=True)


class Store(Protocol[K]):
    """Distinct keys, numbered as they were appended."""

    def __len__(self) -> int:
        """Number of keys."""

    def hashes(self) -> Hashes:
        """The hashes of all keys held."""

    def same(self, keys: K, rows: Rows, numbers: Integers) -> NDArray[np.bool_]:
        """Whether rows of `keys` equal the keys held under these numbers; -1 gives anything."""

    def append(self, keys: K, rows: Integers) -> None:
        """Take in rows of `keys`, none of which is held yet, each once."""


class WordStore:
    """Keys of fixed width."""

    def __init__(self, width: int) -> None:
        self.width: Final = width
        self._size = 0
        self._values = [np.zeros(16, np.int64) for _ in range(width)]
        self._nulls: list[Nulls] = [None] * width

    def __len__(self) -> int:
        return self._size

    @property
    def keys(self) -> Words:
        """The keys held, as views."""
        size = self._size
        nulls = [None if column is None else column[:size] for column in self._nulls]
        return Words([column[:size] for column in self._values], nulls)

    def hashes(self) -> Hashes:
        """The hashes of all keys held."""
        return hash_words(self.keys)

    def same(self, keys: Words, rows: Rows, numbers: Integers) -> NDArray[np.bool_]:
        """Whether rows of `keys` equal the keys held under these numbers."""
        same: NDArray[np.bool_] = self._values[0][numbers] == keys.values[0][rows]
        for held, column in zip(self._values[1:], keys.values[1:], strict=True):
            same &= held[numbers] == column[rows]
        for held_nulls, nulls in zip(self._nulls, keys.nulls, strict=True):
            if held_nulls is not None:
                same &= held_nulls[numbers] == (False if nulls is None else nulls[rows])
            elif nulls is not None:
                same &= ~nulls[rows]
        return same

    def append(self, keys: Words, rows: Integers) -> None:
        """Take in rows of `keys`."""
        start, self._size = self._size, self._size + len(rows)
        for index, column in enumerate(keys.values):
            self._values[index] = _grown(self._values[index], self._size)
            self._values[index][start : self._size] = column[rows]
        for index, nulls in enumerate(keys.nulls):
            held = self._nulls[index]
            if held is None and nulls is not None:
                held = np.zeros(len(self._values[index]), np.bool_)
            if held is not None:
                held = _grown(held, self._size)
                held[start : self._size] = False if nulls is None else nulls[rows]
                self._nulls[index] = held


class BytesStore:
    """Keys that are byte strings, each from a whole word on, so that comparing loads aligned words."""

    def __init__(self) -> None:
        self._size = 0
        self._used = 0
        self._starts = np.zeros(16, np.int64)
        self._lengths = np.zeros(16, np.int64)
        self._words = np.zeros(16, np.dtype("<u8"))

    def __len__(self) -> int:
        return self._size

    @property
    def keys(self) -> Bytes:
        """The keys held, as views."""
        return Bytes(self._words.view(np.uint8), 8 * self._starts[: self._size], self._lengths[: self._size])

    def arrow(self, numbers: Integers) -> pa.LargeBinaryArray:
        """The keys held under these numbers."""
        starts, lengths = self._starts[numbers], self._lengths[numbers]
        rows, positions = word_positions(lengths, 0)
        filled = (lengths[rows] - 8 * positions)[:, None] > np.arange(8)
        data = self._words[starts[rows] + positions].view(np.uint8).reshape(-1, 8)[filled]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
        return pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(numbers), buffers)

    def hashes(self) -> Hashes:
        """The hashes of all keys held."""
        return hash_bytes(self.keys)

    def same(self, keys: Bytes, rows: Rows, numbers: Integers) -> NDArray[np.bool_]:
        """Whether rows of `keys` equal the keys held under these numbers."""
        starts, lengths = self._starts[numbers], self._lengths[numbers]
        given = Bytes(keys.data, keys.starts[rows], keys.lengths[rows])
        same: NDArray[np.bool_] = lengths == given.lengths
        for position in range(_WORDS_IN_LOOP):
            open_ = np.flatnonzero(same & (lengths > 8 * position))
            if not len(open_):
                return same
            same[open_] = self._words[starts[open_] + position] == given.words(open_, position)
        open_ = np.flatnonzero(same & (lengths > 8 * _WORDS_IN_LOOP))
        which, positions = word_positions(lengths[open_], _WORDS_IN_LOOP)
        long = open_[which]
        differ = self._words[starts[long] + positions] != given.words(long, positions)
        same[long[differ]] = False
        return same

    def append(self, keys: Bytes, rows: Integers) -> None:
        """Take in rows of `keys`."""
        start, self._size = self._size, self._size + len(rows)
        lengths = keys.lengths[rows]
        which, positions = word_positions(lengths, 0)
        ends = self._used + np.cumsum((lengths + 7) // 8)
        low, self._used = self._used, self._used + len(which)
        # Bytes are loaded by the word, from any of them on: one word lies beyond the last.
        self._words = _grown(self._words, self._used + 1)
        self._words[low : self._used] = keys.words(rows[which], positions)
        self._starts = _grown(self._starts, self._size)
        self._starts[start : self._size] = ends - (lengths + 7) // 8
        self._lengths = _grown(self._lengths, self._size)
        self._lengths[start : self._size] = lengths


class HashTable:
    """Open addressing over one int32 array at most half full; every row of a batch probes at the same time."""

    def __init__(self, store: Store[Any], expected: int = 0) -> None:
        self._store: Final = store
        self._table = np.zeros(0, np.int32)
        self._resize(max(_SMALLEST_TABLE, 1 << (2 * expected).bit_length()))

    def find(self, keys: Any, hashes: Hashes, rows: Rows = slice(None)) -> Integers:
        """The number of each of some rows of `keys`, -1 where it is not held."""
        mask = len(self._table) - 1
        at = (hashes[rows] & np.uint64(mask)).view(np.int64)
        numbers: Integers = self._table[at].astype(np.int64)
        if not len(self._store):
            return numbers
        hit = self._store.same(keys, rows, numbers)
        pending = np.flatnonzero(~hit & (numbers >= 0))
        if not len(pending):
            return numbers
        every = np.arange(len(hashes))[rows]
        step = 0
        while len(pending):
            step += 1
            at[pending] = tried = (at[pending] + step) & mask
            candidates = self._table[tried].astype(np.int64)
            hit = self._store.same(keys, every[pending], candidates)
            numbers[pending] = candidates
            pending = pending[~hit & (candidates >= 0)]
        return numbers

    def insert(self, keys: Any, hashes: Hashes) -> Integers:
        """The number of each row of `keys`; what is not held is appended to the store."""
        numbers = self.find(keys, hashes)
        missing = np.flatnonzero(numbers < 0)
        while len(missing):
            free = len(self._table) // 2 - len(self._store)
            if free < min(len(missing), len(self._table) // 8):
                self._resize(len(self._table) * (4 if len(self._table) < _QUICK_GROWTH else 2))
                continue
            some, missing = missing[:free], missing[free:]
            numbers[some] = self._claim(keys, hashes, some)
            if len(missing):
                # Most of the others may be equal to the few just taken in: then no more room is needed for them.
                numbers[missing] = again = self.find(keys, hashes, missing)
                missing = missing[again < 0]
        return numbers

    def _claim(self, keys: Any, hashes: Hashes, rows: Integers) -> Integers:
        """Numbers for rows that are not held, which may be equal to each other; there is room for all."""
        table, mask = self._table, len(self._table) - 1
        numbers = np.full(len(rows), -1, np.int64)
        at = (hashes[rows] & np.uint64(mask)).view(np.int64)
        pending = np.arange(len(rows))
        step = 0
        while len(pending):
            tried = at[pending]
            empty = table[tried] < 0
            first, first_at = pending[empty], tried[empty]
            # Rows that want the same place all write there, the first of them last; who finds itself there has it.
            table[first_at[::-1]] = first[::-1]
            won = table[first_at] == first
            start = len(self._store)
            self._store.append(keys, rows[first[won]])
            table[first_at[won]] = np.arange(start, len(self._store))
            candidates = table[tried].astype(np.int64)
            hit = self._store.same(keys, rows[pending], candidates)
            numbers[pending[hit]] = candidates[hit]
            pending = pending[~hit]
            step += 1
            at[pending] = (at[pending] + step) & mask
        return numbers

    def _resize(self, size: int) -> None:
        """Use a table of `size` places, a power of two, or as many more as the keys held need."""
        while size < 2 * len(self._store):
            size *= 2
        self._table = table = np.full(size, -1, np.int32)
        at = (self._store.hashes() & np.uint64(size - 1)).view(np.int64)
        pending = np.arange(len(at))
        step = 0
        while len(pending):
            tried = at[pending]
            empty = table[tried] < 0
            table[tried[empty]] = pending[empty]
            pending = pending[table[tried] != pending]
            step += 1
            at[pending] = (at[pending] + step) & (size - 1)


def _grown(array: NDArray[Any], size: int) -> NDArray[Any]:
    """The array with room for at least `size` items."""
    if size <= len(array):
        return array
    larger = np.zeros(max(size, 2 * len(array)), array.dtype)
    larger[: len(array)] = array
    return larger
