"""What stands in FROM and is computed of each row to its left: UNNEST, and subqueries that name columns outside.

A table function's columns are the elements of its arrays, or the fields of these where they are structs and maps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs

from operators.expressions import Call, Column, Expression, Field, Literal
from operators.expressions.type_names import type_text
from operators.sql.expressions.constants import ONE_ROW
from operators.sql.expressions.reader import ExpressionReader, bare
from operators.sql.grammar.dialect import Text, Tree, exp, render
from operators.sql.plan import nodes as p
from operators.sql.plan.operators import schema_of
from operators.sql.planning.correlation import mentions_outside
from operators.sql.planning.rows import Rows, extended
from operators.sql.planning.subquery_tables import PlanInner, SubqueryTable, table_of
from operators.sql.qualifying.from_forms import FROM_ZERO, NUMBER_FIRST, NUMBERED, element_columns
from operators.sql.qualifying.subquery_nodes import NAMES, PARAMETERS, Subquery, is_parameter
from operators.sql.qualifying.tables import Columns
from operators.unnest import element_type

MAP_FIELDS: Final = ("key", "value")


def outside_of(leaf: Tree) -> list[Tree]:
    """The expressions over other tables of which an item of FROM is computed."""
    if isinstance(leaf, exp.Unnest):
        return list(leaf.expressions)
    return list(leaf.args.get(PARAMETERS) or ())


def is_lateral(leaf: Tree) -> bool:
    """Whether an item of FROM is computed of each row of others."""
    return any(tree.find(exp.Column) for tree in outside_of(leaf))


def names_left(leaf: Tree) -> bool:
    """Whether an item of FROM names columns of what stands to the left of it."""
    return any(not is_parameter(column) for tree in outside_of(leaf) for column in tree.find_all(exp.Column))


def names_outside(leaf: Tree) -> bool:
    """Whether an item of FROM names columns of the query around that which it stands in."""
    return any(map(mentions_outside, outside_of(leaf)))


def plan_table_function(text: Text, leaf: exp.Unnest, rows: Rows | None, *, outer: bool) -> tuple[p.Plan, Columns]:
    """The rows, each once for every element of the arrays of a table function over them.

    Args:
        text: where it stands.
        leaf: its tree, qualified.
        rows: to the left of it; None: there are none.
        outer: whether rows without any element stay.
    """
    alone = rows is None
    rows = rows or Rows(text, p.Values(ONE_ROW))
    before = [] if alone else schema_of(rows.plan).names
    lists = [(rows.fresh("list"), rows.read(tree)) for tree in leaf.expressions]
    kinds = [rows.type_of(expression) for _, expression in lists]
    made = [(name, rows.fresh("element")) for name, _ in lists]
    number = rows.fresh("number") if leaf.args.get(NUMBERED) else None
    plan: p.Plan = p.Project(rows.plan, (*((name, Column(name)) for name in before), *lists))
    plan = p.Unnest(plan, tuple(made), number, outer)
    values: list[Expression] = []
    for (_, element), columns in zip(made, element_columns(text, leaf, kinds), strict=True):
        values += [Column(element) if field is None else Field(Column(element), field) for _, field in columns]
    if number is not None:
        count: Expression = Column(number)
        if leaf.args.get(FROM_ZERO):
            count = Call("-", (count, Literal(1)))
        values = [count, *values] if leaf.args.get(NUMBER_FIRST) else [*values, count]
    shown = leaf.args[NAMES]
    names = own_names(leaf.alias, shown, before)
    plan = p.Project(plan, (*((name, Column(name)) for name in before), *zip(names, values, strict=True)))
    own = {(leaf.alias, each): name for each, name in zip(shown, names, strict=True)}
    return plan, {**rows.columns, **own}


def unnested(
    text: Text, plan: p.Plan, calls: Sequence[exp.Explode], reader: ExpressionReader
) -> tuple[p.Plan, list[str]]:
    """Rows, each once for every element of arrays that are unnested in expressions over them.

    Returns:
        The rows, and the names of the columns of the elements.

    Raises:
        SqlError: an argument is no array.
    """
    before = schema_of(plan).names
    free = (f"__unnested{number}" for number in range(len(before) + 2 * len(calls)))
    fresh = (name for name in free if name not in before)
    arrays = [(next(fresh), reader.read(call.this)) for call in calls]
    for call, (_, array) in zip(calls, arrays, strict=True):
        if call.expressions:
            raise text.error(
                "UNNEST takes one list in SELECT", call, "write FROM table, UNNEST(a, b) AS u (x, y), and name x and y"
            )
        kind = array.bind(schema_of(plan).columns).type
        if element_type(kind) is None:
            raise text.error(f"UNNEST takes lists and maps; {render(bare(call.this))} has type {type_text(kind)}", call)
    made = [(name, next(fresh)) for name, _ in arrays]
    return p.Unnest(extended(plan, *arrays), tuple(made)), [name for _, name in made]


def table_of_lateral(rows: Rows, leaf: Tree, inner: PlanInner) -> tuple[SubqueryTable, Columns]:
    """The table of a subquery in FROM that has parameters, to be joined to the rows that these are computed of."""
    shown = leaf.args[NAMES]
    node = exp.Anonymous(this="subquery", expressions=[each.copy() for each in leaf.args[PARAMETERS]])
    node.set("subquery", Subquery("table", None, 0, shown[0], "", leaf.this, len(shown)))
    table = table_of(rows, node, inner, paired=True, whole=True)
    names = own_names(leaf.alias, shown, [*schema_of(rows.plan).names, *schema_of(table.plan).names])
    renamed = dict(zip(table.values, names, strict=True))
    columns = tuple((renamed.get(name, name), Column(name)) for name in schema_of(table.plan).names)
    table = attrs.evolve(table, plan=p.Project(table.plan, columns), values=tuple(names))
    return table, {(leaf.alias, each): name for each, name in zip(shown, names, strict=True)}


def own_names(alias: str, shown: Sequence[str], taken: Sequence[str]) -> list[str]:
    """Names for columns beside others: their own, or with their relation's."""
    used = set(taken)
    names: list[str] = []
    for each in shown:
        name, number = each, 1
        while name in used:
            name, number = (f"{alias}.{each}" if number == 1 else f"{alias}.{each} {number}"), number + 1
        used.add(name)
        names.append(name)
    return names
