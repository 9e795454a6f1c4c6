"""Parameters of a query: ``:name`` in its text, a Python value given by that name, and a literal in its tree.

Every parameter that is named has a value, and every value is named: else nothing is bound.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from flow.errors import GraphError, known
from operators.sql.grammar.dialect import Text, Tree, exp, offset_of, parse

_WRITTEN: Final[dict[type, Callable[[Any], str]]] = {
    type(None): lambda value: "NULL",
    bool: lambda value: str(value).upper(),
    int: str,
    float: lambda value: _float(value),
    Decimal: lambda value: f"{value:f}" if value.is_finite() else _quoted(value, "DECIMAL(38, 18)"),
    str: lambda value: _quoted(value),
    bytes: lambda value: _quoted(rf"\x{value.hex()}", "BYTEA"),
    datetime: lambda value: _quoted(value.isoformat(" "), "TIMESTAMP" if value.tzinfo is None else "TIMESTAMPTZ"),
    date: lambda value: _quoted(value.isoformat(), "DATE"),
    time: lambda value: _quoted(value.isoformat(), "TIME"),
    timedelta: lambda value: f"INTERVAL '{value // timedelta(microseconds=1)} microseconds'",
    UUID: lambda value: _quoted(value, "UUID"),
    list: lambda value: f"ARRAY[{', '.join(map(_written, value))}]",
    tuple: lambda value: f"ARRAY[{', '.join(map(_written, value))}]",
}


def _quoted(value: Any, kind: str = "") -> str:
    text = "'" + str(value).replace("'", "''") + "'"
    return f"CAST({text} AS {kind})" if kind else text


def _float(value: float) -> str:
    if not math.isfinite(value):
        return _quoted(value, "DOUBLE")
    # With an exponent it is a DOUBLE, without one a decimal.
    return repr(value) if "e" in repr(value) else f"{value!r}e0"


def _written(value: Any) -> str:
    for made in (getattr(value, "as_py", None), getattr(value, "item", None)):
        # Arrow's and NumPy's scalars.
        if made is not None:
            value = made()
            break
    write = _WRITTEN.get(type(value))
    if write is None:
        names = [kind.__name__ for kind in _WRITTEN if kind is not type(None)]
        raise GraphError(f"{type(value).__name__} is no value of a parameter; {known(type(value).__name__, names)}")
    return write(value)


def bound(text: Text, tree: Tree, values: Mapping[str, Any]) -> Tree:
    """The tree with literals in the places of its parameters.

    Args:
        text: where the query stands.
        tree: the query, which is changed in place.
        values: of the parameters, by name: None, numbers, texts, bytes, moments, durations, UUIDs, and lists of these.

    Raises:
        SqlError: a parameter has no value.
        GraphError: a value is not named in the query, or is none of SQL.
    """
    if not isinstance(values, Mapping):
        raise GraphError(f"parameters= takes values by name, such as {{'least': 10}}, not {type(values).__name__}")
    literals = {name: _literal(name, value) for name, value in values.items()}
    used: set[str] = set()
    for node in list(tree.find_all(exp.Placeholder)):
        # `?` has no name.
        name = getattr(node.this, "name", node.this)
        if not name or isinstance(node.parent, exp.Bracket):
            continue
        if isinstance(node.parent, exp.Table):
            raise text.error("a parameter stands for a value, not for a table", node, "name the table in the query")
        if name not in literals:
            raise text.error(
                f"no value is given for the parameter :{name}; {known(name, literals)}",
                node,
                f"write sql(query, parameters={{{name!r}: ...}}, ...)",
            )
        literal = literals[name].copy()
        for part in literal.walk():
            part.meta.pop("start", None)
        literal.meta["start"] = offset_of(node)
        node.replace(literal)
        used.add(name)
    for name in literals:
        if name not in used:
            raise GraphError(f"the query has no parameter :{name}; {known(name, used)}")
    return tree


def _literal(name: str, value: Any) -> Tree:
    try:
        (select,) = parse(Text(f"SELECT {_written(value)}"))
    except GraphError as error:
        raise GraphError(f"parameter {name!r}: {error}") from error
    literal: Tree = select.expressions[0]
    return literal
