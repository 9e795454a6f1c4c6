"""Functions of a tree by our names, with arguments in our order; sqlglot reads every dialect's into nodes of its own.

A node that is not in the table goes by sqlglot's name for it, with its arguments as they come.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, cast

from operators.sql.expressions.functions.nested import NESTED
from operators.sql.expressions.functions.numbers_and_time import NUMBERS_AND_TIME, WRITTEN
from operators.sql.expressions.functions.shape import Shape
from operators.sql.expressions.functions.text import TEXT
from operators.sql.grammar.dialect import Tree, exp, offset_of

SHAPES: Final[dict[type[Tree], Callable[[Any], Shape]]] = {
    **NUMBERS_AND_TIME,
    **NESTED,
    **TEXT,
}

AGGREGATES: Final[dict[type[Tree], str]] = {
    exp.AnyValue: "any_value",
    exp.ApproxDistinct: "approx_count_distinct",
    exp.ArgMax: "arg_max",
    exp.ArgMin: "arg_min",
    exp.ArrayAgg: "array_agg",
    exp.Avg: "avg",
    exp.BitwiseAndAgg: "bit_and",
    exp.BitwiseOrAgg: "bit_or",
    exp.BitwiseXorAgg: "bit_xor",
    exp.Corr: "corr",
    exp.Count: "count",
    exp.CovarPop: "covar_pop",
    exp.CovarSamp: "covar_samp",
    exp.First: "first",
    exp.FirstValue: "first",
    exp.GroupConcat: "string_agg",
    exp.Last: "last",
    exp.LastValue: "last",
    exp.LogicalAnd: "bool_and",
    exp.LogicalOr: "bool_or",
    exp.Max: "max",
    exp.Median: "median",
    exp.Min: "min",
    exp.Mode: "mode",
    exp.PercentileCont: "percentile_cont",
    exp.PercentileDisc: "percentile_disc",
    exp.RegrAvgx: "regr_avgx",
    exp.RegrAvgy: "regr_avgy",
    exp.RegrCount: "regr_count",
    exp.RegrIntercept: "regr_intercept",
    exp.RegrR2: "regr_r2",
    exp.RegrSlope: "regr_slope",
    exp.RegrSxx: "regr_sxx",
    exp.RegrSxy: "regr_sxy",
    exp.RegrSyy: "regr_syy",
    exp.Stddev: "stddev",
    exp.StddevPop: "stddev_pop",
    exp.StddevSamp: "stddev",
    exp.Sum: "sum",
    exp.Variance: "var",
    exp.VariancePop: "var_pop",
}
"""Aggregate functions."""

_NOTES: Final = {"safe", "coalesce", "ignore_nulls", "single_replace", "big_int", "typed", "binary", "encoding"}
"""Arguments of sqlglot's nodes that are notes on a dialect."""


_REMADE: Final = {"unit", "format", "to", "scale", "form", "length"}
"""Arguments whose trees are written anew in a shape."""


def passed_over(node: Tree, arguments: Sequence[Tree | None]) -> Tree | None:
    """An argument that the query says and of which nothing is among those of the shape; None where there is none."""
    if isinstance(node, exp.Anonymous | exp.Extract):
        return None
    read = {id(part) for each in arguments if each is not None for part in each.walk()}
    for key, value in node.args.items():
        for each in value if isinstance(value, list) else [value]:
            given = isinstance(each, Tree) and key not in _REMADE and offset_of(each) is not None
            if given and key != "this" and not any(id(part) in read for part in each.walk()):
                return cast(Tree, each)
    return None


def shape_of(node: Tree) -> Shape | None:
    """The call that a node stands for, or None where it is no function."""
    if type(node) in SHAPES:
        return SHAPES[type(node)](node)
    if isinstance(node, exp.Anonymous):
        name = str(node.this)
        return WRITTEN[name.lower()](node) if name.lower() in WRITTEN else (name, tuple(node.expressions))
    if not isinstance(node, exp.Func):
        return None
    arguments: list[Tree] = []
    for key in node.arg_types:
        value = node.args.get(key)
        if key not in _NOTES and value is not None and not isinstance(value, bool | str):
            arguments += value if isinstance(value, list) else [value]
    return node.sql_name(), arguments
