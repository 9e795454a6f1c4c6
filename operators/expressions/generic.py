"""Rules for functions of lists: the values of all lists, and the single ones beside them, meet in one type."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Literal, TypeAlias

import pyarrow as pa

from operators.expressions.registry import Kernel, Resolved, Rule
from operators.expressions.types import Argument, Family, common, logical

Place = Literal["list", "element", "nested", "bigint", "text", "boolean"]
"""What an argument is: a list, a value of one, a list of lists, or of a type of its own."""

_OWN: Final[dict[str, tuple[Family, pa.DataType]]] = {
    "bigint": ("integer", pa.int64()),
    "text": ("text", pa.string()),
    "boolean": ("boolean", pa.bool_()),
}

Result: TypeAlias = pa.DataType | Callable[[pa.DataType], pa.DataType | None]
"""The type of the result, or what it is for values of a type (None: there is none)."""


def same_list(value: pa.DataType) -> pa.DataType:
    """A list of such values."""
    return pa.list_(value)


def element(value: pa.DataType) -> pa.DataType:
    """Such a value."""
    return value


def over_lists(places: Sequence[Place], result: Result, kernel: Kernel, *, total: bool = True) -> Rule:
    """The rule of a function with arguments in these places."""

    def rule(arguments: Sequence[Argument]) -> Resolved | None:
        if len(arguments) != len(places):
            return None
        members: list[Argument] = []
        for place, argument in zip(places, arguments, strict=True):
            if place in _OWN:
                if argument.family not in (_OWN[place][0], "null"):
                    return None
            elif place == "element":
                members.append(argument)
            elif argument.family == "list":
                members.append(Argument(logical(argument.type.value_type)))
            elif not argument.unknown:
                return None
        if not any(place in ("list", "nested") and each.family == "list" for place, each in zip(places, arguments)):  # noqa: B905
            return None
        value = common(members)
        if value is None or (places[0] == "nested" and not (pa.types.is_list(value) or pa.types.is_null(value))):
            return None
        kind = result(value) if callable(result) else result
        if kind is None:
            return None
        types = {"list": pa.list_(value), "nested": pa.list_(value), "element": value}
        targets = tuple(types[place] if place in types else _OWN[place][1] for place in places)
        return Resolved(targets, kind, kernel, total)

    return rule
