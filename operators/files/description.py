"""What the descriptions of all file formats share: which files, which columns, declared types, and following.

A description holds no state: what is known of a file is looked up by the file's identity, never kept in the value.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, ClassVar, Self

import attrs
import pyarrow as pa

from flow.durations import Duration, microseconds
from flow.errors import GraphError, SettingsError, known
from flow.schema import WEIGHT
from flow.sink import Sink
from flow.source import Source
from operators.change_streams.forms import Form, as_key
from operators.files.conversion import Declared, declared
from operators.files.paths import FileError, as_paths, find_files


def _names(columns: Iterable[str] | None) -> tuple[str, ...] | None:
    if isinstance(columns, Mapping | pa.Schema):
        raise GraphError(f"columns= takes the names of the columns to read; their types are given by types={columns!r}")
    if isinstance(columns, str):
        raise GraphError(f"columns= takes a list of names: columns=[{columns!r}]")
    return None if columns is None else tuple(columns)


def _poll_seconds(follow: Duration | None) -> float | None:
    if follow is None:
        return None
    seconds = microseconds(follow) / 1e6
    if isinstance(follow, bool) or seconds <= 0:
        raise SettingsError(f"follow is the time between looks for new data, such as '1s', not {follow!r}")
    return seconds


@attrs.frozen
class Layout:
    """How the files of a source are read; formats that need to know more than the schema extend it."""

    schema: pa.Schema

    def narrow(self, columns: Sequence[str] | None) -> Self:
        """The layout for some of the columns.

        Raises:
            GraphError: there is no such column.
        """
        there = frozenset(self.schema.names)
        names = self.schema.names if columns is None else columns
        for name in names:
            if name not in there:
                raise GraphError(f"no column {name!r}; {known(name, there)}")
        return attrs.evolve(self, schema=pa.schema([self.schema.field(name) for name in names]))


@lru_cache(maxsize=256)
def _memory(description: FileSource) -> dict[str, Layout]:
    """What this process has found out about a description."""
    return {}


@attrs.frozen
class FileSource(Source):
    """Files of one format, to read; `as_sink` makes the sink that writes the format.

    Attributes:
        path: files, globs or directories to read; the directory to write.
        columns: what to read, in this order (default: all).
        types: declared types of columns; values are converted, and a row with a value that does not fit is rejected.
        follow: seconds between looks for new data (default: only what is there at the start).
        compression: of the files ("none" where a file's ending says otherwise).
        changes: "weight" where a column `_weight` says of each row how often it comes or, below zero, goes; and how a
            sink writes a changelog (see `PartsSink`).
        key: names of the key columns, for those forms of changes that have one.
        overwrite: whether a sink removes what earlier runs wrote.
        looked: whether types stay as they were seen when this was made of another description.
        unbounded: whether files are followed, so that the input may go on for ever.
    """

    never_waits = True

    endings: ClassVar[tuple[str, ...]]

    path: tuple[str, ...] = attrs.field(converter=as_paths)
    columns: tuple[str, ...] | None = attrs.field(default=None, converter=_names)
    types: Declared = attrs.field(default=(), converter=declared)
    follow: float | None = attrs.field(default=None, converter=_poll_seconds, kw_only=True)
    compression: str | None = attrs.field(default=None, kw_only=True)
    changes: Form | None = attrs.field(default=None, kw_only=True)
    key: tuple[str, ...] = attrs.field(default=(), converter=as_key, kw_only=True)
    overwrite: bool = attrs.field(default=False, kw_only=True)
    looked: bool = attrs.field(default=False, kw_only=True, eq=False, repr=False)
    unbounded: bool = attrs.field(init=False, repr=False, eq=False)

    @unbounded.default
    def _unbounded(self) -> bool:
        return self.follow is not None

    def schema(self) -> pa.Schema:
        """Names and types of what is read, as the first file and the declared types say."""
        return self.layout(again=not self.looked).schema

    def layout(self, *, again: bool = False) -> Layout:
        """How the files are read: one layout for all of them, remembered for the readers until it is looked at again.

        Raises:
            GraphError: there is no file, the first cannot be read, or it does not fit what is declared.
        """
        memory = _memory(self)
        layout = None if again else memory.get("layout")
        if layout is None:
            layout = memory["layout"] = self.look()
        return layout

    @abstractmethod
    def look(self) -> Layout:
        """The layout, from the first file."""

    @property
    def discover_every(self) -> float | None:
        """Seconds between looks for new files, where files are followed."""
        return self.follow

    def files(self) -> list[str]:
        """The files to read, in order.

        Raises:
            FileError: a path means none.
        """
        return find_files(self.path, self.endings, none_allowed=self.unbounded)

    def first_file(self) -> str | None:
        """The file that fixes the schema; None where there is none yet."""
        return next(iter(self.files()), None)

    def narrow(self, columns: Sequence[str], predicate: Any = None) -> Self:
        """The same files, of which only these columns are read, in this order."""
        return self.variant(columns=tuple(columns))

    def variant(self, **changes: Any) -> Self:
        """The same files read in another way; they are not looked at again, so types stay as they were seen."""
        changed = attrs.evolve(self, looked=True, **changes)
        _memory(changed)["layout"] = self.layout().narrow(changed.columns)
        return changed

    @abstractmethod
    def as_sink(self) -> Sink:
        """The sink that writes such files to the directory."""

    def directory(self) -> str:
        """The directory that the sink writes."""
        if len(self.path) != 1:
            raise GraphError(f"a sink writes one directory, not {list(self.path)}")
        return self.path[0]

    def pick(self, held: pa.Schema, where: str) -> pa.Schema:
        """The wanted ones of the columns that a file holds, with their declared types.

        Text stays dictionary-encoded where it is read so: a declared string says what the values are.

        Raises:
            GraphError: a wanted or declared column is not there.
        """
        for name in (*(self.columns or ()), *(name for name, _ in self.types)):
            if held.get_field_index(name) < 0:
                raise FileError(f"{where!r} has no column {name!r}; {known(name, held.names)}")
        types = dict(self.types)
        names = held.names if self.columns is None else self.columns
        if self.changes == "weight":
            if WEIGHT not in held.names:
                raise FileError(f"{where!r} has no column {WEIGHT!r}, which says whether a row comes or goes")
            types[WEIGHT] = pa.int64()
            names = [*(name for name in names if name != WEIGHT), WEIGHT]
        fields = []
        for name in names:
            kind = held.field(name).type
            if not (pa.types.is_dictionary(kind) and types.get(name) == kind.value_type):
                kind = types.get(name, kind)
            fields.append(pa.field(name, kind))
        return pa.schema(fields)

    def declared_columns(self) -> pa.Schema:
        """What is declared, where there is no file yet that tells the columns.

        Raises:
            GraphError: nothing is declared.
        """
        if not self.types:
            raise FileError(
                f"nothing in {list(self.path)} tells the columns yet: declare their names and types (`types` in Python)"
            )
        return pa.schema(self.types)
