"""Arrays as sets: which elements they have in common, and each only once.

NULL is equal to nothing here, where other functions of arrays take NULLs for equal.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from operators.expressions.functions.arrays import array_function
from operators.expressions.generic import same_list
from operators.expressions.lists import Lists, broadcast, codes, null_where_any, valid_of


def _members(needles: Lists, haystacks: Lists) -> Any:
    """Which of the first lists' values are among the values of the second list of their row; NULL is no member."""
    inner, outer = codes(needles.values, haystacks.values)
    size = int(max(inner.max(initial=0), outer.max(initial=0))) + 1
    held = np.isin(needles.rows * size + inner, haystacks.rows * size + outer)
    return held & valid_of(needles.values)


@null_where_any
def _covers(left: pa.Array, right: pa.Array) -> pa.Array:
    needles = Lists.of(right)
    return pa.array(~needles.any_of(~_members(needles, Lists.of(left))))


@null_where_any
def _covered(left: pa.Array, right: pa.Array) -> pa.Array:
    needles = Lists.of(left)
    return pa.array(~needles.any_of(~_members(needles, Lists.of(right))))


@null_where_any
def _overlaps(left: pa.Array, right: pa.Array) -> pa.Array:
    needles = Lists.of(left)
    return pa.array(needles.any_of(_members(needles, Lists.of(right))))


array_function(
    "@>", ("list", "list"), pa.bool_(), _covers,
    says="Whether the left array has all elements of the right one; NULLs are equal to nothing.",
    examples=("[1, 2, 3] @> [3, 1] = true", "[1, 2] @> [3] = false"),
)  # fmt: skip
array_function("list_has_all, array_has_all", ("list", "list"), pa.bool_(), _covers, says="As `@>`.",
               examples=("list_has_all([1, 2, 3], [3, 1]) = true",))  # fmt: skip
array_function(
    "<@", ("list", "list"), pa.bool_(), _covered,
    says="Whether the right array has all elements of the left one.", examples=("[1] <@ [1, 2] = true",),
)  # fmt: skip
array_function(
    "&&", ("list", "list"), pa.bool_(), _overlaps,
    says="Whether the arrays have an element in common; NULLs are equal to nothing.",
    examples=("[1, 2] && [2, 3] = true", "[1, 2] && [3] = false"),
)  # fmt: skip
array_function("list_has_any, array_has_any", ("list", "list"), pa.bool_(), _overlaps, says="As `&&`.",
               examples=("list_has_any([1, 2], [2, 3]) = true",))  # fmt: skip


def _once(lists: Lists, keep: Any) -> pa.Array:
    """The lists' values that are kept, each once."""
    (numbers,) = codes(lists.values)
    rows = np.flatnonzero(keep)
    pairs = lists.rows[rows] * (int(numbers.max(initial=0)) + 1) + numbers[rows]
    firsts = np.sort(np.unique(pairs, return_index=True)[1])
    chosen = np.zeros(len(lists.values), np.bool_)
    chosen[rows[firsts]] = True
    return lists.kept(chosen)


@broadcast
def _distinct(array: pa.Array) -> pa.Array:
    lists = Lists.of(array)
    return _once(lists, valid_of(lists.values))


array_function(
    "array_distinct, list_distinct", ("list",), same_list, _distinct,
    says="The different elements, in the order in which they come first; without NULL.",
    examples=("array_distinct([2, 1, 2]) = [2, 1]",),
)  # fmt: skip


@null_where_any
def _intersect(left: pa.Array, right: pa.Array) -> pa.Array:
    lists = Lists.of(left)
    return _once(lists, _members(lists, Lists.of(right)))


@null_where_any
def _except(left: pa.Array, right: pa.Array) -> pa.Array:
    lists = Lists.of(left)
    return _once(lists, ~_members(lists, Lists.of(right)))


array_function(
    "array_intersect, list_intersect", ("list", "list"), same_list, _intersect,
    says="The different elements that both arrays have.", examples=("array_intersect([1, 2, 2], [2, 3]) = [2]",),
)  # fmt: skip
array_function(
    "array_except", ("list", "list"), same_list, _except,
    says="The different elements of the first array that the second has not.",
    examples=("array_except([1, 2, 2], [1]) = [2]",),
)  # fmt: skip
