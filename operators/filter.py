"""Filter: the rows for which a condition is true; NULL is not true.

A batch of which all rows stay is handed on as it is, without copying.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import pyarrow as pa
import pyarrow.compute as pc

from flow.graph import Stream
from flow.nodes import ErrorPolicy
from flow.operator import Operator, Partition, PartitionContext
from flow.schema import StreamSchema
from flow.verbs import verb
from operators.expressions import BoundExpression, Expression, bind_condition, expression


@attrs.frozen
class Filter(Operator):
    """Keeps the rows for which a condition is true. Changes of a changelog keep their weight.

    Attributes:
        condition: a boolean expression over the input's columns.
        columns: the input's columns, where known: the more is known, the more rows a reader can skip.
    """

    condition: Expression = attrs.field(converter=expression)
    columns: pa.Schema | None = attrs.field(default=None, eq=False, repr=False)

    stateless = True
    vectorised = True
    timed = False

    def output(self, inputs: Mapping[str, StreamSchema]) -> StreamSchema:
        """The input's schema; raises ExpressionError where the condition is none over its columns."""
        (schema,) = inputs.values()
        bind_condition(self.condition, schema.columns)
        return schema

    def open(self, context: PartitionContext) -> Partition:
        """A partition with the condition bound."""
        return FilterPartition(bind_condition(self.condition, context.input.columns))

    def needs(self, wanted: frozenset[str]) -> Mapping[str, frozenset[str]]:
        """What is wanted, and what the condition reads."""
        return {"in": wanted | self.condition.columns}

    @property
    def predicate(self) -> pc.Expression | None:
        """The condition, as far as a reader can use it."""
        return self.condition.to_arrow(self.columns)


class FilterPartition(Partition):
    """Evaluates the condition on each batch."""

    def __init__(self, condition: BoundExpression) -> None:
        self._condition = condition

    def on_batch(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """The rows for which the condition is true, if there are any."""
        kept = self._condition(batch)
        count = kept.true_count
        if count == batch.num_rows:
            if count:
                yield batch
        elif count:
            yield batch.filter(kept)


@verb
def filter(  # noqa: A001  # the verb's name in every library of this kind
    stream: Stream, condition: Any, *, name: str | None = None, on_error: ErrorPolicy = "fail"
) -> Stream:
    """The rows for which a condition is true.

    Args:
        stream: what to filter.
        condition: a boolean expression, or the name of a boolean column.
        name: of the node.
        on_error: what becomes of rows for which the condition cannot be computed.

    Raises:
        GraphError: the condition does not fit the stream's columns.
    """
    return stream.apply(Filter(condition, stream.schema.columns), name=name, on_error=on_error)
