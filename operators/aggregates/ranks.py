"""The order of values of any type, as integers to sort by, in which NULLs, NaN and direction have their places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from flow.hashing import plain
from operators.aggregates.columns import BoolArray, IntArray, physical, physical_type, valid
from operators.expressions import Expression, expression
from operators.values.order_words import order_words


@attrs.frozen
class Ordering:
    """One item of an ``ORDER BY``.

    Attributes:
        expression: what to order by.
        descending: greatest first; NaN is greater than any number.
        nulls_first: whether NULLs come before all else; None: where the order is descending, as in PostgreSQL.
    """

    expression: Expression = attrs.field(converter=expression)
    descending: bool = False
    nulls_first: bool | None = None

    def __str__(self) -> str:
        nulls = "" if self.nulls_first is None else f" nulls {'first' if self.nulls_first else 'last'}"
        return f"{self.expression}{' desc' if self.descending else ''}{nulls}"


@attrs.frozen
class Sort:
    """One thing to sort entries by.

    Attributes:
        column: the number of a column; None: by arrival.
        descending: greatest, or latest, first.
        nulls_first: as in `Ordering`.
    """

    column: int | None
    descending: bool = False
    nulls_first: bool | None = None


def ranks(array: pa.Array) -> IntArray:
    """Dense numbers of values in ascending order, equal ones the same; 0 where NULL."""
    keep = valid(array)
    if keep is not None:
        places = np.flatnonzero(keep)
        numbers = np.zeros(len(array), np.int64)
        numbers[places] = ranks(array.take(pa.array(places)))
        return numbers
    if physical_type(array.type) is not None:
        found: IntArray = np.unique(physical(array), return_inverse=True)[1].reshape(-1)
        return found
    if pa.types.is_boolean(array.type):
        return physical(array).astype(np.int64)
    if pa.types.is_nested(array.type) or pa.types.is_interval(array.type):
        dense: IntArray = np.unique(order_words(array), return_inverse=True)[1].reshape(-1)
        return dense
    encoded = plain(array).dictionary_encode()
    order = physical(pc.sort_indices(encoded.dictionary))
    numbers = np.empty(len(order), np.int64)
    numbers[order] = np.arange(len(order))
    return numbers[physical(encoded.indices).astype(np.int64)]


def sort_key(array: pa.Array, sort: Sort) -> IntArray:
    """int64[n]: the lower, the earlier the value comes."""
    width = physical_type(array.type)
    if width is not None and width.kind in "iu" and width != np.uint64 and not array.null_count:
        # Integers are their own ranks; ~ turns their order round, and fits where - does not.
        values = physical(array).astype(np.int64)
        return ~values if sort.descending else values
    if width is not None and width.kind == "f" and not array.null_count:
        values = _float_words(physical(array))
        return ~values if sort.descending else values
    numbers = ranks(array)
    numbers = -numbers if sort.descending else numbers
    keep = valid(array)
    if keep is None:
        return numbers
    first = sort.descending if sort.nulls_first is None else sort.nulls_first
    return np.where(keep, numbers, -len(array) - 1 if first else len(array) + 1)


def _float_words(numbers: NDArray[Any]) -> IntArray:
    """int64[n], in the order of the numbers: -0.0 is 0.0, and NaN the greatest."""
    floats = numbers.astype(np.float64) + 0.0
    floats[np.isnan(floats)] = np.nan
    words = floats.view(np.int64)
    return words ^ ((words >> 63) & np.int64(2**63 - 1))


def firsts(groups: IntArray, keys: Sequence[IntArray]) -> IntArray:
    """The row of each group that comes first by keys, the most important one first; by group, ascending."""
    order = np.lexsort((*reversed(keys), groups))
    return order[starts(groups[order])]


def starts(groups: IntArray) -> BoolArray:
    """Where in ascending numbers a new one begins."""
    begins = np.ones(len(groups), np.bool_)
    np.not_equal(groups[1:], groups[:-1], out=begins[1:])
    return begins
