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
from operators.aggregates.columns import BoolArray, IntArray


@attrs.frozen
class Input:
    """What a join keeps of one input.

    Attributes:
        columns: names of the columns that are kept.
        kinds: their types, without dictionaries.
        keys: which of them are the keys.
        changelog: whether rows can be taken back.
        shown: 1 where a row of this input comes out when it has a partner, -1 where it does when it has none, 0 where
            only pairs come out.
        kept: whether rows are kept; else only how many there are of each key.
    """

    columns: list[str]
    kinds: list[pa.DataType]
    keys: list[int]
    changelog: bool
    shown: int
    kept: bool


def same_columns(own: Input, other: Input) -> dict[int, int]:
    """Which columns of the other side are, in every pair, equal to which of one's own: keys, but for 0.0 and -0.0."""
    pairs = zip(other.keys, own.keys, strict=True)
    return {theirs: mine for theirs, mine in pairs if is_bytes(own.kinds[mine]) or _is_word(own.kinds[mine])}


def _is_word(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_temporal(kind) or pa.types.is_boolean(kind))


def blank_rows(columns: Sequence[pa.Array]) -> BoolArray | None:
    """Which rows are nothing but NULLs; None where none is."""
    if not all(array.null_count for array in columns):
        return None
    blank = np.logical_and.reduce([np.asarray(array.is_null()) for array in columns])
    return blank if blank.any() else None


def netted(columns: Sequence[pa.Array], weights: IntArray) -> tuple[IntArray, IntArray]:
    """Where each different row first stands, and the sum of its weights."""
    codes, first = factorise(list(columns))
    net = np.zeros(len(first), np.int64)
    np.add.at(net, codes, weights)
    return first, net
