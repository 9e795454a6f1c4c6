"""Arrow IPC part files.

Dictionary columns are written as the values they stand for: a file has room for one dictionary a column, and every
batch may bring its own.
"""

from __future__ import annotations

from typing import ClassVar

import attrs
import pyarrow as pa
import pyarrow.compute as pc

from flow.errors import GraphError, known
from operators.files.sinks.parts import PartFormat, PartsSink

_COMPRESSIONS = ("zstd", "lz4")


@attrs.frozen
class ArrowSink(PartsSink):
    """A directory of Arrow IPC files, also known as Feather (see `PartsSink`).

    Attributes:
        compression: of the buffers: zstd, lz4, or None.
    """

    ending: ClassVar[str] = ".arrow"

    compression: str | None = attrs.field(default=None)

    @compression.validator
    def _known_compression(self, attribute: attrs.Attribute[str], value: str | None) -> None:
        if value is not None and value not in _COMPRESSIONS:
            raise GraphError(f"no compression {value!r} for Arrow files; {known(value, _COMPRESSIONS)}")

    def check_columns(self, columns: pa.Schema) -> None:
        """Raise GraphError for dictionaries inside of nested columns."""
        for field in columns:
            if _has_dictionary(_plain(field.type)):
                raise GraphError(
                    f"the column {field.name!r} of type {field.type} has a dictionary inside; cast it first"
                )

    def start(self, file: pa.NativeFile, columns: pa.Schema) -> PartFormat:
        """Begin an Arrow file."""
        return _ArrowPart(file, columns, self.compression)


class _ArrowPart(PartFormat):
    def __init__(self, file: pa.NativeFile, columns: pa.Schema, compression: str | None) -> None:
        self._columns = pa.schema([field.with_type(_plain(field.type)) for field in columns])
        options = pa.ipc.IpcWriteOptions(compression=compression, use_threads=False)
        self._writer = pa.ipc.new_file(file, self._columns, options=options)

    def write(self, batch: pa.RecordBatch) -> None:
        columns = [
            pc.cast(column, field.type) if column.type != field.type else column
            for column, field in zip(batch.columns, self._columns, strict=True)
        ]
        self._writer.write_batch(pa.record_batch(columns, schema=self._columns))

    def finish(self) -> None:
        self._writer.close()


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _has_dictionary(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_dictionary(kind)
        or (pa.types.is_nested(kind) and any(_has_dictionary(kind.field(i).type) for i in range(kind.num_fields)))
    )
