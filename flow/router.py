"""Routers: descriptions of which partition gets which rows. How rows are moved is `flow.routing`'s."""

from __future__ import annotations

from typing import Final

import attrs
import pyarrow as pa

from flow.errors import GraphError, known
from flow.hashing import hash_columns
from flow.schema import StreamSchema


@attrs.frozen
class Hash:
    """Rows with equal keys meet in one partition: key → stable hash → key group → partition."""

    keys: tuple[str, ...]

    def check(self, schema: StreamSchema) -> None:
        """Raise GraphError where there is no key, a key is no column, or rows of such types cannot be divided."""
        if not self.keys:
            raise GraphError(
                "a hash router needs at least one key column, else every row goes to one partition; "
                f"known here: {schema.names}"
            )
        names = set(schema.names)
        for key in self.keys:
            if key not in names:
                raise GraphError(f"no key column {key!r}; {known(key, schema.names)}")
            try:
                hash_columns([pa.nulls(0, schema.column_type(key))])
            except TypeError as error:
                raise GraphError(f"key column {key!r}: {error}") from error
        for kind in set(schema.columns.types):
            try:
                pa.nulls(0, kind).take(pa.array([], pa.int64()))
            except pa.ArrowNotImplementedError as error:
                named = [field.name for field in schema.columns if field.type == kind]
                raise GraphError(f"rows with columns of type {kind} cannot be divided: cast {named} first") from error

    def __str__(self) -> str:
        return f"hash({', '.join(self.keys)})"


@attrs.frozen
class _Keyless:
    name: str

    def check(self, schema: StreamSchema) -> None:
        """Any stream will do."""

    def __str__(self) -> str:
        return self.name


class RoundRobin(_Keyless):
    """Batches go to the partitions in turn, whole."""


class Broadcast(_Keyless):
    """Every partition gets every row."""


class Forward(_Keyless):
    """Partition i feeds partition i; no row moves."""


class Aligned(_Keyless):
    """The input is already divided by key: each split feeds one partition directly; no row moves."""


ROUND_ROBIN: Final = RoundRobin("round_robin")
BROADCAST: Final = Broadcast("broadcast")
FORWARD: Final = Forward("forward")
ALIGNED: Final = Aligned("aligned")

Router = Hash | RoundRobin | Broadcast | Forward | Aligned
