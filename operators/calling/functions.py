"""Plain Python functions as operators: over a batch, over a row, and over a row with any number of results.

The functions are to be pure, equal input giving equal results: a row that a changelog retracts goes through them again.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import attrs
import pyarrow as pa

from flow.errors import GraphError
from flow.graph import Stream
from flow.nodes import ErrorPolicy
from flow.operator import Operator, Partition, PartitionContext
from flow.schema import StreamSchema, changelog_of
from flow.verbs import verb
from operators.calling.callables import described, is_async
from operators.values.rows import Columns, Row, as_schema, rows_of, usable


@attrs.frozen
class MapBatches(Operator):
    """A function from a batch to a batch.

    The function gets a record batch, and returns a record batch, a table, or anything else that exports an Arrow
    stream, such as a data frame. It must not mind how rows are divided into batches.

    Attributes:
        function: what to apply.
        schema: the columns of the results; where left out, the function is tried on a batch without rows.
    """

    stateless = True
    timed = False

    function: Callable[[pa.RecordBatch], Any] = attrs.field(repr=described)
    schema: pa.Schema | None = attrs.field(default=None, converter=as_schema)

    def output(self, inputs: Mapping[str, StreamSchema]) -> StreamSchema:
        """The declared columns, or those that the function gives to a batch without rows.

        Raises:
            GraphError: the function cannot say its columns, or drops the weights of a changelog.
        """
        (given,) = inputs.values()
        made = given.with_columns(self._try(given.columns) if self.schema is None else self.schema)
        if given.changelog and not made.changelog:
            raise GraphError(
                f"the stream is a changelog, and the results of {described(self.function)} have no column '_weight': "
                f"hand it on as the last column; known here: {made.columns.names}"
            )
        return made

    def open(self, context: PartitionContext) -> Partition:
        """A partition that calls the function."""
        return _BatchesPartition(self.function, self.output(context.inputs).columns)

    def _try(self, columns: pa.Schema) -> pa.Schema:
        if is_async(self.function):
            raise GraphError(f"{described(self.function)} is an async function, which takes rows: use map_async")
        try:
            return _as_table(self.function(pa.RecordBatch.from_pylist([], schema=columns))).schema.remove_metadata()
        except Exception as error:
            raise GraphError(
                f"{described(self.function)} does not say its columns when given a batch without rows "
                f"({type(error).__name__}: {error}); pass schema="
            ) from error


class _BatchesPartition(Partition):
    def __init__(self, function: Callable[[pa.RecordBatch], Any], columns: pa.Schema) -> None:
        self._function = function
        self._columns = columns

    def on_batch(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        table = _as_table(self._function(batch))
        made = table.schema
        if made.names != self._columns.names or made.types != self._columns.types:
            raise TypeError(
                f"{described(self._function)} returned the columns {told(made)}; they should be {told(self._columns)}"
            )
        for piece in table.to_batches():
            yield pa.RecordBatch.from_arrays(piece.columns, schema=self._columns)


def _as_table(result: Any) -> pa.Table:
    if isinstance(result, pa.Table):
        return result
    if isinstance(result, pa.RecordBatch):
        return pa.Table.from_batches([result])
    if hasattr(result, "__arrow_c_stream__"):
        return pa.table(result)
    raise TypeError(f"the function returned a {type(result).__name__}; it should be a record batch or a table")


def told(columns: pa.Schema) -> str:
    """Names and types, for an error."""
    return ", ".join(f"{field.name}: {field.type}" for field in columns)


def row_columns(given: StreamSchema, schema: pa.Schema | None) -> StreamSchema:
    """What comes out of a function over rows: the declared columns, else those of the input; changes stay changes."""
    if schema is None:
        return given
    return given.with_columns(changelog_of(schema) if given.changelog else schema)


@attrs.frozen
class RowFunction(Operator):
    """A function over rows, one after the other. A row is a dict; the weights of a changelog stay outside.

    Attributes:
        function: what to apply.
        schema: the columns of the results (default: those of the input). A missing key is NULL, any other key an error.
    """

    stateless = True
    timed = False

    function: Callable[[dict[str, Any]], Any] = attrs.field(repr=described)
    schema: pa.Schema | None = attrs.field(default=None, converter=as_schema)

    def output(self, inputs: Mapping[str, StreamSchema]) -> StreamSchema:
        """The declared columns, else those of the input. Raises GraphError for an async function."""
        (given,) = inputs.values()
        if is_async(self.function):
            raise GraphError(f"{described(self.function)} is an async function: use map_async")
        return row_columns(given, self.schema)

    def open(self, context: PartitionContext) -> Partition:
        """A partition that calls the function row by row."""
        return _RowsPartition(self.results, self.output(context.inputs), context)

    @abstractmethod
    def results(self, row: dict[str, Any]) -> list[Row]:
        """What a row turns into."""


@attrs.frozen
class Map(RowFunction):
    """A function from a row to a row; None drops the row (see `RowFunction`)."""

    def results(self, row: dict[str, Any]) -> list[Row]:
        """The one row, or none."""
        result = self.function(row)
        return [] if result is None else [result]


@attrs.frozen
class FlatMap(RowFunction):
    """A function from a row to any number of rows (see `RowFunction`)."""

    def results(self, row: dict[str, Any]) -> list[Row]:
        """All rows that the function gives."""
        return list(self.function(row))


class _RowsPartition(Partition):
    def __init__(
        self, function: Callable[[dict[str, Any]], list[Row]], output: StreamSchema, context: PartitionContext
    ) -> None:
        self._function = function
        self._changelog = output.changelog
        self._columns = pa.schema(list(output.columns)[:-1]) if output.changelog else output.columns
        self._names = frozenset(self._columns.names)
        self._output = output.columns
        self._reject = context.reject

    def on_batch(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        rows = rows_of(batch.select(range(batch.num_columns - 1)) if self._changelog else batch)
        results: list[Row] = []
        origins: list[int] = []
        for origin, row in enumerate(rows):
            try:
                made = self._function(row)
            except Exception as error:
                self._reject(batch.slice(origin, 1), f"{type(error).__name__}: {error}")
                continue
            results += made
            origins += [origin] * len(made)
        made_batch, origins = self._checked(batch, results, origins)
        if made_batch.num_rows:
            if self._changelog:
                weights = batch.column(batch.num_columns - 1).take(pa.array(origins, pa.int64()))
                made_batch = pa.RecordBatch.from_arrays([*made_batch.columns, weights], schema=self._output)
            yield made_batch

    def _checked(
        self, batch: pa.RecordBatch, results: list[Row], origins: list[int]
    ) -> tuple[pa.RecordBatch, list[int]]:
        """The results as columns, without those of rows of which any result is bad; these rows are rejected."""
        bad: dict[int, str] = {}

        def reject(number: int, error: str) -> None:
            bad.setdefault(origins[number], error)

        made, good = usable(results, self._columns, reject, self._names)
        for origin, error in bad.items():
            self._reject(batch.slice(origin, 1), error)
        origins = [origins[number] for number in good]
        whole = [place for place, origin in enumerate(origins) if origin not in bad]
        if len(whole) < len(origins):
            made = made.take(pa.array(whole, pa.int64()))
        return made, [origins[place] for place in whole]


@verb
def map_batches(
    stream: Stream,
    function: Callable[[pa.RecordBatch], Any],
    schema: Columns | None = None,
    *,
    name: str | None = None,
    partitions: int | None = None,
    on_error: ErrorPolicy = "fail",
) -> Stream:
    """What a function makes of each record batch.

    Args:
        stream: what to apply it to.
        function: from a record batch to a record batch, a table or a data frame; must not mind how rows are divided
            into batches.
        schema: the columns of the results; where left out, the function is tried on a batch without rows.
        name: of the node.
        partitions: how many instances.
        on_error: what becomes of rows at which the function raises.

    Raises:
        GraphError: the columns of the results cannot be known.
    """
    return stream.apply(MapBatches(function, schema), name=name, partitions=partitions, on_error=on_error)


@verb
def map(  # noqa: A001  # the verb's name in every library of this kind
    stream: Stream,
    function: Callable[[dict[str, Any]], Row | None],
    schema: Columns | None = None,
    *,
    name: str | None = None,
    partitions: int | None = None,
    on_error: ErrorPolicy = "fail",
) -> Stream:
    """What a function makes of each row.

    Args:
        stream: what to apply it to.
        function: from a row to a row, both dicts; None drops the row.
        schema: the columns of the results (default: those of the stream).
        name: of the node.
        partitions: how many instances.
        on_error: what becomes of rows at which the function raises, or whose results do not fit the columns.
    """
    return stream.apply(Map(function, schema), name=name, partitions=partitions, on_error=on_error)


@verb
def flat_map(
    stream: Stream,
    function: Callable[[dict[str, Any]], Iterable[Row]],
    schema: Columns | None = None,
    *,
    name: str | None = None,
    partitions: int | None = None,
    on_error: ErrorPolicy = "fail",
) -> Stream:
    """All that a function makes of each row: none, one or many rows.

    Args:
        stream: what to apply it to.
        function: from a row to an iterable of rows, all dicts.
        schema: the columns of the results (default: those of the stream).
        name: of the node.
        partitions: how many instances.
        on_error: what becomes of rows at which the function raises, or of which a result does not fit the columns.
    """
    return stream.apply(FlatMap(function, schema), name=name, partitions=partitions, on_error=on_error)
