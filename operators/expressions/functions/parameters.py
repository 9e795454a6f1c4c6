"""Kernels over arrays made of simpler things: of calls with parameters that all rows share, or of a Python function.

Rows are brought together by the values that they share, so that there is one call for each of these.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from operators.expressions.registry import Kernel


def parametric(kernel: Callable[..., pa.Array], result: pa.DataType | None = None) -> Kernel:
    """A kernel over an array and Python values, as one over arrays and scalars; NULL anywhere gives NULL.

    Its result has the type `result`, or else that of the first argument.
    """

    @wraps(kernel)
    def wrapper(first: Any, *parameters: Any) -> pa.Array:
        kind = result or first.type
        if all(isinstance(parameter, pa.Scalar) for parameter in parameters):
            if all(parameter.is_valid for parameter in parameters):
                return kernel(first, *(parameter.as_py() for parameter in parameters))
            return pa.nulls(len(first), kind)
        rows = row_count([first, *parameters])
        return _grouped(kernel, kind, as_array(first, rows), [as_array(each, rows) for each in parameters])

    return wrapper


def by_value(compute: Callable[..., Any], result: pa.DataType) -> Kernel:
    """A kernel that calls a Python function once for each distinct combination of arguments; NULL anywhere gives NULL.

    Functions that are made so say it in the reference (`by_row`).
    """

    def kernel(*arguments: Any) -> pa.Array:
        rows = row_count(arguments)
        if any(isinstance(argument, pa.Scalar) and not argument.is_valid for argument in arguments):
            return pa.nulls(rows, result)
        arrays = [argument for argument in arguments if isinstance(argument, pa.Array)]
        if len(arrays) == 1:
            encoded = arrays[0].dictionary_encode()
            different, codes = [encoded.dictionary], encoded.indices
        else:
            firsts, codes = combinations(arrays)
            different = [array.take(firsts) for array in arrays]
        values_of = iter(different)
        columns = [
            next(values_of).to_pylist() if isinstance(argument, pa.Array) else [argument.as_py()] * len(different[0])
            for argument in arguments
        ]
        computed = [None if None in values else compute(*values) for values in zip(*columns, strict=True)]
        return pa.array(computed, result).take(codes)

    return kernel


def row_count(arguments: Sequence[Any]) -> int:
    """The number of rows of arguments of which at least one is an array."""
    return next(len(argument) for argument in arguments if isinstance(argument, pa.Array))


def as_array(value: Any, rows: int) -> pa.Array:
    """A scalar, once for each row; an array as it is."""
    return pa.repeat(value, rows) if isinstance(value, pa.Scalar) else value


def combinations(arrays: Sequence[pa.Array]) -> tuple[pa.Array, pa.Array]:
    """The rows where each different combination of values is found first, and which of these each row has."""
    codes = np.zeros(len(arrays[0]), np.int64)
    firsts = np.zeros(min(1, len(codes)), np.int64)
    for array in arrays:
        encoded = array.dictionary_encode(null_encoding="encode")
        # Codes stay below the number of rows, so their product with the next dictionary's size cannot overflow.
        joined = codes * len(encoded.dictionary) + encoded.indices.to_numpy()
        _, firsts, codes = np.unique(joined, return_index=True, return_inverse=True)
    return pa.array(firsts), pa.array(codes)


def _grouped(
    kernel: Callable[..., pa.Array], kind: pa.DataType, first: pa.Array, parameters: list[pa.Array]
) -> pa.Array:
    firsts, groups = combinations(parameters)
    if not len(firsts):
        return pa.nulls(0, kind)
    codes: NDArray[np.int64] = groups.to_numpy()
    order = np.argsort(codes, kind="stable")
    sizes = np.bincount(codes)
    ends = np.cumsum(sizes)
    pieces: list[pa.Array | None] = []
    for start, end, example in zip(ends - sizes, ends, firsts.to_numpy(), strict=True):
        values = [parameter[int(example)].as_py() for parameter in parameters]
        rows = first.take(pa.array(order[start:end]))
        pieces.append(None if any(value is None for value in values) else kernel(rows, *values))
    kind = next((piece.type for piece in pieces if piece is not None), kind)
    filled = [pa.nulls(int(size), kind) if piece is None else piece for piece, size in zip(pieces, sizes, strict=True)]
    return pa.concat_arrays(filled).take(pa.array(np.argsort(order)))
