"""Look-ups: rows joined to the one row of a table that is asked for by their key.

The call of the function that is asked becomes a column of the rows, and its fields the columns of the table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from operators.expressions import Call, Case, Cast, Column, Expression, Field, Literal
from operators.expressions.awaited import AsyncCall
from operators.expressions.type_names import type_text
from operators.expressions.types import Argument, common
from operators.sql.grammar.dialect import Tree, exp
from operators.sql.plan import nodes as p
from operators.sql.plan.conditions import all_of
from operators.sql.plan.operators import schema_of
from operators.sql.planning.lateral import own_names
from operators.sql.planning.rows import Rows, extended
from operators.sql.qualifying.subquery_nodes import subqueries_in


def plan_lookup(
    rows: Rows, leaf: Tree, table: p.LookupTable, shown: Mapping[str, str], kind: p.JoinKind, on: Sequence[Tree]
) -> list[Tree]:
    """Join rows to the rows of a table that they ask for; they get its columns.

    Args:
        rows: to the left, which change.
        leaf: the table's tree.
        table: what is asked.
        shown: the names of its columns, by their names in the query.
        kind: of the join.
        on: its conditions.

    Returns:
        The conditions that are still to be tried on the rows.

    Raises:
        SqlError: a column of the table's key is not asked for, or the join has rows of the table alone.
    """
    text = rows.text
    if kind not in ("inner", "left"):
        raise text.error(
            f"{table.table!r} is looked up by each row to its left, not by {kind.upper()} JOIN",
            leaf,
            "write JOIN or LEFT JOIN",
        )
    (key,) = table.keys
    asked, rest = _asked(leaf.alias, key, shown, on)
    if missing := [name for name in key if name not in asked]:
        raise text.error(
            f"{table.table!r} is looked up by its key {list(key)}, and ON does not say what {missing[0]!r} equals",
            leaf,
            f"write ON {' AND '.join(f'{leaf.alias}.{name} = t.{name}' for name in key)}, with columns of the left",
        )
    arguments = tuple(_argument(rows, table, name, asked[name]) for name in key)
    row = rows.fresh("row")
    rows.plan = extended(rows.plan, (row, AsyncCall(table.row, arguments)))
    if kind == "inner":
        rows.plan = p.Filter(rows.plan, Call("is not null", (Column(row),)))
    before = [name for name in schema_of(rows.plan).names if name != row]
    names = own_names(leaf.alias, list(shown), before)
    values: list[Expression] = [Field(Column(row), own) for own in shown.values()]
    rows.plan = _beside(rows.plan, before, names, values)
    rows.columns.update(((leaf.alias, each), name) for each, name in zip(shown, names, strict=True))
    if kind == "left" and rest:
        schema = schema_of(rows.plan).columns
        condition = all_of([_condition(rows, part) for part in rest], schema)
        if condition is not None:
            values = [Case(((condition, Column(name)),), Literal(None, schema.field(name).type)) for name in names]
            rows.plan = _beside(rows.plan, before, names, values)
        rest = []
    return rest


def _beside(plan: p.Plan, before: Sequence[str], names: Sequence[str], values: Sequence[Expression]) -> p.Plan:
    return p.Project(plan, (*((name, Column(name)) for name in before), *zip(names, values, strict=True)))


def _asked(
    alias: str, key: Sequence[str], shown: Mapping[str, str], on: Sequence[Tree]
) -> tuple[dict[str, Tree], list[Tree]]:
    """What the columns of the key are equal to, and the conditions that do not say it."""
    asked: dict[str, Tree] = {}
    rest: list[Tree] = []
    for part in on:
        tree = part.unnest()
        sides = [tree.this.unnest(), tree.expression.unnest()] if isinstance(tree, exp.EQ) else []
        for own, other in (sides, reversed(sides)) if sides else ():
            is_own = isinstance(own, exp.Column) and own.table == alias and shown.get(own.name) in key
            alone = not subqueries_in(other) and not any(column.table == alias for column in other.find_all(exp.Column))
            if is_own and alone and shown[own.name] not in asked:
                asked[shown[own.name]] = other
                break
        else:
            rest.append(part)
    return asked, rest


def _argument(rows: Rows, table: p.LookupTable, name: str, tree: Tree) -> Expression:
    """What a column of the key is equal to, in its type."""
    value = rows.read(tree)
    kind = schema_of(table).column_type(name)
    given = value.bind(schema_of(rows.plan).columns).root.argument
    if common([Argument(kind), given]) == kind:
        return value
    if pa.types.is_integer(kind) and pa.types.is_integer(given.type):
        # What is out of range is no key.
        return Cast(value, kind, forgiving=True)
    raise rows.text.error(
        f"{name!r} of {table.table!r} has type {type_text(kind)}, and is asked for by {type_text(given.type)}",
        tree,
        f"write CAST(... AS {type_text(kind)})",
    )


def _condition(rows: Rows, part: Tree) -> Expression:
    for node in subqueries_in(part):
        raise rows.text.error(
            "a subquery in ON of a LEFT JOIN to a table that is looked up is not supported yet",
            node,
            "put it into a subquery in FROM to the left, and name its column here",
        )
    return rows.reader.condition(part, "ON")
