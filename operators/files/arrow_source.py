"""Reads Arrow IPC files and streams.

Files are read, not mapped: a file that is cut off while it is read is an error, not a crash.
"""

from __future__ import annotations

from collections.abc import Generator
from functools import lru_cache

import attrs
import pyarrow as pa

from operators.files.columnar_reader import ColumnarReader, check_columns
from operators.files.paths import FileError, Identity, reading
from operators.values.views import without_views

_MAGIC = b"ARROW1"


@attrs.frozen
class Head:
    """What a file tells about itself.

    Attributes:
        columns: names and types.
        batches: how many it holds; None for a stream, which does not tell.
    """

    columns: pa.Schema
    batches: int | None


@lru_cache(maxsize=1024)
def _head(identity: Identity) -> Head:
    path = identity.path
    with reading(path), pa.OSFile(path) as file:
        if file.read(len(_MAGIC)) == _MAGIC:
            reader = pa.ipc.open_file(file)
            schema, batches = reader.schema, reader.num_record_batches
        else:
            file.seek(0)
            schema, batches = pa.ipc.open_stream(file).schema, None
    if len(set(schema.names)) != len(schema.names):
        raise FileError(f"{path!r} has two columns of one name; its columns are {schema.names}")
    return Head(without_views(pa.schema([(field.name, field.type) for field in schema])), batches)


def head(path: str) -> Head:
    """What a file tells about itself; read once for every version of the file."""
    return _head(Identity.of(path))


class ArrowReader(ColumnarReader):
    """Reads record batches of a file, or all of a stream (see `ColumnarReader`)."""

    def __init__(
        self, path: str, numbers: range | None, schema: pa.Schema, declared: frozenset[str], offset: int
    ) -> None:
        held = head(path)
        if (held.batches is None) != (numbers is None) or (numbers and numbers[-1] >= (held.batches or 0)):
            raise FileError(f"{path!r} has changed since its splits were listed")
        check_columns(path, held.columns, schema, declared)
        wanted = sorted(held.columns.get_field_index(name) for name in schema.names)
        self._options = pa.ipc.IpcReadOptions(use_threads=False, included_fields=wanted)
        self._numbers = numbers
        with reading(path):
            self._file = pa.OSFile(path)
        super().__init__(path, schema, offset)

    def close(self) -> None:
        """Close the file."""
        super().close()
        self._file.close()

    def batches(self, skip: int) -> Generator[tuple[int, pa.RecordBatch], None, None]:
        """The record batches."""
        before = 0
        if self._numbers is None:
            for batch in pa.ipc.open_stream(self._file, options=self._options):
                yield before, batch
                before += batch.num_rows
            return
        file = pa.ipc.open_file(self._file, options=self._options)
        for number in self._numbers:
            batch = file.get_batch(number)
            yield before, batch
            before += batch.num_rows
