"""The kinds of expressions: columns, literals, calls, casts, choices, lists of values and fields of structs.

Nodes hold nodes only; `operators.expressions.build.Expr` is what people write with operators, and it unwraps itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flow.errors import known
from operators.expressions import pushdown
from operators.expressions.bound import (
    Bound,
    BoundCall,
    BoundCase,
    BoundCast,
    BoundColumn,
    BoundExpression,
    BoundLiteral,
    coerced,
    folded,
)
from operators.expressions.casts import castable
from operators.expressions.expression import Expression, boolean, meeting
from operators.expressions.functions import resolve
from operators.expressions.functions.comparison import membership
from operators.expressions.type_names import type_text
from operators.expressions.types import INTERVAL, ExpressionError, literal_decimal, logical

_INFIX: Final = frozenset(
    {"+", "-", "*", "/", "%", "||", "=", "<>", "<", "<=", ">", ">=", "and", "or", "like", "ilike", "similar to",
     "~", "~*", "^",
     "is distinct from", "is not distinct from", "->", "->>", "#>", "#>>", "@>", "<@", "&&", "?", "?|", "?&"}
)  # fmt: skip
_POSTFIX: Final = frozenset({"is null", "is not null", "is true", "is not true", "is false", "is not false"})
_ALIASES: Final = {
    "==": "=", "!=": "<>", "is_null": "is null", "is_not_null": "is not null", "is_true": "is true",
    "is_not_true": "is not true", "is_false": "is false", "is_not_false": "is not false",
    "is_distinct_from": "is distinct from", "is_not_distinct_from": "is not distinct from",
}  # fmt: skip
_PLAIN_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")


def as_node(value: Any) -> Expression:
    """An expression as a plain node; any other value as a literal."""
    return value.plain() if isinstance(value, Expression) else Literal(value)


def _nodes(values: Iterable[Any]) -> tuple[Expression, ...]:
    return tuple(as_node(value) for value in values)


def _interval_text(interval: pa.MonthDayNano) -> str:
    parts = []
    for count, unit in ((interval.months, "month"), (interval.days, "day")):
        if count:
            parts.append(f"{count} {unit}{'' if abs(count) == 1 else 's'}")
    if interval.nanoseconds or not parts:
        parts.append(f"{Decimal(interval.nanoseconds) / 1_000_000_000:f} seconds")
    return " ".join(parts)


def _function_name(name: str) -> str:
    name = name.lower()
    return _ALIASES.get(name, name)


def _plain_value(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _pairs(pairs: Iterable[tuple[Any, Any]]) -> tuple[tuple[Expression, Expression], ...]:
    return tuple((as_node(condition), as_node(value)) for condition, value in pairs)


@attrs.frozen(str=False)
class Column(Expression):
    """A column of the input, by name."""

    name: str

    @property
    def children(self) -> Sequence[Expression]:
        """None."""
        return ()

    @property
    def columns(self) -> frozenset[str]:
        """Its name."""
        return frozenset((self.name,))

    def bind(self, schema: pa.Schema) -> BoundExpression:
        """As `Expression.bind`; it is found sooner than remembered."""
        return BoundExpression(self.resolve(schema))

    def resolve(self, schema: pa.Schema) -> Bound:
        """The column; raises ExpressionError with the nearest name where there is none."""
        index = schema.get_field_index(self.name)
        if index < 0:
            raise ExpressionError(f"no column {self.name!r}; {known(self.name, schema.names)}")
        return BoundColumn(index, schema.field(index).type)

    def pushed(self, schema: pa.Schema | None) -> pushdown.Pushed:
        """The column."""
        kind = None
        if schema is not None and self.name in schema.names:
            kind = logical(schema.field(self.name).type)
        return pushdown.Pushed(pc.field(self.name), pc.field(self.name), column=True, type=kind)

    def __str__(self) -> str:
        return self.name if _PLAIN_NAME.fullmatch(self.name) else '"' + self.name.replace('"', '""') + '"'


def _identity(value: Any) -> tuple[str, str]:
    """What makes two literals the same: 1, 1.0 and True are equal in Python, and NaN is not equal to itself."""
    return type(value).__name__, repr(value)


@attrs.frozen(str=False)
class Literal(Expression):
    """The same value for all rows.

    Attributes:
        value: a Python value; None is NULL.
        type: its Arrow type; where left out, whole numbers and text take the type that their surroundings want.
    """

    value: Any = attrs.field(eq=_identity, converter=_plain_value)
    type: pa.DataType | None = None

    @property
    def children(self) -> Sequence[Expression]:
        """None."""
        return ()

    @property
    def _beyond_integers(self) -> bool:
        """Whether it is a whole number that only a decimal can hold."""
        return isinstance(self.value, int) and self.type is None and not -(2**63) <= self.value < 2**63

    def scalar(self) -> pa.Scalar:
        """The value as Arrow's; raises ExpressionError where Arrow has no such value."""
        return self._scalar

    @cached_property
    def _scalar(self) -> pa.Scalar:
        try:
            number = Decimal(self.value) if self._beyond_integers else self.value
            if isinstance(number, Decimal) and self.type is None:
                return pa.scalar(number, literal_decimal(number))
            return pa.scalar(self.value, self.type)
        except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
            as_type = "" if self.type is None else f" of type {type_text(self.type)}"
            raise ExpressionError(f"{self.value!r} is no value{as_type}: {error}") from error

    def resolve(self, schema: pa.Schema) -> Bound:
        """The value."""
        whole = isinstance(self.value, int) and not isinstance(self.value, bool) and not self._beyond_integers
        flexible = self.type is None and (whole or isinstance(self.value, str))
        return BoundLiteral(self.scalar(), flexible)

    def pushed(self, schema: pa.Schema | None) -> pushdown.Pushed:
        """The value."""
        scalar = self.scalar()
        return pushdown.Pushed(pc.scalar(scalar), pc.scalar(scalar), literal=scalar)

    def __str__(self) -> str:
        if isinstance(self.value, pa.MonthDayNano):
            return f"INTERVAL '{_interval_text(self.value)}'"
        if self.value is None:
            text = "NULL"
        elif isinstance(self.value, bool):
            text = str(self.value).upper()
        elif isinstance(self.value, int | float | Decimal):
            text = str(self.value)
        else:
            text = "'" + str(self.value).replace("'", "''") + "'"
        return text if self.type is None else f"CAST({text} AS {type_text(self.type)})"


@attrs.frozen(str=False)
class Call(Expression):
    """A function or operator over other expressions; its name is kept in lower case."""

    function: str = attrs.field(converter=_function_name)
    arguments: tuple[Expression, ...] = attrs.field(converter=_nodes)

    @property
    def children(self) -> Sequence[Expression]:
        """The arguments."""
        return self.arguments

    def resolve(self, schema: pa.Schema) -> Bound:
        """The overload that fits the arguments' types."""
        bounds = [argument.resolve(schema) for argument in self.arguments]
        if self.function == "coalesce" and bounds:
            kind = meeting(self, bounds)
            values = tuple(coerced(bound, kind, str(self)) for bound in bounds)
            return BoundCase(tuple((None, value) for value in values), kind, first_valid=True)
        try:
            resolved = resolve(self.function, [bound.argument for bound in bounds])
        except ExpressionError as error:
            raise ExpressionError(f"{self}: {error}") from error
        arguments = tuple(
            coerced(bound, kind, str(self)) for bound, kind in zip(bounds, resolved.arguments, strict=True)
        )
        total = resolved.total and all(argument.total for argument in arguments)
        return folded(BoundCall(str(self), resolved.kernel, arguments, resolved.result, total), arguments)

    def pushed(self, schema: pa.Schema | None) -> pushdown.Pushed:
        """What a reader can know of a comparison or of conditions joined."""
        return pushdown.call(self.function, [argument.pushed(schema) for argument in self.arguments])

    def __str__(self) -> str:
        texts = [_nested(argument) for argument in self.arguments]
        if self.function in _INFIX and len(texts) == 2:
            return f"{texts[0]} {self.function.upper()} {texts[1]}"
        if self.function in _POSTFIX and len(texts) == 1:
            return f"{texts[0]} {self.function.upper()}"
        if self.function in ("not", "-", "+") and len(texts) == 1:
            return f"{self.function.upper()} {texts[0]}" if self.function == "not" else f"{self.function}{texts[0]}"
        return f"{self.function}({', '.join(str(argument) for argument in self.arguments)})"


@attrs.frozen(str=False)
class Cast(Expression):
    """A value in another type; a forgiving cast turns what does not fit into NULL."""

    operand: Expression = attrs.field(converter=as_node)
    type: pa.DataType
    forgiving: bool = False

    @property
    def children(self) -> Sequence[Expression]:
        """What is cast."""
        return (self.operand,)

    def resolve(self, schema: pa.Schema) -> Bound:
        """The cast; raises ExpressionError where no value of the one type is one of the other."""
        bound = self.operand.resolve(schema)
        if bound.type == self.type:
            return bound
        target = logical(self.type)
        if not castable(logical(bound.type), target):
            raise ExpressionError(f"{self}: {type_text(bound.type)} cannot be cast to {type_text(self.type)}")
        return folded(BoundCast(str(self), bound, target, self.forgiving, self.forgiving and bound.total), (bound,))

    def __str__(self) -> str:
        return f"{'TRY_CAST' if self.forgiving else 'CAST'}({self.operand} AS {type_text(self.type)})"


@attrs.frozen(str=False)
class Case(Expression):
    """The value of the first branch (condition, value) whose condition is true; no other is computed for the row."""

    branches: tuple[tuple[Expression, Expression], ...] = attrs.field(converter=_pairs)
    otherwise: Expression = attrs.field(default=None, converter=as_node)

    @property
    def children(self) -> Sequence[Expression]:
        """Conditions and values in order, then the value of the rows that no branch takes."""
        return (*(part for branch in self.branches for part in branch), self.otherwise)

    def resolve(self, schema: pa.Schema) -> Bound:
        """The branches in the type in which their values meet."""
        values = [value.resolve(schema) for _, value in self.branches]
        values.append(self.otherwise.resolve(schema))
        kind = meeting(self, values)
        values = [coerced(value, kind, str(self)) for value in values]
        conditions = [boolean(condition, schema) for condition, _ in self.branches]
        return BoundCase(tuple(zip([*conditions, None], values, strict=True)), kind)

    def __str__(self) -> str:
        whens = " ".join(f"WHEN {condition} THEN {value}" for condition, value in self.branches)
        otherwise = "" if self.otherwise == Literal(None) else f" ELSE {self.otherwise}"
        return f"CASE {whens}{otherwise} END"


@attrs.frozen(str=False)
class InList(Expression):
    """Whether a value equals one of several; NULL where that depends on a NULL."""

    operand: Expression = attrs.field(converter=as_node)
    values: tuple[Expression, ...] = attrs.field(converter=_nodes)

    @property
    def children(self) -> Sequence[Expression]:
        """The operand, then the values."""
        return (self.operand, *self.values)

    def resolve(self, schema: pa.Schema) -> Bound:
        """One look-up where all values are literals that Arrow looks up, else comparisons joined by OR."""
        if not self.values:
            raise ExpressionError(f"{self}: the list is empty")
        bounds = [child.resolve(schema) for child in self.children]
        kind = meeting(self, bounds)
        operand, *values = (coerced(bound, kind, str(self)) for bound in bounds)
        literals = [value.scalar for value in values if isinstance(value, BoundLiteral)]
        looked_up = not (kind == INTERVAL or pa.types.is_nested(kind) or isinstance(kind, pa.BaseExtensionType))
        if looked_up and len(literals) == len(values):
            kernel = membership(pa.array([scalar.as_py() for scalar in literals], kind))
            return folded(BoundCall(str(self), kernel, (operand,), pa.bool_(), operand.total), (operand,))
        tests: list[Expression] = [Call("=", (self.operand, value)) for value in self.values]
        while len(tests) > 1:
            tests = [Call("or", tests[:2]), *tests[2:]]
        return tests[0].resolve(schema)

    def pushed(self, schema: pa.Schema | None) -> pushdown.Pushed:
        """What a reader can know of it."""
        return pushdown.in_list([child.pushed(schema) for child in self.children])

    def __str__(self) -> str:
        return f"{_nested(self.operand)} IN ({', '.join(map(str, self.values))})"


@attrs.frozen(str=False)
class Field(Expression):
    """A field of a struct."""

    operand: Expression = attrs.field(converter=as_node)
    name: str

    @property
    def children(self) -> Sequence[Expression]:
        """The struct."""
        return (self.operand,)

    def resolve(self, schema: pa.Schema) -> Bound:
        """The field; raises ExpressionError with the nearest name where there is none."""
        bound = self.operand.resolve(schema)
        if not pa.types.is_struct(bound.type):
            raise ExpressionError(f"{self}: {self.operand} has type {type_text(bound.type)}; only structs have fields")
        if self.name not in bound.type.names:
            raise ExpressionError(f"{self}: no field {self.name!r}; {known(self.name, bound.type.names)}")
        name = self.name

        def kernel(value: pa.Array) -> pa.Array:
            return pc.struct_field(value, name)

        return BoundCall(str(self), kernel, (bound,), bound.type.field(name).type, bound.total)

    def __str__(self) -> str:
        return f"{_nested(self.operand)}.{Column(self.name)}"


def _nested(expression: Expression) -> str:
    infix = isinstance(expression, Call) and (expression.function in _INFIX | _POSTFIX or expression.function == "not")
    return f"({expression})" if infix or isinstance(expression, InList) else str(expression)
