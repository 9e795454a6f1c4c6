"""The grammar of time: intervals and typed literals as they are written, and functions that sqlglot would rewrite.

sqlglot turns PostgreSQL's format words into C's, and forgets parts of intervals; here both stay as they are written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlglot import Parser, TokenType, exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.dialects.postgres import Postgres

_WRITTEN: Final = "written"
"""In the meta data of an interval: its text."""

_TRAILING: Final = "trailing"
"""In the meta data of an interval: whether its unit stands behind the text."""


class TimeParser(Parser):
    """Keeps what is written of intervals and typed literals."""

    def _parse_interval(self, *arguments: Any, **options: Any) -> Any:
        text = self._next
        node = super()._parse_interval(*arguments, **options)
        if isinstance(node, exp.Interval) and text and text.token_type == TokenType.STRING:
            node.meta[_WRITTEN] = text.text
            node.meta[_TRAILING] = self._prev is not text
        return node

    def _parse_type(self, *arguments: Any, **options: Any) -> Any:
        typed = self._curr and self._curr.token_type in self.TYPE_TOKENS
        node = super()._parse_type(*arguments, **options)
        if not typed or not isinstance(node, exp.Cast):
            return node
        # TIMESTAMP '...'::date is a timestamp that is made a date; sqlglot reads it the other way round.
        kinds, inner = [node.args["to"]], node.this
        while isinstance(inner, exp.Cast):
            kinds.insert(1, inner.args["to"])
            inner = inner.this
        if len(kinds) == 1 or not (isinstance(inner, exp.Literal) and inner.is_string):
            return node
        made: Any = inner.copy()
        for kind in kinds:
            made = exp.Cast(this=made, to=kind.copy())
        made.meta.update(node.meta)
        return made


def lacks_unit(node: exp.Interval) -> bool:
    """Whether an interval is a number of which nothing says what it counts."""
    return node.args.get("unit") is None and _WRITTEN not in node.meta


def interval_words(node: exp.Interval) -> tuple[str, str, str] | None:
    """The text of an interval and the units (first, last) behind it, or None where it has no text but an expression."""
    unit = node.args.get("unit")
    units = [unit.this, unit.expression] if isinstance(unit, exp.IntervalSpan) else [unit, unit]
    first, last = ("" if each is None else each.name.lower() for each in units)
    if _WRITTEN in node.meta:
        return (node.meta[_WRITTEN], first, last) if node.meta[_TRAILING] else (node.meta[_WRITTEN], "", "")
    return (node.this.name, first, last) if isinstance(node.this, exp.Literal) else None


def _as_written(name: str) -> Callable[[Sequence[Any]], Any]:
    return lambda args: exp.Anonymous(this=name, expressions=list(args))


def _unit_first(name: str, of_two: Any) -> Callable[[Sequence[Any]], Any]:
    """``name(unit, one, other)``; of two arguments, what sqlglot calls it."""

    def read(args: Sequence[Any]) -> Any:
        if len(args) != 3:
            return of_two.from_arg_list(args)
        return exp.Anonymous(this=name, expressions=[_unit(args[0]), *args[1:]])

    return read


def _later(args: Sequence[Any]) -> Any:
    """``dateadd(unit, number, moment)``."""
    if len(args) != 3:
        return exp.DateAdd.from_arg_list(args)
    amount = exp.Interval(this=exp.Paren(this=args[1]), unit=exp.Var(this=_unit(args[0]).name.upper()))
    return exp.Paren(this=exp.Add(this=args[2], expression=amount))


def _unit(node: Any) -> Any:
    if isinstance(node, exp.Column | exp.Var):
        unit = exp.Literal.string(node.name.lower())
        unit.meta.update(node.this.meta if isinstance(node, exp.Column) else node.meta)
        return unit
    return node


_POSTGRES: Final[dict[str, Callable[[Sequence[Any]], Any]]] = {
    **{name: _as_written(name.lower()) for name in ("TO_CHAR", "TO_TIMESTAMP", "TO_DATE", "TO_NUMBER", "DATE_BIN")},
    "MAKE_INTERVAL": _as_written("make_interval"),
    "DATE_DIFF": _unit_first("date_diff", exp.DateDiff),
    "DATEDIFF": _unit_first("date_diff", exp.DateDiff),
    "TIMESTAMPDIFF": _unit_first("date_sub", exp.TimestampDiff),
    "DATE_SUB": _unit_first("date_sub", exp.DateSub),
    "DATE_ADD": _later,
    "DATEADD": _later,
    "TIMESTAMPADD": _later,
}


def functions_of(dialect: type[Dialect]) -> dict[str, Callable[[Sequence[Any]], Any]]:
    """Functions that are read otherwise than sqlglot does it for a dialect."""
    return _POSTGRES if issubclass(dialect, Postgres) else {}
