"""Functions of numbers and time by our names, with arguments in our order, for the nodes of all dialects."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from operators.sql.expressions.functions.shape import Shape, same
from operators.sql.grammar.dialect import Tree, exp


def unit(node: Tree) -> Tree:
    """A unit of time as a literal."""
    return exp.Literal.string(node.name.lower())


def part(name: str) -> Callable[[Any], Shape]:
    """A part of a moment."""
    return lambda node: ("extract", (exp.Literal.string(name), node.this))


def _truncated(node: Any) -> Shape:
    return "date_trunc", (unit(node.args["unit"]), node.this, node.args.get("zone"))


def _whole(name: str, of_time: str) -> Callable[[Any], Shape]:
    """``floor(number)``, ``floor(moment TO unit)``."""

    def shape(node: Any) -> Shape:
        if node.args.get("to"):
            return of_time, (unit(node.args["to"]), node.this)
        return name, (node.this, node.args.get("decimals"))

    return shape


def _log(node: Any) -> Shape:
    base = node.this if node.args.get("expression") else None
    if isinstance(base, exp.Literal) and base.this in ("2", "10"):
        return f"log{base.this}", (node.expression,)
    return "log", (node.this, node.args.get("expression"))


def _moved(sign: str) -> Callable[[Any], Shape]:
    def shape(node: Any) -> Shape:
        amount, of = node.expression, node.args.get("unit")
        if of is not None and not isinstance(amount, exp.Interval):
            amount = exp.Interval(this=amount, unit=of)
        return sign, (node.this, amount)

    return shape


def _between(name: str) -> Callable[[Any], Shape]:
    def shape(node: Any) -> Shape:
        of = node.args.get("unit")
        return name, (exp.Literal.string("day") if of is None else unit(of), node.expression, node.this)

    return shape


def _named(name: str) -> Callable[[Any], Shape]:
    def shape(node: Any) -> Shape:
        if node.args.get("abbreviated"):
            return "left", (type(node)(this=node.this), exp.Literal.number(3))
        return name, (node.this,)

    return shape


def _from_unix(node: Any) -> Shape:
    scale = node.args.get("scale")
    name = {"3": "to_timestamp_ms", "6": "to_timestamp_us", "9": "to_timestamp_ns"}.get(scale.name if scale else "")
    return name or "to_timestamp", (node.this, node.args.get("format"))


def _formatted(name: str) -> Callable[[Any], Shape]:
    def shape(node: Any) -> Shape:
        form = node.args.get("format")
        if isinstance(form, exp.Literal):
            # sqlglot's mark for exactly two digits, which these always are here.
            form = exp.Literal.string(re.sub(r"(%\w)strict", r"\1", form.name))
        return name, (node.this, form)

    return shape


def _to_date(node: Any) -> Shape:
    return _formatted("str_to_date")(node) if node.args.get("format") else ("to_date", (node.this,))


def _overlaps(node: Any) -> Shape:
    pairs = (node.this, node.expression)
    return "overlaps", [
        each for pair in pairs for each in (pair.expressions if isinstance(pair, exp.Tuple) else [pair])
    ]


_FIELDS: Final = ("years", "months", "weeks", "days", "hours", "mins", "secs")


def _make_interval(node: Any) -> Shape:
    given: dict[str, Tree] = {}
    for number, argument in enumerate(node.expressions):
        if isinstance(argument, exp.Kwarg | exp.PropertyEQ):
            given[argument.this.name.lower()] = argument.expression
        elif number < len(_FIELDS):
            given[_FIELDS[number]] = argument
        else:
            given[str(number)] = argument
    unknown = [value for name, value in given.items() if name not in _FIELDS]
    return "make_interval", [*(given.get(name) or exp.Literal.number(0) for name in _FIELDS), *unknown]


NUMBERS_AND_TIME: Final[dict[type[Tree], Callable[[Any], Shape]]] = {
    exp.AddMonths: same("add_months", "this", "expression"),
    exp.AtTimeZone: same("timezone", "zone", "this"),
    exp.BitwiseAnd: same("&", "this", "expression"),
    exp.BitwiseCount: same("bit_count", "this"),
    exp.BitwiseLeftShift: same("<<", "this", "expression"),
    exp.BitwiseNot: same("~", "this"),
    exp.BitwiseOr: same("|", "this", "expression"),
    exp.BitwiseRightShift: same(">>", "this", "expression"),
    exp.BitwiseXor: same("xor", "this", "expression"),
    exp.Ceil: _whole("ceil", "date_ceil"),
    exp.ConvertTimezone: lambda node: (
        "timezone",
        (
            node.args.get("target_tz"),
            exp.AtTimeZone(this=node.args.get("timestamp"), zone=node.args["source_tz"])
            if node.args.get("source_tz")
            else node.args.get("timestamp"),
        ),
    ),
    exp.CurrentDate: same("current_date"),
    exp.CurrentDatetime: same("localtimestamp"),
    exp.CurrentTime: same("current_time"),
    exp.CurrentTimestamp: same("now"),
    exp.DateAdd: _moved("+"),
    exp.DateDiff: _between("date_diff"),
    exp.DateFromParts: same("make_date", "year", "month", "day"),
    exp.DateSub: _moved("-"),
    exp.DateTrunc: _truncated,
    exp.DatetimeAdd: _moved("+"),
    exp.DatetimeDiff: _between("date_diff"),
    exp.DatetimeSub: _moved("-"),
    exp.Day: part("day"),
    exp.DayOfMonth: part("day"),
    exp.DayOfWeek: part("dow"),
    exp.DayOfWeekIso: part("isodow"),
    exp.DayOfYear: part("doy"),
    exp.Dayname: _named("dayname"),
    exp.Extract: lambda node: ("extract", (unit(node.this), node.expression)),
    exp.Floor: _whole("floor", "date_trunc"),
    exp.Hour: part("hour"),
    exp.IsInf: same("isinf", "this"),
    exp.IsNan: same("isnan", "this"),
    exp.LastDay: same("last_day", "this"),
    exp.Localtime: same("current_time"),
    exp.Localtimestamp: same("localtimestamp"),
    exp.Log: _log,
    exp.Minute: part("minute"),
    exp.Month: part("month"),
    exp.Monthname: _named("monthname"),
    exp.MonthsBetween: same("months_between", "this", "expression"),
    exp.Overlaps: _overlaps,
    exp.Quarter: part("quarter"),
    exp.Rand: same("random"),
    exp.Second: part("second"),
    exp.StrToDate: _formatted("str_to_date"),
    exp.StrToTime: _formatted("strptime"),
    exp.StrToUnix: lambda node: ("epoch", (exp.StrToTime(this=node.this, format=node.args.get("format")),)),
    exp.TimeFromParts: same("make_time", "hour", "min", "sec"),
    exp.TimeStrToTime: same("timestamp", "this"),
    exp.TimeToStr: _formatted("strftime"),
    exp.TimeToUnix: same("epoch", "this"),
    exp.Timestamp: same("timestamp", "this"),
    exp.TimestampAdd: _moved("+"),
    exp.TimestampDiff: _between("date_sub"),
    exp.TimestampFromParts: same("make_timestamp", "year", "month", "day", "hour", "min", "sec"),
    exp.TimestampSub: _moved("-"),
    exp.TimestampTrunc: _truncated,
    exp.ToChar: same("to_char", "this", "format"),
    exp.ToNumber: same("to_number", "this", "format"),
    exp.TsOrDsAdd: _moved("+"),
    exp.TsOrDsDiff: _between("date_diff"),
    exp.TsOrDsToDate: _to_date,
    exp.TsOrDsToTimestamp: same("timestamp", "this"),
    exp.UnixMicros: same("epoch_us", "this"),
    exp.UnixMillis: same("epoch_ms", "this"),
    exp.UnixSeconds: same("unix_seconds", "this"),
    exp.UnixToStr: lambda node: _formatted("strftime")(
        exp.TimeToStr(this=exp.UnixToTime(this=node.this), format=node.args.get("format"))
    ),
    exp.UnixToTime: _from_unix,
    exp.Week: part("week"),
    exp.WeekOfYear: part("week"),
    exp.Xor: same("xor", "this", "expression"),
    exp.Year: part("year"),
}
"""Functions of numbers, dates and times."""

WRITTEN: Final[dict[str, Callable[[Any], Shape]]] = {"make_interval": _make_interval}
"""Functions that are read as they are written, and have arguments by name."""
