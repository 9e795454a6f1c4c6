"""Names of the columns of a result that the text does not name, as PostgreSQL gives them."""

from __future__ import annotations

from collections.abc import Collection

from operators.sql.expressions.functions.table import AGGREGATES, shape_of
from operators.sql.grammar.dialect import WRITTEN_AS, Tree, exp
from operators.sql.qualifying.from_forms import CALLED
from operators.sql.qualifying.subquery_nodes import subquery_of


def derived_name(projection: Tree, taken: set[str]) -> str:
    """PostgreSQL's name for a column without one: the function's, the cast column's, else ``column``."""
    node = projection
    if isinstance(node, exp.Explode):
        return numbered(node.args.get(CALLED) or "unnest", taken, 2)
    while isinstance(node, exp.Paren | exp.Cast | exp.Filter | exp.Bracket | exp.WithinGroup):
        node = node.this
    if WRITTEN_AS in node.meta:
        stem = node.meta[WRITTEN_AS]
    elif (subquery := subquery_of(node)) is not None:
        stem = {"scalar": subquery.name, "exists": "exists"}.get(subquery.kind, "column")
    elif isinstance(node, exp.Column):
        stem = node.name
    elif isinstance(node, exp.Func) and (shape := shape_of(node)) and shape[0].isidentifier():
        stem = AGGREGATES.get(type(node), shape[0]).lower()
    else:
        stem = "column"
    return numbered(stem, taken, 2)


def numbered(stem: str, taken: Collection[str], first: int) -> str:
    """The name, or, where it is taken, the name with the first number that is not."""
    name, number = stem, first
    while name in taken:
        name = f"{stem}_{number}"
        number += 1
    return name
