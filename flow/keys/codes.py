"""Coders: one int64 word for each value of a key column, such that equal words are equal values, and back.

Invariant: a word, once given, stands for its value as long as its coder lives. Values of at most eight bytes are
their own words; others are numbered by a table of the values met so far.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final

import attrs
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from flow.hashing import (
    Integers,
    bytes_of,
    dictionary_codes,
    hash_bytes,
    is_bytes,
    is_list,
    list_parts,
    nulls_of,
    plain,
    word_values,
)
from flow.keys.tables import BytesStore, HashTable, Nulls

_DICTIONARIES_KEPT: Final = 8
_CODES_PER_ROW: Final = 4
_UNKNOWN: Final = -1


class Tuples(ABC):
    """Numbers for tuples of values; a `KeyIndex`, which nested types need one of."""

    @abstractmethod
    def slots(self, columns: list[pa.Array]) -> Integers:
        """The number of each row; new rows get new numbers."""

    @abstractmethod
    def find(self, columns: list[pa.Array]) -> Integers:
        """The number of each row, -1 where there is none."""

    @abstractmethod
    def columns(self, slots: Integers | None = None) -> list[pa.Array]:
        """The values of numbers."""


MakeTuples = Callable[[list[pa.DataType]], Tuples]


class Coder(ABC):
    """Turns the values of one type into words and back.

    Attributes:
        numbered: whether words are small numbers that the coder gave out, -1 standing for values it never met.
    """

    numbered: bool = True

    def __init__(self, kind: pa.DataType) -> None:
        self.kind: Final = kind

    @abstractmethod
    def words(self, array: pa.Array, learn: bool) -> Integers:
        """The word of each row; a value not met before gets a new one where `learn`. NULL rows give any word."""

    @abstractmethod
    def values(self, words: Integers) -> pa.Array:
        """The value of each word, with no NULL, of the coder's type or (for views) one that casts to it."""

    def encode(self, array: pa.Array, learn: bool) -> tuple[Integers, Nulls]:
        """Words, 0 where NULL, and which rows are NULL."""
        words, nulls = self.words(array, learn), nulls_of(array)
        if nulls is not None:
            words[nulls] = 0
        return words, nulls

    def decode(self, words: Integers, nulls: Nulls) -> pa.Array:
        """The values of words."""
        if nulls is None:
            return self.values(words)
        known = np.flatnonzero(~nulls)
        places = np.zeros(len(words), np.int64)
        places[known] = np.arange(len(known))
        return self.values(words[known]).take(pa.array(places, mask=nulls))


class _OwnWords(Coder):
    numbered = False

    def words(self, array: pa.Array, learn: bool) -> Integers:
        words = word_values(array)
        assert words is not None
        return words

    def values(self, words: Integers) -> pa.Array:
        kind = self.kind
        values: NDArray[np.generic]
        if pa.types.is_boolean(kind):
            return pa.array(words.astype(np.bool_))
        if pa.types.is_floating(kind):
            values = words.view(np.float64).astype(f"f{kind.bit_width // 8}")
        else:
            values = words.astype(f"{'u' if pa.types.is_unsigned_integer(kind) else 'i'}{kind.bit_width // 8}")
        return pa.Array.from_buffers(kind, len(words), [None, pa.py_buffer(np.ascontiguousarray(values))])


class _NullWords(Coder):
    numbered = False

    def words(self, array: pa.Array, learn: bool) -> Integers:
        return np.zeros(len(array), np.int64)

    def encode(self, array: pa.Array, learn: bool) -> tuple[Integers, Nulls]:
        return np.zeros(len(array), np.int64), np.ones(len(array), np.bool_)

    def values(self, words: Integers) -> pa.Array:
        return pa.nulls(len(words), self.kind)


class _BytesWords(Coder):
    def __init__(self, kind: pa.DataType) -> None:
        super().__init__(kind)
        self._store = BytesStore()
        self._table = HashTable(self._store)
        self._repetitive = True

    def words(self, array: pa.Array, learn: bool) -> Integers:
        if pa.types.is_string_view(array.type) or pa.types.is_binary_view(array.type):
            array = array.cast(pa.large_binary())
        if self._repetitive and len(array) > 256 and not pa.types.is_interval(array.type):
            encoded = array.dictionary_encode()
            # A dictionary that is hardly shorter than the column was work for nothing; do not try that again.
            self._repetitive = len(encoded.dictionary) < len(array) // 2
            by_code = np.append(self._number(encoded.dictionary, learn), 0)
            return by_code[dictionary_codes(encoded)]
        if array.null_count and learn:
            words = np.zeros(len(array), np.int64)
            known = np.flatnonzero(array.is_valid().to_numpy(zero_copy_only=False))
            words[known] = self._number(array.take(pa.array(known)), learn)
            return words
        return self._number(array, learn)

    def _number(self, array: pa.Array, learn: bool) -> Integers:
        strings = bytes_of(array)
        hashes = hash_bytes(strings)
        return self._table.insert(strings, hashes) if learn else self._table.find(strings, hashes)

    def values(self, words: Integers) -> pa.Array:
        held = self._store.arrow(words)
        kind = self.kind
        if pa.types.is_string_view(kind):
            return held.cast(pa.large_string())
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            return held.cast(pa.large_string()).cast(kind)
        if pa.types.is_binary_view(kind):
            return held
        if pa.types.is_fixed_size_binary(kind) or pa.types.is_decimal(kind):
            return pa.Array.from_buffers(kind, len(words), [None, held.buffers()[2]])
        return held.cast(kind)


class _IntervalWords(_BytesWords):
    """Of intervals that are equal but written otherwise, the first one that came stands for all."""

    def __init__(self, kind: pa.DataType) -> None:
        super().__init__(kind)
        self._written = pa.array([], kind)

    def words(self, array: pa.Array, learn: bool) -> Integers:
        words = super().words(array, learn)
        known = len(self._written)
        if len(self._store) > known:
            nulls = nulls_of(array)
            fresh = np.flatnonzero(words >= known if nulls is None else (words >= known) & ~nulls)
            _, firsts = np.unique(words[fresh], return_index=True)
            self._written = pa.concat_arrays([self._written, array.take(pa.array(fresh[firsts]))])
        return words

    def values(self, words: Integers) -> pa.Array:
        return self._written.take(pa.array(words))


class _StructWords(Coder):
    def __init__(self, kind: pa.StructType, tuples: MakeTuples) -> None:
        super().__init__(kind)
        self._rows = tuples([field.type for field in kind.fields])

    def words(self, array: pa.Array, learn: bool) -> Integers:
        columns = array.flatten()
        return self._rows.slots(columns) if learn else self._rows.find(columns)

    def values(self, words: Integers) -> pa.Array:
        return pa.StructArray.from_arrays(self._rows.columns(words), fields=list(self.kind.fields))


class _ListWords(Coder):
    """A list is the byte string of its elements' numbers."""

    def __init__(self, kind: pa.DataType, tuples: MakeTuples) -> None:
        super().__init__(kind)
        self._map = pa.types.is_map(kind)
        element = pa.struct([kind.key_field, kind.item_field]) if self._map else kind.value_type
        self._elements = tuples([element])
        self._lists = _BytesWords(pa.large_binary())

    def words(self, array: pa.Array, learn: bool) -> Integers:
        elements, offsets = list_parts(array)
        numbers = self._elements.slots([elements]) if learn else self._elements.find([elements])
        buffers = [None, pa.py_buffer(8 * offsets), pa.py_buffer(np.ascontiguousarray(numbers))]
        lists = pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(array), buffers)
        return self._lists.words(lists, learn)

    def values(self, words: Integers) -> pa.Array:
        lists = bytes_of(self._lists.values(words))
        numbers = lists.data[:-8].view(np.int64)
        elements = self._elements.columns(numbers)[0]
        offsets = np.append(lists.starts, len(lists.data) - 8) // 8
        kind = self.kind
        if self._map:
            keys, items = elements.flatten()
            return pa.MapArray.from_arrays(pa.array(offsets, pa.int32()), keys, items, type=kind)
        if pa.types.is_fixed_size_list(kind):
            return pa.FixedSizeListArray.from_arrays(elements, type=kind)
        kind = pa.large_list(kind.value_field)
        return pa.LargeListArray.from_arrays(pa.array(offsets), elements, type=kind)


def _in_use(codes: Integers, wanted: NDArray[np.bool_]) -> Integers:
    """Which of the `wanted` codes occur, ascending."""
    if len(wanted) > _CODES_PER_ROW * len(codes):
        return np.unique(codes[wanted[codes]])
    used = np.zeros(len(wanted), np.bool_)
    used[codes] = True
    return np.flatnonzero(used & wanted)


@attrs.define
class _KnownDictionary:
    """A dictionary met before, and the word of each of its values; NULL comes after the last."""

    values: pa.Array
    addresses: list[int]
    words: Integers
    nulls: NDArray[np.bool_]
    resolved: NDArray[np.bool_]

    def is_for(self, values: pa.Array, addresses: list[int]) -> bool:
        if len(values) != len(self.values) or values.type != self.values.type:
            return False
        return addresses == self.addresses or bool(values.equals(self.values))


class Column:
    """One key column: a coder, and the dictionaries that its arrays were encoded with."""

    def __init__(self, kind: pa.DataType, tuples: MakeTuples) -> None:
        self.kind: Final = kind
        self.value_kind: Final = _value_kind(kind)
        self.coder: Final = coder(self.value_kind, tuples)
        self._dictionaries: list[_KnownDictionary] = []

    def encode(self, array: pa.Array, learn: bool) -> tuple[Integers, Nulls]:
        """Words, 0 where NULL, and which rows are NULL."""
        array = plain(array)
        if not pa.types.is_dictionary(array.type):
            return self.coder.encode(self._as_declared(array), learn)
        dictionary = self._known(array.dictionary)
        codes = dictionary_codes(array)
        if not learn and not self.coder.numbered:
            learn = True
        words = dictionary.words[codes]
        if not dictionary.resolved.all():
            open_ = _in_use(codes, ~dictionary.resolved)
            if len(open_):
                values = array.dictionary.take(pa.array(open_))
                new, nulls = self.coder.encode(self._as_declared(plain(values)), learn)
                found = np.ones(len(open_), np.bool_) if learn else new != _UNKNOWN
                dictionary.words[open_] = new
                if nulls is not None:
                    dictionary.nulls[open_] = nulls
                dictionary.resolved[open_[found]] = True
                words = dictionary.words[codes]
        if array.indices.null_count or dictionary.values.null_count:
            return words, dictionary.nulls[codes]
        return words, None

    def decode(self, words: Integers, nulls: Nulls) -> pa.Array:
        """The values of words, as an array of the declared type."""
        values = self.coder.decode(words, nulls)
        if values.type == self.kind:
            return values
        if pa.types.is_dictionary(self.kind):
            return values.dictionary_encode().cast(self.kind)
        if isinstance(self.kind, pa.BaseExtensionType):
            return self.kind.wrap_array(values)
        return values.cast(self.kind)

    def _as_declared(self, array: pa.Array) -> pa.Array:
        if array.type == self.value_kind or (is_bytes(array.type) and _is_string(self.value_kind)):
            return array
        return array.cast(self.value_kind)

    def _known(self, values: pa.Array) -> _KnownDictionary:
        addresses = [values.offset, *(0 if buffer is None else buffer.address for buffer in values.buffers())]
        for place, known in enumerate(self._dictionaries):
            if known.is_for(values, addresses):
                if place:
                    self._dictionaries.insert(0, self._dictionaries.pop(place))
                return known
        size = len(values) + 1
        resolved, nulls = np.zeros(size, np.bool_), np.zeros(size, np.bool_)
        resolved[-1] = nulls[-1] = True
        known = _KnownDictionary(values, addresses, np.zeros(size, np.int64), nulls, resolved)
        self._dictionaries.insert(0, known)
        del self._dictionaries[_DICTIONARIES_KEPT:]
        return known


def coder(kind: pa.DataType, tuples: MakeTuples) -> Coder:
    """The coder of a type; `tuples` makes the indexes that nested types need.

    Raises:
        TypeError: values of the type cannot be keys.
    """
    types = pa.types
    if types.is_null(kind):
        return _NullWords(kind)
    if types.is_interval(kind):
        return _IntervalWords(kind)
    if is_bytes(kind):
        return _BytesWords(kind)
    if types.is_struct(kind) and kind.num_fields:
        return _StructWords(kind, tuples)
    if is_list(kind):
        return _ListWords(kind, tuples)
    if types.is_boolean(kind) or types.is_integer(kind) or types.is_floating(kind) or types.is_temporal(kind):
        return _OwnWords(kind)
    raise TypeError(f"values of type {kind} cannot be keys")


def _value_kind(kind: pa.DataType) -> pa.DataType:
    if isinstance(kind, pa.BaseExtensionType):
        return _value_kind(kind.storage_type)
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        return _value_kind(kind.value_type)
    return kind


def _is_string(kind: pa.DataType) -> bool:
    return not (pa.types.is_fixed_size_binary(kind) or pa.types.is_decimal(kind) or pa.types.is_interval(kind))
