"""All functions of SQL, one file a family; importing this package registers them.

A name's overloads stand in one file.
"""

from operators.expressions.functions import (  # noqa: F401  # importing is what registers
    arithmetic,
    checks,
    comparison,
    conditional,
    intervals,
    nested,
    numeric,
    patterns,
    text,
    time,
)
from operators.expressions.registry import functions, resolve

__all__ = ["functions", "resolve"]
