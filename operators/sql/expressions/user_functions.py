"""Functions of users in SQL: what CREATE FUNCTION declares, and which calls are calls of them.

A function of a user never hides a built-in one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import attrs
import pyarrow as pa

from flow.errors import GraphError, known
from operators import udf
from operators.aggregates.aggregation import FUNCTIONS
from operators.aggregates.user import AggregateFunction
from operators.calling.callables import described, is_async
from operators.expressions import functions as scalar_functions
from operators.expressions.table_functions import TableFunction, gives_rows_later
from operators.expressions.type_names import type_text
from operators.sql.expressions.loading import loaded
from operators.sql.expressions.types import arrow_type
from operators.sql.grammar.dialect import Text, Tree, exp

_KINDS: Final[dict[str, Callable[..., Any]]] = {
    "scalar": udf.scalar,
    "vectorised": udf.vectorised,
    "async": udf.asynchronous,
    "aggregate": udf.aggregate,
}

Returned: TypeAlias = pa.DataType | pa.Schema | None
"""What a function is declared to return: values of a type, rows of columns, or nothing is said."""

_WAITING: Final[dict[str, Callable[[str], Any]]] = {
    "concurrency": int,
    "cached": int,
    "retries": int,
    "timeout": str,
    "backoff": str,
    "cached_for": str,
    "deterministic": lambda value: {"true": True, "false": False}[value],
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

    What returns ``TABLE (column type, ...)`` is a table function.

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
    returns: Returned = None
    language = ""
    for each in statement.args["properties"].expressions if statement.args.get("properties") else ():
        match each:
            case exp.ReturnsProperty():
                returned = each.this
                returns = _columns(text, returned) if each.args.get("is_table") else arrow_type(text, returned)
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
    function = loaded(text, body)
    if isinstance(function, udf.UserFunction):
        _check_declaration(text, declared, function, arguments, returns)
    else:
        function = _made(text, declared, function, arguments, returns, options)
    if statement.args.get("exists") and name.lower() in text.functions:
        return
    add_function(text, name, function, declared, bool(statement.args.get("replace")))


def _columns(text: Text, returned: exp.Schema) -> pa.Schema:
    columns: dict[str, pa.DataType] = {}
    for tree in returned.expressions:
        kind = tree.args.get("kind")
        if not isinstance(tree, exp.ColumnDef) or kind is None or tree.args.get("constraints"):
            raise text.error(
                "a column that is returned needs a name and a type", tree, "write RETURNS TABLE (x BIGINT)"
            )
        if tree.name in columns:
            raise text.error(f"the column {tree.name!r} is declared twice", tree)
        columns[tree.name] = arrow_type(text, kind)
    return pa.schema(list(columns.items()))


def _argument(text: Text, tree: Tree) -> pa.DataType:
    kind = tree.args.get("kind") if isinstance(tree, exp.ColumnDef) else tree
    if isinstance(kind, exp.DataType):
        return arrow_type(text, kind)
    raise text.error("an argument needs a name and a type, as in CREATE FUNCTION f(price DOUBLE)", tree)


def _made(
    text: Text,
    at: Tree,
    function: Any,
    arguments: list[pa.DataType] | None,
    returns: Returned,
    options: dict[str, str],
) -> udf.UserFunction:
    of_rows = isinstance(returns, pa.Schema)
    waits = gives_rows_later(function) if of_rows else is_async(function)
    kind = options.pop("kind", "async" if waits else "scalar")
    nulls = options.pop("called_on_null", "false")
    if kind not in _KINDS:
        raise text.error(f"a function is no {kind!r}; {known(kind, _KINDS)}", at)
    if of_rows and kind == "aggregate":
        raise text.error("an aggregate returns one value, not a table", at, "write RETURNS and a type")
    if of_rows and (kind == "async") != waits:
        raise text.error(f"{described(function)} is {'' if waits else 'not '}async", at, "leave kind out")
    if nulls not in ("true", "false"):
        raise text.error(f"called_on_null is 'true' or 'false', not {nulls!r}", at)
    try:
        more = {key: _WAITING[key](options.pop(key)) for key in tuple(options) if kind == "async" and key in _WAITING}
    except (ValueError, KeyError) as error:
        raise text.error(f"an option is neither a whole number nor 'true' or 'false': {error}", at) from error
    if options:
        unknown, names = next(iter(options)), ["kind", "called_on_null", *(_WAITING if kind == "async" else ())]
        raise text.error(f"a function of kind {kind!r} has no option {unknown!r}; {known(unknown, names)}", at)
    if kind in ("vectorised", "aggregate") and (arguments is None or returns is None):
        raise text.error(f"the types of a {kind} function must be said", at, "write f(x DOUBLE) RETURNS DOUBLE ...")
    try:
        options_of: dict[str, Any] = {"arguments": arguments, "returns": returns, "called_on_null": nulls == "true"}
        if of_rows:
            make = udf.table(vectorised=kind == "vectorised", **options_of, **more)
        else:
            make = _KINDS[kind](**options_of, **more)
        made: udf.UserFunction = make(function)
    except GraphError as error:
        raise text.error(str(error), at) from error
    return made


def _check_declaration(
    text: Text,
    at: Tree,
    function: udf.UserFunction,
    arguments: list[pa.DataType] | None,
    returns: Returned,
) -> None:
    result = function.columns if isinstance(function, TableFunction) else function.result
    if (arguments is not None and tuple(arguments) != function.arguments) or (
        returns is not None and returns != result
    ):
        raise text.error(f"the function is declared {signature(function)} in Python", at, "leave the types out here")


def signature(function: udf.UserFunction) -> str:
    """The types of a function's arguments and of what it returns."""
    result = type_text(function.result)
    if isinstance(function, TableFunction):
        result = f"TABLE ({', '.join(f'{field.name} {type_text(field.type)}' for field in function.columns)})"
    return f"({', '.join(map(type_text, function.arguments))}) -> {result}"
