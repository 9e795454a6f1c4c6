"""Reads row groups of Parquet files, and what their footers tell without reading them.

Every batch has exactly the source's schema, whatever the file holds; a reader owns its file handle.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from pyarrow.fs import LocalFileSystem

from operators.files.columnar_reader import ColumnarReader, batch_rows, check_columns
from operators.files.conversion import convert
from operators.files.paths import FileError, Identity, reading
from operators.values.views import without_views

_SPLITS = 32
"""Splits that a file is divided into, about, so that readers end at about the same time."""

_SPLIT_ROWS = 65_536
"""Rows that a split has at least, where it is not the last."""

# A dictionary-encoded value takes at most two and a half bytes (the writer's dictionary is full by then); a column that
# takes more has fallen back to plain text, for which building dictionaries costs more than it saves.
_INDEX_BYTES = 2.5
_PAGE_HEADER_BYTES = 128


class Footer:
    """What a file tells about itself: row groups, statistics, columns."""

    def __init__(self, path: str) -> None:
        with reading(path), pq.ParquetFile(path) as file:
            self.path = path
            self.metadata = file.metadata
            self.columns = without_views(pa.schema([(field.name, field.type) for field in file.schema_arrow]))
        if len(set(self.columns.names)) != len(self.columns.names):
            raise FileError(f"{path!r} has two columns of one name; its columns are {self.columns.names}")
        roots = [self.metadata.schema.column(leaf).path.split(".")[0] for leaf in range(self.metadata.num_columns)]
        plain = {leaf for leaf, root in enumerate(roots) if self.metadata.schema.column(leaf).path == root}
        self.leaves = {roots[leaf]: leaf for leaf in plain}
        self.leaves_under: dict[str, list[int]] = {}
        for leaf, root in enumerate(roots):
            self.leaves_under.setdefault(root, []).append(leaf)
        self.dictionaries = [name for name in self.columns.names if self._repeats(name)]

    def _repeats(self, name: str) -> bool:
        kind = self.columns.field(name).type
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)) or name not in self.leaves:
            return False
        values = stored = 0
        for group in range(min(self.metadata.num_row_groups, 16)):
            column = self.metadata.row_group(group).column(self.leaves[name])
            if not column.has_dictionary_page or column.dictionary_page_offset is None:
                return False
            values += column.num_values
            dictionary = column.data_page_offset - column.dictionary_page_offset
            stored += column.total_compressed_size - dictionary - _PAGE_HEADER_BYTES
        return stored <= _INDEX_BYTES * values

    def held(self) -> pa.Schema:
        """The columns as they are read: repetitive text as dictionaries."""
        return pa.schema(
            [
                (field.name, pa.dictionary(pa.int32(), field.type) if field.name in self.dictionaries else field.type)
                for field in self.columns
            ]
        )

    def batch_rows(self, schema: pa.Schema) -> int:
        """Rows of a batch of these columns."""
        return batch_rows(sum(map(self._width, schema)))

    def _width(self, field: pa.Field) -> float:
        """Bytes of a value of a column, about, as it will be in memory."""
        if pa.types.is_dictionary(field.type):
            return float(field.type.index_type.bit_width / 8)
        if pa.types.is_primitive(field.type):
            return float(field.type.bit_width / 8)
        rows = self.metadata.num_rows or 1
        groups = map(self.metadata.row_group, range(self.metadata.num_row_groups))
        leaves = self.leaves_under.get(field.name, [])
        size: int = sum(group.column(leaf).total_uncompressed_size for group in groups for leaf in leaves)
        return size / rows

    def runs(self, groups: Iterable[int], schema: pa.Schema) -> Iterator[tuple[int, int, int]]:
        """Row groups joined to splits of these columns, of a batch or less: first, last, rows."""
        most = max(min(self.metadata.num_rows // _SPLITS, self.batch_rows(schema)), _SPLIT_ROWS)
        first, last, rows = -1, -1, 0
        for group in groups:
            more = self.metadata.row_group(group).num_rows
            if more == 0:
                continue
            if rows and (group != last + 1 or rows + more > most):
                yield first, last, rows
                rows = 0
            if rows == 0:
                first = group
            last, rows = group, rows + more
        if rows:
            yield first, last, rows

    def size(self, columns: Sequence[str], groups: range) -> int:
        """Bytes to read for these columns of these row groups."""
        leaves = [leaf for name in columns for leaf in self.leaves_under.get(name, [])]
        total = 0
        for group in groups:
            chunks = self.metadata.row_group(group)
            total += sum(chunks.column(leaf).total_compressed_size for leaf in leaves)
        return total

    def earliest(self, column: str, kind: pa.DataType, runs: Sequence[range]) -> list[int | None]:
        """The least value of a timestamp column in each run of row groups, microseconds; None where nothing tells."""
        if not pa.types.is_timestamp(kind):
            return [None] * len(runs)
        known = {group: self._statistics(group, column, kind) for groups in runs for group in groups}
        # All at once: to convert one value takes as long as to convert thousands.
        lows = [None if told is None else told[0] for told in known.values()]
        try:
            times = convert(pa.array(lows, self.columns.field(column).type), kind)
            times = times.cast(pa.timestamp("us", kind.tz), safe=False).cast(pa.int64())
        except (pa.ArrowException, ValueError, TypeError, OverflowError):
            return [None] * len(runs)
        # The cast of finer units rounds towards zero.
        least = dict(zip(known, pc.subtract(times, int(kind.unit == "ns")).to_pylist(), strict=True))
        return [
            None
            if any(known[group] is None for group in groups)
            else min((least[group] for group in groups if least[group] is not None), default=None)
            for groups in runs
        ]

    def may_match(self, predicate: pc.Expression | None, schema: pa.Schema) -> list[int]:
        """The row groups in which, by the statistics, rows may match; all of them where this cannot be told."""
        groups = list(range(self.metadata.num_row_groups))
        if predicate is None:
            return groups
        plain = pa.schema([(f.name, f.type.value_type if pa.types.is_dictionary(f.type) else f.type) for f in schema])
        # An expression does not list its columns, but names them in its text.
        asked = [name for name in plain.names if name in str(predicate)]
        # The data set's paths are the numbers of the row groups: pruning by partition opens no file.
        data_set = ds.FileSystemDataset.from_paths(
            [str(group) for group in groups],
            schema=plain,
            format=ds.ParquetFileFormat(),
            filesystem=LocalFileSystem(),
            partitions=[self._guarantee(group, plain, asked) for group in groups],
        )
        try:
            return sorted(int(fragment.path) for fragment in data_set.get_fragments(filter=predicate))
        except (pa.ArrowException, KeyError):
            return groups

    def _guarantee(self, group: int, schema: pa.Schema, asked: Sequence[str]) -> pc.Expression:
        holds = pc.scalar(True)
        for field in map(schema.field, asked):
            bounds = self._bounds(group, field.name, field.type)
            if bounds is None:
                continue
            low, high, nulls = bounds
            column = pc.field(field.name)
            if low is None:
                holds &= column.is_null()
                continue
            within = column >= low
            if not pa.types.is_floating(field.type):
                # Statistics leave out NaN, which is greater than every number.
                within &= column <= high
            holds &= within | column.is_null() if nulls else within
        return holds

    def _bounds(self, group: int, column: str, kind: pa.DataType) -> tuple[Any, Any, bool] | None:
        """Least, greatest (both None where all are NULL) of this type, and whether there are NULLs; else None."""
        known = self._statistics(group, column, kind)
        if known is None or known[0] is None:
            return known
        try:
            # With the type given: pyarrow guesses one by looking for pandas, which takes longer than all the rest.
            low, high = convert(pa.array(known[:2], self.columns.field(column).type), kind)
        except (pa.ArrowException, ValueError, TypeError, OverflowError):
            return None
        return low, high, known[2]

    def _statistics(self, group: int, column: str, kind: pa.DataType) -> tuple[Any, Any, bool] | None:
        """As `_bounds`, as the file has them; None also where they are of no use as bounds."""
        leaf = self.leaves.get(column)
        if leaf is None:
            return None
        chunk = self.metadata.row_group(group).column(leaf)
        statistics = chunk.statistics
        if statistics is None:
            return None
        nulls = statistics.null_count != 0 if statistics.has_null_count else True
        if not statistics.has_min_max:
            all_null = statistics.has_null_count and statistics.null_count == chunk.num_values
            return (None, None, True) if all_null else None
        held = self.columns.field(column).type
        ordered = pa.types.is_integer(held) or pa.types.is_temporal(held) or held == kind
        if not ordered or pa.types.is_nested(held) or pa.types.is_binary(held):
            return None
        return statistics.min, statistics.max, nulls


@lru_cache(maxsize=256)
def _footer(identity: Identity) -> Footer:
    return Footer(identity.path)


def footer(path: str) -> Footer:
    """What a file tells about itself; read once for every version of the file."""
    return _footer(Identity.of(path))


class ParquetReader(ColumnarReader):
    """Reads a run of row groups (see `ColumnarReader`)."""

    def __init__(
        self, path: str, groups: range, rows: int, schema: pa.Schema, declared: frozenset[str], offset: int
    ) -> None:
        held = footer(path)
        counts = [held.metadata.row_group(group).num_rows for group in groups if group < held.metadata.num_row_groups]
        if len(counts) != len(groups) or sum(counts) != rows:
            raise FileError(f"{path!r} has changed since its splits were listed")
        check_columns(path, held.columns, schema, declared)
        texts = [f.name for f in schema if pa.types.is_dictionary(f.type) and pa.types.is_string(f.type.value_type)]
        with reading(path):
            self._file = pq.ParquetFile(path, metadata=held.metadata, read_dictionary=texts, pre_buffer=False)
        most_rows = held.batch_rows(schema)
        self._rows = rows
        self._units = list(_units(groups, counts, most_rows))
        super().__init__(path, schema, offset, most_rows)

    @property
    def ended(self) -> bool:
        """Whether all rows have been passed."""
        return self.offset() >= self._rows

    def close(self) -> None:
        """Close the file."""
        super().close()
        self._file.close()

    def batches(self, skip: int) -> Generator[tuple[int, pa.RecordBatch], None, None]:
        """The row groups, small ones joined, large ones in pieces."""
        names = self.schema.names
        before = 0
        for unit, rows in self._units:
            if before + rows <= skip:
                before += rows
                continue
            if rows > self._most_rows:
                pieces: Iterable[pa.RecordBatch] = self._file.iter_batches(
                    self._most_rows, row_groups=unit, columns=names, use_threads=False
                )
            else:
                table = self._file.read_row_groups(unit, columns=names, use_threads=False)
                if len(unit) > 1:
                    table = table.unify_dictionaries().combine_chunks()
                pieces = table.to_batches()
            for piece in pieces:
                yield before, piece
                before += piece.num_rows


def _units(groups: range, counts: list[int], most_rows: int) -> Iterator[tuple[list[int], int]]:
    """Row groups to read in one call, small ones joined up to so many rows."""
    unit: list[int] = []
    rows = 0
    for group, count in zip(groups, counts, strict=True):
        if unit and rows + count > most_rows:
            yield unit, rows
            unit, rows = [], 0
        unit.append(group)
        rows += count
    if unit:
        yield unit, rows
