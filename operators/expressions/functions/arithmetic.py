"""Arithmetic operators on numbers.

Whole numbers never wrap: overflow is an error, and so is division by zero, of floating-point numbers too; `/` of whole
numbers and `div` cut off the fraction, and `%` has the sign of the dividend (PostgreSQL).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from operators.expressions.casts import rounded
from operators.expressions.registry import Kernel, Resolved, Rule, function, overload
from operators.expressions.types import MAX_PRECISION, NUMBERS, Argument, as_decimal, common, decimal, literal_type
from operators.values.decimals import combined

_WIDE_DIGITS: Final = 76

_SAYS: Final = {
    "+": ("The sum.", "1.10 + 2.205 = 3.305"),
    "-": ("The difference.", "5 - 7 = -2"),
    "*": ("The product; of decimals with the digits of both behind the point.", "1.10 * 2.205 = 2.42550"),
    "/": ("The quotient: of whole numbers without fraction, of decimals with 6 to 16 digits of it.", "-7 / 2 = -3"),
}

_CHECKED: Final[dict[str, Kernel]] = {
    "+": pc.add_checked,
    "-": pc.subtract_checked,
    "*": pc.multiply_checked,
    "/": pc.divide_checked,
}


def _numbers(arguments: Sequence[Argument]) -> pa.DataType | None:
    """The type in which two numbers meet; a literal of text takes part only beside a number."""
    if len(arguments) != 2 or all(argument.unknown for argument in arguments):
        return None
    kind = common(arguments)
    if kind is None or not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        return None
    return kind


def _two_nulls(arguments: Sequence[Argument]) -> bool:
    return len(arguments) == 2 and all(argument.family == "null" for argument in arguments)


def _operands(arguments: Sequence[Argument], kind: pa.DataType) -> list[pa.DataType]:
    """The decimals that two operands are before they meet: products keep the digits of each."""
    return [
        as_decimal(literal_type(argument, kind) if argument.flexible else argument.type)
        if argument.family in NUMBERS
        else kind
        for argument in arguments
    ]


def _rule(name: str) -> Rule:
    def rule(arguments: Sequence[Argument]) -> Resolved | None:
        if _two_nulls(arguments):
            return Resolved((pa.int64(), pa.int64()), pa.int64(), _CHECKED[name])
        kind = _numbers(arguments)
        if kind is None:
            return None
        if pa.types.is_floating(kind):
            return Resolved((kind, kind), kind, partial(_of_floats, name))
        if not pa.types.is_decimal(kind):
            return Resolved((kind, kind), kind, _CHECKED[name])
        left, right = _operands(arguments, kind)
        result = _RESULTS[name](left, right)
        return Resolved((left, right), result, partial(_DECIMALS[name], result))

    return rule


def _of_floats(name: str, left: Any, right: Any) -> Any:
    """An infinite result of finite numbers is an error."""
    result = _CHECKED[name](left, right)
    if not np.isinf(result.to_numpy(zero_copy_only=False)).any():
        return result
    overflown = pc.and_(pc.is_inf(result), pc.and_(pc.is_finite(left), pc.is_finite(right)))
    if pc.any(overflown).as_py():
        raise pa.ArrowInvalid("value out of range: overflow")
    return result


def _sum_type(left: pa.DataType, right: pa.DataType) -> pa.DataType:
    scale = max(left.scale, right.scale)
    return decimal(max(left.precision - left.scale, right.precision - right.scale) + scale + 1, scale)


def _product_type(left: pa.DataType, right: pa.DataType) -> pa.DataType:
    return decimal(left.precision + right.precision, left.scale + right.scale)


def _quotient_type(left: pa.DataType, right: pa.DataType) -> pa.DataType:
    """A decimal with up to 16 digits behind the point, fewer where they do not fit; double where not even 6 would."""
    whole = left.precision - left.scale + right.scale
    least = max(left.scale, right.scale, 6)
    for scale in range(max(least, min(16, MAX_PRECISION - whole)), least - 1, -1):
        if _quotient_digits(left, right, scale) <= _WIDE_DIGITS and scale <= MAX_PRECISION:
            return decimal(MAX_PRECISION, scale)
    return pa.float64()


def _quotient_digits(left: pa.DataType, right: pa.DataType, scale: int) -> int:
    """Digits that Arrow needs to divide such decimals to one digit more than `scale`."""
    return int(left.precision + _more_digits(left, right, scale) + right.precision + 1)


def _more_digits(left: pa.DataType, right: pa.DataType, scale: int) -> int:
    """What the dividend's scale lacks: Arrow's quotient has its digits, and those before the divisor's point."""
    return int(max(0, scale - (right.precision - right.scale) - left.scale))


def _wide(value: Any, extra: int = 0) -> Any:
    """A decimal with room for the digits of a result; `extra` digits more behind the point."""
    kind = value.type
    return pc.cast(value, pa.decimal256(min(_WIDE_DIGITS, kind.precision + extra), kind.scale + extra))


def _narrow(value: Any, result: pa.DataType) -> Any:
    if value.type.scale > result.scale:
        value = rounded(value, result.scale)
    return pc.cast(value, result)


def _decimal_sum(name: str, result: pa.DataType, left: Any, right: Any) -> Any:
    quick = combined(name, result, left, right)
    return _narrow(_CHECKED[name](_wide(left), _wide(right)), result) if quick is None else quick


def _decimal_product(result: pa.DataType, left: Any, right: Any) -> Any:
    quick = combined("*", result, left, right)
    if quick is not None:
        return quick
    excess = max(0, left.type.precision + right.type.precision + 1 - _WIDE_DIGITS)
    left = pc.cast(left, pa.decimal256(left.type.precision - excess, left.type.scale))
    return _narrow(pc.multiply_checked(left, _wide(right)), result)


def _decimal_quotient(result: pa.DataType, left: Any, right: Any) -> Any:
    if pa.types.is_floating(result):
        return pc.divide_checked(pc.cast(left, result), pc.cast(right, result))
    extra = _more_digits(left.type, right.type, result.scale)
    return _narrow(pc.divide_checked(_wide(left, extra), _wide(right)), result)


_RESULTS: Final[dict[str, Callable[[pa.DataType, pa.DataType], pa.DataType]]] = {
    "+": _sum_type,
    "-": _sum_type,
    "*": _product_type,
    "/": _quotient_type,
}
_DECIMALS: Final[dict[str, Callable[..., Any]]] = {
    "+": partial(_decimal_sum, "+"),
    "-": partial(_decimal_sum, "-"),
    "*": _decimal_product,
    "/": _decimal_quotient,
}

for _name in _CHECKED:
    overload(f"{_name}(number, number) -> number", _rule(_name), says=_SAYS[_name][0], examples=[_SAYS[_name][1]])


@function("-(integer) -> same", "-(float) -> same", "-(decimal) -> same")
def _negate(value: Any) -> pa.Array:
    if pa.types.is_unsigned_integer(value.type):
        return pc.subtract_checked(pa.scalar(0, value.type), value)
    return pc.negate_checked(value)


@function("+(integer) -> same", "+(float) -> same", "+(decimal) -> same", total=True)
def _plus(value: Any) -> pa.Array:
    return value


def _remainder(arguments: Sequence[Argument]) -> Resolved | None:
    kind = pa.int64() if _two_nulls(arguments) else _numbers(arguments)
    if kind is None:
        return None
    return Resolved((kind, kind), kind, _decimal_remainder if pa.types.is_decimal(kind) else remainder)


def remainder(left: Any, right: Any) -> pa.Array:
    """What is left of a division that cuts off the fraction; raises ArrowInvalid for a divisor of zero."""
    valid = pc.and_(pc.is_valid(left), pc.is_valid(right))
    if pc.any(pc.and_(pc.equal(right, pa.scalar(0, right.type)), valid)).as_py():
        raise pa.ArrowInvalid("divide by zero")
    dividend, divisor = _filled(left), _filled(right)
    with np.errstate(invalid="ignore", divide="ignore"):
        result = np.fmod(dividend, divisor)
    return pc.if_else(valid, pa.array(np.atleast_1d(result), left.type), pa.scalar(None, left.type))


def _filled(value: Any) -> Any:
    if isinstance(value, pa.Scalar):
        return np.array(value.as_py() if value.is_valid else 1, value.type.to_pandas_dtype())
    return (value.fill_null(1) if value.null_count else value).to_numpy(zero_copy_only=False)


def _decimal_remainder(left: Any, right: Any) -> Any:
    precision = left.type.precision
    if 2 * precision + 1 > _WIDE_DIGITS:
        raise pa.ArrowInvalid(f"the remainder of {left.type} needs too many digits; cast to a narrower decimal first")
    quotient = pc.cast(pc.trunc(pc.divide_checked(_wide(left), _wide(right))), pa.decimal256(precision, 0))
    return pc.cast(pc.subtract(left, pc.cast(pc.multiply(quotient, right), left.type)), left.type)


for _name, _example in (("%", "-7 % 3 = -1"), ("mod", "mod(7.5, 2.0) = 1.5")):
    overload(
        f"{_name}(number, number) -> number",
        _remainder,
        says="What is left of a division, with the sign of the dividend.",
        examples=[_example],
    )


def _div(arguments: Sequence[Argument]) -> Resolved | None:
    kind = pa.int64() if _two_nulls(arguments) else _numbers(arguments)
    if kind is None:
        return None
    if pa.types.is_integer(kind):
        return Resolved((kind, kind), kind, pc.divide_checked)
    quotient = _rule("/")(arguments)
    return None if quotient is None else attrs.evolve(quotient, kernel=_whole(quotient.kernel))


def _whole(quotient: Kernel) -> Kernel:
    def kernel(left: Any, right: Any) -> Any:
        return pc.trunc(quotient(left, right))

    return kernel


overload(
    "div(number, number) -> number", _div, says="The quotient without its fraction.", examples=["div(-9.5, 2) = -4"]
)
