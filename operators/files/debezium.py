"""Debezium's change events as JSON lines: the description that users write, a source that also makes the sink.

A split is a byte range of a file, or all of a file that is compressed or grows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import attrs
import pyarrow as pa

from flow.schema import WEIGHT
from operators.change_streams.forms import DELETED
from operators.files.debezium_envelope import NO_OP, Envelopes, is_tombstone, parsed_in_events, without_tombstones
from operators.files.json_source import BOM, check_types, common, natural, parse, parse_good, sample
from operators.files.lines import block_bytes, codec, cut, endings, written
from operators.files.paths import FileError, Identity
from operators.files.ranges import RangeSource
from operators.files.row_reader import RowLayout, RowReader, line_spans
from operators.files.sinks import JsonLinesSink


@attrs.frozen
class EnvelopeLayout(RowLayout):
    """How files of envelopes are read.

    Attributes:
        envelopes: what becomes of them.
        kinds: the types that the columns of the rows in them are parsed as.
    """

    envelopes: Envelopes
    kinds: tuple[pa.DataType, ...]

    def narrow(self, columns: Sequence[str] | None) -> Self:
        """The layout for some of the columns; keys are read in any case."""
        narrowed = super().narrow(columns)
        rows, wanted = self.envelopes.columns, {*narrowed.schema.names, *self.envelopes.key}
        kept = [number for number, name in enumerate(rows.names) if name in wanted]
        envelopes = attrs.evolve(self.envelopes, columns=pa.schema([rows.field(number) for number in kept]))
        return attrs.evolve(narrowed, envelopes=envelopes, kinds=tuple(self.kinds[number] for number in kept))


@attrs.frozen
class DebeziumJson(RangeSource):
    """Files of one change event a line, with or without `schema` and `payload` around it.

    Without `key` the stream is a changelog: an update takes the row `before` back and brings the row `after`, so every
    event must have the whole old row. With a key it is a stream of rows with a column `_deleted`, whose last one of
    each key counts, for ``.upsert(*key, deletes="_deleted", drop=["_deleted"])``; then `before` may be missing where no
    row is deleted, and events may come twice.

    Columns without a declared type get the one that the first 4 MB of the first file show. Lines of ``null``, and
    envelopes whose payload is ``null``, are tombstones, and passed over. A line without `op` or the row that it is
    about, and whatever does not fit the types, is rejected.

    Attributes:
        key: names of the key columns.
        source_time: name of a column for the time of the change in the database, ``source.ts_ms``; needs a key.
    """

    endings: ClassVar[tuple[str, ...]] = endings("jsonl", "ndjson", "json")

    source_time: str | None = attrs.field(default=None, kw_only=True)

    @property
    def added(self) -> tuple[str, ...]:
        """The columns that come after those of the rows."""
        if not self.key:
            return (WEIGHT,)
        return (DELETED,) if self.source_time is None else (self.source_time, DELETED)

    def look(self) -> RowLayout:
        """The rows' columns as declared, and as the first file shows them that has events."""
        seen, where = None, "the declaration"
        for path in self.files():
            seen = sample(path, self.compression, growing=self.unbounded)
            if seen is not None:
                where = path
                break
        if seen is None:
            held, shown, taken, rows = self.declared_columns(), pa.schema([]), 0, 0
        else:
            shown, held = _rows_of(seen[0], seen[1])
            taken, rows = seen[2], seen[1].num_rows
            held = pa.schema([*held, *((name, kind) for name, kind in self.types if name not in held.names)])
        if not held.names:
            raise FileError(f"{where!r} shows no row in 'before' or 'after': declare the columns (`types` in Python)")
        columns = attrs.evolve(self, columns=None).pick(held, where)
        envelopes = Envelopes(columns, self.key, self.source_time)
        read = []
        for field in columns:
            index = shown.get_field_index(field.name)
            read.append(parsed_in_events(field.type, pa.null() if index < 0 else shown.field(index).type))
        check_types(columns, read)
        schema = envelopes.schema
        layout = EnvelopeLayout(schema, tuple(schema.types), block_bytes(taken, rows), envelopes, tuple(read))
        if self.columns is None:
            return layout
        return layout.narrow([*(name for name in self.columns if name not in self.added), *self.added])

    def cut(self, identity: Identity, number: int) -> int:
        """The byte at which the first line of a range begins."""
        return cut(identity, number, 0, self.range_bytes)

    def open_rows(self, path: str, begin: int, end: int | None) -> DebeziumReader:
        """A reader of the lines from one byte to another."""
        layout = self.layout()
        assert isinstance(layout, EnvelopeLayout)
        return DebeziumReader(path, self.compression, layout, begin, end, poll=self.follow)

    def as_sink(self) -> JsonLinesSink:
        """The sink that writes change events, one a line, to the directory."""
        return JsonLinesSink(
            self.directory(),
            written(self.compression),
            changes=self.changes or "debezium",
            key=self.key,
            overwrite=self.overwrite,
        )


def _rows_of(shown: pa.Schema, table: pa.Table) -> tuple[pa.Schema, pa.Schema]:
    """The columns of the rows in sampled envelopes: as inferred, and as typed by what they hold."""
    inferred: dict[str, pa.DataType] = {}
    values: dict[str, list[pa.Array]] = {}
    for path in (("after",), ("payload", "after"), ("before",), ("payload", "before")):
        kind: Any = pa.struct(list(shown))
        rows = pa.chunked_array(
            [batch.to_struct_array() for batch in table.to_batches()], pa.struct(list(table.schema))
        )
        parts = rows.chunks
        for name in path:
            index = kind.get_field_index(name) if pa.types.is_struct(kind) else -1
            if index < 0:
                break
            kind = kind.field(index).type
            parts = [part.flatten()[part.type.get_field_index(name)] for part in parts]
        else:
            if not pa.types.is_struct(kind):
                continue
            for number, field in enumerate(kind.fields):
                before = inferred.get(field.name)
                inferred[field.name] = field.type if before is None else common(before, field.type)
                values.setdefault(field.name, []).extend(part.flatten()[number] for part in parts)
    held = []
    for name, kind in inferred.items():
        arrays = [array for array in values[name] if array.type == values[name][0].type]
        held.append((name, natural(pa.chunked_array(arrays, values[name][0].type)) if arrays else kind))
    return pa.schema(list(inferred.items())), pa.schema(held)


class DebeziumReader(RowReader):
    """Reads lines of change events (see `RowReader`)."""

    def __init__(
        self,
        path: str,
        compression: str | None,
        layout: EnvelopeLayout,
        begin: int,
        end: int | None,
        *,
        poll: float | None,
    ) -> None:
        super().__init__(path, layout, begin, end, quoting=None, compression=codec(path, compression), poll=poll)
        self._parser = EnvelopeParser(layout)

    def parse(self, rows: bytes, position: int) -> pa.RecordBatch:
        """The changes in whole lines; bad ones are rejected."""
        if position == 0 and rows.startswith(BOM):
            rows, position = rows[len(BOM) :], len(BOM)
        batch, wrong = self._parser.parse(rows)
        if wrong:
            self.reject_rows(rows, line_spans(without_tombstones(rows)), position, wrong)
        return batch


class EnvelopeParser:
    """From lines of envelopes to changes."""

    def __init__(self, layout: EnvelopeLayout) -> None:
        self._envelopes = layout.envelopes
        self._names = layout.schema.names
        self._whole = self._names == self._envelopes.schema.names
        self._parsed = self._envelopes.parsed(layout.kinds)

    def parse(self, lines: bytes) -> tuple[pa.RecordBatch, dict[int, str]]:
        """The changes, and what is wrong with others, by the number of the line among those with something in them."""
        lines = without_tombstones(lines)
        numbers: Sequence[int] | None = None
        wrong: dict[int, str] = {}
        if not lines or lines.isspace():
            table = self._parsed.empty_table()
        else:
            try:
                table = parse(lines, self._parsed)
            except pa.ArrowInvalid:
                tables, numbers, wrong = parse_good(lines, line_spans(lines), self._parsed)
                table = pa.concat_tables([self._parsed.empty_table(), *tables])
        batch, bad, empty = self._envelopes.changes(table)
        for row, error in bad.items():
            wrong[row if numbers is None else numbers[row]] = error
        if empty:
            spans = line_spans(lines)
            for row in empty:
                number = row if numbers is None else numbers[row]
                start, end = spans[number]
                if not is_tombstone(lines[start:end]):
                    wrong[number] = NO_OP
        return (batch if self._whole else batch.select(self._names)), wrong
