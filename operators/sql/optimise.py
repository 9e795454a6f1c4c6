"""Rewrites of a plan that keep its meaning: conditions move down to the tables, projections melt into one.

A condition never moves past what it needs, and two conditions are joined only where the second cannot fail on rows that
the first takes away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import attrs

from operators.expressions import Column, Expression
from operators.sql import plan as p
from operators.sql.conditions import filtered, volatile
from operators.sql.join_rules import push_join
from operators.sql.lowering import schema_of
from operators.sql.ordering import limited
from operators.sql.window_call import WINDOW_COLUMNS


def optimise(plan: p.Plan) -> p.Plan:
    """The plan with conditions as low as they can be, computing nothing that is not used."""
    return _melt(_prune(_push(plan, ()), None))


def substitute(expression: Expression, columns: Mapping[str, Expression]) -> Expression:
    """The expression with other expressions in place of its columns."""
    if isinstance(expression, Column):
        return columns[expression.name]

    def replaced(value: Any) -> Any:
        if isinstance(value, Expression):
            return substitute(value, columns)
        return tuple(map(replaced, value)) if isinstance(value, tuple) else value

    node: Any = expression
    return cast(
        Expression, attrs.evolve(node, **{f.name: replaced(getattr(node, f.name)) for f in attrs.fields(type(node))})
    )


def _push(plan: p.Plan, conditions: tuple[Expression, ...]) -> p.Plan:
    """The plan with conditions on its rows, each as far down as it can go, in the order in which they are given."""
    match plan:
        case p.Filter():
            return _push(plan.input, (plan.predicate, *conditions))
        case p.Scan() | p.Values():
            return filtered(plan, conditions)
        case p.Union():
            return p.Union(tuple(_push(part, conditions) for part in plan.inputs))
        case p.Distinct():
            return attrs.evolve(plan, input=_push(plan.input, conditions))
        case p.Project():
            columns = dict(plan.columns)
            fixed = {name for name, expression in plan.columns if volatile(expression)}
            below, above = _divided(plan, conditions, lambda used: not used & fixed)
            below = tuple(substitute(condition, columns) for condition in below)
            return filtered(attrs.evolve(plan, input=_push(plan.input, below)), above)
        case p.AssignWindows():
            below, above = _divided(plan, conditions, lambda used: not used & set(WINDOW_COLUMNS))
            return filtered(attrs.evolve(plan, input=_push(plan.input, below)), above)
        case p.Aggregate():
            below, above = _divided(plan, conditions, lambda used: bool(used) and used <= set(plan.keys))
            return filtered(attrs.evolve(plan, input=_push(plan.input, below)), above)
        case p.SetOperation():
            columns = schema_of(plan).columns
            # A side may have rows on which a condition fails, and which the other side takes away.
            safe = all(condition.bind(columns).root.total for condition in conditions)
            sides = tuple(_push(part, conditions if safe else ()) for part in p.inputs_of(plan))
            return filtered(p.with_inputs(plan, sides), () if safe else conditions)
        case p.TopN():
            below, above = _divided(plan, conditions, lambda used: bool(used) and used <= set(plan.keys))
            top, above = limited(attrs.evolve(plan, input=_push(plan.input, below)), above)
            return filtered(top, above)
        case p.Join():
            return push_join(plan, conditions, _push)


def _divided(
    plan: p.Plan, conditions: tuple[Expression, ...], can_go_down: Callable[[frozenset[str]], bool]
) -> tuple[tuple[Expression, ...], tuple[Expression, ...]]:
    schema = schema_of(plan).columns
    below: list[Expression] = []
    above: list[Expression] = []
    for condition in conditions:
        movable = can_go_down(condition.columns) and not volatile(condition)
        if movable and above:
            # It would overtake a condition that may keep it from rows on which it fails.
            movable = condition.bind(schema).root.total
        (below if movable else above).append(condition)
    return tuple(below), tuple(above)


def _prune(plan: p.Plan, wanted: frozenset[str] | None) -> p.Plan:
    """The plan without projected columns that are not wanted; None wants all of them, and no others."""
    match plan:
        case p.Filter():
            below = None if wanted is None else wanted | plan.predicate.columns
        case p.Aggregate():
            used = (aggregation.columns for _, aggregation in plan.aggregations)
            below = frozenset(plan.keys).union(*used) | ({plan.window.column} if plan.window else set())
        case p.TopN():
            if plan.rank is not None and plan.limit is not None and wanted is not None and plan.rank not in wanted:
                plan = attrs.evolve(plan, rank=None)
            ordered = {*plan.keys, *(each.column for each in plan.order)}
            if wanted is not None:
                return attrs.evolve(plan, input=_narrowed(plan.input, (wanted | ordered) - {plan.rank or ""}))
            below = None
        case p.Join() if wanted is not None:
            read = plan.condition.columns if plan.condition is not None else frozenset[str]()
            kept = wanted.union(read, *plan.keys)
            return p.with_inputs(plan, tuple(_narrowed(part, kept) for part in p.inputs_of(plan)))
        case p.Project():
            columns = plan.columns if wanted is None else tuple(each for each in plan.columns if each[0] in wanted)
            if wanted is not None and all(expression == Column(name) for name, expression in columns):
                return _prune(plan.input, wanted)
            plan = attrs.evolve(plan, columns=columns)
            below = frozenset().union(*(expression.columns for _, expression in columns))
        case _:
            below = None
    return p.with_inputs(plan, tuple(_prune(part, below) for part in p.inputs_of(plan)))


def _narrowed(plan: p.Plan, used: frozenset[str]) -> p.Plan:
    """The input of a join or a top-N with none but the columns that are used: what it keeps of each row is state."""
    names = schema_of(plan).names
    kept = [name for name in names if name in used] or names[:1]
    plan = _prune(plan, frozenset(kept))
    if schema_of(plan).names == kept:
        return plan
    return p.Project(plan, tuple((name, Column(name)) for name in kept))


def _melt(plan: p.Plan) -> p.Plan:
    plan = p.with_inputs(plan, tuple(_melt(part) for part in p.inputs_of(plan)))
    if not isinstance(plan, p.Project):
        return plan
    if isinstance(plan.input, p.Project) and _melts(plan, plan.input):
        inner = dict(plan.input.columns)
        columns = tuple((name, substitute(expression, inner)) for name, expression in plan.columns)
        plan = p.Project(plan.input.input, columns)
    same = tuple((name, Column(name)) for name in schema_of(plan.input).names)
    return plan.input if plan.columns == same else plan


def _melts(outer: p.Project, inner: p.Project) -> bool:
    """Whether nothing that the inner one computes would be computed twice."""
    computed = {name for name, expression in inner.columns if not isinstance(expression, Column)}
    used = [name for _, expression in outer.columns for name in _mentions(expression) if name in computed]
    return len(set(used)) == len(used)


def _mentions(expression: Expression) -> list[str]:
    if isinstance(expression, Column):
        return [expression.name]
    return [name for child in expression.children for name in _mentions(child)]
