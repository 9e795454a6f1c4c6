"""The functions that expressions can call: a name has overloads, and the arguments' types choose among them.

A kernel gets one array or scalar an argument, of exactly the types that the overload asked for and at least one of them
an array, and returns an array of the result type, row by row (so it may be run on a dictionary instead of the rows).
"""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

import attrs
import pyarrow as pa

from operators.expressions.type_names import type_text
from operators.expressions.types import JSON, UUID, Argument, ExpressionError, Family, common

Kernel = Callable[..., pa.Array]


@attrs.frozen
class Resolved:
    """An overload that fits.

    Attributes:
        arguments: the types that the arguments must be cast to.
        result: the type of the result.
        kernel: what computes it.
        total: whether no value can make it fail.
    """

    arguments: tuple[pa.DataType, ...]
    result: pa.DataType
    kernel: Kernel
    total: bool = False


Rule = Callable[[Sequence[Argument]], Resolved | None]
"""Says whether arguments fit; may raise ExpressionError where it knows better what is wrong."""

Check = Callable[[Sequence[Argument]], None]
"""Raises ExpressionError where constants among arguments of the right types make no sense."""


@attrs.frozen
class Overload:
    """One meaning of a function's name. The rules of a name are asked level by level (see `LEVELS`)."""

    signature: str
    rules: tuple[Rule, ...]


@attrs.frozen
class Parameter:
    """What an overload takes in one place: exactly, after an implicit cast, as what; and what NULL becomes."""

    exact: frozenset[Family]
    implicit: frozenset[Family] = frozenset()
    target: pa.DataType | None = None
    null: pa.DataType | None = None
    common: bool = False
    constant: bool = False

    def accept(self, argument: Argument, level: int) -> pa.DataType | None:
        """The type to cast the argument to, or None where it does not fit at this level."""
        if argument.family in self.exact and not (level == 0 and argument.family == "null"):
            if self.target is None or (argument.family == "timestamp" and pa.types.is_timestamp(self.target)):
                return argument.type
            return self.target
        if level >= 1 and argument.family == "null":
            return self.target or self.null
        if level >= 1 and argument.family in self.implicit:
            return self.target
        return self.target if level >= 2 and argument.unknown else None


LEVELS: Final = 3
"""How far arguments may be bent: not at all, by implicit casts, by reading text literals as other types."""

_ANY: Final[frozenset[Family]] = frozenset(
    {
        "null", "boolean", "integer", "float", "decimal", "text", "binary", "date", "time", "timestamp", "duration",
        "interval", "list", "struct", "map", "json", "uuid", "other",
    }
)  # fmt: skip

_PARAMETERS: Final[dict[str, Parameter]] = {
    "any": Parameter(_ANY, null=pa.null()),
    "same": Parameter(_ANY, null=pa.null(), common=True),
    "boolean": Parameter(frozenset({"boolean"}), target=pa.bool_()),
    "bigint": Parameter(frozenset({"integer"}), target=pa.int64()),
    "double": Parameter(frozenset({"float"}), frozenset({"integer", "decimal"}), pa.float64()),
    "integer": Parameter(frozenset({"integer"}), null=pa.int64()),
    "float": Parameter(frozenset({"float"}), null=pa.float64()),
    "decimal": Parameter(frozenset({"decimal"})),
    "text": Parameter(frozenset({"text"}), target=pa.string()),
    "binary": Parameter(frozenset({"binary"}), target=pa.binary()),
    "date": Parameter(frozenset({"date"}), target=pa.date32()),
    "time": Parameter(frozenset({"time"}), target=pa.time64("us")),
    "timestamp": Parameter(frozenset({"timestamp"}), frozenset({"date"}), pa.timestamp("us")),
    "duration": Parameter(frozenset({"duration"}), target=pa.duration("us")),
    "interval": Parameter(frozenset({"interval"}), target=pa.month_day_nano_interval()),
    "list": Parameter(frozenset({"list"})),
    "struct": Parameter(frozenset({"struct"})),
    "map": Parameter(frozenset({"map"})),
    # Text is taken for JSON as it is: whoever reads it says what is wrong with it.
    "json": Parameter(frozenset({"json", "text"}), null=JSON),
    "uuid": Parameter(frozenset({"uuid"}), target=UUID),
}

_SIGNATURE: Final = re.compile(r"(?P<name>.+?)\((?P<parameters>.*?)(?P<variadic>\.\.\.)?\) -> (?P<result>.+)")

_overloads: dict[str, list[Overload]] = {}


@attrs.frozen
class Entry:
    """What the reference says of one registration.

    Attributes:
        module: where it was registered.
        signatures: under which it was.
        says: what it does, as one sentence; empty where another entry of the same name says it.
        examples: SQL expressions, each with ``=`` and the literal that it is equal to, or with ``IS NULL``.
        by_row: whether it is computed value by value in Python (over the distinct values), for want of a kernel.
    """

    module: str
    signatures: tuple[str, ...]
    says: str = ""
    examples: tuple[str, ...] = ()
    by_row: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The functions' names, each once."""
        return tuple(dict.fromkeys(signature_parts(signature)[0] for signature in self.signatures))


_entries: list[Entry] = []
_refused: dict[str, str] = {}


def entries() -> Sequence[Entry]:
    """Everything that was registered, in that order."""
    return tuple(_entries)


def signature_parts(signature: str) -> tuple[str, str, str]:
    """The name, the parameters and the result of a signature."""
    found = _SIGNATURE.fullmatch(signature)
    if found is None:
        raise ValueError(f"{signature!r} is no signature; write for example 'left(text, bigint) -> text'")
    return found["name"], found["parameters"] + (found["variadic"] or ""), found["result"]


def function(
    *signatures: str,
    total: bool = False,
    result: Callable[[Sequence[pa.DataType]], pa.DataType] | None = None,
    says: str = "",
    examples: Sequence[str] = (),
    by_row: bool = False,
    check: Check | None = None,
) -> Callable[[Kernel], Kernel]:
    """Register a kernel under one or more signatures, e.g. ``"left(text, bigint) -> text"``.

    Parameter types are the keys of the table above; ``const`` before one asks for a value that is the same in all rows;
    all ``same`` parameters are cast to the type in which they meet; ``...`` repeats the last parameter. The result
    ``same`` is the type of the first argument, unless `result` computes it from the arguments' types. Arguments that
    fit are shown to `check` before anything runs.

    What the reference says stands in `says`, `examples` and `by_row`, see `Entry`; one registration of a name must have
    them.
    """
    _entries.append(Entry(_caller(), signatures, says, tuple(examples), by_row))

    def register(kernel: Kernel) -> Kernel:
        for signature in signatures:
            _add(signature, *(_rule(signature, level, kernel, total, result, check) for level in range(LEVELS)))
        return kernel

    return register


def overload(signature: str, *rules: Rule, says: str = "", examples: Sequence[str] = (), by_row: bool = False) -> None:
    """Register a meaning of a name by rules: one for each level, or one for all; documented as by `function`."""
    _entries.append(Entry(_caller(), (signature,), says, tuple(examples), by_row))
    _add(signature, *rules)


def _caller() -> str:
    """The module that calls the function that calls this."""
    return str(sys._getframe(2).f_globals["__name__"])


def _add(signature: str, *rules: Rule) -> None:
    name, _, _ = signature_parts(signature)
    _overloads.setdefault(name, []).append(Overload(signature, rules if len(rules) > 1 else rules * LEVELS))


def refuse(why: str, *names: str) -> None:
    """Have calls of functions that are known, but cannot be had here, say why."""
    _refused.update(dict.fromkeys(names, why))


def functions() -> list[str]:
    """The names of all functions."""
    return sorted(_overloads)


def resolve(name: str, arguments: Sequence[Argument]) -> Resolved:
    """The overload that fits these arguments.

    Raises:
        ExpressionError: there is no such function, or it does not take such arguments.
    """
    overloads = _overloads.get(name)
    if overloads is None and name in _refused:
        raise ExpressionError(f"{name}() is not supported: {_refused[name]}")
    if overloads is None:
        near = difflib.get_close_matches(name.lower(), [each for each in _overloads if each[0].isalpha()], 1, 0.7)
        raise ExpressionError(f"no function {name!r}{f'; did you mean {near[0]!r}?' if near else ''}")
    for level in range(LEVELS):
        for candidate in overloads:
            resolved = candidate.rules[level](arguments)
            if resolved is not None:
                return resolved
    given = ", ".join(type_text(argument.type) for argument in arguments)
    raise ExpressionError(f"{name!r} does not take ({given}); known here: {[each.signature for each in overloads]}")


def _rule(
    signature: str,
    level: int,
    kernel: Kernel,
    total: bool,
    result: Callable[[Sequence[pa.DataType]], pa.DataType] | None,
    check: Check | None,
) -> Rule:
    found = _SIGNATURE.fullmatch(signature)
    assert found is not None, signature
    parameters = [_parameter(text) for text in found["parameters"].split(", ") if text]
    variadic = bool(found["variadic"])
    fixed = None if found["result"] == "same" or result else _PARAMETERS[found["result"]].target

    def rule(arguments: Sequence[Argument]) -> Resolved | None:
        if len(arguments) < len(parameters) or (len(arguments) > len(parameters) and not variadic):
            return None
        places = [*parameters, *[parameters[-1]] * (len(arguments) - len(parameters))] if parameters else []
        types = [place.accept(argument, level) for place, argument in zip(places, arguments, strict=True)]
        if any(kind is None for kind in types):
            return None
        alike = [argument for place, argument in zip(places, arguments, strict=True) if place.common]
        if alike:
            meeting = common(alike)
            if meeting is None:
                return None
            types = [meeting if place.common else kind for place, kind in zip(places, types, strict=True)]
        for place, argument in zip(places, arguments, strict=True):
            if place.constant and argument.constant is None:
                raise ExpressionError(f"{signature}: an argument marked 'const' must be a literal")
        if check is not None:
            check(arguments)
        chosen: Any = result(types) if result is not None else fixed if fixed is not None else types[0]
        return Resolved(tuple(types), chosen, kernel, total)

    return rule


def _parameter(text: str) -> Parameter:
    kind = text.removeprefix("const ")
    return attrs.evolve(_PARAMETERS[kind], constant=kind != text)
