"""Sink → Writer: how data goes out.

What a writer wrote in an epoch becomes visible when the epoch commits, and not before.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Protocol, runtime_checkable

import attrs
import pyarrow as pa

from flow.errors import GraphError
from flow.schema import StreamSchema


@attrs.frozen
class WriterContext:
    """What a writer may know of where it runs.

    Attributes:
        node: name of the sink's node.
        writer: this instance's number, from 0.
        writers: how many instances there are.
        schema: what is written.
        run_id: unique to the run; part of the names of files that a run leaves.
    """

    node: str
    schema: StreamSchema
    writer: int = 0
    writers: int = 1
    run_id: str = "run"


class Writer(ABC):
    """One open end of a sink, owned by exactly one task; its calls block and run in worker threads.

    The calls come in this order: `write`*, then `prepare` and `commit` at the end of an epoch, any number of times,
    then `close`. After a failure `abort` comes instead, at any point, and then `close`.
    """

    @abstractmethod
    def write(self, batch: pa.RecordBatch) -> None:
        """Take rows; they may stay invisible until `commit`.

        Takes all of them, or raises and has taken none: under a policy other than ``fail`` they are then tried again in
        halves, and the rows that it refuses alone are given up; those that had been taken would be written twice, or be
        both written and dead letters. A writer that cannot keep to this has to raise in `prepare` as well.
        """

    def prepare(self, epoch: int) -> None:
        """Make what the epoch wrote durable, still invisible; everything that can fail should fail here.

        Where it raises for one writer of a run, no writer commits the epoch.
        """

    def commit(self, epoch: int) -> None:
        """Make what the epoch wrote visible; called once all writers of the run have prepared it.

        Where it raises, the run fails, while all other writers still commit: their part of the epoch is to be seen, and
        what this writer had prepared is lost unless its `abort` keeps it.
        """

    def abort(self) -> None:
        """Remove what was written since the last commit."""

    def close(self) -> None:
        """Give back files and connections; called once, also after a failure."""


class Sink(ABC):
    """Describes output. Implementations are frozen attrs classes: comparable, printable, picklable."""

    single_writer: ClassVar[bool] = False
    """Whether there must be one writer, whatever the number of partitions (a terminal, a callback)."""

    takes_changes: bool = False
    """Whether retractions can be written; a changelog into a sink that cannot is refused before anything runs."""

    instead: ClassVar[str] = "use a sink that takes changes, or operators that only append"
    """What to do with a changelog that it cannot take; ends the error."""

    def check(self, schema: StreamSchema) -> None:
        """Raise GraphError where the stream cannot be written."""
        if schema.changelog and not self.takes_changes:
            raise GraphError(f"the stream is a changelog, and this sink only appends: {self.instead}")

    def fed_by(self, stream: Any, name: str) -> Any:
        """The `Stream` as the sink of this name has to be fed, where an operator or a router belongs in front of it.

        Called by `Stream.sink`, before the sink is added. The default is the stream as it is.

        Raises:
            GraphError: the stream cannot be written.
        """
        return stream

    @abstractmethod
    def open(self, context: WriterContext) -> Writer:
        """A writer of this sink. Called in a worker thread."""


@runtime_checkable
class SinkFormat(Protocol):
    """Something that describes input and can describe output too: a file format at a path."""

    def as_sink(self) -> Sink:
        """The sink that writes what this describes."""
