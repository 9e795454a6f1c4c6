"""Answers of async functions: asked for, remembered by their arguments, and kept with the rows that they were given to.

A row that a changelog takes back takes back the answer that was given out with it, whatever the function says by then.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import attrs
import pyarrow as pa
import trio

from flow.errors import RowError
from operators.expressions import BoundExpression, Cast
from operators.expressions.awaited import AsyncCall, AsyncFunction
from operators.values.objects import array_of
from operators.values.rows import rows_of


class Answers:
    """The answers of one call for the rows of one partition.

    Args:
        call: what is asked.
        schema: the columns of its rows.
        changelog: whether the last of them is the weight, and rows are taken back.
    """

    def __init__(self, call: AsyncCall, schema: pa.Schema, *, changelog: bool) -> None:
        self._function: AsyncFunction = call.function
        self._text = str(call)
        self._arguments: list[BoundExpression] = [
            Cast(argument, kind).bind(schema)
            for argument, kind in zip(call.arguments, call.function.arguments, strict=True)
        ]
        self._remembered: dict[Hashable, _Answer] = {}
        self._kept: dict[Hashable, _Kept] | None = {} if changelog and not call.function.deterministic else None

    def __len__(self) -> int:
        """How many are kept or remembered."""
        return len(self._remembered) + (len(self._kept) if self._kept is not None else 0)

    async def of_row(self, row: pa.RecordBatch) -> pa.Array:
        """The answer for a batch of one row, as an array of it. Raises RowError where there is none."""
        values = [argument(row)[0].as_py() for argument in self._arguments]
        if not self._function.called_on_null and any(value is None for value in values):
            return pa.nulls(1, self._function.result)
        return await (self._asked(values) if self._kept is None else self._as_given(row, values))

    async def _as_given(self, row: pa.RecordBatch, values: Sequence[Any]) -> pa.Array:
        """The answer that equal rows have got, as long as more of them have come than gone, or the other way round."""
        assert self._kept is not None
        columns = row.num_columns - 1
        key = repr(rows_of(row.select(range(columns))))
        kept = self._kept.get(key)
        first = kept is None
        if kept is None:
            kept = self._kept[key] = _Kept()
        kept.rows += row.column(columns)[0].as_py()
        if not kept.rows:
            del self._kept[key]
        if first:
            try:
                kept.answer = await self._asked(values)
            except RowError as error:
                # Equal rows share this too: what was given up when it came is not taken back.
                kept.answer = str(error)
            finally:
                kept.known.set()
        await kept.known.wait()
        if isinstance(kept.answer, str):
            raise RowError(kept.answer)
        return kept.answer

    async def _asked(self, values: Sequence[Any]) -> pa.Array:
        if not self._function.cached:
            return await self._called(values)
        key = repr(values)
        while (answer := self._remembered.get(key)) is not None and trio.current_time() < answer.until:
            await answer.known.wait()
            if answer.value is not None:
                return answer.value
            # Who asked has got the error; this row asks for itself.
        self._remembered.pop(key, None)
        answer = self._remembered[key] = _Answer()
        try:
            answer.value = await self._called(values)
            if self._function.cached_for is not None:
                answer.until = trio.current_time() + self._function.cached_for
        finally:
            if answer.value is None and self._remembered.get(key) is answer:
                del self._remembered[key]
            if len(self._remembered) > self._function.cached:
                del self._remembered[next(iter(self._remembered))]
            answer.known.set()
        return answer.value

    async def _called(self, values: Sequence[Any]) -> pa.Array:
        try:
            value = await self._function.retries.call(lambda: self._function.function(*values))
        except RowError as error:
            shown = ", ".join(map(repr, values))
            raise RowError(f"{self._text} for ({shown}): {error}") from error
        try:
            return array_of([value], self._function.result)
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            raise RowError(f"{self._text}: what it returned is no {self._function.result}: {error}") from error


@attrs.define(eq=False)
class _Answer:
    known: trio.Event = attrs.field(factory=trio.Event)
    until: float = float("inf")
    value: pa.Array | None = None


@attrs.define(eq=False)
class _Kept:
    rows: int = 0
    known: trio.Event = attrs.field(factory=trio.Event)
    answer: pa.Array | str = "the call was given up"
