"""Reads ranges of CSV files: column types are fixed once, and what does not fit them is rejected row by row.

A block of rows is parsed by one call; only a block in which that fails is looked at row by row.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from flow.errors import known
from operators.files.conversion import convert, fit, in_microseconds, row_text, text_type
from operators.files.lines import Lines, Quoting, codec
from operators.files.paths import FileError, Identity, reading
from operators.files.row_reader import RowLayout, RowReader, line_spans, rows_only, whole

SAMPLE_BYTES: Final = 4 << 20
_BOM = b"\xef\xbb\xbf"
_BLANK = re.compile(rb"[\r\n]*")


@attrs.frozen
class Format:
    """How CSV text is written.

    Attributes:
        header: whether the first row of a file names the columns.
        names: names that the columns have instead of those in the header.
        delimiter: one ASCII character between fields.
        quote: one ASCII character around fields, or None.
        nulls: unquoted texts that mean NULL.
        compression: as in `FileSource`.
    """

    header: bool
    names: tuple[str, ...] | None
    delimiter: str
    quote: str | None
    nulls: tuple[str, ...]
    compression: str | None

    def quoting(self) -> Quoting | None:
        """How rows end, where fields may be quoted."""
        return None if self.quote is None else Quoting(self.quote, self.delimiter)

    def fields(self, row: bytes) -> list[str]:
        """The fields of one row. Raises UnicodeDecodeError, csv.Error."""
        text = row.decode().rstrip("\r\n").splitlines(keepends=True)
        return next(
            csv.reader(
                text,
                delimiter=self.delimiter,
                quotechar=self.quote,
                quoting=csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
            )
        )

    def parse(
        self, rows: bytes, names: Sequence[str], *, types: dict[str, pa.DataType] | None, on_ragged: Any = None
    ) -> pa.Table:
        """Rows as one table.

        Args:
            rows: whole rows.
            names: of all columns.
            types: of the columns to return, in their order; None: all columns, inferred.
            on_ragged: called with a row of the wrong length; says 'skip'.

        Raises:
            pa.ArrowInvalid: a row has the wrong length, or a value is not of its column's type.
        """
        return pacsv.read_csv(
            pa.py_buffer(rows),
            read_options=pacsv.ReadOptions(use_threads=False, block_size=len(rows) + 1, column_names=list(names)),
            parse_options=pacsv.ParseOptions(
                delimiter=self.delimiter,
                quote_char=self.quote or False,
                newlines_in_values=self.quote is not None,
                invalid_row_handler=on_ragged,
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=types,
                include_columns=None if types is None else list(types),
                null_values=list(self.nulls),
                strings_can_be_null=True,
                # Of text "" is not NULL; elsewhere quotes mean nothing, and while types are sought they tell nothing.
                quoted_strings_can_be_null=types is None or not any(map(_is_text, types.values())),
            ),
        )


@attrs.frozen
class Header:
    """The names of a file's columns, and the byte at which its rows begin; no names: the file is empty."""

    names: tuple[str, ...]
    begin: int


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return any(test(kind) for test in (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary))


@lru_cache(maxsize=1024)
def _header(identity: Identity, form: Format, growing: bool) -> Header:
    path, quoting = identity.path, form.quoting()
    lines = Lines(path, block=1 << 16, quoting=quoting, compression=codec(path, form.compression), growing=growing)
    try:
        data = lines.next() or b""
    finally:
        lines.close()
    begin = len(_BOM) if data.startswith(_BOM) else 0
    begin += len(data) - begin - len(data[begin:].lstrip(b"\r\n"))
    data = data[begin:]
    if not data:
        return Header((), 0)
    end = data.find(b"\n") + 1 or len(data)
    if quoting is not None:
        end = quoting.first_end(data)
    try:
        fields = form.fields(data[:end])
    except (UnicodeDecodeError, csv.Error) as error:
        raise FileError(f"{path!r}: the first row cannot be read: {error}") from error
    names = form.names
    if names is None:
        names = tuple(fields) if form.header else tuple(f"f{number}" for number in range(len(fields)))
    elif len(names) != len(fields):
        raise FileError(f"{path!r} has {len(fields)} columns, not the {len(names)} of names={list(names)}")
    if len(set(names)) != len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise FileError(f"{path!r} has columns of one name: {twice}; give others with names=[...]")
    return Header(names, begin + end if form.header else begin)


def header(path: str, form: Format, *, growing: bool = False) -> Header:
    """The names of a file's columns; read once for every version of the file.

    Raises:
        FileError: the file has no usable first row.
    """
    identity = Identity.of(path)
    with reading(path):
        return _header(identity, form, growing)


def sample(path: str, form: Format, *, growing: bool) -> tuple[pa.Table, int] | None:
    """The first rows of a file with inferred types, and the bytes they take; None where it has none."""
    head = header(path, form, growing=growing)
    if not head.names:
        return None
    compression = codec(path, form.compression)
    quoting = form.quoting()
    lines = Lines(path, head.begin, block=SAMPLE_BYTES, quoting=quoting, compression=compression, growing=growing)
    try:
        rows = lines.next() or b""
    finally:
        lines.close()
    if not rows.strip():
        return pa.table({name: pa.nulls(0) for name in head.names}), 0
    with reading(path):
        return form.parse(rows, head.names, types=None, on_ragged=lambda row: "skip"), len(rows)


def natural(column: pa.ChunkedArray) -> pa.DataType:
    """The type of a sampled column: int64, double, bool, date, timestamp, or text, as a dictionary where it repeats."""
    kind = column.type
    if pa.types.is_timestamp(kind):
        return in_microseconds(column)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind) or pa.types.is_date(kind):
        return kind
    return text_type(column) if pa.types.is_string(kind) else pa.string()


def parsed_as(wanted: pa.DataType, seen: pa.DataType) -> pa.DataType:
    """What to parse a column as that becomes `wanted`, where its sample looks like `seen`."""
    types = pa.types
    if types.is_timestamp(wanted):
        if types.is_integer(seen):
            return pa.int64()
        if types.is_timestamp(seen) or types.is_date(seen) or types.is_null(seen):
            return pa.timestamp(wanted.unit, getattr(seen, "tz", wanted.tz))
        return pa.string()
    if types.is_date(wanted) and types.is_integer(seen):
        return pa.int64()
    if types.is_dictionary(wanted):
        return pa.dictionary(pa.int32(), pa.string())
    if types.is_duration(wanted):
        return pa.int64()
    return (
        pa.string()
        if types.is_nested(wanted) or types.is_interval(wanted) or isinstance(wanted, pa.BaseExtensionType)
        else wanted
    )


class CsvReader(RowReader):
    """Reads rows of a CSV file (see `RowReader`)."""

    def __init__(
        self, path: str, form: Format, layout: RowLayout, begin: int, end: int | None, *, poll: float | None
    ) -> None:
        self._form = form
        self._quoting = form.quoting()
        self._names: tuple[str, ...] = ()
        self._types = dict(zip(layout.schema.names, layout.read, strict=True))
        super().__init__(
            path,
            layout,
            begin,
            end,
            quoting=self._quoting,
            compression=codec(path, form.compression),
            poll=poll,
        )

    def ready(self) -> bool:
        """Whether the file has a header yet, which then is checked and passed over."""
        if self._names:
            return True
        head = header(self.path, self._form, growing=self.poll is not None)
        if not head.names:
            return False
        for name in self._types:
            if name not in head.names:
                raise FileError(f"{self.path!r} has no column {name!r}; {known(name, head.names)}")
        self._names = head.names
        if self.lines.position < head.begin:
            self.lines.skip_to(head.begin)
        if not self._types:
            # Rows count without their columns, but a parser that is asked for no column returns all of them.
            self._types = {head.names[0]: pa.string()}
        return True

    def parse(self, rows: bytes, position: int) -> pa.RecordBatch:
        """Whole rows as a batch; bad ones are rejected."""
        if self.lines.ended and self._quoting is not None:
            rows = self._closed(rows, position, self._quoting)
        schema = self.layout.schema
        if _BLANK.fullmatch(rows):
            return pa.RecordBatch.from_pylist([], schema)
        try:
            table = self._form.parse(rows, self._names, types=self._types)
            columns = [convert(whole(table.column(field.name)), field.type) for field in schema]
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            return self._parse_each(rows, position)
        return pa.RecordBatch.from_arrays(columns, schema=schema) if columns else rows_only(table.num_rows)

    def _closed(self, rows: bytes, position: int, quoting: Quoting) -> bytes:
        end = quoting.last_end(rows if rows.endswith(b"\n") else rows + b"\n")
        if end < len(rows):
            self.reject(row_text(rows[end:]), f"{self.path!r}: a quote is never closed", position + end)
        return rows[:end]

    def _parse_each(self, rows: bytes, position: int) -> pa.RecordBatch:
        spans = line_spans(rows)
        if self._quoting is not None:
            spans = [span for span in self._quoting.rows(rows) if rows[span[0] : span[1]].strip(b"\r\n")]
        wrong: dict[int, str] = {}

        def ragged(row: pacsv.InvalidRow) -> str:
            wrong[row.number - 1] = (
                f"{row.actual_columns} {'field' if row.actual_columns == 1 else 'fields'}, not {row.expected_columns}"
            )
            return "skip"

        table = self._form.parse(rows, self._names, types=dict.fromkeys(self._types, pa.binary()), on_ragged=ragged)
        numbers = np.setdiff1d(np.arange(table.num_rows + len(wrong)), list(wrong))
        good = np.ones(table.num_rows, dtype=bool)
        columns = []
        for field in self.layout.schema:
            text = whole(table.column(field.name))
            column, bad = self._fit(text, field.type)
            columns.append(column)
            good[bad] = False
            for row in bad.tolist():
                value = row_text(text[row].as_py())
                wrong.setdefault(int(numbers[row]), f"column {field.name!r}: {value!r} is no {field.type}")
        self.reject_rows(rows, spans, position, wrong)
        if not columns:
            return rows_only(table.num_rows)
        return pa.RecordBatch.from_arrays(columns, schema=self.layout.schema).filter(pa.array(good))

    def _fit(self, raw: pa.Array, wanted: pa.DataType) -> tuple[pa.Array, Any]:
        text, undecodable = fit(raw, pa.string())
        if not _is_text(wanted):
            text = pc.utf8_trim_whitespace(text)
            # Where no text is meant, quotes around a NULL mean nothing.
            text = pc.if_else(pc.is_in(text, pa.array(self._form.nulls, pa.string())), None, text)
        column, bad = fit(text, wanted)
        return column, np.union1d(undecodable, bad)
