"""What is read at one go: many small reads of a split are taken together, so that they cost one hop to a thread."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from time import perf_counter_ns

import attrs
import pyarrow as pa

from flow.errors import columns_told
from flow.origin import Origins
from flow.schema import WEIGHT
from flow.source import AsyncReader, Idle, Offset, Reader, RejectedRow
from flow.steps import Send

Begun = tuple[Iterator[Send], list[Send], bool]
"""Work that has been begun: what is left of it, what it has sent so far, and whether that was all."""

LOOK = 20_000_000
"""Nanoseconds for which small reads are gathered before they are handed on."""

MOST_ROWS = 131_072
"""Rows after which reads are handed on."""

MOST_BYTES = 8 << 20
"""Bytes after which reads are handed on."""

_SMALL = 4_096


@attrs.frozen
class Read:
    """What was read at one go.

    Attributes:
        offset: where to resume the split after these rows.
        size: bytes.
        rejected: rows that could not be read.
        time: the reader's watermark after these rows.
        quiet: nothing more is there now.
        origins: where the rows come from, for messages.
        begun: what has been made of these rows in the same hop to a thread, where the feed was told what to do.
    """

    split: str
    batches: Sequence[pa.RecordBatch]
    offset: Offset
    size: int
    rejected: Sequence[RejectedRow]
    time: int
    quiet: bool
    origins: Origins
    begun: Begun | None = None

    @property
    def rows(self) -> int:
        """How many rows."""
        return sum(batch.num_rows for batch in self.batches)


class Gathered:
    """Reads of one split taken together, so that many small ones cost one hop to a thread."""

    def __init__(self, columns: pa.Schema) -> None:
        self._columns = columns
        self._weight = columns.get_field_index(WEIGHT)
        self.batches: list[pa.RecordBatch] = []
        self.rows = 0
        self.bytes = 0
        self.offset: Offset = None
        self.rejected: list[RejectedRow] = []
        self.idle: float | None = None
        self.ended = False

    def gather(self, reader: Reader, *, many: bool) -> None:
        """Read, and where a further read does not wait, until it is enough."""
        started = perf_counter_ns()
        while self.take(reader.read()) and many:
            if self.rows > MOST_ROWS or self.bytes > MOST_BYTES or perf_counter_ns() - started > LOOK:
                break

    def take_from(self, reader: Reader | AsyncReader) -> None:
        """Take in what a reader tells beside the rows."""
        self.offset = reader.offset()
        self.rejected += reader.take_rejected()
        self.ended = self.ended or (isinstance(reader, Reader) and reader.ended)

    def take(self, answer: pa.RecordBatch | Idle | None) -> bool:
        """Take in what a reader answered; whether to ask again."""
        if answer is None:
            self.ended = True
            return False
        if isinstance(answer, Idle):
            self.idle = answer.seconds
            return False
        if not isinstance(answer, pa.RecordBatch):
            raise TypeError(f"the reader returned a {type(answer).__name__}; it should be a record batch")
        if answer.schema != self._columns:
            raise TypeError(
                f"the reader returned the columns {columns_told(answer.schema)}, not {columns_told(self._columns)}"
            )
        batch = answer
        if self._weight >= 0 and batch.column(self._weight).null_count:
            batch = self._weighed(batch)
        rows = batch.num_rows
        if rows:
            # Asking a small batch for its bytes takes longer than reading it: the first ones tell for the others.
            small = self.rows and rows <= _SMALL
            self.bytes += self.bytes * rows // self.rows if small else batch.nbytes
            self.batches.append(batch)
            self.rows += rows
        return True

    def _weighed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The rows of a changelog that say how often they count; the others are rejected."""
        weights = batch.column(self._weight)
        for row in batch.filter(weights.is_null()).to_pylist():
            self.rejected.append(RejectedRow(json.dumps(row, default=str), f"NULL in {WEIGHT!r}"))
        return batch.filter(weights.is_valid())
