"""Answers of async functions: how long they are remembered, and that rows are taken back as they were given out."""

import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import pyarrow as pa
import pytest
import trio

from flow import Graph
from flow.errors import GraphError, RowError
from operators import Collect, Table, explain, sql, udf
from operators.calling.answers import Answers
from operators.expressions import Column
from operators.expressions.awaited import AsyncCall, AsyncFunction

KEY = pa.schema([("key", pa.int64())])
CHANGES = pa.schema([*KEY, ("_weight", pa.int64())])


def answers(function: AsyncFunction, schema: pa.Schema) -> Callable[..., Awaitable[Any]]:
    """Asks for rows of such columns."""
    asked = Answers(AsyncCall(function, (Column("key"),)), schema, changelog="_weight" in schema.names)

    async def of(*row: Any) -> Any:
        arrays = [pa.array([value], pa.int64()) for value in row]
        return (await asked.of_row(pa.RecordBatch.from_arrays(arrays, schema=schema)))[0].as_py()

    return of


def counting(**options: Any) -> AsyncFunction:
    """A function that has another answer each time."""
    numbers = itertools.count()

    @udf.asynchronous(**options)
    async def number(key: int) -> int:
        await trio.sleep(1)
        return next(numbers)

    function: AsyncFunction = number
    return function


async def test_answers_are_remembered_for_a_while(autojump_clock: Any) -> None:
    of = answers(counting(cached=10, cached_for="10s"), KEY)
    assert [await of(1), await of(1), await of(2)] == [0, 0, 1]
    await trio.sleep(9.5)
    assert [await of(2), await of(1)] == [1, 2]


async def test_so_many_answers_are_remembered(autojump_clock: Any) -> None:
    of = answers(counting(cached=2), KEY)
    assert [await of(1), await of(2), await of(1), await of(3), await of(2), await of(1)] == [0, 1, 0, 2, 1, 3]


async def test_rows_are_taken_back_with_the_answer_that_they_came_with(autojump_clock: Any) -> None:
    of = answers(counting(), CHANGES)
    assert [await of(1, 1), await of(1, 1), await of(2, 1)] == [0, 0, 1]
    assert [await of(1, -1), await of(1, -1)] == [0, 0]
    assert await of(1, 1) == 2, "none was there any more"
    assert [await of(3, -2), await of(3, 1), await of(3, 1), await of(3, 1)] == [3, 3, 3, 4]


async def test_rows_may_be_taken_back_before_the_answer_has_come(autojump_clock: Any) -> None:
    of = answers(counting(), CHANGES)
    found: list[int] = []

    async def note(weight: int) -> None:
        found.append(await of(1, weight))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(note, 1)
        nursery.start_soon(note, -1)
    assert found == [0, 0]
    assert await of(1, 1) == 1


async def test_what_was_given_up_when_it_came_is_given_up_when_it_goes(autojump_clock: Any) -> None:
    tries: list[int] = []

    @udf.asynchronous
    async def away(key: int) -> int:
        tries.append(key)
        if len(tries) == 1:
            raise OSError("away")
        return key

    of = answers(away, CHANGES)
    for weight in (1, 1, -1, -1):
        with pytest.raises(RowError, match="OSError: away"):
            await of(1, weight)
    assert await of(1, 1) == 1


async def test_a_deterministic_function_is_asked_again(autojump_clock: Any) -> None:
    of = answers(counting(deterministic=True), CHANGES)
    assert [await of(1, 1), await of(1, -1)] == [0, 1]


def test_a_query_over_changes_adds_up_though_answers_change() -> None:
    numbers = itertools.count()

    @udf.asynchronous
    async def number(key: int) -> int:
        await trio.lowlevel.checkpoint()
        return next(numbers)

    changes = pa.table({"key": [1, 2, 3] * 30, "_weight": [1] * 45 + [-1] * 45})
    graph, out = Graph("changes"), Collect()
    stream = graph.source("t", Table(changes, batch_rows=7))
    sql("SELECT key, number(key) AS n FROM t", t=stream, functions=[number]).sink("out", out)
    graph.run(partitions=3)
    assert out.table().num_rows == 0
    assert next(numbers) < 90
    plan = explain("SELECT number(key) FROM t", t=stream, functions=[number])
    assert "keeps the answer of every row that is there: grows with the rows, for ever" in plan


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cached_for": "1s"}, "say how many, by cached"),
        ({"cached": 1, "cached_for": 0}, "must be longer than nothing"),
        ({"cached": -1}, "must not be negative"),
    ],
)
def test_wrong_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        counting(**options)
