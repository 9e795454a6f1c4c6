"""What a reader may know of a condition: a condition over stored columns that holds wherever the real one does.

Readers skip rows by it, so it must never be narrower: what cannot be said exactly is left out, and under NOT everything
must be exact. Arrow orders NaN below nothing where PostgreSQL puts it above all, so numbers that may be NaN are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs
import pyarrow as pa
import pyarrow.compute as pc

from operators.expressions.casts import cast_value
from operators.expressions.types import NUMBERS, family

_FLIPPED: Final = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_ORDERED: Final = frozenset({"boolean", "integer", "decimal", "text", "date", "timestamp"})


@attrs.frozen
class Pushed:
    """Two views of an expression.

    Attributes:
        exact: the expression itself, where Arrow means the same by it.
        implied: a condition that holds wherever the expression does.
        column: whether it is a bare column.
        literal: its value, where it is a literal.
        type: a column's logical type, where known.
    """

    exact: pc.Expression | None = None
    implied: pc.Expression | None = None
    column: bool = False
    literal: pa.Scalar | None = None
    type: pa.DataType | None = None


NOTHING: Final = Pushed()


def implied(pushed: Pushed) -> pc.Expression | None:
    """The condition to pass on; a bare literal is none."""
    return None if pushed.literal is not None else pushed.implied


def call(function: str, arguments: Sequence[Pushed]) -> Pushed:
    """What is known of a function of these."""
    if function in ("and", "or") and len(arguments) == 2:
        return _joined(function, *arguments)
    if len(arguments) == 1 and arguments[0].literal is None:
        (only,) = arguments
        if function == "not" and only.exact is not None:
            return _exactly(~only.exact)
        if function == "is null" and only.column and only.exact is not None:
            return _exactly(only.exact.is_null())
        if function == "is not null" and only.column and only.exact is not None:
            return _exactly(only.exact.is_valid())
    if function in _FLIPPED and len(arguments) == 2:
        left, right = arguments
        if left.literal is not None and right.column:
            function, left, right = _FLIPPED[function], right, left
        if left.column and right.literal is not None:
            return _comparison(function, left, right.literal)
    return NOTHING


def in_list(children: Sequence[Pushed]) -> Pushed:
    """What is known of a column that equals one of these literals."""
    operand, *values = children
    if not operand.column:
        return NOTHING
    result: Pushed | None = None
    for value in values:
        if value.literal is None:
            return NOTHING
        test = _comparison("=", operand, value.literal)
        result = test if result is None else _joined("or", result, test)
    return result or NOTHING


def _comparison(function: str, column: Pushed, literal: pa.Scalar) -> Pushed:
    if not literal.is_valid:
        return NOTHING
    value, floating = _stored(column.type, function, literal)
    if value is None:
        return NOTHING
    field = column.exact
    match function:
        case "=":
            condition = field == value
        case "<>":
            condition = field != value
        case "<":
            condition = field < value
        case "<=":
            condition = field <= value
        case ">":
            condition = field > value
        case _:
            condition = field >= value
    return Pushed(None, condition) if floating else Pushed(condition, condition)


def _stored(kind: pa.DataType | None, function: str, literal: pa.Scalar) -> tuple[pa.Scalar | None, bool]:
    """The literal as a value of the column's type, where comparing the two is exact; and whether NaN may be about."""
    if kind is None:
        # Without the column's type only equality of text is safe to say: a number may be NaN, a time may need a cast.
        return (literal if pa.types.is_string(literal.type) and function == "=" else None), False
    start, end = family(literal.type), family(kind)
    if end == "float":
        # NaN is above every number here, but has no place in the statistics of a file.
        value = literal.as_py() if start in NUMBERS and function in ("=", "<", "<=") else None
        return (pa.scalar(float(value), kind) if value is not None and float(value) == value else None), True
    alike = start == end or (start == "integer" and end == "decimal") or {start, end} <= {"date", "timestamp"}
    if end not in _ORDERED or not (alike or (start == "text" and end in ("date", "timestamp"))):
        return None, False
    try:
        value = cast_value(literal, kind)
        same = start == "text" or cast_value(value, literal.type).equals(literal)
    except (pa.ArrowException, ValueError):
        return None, False
    return (value if same else None), False


def _joined(function: str, left: Pushed, right: Pushed) -> Pushed:
    exact = weaker = None
    if left.exact is not None and right.exact is not None:
        exact = left.exact & right.exact if function == "and" else left.exact | right.exact
    if left.implied is not None and right.implied is not None:
        weaker = left.implied & right.implied if function == "and" else left.implied | right.implied
    elif function == "and":
        weaker = left.implied if right.implied is None else right.implied
    return Pushed(exact, weaker)


def _exactly(expression: pc.Expression) -> Pushed:
    return Pushed(expression, expression)
