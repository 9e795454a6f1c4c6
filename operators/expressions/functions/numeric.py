"""Mathematical functions.

Rounding is half away from zero, for floating-point numbers too; where a function is not defined is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from operators.expressions.casts import cast_value
from operators.expressions.registry import Resolved, Rule, function, overload
from operators.expressions.types import Argument, decimal

_HALF_AWAY: Final = "half_towards_infinity"


@function("abs(integer) -> same", "abs(float) -> same", "abs(decimal) -> same")
def _abs(value: Any) -> pa.Array:
    return pc.abs_checked(value)


@function("sign(integer) -> same", "sign(float) -> same", "sign(decimal) -> same")
def _sign(value: Any) -> pa.Array:
    return cast_value(pc.sign(value), value.type)


@function(
    "ceil(integer) -> same", "floor(integer) -> same", "round(integer) -> same", "trunc(integer) -> same", total=True
)
def _as_it_is(value: Any) -> pa.Array:
    return value


def _whole(name: str, rounding: Callable[..., pa.Array]) -> None:
    function(f"{name}(float) -> same", total=True)(rounding)

    def decimal_rule(arguments: Sequence[Argument]) -> Resolved | None:
        if len(arguments) != 1 or arguments[0].family != "decimal":
            return None
        kind = arguments[0].type
        result = decimal(kind.precision - kind.scale + 1, 0)

        def kernel(value: Any) -> pa.Array:
            # Rounding up may need one digit more than the argument has.
            return pc.cast(rounding(pc.cast(value, pa.decimal256(kind.precision + 1, kind.scale))), result)

        return Resolved((kind,), result, kernel)

    overload(f"{name}(decimal) -> decimal", decimal_rule)


_whole("ceil", pc.ceil)
_whole("floor", pc.floor)
_whole("round", partial(pc.round, round_mode=_HALF_AWAY))
_whole("trunc", pc.trunc)


def _digits_rule(mode: str) -> Rule:
    def kernel(result: pa.DataType, value: Any, digits: Any) -> pa.Array:
        places = pc.cast(digits, pa.int32())
        if not pa.types.is_decimal(result):
            return pc.round_binary(value, places, mode)
        wide = pc.cast(value, pa.decimal256(result.precision + 1, value.type.scale))
        return pc.cast(pc.round_binary(wide, places, mode), result)

    def rule(arguments: Sequence[Argument]) -> Resolved | None:
        if len(arguments) != 2 or arguments[1].family not in ("integer", "null"):
            return None
        kind, digits = arguments[0].type, arguments[1].constant
        match arguments[0].family:
            case "integer" | "float":
                result = kind
            case "decimal":
                scale = kind.scale if digits is None else min(kind.scale, max(0, digits))
                result = decimal(kind.precision - kind.scale + scale + 1, scale)
            case _:
                return None
        return Resolved((kind, pa.int64()), result, partial(kernel, result))

    return rule


overload("round(number, bigint) -> same", _digits_rule(_HALF_AWAY))
overload("trunc(number, bigint) -> same", _digits_rule("towards_zero"))

for _name, _kernel in (
    ("sqrt", pc.sqrt_checked),
    ("exp", pc.exp),
    ("ln", pc.ln_checked),
    ("log", pc.log10_checked),
    ("log10", pc.log10_checked),
    ("log2", pc.log2_checked),
    ("sin", pc.sin_checked),
    ("cos", pc.cos_checked),
    ("tan", pc.tan_checked),
    ("asin", pc.asin_checked),
    ("acos", pc.acos_checked),
    ("atan", pc.atan),
    ("sinh", pc.sinh),
    ("cosh", pc.cosh),
    ("tanh", pc.tanh),
):
    function(f"{_name}(double) -> double")(_kernel)


@function("log(double, double) -> double")
def _log(base: Any, value: Any) -> pa.Array:
    return pc.logb_checked(value, base)


@function("atan2(double, double) -> double", total=True)
def _atan2(y: Any, x: Any) -> pa.Array:
    return pc.atan2(y, x)


@function("power(double, double) -> double", "^(double, double) -> double")
def _power(base: Any, exponent: Any) -> pa.Array:
    undefined = pc.and_(pc.equal(base, 0.0), pc.less(exponent, 0.0))
    if pc.any(undefined).as_py():
        raise pa.ArrowInvalid("zero raised to a negative power is undefined")
    result = pc.power(base, exponent)
    strange = pc.and_(pc.is_nan(result), pc.invert(pc.or_(pc.is_nan(base), pc.is_nan(exponent))))
    if pc.any(strange).as_py():
        raise pa.ArrowInvalid("a negative number raised to a non-integer power yields a complex result")
    return result


@function("cbrt(double) -> double", total=True)
def _cbrt(value: Any) -> pa.Array:
    return pa.array(np.cbrt(value.fill_null(0).to_numpy()), mask=value.is_null().to_numpy(zero_copy_only=False))


@function("degrees(double) -> double", total=True)
def _degrees(value: Any) -> pa.Array:
    return pc.multiply(value, 180.0 / np.pi)


@function("radians(double) -> double", total=True)
def _radians(value: Any) -> pa.Array:
    return pc.multiply(value, np.pi / 180.0)


@function("pi() -> double", total=True)
def _pi() -> pa.Array:
    return pa.array([np.pi])


for _name, _kernel in (("&", pc.bit_wise_and), ("|", pc.bit_wise_or), ("xor", pc.bit_wise_xor)):
    function(f"{_name}(bigint, bigint) -> bigint", total=True)(_kernel)
function("<<(bigint, bigint) -> bigint")(pc.shift_left_checked)
function(">>(bigint, bigint) -> bigint")(pc.shift_right_checked)
function("~(integer) -> same", total=True)(pc.bit_wise_not)
