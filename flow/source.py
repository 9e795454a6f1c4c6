"""Source → Split → Reader: how data comes in.

A source is a frozen description; a reader is one open split, owned by exactly one task.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import attrs
import pyarrow as pa

Offset = Any
"""Where to resume, *after* the last row returned: any JSON value."""


@attrs.frozen
class Split:
    """A part of a source that is readable on its own: a file, a row group, a byte range, a Kafka partition.

    Attributes:
        id: stable, and unique in its source; shown in errors and stored in snapshots.
        detail: whatever the source needs to open it (any JSON value).
        earliest: no event time in the split is before this (microseconds), where known without reading it.
        size: bytes to read, where known.
        sequence: splits of the same sequence are parts of one ordered whole (row groups of one file).
    """

    id: str
    detail: Any = None
    earliest: int | None = None
    size: int | None = None
    sequence: str | None = None


@attrs.frozen
class Idle:
    """A reader's answer "nothing now": ask again after this many seconds."""

    seconds: float


@attrs.frozen
class RejectedRow:
    """A row of input that could not be read.

    Attributes:
        row: the row as found (text, shortened where huge).
        error: what is wrong with it.
        offset: where it stands.
    """

    row: str
    error: str
    offset: Offset = None


class _Rejects:
    """Collects rejected rows until the runtime applies the node's error policy to them."""

    _rejected: list[RejectedRow] | None = None

    def reject(self, row: str, error: str, offset: Offset = None) -> None:
        """Report a row that cannot be read; the node's error policy decides what becomes of it."""
        if self._rejected is None:
            self._rejected = []
        self._rejected.append(RejectedRow(row, error, offset))

    def take_rejected(self) -> list[RejectedRow]:
        """The rows rejected since the last call."""
        rejected, self._rejected = self._rejected or [], None
        return rejected


class Reader(_Rejects, ABC):
    """One open split, read by blocking calls in a worker thread."""

    @abstractmethod
    def read(self) -> pa.RecordBatch | Idle | None:
        """The next rows, `Idle` when there are none now, or None at the end of the split.

        A call should return within about a second: a run that is aborted abandons a call that does not.
        """

    def offset(self) -> Offset:
        """Where to resume after the last row returned; None where the split cannot be resumed midway."""
        return None

    @property
    def ended(self) -> bool:
        """Whether it is known that nothing follows what was returned, so that nobody has to ask once more."""
        return False

    def close(self) -> None:
        """Give back files and connections; called once, also after a failure."""


class AsyncReader(_Rejects, ABC):
    """One open split, read by awaiting on the event loop (trio)."""

    @abstractmethod
    async def read(self) -> pa.RecordBatch | Idle | None:
        """As `Reader.read`, and may wait as long as it likes, but must let cancellation through: a drain cancels it.

        Called in a task of its own, so commits and the idle timeout do not wait for it.
        """

    def offset(self) -> Offset:
        """As `Reader.offset`."""
        return None

    async def aclose(self) -> None:
        """As `Reader.close`."""


class Source(ABC):
    """Describes input. Implementations are frozen attrs classes: comparable, printable, picklable."""

    unbounded: bool = False
    """Whether the input may go on for ever."""

    never_waits: bool = False
    """Whether what there is to read is there already (files, memory), so that reading is a matter of computing."""

    @abstractmethod
    def schema(self) -> pa.Schema:
        """Names and types of what the readers return; may look at the input. Raises where it cannot be known."""

    @abstractmethod
    def splits(self) -> Sequence[Split]:
        """What is there to read, in order.

        A source with `discover_every` is asked again; it returns all of them every time, old ones included.
        """

    @abstractmethod
    def open(self, split: Split, offset: Offset = None) -> Reader | AsyncReader:
        """Open a split, after `offset` where one is given. Called in a worker thread."""

    @property
    def discover_every(self) -> float | None:
        """Seconds between looks for new splits; None where the splits never change."""
        return None

    def for_event_time(self, column: str) -> Source:
        """The same source knowing its event time column, so that splits can say the `earliest` time in them.

        The default ignores it: then the watermark waits until every split has been opened.
        """
        return self

    def narrow(self, columns: Sequence[str], predicate: Any = None) -> Source:
        """The same source reading only these columns (in this order), and, if it can, only rows that may match.

        `predicate` is a `pyarrow.compute.Expression` over the source's columns, or None. It is a hint: rows that do not
        match may still be returned. The default ignores both, which is always right but never fast.
        """
        return self
