"""Everything that computes or connects: operators, SQL, connectors."""

from operators.expressions import Expr, Expression, call, case, cast, coalesce, col, lit
from operators.filter import Filter
from operators.project import Project

__all__ = [
    "Expr",
    "Expression",
    "Filter",
    "Project",
    "call",
    "case",
    "cast",
    "coalesce",
    "col",
    "lit",
]
