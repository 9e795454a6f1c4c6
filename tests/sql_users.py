"""Users' functions that random queries call, each with what DuckDB is asked instead."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from operators import udf
from tests.sql_data import BOOL, FLOAT, INT, TEXT

SAID = {
    INT: ("user_sum({one}, {other})", "({one} + {other})"),
    TEXT: ("user_or_none({one})", "coalesce({one}, 'none')"),
    BOOL: ("user_not({one})", "(NOT {one})"),
    FLOAT: ("user_half({one})", "(coalesce({one}, 3.0) / CAST(2 AS DOUBLE))"),
}
"""By kind, a value of two, as it is said to us and to DuckDB."""
SAID_OF_GROUPS = {
    INT: ("user_span({one})", "(max({one}) - min({one}))"),
    TEXT: ("user_trail({one} ORDER BY {one})", "string_agg({one}, '>' ORDER BY {one})"),
}
_CALL = re.compile(r"\buser_(?:sum|or_none|not|half|span|trail)\b")


@udf.scalar
def user_sum(one: int, other: int) -> int:
    return one + other


@udf.scalar(called_on_null=True)
def user_or_none(text: str | None) -> str:
    return "none" if text is None else text


@udf.vectorised(arguments=["BOOLEAN"], returns="BOOLEAN")
def user_not(value: pa.Array) -> pa.Array:
    return pc.invert(value)


@udf.vectorised(arguments=["DOUBLE"], returns="DOUBLE", called_on_null=True)
def user_half(value: pa.Array) -> pa.Array:
    return pc.divide(pc.fill_null(value, 3.0), 2.0)


@udf.aggregate(arguments=["BIGINT"], returns="BIGINT")
def user_span(values: pa.Array) -> int | None:
    return pc.max(values).as_py() - pc.min(values).as_py() if len(values) else None


@udf.aggregate(arguments=["VARCHAR"], returns="VARCHAR")
def user_trail(texts: pa.Array) -> str | None:
    return ">".join(texts.to_pylist()) if len(texts) else None


def declared(text: str) -> str:
    """The statements that declare the functions that a text calls."""
    called = sorted(set(_CALL.findall(text)))
    return "".join(f"CREATE FUNCTION {name} LANGUAGE PYTHON AS 'tests.sql_users:{name}';\n" for name in called)
