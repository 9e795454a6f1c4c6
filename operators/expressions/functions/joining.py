"""Text put together from values, and taken apart: concatenation, and separators.

`||` of NULL is NULL; `concat` and `concat_ws` leave NULL out.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from operators.expressions.casts import cast_value, castable
from operators.expressions.functions.parameters import as_array, parametric, row_count
from operators.expressions.registry import Kernel, Resolved, Rule, function, overload
from operators.expressions.types import Argument, logical

_TEXTS: Final = pa.list_(pa.string())


def _texts(kernel: Kernel, least: int) -> Rule:
    """Any number of values that can be shown as text."""

    def rule(arguments: Sequence[Argument]) -> Resolved | None:
        if len(arguments) < least or not all(castable(argument.type, pa.string()) for argument in arguments):
            return None
        return Resolved(tuple(pa.string() for _ in arguments), pa.string(), kernel, total=True)

    return rule


def _concat(*values: Any) -> pa.Array:
    return pc.binary_join_element_wise(*values, "", null_handling="replace", null_replacement="")


def _concat_ws(separator: Any, *values: Any) -> pa.Array:
    if not values:
        values = (pc.if_else(pc.is_valid(separator), "", separator),)
    # Arrow leaves out the rows in which it has skipped all values.
    empty = functools.reduce(pc.and_, [pc.is_null(value) for value in values])
    first = pc.if_else(empty, "", values[0])
    joined = pc.binary_join_element_wise(first, *values[1:], separator, null_handling="skip")
    return pc.if_else(pc.is_valid(separator), joined, pa.scalar(None, pa.string()))


overload(
    "concat(any...) -> text",
    _texts(_concat, 1),
    says="The values as text, one after another; NULL is left out.",
    examples=["concat('abcde', 2, NULL, 22) = 'abcde222'"],
)
overload(
    "concat_ws(text, any...) -> text",
    _texts(_concat_ws, 1),
    says="The values as text with a separator, the first argument, between them; NULL is left out.",
    examples=["concat_ws(',', 'abcde', 2, NULL, 22) = 'abcde,2,22'", "concat_ws(',', NULL) = ''"],
)


def _joined(arguments: Sequence[Argument]) -> Resolved | None:
    families = [argument.family for argument in arguments]
    if len(arguments) != 2:
        return None
    if "binary" in families and all(argument.family == "binary" or argument.unknown for argument in arguments):
        return Resolved((pa.binary(), pa.binary()), pa.binary(), _join_bytes, total=True)
    if not ("text" in families or set(families) == {"null"}):
        return None
    if not all(castable(argument.type, pa.string()) for argument in arguments):
        return None
    return Resolved((pa.string(), pa.string()), pa.string(), _join, total=True)


def _join(left: Any, right: Any) -> pa.Array:
    return pc.binary_join_element_wise(left, right, "")


def _join_bytes(left: Any, right: Any) -> pa.Array:
    return pc.binary_join_element_wise(left, right, pa.scalar(b"", pa.binary()))


overload(
    "||(text, any) -> text",
    _joined,
    says="Two values as text, one after the other, or the bytes of two; one of them must be text.",
    examples=[
        "('Post' || 'gres') = 'Postgres'",
        "('Value: ' || 42) = 'Value: 42'",
        r"('\x12'::bytea || '\x34') = '\x1234'",
    ],
)


@function(
    "split_part(text, text, bigint) -> text",
    says="The n-th part of a text between separators, from the end where n is negative; empty where there is none.",
    examples=[
        "split_part('abc~@~def~@~ghi', '~@~', 2) = 'def'",
        "split_part('abc,def,ghi,jkl', ',', -2) = 'ghi'",
        "split_part('a,b', ',', 3) = ''",
    ],
)
@parametric
def _split_part(value: Any, separator: str, number: int) -> pa.Array:
    if number == 0:
        raise pa.ArrowInvalid("field position must not be zero")
    if not separator:
        return value if abs(number) == 1 else pc.if_else(pc.is_valid(value), "", value)
    parts = pc.split_pattern(value, separator)
    count = pc.fill_null(pc.list_value_length(parts), 0).to_numpy()
    place = number - 1 if number > 0 else count + number
    present = (place >= 0) & (place < count)
    positions = np.where(present, parts.offsets.to_numpy()[:-1] + place, 0)
    found = parts.values.take(pa.array(positions, mask=~present))
    return pc.if_else(pc.is_valid(value), pc.fill_null(found, ""), value)


def _split(value: pa.Array, separator: str) -> pa.Array:
    """The parts; an empty text has none."""
    empty = pc.equal(value, "")
    if separator:
        parts = pc.split_pattern(value, separator)
    else:
        parts = pa.ListArray.from_arrays(pa.array(np.arange(len(value) + 1), pa.int32()), value, mask=value.is_null())
    return pc.if_else(pc.fill_null(empty, False), pa.scalar([], _TEXTS), parts)


def _letters(value: pa.Array) -> pa.Array:
    """Each character as a text of its own."""
    lengths = pc.fill_null(pc.utf8_length(value), 0).to_numpy()
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    texts = np.array(list("".join(value.drop_null().to_pylist())), dtype=object)
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(texts, pa.string()), mask=value.is_null())


def _string_to_array(value: Any, separator: Any, null: Any = None) -> pa.Array:
    rows = row_count([each for each in (value, separator, null) if each is not None])
    value = as_array(value, rows)
    split = parametric(_split, _TEXTS)(value, separator)
    if separator.null_count if isinstance(separator, pa.Array) else not separator.is_valid:
        split = pc.if_else(pc.is_valid(separator), split, _letters(value))
    return split if null is None else _without(split, null)


def _without(lists: pa.Array, null: Any) -> pa.Array:
    """Lists of text with NULL for one text, which is the same for all elements of a list."""
    if isinstance(null, pa.Array):
        null = null.take(pc.list_parent_indices(lists))
    values = pc.list_flatten(lists)
    found = pc.fill_null(pc.equal(values, null), False)
    values = pc.if_else(found, pa.scalar(None, pa.string()), values)
    sizes = pc.fill_null(pc.list_value_length(lists), 0).to_numpy()
    offsets = np.concatenate(([0], np.cumsum(sizes)))
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values, mask=lists.is_null())


function(
    "string_to_array(text, text) -> list",
    result=lambda types: _TEXTS,
    total=True,
    says="The parts of a text between separators (each character, where the separator is NULL; all of it, where it is "
    "empty); a third argument is what becomes NULL.",
    examples=[
        "string_to_array('xx~~yy~~zz', '~~', 'yy') = ARRAY['xx', NULL, 'zz']",
        "string_to_array('a,b', ',') = ARRAY['a', 'b']",
        "string_to_array('ab', NULL) = ARRAY['a', 'b']",
        "string_to_array('ab', '') = ARRAY['ab']",
    ],
)(_string_to_array)
function("string_to_array(text, text, text) -> list", result=lambda types: _TEXTS, total=True)(_string_to_array)


@function(
    "string_split(text, text) -> list",
    "str_split(text, text) -> list",
    "split(text, text) -> list",
    result=lambda types: _TEXTS,
    total=True,
    says="The parts of a text between separators; each character, where the separator is empty (DuckDB).",
    examples=["string_split('hello world', ' ') = ARRAY['hello', 'world']", "string_split('ab', '') = ARRAY['a', 'b']"],
)
def _string_split(value: Any, separator: Any) -> pa.Array:
    def split(texts: pa.Array, between: str) -> pa.Array:
        if between:
            return pc.split_pattern(texts, between)
        return pc.if_else(pc.fill_null(pc.equal(texts, ""), False), pa.scalar([""], _TEXTS), _letters(texts))

    return parametric(split, _TEXTS)(value, separator)


def _array_to_string(lists: Any, separator: Any, null: Any = None) -> pa.Array:
    rows = row_count([each for each in (lists, separator, null) if each is not None])
    if isinstance(lists, pa.Scalar):
        lists = pa.array([lists.as_py()] * rows, lists.type)
    values = cast_value(pc.list_flatten(lists), pa.string())
    parents = pc.list_parent_indices(lists)
    if null is not None:
        values = pc.coalesce(values, null.take(parents) if isinstance(null, pa.Array) else null)
    present = values.is_valid().to_numpy(zero_copy_only=False)
    sizes = np.bincount(parents.to_numpy()[present], minlength=rows)
    offsets = pa.array(np.concatenate(([0], np.cumsum(sizes))), pa.int32())
    texts = pa.ListArray.from_arrays(offsets, values.filter(pa.array(present)), mask=lists.is_null())
    return pc.binary_join(texts, separator)


def _array_rule(arguments: Sequence[Argument]) -> Resolved | None:
    if len(arguments) not in (2, 3) or arguments[0].family != "list":
        return None
    if not all(argument.family in ("text", "null") for argument in arguments[1:]):
        return None
    held = logical(arguments[0].type.value_type)
    if not castable(held, pa.string()):
        return None
    texts = tuple(pa.string() for _ in arguments[1:])
    return Resolved((pa.list_(held), *texts), pa.string(), _array_to_string, total=False)


overload(
    "array_to_string(list, text[, text]) -> text",
    _array_rule,
    says="The elements of a list as text with a separator between them; NULL is left out, or is the third argument.",
    examples=[
        "array_to_string(ARRAY[1, 2, NULL, 5], ',', '*') = '1,2,*,5'",
        "array_to_string(ARRAY['a', NULL, 'b'], '') = 'ab'",
    ],
)


@function(
    "substring_index(text, text, bigint) -> text",
    total=True,
    says="What is before the n-th separator, or after the |n|-th from the end where n is negative (MySQL).",
    examples=["substring_index('www.a.org', '.', 2) = 'www.a'", "substring_index('www.a.org', '.', -1) = 'org'"],
)
@parametric
def _substring_index(value: Any, separator: str, number: int) -> pa.Array:
    if not separator or not number:
        return pc.if_else(pc.is_valid(value), "", value)
    parts = pc.split_pattern(value, separator)
    count = pc.fill_null(pc.list_value_length(parts), 0).to_numpy()
    left = np.zeros_like(count) if number > 0 else np.maximum(count + number, 0)
    right = np.minimum(count, number) if number > 0 else count
    place = np.arange(len(parts.values)) - np.repeat(parts.offsets.to_numpy()[:-1], count)
    kept = (place >= np.repeat(left, count)) & (place < np.repeat(right, count))
    offsets = pa.array(np.concatenate(([0], np.cumsum(right - left))), pa.int32())
    lists = pa.ListArray.from_arrays(offsets, parts.values.filter(pa.array(kept)), mask=value.is_null())
    return pc.binary_join(lists, separator)
