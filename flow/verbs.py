"""Verbs: functions whose first argument is a stream, callable as methods of every stream.

The operators package registers its own on import; anybody else can, so that a custom operator reads like a built-in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import Any, TypeVar

from flow.errors import GraphError

Verb = TypeVar("Verb", bound=Callable[..., Any])

_registered: dict[str, Callable[..., Any]] = {}


def verb(function: Verb) -> Verb:
    """Make a function whose first argument is a stream a method of every stream.

    Raises:
        GraphError: another module has registered a verb of this name.
    """
    name = function.__name__
    if _registered.get(name, function).__module__ != function.__module__:
        raise GraphError(f"streams have a method {name!r} already, from {_registered[name].__module__}")
    _registered[name] = function
    return function


@cache
def _load() -> None:
    for entry_point in entry_points(group="penstock.verbs"):
        entry_point.load()


def verbs() -> Mapping[str, Callable[..., Any]]:
    """All verbs by name, those of the packages that announce some (entry points ``penstock.verbs``) included."""
    _load()
    return _registered
