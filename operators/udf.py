"""Users' functions for queries: ``@udf.scalar``, ``@udf.vectorised``, ``@udf.asynchronous``, ``@udf.aggregate``.

Types are Arrow's, or SQL's names of them; where they are not said, the function's annotations say them.
"""

from __future__ import annotations

import datetime as dt
import inspect
import types
import typing
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final, TypeAlias

import pyarrow as pa

from flow.durations import Duration
from flow.errors import GraphError
from operators.aggregates.user import AggregateFunction
from operators.calling.callables import is_async
from operators.calling.retries import Retries
from operators.expressions.awaited import AsyncFunction
from operators.expressions.type_names import type_named
from operators.expressions.user import ScalarFunction

UserFunction: TypeAlias = ScalarFunction | AsyncFunction | AggregateFunction
"""What `sql` and scripts take."""

Type: TypeAlias = pa.DataType | str
"""An Arrow type, or SQL's name of it."""

_ANNOTATED: Final[dict[Any, pa.DataType]] = {
    bool: pa.bool_(),
    int: pa.int64(),
    float: pa.float64(),
    str: pa.string(),
    bytes: pa.binary(),
    Decimal: pa.decimal128(38, 9),
    dt.date: pa.date32(),
    dt.time: pa.time64("us"),
    dt.datetime: pa.timestamp("us"),
    dt.timedelta: pa.duration("us"),
}


def scalar(
    function: Callable[..., Any] | None = None,
    /,
    *,
    arguments: Sequence[Type] | None = None,
    returns: Type | None = None,
    name: str | None = None,
    called_on_null: bool = False,
) -> Any:
    """A function of the values of one row, as Python objects; called once a row.

    Args:
        function: what is decorated.
        arguments: the types of its arguments (default: by its annotations).
        returns: the type of its values (default: by its annotation).
        name: what queries call it (default: its own name).
        called_on_null: whether it is called where an argument is NULL (None); else the value is NULL.

    Raises:
        GraphError: a type is not said, and no annotation says it.
    """

    def made(function: Callable[..., Any]) -> ScalarFunction:
        kinds, result = _types(function, arguments, returns)
        return ScalarFunction(name or function.__name__, function, kinds, result, called_on_null=called_on_null)

    return made if function is None else made(function)


def vectorised(
    *,
    arguments: Sequence[Type],
    returns: Type,
    name: str | None = None,
    called_on_null: bool = False,
) -> Callable[[Callable[..., Any]], ScalarFunction]:
    """A function of Arrow arrays of equal length to an array of that length; see `scalar` for the arguments.

    Where `called_on_null` is False, the value of a row with a NULL among its arguments is NULL, whatever is returned.
    """

    def made(function: Callable[..., Any]) -> ScalarFunction:
        kinds, result = _types(function, arguments, returns)
        return ScalarFunction(name or function.__name__, function, kinds, result, True, called_on_null)

    return made


def aggregate(
    *,
    arguments: Sequence[Type],
    returns: Type,
    name: str | None = None,
    called_on_null: bool = False,
) -> Callable[[Callable[..., Any]], AggregateFunction]:
    """A function of all values of a group, an Arrow array for each argument, to one value; see `scalar`.

    All values are kept. Where `called_on_null` is False, rows with a NULL among its arguments are left out.
    """

    def made(function: Callable[..., Any]) -> AggregateFunction:
        kinds, result = _types(function, arguments, returns)
        return AggregateFunction(name or function.__name__, function, kinds, result, called_on_null)

    return made


def asynchronous(
    function: Callable[..., Any] | None = None,
    /,
    *,
    arguments: Sequence[Type] | None = None,
    returns: Type | None = None,
    name: str | None = None,
    called_on_null: bool = False,
    concurrency: int = 64,
    timeout: Duration | None = None,
    retries: int = 0,
    backoff: Duration = "100ms",
    cached: int = 0,
) -> Any:
    """An async function, under trio, of the values of one row: a look-up, for example; see `scalar`.

    Args:
        function: what is decorated.
        arguments: the types of its arguments (default: by its annotations).
        returns: the type of its values (default: by its annotation).
        name: what queries call it (default: its own name).
        called_on_null: whether it is called where an argument is NULL (None); else the value is NULL.
        concurrency: calls under way at the same time in one partition.
        timeout: how long a call may take.
        retries: how often a call that raises or takes too long is repeated.
        backoff: the pause before the first repetition; it doubles from one to the next.
        cached: how many answers each partition remembers, by their arguments.

    Raises:
        GraphError: a type is not said, and no annotation says it; or the function is not async.
    """

    def made(function: Callable[..., Any]) -> AsyncFunction:
        kinds, result = _types(function, arguments, returns, waits=True)
        again = Retries(timeout, retries, backoff)
        return AsyncFunction(
            name or function.__name__, function, kinds, result, called_on_null, concurrency, again, cached
        )

    return made if function is None else made(function)


def _types(
    function: Callable[..., Any], arguments: Sequence[Type] | None, returns: Type | None, waits: bool = False
) -> tuple[tuple[pa.DataType, ...], pa.DataType]:
    if is_async(function) != waits:
        raise GraphError(
            f"{function.__name__} is {'not ' if waits else ''}async: use udf.{'scalar' if waits else 'asynchronous'}"
        )
    hints: dict[str, Any] = {}
    if arguments is None or returns is None:
        hints = typing.get_type_hints(function)
    if arguments is None:
        names = list(inspect.signature(function).parameters)
        arguments = [_annotated(function, hints.get(name), f"argument {name!r}", "arguments") for name in names]
    if returns is None:
        returns = _annotated(function, hints.get("return"), "the result", "returns")
    return tuple(map(type_named, arguments)), type_named(returns)


def _annotated(function: Callable[..., Any], hint: Any, what: str, keyword: str) -> pa.DataType:
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        hint = next((each for each in typing.get_args(hint) if each is not type(None)), None)
    if hint not in _ANNOTATED:
        raise GraphError(
            f"{function.__name__}: no type is known for {what}; annotate it with one of "
            f"{sorted(each.__name__ for each in _ANNOTATED)}, or say {keyword}="
        )
    return _ANNOTATED[hint]
