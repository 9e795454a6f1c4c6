"""Loading Python functions that SQL names: from the current directory, and from what is installed."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

from flow.errors import known
from operators.aggregates.user import AggregateFunction
from operators.sql.grammar.dialect import Text, exp


def loaded(text: Text, body: exp.Literal) -> Any:
    """What a literal ``'module:function'`` names.

    Raises:
        SqlError: there is no such module, it cannot be loaded, or it has no such function.
    """
    module, _, path = body.name.replace(":", ".").rpartition(".")
    if not module or not path:
        raise text.error(f"{body.name!r} names no function", body, "write AS 'module:function'")
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    importlib.invalidate_caches()
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise text.error(
            f"no module {error.name!r}; it is looked for in {folder!r} and among what is installed", body
        ) from error
    except Exception as error:
        raise text.error(f"module {module!r} cannot be loaded: {type(error).__name__}: {error}", body) from error
    if not _is_function(getattr(found, path, None)):
        raise text.error(f"{module!r} has no function {path!r}; {known(path, _callables(found))}", body)
    return getattr(found, path)


def _callables(module: Any) -> list[str]:
    return [name for name, value in vars(module).items() if _is_function(value) and not name.startswith("_")]


def _is_function(value: Any) -> bool:
    return callable(value) or isinstance(value, AggregateFunction)
