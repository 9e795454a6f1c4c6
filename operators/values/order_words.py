"""Order as numbers: an int64 word for each value, such that words compare as PostgreSQL's ORDER BY compares the values.

Words of one call compare with each other, not with those of another: some are ranks among the values given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flow.hashing import Integers as IntArray
from flow.hashing import dictionary_codes, hash_columns, is_list, list_parts, nulls_of, plain, word_values
from flow.intervals import lengths

_LEAST: Final = -(2**63)
_GREATEST: Final = 2**63 - 1


@attrs.frozen
class Order:
    """A column to order by.

    NaN is greater than every number, text is compared by code point, lists and structs by their first elements that
    are not equal, intervals with months of 30 days.

    Attributes:
        column: its name.
        descending: whether the greatest value comes first.
        nulls_first: whether NULLs come first; None: as in PostgreSQL, where NULL is greater than every value.
    """

    column: str
    descending: bool = False
    nulls_first: bool | None = None


def has_order(kind: pa.DataType) -> bool:
    """Whether values of a type have an order that SQL knows."""
    if is_list(kind) or pa.types.is_struct(kind):
        return all(has_order(kind.field(number).type) for number in range(kind.num_fields))
    return not (pa.types.is_nested(kind) or pa.types.is_union(kind))


def order_words(array: pa.Array, descending: bool = False, nulls_first: bool | None = None) -> IntArray:
    """A word for each value, int64[n]; values without an order get a hash: some order that is always the same."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    array = plain(array)
    words = _words(array)
    if descending:
        np.invert(words, out=words)
    nulls = nulls_of(array)
    if nulls is not None:
        extreme = _LEAST if (descending if nulls_first is None else nulls_first) else _GREATEST
        if (words[~nulls] == extreme).any():
            _, words = np.unique(words, return_inverse=True)
        words[nulls] = extreme
    return words


def _words(array: pa.Array) -> IntArray:
    kind = array.type
    if pa.types.is_null(kind):
        return np.zeros(len(array), np.int64)
    words = word_values(array)
    if words is not None:
        if pa.types.is_floating(kind):
            # The bits of negative floats ascend with their magnitude.
            words ^= (words >> 63) & _GREATEST
        elif pa.types.is_uint64(kind):
            words ^= _LEAST
        return words
    if not has_order(kind):
        return hash_columns([array]).view(np.int64)
    if pa.types.is_interval(kind):
        return _ranks(lengths(array), len(array))
    if is_list(kind):
        return _list_words(array)
    if pa.types.is_struct(kind):
        return _ranks([order_words(column) for column in array.flatten()], len(array))
    encoded = array.dictionary_encode()
    ranks = np.zeros(len(encoded.dictionary) + 1, np.int64)
    ranks[pc.array_sort_indices(encoded.dictionary).to_numpy()] = np.arange(len(encoded.dictionary))
    return ranks[dictionary_codes(encoded)]


def _list_words(array: pa.Array) -> IntArray:
    """Lists are ordered as the byte strings of their elements' ranks are."""
    values, offsets = list_parts(array)
    ranks = _ranks([order_words(values)], len(values)).astype(">i8")
    buffers = [None, pa.py_buffer(8 * offsets), pa.py_buffer(ranks)]
    return _words(pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(array), buffers))


def _ranks(columns: Sequence[IntArray], size: int) -> IntArray:
    """Dense numbers for the rows of columns of words, in their order."""
    ranks = np.zeros(size, np.int64)
    if columns and size:
        order = np.lexsort(columns[::-1])
        differ = np.logical_or.reduce([column[order][1:] != column[order][:-1] for column in columns])
        ranks[order] = np.cumsum(np.insert(differ, 0, False))
    return ranks


Words = Callable[[], IntArray]


def arranged(groups: IntArray, first: Sequence[Words], ties: Sequence[Words]) -> IntArray:
    """The order of rows by group, then by some words, then, where these are equal, by others: positions, int64[n].

    Words are made only where they are needed.
    """
    keys = [groups, *(make() for make in first)]
    order = np.lexsort(keys[::-1])
    if not ties or len(order) < 2:
        return order
    same = np.ones(len(order) - 1, np.bool_)
    for key in keys:
        ordered = key[order]
        same &= ordered[1:] == ordered[:-1]
    if not same.any():
        return order
    tied = np.flatnonzero(np.append(same, False) | np.insert(same, 0, False))
    runs = np.cumsum(np.insert(~same, 0, True))[tied]
    rows = order[tied]
    others = [make()[rows] for make in ties]
    order[tied] = rows[np.lexsort([*others[::-1], runs])]
    return order


def closest(words: IntArray, groups: IntArray, number: int) -> IntArray | None:
    """The rows that can be among the first `number` of their group in the order of words; None: all can."""
    size = len(words)
    if size <= number or np.bincount(groups).max() <= number:
        return None
    if (groups == groups[0]).all():
        return np.flatnonzero(words <= np.partition(words, number - 1)[number - 1])
    order = np.lexsort((words, groups))
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    ends = np.append(starts[1:], size)
    bounds = np.repeat(words[order[np.minimum(starts + number, ends) - 1]], ends - starts)
    return order[words[order] <= bounds]
