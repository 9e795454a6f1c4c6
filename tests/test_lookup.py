"""The verb `lookup`: rows with what an async function finds for them, errors and changes included."""

import itertools
from collections import Counter
from typing import Any

import pyarrow as pa
import pytest
import trio

from flow import Graph
from flow.errors import GraphError
from operators import Collect, Table, col, udf

TRADES = pa.table({"n": [1, 2, 3, 4], "user_id": [1, 2, 9, None]})


@udf.table(returns={"name": "TEXT", "visits": "BIGINT"}, cached=10)
async def user(key: int) -> list[tuple[str, int]]:
    await trio.lowlevel.checkpoint()
    if key == 13:
        raise OSError("no answer")
    return [("ann", visit) for visit in range(key)] if key < 5 else []


def collected(rows: pa.Table, *arguments: Any, **options: Any) -> list[tuple[Any, ...]]:
    graph, out = Graph("lookup"), Collect()
    graph.source("trades", Table(rows)).lookup(user, *arguments, **options).sink("out", out)
    graph.run(partitions=2)
    return sorted((tuple(row.values()) for row in out.table().to_pylist()), key=str)


def test_rows_that_find_nothing_stay() -> None:
    assert collected(TRADES, "user_id") == [
        (1, 1, "ann", 0),
        (2, 2, "ann", 0),
        (2, 2, "ann", 1),
        (3, 9, None, None),
        (4, None, None, None),
    ]


def test_remembered_answers_are_the_same() -> None:
    rows = pa.table({"n": list(range(300)), "user_id": [None if n % 7 == 6 else n % 7 for n in range(300)]})
    expected = [(n, n % 7, "ann", visit) for n in range(300) for visit in range(n % 7 if n % 7 < 5 else 0)]
    assert collected(rows, "user_id", how="inner") == sorted(expected, key=str)
    alone = [(n, None if n % 7 == 6 else n % 7, None, None) for n in range(300) if n % 7 in (0, 5, 6)]
    assert collected(rows, "user_id") == sorted([*expected, *alone], key=str)


def test_inner_look_ups_by_expressions() -> None:
    assert collected(TRADES, [col("user_id") - 1], how="inner") == [(2, 2, "ann", 0)]


def test_rows_at_fault_go_to_the_dead_letters() -> None:
    graph, out, letters = Graph("lookup"), Collect(), Collect()
    rows = pa.table({"n": [1, 2], "user_id": [13, 1]})
    found = graph.source("trades", Table(rows)).lookup(user, on="user_id", on_error="dead_letter")
    found.sink("out", out)
    found.dead_letters.sink("letters", letters)
    graph.run()
    assert out.table()["n"].to_pylist() == [2]
    (letter,) = letters.table().to_pylist()
    assert "user(user_id) for (13): OSError: no answer" in letter["error"]


def test_changes_are_taken_back_as_they_were_given_out() -> None:
    numbers = itertools.count()

    @udf.table(returns={"number": "BIGINT"})
    async def number(key: int) -> list[int]:
        await trio.lowlevel.checkpoint()
        return [next(numbers)]

    changes = pa.table({"key": [1, 2, 3] * 20 + [4], "_weight": [1] * 30 + [-1] * 30 + [1]})
    for divided in (False, True):
        graph, out = Graph("changes"), Collect()
        stream = graph.source("t", Table(changes, batch_rows=5))
        stream = stream.key_by("key") if divided else stream
        stream.lookup(number, on="key").sink("out", out)
        graph.run(partitions=3)
        left = Counter[int]()
        for row in out.changes().to_pylist():
            left[row["key"]] += row["_weight"]
        assert +left == Counter({4: 1})
        assert out.table().num_rows == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"on": "user_id", "how": "right"}, "a look-up is no 'right' join"),
        ({"on": "name"}, "no column 'name'"),
        ({"on": ["user_id", "n"]}, r"user\(\) takes \("),
    ],
)
def test_wrong_look_ups(options: dict[str, Any], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        Graph("wrong").source("trades", Table(TRADES)).lookup(user, **options)


def test_wrong_functions() -> None:
    trades = Graph("wrong").source("trades", Table(TRADES))
    with pytest.raises(GraphError, match=r"upto\(\) is not async: use flat_map"):
        trades.lookup(udf.table(arguments=["BIGINT"], returns={"i": "BIGINT"}, name="upto")(range), on="user_id")
    with pytest.raises(GraphError, match=r"declared by @udf\.table"):
        trades.lookup(len, on="user_id")
    named = udf.table(arguments=["BIGINT"], returns={"n": "BIGINT"}, name="named")(user.lists.function)
    with pytest.raises(GraphError, match="there is a column 'n' already"):
        trades.lookup(named, on="user_id")
