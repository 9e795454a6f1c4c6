"""Keyed state's index: from the values of key columns to dense slots, and back.

Invariant: two rows have the same slot exactly when their keys are equal; slots are 0, 1, 2... without gaps, and a
slot keeps its key until the index is cleared.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa

from flow.hashing import Integers, hash_columns, key_groups
from flow.keycodes import Column, Tuples
from flow.keytables import HashTable, Words, WordStore, hash_words


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
        return len(self._store)

    def slots(self, columns: Sequence[pa.Array]) -> Integers:
        """The slot of each row, int64[n]; keys not met before get new slots."""
        keys = self._encode(columns, learn=True)
        return self._table.insert(keys, hash_words(keys))

    def find(self, columns: Sequence[pa.Array]) -> Integers:
        """The slot of each row, int64[n], -1 where its key has none."""
        keys = self._encode(columns, learn=False)
        return self._table.find(keys, hash_words(keys))

    def columns(self, slots: Integers | None = None) -> list[pa.Array]:
        """The key values of slots (None: of all), one array a key column, of the index's types."""
        keys = self._store.keys
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
        self._store = WordStore(len(self.types))
        self._table = HashTable(self._store)

    def _encode(self, columns: Sequence[pa.Array], learn: bool) -> Words:
        if len(columns) != len(self.types):
            raise ValueError(f"the index has {len(self.types)} key columns; {len(columns)} were given")
        encoded = [column.encode(array, learn) for column, array in zip(self._columns, columns, strict=True)]
        return Words([words for words, _ in encoded], [nulls for _, nulls in encoded])


def factorise(columns: Sequence[pa.Array]) -> tuple[Integers, Integers]:
    """Dense codes of the keys within one batch, without state.

    Returns:
        The code of each row, int64[n], from 0 to k - 1, and the first row of each code, int64[k].
    """
    index = KeyIndex([column.type for column in columns])
    codes = index.slots(columns)
    first_rows = np.empty(len(index), np.int64)
    rows = np.arange(len(codes) - 1, -1, -1)
    first_rows[codes[::-1]] = rows
    return codes, first_rows
