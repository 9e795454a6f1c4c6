"""Functions of text. Positions count characters from 1.

NULL makes NULL, except in `concat` and `concat_ws`, which leave it out.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from operators.expressions.casts import castable
from operators.expressions.functions.parameters import parametric
from operators.expressions.registry import Kernel, Resolved, Rule, function, overload
from operators.expressions.types import Argument

function("lower(text) -> text", total=True, says="The text in lower case.", examples=["lower('ÉTÉ') = 'été'"])(
    pc.utf8_lower
)
function("upper(text) -> text", total=True)(pc.utf8_upper)
function("initcap(text) -> text", total=True)(pc.utf8_title)
function("reverse(text) -> text", total=True)(pc.utf8_reverse)
function("octet_length(text) -> bigint", "octet_length(binary) -> bigint", total=True)(pc.binary_length)
function(
    "length(text) -> bigint", "char_length(text) -> bigint", "character_length(text) -> bigint", total=True
)(pc.utf8_length)  # fmt: skip


def _trimming(name: str, characters: Any) -> None:
    function(f"{name}(text) -> text", total=True)(lambda value: characters(value, characters=" "))
    function(f"{name}(text, text) -> text", total=True)(
        parametric(lambda value, unwanted: characters(value, characters=unwanted) if unwanted else value)
    )


_trimming("trim", pc.utf8_trim)
_trimming("btrim", pc.utf8_trim)
_trimming("ltrim", pc.utf8_ltrim)
_trimming("rtrim", pc.utf8_rtrim)


@function("substring(text, bigint) -> text", "substr(text, bigint) -> text")
@parametric
def _substring_from(value: Any, start: int) -> pa.Array:
    return pc.utf8_slice_codeunits(value, max(start - 1, 0))


@function("substring(text, bigint, bigint) -> text", "substr(text, bigint, bigint) -> text")
@parametric
def _substring(value: Any, start: int, length: int) -> pa.Array:
    if length < 0:
        raise pa.ArrowInvalid("negative substring length not allowed")
    return pc.utf8_slice_codeunits(value, max(start - 1, 0), max(start - 1 + length, 0))


@function("left(text, bigint) -> text", total=True)
@parametric
def _left(value: Any, count: int) -> pa.Array:
    return pc.utf8_slice_codeunits(value, 0, count)


@function("right(text, bigint) -> text", total=True)
@parametric
def _right(value: Any, count: int) -> pa.Array:
    return pc.utf8_slice_codeunits(value, -count) if count else pc.utf8_slice_codeunits(value, 0, 0)


@function("replace(text, text, text) -> text", total=True)
@parametric
def _replace(value: Any, old: str, new: str) -> pa.Array:
    return pc.replace_substring(value, old, new) if old else value


def _texts(kernel: Kernel) -> Rule:
    """Any number of values that can be shown as text."""

    def rule(arguments: Sequence[Argument]) -> Resolved | None:
        if not arguments or not all(castable(argument.type, pa.string()) for argument in arguments):
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


overload("concat(any...) -> text", _texts(_concat))
overload("concat_ws(text, any...) -> text", _texts(_concat_ws))


def _joined(arguments: Sequence[Argument]) -> Resolved | None:
    families = [argument.family for argument in arguments]
    if len(arguments) != 2 or not ("text" in families or set(families) == {"null"}):
        return None
    if not all(castable(argument.type, pa.string()) for argument in arguments):
        return None
    return Resolved((pa.string(), pa.string()), pa.string(), _join, total=True)


def _join(left: Any, right: Any) -> pa.Array:
    return pc.binary_join_element_wise(left, right, "")


overload("||(text, any) -> text", _joined)


def _padding(side: Any, left: bool) -> Any:
    def kernel(value: Any, width: int, fill: str) -> pa.Array:
        width = max(width, 0)
        value = pc.utf8_slice_codeunits(value, 0, width)
        if len(fill) == 1:
            return side(value, width, fill)
        missing = pc.subtract(pa.scalar(width, pa.int64()), pc.cast(pc.utf8_length(value), pa.int64()))
        padding = _left(pa.repeat(fill * (width // max(len(fill), 1) + 1), len(value)), missing)
        return _join(padding, value) if left else _join(value, padding)

    return kernel


_lpad, _rpad = _padding(pc.utf8_lpad, left=True), _padding(pc.utf8_rpad, left=False)
function("lpad(text, bigint, text) -> text", total=True)(parametric(_lpad))
function("rpad(text, bigint, text) -> text", total=True)(parametric(_rpad))
function("lpad(text, bigint) -> text", total=True)(parametric(lambda value, width: _lpad(value, width, " ")))
function("rpad(text, bigint) -> text", total=True)(parametric(lambda value, width: _rpad(value, width, " ")))


@function("strpos(text, text) -> bigint", "instr(text, text) -> bigint", total=True)
@parametric
def _strpos(value: Any, part: str) -> pa.Array:
    if not part:
        return pc.if_else(pc.is_valid(value), pa.scalar(1, pa.int64()), pa.scalar(None, pa.int64()))
    found = pc.greater_equal(pc.find_substring(value, part), 0)
    before = pc.list_element(pc.split_pattern(value, part, max_splits=1), 0)
    return pc.if_else(found, pc.add(pc.cast(pc.utf8_length(before), pa.int64()), 1), pa.scalar(0, pa.int64()))


@function("starts_with(text, text) -> boolean", total=True)
@parametric
def _starts_with(value: Any, prefix: str) -> pa.Array:
    return pc.starts_with(value, prefix)


@function("ends_with(text, text) -> boolean", total=True)
@parametric
def _ends_with(value: Any, suffix: str) -> pa.Array:
    return pc.ends_with(value, suffix)


@function("contains(text, text) -> boolean", total=True)
@parametric
def _contains(value: Any, part: str) -> pa.Array:
    return pc.match_substring(value, part)


@function("repeat(text, bigint) -> text")
def _repeat(value: Any, count: Any) -> pa.Array:
    return pc.binary_repeat(value, pc.max_element_wise(count, 0, skip_nulls=False))


@function("split_part(text, text, bigint) -> text")
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
