"""Tables in memory: a source that reads one, a sink that collects one, and a sink that keeps nothing.

Batches pass as they are, without a copy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flow.errors import GraphError, PenstockError, known
from flow.schema import WEIGHT
from flow.sink import Sink, Writer, WriterContext
from flow.source import Offset, Reader, Source, Split
from operators.calling.functions import told
from operators.values.rows import rows_of
from operators.values.text import json_text
from operators.values.views import as_plain

_SPLITS = 16
_SPLIT_ROWS = 65_536


def _as_batches(data: Any) -> tuple[pa.RecordBatch, ...]:
    if isinstance(data, pa.RecordBatch):
        return (data,)
    if isinstance(data, Mapping):
        data = pa.table(data)
    if isinstance(data, pa.Table):
        return tuple(data.to_batches()) or (pa.RecordBatch.from_pylist([], schema=data.schema),)
    if hasattr(data, "__arrow_c_stream__"):
        return _as_batches(pa.RecordBatchReader.from_stream(data).read_all())
    batches = tuple(data) if isinstance(data, Iterable) else ()
    if not batches or not all(isinstance(batch, pa.RecordBatch) for batch in batches):
        raise GraphError("a table in memory is made of an Arrow table, or of a list of at least one record batch")
    for number, batch in enumerate(batches):
        if batch.schema != batches[0].schema:
            raise GraphError(
                f"batch {number} of the table has the columns {told(batch.schema)}; "
                f"those of batch 0 are {told(batches[0].schema)}"
            )
    return batches


def _as_plain_batches(data: Any) -> tuple[pa.RecordBatch, ...]:
    return tuple(map(as_plain, _as_batches(data)))


def _at_least_one(rows: int) -> int:
    if rows < 1:
        raise GraphError(f"batch_rows must be at least 1, not {rows}")
    return rows


def _names(columns: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if columns is None else tuple(columns)


@attrs.frozen(repr=False)
class Table(Source):
    """A table in memory. A split is a run of batches, an offset the number of batches returned.

    Attributes:
        data: an Arrow table, record batches, a dict of columns, or anything that exports an Arrow stream (a Polars or
            pandas data frame, a DuckDB result).
        batch_rows: larger batches are cut, without a copy.
        columns: what to read, in this order (default: all).

    Raises:
        GraphError: the data is no table, or there is no such column.
    """

    never_waits = True

    data: tuple[pa.RecordBatch, ...] = attrs.field(converter=_as_plain_batches)
    batch_rows: int = attrs.field(default=65_536, converter=_at_least_one)
    columns: tuple[str, ...] | None = attrs.field(default=None, converter=_names, kw_only=True)
    _pieces: tuple[pa.RecordBatch, ...] = attrs.field(init=False, eq=False)

    @_pieces.default
    def _cut(self) -> tuple[pa.RecordBatch, ...]:
        step = self.batch_rows
        if all(batch.num_rows <= step for batch in self.data):
            return self.data
        return tuple(
            batch.slice(start, step) for batch in self.data for start in range(0, max(batch.num_rows, 1), step)
        )

    @columns.validator
    def _known_columns(self, attribute: attrs.Attribute[Any], value: tuple[str, ...] | None) -> None:
        names = frozenset(self.data[0].schema.names)
        for name in value or ():
            if name not in names:
                raise GraphError(f"no column {name!r}; {known(name, names)}")

    def __repr__(self) -> str:
        rows = sum(batch.num_rows for batch in self.data)
        return f"Table({rows} rows, {told(self.schema())})"

    def __reduce__(self) -> tuple[Callable[..., Table], tuple[Any, ...]]:
        # A slice pickles the whole of what it was cut from; Arrow's own format holds only its rows.
        buffer = pa.BufferOutputStream()
        with pa.ipc.new_stream(buffer, self.data[0].schema) as stream:
            for batch in self.data:
                stream.write_batch(batch)
        return _unpickled, (buffer.getvalue().to_pybytes(), self.batch_rows, self.columns)

    def schema(self) -> pa.Schema:
        """Names and types of the columns that are read."""
        schema = self.data[0].schema
        return schema if self.columns is None else pa.schema([schema.field(name) for name in self.columns])

    def splits(self) -> Sequence[Split]:
        """Runs of batches, up to 16, so that several readers share a table that is worth it."""
        rows = sum(batch.num_rows for batch in self._pieces)
        share = max(_SPLIT_ROWS, -(-rows // _SPLITS))
        splits: list[Split] = []
        names = self.schema().names
        first = waiting = 0
        for end, batch in enumerate(self._pieces, 1):
            waiting += batch.num_rows
            if waiting >= share or end == len(self._pieces):
                size = sum(piece.column(name).nbytes for piece in self._pieces[first:end] for name in names)
                splits.append(Split(f"batches {first}-{end - 1}", [first, end], size=size, sequence="table"))
                first, waiting = end, 0
        return splits

    def open(self, split: Split, offset: Offset = None) -> Reader:
        """A reader of a run of batches."""
        first, end = split.detail
        indices = None if self.columns is None else [self.data[0].schema.get_field_index(name) for name in self.columns]
        return _TableReader(self._pieces[first:end], indices, offset or 0)

    def narrow(self, columns: Sequence[str], predicate: Any = None) -> Table:
        """The same table with these columns only."""
        return attrs.evolve(self, columns=tuple(columns))


def _unpickled(data: bytes, batch_rows: int, columns: tuple[str, ...] | None) -> Table:
    return Table(list(pa.ipc.open_stream(data)), batch_rows, columns=columns)


class _TableReader(Reader):
    def __init__(self, batches: Sequence[pa.RecordBatch], columns: list[int] | None, position: int) -> None:
        self._batches = batches
        self._columns = columns
        self._position = position

    def read(self) -> pa.RecordBatch | None:
        if self._position == len(self._batches):
            return None
        batch = self._batches[self._position]
        self._position += 1
        return batch if self._columns is None else batch.select(self._columns)

    def offset(self) -> Offset:
        return self._position

    @property
    def ended(self) -> bool:
        return self._position == len(self._batches)


class _Collected:
    """What the writers of one run committed; a new run starts afresh."""

    def __init__(self) -> None:
        self._runs: dict[str, tuple[pa.Schema, list[pa.RecordBatch]]] = {}

    def __reduce__(self) -> tuple[type[_Collected], tuple[()]]:
        return _Collected, ()

    def of_run(self, run_id: str, columns: pa.Schema) -> list[pa.RecordBatch]:
        """The list to which a run's writers add; setdefault, since they are opened in several threads at once."""
        _, batches = self._runs.setdefault(run_id, (columns, []))
        for other in list(self._runs):
            if other != run_id:
                self._runs.pop(other, None)
        return batches

    def table(self) -> pa.Table:
        """All of it, as it came."""
        if not self._runs:
            raise PenstockError("nothing has been collected: run the graph first, in this process")
        ((columns, batches),) = self._runs.values()
        return pa.Table.from_batches(batches, columns)


@attrs.frozen
class Collect(Sink):
    """Keeps what is written in memory: `table` and `changes` give it back after the run.

    The result belongs to this object, not to its value: copies and pickles start empty, and every run starts afresh.
    """

    takes_changes: ClassVar[bool] = True  # type: ignore[misc]  # a constant here, an option in other sinks
    _collected: _Collected = attrs.field(factory=_Collected, init=False, eq=False, repr=False)

    def open(self, context: WriterContext) -> Writer:
        """A writer that adds to the result when an epoch commits."""
        return _CollectWriter(self._collected.of_run(context.run_id, context.schema.columns))

    def changes(self) -> pa.Table:
        """The rows that the last run committed, as they came; those of a changelog with their ``_weight``.

        Raises:
            PenstockError: nothing has run yet.
        """
        return self._collected.table()

    def table(self) -> pa.Table:
        """The rows that the last run committed; those of a changelog summed up to the rows that remain.

        Raises:
            PenstockError: nothing has run yet, or rows were retracted that had not been inserted.
        """
        table = self._collected.table()
        return summed(table) if table.schema.names[-1:] == [WEIGHT] else table

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of `table`, as dicts."""
        return [row for batch in self.table().to_batches() for row in rows_of(batch)]


class _CollectWriter(Writer):
    def __init__(self, committed: list[pa.RecordBatch]) -> None:
        self._committed = committed
        self._waiting: list[pa.RecordBatch] = []

    def write(self, batch: pa.RecordBatch) -> None:
        self._waiting.append(batch)

    def commit(self, epoch: int) -> None:
        self._committed += self._waiting
        self._waiting = []

    def abort(self) -> None:
        self._waiting = []


def summed(changes: pa.Table) -> pa.Table:
    """The rows of which more were inserted than retracted, each as often as that; in order of first appearance."""
    rows = changes.drop_columns([WEIGHT])
    keys = {f"key {number}": _comparable(column) for number, column in enumerate(rows.columns)}
    changes = pa.table({**keys, "weight": changes[WEIGHT], "row": np.arange(changes.num_rows)})
    groups = changes.group_by(list(keys), use_threads=False).aggregate([("weight", "sum"), ("row", "min")])
    counts = groups["weight_sum"].to_numpy()
    first = groups["row_min"].to_numpy()
    if (counts < 0).any():
        row = rows.slice(int(first[counts < 0][0]), 1).to_pylist()[0]
        raise PenstockError(
            f"{int((counts < 0).sum())} rows were retracted without having been inserted, such as {row}"
        )
    order = np.argsort(first, kind="stable")
    return rows.take(pa.array(np.repeat(first[order], counts[order])))


def _comparable(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column by whose values Arrow can group."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _comparable(pc.cast(column, kind.value_type))
    if isinstance(kind, pa.BaseExtensionType):
        return _comparable(pa.chunked_array([chunk.storage for chunk in column.chunks], kind.storage_type))
    if pa.types.is_nested(kind):
        return pa.chunked_array([json_text(chunk) for chunk in column.chunks], pa.string())
    return column


@attrs.frozen
class Null(Sink):
    """Drops what is written."""

    takes_changes: ClassVar[bool] = True  # type: ignore[misc]  # a constant here, an option in other sinks

    def open(self, context: WriterContext) -> Writer:
        """A writer that does nothing."""
        return _NullWriter()


class _NullWriter(Writer):
    def write(self, batch: pa.RecordBatch) -> None:
        pass
