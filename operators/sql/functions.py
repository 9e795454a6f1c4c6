"""Functions of a tree by our names, with arguments in our order; sqlglot reads every dialect's into nodes of its own.

A node that is not in the table goes by sqlglot's name for it, with its arguments as they come.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from operators.sql.dialect import Tree, exp

Shape = tuple[str, Sequence[Tree | None]]
"""A function's name, and its arguments; those that are None were not given."""


def _unit(node: Tree) -> Tree:
    return exp.Literal.string(node.name.lower())


def _part(unit: str) -> Callable[[Any], Shape]:
    return lambda node: ("extract", (exp.Literal.string(unit), node.this))


def _same(name: str, *keys: str) -> Callable[[Any], Shape]:
    return lambda node: (name, tuple(node.args.get(key) for key in keys))


def _truncated(node: Any) -> Shape:
    return "date_trunc", (_unit(node.args["unit"]), node.this, node.args.get("zone"))


def _trim(node: Any) -> Shape:
    name = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(str(node.args.get("position")).upper(), "trim")
    return name, (node.this, node.args.get("expression"))


def _pad(node: Any) -> Shape:
    return "lpad" if node.args.get("is_left") else "rpad", (
        node.this,
        node.expression,
        node.args.get("fill_pattern"),
    )


def _log(node: Any) -> Shape:
    base = node.this if node.args.get("expression") else None
    if isinstance(base, exp.Literal) and base.this in ("2", "10"):
        return f"log{base.this}", (node.expression,)
    return "log", (node.this, node.args.get("expression"))


def _regexp_like(node: Any) -> Shape:
    if node.args.get("flag") or node.args.get("full_match"):
        name = "regexp_full_match" if node.args.get("full_match") else "regexp_like"
        return name, (node.this, node.expression, node.args.get("flag"))
    return "~", (node.this, node.expression)


def _regexp_parameters(node: Any, *keys: str) -> list[Tree | None]:
    """Arguments by position: those that are left out before others have PostgreSQL's defaults."""
    defaults = {"position": "1", "occurrence": "1", "option": "0", "group": "0"}
    given = [node.args.get(key) for key in keys]
    while given and given[-1] is None:
        given.pop()
    for place, key in enumerate(keys[: len(given)]):
        if given[place] is None:
            given[place] = exp.Literal.number(defaults[key]) if key in defaults else exp.Literal.string("")
    return [node.this, node.expression, *given]


def _regexp_called(name: str, *keys: str) -> Callable[[Any], Shape]:
    return lambda node: (name, _regexp_parameters(node, *keys))


def _regexp_extract(node: Any) -> Shape:
    if node.args.get("null_if_no_match"):
        return "regexp_substr", _regexp_parameters(node, "position", "occurrence", "parameters", "group")
    group, flags = node.args.get("group"), node.args.get("parameters")
    if group is None:
        # Where sqlglot knows of no group, what it takes for a position is DuckDB's group.
        group, flags = node.args.get("position"), flags or node.args.get("occurrence")
    return "regexp_extract", (node.this, node.expression, group or exp.Literal.number("0"), flags)


def _regexp_replace(node: Any) -> Shape:
    flags, position, number = (node.args.get(key) for key in ("modifiers", "position", "occurrence"))
    start = (node.this, node.expression, node.args.get("replacement") or exp.Literal.string(""))
    once = bool(node.args.get("single_replace"))
    if position is not None and getattr(position, "is_string", False):
        flags, position = position, None
    if position is None and number is None:
        if once or flags is not None:
            return "regexp_replace", (*start, flags)
        return "regexp_replace", (*start, exp.Literal.string("g"))
    number = number or exp.Literal.number("1" if once else "0")
    return "regexp_replace", (*start, position or exp.Literal.number("1"), number, flags)


def _array_length(node: Any) -> Shape:
    dimension = node.args.get("expression")
    first = isinstance(dimension, exp.Literal) and dimension.this == "1"
    return "array_length", (node.this, None if first else dimension)


def _date_bin(node: Any) -> Shape:
    return "date_bin", (node.this, node.expression, node.args.get("unit"), node.args.get("zone"))


def _moved(sign: str) -> Callable[[Any], Shape]:
    def shape(node: Any) -> Shape:
        amount, unit = node.expression, node.args.get("unit")
        if unit is not None and not isinstance(amount, exp.Interval):
            amount = exp.Interval(this=amount, unit=unit)
        return sign, (node.this, amount)

    return shape


SHAPES: Final[dict[type[Tree], Callable[[Any], Shape]]] = {
    exp.ArraySize: _array_length,
    exp.AtTimeZone: _same("timezone", "zone", "this"),
    exp.BitwiseAnd: _same("&", "this", "expression"),
    exp.BitwiseLeftShift: _same("<<", "this", "expression"),
    exp.BitwiseNot: _same("~", "this"),
    exp.BitwiseOr: _same("|", "this", "expression"),
    exp.BitwiseRightShift: _same(">>", "this", "expression"),
    exp.BitwiseXor: _same("xor", "this", "expression"),
    exp.CurrentTimestamp: _same("now"),
    exp.DateAdd: _moved("+"),
    exp.DateBin: _date_bin,
    exp.DateFromParts: _same("make_date", "year", "month", "day"),
    exp.DateSub: _moved("-"),
    exp.DateTrunc: _truncated,
    exp.Day: _part("day"),
    exp.DayOfMonth: _part("day"),
    exp.DayOfWeek: _part("dow"),
    exp.DayOfYear: _part("doy"),
    exp.Extract: lambda node: ("extract", (_unit(node.this), node.expression)),
    exp.Hour: _part("hour"),
    exp.Initcap: _same("initcap", "this"),
    exp.IsNan: _same("isnan", "this"),
    exp.Log: _log,
    exp.Minute: _part("minute"),
    exp.Month: _part("month"),
    exp.Pad: _pad,
    exp.Quarter: _part("quarter"),
    exp.Rand: _same("random"),
    exp.RegexpCount: _regexp_called("regexp_count", "position", "parameters"),
    exp.RegexpExtract: _regexp_extract,
    exp.RegexpExtractAll: lambda node: (
        "regexp_extract_all",
        (node.this, node.expression, node.args.get("group"), node.args.get("parameters")),
    ),
    exp.RegexpFullMatch: _same("regexp_full_match", "this", "expression", "options"),
    exp.RegexpInstr: _regexp_called("regexp_instr", "position", "occurrence", "option", "parameters", "group"),
    exp.RegexpLike: _regexp_like,
    exp.RegexpReplace: _regexp_replace,
    exp.RegexpSplit: _same("regexp_split_to_array", "this", "expression"),
    exp.RegexpSubstr: _regexp_called("regexp_substr", "position", "occurrence", "parameters", "group"),
    exp.Second: _part("second"),
    exp.StrPosition: _same("strpos", "this", "substr", "position", "occurrence"),
    exp.TimeToStr: _same("strftime", "this", "format"),
    exp.TimestampFromParts: _same("make_timestamp", "year", "month", "day", "hour", "min", "sec"),
    exp.TimestampTrunc: _truncated,
    exp.Trim: _trim,
    exp.UnixToTime: _same("to_timestamp", "this", "scale", "format"),
    exp.Week: _part("week"),
    exp.Year: _part("year"),
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


def shape_of(node: Tree) -> Shape | None:
    """The call that a node stands for, or None where it is no function."""
    if type(node) in SHAPES:
        return SHAPES[type(node)](node)
    if isinstance(node, exp.Anonymous):
        return str(node.this), tuple(node.expressions)
    if not isinstance(node, exp.Func):
        return None
    arguments: list[Tree] = []
    for key in node.arg_types:
        value = node.args.get(key)
        if key not in _NOTES and value is not None and not isinstance(value, bool | str):
            arguments += value if isinstance(value, list) else [value]
    return node.sql_name(), arguments
