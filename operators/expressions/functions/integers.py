"""Functions of whole numbers: divisors, factorials and bits. What does not fit the type is an error."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from operators.expressions.functions.moments import missing_of, numbers_of, rows_of
from operators.expressions.registry import Resolved, Rule, function, overload
from operators.expressions.types import Argument, common

for _name, _kernel, _says, _example in (
    ("&", pc.bit_wise_and, "The bits that both have.", "5 & 3 = 1"),
    ("|", pc.bit_wise_or, "The bits that one of them has.", "5 | 3 = 7"),
    ("xor", pc.bit_wise_xor, "The bits that exactly one of them has (also `#`).", "5 # 3 = 6"),
):
    function(f"{_name}(bigint, bigint) -> bigint", total=True, says=_says, examples=[_example])(_kernel)
function("<<(bigint, bigint) -> bigint", says="The bits moved to the left.", examples=["1 << 4 = 16"])(
    pc.shift_left_checked
)
function(">>(bigint, bigint) -> bigint", says="The bits moved to the right.", examples=["-8 >> 1 = -4"])(
    pc.shift_right_checked
)
function("~(integer) -> same", total=True, says="The bits that it does not have; of two texts, see Patterns.",
         examples=["~5 = -6"])(pc.bit_wise_not)  # fmt: skip


def _common_divisor(multiple: bool) -> Rule:
    def rule(arguments: Sequence[Argument]) -> Resolved | None:
        if len(arguments) != 2 or any(argument.family not in ("integer", "null") for argument in arguments):
            return None
        kind = common(arguments)
        if kind is None or not pa.types.is_integer(kind):
            kind = pa.int64()
        return Resolved((kind, kind), kind, _multiple if multiple else _divisor)

    return rule


def _divisor(left: Any, right: Any) -> pa.Array:
    left, right = rows_of(left, right)
    result = np.gcd(numbers_of(left), numbers_of(right))
    return _in_range(result, result < 0, left, right)


def _multiple(left: Any, right: Any) -> pa.Array:
    left, right = rows_of(left, right)
    one, other = numbers_of(left), numbers_of(right)
    divisor = np.gcd(one, other)
    part = one // np.where(divisor == 0, 1, divisor)
    with np.errstate(over="ignore"):
        result = np.abs(part * other)
    rough = np.abs(part.astype(np.float64) * other.astype(np.float64))
    return _in_range(result, (result < 0) | (rough > float(np.iinfo(result.dtype).max) * (1 + 1e-12)) | (
        (rough > 2.0**52) & (np.abs(result.astype(np.float64) - rough) > rough * 1e-9)
    ), left, right)  # fmt: skip


def _in_range(result: Any, wrong: Any, left: pa.Array, right: pa.Array) -> pa.Array:
    missing = missing_of(left, right)
    if (wrong & ~missing).any():
        raise pa.ArrowInvalid("overflow")
    return pa.array(result, left.type, mask=missing)


overload("gcd(integer, integer) -> same", _common_divisor(False), says="The greatest common divisor.",
         examples=["gcd(1071, 462) = 21"])  # fmt: skip
overload("lcm(integer, integer) -> same", _common_divisor(True), says="The least common multiple.",
         examples=["lcm(1071, 462) = 23562"])  # fmt: skip


@function("factorial(bigint) -> decimal", result=lambda _: pa.decimal128(38, 0),
          says="The factorial, as DECIMAL(38, 0): of 33 at most.", examples=["factorial(5) = 120"])  # fmt: skip
def _factorial(value: Any) -> pa.Array:
    numbers = numbers_of(value)
    if (numbers < 0).any():
        raise pa.ArrowInvalid("factorial of a negative number is undefined")
    if (numbers > 33).any():
        raise pa.ArrowInvalid("overflow")
    table = pa.array([math.factorial(number) for number in range(34)], pa.decimal128(38, 0))
    return table.take(pa.array(numbers, mask=missing_of(value)))


def _counted(bits: Callable[[Any], Any]) -> Callable[[Any], pa.Array]:
    return lambda value: pa.array(bits(numbers_of(value)).astype(np.int64), mask=missing_of(value))


def _ones(numbers: Any) -> Any:
    """Of a negative number, those of its two's complement."""
    return np.bitwise_count(numbers.view(np.dtype(f"u{numbers.dtype.itemsize}")))


function("bit_count(integer) -> bigint", total=True, says="How many bits are set.",
         examples=["bit_count(7) = 3", "bit_count('\\x1234567890'::bytea) = 15"],
         result=lambda _: pa.int64())(_counted(_ones))  # fmt: skip


@function("bit_count(binary) -> bigint", total=True)
def _binary_count(value: Any) -> pa.Array:
    plain = pc.fill_null(value, b"").cast(pa.binary())
    offsets = np.frombuffer(plain.buffers()[1], np.int32)[plain.offset : plain.offset + len(plain) + 1]
    data = plain.buffers()[2]
    octets = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
    sums = np.concatenate([[0], np.cumsum(np.bitwise_count(octets), dtype=np.int64)])
    return pa.array(sums[offsets[1:]] - sums[offsets[:-1]], mask=missing_of(value))
