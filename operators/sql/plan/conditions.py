"""What can be known of a condition before it is evaluated: its parts, whether it can fail, and what NULLs make of it.

`AND` is evaluated whole, so conditions are put together by it only where none of them can fail.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Final

import pyarrow as pa

from operators.expressions import Call, Case, Cast, Column, Expression, InList, Literal
from operators.sql.plan import nodes as p
from operators.sql.plan.operators import schema_of

_VOLATILE: Final = frozenset({"random", "uuid", "gen_random_uuid"})
"""Functions that give another value each time: they are computed where they are written."""

_STRICT: Final = frozenset({"=", "<>", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "like", "ilike", "not"})
"""Functions that are NULL where one of their arguments is."""

_TESTS: Final = frozenset({"is not null", "is true", "is false"})
"""Tests that NULL does not pass."""


def volatile(expression: Expression) -> bool:
    """Whether it may have another value each time that it is evaluated."""
    if isinstance(expression, Call) and expression.function in _VOLATILE:
        return True
    return any(volatile(child) for child in expression.children)


def total(condition: Expression, schema: pa.Schema) -> bool:
    """Whether no row can make it fail."""
    return condition.bind(schema).root.total


def parts_of(condition: Expression | None) -> tuple[Expression, ...]:
    """The conditions that must all hold for this one; none for none, and for TRUE."""
    if condition is None or condition == Literal(True):
        return ()
    if isinstance(condition, Call) and condition.function == "and":
        return tuple(part for argument in condition.arguments for part in parts_of(argument))
    return (condition,)


def factored(condition: Expression, schema: pa.Schema) -> tuple[Expression, ...]:
    """Conditions that are true together where this one is: what all branches of its ORs have in common stands alone."""
    branches = [parts_of(branch) for branch in _branches(condition)]
    common = [part for part in branches[0] if total(part, schema) and all(part in branch for branch in branches[1:])]
    if len(branches) == 1 or not common:
        return (condition,)
    rests = [[part for part in branch if part not in common] for branch in branches]
    return (*common, _any_of(rests)) if all(rests) else (*common,)


def implied(condition: Expression, columns: frozenset[str], schema: pa.Schema) -> Expression | None:
    """What is known of these columns where a condition is true of which each branch says something about them.

    It can be evaluated on any row.
    """
    branches = [
        [part for part in parts_of(branch) if part.columns and part.columns <= columns and total(part, schema)]
        for branch in _branches(condition)
    ]
    return _any_of(branches) if len(branches) > 1 and all(branches) else None


def _branches(condition: Expression) -> tuple[Expression, ...]:
    if isinstance(condition, Call) and condition.function == "or":
        return tuple(branch for argument in condition.arguments for branch in _branches(argument))
    return (condition,)


def _any_of(branches: Iterable[Iterable[Expression]]) -> Expression:
    ands = [reduce(lambda one, other: Call("and", (one, other)), branch) for branch in branches]
    return reduce(lambda one, other: Call("or", (one, other)), ands)


def all_of(conditions: Iterable[Expression], schema: pa.Schema) -> Expression | None:
    """One condition that is true where all of these are; each is evaluated only where those before it are true.

    Where all of them can be evaluated on any row, it is their AND.
    """
    result: Expression | None = None
    for condition in conditions:
        if result is None:
            result = condition
        elif total(condition, schema):
            result = Call("and", (result, condition))
        else:
            result = Case(((result, condition),), Literal(False))
    return result


def filtered(plan: p.Plan, conditions: Sequence[Expression]) -> p.Plan:
    """The rows of a plan for which all the conditions are true, which are evaluated in this order."""
    schema = schema_of(plan).columns
    for condition in conditions:
        if isinstance(plan, p.Filter) and condition in parts_of(plan.predicate) and not volatile(condition):
            continue
        if isinstance(plan, p.Filter) and total(condition, schema):
            plan = p.Filter(plan.input, Call("and", (plan.predicate, condition)))
        else:
            plan = p.Filter(plan, condition)
    return plan


def rejects_nulls(condition: Expression, columns: frozenset[str]) -> bool:
    """Whether it is certainly not true where all these columns are NULL."""
    match condition:
        case Call(function="and", arguments=arguments):
            return any(rejects_nulls(argument, columns) for argument in arguments)
        case Call(function="or", arguments=arguments):
            return all(rejects_nulls(argument, columns) for argument in arguments)
        case Call(function=function, arguments=(argument,)) if function in _TESTS:
            return _is_null(argument, columns)
    return _is_null(condition, columns)


def _is_null(expression: Expression, columns: frozenset[str]) -> bool:
    match expression:
        case Column():
            return expression.name in columns
        case Cast() | InList():
            return _is_null(expression.children[0], columns)
        case Call() if expression.function in _STRICT:
            return any(_is_null(argument, columns) for argument in expression.arguments)
    return False
