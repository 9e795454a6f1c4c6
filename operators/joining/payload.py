"""The values of rows, by row number: columns that only grow, and that give any rows back as Arrow arrays.

Invariant: what was taken stays valid when more is appended.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from flow.hashing import bytes_of, hash_bytes, nulls_of, plain, word_values
from flow.keys import factorise
from flow.keys.tables import BytesStore, HashTable
from operators.aggregates.columns import BoolArray, IntArray, grown
from operators.aggregates.columns import plain as decoded

_MOST_IN_DICTIONARY: Final = 65_536


class Payload:
    """Columns of rows that are numbered in the order in which they came."""

    def __init__(self, kinds: Sequence[pa.DataType]) -> None:
        self._kinds = list(kinds)
        self._columns = [_held(_storage(kind)) for kind in kinds]

    def append(self, arrays: Sequence[pa.Array]) -> None:
        """Add rows."""
        for column, array in zip(self._columns, arrays, strict=True):
            column.append(plain(array))

    @property
    def replaceable(self) -> bool:
        """Whether rows can be replaced: every value has its place, whatever it is."""
        return all(column.replaceable for column in self._columns)

    def replace(self, rows: IntArray, arrays: Sequence[pa.Array]) -> None:
        """Put other values in the places of some rows."""
        for column, array in zip(self._columns, arrays, strict=True):
            column.replace(rows, plain(array))

    def take(self, rows: IntArray, columns: Sequence[int]) -> list[pa.Array]:
        """The values of rows in some columns."""
        arrays = []
        for index in columns:
            kind, values = self._kinds[index], self._columns[index].take(rows)
            arrays.append(kind.wrap_array(values) if isinstance(kind, pa.BaseExtensionType) else values)
        return arrays


class _Held(ABC):
    """One column; of its NULLs only the places are kept, once there is one."""

    def __init__(self, kind: pa.DataType) -> None:
        self._kind = kind
        self._size = 0
        self._nulls: BoolArray | None = None

    def append(self, array: pa.Array) -> None:
        nulls = nulls_of(array)
        start, self._size = self._size, self._size + len(array)
        if nulls is not None or self._nulls is not None:
            held = np.zeros(0, np.bool_) if self._nulls is None else self._nulls
            self._nulls = grown(held, self._size, False)
            self._nulls[start : self._size] = False if nulls is None else nulls
        self._append(array, start)

    def _nulls_of(self, rows: IntArray) -> BoolArray | None:
        if self._nulls is None:
            return None
        nulls: BoolArray = self._nulls[rows]
        return nulls if nulls.any() else None

    @property
    def replaceable(self) -> bool:
        """Whether each value has its place, where another can be put."""
        return False

    def replace(self, rows: IntArray, array: pa.Array) -> None:
        """Put other values in the places of some, of a column that is replaceable."""
        raise TypeError(f"values of {self._kind} have no places")

    @abstractmethod
    def _append(self, array: pa.Array, start: int) -> None: ...

    @abstractmethod
    def take(self, rows: IntArray) -> pa.Array: ...


class _Placed(_Held):
    """Values each in its place, where another can be put."""

    def __init__(self, kind: pa.DataType, width: np.dtype[Any]) -> None:
        super().__init__(kind)
        self._values = np.zeros(0, width)

    def _append(self, array: pa.Array, start: int) -> None:
        self._values = grown(self._values, self._size, 0)
        words = self._words(array)
        if words is not None:
            self._values[start : self._size] = words

    @property
    def replaceable(self) -> bool:
        return True

    def replace(self, rows: IntArray, array: pa.Array) -> None:
        nulls = nulls_of(array)
        if nulls is not None and self._nulls is None:
            self._nulls = np.zeros(self._size, np.bool_)
        if self._nulls is not None:
            self._nulls[rows] = False if nulls is None else nulls
        words = self._words(array)
        if words is not None:
            self._values[rows] = words

    @abstractmethod
    def _words(self, array: pa.Array) -> NDArray[Any] | None:
        """The values in memory; None where there are only NULLs."""


class _Fixed(_Placed):
    """Values of so many bytes."""

    def _words(self, array: pa.Array) -> NDArray[Any] | None:
        buffer = array.buffers()[1]
        if buffer is None or not buffer.size:
            return None
        width = self._values.dtype
        return np.frombuffer(buffer, width, len(array), array.offset * width.itemsize)

    def take(self, rows: IntArray) -> pa.Array:
        return pa.Array.from_buffers(
            self._kind, len(rows), [_bitmap(self._nulls_of(rows)), pa.py_buffer(self._values[rows])]
        )


class _Booleans(_Placed):
    def _words(self, array: pa.Array) -> NDArray[Any] | None:
        return word_values(array)

    def take(self, rows: IntArray) -> pa.Array:
        return pa.array(self._values[rows], mask=self._nulls_of(rows))


class _Text(_Held):
    """Strings end to end in one buffer, over which an Arrow array is laid without a copy."""

    def __init__(self, kind: pa.DataType) -> None:
        super().__init__(kind)
        text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
        self.large: Final = pa.large_string() if text else pa.large_binary()
        self._ends = np.zeros(1, np.int64)
        self._data = np.zeros(0, np.uint8)

    def _append(self, array: pa.Array, start: int) -> None:
        strings = bytes_of(array)
        used = int(self._ends[start])
        size = len(strings.data) - 8
        self._data = grown(self._data, used + size, 0)
        self._data[used : used + size] = strings.data[:size]
        self._ends = grown(self._ends, self._size + 1, 0)
        self._ends[start + 1 : self._size + 1] = used + np.cumsum(strings.lengths)

    def take(self, rows: IntArray) -> pa.Array:
        buffers = [None, pa.py_buffer(self._ends), pa.py_buffer(self._data)]
        held = pa.Array.from_buffers(self.large, self._size, buffers)
        return held.take(pa.array(rows, mask=self._nulls_of(rows))).cast(self._kind)


class _Coded(_Placed):
    """Strings by their number in one dictionary for all; plain, and encoded as they go out, once these are many."""

    def __init__(self, kind: pa.DictionaryType) -> None:
        super().__init__(kind, np.dtype(np.int32))
        self._store = BytesStore()
        self._table = HashTable(self._store)
        self._dictionary = pa.array([], kind.value_type)
        # Batches of one source share their dictionaries.
        self._last: tuple[pa.Array, NDArray[np.int32]] | None = None
        self._plain: _Text | None = None

    @property
    def replaceable(self) -> bool:
        return self._plain is None

    def append(self, array: pa.Array) -> None:
        if self._plain is None:
            super().append(array)
            if len(self._store) > _MOST_IN_DICTIONARY:
                whole = _Text(self._kind.value_type)
                whole.append(decoded(self.take(np.arange(self._size))))
                self._plain, self._values = whole, self._values[:0]
        else:
            self._plain.append(decoded(array))

    def _words(self, array: pa.Array) -> NDArray[Any] | None:
        if not len(array.dictionary):
            return None
        strings, indices = array.dictionary, np.asarray(array.indices.fill_null(0))
        if self._last is not None and _same_array(strings, self._last[0]):
            known = self._last[1]
        elif len(strings) <= len(array):
            known = self._numbers(strings)
            self._last = strings, known
        else:
            # Of a dictionary that is longer than the batch, the rest may never come.
            used, indices = np.unique(indices, return_inverse=True)
            known = self._numbers(strings.take(pa.array(used)))
        numbers: NDArray[np.int32] = known[indices]
        return numbers

    def _numbers(self, strings: pa.Array) -> NDArray[np.int32]:
        values = bytes_of(strings)
        return self._table.insert(values, hash_bytes(values)).astype(np.int32)

    def take(self, rows: IntArray) -> pa.Array:
        if self._plain is not None:
            return self._plain.take(rows).dictionary_encode()
        known = len(self._dictionary)
        if known < len(self._store):
            more = self._store.arrow(np.arange(known, len(self._store)))
            strings = more.cast(_Text(self._kind.value_type).large).cast(self._kind.value_type)
            self._dictionary = pa.concat_arrays([self._dictionary, strings])
        codes = pa.array(self._values[rows], mask=self._nulls_of(rows))
        return pa.DictionaryArray.from_arrays(codes, self._dictionary, safe=False)


class _Pieces(_Held):
    """Values of any type: arrays, of which each is more than twice as long as the next."""

    def __init__(self, kind: pa.DataType) -> None:
        super().__init__(kind)
        self._pieces: list[pa.Array] = []

    def _append(self, array: pa.Array, start: int) -> None:
        pieces = self._pieces
        pieces.append(array)
        while len(pieces) > 1 and len(pieces[-2]) < 2 * len(pieces[-1]):
            last = pieces.pop()
            pieces[-1] = pa.concat_arrays([pieces[-1], last])

    def take(self, rows: IntArray) -> pa.Array:
        taken = pa.chunked_array(self._pieces, self._kind).take(pa.array(rows))
        return taken.chunk(0) if taken.num_chunks == 1 else pa.concat_arrays([*taken.chunks, pa.nulls(0, self._kind)])


def _storage(kind: pa.DataType) -> pa.DataType:
    return _storage(kind.storage_type) if isinstance(kind, pa.BaseExtensionType) else kind


def _held(kind: pa.DataType) -> _Held:
    types = pa.types
    if types.is_dictionary(kind):
        return _Coded(kind)
    if types.is_boolean(kind):
        return _Booleans(kind, np.dtype(np.bool_))
    if types.is_integer(kind) or types.is_floating(kind) or types.is_temporal(kind) or types.is_decimal(kind):
        size = kind.bit_width // 8
        return _Fixed(kind, np.dtype(f"u{size}" if size <= 8 else f"V{size}"))
    if types.is_string(kind) or types.is_large_string(kind) or types.is_binary(kind) or types.is_large_binary(kind):
        return _Text(kind)
    return _Pieces(kind)


def _same_array(one: pa.Array, other: pa.Array) -> bool:
    """Whether two arrays are the same memory, or equal."""
    if len(one) != len(other) or one.type != other.type:
        return False
    buffers = zip(one.buffers(), other.buffers(), strict=True)
    same = all((a and a.address) == (b and b.address) for a, b in buffers) and one.offset == other.offset
    return same or bool(one.equals(other))


def _bitmap(nulls: BoolArray | None) -> pa.Buffer | None:
    return None if nulls is None else pa.py_buffer(np.packbits(~nulls, bitorder="little"))


def equal_rows(some: Sequence[pa.Array], others: Sequence[pa.Array], rows: int) -> BoolArray:
    """Which of so many rows are equal, value by value; NULLs are equal, and so are NaNs."""
    equal = np.ones(rows, np.bool_)
    for one, other in zip(some, others, strict=True):
        words, held = word_values(plain(one)), word_values(plain(other))
        if words is None or held is None:
            codes, _ = factorise([pa.concat_arrays([decoded(one), decoded(other)])])
            equal &= codes[:rows] == codes[rows:]
            continue
        for array, values in ((one, words), (other, held)):
            nulls = nulls_of(array)
            if nulls is not None:
                values[nulls] = 0
        equal &= words == held
        if one.null_count or other.null_count:
            equal &= np.asarray(one.is_null()) == np.asarray(other.is_null())
    return equal
