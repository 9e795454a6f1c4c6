"""Users' functions for queries: ``@udf.scalar``, ``vectorised``, ``asynchronous``, ``aggregate`` and ``table``.

Types are Arrow's, or SQL's names of them; where they are not said, the function's annotations say them.
"""

from __future__ import annotations

import datetime as dt
import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, TypeAlias

import pyarrow as pa

from flow.durations import Duration
from flow.errors import GraphError
from operators.aggregates.user import AggregateFunction
from operators.calling.callables import described, is_async
from operators.calling.retries import Retries
from operators.expressions.awaited import AsyncFunction
from operators.expressions.table_functions import (
    AwaitedRowsOf,
    ListsOf,
    RowsOf,
    TableFunction,
    gives_rows_later,
    rows_type,
)
from operators.expressions.type_names import type_named
from operators.expressions.user import ScalarFunction

UserFunction: TypeAlias = ScalarFunction | AsyncFunction | AggregateFunction | TableFunction
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
        _refuse_others(function)
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
        _refuse_others(function)
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
        _refuse_others(function)
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
    cached_for: Duration | None = None,
    deterministic: bool = False,
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
        cached_for: how long it remembers an answer (default: for ever).
        deterministic: whether equal arguments have equal answers at any time. Of any other function the answers are
            kept for rows that may be taken back, to be taken back with them.

    Raises:
        GraphError: a type is not said, and no annotation says it; or the function is not async.
    """

    def made(function: Callable[..., Any]) -> AsyncFunction:
        if not is_async(function):
            raise GraphError(f"{described(function)} is not async: use udf.scalar")
        kinds, result = _types(function, arguments, returns)
        again = Retries(timeout, retries, backoff)
        own = name or function.__name__
        return AsyncFunction(
            own, function, kinds, result, called_on_null, concurrency, again, cached, cached_for, deterministic
        )

    return made if function is None else made(function)


def table(
    *,
    returns: Mapping[str, Type] | pa.Schema,
    arguments: Sequence[Type] | None = None,
    name: str | None = None,
    called_on_null: bool = False,
    vectorised: bool = False,
    concurrency: int = 64,
    timeout: Duration | None = None,
    retries: int = 0,
    backoff: Duration = "100ms",
    cached: int = 0,
    cached_for: Duration | None = None,
    deterministic: bool = False,
) -> Callable[[Callable[..., Any]], TableFunction]:
    """A function of the values of one row that gives any number of rows, for FROM: ``FROM t, LATERAL f(t.a) AS u``.

    It returns an iterable of rows, or is a generator of them; a row is a dict by the names of columns, a tuple, or,
    where there is one column, its value. None is no row, and a dict by itself one.

    An async function, or async generator, is waited for, as those of `asynchronous` are. What follows `vectorised` is
    for these.

    Args:
        returns: names and types of the columns of its rows.
        arguments: the types of its arguments (default: by its annotations).
        name: what queries call it (default: its own name).
        called_on_null: whether it is called where an argument is NULL (None); else it has no rows there.
        vectorised: whether it is a function of Arrow arrays of equal length: to an array of as many lists of structs,
            or to a table whose first column has the numbers of the rows of the arguments, from 0, that its rows
            belong to.
        concurrency: calls under way at the same time in one partition.
        timeout: how long a call may take.
        retries: how often a call that raises or takes too long is repeated.
        backoff: the pause before the first repetition; it doubles from one to the next.
        cached: how many calls each partition remembers the rows of, by their arguments.
        cached_for: how long it remembers them (default: for ever).
        deterministic: as for `asynchronous`.

    Raises:
        GraphError: a type is not said, and no annotation says it; or an option is not one of such a function.
    """
    named = returns.items() if isinstance(returns, Mapping) else [(field.name, field.type) for field in returns]
    columns = pa.schema([(column, type_named(kind)) for column, kind in named])
    if len(set(columns.names)) < max(len(columns.names), 1):
        raise GraphError(f"a table function has columns of different names, not {columns.names}")
    again = Retries(timeout, retries, backoff)

    def made(function: Callable[..., Any]) -> TableFunction:
        waits = gives_rows_later(function)
        asked = (concurrency, again, cached, cached_for, deterministic) != (64, Retries(), 0, None, False)
        if not waits and asked:
            raise GraphError(f"{described(function)} is not async: it is neither repeated nor remembered")
        if vectorised and (waits or not arguments):
            raise GraphError(f"{described(function)} is vectorised: it has arguments=, and is not async")
        own = name or str(getattr(function, "__name__", type(function).__name__))
        kinds, result = _types(function, arguments, rows_type(columns))
        rows = tuple(columns.names)
        lists: ScalarFunction | AsyncFunction
        if waits:
            called = AwaitedRowsOf(function, rows)
            lists = AsyncFunction(
                own, called, kinds, result, called_on_null, concurrency, again, cached, cached_for, deterministic
            )
        else:
            every = ListsOf(function, columns) if vectorised else RowsOf(function, rows)
            lists = ScalarFunction(own, every, kinds, result, vectorised, called_on_null)
        return TableFunction(own, lists)

    return made


def _refuse_others(function: Callable[..., Any]) -> None:
    """Raise where calling a function gives no value, but something to wait for or to go through."""
    if is_async(function):
        raise GraphError(f"{described(function)} is async: use udf.asynchronous")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise GraphError(f"{described(function)} gives rows: use udf.table, or RETURNS TABLE (...)")


def _types(
    function: Callable[..., Any], arguments: Sequence[Type] | None, returns: Type | None
) -> tuple[tuple[pa.DataType, ...], pa.DataType]:
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
