"""Stars in a SELECT list: all columns of what is in FROM, those of one table, or the fields of a struct."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from operators.expressions.type_names import type_text
from operators.sql.grammar.dialect import Text, Tree, exp, render
from operators.sql.qualifying.clauses import refuse_named_star
from operators.sql.qualifying.names import refuse
from operators.sql.qualifying.scope import Scope


def star_columns(
    text: Text,
    projection: Tree,
    scope: Scope,
    qualified: Callable[[Tree], Tree],
    kind: Callable[[Tree], pa.DataType],
) -> list[tuple[str, Tree]] | None:
    """What a projection with a star stands for, as names and qualified trees; None where it has no star.

    Args:
        text: where it stands.
        projection: of a SELECT list.
        scope: what is in FROM.
        qualified: an expression of the SELECT list, qualified.
        kind: the type of a qualified expression.

    Raises:
        SqlError: there is no such table, or what stands before the star is no struct.
    """
    refuse_named_star(text, projection)
    match projection:
        case exp.Star():
            refuse(text, projection, ())
            return [(each.name, each.tree) for each in scope.visible]
        case exp.Column() if isinstance(projection.this, exp.Star):
            refuse(text, projection.this, ())
            names = [each for each in projection.parts if isinstance(each, exp.Identifier)]
            if len(names) == 1 and (scope.has(text, names[0]) or not scope.holders(text, names[0])):
                return [(each.name, each.tree) for each in Scope.of(scope.relation(text, names[0])).visible]
            places = zip(("this", "table", "db"), (each.copy() for each in reversed(names)), strict=False)
            return _fields(text, exp.Column(**dict(places)), qualified, kind)
        case exp.Dot() if isinstance(projection.expression, exp.Star):
            return _fields(text, projection.this, qualified, kind)
    return None


def _fields(
    text: Text, struct: Tree, qualified: Callable[[Tree], Tree], kind: Callable[[Tree], pa.DataType]
) -> list[tuple[str, Tree]]:
    shown = render(struct)
    tree = qualified(struct)
    found = kind(tree)
    if not pa.types.is_struct(found):
        raise text.error(f"{shown} has type {type_text(found)}; only structs have fields", tree, "write its name alone")
    return [
        (name, exp.Dot(this=tree.copy(), expression=exp.to_identifier(name, quoted=True)))
        for name in (found.field(number).name for number in range(found.num_fields))
    ]
