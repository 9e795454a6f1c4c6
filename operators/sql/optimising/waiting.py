"""Calls of async functions in a plan: each becomes a column of a node that waits for it, below where it is needed.

What is left of an expression can be computed at once. Equal calls over the same rows are made once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import attrs

from flow.errors import GraphError
from operators.aggregates import Aggregation
from operators.expressions import Column, Expression
from operators.expressions.awaited import AsyncCall, async_calls
from operators.sql.optimising.rewrite import Rewrite
from operators.sql.plan import nodes as p
from operators.sql.plan.operators import schema_of
from operators.sql.plan.rewriting import rewritten


def waited_for(plan: p.Plan) -> p.Plan:
    """The plan in which no other node than `AwaitCalls` calls an async function.

    Raises:
        GraphError: a call stands where it cannot be waited for.
    """
    return _Waiting().of(plan)


class _Waiting(Rewrite):
    def _rewritten(self, plan: p.Plan) -> p.Plan:
        return _awaited(self._over_parts(plan))


def _awaited(plan: p.Plan) -> p.Plan:
    match plan:
        case p.Filter() if any(async_calls(plan.predicate)):
            names = schema_of(plan.input).names
            below, (predicate,) = _answered(plan.input, [plan.predicate])
            return p.Project(p.Filter(below, predicate), tuple((name, Column(name)) for name in names))
        case p.Project() if _calls(expression for _, expression in plan.columns):
            below, columns = _answered(plan.input, [expression for _, expression in plan.columns])
            return p.Project(below, tuple((name, made) for (name, _), made in zip(plan.columns, columns, strict=True)))
        case p.Aggregate() if _calls(each for _, made in plan.aggregations for each in _arguments(made)):
            raise GraphError(
                "async functions cannot be called in the arguments of aggregates; call them in a subquery below"
            )
        case p.Join(condition=Expression() as condition) if any(async_calls(condition)):
            raise GraphError(
                f"{next(async_calls(condition))} is async and cannot be called in a join's condition; "
                "call it in a subquery below the join"
            )
    return plan


def _arguments(aggregation: Aggregation) -> list[Expression]:
    return [*aggregation.fed, *([aggregation.filter] if aggregation.filter is not None else [])]


def _calls(expressions: Iterable[Expression]) -> list[AsyncCall]:
    """All calls in expressions, each once, inner ones first."""
    return list(dict.fromkeys(call for each in expressions for call in async_calls(each)))


def _answered(plan: p.Plan, expressions: Sequence[Expression]) -> tuple[p.Plan, list[Expression]]:
    """The rows with the answers of all calls as columns, and the expressions over these."""
    names = schema_of(plan).names
    answers: dict[AsyncCall, Column] = {}
    for call in _calls(expressions):
        name = f"__{call.function.name}{len(names)}"
        names = [*names, name]
        plan = p.AwaitCalls(plan, ((name, attrs.evolve(call, arguments=_over(call.arguments, answers))),))
        answers[call] = Column(name)
    return plan, list(_over(expressions, answers))


def _over(expressions: Sequence[Expression], answers: Mapping[AsyncCall, Column]) -> tuple[Expression, ...]:
    def answer(node: Expression) -> Expression | None:
        return answers.get(node) if isinstance(node, AsyncCall) else None

    return tuple(rewritten(each, answer) for each in expressions)
