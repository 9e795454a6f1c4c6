"""CSV files: the description that users write, a source that also makes the sink of its name.

A split is a byte range of a file, or all of a file that is compressed or grows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

import attrs
import pyarrow as pa

from flow.errors import GraphError
from operators.files.csv_source import CsvReader, Format, header, natural, parsed_as, sample
from operators.files.lines import block_bytes, cut, endings, written
from operators.files.paths import FileError, Identity
from operators.files.ranges import RangeSource
from operators.files.row_reader import RowLayout
from operators.files.sinks import CsvSink


def _names(names: Iterable[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(names)


def _nulls(nulls: str | Iterable[str]) -> tuple[str, ...]:
    return (nulls,) if isinstance(nulls, str) else tuple(nulls)


def _one_character(instance: object, attribute: attrs.Attribute[str], value: str | None) -> None:
    if value is not None and (len(value) != 1 or not value.isascii() or value in "\r\n"):
        raise GraphError(f"{attribute.name} must be one ASCII character that ends no line, not {value!r}")


@attrs.frozen
class Csv(RangeSource):
    """CSV files, read by byte ranges (see `RangeSource`).

    Columns without a declared type get the one that the first 4 MB of the first file show: int64, double, bool, date,
    timestamp or text. A later row that does not fit is rejected, as is one of the wrong length or not of UTF-8.

    Attributes:
        header: whether the first row of a file names the columns.
        names: names of the columns, instead of those in the header or where there is none.
        delimiter: between fields.
        quote: around fields, doubled inside of them; a quoted field may hold line ends. None: there are no quotes.
        nulls: texts that mean NULL, where they are not quoted.
    """

    endings: ClassVar[tuple[str, ...]] = endings("csv", "tsv", "txt")

    header: bool = attrs.field(default=True, kw_only=True)
    names: tuple[str, ...] | None = attrs.field(default=None, converter=_names, kw_only=True)
    delimiter: str = attrs.field(default=",", validator=_one_character, kw_only=True)
    quote: str | None = attrs.field(default='"', validator=_one_character, kw_only=True)
    nulls: tuple[str, ...] = attrs.field(default=("",), converter=_nulls, kw_only=True)

    def look(self) -> RowLayout:
        """Names from the first file, types from the first one that has rows."""
        form = self.format()
        seen, where = None, "the declaration"
        for path in self.files():
            found = sample(path, form, growing=self.unbounded)
            if found is not None:
                seen, where = found, path
                if found[0].num_rows:
                    break
        rows, taken = (self._declared_rows(None), 0) if seen is None else seen
        if not rows.num_rows:
            rows = self._declared_rows(None if seen is None else rows.column_names)
        schema = self.pick(pa.schema([(name, natural(rows.column(name))) for name in rows.column_names]), where)
        read = tuple(parsed_as(field.type, rows.schema.field(field.name).type) for field in schema)
        return RowLayout(schema, read, block_bytes(taken, rows.num_rows))

    def _declared_rows(self, names: Sequence[str] | None) -> pa.Table:
        """No rows, of columns that are all declared."""
        names = names or self.names or self.declared_columns().names
        types = dict(self.types)
        unknown = [name for name in names if name not in types]
        if unknown:
            raise FileError(
                f"{list(self.path)} has no rows that tell the types of {unknown}: declare them (`types` in Python)"
            )
        return pa.schema([(name, types[name]) for name in names]).empty_table()

    def format(self) -> Format:
        """How the text is written."""
        return Format(self.header, self.names, self.delimiter, self.quote, self.nulls, self.compression)

    def cut(self, identity: Identity, number: int) -> int:
        """The byte at which the first row of a range begins."""
        begin = header(identity.path, self.format()).begin
        return cut(identity, number, begin, self.range_bytes, self.quote, self.delimiter)

    def open_rows(self, path: str, begin: int, end: int | None) -> CsvReader:
        """A reader of the rows from one byte to another."""
        layout = self.layout()
        assert isinstance(layout, RowLayout)
        return CsvReader(path, self.format(), layout, begin, end, poll=self.follow)

    def as_sink(self) -> CsvSink:
        """The sink that writes CSV files to the directory."""
        return CsvSink(
            self.directory(),
            header=self.header,
            delimiter=self.delimiter,
            nulls=self.nulls[0] if self.nulls else "",
            compression=written(self.compression),
            changes=self.changes,
            key=self.key,
            overwrite=self.overwrite,
        )
