"""Parquet part files.

A batch from the part writer becomes a row group; dictionary columns stay dictionaries.
"""

from __future__ import annotations

from typing import ClassVar

import attrs
import pyarrow as pa
import pyarrow.parquet as pq

from flow.errors import GraphError, known
from operators.files.sinks.parts import PartFormat, PartsSink

_COMPRESSIONS = ("zstd", "snappy", "gzip", "lz4", "brotli")


@attrs.frozen
class ParquetSink(PartsSink):
    """A directory of Parquet files (see `PartsSink`).

    Attributes:
        compression: of the column chunks: zstd, snappy, gzip, lz4, brotli, or None.
    """

    ending: ClassVar[str] = ".parquet"

    compression: str | None = attrs.field(default="zstd")

    @compression.validator
    def _known_compression(self, attribute: attrs.Attribute[str], value: str | None) -> None:
        if value is not None and value not in _COMPRESSIONS:
            raise GraphError(f"no compression {value!r} for Parquet; {known(value, _COMPRESSIONS)}")

    def check_columns(self, columns: pa.Schema) -> None:
        """Raise GraphError where Parquet has no type for a column."""
        for field in columns:
            try:
                _ParquetPart(pa.BufferOutputStream(), pa.schema([field]), None).finish()
            except (pa.ArrowNotImplementedError, pa.ArrowInvalid) as error:
                instead = "; cast it to text" if pa.types.is_interval(field.type) else ""
                raise GraphError(
                    f"Parquet cannot hold the column {field.name!r} of type {field.type}{instead}: {error}"
                ) from error

    def start(self, file: pa.NativeFile, columns: pa.Schema) -> PartFormat:
        """Begin a Parquet file."""
        return _ParquetPart(file, columns, self.compression)


class _ParquetPart(PartFormat):
    def __init__(self, file: pa.NativeFile, columns: pa.Schema, compression: str | None) -> None:
        self._writer = pq.ParquetWriter(file, columns, compression=compression or "none")

    def write(self, batch: pa.RecordBatch) -> None:
        self._writer.write_batch(batch)

    def finish(self) -> None:
        self._writer.close()
