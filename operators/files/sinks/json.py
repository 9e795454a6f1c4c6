"""JSON lines part files: one object a row, in the order of the columns.

Every column is in every object; NULL is ``null``.
"""

from __future__ import annotations

from typing import ClassVar

import attrs
import pyarrow as pa

from flow.errors import GraphError
from operators.change_streams.forms import FORMS, Form
from operators.files.sinks.parts import (
    COMPRESSION_ENDINGS,
    PartFormat,
    PartsSink,
    compressed,
    known_compression,
)
from operators.values.text import joined, object_pieces, textual


@attrs.frozen
class JsonLinesSink(PartsSink):
    """A directory of files of one JSON object a line (see `PartsSink`).

    Integers and decimals are numbers with all their digits; NaN and infinities are the strings "NaN", "Infinity" and
    "-Infinity"; times are ISO 8601 strings with the digits of their unit, zoned ones in UTC with a Z; durations are
    counts of their unit; bytes are base64; maps are objects.

    Attributes:
        compression: gzip, zstd, or None.
    """

    forms: ClassVar[tuple[Form, ...]] = FORMS

    compression: str | None = attrs.field(default=None, validator=known_compression)

    @property
    def ending(self) -> str:  # type: ignore[override]  # depends on the compression
        """What file names end with."""
        return ".jsonl" + COMPRESSION_ENDINGS[self.compression]

    def check_columns(self, columns: pa.Schema) -> None:
        """Raise GraphError where a column has no JSON form."""
        for field in columns:
            if not textual(field.type):
                raise GraphError(f"JSON cannot hold the column {field.name!r} of type {field.type}")

    def start(self, file: pa.NativeFile, columns: pa.Schema) -> PartFormat:
        """Begin a file of JSON lines."""
        return _JsonPart(self, file)


class _JsonPart(PartFormat):
    def __init__(self, sink: JsonLinesSink, file: pa.NativeFile) -> None:
        self._compressed = sink.compression is not None
        self._file = compressed(file, sink.compression)

    def write(self, batch: pa.RecordBatch) -> None:
        self._file.write(joined([*object_pieces(batch.schema.names, batch.columns), "\n"], "null"))

    def finish(self) -> None:
        if self._compressed:
            self._file.close()

    abandon = finish
