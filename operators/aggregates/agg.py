"""Constructors of aggregations: ``agg.sum("volume")``, ``agg.avg(col("price") * 2, filter=col("volume") > 0)``.

An argument is a column name or an expression; `filter` is the SQL ``FILTER (WHERE …)``.
"""

# ruff: noqa: A001, A002
# The names are SQL's, and are used as `agg.sum`.

from __future__ import annotations

from operators.aggregates.aggregation import Aggregation
from operators.aggregates.ranks import Ordering
from operators.expressions import Expression, expression

Argument = str | Expression
"""A column name, or an expression."""

Order = Argument | Ordering | list[Argument | Ordering] | tuple[Argument | Ordering, ...]
"""What to order by: one thing or several, each in ascending order unless it says `desc`."""


def asc(argument: Argument, *, nulls_first: bool | None = None) -> Ordering:
    """In ascending order; NULLs come last unless they are said to come first."""
    return Ordering(expression(argument), False, nulls_first)


def desc(argument: Argument, *, nulls_first: bool | None = None) -> Ordering:
    """In descending order; NULLs come first unless they are said not to."""
    return Ordering(expression(argument), True, nulls_first)


def _orderings(order: Order) -> tuple[Ordering, ...]:
    items = order if isinstance(order, list | tuple) else [order]
    return tuple(item if isinstance(item, Ordering) else asc(item) for item in items)


def _once(aggregation: Aggregation, distinct: bool) -> Aggregation:
    return aggregation.once() if distinct else aggregation


def count(argument: Argument | None = None, *, filter: Expression | None = None) -> Aggregation:
    """The number of rows, or of rows in which the argument is not NULL."""
    return Aggregation("count", argument, filter)


def count_distinct(argument: Argument, *, filter: Expression | None = None) -> Aggregation:
    """The number of different values of the argument that are not NULL."""
    return Aggregation("count_distinct", argument, filter)


def approx_count_distinct(argument: Argument, *, filter: Expression | None = None) -> Aggregation:
    """About how many different values there are (standard error 1.6 %); over a changelog exactly how many."""
    return Aggregation("approx_count_distinct", argument, filter)


def sum(argument: Argument, *, distinct: bool = False, filter: Expression | None = None) -> Aggregation:
    """The sum: int64 over integers (beyond it an error), float64 over floats, decimal(38, s) over decimals."""
    return _once(Aggregation("sum", argument, filter), distinct)


def avg(argument: Argument, *, distinct: bool = False, filter: Expression | None = None) -> Aggregation:
    """The mean, as float64."""
    return _once(Aggregation("avg", argument, filter), distinct)


def min(argument: Argument, *, filter: Expression | None = None) -> Aggregation:
    """The least value; NaN only where there is nothing else."""
    return Aggregation("min", argument, filter)


def max(argument: Argument, *, filter: Expression | None = None) -> Aggregation:
    """The greatest value; NaN is greater than any number."""
    return Aggregation("max", argument, filter)


def first(argument: Argument, *, order_by: Order = (), filter: Expression | None = None) -> Aggregation:
    """The first value by `order_by`, else by event time where the stream has one, else in arrival order."""
    return Aggregation("first", argument, filter, order=_orderings(order_by))


def last(argument: Argument, *, order_by: Order = (), filter: Expression | None = None) -> Aggregation:
    """The last value by `order_by`, else by event time where the stream has one, else in arrival order."""
    return Aggregation("last", argument, filter, order=_orderings(order_by))


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


def bool_and(argument: Argument, *, filter: Expression | None = None) -> Aggregation:
    """Whether all values are true."""
    return Aggregation("bool_and", argument, filter)


def bool_or(argument: Argument, *, filter: Expression | None = None) -> Aggregation:
    """Whether a value is true."""
    return Aggregation("bool_or", argument, filter)


def bit_and(argument: Argument, *, filter: Expression | None = None) -> Aggregation:
    """The bits that are set in all integers."""
    return Aggregation("bit_and", argument, filter)


def bit_or(argument: Argument, *, filter: Expression | None = None) -> Aggregation:
    """The bits that are set in an integer."""
    return Aggregation("bit_or", argument, filter)


def bit_xor(argument: Argument, *, filter: Expression | None = None) -> Aggregation:
    """The bits that are set in an odd number of integers."""
    return Aggregation("bit_xor", argument, filter)


def any_value(argument: Argument, *, filter: Expression | None = None) -> Aggregation:
    """One of the values: the first that came of those that are there."""
    return Aggregation("any_value", argument, filter)


def median(argument: Argument, *, filter: Expression | None = None) -> Aggregation:
    """The middle value, or the mean of the two in the middle, as float64."""
    return Aggregation("median", argument, filter)


def arg_min(argument: Argument, by: Argument, *, filter: Expression | None = None) -> Aggregation:
    """The argument where `by` is least; of several, the least one."""
    return Aggregation("arg_min", argument, filter, by)


def arg_max(argument: Argument, by: Argument, *, filter: Expression | None = None) -> Aggregation:
    """The argument where `by` is greatest; of several, the least one."""
    return Aggregation("arg_max", argument, filter, by)


def covar_pop(y: Argument, x: Argument, *, filter: Expression | None = None) -> Aggregation:
    """The covariance of the population."""
    return Aggregation("covar_pop", y, filter, x)


def covar_samp(y: Argument, x: Argument, *, filter: Expression | None = None) -> Aggregation:
    """The covariance of the sample, NULL below two rows."""
    return Aggregation("covar_samp", y, filter, x)


def corr(y: Argument, x: Argument, *, filter: Expression | None = None) -> Aggregation:
    """The correlation coefficient, NULL where one of both is constant."""
    return Aggregation("corr", y, filter, x)


def regr_slope(y: Argument, x: Argument, *, filter: Expression | None = None) -> Aggregation:
    """The slope of the line of least squares through y over x."""
    return Aggregation("regr_slope", y, filter, x)


def regr_intercept(y: Argument, x: Argument, *, filter: Expression | None = None) -> Aggregation:
    """Where the line of least squares through y over x meets x = 0."""
    return Aggregation("regr_intercept", y, filter, x)


def regr_r2(y: Argument, x: Argument, *, filter: Expression | None = None) -> Aggregation:
    """The coefficient of determination of y over x."""
    return Aggregation("regr_r2", y, filter, x)


def regr_count(y: Argument, x: Argument, *, filter: Expression | None = None) -> Aggregation:
    """The number of rows in which neither is NULL."""
    return Aggregation("regr_count", y, filter, x)


def regr_avgx(y: Argument, x: Argument, *, filter: Expression | None = None) -> Aggregation:
    """The mean of x over rows in which neither is NULL."""
    return Aggregation("regr_avgx", y, filter, x)


def regr_avgy(y: Argument, x: Argument, *, filter: Expression | None = None) -> Aggregation:
    """The mean of y over rows in which neither is NULL."""
    return Aggregation("regr_avgy", y, filter, x)


def regr_sxx(y: Argument, x: Argument, *, filter: Expression | None = None) -> Aggregation:
    """The sum of squared deviations of x."""
    return Aggregation("regr_sxx", y, filter, x)


def regr_syy(y: Argument, x: Argument, *, filter: Expression | None = None) -> Aggregation:
    """The sum of squared deviations of y."""
    return Aggregation("regr_syy", y, filter, x)


def regr_sxy(y: Argument, x: Argument, *, filter: Expression | None = None) -> Aggregation:
    """The sum of products of deviations."""
    return Aggregation("regr_sxy", y, filter, x)


def percentile_cont(
    argument: Argument, fraction: float, *, descending: bool = False, filter: Expression | None = None
) -> Aggregation:
    """The value at a fraction (0..1) of all values in order, between the two next to it, as float64."""
    return _percentile("percentile_cont", argument, descending, filter, fraction)


def percentile_disc(
    argument: Argument, fraction: float, *, descending: bool = False, filter: Expression | None = None
) -> Aggregation:
    """The first value in order up to which there is at least a fraction (0..1) of all values."""
    return _percentile("percentile_disc", argument, descending, filter, fraction)


def mode(argument: Argument, *, descending: bool = False, filter: Expression | None = None) -> Aggregation:
    """The most frequent value; of several the least (or, where `descending`, the greatest)."""
    return _percentile("mode", argument, descending, filter, None)


def array_agg(
    argument: Argument, *, order_by: Order = (), distinct: bool = False, filter: Expression | None = None
) -> Aggregation:
    """All values as a list, NULLs too; what `order_by` leaves open is in the order of the values."""
    return _once(Aggregation("array_agg", argument, filter, order=_orderings(order_by)), distinct)


def string_agg(
    argument: Argument,
    separator: str = ",",
    *,
    order_by: Order = (),
    distinct: bool = False,
    filter: Expression | None = None,
) -> Aggregation:
    """All strings in one; what `order_by` leaves open is in the order of the strings."""
    made = Aggregation("string_agg", argument, filter, order=_orderings(order_by), parameter=separator)
    return _once(made, distinct)


def _percentile(
    function: str, argument: Argument, descending: bool, filter: Expression | None, fraction: float | None
) -> Aggregation:
    order = (desc(argument),) if descending else ()
    return Aggregation(function, argument, filter, order=order, parameter=None if fraction is None else float(fraction))
