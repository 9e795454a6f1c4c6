"""Comparisons of values that have parts: arrays, structs and maps, by the first parts that are not equal.

Within them NULLs are equal to each other, and greater than everything else, as in PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pyarrow as pa

from operators.expressions.lists import codes, null_where_any, plain
from operators.expressions.registry import Kernel
from operators.order_words import has_order, order_words

_ORDERS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


def nested_comparison(name: str, kind: pa.DataType) -> Kernel | None:
    """What compares values of a nested type by a sign; None where they cannot be compared so."""
    if not pa.types.is_nested(kind) or not (name in ("=", "<>") or has_order(kind)):
        return None
    return null_where_any(_equality(name) if name in ("=", "<>") else _order(_ORDERS[name]))


def _equality(name: str) -> Callable[[pa.Array, pa.Array], pa.Array]:
    def kernel(left: pa.Array, right: pa.Array) -> pa.Array:
        one, other = codes(left, right)
        return pa.array((one == other) == (name == "="))

    return kernel


def _order(compare: Callable[[Any, Any], Any]) -> Callable[[pa.Array, pa.Array], pa.Array]:
    def kernel(left: pa.Array, right: pa.Array) -> pa.Array:
        words = order_words(pa.concat_arrays([plain(left), plain(right)]))
        return pa.array(compare(words[: len(left)], words[len(left) :]))

    return kernel
