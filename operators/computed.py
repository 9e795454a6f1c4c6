"""Computed: a source whose readers add computed columns, so that one of them can be the event time.

Rows for which a column cannot be computed are rejected by the reader, one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import attrs
import pyarrow as pa

from flow.errors import GraphError
from flow.source import AsyncReader, Idle, Offset, Reader, Source, Split
from operators.expressions import BoundExpression, Expression, expression
from operators.values.text import json_text


def _columns(given: Iterable[tuple[str, Any]]) -> tuple[tuple[str, Expression], ...]:
    return tuple((name, expression(value)) for name, value in given)


@attrs.frozen
class Computed(Source):
    """Another source, with further columns computed from its own.

    What a split says of its earliest event time is about columns that are stored; of a computed one nothing is known.

    Attributes:
        source: what is read.
        computed: names and expressions of the further columns.
        columns: what comes out, in this order (default: the source's columns, then the computed ones).
    """

    source: Source
    computed: tuple[tuple[str, Expression], ...] = attrs.field(converter=_columns)
    columns: tuple[str, ...] | None = attrs.field(default=None, kw_only=True)

    def __attrs_post_init__(self) -> None:
        stored = self.source.schema().names
        for name, _ in self.computed:
            if name in stored:
                raise GraphError(f"the computed column {name!r} needs a name that no column of the source has")

    @property
    def unbounded(self) -> bool:  # type: ignore[override]  # as the source
        """As the source."""
        return self.source.unbounded

    @property
    def never_waits(self) -> bool:  # type: ignore[override]  # as the source
        """As the source."""
        return self.source.never_waits

    @property
    def discover_every(self) -> float | None:
        """As the source."""
        return self.source.discover_every

    def schema(self) -> pa.Schema:
        """The source's columns and the computed ones, or those of them that are wanted."""
        stored = self.source.schema()
        fields = {field.name: field for field in stored}
        fields |= {name: pa.field(name, value.bind(stored).type) for name, value in self.computed}
        return pa.schema([fields[name] for name in (fields if self.columns is None else self.columns)])

    def splits(self) -> Sequence[Split]:
        """The source's."""
        return self.source.splits()

    def open(self, split: Split, offset: Offset = None) -> Reader | AsyncReader:
        """The source's reader, with what computes the columns behind it."""
        stored = self.source.schema()
        adding = _Adding({name: value.bind(stored) for name, value in self.computed}, self.schema())
        inner = self.source.open(split, offset)
        return _AsyncComputedReader(inner, adding) if isinstance(inner, AsyncReader) else _ComputedReader(inner, adding)

    def narrow(self, columns: Sequence[str], predicate: Any = None) -> Computed:
        """The source reading what these columns need; rows are skipped where its own columns tell."""
        computed = tuple((name, value) for name, value in self.computed if name in columns)
        needed = frozenset(columns).union(*(value.columns for _, value in computed))
        stored = self.source.schema()
        read = [name for name in stored.names if name in needed] or stored.names[:1]
        if predicate is not None:
            try:
                stored.empty_table().filter(predicate)
            except pa.ArrowInvalid:
                # It speaks of a computed column.
                predicate = None
        return Computed(self.source.narrow(read, predicate), computed, columns=tuple(columns))


class _Adding:
    """Adds the columns to batches."""

    def __init__(self, computed: dict[str, BoundExpression], schema: pa.Schema) -> None:
        self._computed = {name: value for name, value in computed.items() if name in schema.names}
        self._schema = schema

    def __call__(self, batch: pa.RecordBatch, reader: Reader | AsyncReader) -> pa.RecordBatch:
        """The batch with its further columns, without the rows that are rejected."""
        parts = list(self._parts(batch, reader)) or [pa.RecordBatch.from_pylist([], schema=self._schema)]
        return parts[0] if len(parts) == 1 else pa.concat_batches(parts)

    def _parts(self, batch: pa.RecordBatch, reader: Reader | AsyncReader) -> Iterator[pa.RecordBatch]:
        try:
            added = {name: value(batch) for name, value in self._computed.items()}
        except Exception as error:
            if batch.num_rows <= 1:
                for row in json_text(batch.to_struct_array()).to_pylist():
                    reader.reject(row, f"{type(error).__name__}: {error}", reader.offset())
                return
            half = batch.num_rows // 2
            yield from self._parts(batch.slice(0, half), reader)
            yield from self._parts(batch.slice(half), reader)
            return
        columns = [added[name] if name in added else batch.column(name) for name in self._schema.names]
        yield pa.RecordBatch.from_arrays(columns, schema=self._schema)


class _ComputedReader(Reader):
    def __init__(self, inner: Reader, adding: _Adding) -> None:
        self._inner = inner
        self._adding = adding

    def read(self) -> pa.RecordBatch | Idle | None:
        batch = self._inner.read()
        self._rejected = [*(self._rejected or ()), *self._inner.take_rejected()]
        return self._adding(batch, self) if isinstance(batch, pa.RecordBatch) else batch

    def offset(self) -> Offset:
        return self._inner.offset()

    @property
    def ended(self) -> bool:
        return self._inner.ended

    def close(self) -> None:
        self._inner.close()


class _AsyncComputedReader(AsyncReader):
    def __init__(self, inner: AsyncReader, adding: _Adding) -> None:
        self._inner = inner
        self._adding = adding

    async def read(self) -> pa.RecordBatch | Idle | None:
        batch = await self._inner.read()
        self._rejected = [*(self._rejected or ()), *self._inner.take_rejected()]
        return self._adding(batch, self) if isinstance(batch, pa.RecordBatch) else batch

    def offset(self) -> Offset:
        return self._inner.offset()

    async def aclose(self) -> None:
        await self._inner.aclose()
