"""Rewrites of a plan that keep its meaning: conditions move down to the tables, projections melt into one.

A condition never moves past what it needs, and two conditions are joined only where the second cannot fail on rows that
the first takes away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs

from operators.expressions import Column, Expression
from operators.sql.optimising.asked_groups import asked_for
from operators.sql.optimising.join_rules import push_join
from operators.sql.optimising.ordering import limited
from operators.sql.optimising.rewrite import Rewrite
from operators.sql.optimising.semi_joins import lowered
from operators.sql.optimising.sharing import Shared, used_twice
from operators.sql.optimising.waiting import waited_for
from operators.sql.plan import nodes as p
from operators.sql.plan.conditions import filtered, volatile
from operators.sql.plan.operators import schema_of
from operators.sql.plan.rewriting import substitute


def optimise(plan: p.Plan) -> p.Plan:
    """The plan with conditions as low as they can be, computing nothing that is not used, and nothing twice."""
    shared = Shared()
    plan = shared.of(_pushed(shared.of(waited_for(_Whole().of(plan)))))
    plan = shared.of(_pruned(shared.of(lowered(shared.of(asked_for(plan))))))
    return shared.of(_Melting().of(plan))


def _pushed(plan: p.Plan) -> p.Plan:
    """The plan with conditions as low as they can be.

    A part that is used twice is computed once, for all who use it, where one of them needs all of it: the others'
    conditions stay above it. Where everybody has conditions of its own, these go down, and each computes less.
    """
    shared = used_twice(plan)
    apart: frozenset[int] = frozenset()
    while True:
        pushing = _Pushing(shared, apart)
        result = pushing.push(plan, ())
        if pushing.whole <= apart:
            return result
        apart |= pushing.whole


def _pruned(plan: p.Plan) -> p.Plan:
    """The plan without columns that nobody wants; what is used twice keeps what either wants."""
    shared = used_twice(plan)
    wanted: dict[int, frozenset[str] | None] = {}
    while True:
        pruning = _Pruning(shared, wanted)
        result = pruning.of(plan, None)
        if pruning.wanted == wanted:
            return result
        wanted = pruning.wanted


class _Whole(Rewrite):
    """Joins that give all their columns, with projections behind them: what moves joins about knows no others.

    A view is a plan that has been optimised before.
    """

    def _rewritten(self, plan: p.Plan) -> p.Plan:
        plan = self._over_parts(plan)
        if isinstance(plan, p.Join) and plan.gives is not None:
            return p.Project(attrs.evolve(plan, gives=None), tuple((name, Column(name)) for name in plan.gives))
        return plan


class _Pushing:
    """Conditions on their way down.

    Attributes:
        whole: the ids of shared parts that somebody needs without a condition.
    """

    def __init__(self, shared: frozenset[int], apart: frozenset[int]) -> None:
        self._shared = shared
        self._apart = apart
        self._alone: dict[int, p.Plan] = {}
        self.whole: frozenset[int] = frozenset()

    def apart(self, plan: p.Plan) -> bool:
        """Whether a part is computed as it is, for all who use it."""
        return id(plan) in self._apart

    def push(self, plan: p.Plan, conditions: tuple[Expression, ...]) -> p.Plan:
        """The plan with conditions on its rows, each as far down as it can go, in the order in which they are given."""
        if id(plan) in self._shared and not conditions:
            self.whole |= {id(plan)}
        if not self.apart(plan):
            return self._moved(plan, conditions)
        if id(plan) not in self._alone:
            self._alone[id(plan)] = self._moved(plan, ())
        return filtered(self._alone[id(plan)], conditions)

    def _moved(self, plan: p.Plan, conditions: tuple[Expression, ...]) -> p.Plan:
        match plan:
            case p.Filter():
                return self.push(plan.input, (plan.predicate, *conditions))
            case p.Scan() | p.Values():
                return filtered(plan, conditions)
            case p.Union():
                return p.Union(tuple(self.push(part, conditions) for part in plan.inputs))
            case p.Distinct():
                return attrs.evolve(plan, input=self.push(plan.input, conditions))
            case p.Project():
                columns = dict(plan.columns)
                fixed = {name for name, expression in plan.columns if volatile(expression)}
                below, above = _divided(plan, conditions, lambda used: not used & fixed)
                below = tuple(substitute(condition, columns) for condition in below)
                return filtered(attrs.evolve(plan, input=self.push(plan.input, below)), above)
            case p.AssignWindows():
                below, above = _divided(plan, conditions, lambda used: not used & set(p.WINDOW_COLUMNS))
                return filtered(attrs.evolve(plan, input=self.push(plan.input, below)), above)
            case p.Aggregate():
                below, above = _divided(plan, conditions, lambda used: bool(used) and used <= set(plan.keys))
                return filtered(attrs.evolve(plan, input=self.push(plan.input, below)), above)
            case p.SetOperation():
                columns = schema_of(plan).columns
                # A side may have rows on which a condition fails, and which the other side takes away.
                safe = all(condition.bind(columns).root.total for condition in conditions)
                sides = tuple(self.push(part, conditions if safe else ()) for part in p.inputs_of(plan))
                return filtered(p.with_inputs(plan, sides), () if safe else conditions)
            case p.TopN():
                below, above = _divided(plan, conditions, lambda used: bool(used) and used <= set(plan.keys))
                top, above = limited(attrs.evolve(plan, input=self.push(plan.input, below)), above)
                return filtered(top, above)
            case p.Unnest():
                below, above = _divided(plan, conditions, lambda used: bool(used) and not used & plan.made)
                return filtered(attrs.evolve(plan, input=self.push(plan.input, below)), above)
            case p.AwaitCalls():
                below, above = _divided(plan, conditions, lambda used: bool(used) and not used & plan.made)
                return filtered(attrs.evolve(plan, input=self.push(plan.input, below)), above)
            case p.OnlyRow():
                # Rows that other conditions drop need no value, but a condition may need that there is one.
                below, above = _divided(
                    plan, conditions, lambda used: bool(used) and not used & {plan.rows, plan.value}, careful=True
                )
                return filtered(attrs.evolve(plan, input=self.push(plan.input, below)), above)
            case p.Join():
                return push_join(plan, conditions, self)


def _divided(
    plan: p.Plan,
    conditions: tuple[Expression, ...],
    can_go_down: Callable[[frozenset[str]], bool],
    *,
    careful: bool = False,
) -> tuple[tuple[Expression, ...], tuple[Expression, ...]]:
    schema = schema_of(plan).columns
    below: list[Expression] = []
    above: list[Expression] = []
    for condition in conditions:
        movable = can_go_down(condition.columns) and not volatile(condition)
        if movable and (above or careful):
            # It would overtake a condition that may keep it from rows on which it fails.
            movable = condition.bind(schema).root.total
        (below if movable else above).append(condition)
    return tuple(below), tuple(above)


class _Pruning:
    """Columns on their way out.

    Attributes:
        wanted: the columns that are wanted of shared parts, by their ids; None wants all of them.
    """

    def __init__(self, shared: frozenset[int], known: Mapping[int, frozenset[str] | None]) -> None:
        self._shared = shared
        self._known = known
        self._made: dict[int, p.Plan] = {}
        self.wanted: dict[int, frozenset[str] | None] = {}

    def of(self, plan: p.Plan, wanted: frozenset[str] | None) -> p.Plan:
        """The plan without projected columns that are not wanted; None wants all of them, and no others."""
        if id(plan) not in self._shared:
            return self._narrower(plan, wanted)
        others = self.wanted.get(id(plan), wanted)
        self.wanted[id(plan)] = None if wanted is None or others is None else wanted | others
        if id(plan) not in self._made:
            # Until all are heard, too much is kept rather than too little, and the plan is made once more.
            self._made[id(plan)] = self._narrower(plan, self._known.get(id(plan)))
        return self._made[id(plan)]

    def _narrower(self, plan: p.Plan, wanted: frozenset[str] | None) -> p.Plan:
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
                    return attrs.evolve(plan, input=self._narrowed(plan.input, (wanted | ordered) - {plan.rank or ""}))
                below = None
            case p.Unnest() if wanted is not None:
                kept = (wanted - plan.made).union(name for name, _ in plan.lists)
                return attrs.evolve(plan, input=self._narrowed(plan.input, kept))
            case p.AwaitCalls() if wanted is not None:
                used = (call.columns for _, call in plan.calls)
                return attrs.evolve(plan, input=self._narrowed(plan.input, (wanted - plan.made).union(*used)))
            case p.OnlyRow():
                below = None if wanted is None else wanted | {plan.rows}
            case p.Join() if wanted is not None:
                read = plan.condition.columns if plan.condition is not None else frozenset[str]()
                kept = wanted.union(read, *plan.keys)
                names = tuple(schema_of(plan).names)
                # There are rows without a column only where they come with their weights.
                gives = tuple(name for name in names if name in wanted) or (*plan.keys, names)[0][:1]
                if len(gives) < len(names):
                    plan = attrs.evolve(plan, gives=gives)
                return p.with_inputs(plan, tuple(self._narrowed(part, kept.union(gives)) for part in p.inputs_of(plan)))
            case p.Project():
                columns = plan.columns if wanted is None else tuple(each for each in plan.columns if each[0] in wanted)
                if wanted is not None and all(expression == Column(name) for name, expression in columns):
                    return self.of(plan.input, wanted)
                plan = attrs.evolve(plan, columns=columns)
                below = frozenset().union(*(expression.columns for _, expression in columns))
            case _:
                below = None
        return p.with_inputs(plan, tuple(self.of(part, below) for part in p.inputs_of(plan)))

    def _narrowed(self, plan: p.Plan, used: frozenset[str]) -> p.Plan:
        """The input of a join or a top-N with none but the columns that are used, for it keeps what it gets."""
        names = schema_of(plan).names
        kept = [name for name in names if name in used] or names[:1]
        plan = self.of(plan, frozenset(kept))
        if schema_of(plan).names == kept:
            return plan
        return p.Project(plan, tuple((name, Column(name)) for name in kept))


class _Melting(Rewrite):
    """Projections of projections on their way into one, unless something would be computed twice then."""

    def _rewritten(self, plan: p.Plan) -> p.Plan:
        plan = self._over_parts(plan)
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
