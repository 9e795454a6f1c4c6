"""The end of a SELECT: numbers of rows, QUALIFY, the projection, DISTINCT [ON], ORDER BY and LIMIT, in this order.

A table has no order of its own; an order says which of its rows are left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import attrs

from operators.expressions import Column, Expression
from operators.sql.expressions.constants import constant, value_of
from operators.sql.expressions.reader import bare, conjuncts
from operators.sql.grammar.dialect import Text, Tree, exp, render
from operators.sql.plan import nodes as p
from operators.sql.planning.lateral import unnested
from operators.sql.planning.rows import Rows, checked, column_in_place, extended
from operators.sql.qualifying.names import refuse
from operators.sql.qualifying.subquery_nodes import PER
from operators.values.order_words import Order

NUMBERS: Final = "__numbers"
"""The relation that columns of row_number() belong to."""


def refuse_unbounded(text: Text, query: Tree) -> None:
    """Raise where a query asks for all its rows in an order, which a table that is kept up to date has not."""
    while isinstance(query, exp.Subquery):
        query = query.this
    distinct = query.args.get("distinct")
    if (
        (order := query.args.get("order"))
        and (distinct is None or not distinct.args.get("on"))
        and _limits(text, query) == (None, 0)
    ):
        raise text.error(
            "ORDER BY needs LIMIT: the rows of a result that is kept up to date have no order",
            order,
            "say how many rows are wanted (ORDER BY ... LIMIT 10), or leave it out and sort where the result is read",
        )


def _limits(text: Text, select: Tree) -> tuple[int | None, int]:
    """How many rows are left, and how many before them are not."""
    limit, offset = select.args.get("limit"), select.args.get("offset")
    most = None
    if isinstance(limit, exp.Fetch):
        options = limit.args.get("limit_options")
        for key, name in (("percent", "PERCENT"), ("with_ties", "WITH TIES")):
            if options is not None and options.args.get(key):
                raise text.error(f"FETCH ... {name} is not supported yet", limit, "FETCH FIRST n ROWS ONLY is")
        count = limit.args.get("count")
        most = 1 if count is None else _count(text, count, "FETCH")
    elif limit is not None:
        refuse(text, limit, {"expression"})
        most = _count(text, limit.expression, "LIMIT")
    return most, (_count(text, offset.expression, "OFFSET") or 0) if offset is not None else 0


def _count(text: Text, tree: Tree, clause: str) -> int | None:
    if isinstance(tree, exp.Var) and tree.name.upper() == "ALL":
        return None
    value = value_of(text, constant(text, tree, clause), tree)[0].as_py()
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise text.error(f"{clause} takes a whole number of rows, not {render(tree)}", tree)
    return value


def _with_numbers(rows: Rows, window: exp.Window, name: str) -> Rows:
    """The rows with their numbers, as row_number() gives them, in a column."""
    computed: list[tuple[str, Expression]] = []
    reader = rows.reader

    def column(tree: Tree) -> str:
        expression = reader.read(tree)
        if not isinstance(expression, Column):
            computed.append((f"{name}_{len(computed)}", expression))
            return computed[-1][0]
        return expression.name

    keys = tuple(dict.fromkeys(column(tree) for tree in window.args.get("partition_by") or ()))
    ordered = window.args.get("order")
    order = _orders([(column(each.this), each) for each in ordered.expressions] if ordered else [])
    plan = extended(rows.plan, *computed) if computed else rows.plan
    top = p.TopN(plan, order, None, 0, keys, name)
    return attrs.evolve(
        rows,
        plan=checked(rows.text, top, window),
        columns={**rows.columns, (NUMBERS, name): name},
        labels={**rows.labels, name: render(bare(window))},
    )


def _orders(keys: Iterable[tuple[str, Tree]]) -> tuple[Order, ...]:
    orders: dict[str, Order] = {}
    for name, ordered in keys:
        orders.setdefault(name, Order(name, bool(ordered.args.get("desc")), ordered.args.get("nulls_first")))
    return tuple(orders.values())


def finished(select: exp.Select, rows: Rows, over: Callable[[Tree], Tree]) -> p.Plan:
    """The result of a SELECT: numbers, QUALIFY, the projection, DISTINCT, ORDER BY and LIMIT.

    Args:
        select: the SELECT, qualified.
        rows: what is left after HAVING.
        over: an expression of the SELECT, over these rows.

    Raises:
        SqlError: an expression does not fit the rows, or DISTINCT and ORDER BY do not fit each other.
    """
    return _Finishing(select, rows, over).plan()


class _Finishing:
    def __init__(self, select: exp.Select, rows: Rows, over: Callable[[Tree], Tree]) -> None:
        self._text = rows.text
        self._rows = rows
        self._select = select
        self._numbers: list[tuple[Tree, str]] = []
        self._arrays: list[tuple[exp.Explode, str]] = []
        self._projections: list[tuple[str, Tree]] = [
            (each.alias, self._numbered(over(each.this))) for each in select.expressions
        ]
        qualify, order, distinct = (select.args.get(key) for key in ("qualify", "order", "distinct"))
        self._qualify = self._numbered(over(qualify.this)) if qualify else None
        self._limits = _limits(self._text, select)
        self._distinct = distinct
        on = distinct.args.get("on") if distinct else None
        self._on = [self._numbered(over(key)) for key in on.expressions] if on else []
        matters = on or self._limits != (None, 0)
        self._order = [(self._numbered(over(each.this)), each) for each in order.expressions] if order else []
        if not matters:
            # A table has no order: that of a subquery's rows says nothing.
            for tree, _ in self._order:
                self._rows.reader.read(tree)
            self._order = []
        self._hidden: list[tuple[str, Tree]] = []

    def plan(self) -> p.Plan:
        """The result."""
        rows = self._rows
        if self._qualify is not None:
            plan = rows.plan
            for condition in conjuncts(self._qualify):
                plan = p.Filter(plan, rows.reader.condition(condition, "QUALIFY"))
            rows = attrs.evolve(rows, plan=plan)
        if self._arrays:
            rows = self._unnested(rows)
        keys = [(self._column(tree), ordered) for tree, ordered in self._order]
        on = tuple(dict.fromkeys(self._column(tree) for tree in self._on))
        reader = rows.reader
        columns = tuple((name, reader.read(tree)) for name, tree in (*self._projections, *self._hidden))
        plan = p.Project(rows.plan, columns)
        if on:
            plan = checked(self._text, p.TopN(plan, self._within(keys, on), 1, 0, on), self._select.args["distinct"])
        elif self._distinct:
            plan = checked(self._text, p.Distinct(plan), self._distinct)
        limit, offset = self._limits
        if (limit, offset) != (None, 0):
            at = self._select.args.get("order") or self._select
            per = tuple(self._select.args.get(PER) or ())
            plan = checked(self._text, p.TopN(plan, _orders(keys), limit, offset, per), at)
        if self._hidden:
            plan = p.Project(plan, tuple((name, Column(name)) for name, _ in self._projections))
        return plan

    def _numbered(self, tree: Tree) -> Tree:
        """An expression with columns in place of window functions and UNNEST, which the rows get."""

        def replaced(node: Tree) -> Tree:
            if isinstance(node, exp.Explode):
                name = next((name for array, name in self._arrays if array == node), None)
                if name is None:
                    name = f"__element{len(self._arrays)}"
                    self._arrays.append((node, name))
            elif isinstance(node, exp.Window):
                name = next((name for window, name in self._numbers if window == node), None)
                if name is None:
                    name = f"__number{len(self._numbers)}"
                    self._numbers.append((node, name))
                    self._rows = _with_numbers(self._rows, node, name)
            else:
                return node
            return column_in_place(node, name, NUMBERS)

        return tree.transform(replaced)

    def _unnested(self, rows: Rows) -> Rows:
        """The rows, each once for every element of the arrays, which are gone through side by side."""
        plan, names = unnested(self._text, rows.plan, [array for array, _ in self._arrays], rows.reader)
        given = {(NUMBERS, name): made for (_, name), made in zip(self._arrays, names, strict=True)}
        labels = {made: render(bare(array)) for (array, _), made in zip(self._arrays, names, strict=True)}
        return attrs.evolve(rows, plan=plan, columns={**rows.columns, **given}, labels={**rows.labels, **labels})

    def _column(self, tree: Tree) -> str:
        """The column of the projection that holds what a key says; a hidden one where none does."""
        for name, projected in (*self._projections, *self._hidden):
            if projected == tree:
                return name
        if self._distinct and not self._on:
            raise self._text.error(f"SELECT DISTINCT: ORDER BY {render(bare(tree))} must be in the SELECT list", tree)
        name = f"__order{len(self._hidden)}"
        self._hidden.append((name, tree))
        return name

    def _within(self, keys: list[tuple[str, Tree]], on: tuple[str, ...]) -> tuple[Order, ...]:
        """The order of the rows of each key of DISTINCT ON."""
        orders = _orders(keys)
        if any(order.column not in on for order in orders[: len(on)]):
            raise self._text.error(
                "the expressions of DISTINCT ON must be the first of ORDER BY",
                self._select.args["order"],
                "which row comes first is said by those that follow",
            )
        return tuple(order for order in orders if order.column not in on)
