"""Text against patterns: LIKE, and regular expressions in RE2's syntax (POSIX's, but for back-references).

A pattern that is no regular expression is an error when it is used.
"""

from __future__ import annotations

import re
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from operators.expressions.functions.parameters import parametric
from operators.expressions.registry import function


@function("like(text, text) -> boolean", total=True)
@parametric
def _like(value: Any, pattern: str) -> pa.Array:
    return pc.match_like(value, pattern)


@function("ilike(text, text) -> boolean", total=True)
@parametric
def _ilike(value: Any, pattern: str) -> pa.Array:
    return pc.match_like(value, pattern, ignore_case=True)


@function("like(text, text, text) -> boolean")
@parametric
def _like_escaped(value: Any, pattern: str, escape: str) -> pa.Array:
    return pc.match_substring_regex(value, _like_regex(pattern, escape))


@function("ilike(text, text, text) -> boolean")
@parametric
def _ilike_escaped(value: Any, pattern: str, escape: str) -> pa.Array:
    return pc.match_substring_regex(value, _like_regex(pattern, escape), ignore_case=True)


def _like_regex(pattern: str, escape: str) -> str:
    if len(escape) > 1:
        raise pa.ArrowInvalid("an escape string must be empty or one character")
    parts, literally = [], False
    for character in pattern:
        if literally or character not in ("%", "_", escape):
            parts.append(re.escape(character))
            literally = False
        elif character == escape:
            literally = True
        else:
            parts.append(".*" if character == "%" else ".")
    return f"(?s)^{''.join(parts)}$"


@function("~(text, text) -> boolean", "regexp_like(text, text) -> boolean")
@parametric
def _matches(value: Any, pattern: str) -> pa.Array:
    return pc.match_substring_regex(value, f"(?s){pattern}")


@function("~*(text, text) -> boolean")
@parametric
def _matches_any_case(value: Any, pattern: str) -> pa.Array:
    return pc.match_substring_regex(value, f"(?s){pattern}", ignore_case=True)


@function("regexp_like(text, text, text) -> boolean")
@parametric
def _regexp_like(value: Any, pattern: str, flags: str) -> pa.Array:
    return pc.match_substring_regex(value, _inline(flags, "") + pattern)


@function("regexp_replace(text, text, text) -> text")
@parametric
def _regexp_replace(value: Any, pattern: str, new: str) -> pa.Array:
    return pc.replace_substring_regex(value, f"(?s){pattern}", _replacement(new), max_replacements=1)


@function("regexp_replace(text, text, text, text) -> text")
@parametric
def _regexp_replace_flags(value: Any, pattern: str, new: str, flags: str) -> pa.Array:
    every = {"max_replacements": -1 if "g" in flags else 1}
    return pc.replace_substring_regex(value, _inline(flags, "g") + pattern, _replacement(new), **every)


def _inline(flags: str, others: str) -> str:
    """Flags as part of the pattern: i = any case, c = exact case, s / n as in PostgreSQL."""
    for flag in flags:
        if flag not in f"icsn{others}":
            raise pa.ArrowInvalid(f"no regular expression flag {flag!r}; known here: {sorted(f'icsn{others}')}")
    inline = ("i" if flags.rfind("i") > flags.rfind("c") else "") + ("m" if "n" in flags else "s")
    return f"(?{inline})"


def _replacement(new: str) -> str:
    r"""PostgreSQL's ``\&`` is RE2's ``\0``."""
    return new.replace(r"\&", r"\0")
