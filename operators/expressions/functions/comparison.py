"""Comparisons, three-valued logic, and tests for NULL.

NaN equals NaN and is greater than every other number, as in PostgreSQL; NULL makes NULL, unless the test is about it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from operators.expressions.functions.comparing import interval_comparison, nested_comparison
from operators.expressions.registry import Kernel, Resolved, function, overload
from operators.expressions.types import INTERVAL, Argument, common, family

_COMPARABLE: Final = frozenset(
    {
        "boolean",
        "integer",
        "float",
        "decimal",
        "text",
        "binary",
        "date",
        "time",
        "timestamp",
        "duration",
        "json",
        "uuid",
    }
)

_PLAIN: Final[dict[str, Callable[[Any, Any], pa.Array]]] = {
    "=": pc.equal,
    "<>": pc.not_equal,
    "<": pc.less,
    "<=": pc.less_equal,
    ">": pc.greater,
    ">=": pc.greater_equal,
}


def comparable(kind: pa.DataType) -> bool:
    """Whether two values of a type can be compared as they are."""
    return family(kind) in _COMPARABLE


def _is_nan_free(value: Any) -> bool:
    return isinstance(value, pa.Scalar) and (not value.is_valid or value.as_py() == value.as_py())


def float_less(left: Any, right: Any) -> pa.Array:
    """Less, with NaN above all numbers."""
    if _is_nan_free(right):
        return pc.less(left, right)
    if _is_nan_free(left):
        return pc.invert(pc.greater_equal(left, right))
    return pc.or_(pc.less(left, right), pc.and_not(pc.is_nan(right), pc.is_nan(left)))


def float_equal(left: Any, right: Any) -> pa.Array:
    """Equal, with NaN equal to itself."""
    if _is_nan_free(left) or _is_nan_free(right):
        return pc.equal(left, right)
    return pc.or_(pc.equal(left, right), pc.and_(pc.is_nan(left), pc.is_nan(right)))


_FLOAT: Final[dict[str, Callable[[Any, Any], pa.Array]]] = {
    "=": float_equal,
    "<>": lambda left, right: pc.invert(float_equal(left, right)),
    "<": float_less,
    "<=": lambda left, right: pc.invert(float_less(right, left)),
    ">": lambda left, right: float_less(right, left),
    ">=": lambda left, right: pc.invert(float_less(left, right)),
}


def comparison(name: str, kind: pa.DataType) -> Kernel | None:
    """What compares two values of a type by a sign; None where they cannot be compared so."""
    if kind == INTERVAL:
        return interval_comparison(name)
    if nested := nested_comparison(name, kind):
        return nested
    if not comparable(kind):
        return None
    return (_FLOAT if pa.types.is_floating(kind) else _PLAIN)[name]


def _compared(name: str, arguments: Sequence[Argument], wrap: Callable[[Kernel], Kernel]) -> Resolved | None:
    if len(arguments) != 2:
        return None
    kind = common(arguments)
    if kind is not None and pa.types.is_null(kind):
        kind = pa.string()
    kernel = None if kind is None else comparison(name, kind)
    return None if kind is None or kernel is None else Resolved((kind, kind), pa.bool_(), wrap(kernel), total=True)


def _distinct(equal: Kernel) -> Kernel:
    def kernel(left: Any, right: Any) -> pa.Array:
        return pc.invert(_same(equal, left, right))

    return kernel


def _not_distinct(equal: Kernel) -> Kernel:
    def kernel(left: Any, right: Any) -> pa.Array:
        return _same(equal, left, right)

    return kernel


def _same(equal: Kernel, left: Any, right: Any) -> pa.Array:
    both_null = pc.and_(pc.is_null(left), pc.is_null(right))
    return pc.or_(pc.fill_null(equal(left, right), False), both_null)


_SAYS: Final = {
    "=": ("Equal.", "(2 = 2.0) = true", "('a' = 'A') = false", "(1 = NULL) IS NULL"),
    "<>": ("Not equal; also `!=`.", "(1 <> 2) = true"),
    "<": ("Less; text by the numbers of its characters in Unicode.", "(1 < 1.5) = true", "('Z' < 'a') = true"),
    "<=": (
        "Less or equal; `x BETWEEN a AND b` is `a <= x AND x <= b`.",
        "(2 <= 2) = true",
        "(2 BETWEEN 1 AND 3) = true",
    ),
    ">": ("Greater; NaN is greater than any number.", "('NaN'::double > 1e300) = true"),
    ">=": (
        "Greater or equal.",
        "(DATE '2024-02-01' >= DATE '2024-01-31') = true",
        "(2 BETWEEN SYMMETRIC 3 AND 1) = true",
    ),
}


def _register() -> None:
    def rule(name: str, wrap: Callable[[Kernel], Kernel]) -> Callable[[Sequence[Argument]], Resolved | None]:
        return lambda arguments: _compared(name, arguments, wrap)

    for name, (says, *examples) in _SAYS.items():
        overload(f"{name}(same, same) -> boolean", rule(name, lambda kernel: kernel), says=says, examples=examples)
    overload(
        "is distinct from(same, same) -> boolean",
        rule("=", _distinct),
        says="Not equal, with NULLs equal to each other.",
        examples=["(1 IS DISTINCT FROM NULL) = true", "(NULL IS DISTINCT FROM NULL) = false"],
    )
    overload(
        "is not distinct from(same, same) -> boolean",
        rule("=", _not_distinct),
        says="Equal, with NULLs equal to each other.",
        examples=["(1 IS NOT DISTINCT FROM NULL) = false", "(2 IS NOT DISTINCT FROM 2.0) = true"],
    )


_register()


@function(
    "and(boolean, boolean) -> boolean",
    total=True,
    says="Both; false where one is false, even beside NULL.",
    examples=["(true AND NULL) IS NULL", "(false AND NULL) = false"],
)
def _and(left: Any, right: Any) -> pa.Array:
    return pc.and_kleene(left, right)


@function(
    "or(boolean, boolean) -> boolean",
    total=True,
    says="One or both; true where one is true, even beside NULL.",
    examples=["(true OR NULL) = true", "(false OR NULL) IS NULL"],
)
def _or(left: Any, right: Any) -> pa.Array:
    return pc.or_kleene(left, right)


@function(
    "not(boolean) -> boolean",
    total=True,
    says="The opposite.",
    examples=["(NOT false) = true"],
)
def _not(value: Any) -> pa.Array:
    return pc.invert(value)


@function(
    "is null(any) -> boolean",
    total=True,
    says="Whether a value is NULL; also `IS UNKNOWN` of conditions.",
    examples=["(NULL IS NULL) = true", "((1 = NULL) IS UNKNOWN) = true"],
)
def _is_null(value: Any) -> pa.Array:
    return pc.is_null(value)


@function(
    "is not null(any) -> boolean",
    total=True,
    says="Whether a value is not NULL.",
    examples=["(1 IS NOT NULL) = true"],
)
def _is_not_null(value: Any) -> pa.Array:
    return pc.is_valid(value)


@function(
    "is true(boolean) -> boolean",
    total=True,
    says="Whether a condition is true, and not NULL.",
    examples=["(NULL::boolean IS TRUE) = false"],
)
def _is_true(value: Any) -> pa.Array:
    return pc.fill_null(value, False)


@function(
    "is not true(boolean) -> boolean",
    total=True,
    says="Whether a condition is false or NULL.",
    examples=["(NULL::boolean IS NOT TRUE) = true"],
)
def _is_not_true(value: Any) -> pa.Array:
    return pc.invert(pc.fill_null(value, False))


@function(
    "is false(boolean) -> boolean",
    total=True,
    says="Whether a condition is false, and not NULL.",
    examples=["(false IS FALSE) = true"],
)
def _is_false(value: Any) -> pa.Array:
    return pc.invert(pc.fill_null(value, True))


@function(
    "is not false(boolean) -> boolean",
    total=True,
    says="Whether a condition is true or NULL.",
    examples=["(NULL::boolean IS NOT FALSE) = true"],
)
def _is_not_false(value: Any) -> pa.Array:
    return pc.fill_null(value, True)


@function(
    "isnan(double) -> boolean",
    total=True,
    says="Whether a number is NaN.",
    examples=["isnan('NaN'::double) = true"],
)
def _is_nan(value: Any) -> pa.Array:
    return pc.is_nan(value)


def membership(values: pa.Array) -> Kernel:
    """The kernel of ``IN`` over these values: NULL for NULL, and instead of false where one of them is NULL."""
    present = values.drop_null()
    missing = len(present) < len(values)
    if pa.types.is_floating(present.type) and pc.any(pc.equal(present, 0)).as_py():
        # Arrow looks values up by their bits, in which the two zeros differ.
        present = pa.concat_arrays([present, pa.array([0.0, -0.0], present.type)])

    def kernel(operand: Any) -> pa.Array:
        found = pc.is_in(operand, value_set=present)
        if missing:
            return pc.if_else(found, True, pa.scalar(None, pa.bool_()))
        return pc.if_else(pc.is_valid(operand), found, pa.scalar(None, pa.bool_())) if operand.null_count else found

    return kernel
