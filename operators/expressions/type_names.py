"""SQL's names of Arrow types, as PostgreSQL and DuckDB spell them.

The names are for people who write them; SQL text itself is read by sqlglot.
"""

from __future__ import annotations

import re
from typing import Final

import pyarrow as pa

from flow.errors import known
from operators.expressions.types import INTERVAL, ExpressionError, decimal

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
    kind: name.upper()
    for name, kind in reversed(_NAMES.items())
    if name not in ("bool", "int", "float", "string", "varchar", "binary", "timestamp with time zone")
    and not (name.startswith(("int", "float")) and name[-1].isdigit())
    and name != "double precision"
}
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
    """SQL's name of an Arrow type; Arrow's own where SQL has none."""
    if pa.types.is_decimal(kind):
        return f"DECIMAL({kind.precision}, {kind.scale})"
    return _SPELLED.get(kind, str(kind))
