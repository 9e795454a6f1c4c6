"""Names of functions of text that sqlglot reads as something else than their dialect means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.dialects.mysql import MySQL
from sqlglot.dialects.postgres import Postgres
from sqlglot.dialects.spark2 import Spark2


def text_functions(dialect: type[Dialect]) -> dict[str, Callable[..., Any]]:
    """Functions by their names in a dialect, as its parser takes them."""
    if issubclass(dialect, Postgres):
        # In lower case, as opposed to other dialects' HEX.
        return {"TO_HEX": exp.LowerHex.from_arg_list, "SHA2": exp.SHA2.from_arg_list}
    if issubclass(dialect, DuckDB):
        # `format` has Python's braces there.
        return {"FORMAT": _called("fmt"), "STRLEN": exp.ByteLength.from_arg_list}
    if issubclass(dialect, MySQL):
        return {"LENGTH": exp.ByteLength.from_arg_list, "MID": exp.Substring.from_arg_list}
    if issubclass(dialect, Spark2):
        return {"FORMAT_STRING": _called("printf"), "PRINTF": _called("printf")}
    return {}


def _called(name: str) -> Callable[..., Any]:
    return lambda arguments: exp.Anonymous(this=name, expressions=arguments)
