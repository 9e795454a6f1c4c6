"""Planning FROM: its joins as joins of the plan, with every column under a name of its own.

A column whose name a table to its left has already is called ``alias.column``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pyarrow as pa

from operators.expressions import Column
from operators.sql import plan as p
from operators.sql.dialect import Text, Tree, render
from operators.sql.expressions import ExpressionReader, aggregate_calls, bare, conjuncts
from operators.sql.from_clause import FromItem, Joined
from operators.sql.join_rules import join
from operators.sql.lowering import schema_of

Columns = Mapping[tuple[str, str], str]
"""The names of a plan's columns, by relation and column in the qualified tree."""


def plan_from(text: Text, item: FromItem, relation: Callable[[Tree], tuple[p.Plan, Columns]]) -> tuple[p.Plan, Columns]:
    """The plan of a FROM clause.

    Args:
        text: where the clause stands.
        item: of `read_from`, qualified.
        relation: plans a relation.

    Raises:
        SqlError: a condition does not fit the tables.
    """
    if not isinstance(item, Joined):
        return relation(item)
    left, left_columns = plan_from(text, item.left, relation)
    right, right_columns = plan_from(text, item.right, relation)
    right, right_columns = _apart(right, right_columns, set(schema_of(left).names))
    columns = {**left_columns, **right_columns}
    on = item.join.args.get("on") if item.join is not None else None
    if on is None:
        return join(left, right, item.kind, ()), columns
    for call in aggregate_calls(on):
        raise text.error(
            f"aggregates are not allowed in ON: {render(bare(call))}",
            call,
            hint="aggregate in a subquery, and join that",
        )
    schemas = schema_of(left), schema_of(right)
    both = pa.schema([schema.columns.field(name) for schema in schemas for name in schema.names])
    reader = ExpressionReader(text, both, columns)
    conditions = [reader.condition(part, "ON") for part in conjuncts(on)]
    kept = left_columns if item.kind in ("semi", "anti") else columns
    return join(left, right, item.kind, conditions), kept


def _apart(plan: p.Plan, columns: Columns, taken: set[str]) -> tuple[p.Plan, Columns]:
    """The plan, with other names for those of its columns whose names are taken."""
    names = schema_of(plan).names
    if not taken.intersection(names):
        return plan, columns
    aliases = {name: alias for (alias, _), name in columns.items()}
    renamed = {name: name for name in names}
    for name in taken.intersection(names):
        new, number = f"{aliases.get(name, 'join')}.{name}", 2
        while new in taken or new in names or new in renamed.values():
            new, number = f"{aliases.get(name, 'join')}.{name} {number}", number + 1
        renamed[name] = new
    project = p.Project(plan, tuple((new, Column(old)) for old, new in renamed.items()))
    return project, {key: renamed[name] for key, name in columns.items()}
