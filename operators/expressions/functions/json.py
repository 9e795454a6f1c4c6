"""JSON taken apart, and changed at a path. What takes JSON takes text too, which must then be JSON.

JSON is text that is known to be one: `=` and GROUP BY compare the text as it is written. What is taken out of it comes
without spaces. A path is ``$.name[0]."other name"``: names and places (from 0, from the end where negative).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

from operators.expressions.documents import (
    Step,
    dump,
    found,
    kind_of,
    load,
    mapped,
    parse_path,
    text_of,
)
from operators.expressions.lists import null_where_any, over_distinct
from operators.expressions.registry import Resolved, function, overload
from operators.expressions.types import JSON, Argument, ExpressionError, Family

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
