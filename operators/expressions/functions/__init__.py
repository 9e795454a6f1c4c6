"""All functions of SQL, one file a family; importing this package registers them.

A name's overloads stand in one file.
"""

from operators.expressions import nested_casts, time_casts  # noqa: F401  # importing is what registers
from operators.expressions.functions import (  # noqa: F401  # importing is what registers
    arithmetic,
    arrays,
    checks,
    comparison,
    conditional,
    intervals,
    matches,
    nested,
    numeric,
    patterns,
    text,
    time,
)
from operators.expressions.registry import functions, resolve

__all__ = ["functions", "resolve"]
