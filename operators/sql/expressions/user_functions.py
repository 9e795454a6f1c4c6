"""Functions of users in SQL: what CREATE FUNCTION declares, and which calls are calls of them.

A function of a user never hides a built-in one.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import attrs
import pyarrow as pa

from flow.errors import GraphError, known
from operators import udf
from operators.aggregates.aggregation import FUNCTIONS
from operators.aggregates.user import AggregateFunction
from operators.calling.callables import is_async
from operators.expressions import functions as scalar_functions
from operators.sql.expressions.types import arrow_type
from operators.sql.grammar.dialect import Text, Tree, exp

_KINDS: Final[dict[str, Callable[..., Any]]] = {
    "scalar": udf.scalar,
    "vectorised": udf.vectorised,
    "async": udf.asynchronous,
    "aggregate": udf.aggregate,
}

_WAITING: Final[dict[str, Callable[[str], Any]]] = {
    "concurrency": int,
    "cached": int,
    "retries": int,
    "timeout": str,
    "backoff": str,
}
"""Options of async functions, and what they are."""


def add_function(
    text: Text, name: str, function: udf.UserFunction, at: Tree | None = None, replace: bool = False
) -> None:
    """Let the text call a function by a name.

    Raises:
        SqlError: there is a function of that name already.
    """
    key = name.lower()
    if key in FUNCTIONS or key in scalar_functions():
        raise text.error(f"{name}() is a built-in function", at, "give yours another name")
    if key in text.functions and not replace:
        raise text.error(f"there is a function {name}() already", at, "write CREATE OR REPLACE FUNCTION")
    text.functions[key] = attrs.evolve(function, name=key)


def mark_aggregates(text: Text, query: Tree) -> Tree:
    """The query, whose calls of users' aggregate functions are told apart from other calls."""

    def marked(node: Tree) -> Tree:
        if isinstance(node, exp.Anonymous) and isinstance(
            text.functions.get(str(node.this).lower()), AggregateFunction
        ):
            call = exp.AnonymousAggFunc(this=str(node.this).lower(), expressions=node.expressions)
            call.meta.update(node.meta)
            return call
        return node

    return query.transform(marked, copy=False) if text.functions else query


def create_function(text: Text, statement: exp.Create) -> None:
    """Read ``CREATE FUNCTION name(argument type, ...) RETURNS type LANGUAGE PYTHON AS 'module:function'``.

    Raises:
        SqlError: something is missing, or the function cannot be loaded.
    """
    declared = statement.this
    arguments = None
    if isinstance(declared, exp.UserDefinedFunction):
        arguments = [_argument(text, each) for each in declared.expressions]
        declared = declared.this
    name = declared.name
    options: dict[str, str] = {}
    returns, language = None, ""
    for each in statement.args["properties"].expressions if statement.args.get("properties") else ():
        match each:
            case exp.ReturnsProperty():
                returns = arrow_type(text, each.this)
            case exp.LanguageProperty():
                language = each.name.lower()
            case _:
                options[each.name.lower()] = each.args["value"].name.lower()
    if language != "python":
        raise text.error(
            f"functions are written in Python{f', not {language!r}' if language else ''}",
            declared,
            "write ... LANGUAGE PYTHON AS 'module:function'",
        )
    body = statement.expression
    if not isinstance(body, exp.Literal) or not body.is_string:
        raise text.error("expected AS 'module:function'", body or declared)
    function = _loaded(text, body)
    if isinstance(function, udf.UserFunction):
        _check_declaration(text, declared, function, arguments, returns)
    else:
        function = _made(text, declared, function, arguments, returns, options)
    if statement.args.get("exists") and name.lower() in text.functions:
        return
    add_function(text, name, function, declared, bool(statement.args.get("replace")))


def _argument(text: Text, tree: Tree) -> pa.DataType:
    kind = tree.args.get("kind") if isinstance(tree, exp.ColumnDef) else tree
    if isinstance(kind, exp.DataType):
        return arrow_type(text, kind)
    raise text.error("an argument needs a name and a type, as in CREATE FUNCTION f(price DOUBLE)", tree)


def _loaded(text: Text, body: exp.Literal) -> Any:
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
    if not callable(getattr(found, path, None)):
        raise text.error(f"{module!r} has no function {path!r}; {known(path, _callables(found))}", body)
    return getattr(found, path)


def _callables(module: Any) -> list[str]:
    return [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]


def _made(
    text: Text,
    at: Tree,
    function: Any,
    arguments: list[pa.DataType] | None,
    returns: pa.DataType | None,
    options: dict[str, str],
) -> udf.UserFunction:
    kind = options.pop("kind", "async" if is_async(function) else "scalar")
    nulls = options.pop("called_on_null", "false")
    if kind not in _KINDS:
        raise text.error(f"a function is no {kind!r}; {known(kind, _KINDS)}", at)
    if nulls not in ("true", "false"):
        raise text.error(f"called_on_null is 'true' or 'false', not {nulls!r}", at)
    try:
        more = {key: _WAITING[key](options.pop(key)) for key in tuple(options) if kind == "async" and key in _WAITING}
    except ValueError as error:
        raise text.error(f"an option is no whole number: {error}", at) from error
    if options:
        unknown, names = next(iter(options)), ["kind", "called_on_null", *(_WAITING if kind == "async" else ())]
        raise text.error(f"a function of kind {kind!r} has no option {unknown!r}; {known(unknown, names)}", at)
    if kind in ("vectorised", "aggregate") and (arguments is None or returns is None):
        raise text.error(f"the types of a {kind} function must be said", at, "write f(x DOUBLE) RETURNS DOUBLE ...")
    try:
        make = _KINDS[kind](arguments=arguments, returns=returns, called_on_null=nulls == "true", **more)
        made: udf.UserFunction = make(function)
    except GraphError as error:
        raise text.error(str(error), at) from error
    return made


def _check_declaration(
    text: Text,
    at: Tree,
    function: udf.UserFunction,
    arguments: list[pa.DataType] | None,
    returns: pa.DataType | None,
) -> None:
    if (arguments is not None and tuple(arguments) != function.arguments) or (
        returns is not None and returns != function.result
    ):
        kinds = ", ".join(map(str, function.arguments))
        raise text.error(
            f"the function is declared ({kinds}) -> {function.result} in Python", at, "leave the types out here"
        )
