"""Functions of arrays (lists). Positions count from 1, from the end where negative.

Elements are compared with NULLs equal to each other, and so are NaNs. What the lists hold is cast to one type, in which
they and the other arguments meet.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flow.hashing import Integers
from operators.expressions.generic import Place, Result, element, over_lists, same_list
from operators.expressions.lists import Lists, broadcast, codes, gathered, listed, null_where_any, plain, valid_of
from operators.expressions.registry import Kernel, Resolved, overload
from operators.expressions.types import Argument, common, storage


def array_function(
    names: str,
    places: Sequence[Place],
    result: Result,
    kernel: Kernel,
    *,
    total: bool = True,
    says: str = "",
    examples: Sequence[str] = (),
) -> None:
    """Register a function of lists under several names."""
    shown = {"list": "list", "nested": "list", "element": "any"}
    parameters = ", ".join(shown.get(place, place) for place in places)
    kind = "list" if result is same_list else "any" if callable(result) else _NAMES.get(result, "list")
    for number, name in enumerate(names.split(", ")):
        first = examples if number == 0 else [each.replace(names.split(", ")[0] + "(", name + "(") for each in examples]
        meaning = says if number == 0 or not says else f"As `{names.split(', ')[0]}`."
        overload(
            f"{name}({parameters}) -> {kind}",
            over_lists(places, result, kernel, total=total),
            says=meaning,
            examples=first,
        )


_NAMES = {pa.int64(): "bigint", pa.bool_(): "boolean", pa.float64(): "double"}


def _appended(first: pa.Array, second: pa.Array) -> pa.Array:
    """All values of two arrays of one storage type."""
    return pa.concat_arrays([plain(first), plain(second)])


@broadcast
def concatenated(left: pa.Array, right: pa.Array) -> pa.Array:
    """The values of both lists; a list that is NULL has none."""
    one, other = Lists.of(left), Lists.of(right)
    lengths = one.lengths + other.lengths
    rows = np.repeat(np.arange(len(one)), lengths)
    places = np.arange(len(rows)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    first = places < one.lengths[rows]
    position = np.where(
        first, one.offsets[rows] + places, len(one.values) + other.offsets[rows] + places - one.lengths[rows]
    )
    missing = None
    if one.missing is not None and other.missing is not None:
        missing = one.missing & other.missing
    return listed(gathered(_appended(one.values, other.values), position), lengths, missing)


def _single(values: pa.Array) -> pa.Array:
    return listed(values, np.ones(len(values), np.int64))


@broadcast
def _append(lists: pa.Array, values: pa.Array) -> pa.Array:
    return concatenated(lists, _single(values))


@broadcast
def _prepend(values: pa.Array, lists: pa.Array) -> pa.Array:
    return concatenated(_single(values), lists)


array_function(
    "array_cat, array_concat, list_concat, list_cat", ("list", "list"), same_list, concatenated,
    says="The elements of both arrays; NULL counts as an empty one, unless both are.",
    examples=("array_cat([1, 2], [3]) = [1, 2, 3]",),
)  # fmt: skip
array_function(
    "array_append, list_append, array_push_back", ("list", "element"), same_list, _append,
    says="The array with one more element at its end.", examples=("array_append([1, 2], 3) = [1, 2, 3]",),
)  # fmt: skip
array_function(
    "array_prepend, list_prepend", ("element", "list"), same_list, _prepend,
    says="The array with one more element at its beginning.", examples=("array_prepend(1, [2, 3]) = [1, 2, 3]",),
)  # fmt: skip
array_function(
    "||", ("list", "list"), same_list, concatenated,
    says="Two arrays as one, or an array with one more element.",
    examples=("[1, 2] || [3] = [1, 2, 3]", "[1, 2] || 3 = [1, 2, 3]", "1 || [2, 3] = [1, 2, 3]"),
)  # fmt: skip
array_function("||", ("list", "element"), same_list, _append)
array_function("||", ("element", "list"), same_list, _prepend)


def _equal_to(lists: Lists, values: pa.Array) -> Any:
    """Which of the lists' values equal the value beside their list."""
    inner, outer = codes(lists.values, values)
    return inner == outer[lists.rows]


@broadcast
def _remove(array: pa.Array, values: pa.Array) -> pa.Array:
    lists = Lists.of(array)
    return lists.kept(~_equal_to(lists, values))


array_function(
    "array_remove", ("list", "element"), same_list, _remove,
    says="The array without the elements that equal the value.", examples=("array_remove([1, 2, 1], 1) = [2]",),
)  # fmt: skip


@broadcast
def _replace(array: pa.Array, old: pa.Array, new: pa.Array) -> pa.Array:
    lists = Lists.of(array)
    position = np.arange(len(lists.values))
    found = _equal_to(lists, old)
    position[found] = len(position) + lists.rows[found]
    return lists.with_values(gathered(_appended(lists.values, new), position))


array_function(
    "array_replace", ("list", "element", "element"), same_list, _replace,
    says="The array with each element that equals the first value replaced by the second.",
    examples=("array_replace([1, 2, 1], 1, 5) = [5, 2, 5]",),
)  # fmt: skip


def _first_of(lists: Lists, found: Any) -> pa.Array:
    """The place, from 1, of each list's first value that is marked; NULL where none is."""
    places = np.zeros(len(lists), np.int64)
    at = np.flatnonzero(found)[::-1]
    places[lists.rows[at]] = lists.places[at] + 1
    return pa.array(places, mask=places == 0)


@broadcast
def _position(array: pa.Array, values: pa.Array) -> pa.Array:
    lists = Lists.of(array)
    return _first_of(lists, _equal_to(lists, values))


@broadcast
def _position_from(array: pa.Array, values: pa.Array, start: pa.Array) -> pa.Array:
    lists = Lists.of(array)
    begin = pc.fill_null(start, 1).to_numpy()
    return _first_of(lists, _equal_to(lists, values) & (lists.places + 1 >= begin[lists.rows]))


array_function(
    "array_position, list_position, list_indexof", ("list", "element"), pa.int64(), _position,
    says="The position of the first element that equals the value; NULL where none does.",
    examples=("array_position(['a', 'b'], 'b') = 2", "array_position(['a', 'b'], 'c') IS NULL"),
)  # fmt: skip
array_function("array_position", ("list", "element", "bigint"), pa.int64(), _position_from)


@broadcast
def _positions(array: pa.Array, values: pa.Array) -> pa.Array:
    lists = Lists.of(array)
    found = _equal_to(lists, values)
    return listed(
        pa.array(lists.places[found] + 1), np.bincount(lists.rows[found], minlength=len(lists)), lists.missing
    )


array_function(
    "array_positions", ("list", "element"), pa.list_(pa.int64()), _positions,
    says="The positions of all elements that equal the value.", examples=("array_positions([1, 2, 1], 1) = [1, 3]",),
)  # fmt: skip


@null_where_any
def _contains(array: pa.Array, values: pa.Array) -> pa.Array:
    lists = Lists.of(array)
    return pa.array(lists.any_of(_equal_to(lists, values)))


array_function(
    "array_contains, list_contains, array_has, list_has", ("list", "element"), pa.bool_(), _contains,
    says="Whether one of the elements equals the value.",
    examples=("array_contains([1, 2], 2) = true", "array_contains([1, 2], 3) = false"),
)  # fmt: skip


@broadcast
def _reverse(array: pa.Array) -> pa.Array:
    lists = Lists.of(array)
    return lists.taken(lists.offsets[1:][lists.rows] - 1 - lists.places, lists.lengths)


array_function(
    "array_reverse, list_reverse", ("list",), same_list, _reverse,
    says="The elements from the last to the first.", examples=("array_reverse([1, 2, 3]) = [3, 2, 1]",),
)  # fmt: skip


@broadcast
def _trim(array: pa.Array, number: pa.Array) -> pa.Array:
    lists = Lists.of(array)
    cut = pc.fill_null(number, 0).to_numpy()
    if ((cut < 0) | (cut > lists.lengths))[valid_of(array)].any():
        raise pa.ArrowInvalid("trim_array takes away no more elements than the array has, and not less than none")
    kept = lists.kept(lists.places < (lists.lengths - cut)[lists.rows])
    return pc.if_else(number.is_valid(), kept, pa.scalar(None, kept.type)) if number.null_count else kept


array_function(
    "trim_array", ("list", "bigint"), same_list, _trim, total=False,
    says="The array without so many elements at its end.", examples=("trim_array([1, 2, 3], 2) = [1]",),
)  # fmt: skip


@broadcast
def _flatten(array: pa.Array) -> pa.Array:
    lists = Lists.of(array)
    if pa.types.is_null(lists.values.type):
        return lists.taken(np.zeros(0, np.int64), np.zeros(len(lists), np.int64))
    inner = Lists.of(lists.values)
    lengths = np.bincount(lists.rows, inner.lengths, len(lists)).astype(np.int64)
    return listed(inner.values, lengths, lists.missing)


array_function(
    "flatten", ("nested",), element, _flatten,
    says="The elements of an array's arrays as one array.", examples=("flatten([[1, 2], [3]]) = [1, 2, 3]",),
)  # fmt: skip


@null_where_any
def _slice(array: pa.Array, begin: pa.Array, end: pa.Array) -> pa.Array:
    lists = Lists.of(array)
    lengths = lists.lengths
    first, last = (_from_start(bound.to_numpy(), lengths) for bound in (begin, end))
    return lists.kept((lists.places + 1 >= first[lists.rows]) & (lists.places + 1 <= last[lists.rows]))


def _from_start(bounds: Integers, lengths: Integers) -> Integers:
    return np.where(bounds < 0, lengths + 1 + bounds, bounds)


array_function(
    "array_slice, list_slice", ("list", "bigint", "bigint"), same_list, _slice,
    says="The elements from one position to another, both included; also written `array[from:to]`.",
    examples=("array_slice([1, 2, 3, 4], 2, 3) = [2, 3]", "array_slice([1, 2, 3], -2, -1) = [2, 3]"),
)  # fmt: skip


@null_where_any
def _fill(values: pa.Array, lengths: pa.Array) -> pa.Array:
    dimensions = Lists.of(lengths)
    if (dimensions.lengths != 1).any():
        raise pa.ArrowInvalid("array_fill makes arrays of one dimension here: write array_fill(value, ARRAY[length])")
    return repeated(values, plain(dimensions.values).cast(pa.int64()))


def repeated(values: pa.Array, numbers: pa.Array) -> pa.Array:
    """Each value so many times, as lists."""
    lengths = np.maximum(pc.fill_null(numbers, 0).to_numpy(), 0)
    if lengths.sum() >= 2**31:
        raise pa.ArrowInvalid("the lists of one batch are too long together")
    return listed(values.take(pa.array(np.repeat(np.arange(len(values)), lengths))), lengths)


def _filling(arguments: Sequence[Argument]) -> Resolved | None:
    if len(arguments) != 2 or arguments[1].family != "list":
        return None
    value = arguments[0].type
    return Resolved((value, pa.list_(pa.int64())), pa.list_(value), _fill)


overload(
    "array_fill(any, list) -> list", _filling,
    says="An array of so many copies of a value.", examples=("array_fill(7, [3]) = [7, 7, 7]",),
)  # fmt: skip


def _value(arguments: Sequence[Argument]) -> Resolved | None:
    """ARRAY[...]: values in the type in which they meet."""
    from operators.expressions.registry import Resolved

    kind = common(arguments)
    if kind is None:
        return None
    return Resolved(tuple(kind for _ in arguments), pa.list_(kind), _side_by_side(kind), True)


def _side_by_side(kind: pa.DataType) -> Kernel:
    def kernel(*arrays: pa.Array) -> pa.Array:
        rows, width = len(arrays[0]), len(arrays)
        values = pa.concat_arrays([plain(array) for array in arrays])
        order = np.arange(rows * width).reshape(width, rows).T.reshape(-1)
        gathered_values = values.take(pa.array(order))
        if kind != storage(kind):
            gathered_values = kind.wrap_array(gathered_values)
        return listed(gathered_values, np.full(rows, width))

    return broadcast(kernel)


overload(
    "array(same...) -> list", _value,
    says="An array of these values; also written `[...]` and `ARRAY[...]`.", examples=("[1, 2][2] = 2",),
)  # fmt: skip
overload(
    "list_value(same...) -> list", _value,
    says="As `array`.", examples=("list_value(1, 2) = [1, 2]",),
)  # fmt: skip
