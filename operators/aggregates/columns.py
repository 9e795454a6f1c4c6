"""Between Arrow arrays and NumPy: physical values, validity, and back, without a copy where none is needed.

What comes out of `physical` where a value is NULL is arbitrary; `valid` says which ones are.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from flow.intervals import interval_parts
from flow.keys import factorise
from operators.values.decimals import as_floats

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@cache
def physical_type(kind: pa.DataType) -> np.dtype[Any] | None:
    """The NumPy type of a column's values in memory (times as their integers); None for bool and variable lengths."""
    if pa.types.is_temporal(kind) and not pa.types.is_interval(kind):
        return np.dtype(np.int32 if kind.bit_width == 32 else np.int64)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        width: np.dtype[Any] = np.dtype(kind.to_pandas_dtype())
        return width
    return None


def physical(array: pa.Array) -> NDArray[Any]:
    """The values in memory of a column of fixed width."""
    kind = physical_type(array.type)
    if kind is None:
        return np.asarray(array.to_numpy(zero_copy_only=False))
    buffer = array.buffers()[1]
    if buffer is None:
        return np.zeros(len(array), kind)
    return np.frombuffer(buffer, kind)[array.offset : array.offset + len(array)]


def floats(array: pa.Array) -> NDArray[np.float64]:
    """Numbers as float64; decimals are rounded to the nearest."""
    if pa.types.is_decimal(array.type):
        quick = as_floats(array)
        if quick is not None:
            return quick
        array = array.cast(pa.float64())
    return physical(array).astype(np.float64, copy=False)


def valid(array: pa.Array) -> BoolArray | None:
    """Which values are not NULL; None where all are."""
    if not array.null_count:
        return None
    return np.asarray(array.is_valid().to_numpy(zero_copy_only=False))


def column(kind: pa.DataType, values: NDArray[Any], keep: BoolArray | None = None) -> pa.Array:
    """A column of physical values, NULL where `keep` is false."""
    width = physical_type(kind)
    if width is None:
        return pa.array(values, kind, mask=None if keep is None else ~keep)
    data = np.ascontiguousarray(values, width)
    validity = None if keep is None else pa.py_buffer(np.packbits(keep, bitorder="little"))
    return pa.Array.from_buffers(kind, len(data), [validity, pa.py_buffer(data)])


def present(keep: BoolArray) -> BoolArray | None:
    """A validity mask, or None where it would keep everything."""
    return None if keep.all() else keep


def plain_type(kind: pa.DataType) -> pa.DataType:
    """The type of a column's values, without the dictionary that may encode them."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def plain(array: pa.Array) -> pa.Array:
    """A column without the dictionary that may encode it."""
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def event_microseconds(array: pa.Array) -> IntArray:
    """Times as microseconds since 1970 (rounded down, and no further away than 64 bits reach); NULL: arbitrary."""
    values = physical(array)
    match array.type.unit:
        case "us":
            return values
        case "ns":
            return values // 1_000
        case unit:
            factor = 1_000 if unit == "ms" else 1_000_000
            most = (2**63 - 1) // factor
            times: IntArray = np.clip(values, -most, most) * factor
            return times


def grown(state: NDArray[Any], size: int, fill: Any) -> NDArray[Any]:
    """A state array of at least this size, with room to grow; new places hold `fill`."""
    if len(state) >= size:
        return state
    size = max(size, 2 * len(state), 64)
    # Zeros are not written: memory that nobody has used yet costs nothing.
    larger = np.full(size, fill, state.dtype) if fill else np.zeros(size, state.dtype)
    larger[: len(state)] = state
    return larger


def unique_slots(slots: IntArray, size: int) -> IntArray:
    """The distinct slots, ascending; `size` is the number of slots that there are."""
    if len(slots) * 64 < size:
        return np.unique(slots)
    seen = np.zeros(size, np.bool_)
    seen[slots] = True
    return np.flatnonzero(seen)


def differ(before: pa.Array, after: pa.Array) -> BoolArray:
    """Where two columns of one type are not the same (NULLs are the same, NaNs too when of the same bits)."""
    kept, keeps = valid(before), valid(after)
    if physical_type(before.type) is not None:
        width = np.dtype(f"u{physical(before).dtype.itemsize}")
        changed: BoolArray = physical(before).view(width) != physical(after).view(width)
    elif pa.types.is_interval(before.type):
        # As they are written, not as long as they are: what was put out must be what is taken back.
        written = [np.stack(interval_parts(array)) for array in (before, after)]
        changed = (written[0] != written[1]).any(axis=0)
    elif pa.types.is_nested(before.type) or isinstance(before.type, pa.BaseExtensionType):
        codes, _ = factorise([pa.concat_arrays([before, after])])
        apart: BoolArray = codes[: len(before)] != codes[len(before) :]
        return apart
    else:
        changed = np.asarray(pc.not_equal(before, after).fill_null(False).to_numpy(zero_copy_only=False))
    if kept is None and keeps is None:
        return changed
    kept = np.ones(len(before), np.bool_) if kept is None else kept
    keeps = np.ones(len(after), np.bool_) if keeps is None else keeps
    differing: BoolArray = (changed & kept & keeps) | (kept != keeps)
    return differing
