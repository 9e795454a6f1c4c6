"""What correlates a subquery, taken out of its tree: which rows it has for which row of the query around it.

Equations between something outside and something inside become keys, which the subquery then gives out beside its
values. What else names the outside is a condition on pairs of rows, where that will do; else the subquery is computed
for each combination of parameters that there is (its domain), as Neumann and Kemper unnest queries.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import attrs

from operators.sql.dialect import Text, Tree, exp
from operators.sql.expressions import aggregate_calls, conjuncts
from operators.sql.nested import OUTER, is_parameter, nested

Way = Literal["apart", "keyed", "domain"]


@attrs.define(eq=False)
class Body:
    """A subquery's SELECT without what correlates it.

    Attributes:
        select: the rest of it.
        way: ``apart`` where nothing correlates it, ``keyed`` by its equations, or over its ``domain``.
        equations: pairs of something outside, in terms of the parameters, and something inside.
        conditions: what must hold, besides, of a row of the query around it and a row of the FROM clause.
    """

    select: Tree
    way: Way = "apart"
    equations: list[tuple[Tree, Tree]] = attrs.field(factory=list)
    conditions: list[Tree] = attrs.field(factory=list)


def body_of(text: Text, query: Tree, correlated: bool, paired: bool) -> Body:
    """Take out of a query's tree, which is changed, what correlates it.

    Args:
        text: where the query stands.
        query: the subquery's tree.
        correlated: whether it has parameters.
        paired: whether it matters only which pairs of rows meet, as opposed to what the subquery computes of its rows.

    Raises:
        SqlError: it uses a parameter where that is not supported.
    """
    if not correlated:
        return Body(query)
    if not isinstance(query, exp.Select):
        raise text.error(
            "UNION, INTERSECT and EXCEPT in a subquery that names columns of the query around it are not supported yet",
            _first_parameter([query]),
            hint="join its two conditions by OR, or write one subquery for each part",
        )
    for clause in ("from_", "joins", "with_", "laterals"):
        if found := _first_parameter(_parts(query, clause)):
            raise text.error(
                f"{found.name!r} of the query around is not supported in FROM and ON of a subquery yet"
                if not found.name.isdigit()
                else "a column of the query around is not supported in FROM and ON of a subquery yet",
                found,
                hint="put the condition into the subquery's WHERE",
            )
    where = query.args.get("where")
    body = Body(query, "keyed")
    kept: list[Tree] = []
    for condition in conjuncts(where.this) if where else ():
        equation = _equation(condition)
        if equation is not None:
            body.equations.append(equation)
        elif _first_parameter([condition]):
            body.conditions.append(condition)
        else:
            kept.append(condition)
    elsewhere = [part for clause in query.args if clause != "where" for part in _parts(query, clause)]
    pairs = paired and not is_grouped(query) and not any(map(nested, body.conditions))
    if (body.conditions and not pairs) or _first_parameter(elsewhere):
        return Body(query, "domain")
    query.set("where", exp.Where(this=exp.and_(*kept, copy=False)) if kept else None)
    return body


def _parts(query: Tree, clause: str) -> list[Tree]:
    value = query.args.get(clause)
    return [part for part in (value if isinstance(value, list) else [value]) if isinstance(part, exp.Expr)]


def _first_parameter(trees: Sequence[Tree]) -> exp.Column | None:
    return next(
        (part for tree in trees for part in tree.walk() if isinstance(part, exp.Column) and is_parameter(part)), None
    )


def _equation(condition: Tree) -> tuple[Tree, Tree] | None:
    """The outer and the inner side of a condition, where it equates one with the other."""
    condition = condition.unnest()
    if not isinstance(condition, exp.EQ) or nested(condition):
        return None
    for outer, inner in ((condition.this, condition.expression), (condition.expression, condition.this)):
        outside, inside = list(outer.find_all(exp.Column)), list(inner.find_all(exp.Column))
        if outside and inside and all(map(is_parameter, outside)) and not any(map(is_parameter, inside)):
            return outer, inner
    return None


def is_grouped(query: Tree) -> bool:
    """Whether the rows of a query are groups of its table's."""
    return bool(query.args.get("group")) or is_one_row(query)


def is_one_row(query: Tree) -> bool:
    """Whether a query is one aggregate of all rows that it finds: one row, also where it finds none."""
    if not isinstance(query, exp.Select) or query.args.get("group"):
        return False
    having = query.args.get("having")
    return bool(having) or any(aggregate_calls(tree) for tree in query.expressions)


def parameter(number: int) -> exp.Column:
    """The column that stands for a parameter."""
    return exp.column(exp.to_identifier(str(number), quoted=True), table=exp.to_identifier(OUTER, quoted=True))
