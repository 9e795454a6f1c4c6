"""Kernels whose further arguments must be the same for all rows, made to take arrays: one call for each combination."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from operators.expressions.registry import Kernel


def parametric(kernel: Callable[..., pa.Array]) -> Kernel:
    """A kernel over an array and Python values, as one over arrays and scalars; NULL anywhere gives NULL."""

    @wraps(kernel)
    def wrapper(first: Any, *parameters: Any) -> pa.Array:
        if all(isinstance(parameter, pa.Scalar) for parameter in parameters):
            if all(parameter.is_valid for parameter in parameters):
                return kernel(first, *(parameter.as_py() for parameter in parameters))
            return pc.if_else(False, first, pa.scalar(None, first.type))
        rows = next(len(parameter) for parameter in parameters if isinstance(parameter, pa.Array))
        arrays = [pa.repeat(each, rows) if isinstance(each, pa.Scalar) else each for each in (first, *parameters)]
        return _grouped(kernel, arrays[0], arrays[1:])

    return wrapper


def _grouped(kernel: Callable[..., pa.Array], first: pa.Array, parameters: list[pa.Array]) -> pa.Array:
    if not len(first):
        return first
    codes = np.zeros(len(first), np.int64)
    firsts = np.zeros(1, np.int64)
    for parameter in parameters:
        encoded = parameter.dictionary_encode(null_encoding="encode")
        # Codes stay below the number of rows, so their product with the next dictionary's size cannot overflow.
        joined = codes * len(encoded.dictionary) + encoded.indices.to_numpy()
        _, firsts, codes = np.unique(joined, return_index=True, return_inverse=True)
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes))
    pieces: list[pa.Array | None] = []
    sizes: list[int] = []
    for start, end, example in zip(ends - np.bincount(codes), ends, firsts, strict=True):
        values = [parameter[int(example)].as_py() for parameter in parameters]
        rows = first.take(pa.array(order[start:end]))
        pieces.append(None if any(value is None for value in values) else kernel(rows, *values))
        sizes.append(int(end - start))
    kind = next((piece.type for piece in pieces if piece is not None), first.type)
    filled = [pa.nulls(size, kind) if piece is None else piece for piece, size in zip(pieces, sizes, strict=True)]
    return pa.concat_arrays(filled).take(pa.array(np.argsort(order)))
