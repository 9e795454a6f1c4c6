"""AwaitCalls: async functions of a row's values, as further columns.

A call that is cancelled is not repeated. Rows with equal arguments may share one call where answers are remembered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import attrs
import pyarrow as pa

from flow.errors import GraphError
from flow.operator import AsyncPartition, Kept, Operator, PartitionContext
from flow.schema import StreamSchema
from operators.calling.answers import Answers
from operators.expressions.awaited import AsyncCall


def kept_answers(calls: tuple[AsyncCall, ...], changelog: bool) -> Kept | None:
    """What partitions that make these calls keep of rows that may be taken back."""
    if not changelog or all(call.function.deterministic for call in calls):
        return None
    return Kept("the answer of every row that is there", "rows")


@attrs.frozen
class AwaitCalls(Operator):
    """Its input's columns, and the values of async functions; the weights of a changelog stay outside.

    Equal rows of a changelog must meet in one partition: a row that is taken back has the answer that it came with,
    which is kept as long as it is there, unless the functions are deterministic.

    Attributes:
        calls: names of new columns, each with the call that gives its values.
    """

    stateless = True
    timed = False
    waits = True

    calls: tuple[tuple[str, AsyncCall], ...]

    def output(self, inputs: Mapping[str, StreamSchema]) -> StreamSchema:
        """The input's columns, then the new ones. Raises GraphError where there is such a column already."""
        (schema,) = inputs.values()
        fields = list(schema.columns)
        weight = [fields.pop()] if schema.changelog else []
        for name, call in self.calls:
            if name in schema.names:
                raise GraphError(f"there is a column {name!r} already")
            call.bind(schema.columns)
            fields.append(pa.field(name, call.function.result))
        return schema.with_columns(pa.schema([*fields, *weight]))

    def open(self, context: PartitionContext) -> AsyncPartition:
        """A partition that makes the calls."""
        return _AwaitingPartition(self, context.input, self.output(context.inputs))

    def keeps(self, inputs: Mapping[str, StreamSchema]) -> Kept | None:
        """The answers of rows that may be taken back."""
        (schema,) = inputs.values()
        return kept_answers(tuple(call for _, call in self.calls), schema.changelog)


class _AwaitingPartition(AsyncPartition):
    def __init__(self, operator: AwaitCalls, given: StreamSchema, output: StreamSchema) -> None:
        self.concurrency = min(call.function.concurrency for _, call in operator.calls)
        self.ordered = True
        self._output = output.columns
        self._width = len(given.columns)
        self._changelog = output.changelog
        self._calls = [Answers(call, given.columns, changelog=given.changelog) for _, call in operator.calls]

    def pieces(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        if len(self._calls) == 1:
            return self._calls[0].pieces(batch)
        return (batch.slice(row, 1) for row in range(batch.num_rows))

    def state_rows(self) -> int:
        """As `Partition.state_rows`."""
        return sum(map(len, self._calls))

    async def on_piece(self, piece: pa.RecordBatch) -> pa.RecordBatch:
        columns = list(piece.columns)
        remembered = len(columns) > self._width
        answers = [columns.pop()] if remembered else [await call.of_row(piece) for call in self._calls]
        weight = [columns.pop()] if self._changelog else []
        return pa.RecordBatch.from_arrays([*columns, *answers, *weight], schema=self._output)
