"""The parts of text that match a regular expression: found, counted, taken out, replaced, and split at.

What regular expressions are is said under Patterns. A start (from 1) makes them see the text from there on only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from operators.expressions.functions.parameters import parametric
from operators.expressions.functions.patterns import checked
from operators.expressions.pieces import cut_at_matches, unused_marks
from operators.expressions.registry import function
from operators.expressions.regular import Regex, regex, rewrite, similar

_TEXTS: Final = pa.list_(pa.string())


def _from(value: pa.Array, start: int) -> pa.Array:
    if start < 1:
        raise pa.ArrowInvalid(f"invalid start of a regular expression: {start}; positions count from 1")
    return value if start == 1 else pc.utf8_slice_codeunits(value, start - 1)


def _number(number: int) -> int:
    if number < 1:
        raise pa.ArrowInvalid(f"invalid number of a match: {number}; matches count from 1")
    return number


def _group(expression: Regex, number: int) -> int:
    if not 0 <= number <= expression.groups:
        raise pa.ArrowInvalid(f"no group {number}; the regular expression has {expression.groups}")
    return number


def _captured(value: pa.Array, named: str, groups: int) -> list[pa.Array]:
    """The groups of the first match; NULL where there is none, or the group has no part in it."""
    found, spans = pc.extract_regex(value, named), pc.extract_regex_span(value, named)
    columns = []
    for number in range(groups):
        part = pc.and_(pc.is_valid(spans), pc.is_valid(pc.struct_field(spans, number)))
        columns.append(pc.if_else(part, pc.struct_field(found, number), pa.scalar(None, pa.string())))
    return columns


def _group_of(match: pa.Array, expression: Regex, group: int) -> pa.Array:
    """A group of matches that are whole texts."""
    if group == 0:
        return match
    return _captured(match, expression.whole, expression.groups)[_group(expression, group) - 1]


def _as_lists(columns: list[pa.Array], valid: pa.Array) -> pa.Array:
    """A list of one value of each column a row."""
    rows = len(valid)
    order = (np.arange(rows)[:, None] + rows * np.arange(len(columns))[None, :]).ravel()
    offsets = pa.array(np.arange(rows + 1) * len(columns), pa.int32())
    return pa.ListArray.from_arrays(offsets, pa.concat_arrays(columns).take(pa.array(order)), mask=pc.invert(valid))


def _flagged(
    kernel: Callable[..., pa.Array],
    name: str,
    result: str,
    kind: pa.DataType | None = None,
    flags: str = "",
    **about: Any,
) -> None:
    """Register a function of a text and a pattern, and perhaps flags."""
    more: dict[str, Any] = {} if kind is None else {"result": lambda types: kind}
    function(f"{name}(text, text) -> {result}", check=checked(), **more, **about)(
        parametric(lambda value, pattern: kernel(value, regex(pattern), ""), kind)
    )
    function(f"{name}(text, text, text) -> {result}", check=checked(2, flags), **more)(
        parametric(lambda value, pattern, given: kernel(value, regex(pattern, given, flags), given), kind)
    )


def _match(value: pa.Array, expression: Regex, flags: str) -> pa.Array:
    columns = _captured(value, expression.named, max(expression.groups, 1))
    found = pc.is_valid(pc.extract_regex_span(value, expression.named))
    return _as_lists(columns, found)


def _matches(value: pa.Array, expression: Regex, flags: str) -> pa.Array:
    if "g" not in flags:
        first = _match(value, expression, flags)
        offsets = np.concatenate(([0], np.cumsum(first.is_valid().to_numpy(zero_copy_only=False))))
        return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), first.drop_null(), mask=value.is_null())
    pieces = cut_at_matches(value, expression.text)
    odd = pieces.numbers % 2 == 1
    found = pieces.parts.filter(pa.array(odd))
    groups = _captured(found, expression.whole, expression.groups) if expression.groups else [found]
    each = _as_lists(groups, pc.is_valid(found))
    return pieces.chosen(odd, _spread(each, odd))


def _spread(values: pa.Array, places: NDArray[np.bool_]) -> pa.Array:
    """Values at these places, NULL at others."""
    return values.take(pa.array(np.maximum(np.cumsum(places) - 1, 0), mask=~places))


def _split(value: pa.Array, expression: Regex, flags: str) -> pa.Array:
    """As PostgreSQL, no empty match at the start or the end counts."""
    pieces = cut_at_matches(value, expression.text)
    sizes = pc.binary_length(pieces.parts).to_numpy(zero_copy_only=False)
    wanted = pieces.numbers % 2 == 0
    for edge, match in ((pieces.starts, pieces.starts + 1), (pieces.ends - 1, pieces.ends - 2)):
        left = np.concatenate(([0], np.cumsum(wanted)))
        cut = (pieces.counts > 0) & (left[pieces.ends] - left[pieces.starts] > 1)
        edge, match = edge[cut], match[cut]
        wanted[edge[(sizes[edge] == 0) & (sizes[match] == 0)]] = False
    return pieces.chosen(wanted)


_flagged(
    _match,
    "regexp_match",
    "list",
    _TEXTS,
    says="The groups of the first match, or all of it where the expression has no groups; NULL where there is none.",
    examples=[
        "regexp_match('foobarbequebaz', '(bar)(beque)') = ARRAY['bar', 'beque']",
        "regexp_match('foobarbequebaz', 'BAR.*que', 'i') = ARRAY['barbeque']",
        "regexp_match('abc', 'x') IS NULL",
        "regexp_match('b', '(a)?(b)') = ARRAY[NULL, 'b']",
    ],
)
_flagged(
    _matches,
    "regexp_matches",
    "list",
    pa.list_(_TEXTS),
    "g",
    says="The groups of the first match, with the flag g of all matches, as a list of lists; unnest makes PostgreSQL's "
    "rows of it.",
    examples=[
        "regexp_matches('foobarbequebazilbarfbonk', '(b[^b]+)(b[^b]+)', 'g') "
        "= ARRAY[ARRAY['bar', 'beque'], ARRAY['bazil', 'barf']]",
        "regexp_matches('aXbX', 'x', 'i') = ARRAY[ARRAY['X']]",
    ],
)
_flagged(
    _split,
    "regexp_split_to_array",
    "list",
    _TEXTS,
    says="The parts of a text between the matches.",
    examples=[
        r"regexp_split_to_array('hello world', '\s+') = ARRAY['hello', 'world']",
        r"regexp_split_to_array('the  fox', '\s*') = ARRAY['t', 'h', 'e', 'f', 'o', 'x']",
        "regexp_split_to_array('1a2A3', 'a', 'i') = ARRAY['1', '2', '3']",
    ],
)


@function(
    "regexp_count(text, text) -> bigint",
    check=checked(),
    says="The number of matches, from a start on.",
    examples=["regexp_count('123456789012', '\\d\\d\\d', 2) = 3", "regexp_count('AbaB', 'a', 1, 'i') = 2"],
)
@parametric
def _count(value: pa.Array, pattern: str) -> pa.Array:
    return _count_from(value, pattern, 1)


def _count_from(value: pa.Array, pattern: str, start: int, flags: str = "") -> pa.Array:
    pieces = cut_at_matches(_from(value, start), regex(pattern, flags).text)
    return pc.if_else(pieces.valid, pa.array(pieces.counts), pa.scalar(None, pa.int64()))


function("regexp_count(text, text, bigint) -> bigint", check=checked())(parametric(_count_from, pa.int64()))
function("regexp_count(text, text, bigint, text) -> bigint", check=checked(3))(parametric(_count_from, pa.int64()))


def _instr(value: pa.Array, pattern: str, start: int = 1, number: int = 1, end: int = 0, flags: str = "") -> pa.Array:
    if end not in (0, 1):
        raise pa.ArrowInvalid(f"the end option is 0 (where the match starts) or 1 (what comes after it), not {end}")
    pieces = cut_at_matches(_from(value, start), regex(pattern, flags).text)
    lengths = np.concatenate(([0], np.cumsum(pc.utf8_length(pieces.parts).to_numpy(zero_copy_only=False))))
    places = pieces.match(_number(number))
    at = pc.fill_null(places, 0).to_numpy()
    position = lengths[np.minimum(at + end, len(pieces.parts))] - lengths[pieces.starts] + start
    found = pc.if_else(pc.is_valid(places), pa.array(position, pa.int64()), pa.scalar(0, pa.int64()))
    return pc.if_else(pieces.valid, found, pa.scalar(None, pa.int64()))


def _substr(
    value: pa.Array, pattern: str, start: int = 1, number: int = 1, flags: str = "", group: int = 0
) -> pa.Array:
    expression = regex(pattern, flags)
    pieces = cut_at_matches(_from(value, start), expression.text)
    return _group_of(pieces.parts.take(pieces.match(_number(number))), expression, group)


def _replaced(value: pa.Array, pattern: str, new: str, start: int = 1, number: int = 1, flags: str = "") -> pa.Array:
    """The match of a number replaced, or with 0 all of them."""
    if number < 0:
        raise pa.ArrowInvalid(f"invalid number of a match: {number}; 0 stands for all of them")
    expression = regex(pattern, flags, "g")
    text, rewritten = _from(value, start), rewrite(new, expression.groups)
    if number <= 1:
        done = pc.replace_substring_regex(text, expression.text, rewritten, max_replacements=number or -1)
    else:
        mark, between = unused_marks(pa.concat_arrays([text, pa.array([new])]), 2)
        pieces = cut_at_matches(text, expression.text, rf"\0{between}{rewritten}", mark)
        both = pc.split_pattern(pieces.parts, between)
        chosen = np.where(pieces.numbers == 2 * number - 1, 1, 0)
        parts = both.values.take(pa.array(both.offsets.to_numpy()[:-1] + chosen))
        done = pc.binary_join(pieces.chosen(np.ones(len(parts), bool), parts), "")
    return done if start == 1 else pc.binary_join_element_wise(pc.utf8_slice_codeunits(value, 0, start - 1), done, "")


def _replaced_flags(value: pa.Array, pattern: str, new: str, flags: str) -> pa.Array:
    return _replaced(value, pattern, new, 1, 0 if "g" in flags else 1, flags)


def _extracted(value: pa.Array, pattern: str, group: int = 0, flags: str = "") -> pa.Array:
    found = pc.fill_null(_substr(value, pattern, 1, 1, flags, group), "")
    return pc.if_else(pc.is_valid(value), found, pa.scalar(None, pa.string()))


def _all_extracted(value: pa.Array, pattern: str, group: int = 0, flags: str = "") -> pa.Array:
    expression = regex(pattern, flags)
    pieces = cut_at_matches(value, expression.text)
    odd = pieces.numbers % 2 == 1
    found = _group_of(pieces.parts.filter(pa.array(odd)), expression, group)
    return pieces.chosen(odd, _spread(found, odd))


def _register(
    kernel: Callable[..., pa.Array],
    name: str,
    parameters: str,
    fixed: int,
    result: str,
    kind: pa.DataType,
    **about: Any,
) -> None:
    """Register a function with each number of parameters from `fixed` on."""
    kinds = parameters.split(", ")
    if pa.types.is_list(kind):
        about["result"] = lambda types: kind
    for count in range(fixed, len(kinds) + 1):
        flags = next((place for place in range(max(fixed, 3), count) if kinds[place] == "text"), None)
        check = checked(flags, "g")
        function(f"{name}({', '.join(kinds[:count])}) -> {result}", check=check, **about)(parametric(kernel, kind))
        for key in ("says", "examples"):
            about.pop(key, None)


_register(
    _instr,
    "regexp_instr",
    "text, text, bigint, bigint, bigint, text",
    2,
    "bigint",
    pa.int64(),
    says="Where a match starts (start, number of the match, and 1 instead of 0 for what comes after it); 0 where there "
    "is none.",
    examples=[
        "regexp_instr('number of your street, town zip, FR', '[^,]+', 1, 2) = 23",
        "regexp_instr('ABCDEFGHI', 'c..', 1, 1, 1, 'i') = 6",
        "regexp_instr('abc', 'x') = 0",
    ],
)
_register(
    _substr,
    "regexp_substr",
    "text, text, bigint, bigint, text, bigint",
    2,
    "text",
    pa.string(),
    says="A match (start, number of the match, flags, group); NULL where there is none.",
    examples=[
        "regexp_substr('number of your street, town zip, FR', '[^,]+', 1, 2) = ' town zip'",
        "regexp_substr('ABCDEFGHI', '(c..)(...)', 1, 1, 'i', 2) = 'FGH'",
        "regexp_substr('abc', 'x') IS NULL",
    ],
)
_register(
    _replaced,
    "regexp_replace",
    "text, text, text, bigint, bigint, text",
    3,
    "text",
    pa.string(),
    says=r"The text with the first match replaced (with the flag g all; or start, and number of the match, 0 for all); "
    r"\1 is a group, \& the match.",
    examples=[
        "regexp_replace('foobarbaz', 'b..', 'X') = 'fooXbaz'",
        "regexp_replace('foobarbaz', 'b..', 'X', 'g') = 'fooXX'",
        r"regexp_replace('foobarbaz', 'b(..)', 'X\1Y', 'g') = 'fooXarYXazY'",
        "regexp_replace('A PostgreSQL function', 'a|e|i|o|u', 'X', 1, 0, 'i') = 'X PXstgrXSQL fXnctXXn'",
        "regexp_replace('A PostgreSQL function', 'a|e|i|o|u', 'X', 1, 3, 'i') = 'A PostgrXSQL function'",
    ],
)
function("regexp_replace(text, text, text, text) -> text", check=checked(3, "g"))(parametric(_replaced_flags))
_register(
    _extracted,
    "regexp_extract",
    "text, text, bigint, text",
    2,
    "text",
    pa.string(),
    says="The first match or, with a number, a group of it; empty where there is none (DuckDB, Spark).",
    examples=[
        "regexp_extract('hello_world', '([a-z ]+)_?') = 'hello_'",
        "regexp_extract('hello_world', '([a-z ]+)_?', 1) = 'hello'",
        "regexp_extract('abc', 'x') = ''",
    ],
)
_register(
    _all_extracted,
    "regexp_extract_all",
    "text, text, bigint, text",
    2,
    "list",
    _TEXTS,
    says="All matches or, with a number, a group of each (DuckDB, Spark).",
    examples=[
        r"regexp_extract_all('Peter: 33, Paul:14', '(\w+):\s*(\d+)', 2) = ARRAY['33', '14']",
        "regexp_extract_all('abc', '[a-c]') = ARRAY['a', 'b', 'c']",
    ],
)


@function(
    "substring(text, text) -> text",
    check=checked(),
    says="The part of a text that matches a regular expression, or its first group, where it has one; with a third "
    "argument, of SIMILAR TO's expressions between two marks.",
    examples=[
        "substring('Thomas' from '...$') = 'mas'",
        "substring('foobar' from 'o(.)b') = 'o'",
        "substring('Thomas' from '%#\"o_a#\"_' for '#') = 'oma'",
        "substring('foobar' from 'x') IS NULL",
    ],
)
@parametric
def _substring(value: pa.Array, pattern: str) -> pa.Array:
    return _captured(value, regex(pattern).named, 1)[0]


@function("substring(text, text, text) -> text")
@parametric
def _substring_similar(value: pa.Array, pattern: str, escape: str) -> pa.Array:
    parts = pattern.split(f'{escape}"') if escape else [pattern]
    if len(parts) not in (1, 3):
        raise pa.ArrowInvalid(f'{pattern!r} should have two marks {escape}" around what is taken')
    before, taken, after = parts if len(parts) == 3 else ("", pattern, "")
    whole = rf"\A{_lazy(similar(before, escape))}({similar(taken, escape)}){similar(after, escape)}\z"
    return _captured(value, regex(whole).named, 1)[0]


def _lazy(expression: str) -> str:
    """What stands before the part that is taken matches as little as it can."""
    return expression.replace(".*", ".*?")
