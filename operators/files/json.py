"""JSON lines: the description that users write, a source that also makes the sink of its name.

A split is a byte range of a file, or all of a file that is compressed or grows.
"""

from __future__ import annotations

from typing import ClassVar

import attrs
import pyarrow as pa

from operators.files.json_source import JsonReader, check_types, natural, parsed_as, sample
from operators.files.lines import block_bytes, cut, endings, written
from operators.files.paths import Identity
from operators.files.ranges import RangeSource
from operators.files.row_reader import RowLayout
from operators.files.sinks import JsonLinesSink


@attrs.frozen
class JsonLines(RangeSource):
    """Files of one JSON object a line, read by byte ranges (see `RangeSource`).

    Fields without a declared type get the one that the first 4 MB of the first file show; objects become structs,
    arrays lists. A field that is missing is NULL, one that the schema does not have is ignored. A line that is no
    object, holds a field twice or does not fit the types is rejected.
    """

    endings: ClassVar[tuple[str, ...]] = endings("jsonl", "ndjson", "json")

    def look(self) -> RowLayout:
        """Fields as declared, and as the first file shows them that has lines."""
        seen = None
        for path in self.files():
            seen = sample(path, self.compression, growing=self.unbounded)
            if seen is not None:
                break
        if seen is None:
            held, shown, taken, rows = self.declared_columns(), pa.schema([]), 0, 0
        else:
            shown, table, taken = seen
            rows = table.num_rows
            fields = [(field.name, natural(table.column(field.name))) for field in shown]
            # A field that the first lines lack may come later.
            later = [(name, kind) for name, kind in self.types if name not in shown.names]
            held = pa.schema([*fields, *later])
        schema = self.pick(held, path if seen else "the declaration")
        read = []
        for field in schema:
            index = shown.get_field_index(field.name)
            read.append(parsed_as(field.type, pa.null() if index < 0 else shown.field(index).type))
        check_types(schema, read)
        return RowLayout(schema, tuple(read), block_bytes(taken, rows))

    def cut(self, identity: Identity, number: int) -> int:
        """The byte at which the first line of a range begins."""
        return cut(identity, number, 0, self.range_bytes)

    def open_rows(self, path: str, begin: int, end: int | None) -> JsonReader:
        """A reader of the lines from one byte to another."""
        layout = self.layout()
        assert isinstance(layout, RowLayout)
        return JsonReader(path, self.compression, layout, begin, end, poll=self.follow)

    def as_sink(self) -> JsonLinesSink:
        """The sink that writes JSON lines to the directory."""
        return JsonLinesSink(
            self.directory(), written(self.compression), changes=self.changes, key=self.key, overwrite=self.overwrite
        )
