"""Async functions of users in expressions: what they are, and how they are told apart before anything runs.

No kernel can wait, so calls of them are taken out of expressions and answered by an operator of their own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import attrs
import pyarrow as pa

from flow.durations import Duration, microseconds
from flow.nodes import ErrorPolicy
from operators.calling.callables import described
from operators.calling.retries import Retries
from operators.expressions.bound import Bound
from operators.expressions.casts import Value
from operators.expressions.expression import Expression
from operators.expressions.types import ExpressionError
from operators.expressions.user import DeclaredCall


def _seconds(duration: Duration) -> float:
    return microseconds(duration) / 1e6


@attrs.frozen
class AsyncFunction:
    """One value for each row, for which one has to wait.

    Attributes:
        name: what queries call it.
        function: async, under trio, of the values of a row as Python objects.
        arguments: the types of its arguments.
        result: the type of its values.
        called_on_null: whether it is called for rows with a NULL among its arguments; else their value is NULL.
        concurrency: calls under way at the same time in one partition.
        retries: what becomes of a call that raises or takes too long.
        cached: how many answers each partition remembers, by their arguments; the oldest are forgotten first.
        cached_for: seconds after which a remembered answer is asked for again; None: never.
        deterministic: whether equal arguments have equal answers at any time. Of any other function the answers are
            kept for rows that may be taken back.
        on_error: what becomes, in queries, of the rows for which no call succeeds.
    """

    name: str
    function: Callable[..., Awaitable[Any]] = attrs.field(repr=described)
    arguments: tuple[pa.DataType, ...]
    result: pa.DataType
    called_on_null: bool = False
    concurrency: int = 64
    retries: Retries = attrs.field(factory=Retries)
    cached: int = 0
    cached_for: float | None = attrs.field(default=None, converter=attrs.converters.optional(_seconds))
    deterministic: bool = False
    on_error: ErrorPolicy = "fail"

    def __attrs_post_init__(self) -> None:
        if self.concurrency < 1:
            raise ExpressionError(f"concurrency must be at least 1, not {self.concurrency}")
        if self.cached < 0:
            raise ExpressionError(f"cached must not be negative, not {self.cached}")
        if self.cached_for is not None and self.cached_for <= 0:
            raise ExpressionError(f"cached_for must be longer than nothing; this is {self.cached_for:g} s")
        if self.cached_for is not None and not self.cached:
            raise ExpressionError("cached_for says how long answers are remembered: say how many, by cached")


@attrs.frozen(str=False)
class AsyncCall(DeclaredCall):
    """A call of an async function over other expressions."""

    function: AsyncFunction
    arguments: tuple[Expression, ...]

    def resolve(self, schema: pa.Schema) -> Bound:
        """A value of the function's type, that cannot be evaluated. Raises ExpressionError for wrong arguments."""
        self.resolved(schema)
        return _Awaited(str(self), self.function.result)


@attrs.frozen
class _Awaited(Bound):
    text: str
    type: pa.DataType

    def evaluate(self, batch: pa.RecordBatch) -> Value:
        """Not possible: the planner takes such calls out."""
        raise AssertionError(f"nobody has taken {self.text} out of its expression")


def async_calls(expression: Expression) -> Iterator[AsyncCall]:
    """The calls of async functions in an expression, those among the arguments of others first."""
    for child in expression.children:
        yield from async_calls(child)
    if isinstance(expression, AsyncCall):
        yield expression
