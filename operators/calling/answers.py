"""Answers of async functions: asked for, remembered by their arguments, and kept with the rows that they were given to.

A row that a changelog takes back takes back the answer that was given out with it, whatever the function says by then.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any, Final

import attrs
import pyarrow as pa
import trio

from flow.errors import RowError
from operators.expressions import BoundExpression, Cast
from operators.expressions.awaited import AsyncCall, AsyncFunction
from operators.values.objects import array_of
from operators.values.rows import rows_of

STRETCH: Final = 256
"""Rows at most that are answered at once: what is done between two waits must not take long."""


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

    def pieces(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """The rows to be asked for, each by itself, and stretches of rows with remembered answers in a further column.

        It is decided when a piece is taken: the more answers have come meanwhile, the longer the stretches are.
        """
        for low in range(0, batch.num_rows, STRETCH):
            part = batch.slice(low, STRETCH)
            found: list[pa.Array] = []
            for place, values in enumerate(self._values_of(part)):
                answer = None if values is None else self._known(values)
                if answer is not None:
                    found.append(answer)
                    continue
                if found:
                    yield _with_answers(part.slice(place - len(found), len(found)), found)
                    found = []
                yield part.slice(place, 1)
            if found:
                yield _with_answers(part.slice(part.num_rows - len(found)), found)

    def _values_of(self, part: pa.RecordBatch) -> Sequence[list[Any] | None]:
        """The arguments of each row; None where no answer can be known."""
        nothing = [None] * part.num_rows
        if not self._function.cached or self._kept is not None or not self._arguments:
            return nothing
        try:
            return [list(row) for row in zip(*(each(part).to_pylist() for each in self._arguments), strict=True)]
        except Exception:
            # Which rows are at fault is found when each asks by itself.
            return nothing

    def _known(self, values: list[Any]) -> pa.Array | None:
        """The answer that is there already."""
        if self._is_empty(values):
            return pa.nulls(1, self._function.result)
        answer = self._remembered.get(repr(values))
        return answer.value if answer is not None and trio.current_time() < answer.until else None

    def _is_empty(self, values: Sequence[Any]) -> bool:
        return not self._function.called_on_null and any(value is None for value in values)

    async def of_row(self, row: pa.RecordBatch) -> pa.Array:
        """The answer for a batch of one row, as an array of it. Raises RowError where there is none."""
        values = [argument(row)[0].as_py() for argument in self._arguments]
        if self._is_empty(values):
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


def _with_answers(rows: pa.RecordBatch, answers: Sequence[pa.Array]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([*rows.columns, pa.concat_arrays(answers)], [*rows.schema.names, ""])


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
