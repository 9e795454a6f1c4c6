"""How people write expressions: `col`, `lit`, `call`, `cast`, `case`, and Python's operators.

An `Expr` wraps a node. Its ``==`` builds a comparison, while nodes compare by structure; so a frozen description keeps
the node, by the converter `expression`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

import attrs
import pyarrow as pa
import pyarrow.compute as pc

from operators.expressions.bound import Bound, BoundExpression
from operators.expressions.expression import Expression
from operators.expressions.nodes import Call, Case, Cast, Column, Field, InList, Literal, as_node
from operators.expressions.type_names import type_named
from operators.expressions.types import ExpressionError


@attrs.frozen(eq=False, str=False, repr=False)
class Expr(Expression):
    """An expression under construction: operators and methods build larger ones."""

    node: Expression = attrs.field(converter=as_node)

    @property
    def children(self) -> Sequence[Expression]:
        """The node's."""
        return self.node.children

    @property
    def columns(self) -> frozenset[str]:
        """The names of the columns that it reads."""
        return self.node.columns

    def resolve(self, schema: pa.Schema) -> Bound:
        """The node's tree of kernels."""
        return self.node.resolve(schema)

    def bind(self, schema: pa.Schema) -> BoundExpression:
        """As `Expression.bind`."""
        return self.node.bind(schema)

    def to_arrow(self, schema: pa.Schema | None = None) -> pc.Expression | None:
        """As `Expression.to_arrow`."""
        return self.node.to_arrow(schema)

    def plain(self) -> Expression:
        """The node."""
        return self.node

    def same(self, other: Expression) -> bool:
        """Whether both say the same: ``==`` builds a comparison instead of answering."""
        return bool(self.node == other.plain())

    def __str__(self) -> str:
        return str(self.node)

    def __repr__(self) -> str:
        return f"<{self.node}>"

    def __hash__(self) -> int:
        return hash(self.node)

    def __bool__(self) -> NoReturn:
        raise ExpressionError(
            f"{self} has no truth value before it runs: join conditions with & | ~ instead of and, or, not "
            "(each in parentheses), write a chain as .between(), and compare expressions with .same()"
        )

    def __iter__(self) -> NoReturn:
        raise ExpressionError(f"{self} cannot be iterated over: it stands for one value a row")

    def __add__(self, other: Any) -> Expr:
        return call("+", self, other)

    def __radd__(self, other: Any) -> Expr:
        return call("+", other, self)

    def __sub__(self, other: Any) -> Expr:
        return call("-", self, other)

    def __rsub__(self, other: Any) -> Expr:
        return call("-", other, self)

    def __mul__(self, other: Any) -> Expr:
        return call("*", self, other)

    def __rmul__(self, other: Any) -> Expr:
        return call("*", other, self)

    def __truediv__(self, other: Any) -> Expr:
        return call("/", self, other)

    def __rtruediv__(self, other: Any) -> Expr:
        return call("/", other, self)

    def __floordiv__(self, other: Any) -> Expr:
        return call("div", self, other)

    def __rfloordiv__(self, other: Any) -> Expr:
        return call("div", other, self)

    def __mod__(self, other: Any) -> Expr:
        return call("%", self, other)

    def __rmod__(self, other: Any) -> Expr:
        return call("%", other, self)

    def __neg__(self) -> Expr:
        return call("-", self)

    def __eq__(self, other: object) -> Expr:  # type: ignore[override]
        return call("=", self, other)

    def __ne__(self, other: object) -> Expr:  # type: ignore[override]
        return call("<>", self, other)

    def __lt__(self, other: Any) -> Expr:
        return call("<", self, other)

    def __le__(self, other: Any) -> Expr:
        return call("<=", self, other)

    def __gt__(self, other: Any) -> Expr:
        return call(">", self, other)

    def __ge__(self, other: Any) -> Expr:
        return call(">=", self, other)

    def __and__(self, other: Any) -> Expr:
        return call("and", self, other)

    def __rand__(self, other: Any) -> Expr:
        return call("and", other, self)

    def __or__(self, other: Any) -> Expr:
        return call("or", self, other)

    def __ror__(self, other: Any) -> Expr:
        return call("or", other, self)

    def __invert__(self) -> Expr:
        return call("not", self)

    def is_null(self) -> Expr:
        """Whether the value is NULL."""
        return call("is null", self)

    def is_not_null(self) -> Expr:
        """Whether the value is not NULL."""
        return call("is not null", self)

    def is_in(self, values: Iterable[Any]) -> Expr:
        """Whether the value equals one of these (SQL's IN)."""
        return Expr(InList(self, values))

    def between(self, low: Any, high: Any) -> Expr:
        """Whether low <= value <= high."""
        return call("and", self >= low, self <= high)

    def is_distinct_from(self, other: Any) -> Expr:
        """Unequal, with NULL as a value like others."""
        return call("is distinct from", self, other)

    def is_not_distinct_from(self, other: Any) -> Expr:
        """Equal, with NULL as a value like others."""
        return call("is not distinct from", self, other)

    def like(self, pattern: Any) -> Expr:
        """Whether text matches a pattern: ``%`` stands for any text, ``_`` for one character."""
        return call("like", self, pattern)

    def ilike(self, pattern: Any) -> Expr:
        """As `like`, whatever the case."""
        return call("ilike", self, pattern)

    def cast(self, kind: pa.DataType | str) -> Expr:
        """The value in another type; rows whose value does not fit are errors."""
        return cast(self, kind)

    def try_cast(self, kind: pa.DataType | str) -> Expr:
        """The value in another type; NULL where it does not fit."""
        return Expr(Cast(self, type_named(kind), forgiving=True))

    def field(self, name: str) -> Expr:
        """A field of a struct."""
        return Expr(Field(self, name))


def col(name: str) -> Expr:
    """A column of the input."""
    return Expr(Column(name))


def lit(value: Any, type: pa.DataType | str | None = None) -> Expr:  # noqa: A002
    """A value that is the same in all rows; None is NULL.

    Whole numbers and text without a type take the type that their surroundings want (text becomes a timestamp where it
    is compared with one).
    """
    return Expr(Literal(value, None if type is None else type_named(type)))


def call(function: str, *arguments: Any) -> Expr:
    """A function by its SQL name, or an operator (``+``, ``||``, ``and``, ``is null``, ``like``, ...).

    Arguments that are no expressions are literals.
    """
    return Expr(Call(function, arguments))


def cast(value: Any, kind: pa.DataType | str) -> Expr:
    """A value in another type, given as an Arrow type or by its SQL name."""
    return Expr(Cast(value, type_named(kind)))


def case(branches: Iterable[tuple[Any, Any]], otherwise: Any = None) -> Expr:
    """The value of the first (condition, value) whose condition is true, else `otherwise`."""
    pairs = list(branches)
    if not pairs:
        raise ExpressionError("case() needs at least one branch; write case([(condition, value), ...], otherwise)")
    return Expr(Case(pairs, otherwise))


def coalesce(*values: Any) -> Expr:
    """The first value that is not NULL."""
    return call("coalesce", *values)


def expression(value: Any) -> Expression:
    """What a description keeps: the node of an expression; text means a column, any other value a literal."""
    return Column(value) if isinstance(value, str) else as_node(value)


__all__ = [
    "Expr",
    "call",
    "case",
    "cast",
    "coalesce",
    "col",
    "expression",
    "lit",
]
