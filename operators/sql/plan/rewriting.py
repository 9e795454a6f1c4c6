"""Expressions with other expressions in place of parts of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import attrs

from operators.expressions import Column, Expression


def substitute(expression: Expression, columns: Mapping[str, Expression]) -> Expression:
    """The expression with other expressions in place of its columns, all of which must be given."""
    return rewritten(expression, lambda node: columns[node.name] if isinstance(node, Column) else None)


def rewritten(expression: Expression, replacement: Callable[[Expression], Expression | None]) -> Expression:
    """The expression with what `replacement` gives in place of the topmost parts for which it gives something."""
    found = replacement(expression)
    if found is not None:
        return found

    def replaced(value: Any) -> Any:
        if isinstance(value, Expression):
            return rewritten(value, replacement)
        return tuple(map(replaced, value)) if isinstance(value, tuple) else value

    node: Any = expression
    return cast(
        Expression, attrs.evolve(node, **{f.name: replaced(getattr(node, f.name)) for f in attrs.fields(type(node))})
    )
