"""Answers of async functions: how long they are remembered, and that rows are taken back as they were given out."""

import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import pyarrow as pa
import pytest
import trio

from flow import Graph
from flow.errors import GraphError, RowError
from operators import Collect, Table, col, explain, sql, udf
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


async def test_stretches_of_rows_are_answered_from_what_is_remembered(autojump_clock: Any) -> None:
    asked: list[int] = []

    @udf.asynchronous(cached=10)
    async def square(key: int) -> int:
        asked.append(key)
        await trio.sleep(1)
        return key * key

    of = Answers(AsyncCall(square, (Column("key"),)), KEY, changelog=False)
    batch = pa.record_batch({"key": [3, 4, None, 3, 4, 5, 3]})
    found: list[list[int | None]] = []
    for piece in of.pieces(batch):
        answers = piece.column(1) if piece.num_columns > 1 else await of.of_row(piece)
        found.append(answers.to_pylist())
    assert found == [[9], [16], [None, 9, 16], [25], [9]]
    assert asked == [3, 4, 5]


def test_functions_without_arguments_and_arguments_at_fault() -> None:
    @udf.asynchronous(cached=10)
    async def one() -> int:
        await trio.lowlevel.checkpoint()
        return 1

    @udf.table(returns={"s": "BIGINT"}, cached=10)
    async def same(key: int) -> list[int]:
        await trio.lowlevel.checkpoint()
        return [key]

    rows = pa.table({"key": [1, 2, 0, 2, 2]})
    graph, out, letters = Graph("arguments"), Collect(), Collect()
    stream = graph.source("t", Table(rows))
    sql("SELECT key + one() AS n FROM t", t=stream, functions=[one]).sink("out", out)
    found = stream.lookup(same, on=6 // col("key"), on_error="dead_letter")
    found.sink("found", same_out := Collect())
    found.dead_letters.sink("letters", letters)
    graph.run(partitions=1)
    assert out.table()["n"].to_pylist() == [2, 3, 1, 3, 3]
    assert same_out.table()["s"].to_pylist() == [6, 3, 3, 3]
    assert letters.table().num_rows == 1


def test_rows_come_in_their_order_whether_remembered_or_not() -> None:
    @udf.asynchronous(cached=100)
    async def named(key: int) -> str:
        await trio.lowlevel.checkpoint()
        if key % 7 == 3:
            raise OSError("away")
        return f"n{key}"

    keys = [None if n % 11 == 0 else n * n % 50 for n in range(2000)]
    graph, out = Graph("order"), Collect()
    stream = graph.source("t", Table(pa.table({"n": range(2000), "key": keys})))
    query = "SELECT n, named(key) AS name FROM t WHERE key IS NULL OR key % 7 <> 3"
    sql(query, t=stream, functions=[named]).sink("out", out)
    graph.run(partitions=1)
    expected = [(n, None if key is None else f"n{key}") for n, key in enumerate(keys) if key is None or key % 7 != 3]
    assert [(row["n"], row["name"]) for row in out.table().to_pylist()] == expected
