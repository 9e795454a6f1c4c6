"""Lists as what they are made of: all their values one after the other, and how many belong to each row.

Functions of lists are gathers over the values; nothing here looks at one row after the other.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import attrs
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from flow.hashing import Integers, list_parts, nulls_of
from flow.keys import factorise
from operators.expressions.registry import Kernel
from operators.expressions.types import storage

Booleans = NDArray[np.bool_]


@attrs.frozen
class Lists:
    """A column of lists or maps.

    Attributes:
        values: the values of all rows, of maps their entries as structs.
        offsets: int64[n + 1], where each row's values start and end.
        missing: bool[n], which rows are NULL (they have no values); None where none is.
    """

    values: pa.Array
    offsets: Integers
    missing: Booleans | None

    @staticmethod
    def of(array: pa.Array) -> Lists:
        """The parts of an array."""
        values, offsets = list_parts(array)
        return Lists(values, offsets, nulls_of(array))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> Integers:
        """How many values each row has."""
        return np.diff(self.offsets)

    @property
    def rows(self) -> Integers:
        """The row of each value."""
        return np.repeat(np.arange(len(self)), self.lengths)

    @property
    def places(self) -> Integers:
        """The place of each value in its row, from 0."""
        return np.arange(len(self.values)) - np.repeat(self.offsets[:-1], self.lengths)

    def taken(self, positions: Integers, lengths: Integers) -> pa.Array:
        """The lists, each of so many of the values, which stand at these positions (-1: NULL)."""
        return listed(gathered(self.values, positions), lengths, self.missing)

    def kept(self, keep: Booleans) -> pa.Array:
        """The lists without the values for which `keep` is false."""
        return self.taken(np.flatnonzero(keep), np.bincount(self.rows[keep], minlength=len(self)))

    def with_values(self, values: pa.Array) -> pa.Array:
        """Lists of the same lengths with other values."""
        return listed(values, self.lengths, self.missing)

    def any_of(self, truth: Booleans) -> Booleans:
        """For each row whether one of its values is marked."""
        return np.bincount(self.rows[truth], minlength=len(self)) > 0


def listed(values: pa.Array, lengths: Integers, missing: Booleans | None = None) -> pa.ListArray:
    """Lists of so many of the values each; NULL where `missing`."""
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    if offsets[-1] >= 2**31:
        raise pa.ArrowInvalid("the lists of one batch are too long together")
    mask = None if missing is None or not missing.any() else pa.array(missing)
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values, mask=mask)


def gathered(values: pa.Array, positions: Integers) -> pa.Array:
    """The values at positions; NULL where one is -1."""
    absent = positions < 0
    return values.take(pa.array(positions, pa.int64(), mask=absent if absent.any() else None))


def codes(*arrays: pa.Array) -> list[Integers]:
    """Numbers for the values of arrays of one type, equal for equal values (NULLs, and NaNs, are equal)."""
    numbers, _ = factorise([pa.concat_arrays([plain(array) for array in arrays])])
    return np.split(numbers, np.cumsum([len(array) for array in arrays])[:-1])


def valid_of(array: pa.Array) -> Booleans:
    """Which values are not NULL."""
    nulls = nulls_of(array)
    return np.ones(len(array), np.bool_) if nulls is None else ~nulls


def plain(array: pa.Array) -> pa.Array:
    """An array without extension type."""
    return array.storage if isinstance(array, pa.ExtensionArray) else array


def broadcast(kernel: Callable[..., pa.Array]) -> Kernel:
    """A kernel over arrays of equal length, as one over arrays and scalars."""

    @wraps(kernel)
    def wrapper(*values: Any) -> pa.Array:
        rows = next(len(value) for value in values if isinstance(value, pa.Array))
        return kernel(*(spread(value, rows) for value in values))

    return wrapper


def spread(value: Any, rows: int) -> pa.Array:
    """A value as an array of so many rows."""
    if isinstance(value, pa.Array):
        return value
    return pa.repeat(value, rows) if value.is_valid else pa.nulls(rows, value.type)


def null_where_any(kernel: Callable[..., pa.Array]) -> Kernel:
    """A kernel over arrays without NULL, as one over arrays and scalars that gives NULL where one of them is NULL."""

    @broadcast
    @wraps(kernel)
    def wrapper(*arrays: pa.Array) -> pa.Array:
        known = np.logical_and.reduce([valid_of(array) for array in arrays])
        if known.all():
            return kernel(*arrays)
        rows = pa.array(np.flatnonzero(known))
        result = kernel(*(array.take(rows) for array in arrays))
        return gathered(result, np.where(known, np.cumsum(known) - 1, -1))

    return wrapper


def over_distinct(function: Callable[..., Any], kind: pa.DataType, *arrays: pa.Array) -> pa.Array:
    """A Python function's values over the distinct rows of some columns without NULL, as the storage of a type."""
    (numbers, firsts) = factorise([plain(array) for array in arrays])
    rows = pa.array(firsts)
    columns = [plain(array).take(rows).to_pylist() for array in arrays]
    results = [function(*values) for values in zip(*columns, strict=True)]
    if pa.types.is_list(kind):
        kind = pa.list_(storage(kind.value_type))
    return pa.array(results, storage(kind)).take(pa.array(numbers))
