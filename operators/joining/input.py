"""What a join keeps of an input, and what it asks of columns.

All of it is pure: columns in, and facts about their rows out.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
import pyarrow as pa

from flow.hashing import is_bytes
from flow.keys import factorise
from operators.aggregates.columns import BoolArray, IntArray, plain, plain_type


@attrs.frozen
class Input:
    """What a join looks at of one input, and what it keeps.

    Attributes:
        keys: names of the key columns.
        key_kinds: their types, without dictionaries.
        columns: names of the columns that come out or that the condition reads.
        kinds: the types in which they are kept.
        given: which of them, by place, come out.
        asked: which of them the condition reads.
        changelog: whether rows can be taken back.
        shown: 1 where a row of this input comes out when it has a partner, -1 where it does when it has none, 0 where
            only pairs come out.
        kept: whether rows are kept; else only how many there are of each key.
    """

    keys: list[str]
    key_kinds: list[pa.DataType]
    columns: list[str]
    kinds: list[pa.DataType]
    given: list[int]
    asked: list[int]
    changelog: bool
    shown: int
    kept: bool

    @property
    def indexed(self) -> dict[int, int]:
        """Which columns need not be kept beside the index, and which of the keys each is."""
        pairs = zip(self.columns, self.kinds, strict=True)
        return {
            place: self.keys.index(name)
            for place, (name, kind) in enumerate(pairs)
            if name in self.keys and has_one_form(kind)
        }


def same_columns(own: Input, other: Input) -> dict[int, int]:
    """Which columns of the other side are, in every pair, equal to which of one's own, to the bit."""
    same = {}
    for place, key in other.indexed.items():
        if own.keys[key] in own.columns:
            same[place] = own.columns.index(own.keys[key])
    return same


def kept_type(kind: pa.DataType) -> pa.DataType:
    """The type in which a column's values are kept and come out: strings in a dictionary stay there."""
    value = plain_type(kind)
    text = pa.types.is_string(value) or pa.types.is_large_string(value)
    return pa.dictionary(pa.int32(), value) if text and pa.types.is_dictionary(kind) else value


def has_one_form(kind: pa.DataType) -> bool:
    """Whether equal values of a type look the same, as 0.0 and -0.0 do not, nor a month and 30 days."""
    types, kind = pa.types, plain_type(kind)
    if types.is_interval(kind):
        return False
    return bool(types.is_integer(kind) or types.is_temporal(kind) or types.is_boolean(kind) or is_bytes(kind))


def of_type(array: pa.Array, kind: pa.DataType) -> pa.Array:
    """The column in a dictionary or not, as its type says."""
    if array.type == kind or not pa.types.is_dictionary(array.type):
        return array.dictionary_encode() if pa.types.is_dictionary(kind) and array.type != kind else array
    return array.cast(kind) if pa.types.is_dictionary(kind) else plain(array)


def known_nulls(array: pa.Array) -> pa.Array:
    """The column, decoded where NULL is a value of its dictionary, so that it does not know of all its NULLs."""
    return plain(array) if pa.types.is_dictionary(array.type) and array.dictionary.null_count else array


def blank_rows(columns: Sequence[pa.Array], rows: int) -> BoolArray | None:
    """Which of so many rows are nothing but NULLs; None where none is."""
    if not all(array.null_count for array in columns):
        return None
    blank = np.logical_and.reduce([np.ones(rows, np.bool_), *(np.asarray(array.is_null()) for array in columns)])
    return blank if blank.any() else None


def netted(columns: Sequence[pa.Array], weights: IntArray) -> tuple[IntArray, IntArray]:
    """Where each different row first stands, and the sum of its weights; without columns all rows are the same."""
    if not columns:
        return np.zeros(1, np.int64), weights.sum(keepdims=True)
    codes, first = factorise(list(columns))
    net = np.zeros(len(first), np.int64)
    np.add.at(net, codes, weights)
    return first, net
