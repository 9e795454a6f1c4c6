"""Table functions of users: any number of rows for each row, given as one value, a list of structs to be unnested.

Whatever a function gives its rows as, each has exactly the declared columns.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from typing import Any

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flow.errors import known
from operators.calling.callables import described, is_async
from operators.expressions.awaited import AsyncCall, AsyncFunction
from operators.expressions.build import Expr, expression
from operators.expressions.expression import Expression
from operators.expressions.user import ScalarFunction, UserCall


@attrs.frozen
class TableFunction:
    """Any number of rows for each row.

    Attributes:
        name: what queries call it.
        lists: the function whose values are all rows of a call, as a list of structs.
    """

    name: str
    lists: ScalarFunction | AsyncFunction

    @property
    def arguments(self) -> tuple[pa.DataType, ...]:
        """The types of its arguments."""
        return self.lists.arguments

    @property
    def result(self) -> pa.DataType:
        """A list of structs: of its columns."""
        return self.lists.result

    @property
    def columns(self) -> pa.Schema:
        """The columns of its rows."""
        return pa.schema(list(self.result.value_type))

    def __call__(self, *arguments: Any) -> Expr:
        """Its rows as an expression, a list of structs; text means a column."""
        return Expr(self.call(tuple(map(expression, arguments))))

    def call(self, arguments: tuple[Expression, ...]) -> UserCall | AsyncCall:
        """A call of it over other expressions."""
        function = attrs.evolve(self.lists, name=self.name)
        return AsyncCall(function, arguments) if isinstance(function, AsyncFunction) else UserCall(function, arguments)


def rows_type(columns: pa.Schema) -> pa.DataType:
    """The type of all rows of a call."""
    return pa.list_(pa.struct(list(columns)))


def gives_rows_later(function: Callable[..., Any]) -> bool:
    """Whether rows of a function have to be waited for: it is async, or an async generator."""
    return is_async(function) or inspect.isasyncgenfunction(function)


@attrs.frozen
class RowsOf:
    """A function that gives rows, as one that returns them as a list of dicts.

    Attributes:
        function: of the values of a row as Python objects to an iterable of rows, such as a generator.
        columns: the names of the columns of its rows.
    """

    function: Callable[..., Any] = attrs.field(repr=described)
    columns: tuple[str, ...]

    def __call__(self, *values: Any) -> list[dict[str, Any]]:
        """The rows of one call. Raises TypeError where it gives something else."""
        return _rows(self.function(*values), self.columns)


@attrs.frozen
class AwaitedRowsOf:
    """As `RowsOf`, of an async function or async generator."""

    function: Callable[..., Any] = attrs.field(repr=described)
    columns: tuple[str, ...]

    async def __call__(self, *values: Any) -> list[dict[str, Any]]:
        """The rows of one call. Raises TypeError where it gives something else."""
        if not inspect.isasyncgenfunction(self.function):
            return _rows(await self.function(*values), self.columns)
        async with aclosing(self.function(*values)) as rows:
            return _rows([row async for row in rows], self.columns)


@attrs.frozen
class AwaitedRowOf:
    """As `AwaitedRowsOf`, of a function that looks up the one row of a key, or None where there is none.

    Attributes:
        function: of the key's values.
        columns: the names of the columns of its rows.
        key: those of them that it is asked by, which the row may leave out.
    """

    function: Callable[..., Any] = attrs.field(repr=described)
    columns: tuple[str, ...]
    key: tuple[str, ...]

    async def __call__(self, *values: Any) -> dict[str, Any] | None:
        """The row of a key. Raises TypeError where it gives something else."""
        found = await self.function(*values)
        if found is None:
            return None
        if not (_has_names(found) or isinstance(found, tuple)):
            raise TypeError(f"a key has one row, a dict or a tuple, or None; this is {found!r}")
        return {**_row(found, self.columns), **dict(zip(self.key, values, strict=True))}


@attrs.frozen
class ListsOf:
    """A function of Arrow arrays that gives rows for all of theirs at once, as one to an array of lists of structs.

    Attributes:
        function: it returns such an array, or a table whose first column says to which row of the arguments each row
            belongs, from 0; its other columns are the declared ones, in any order.
        columns: the names and types of the columns of its rows.
    """

    function: Callable[..., Any] = attrs.field(repr=described)
    columns: pa.Schema

    def __call__(self, *arrays: pa.Array) -> pa.Array:
        """The rows of each row. Raises TypeError and ValueError where it gives something else."""
        found = self.function(*arrays)
        if isinstance(found, pa.RecordBatch) or hasattr(found, "__arrow_c_stream__"):
            found = found if isinstance(found, pa.ChunkedArray) else self._by_number(pa.table(found), len(arrays[0]))
        return found

    def _by_number(self, table: pa.Table, size: int) -> pa.Array:
        names = table.column_names[1:]
        for field in self.columns:
            if field.name not in names:
                raise ValueError(f"no column {field.name!r} behind the rows' numbers; {known(field.name, names)}")
        numbers = pc.cast(table.column(0).combine_chunks(), pa.int64())
        if numbers.null_count or pc.any(pc.or_(pc.less(numbers, 0), pc.greater_equal(numbers, size))).as_py():
            raise ValueError(f"its first column has numbers of rows, from 0 to {size - 1}")
        order = np.argsort(numbers.to_numpy(), kind="stable")
        table = table.take(pa.array(order))
        children = [pc.cast(table.column(field.name).combine_chunks(), field.type) for field in self.columns]
        counts = np.bincount(numbers.to_numpy(), minlength=size)
        offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]), pa.int32())
        rows = pa.StructArray.from_arrays(children, fields=list(self.columns))
        return pa.ListArray.from_arrays(offsets, rows, type=rows_type(self.columns))


def _rows(found: Any, columns: Sequence[str]) -> list[dict[str, Any]]:
    if found is None:
        return []
    if _has_names(found):
        return [_row(found, columns)]
    if isinstance(found, str | bytes) or not isinstance(found, Iterable):
        raise TypeError(f"a table function gives rows: a list of dicts or tuples, or a generator; this is {found!r}")
    return [_row(row, columns) for row in found]


def _has_names(row: Any) -> bool:
    """Whether a row's values go by name, as those of dicts and of the rows of database drivers do."""
    return isinstance(row, Mapping) or (hasattr(row, "keys") and hasattr(row, "__getitem__"))


def _row(row: Any, columns: Sequence[str]) -> dict[str, Any]:
    if _has_names(row):
        names = list(row.keys())
        for name in names:
            if name not in columns:
                raise TypeError(f"no column {name!r}; {known(str(name), columns)}")
        return {name: row[name] for name in names}
    if isinstance(row, tuple) or (isinstance(row, list) and len(columns) > 1):
        if len(row) != len(columns):
            raise TypeError(f"a row has {len(columns)} values, {', '.join(columns)}; this is {row!r}")
        return dict(zip(columns, row, strict=True))
    if len(columns) > 1:
        raise TypeError(f"a row is a dict or a tuple; this is {row!r}")
    return {columns[0]: row}
