"""Reads ranges of CSV files: column types are fixed once, and what does not fit them is rejected row by row.

A block of rows is parsed by one call; only a block in which that fails is looked at row by row.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final, Self

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from flow.errors import known
from flow.source import Idle, Reader
from operators.files.conversion import convert, fit, row_text
from operators.files.description import Layout
from operators.files.lines import Lines, Quoting, codec
from operators.files.paths import FileError, Identity, reading

SAMPLE_BYTES: Final = 4 << 20
_BOM = b"\xef\xbb\xbf"


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
                quoted_strings_can_be_null=False,
            ),
        )


@attrs.frozen
class Header:
    """The names of a file's columns, and the byte at which its rows begin; no names: the file is empty."""

    names: tuple[str, ...]
    begin: int


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


@attrs.frozen
class CsvLayout(Layout):
    """How CSV files are read.

    Attributes:
        read: the type that each column of the schema is parsed as, before it becomes that of the schema.
        block: bytes that make about 65,536 rows.
    """

    read: tuple[pa.DataType, ...]
    block: int

    def narrow(self, columns: Sequence[str] | None) -> Self:
        """The layout for some of the columns."""
        narrowed = super().narrow(columns)
        read = tuple(self.read[self.schema.get_field_index(name)] for name in narrowed.schema.names)
        return attrs.evolve(narrowed, read=read)


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
        try:
            column.cast(pa.timestamp("us", kind.tz))
        except pa.ArrowInvalid:
            return kind
        return pa.timestamp("us", kind.tz)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind) or pa.types.is_date(kind):
        return kind
    if pa.types.is_string(kind) and 4 * len(column.unique()) <= len(column):
        return pa.dictionary(pa.int32(), pa.string())
    return pa.string()


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
    return wanted


class CsvReader(Reader):
    """Reads rows from a byte of a file to another; the offset is the byte (of the decompressed text) after the last."""

    def __init__(
        self, path: str, form: Format, layout: CsvLayout, begin: int, end: int | None, *, poll: float | None
    ) -> None:
        self._path = path
        self._form = form
        self._layout = layout
        self._quoting = form.quoting()
        self._poll = poll
        self._names: tuple[str, ...] = ()
        compression = codec(path, form.compression)
        self._growing = poll is not None and compression is None
        self._lines = Lines(
            path,
            begin,
            end,
            block=layout.block,
            quoting=self._quoting,
            compression=compression,
            growing=self._growing,
        )
        # Without wanted columns the rows still count; a parser that is asked for no column returns all of them.
        self._types = dict(zip(layout.schema.names, layout.read, strict=True))

    def read(self) -> pa.RecordBatch | Idle | None:
        """The good ones of the next rows."""
        if not self._names and not self._begin():
            return self._end()
        while (rows := self._lines.next()) is not None:
            position = self._lines.position - len(rows)
            if self._lines.ended and self._quoting is not None:
                rows = self._closed(rows, position, self._quoting)
            batch = self._parse(rows, position)
            if batch.num_rows or self._rejected:
                return batch
        return self._end()

    def offset(self) -> int:
        """The byte after the last row."""
        return self._lines.position

    def close(self) -> None:
        """Close the file."""
        self._lines.close()

    def _end(self) -> Idle | None:
        if not self._growing:
            return None
        self._lines.check_growing()
        return Idle(self._poll or 0)

    def _begin(self) -> bool:
        head = header(self._path, self._form, growing=self._growing)
        if not head.names:
            return False
        for name in self._types:
            if name not in head.names:
                raise FileError(f"{self._path!r} has no column {name!r}; {known(name, head.names)}")
        self._names = head.names
        if self._lines.position < head.begin:
            self._lines.skip_to(head.begin)
        if not self._types:
            self._types = {head.names[0]: pa.string()}
        return True

    def _closed(self, rows: bytes, position: int, quoting: Quoting) -> bytes:
        whole = quoting.last_end(rows if rows.endswith(b"\n") else rows + b"\n")
        if whole < len(rows):
            self.reject(row_text(rows[whole:]), f"{self._path!r}: a quote is never closed", position + whole)
        return rows[:whole]

    def _parse(self, rows: bytes, position: int) -> pa.RecordBatch:
        schema = self._layout.schema
        try:
            table = self._form.parse(rows, self._names, types=self._types) if rows.strip(b"\r\n") else None
            if table is None:
                return pa.RecordBatch.from_pylist([], schema)
            if not schema.names:
                return table.select([]).to_batches()[0]
            columns = [convert(_whole(table.column(number)), field.type) for number, field in enumerate(schema)]
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            return self._parse_each(rows, position)
        return pa.RecordBatch.from_arrays(columns, schema=schema)

    def _parse_each(self, rows: bytes, position: int) -> pa.RecordBatch:
        """The good rows of a block of which some are bad."""
        spans = [span for span in self._spans(rows) if rows[span[0] : span[1]].strip(b"\r\n")]
        wrong: dict[int, str] = {}

        def ragged(row: pacsv.InvalidRow) -> str:
            wrong[row.number - 1] = f"{row.actual_columns} fields, not {row.expected_columns}"
            return "skip"

        table = self._form.parse(rows, self._names, types=dict.fromkeys(self._types, pa.binary()), on_ragged=ragged)
        kept = np.setdiff1d(np.arange(table.num_rows + len(wrong)), list(wrong))
        columns, bad_rows = [], set[int]()
        for name, wanted in self._types.items():
            target = self._layout.schema.field(name).type if self._layout.schema.names else wanted
            text = _whole(table.column(name))
            column, bad = self._fit(text, target)
            columns.append(column)
            for row in bad.tolist():
                bad_rows.add(row)
                value = text[row].as_py()
                wrong.setdefault(int(kept[row]), f"column {name!r}: {row_text(value)!r} is no {target}")
        for number in sorted(wrong):
            start, end = spans[number] if number < len(spans) else (0, 0)
            text_of_row = row_text(rows[start:end].rstrip(b"\r\n"))
            self.reject(text_of_row, f"{self._path!r}: {wrong[number]}", position + start)
        good = np.ones(table.num_rows, dtype=bool)
        good[list(bad_rows)] = False
        if not self._layout.schema.names:
            return table.select([]).to_batches()[0].slice(0, int(good.sum()))
        return pa.RecordBatch.from_arrays(columns, schema=self._layout.schema).filter(pa.array(good))

    def _fit(self, raw: pa.Array, wanted: pa.DataType) -> tuple[pa.Array, Any]:
        text, undecodable = fit(raw, pa.string())
        kind = wanted.value_type if pa.types.is_dictionary(wanted) else wanted
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind)):
            text = pc.utf8_trim_whitespace(text)
            # Where no text is meant, quotes around a NULL mean nothing.
            text = pc.if_else(pc.is_in(text, pa.array(self._form.nulls, pa.string())), None, text)
        column, bad = fit(text, wanted)
        return column, np.union1d(undecodable, bad)

    def _spans(self, rows: bytes) -> list[tuple[int, int]]:
        if self._quoting is not None:
            return self._quoting.rows(rows)
        ends = np.flatnonzero(np.frombuffer(rows, dtype=np.uint8) == ord("\n")) + 1
        bounds = [0, *ends.tolist()]
        if bounds[-1] < len(rows):
            bounds.append(len(rows))
        return list(pairwise(bounds))


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
