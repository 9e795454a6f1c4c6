"""TUMBLE and HOP in a FROM clause: which table, which time column, how long.

Arguments are given by position or by name, as Flink writes them; durations are whole positive microseconds afterwards.
"""

from __future__ import annotations

from typing import Final

import attrs

from flow.durations import microseconds
from flow.errors import SettingsError, known
from operators.expressions.table_functions import TableFunction
from operators.sql.grammar.dialect import UNSUPPORTED_WINDOWS, WINDOWS, Text, Tree, exp, render
from operators.sql.grammar.time_parser import interval_words

_ARGUMENTS: Final = {
    "TUMBLE": ("data", "timecol", "size"),
    "HOP": ("data", "timecol", "slide", "size"),
}

_USAGE: Final = {
    "TUMBLE": "TUMBLE(table, time_column, INTERVAL '1 minute')",
    "HOP": "HOP(table, time_column, INTERVAL '10 seconds', INTERVAL '1 minute'), first the slide, then the size",
}


@attrs.frozen
class WindowCall:
    """A window table function, read.

    Attributes:
        table: the tree of its table, or of a subquery.
        column: the tree of its time column.
        size: length of a window, microseconds.
        slide: distance between the starts of two windows, microseconds; the size itself for TUMBLE.
    """

    table: Tree
    column: exp.Column
    size: int
    slide: int


def read_window_call(text: Text, call: Tree) -> WindowCall:
    """Read the function in a FROM clause; its tree has named arguments afterwards, with the table as a table.

    Raises:
        SqlError: it is no window table function, or its arguments do not fit.
    """
    name = render(call).partition("(")[0].upper()
    if name in UNSUPPORTED_WINDOWS:
        raise text.error(f"{name} windows are not supported yet; {known(name, WINDOWS)}", call)
    if name not in WINDOWS:
        if name.lower() in text.functions:
            raise text.error(
                f"{name.lower()}() is no table function", call, "declare it so: RETURNS TABLE (x BIGINT), or udf.table"
            )
        functions = [own for own, each in text.functions.items() if isinstance(each, TableFunction)]
        nearest = known(name.lower(), [*WINDOWS, *functions]) if functions else known(name, WINDOWS)
        raise text.error(f"no table function {name}; {nearest}", call)
    arguments = _by_name(text, name, call)
    table = arguments["data"]
    if isinstance(table, exp.Column) and not table.args.get("table"):
        table = exp.Table(this=table.this)
        arguments["data"] = table
    if not isinstance(table, exp.Table | exp.Subquery):
        raise text.error(f"the first argument of {name} is a table, not {render(table)!r}", table, _USAGE[name])
    column = arguments["timecol"]
    if not isinstance(column, exp.Column):
        raise text.error(
            f"the second argument of {name} is a time column, not {render(column)!r}", column, _USAGE[name]
        )
    size = duration(text, arguments["size"])
    slide = duration(text, arguments["slide"]) if "slide" in arguments else size
    if slide > size:
        raise text.error(
            "HOP slides further than its windows are long: rows in between would be in no window",
            arguments["slide"],
            hint=_USAGE[name],
        )
    named = [exp.Kwarg(this=exp.to_identifier(key), expression=value) for key, value in arguments.items()]
    call.set("expressions", named)
    return WindowCall(table, column, size, slide)


def _by_name(text: Text, function: str, call: Tree) -> dict[str, Tree]:
    expected = _ARGUMENTS[function]
    found: dict[str, Tree] = {}
    for position, argument in enumerate(call.expressions):
        if isinstance(argument, exp.Kwarg):
            name, value = argument.this.name.lower(), argument.expression
            if name not in expected:
                raise text.error(
                    f"{function} has no argument {name!r}; {known(name, expected)}", argument, _USAGE[function]
                )
        elif position < len(expected):
            name, value = expected[position], argument
        else:
            raise text.error(
                f"{function} takes {len(expected)} arguments, not {len(call.expressions)}", argument, _USAGE[function]
            )
        if name in found:
            raise text.error(f"the argument {name!r} of {function} is given twice", argument, _USAGE[function])
        found[name] = value
    missing = [name for name in expected if name not in found]
    if missing:
        raise text.error(f"{function} lacks {' and '.join(map(repr, missing))}", call, _USAGE[function])
    return found


def duration(text: Text, node: Tree) -> int:
    """An interval literal in microseconds.

    Raises:
        SqlError: it is none, or has months or years, which have no fixed length.
    """
    spelled = _spelled(node)
    if spelled is None:
        raise text.error(f"expected an interval, not {render(node)!r}", node, "write INTERVAL '1 minute'")
    try:
        length = microseconds(spelled)
    except SettingsError:
        raise text.error(
            f"{spelled!r} is no fixed length of time",
            node,
            "write for example INTERVAL '90 seconds' or INTERVAL '1' HOUR",
        ) from None
    if length <= 0:
        raise text.error(f"a duration must be positive, not {spelled!r}", node)
    return length


def _spelled(node: Tree) -> str | None:
    if isinstance(node, exp.Add):
        parts = [_spelled(node.this), _spelled(node.expression)]
        return None if None in parts else " ".join(part for part in parts if part)
    words = interval_words(node) if isinstance(node, exp.Interval) else None
    return None if words is None else f"{words[0]} {words[1]}".strip()
