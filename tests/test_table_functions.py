"""Table functions of users: what rows they give, in queries and scripts, and what is wrong with them."""

import sys
from collections import namedtuple
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import trio

from flow import Graph
from flow.errors import GraphError, RowError
from operators import Collect, SqlError, Table, read_script, script, sql, udf
from operators.expressions.table_functions import TableFunction
from tests.bad_input import failure, run

ROWS = pa.table({"a": ["x,y", "z", None], "n": [2, 1, 0]})
Pair = namedtuple("Pair", "n piece")


@udf.table(returns={"n": "BIGINT", "piece": "TEXT"})
def pieces(text: str) -> Iterator[tuple[int, str]]:
    yield from enumerate(text.split(","))


def rows_of(function: TableFunction, rows: pa.Table = ROWS, argument: str = "a") -> list[dict[str, Any]]:
    """The rows of a function beside the column n."""
    graph, out = Graph("rows"), Collect()
    query = f"SELECT t.n AS row, u.* FROM t, LATERAL {function.name}({argument}) AS u"
    sql(query, t=graph.source("t", Table(rows)), functions=[function]).sink("out", out)
    graph.run(partitions=1)
    return out.table().to_pylist()


@pytest.mark.parametrize(
    "made",
    [
        lambda text: enumerate(text.split(",")),
        lambda text: [{"piece": piece, "n": n} for n, piece in enumerate(text.split(","))],
        lambda text: [Pair(n, piece) for n, piece in enumerate(text.split(","))],
        lambda text: [[n, piece] for n, piece in enumerate(text.split(","))],
    ],
)
def test_rows_are_tuples_dicts_or_lists(made: Any) -> None:
    function = udf.table(arguments=["TEXT"], returns={"n": "BIGINT", "piece": "TEXT"}, name="made")(made)
    assert rows_of(function) == [
        {"row": 2, "n": 0, "piece": "x"},
        {"row": 2, "n": 1, "piece": "y"},
        {"row": 1, "n": 0, "piece": "z"},
    ]


def test_one_column_is_given_by_its_values() -> None:
    words = udf.table(arguments=["TEXT"], returns={"word": "TEXT"}, name="words")(lambda text: text.split(","))
    assert [row["word"] for row in rows_of(words)] == ["x", "y", "z"]


def test_none_is_no_row_and_a_dict_is_one() -> None:
    one = udf.table(arguments=["BIGINT"], returns={"x": "BIGINT", "y": "TEXT"}, name="one")(
        lambda n: {"x": n} if n else None
    )
    assert rows_of(one, argument="t.n") == [{"row": 2, "x": 2, "y": None}, {"row": 1, "x": 1, "y": None}]


def test_called_on_null() -> None:
    shown = udf.table(arguments=["TEXT"], returns={"text": "TEXT"}, name="shown", called_on_null=True)(
        lambda text: [text or "nothing"]
    )
    assert [row["text"] for row in rows_of(shown)] == ["x,y", "z", "nothing"]


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda text: 5, "gives rows: a list of dicts or tuples, or a generator; this is 5"),
        (lambda text: "xy", "this is 'xy'"),
        (lambda text: [1], "a row is a dict or a tuple; this is 1"),
        (lambda text: [(1,)], r"a row has 2 values, n, piece; this is \(1,\)"),
        (lambda text: [{"m": 1}], "no column 'm'; known here: .*'n', 'piece'"),
        (lambda text: [(1.5, "x")], "what it returned is no "),
        (lambda text: 1 // 0, r"made\(a\): ZeroDivisionError for \('x,y'\)"),
    ],
)
def test_what_is_no_row_fails_for_its_row(made: Any, message: str) -> None:
    function = udf.table(arguments=["TEXT"], returns={"n": "BIGINT", "piece": "TEXT"}, name="made")(made)
    graph = Graph("bad")
    query = sql("SELECT u.n FROM t, LATERAL made(a) AS u", t=graph.source("t", Table(ROWS)), functions=[function])
    query.sink("out", Collect())
    error = failure(lambda: run(graph)).cause
    assert isinstance(error, RowError)
    with pytest.raises(RowError, match=message):
        raise error


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (pa.table({"row": [3], "n": [1]}), "numbers of rows, from 0 to 2"),
        (pa.table({"row": pa.array([None], pa.int64()), "n": [1]}), "numbers of rows, from 0 to 2"),
        (pa.table({"row": [0], "m": [1]}), "no column 'n' behind the rows' numbers; known here: .*'m'"),
        (pa.array([[{"n": 1}]]), "it must return an Arrow array of 3 values, and returned 1 values"),
        ([1], "an Arrow array of 3 values, and returned list"),
    ],
)
def test_what_is_no_table_of_rows(made: Any, message: str) -> None:
    function = udf.table(arguments=["TEXT"], returns={"n": "BIGINT"}, name="made", vectorised=True, called_on_null=True)
    graph = Graph("bad")
    query = "SELECT u.n FROM t, LATERAL made(a) AS u"
    sql(query, t=graph.source("t", Table(ROWS)), functions=[function(lambda text: made)]).sink("out", Collect())
    error = failure(lambda: run(graph)).cause
    with pytest.raises(RowError, match=message):
        raise error


def test_async_functions_and_generators_are_waited_for() -> None:
    @udf.table(returns={"x": "BIGINT"}, cached=10)
    async def later(n: int) -> AsyncIterator[int]:
        for number in range(n):
            await trio.lowlevel.checkpoint()
            yield number

    @udf.table(returns={"x": "BIGINT"})
    async def listed(n: int) -> list[tuple[int]]:
        await trio.lowlevel.checkpoint()
        return [(number,) for number in range(n)]

    for function in (later, listed):
        assert rows_of(function, argument="t.n") == [{"row": 2, "x": 0}, {"row": 2, "x": 1}, {"row": 1, "x": 0}]


def test_rows_that_are_taken_back_take_theirs_with_them_though_answers_change() -> None:
    calls: list[int] = []

    @udf.table(returns={"x": "BIGINT"})
    async def later(n: int) -> list[int]:
        calls.append(n)
        await trio.lowlevel.checkpoint()
        return [len(calls)] * n

    changes = pa.table({"n": [1, 2, 0] * 20, "_weight": [1] * 30 + [-1] * 30})
    graph, out = Graph("changes"), Collect()
    stream = graph.source("t", Table(changes, batch_rows=7))
    sql("SELECT t.n, x FROM t LEFT JOIN LATERAL later(t.n) ON TRUE", t=stream, functions=[later]).sink("out", out)
    graph.run(partitions=3)
    assert out.table().num_rows == 0


def test_a_table_function_is_an_expression_of_lists() -> None:
    graph, out = Graph("lists"), Collect()
    graph.source("t", Table(ROWS)).select("n", u=pieces("a")).unnest("u").sink("out", out)
    graph.run(partitions=1)
    assert out.table()["u"].to_pylist() == [{"n": 0, "piece": "x"}, {"n": 1, "piece": "y"}, {"n": 0, "piece": "z"}]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"returns": {}}, "columns of different names"),
        ({"returns": pa.schema([("x", pa.int64()), ("x", pa.int64())])}, "columns of different names"),
        ({"returns": {"x": "BIGNT"}}, "no type 'BIGNT'"),
        ({"returns": {"x": "BIGINT"}, "cached": 5}, "is not async"),
        ({"returns": {"x": "BIGINT"}, "vectorised": True}, "is vectorised: it has arguments="),
    ],
)
def test_wrong_options(options: dict[str, Any], message: str) -> None:
    def numbers(n: int) -> list[int]:
        return [n]

    with pytest.raises(GraphError, match=message):
        udf.table(**options)(numbers)


def test_generators_give_no_single_value() -> None:
    with pytest.raises(GraphError, match=r"gives rows: use udf\.table"):
        udf.scalar(arguments=["TEXT"], returns="TEXT")(lambda text: (yield text))


@pytest.mark.parametrize(
    ("query", "message", "column"),
    [
        ("SELECT pieces(a) FROM t", r"pieces\(\) is a table function", 8),
        ("SELECT 1 FROM t, LATERAL piece(a) AS u", "'piece' behind LATERAL is no table function.*did you mean", 26),
        ("SELECT 1 FROM t, piece(a) AS u", "no table function PIECE.*did you mean 'pieces'", 18),
        ("SELECT 1 FROM t, pieces(n) AS u", r"pieces\(\) takes", 18),
        ("SELECT 1 FROM t, pieces(b) AS u", "no column 'b'", 25),
        ("SELECT 1 FROM t, pieces(a) AS u(x, y, z)", "'u' has 2 columns, and 3 names are given", 31),
        ("SELECT 1 FROM t LEFT JOIN LATERAL pieces(a) AS u ON u.n > 1", "takes no condition but TRUE", 53),
        ("SELECT 1 FROM t RIGHT JOIN LATERAL pieces(a) AS u ON TRUE", "names columns of its left", 36),
    ],
)
def test_wrong_calls(query: str, message: str, column: int) -> None:
    with pytest.raises(SqlError, match=message) as caught:
        sql(query, t=Graph("wrong").source("t", Table(ROWS)), functions=[pieces])
    assert caught.value.column == column


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "word_functions.py").write_text(
        "from operators import udf\n"
        "def pieces(text):\n    yield from enumerate(text.split())\n"
        "async def waits(n):\n    for number in range(n):\n        yield number\n"
        "@udf.table(returns={'x': 'BIGINT'})\ndef numbers(n: int):\n    return range(n)\n"
        "def parts(lists):\n    return lists\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("word_functions", None)


PIECES = "CREATE FUNCTION pieces(text VARCHAR) RETURNS TABLE (n BIGINT, word VARCHAR) LANGUAGE PYTHON AS"


def test_create_function_returns_table(module: Path) -> None:
    script(
        "CREATE TABLE out WITH (connector = 'files', path = 'out/', format = 'json');"
        f"{PIECES} 'word_functions:pieces';"
        "CREATE FUNCTION waits(n BIGINT) RETURNS TABLE (x BIGINT) LANGUAGE PYTHON AS 'word_functions:waits'"
        " WITH (cached = 10, cached_for = '1 minute', deterministic = 'true');"
        "CREATE FUNCTION numbers LANGUAGE PYTHON AS 'word_functions:numbers';"
        "INSERT INTO out SELECT u.word, w.x AS w, v.x "
        "FROM pieces('two words') AS u, waits(u.n + 1) AS w, numbers(w.x) AS v"
    ).run()
    (part,) = (module / "out").glob("*.json*")
    assert part.read_text().strip() == '{"word":"words","w":1,"x":0}'


def test_create_vectorised_function(module: Path) -> None:
    script(
        "CREATE TABLE out WITH (connector = 'files', path = 'out/', format = 'json');"
        "CREATE FUNCTION parts(lists STRUCT<x BIGINT>[]) RETURNS TABLE (x BIGINT) LANGUAGE PYTHON"
        " AS 'word_functions:parts' WITH (kind = 'vectorised');"
        "INSERT INTO out SELECT t.n, u.x FROM (VALUES (1, [{'x': 5}, {'x': 6}]), (2, NULL)) AS t (n, l)"
        " LEFT JOIN LATERAL parts(t.l) AS u ON TRUE"
    ).run()
    (part,) = (module / "out").glob("*.json*")
    assert part.read_text().splitlines() == ['{"n":1,"x":5}', '{"n":1,"x":6}', '{"n":2,"x":null}']


def test_functions_are_shown_with_their_columns(module: Path) -> None:
    shown = read_script(f"{PIECES} 'word_functions:pieces'; SHOW FUNCTIONS").answers[0].table.to_pylist()
    (own,) = (row for row in shown if row["kind"] == "of a user")
    assert own["signature"] == "pieces(TEXT) -> TABLE (n BIGINT, word TEXT)"


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (f"{PIECES} 'word_functions:numbers'", r"is declared \(BIGINT\) -> TABLE \(x BIGINT\) in Python"),
        (f"{PIECES} 'word_functions:pieces' WITH (kind = 'async')", "is not async"),
        (f"{PIECES} 'word_functions:pieces' WITH (kind = 'aggregate')", "an aggregate returns one value"),
        (f"{PIECES} 'word_functions:pieces' WITH (cached = 5)", "has no option 'cached'"),
        (f"{PIECES} 'word_functions:waits' WITH (cached_for = '1s')", "say how many, by cached"),
        (f"{PIECES} 'word_functions:waits' WITH (deterministic = 'no')", "nor 'true' or 'false'"),
        ("CREATE FUNCTION f(t TEXT) RETURNS TABLE (x) LANGUAGE PYTHON AS 'word_functions:pieces'", "a name and a type"),
        (
            "CREATE FUNCTION f(t TEXT) RETURNS TABLE (x INT, x INT) LANGUAGE PYTHON AS 'word_functions:pieces'",
            "declared twice",
        ),
        ("CREATE FUNCTION f(t TEXT) RETURNS INT LANGUAGE PYTHON AS 'word_functions:pieces'", "gives rows"),
    ],
)
def test_wrong_declarations(module: Path, statement: str, message: str) -> None:
    with pytest.raises(SqlError, match=message) as caught:
        read_script(statement + ";\nSELECT 1 AS x")
    assert caught.value.line == 1
