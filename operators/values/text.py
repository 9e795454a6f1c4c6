"""Values as text, a column at a time: for CSV, JSON lines and the terminal.

Text is what PostgreSQL and DuckDB read back as the same value: floats in their shortest exact form, NaN and Infinity
by name, times in ISO 8601 (zoned ones in UTC, with a Z), bytes in base64, durations as a count of their unit,
intervals in PostgreSQL's words, nested values as JSON.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from flow.intervals import interval_parts
from operators.values.interval_text import interval_texts

_EXPONENT = pa.scalar(1e10, pa.float64())
"""From here on Arrow writes floats with an exponent, which tells them from integers."""
_INFINITY = pa.scalar(float("inf"), pa.float64())
_MINUS_INFINITY = pa.scalar(-float("inf"), pa.float64())
_FALSE = pa.scalar(False, pa.bool_())

_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)
_UUID_DIGITS = np.array([place for place in range(36) if place not in (8, 13, 18, 23)])

_SHORT_ESCAPES = {"\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_JSON_ESCAPES = {
    "\\": "\\\\",
    '"': '\\"',
    **{char: _SHORT_ESCAPES.get(char, f"\\u{ord(char):04x}") for char in map(chr, range(0x20))},
}


def bytes_present(array: pa.StringArray, wanted: str) -> str:
    """Which of the `wanted` ASCII characters occur anywhere in the values; far cheaper than asking value by value."""
    content = _content(array)
    table = np.zeros(256, dtype=bool)
    table[[ord(char) for char in wanted]] = True
    hits = content[table[content]]
    found = np.bincount(hits, minlength=256)
    return "".join(char for char in wanted if found[ord(char)])


def joined(pieces: Sequence[pa.StringArray | str], null: str, separator: str = "") -> pa.Buffer:
    """The pieces of every row with the separator between them, and the rows likewise; a str is a piece of every row."""
    return pa.py_buffer(_content(side_by_side(pieces, separator, null)))


def side_by_side(
    pieces: Sequence[pa.StringArray | str], separator: str = "", null: str | None = None
) -> pa.StringArray:
    """The pieces of every row with the separator between them; NULL where one is NULL and nothing replaces it."""
    literals = [literal(piece) if isinstance(piece, str) else piece for piece in (*pieces, separator)]
    if null is None:
        return pc.binary_join_element_wise(*literals)
    return pc.binary_join_element_wise(*literals, null_handling="replace", null_replacement=null)


def literal(text: str | None) -> pa.StringScalar:
    """Text to compute with. Given no type, pyarrow looks for pandas first, which takes longer than all the rest."""
    return pa.scalar(text, pa.string())


def plain_text(array: pa.Array) -> pa.StringArray:
    """Every value as text; NULL stays NULL."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        return plain_text(array.dictionary).take(array.indices)
    if isinstance(kind, pa.BaseExtensionType):
        return uuid_text(array.storage) if isinstance(kind, pa.UuidType) else plain_text(array.storage)
    if pa.types.is_floating(kind):
        return _float_text(array)
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        return pc.cast(pc.cast(array, pa.timestamp(kind.unit, "UTC")), pa.string())
    if pa.types.is_duration(kind):
        return pc.cast(pc.cast(array, pa.int64()), pa.string())
    if pa.types.is_interval(kind):
        return interval_texts(*interval_parts(array), ~np.asarray(array.is_valid().to_numpy(zero_copy_only=False)))
    if _is_bytes(kind):
        return pa.array(
            [None if value is None else base64.b64encode(value) for value in array.to_pylist()], pa.string()
        )
    if pa.types.is_nested(kind):
        return pc.if_else(array.is_valid(), json_text(array), literal(None))
    return pc.cast(array, pa.string())


def json_text(array: pa.Array) -> pa.StringArray:
    """Every value as JSON; NULL is ``null``. NaN and infinities, for which JSON has no number, are strings."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        return pc.fill_null(json_text(array.dictionary).take(array.indices), literal("null"))
    if isinstance(kind, pa.JsonType):
        return pc.fill_null(array.storage, literal("null"))
    if isinstance(kind, pa.UuidType):
        return pc.coalesce(_enclosed('"', uuid_text(array.storage), '"'), literal("null"))
    if isinstance(kind, pa.BaseExtensionType):
        return json_text(array.storage)
    if pa.types.is_null(kind):
        return pa.repeat(literal("null"), len(array))
    if pa.types.is_struct(kind):
        text = _object_text(array)
    elif pa.types.is_map(kind):
        text = _map_text(array)
    elif pa.types.is_nested(kind):
        text = _enclosed("[", _members(array, json_text(array.flatten())), "]")
    elif pa.types.is_floating(kind):
        text = plain_text(array)
        if not _all_finite(array):
            text = pc.if_else(pc.is_finite(array), text, _enclosed('"', text, '"'))
    elif _is_bare(kind):
        text = plain_text(array)
    else:
        text = _enclosed('"', _unquoted(array), '"')
    if array.null_count or text.null_count:
        text = pc.if_else(array.is_valid(), text, literal("null"))
    return text


def uuid_text(array: pa.FixedSizeBinaryArray) -> pa.StringArray:
    """UUIDs, given as sixteen bytes each, in hexadecimal digits."""
    data = np.frombuffer(array.buffers()[1], np.uint8)[16 * array.offset : 16 * (array.offset + len(array))]
    text = np.full((len(array), 36), ord("-"), np.uint8)
    digits = np.stack([data >> 4, data & 15], axis=1).reshape(len(array), 32)
    text[:, _UUID_DIGITS] = _HEX[digits]
    offsets = pa.py_buffer(np.arange(0, 36 * len(array) + 1, 36, dtype=np.int32))
    made = pa.StringArray.from_buffers(len(array), offsets, pa.py_buffer(text))
    return pc.if_else(array.is_valid(), made, literal(None)) if array.null_count else made


def object_pieces(names: Sequence[str], columns: Sequence[pa.Array]) -> list[pa.StringArray | str]:
    """What `joined` has to join for a JSON object a row with these members."""
    pieces: list[pa.StringArray | str] = []
    for number, (name, column) in enumerate(zip(names, columns, strict=True)):
        pieces += ["{" if number == 0 else ",", json.dumps(name, ensure_ascii=False) + ":"]
        if column.null_count == 0 and (_is_string(column.type) or pa.types.is_timestamp(column.type)):
            pieces += ['"', _unquoted(column), '"']
        else:
            pieces.append(json_text(column))
    return [*_merged(pieces), "}"] if names else ["{}"]


def textual(kind: pa.DataType) -> bool:
    """Whether values of the type can be written as text."""
    if pa.types.is_dictionary(kind):
        return textual(kind.value_type)
    if isinstance(kind, pa.BaseExtensionType):
        return textual(kind.storage_type)
    if pa.types.is_map(kind):
        return textual(kind.key_type) and not pa.types.is_nested(kind.key_type) and textual(kind.item_type)
    if pa.types.is_nested(kind):
        return not (pa.types.is_union(kind) or pa.types.is_run_end_encoded(kind)) and all(
            textual(kind.field(i).type) for i in range(kind.num_fields)
        )
    return True


def _merged(pieces: list[pa.StringArray | str]) -> list[pa.StringArray | str]:
    merged: list[pa.StringArray | str] = []
    for piece in pieces:
        if isinstance(piece, str) and merged and isinstance(merged[-1], str):
            merged[-1] += piece
        else:
            merged.append(piece)
    return merged


def _is_bare(kind: pa.DataType) -> bool:
    """Whether the text of a value is a JSON value as it stands."""
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_duration(kind)
    )


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
        or pa.types.is_binary_view(kind)
    )


def _is_string(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _content(array: pa.StringArray) -> NDArray[np.uint8]:
    """The bytes of all values, one after the other."""
    _, offsets, data = array.buffers()
    if data is None or not len(array):
        return np.zeros(0, dtype=np.uint8)
    bounds = np.frombuffer(offsets, dtype=np.int32)
    return np.frombuffer(data, dtype=np.uint8)[bounds[array.offset] : bounds[array.offset + len(array)]]


def _float_text(array: pa.Array) -> pa.StringArray:
    text = pc.cast(array, pa.string())
    if pa.types.is_float16(array.type):
        array = pc.cast(array, pa.float32())
    whole = pc.fill_null(pc.and_(pc.equal(pc.floor(array), array), pc.less(pc.abs(array), _EXPONENT)), _FALSE)
    if whole.true_count:
        text = pc.replace_with_mask(text, whole, _enclosed("", text.filter(whole), ".0"))
    if not _all_finite(array):
        text = pc.if_else(pc.is_nan(array), literal("NaN"), text)
        for value, name in ((_INFINITY, "Infinity"), (_MINUS_INFINITY, "-Infinity")):
            text = pc.if_else(pc.equal(array, value), literal(name), text)
    return text


def _all_finite(array: pa.Array) -> bool:
    return bool(pc.all(pc.is_finite(array), min_count=0).as_py())


def _unquoted(array: pa.Array) -> pa.StringArray:
    """What stands between the quotes of a JSON string."""
    text = plain_text(array)
    if pa.types.is_timestamp(array.type):
        return pc.replace_substring(text, " ", "T", max_replacements=1)
    return _escaped(text) if _is_string(array.type) else text


def _escaped(text: pa.StringArray) -> pa.StringArray:
    # The backslash comes first among the keys: those that stand for other characters must not be doubled.
    for char in bytes_present(text, "".join(_JSON_ESCAPES)):
        text = pc.replace_substring(text, char, _JSON_ESCAPES[char])
    return text


def _enclosed(before: str, text: pa.StringArray, after: str) -> pa.StringArray:
    return side_by_side([before, text, after])


def _members(array: pa.Array, members: pa.StringArray) -> pa.StringArray:
    """The members of every list, already as text, with commas between them."""
    lengths = pc.list_value_length(array)
    offsets = np.zeros(len(array) + 1, dtype=np.int32)
    np.cumsum(lengths.fill_null(pa.scalar(0, lengths.type)).to_numpy(zero_copy_only=False), out=offsets[1:])
    return pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), members), literal(","))


def _object_text(array: pa.StructArray) -> pa.StringArray:
    fields = [array.type.field(i).name for i in range(array.type.num_fields)]
    if not fields:
        return pa.repeat(literal("{}"), len(array))
    pieces = object_pieces(fields, array.flatten())
    return side_by_side(pieces)


def _map_text(array: pa.MapArray) -> pa.StringArray:
    entries: Any = array.cast(pa.list_(pa.struct([("key", array.type.key_type), ("value", array.type.item_type)])))
    keys, values = entries.flatten().flatten()
    names = _enclosed('"', _escaped(plain_text(keys)), '"')
    return _enclosed("{", _members(entries, side_by_side([names, json_text(values)], ":")), "}")
