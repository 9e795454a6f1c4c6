"""Constants of a query: computed once, when it is planned."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from flow.errors import RowError
from operators.expressions import Cast, Expression
from operators.expressions.types import ExpressionError
from operators.sql.expressions.reader import ExpressionReader
from operators.sql.grammar.dialect import Text, Tree, exp, render

ONE_ROW: Final = pa.table({"": pa.nulls(1)})
"""What a query without FROM reads: one row, of which nothing can be said."""


def constant(text: Text, tree: Tree, clause: str) -> Expression:
    """The expression of a constant.

    Raises:
        SqlError: it depends on a row, or makes no sense.
    """
    for part in tree.walk():
        if isinstance(part, exp.Column | exp.Query | exp.AggFunc | exp.Window):
            raise text.error(f"{clause} takes constants, not {render(part)}", part)
    return ExpressionReader(text, ONE_ROW.schema, {}).read(tree)


def value_of(
    text: Text, expression: Expression, at: Tree, kind: pa.DataType | None = None, hint: str | None = None
) -> pa.Array:
    """The value of a constant, of a type; an array of one element.

    Raises:
        SqlError: it cannot be computed.
    """
    wanted = expression if kind is None else Cast(expression, kind)
    (row,) = ONE_ROW.to_batches()
    try:
        return wanted.bind(ONE_ROW.schema)(row)
    except (RowError, ExpressionError) as error:
        raise text.error(str(error), at, hint) from None
