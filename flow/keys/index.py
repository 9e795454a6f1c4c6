"""Keyed state's index: from the values of key columns to dense slots, and back.

Invariant: two rows have the same slot exactly when their keys are equal; slots are 0, 1, 2... without gaps, and a
slot keeps its key until the index is cleared.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa

from flow.hashing import Integers, dictionary_codes, hash_columns, is_bytes, key_groups, nulls_of, plain, word_values
from flow.keys.codes import Column, Tuples
from flow.keys.grid import Grid
from flow.keys.tables import HashTable, Nulls, Words, WordStore, hash_words


class KeyIndex(Tuples):
    """A map from keys, of one or more columns of any types, to dense slots; NULLs are equal, and so are NaNs.

    State lies in arrays beside the index, one item a slot. Counting by key, for example:

        index, counts = KeyIndex([pa.string()]), np.zeros(0, np.int64)
        slots = index.slots([batch.column("user")])
        counts = np.append(counts, np.zeros(len(index) - len(counts), np.int64))
        counts += np.bincount(slots, minlength=len(index))
        table = pa.table([*index.columns(), counts], ["user", "count"])

    A snapshot is such a table with one more column, ``KEY_GROUP: index.groups()``; `slots` of its key columns in a
    new index gives back where each row's state goes.

    Args:
        types: of the key columns. Columns given later may be dictionary-encoded or not, whatever their type says.

    Raises:
        ValueError: there is no key column.
        TypeError: values of a type cannot be keys.
    """

    def __init__(self, types: Sequence[pa.DataType]) -> None:
        if not types:
            raise ValueError("a key index needs at least one key column")
        self.types: Final = tuple(types)
        self.clear()

    def __len__(self) -> int:
        return len(self._words.store)

    def slots(self, columns: Sequence[pa.Array]) -> Integers:
        """The slot of each row, int64[n]; keys not met before get new slots."""
        return self._words.insert(self._encode(columns, learn=True))

    def find(self, columns: Sequence[pa.Array]) -> Integers:
        """The slot of each row, int64[n], -1 where its key has none."""
        return self._words.find(self._encode(columns, learn=False))

    def columns(self, slots: Integers | None = None) -> list[pa.Array]:
        """The key values of slots (None: of all), one array a key column, of the index's types."""
        keys = self._words.store.keys
        arrays = []
        for column, words, nulls in zip(self._columns, keys.values, keys.nulls, strict=True):
            if slots is not None:
                words, nulls = words[slots], None if nulls is None else nulls[slots]
            arrays.append(column.decode(words, nulls))
        return arrays

    def groups(self, slots: Integers | None = None) -> Integers:
        """The key group (0..255) of slots (None: of all)."""
        return key_groups(hash_columns(self.columns(slots)))

    def clear(self) -> None:
        """Forget all keys."""
        self._columns = [Column(kind, KeyIndex) for kind in self.types]
        self._words = _WordIndex(WordStore(len(self.types)))

    def _encode(self, columns: Sequence[pa.Array], learn: bool) -> Words:
        if len(columns) != len(self.types):
            raise ValueError(f"the index has {len(self.types)} key columns; {len(columns)} were given")
        encoded = [column.encode(array, learn) for column, array in zip(self._columns, columns, strict=True)]
        return Words([words for words, _ in encoded], [nulls for _, nulls in encoded])


def factorise(columns: Sequence[pa.Array]) -> tuple[Integers, Integers]:
    """Dense codes of the keys within one batch, without state.

    Returns:
        The code of each row, int64[n], from 0 to k - 1, and the first row of each code, int64[k].

    Raises:
        ValueError: there is no column.
        TypeError: values of a column's type cannot be keys.
    """
    if not columns:
        raise ValueError("rows have no codes without a key column")
    encoded = [_batch_words(plain(column)) for column in columns]
    keys = Words([words for words, _ in encoded], [nulls for _, nulls in encoded])
    store = _FirstRows(len(columns))
    codes = _WordIndex(store, keys.size).insert(keys)
    return codes, np.concatenate([np.zeros(0, np.int64), *store.first_rows])


class _FirstRows(WordStore):
    """A store that remembers from which row it took each key; tables take the first of equal rows."""

    def __init__(self, width: int) -> None:
        super().__init__(width)
        self.first_rows: Final[list[Integers]] = []

    def append(self, keys: Words, rows: Integers) -> None:
        super().append(keys, rows)
        self.first_rows.append(rows)


class _WordIndex:
    """Numbers of words: by cell while they lie close together, by hash otherwise."""

    def __init__(self, store: WordStore, expected: int = 0) -> None:
        self.store: Final = store
        self._expected: Final = expected
        self._grid: Grid | None = Grid(self.store)
        self._table: HashTable | None = None
        self._next_try = 0

    def find(self, keys: Words) -> Integers:
        """The number of each key, -1 where it has none."""
        if self._grid is not None:
            return self._grid.find(keys)
        assert self._table is not None
        return self._table.find(keys, hash_words(keys))

    def insert(self, keys: Words) -> Integers:
        """The number of each key; new keys get new numbers."""
        if self._grid is not None:
            numbers = self._grid.insert(keys)
            if numbers is not None:
                return numbers
            self._grid, self._table = None, HashTable(self.store, self._expected)
            self._next_try = 2 * len(self.store) + keys.size
        assert self._table is not None
        numbers = self._table.insert(keys, hash_words(keys))
        if len(self.store) >= self._next_try:
            # A range that was wide for the first few keys may be narrow for many.
            self._next_try = 2 * len(self.store)
            grid = Grid(self.store)
            if grid.fit(self.store.keys):
                self._grid, self._table = grid, None
        return numbers


def _batch_words(array: pa.Array) -> tuple[Integers, Nulls]:
    """Words for the values of one batch's column, and which rows are NULL."""
    words = word_values(array)
    nulls: Nulls
    if words is not None:
        nulls = nulls_of(array)
        if nulls is not None:
            words[nulls] = 0
        return words, nulls
    kind = array.type
    if pa.types.is_dictionary(kind):
        codes, values = dictionary_codes(array), plain(array.dictionary)
        if len(values) > len(array):
            used, codes = np.unique(codes, return_inverse=True)
            values = values.take(pa.array(used, mask=used == len(values)))
        words, nulls = _batch_words(values)
        if nulls is None and np.array_equal(words, np.arange(len(values))):
            return codes, None
        nulls = np.append(np.zeros(len(values), np.bool_) if nulls is None else nulls, True)
        return np.append(words, 0)[codes], nulls[codes]
    if pa.types.is_string_view(kind) or pa.types.is_binary_view(kind):
        return _batch_words(array.cast(pa.large_binary()))
    if is_bytes(kind) and not pa.types.is_interval(kind):
        encoded = array.dictionary_encode()
        codes, missing = dictionary_codes(encoded), nulls_of(array)
        if missing is not None:
            codes[missing] = 0
        return codes, missing
    return KeyIndex([kind]).slots([array]), None
