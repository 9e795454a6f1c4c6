"""JSON made of values of other types. A NULL among them becomes JSON's null."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from operators.expressions.casts import cast_value, castable
from operators.expressions.lists import Lists, null_where_any, plain, spread
from operators.expressions.registry import Resolved, overload
from operators.expressions.types import JSON, Argument, logical, storage
from operators.values.text import json_text, side_by_side


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
