"""Python iterables as sources: rows or record batches, from lists, functions that make iterables, and async ones.

An iterable is one split. A run that resumes begins it anew and passes over what was read, so it must give the same
again.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Sequence
from itertools import islice
from time import monotonic
from typing import Any, TypeVar

import attrs
import pyarrow as pa

from flow.errors import GraphError, RowError, known
from flow.source import AsyncReader, Idle, Offset, Reader, Source, Split
from operators.calling.callables import described
from operators.calling.functions import told
from operators.values.rows import as_schema, inferred, usable

_CHUNK_ROWS = 65_536
_CHUNK_SECONDS = 0.002
_SLOW_SECONDS = 0.001
_PATIENCE = 64
"""Rows that are handed on one by one after an iterable had to be waited for."""

_NO_MORE: Any = object()

_LOOKED_AT = 1_000
"""Rows of a list by which its columns are known."""

Item = TypeVar("Item")
Repeatable = Iterable[Item] | Callable[[], Iterable[Item]]
"""A list or the like, or a function that makes the iterable anew every time."""


def _repeatable(iterable: Any) -> Any:
    if isinstance(iterable, Iterator | AsyncIterator):
        raise GraphError(
            f"a {type(iterable).__name__} can be gone through only once: pass the function that makes it, or a list"
        )
    if not callable(iterable) and not isinstance(iterable, Iterable):
        raise GraphError(f"a {type(iterable).__name__} is neither an iterable nor a function that makes one")
    return iterable


def _shown(iterable: Any) -> str:
    return described(iterable) if callable(iterable) else f"<{type(iterable).__name__}>"


def _begun(iterable: Any) -> Iterator[Any]:
    return iter(iterable() if callable(iterable) else iterable)


def _narrowed(schema: pa.Schema, columns: Sequence[str] | None) -> pa.Schema:
    names = frozenset(schema.names)
    for name in columns or ():
        if name not in names:
            raise GraphError(f"no column {name!r}; {known(name, names)}")
    return schema if columns is None else pa.schema([schema.field(name) for name in columns])


@attrs.frozen
class _Iterable(Source):
    columns: tuple[str, ...] | None = attrs.field(default=None, kw_only=True)
    unbounded: bool = attrs.field(default=False, kw_only=True)

    def splits(self) -> Sequence[Split]:
        """One."""
        return [Split("all")]

    def narrow(self, columns: Sequence[str], predicate: Any = None) -> Source:
        """The same iterable, of which only these columns are used."""
        return attrs.evolve(self, columns=tuple(columns))


@attrs.frozen
class Rows(_Iterable):
    """Rows from an iterable of dicts. A row that does not fit the columns is rejected; a missing key is NULL.

    Attributes:
        rows: a list of dicts, or a function that returns an iterable of them.
        declared: names and types of the columns, the argument `schema`; other keys are passed over. Where left out, the
            columns are those of the first 1,000 rows of a list, or of the first row that the function's iterable gives
            (it is called once more for that), and other keys are errors.
        columns: what to read, in this order (default: all).
        unbounded: whether the rows may go on for ever.

    Raises:
        GraphError: what is given can be gone through only once, or its columns cannot be told.
    """

    rows: Repeatable[Any] = attrs.field(converter=_repeatable, repr=_shown)
    declared: pa.Schema | None = attrs.field(default=None, converter=as_schema, alias="schema")

    def schema(self) -> pa.Schema:
        """The declared columns, or those of the first rows."""
        return _narrowed(self.whole_schema(), self.columns)

    def whole_schema(self) -> pa.Schema:
        """All columns."""
        if self.declared is not None:
            return self.declared
        rows = _begun(self.rows)
        try:
            schema = inferred(islice(rows, 1 if callable(self.rows) else _LOOKED_AT))
        except RowError as error:
            raise GraphError(f"{error}; pass schema=") from error
        finally:
            if hasattr(rows, "close"):
                rows.close()
        if not schema.names:
            raise GraphError("there is no row to tell the columns by; pass schema=")
        return schema

    def open(self, split: Split, offset: Offset = None) -> Reader:
        """A reader of the rows; the offset is the number of rows gone through."""
        whole = self.whole_schema()
        names = frozenset(whole.names) if self.declared is None else None
        return _RowsReader(self.rows, _narrowed(whole, self.columns), names, offset or 0)


class _RowsReader(Reader):
    def __init__(self, rows: Any, columns: pa.Schema, known_names: frozenset[str] | None, position: int) -> None:
        self._rows = _begun(rows)
        self._columns = columns
        self._known_names = known_names
        self._position = position
        # Whatever is no function is taken for a list, for whose rows nobody has to wait.
        self._patience = _PATIENCE if callable(rows) else 0
        self._singly = self._patience
        self._pause = False
        self._ended = False
        self._error: Exception | None = None
        next(islice(self._rows, position, position), None)

    def read(self) -> pa.RecordBatch | Idle | None:
        if self._pause:
            # The next row may be long in coming: what has been read must not wait for it.
            self._pause = False
            return Idle(0.0)
        rows = self._take()
        if not rows:
            if self._error is not None:
                raise self._error
            return None
        first = self._position
        self._position += len(rows)
        batch, _ = usable(
            rows,
            self._columns,
            lambda number, error: self.reject(repr(rows[number]), error, first + number),
            self._known_names,
        )
        return batch

    def _take(self) -> list[Any]:
        rows: list[Any] = []
        limit = 1 if self._singly else _CHUNK_ROWS
        started = before = monotonic()
        while len(rows) < limit and not self._ended:
            try:
                rows.append(next(self._rows))
            except StopIteration:
                self._ended = True
                break
            except Exception as error:
                # The rows before it are handed on first, so that the offset tells where it happened.
                self._ended, self._error = True, error
                break
            now = monotonic()
            if now - before > _SLOW_SECONDS:
                self._singly = self._patience
            if now - started > _CHUNK_SECONDS:
                break
            before = now
        if self._singly and not self._ended:
            self._singly -= 1
            self._pause = True
        return rows

    def offset(self) -> Offset:
        return self._position

    def close(self) -> None:
        close = getattr(self._rows, "close", None)
        if close is not None:
            close()


@attrs.frozen
class Batches(_Iterable):
    """Record batches from an iterable. All must have the same columns.

    Attributes:
        batches: a list of record batches, or a function that returns an iterable of them.
        declared: names and types of the columns, the argument `schema`; where left out, those of the first batch.
        columns: what to read, in this order (default: all).
        unbounded: whether the batches may go on for ever.

    Raises:
        GraphError: what is given can be gone through only once, or its columns cannot be told.
    """

    batches: Repeatable[pa.RecordBatch] = attrs.field(converter=_repeatable, repr=_shown)
    declared: pa.Schema | None = attrs.field(default=None, converter=as_schema, alias="schema")

    def schema(self) -> pa.Schema:
        """The declared columns, or those of the first batch."""
        return _narrowed(self.whole_schema(), self.columns)

    def whole_schema(self) -> pa.Schema:
        """All columns."""
        if self.declared is not None:
            return self.declared
        batches = _begun(self.batches)
        try:
            first = next(batches, None)
        finally:
            if hasattr(batches, "close"):
                batches.close()
        if not isinstance(first, pa.RecordBatch):
            raise GraphError(f"there is no record batch to tell the columns by, but {first!r}; pass schema=")
        return first.schema

    def open(self, split: Split, offset: Offset = None) -> Reader:
        """A reader of the batches; the offset is the number of batches returned."""
        return _BatchesReader(self.batches, self.whole_schema(), self.columns, offset or 0)


class _BatchesReader(Reader):
    def __init__(self, batches: Any, whole: pa.Schema, columns: Sequence[str] | None, position: int) -> None:
        self._batches = _begun(batches)
        self._whole = whole
        self._columns = None if columns is None else list(columns)
        self._position = position
        next(islice(self._batches, position, position), None)

    def read(self) -> pa.RecordBatch | None:
        batch = next(self._batches, _NO_MORE)
        if batch is _NO_MORE:
            return None
        if not isinstance(batch, pa.RecordBatch):
            raise TypeError(f"batch {self._position} is a {type(batch).__name__}; expected a record batch")
        if batch.schema != self._whole:
            raise TypeError(
                f"batch {self._position} has the columns {told(batch.schema)}; expected {told(self._whole)}"
            )
        self._position += 1
        return batch if self._columns is None else batch.select(self._columns)

    def offset(self) -> Offset:
        return self._position

    def close(self) -> None:
        close = getattr(self._batches, "close", None)
        if close is not None:
            close()


@attrs.frozen
class AsyncRows(_Iterable):
    """Rows from an async iterable, under trio. A row that does not fit the columns is rejected; a missing key is NULL.

    What the iterable gives at once is handed on at once: a row, a list of rows, or a record batch that has the columns.

    Attributes:
        rows: a function that returns an async iterable of dicts, lists of dicts, or record batches.
        declared: names and types of the columns, the argument `schema`; other keys are passed over.
        columns: what to read, in this order (default: all).
        unbounded: whether the rows may go on for ever.
    """

    rows: Callable[[], AsyncIterable[Any]] = attrs.field(repr=described)
    declared: pa.Schema = attrs.field(converter=as_schema, alias="schema")

    def __attrs_post_init__(self) -> None:
        if not callable(self.rows):
            raise GraphError(f"a {type(self.rows).__name__} is no function: pass the one that makes the async iterable")

    def schema(self) -> pa.Schema:
        """The declared columns."""
        return _narrowed(self.declared, self.columns)

    def open(self, split: Split, offset: Offset = None) -> AsyncReader:
        """A reader of the rows; the offset is the number of items gone through."""
        return _AsyncRowsReader(self.rows, self.schema(), offset or 0)


class _AsyncRowsReader(AsyncReader):
    def __init__(self, rows: Callable[[], AsyncIterable[Any]], columns: pa.Schema, position: int) -> None:
        self._rows = aiter(rows())
        self._columns = columns
        self._passed_over = position
        self._position = position

    async def read(self) -> pa.RecordBatch | None:
        try:
            while self._passed_over:
                await anext(self._rows)
                self._passed_over -= 1
            item = await anext(self._rows)
        except StopAsyncIteration:
            return None
        position = self._position
        self._position += 1
        if isinstance(item, pa.RecordBatch):
            return self._selected(item)
        rows = item if isinstance(item, list) else [item]
        batch, _ = usable(rows, self._columns, lambda number, error: self.reject(repr(rows[number]), error, position))
        return batch

    def offset(self) -> Offset:
        return self._position

    def _selected(self, item: pa.RecordBatch) -> pa.RecordBatch:
        batch = item.select([name for name in self._columns.names if name in item.schema.names])
        if batch.schema != self._columns:
            raise TypeError(
                f"item {self._position - 1} has the columns {told(item.schema)}; expected {told(self._columns)}"
            )
        return batch

    async def aclose(self) -> None:
        close = getattr(self._rows, "aclose", None)
        if close is not None:
            await close()
