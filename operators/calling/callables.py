"""What can be said of a function before it is called."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any


def described(function: Callable[..., Any]) -> str:
    """A function's name, as people know it."""
    if isinstance(function, partial):
        return f"partial({described(function.func)})"
    name = getattr(function, "__qualname__", type(function).__qualname__)
    return f"{getattr(function, '__module__', type(function).__module__)}.{name}"


def is_async(function: Callable[..., Any]) -> bool:
    """Whether calling the function gives something to await."""
    called = function if inspect.isroutine(function) or isinstance(function, partial) else type(function).__call__
    return inspect.iscoroutinefunction(called)
