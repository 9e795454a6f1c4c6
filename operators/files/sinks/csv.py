"""CSV part files, as RFC 4180 has them.

A cell in quotes is text, a cell without quotes that equals the text for NULL is NULL: the two can always be told apart.
"""

from __future__ import annotations

import re

import attrs
import pyarrow as pa
import pyarrow.compute as pc

from flow.errors import GraphError
from operators.files.sinks.parts import (
    COMPRESSION_ENDINGS,
    PartFormat,
    PartsSink,
    compressed,
    known_compression,
)
from operators.values.text import bytes_present, joined, literal, plain_text, side_by_side, textual


@attrs.frozen
class CsvSink(PartsSink):
    """A directory of CSV files (see `PartsSink`).

    Values are written as `operators.values.text` says; structs, lists and maps as JSON. In a file of one column, an
    empty text for NULL is written in quotes, since readers skip empty lines.

    Attributes:
        header: whether the first line names the columns.
        delimiter: one ASCII character between the cells.
        nulls: the text for NULL; a string of the same text is written in quotes.
        compression: gzip, zstd, or None.
    """

    header: bool = True
    delimiter: str = attrs.field(default=",")
    nulls: str = attrs.field(default="")
    compression: str | None = attrs.field(default=None, validator=known_compression)

    @delimiter.validator
    def _usable_delimiter(self, attribute: attrs.Attribute[str], value: str) -> None:
        if len(value) != 1 or not value.isascii() or value in '"\r\n':
            raise GraphError(f"a CSV delimiter is one ASCII character, no quote and no line end; {value!r} is not")

    @nulls.validator
    def _usable_nulls(self, attribute: attrs.Attribute[str], value: str) -> None:
        if any(char in value for char in f'"\r\n{self.delimiter}'):
            raise GraphError(f"the text for NULL must not contain quotes, line ends or the delimiter; {value!r} does")

    @property
    def ending(self) -> str:  # type: ignore[override]  # depends on the compression
        """What file names end with."""
        return ".csv" + COMPRESSION_ENDINGS[self.compression]

    def check_columns(self, columns: pa.Schema) -> None:
        """Raise GraphError where a column has no text form."""
        for field in columns:
            if not textual(field.type):
                raise GraphError(f"CSV cannot hold the column {field.name!r} of type {field.type}")

    def start(self, file: pa.NativeFile, columns: pa.Schema) -> PartFormat:
        """Begin a CSV file."""
        return _CsvPart(self, file, columns)


class _CsvPart(PartFormat):
    def __init__(self, sink: CsvSink, file: pa.NativeFile, columns: pa.Schema) -> None:
        self._special = f'{sink.delimiter}"\r\n'
        self._needs_quotes = f"[{re.escape(self._special)}]"
        self._delimiter = sink.delimiter
        self._nulls = literal(sink.nulls)
        self._null_cell = sink.nulls if sink.nulls or len(columns) > 1 else '""'
        self._compressed = sink.compression is not None
        self._file = compressed(file, sink.compression)
        if sink.header:
            self._file.write(self._lines([self._cells(pa.array([name], pa.string())) for name in columns.names]))

    def write(self, batch: pa.RecordBatch) -> None:
        self._file.write(self._lines([self._cells(plain_text(column)) for column in batch.columns]))

    def finish(self) -> None:
        if self._compressed:
            self._file.close()

    abandon = finish

    def _lines(self, cells: list[pa.StringArray]) -> pa.Buffer:
        last = side_by_side([cells[-1], "\n"], null=self._null_cell)
        return joined([*cells[:-1], last], self._null_cell, self._delimiter)

    def _cells(self, text: pa.StringArray) -> pa.StringArray:
        quoted = pc.equal(text, self._nulls)
        special = bytes_present(text, self._special)
        if special:
            quoted = pc.or_(quoted, pc.match_substring_regex(text, self._needs_quotes))
        elif not pc.any(quoted, min_count=0).as_py():
            return text
        inner = pc.replace_substring(text, '"', '""') if '"' in special else text
        return pc.if_else(quoted, side_by_side(['"', inner, '"']), text)
