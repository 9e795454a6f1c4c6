"""What every expression can do: be bound to the columns of a schema, be told as SQL, and be handed on to a reader.

An expression is frozen and compares by structure; what is bound to columns is remembered and not part of it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from operators.expressions import pushdown
from operators.expressions.bound import Bound, BoundExpression, coerced
from operators.expressions.type_names import type_text
from operators.expressions.types import Argument, ExpressionError, common, logical


class Expression(ABC):
    """A value computed from the columns of a row."""

    @property
    @abstractmethod
    def children(self) -> Sequence[Expression]:
        """The expressions that it is made of."""

    @abstractmethod
    def resolve(self, schema: pa.Schema) -> Bound:
        """The tree of kernels for these columns; `bind` is what callers want."""

    @abstractmethod
    def __str__(self) -> str:
        """The expression as SQL."""

    @property
    def columns(self) -> frozenset[str]:
        """The names of the columns that it reads."""
        return frozenset().union(*(child.columns for child in self.children))

    def plain(self) -> Expression:
        """The expression as nodes, which compare by structure."""
        return self

    def bind(self, schema: pa.Schema) -> BoundExpression:
        """The expression over columns of these names and types.

        Raises:
            ExpressionError: a column or function is missing, or the types do not fit.
        """
        return _bound(self, schema) if len(schema) <= _FEW_COLUMNS else BoundExpression(self.resolve(schema))

    def to_arrow(self, schema: pa.Schema | None = None) -> pc.Expression | None:
        """A condition that holds wherever this one does, for a reader that can skip rows; None where there is none.

        Args:
            schema: the columns' types, which allow more conditions to be passed on.
        """
        return pushdown.implied(self.pushed(schema))

    def pushed(self, schema: pa.Schema | None) -> pushdown.Pushed:
        """What a reader can know of it; the default is nothing."""
        return pushdown.NOTHING


_FEW_COLUMNS: Final = 64
"""A schema of no more columns is compared with others sooner than an expression is bound again."""


@lru_cache(maxsize=4096)
def _bound(expression: Expression, schema: pa.Schema) -> BoundExpression:
    # A query binds each of its expressions often: at every step of its planning, and again for each partition.
    return BoundExpression(expression.resolve(schema))


def boolean(expression: Expression, schema: pa.Schema) -> Bound:
    """A condition, bound. Raises ExpressionError where it is none."""
    bound = expression.resolve(schema)
    if logical(bound.type) != pa.bool_() and not pa.types.is_null(bound.type):
        raise ExpressionError(f"{expression}: a condition must be a boolean, and this has type {type_text(bound.type)}")
    return coerced(bound, pa.bool_(), str(expression))


def bind_condition(expression: Expression, schema: pa.Schema) -> BoundExpression:
    """As `Expression.bind`, of an expression that must be a condition: its values are booleans."""
    return BoundExpression(boolean(expression, schema))


def meeting(expression: Expression, bounds: Iterable[Bound]) -> pa.DataType:
    """The type in which values of an expression meet; raises ExpressionError where there is none."""
    arguments: list[Argument] = [bound.argument for bound in bounds]
    kind = common(arguments)
    if kind is None:
        raise ExpressionError(
            f"{expression}: its values have types that do not meet: {[type_text(each.type) for each in arguments]}"
        )
    return kind
