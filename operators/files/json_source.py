"""Reads ranges of JSON lines: field types are fixed once, and lines that do not fit them are rejected one by one.

One line holds one object. A block is parsed by one call; only a block in which that fails is halved until the bad lines
stand alone.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pajson

from operators.files.conversion import ZONE, convert, fit, row_text, text_type
from operators.files.lines import Lines, codec
from operators.files.paths import FileError, reading
from operators.files.row_reader import RowLayout, RowReader, line_spans, rows_only, whole

SAMPLE_BYTES: Final = 4 << 20
BOM: Final = b"\xef\xbb\xbf"

# Arrow's parser crashes the process at a `null` that stands for a whole row, so none may reach it.
_BARE_NULL = re.compile(rb"\}[ \t\r]*null"), re.compile(rb"\n[ \t\r\n]*null"), re.compile(rb"\A[ \t\r\n]*null")

_DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
_NOT_FINITE = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


def parse(lines: bytes, schema: pa.Schema | None) -> pa.Table:
    """JSON lines as a table; fields that are not in the schema are left out, and without a schema all are inferred.

    Raises:
        pa.ArrowInvalid: a line is no object, or a field is not of its type.
    """
    if b"null" in lines and any(pattern.search(lines) for pattern in _BARE_NULL):
        raise pa.ArrowInvalid("null is no object")
    if lines.startswith(BOM):
        raise pa.ArrowInvalid("a byte order mark in the middle of the file")
    _check_utf8(lines)
    if schema is not None and (raw := [field.name for field in schema if isinstance(field.type, pa.JsonType)]):
        lines = _with_text(lines, raw)
        schema = pa.schema([(field.name, pa.string() if field.name in raw else field.type) for field in schema])
    table = pajson.read_json(
        pa.py_buffer(lines),
        read_options=pajson.ReadOptions(use_threads=False, block_size=len(lines) + 1),
        parse_options=pajson.ParseOptions(
            explicit_schema=schema,
            newlines_in_values=False,
            unexpected_field_behavior="infer" if schema is None else "ignore",
        ),
    )
    count = np.count_nonzero(np.frombuffer(lines, dtype=np.uint8) == ord("\n")) + (not lines.endswith(b"\n"))
    if table.num_rows != count and table.num_rows != len(line_spans(lines)):
        raise pa.ArrowInvalid("not one object a line")
    return table


def _with_text(lines: bytes, names: Sequence[str]) -> bytes:
    """The lines with these fields as text that is JSON, for Arrow's parser has no type of any value."""
    made = []
    for line in lines.split(b"\n"):
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if isinstance(row, dict):
            for name in names:
                if row.get(name) is not None:
                    row[name] = json.dumps(row[name], ensure_ascii=False, separators=(",", ":"))
            line = json.dumps(row, ensure_ascii=False).encode()
        made.append(line)
    return b"\n".join(made)


def _check_utf8(text: bytes) -> None:
    # Arrow's JSON parser takes bytes as they come; as one string they are checked without being copied.
    offsets = pa.py_buffer(np.array([0, len(text)], dtype=np.int64))
    try:
        pa.Array.from_buffers(pa.large_string(), 1, [None, offsets, pa.py_buffer(text)]).validate(full=True)
    except pa.ArrowInvalid:
        raise pa.ArrowInvalid("invalid UTF-8") from None


def parse_good(
    rows: bytes, spans: Sequence[tuple[int, int]], schema: pa.Schema
) -> tuple[list[pa.Table], list[int], dict[int, str]]:
    """The good lines of a block as tables, their numbers, and what is wrong with each of the others."""
    tables, numbers, wrong = [], list[int](), dict[int, str]()
    pending = [(0, len(spans))] if spans else []
    while pending:
        low, high = pending.pop()
        text = rows[spans[low][0] : spans[high - 1][1]]
        try:
            tables.append(parse(text, schema))
            numbers += range(low, high)
        except pa.ArrowInvalid as error:
            if high - low > 1:
                middle = (low + high) // 2
                pending += [(middle, high), (low, middle)]
                continue
            table = _with_not_finite(text, schema)
            if table is None:
                wrong[low] = _told(error)
            else:
                tables.append(table)
                numbers.append(low)
    return tables, numbers, wrong


def _told(error: pa.ArrowInvalid) -> str:
    """What Arrow says of a line; it calls a value of another kind than the column's a change of the column."""
    said = str(error).removeprefix("JSON parse error: ").removesuffix(" in row 0")
    changed = re.fullmatch(r"Column\(/?(.*)\) changed from (\w+) to (\w+)", said, re.DOTALL)
    if changed is None:
        return said
    name, expected, found = changed.groups()
    return f"column {name!r}: {found} where {expected} is expected" if name else f"{found} where {expected} is expected"


def _with_not_finite(line: bytes, schema: pa.Schema) -> pa.Table | None:
    """A line in which NaN and infinities are strings, as JSON has no numbers for them; None where that is not so."""
    try:
        row = json.loads(line, object_pairs_hook=_once, parse_float=_finite)
        if not isinstance(row, dict):
            return None
        named = {name: _not_finite(value, name, schema) for name, value in row.items()}
        return None if named == row else parse(json.dumps(named).encode(), schema)
    except (ValueError, RecursionError, pa.ArrowInvalid):
        return None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a field is given twice")
    return fields


def _finite(number: str) -> float:
    value = float(number)
    if math.isinf(value):
        raise ValueError(f"{number} is too large")
    return value


def _not_finite(value: Any, name: str, fields: Any) -> Any:
    """The value with strings that name numbers replaced by them, where the field of that name is a float."""
    index = fields.get_field_index(name)
    if index < 0:
        return value
    kind = fields.field(index).type
    if pa.types.is_floating(kind) and isinstance(value, str):
        return _NOT_FINITE.get(value, value)
    if pa.types.is_struct(kind) and isinstance(value, dict):
        return {inner: _not_finite(held, inner, kind) for inner, held in value.items()}
    if pa.types.is_list(kind) and isinstance(value, list):
        item = pa.schema([("", kind.value_type)])
        return [_not_finite(held, "", item) for held in value]
    return value


def sample(path: str, compression: str | None, *, growing: bool) -> tuple[pa.Schema, pa.Table, int] | None:
    """What the first lines of a file show.

    Returns:
        Inferred types; the lines that fit them, times still as text; the bytes they take. None where there are none.
    """
    lines = Lines(path, block=SAMPLE_BYTES, compression=codec(path, compression), growing=growing)
    try:
        rows = (lines.next() or b"").removeprefix(BOM)
    finally:
        lines.close()
    spans = line_spans(rows)
    with reading(path):
        seen = _infer(rows, spans)
        if seen is None:
            return None
        plain = pa.schema([(field.name, _plain(field.type)) for field in seen])
        tables, _, _ = parse_good(rows, spans, plain)
        return seen, pa.concat_tables([plain.empty_table(), *tables]), len(rows)


def _infer(rows: bytes, spans: Sequence[tuple[int, int]]) -> pa.Schema | None:
    """The fields of the good lines; where lines do not agree on a type, the first one counts."""
    if not spans:
        return None
    try:
        return parse(rows[spans[0][0] : spans[-1][1]], None).schema
    except pa.ArrowInvalid:
        if len(spans) == 1:
            return None
    middle = len(spans) // 2
    first, second = _infer(rows, spans[:middle]), _infer(rows, spans[middle:])
    if first is None or second is None:
        return second if first is None else first
    return pa.schema(_merged(first, second))


def _merged(first: Iterable[pa.Field], second: Iterable[pa.Field]) -> list[pa.Field]:
    fields = {field.name: field for field in first}
    for field in second:
        known = fields.get(field.name)
        fields[field.name] = field if known is None else known.with_type(common(known.type, field.type))
    return list(fields.values())


def common(first: pa.DataType, second: pa.DataType) -> pa.DataType:
    """The type of a field that two groups of lines show as these; the first one where they do not agree."""
    types = pa.types
    if types.is_null(first) or (types.is_int64(first) and types.is_float64(second)):
        return second
    if types.is_timestamp(first) and types.is_string(second):
        return second
    if types.is_struct(first) and types.is_struct(second):
        return pa.struct(_merged(first.fields, second.fields))
    if types.is_list(first) and types.is_list(second):
        return pa.list_(common(first.value_type, second.value_type))
    return first


def _plain(kind: pa.DataType) -> pa.DataType:
    """A type to parse everything seen so far as: what was always NULL, and times, are text."""
    if pa.types.is_null(kind) or pa.types.is_timestamp(kind):
        return pa.string()
    if pa.types.is_struct(kind):
        return pa.struct([(field.name, _plain(field.type)) for field in kind.fields])
    return pa.list_(_plain(kind.value_type)) if pa.types.is_list(kind) else kind


def natural(column: pa.ChunkedArray) -> pa.DataType:
    """The type of a sampled column: as inferred, times as dates or in microseconds, repetitive text as a dictionary."""
    if not pa.types.is_string(column.type):
        return column.type
    texts = column.drop_null()
    if len(texts) == 0 or not pc.all(pc.match_substring_regex(texts, _DAY)).as_py():
        return text_type(column)
    zone = "UTC" if pc.any(pc.match_substring_regex(texts, ZONE)).as_py() else None
    for kind in (pa.date32(), pa.timestamp("us", zone), pa.timestamp("ns", zone)):
        try:
            convert(whole(texts), kind)
        except pa.ArrowInvalid:
            continue
        return kind
    return text_type(column)


def parsed_as(wanted: pa.DataType, seen: pa.DataType) -> pa.DataType:
    """What to parse a field as that becomes `wanted`, where its sample looks like `seen`."""
    types = pa.types
    if types.is_dictionary(wanted) or types.is_interval(wanted) or isinstance(wanted, pa.UuidType):
        return pa.string()
    if isinstance(wanted, pa.JsonType) or types.is_map(wanted):
        return pa.json_()
    if types.is_struct(wanted):
        fields = {field.name: field.type for field in seen.fields} if types.is_struct(seen) else {}
        return pa.struct([(f.name, parsed_as(f.type, fields.get(f.name, pa.null()))) for f in wanted.fields])
    if types.is_list(wanted) or types.is_large_list(wanted) or types.is_fixed_size_list(wanted):
        return pa.list_(parsed_as(wanted.value_type, seen.value_type if types.is_list(seen) else pa.null()))
    if types.is_integer(seen) and (types.is_temporal(wanted) or types.is_string(wanted) or types.is_duration(wanted)):
        return pa.int64()
    if types.is_floating(seen) and types.is_uint64(wanted):
        # From 2^63 up whole numbers look like floats, of which these would lose digits.
        return pa.decimal128(38, 9)
    if types.is_floating(seen) and (types.is_integer(wanted) or types.is_string(wanted)):
        return pa.float64()
    if types.is_boolean(seen) and types.is_string(wanted):
        return seen
    if types.is_date(wanted) or types.is_time(wanted) or (types.is_string(seen) and not types.is_timestamp(wanted)):
        return pa.string()
    return pa.int64() if types.is_duration(wanted) else wanted


def check_types(schema: pa.Schema, read: Sequence[pa.DataType]) -> None:
    """Raise FileError where a field is to be read as a type that JSON has not.

    Args:
        schema: the fields as declared.
        read: the type that each is parsed as.
    """
    fields = [pa.field(field.name, kind) for field, kind in zip(schema, read, strict=True)]
    try:
        parse(b"{}\n", pa.schema(fields))
    except pa.ArrowNotImplementedError as error:
        if len(fields) == 1:
            name, kind = schema.field(0).name, schema.field(0).type
            raise FileError(f"field {name!r} is declared as {kind}, which JSON cannot be read as") from error
        for number, field in enumerate(schema):
            check_types(pa.schema([field]), read[number : number + 1])


class JsonReader(RowReader):
    """Reads lines of JSON (see `RowReader`)."""

    def __init__(
        self, path: str, compression: str | None, layout: RowLayout, begin: int, end: int | None, *, poll: float | None
    ) -> None:
        super().__init__(path, layout, begin, end, quoting=None, compression=codec(path, compression), poll=poll)
        self._parsed = pa.schema(list(zip(layout.schema.names, layout.read, strict=True)))

    def parse(self, rows: bytes, position: int) -> pa.RecordBatch:
        """Whole lines as a batch; bad ones are rejected."""
        if position == 0 and rows.startswith(BOM):
            rows, position = rows[len(BOM) :], len(BOM)
        schema = self.layout.schema
        if rows.isspace() or not rows:
            return pa.RecordBatch.from_pylist([], schema)
        try:
            table = parse(rows, self._parsed)
            columns = [convert(whole(table.column(field.name)), field.type) for field in schema]
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            return self._parse_each(rows, position)
        return pa.RecordBatch.from_arrays(columns, schema=schema) if columns else rows_only(table.num_rows)

    def _parse_each(self, rows: bytes, position: int) -> pa.RecordBatch:
        spans = line_spans(rows)
        tables, numbers, wrong = parse_good(rows, spans, self._parsed)
        table = pa.concat_tables([self._parsed.empty_table(), *tables])
        good = np.ones(len(numbers), dtype=bool)
        columns = []
        for field in self.layout.schema:
            values = whole(table.column(field.name))
            column, bad = fit(values, field.type)
            columns.append(column)
            good[bad] = False
            for row in bad.tolist():
                value = row_text(values[row].as_py())
                wrong.setdefault(numbers[row], f"field {field.name!r}: {value} is no {field.type}")
        self.reject_rows(rows, spans, position, wrong)
        if not columns:
            return rows_only(len(numbers))
        return pa.RecordBatch.from_arrays(columns, schema=self.layout.schema).filter(pa.array(good))
