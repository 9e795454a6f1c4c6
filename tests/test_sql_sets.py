"""Queries that read no table, and what the plan makes of orders and sets: the results are the cases' in tests/sql."""

import pyarrow as pa
import pytest

from flow import Graph
from operators import Collect, SqlError, Table, sql
from operators.sql.plan import nodes as p
from operators.sql.query import plan_of
from operators.sql.script import script
from tests.plain_executor import run_plainly

TRADES = pa.table({"symbol": ["a", "b", None], "price": [1.0, 2.0, 3.0], "volume": [1, 2, 3]})


def planned(query: str) -> p.Plan:
    return plan_of(query, trades=Graph("plan").source("trades", Table(TRADES)))


def nodes(query: str) -> list[str]:
    return [line.strip() for line in p.describe(planned(query)).splitlines()]


def result(query: str) -> pa.Table:
    graph = Graph("constant")
    sql(query, trades=graph.source("trades", Table(TRADES))).sink("out", Collect())
    return run_plainly(graph)["out"]


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("SELECT 1 + 1 AS two, 'x' AS letter, NULL AS nothing", [{"two": 2, "letter": "x", "nothing": None}]),
        ("SELECT 1 AS one WHERE 1 > 2", []),
        ("VALUES (1, 'a'), (NULL, upper('b'))", [{"column1": 1, "column2": "a"}, {"column1": None, "column2": "B"}]),
        ("SELECT n + 1 AS m FROM (VALUES (1, 'a'), (2 * 3, NULL)) AS t(n, s) WHERE s IS NULL", [{"m": 7}]),
        ("SELECT column2 FROM (VALUES (1, 2)) AS t", [{"column2": 2}]),
        ("WITH v(n) AS (VALUES (1)) SELECT n FROM v UNION ALL SELECT n * 10 FROM v", [{"n": 1}, {"n": 10}]),
    ],
)
def test_a_query_of_constants(query: str, rows: list[dict[str, object]]) -> None:
    assert result(query).to_pylist() == rows


def test_constants_have_the_type_in_which_they_meet() -> None:
    assert result("VALUES (1), (2.50)").schema.field("column1").type == pa.decimal128(3, 2)
    assert result("VALUES (DATE '2024-01-01'), ('2024-01-02')").schema.field("column1").type == pa.date32()


def test_constants_are_wrong_before_anything_runs() -> None:
    with pytest.raises(SqlError, match="'x' is no date") as caught:
        planned("VALUES (DATE '2024-01-01'), ('x')")
    assert caught.value.column == 30


def test_a_script_of_constants(capsys: pytest.CaptureFixture[str]) -> None:
    script("SELECT n FROM (VALUES (41), (42)) AS t(n) ORDER BY n DESC LIMIT 1").run()
    assert "42" in capsys.readouterr().out


def test_constants_can_be_inserted() -> None:
    graph = script(
        "CREATE TABLE out (a BIGINT, b VARCHAR) WITH (connector = 'null'); INSERT INTO out VALUES (1, 'x'), (2, NULL)"
    )
    assert graph.run().nodes["out"].rows_in == 2


def test_a_limit_of_numbers_is_known_below() -> None:
    numbered = "(SELECT *, row_number() OVER (PARTITION BY symbol ORDER BY price) AS n FROM trades) AS t"
    assert "TopN(of each [symbol], order by price NULLS LAST, limit 2, numbered as __number0)" in nodes(
        f"SELECT price, n FROM {numbered} WHERE n < 3"
    )
    assert nodes(f"SELECT price FROM {numbered} WHERE 2 >= n") == [
        "Project(price AS price)",
        "TopN(of each [symbol], order by price NULLS LAST, limit 2)",
        "Project(symbol AS symbol, price AS price)",
        "Scan(trades)",
    ]
    assert nodes(f"SELECT price FROM {numbered} WHERE n = 3")[1:3] == [
        "Filter(__number0 = 3)",
        "TopN(of each [symbol], order by price NULLS LAST, limit 3, numbered as __number0)",
    ]


def test_a_condition_on_keys_goes_below_numbers_and_no_other_does() -> None:
    numbered = "(SELECT *, row_number() OVER (PARTITION BY symbol ORDER BY price) AS n FROM trades) AS t"
    lines = nodes(f"SELECT price FROM {numbered} WHERE n = 1 AND symbol = 'a' AND volume > 1")
    top = next(number for number, line in enumerate(lines) if line.startswith("TopN"))
    assert any("volume > 1" in line for line in lines[:top])
    assert any("symbol = 'a'" in line for line in lines[top:])


def test_a_limit_is_not_overtaken() -> None:
    lines = nodes("SELECT price FROM (SELECT price FROM trades ORDER BY price LIMIT 2) AS t WHERE price > 1")
    assert [line.partition("(")[0] for line in lines] == ["Filter", "TopN", "Project", "Scan"]


def test_conditions_go_down_both_sides_of_a_set() -> None:
    lines = nodes("SELECT symbol FROM (SELECT symbol FROM trades EXCEPT SELECT 'a') AS t WHERE symbol > 'a'")
    assert sum(line.startswith("Filter") for line in lines) == 2
    assert lines[0] == "SetOperation(except)"


def test_a_union_is_made_distinct_once() -> None:
    plan = planned("SELECT symbol FROM trades UNION SELECT 'x' UNION SELECT 'y'")
    assert isinstance(plan, p.Distinct)
    assert isinstance(plan.input, p.Union)
    assert len(plan.input.inputs) == 3


def test_dialects_say_which_nulls_come_first() -> None:
    stream = Graph("dialect").source("trades", Table(TRADES))
    plan = plan_of("SELECT price FROM trades ORDER BY price LIMIT 1", dialect="mysql", trades=stream)
    assert isinstance(plan, p.TopN)
    assert plan.order[0].nulls_first is True


def test_a_condition_that_can_fail_stays_above_a_set() -> None:
    assert result("SELECT v FROM (SELECT volume - 1 AS v FROM trades INTERSECT SELECT 1) AS t WHERE 10 / v > 5").select(
        ["v"]
    ).to_pylist() == [{"v": 1}]
