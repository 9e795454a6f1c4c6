"""Constructors of aggregations: ``agg.sum("volume")``, ``agg.avg(col("price") * 2, filter=col("volume") > 0)``.

An argument is a column name or an expression; `filter` is the SQL ``FILTER (WHERE …)``.
"""

# ruff: noqa: A001, A002
# The names are SQL's, and are used as `agg.sum`.

from __future__ import annotations

from operators.aggregates.aggregation import Aggregation
from operators.expressions import Expression

Argument = str | Expression
"""A column name, or an expression."""


def count(argument: Argument | None = None, *, filter: Expression | None = None) -> Aggregation:
    """The number of rows, or of rows in which the argument is not NULL."""
    return Aggregation("count", argument, filter)


def count_distinct(argument: Argument, *, filter: Expression | None = None) -> Aggregation:
    """The number of different values of the argument that are not NULL."""
    return Aggregation("count_distinct", argument, filter)


def sum(argument: Argument, *, filter: Expression | None = None) -> Aggregation:
    """The sum: int64 over integers (beyond it an error), float64 over floats, decimal(38, s) over decimals."""
    return Aggregation("sum", argument, filter)


def avg(argument: Argument, *, filter: Expression | None = None) -> Aggregation:
    """The mean, as float64."""
    return Aggregation("avg", argument, filter)


def min(argument: Argument, *, filter: Expression | None = None) -> Aggregation:
    """The least value; NaN only where there is nothing else."""
    return Aggregation("min", argument, filter)


def max(argument: Argument, *, filter: Expression | None = None) -> Aggregation:
    """The greatest value; NaN is greater than any number."""
    return Aggregation("max", argument, filter)


def first(argument: Argument, *, filter: Expression | None = None) -> Aggregation:
    """The value of the earliest row that has one: by event time where the stream has one, else in arrival order."""
    return Aggregation("first", argument, filter)


def last(argument: Argument, *, filter: Expression | None = None) -> Aggregation:
    """The value of the latest row that has one: by event time where the stream has one, else in arrival order."""
    return Aggregation("last", argument, filter)


def stddev(argument: Argument, *, filter: Expression | None = None) -> Aggregation:
    """The standard deviation of the sample, NULL below two values."""
    return Aggregation("stddev", argument, filter)


def stddev_pop(argument: Argument, *, filter: Expression | None = None) -> Aggregation:
    """The standard deviation of the population."""
    return Aggregation("stddev_pop", argument, filter)


def var(argument: Argument, *, filter: Expression | None = None) -> Aggregation:
    """The variance of the sample, NULL below two values."""
    return Aggregation("var", argument, filter)


def var_pop(argument: Argument, *, filter: Expression | None = None) -> Aggregation:
    """The variance of the population."""
    return Aggregation("var_pop", argument, filter)
