"""SQL's names of types as Arrow types, as PostgreSQL and DuckDB read them."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from flow.errors import known
from operators.sql.grammar.dialect import Text, exp, render

_TYPES: Final[dict[str, pa.DataType]] = {
    "BOOLEAN": pa.bool_(),
    "TINYINT": pa.int8(),
    "SMALLINT": pa.int16(),
    "INT": pa.int32(),
    "BIGINT": pa.int64(),
    "UTINYINT": pa.uint8(),
    "USMALLINT": pa.uint16(),
    "UINT": pa.uint32(),
    "UBIGINT": pa.uint64(),
    "FLOAT": pa.float32(),
    "DOUBLE": pa.float64(),
    "VARCHAR": pa.string(),
    "NVARCHAR": pa.string(),
    "CHAR": pa.string(),
    "NCHAR": pa.string(),
    "BPCHAR": pa.string(),
    "TEXT": pa.string(),
    "NAME": pa.string(),
    "VARBINARY": pa.binary(),
    "BINARY": pa.binary(),
    "BLOB": pa.binary(),
    "DATE": pa.date32(),
    "TIME": pa.time64("us"),
    "INTERVAL": pa.month_day_nano_interval(),
    "JSON": pa.json_(),
    "JSONB": pa.json_(),
    "UUID": pa.uuid(),
}

_TIMESTAMPS: Final = {
    "TIMESTAMP": None,
    "DATETIME": None,
    "TIMESTAMPNTZ": None,
    "TIMESTAMPTZ": "UTC",
    "TIMESTAMPLTZ": "UTC",
}

_SPELLED: Final = {
    "uint8": "UTINYINT", "utinyint": "UTINYINT", "uint16": "USMALLINT", "usmallint": "USMALLINT", "uint32": "UINT",
    "uinteger": "UINT", "uint64": "UBIGINT", "ubigint": "UBIGINT", "datetime": "TIMESTAMP",
}  # fmt: skip
"""Names that only some dialects know, as types of all of them."""

_INSTEAD: Final = {
    "INT128": "DECIMAL(38, 0)",
    "UINT128": "DECIMAL(38, 0)",
    "INT256": "DECIMAL(38, 0)",
    "TIMETZ": "TIME, or TIMESTAMPTZ for moments",
    "MONEY": "DECIMAL(19, 2)",
    "BIT": "BIGINT and its operators &, |, #, ~, <<, >>",
}

_FIXED_UNITS: Final = {"TIMESTAMP_S": "s", "TIMESTAMP_MS": "ms", "TIMESTAMP_NS": "ns"}

_UNITS: Final = {0: "s", 3: "ms", 6: "us", 9: "ns"}

_SHOWN: Final = (
    "BOOLEAN", "TINYINT", "SMALLINT", "INT", "BIGINT", "REAL", "DOUBLE", "DECIMAL(p, s)", "VARCHAR", "TEXT", "BYTEA",
    "DATE", "TIME", "TIMESTAMP", "TIMESTAMP(3)", "TIMESTAMPTZ", "INTERVAL", "JSON", "UUID", "type[]",
    "STRUCT<name type, ...>", "MAP<type, type>",
)  # fmt: skip


def arrow_type(text: Text, kind: exp.DataType) -> pa.DataType:
    """The Arrow type of a type's tree.

    Raises:
        SqlError: there is no such type here, or its parameters make no sense.
    """
    name = kind.this.name if isinstance(kind.this, exp.DType) else str(kind.this).upper()
    if name == "USERDEFINED":
        name = _SPELLED.get(str(kind.args.get("kind")).lower(), name)
    if name == "DOUBLE" and kind.expressions and _parameters(text, kind)[0] <= 24:
        # FLOAT(p) counts binary digits.
        return pa.float32()
    if name == "TIME" and kind.expressions:
        unit = _unit(text, kind)
        return pa.time32(unit) if unit in ("s", "ms") else pa.time64(unit)
    if name in _TYPES:
        return _TYPES[name]
    if name in _INSTEAD:
        raise text.error(f"no type {render(kind)}", kind, hint=f"use {_INSTEAD[name]}")
    if name in _TIMESTAMPS:
        return pa.timestamp(_unit(text, kind), _TIMESTAMPS[name])
    if name in _FIXED_UNITS:
        return pa.timestamp(_FIXED_UNITS[name])
    if name in ("DECIMAL", "DECIMAL32", "DECIMAL64", "DECIMAL128"):
        return _decimal(text, kind)
    nested = kind.expressions
    if name in ("ARRAY", "LIST") and len(nested) == 1:
        return pa.list_(arrow_type(text, nested[0]))
    if name == "MAP" and len(nested) == 2:
        return pa.map_(arrow_type(text, nested[0]), arrow_type(text, nested[1]))
    if name == "STRUCT" and nested and all(isinstance(field, exp.ColumnDef) for field in nested):
        return pa.struct([(field.name, arrow_type(text, field.args["kind"])) for field in nested])
    raise text.error(f"no type {render(kind)}; {known(render(kind), _SHOWN)}", kind)


def is_plain_timestamp(kind: exp.DataType) -> bool:
    """Whether a type is a timestamp without declared unit."""
    name = kind.this.name if isinstance(kind.this, exp.DType) else ""
    return name in _TIMESTAMPS and not kind.expressions


def _parameters(text: Text, kind: exp.DataType) -> list[int]:
    found = []
    for parameter in kind.expressions:
        value = parameter.this
        if not isinstance(value, exp.Literal) or not value.is_int:
            raise text.error(f"{render(kind)}: a type's parameters are whole numbers", kind)
        found.append(int(value.this))
    return found


def _unit(text: Text, kind: exp.DataType) -> str:
    parameters = _parameters(text, kind)
    if not parameters:
        return "us"
    if parameters[0] not in _UNITS:
        raise text.error(
            f"{render(kind)}: a timestamp has 0, 3, 6 or 9 digits (seconds, milli-, micro- or nanoseconds)",
            kind,
        )
    return _UNITS[parameters[0]]


def _decimal(text: Text, kind: exp.DataType) -> pa.DataType:
    precision, scale = (
        (*_parameters(text, kind), 18, 3)[:2] if not kind.expressions else (*_parameters(text, kind), 0)[:2]
    )
    if len(kind.expressions) > 2:
        raise text.error(f"{render(kind)}: a decimal has two parameters at most", kind, "write DECIMAL(38, 2)")
    if not 1 <= precision <= 38 or not 0 <= scale <= precision:
        raise text.error(f"{render(kind)}: a decimal has 1 to 38 digits, at most that many after the point", kind)
    return pa.decimal128(precision, scale)
