"""Typed expressions over the columns of a batch; SQL lowers to these.

People write `Expr`s (`col`, `lit`, ...); descriptions keep `Expression` nodes, which compare by structure.
"""

from operators.expressions.bound import BoundExpression
from operators.expressions.build import Expr, call, case, cast, coalesce, col, expression, lit
from operators.expressions.expression import Expression, bind_condition
from operators.expressions.functions import functions
from operators.expressions.nodes import Call, Case, Cast, Column, Field, InList, Literal
from operators.expressions.type_names import type_named
from operators.expressions.types import ExpressionError

__all__ = [
    "BoundExpression",
    "Call",
    "Case",
    "Cast",
    "Column",
    "Expr",
    "Expression",
    "ExpressionError",
    "Field",
    "InList",
    "Literal",
    "bind_condition",
    "call",
    "case",
    "cast",
    "coalesce",
    "col",
    "expression",
    "functions",
    "lit",
    "type_named",
]
