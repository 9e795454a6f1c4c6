"""AwaitCalls: async functions of a row's values, as further columns.

A call that is cancelled is not repeated. Rows with equal arguments may share one call where answers are remembered.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import attrs
import pyarrow as pa
import trio

from flow.errors import GraphError, RowError
from flow.operator import AsyncPartition, Operator, PartitionContext
from flow.schema import StreamSchema
from operators.expressions import BoundExpression, Cast
from operators.expressions.awaited import AsyncCall, AsyncFunction
from operators.values.objects import array_of


@attrs.frozen
class AwaitCalls(Operator):
    """Its input's columns, and the values of async functions; the weights of a changelog stay outside.

    The functions are to be pure: a row that a changelog takes back is asked for again.

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


class _AwaitingPartition(AsyncPartition):
    def __init__(self, operator: AwaitCalls, given: StreamSchema, output: StreamSchema) -> None:
        self.concurrency = min(call.function.concurrency for _, call in operator.calls)
        self.ordered = True
        self._output = output.columns
        self._changelog = output.changelog
        self._calls = [_Calls(call, given.columns) for _, call in operator.calls]

    def pieces(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        for row in range(batch.num_rows):
            yield batch.slice(row, 1)

    async def on_piece(self, piece: pa.RecordBatch) -> pa.RecordBatch:
        columns = list(piece.columns)
        weight = [columns.pop()] if self._changelog else []
        answers = [await call.of_row(piece) for call in self._calls]
        return pa.RecordBatch.from_arrays([*columns, *answers, *weight], schema=self._output)


class _Calls:
    """One function's calls, and the answers that are remembered."""

    def __init__(self, call: AsyncCall, schema: pa.Schema) -> None:
        self._function: AsyncFunction = call.function
        self._text = str(call)
        self._arguments: list[BoundExpression] = [
            Cast(argument, kind).bind(schema)
            for argument, kind in zip(call.arguments, call.function.arguments, strict=True)
        ]
        self._answers: dict[Hashable, _Answer] = {}

    async def of_row(self, row: pa.RecordBatch) -> pa.Array:
        """The value for a batch of one row, as an array of it. Raises RowError where there is none."""
        arrays = [argument(row) for argument in self._arguments]
        values = [array[0].as_py() for array in arrays]
        if not self._function.called_on_null and any(value is None for value in values):
            return pa.nulls(1, self._function.result)
        value = await (self._remembered(values) if self._function.cached else self._asked(values))
        try:
            return array_of([value], self._function.result)
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            raise RowError(f"{self._text}: what it returned is no {self._function.result}: {error}") from error

    async def _asked(self, values: list[Any]) -> Any:
        try:
            return await self._function.retries.call(lambda: self._function.function(*values))
        except RowError as error:
            shown = ", ".join(map(repr, values))
            raise RowError(f"{self._text} for ({shown}): {error}") from error

    async def _remembered(self, values: list[Any]) -> Any:
        key = repr(values)
        while (answer := self._answers.get(key)) is not None:
            await answer.known.wait()
            if not answer.failed:
                return answer.value
            # Who asked has got the error; this row asks for itself.
        answer = self._answers[key] = _Answer()
        try:
            answer.value = await self._asked(values)
            answer.failed = False
        finally:
            if answer.failed or len(self._answers) > self._function.cached:
                del self._answers[key if answer.failed else next(iter(self._answers))]
            answer.known.set()
        return answer.value


@attrs.define
class _Answer:
    known: trio.Event = attrs.field(factory=trio.Event)
    failed: bool = True
    value: Any = None
