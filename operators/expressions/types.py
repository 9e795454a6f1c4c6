"""Families of Arrow types, and the type in which values of different types meet, as PostgreSQL chooses it.

Dictionary encoding is a physical matter: every rule here speaks of logical types (see `logical`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final, Literal

import attrs
import pyarrow as pa

from flow.errors import GraphError

Family = Literal[
    "null", "boolean", "integer", "float", "decimal", "text", "binary", "date", "time", "timestamp", "duration",
    "interval", "list", "struct", "map", "json", "uuid", "other",
]  # fmt: skip

NUMBERS: Final = frozenset({"integer", "float", "decimal"})

MAX_PRECISION: Final = 38
"""Digits of the widest decimal."""

INTERVAL: Final = pa.month_day_nano_interval()

JSON: Final = pa.json_()
"""Text that is known to be one JSON value."""

UUID: Final = pa.uuid()

_FAMILIES: Final[Sequence[tuple[Callable[[pa.DataType], bool], Family]]] = (
    (lambda kind: isinstance(kind, pa.JsonType), "json"),
    (lambda kind: isinstance(kind, pa.UuidType), "uuid"),
    (pa.types.is_null, "null"),
    (pa.types.is_boolean, "boolean"),
    (pa.types.is_integer, "integer"),
    (pa.types.is_floating, "float"),
    (pa.types.is_decimal, "decimal"),
    (pa.types.is_string, "text"),
    (pa.types.is_binary, "binary"),
    (pa.types.is_fixed_size_binary, "binary"),
    (pa.types.is_date, "date"),
    (pa.types.is_time, "time"),
    (pa.types.is_timestamp, "timestamp"),
    (pa.types.is_duration, "duration"),
    (pa.types.is_interval, "interval"),
    (pa.types.is_list, "list"),
    (pa.types.is_large_list, "list"),
    (pa.types.is_fixed_size_list, "list"),
    (pa.types.is_struct, "struct"),
    (pa.types.is_map, "map"),
)

_UNITS: Final = ("s", "ms", "us", "ns")
_SIGNED: Final = {8: pa.int8(), 16: pa.int16(), 32: pa.int32(), 64: pa.int64()}
_DIGITS: Final = {8: 3, 16: 5, 32: 10, 64: 19}


class ExpressionError(GraphError):
    """An expression does not fit the columns it is bound to, or makes no sense at all."""


@attrs.frozen
class Argument:
    """What is known of a value before anything runs.

    Attributes:
        type: its logical type.
        constant: the value, where it is the same in all rows (None also stands for "no constant").
        flexible: a literal without declared type: text and whole numbers take the type that their surroundings want.
    """

    type: pa.DataType
    constant: Any = None
    flexible: bool = False

    @property
    def family(self) -> Family:
        """The family of its type."""
        return family(self.type)

    @property
    def unknown(self) -> bool:
        """Whether it is NULL or text that can become a value of any type."""
        return self.family == "null" or (self.flexible and self.family == "text")


def logical(kind: pa.DataType) -> pa.DataType:
    """The type without dictionary encoding; one type for all text and one for all bytes of varying size."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind):
        return pa.binary()
    return JSON if isinstance(kind, pa.JsonType) else kind


def storage(kind: pa.DataType) -> pa.DataType:
    """The type of a logical type's values between kernels: of JSON text, of UUIDs sixteen bytes."""
    return kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind


def family(kind: pa.DataType) -> Family:
    """The family of a logical type."""
    return next((name for test, name in _FAMILIES if test(kind)), "other")


def decimal(precision: int, scale: int) -> pa.DataType:
    """A decimal of at most `MAX_PRECISION` digits; raises ExpressionError where the scale leaves no room for them."""
    if scale > MAX_PRECISION:
        raise ExpressionError(
            f"a decimal of scale {scale} does not fit in {MAX_PRECISION} digits; cast to double first"
        )
    return pa.decimal128(min(max(precision, scale, 1), MAX_PRECISION), scale)


def as_decimal(kind: pa.DataType) -> pa.DataType:
    """The decimal that holds every value of an integer or decimal type."""
    return pa.decimal128(_DIGITS[kind.bit_width] + (kind == pa.uint64()), 0) if pa.types.is_integer(kind) else kind


def finest(*units: str) -> str:
    """The finest of these time units."""
    return max(units, key=_UNITS.index)


def common(arguments: Sequence[Argument]) -> pa.DataType | None:
    """The type in which all these values can be compared or returned, or None where there is none."""
    fixed = [argument for argument in arguments if not argument.unknown]
    if not fixed:
        return pa.string() if any(argument.family == "text" for argument in arguments) else pa.null()
    typed = [argument for argument in fixed if not argument.flexible]
    meeting = typed[0].type if typed else fixed[0].type
    for argument in typed[1:]:
        met = _pair(meeting, argument.type)
        if met is None:
            return None
        meeting = met
    for argument in fixed:
        if argument.flexible and typed:
            met = _pair(meeting, literal_type(argument, meeting))
            if met is None:
                return None
            meeting = met
    return meeting


def literal_type(argument: Argument, other: pa.DataType) -> pa.DataType:
    """The type that a literal has beside a value of another type: the narrowest that PostgreSQL would give it."""
    value = argument.constant
    if not isinstance(value, int) or isinstance(value, bool):
        return argument.type
    if pa.types.is_uint64(other) and value >= 0:
        return other
    if pa.types.is_decimal(other):
        return pa.decimal128(len(str(abs(value))), 0)
    return pa.int32() if -(2**31) <= value < 2**31 else argument.type


def literal_decimal(value: Decimal) -> pa.DataType:
    """The narrowest decimal type of a value."""
    _, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        raise ExpressionError(f"{value} is no decimal number; known here: finite numbers")
    scale = max(-exponent, 0)
    return decimal(max(len(digits) + max(exponent, 0), scale), scale)


def _pair(left: pa.DataType, right: pa.DataType) -> pa.DataType | None:
    if left == right:
        return left
    families = {family(left), family(right)}
    if families <= NUMBERS:
        return _number_pair(left, right)
    if families == {"text"} or families == {"binary"}:
        return logical(left)
    if families <= {"date", "timestamp"}:
        return _time_point_pair(left, right)
    if families == {"duration"}:
        return pa.duration(finest(left.unit, right.unit))
    if families == {"time"}:
        unit = finest(left.unit, right.unit)
        return pa.time32(unit) if unit in ("s", "ms") else pa.time64(unit)
    if families == {"duration", "interval"}:
        return pa.duration("us")
    if len(families) == 1 and families <= {"list", "struct", "map"}:
        return _nested_pair(left, right)
    if "null" in families:
        return right if family(left) == "null" else left
    return None


def _nested_pair(left: pa.DataType, right: pa.DataType) -> pa.DataType | None:
    if pa.types.is_struct(left):
        if left.names != right.names:
            return None
        fields = [_pair(logical(left.field(i).type), logical(right.field(i).type)) for i in range(left.num_fields)]
        return None if None in fields else pa.struct(list(zip(left.names, fields, strict=True)))
    if pa.types.is_map(left):
        keys, items = _pair(logical(left.key_type), logical(right.key_type)), _pair(left.item_type, right.item_type)
        return None if keys is None or items is None else pa.map_(keys, items)
    met = _pair(logical(left.value_type), logical(right.value_type))
    return None if met is None else pa.list_(met)


def _number_pair(left: pa.DataType, right: pa.DataType) -> pa.DataType:
    if pa.types.is_floating(left) or pa.types.is_floating(right):
        both = pa.types.is_floating(left) and pa.types.is_floating(right)
        return pa.float32() if both and left.bit_width < 64 and right.bit_width < 64 else pa.float64()
    if pa.types.is_decimal(left) or pa.types.is_decimal(right):
        left, right = as_decimal(left), as_decimal(right)
        scale = max(left.scale, right.scale)
        return decimal(max(left.precision - left.scale, right.precision - right.scale) + scale, scale)
    if pa.types.is_signed_integer(left) == pa.types.is_signed_integer(right):
        return left if left.bit_width >= right.bit_width else right
    signed, unsigned = (left, right) if pa.types.is_signed_integer(left) else (right, left)
    if unsigned.bit_width == 64:
        return pa.decimal128(20, 0)
    return _SIGNED[max(signed.bit_width, 2 * unsigned.bit_width)]


def _time_point_pair(left: pa.DataType, right: pa.DataType) -> pa.DataType:
    stamps = [kind for kind in (left, right) if pa.types.is_timestamp(kind)]
    if not stamps:
        return pa.date32()
    zone = next((kind.tz for kind in stamps if kind.tz is not None), None)
    return pa.timestamp(finest(*(kind.unit for kind in stamps)), zone)
