"""Tests of JSON: whether a text is any, what it contains, and which fields it has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

from operators.expressions.documents import is_document, kind_of, load, mapped
from operators.expressions.lists import null_where_any, over_distinct
from operators.expressions.registry import Resolved, function, overload
from operators.expressions.types import Argument

_TESTS = {"value": (), "object": ("object",), "array": ("array",), "scalar": ("string", "number", "boolean", "null")}


def _is_json(kinds: Sequence[str]) -> Callable[[Any], pa.Array]:
    def test(text: str) -> bool:
        return is_document(text) and (not kinds or kind_of(load(text)) in kinds)

    return lambda documents: mapped(test, pa.bool_(), documents)


for _name, _kinds in _TESTS.items():
    function(
        f"is json {_name}(json) -> boolean", by_row=True, total=True,
        says="Whether a text is JSON." if _name == "value" else f"Whether a text is a JSON {_name}.",
        examples=("'[1' IS JSON = false",) if _name == "value" else (f"'[' IS JSON {_name.upper()} = false",),
    )(_is_json(_kinds))  # fmt: skip
function(
    "json_valid(json) -> boolean", by_row=True, total=True, says="Whether a text is JSON.",
    examples=("json_valid('{}') = true", "json_valid('{') = false"),
)(_is_json(()))  # fmt: skip


def _covers(whole: Any, part: Any) -> bool:
    """PostgreSQL's containment: an array has all elements of the part's in any order, an object all its fields."""
    if isinstance(whole, dict) and isinstance(part, dict):
        return all(name in whole and _covers(whole[name], value) for name, value in part.items())
    if isinstance(whole, list):
        parts = part if isinstance(part, list) else [part]
        return all(any(_alike(held, each) for held in whole) for each in parts)
    return _alike(whole, part)


def _alike(whole: Any, part: Any) -> bool:
    if isinstance(whole, dict | list) or isinstance(part, dict | list):
        return type(whole) is type(part) and _covers(whole, part)
    return kind_of(whole) == kind_of(part) and bool(whole == part)


def _tested(sign: str, parameter: str, test: Callable[[Any, Any], bool], says: str, *examples: str) -> None:
    """Register a test of a document against another value."""

    def of_row(text: str, other: Any) -> bool:
        return test(load(text), other)

    @null_where_any
    def kernel(documents: pa.Array, others: pa.Array) -> pa.Array:
        return over_distinct(of_row, pa.bool_(), documents, others)

    function(f"{sign}(json, {parameter}) -> boolean", says=says, examples=examples, by_row=True)(kernel)


_COVERS = "Whether the JSON on the left contains that on the right: all fields of objects, all elements of arrays."
_tested("@>", "json", lambda whole, part: _covers(whole, load(part)), _COVERS,
        """CAST('{"a": 1, "b": 2}' AS JSON) @> '{"a": 1}' = true""")  # fmt: skip
_tested("json_contains", "json", lambda whole, part: _covers(whole, load(part)), "As `@>`.",
        "json_contains('[1, 2]', '2') = true")  # fmt: skip
_tested("<@", "json", lambda part, whole: _covers(load(whole), part),
        "Whether the JSON on the right contains that on the left.",
        """CAST('{"a": 1}' AS JSON) <@ '{"a": 1, "b": 2}' = true""")  # fmt: skip


def _has(value: Any, name: str) -> bool:
    return isinstance(value, dict | list) and name in value


_tested("?", "text", _has, "Whether an object has a field of this name, or an array this string.",
        """CAST('{"a": 1}' AS JSON) ? 'a' = true""")  # fmt: skip


def _any_of(sign: str, combine: Callable[[Any], bool], says: str) -> None:
    def of_row(text: str, names: Sequence[str]) -> bool:
        value = load(text)
        return combine(_has(value, name) for name in names)

    @null_where_any
    def kernel(documents: pa.Array, names: pa.Array) -> pa.Array:
        return over_distinct(of_row, pa.bool_(), documents, names)

    def rule(arguments: Sequence[Argument]) -> Resolved | None:
        if len(arguments) != 2 or arguments[0].family not in ("json", "text") or arguments[1].family != "list":
            return None
        return Resolved((arguments[0].type, pa.list_(pa.string())), pa.bool_(), kernel)

    example = f"""CAST('{{"a": 1}}' AS JSON) {sign} ['a', 'b'] = {str(sign == "?|").lower()}"""
    overload(f"{sign}(json, list) -> boolean", rule, says=says, examples=(example,), by_row=True)


_any_of("?|", any, "Whether an object has a field of one of these names.")
_any_of("?&", all, "Whether an object has fields of all of these names.")
