"""Decimals as whole numbers: most fit into 64 bits, in which NumPy adds and multiplies them many times faster.

Invariant: what is given back is exact; where something may not fit, the answer is None, for a longer way.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

_LIMIT: Final = 2**63
_EXACT_DOUBLE: Final = 2**53
_EXACT_POWER: Final = 22
"""The greatest power of ten that a double holds exactly."""

Unscaled = NDArray[np.int64]


def unscaled(array: pa.Array) -> Unscaled | None:
    """int64[n]: the digits of decimal128 without the point, anything where NULL; None where there are too many."""
    if not pa.types.is_decimal128(array.type):
        return None
    buffer = array.buffers()[1]
    if buffer is None:
        return np.zeros(len(array), np.int64)
    words = np.frombuffer(buffer, np.int64, 2 * len(array), 16 * array.offset)
    low, high = words[::2], words[1::2]
    return low.copy() if np.array_equal(low >> 63, high) else None


def decimals(kind: pa.DataType, values: Unscaled, nulls: NDArray[np.bool_] | None = None) -> pa.Array:
    """A decimal128 column of these digits, NULL where told."""
    words = np.empty(2 * len(values), np.int64)
    words[::2] = values
    np.right_shift(values, 63, out=words[1::2])
    validity = None if nulls is None else pa.py_buffer(np.packbits(~nulls, bitorder="little"))
    return pa.Array.from_buffers(kind, len(values), [validity, pa.py_buffer(words)])


def as_floats(array: pa.Array) -> NDArray[np.float64] | None:
    """The nearest doubles of a decimal column; None where that takes more than a division."""
    digits = unscaled(array) if 0 <= array.type.scale <= _EXACT_POWER else None
    if digits is None or largest(digits) > _EXACT_DOUBLE:
        return None
    values: NDArray[np.float64] = digits / 10.0**array.type.scale
    return values


def largest(numbers: NDArray[np.integer]) -> int:
    """The greatest absolute value."""
    return max(int(numbers.max()), -int(numbers.min())) if len(numbers) else 0


def combined(name: str, result: pa.DataType, left: Any, right: Any) -> pa.Array | None:
    """`left` + or - or * `right`, columns or single values, as `result`; None where 64 bits may be too few."""
    sides = [left, right]
    columns = [side for side in sides if isinstance(side, pa.Array)]
    scales = [side.type.scale for side in sides]
    scale = sum(scales) if name == "*" else max(scales)
    if not columns or scale != result.scale or not pa.types.is_decimal128(result):
        return None
    digits: list[Any] = []
    for side in sides:
        own = unscaled(side) if isinstance(side, pa.Array) else _digits(side)
        if own is None:
            return None
        digits.append(own)
    most = [largest(each) if isinstance(each, np.ndarray) else abs(each) for each in digits]
    if name != "*":
        factors = [10 ** (scale - own) for own in scales]
        most = [each * factor for each, factor in zip(most, factors, strict=True)]
        digits = [
            each if factor == 1 else each * factor if max(most) < _LIMIT else each
            for each, factor in zip(digits, factors, strict=True)
        ]
    bound = most[0] * most[1] if name == "*" else most[0] + most[1]
    if max(bound, *most) >= _LIMIT or bound >= 10**result.precision:
        return None
    nulls: NDArray[np.bool_] | None = None
    for column in columns:
        if column.null_count:
            own_nulls = np.asarray(column.is_null())
            nulls = own_nulls if nulls is None else nulls | own_nulls
    one, other = digits
    return decimals(result, one * other if name == "*" else one + other if name == "+" else one - other, nulls)


def _digits(scalar: pa.Scalar) -> int | None:
    return None if not scalar.is_valid else int(scalar.as_py().scaleb(scalar.type.scale))
