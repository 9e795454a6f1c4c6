"""Functions of JSON. What takes JSON takes text too, which must then be JSON.

JSON is text that is known to be one: `=` and GROUP BY compare the text as it is written. What is taken out of it comes
without spaces. A path is ``$.name[0]."other name"``: names and places (from 0, from the end where negative).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from operators.expressions.casts import cast_value, castable
from operators.expressions.documents import (
    Step,
    dump,
    found,
    is_document,
    kind_of,
    load,
    mapped,
    parse_path,
    text_of,
)
from operators.expressions.lists import Lists, null_where_any, over_distinct, plain, spread
from operators.expressions.registry import Resolved, function, overload
from operators.expressions.types import JSON, Argument, ExpressionError, Family, logical, storage
from operators.values.text import json_text, side_by_side

Take = Callable[[bool, Any], Any]
"""What a function makes of what a path leads to: whether it leads anywhere, and the value."""

Read = Callable[[Any], tuple[Step, ...]]
"""The steps that an argument stands for."""


def _as_json(there: bool, value: Any) -> str | None:
    return dump(value) if there else None


def _as_text(there: bool, value: Any) -> str | None:
    return text_of(value) if there else None


def _as_scalar(there: bool, value: Any) -> str | None:
    return text_of(value) if there and not isinstance(value, list | dict) else None


def _as_truth(there: bool, value: Any) -> bool:
    return there


def _extraction(
    name: str, parameter: str, family: Family, target: pa.DataType, read: Read, take: Take, result: pa.DataType,
    says: str = "", examples: Sequence[str] = (),
) -> None:  # fmt: skip
    """Register a function of a document and a path."""

    def rule(arguments: Sequence[Argument]) -> Resolved | None:
        if len(arguments) != 2 or arguments[0].family not in ("json", "text", "null"):
            return None
        document, path = arguments
        if path.family != family and not path.unknown:
            return None
        steps: tuple[Step, ...] | None = None
        if path.constant is not None and path.family == family:
            try:
                steps = read(path.constant)
            except pa.ArrowInvalid as error:
                raise ExpressionError(str(error)) from None
        kind = JSON if document.family == "null" else document.type
        return Resolved((kind, target), result, _extracting(steps))

    def _extracting(steps: tuple[Step, ...] | None) -> Callable[[Any, Any], pa.Array]:
        def of_row(text: str, path: Any) -> Any:
            return take(*found(load(text), read(path)))

        def kernel(documents: Any, paths: Any) -> pa.Array:
            if isinstance(paths, pa.Scalar) and steps is not None:
                return mapped(lambda text: take(*found(load(text), steps)), result, documents)
            return null_where_any(lambda *arrays: over_distinct(of_row, result, *arrays))(documents, paths)

        return kernel

    shown = "json" if result == JSON else "boolean" if result == pa.bool_() else "text"
    overload(f"{name}(json, {parameter}) -> {shown}", rule, says=says, examples=examples, by_row=True)


def _one(value: Any) -> tuple[Step, ...]:
    return (value,)


def _texts(values: Sequence[str]) -> tuple[Step, ...]:
    return tuple(int(value) if value.lstrip("-").isdigit() else value for value in values)


for _sign, _many, _take, _result, _what in (
    ("->", "#>", _as_json, JSON, "as JSON"),
    ("->>", "#>>", _as_text, pa.string(), "as text"),
):
    _extraction(
        _sign, "text", "text", pa.string(), _one, _take, _result,
        says=f"A field of an object or (given a number, from 0) element of an array, {_what}; NULL if there is none.",
        examples=(
            f"""CAST('{{"a": [1, 2]}}' AS JSON) {_sign} 'a' = '[1,2]'""",
            f"CAST('[1, 2]' AS JSON) {_sign} -1 = '2'",
        ),
    )  # fmt: skip
    _extraction(_sign, "bigint", "integer", pa.int64(), _one, _take, _result)
    _extraction(
        _many, "list", "list", pa.list_(pa.string()), _texts, _take, _result,
        says=f"What is found by going from name to name, or number, {_what}; NULL if there is nothing.",
        examples=(f"""CAST('{{"a": [1, 2]}}' AS JSON) {_many} '{{a,1}}' = '2'""",),
    )  # fmt: skip


for _name in ("json_extract", "json_query", "jsonb_path_query_first"):
    _extraction(
        _name, "text", "text", pa.string(), parse_path, _as_json, JSON,
        says="What a path leads to, as JSON; NULL if it leads nowhere.",
        examples=(f"""{_name}('{{"a": [{{"b": 1}}]}}', '$.a[0].b') = '1'""",),
    )  # fmt: skip
_extraction(
    "json_extract_string", "text", "text", pa.string(), parse_path, _as_text, pa.string(),
    says="What a path leads to, as text; NULL if it leads nowhere.",
    examples=("""json_extract_string('{"a": "x"}', '$.a') = 'x'""",),
)  # fmt: skip
_extraction(
    "json_value", "text", "text", pa.string(), parse_path, _as_scalar, pa.string(),
    says="The single value that a path leads to, as text; NULL if it leads nowhere, or to an array or object.",
    examples=("""json_value('{"a": 1}', '$.a') = '1'""", "json_value('[[]]', '$[0]') IS NULL"),
)  # fmt: skip
for _name in ("json_exists", "jsonb_path_exists"):
    _extraction(
        _name, "text", "text", pa.string(), parse_path, _as_truth, pa.bool_(),
        says="Whether a path leads somewhere.", examples=(f"""{_name}('{{"a": null}}', '$.a') = true""",),
    )  # fmt: skip


def _of_value(
    names: str, shown: str, result: pa.DataType, make: Callable[[Any], Any], says: str, *examples: str
) -> None:
    """Register a function of one document under several names; the first one is in the examples."""
    first, *_ = names.split(", ")

    def kernel(documents: Any) -> pa.Array:
        return mapped(lambda text: make(load(text)), result, documents)

    for name in names.split(", "):
        function(
            f"{name}(json) -> {shown}", result=lambda types: result, says=says, by_row=True,
            examples=[example.replace(first, name) for example in examples],
        )(kernel)  # fmt: skip


def _array(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise pa.ArrowInvalid(f"a JSON {kind_of(value)} is no array")
    return value


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise pa.ArrowInvalid(f"a JSON {kind_of(value)} is no object")
    return value


def _stripped(value: Any) -> Any:
    """The value without the fields of objects that are null."""
    if isinstance(value, dict):
        return {name: _stripped(held) for name, held in value.items() if held is not None}
    return [_stripped(held) for held in value] if isinstance(value, list) else value


_of_value(
    "json_typeof, jsonb_typeof", "text", pa.string(), kind_of,
    "What the value is: object, array, string, number, boolean or null.", "json_typeof('[1]') = 'array'",
)  # fmt: skip
_of_value(
    "json_array_length, jsonb_array_length", "bigint", pa.int64(), lambda value: len(_array(value)),
    "The number of elements of an array; anything else is an error.", "json_array_length('[1, 2]') = 2",
)  # fmt: skip
_of_value(
    "json_object_keys, jsonb_object_keys, json_keys", "list", pa.list_(pa.string()), lambda value: list(_object(value)),
    "The names of an object's fields, as an array (to be unnested, where PostgreSQL gives rows).",
    """json_object_keys('{"a": 1, "b": 2}') = ['a', 'b']""",
)  # fmt: skip
_of_value(
    "json_array_elements, jsonb_array_elements", "list", pa.list_(JSON),
    lambda value: [dump(held) for held in _array(value)],
    "The elements of an array, as an array of JSON (to be unnested, where PostgreSQL gives rows).",
    "json_array_elements('[1, [2]]')[2] = '[2]'",
)  # fmt: skip
_of_value(
    "json_array_elements_text, jsonb_array_elements_text", "list", pa.list_(pa.string()),
    lambda value: [text_of(held) for held in _array(value)],
    "The elements of an array, as an array of text.", """json_array_elements_text('[1, "x"]') = ['1', 'x']""",
)  # fmt: skip
_of_value(
    "json_strip_nulls, jsonb_strip_nulls", "json", JSON, lambda value: dump(_stripped(value)),
    "The value without the fields of objects that are null.",
    """json_strip_nulls('{"a": null, "b": 1}') = '{"b":1}'""",
)  # fmt: skip
_of_value(
    "jsonb", "json", JSON, lambda value: dump(_sorted(value)),
    "The value with the fields of objects in order, so that equal values are equal text; also `CAST(... AS JSONB)`.",
    """jsonb('{"b": 1, "a": 2}') = '{"a":2,"b":1}'""",
)  # fmt: skip


def _sorted(value: Any) -> Any:
    """The value with the fields of objects in PostgreSQL's order: shorter names first."""
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value, key=lambda name: (len(name.encode()), name))}
    return [_sorted(held) for held in value] if isinstance(value, list) else value


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


def _json_texts(value: Any, kind: pa.DataType, rows: int) -> pa.Array:
    """Values of a type as JSON, NULL as ``null``."""
    array = spread(value, rows)
    return json_text(kind.wrap_array(array) if kind != storage(kind) else array)


def _rows(values: Sequence[Any]) -> int:
    return next(len(value) for value in values if isinstance(value, pa.Array))


def _to_json(arguments: Sequence[Argument]) -> Resolved | None:
    if len(arguments) != 1 or not (arguments[0].family == "text" or castable(arguments[0].type, JSON)):
        return None
    kind = arguments[0].type

    def kernel(value: pa.Array) -> pa.Array:
        return pc.if_else(value.is_valid(), _json_texts(value, kind, len(value)), pa.scalar(None, pa.string()))

    return Resolved((kind,), JSON, kernel, total=True)


for _name in ("to_json", "to_jsonb", "row_to_json", "array_to_json"):
    overload(
        f"{_name}(any) -> json", _to_json, says="The value as JSON: structs and maps become objects, lists arrays.",
        examples=(f"{_name}([1, 2]) = '[1,2]'",),
    )  # fmt: skip


def _built_array(arguments: Sequence[Argument]) -> Resolved | None:
    kinds = [argument.type for argument in arguments]

    def kernel(*values: Any) -> pa.Array:
        rows = _rows(values)
        texts = [_json_texts(value, kind, rows) for value, kind in zip(values, kinds, strict=True)]
        return side_by_side(["[", side_by_side(texts, ","), "]"])

    return Resolved(tuple(kinds), JSON, kernel, total=True) if arguments else None


def _built_object(arguments: Sequence[Argument]) -> Resolved | None:
    if not arguments or len(arguments) % 2:
        return None
    kinds = [argument.type for argument in arguments]
    if any(argument.family in ("list", "struct", "map", "json") for argument in arguments[::2]):
        return None

    def kernel(*values: Any) -> pa.Array:
        rows = _rows(values)
        members = []
        for name, value, kind in zip(values[::2], values[1::2], kinds[1::2], strict=True):
            names = spread(name, rows)
            if names.null_count:
                raise pa.ArrowInvalid("the name of a field of a JSON object is NULL")
            members.append(side_by_side([json_text(names), _json_texts(value, kind, rows)], ":"))
        return side_by_side(["{", side_by_side(members, ","), "}"])

    names = [pa.string() if number % 2 == 0 else kind for number, kind in enumerate(kinds)]
    return Resolved(tuple(names), JSON, kernel)


for _prefix in ("json", "jsonb"):
    overload(
        f"{_prefix}_build_array(any...) -> json", _built_array, says="A JSON array of the values.",
        examples=(f"{_prefix}_build_array(1, 'x', NULL) = '[1,\"x\",null]'",),
    )  # fmt: skip
    overload(
        f"{_prefix}_build_object(text, any...) -> json", _built_object,
        says="A JSON object of names and values, one after the other; also written `json_object(name: value, ...)`.",
        examples=(f"""{_prefix}_build_object('a', 1, 'b', [2]) = '{{"a":1,"b":[2]}}'""",),
    )  # fmt: skip


def _object_of_entries(arguments: Sequence[Argument]) -> Resolved | None:
    if len(arguments) != 1 or arguments[0].family != "list":
        return None
    entry = arguments[0].type.value_type
    if not pa.types.is_struct(entry) or entry.num_fields != 2:
        return None

    @null_where_any
    def kernel(value: pa.Array) -> pa.Array:
        lists = Lists.of(value)
        names, values = lists.values.flatten()
        if names.null_count:
            raise pa.ArrowInvalid("the name of a field of a JSON object is NULL")
        texts = json_text(cast_value(plain(names), pa.string()))
        return side_by_side(
            ["{", pc.binary_join(lists.with_values(side_by_side([texts, json_text(values)], ":")), ","), "}"]
        )

    return Resolved((arguments[0].type,), JSON, kernel) if castable(logical(entry.field(0).type), pa.string()) else None


overload(
    "json_object_from_entries(list) -> json", _object_of_entries,
    says="A JSON object of an array of structs of two fields: names and values.",
    examples=("""json_object_from_entries([ROW('a', 1), ROW('b', 2)]) = '{"a":1,"b":2}'""",),
)  # fmt: skip


def _set(text: str, path: Sequence[str], new: str) -> str:
    value = load(text)
    steps = _texts(path)
    there, holder = found(value, steps[:-1])
    if not steps or not there:
        return dump(load(new) if not steps else value)
    last = steps[-1]
    if isinstance(holder, dict) and isinstance(last, str):
        holder[last] = load(new)
    elif isinstance(holder, list) and isinstance(last, int):
        if -len(holder) <= last < len(holder):
            holder[last] = load(new)
        else:
            holder.insert(len(holder) if last >= 0 else 0, load(new))
    return dump(value)


def _setting(arguments: Sequence[Argument]) -> Resolved | None:
    if len(arguments) != 3:
        return None
    document, path, new = arguments
    if any(each.family not in ("json", "text") for each in (document, new)):
        return None
    if path.family != "list" and not path.unknown:
        return None

    @null_where_any
    def kernel(*arrays: pa.Array) -> pa.Array:
        return over_distinct(_set, JSON, *arrays)

    return Resolved((document.type, pa.list_(pa.string()), new.type), JSON, kernel)


overload(
    "jsonb_set(json, list, json) -> json", _setting, by_row=True,
    says="The JSON with the value at a path replaced, or added there.",
    examples=("""jsonb_set('{"a": 1}', '{b}', '2') = '{"a":1,"b":2}'""",),
)  # fmt: skip
