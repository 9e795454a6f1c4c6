"""Lookup: rows joined to the rows that an async function gives for them.

Nothing of what is asked is kept but what is remembered of it, and, where rows may be taken back, what they were given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flow.errors import GraphError, known
from flow.graph import Stream
from flow.nodes import ErrorPolicy, RouterNode
from flow.operator import AsyncPartition, Kept, Operator, PartitionContext
from flow.router import Aligned, Forward, Hash
from flow.schema import StreamSchema
from flow.verbs import verb
from operators.calling.answers import Answers
from operators.calling.await_calls import kept_answers
from operators.expressions.awaited import AsyncCall
from operators.expressions.build import Expr, expression
from operators.expressions.table_functions import TableFunction


@attrs.frozen
class Lookup(Operator):
    """Its input's rows, each once for every row that an async function gives for it, whose columns follow.

    Equal rows of a changelog must meet in one partition, as for `AwaitCalls`.

    Attributes:
        call: gives all rows for one, as a list of structs.
        outer: whether a row for which there is none comes out once, with NULLs.
    """

    stateless = True
    timed = False
    waits = True

    call: AsyncCall
    outer: bool = False

    def output(self, inputs: Mapping[str, StreamSchema]) -> StreamSchema:
        """The input's columns, then the function's. Raises GraphError where there is such a column already."""
        (schema,) = inputs.values()
        self.call.bind(schema.columns)
        fields = list(schema.columns)
        weight = [fields.pop()] if schema.changelog else []
        for field in self.call.function.result.value_type:
            if field.name in schema.names:
                raise GraphError(
                    f"there is a column {field.name!r} already; known here: {schema.names}; "
                    "declare another name in the function's returns="
                )
            fields.append(field)
        return schema.with_columns(pa.schema([*fields, *weight]))

    def open(self, context: PartitionContext) -> AsyncPartition:
        """A partition that makes the calls."""
        return _LookupPartition(self, context.input, self.output(context.inputs))

    def keeps(self, inputs: Mapping[str, StreamSchema]) -> Kept | None:
        """The answers of rows that may be taken back."""
        (schema,) = inputs.values()
        return kept_answers((self.call,), schema.changelog)


class _LookupPartition(AsyncPartition):
    def __init__(self, operator: Lookup, given: StreamSchema, output: StreamSchema) -> None:
        self.concurrency = operator.call.function.concurrency
        self.ordered = True
        self._outer = operator.outer
        self._output = output.columns
        self._given = len(given.columns)
        self._width = len(given.names)
        self._answers = Answers(operator.call, given.columns, changelog=given.changelog)

    def pieces(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        return self._answers.pieces(batch)

    def state_rows(self) -> int:
        """As `Partition.state_rows`."""
        return len(self._answers)

    async def on_piece(self, piece: pa.RecordBatch) -> pa.RecordBatch:
        lists = piece.column(self._given) if piece.num_columns > self._given else await self._answers.of_row(piece)
        lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
        made = np.maximum(lengths, 1) if self._outer else lengths
        rows = np.repeat(np.arange(len(made)), made)
        found = pc.list_flatten(lists)
        if len(found) < len(rows):
            there = lengths[rows] > 0
            found = found.take(pa.array(np.maximum(np.cumsum(there) - 1, 0), mask=~there))
        columns = [column.take(pa.array(rows)) for column in piece.columns[: self._given]]
        weight = columns[self._width :]
        fields = [pc.struct_field(found, [place]) for place in range(found.type.num_fields)]
        return pa.RecordBatch.from_arrays([*columns[: self._width], *fields, *weight], schema=self._output)


def _divided(stream: Stream) -> bool:
    """Whether equal rows meet already, by whatever columns they are divided."""
    node = stream.graph.node(stream.output.node)
    return isinstance(node, RouterNode) and isinstance(node.router, Hash | Aligned | Forward)


@verb
def lookup(
    stream: Stream,
    function: TableFunction,
    on: str | Expr | Sequence[str | Expr],
    *,
    how: Literal["left", "inner"] = "left",
    name: str | None = None,
    partitions: int | None = None,
    on_error: ErrorPolicy = "fail",
) -> Stream:
    """The rows with what an async function finds for them: ``trades.lookup(user, on="user_id")``.

    Args:
        stream: what to read.
        function: an async function declared by `udf.table`, which says how often it is called and what is remembered.
        on: its arguments: columns, or expressions.
        how: whether rows for which it finds nothing stay, with NULLs (``left``), or not (``inner``).
        name: of the node.
        partitions: how many instances.
        on_error: what becomes of rows for which no call succeeds.

    Raises:
        GraphError: the function is not async, its arguments are of other types, or a column is there twice.
    """
    if how not in ("left", "inner"):
        raise GraphError(f"a look-up is no {how!r} join; {known(how, ['left', 'inner'])}")
    if not isinstance(function, TableFunction):
        raise GraphError("lookup takes a function declared by @udf.table(returns={...})")
    arguments: tuple[Any, ...] = (on,) if isinstance(on, str | Expr) else tuple(on)
    call = function.call(tuple(map(expression, arguments)))
    if not isinstance(call, AsyncCall):
        raise GraphError(f"{function.name}() is not async: use flat_map, or SQL's FROM t, LATERAL {function.name}(...)")
    operator = Lookup(call, how == "left")
    if operator.keeps({"in": stream.schema}) is not None and not _divided(stream):
        names = stream.schema.names
        stream = stream.key_by(*([each for each in names if each in call.columns] or names))
    return stream.apply(operator, name=name, partitions=partitions, on_error=on_error)
