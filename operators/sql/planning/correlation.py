"""What correlates a subquery, taken out of its tree: which rows it has for which row of the query around it.

Equations between something outside and something inside become keys, which the subquery then gives out beside its
values. What else names the outside is a condition on pairs of rows, where that will do; else the subquery is computed
for each combination of parameters that there is (its domain), as Neumann and Kemper unnest queries.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import attrs

from operators.sql.expressions.reader import aggregate_calls, conjuncts
from operators.sql.grammar.dialect import Tree, exp
from operators.sql.qualifying.subquery_nodes import OUTER, PER, WHOLE, is_parameter, own_parts, subqueries_in

Way = Literal["apart", "keyed", "domain"]

_FROM = ("from_", "joins")


@attrs.define(eq=False)
class Body:
    """A subquery's SELECT without what correlates it.

    Attributes:
        query: the rest of it.
        way: ``apart`` where nothing correlates it, ``keyed`` by its equations, or over its ``domain``.
        equations: pairs of something outside, in terms of the parameters, and something inside.
        conditions: what must hold, besides, of a row of the query around it and a row of the FROM clause.
    """

    query: Tree
    way: Way = "apart"
    equations: list[tuple[Tree, Tree]] = attrs.field(factory=list)
    conditions: list[Tree] = attrs.field(factory=list)


def body_of(query: Tree, correlated: bool, paired: bool) -> Body:
    """Take out of a query's tree, which is changed, what correlates it.

    Args:
        query: the subquery's tree.
        correlated: whether it has parameters.
        paired: whether it matters only which pairs of rows meet, as opposed to what the subquery computes of its rows.
    """
    if not correlated:
        return Body(query)
    if not isinstance(query, exp.Select) or any(_has_parameter(_parts(query, clause)) for clause in _FROM):
        return Body(query, "domain")
    where = query.args.get("where")
    body = Body(query, "keyed")
    kept: list[Tree] = []
    for condition in conjuncts(where.this) if where else ():
        equation = _equation(condition)
        if equation is not None:
            body.equations.append(equation)
        elif _has_parameter([condition]):
            body.conditions.append(condition)
        else:
            kept.append(condition)
    elsewhere = [part for clause in query.args if clause not in ("where", *_FROM) for part in _parts(query, clause)]
    pairs = paired and _is_plain(query) and not any(map(subqueries_in, body.conditions))
    if (body.conditions and not pairs) or _has_parameter(elsewhere):
        return Body(query, "domain")
    query.set("where", exp.Where(this=exp.and_(*kept, copy=False)) if kept else None)
    return body


def _is_plain(query: exp.Select) -> bool:
    """Whether each row of a SELECT is one of its table's."""
    sifted = any(query.args.get(clause) for clause in ("distinct", "limit", "offset", "qualify"))
    return not sifted and not is_grouped(query) and not any(each.find(exp.Window) for each in query.expressions)


def _parts(query: Tree, clause: str) -> list[Tree]:
    value = query.args.get(clause)
    return [part for part in (value if isinstance(value, list) else [value]) if isinstance(part, exp.Expr)]


def _has_parameter(trees: Sequence[Tree]) -> bool:
    return any(is_parameter(part) for tree in trees for part in own_parts(tree))


def mentions_outside(tree: Tree) -> bool:
    """Whether a part of a query, apart from its subqueries, names something outside of the query."""
    return _has_parameter([tree])


def _equation(condition: Tree) -> tuple[Tree, Tree] | None:
    """The outer and the inner side of a condition, where it equates one with the other."""
    condition = condition.unnest()
    if not isinstance(condition, exp.EQ) or subqueries_in(condition):
        return None
    for outer, inner in ((condition.this, condition.expression), (condition.expression, condition.this)):
        if isinstance(outer.unnest(), exp.Tuple):
            return None
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


def has_one_row_at_most(query: Tree) -> bool:
    """Whether a query that is no aggregate says that it has no second row."""
    limit = query.args.get("limit")
    count = limit.expression if isinstance(limit, exp.Limit) else None
    if isinstance(limit, exp.Fetch):
        count = limit.args.get("count")
    if isinstance(count, exp.Literal) and count.is_int and int(count.this) <= 1:
        return True
    return isinstance(query, exp.Select) and not query.args.get("from_") and not query.find(exp.Explode)


def parameter(number: int) -> exp.Column:
    """The column that stands for a parameter."""
    return exp.column(exp.to_identifier(str(number), quoted=True), table=exp.to_identifier(OUTER, quoted=True))


def carry(query: Tree, keys: Sequence[tuple[Tree, str]], *, domain: bool) -> None:
    """Have a query give out keys too, as its last columns, so that it is computed for each combination of them.

    Args:
        query: its tree, which is changed.
        keys: expressions over the query's FROM clause, and their names.
        domain: whether there is a row for each key that matters, be there no others.
    """
    match query:
        case exp.SetOperation():
            for side in (query.this, query.expression):
                carry(side, keys, domain=domain)
        case exp.Subquery():
            carry(query.this, keys, domain=domain)
        case exp.Values():
            select = exp.Select(expressions=_columns_of(query))
            query.replace(select)
            select.set("from_", exp.From(this=query))
            carry(select, keys, domain=domain)
        case exp.Select():
            _carry(query, keys, domain)


def _columns_of(values: exp.Values) -> list[Tree]:
    alias = "values"
    (first, *_) = values.expressions
    width = len(first.expressions) if isinstance(first, exp.Tuple) else 1
    names = [f"column{number}" for number in range(1, width + 1)]
    values.set("alias", exp.TableAlias(this=exp.to_identifier(alias, quoted=True)))
    return [exp.alias_(exp.column(exp.to_identifier(n, quoted=True), alias), n, quoted=True) for n in names]


def _carry(select: exp.Select, keys: Sequence[tuple[Tree, str]], domain: bool) -> None:
    trees = [tree for tree, _ in keys]
    if is_grouped(select):
        select.set(WHOLE, domain and is_one_row(select))
        group = select.args.get("group") or exp.Group(expressions=[])
        group.set("expressions", [*group.expressions, *(tree.copy() for tree in trees)])
        select.set("group", group)
    for tree in [*select.expressions, *_parts(select, "qualify"), *_parts(select, "order")]:
        for window in [part for part in own_parts(tree) if isinstance(part, exp.Window)]:
            window.set("partition_by", [*(window.args.get("partition_by") or ()), *(each.copy() for each in trees)])
    if (distinct := select.args.get("distinct")) and (on := distinct.args.get("on")):
        on.set("expressions", [*(tree.copy() for tree in trees), *on.expressions])
        if order := select.args.get("order"):
            order.set("expressions", [*(exp.Ordered(this=tree.copy()) for tree in trees), *order.expressions])
    select.set("expressions", [*select.expressions, *(aliased(tree, name) for tree, name in keys)])
    select.set(PER, [name for _, name in keys])


def aliased(tree: Tree, name: str) -> Tree:
    """A copy of an expression, under a name."""
    return exp.alias_(tree.copy(), name, quoted=True, copy=False)
