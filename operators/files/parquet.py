"""Parquet files: the description that users write, a source that also makes the sink of its name.

A split is a run of row groups of one file; the schema is one for all files, fixed by the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import attrs
import pyarrow as pa

from flow.source import Offset, Split
from operators.files.description import FileSource, Layout
from operators.files.lines import written
from operators.files.parquet_source import ParquetReader, footer
from operators.files.sinks import ParquetSink


@attrs.frozen
class Parquet(FileSource):
    """Parquet files, read by row groups (see `FileSource`).

    Attributes:
        predicate: row groups in which, by their statistics, no row can match are left out.
        event_time: the column of which splits tell their earliest value.
    """

    endings: ClassVar[tuple[str, ...]] = (".parquet", ".parq", ".pq")

    predicate: Any = attrs.field(default=None, kw_only=True, eq=str)
    event_time: str | None = attrs.field(default=None, kw_only=True)

    def look(self) -> Layout:
        """The columns of the first file; repetitive text as dictionaries."""
        first = self.first_file()
        held = self.declared_columns() if first is None else footer(first).held()
        return Layout(self.pick(held, first or "the declaration"))

    def splits(self) -> Sequence[Split]:
        """Runs of row groups, file by file."""
        files = self.files()
        if not files:
            return []
        whole = attrs.evolve(self, columns=None, predicate=None, event_time=None).layout().schema
        wanted = whole.names if self.columns is None else self.columns
        splits = []
        for path in files:
            about = footer(path)
            columns = pa.schema([whole.field(name) for name in wanted])
            runs = list(about.runs(about.may_match(self.predicate, whole), columns))
            groups = [range(first, last + 1) for first, last, _ in runs]
            earliest: list[int | None] = [None] * len(runs)
            if self.event_time is not None:
                earliest = about.earliest(self.event_time, whole.field(self.event_time).type, groups)
            for (first, last, rows), run, low in zip(runs, groups, earliest, strict=True):
                id_ = f"{path}#{first}" if first == last else f"{path}#{first}-{last}"
                splits.append(Split(id_, [path, first, last, rows], low, about.size(wanted, run), path))
        return splits

    def open(self, split: Split, offset: Offset = None) -> ParquetReader:
        """A reader of a run of row groups; the offset is the number of rows returned."""
        path, first, last, rows = split.detail
        return ParquetReader(
            path, range(first, last + 1), rows, self.layout().schema, frozenset(dict(self.types)), offset or 0
        )

    def narrow(self, columns: Sequence[str], predicate: Any = None) -> Self:
        """The same files, of which only these columns, and only row groups that may match, are read."""
        return self.variant(columns=tuple(columns), predicate=predicate)

    def for_event_time(self, column: str) -> Self:
        """The same source, whose splits tell their earliest value of this column."""
        return self.variant(event_time=column)

    def as_sink(self) -> ParquetSink:
        """The sink that writes Parquet files to the directory."""
        compression = "zstd" if self.compression is None else written(self.compression)
        return ParquetSink(self.directory(), compression, changes=self.changes, key=self.key, overwrite=self.overwrite)
