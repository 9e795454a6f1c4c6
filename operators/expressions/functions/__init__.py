"""All functions of SQL, one file a family; importing this package registers them.

A name's overloads stand in one file.
"""

from operators.expressions.functions import arithmetic, comparison, conditional
from operators.expressions.registry import functions, resolve

__all__ = ["arithmetic", "comparison", "conditional", "functions", "resolve"]
