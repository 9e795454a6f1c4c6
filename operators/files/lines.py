"""Text files as blocks of whole rows: byte ranges, compressed streams, files that grow.

A range owns the rows that begin in it, so the ranges of a file share its rows exactly, wherever they are cut. A line
end inside a quoted field ends no row, and whether a line end is inside one is never guessed.
"""

from __future__ import annotations

import io
import os
import re
import threading
from functools import lru_cache
from typing import Any, Final

import numpy as np
import pyarrow as pa

from operators.files.paths import FileError, Identity, reading

MAX_ROW: Final = 256 << 20
"""Bytes in which a row must end: what is longer is no text file, or a quote in it is never closed."""

_TAIL: Final = 1 << 12
_CODECS = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2", ".lz4": "lz4"}


def codec(path: str, compression: str | None) -> str | None:
    """How a file is compressed: as declared, else as its ending says."""
    return written(compression) if compression else _CODECS.get(os.path.splitext(path)[1].lower())


def written(compression: str | None) -> str | None:
    """A declared compression; "none" is none."""
    return None if compression == "none" else compression


def endings(*names: str) -> tuple[str, ...]:
    """What file names end with, as they are and compressed."""
    return tuple(f".{name}{codec}" for name in names for codec in ("", *_CODECS))


def block_bytes(taken: int, rows: int) -> int:
    """Bytes that make about 65,536 rows where `rows` took `taken` bytes, between 64 kB and 4 MB."""
    return min(max(65_536 * taken // rows, 1 << 16), 4 << 20) if rows else 1 << 20


class Quoting:
    """How rows end where fields may be quoted: a quote opens a field only at its beginning, and is doubled inside."""

    def __init__(self, quote: str, delimiter: str) -> None:
        self.quote = quote.encode()
        self._before = np.frombuffer(delimiter.encode() + b"\r\n", dtype=np.uint8)
        q, d = re.escape(self.quote), re.escape(delimiter.encode())
        quoted = rb"%b(?:[^%b]++|%b%b)*+%b[^%b\n]*+" % (q, q, q, q, q, d)
        field = rb"(?:%b|[^%b%b\n][^%b\n]*+|)" % (quoted, q, d, d)
        self._row = re.compile(rb"%b(?:%b%b)*+(?:\n|\Z)" % (field, d, field))

    def last_end(self, data: bytes) -> int:
        """Where the last whole row ends in data that begins with a row; 0 where none does."""
        quotes = self.positions(data)
        if not len(quotes):
            return data.rfind(b"\n") + 1
        if self.clean(data, quotes):
            end = data.rfind(b"\n")
            for _ in range(64):
                if end < 0:
                    return 0
                if np.searchsorted(quotes, end) % 2 == 0:
                    return end + 1
                # What follows the opening quote is inside the field.
                end = data.rfind(b"\n", 0, int(quotes[np.searchsorted(quotes, end) - 1]))
        ends = [end for _, end in self.rows(data) if data[end - 1 : end] == b"\n"]
        return ends[-1] if ends else 0

    def rows(self, data: bytes) -> list[tuple[int, int]]:
        """Start and end of every row in data that begins with one, up to a row whose quote is never closed."""
        rows, position = [], 0
        while position < len(data):
            match = self._row.match(data, position)
            if match is None:
                break
            rows.append((position, match.end()))
            position = match.end()
        return rows

    def first_end(self, data: bytes) -> int:
        """Where the first row ends, with or without a line end; 0 where its quote is never closed."""
        match = self._row.match(data)
        return match.end() if match else 0

    def positions(self, data: bytes) -> Any:
        """Where the quotes are."""
        if self.quote not in data:
            return np.empty(0, dtype=np.int64)
        return np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == self.quote[0])

    def clean(self, data: bytes, quotes: Any, *, inside: bool = False, before: bytes = b"\n") -> bool:
        """Whether every second quote opens a field (or doubles the quote before it), so that counting them is exact.

        Args:
            data: text that begins `inside` a quoted field or outside of one, after the byte `before`.
            quotes: positions of the quotes in it.
            inside: see `data`.
            before: see `data`.
        """
        opening = quotes[1::2] if inside else quotes[::2]
        if len(opening) == 0:
            return True
        array = np.frombuffer(data, dtype=np.uint8)
        previous = np.where(opening > 0, array[opening - 1], before[0])
        return bool(np.isin(previous, np.append(self._before, self.quote[0])).all())


class _Cuts:
    """Where the ranges of a file begin: at the first row that begins at or after a multiple of the range size.

    Found in order, by counting quotes range by range: a range is counted when it is opened, shortly before it is read.
    """

    def __init__(self, identity: Identity, begin: int, step: int, quoting: Quoting | None) -> None:
        self._identity = identity
        self._step = step
        self._quoting = quoting
        self._lock = threading.Lock()
        self._cuts = [begin]
        self._inside = False
        self._last = b"\n"

    def cut(self, number: int) -> int:
        with self._lock, open(self._identity.path, "rb", buffering=0) as file:
            if self._quoting is None:
                return self._cuts[0] if number == 0 else self._first_line(file, number * self._step)
            while len(self._cuts) <= number:
                self._cuts.append(self._next(file, self._quoting))
            return self._cuts[number]

    def _first_line(self, file: io.FileIO, position: int) -> int:
        if position <= self._cuts[0]:
            return self._cuts[0]
        position -= 1
        file.seek(position)
        while data := file.read(1 << 16):
            end = data.find(b"\n")
            if end >= 0:
                return position + end + 1
            position += len(data)
        return self._identity.size

    def _next(self, file: io.FileIO, quoting: Quoting) -> int:
        # The state of counting is that of the last nominal cut; it moves on by one range.
        number = len(self._cuts)
        size = self._identity.size
        start, nominal = max((number - 1) * self._step, self._cuts[0]), number * self._step
        if self._cuts[-1] >= size or nominal >= size:
            return size
        if nominal > start and not self._count(file, start, nominal, quoting):
            return size
        if self._cuts[-1] >= nominal:
            return self._cuts[-1]
        if self._last == b"\n" and not self._inside:
            return nominal
        position, inside, before = nominal, self._inside, self._last
        file.seek(position)
        while data := file.read(1 << 16):
            quotes = quoting.positions(data)
            if not quoting.clean(data, quotes, inside=inside, before=before):
                return size
            end = data.find(b"\n")
            while end >= 0:
                index = int(np.searchsorted(quotes, end))
                if (index % 2 == 1) == inside:
                    return position + end + 1
                end = data.find(b"\n", int(quotes[index])) if index < len(quotes) else -1
            inside ^= len(quotes) % 2 == 1
            before = data[-1:]
            position += len(data)
        return size

    def _count(self, file: io.FileIO, start: int, stop: int, quoting: Quoting) -> bool:
        file.seek(start)
        while start < stop and (data := file.read(min(stop - start, 1 << 20))):
            quotes = quoting.positions(data)
            if not quoting.clean(data, quotes, inside=self._inside, before=self._last):
                return False
            self._inside ^= len(quotes) % 2 == 1
            self._last = data[-1:]
            start += len(data)
        return True


@lru_cache(maxsize=256)
def _cuts(identity: Identity, begin: int, step: int, quote: str | None, delimiter: str) -> _Cuts:
    return _Cuts(identity, begin, step, None if quote is None else Quoting(quote, delimiter))


def cut(identity: Identity, number: int, begin: int, step: int, quote: str | None = None, delimiter: str = ",") -> int:
    """Where range `number` of a file begins: its first row, where rows begin at byte `begin` of the file."""
    with reading(identity.path):
        return _cuts(identity, begin, step, quote, delimiter).cut(number)


class Lines:
    """Blocks of whole rows of a file, from a row's beginning on.

    Attributes:
        position: where the next block begins (in the decompressed text).
        ended: whether the last block was the last of the range.
    """

    def __init__(
        self,
        path: str,
        position: int = 0,
        end: int | None = None,
        *,
        block: int,
        quoting: Quoting | None = None,
        compression: str | None = None,
        growing: bool = False,
    ) -> None:
        self.position = position
        self._path = path
        self._end = end
        self._block = block
        self._quoting = quoting
        self._growing = growing
        self._pending = b""
        self._at = position
        self.ended = False
        with reading(path):
            self._file: Any
            if compression is None:
                self._file = open(path, "rb", buffering=0)  # noqa: SIM115  # lives as long as the reader
                self._file.seek(position)
            else:
                self._file = pa.input_stream(path, compression=compression)
                self._skip(position)

    def next(self) -> bytes | None:
        """The next whole rows, or None: at the end, or, of a growing file, where no whole row follows yet."""
        with reading(self._path):
            return self._next()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def skip_to(self, position: int) -> None:
        """Go on from a later row."""
        with reading(self._path):
            self._pending = b""
            if isinstance(self._file, io.FileIO):
                self._file.seek(position)
            else:
                self._skip(position - self._at)
        self.position = self._at = position

    def check_growing(self) -> None:
        """Raise FileError where the file has been cut off or replaced since it was opened."""
        with reading(self._path):
            here, there = os.fstat(self._file.fileno()), os.stat(self._path)
        if (here.st_ino, here.st_dev) != (there.st_ino, there.st_dev):
            raise FileError(f"{self._path!r} is followed, and has been replaced by another file; it may only grow")
        if there.st_size < self.position + len(self._pending):
            raise FileError(
                f"{self._path!r} is followed, and has been cut off to {there.st_size} bytes, of which "
                f"{self.position + len(self._pending)} were read; it may only grow"
            )

    def _next(self) -> bytes | None:
        data = self._pending
        wanted = max(self._block, 2 * len(data)) if data else self._to_line_end(self._block)
        while True:
            more = self._read(wanted - len(data))
            data = data + more if data else more
            if len(data) < wanted and not more:
                if self._growing:
                    whole = self._last_end(data)
                    self._pending = data
                    return self._give(data, whole) if whole else None
                self._pending = b""
                self.position += len(data)
                self.ended = True
                return data or None
            if len(data) >= wanted:
                whole = self._last_end(data)
                if whole:
                    return self._give(data, whole)
                if len(data) >= MAX_ROW:
                    raise FileError(
                        f"{self._path!r}: the row at byte {self.position} has not ended after {len(data)} bytes; "
                        "this is no text file, or a quote is never closed"
                    )
                wanted = 2 * len(data)

    def _to_line_end(self, wanted: int) -> int:
        """So many bytes, less what follows the last line end in them: then the block need not be copied."""
        if not isinstance(self._file, io.FileIO) or (self._end is not None and self._end - self._at <= wanted):
            return wanted
        tail = min(wanted, _TAIL)
        end = os.pread(self._file.fileno(), tail, self._at + wanted - tail).rfind(b"\n")
        return wanted - tail + end + 1 if end >= 0 else wanted

    def _give(self, data: bytes, whole: int) -> bytes:
        self._pending = data[whole:]
        self.position += whole
        return data[:whole] if self._pending else data

    def _last_end(self, data: bytes) -> int:
        return data.rfind(b"\n") + 1 if self._quoting is None else self._quoting.last_end(data)

    def _read(self, wanted: int) -> bytes:
        if self._end is not None:
            wanted = min(wanted, self._end - self._at)
        data = bytes(self._file.read(wanted)) if wanted > 0 else b""
        self._at += len(data)
        return data

    def _skip(self, count: int) -> None:
        while count > 0:
            data = self._file.read(min(count, 1 << 20))
            if not data:
                raise FileError(f"{self._path!r} is shorter than the offset to resume at")
            count -= len(data)
