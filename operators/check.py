"""Check: the rows that satisfy conditions; the others are rejected, so that the node's error policy applies to them.

As opposed to a filter, a row that is left out is never lost silently.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs
import pyarrow as pa
import pyarrow.compute as pc

from flow.errors import GraphError
from flow.graph import Stream
from flow.nodes import ErrorPolicy
from flow.operator import Operator, Partition, PartitionContext
from flow.schema import StreamSchema
from flow.verbs import verb
from operators.expressions import BoundExpression, Expression, bind_condition, expression


def _conditions(given: Iterable[tuple[str, Any]]) -> tuple[tuple[str, Expression], ...]:
    return tuple((label, expression(condition)) for label, condition in given)


@attrs.frozen
class Check(Operator):
    """Lets the rows pass of which no condition is false; NULL is not false, as in SQL's CHECK.

    Attributes:
        conditions: how each is called in the errors of rows, and the boolean expression over the input's columns.
    """

    conditions: tuple[tuple[str, Expression], ...] = attrs.field(converter=_conditions)

    stateless = True
    vectorised = True
    timed = False

    @conditions.validator
    def _at_least_one(self, attribute: attrs.Attribute[Any], value: Sequence[Any]) -> None:
        if not value:
            raise GraphError("a check needs at least one condition")

    def output(self, inputs: Mapping[str, StreamSchema]) -> StreamSchema:
        """The input's schema; raises ExpressionError where a condition is none over its columns."""
        (schema,) = inputs.values()
        for _, condition in self.conditions:
            bind_condition(condition, schema.columns)
        return schema

    def open(self, context: PartitionContext) -> Partition:
        """A partition with the conditions bound."""
        schema = context.input.columns
        return _CheckPartition(
            context, [(label, bind_condition(condition, schema)) for label, condition in self.conditions]
        )

    def needs(self, wanted: frozenset[str]) -> Mapping[str, frozenset[str]]:
        """What is wanted, and what the conditions read."""
        return {"in": wanted.union(*(condition.columns for _, condition in self.conditions))}


class _CheckPartition(Partition):
    def __init__(self, context: PartitionContext, conditions: list[tuple[str, BoundExpression]]) -> None:
        self._reject = context.reject
        self._conditions = conditions

    def on_batch(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """The rows that satisfy all conditions."""
        for label, condition in self._conditions:
            kept = pc.fill_null(condition(batch), True)
            if kept.false_count:
                self._reject(batch.filter(pc.invert(kept)), f"does not satisfy {label}")
                batch = batch.filter(kept)
        if batch.num_rows:
            yield batch


@verb
def check(stream: Stream, condition: Any, label: str = "", *, on_error: ErrorPolicy = "fail") -> Stream:
    """The rows of which a condition is not false; the others are bad rows.

    Args:
        stream: what to check.
        condition: a boolean expression, or the name of a boolean column.
        label: how errors call the condition (default: the expression).
        on_error: what becomes of the others.

    Raises:
        GraphError: the condition does not fit the stream's columns.
    """
    tested = expression(condition)
    return stream.apply(Check(((label or str(tested), tested),)), on_error=on_error)
