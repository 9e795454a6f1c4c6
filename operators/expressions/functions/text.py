"""Functions of text. Positions count characters from 1.

Text is compared, and ordered, character by character (as by PostgreSQL's collation "C").
"""

from __future__ import annotations

import unicodedata
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from operators.expressions.characters import Characters
from operators.expressions.functions.parameters import as_array, parametric, row_count
from operators.expressions.registry import function

_LAST_CODE: Final = 0x10FFFF

function(
    "lower(text) -> text", total=True, says="The text in lower case.", examples=["lower('ÉTÉ') = 'été'"]
)(pc.utf8_lower)  # fmt: skip
function(
    "upper(text) -> text", total=True, says="The text in upper case.", examples=["upper('été') = 'ÉTÉ'"]
)(pc.utf8_upper)  # fmt: skip
function(
    "reverse(text) -> text",
    total=True,
    says="The characters in reverse order.",
    examples=["reverse('abcdé') = 'édcba'"],
)(pc.utf8_reverse)
function(
    "length(text) -> bigint",
    "char_length(text) -> bigint",
    "character_length(text) -> bigint",
    total=True,
    says="The number of characters.",
    examples=["length('José') = 4", "char_length('') = 0"],
)(pc.utf8_length)


@function(
    "initcap(text) -> text",
    total=True,
    says="The first letter of each word in upper case, the others in lower case; words are letters and digits.",
    examples=["initcap('hi THOMAS, 4th o''neil') = 'Hi Thomas, 4th O''Neil'"],
)
def _initcap(value: Any) -> pa.Array:
    characters = Characters.of(value)
    in_word = characters.where(str.isalnum)
    first = in_word.copy()
    first[1:] &= ~in_word[:-1]
    starts = (np.cumsum(characters.lengths) - characters.lengths)[characters.lengths > 0]
    first[starts] = in_word[starts]
    codes = np.where(first, characters.mapped(str.upper), characters.mapped(str.lower))
    return Characters(codes, characters.lengths, characters.valid).text()


def _trimming(name: str, characters: Any, says: str, example: str) -> None:
    function(f"{name}(text) -> text", total=True)(lambda value: characters(value, characters=" "))
    function(f"{name}(text, text) -> text", total=True, says=says, examples=[example])(
        parametric(lambda value, unwanted: characters(value, characters=unwanted) if unwanted else value)
    )


_BOTH: Final = "The text without blanks, or some other characters, at both ends; also `trim([BOTH] ... FROM ...)`."
_trimming("trim", pc.utf8_trim, _BOTH, "trim(both 'xyz' from 'yxTomxx') = 'Tom'")
_trimming("btrim", pc.utf8_trim, _BOTH, "btrim('xyxtrimyyx', 'xyz') = 'trim'")
_trimming(
    "ltrim",
    pc.utf8_ltrim,
    "The text without blanks, or some other characters, at its start; also `trim(LEADING ... FROM ...)`.",
    "ltrim('zzzytest', 'xyz') = 'test'",
)
_trimming(
    "rtrim",
    pc.utf8_rtrim,
    "The text without blanks, or some other characters, at its end; also `trim(TRAILING ... FROM ...)`.",
    "rtrim('testxxzx', 'xyz') = 'test'",
)


@function("substring(text, bigint) -> text", "substr(text, bigint) -> text")
@parametric
def _substring_from(value: Any, start: int) -> pa.Array:
    return pc.utf8_slice_codeunits(value, max(start - 1, 0))


@function(
    "substring(text, bigint, bigint) -> text",
    "substr(text, bigint, bigint) -> text",
    says="A part of the text, from a position on, and perhaps of a length; also `substring(... FROM ... FOR ...)`.",
    examples=["substring('Thomas' from 2 for 3) = 'hom'", "substr('alphabet', 3) = 'phabet'"],
)
@parametric
def _substring(value: Any, start: int, length: int) -> pa.Array:
    if length < 0:
        raise pa.ArrowInvalid("negative substring length not allowed")
    return pc.utf8_slice_codeunits(value, max(start - 1, 0), max(start - 1 + length, 0))


@function(
    "left(text, bigint) -> text",
    total=True,
    says="The first n characters; with a negative n, all but the last |n|.",
    examples=["left('abcde', 2) = 'ab'", "left('abcde', -2) = 'abc'"],
)
@parametric
def _left(value: Any, count: int) -> pa.Array:
    return pc.utf8_slice_codeunits(value, 0, count)


@function(
    "right(text, bigint) -> text",
    total=True,
    says="The last n characters; with a negative n, all but the first |n|.",
    examples=["right('abcde', 2) = 'de'", "right('abcde', -2) = 'cde'"],
)
@parametric
def _right(value: Any, count: int) -> pa.Array:
    return pc.utf8_slice_codeunits(value, -count) if count else pc.utf8_slice_codeunits(value, 0, 0)


@function(
    "replace(text, text, text) -> text",
    total=True,
    says="Every occurrence of a text in the first one replaced by a third.",
    examples=["replace('abcdefabcdef', 'cd', 'XX') = 'abXXefabXXef'"],
)
@parametric
def _replace(value: Any, old: str, new: str) -> pa.Array:
    return pc.replace_substring(value, old, new) if old else value


@function(
    "translate(text, text, text) -> text",
    total=True,
    says="Each character that is in the second text replaced by the one in its place in the third, or left out where "
    "there is none.",
    examples=["translate('12345', '143', 'ax') = 'a2x5'", "translate('ab', 'ab', 'ba') = 'ba'"],
)
@parametric
def _translate(value: Any, old: str, new: str) -> pa.Array:
    unwanted = set(old[len(new) :]) - set(old[: len(new)])
    table = dict(reversed(list(zip(old, new, strict=False))))
    characters = Characters.of(value)
    kept = characters.kept(~characters.where(unwanted.__contains__))
    return Characters(kept.mapped(lambda character: table.get(character, character)), kept.lengths, kept.valid).text()


def _join(*parts: Any) -> pa.Array:
    return pc.binary_join_element_wise(*parts, "")


@function(
    "overlay(text, text, bigint, bigint) -> text",
    says="The text with another put in its place from a position on, instead of as many characters, or of a number of "
    "them: `overlay(... PLACING ... FROM ... FOR ...)`.",
    examples=[
        "overlay('Txxxxas' placing 'hom' from 2 for 4) = 'Thomas'",
        "overlay('abcdef' placing '45' from 4) = 'abc45f'",
        "overlay('abc' placing '-' from 2 for 0) = 'a-bc'",
    ],
)
def _overlay(value: Any, new: Any, start: Any, count: Any) -> pa.Array:
    rows = row_count([value, new, start, count])
    if pc.any(pc.less_equal(start, 0)).as_py() if isinstance(start, pa.Array) else (start.as_py() or 1) < 1:
        raise pa.ArrowInvalid("negative substring length not allowed")
    text = as_array(value, rows)
    rest = pc.add(start, count)
    return _join(_left(text, pc.subtract(start, 1)), new, _substring_from(text, rest))


@function("overlay(text, text, bigint) -> text")
def _overlay_all(value: Any, new: Any, start: Any) -> pa.Array:
    return _overlay(value, new, start, pc.cast(pc.utf8_length(new), pa.int64()))


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
function(
    "lpad(text, bigint, text) -> text",
    total=True,
    says="The text made n characters long by blanks, or another text, before it, or by leaving out its end.",
    examples=["lpad('hi', 5, 'xy') = 'xyxhi'", "lpad('hi', 5) = '   hi'", "lpad('hello', 2) = 'he'"],
)(parametric(_lpad))
function(
    "rpad(text, bigint, text) -> text",
    total=True,
    says="The text made n characters long by blanks, or another text, after it, or by leaving out its end.",
    examples=["rpad('hi', 5, 'xy') = 'hixyx'", "rpad('hello', 2) = 'he'"],
)(parametric(_rpad))
function("lpad(text, bigint) -> text", total=True)(parametric(lambda value, width: _lpad(value, width, " ")))
function("rpad(text, bigint) -> text", total=True)(parametric(lambda value, width: _rpad(value, width, " ")))


def _strpos(value: Any, part: str) -> pa.Array:
    if not part:
        return pc.if_else(pc.is_valid(value), pa.scalar(1, pa.int64()), pa.scalar(None, pa.int64()))
    found = pc.greater_equal(pc.find_substring(value, part), 0)
    before = pc.list_element(pc.split_pattern(value, part, max_splits=1), 0)
    return pc.if_else(found, pc.add(pc.cast(pc.utf8_length(before), pa.int64()), 1), pa.scalar(0, pa.int64()))


def _strpos_from(value: Any, part: str, start: int) -> pa.Array:
    if start < 1:
        raise pa.ArrowInvalid(f"invalid start of a search: {start}; positions count from 1")
    found = _strpos(pc.utf8_slice_codeunits(value, start - 1), part)
    return pc.if_else(pc.greater(found, 0), pc.add(found, start - 1), found)


function(
    "strpos(text, text) -> bigint",
    "instr(text, text) -> bigint",
    total=True,
    says="Where the second text is found first in the first one, perhaps from a position on, or 0; also "
    "`position(... IN ...)`.",
    examples=["strpos('high', 'ig') = 2", "position('x' in 'high') = 0", "instr('banana', 'an', 3) = 4"],
)(parametric(_strpos, pa.int64()))
function("strpos(text, text, bigint) -> bigint", "instr(text, text, bigint) -> bigint")(
    parametric(_strpos_from, pa.int64())
)


@function(
    "starts_with(text, text) -> boolean",
    "prefix(text, text) -> boolean",
    total=True,
    says="Whether the first text starts with the second; also `^@`.",
    examples=["starts_with('alphabet', 'alph') = true", "('alphabet' ^@ 'bet') = false"],
)
@parametric
def _starts_with(value: Any, prefix: str) -> pa.Array:
    return pc.starts_with(value, prefix)


@function(
    "ends_with(text, text) -> boolean",
    "suffix(text, text) -> boolean",
    total=True,
    says="Whether the first text ends with the second.",
    examples=["ends_with('alphabet', 'bet') = true"],
)
@parametric
def _ends_with(value: Any, suffix: str) -> pa.Array:
    return pc.ends_with(value, suffix)


@function(
    "contains(text, text) -> boolean",
    total=True,
    says="Whether the second text is in the first one.",
    examples=["contains('alphabet', 'phab') = true"],
)
@parametric
def _contains(value: Any, part: str) -> pa.Array:
    return pc.match_substring(value, part)


@function(
    "repeat(text, bigint) -> text",
    says="The text n times.",
    examples=["repeat('Pg', 4) = 'PgPgPgPg'", "repeat('a', -1) = ''"],
)
def _repeat(value: Any, count: Any) -> pa.Array:
    return pc.binary_repeat(value, pc.max_element_wise(count, 0, skip_nulls=False))


@function(
    "ascii(text) -> bigint",
    total=True,
    says="The number of the first character in Unicode; 0 of an empty text.",
    examples=["ascii('x') = 120", "ascii('é') = 233", "ascii('') = 0"],
)
def _ascii(value: Any) -> pa.Array:
    characters = Characters.of(pc.utf8_slice_codeunits(value, 0, 1))
    codes = np.zeros(len(value), np.int64)
    codes[characters.lengths > 0] = characters.codes
    return pa.array(codes, mask=pc.is_null(value).to_numpy(zero_copy_only=False))


@function("chr(bigint) -> text", says="The character of a number in Unicode.", examples=["chr(233) = 'é'"])
def _chr(value: Any) -> pa.Array:
    codes = value.drop_null().to_numpy()
    wrong = codes[(codes <= 0) | (codes > _LAST_CODE) | ((codes >= 0xD800) & (codes < 0xE000))]
    if len(wrong):
        raise pa.ArrowInvalid(f"requested character not valid: {wrong[0]}")
    valid = pc.is_valid(value)
    return Characters(codes.astype(np.uint32), pc.cast(valid, pa.int64()).to_numpy(), valid).text()


@function(
    "normalize(text, text) -> text",
    says="The text in one of Unicode's normal forms, NFC where none is said.",
    examples=[r"length(normalize(E'e\u0301', NFC)) = 1", "length(normalize('é', NFD)) = 2", "normalize('é') = 'é'"],
)
@parametric
def _normalize(value: Any, form: str) -> pa.Array:
    if form.upper() not in ("NFC", "NFD", "NFKC", "NFKD"):
        raise pa.ArrowInvalid(f"no normal form {form!r}; known here: ['NFC', 'NFD', 'NFKC', 'NFKD']")
    return pc.utf8_normalize(value, form.upper())


@function("normalize(text) -> text", total=True)
def _normalize_default(value: Any) -> pa.Array:
    return pc.utf8_normalize(value, "NFC")


@function(
    "strip_accents(text) -> text",
    "unaccent(text) -> text",
    total=True,
    says="The text without accents and other marks on letters.",
    examples=["strip_accents('mühleisen') = 'muhleisen'", "unaccent('Hôtel') = 'Hotel'"],
)
def _strip_accents(value: Any) -> pa.Array:
    characters = Characters.of(pc.utf8_normalize(value, "NFD"))
    bare = characters.kept(~characters.where(lambda character: unicodedata.category(character) == "Mn"))
    return pc.utf8_normalize(bare.text(), "NFC")
