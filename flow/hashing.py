"""Stable hashes of key columns: the same value gives the same hash in every process, run and platform.

Invariant: equal values of a type hash equal whatever their physical form (plain or dictionary-encoded, sliced or
not, any width of integer, float, string or binary). NULLs are equal, -0.0 is 0.0, all NaNs are equal, a month is 30
days. Times, timestamps, durations and dates agree only within the same type, decimals within the same scale.

The mixing function is the finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from flow.intervals import lengths
from flow.operator import KEY_GROUPS

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_NULL_WORD: Final = np.uint64(0xD6E8FEB86659FD93)
_WORDS_IN_LOOP: Final = 4
_GROUP_SHIFT: Final = np.uint64(64 - (KEY_GROUPS - 1).bit_length())
_MASKS: Final = np.array([(1 << (8 * size)) - 1 for size in range(9)], dtype=np.uint64)

Hashes = NDArray[np.uint64]
Integers = NDArray[np.int64]


def hash_columns(columns: Sequence[pa.Array]) -> Hashes:
    """One hash a row, uint64[n], over all columns together.

    Takes every type that Arrow has but unions and list views; structs, lists and maps hash by their children. A
    dictionary-encoded column costs one hash a dictionary value and one gather a row.

    Raises:
        ValueError: there is no column.
        TypeError: a column's type cannot be a key.
    """
    if not columns:
        raise ValueError("rows cannot be hashed by no columns")
    hashes = _hash(columns[0])
    for column in columns[1:]:
        words, _ = _words(column)
        hashes *= _GOLDEN
        hashes += words
        mix(hashes)
    return hashes


def key_groups(hashes: Hashes) -> Integers:
    """The key group (0..255) of each hash: its high bits, since the low ones place keys in hash tables."""
    return (hashes >> _GROUP_SHIFT).view(np.int64)


def mix(words: Hashes) -> Hashes:
    """Spread the bits of each word over the whole word, in place; one to one."""
    scratch = np.empty_like(words)
    words += _GOLDEN
    np.right_shift(words, np.uint64(30), out=scratch)
    words ^= scratch
    words *= np.uint64(0xBF58476D1CE4E5B9)
    np.right_shift(words, np.uint64(27), out=scratch)
    words ^= scratch
    words *= np.uint64(0x94D049BB133111EB)
    np.right_shift(words, np.uint64(31), out=scratch)
    words ^= scratch
    return words


def nulls_of(array: pa.Array) -> NDArray[np.bool_] | None:
    """Which rows are NULL, or None where none is."""
    if array.null_count == 0:
        return None
    nulls: NDArray[np.bool_] = array.is_null().to_numpy(zero_copy_only=False)
    return nulls


_NULL: Final = mix(np.array([_NULL_WORD]))[0]


class Bytes(NamedTuple):
    """Byte strings side by side in one buffer that has room for a word's load at every start.

    Attributes:
        data: uint8, eight bytes longer than its content.
        starts: where in `data` each string starts.
        lengths: bytes in each string.
    """

    data: NDArray[np.uint8]
    starts: Integers
    lengths: Integers

    def words(self, rows: Any, position: Any) -> Hashes:
        """Word number `position` of each of some rows: eight bytes, little-endian, zeros after the string's end."""
        loads = np.ndarray((len(self.data) - 7,), np.dtype("<u8"), self.data, strides=(1,))
        at = 8 * position
        words: Hashes = loads[self.starts[rows] + at].astype(np.uint64, copy=False)
        rest = self.lengths[rows] - at
        if len(words) and rest.min() < 8:
            words &= _MASKS[np.minimum(rest, 8)]
        return words


def word_positions(lengths: Integers, first: int) -> tuple[Integers, Integers]:
    """Row and word number of every word from number `first` on of strings of these lengths (in bytes), row by row."""
    counts = np.maximum((lengths + 7) // 8 - first, 0)
    rows = np.repeat(np.arange(len(lengths)), counts)
    ends = np.cumsum(counts)
    return rows, np.arange(len(rows)) - (ends - counts)[rows] + first


def hash_bytes(strings: Bytes) -> Hashes:
    """One hash a string."""
    lengths = strings.lengths
    total = lengths.astype(np.uint64)
    if not len(lengths):
        return total
    total *= _GOLDEN
    least, most = int(lengths.min()), int(lengths.max())
    for position in range(min(_WORDS_IN_LOOP, -(-most // 8))):
        rows = slice(None) if 8 * position < least else np.flatnonzero(lengths > 8 * position)
        words = mix(strings.words(rows, position))
        words *= _odd(np.array([position]))[0]
        total[rows] += words
    if most > 8 * _WORDS_IN_LOOP:
        rows, positions = word_positions(lengths, _WORDS_IN_LOOP)
        words = mix(strings.words(rows, positions))
        words *= _odd(positions)
        ends = np.searchsorted(rows, np.arange(len(lengths) + 1))
        total += _sums(words, ends)
    return mix(total)


def bytes_of(array: pa.Array) -> Bytes:
    """The bytes of an array of strings, binaries, decimals or other values of fixed width (NULL: any bytes).

    Those of intervals are the same where they are equal, however they are written.
    """
    if pa.types.is_interval(array.type):
        data = np.zeros(2 * len(array) + 1, "<i8")
        data[:-1:2], data[1:-1:2] = lengths(array)
        return Bytes(data.view(np.uint8), 16 * np.arange(len(array)), np.full(len(array), 16))
    if pa.types.is_string_view(array.type) or pa.types.is_binary_view(array.type):
        array = array.cast(pa.large_binary())
    kind = array.type
    size, offset = len(array), array.offset
    if pa.types.is_string(kind) or pa.types.is_binary(kind):
        offsets = values_of(array, np.dtype(np.int32), size + 1).astype(np.int64)
        buffer = array.buffers()[2]
    elif pa.types.is_large_string(kind) or pa.types.is_large_binary(kind):
        offsets = values_of(array, np.dtype(np.int64), size + 1)
        buffer = array.buffers()[2]
    else:
        width = kind.byte_width
        offsets = np.arange(offset, offset + size + 1, dtype=np.int64) * width
        buffer = array.buffers()[1]
    low, high = (int(offsets[0]), int(offsets[-1])) if len(offsets) else (0, 0)
    data = np.zeros(high - low + 8, np.uint8)
    if high > low:
        data[:-8] = np.frombuffer(buffer, np.uint8)[low:high]
    starts = offsets[:size] - low
    return Bytes(data, starts, np.diff(offsets))


def values_of(array: pa.Array, dtype: np.dtype[Any], size: int | None = None) -> NDArray[Any]:
    """The values (or offsets) buffer of an array of fixed-width values, without copy; NULL rows hold anything."""
    size = len(array) if size is None else size
    buffer = array.buffers()[1]
    if buffer is None or buffer.size == 0:
        return np.zeros(size, dtype)
    return np.frombuffer(buffer, dtype, size, array.offset * dtype.itemsize)


def word_values(array: pa.Array) -> Integers | None:
    """The values of a type of at most eight bytes, one word each, so that equal words are equal values; else None.

    The result is the caller's to change. Rows that are NULL hold any word.
    """
    kind = array.type
    types = pa.types
    if types.is_boolean(kind):
        bits = array.buffers()[1]
        packed = np.frombuffer(bits, np.uint8) if bits is not None else np.zeros(0, np.uint8)
        first = array.offset // 8
        spread = np.unpackbits(packed[first:], count=len(array) + array.offset % 8, bitorder="little")
        return spread[array.offset % 8 :].astype(np.int64)
    if types.is_floating(kind):
        with np.errstate(invalid="ignore"):  # signalling NaNs signal
            floats = values_of(array, np.dtype(f"f{kind.bit_width // 8}")).astype(np.float64)
            floats += 0.0  # -0.0 becomes 0.0
        nans = np.isnan(floats)
        if nans.any():
            floats[nans] = np.nan
        return floats.view(np.int64)
    if types.is_integer(kind) or types.is_temporal(kind):
        if kind.bit_width > 64:
            return None
        sign = "u" if types.is_unsigned_integer(kind) else "i"
        return values_of(array, np.dtype(f"{sign}{kind.bit_width // 8}")).astype(np.int64)
    return None


def list_parts(array: pa.Array) -> tuple[pa.Array, Integers]:
    """The elements of a list or map array, and where each row's start and end: n + 1 offsets."""
    if pa.types.is_map(array.type):
        offsets = array.offsets.to_numpy().astype(np.int64)
        low, high = int(offsets[0]), int(offsets[-1])
        return array.values.slice(low, high - low), offsets - low
    lengths = pc.fill_null(pc.list_value_length(array), 0).to_numpy()
    return pc.list_flatten(array), np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])


def plain(array: pa.Array) -> pa.Array:
    """The array without extension type or run ends."""
    if isinstance(array, pa.ExtensionArray):
        return plain(array.storage)
    if pa.types.is_run_end_encoded(array.type):
        return plain(pc.run_end_decode(array))
    return array


def is_list(kind: pa.DataType) -> bool:
    """Whether values of the type are lists or maps."""
    types = pa.types
    return bool(
        types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind) or types.is_map(kind)
    )


def is_bytes(kind: pa.DataType) -> bool:
    """Whether `bytes_of` tells values of the type apart."""
    types = pa.types
    return bool(
        types.is_string(kind)
        or types.is_large_string(kind)
        or types.is_string_view(kind)
        or types.is_binary(kind)
        or types.is_large_binary(kind)
        or types.is_binary_view(kind)
        or types.is_fixed_size_binary(kind)
        or types.is_decimal(kind)
        or types.is_interval(kind)
    )


def _hash(array: pa.Array) -> Hashes:
    words, mixed = _words(array)
    return words if mixed else mix(words)


def _words(array: pa.Array) -> tuple[Hashes, bool]:
    """A word for each row, and whether it is a hash already; the array is the caller's to change."""
    array = plain(array)
    kind = array.type
    if pa.types.is_null(kind):
        return np.full(len(array), _NULL), True
    if pa.types.is_dictionary(kind):
        by_code, mixed = _words(array.dictionary)
        return np.append(by_code, _NULL if mixed else _NULL_WORD)[dictionary_codes(array)], mixed
    values = word_values(array)
    if values is not None:
        words, mixed = values.view(np.uint64), False
    else:
        words, mixed = _hash_wide(array), True
    nulls = nulls_of(array)
    if nulls is not None:
        words[nulls] = _NULL if mixed else _NULL_WORD
    return words, mixed


def _hash_wide(array: pa.Array) -> Hashes:
    kind = array.type
    if is_bytes(kind):
        return hash_bytes(bytes_of(array))
    if pa.types.is_struct(kind):
        return hash_columns(array.flatten()) if kind.num_fields else np.zeros(len(array), np.uint64)
    if is_list(kind):
        return _hash_lists(array)
    raise TypeError(f"values of type {kind} cannot be keys")


def dictionary_codes(array: pa.DictionaryArray) -> Integers:
    """The index into its dictionary of each row of a dictionary array; NULL has the index after the last."""
    indices = array.indices
    kind = indices.type
    sign = "u" if pa.types.is_unsigned_integer(kind) else "i"
    codes: Integers = values_of(indices, np.dtype(f"{sign}{kind.bit_width // 8}")).astype(np.int64)
    nulls = nulls_of(indices)
    if nulls is not None:
        codes[nulls] = len(array.dictionary)
    return codes


def _hash_lists(array: pa.Array) -> Hashes:
    values, offsets = list_parts(array)
    elements = _hash(values)
    lengths = np.diff(offsets)
    elements *= _odd(np.arange(len(values)) - np.repeat(offsets[:-1], lengths))
    total = lengths.astype(np.uint64)
    total *= _GOLDEN
    total += _sums(elements, offsets)
    return mix(total)


def _odd(positions: Integers) -> Hashes:
    """A factor for each position: sums of products with them depend on order, and odd factors lose no bit."""
    factors = mix(positions.astype(np.uint64))
    factors |= np.uint64(1)
    return factors


def _sums(words: Hashes, offsets: Integers) -> Hashes:
    """Sums (modulo 2**64) of consecutive stretches."""
    sums = np.zeros(len(words) + 1, np.uint64)
    np.cumsum(words, out=sums[1:])
    return sums[offsets[1:]] - sums[offsets[:-1]]
