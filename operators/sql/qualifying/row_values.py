"""Rows of values compared: `(a, b) < (c, d)`, as PostgreSQL does, column by column.

A row comes before another one where the first of its columns that differs does; a NULL before that makes it unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Final

from operators.expressions import Call, Expression
from operators.sql.grammar.dialect import Text, Tree, exp

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


def rows_compared_apart(text: Text, query: Tree) -> None:
    """Rewrite a query's tree in place: comparisons of rows that are written become comparisons of their columns.

    Raises:
        SqlError: rows of different lengths are compared.
    """
    for node in list(query.find_all(exp.Predicate, exp.NullSafeEQ, exp.NullSafeNEQ)):
        result = _apart(text, node)
        if result is not None:
            result.meta.update(node.meta)
            node.replace(result)


def _apart(text: Text, node: Tree) -> Tree | None:
    left = values_of_row(node.this) if isinstance(node.this, exp.Expr) else None
    if left is None or not left:
        return None
    if isinstance(node, exp.In) and node.expressions:
        rows = [_of_length(text, left, each) for each in node.expressions]
        if any(row is None for row in rows):
            return None
        return exp.paren(exp.or_(*(_holds(exp.EQ, left, row) for row in rows if row is not None)), copy=False)
    right = _of_length(text, left, node.expression) if isinstance(node, _COMPARISONS) else None
    return exp.paren(_holds(type(node), left, right), copy=False) if right is not None else None


def _of_length(text: Text, left: Sequence[Tree], tree: Tree) -> list[Tree] | None:
    right = values_of_row(tree)
    if right is not None and len(right) != len(left):
        raise text.error(f"a row of {len(left)} values is compared with one of {len(right)}", tree)
    return right


_COMPARISONS: Final = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NullSafeEQ, exp.NullSafeNEQ)

_FIRST: Final[dict[type[Tree], type[Tree]]] = {exp.LT: exp.LT, exp.LTE: exp.LT, exp.GT: exp.GT, exp.GTE: exp.GT}


def _holds(kind: type[Tree], left: Sequence[Tree], right: Sequence[Tree]) -> Tree:
    pairs = [(one.copy(), other.copy()) for one, other in zip(left, right, strict=True)]
    if kind not in _FIRST:
        parts = [kind(this=exp.paren(one), expression=exp.paren(other)) for one, other in pairs]
        return exp.or_(*parts) if kind in (exp.NEQ, exp.NullSafeNEQ) else exp.and_(*parts)
    *first, (one, other) = pairs
    result: Tree = kind(this=exp.paren(one), expression=exp.paren(other))
    for one, other in reversed(first):
        before = _FIRST[kind](this=exp.paren(one), expression=exp.paren(other))
        equal = exp.EQ(this=exp.paren(one), expression=exp.paren(other))
        result = exp.or_(before, exp.and_(equal, exp.paren(result)))
    return result
