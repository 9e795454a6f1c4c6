"""Text made for other text: quotes of SQL, and formats."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from operators.expressions.casts import castable
from operators.expressions.functions.parameters import as_array, by_value, combinations, row_count
from operators.expressions.registry import Resolved, function, overload
from operators.expressions.types import Argument

_WORDS: Final = """
    all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both
    case cast char character check coalesce collate collation column concurrently constraint create cross
    current_catalog current_date current_role current_schema current_time current_timestamp current_user dec
    decimal default deferrable desc distinct do else end except exists extract false fetch float for foreign
    freeze from full grant greatest group grouping having ilike in initially inner inout int integer intersect
    interval into is isnull join json json_array json_arrayagg json_exists json_object json_objectagg json_query
    json_scalar json_serialize json_table json_value lateral leading least left like limit localtime
    localtimestamp merge_action national natural nchar none normalize not notnull null nullif numeric offset on
    only or order out outer overlaps overlay placing position precision primary real references returning right
    row select session_user setof similar smallint some substring symmetric system_user table tablesample then
    time timestamp to trailing treat trim true union unique user using values varchar variadic verbose when
    where window with xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi
    xmlroot xmlserialize xmltable
"""

_RESERVED: Final = pa.array(_WORDS.split())
"""PostgreSQL's words that no plain name can be."""

_PIECE: Final = re.compile(
    r"%%|%(?:(?P<place>\d+)\$)?(?P<left>-)?(?:(?P<width>\d+)|\*(?:(?P<star>\d+)\$)?|)(?P<kind>[sIL])|%|[^%]+", re.DOTALL
)


def _quote_literal(value: Any) -> pa.Array:
    quoted = pc.binary_join_element_wise("'", pc.replace_substring(value, "'", "''"), "'", "")
    escaped = pc.binary_join_element_wise("E", pc.replace_substring(quoted, "\\", "\\\\"), "")
    return pc.if_else(pc.match_substring(value, "\\"), escaped, quoted)


def _quote_ident(value: Any) -> pa.Array:
    plain = pc.and_not(pc.match_substring_regex(value, r"\A[a-z_][a-z0-9_$]*\z"), pc.is_in(value, value_set=_RESERVED))
    quoted = pc.binary_join_element_wise('"', pc.replace_substring(value, '"', '""'), '"', "")
    return pc.if_else(plain, value, quoted)


def _quote_nullable(value: Any) -> pa.Array:
    return pc.fill_null(_quote_literal(value), "NULL")


function(
    "quote_literal(text) -> text",
    total=True,
    says="The text as a literal of SQL.",
    examples=["quote_literal('O''Reilly') = '''O''''Reilly'''", r"quote_literal('a\b') = 'E''a\\b'''"],
)(_quote_literal)
function(
    "quote_ident(text) -> text",
    total=True,
    says="The text as a name in SQL, in double quotes where it needs them.",
    examples=[
        "quote_ident('Foo bar') = '\"Foo bar\"'",
        "quote_ident('foo') = 'foo'",
        "quote_ident('user') = '\"user\"'",
    ],
)(_quote_ident)
function(
    "quote_nullable(text) -> text",
    total=True,
    says="As quote_literal; NULL becomes the word NULL.",
    examples=["quote_nullable(NULL) = 'NULL'", "quote_nullable('a') = '''a'''"],
)(_quote_nullable)


def _texts_of(arguments: Sequence[Argument]) -> Resolved | None:
    if not arguments or not (arguments[0].family == "text" or arguments[0].unknown):
        return None
    if not all(castable(argument.type, pa.string()) for argument in arguments):
        return None
    return Resolved(tuple(pa.string() for _ in arguments), pa.string(), _format)


def _format(pattern: Any, *values: Any) -> pa.Array:
    rows = row_count([pattern, *values])
    columns = [as_array(value, rows) for value in values]
    if isinstance(pattern, pa.Scalar):
        return pa.nulls(rows, pa.string()) if not pattern.is_valid else _formatted(pattern.as_py(), columns, rows)
    firsts, codes = combinations([pattern])
    result = pa.nulls(rows, pa.string())
    for code, first in enumerate(firsts.to_pylist()):
        if pattern[first].is_valid:
            mask = pc.equal(codes, code)
            count = mask.true_count
            part = _formatted(pattern[first].as_py(), [column.filter(mask) for column in columns], count)
            result = pc.replace_with_mask(result, mask, part)
    return result


def _formatted(pattern: str, columns: list[pa.Array], rows: int) -> pa.Array:
    parts: list[Any] = [pa.repeat("", rows)]
    following = 0
    for piece in _PIECE.finditer(pattern):
        text = piece[0]
        if text == "%":
            raise pa.ArrowInvalid(f"unrecognized format() type specifier in {pattern!r}; known here: %s, %I, %L and %%")
        if piece["kind"] is None:
            parts.append(pa.scalar("%" if text == "%%" else text))
            continue
        if piece["star"] is not None or "*" in text:
            raise pa.ArrowInvalid(f"a width * in {pattern!r} is not supported; write the width as a number")
        following = int(piece["place"]) if piece["place"] else following + 1
        if not 1 <= following <= len(columns):
            raise pa.ArrowInvalid(f"too few arguments for format(): {pattern!r} has {len(columns)}")
        parts.append(_shown(columns[following - 1], piece["kind"], int(piece["width"] or 0), piece["left"] is not None))
    return pc.binary_join_element_wise(*parts, "")


def _shown(column: pa.Array, kind: str, width: int, left: bool) -> pa.Array:
    if kind == "I":
        if column.null_count:
            raise pa.ArrowInvalid("null values cannot be formatted as an SQL identifier")
        shown = _quote_ident(column)
    else:
        shown = _quote_nullable(column) if kind == "L" else pc.fill_null(column, "")
    return (pc.utf8_rpad if left else pc.utf8_lpad)(shown, width) if width else shown


overload(
    "format(text, any...) -> text",
    _texts_of,
    says="A text with values put in: %s as they are, %I as a name of SQL, %L as a literal, %2$s the second, %5s and "
    "%-5s at least 5 characters wide, %% a per cent sign.",
    examples=[
        "format('Hello %s, %1$s', 'World') = 'Hello World, World'",
        "format('INSERT INTO %I VALUES (%L, %L)', 'Foo bar', 'O''Reilly', NULL) "
        "= 'INSERT INTO \"Foo bar\" VALUES (''O''''Reilly'', NULL)'",
        "format('|%5s|%-5s|', 'ab', 12) = '|   ab|12   |'",
    ],
)


def _printed(arguments: Sequence[Argument]) -> Resolved | None:
    if not arguments or not (arguments[0].family == "text" or arguments[0].unknown):
        return None
    return Resolved(
        (pa.string(), *(argument.type for argument in arguments[1:])), pa.string(), by_value(_print, pa.string())
    )


def _print(pattern: str, *values: Any) -> str:
    try:
        return pattern % values
    except TypeError as error:
        raise ValueError(f"printf: {error}") from None


overload(
    "printf(text, any...) -> text",
    _printed,
    says="A text with values put in as by C's printf: %d, %5.2f, %s, %x (DuckDB, Spark).",
    examples=["printf('%s is %d, or %.2f', 'x', 42, 0.5::double) = 'x is 42, or 0.50'"],
    by_row=True,
)
