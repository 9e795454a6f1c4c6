"""Rounding, signs, and what is known of a number.

Decimals are rounded half away from zero, and so are floating-point numbers to digits; to a whole number these are
rounded to the even one, as in PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from operators.expressions.casts import cast_value
from operators.expressions.functions.moments import missing_of, numbers_of, rows_of
from operators.expressions.registry import Resolved, Rule, function, overload
from operators.expressions.types import MAX_PRECISION, NUMBERS, Argument, ExpressionError, common, decimal

_HALF_AWAY: Final = "half_towards_infinity"


@function("abs(integer) -> same", "abs(float) -> same", "abs(decimal) -> same",
          says="The number without its sign.", examples=["abs(-17.4) = 17.4"])  # fmt: skip
def _abs(value: Any) -> pa.Array:
    if pa.types.is_decimal(value.type):
        return pc.abs_checked(value)
    return value if pa.types.is_unsigned_integer(value.type) else pc.abs_checked(value)


@function("sign(integer) -> same", "sign(float) -> same", "sign(decimal) -> same",
          says="-1, 0 or 1.", examples=["sign(-8.4) = -1", "sign(0) = 0"])  # fmt: skip
def _sign(value: Any) -> pa.Array:
    return cast_value(pc.sign(value), value.type)


@function(
    "ceil(integer) -> same", "ceiling(integer) -> same", "floor(integer) -> same", "round(integer) -> same",
    "trunc(integer) -> same", total=True,
)  # fmt: skip
def _as_it_is(value: Any) -> pa.Array:
    return value


def _whole(
    name: str, rounding: Callable[..., pa.Array], decimals: Callable[..., pa.Array], says: str, *examples: str
) -> None:
    function(f"{name}(float) -> same", total=True, says=says, examples=examples)(rounding)

    def decimal_rule(arguments: Sequence[Argument]) -> Resolved | None:
        if len(arguments) != 1 or arguments[0].family != "decimal":
            return None
        kind = arguments[0].type
        result = decimal(kind.precision - kind.scale + 1, 0)

        def kernel(value: Any) -> pa.Array:
            # Rounding up may need one digit more than the argument has.
            return pc.cast(decimals(pc.cast(value, pa.decimal256(kind.precision + 1, kind.scale))), result)

        return Resolved((kind,), result, kernel)

    overload(f"{name}(decimal) -> decimal", decimal_rule)


_away = partial(pc.round, round_mode=_HALF_AWAY)
for _name in ("ceil", "ceiling"):
    _whole(_name, pc.ceil, pc.ceil, "The least whole number that is not less.", f"{_name}(-42.8) = -42")
_whole("floor", pc.floor, pc.floor, "The greatest whole number that is not greater.", "floor(-42.8) = -43")
_whole(
    "round",
    partial(pc.round, round_mode="half_to_even"),
    _away,
    "The number rounded to the nearest whole one, or to so many digits behind the point (before it, if negative).",
    "round(42.5) = 43",
    "round(42.5::double) = 42",
    "round(42.4382, 2) = 42.44",
    "round(1250, -2) = 1300",
)
_whole("trunc", pc.trunc, pc.trunc, "The number cut off at the point, or behind so many digits.", "trunc(-42.8) = -42",
       "trunc(42.4382, 2) = 42.43")  # fmt: skip


def _digits_rule(mode: str) -> Rule:
    def kernel(result: pa.DataType, value: Any, digits: Any) -> pa.Array:
        places = pc.cast(digits, pa.int32())
        if not pa.types.is_decimal(result):
            return pc.round_binary(value, places, mode)
        # Digits before the point may need one more.
        wide = pc.cast(value, pa.decimal256(min(76, MAX_PRECISION * 2), value.type.scale))
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


@function("even(double) -> double", total=True, says="Rounded away from zero to an even number.",
          examples=["even(2.9) = 4", "even(-2.9) = -4"])  # fmt: skip
def _even(value: Any) -> pa.Array:
    numbers = numbers_of(value, 0.0)
    away = np.copysign(np.ceil(np.abs(numbers)), numbers)
    with np.errstate(invalid="ignore"):
        odd = np.fmod(away, 2) != 0
    return pa.array(away + np.where(odd & np.isfinite(away), np.copysign(1, numbers), 0), mask=missing_of(value))


@function("round_even(double, bigint) -> double", says="Rounded to digits, half to the even digit.",
          examples=["round_even(2.5, 0) = 2"])  # fmt: skip
def _round_even(value: Any, digits: Any) -> pa.Array:
    return pc.round_binary(value, pc.cast(digits, pa.int32()), "half_to_even")


def _finite_rule(arguments: Sequence[Argument]) -> Resolved | None:
    times = ("date", "timestamp", "time", "interval", "duration")
    if len(arguments) != 1 or arguments[0].family not in (*times, *NUMBERS):
        return None
    finite = arguments[0].family != "float"

    def kernel(value: Any) -> pa.Array:
        if finite:
            return pc.if_else(value.is_valid(), True, pa.scalar(None, pa.bool_()))
        return pc.is_finite(value)

    return Resolved((arguments[0].type,), pa.bool_(), kernel, total=True)


overload("isfinite(any) -> boolean", _finite_rule, says="Whether a number is neither infinite nor NaN; all times are.",
         examples=["isfinite('Infinity'::double) = FALSE", "isfinite(DATE '2024-02-29') = TRUE"])  # fmt: skip
function("isinf(double) -> boolean", total=True, says="Whether a number is infinite.",
         examples=["isinf('-Infinity'::double) = TRUE"])(pc.is_inf)  # fmt: skip


@function("signbit(double) -> boolean", total=True, says="Whether a number has a minus sign, -0.0 too.",
          examples=["signbit(-0.5) = TRUE"])  # fmt: skip
def _signbit(value: Any) -> pa.Array:
    return pa.array(np.signbit(numbers_of(value, 0.0)), mask=missing_of(value))


def _scale_rule(arguments: Sequence[Argument]) -> Resolved | None:
    if len(arguments) != 1 or arguments[0].family not in ("decimal", "integer"):
        return None
    scale = arguments[0].type.scale if arguments[0].family == "decimal" else 0

    def kernel(value: Any) -> pa.Array:
        return pc.if_else(value.is_valid(), scale, pa.scalar(None, pa.int64()))

    return Resolved((arguments[0].type,), pa.int64(), kernel, total=True)


def _min_scale_rule(arguments: Sequence[Argument]) -> Resolved | None:
    if len(arguments) != 1 or arguments[0].family not in ("decimal", "integer"):
        return None

    def kernel(value: Any) -> pa.Array:
        least = np.zeros(len(value), np.int64)
        if pa.types.is_decimal(value.type):
            for digits in range(1, value.type.scale + 1):
                shorter = pc.round(value, digits - 1, "towards_zero")
                least[pc.fill_null(pc.not_equal(shorter, value), False).to_numpy(zero_copy_only=False)] = digits
        return pa.array(least, mask=missing_of(value))

    return Resolved((arguments[0].type,), pa.int64(), kernel, total=True)


overload("scale(decimal) -> bigint", _scale_rule, says="How many digits behind the point the type has.",
         examples=["scale(8.4100) = 4"])  # fmt: skip
overload("min_scale(decimal) -> bigint", _min_scale_rule, says="How many digits behind the point the number needs.",
         examples=["min_scale(8.4100) = 2"])  # fmt: skip


def _trim_scale_rule(arguments: Sequence[Argument]) -> Resolved | None:
    if len(arguments) != 1 or arguments[0].family not in ("decimal", "integer"):
        return None
    kind, value = arguments[0].type, arguments[0].constant
    if arguments[0].family == "decimal" and value is not None:
        digits = -value.normalize().as_tuple().exponent
        result = decimal(kind.precision, max(digits, 0))
        return Resolved((kind,), result, lambda array: pc.cast(array, result))
    return Resolved((kind,), kind, _as_it_is, total=True)


overload(
    "trim_scale(decimal) -> decimal",
    _trim_scale_rule,
    says="A literal without zeros at its end; of a column nothing changes, since all its numbers have one scale.",
    examples=["trim_scale(8.4100) = 8.41"],
)


def _bucket_rule(arguments: Sequence[Argument]) -> Resolved | None:
    if len(arguments) == 2:
        return _bounds_rule(arguments)
    if len(arguments) != 4 or arguments[3].family not in ("integer", "null"):
        return None
    kind = common(arguments[:3])
    if kind is None or not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        return None
    if pa.types.is_integer(kind):
        kind = pa.decimal128(19, 0)
    return Resolved((kind, kind, kind, pa.int64()), pa.int64(), _in_buckets)


def _in_buckets(*values: Any) -> pa.Array:
    operand, low, high, count = rows_of(*values)
    missing = missing_of(operand, low, high, count)
    present = pa.array(~missing)
    if pc.any(pc.and_(pc.less_equal(count, 0), present)).as_py():
        raise pa.ArrowInvalid("count must be greater than zero")
    if pc.any(pc.and_(pc.equal(low, high), present)).as_py():
        raise pa.ArrowInvalid("lower bound cannot equal upper bound")
    if pa.types.is_floating(operand.type) and not pc.all(pc.is_finite(pc.add(low, high)), min_count=0).as_py():
        raise pa.ArrowInvalid("bounds must be finite")
    x, one, other = (numbers_of(pc.cast(each, pa.float64()), 0.0) for each in (operand, low, high))
    buckets = numbers_of(count, 1)
    upward = one < other
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        share = np.where(upward, (x - one) / (other - one), (one - x) / (one - other))
        place = np.clip(np.nan_to_num(np.floor(buckets * share), nan=0), 0, buckets - 1).astype(np.int64) + 1
    # At the bounds the numbers themselves decide, not their rounded quotients.
    below, above = _compared(operand, low), _compared(operand, high)
    before = np.where(upward, below < 0, below > 0)
    after = np.where(upward, above >= 0, above <= 0)
    result = np.where(before, 0, np.where(after, buckets + 1, place))
    return pa.array(result, pa.int64(), mask=missing)


def _compared(one: pa.Array, other: pa.Array) -> Any:
    """-1, 0 or 1; NaN is greater than any number."""
    less = numbers_of(pc.less(one, other), False)
    return np.where(less, -1, np.where(numbers_of(pc.equal(one, other), False), 0, 1))


def _bounds_rule(arguments: Sequence[Argument]) -> Resolved | None:
    if arguments[1].family != "list":
        return None
    bounds = arguments[1].constant
    kind = arguments[1].type.value_type
    if not isinstance(bounds, list) or any(bound is None for bound in bounds):
        raise ExpressionError("the bounds of the buckets must be a literal, for example ARRAY[1, 10, 100]")
    met = common([arguments[0], Argument(kind)])
    if met is None:
        return None
    if bounds != sorted(bounds):
        raise ExpressionError("the bounds of the buckets must be in ascending order")
    limits = cast_value(pa.array(bounds, kind), met)

    def kernel(value: Any, _: Any) -> pa.Array:
        place = np.zeros(len(value), np.int64)
        for limit in limits:
            place += numbers_of(pc.greater_equal(value, limit), False)
        return pa.array(place, mask=missing_of(value))

    return Resolved((met, arguments[1].type), pa.int64(), kernel, total=True)


overload(
    "width_bucket(number, number, number, bigint) -> bigint",
    _bucket_rule,
    says="Which of so many buckets of one width between two bounds a number is in, 0 below and one more above; or which"
    " of those that begin at the elements of an array.",
    examples=[
        "width_bucket(5.35, 0.024, 10.06, 5) = 3",
        "width_bucket(10, 0, 10, 5) = 6",
        "width_bucket(5, ARRAY[1, 3, 5, 10]) = 3",
    ],
)
overload("width_bucket(any, list) -> bigint", _bucket_rule)
