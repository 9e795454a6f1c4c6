"""Functions of users as expressions: Python over the values of one row, or over whole Arrow arrays.

A function is to be pure: rows that a changelog takes back go through it again, and constants are computed beforehand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import repeat
from typing import Any, Protocol

import attrs
import pyarrow as pa
import pyarrow.compute as pc

from operators.calling.callables import described
from operators.expressions.bound import Bound, BoundCall, coerced, folded
from operators.expressions.build import Expr, expression
from operators.expressions.expression import Expression
from operators.expressions.registry import Kernel
from operators.expressions.type_names import type_text
from operators.expressions.types import Argument, ExpressionError, common
from operators.values.objects import array_of


def check_arguments(name: str, declared: Sequence[pa.DataType], given: Sequence[Argument]) -> None:
    """Raise ExpressionError where values do not become the declared types by themselves."""
    fits = len(declared) == len(given) and all(
        common([Argument(kind), argument]) == kind for kind, argument in zip(declared, given, strict=True)
    )
    if not fits:
        wanted, got = (", ".join(map(type_text, kinds)) for kinds in (declared, [argument.type for argument in given]))
        raise ExpressionError(f"{name}() takes ({wanted}), and is given ({got})")


@attrs.frozen
class ScalarFunction:
    """One value for each row.

    Attributes:
        name: what queries call it.
        function: of the values of a row as Python objects, or, where `vectorised`, of Arrow arrays of equal length to
            an array of that length.
        arguments: the types of its arguments.
        result: the type of its values.
        vectorised: whether it takes arrays.
        called_on_null: whether it is called for rows with a NULL among its arguments; else their value is NULL.
    """

    name: str
    function: Callable[..., Any] = attrs.field(repr=described)
    arguments: tuple[pa.DataType, ...]
    result: pa.DataType
    vectorised: bool = False
    called_on_null: bool = False

    def __call__(self, *arguments: Any) -> Expr:
        """The function's value as an expression; text means a column."""
        return Expr(UserCall(self, tuple(map(expression, arguments))))

    @property
    def kernel(self) -> Kernel:
        """The function over arrays and scalars; raises what says which row it failed for."""
        return self._over_arrays if self.vectorised else self._over_rows

    def _over_arrays(self, *values: Any) -> pa.Array:
        size = _size(values)
        arrays = [value if isinstance(value, pa.Array) else pa.repeat(value, size) for value in values]
        try:
            result = self.function(*arrays)
        except Exception as error:
            raise pa.ArrowInvalid(f"{type(error).__name__}: {error}") from error
        if isinstance(result, pa.ChunkedArray):
            result = result.combine_chunks()
        if not isinstance(result, pa.Array) or len(result) != size:
            kind = f"{len(result)} values" if isinstance(result, pa.Array) else type(result).__name__
            raise pa.ArrowInvalid(f"it must return an Arrow array of {size} values, and returned {kind}")
        if not self.called_on_null and any(array.null_count for array in arrays):
            known = [array.is_valid() for array in arrays if array.null_count]
            for valid in known:
                result = pc.if_else(valid, result, pa.scalar(None, result.type))
        return result

    def _over_rows(self, *values: Any) -> pa.Array:
        size = _size(values)
        rows: Iterable[tuple[Any, ...]] = zip(*(_objects(value, size) for value in values), strict=True)
        made = [self._of_row(row) for row in (rows if values else [()])]
        try:
            return array_of(made, self.result)
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            raise pa.ArrowInvalid(f"what it returned is no {self.result}: {error}") from error

    def _of_row(self, row: tuple[Any, ...]) -> Any:
        if not self.called_on_null and any(value is None for value in row):
            return None
        try:
            return self.function(*row)
        except Exception as error:
            shown = ", ".join(map(repr, row))
            raise pa.ArrowInvalid(f"{type(error).__name__} for ({shown}): {error}") from error


def _size(values: Sequence[Any]) -> int:
    return next((len(value) for value in values if isinstance(value, pa.Array)), 1)


def _objects(value: Any, size: int) -> Iterable[Any]:
    return value.to_pylist() if isinstance(value, pa.Array) else repeat(value.as_py(), size)


class Declared(Protocol):
    """A function whose name and types are declared."""

    @property
    def name(self) -> str:
        """What queries call it."""

    @property
    def arguments(self) -> tuple[pa.DataType, ...]:
        """The types of its arguments."""


class DeclaredCall(Expression):
    """A call of a declared function over other expressions."""

    function: Declared
    arguments: tuple[Expression, ...]

    @property
    def children(self) -> Sequence[Expression]:
        """The arguments."""
        return self.arguments

    def resolved(self, schema: pa.Schema) -> list[Bound]:
        """The arguments over these columns. Raises ExpressionError where they are not of the declared types."""
        bounds = [argument.resolve(schema) for argument in self.arguments]
        check_arguments(self.function.name, self.function.arguments, [bound.argument for bound in bounds])
        return bounds

    def __str__(self) -> str:
        return f"{self.function.name}({', '.join(map(str, self.arguments))})"


@attrs.frozen(str=False)
class UserCall(DeclaredCall):
    """A user's function over other expressions."""

    function: ScalarFunction
    arguments: tuple[Expression, ...]

    def resolve(self, schema: pa.Schema) -> Bound:
        """The function over arguments of its types. Raises ExpressionError where they are others."""
        arguments = tuple(
            coerced(bound, kind, str(self))
            for bound, kind in zip(self.resolved(schema), self.function.arguments, strict=True)
        )
        return folded(BoundCall(str(self), self.function.kernel, arguments, self.function.result), arguments)
