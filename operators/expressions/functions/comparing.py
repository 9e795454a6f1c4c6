"""Comparisons of values that have parts: arrays, structs and maps, by the first parts that are not equal; intervals.

Within them NULLs are equal to each other, and greater than everything else, as in PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pyarrow as pa

from flow.hashing import is_list
from flow.intervals import lengths
from operators.expressions.lists import Booleans, Lists, codes, null_where_any, plain, valid_of
from operators.expressions.registry import Kernel
from operators.values.order_words import has_order, order_words

_ORDERS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}

_SIGNS: Final[dict[str, Callable[[Any, Any], Any]]] = {**_ORDERS, "=": np.equal, "<>": np.not_equal}


def interval_comparison(name: str) -> Kernel:
    """What compares intervals by a sign: months have 30 days, days 24 hours."""
    compare = _SIGNS[name]

    def kernel(left: pa.Array, right: pa.Array) -> pa.Array:
        (days, rest), (other_days, other_rest) = lengths(left), lengths(right)
        first, second = np.sign(days - other_days), np.sign(rest - other_rest)
        return pa.array(compare(np.where(first == 0, second, first), 0))

    return null_where_any(kernel)


def nested_comparison(name: str, kind: pa.DataType) -> Kernel | None:
    """What compares values of a nested type by a sign; None where they cannot be compared so."""
    if not pa.types.is_nested(kind) or not (name in ("=", "<>") or has_order(kind)):
        return None
    return null_where_any(_equality(name) if name in ("=", "<>") else _order(_ORDERS[name]))


def _equality(name: str) -> Callable[[pa.Array, pa.Array], pa.Array]:
    def kernel(left: pa.Array, right: pa.Array) -> pa.Array:
        return pa.array(_equal(left, right) == (name == "="))

    return kernel


def _equal(left: pa.Array, right: pa.Array) -> Booleans:
    """Which rows of two arrays of one type are equal, NULLs and NaNs to each other."""
    left, right = plain(left), plain(right)
    known, others = valid_of(left), valid_of(right)
    result: Booleans
    if is_list(left.type):
        one, other = Lists.of(left), Lists.of(right)
        alike = (one.lengths == other.lengths) & known & others
        rows = np.flatnonzero(alike)
        wanted = alike[one.rows]
        shift = other.offsets[:-1] - one.offsets[:-1]
        positions = np.flatnonzero(wanted)
        pairs = positions + shift[one.rows[positions]]
        same = _equal(one.values.take(pa.array(positions)), other.values.take(pa.array(pairs)))
        result = np.zeros(len(left), np.bool_)
        result[rows] = True
        result[one.rows[positions[~same]]] = False
    elif pa.types.is_struct(left.type):
        result = known & others
        for mine, theirs in zip(left.flatten(), right.flatten(), strict=True):
            result &= _equal(mine, theirs)
    elif pa.types.is_null(left.type):
        return np.ones(len(left), np.bool_)
    else:
        one_code, other_code = codes(left, right)
        result = one_code == other_code
        return result
    return result | (~known & ~others)


def _order(compare: Callable[[Any, Any], Any]) -> Callable[[pa.Array, pa.Array], pa.Array]:
    def kernel(left: pa.Array, right: pa.Array) -> pa.Array:
        words = order_words(pa.concat_arrays([plain(left), plain(right)]))
        return pa.array(compare(words[: len(left)], words[len(left) :]))

    return kernel
