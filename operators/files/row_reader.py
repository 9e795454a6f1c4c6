"""What the readers of text formats share: blocks of whole rows in, batches out, until the end or for ever.

The offset is the byte (of the decompressed text) after the last row returned, so resuming loses and repeats nothing.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Self

import attrs
import numpy as np
import pyarrow as pa

from flow.source import Idle, Reader
from operators.files.conversion import row_text
from operators.files.description import Layout
from operators.files.lines import Lines, Quoting


@attrs.frozen
class RowLayout(Layout):
    """How text files are read.

    Attributes:
        read: the type that each column of the schema is parsed as, before it becomes that of the schema.
        block: bytes that make about 65,536 rows.
    """

    read: tuple[pa.DataType, ...]
    block: int

    def narrow(self, columns: Sequence[str] | None) -> Self:
        """The layout for some of the columns."""
        narrowed = super().narrow(columns)
        read = tuple(self.read[self.schema.get_field_index(name)] for name in narrowed.schema.names)
        return attrs.evolve(narrowed, read=read)


class RowReader(Reader):
    """Reads rows of a file from one byte to another.

    Args:
        path: the file.
        layout: types.
        begin: where the first row begins.
        end: where the row after the last begins; None: read to the end of the file.
        quoting: how rows end.
        compression: of the file.
        poll: seconds between looks whether the file has grown; None: the end of the file is the end.
    """

    def __init__(
        self,
        path: str,
        layout: RowLayout,
        begin: int,
        end: int | None,
        *,
        quoting: Quoting | None,
        compression: str | None,
        poll: float | None,
    ) -> None:
        self.path = path
        self.layout = layout
        self.poll = None if compression else poll
        self.lines = Lines(
            path,
            begin,
            end,
            block=layout.block,
            quoting=quoting,
            compression=compression,
            growing=self.poll is not None,
        )

    def read(self) -> pa.RecordBatch | Idle | None:
        """The good ones of the next rows."""
        if self.ready():
            while (rows := self.lines.next()) is not None:
                batch = self.parse(rows, self.lines.position - len(rows))
                if batch.num_rows or self._rejected:
                    return batch
        if self.poll is None:
            return None
        self.lines.check_growing()
        return Idle(self.poll)

    def offset(self) -> int:
        """The byte after the last row."""
        return self.lines.position

    @property
    def ended(self) -> bool:
        """Whether the last rows have been returned."""
        return self.poll is None and self.lines.ended

    def close(self) -> None:
        """Close the file."""
        self.lines.close()

    def ready(self) -> bool:
        """Whether rows can be read yet."""
        return True

    @abstractmethod
    def parse(self, rows: bytes, position: int) -> pa.RecordBatch:
        """Whole rows, the first at a byte of the file, as a batch; bad ones are rejected."""

    def reject_rows(
        self, rows: bytes, spans: Sequence[tuple[int, int]], position: int, wrong: Mapping[int, str]
    ) -> None:
        """Reject rows by their number in a block.

        Args:
            rows: the block.
            spans: start and end of each row in it.
            position: of the block in the file.
            wrong: row number to what is wrong with it.
        """
        for number in sorted(wrong):
            start, end = spans[number] if number < len(spans) else (0, 0)
            self.reject(row_text(rows[start:end].strip()), f"{self.path!r}: {wrong[number]}", position + start)


def line_spans(rows: bytes) -> list[tuple[int, int]]:
    """Start and end of each line that is not blank."""
    ends = np.flatnonzero(np.frombuffer(rows, dtype=np.uint8) == ord("\n")) + 1
    starts = [0, *ends.tolist()]
    spans = zip(starts, [*starts[1:], len(rows)], strict=True)
    return [(start, end) for start, end in spans if rows[start:end].strip()]


def whole(column: pa.ChunkedArray) -> pa.Array:
    """A column of a parsed block as one array."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def rows_only(count: int) -> pa.RecordBatch:
    """So many rows of no columns."""
    return pa.record_batch([pa.nulls(count)], names=[""]).select([])
