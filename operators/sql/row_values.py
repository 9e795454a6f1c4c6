"""Rows of values compared: `(a, b) < (c, d)`, as PostgreSQL does, column by column.

A row comes before another one where the first of its columns that differs does; a NULL before that makes it unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Final

from operators.expressions import Call, Expression
from operators.sql.dialect import Tree, exp

_STRICT: Final = {"<": "<", "<=": "<", ">": ">", ">=": ">"}

_OF_ALL: Final = {"=": "and", "is not distinct from": "and", "<>": "or", "is distinct from": "or"}
"""Comparisons that hold of rows where they hold of all, or any, of their columns."""


def values_of_row(tree: Tree) -> list[Tree] | None:
    """The values of ``(a, b)`` or ``ROW(a, b)``; None where a tree is no row."""
    tree = tree.unnest()
    if isinstance(tree, exp.Tuple) or (isinstance(tree, exp.Anonymous) and str(tree.this).lower() == "row"):
        return list(tree.expressions)
    return None


def compared(sign: str, left: Sequence[Expression], right: Sequence[Expression]) -> Expression:
    """The comparison of two rows of as many values."""
    pairs = list(zip(left, right, strict=True))
    if sign in _OF_ALL:
        return _joined(_OF_ALL[sign], [Call(sign, pair) for pair in pairs])
    *first, last = pairs
    result: Expression = Call(sign, last)
    for pair in reversed(first):
        result = Call("or", (Call(_STRICT[sign], pair), Call("and", (Call("=", pair), result))))
    return result


def _joined(word: str, conditions: Sequence[Expression]) -> Expression:
    return reduce(lambda one, other: Call(word, (one, other)), conditions)
