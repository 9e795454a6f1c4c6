"""Arrow IPC files and streams: the description that users write, a source that also makes the sink of its name.

A split is a run of record batches of a file, or all of a stream.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import ClassVar

import attrs

from flow.source import Offset, Split
from operators.files.arrow_source import ArrowReader, head
from operators.files.description import FileSource, Layout
from operators.files.lines import written
from operators.files.paths import reading
from operators.files.sinks import ArrowSink

_SPLIT_BYTES = 4 << 20


@attrs.frozen
class ArrowFile(FileSource):
    """Arrow IPC (Feather) files, read by record batches, and IPC streams, read as a whole (see `FileSource`)."""

    endings: ClassVar[tuple[str, ...]] = (".arrow", ".arrows", ".feather", ".ipc")

    def look(self) -> Layout:
        """The columns of the first file."""
        first = self.first_file()
        held = self.declared_columns() if first is None else head(first).columns
        return Layout(self.pick(held, first or "the declaration"))

    def splits(self) -> Sequence[Split]:
        """Runs of record batches, file by file."""
        splits = []
        for path in self.files():
            batches = head(path).batches
            with reading(path):
                size = os.stat(path).st_size
            if batches is None:
                splits.append(Split(path, [path, None, None], None, size, path))
                continue
            # The footer does not tell how large a batch is.
            step = max(1, _SPLIT_BYTES * batches // size)
            for first in range(0, batches, step):
                stop = min(first + step, batches)
                id_ = f"{path}#{first}" if stop == first + 1 else f"{path}#{first}-{stop - 1}"
                splits.append(Split(id_, [path, first, stop], None, size * (stop - first) // batches, path))
        return splits

    def open(self, split: Split, offset: Offset = None) -> ArrowReader:
        """A reader of a run of record batches; the offset is the number of rows passed."""
        path, first, stop = split.detail
        numbers = None if first is None else range(first, stop)
        return ArrowReader(path, numbers, self.layout().schema, frozenset(dict(self.types)), offset or 0)

    def as_sink(self) -> ArrowSink:
        """The sink that writes Arrow IPC files to the directory."""
        return ArrowSink(
            self.directory(), written(self.compression), changes=self.changes, key=self.key, overwrite=self.overwrite
        )
