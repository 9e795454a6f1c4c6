"""Users' functions in queries and in scripts: their types, NULLs, errors, and aggregates under retraction."""

import datetime as dt
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
import trio
import trio.lowlevel

from flow import Graph, StepError
from flow.errors import GraphError, RowError
from flow.operator import PartitionContext
from flow.schema import StreamSchema
from operators import Collect, SqlError, Table, col, read_script, script, sql, udf
from operators.calling.await_calls import AwaitCalls
from operators.expressions import Column
from operators.expressions.awaited import AsyncCall
from operators.testing import assert_matches_batch
from tests.bad_input import failure, run

ROWS = pa.table(
    {
        "shop": ["a", "b", "a", None],
        "price": [1.0, 2.5, None, 4.0],
        "amount": pa.array([1, 2, 3, 4], pa.int32()),
        "day": pa.array([dt.date(2024, 1, 1)] * 4),
    }
)


@udf.scalar
def taxed(price: float, rate: float) -> float:
    return price * (1 + rate)


@udf.scalar(called_on_null=True)
def shown(shop: str | None) -> str:
    return "nowhere" if shop is None else shop.upper()


@udf.vectorised(arguments=["DOUBLE"], returns="DOUBLE")
def halved(price: pa.Array) -> pa.Array:
    return pc.divide(pc.fill_null(price, 100.0), 2.0)


@udf.aggregate(arguments=["DOUBLE", pa.int32()], returns="DOUBLE")
def weighted(price: pa.Array, amount: pa.Array) -> float:
    return sum(p * a for p, a in zip(price.to_pylist(), amount.to_pylist(), strict=True)) / sum(amount.to_pylist())


@udf.aggregate(arguments=["text"], returns="text", called_on_null=True)
def trail(shop: pa.Array) -> str:
    return ">".join("?" if each is None else each for each in shop.to_pylist())


FUNCTIONS = [taxed, shown, halved, weighted, trail]


def result(query: str, rows: pa.Table = ROWS, **options: Any) -> list[dict[str, Any]]:
    graph = Graph("udf")
    out = Collect()
    stream = graph.source("sales", Table(rows, **options))
    sql(query, sales=stream, functions=FUNCTIONS).sink("out", out)
    graph.run(partitions=2)
    return sorted(out.table().to_pylist(), key=str)


def test_rows_with_null_are_not_called() -> None:
    assert [row["t"] for row in result("SELECT amount, taxed(price, 0.5) AS t FROM sales")] == [1.5, 3.75, None, 6.0]


def test_called_on_null() -> None:
    assert [row["s"] for row in result("SELECT amount, shown(shop) AS s FROM sales")] == ["A", "B", "A", "nowhere"]


def test_functions_nest_and_stand_in_conditions_and_groups() -> None:
    query = (
        "SELECT shown(shop) AS shop, sum(taxed(amount, 1)) AS t FROM sales "
        "WHERE taxed(amount, 0) > 1 GROUP BY shown(shop) EMIT FINAL"
    )
    assert result(query) == [{"shop": "A", "t": 6.0}, {"shop": "B", "t": 4.0}, {"shop": "nowhere", "t": 8.0}]


def test_arrays_in_and_out() -> None:
    assert [row["h"] for row in result("SELECT amount, halved(price) AS h FROM sales")] == [0.5, 1.25, None, 2.0]


def test_aggregate_of_two_arguments() -> None:
    assert result("SELECT shop, weighted(price, amount) AS w FROM sales GROUP BY shop") == [
        {"shop": "a", "w": 1.0},
        {"shop": "b", "w": 2.5},
        {"shop": None, "w": 4.0},
    ]


def test_aggregate_in_an_order_with_filter() -> None:
    query = "SELECT trail(shop ORDER BY amount DESC) FILTER (WHERE amount > 1) AS t, trail(shop) AS own FROM sales"
    assert result(query) == [{"t": "?>a>b", "own": "a>a>b>?"}]


def test_aggregate_over_a_changelog() -> None:
    changes = pa.table(
        {
            "shop": ["a", "b", "c", "b"],
            "price": [1.0, 2.0, 3.0, 2.0],
            "amount": pa.array([1, 1, 1, 1], pa.int32()),
            "_weight": [1, 1, 1, -1],
        }
    )
    query = "SELECT trail(shop) AS t, weighted(price, amount) AS w FROM sales"
    reference = (
        """SELECT string_agg(coalesce(shop, '?'), '>' ORDER BY shop), sum(price * amount) / sum(amount) FROM sales"""
    )
    assert_matches_batch(query, {"sales": changes}, functions=FUNCTIONS, reference=reference)


def test_a_function_is_an_expression() -> None:
    graph = Graph("udf")
    out = Collect()
    graph.source("sales", Table(ROWS)).select("amount", t=taxed("amount", 1) + 1).filter(col("t") > 3).sink("out", out)
    graph.run()
    assert sorted(out.table()["t"].to_pylist()) == [5.0, 7.0, 9.0]


def test_what_fails_says_for_which_row() -> None:
    @udf.scalar
    def broken(amount: int) -> int:
        return 6 // (amount - 3)

    graph = Graph("udf")
    sql("SELECT broken(amount) FROM sales", sales=graph.source("sales", Table(ROWS)), functions=[broken]).sink(
        "out", Collect()
    )
    with pytest.raises(BaseExceptionGroup) as caught:
        graph.run()
    (error,) = caught.value.exceptions
    assert isinstance(error, StepError)
    assert "broken(amount): ZeroDivisionError for (3)" in str(error)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT taxed(price) FROM sales", r"taxed\(\) takes \(DOUBLE, DOUBLE\), and is given \(DOUBLE\)"),
        ("SELECT taxed(shop, 1) FROM sales", r"is given \(TEXT, BIGINT\)"),
        ("SELECT taxd(price, 1) FROM sales", "no function 'taxd'"),
        ("SELECT weighted(shop, amount) FROM sales", r"weighted\(\) takes \(DOUBLE, INTEGER\)"),
        ("SELECT weighted(DISTINCT price, amount) FROM sales", "no DISTINCT"),
        ("SELECT amount FROM sales WHERE trail(shop) = 'a'", "aggregates are not allowed in WHERE"),
    ],
)
def test_wrong_calls(query: str, message: str) -> None:
    with pytest.raises(SqlError, match=message) as caught:
        result(query)
    assert caught.value.line == 1


@pytest.mark.parametrize("made", [1.5, 2.0**63, float("nan"), "x"])
def test_what_is_no_integer_is_not_cut_off(made: Any) -> None:
    async def awaited(value: float) -> Any:
        return made

    functions = [
        udf.scalar(arguments=["DOUBLE"], returns="BIGINT", name="one")(lambda value: made),
        udf.aggregate(arguments=["DOUBLE"], returns="BIGINT", name="whole")(lambda values: made),
        udf.asynchronous(arguments=["DOUBLE"], returns="BIGINT", name="waits")(awaited),
    ]
    for call in ("one(price)", "whole(price)", "waits(price)"):
        graph = Graph("g")
        query = sql(f"SELECT {call} AS made FROM rows", rows=graph.source("rows", Table(ROWS)), functions=functions)
        query.sink("out", Collect())
        assert "returned is no int64" in str(failure(lambda graph=graph: run(graph)).cause)


def test_a_near_miss_names_the_function() -> None:
    with pytest.raises(SqlError, match="did you mean 'taxed'"):
        result("SELECT taxd(price, 1) FROM sales")


def test_async_functions_are_waited_for() -> None:
    asked: list[int] = []

    @udf.asynchronous(cached=100)
    async def customer(key: int) -> str:
        asked.append(key)
        await trio.lowlevel.checkpoint()
        return f"customer {key}"

    @udf.asynchronous
    async def letters(name: str) -> int:
        await trio.lowlevel.checkpoint()
        return len(name)

    rows = pa.table({"key": [1, 2, 1, None] * 50, "amount": range(200)})
    graph, out = Graph("async"), Collect()
    sql(
        "SELECT amount, customer(key) AS name, letters(customer(key)) + 1 AS n FROM sales "
        "WHERE customer(key) IS NULL OR customer(key) <> 'customer 2'",
        sales=graph.source("sales", Table(rows, batch_rows=7)),
        functions=[customer, letters],
    ).sink("out", out)
    graph.run(partitions=1)
    assert out.table().sort_by("amount").to_pylist() == [
        {"amount": n, "name": None if n % 4 == 3 else "customer 1", "n": None if n % 4 == 3 else 11}
        for n in range(200)
        if n % 4 != 1
    ]
    # Each row is asked for once, and equal ones share an answer; WHERE and SELECT ask apart.
    assert sorted(asked) == [1, 1, 2]


async def test_failing_calls_are_repeated_and_not_remembered(autojump_clock: Any) -> None:
    tries: list[int] = []

    @udf.asynchronous(retries=1, cached=10, backoff="1s")
    async def flaky(key: int) -> int:
        tries.append(key)
        if len(tries) < 4:
            raise OSError("away")
        return key

    partition = AwaitCalls((("value", AsyncCall(flaky, (Column("key"),))),)).open(
        PartitionContext("calls", {"in": StreamSchema(pa.schema([("key", pa.int64())]))})
    )
    row = pa.record_batch({"key": [7]})
    with pytest.raises(RowError, match=r"flaky\(key\) for \(7\): OSError: away \(the last of 2 calls\)"):
        await partition.on_piece(row)
    assert (await partition.on_piece(row)).to_pylist() == [{"key": 7, "value": 7}]
    assert (await partition.on_piece(row)).to_pylist() == [{"key": 7, "value": 7}]
    assert len(tries) == 4


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT sum(later(amount)) FROM sales", "cannot be called in the arguments of aggregates"),
        ("SELECT 1 FROM sales a LEFT JOIN sales b ON later(a.amount + b.amount) > 3", "in a join's condition"),
    ],
)
def test_where_nobody_can_wait(query: str, message: str) -> None:
    @udf.asynchronous
    async def later(amount: int) -> int:
        return amount

    with pytest.raises(SqlError, match=message):
        sql(query, sales=Graph("g").source("sales", Table(ROWS)), functions=[later])


def test_types_must_be_known() -> None:
    with pytest.raises(GraphError, match="no type is known for argument 'x'"):
        udf.scalar(lambda x: x)


def test_built_in_functions_are_not_hidden() -> None:
    sales = Graph("udf").source("sales", Table(ROWS))
    with pytest.raises(SqlError, match=r"abs\(\) is a built-in function"):
        sql("SELECT 1", sales=sales, functions=[udf.scalar(taxed.function, name="abs")])


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "shop_prices.py").write_text(
        "from operators import udf\n"
        "def taxed(price, rate):\n    return price * (1 + rate)\n"
        "def longest(names):\n    return max(names.to_pylist(), key=len)\n"
        "@udf.scalar\ndef doubled(x: int) -> int:\n    return 2 * x\n"
    )
    (tmp_path / "sales.csv").write_text("shop,price,amount\na,1.0,1\nbb,2.0,2\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("shop_prices", None)


SALES = "CREATE TABLE sales WITH (connector = 'files', path = 'sales.csv');\n"


def test_create_function(module: Path) -> None:
    script(
        SALES + "CREATE TABLE out WITH (connector = 'files', path = 'out/', format = 'json');"
        "CREATE FUNCTION taxed(price DOUBLE, rate DOUBLE) RETURNS DOUBLE LANGUAGE PYTHON AS 'shop_prices:taxed';"
        "CREATE FUNCTION doubled LANGUAGE PYTHON AS 'shop_prices.doubled';"
        "CREATE FUNCTION longest(names TEXT) RETURNS TEXT LANGUAGE PYTHON "
        "AS 'shop_prices:longest' WITH (kind = 'aggregate');"
        "INSERT INTO out SELECT longest(shop) AS l, sum(taxed(price, 1)) AS t, sum(doubled(amount)) AS d "
        "FROM sales EMIT FINAL"
    ).run()
    (part,) = (module / "out").glob("*.json*")
    assert part.read_text().strip() == '{"l":"bb","t":6.0,"d":6}'


def test_a_decorated_aggregate_says_its_types_itself() -> None:
    asked = read_script(
        "CREATE FUNCTION span LANGUAGE PYTHON AS 'tests.sql_users:user_span';"
        "DESCRIBE SELECT span(a) AS n FROM (VALUES (1), (4)) AS v (a)"
    )
    assert asked.answers[0].table.to_pylist()[0]["type"] == "BIGINT"


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("CREATE FUNCTION f(x INT) RETURNS INT LANGUAGE JAVA AS 'a:b'", "functions are written in Python, not 'java'"),
        ("CREATE FUNCTION f(x INT) RETURNS INT LANGUAGE PYTHON AS 'nowhere:b'", "no module 'nowhere'"),
        ("CREATE FUNCTION f(x INT) RETURNS INT LANGUAGE PYTHON AS 'shop_prices:tax'", "did you mean 'taxed'"),
        ("CREATE FUNCTION f(x INT) LANGUAGE PYTHON AS 'shop_prices:taxed'", "no type is known for the result"),
        ("CREATE FUNCTION f(x INT) RETURNS INT LANGUAGE PYTHON AS 'shop_prices:doubled'", "is declared"),
        (
            "CREATE FUNCTION f(x INT) RETURNS INT LANGUAGE PYTHON AS 'shop_prices:taxed' WITH (kind = 'agregate')",
            "did you mean 'aggregate'",
        ),
        ("CREATE FUNCTION abs(x INT) RETURNS INT LANGUAGE PYTHON AS 'shop_prices:taxed'", "is a built-in function"),
    ],
)
def test_wrong_declarations(module: Path, statement: str, message: str) -> None:
    with pytest.raises(SqlError, match=message) as caught:
        script(SALES + statement + ";\nSELECT * FROM sales")
    assert caught.value.line == 2
