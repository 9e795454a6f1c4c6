"""Positions and lengths of arrays, their order, and what is computed of all elements of one.

Positions count from 1, from the end where negative; there is NULL beyond the ends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from operators.expressions.functions.arrays import array_function
from operators.expressions.generic import element, same_list
from operators.expressions.lists import Lists, broadcast, gathered, null_where_any, valid_of
from operators.expressions.registry import Resolved, function, overload
from operators.expressions.types import Argument, logical
from operators.values.order_words import order_words


@function(
    "cardinality(list) -> bigint", "length(list) -> bigint", "len(list) -> bigint", "array_length(list) -> bigint",
    "array_size(list) -> bigint", total=True,
    says="The number of elements (of an array, or a map).", examples=("cardinality([1, 2]) = 2", "cardinality([]) = 0"),
)  # fmt: skip
def _length(value: Any) -> pa.Array:
    return pc.list_value_length(value)


@function(
    "array_length(list, bigint) -> bigint", "array_upper(list, bigint) -> bigint", total=True,
    says="The length in a dimension; NULL where the array has no elements there, as in PostgreSQL.",
    examples=("array_length([[1, 2], [3, 4]], 2) = 2", "array_length([], 1) IS NULL", "array_upper([7, 8], 1) = 2"),
)  # fmt: skip
@null_where_any
def _dimension(value: pa.Array, dimension: pa.Array) -> pa.Array:
    wanted = dimension.to_numpy()
    result = np.zeros(len(value), np.int64)
    rows = np.arange(len(value))
    depth = 1
    while len(rows):
        lists = Lists.of(value)
        at = wanted[rows] == depth
        result[rows[at]] = lists.lengths[at]
        deeper = (wanted[rows] > depth) & (lists.lengths > 0)
        if not pa.types.is_list(lists.values.type) or not deeper.any():
            break
        value = lists.values.take(pa.array(lists.offsets[:-1][deeper]))
        rows, depth = rows[deeper], depth + 1
    return pa.array(result, mask=result == 0)


@function(
    "list_element(list, bigint) -> any", total=True, result=lambda types: logical(types[0].value_type),
    says="The element at a position; also written `array[position]`.",
    examples=("list_element([1, 2], 2) = 2", "[1, 2][-1] = 2", "[1, 2][3] IS NULL"),
)  # fmt: skip
@broadcast
def _element(value: pa.Array, number: pa.Array) -> pa.Array:
    lists = Lists.of(value)
    count, wanted = lists.lengths, pc.fill_null(number, 0).to_numpy()
    place = np.where(wanted > 0, wanted - 1, count + wanted)
    present = (wanted != 0) & (place >= 0) & (place < count)
    return gathered(lists.values, np.where(present, lists.offsets[:-1] + place, -1))


def _ordered(lists: Lists, descending: bool, nulls_first: bool | None) -> Any:
    """The positions of the values, list by list, in order."""
    return np.lexsort([order_words(lists.values, descending, nulls_first), lists.rows])


def _sort(descending: bool, nulls_first: bool | None = None) -> Callable[[Any], pa.Array]:
    @broadcast
    def kernel(value: pa.Array) -> pa.Array:
        lists = Lists.of(value)
        return lists.taken(_ordered(lists, descending, nulls_first), lists.lengths)

    return kernel


array_function(
    "array_sort, list_sort", ("list",), same_list, _sort(descending=False),
    says="The elements in ascending order, NULLs last; with a second argument 'DESC' in descending order, NULLs first; "
    "a third says 'NULLS FIRST' or 'NULLS LAST'.",
    examples=("array_sort([3, NULL, 1]) = [1, 3, NULL]", "array_sort([1, 3], 'DESC') = [3, 1]"),
)  # fmt: skip
array_function(
    "list_reverse_sort, array_reverse_sort", ("list",), same_list, _sort(descending=True),
    says="The elements in descending order, NULLs first.", examples=("list_reverse_sort([1, 3]) = [3, 1]",),
)  # fmt: skip


def _sorting(arguments: Sequence[Argument]) -> Resolved | None:
    if not 2 <= len(arguments) <= 3 or arguments[0].family != "list":
        return None
    words = [str(argument.constant).upper() for argument in arguments[1:]]
    if words[0] not in ("ASC", "DESC") or words[1:] not in ([], ["NULLS FIRST"], ["NULLS LAST"]):
        return None
    kernel = _sort(words[0] == "DESC", None if len(words) == 1 else words[1] == "NULLS FIRST")
    types = tuple(argument.type for argument in arguments)
    value = pa.list_(logical(types[0].value_type))
    return Resolved((value, *types[1:]), value, lambda value, *words: kernel(value), True)


for _name in ("array_sort", "list_sort"):
    overload(f"{_name}(list, const text...) -> list", _sorting)


def _extreme(descending: bool) -> Callable[[Any], pa.Array]:
    @broadcast
    def kernel(value: pa.Array) -> pa.Array:
        lists = Lists.of(value)
        known = lists.kept(valid_of(lists.values))
        lists = Lists.of(known)
        order = _ordered(lists, descending, None)
        positions = np.full(len(lists), -1, np.int64)
        filled = lists.lengths > 0
        positions[filled] = order[lists.offsets[:-1][filled]]
        return gathered(lists.values, positions)

    return kernel


for _what, _names, _descending in (("least", "array_min, list_min", False), ("greatest", "array_max, list_max", True)):
    array_function(
        _names, ("list",), element, _extreme(_descending), says=f"The {_what} element; NULLs are left out.",
        examples=(f"{_names.split(',')[0]}([3, NULL, 1]) = {3 if _descending else 1}",),
    )  # fmt: skip


def _sum_type(value: pa.DataType) -> pa.DataType | None:
    if pa.types.is_decimal(value):
        return pa.decimal128(38, value.scale)
    if pa.types.is_floating(value):
        return pa.float64()
    return pa.int64() if pa.types.is_integer(value) else None


def _totals(value: pa.Array, kind: pa.DataType) -> tuple[pa.Array, Any]:
    """The sums of lists of numbers, as a type, and how many numbers each has."""
    lists = Lists.of(value)
    keep = valid_of(lists.values)
    rows = lists.rows[keep]
    counts = np.bincount(rows, minlength=len(lists))
    numbers = lists.values.drop_null().cast(kind)
    if pa.types.is_integer(kind):
        # Wide enough for whatever a list can hold; the cast back finds what is too large.
        numbers = numbers.cast(pa.decimal128(38, 0))
    sums = (
        pa.table([pa.array(rows), numbers], ["row", "value"])
        .group_by("row", use_threads=False)
        .aggregate([("value", "sum")])
        .combine_chunks()
    )
    places = np.full(len(lists), -1, np.int64)
    places[sums["row"].to_numpy()] = np.arange(sums.num_rows)
    column = sums["value_sum"].chunk(0) if sums.num_rows else numbers
    return gathered(column, places).cast(kind), counts


@broadcast
def _sum(value: pa.Array) -> pa.Array:
    kind = _sum_type(value.type.value_type)
    assert kind is not None
    return _totals(value, kind)[0]


@broadcast
def _mean(value: pa.Array) -> pa.Array:
    sums, counts = _totals(value, pa.float64())
    return pc.divide(sums, pa.array(np.maximum(counts, 1).astype(np.float64)))


array_function(
    "list_sum, array_sum", ("list",), _sum_type, _sum, total=False,
    says="The sum of the elements, NULLs left out; NULL if there is none.", examples=("list_sum([1, NULL, 2]) = 3",),
)  # fmt: skip
array_function(
    "list_avg, array_avg", ("list",), lambda value: _sum_type(value) and pa.float64(), _mean, total=False,
    says="The mean of the elements, as DOUBLE, NULLs left out; NULL if there is none.",
    examples=("list_avg([1, NULL, 2]) = 1.5",),
)  # fmt: skip


@broadcast
def _count(value: pa.Array) -> pa.Array:
    lists = Lists.of(value)
    counts = np.bincount(lists.rows[valid_of(lists.values)], minlength=len(lists))
    return pa.array(counts, mask=lists.missing)


array_function(
    "list_count", ("list",), pa.int64(), _count,
    says="The number of elements that are not NULL.", examples=("list_count([1, NULL, 2]) = 2",),
)  # fmt: skip
