r"""Whether text matches a pattern: LIKE, SIMILAR TO, and regular expressions.

Regular expressions are written as in PostgreSQL and run by RE2. Back references, looking around and `\m`, `\M`
are refused; of alternatives the first that matches is taken, not the longest; `\b` is the edge of a word, as `\y` is.
Flags: `i` any case, `c` exact case; `s`, `n` or `m`, `p`, `w` for what line ends mean; `x` blanks and comments do not
count; `q` plain text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from operators.expressions.functions.parameters import parametric
from operators.expressions.registry import Check, function
from operators.expressions.regular import checked_escape, like, regex, similar
from operators.expressions.types import Argument, ExpressionError


def checked(flags_at: int | None = None, others: str = "") -> Check:
    """Refuses a constant pattern, the second argument, that is no regular expression; flags stand at `flags_at`."""

    def check(arguments: Sequence[Argument]) -> None:
        flags: Any = arguments[flags_at].constant if flags_at is not None and flags_at < len(arguments) else ""
        pattern = arguments[1].constant
        if isinstance(pattern, str) and isinstance(flags, str):
            try:
                regex(pattern, flags, others)
            except pa.ArrowInvalid as error:
                raise ExpressionError(str(error)) from None

    return check


@function(
    "like(text, text) -> boolean",
    total=True,
    says="Whether text matches a pattern in which % stands for any text and _ for any character; \\ before them makes "
    "them plain.",
    examples=[
        "('alphabet' LIKE 'al%') = true",
        "('abc' LIKE '_b_') = true",
        "('abc' NOT LIKE 'b%') = true",
        "('a%' NOT LIKE 'a!%' ESCAPE '!') = false",
    ],
)
@parametric
def _like(value: Any, pattern: str) -> pa.Array:
    return pc.match_like(value, pattern)


@function(
    "ilike(text, text) -> boolean",
    total=True,
    says="As LIKE, in upper or lower case.",
    examples=["('Żubr' ILIKE 'żU%') = true"],
)
@parametric
def _ilike(value: Any, pattern: str) -> pa.Array:
    return pc.match_like(value, pattern, ignore_case=True)


@function("like(text, text, text) -> boolean")
@parametric
def _like_escaped(value: Any, pattern: str, escape: str) -> pa.Array:
    return pc.match_substring_regex(value, like(pattern, checked_escape(escape)))


@function("ilike(text, text, text) -> boolean")
@parametric
def _ilike_escaped(value: Any, pattern: str, escape: str) -> pa.Array:
    return pc.match_substring_regex(value, like(pattern, checked_escape(escape)), ignore_case=True)


@function("similar to(text, text) -> boolean")
@parametric
def _similar(value: Any, pattern: str) -> pa.Array:
    return _similar_escaped(value, pattern, "\\")


def _similar_escaped(value: Any, pattern: str, escape: str) -> pa.Array:
    return pc.match_substring_regex(value, regex(rf"\A{similar(pattern, checked_escape(escape))}\z").text)


function(
    "similar to(text, text, text) -> boolean",
    says="Whether all of a text matches SQL's own regular expressions: % and _ as in LIKE, and | * + ? {m,n} () [].",
    examples=[
        "('abc' SIMILAR TO '%(b|d)%') = true",
        "('abc' SIMILAR TO '(b|c)%') = false",
        "('a%' SIMILAR TO '_#%' ESCAPE '#') = true",
        "('abc' NOT SIMILAR TO 'abc|d') = false",
        "('a%' NOT SIMILAR TO '_#%' ESCAPE '#') = false",
    ],
)(parametric(_similar_escaped))


@function(
    "~(text, text) -> boolean",
    "regexp_like(text, text) -> boolean",
    check=checked(),
    says="Whether a part of a text matches a regular expression; `!~` is its negation.",
    examples=[r"('abc' ~ '(b|d)\w') = true", "('abc' !~ '^(b|c)') = true", "regexp_like('Hello', 'l{2}') = true"],
)
@parametric
def _matches(value: Any, pattern: str) -> pa.Array:
    return pc.match_substring_regex(value, regex(pattern).text)


@function(
    "~*(text, text) -> boolean",
    check=checked(),
    says="As ~, in upper or lower case; `!~*` is its negation.",
    examples=["('abc' ~* 'B') = true", "('abc' !~* 'B') = false"],
)
@parametric
def _matches_any_case(value: Any, pattern: str) -> pa.Array:
    return pc.match_substring_regex(value, regex(pattern, "i").text)


@function("regexp_like(text, text, text) -> boolean", check=checked(2))
@parametric
def _regexp_like(value: Any, pattern: str, flags: str) -> pa.Array:
    return pc.match_substring_regex(value, regex(pattern, flags).text)


@function(
    "regexp_full_match(text, text) -> boolean",
    check=checked(),
    says="Whether all of a text matches a regular expression.",
    examples=["regexp_full_match('anabanana', '(an)*') = false", "regexp_full_match('anan', 'AN+a(n|x)', 'i') = true"],
)
@parametric
def _full_match(value: Any, pattern: str) -> pa.Array:
    return pc.match_substring_regex(value, regex(pattern).whole)


@function("regexp_full_match(text, text, text) -> boolean", check=checked(2))
@parametric
def _full_match_flags(value: Any, pattern: str, flags: str) -> pa.Array:
    return pc.match_substring_regex(value, regex(pattern, flags).whole)
