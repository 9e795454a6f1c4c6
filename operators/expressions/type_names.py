"""SQL's names of Arrow types, as PostgreSQL and DuckDB spell them.

The names are for people who write them; SQL text itself is read by sqlglot.
"""

from __future__ import annotations

import re
from typing import Final

import pyarrow as pa

from flow.errors import known
from operators.expressions.types import INTERVAL, JSON, UUID, ExpressionError, decimal, logical

_NAMES: Final[dict[str, pa.DataType]] = {
    "boolean": pa.bool_(), "bool": pa.bool_(),
    "tinyint": pa.int8(), "int8": pa.int8(), "smallint": pa.int16(), "int16": pa.int16(),
    "integer": pa.int32(), "int": pa.int32(), "int32": pa.int32(), "bigint": pa.int64(), "int64": pa.int64(),
    "uint8": pa.uint8(), "uint16": pa.uint16(), "uint32": pa.uint32(), "uint64": pa.uint64(),
    "real": pa.float32(), "float32": pa.float32(), "double": pa.float64(), "float64": pa.float64(),
    "double precision": pa.float64(), "float": pa.float64(),
    "text": pa.string(), "varchar": pa.string(), "string": pa.string(), "bytea": pa.binary(), "binary": pa.binary(),
    "date": pa.date32(), "time": pa.time64("us"),
    "timestamp": pa.timestamp("us"), "timestamptz": pa.timestamp("us", "UTC"),
    "timestamp with time zone": pa.timestamp("us", "UTC"), "interval": INTERVAL,
    "json": pa.json_(), "uuid": pa.uuid(),
}  # fmt: skip
_SPELLED: Final = {
    pa.null(): "NULL", pa.bool_(): "BOOLEAN", pa.int8(): "TINYINT", pa.int16(): "SMALLINT", pa.int32(): "INTEGER",
    pa.int64(): "BIGINT", pa.uint8(): "UTINYINT", pa.uint16(): "USMALLINT", pa.uint32(): "UINTEGER",
    pa.uint64(): "UBIGINT", pa.float32(): "REAL", pa.float64(): "DOUBLE", pa.string(): "TEXT", pa.binary(): "BYTEA",
    pa.date32(): "DATE", pa.date64(): "DATE", INTERVAL: "INTERVAL", JSON: "JSON", UUID: "UUID",
}  # fmt: skip
_DIGITS: Final = {"s": "(0)", "ms": "(3)", "us": "", "ns": "(9)"}
_ARROW: Final = re.compile(r"\b(type|to|from) ([a-z]\w*(?:\[[^]]*\]|\(\d+, -?\d+\))?)")
_ARROW_DECIMAL: Final = re.compile(r"decimal\d+\((\d+), (-?\d+)\)")
_DECIMAL: Final = re.compile(r"(?:decimal|numeric)(?:\((\d+)(?:,\s*(\d+))?\))?")


def type_named(kind: pa.DataType | str) -> pa.DataType:
    """The Arrow type of a SQL name; an Arrow type is its own. Raises ExpressionError where the name is unknown."""
    if not isinstance(kind, str):
        return kind
    name = kind.strip().lower()
    found = _DECIMAL.fullmatch(name)
    if found:
        return decimal(int(found[1] or 18), int(found[2] or (0 if found[1] else 3)))
    if name not in _NAMES:
        raise ExpressionError(f"no type {kind!r}; {known(name, [*_NAMES, 'decimal(p, s)'])}")
    return _NAMES[name]


def type_text(kind: pa.DataType) -> str:
    """SQL's name of an Arrow type, however its values are encoded; Arrow's own where SQL has none."""
    kind = logical(kind)
    types = pa.types
    if types.is_decimal(kind):
        return f"DECIMAL({kind.precision}, {kind.scale})"
    if types.is_timestamp(kind):
        return f"TIMESTAMP{'' if kind.tz is None else 'TZ'}{_DIGITS[kind.unit]}"
    if types.is_time(kind):
        return f"TIME{_DIGITS[kind.unit]}"
    if types.is_duration(kind):
        return "DURATION"
    if types.is_fixed_size_binary(kind):
        return "BYTEA"
    if types.is_fixed_size_list(kind):
        return f"{type_text(kind.value_type)}[{kind.list_size}]"
    if types.is_list(kind) or types.is_large_list(kind):
        return f"{type_text(kind.value_type)}[]"
    if types.is_struct(kind):
        return f"STRUCT<{', '.join(f'{field.name} {type_text(field.type)}' for field in kind)}>"
    if types.is_map(kind):
        return f"MAP<{type_text(kind.key_type)}, {type_text(kind.item_type)}>"
    return _SPELLED.get(kind, str(kind))


def in_sql(message: str) -> str:
    """A message of Arrow's with SQL's names of the types in it."""

    def named(found: re.Match[str]) -> str:
        try:
            return f"{found[1]} {type_text(pa.type_for_alias(found[2]))}"
        except ValueError:
            digits = _ARROW_DECIMAL.fullmatch(found[2])
            return found[0] if digits is None else f"{found[1]} DECIMAL({digits[1]}, {digits[2]})"

    return _ARROW.sub(named, message)
