"""Async functions over rows: bounded concurrency, order, timeout, and retries with growing pauses.

A call that is cancelled is not repeated, and leaves nothing behind that it did not start itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

import attrs
import pyarrow as pa

from flow.durations import Duration
from flow.errors import GraphError
from flow.graph import Stream
from flow.nodes import ErrorPolicy
from flow.operator import AsyncPartition, Operator, PartitionContext
from flow.schema import StreamSchema
from flow.verbs import verb
from operators.calling.callables import described, is_async
from operators.calling.functions import row_columns
from operators.calling.retries import Retries
from operators.values.rows import Columns, Row, as_schema, batch_of, rows_of


@attrs.frozen
class MapAsync(Operator):
    """An async function from a row to a row, under trio; None drops the row. The weights of a changelog stay outside.

    Attributes:
        function: what to call.
        schema: the columns of the results (default: those of the input). A missing key is NULL, any other key an error.
        concurrency: calls under way at the same time in one partition.
        ordered: whether results come in the order of the rows.
        retries: what becomes of a call that raises or takes too long.
    """

    stateless = True
    timed = False
    waits = True

    function: Callable[[dict[str, Any]], Awaitable[Row | None]] = attrs.field(repr=described)
    schema: pa.Schema | None = attrs.field(default=None, converter=as_schema)
    concurrency: int = 64
    ordered: bool = True
    retries: Retries = attrs.field(factory=Retries)

    def __attrs_post_init__(self) -> None:
        if self.concurrency < 1:
            raise GraphError(f"concurrency must be at least 1, not {self.concurrency}")

    def output(self, inputs: Mapping[str, StreamSchema]) -> StreamSchema:
        """The declared columns, else those of the input. Raises GraphError for a function that is not async."""
        (given,) = inputs.values()
        if not is_async(self.function):
            raise GraphError(f"{described(self.function)} is not an async function: use map")
        return row_columns(given, self.schema)

    def open(self, context: PartitionContext) -> AsyncPartition:
        """A partition that makes the calls."""
        return _AsyncRowsPartition(self, self.output(context.inputs))


class _AsyncRowsPartition(AsyncPartition):
    def __init__(self, operator: MapAsync, output: StreamSchema) -> None:
        self.concurrency = operator.concurrency
        self.ordered = operator.ordered
        self._operator = operator
        self._changelog = output.changelog
        self._columns = pa.schema(list(output.columns)[:-1]) if output.changelog else output.columns
        self._names = frozenset(self._columns.names)
        self._output = output.columns

    def pieces(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        for row in range(batch.num_rows):
            yield batch.slice(row, 1)

    async def on_piece(self, piece: pa.RecordBatch) -> pa.RecordBatch:
        (row,) = rows_of(piece.select(range(piece.num_columns - 1)) if self._changelog else piece)
        # The function may change its row; a repetition starts from what came in.
        result = await self._operator.retries.call(lambda: self._operator.function(dict(row)))
        made = batch_of([] if result is None else [result], self._columns, self._names)
        if self._changelog:
            weights = piece.column(piece.num_columns - 1).slice(0, made.num_rows)
            made = pa.RecordBatch.from_arrays([*made.columns, weights], schema=self._output)
        return made


@verb
def map_async(
    stream: Stream,
    function: Callable[[dict[str, Any]], Awaitable[Row | None]],
    schema: Columns | None = None,
    *,
    concurrency: int = 64,
    ordered: bool = True,
    timeout: Duration | None = None,
    retries: int = 0,
    backoff: Duration = "100ms",
    name: str | None = None,
    partitions: int | None = None,
    on_error: ErrorPolicy = "fail",
) -> Stream:
    """What an async function makes of each row, many calls under way at a time.

    Args:
        stream: what to apply it to.
        function: async, under trio, from a row to a row, both dicts; None drops the row.
        schema: the columns of the results (default: those of the stream).
        concurrency: calls under way at the same time in one partition.
        ordered: whether results come in the order of the rows.
        timeout: how long a call may take.
        retries: how often a call that raises or takes too long is repeated.
        backoff: the pause before the first repetition; it doubles from one to the next.
        name: of the node.
        partitions: how many instances.
        on_error: what becomes of rows for which no call succeeds, or whose results do not fit the columns.

    Raises:
        GraphError: the function is not async.
    """
    operator = MapAsync(function, schema, concurrency, ordered, Retries(timeout, retries, backoff))
    return stream.apply(operator, name=name, partitions=partitions, on_error=on_error)
