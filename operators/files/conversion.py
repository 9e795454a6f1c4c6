"""Declared column types, and how what a file holds becomes what was declared.

A value either becomes the same value of the declared type or is found bad: nothing is rounded, cut off or wrapped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from flow.errors import GraphError
from operators.expressions.casts import cast_value

Types = Mapping[str, Any] | Any
"""Column types: a mapping from name to Arrow type or its name, or an Arrow schema."""
Declared = tuple[tuple[str, pa.DataType], ...]

_ROW_TEXT = 2_000
ZONE = r":[0-9.]+ ?(Z|[+-][0-9]{2}(:?[0-9]{2})?)$"


def declared(types: Types) -> Declared:
    """Column types as pairs; a type may be given by Arrow's name for it (``"int64"``)."""
    if types is None:
        return ()
    pairs: Any
    if isinstance(types, pa.Schema):
        pairs = [(field.name, field.type) for field in types]
    else:
        pairs = types.items() if isinstance(types, Mapping) else types
    result = []
    for name, kind in pairs:
        if isinstance(kind, str):
            try:
                kind = pa.type_for_alias(kind)
            except ValueError as error:
                raise GraphError(f"column {name!r}: {kind!r} is the name of no Arrow type, such as 'int64'") from error
        if not isinstance(kind, pa.DataType):
            raise GraphError(f"column {name!r}: {kind!r} is no Arrow type, such as pyarrow.int64()")
        result.append((name, kind))
    return tuple(result)


def widens(held: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether every value of one type is a value of another, so that files may differ in it."""
    types = pa.types
    if types.is_dictionary(held):
        held = held.value_type
    if types.is_dictionary(wanted):
        wanted = wanted.value_type
    if held == wanted or types.is_null(held):
        return True
    if types.is_integer(held) and types.is_integer(wanted):
        signs = types.is_signed_integer(held), types.is_signed_integer(wanted)
        if signs[0] == signs[1]:
            return bool(held.bit_width <= wanted.bit_width)
        return not signs[0] and bool(held.bit_width < wanted.bit_width)
    if types.is_floating(held) and types.is_floating(wanted):
        return bool(held.bit_width <= wanted.bit_width)
    texts = (pa.string(), pa.large_string(), pa.string_view())
    return held in texts and wanted in texts


def convert(array: pa.Array, wanted: pa.DataType) -> pa.Array:
    """The array as another type: integers become times in the type's unit, text is parsed, all else is cast safely.

    The text of nested values is JSON.

    Raises:
        pa.ArrowInvalid: a value does not fit.
    """
    held = array.type
    if held == wanted:
        return array
    if pa.types.is_dictionary(wanted):
        return convert(array, wanted.value_type).dictionary_encode()
    if pa.types.is_dictionary(held):
        if len(array) and len(array.dictionary) <= len(array):
            return convert(array.dictionary, wanted).take(array.indices)
        return convert(array.cast(held.value_type), wanted)
    if isinstance(wanted, pa.BaseExtensionType) or (pa.types.is_string(held) and pa.types.is_nested(wanted)):
        nested = pa.types.is_nested(wanted)
        return cast_value(pa.json_().wrap_array(array) if nested else array, wanted)
    if pa.types.is_timestamp(wanted):
        return _as_timestamp(array, wanted)
    if (pa.types.is_time(wanted) or pa.types.is_interval(wanted)) and pa.types.is_string(held):
        return cast_value(array, wanted)
    if pa.types.is_date32(wanted) and pa.types.is_integer(held):
        return array.cast(pa.int32()).cast(wanted)
    return array.cast(wanted)


def _as_timestamp(array: pa.Array, wanted: pa.DataType) -> pa.Array:
    held = array.type
    if pa.types.is_integer(held) or pa.types.is_floating(held):
        return array.cast(pa.int64()).view(wanted)
    if pa.types.is_string(held) or pa.types.is_large_string(held):
        # A zone makes a time an instant; a time without one is taken as UTC, as everywhere.
        zoned = pc.match_substring_regex(array, ZONE)
        with_zone = pc.if_else(zoned, array, None).cast(pa.timestamp(wanted.unit, "UTC"))
        without_zone = pc.if_else(zoned, None, array).cast(pa.timestamp(wanted.unit))
        return pc.coalesce(with_zone, without_zone.cast(with_zone.type)).cast(wanted)
    return array.cast(wanted)


def fit(array: pa.Array, wanted: pa.DataType) -> tuple[pa.Array, NDArray[np.int64]]:
    """The array as another type, NULL where a value does not fit, and the rows where one does not, ascending."""
    try:
        return convert(array, wanted), np.empty(0, dtype=np.int64)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        if pa.types.is_dictionary(array.type):
            array = array.cast(array.type.value_type)
        bad = bad_values(array, wanted)
        return convert(_without(array, bad), wanted), bad


def in_microseconds(times: pa.ChunkedArray) -> pa.DataType:
    """The type of these times in microseconds; in the unit they have where that would cut off digits."""
    try:
        times.cast(pa.timestamp("us", times.type.tz))
    except pa.ArrowInvalid:
        return times.type
    return pa.timestamp("us", times.type.tz)


def text_type(texts: pa.ChunkedArray) -> pa.DataType:
    """Text, as a dictionary where values come four times or more on average."""
    repeats = 0 < 4 * len(texts.unique()) <= len(texts)
    return pa.dictionary(pa.int32(), pa.string()) if repeats else pa.string()


def bad_values(array: pa.Array, wanted: pa.DataType) -> NDArray[np.int64]:
    """Rows whose value is not one of the wanted type, ascending; found by halving, so cheap while they are few."""
    bad: list[int] = []
    pending = [(0, len(array))]
    while pending:
        start, stop = pending.pop()
        if start == stop:
            continue
        try:
            convert(array.slice(start, stop - start), wanted)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            if stop - start == 1:
                bad.append(start)
            else:
                middle = (start + stop) // 2
                pending += [(middle, stop), (start, middle)]
    return np.array(bad, dtype=np.int64)


def _without(array: pa.Array, rows: NDArray[np.int64]) -> pa.Array:
    """The array with some rows' values made NULL."""
    mask = np.zeros(len(array), dtype=bool)
    mask[rows] = True
    return pc.if_else(pa.array(~mask), array, pa.scalar(None, array.type))


def row_text(row: Any) -> str:
    """A rejected row as text, shortened where huge."""
    if isinstance(row, bytes):
        text = row[: _ROW_TEXT + 1].decode("utf-8", "replace")
    else:
        text = row if isinstance(row, str) else json.dumps(row, default=str)
    return text if len(text) <= _ROW_TEXT else text[:_ROW_TEXT] + "…"
