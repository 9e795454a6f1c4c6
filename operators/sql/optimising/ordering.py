"""Limits of numbered rows: how many of them are wanted at all, by the conditions on their numbers."""

from __future__ import annotations

import attrs

from operators.expressions import Call, Column, Expression, Literal
from operators.sql.plan import nodes as p


def limited(plan: p.TopN, conditions: tuple[Expression, ...]) -> tuple[p.TopN, tuple[Expression, ...]]:
    """A table of numbered rows with a limit that conditions on the numbers imply, and the conditions still needed."""
    if plan.rank is None or plan.offset:
        return plan, conditions
    bounds = [_bound(condition, Column(plan.rank)) for condition in conditions]
    limit = min((limit for limit in (*bounds, plan.limit) if limit is not None), default=None)
    left = tuple(
        condition
        for condition, bound in zip(conditions, bounds, strict=True)
        if bound is None or not _is_limit(condition, bound)
    )
    return attrs.evolve(plan, limit=limit), left


def _bound(condition: Expression, number: Column) -> int | None:
    """The greatest number of a row for which a condition can hold."""
    match condition:
        case Call("and", parts):
            return min((bound for part in parts if (bound := _bound(part, number)) is not None), default=None)
        case Call("<=" | "=", (left, Literal(int(last)))) if left == number:
            return max(last, 0)
        case Call("<", (left, Literal(int(last)))) if left == number:
            return max(last - 1, 0)
        case Call(">=" | "=", (Literal(int(last)), right)) if right == number:
            return max(last, 0)
        case Call(">", (Literal(int(last)), right)) if right == number:
            return max(last - 1, 0)
    return None


def _is_limit(condition: Expression, bound: int) -> bool:
    """Whether a condition holds for all rows up to its bound."""
    return isinstance(condition, Call) and (condition.function in ("<", "<=", ">", ">=") or bound <= 1)
