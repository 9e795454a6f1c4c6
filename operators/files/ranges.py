"""What the descriptions of text formats share: a split is a byte range of a file.

A file that is compressed, or that may grow, is one split.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Sequence

import attrs

from flow.errors import SettingsError
from flow.source import Offset, Reader, Split
from operators.files.description import FileSource
from operators.files.lines import codec
from operators.files.paths import FileError, Identity, reading


def _positive(instance: object, attribute: attrs.Attribute[int], value: int) -> None:
    if value < 1:
        raise SettingsError(f"{attribute.name} must be at least 1, not {value}")


@attrs.frozen
class RangeSource(FileSource):
    """Text files, to read by byte ranges.

    Attributes:
        range_bytes: size of a range; the rows that begin in it make a split.
    """

    range_bytes: int = attrs.field(default=8 << 20, kw_only=True, validator=_positive)

    def splits(self) -> Sequence[Split]:
        """Byte ranges, file by file; whole files where they are followed or compressed."""
        splits = []
        for path in self.files():
            with reading(path):
                size = os.stat(path).st_size
            if self.unbounded or codec(path, self.compression):
                splits.append(Split(path, [path, None, None], None, size, path))
                continue
            for number, start in enumerate(range(0, size, self.range_bytes)):
                length = min(self.range_bytes, size - start)
                splits.append(Split(f"{path}@{start}", [path, number, size], None, length, path))
        return splits

    def open(self, split: Split, offset: Offset = None) -> Reader:
        """A reader of a range; the offset is the byte after the last row returned."""
        path, number, size = split.detail
        if number is None:
            return self.open_rows(path, offset or 0, None)
        identity = Identity.of(path)
        if identity.size < size:
            raise FileError(f"{path!r} has shrunk from {size} to {identity.size} bytes since its splits were listed")
        begin = self.cut(identity, number) if offset is None else offset
        end = None if (number + 1) * self.range_bytes >= size else self.cut(identity, number + 1)
        return self.open_rows(path, begin, end)

    @abstractmethod
    def cut(self, identity: Identity, number: int) -> int:
        """The byte at which the first row of a range begins."""

    @abstractmethod
    def open_rows(self, path: str, begin: int, end: int | None) -> Reader:
        """A reader of the rows from one byte to another."""
