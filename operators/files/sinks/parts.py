"""Part files: what every sink that writes a directory of files shares.

A part is written aside under a hidden name, made durable when its epoch is prepared, and renamed into place when the
epoch commits: whoever lists the directory sees whole files of committed epochs, and nothing else.
"""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar

import attrs
import pyarrow as pa

from flow.errors import GraphError, known
from flow.schema import StreamSchema
from flow.sink import Sink, Writer, WriterContext
from operators.change_streams.forms import ChangeForm, Form, as_key, check_form

BUFFER_ROWS = 131_072
BUFFER_BYTES = 32 << 20

_PART = re.compile(r"part-.+-\d+-\d+\.\w+(\.\w+)?")


class PartFormat(ABC):
    """One open part file, of one format."""

    @abstractmethod
    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows; they come in batches that are worth a row group."""

    def finish(self) -> None:
        """Write what the format has at the end of a file; the file itself may be left open."""

    def abandon(self) -> None:
        """Close what stands between the rows and the file, which nobody wants any more."""


def _directory(path: str | os.PathLike[str]) -> str:
    return os.fspath(path)


@attrs.frozen
class PartsSink(Sink):
    """A directory of part files, ``part-<run>-<node>-<writer>-<epoch>.<ending>``.

    The directory is made where there is none, and removed again where nothing was committed. Parts of earlier runs
    stay, so that runs append, unless `overwrite` is set. An epoch in which a writer got no row leaves no part, except
    that a directory is never left without any: readers then find one part that has the columns and no row.

    Attributes:
        path: the directory.
        changes: how a changelog is written: ``"weight"`` with its ``_weight`` column; ``"upsert"`` by key, as the rows
            that come and, with ``_deleted``, those that go; ``"debezium"`` (JSON only) as change events. None refuses
            changelogs.
        key: names of the columns by which no two rows are equal at the same time; with it there is one writer.
        overwrite: remove the parts of earlier runs when the first epoch commits.
    """

    ending: ClassVar[str]
    instead: ClassVar[str] = (
        "write changes, with changes='weight' (a column _weight), 'upsert' (by key) or, as JSON, 'debezium', "
        "or only what is final (EMIT FINAL)"
    )

    path: str = attrs.field(converter=_directory)
    forms: ClassVar[tuple[Form, ...]] = ("weight", "upsert")

    changes: Form | None = attrs.field(default=None, kw_only=True)
    key: tuple[str, ...] = attrs.field(default=(), converter=as_key, kw_only=True)
    overwrite: bool = attrs.field(default=False, kw_only=True)
    takes_changes: bool = attrs.field(init=False, repr=False, eq=False)
    single_writer: bool = attrs.field(init=False, repr=False, eq=False)  # type: ignore[misc]  # a constant elsewhere
    _made: dict[str, list[str]] = attrs.field(factory=dict, init=False, repr=False, eq=False)
    """By run that has not committed anything yet: the directories that it made, the innermost first."""

    @takes_changes.default
    def _takes_changes(self) -> bool:
        return self.changes is not None

    @single_writer.default
    def _single_writer(self) -> bool:
        return bool(self.key)

    @changes.validator
    def _known_changes(self, attribute: attrs.Attribute[str], value: str | None) -> None:
        check_form(value, self.forms)

    @property
    def form(self) -> ChangeForm | None:
        """The form in which changes are written; None where they are not."""
        return None if self.changes is None else ChangeForm(self.changes, self.key)

    def fed_by(self, stream: Any, name: str) -> Any:
        """The stream, with the changes of each key in order where they are written by key."""
        if self.form is not None:
            return self.form.feed(stream, name)
        return stream

    def check(self, schema: StreamSchema) -> None:
        """Raise GraphError where the stream or the path cannot be written."""
        super().check(schema)
        if "*" in self.path or "?" in self.path:
            raise GraphError(f"a sink writes one directory; {self.path!r} is a pattern")
        if os.path.isfile(self.path):
            raise GraphError(f"a sink writes a directory of part files; {self.path!r} is a file")
        if not schema.columns.names:
            raise GraphError("the stream has no columns, and a file needs at least one")
        columns = schema.columns
        if self.form is not None:
            self.form.check(schema)
            columns = self.form.columns(schema)
        self.check_columns(columns)

    @abstractmethod
    def check_columns(self, columns: pa.Schema) -> None:
        """Raise GraphError where the format has no way to write a column."""

    @abstractmethod
    def start(self, file: pa.NativeFile, columns: pa.Schema) -> PartFormat:
        """Begin a part in an open, empty file."""

    def open(self, context: WriterContext) -> PartsWriter:
        """A writer of parts; makes the directory."""
        if made := _make(self.path):
            self._made[context.run_id] = made
        return PartsWriter(self, context)

    def keep(self, run_id: str) -> None:
        """A run committed: what it made stays."""
        self._made.pop(run_id, None)

    def unmake(self, run_id: str) -> None:
        """Remove what a run made, if it committed nothing, and nobody else has put anything there."""
        _remove(self._made.get(run_id, []))


def compressed(file: pa.NativeFile, compression: str | None) -> pa.NativeFile:
    """A file that compresses what is written into `file`."""
    return file if compression is None else pa.CompressedOutputStream(file, compression)


COMPRESSION_ENDINGS = {None: "", "gzip": ".gz", "zstd": ".zst"}
"""By compression of a text file: what its name ends with, so that readers know it."""


def known_compression(instance: object, attribute: attrs.Attribute[str], value: str | None) -> None:
    """An attrs validator: raises GraphError where a text file cannot be compressed so."""
    if value not in COMPRESSION_ENDINGS:
        names = [name for name in COMPRESSION_ENDINGS if name]
        raise GraphError(f"no compression {value!r} for such files; {known(str(value), names)}")


class PartsWriter(Writer):
    """Writes one part an epoch; small batches wait in memory until they are worth a row group."""

    def __init__(self, sink: PartsSink, context: WriterContext) -> None:
        node = re.sub(r"\W+", "_", context.node)[:60]
        self._sink = sink
        self._run_id = context.run_id
        self._schema = context.schema
        self._form = sink.form
        self._columns = context.schema.columns if self._form is None else self._form.columns(context.schema)
        self._run = f"part-{context.run_id}-"
        self._stem = f"{self._run}{node}-{context.writer}"
        self._first_writer = context.writer == 0
        self._before_first_commit = True
        self._hidden = os.path.join(sink.path, f".{self._stem}{sink.ending}.inprogress")
        self._file: pa.OSFile | None = None
        self._format: PartFormat | None = None
        self._prepared = False
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_rows = 0
        self._waiting_bytes = 0
        self._broken = ""

    def write(self, batch: pa.RecordBatch) -> None:
        """Take rows, to be written once there are enough of them."""
        if self._form is not None:
            batch = self._form.apply(batch, self._schema)
        if not batch.num_rows:
            return
        self._waiting.append(batch)
        self._waiting_rows += batch.num_rows
        self._waiting_bytes += batch.nbytes
        if self._waiting_rows >= BUFFER_ROWS or self._waiting_bytes >= BUFFER_BYTES:
            self._flush()

    def prepare(self, epoch: int) -> None:
        """Finish the epoch's part and put it on the disk, still hidden."""
        if self._broken:
            raise OSError(f"rows that were taken before could not be written: {self._broken}")
        if self._waiting:
            self._flush()
        elif self._format is None:
            if not (self._first_writer and self._before_first_commit and (self._sink.overwrite or not self._parts())):
                return
            self._start()
        assert self._file is not None
        assert self._format is not None
        with _naming(self._hidden):
            if os.path.exists(self._part(epoch)):
                raise FileExistsError(f"{self._part(epoch)!r} is there already; another sink of this run wrote it")
            self._format.finish()
            self._file.close()
            _sync(self._hidden)
        self._file = self._format = None
        self._prepared = True

    def commit(self, epoch: int) -> None:
        """Let the epoch's part appear."""
        self._sink.keep(self._run_id)
        changed = self._prepared
        if self._prepared:
            os.rename(self._hidden, self._part(epoch))
            self._prepared = False
        if self._sink.overwrite and self._before_first_commit and self._first_writer:
            for name in self._parts():
                if not name.startswith(self._run):
                    Path(self._sink.path, name).unlink(missing_ok=True)
                    changed = True
        self._before_first_commit = False
        if changed:
            _sync(self._sink.path)

    def abort(self) -> None:
        """Remove what was written since the last commit."""
        self._waiting.clear()
        self._waiting_rows = self._waiting_bytes = 0
        if self._file is not None:
            # Closing the layers above the file makes them write their ends, for which a full disk has no room.
            if not self._file.closed:
                with open(os.devnull, "wb") as nowhere:
                    os.dup2(nowhere.fileno(), self._file.fileno())
            if self._format is not None:
                with suppress(OSError, ValueError):
                    self._format.abandon()
            self._format = None
            self._file.close()
            self._file = None
            self._prepared = True
        if self._prepared:
            Path(self._hidden).unlink(missing_ok=True)
            self._prepared = False

    def close(self) -> None:
        """Give back the file; what was not committed is gone."""
        self.abort()
        self._sink.unmake(self._run_id)

    def _part(self, epoch: int) -> str:
        return os.path.join(self._sink.path, f"{self._stem}-{epoch}{self._sink.ending}")

    def _parts(self) -> Sequence[str]:
        return [name for name in os.listdir(self._sink.path) if _PART.fullmatch(name)]

    def _start(self) -> PartFormat:
        with _naming(self._hidden):
            os.close(os.open(self._hidden, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
            self._file = pa.OSFile(self._hidden, "wb")
            self._format = self._sink.start(self._file, self._columns)
        return self._format

    def _flush(self) -> None:
        waiting = self._waiting
        self._waiting = []
        self._waiting_rows = self._waiting_bytes = 0
        try:
            part = self._format or self._start()
            batch = waiting[0] if len(waiting) == 1 else pa.concat_batches(waiting)
            with _naming(self._hidden):
                for piece in _bounded(batch):
                    part.write(piece)
        except Exception as error:
            # Rows of earlier batches are gone with it: whatever the policy for this one, the epoch must not commit.
            self._broken = f"{type(error).__name__}: {error}"
            raise


def _make(path: str) -> list[str]:
    """Make a directory and those above it; those that were not there, the innermost first."""
    missing: list[str] = []
    above = path
    while above and not os.path.lexists(above):
        missing.append(above)
        above = os.path.dirname(above)
    try:
        os.makedirs(path, exist_ok=True)
    except OSError:
        _remove(missing)
        raise
    return missing


def _remove(directories: Sequence[str]) -> None:
    """Remove empty directories, the innermost of them first."""
    for directory in directories:
        # Whatever keeps one of them keeps those around it.
        with suppress(OSError):
            os.rmdir(directory)


def _bounded(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """A batch in pieces about as large as the buffer."""
    pieces = max(batch.num_rows // BUFFER_ROWS, batch.nbytes // BUFFER_BYTES, 1)
    rows = -(-batch.num_rows // pieces)
    for start in range(0, batch.num_rows, rows):
        yield batch.slice(start, rows)


@contextmanager
def _naming(path: str) -> Iterator[None]:
    """Let errors of the file system tell which file they are about, which pyarrow's do not."""
    try:
        yield
    except OSError as error:
        if error.errno is None or error.filename is not None:
            raise
        raise OSError(error.errno, os.strerror(error.errno), path) from error


def _sync(path: str) -> None:
    """Put a file, or the names in a directory, on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
