"""Casts of lists, structs, maps, JSON and UUIDs; importing this module registers them.

Nested values are cast part by part. Their text is PostgreSQL's: ``{1,2}`` of lists, ``(1,a)`` of structs.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from operators.expressions.casts import cast_value, register_casts
from operators.expressions.documents import checked, dump, kind_of, load, mapped, text_of
from operators.expressions.lists import Lists, plain
from operators.expressions.types import JSON, UUID, family, logical
from operators.values.text import json_text, side_by_side, uuid_text

_PLAIN_FAMILIES: Final = ("boolean", "integer", "float", "decimal", "date", "time", "timestamp")
_LIST_TOKEN: Final = r'[{},"\\\s]'
_NIBBLES: Final = np.full(256, 255, np.uint8)
_NIBBLES[np.frombuffer(b"0123456789abcdef", np.uint8)] = np.arange(16)


def _json_of(value: pa.Array, target: pa.DataType) -> pa.Array:
    text = json_text(value)
    return JSON.wrap_array(pc.if_else(value.is_valid(), text, pa.scalar(None, pa.string())))


def _text_to_json(value: pa.Array, target: pa.DataType) -> pa.Array:
    return JSON.wrap_array(checked(value))


def _json_to_text(value: pa.Array, target: pa.DataType) -> pa.Array:
    return plain(value)


def _scalar_text(text: str) -> str | None:
    value = load(text)
    if isinstance(value, list | dict):
        raise pa.ArrowInvalid(f"a JSON {kind_of(value)} is no single value")
    return text_of(value)


def _json_to_scalar(value: pa.Array, target: pa.DataType) -> pa.Array:
    texts = mapped(_scalar_text, pa.string(), plain(value))
    try:
        return cast_value(texts, target)
    except pa.ArrowInvalid:
        if family(target) != "integer":
            raise
        return cast_value(cast_value(texts, pa.decimal128(38, 10)), target)


def _json_to_nested(value: pa.Array, target: pa.DataType) -> pa.Array:
    shape = _texts(target)
    return cast_value(mapped(lambda text: _shaped(load(text), shape), shape, plain(value)), target)


def _texts(kind: pa.DataType) -> pa.DataType:
    """The type with text in place of all values that are not nested."""
    if pa.types.is_struct(kind):
        return pa.struct([(kind.field(i).name, _texts(kind.field(i).type)) for i in range(kind.num_fields)])
    if pa.types.is_map(kind):
        return pa.map_(pa.string(), _texts(kind.item_type))
    return pa.list_(_texts(kind.value_type)) if family(logical(kind)) == "list" else pa.string()


def _shaped(value: Any, shape: pa.DataType) -> Any:
    """A JSON value as one of such a type."""
    if value is None:
        return None
    if pa.types.is_string(shape):
        return text_of(value)
    if pa.types.is_list(shape) and isinstance(value, list):
        return [_shaped(each, shape.value_type) for each in value]
    if pa.types.is_map(shape) and isinstance(value, dict):
        return [(name, _shaped(each, shape.item_type)) for name, each in value.items()]
    if pa.types.is_struct(shape) and isinstance(value, dict):
        return {field.name: _shaped(value.get(field.name), field.type) for field in shape}
    wanted = "array" if pa.types.is_list(shape) else "object"
    raise pa.ArrowInvalid(f"a JSON {kind_of(value)} is no {wanted}: {dump(value)}")


def _uuid_to_text(value: pa.Array, target: pa.DataType) -> pa.Array:
    return uuid_text(plain(value))


def _text_to_uuid(value: pa.Array, target: pa.DataType) -> pa.Array:
    digits = pc.utf8_lower(pc.replace_substring_regex(value, r"^\s*\{?|-|\}?\s*$", ""))
    fits = pc.match_substring_regex(digits, r"^[0-9a-f]{32}$")
    if pc.any(pc.invert(fits)).as_py():
        strange = value.filter(pc.invert(fits))[0].as_py()
        raise pa.ArrowInvalid(f"{strange!r} is no UUID")
    filled = pc.fill_null(digits, "0" * 32)
    text = pc.cast(pc.cast(filled, pa.binary()), pa.binary(32))
    nibbles = _NIBBLES[np.frombuffer(text.buffers()[1], np.uint8)[32 * text.offset : 32 * (text.offset + len(text))]]
    data = pa.py_buffer(nibbles[::2] << 4 | nibbles[1::2])
    valid = None if not value.null_count else value.is_valid().buffers()[1]
    return pa.ExtensionArray.from_storage(UUID, pa.Array.from_buffers(pa.binary(16), len(value), [valid, data]))


def _bytes_to_uuid(value: pa.Array, target: pa.DataType) -> pa.Array:
    return UUID.wrap_array(pc.cast(value, pa.binary(16)))


def _list_to_list(value: pa.Array, target: pa.DataType) -> pa.Array:
    lists = Lists.of(value)
    made = lists.with_values(cast_value(lists.values, logical(target.value_type)))
    return made if made.type == target else made.cast(target)


def _struct_to_struct(value: pa.Array, target: pa.DataType) -> pa.Array:
    columns = value.flatten()
    names = value.type.names
    if set(names) == set(target.names):
        columns = [columns[names.index(name)] for name in target.names]
    fields = list(target)
    cast = [cast_value(column, logical(field.type)) for column, field in zip(columns, fields, strict=True)]
    mask = pa.array(~_known(value)) if value.null_count else None
    return pa.StructArray.from_arrays(cast, fields=fields, mask=mask)


def _map_to_map(value: pa.Array, target: pa.DataType) -> pa.Array:
    lists = Lists.of(value)
    keys, items = lists.values.flatten()
    return map_of(lists, cast_value(keys, logical(target.key_type)), cast_value(items, logical(target.item_type)))


def map_of(lists: Lists, keys: pa.Array, items: pa.Array) -> pa.Array:
    """Maps that have these keys and values where the lists have theirs."""
    kind = pa.map_(keys.type, items.type)
    entries = pa.StructArray.from_arrays([keys, items], fields=[kind.key_field, kind.item_field])
    listed = lists.with_values(entries)
    return pa.Array.from_buffers(kind, len(lists), listed.buffers()[:2], children=[entries])


def _known(value: pa.Array) -> Any:
    return value.is_valid().to_numpy(zero_copy_only=False)


def _quoted(text: pa.Array, special: str, doubled: bool) -> pa.Array:
    """Text in double quotes where it is empty or has special characters."""
    needed = pc.or_(pc.equal(text, ""), pc.match_substring_regex(text, special))
    if not doubled:
        needed = pc.or_(needed, pc.equal(pc.utf8_lower(text), "null"))
    if not pc.any(needed).as_py():
        return text
    escaped = pc.replace_substring(text, "\\", "\\\\")
    escaped = pc.replace_substring(escaped, '"', '""' if doubled else '\\"')
    return pc.if_else(needed, side_by_side(['"', escaped, '"']), text)


def _list_to_text(value: pa.Array, target: pa.DataType) -> pa.Array:
    lists = Lists.of(value)
    texts = cast_value(lists.values, pa.string())
    if family(logical(lists.values.type)) != "list":
        texts = _quoted(texts, _LIST_TOKEN, doubled=False)
    joined = pc.binary_join(lists.with_values(pc.fill_null(texts, "NULL")), ",")
    return side_by_side(["{", joined, "}"])


def _struct_to_text(value: pa.Array, target: pa.DataType) -> pa.Array:
    columns = [_quoted(cast_value(column, pa.string()), r'[(),"\\\s]', doubled=True) for column in value.flatten()]
    joined = side_by_side(["(", side_by_side(columns, ",", null=""), ")"])
    return pc.if_else(value.is_valid(), joined, pa.scalar(None, pa.string()))


def _map_to_text(value: pa.Array, target: pa.DataType) -> pa.Array:
    lists = Lists.of(value)
    keys, items = (pc.fill_null(cast_value(part, pa.string()), "NULL") for part in lists.values.flatten())
    joined = pc.binary_join(lists.with_values(side_by_side([keys, items], "=")), ", ")
    return side_by_side(["{", joined, "}"])


def _text_to_list(value: pa.Array, target: pa.DataType) -> pa.Array:
    return cast_value(mapped(lambda text: _ArrayText(text).whole(target), _texts(target), value), target)


class _ArrayText:
    """PostgreSQL's text of an array, read from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0

    def whole(self, kind: pa.DataType) -> Any:
        """The elements of an array of this type; raises ArrowInvalid where the text is none."""
        self._skip_space()
        elements = self._value(kind)
        self._skip_space()
        if self._place < len(self._text):
            raise self._error()
        return elements

    def _value(self, kind: pa.DataType) -> Any:
        if not pa.types.is_list(kind) and not pa.types.is_large_list(kind):
            return self._quoted() if self._at('"') else self._bare()
        self._pass("{")
        items: list[Any] = []
        self._skip_space()
        while not self._at("}"):
            if items:
                self._pass(",")
                self._skip_space()
            if self._place >= len(self._text):
                raise self._error()
            items.append(self._value(kind.value_type))
            self._skip_space()
        self._pass("}")
        return items

    def _quoted(self) -> str:
        letters = []
        self._place += 1
        while self._place < len(self._text) and not self._at('"'):
            self._place += self._at("\\")
            letters.append(self._text[self._place : self._place + 1])
            self._place += 1
        self._place += 1
        return "".join(letters)

    def _bare(self) -> str | None:
        start = self._place
        while self._place < len(self._text) and self._text[self._place] not in ",{}":
            self._place += 1
        bare = self._text[start : self._place].strip()
        if not bare:
            raise self._error()
        return None if bare.lower() == "null" else bare

    def _at(self, sign: str) -> bool:
        return self._text.startswith(sign, self._place)

    def _pass(self, sign: str) -> None:
        if not self._at(sign):
            raise self._error()
        self._place += len(sign)

    def _skip_space(self) -> None:
        while self._place < len(self._text) and self._text[self._place].isspace():
            self._place += 1

    def _error(self) -> pa.ArrowInvalid:
        return pa.ArrowInvalid(f"{self._text!r} is no array; write for example '{{1,2}}'")


register_casts(
    {
        ("text", "json"): _text_to_json,
        ("json", "text"): _json_to_text,
        **{(start, "json"): _json_of for start in (*_PLAIN_FAMILIES, "uuid", "list", "struct", "map")},
        **{("json", end): _json_to_scalar for end in (*_PLAIN_FAMILIES, "uuid")},
        **{("json", end): _json_to_nested for end in ("list", "struct", "map")},
        ("uuid", "text"): _uuid_to_text,
        ("text", "uuid"): _text_to_uuid,
        ("binary", "uuid"): _bytes_to_uuid,
        ("uuid", "binary"): lambda value, target: pc.cast(plain(value), target),
        ("list", "list"): _list_to_list,
        ("struct", "struct"): _struct_to_struct,
        ("map", "map"): _map_to_map,
        ("list", "text"): _list_to_text,
        ("struct", "text"): _struct_to_text,
        ("map", "text"): _map_to_text,
        ("text", "list"): _text_to_list,
    }
)
