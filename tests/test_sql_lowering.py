"""What queries become: which operators, in which order, under which names."""

import pyarrow as pa
import pytest

from flow import Graph, Stream
from flow.graph import Stream as GraphStream
from flow.nodes import OperatorNode, RouterNode
from operators import Table, sql
from operators.filter import Filter
from operators.sql.plan.nodes import AssignWindows, describe
from operators.sql.query import plan_of
from operators.window_aggregate import WindowAggregate

TRADES = pa.table(
    {
        "symbol": ["a"],
        "price": [1.0],
        "volume": [1],
        "event_time": pa.array([0], pa.timestamp("us")),
        "place": [{"city": "x", "at": {"lat": 1.0}}],
        "sizes": [[1, 2]],
    }
)


def trades() -> Stream:
    return Graph("lowering").source("trades", Table(TRADES), event_time="event_time")


MINUTES = "TUMBLE(trades, event_time, INTERVAL '1 minute')"

KINDS = [
    ("SELECT * FROM trades", ""),
    ("SELECT symbol, price, volume, event_time, place, sizes FROM trades", ""),
    ("SELECT symbol FROM trades", "project"),
    ("SELECT * FROM trades WHERE price > 1", "filter"),
    ("SELECT * FROM trades WHERE price > 1 AND volume > 1 AND symbol = 'a'", "filter"),
    # The second condition may fail on rows that the first takes away.
    ("SELECT * FROM trades WHERE volume <> 0 AND 10 / volume > 1", "filter filter"),
    ("SELECT symbol FROM trades WHERE price > 1", "filter project"),
    ("SELECT a + 1 AS b FROM (SELECT price * 2 AS a FROM trades) AS t WHERE a > 3", "filter project"),
    ("SELECT a + a AS b FROM (SELECT price * 2 AS a FROM trades) AS t", "project project"),
    ("SELECT count(*) AS n FROM trades", "aggregate"),
    ("SELECT symbol, count(*) AS n FROM trades GROUP BY symbol", "hash(symbol) aggregate"),
    ("SELECT symbol, count(*) AS n FROM trades GROUP BY symbol HAVING symbol > 'a'", "filter hash(symbol) aggregate"),
    ("SELECT symbol FROM trades GROUP BY symbol HAVING count(*) > 1", "hash(symbol) aggregate filter project"),
    ("SELECT upper(symbol) AS s, count(*) AS n FROM trades GROUP BY s", "project hash(s) aggregate"),
    ("SELECT DISTINCT symbol FROM trades", "project hash(symbol) deduplicate"),
    ("SELECT symbol FROM trades UNION ALL SELECT symbol FROM trades", "project union"),
    (f"SELECT * FROM {MINUTES}", "assignwindows"),
    (f"SELECT * FROM {MINUTES} WHERE price > 1", "filter assignwindows"),
    (
        f"SELECT symbol, window_start, window_end, count(*) AS n FROM {MINUTES} GROUP BY 1, 2, 3",
        "hash(symbol) windowaggregate",
    ),
    (f"SELECT count(*) AS n FROM {MINUTES} GROUP BY window_end", "windowaggregate project"),
    (f"SELECT symbol, count(*) AS n FROM {MINUTES} GROUP BY symbol", "assignwindows hash(symbol) aggregate"),
    (
        f"SELECT n FROM (SELECT symbol AS s, window_end, count(*) AS n FROM {MINUTES} WHERE price > 1 "
        "GROUP BY symbol, window_end) AS t WHERE s = 'a' AND n > 1",
        "filter hash(symbol) windowaggregate filter project",
    ),
]


def kinds(stream: Stream) -> str:
    nodes = list(stream.graph)[1:]
    return " ".join(
        str(node.router) if isinstance(node, RouterNode) else type(node.operator).__name__.lower()
        for node in nodes
        if isinstance(node, RouterNode | OperatorNode)
    )


@pytest.mark.parametrize(("query", "expected"), KINDS, ids=[query for query, _ in KINDS])
def test_kinds_of_nodes(query: str, expected: str) -> None:
    assert kinds(sql(query, trades=trades())) == expected


def test_names_of_nodes() -> None:
    stream = trades()
    sql("SELECT symbol FROM trades WHERE price > 1", trades=stream)
    sql("SELECT symbol FROM trades WHERE price > 1", trades=stream)
    sql("SELECT symbol, count(*) AS n FROM trades GROUP BY symbol HAVING count(*) > 1", name="busy", trades=stream)
    assert list(stream.graph.nodes)[1:] == [
        "sql.filter", "sql", "sql_2.filter", "sql_2", "busy.keys", "busy.aggregate", "busy",
    ]  # fmt: skip


def test_partitions_are_those_given() -> None:
    stream = sql("SELECT symbol, count(*) AS n FROM trades GROUP BY symbol", trades=trades(), partitions=8)
    node = stream.graph.node("sql")
    assert isinstance(node, OperatorNode)
    assert node.partitions == 8


def test_rows_that_are_divided_already_are_not_divided_again() -> None:
    keyed = trades().key_by("symbol")
    stream = sql("SELECT symbol, price, count(*) AS n FROM t GROUP BY symbol, price", t=keyed)
    assert kinds(stream) == "hash(symbol) aggregate"
    other = sql("SELECT price, count(*) AS n FROM t GROUP BY price", t=GraphStream(keyed.graph, keyed.output))
    assert kinds(other) == "hash(symbol) aggregate hash(price) aggregate"


def test_the_reader_gets_the_condition() -> None:
    stream = sql("SELECT s FROM (SELECT symbol AS s, volume AS v FROM trades) AS t WHERE v > 1", trades=trades())
    node = stream.graph.node("sql.filter")
    assert isinstance(node, OperatorNode)
    assert isinstance(node.operator, Filter)
    assert node.inputs["in"].node == "trades"
    assert str(node.operator.predicate) == "(volume > 1)"


def test_emit_decides_what_kind_of_stream_it_is() -> None:
    grouped = "SELECT symbol, count(*) AS n FROM trades GROUP BY symbol"
    windowed = f"SELECT symbol, window_start, count(*) AS n FROM {MINUTES} GROUP BY symbol, window_start"
    changelogs = {
        f"{query} {emit}": sql(f"{query} {emit}", trades=trades()).schema.changelog
        for query in (grouped, windowed)
        for emit in ("", "EMIT FINAL", "EMIT CHANGES")
    }
    assert list(changelogs.values()) == [True, False, True, False, False, True]


def test_windows_of_all_spellings_are_the_same() -> None:
    spellings = [
        "TUMBLE(trades, event_time, INTERVAL '1 minute')",
        "TUMBLE(trades, event_time, INTERVAL '1' MINUTE)",
        "TUMBLE(trades, event_time, INTERVAL 1 MINUTE)",
        "TUMBLE(trades, event_time, INTERVAL '60 seconds')",
        "TUMBLE(TABLE trades, DESCRIPTOR(event_time), INTERVAL '60' SECONDS)",
        "TABLE(TUMBLE(TABLE trades, DESCRIPTOR(event_time), INTERVAL '1' MINUTE))",
        "tumble(data => trades, timecol => event_time, size => INTERVAL '0 hours 1 minute')",
        "TUMBLE((SELECT * FROM trades), event_time, INTERVAL '1 minute')",
    ]
    plans = {
        describe(plan_of(f"SELECT window_start, count(*) AS n FROM {each} AS w GROUP BY window_start", trades=trades()))
        for each in spellings
    }
    assert len(plans) == 1


def test_a_hop_slides_first() -> None:
    plan = plan_of("SELECT * FROM HOP(trades, event_time, INTERVAL '10 seconds', INTERVAL '1 minute')", trades=trades())
    assert isinstance(plan, AssignWindows)
    assert (plan.slide, plan.size) == (10_000_000, 60_000_000)


def test_the_windows_of_the_aggregate() -> None:
    stream = sql(f"SELECT window_end, count(*) AS n FROM {MINUTES} GROUP BY 1", trades=trades(), name="w")
    node = stream.graph.node("w.aggregate")
    assert isinstance(node, OperatorNode)
    assert isinstance(node.operator, WindowAggregate)
    assert (node.operator.window.column, node.operator.window.size) == ("event_time", 60_000_000)


def test_names_of_results() -> None:
    stream = sql(
        "SELECT symbol || 'x', count(*), count(volume), upper(symbol), price::INT, place.city, sizes[1], "
        "CASE WHEN price > 1 THEN 1 END FROM trades GROUP BY symbol, price, place, sizes",
        trades=trades(),
    )
    assert stream.schema.names == ["column", "count", "count_2", "upper", "price", "city", "sizes", "case"]


def test_fields_of_structs_and_elements_of_lists() -> None:
    stream = sql(
        "SELECT place.city, trades.place.at.lat AS a, (place).city AS b, sizes[1] AS c FROM trades", trades=trades()
    )
    assert stream.schema.columns.types == [pa.string(), pa.float64(), pa.string(), pa.int64()]


def test_a_plan_prints_as_a_tree() -> None:
    plan = plan_of(
        f"SELECT symbol, max(price) AS high FROM {MINUTES} WHERE volume > 1 "
        "GROUP BY symbol, window_end HAVING max(price) > 2",
        trades=trades(),
    )
    assert describe(plan).splitlines() == [
        "Project(symbol AS symbol, high AS high)",
        "  Filter(high > 2)",
        "    Aggregate(by [symbol, windows of 1m], high, emit final)",
        "      Filter(volume > 1)",
        "        Scan(trades)",
    ]


@pytest.mark.parametrize(
    ("dialect", "expression", "kind"),
    [
        ("duckdb", "volume // 2", pa.int64()),
        ("duckdb", "sizes[1]", pa.int64()),
        ("mysql", "`price` / 2", pa.float64()),
        ("mysql", "date_add(event_time, interval 1 day)", pa.timestamp("us")),
        ("bigquery", "TIMESTAMP_TRUNC(event_time, HOUR)", pa.timestamp("us")),
        ("spark", "hour(event_time)", pa.int64()),
        ("snowflake", "iff(price > 1, 'dear', 'cheap')", pa.string()),
        ("clickhouse", "toStartOfHour(event_time)", pa.timestamp("us")),
        ("tsql", "[symbol]", pa.string()),
    ],
)
def test_other_dialects(dialect: str, expression: str, kind: pa.DataType) -> None:
    stream = sql(f"SELECT {expression} AS n FROM trades", trades=trades(), dialect=dialect)
    assert stream.schema.column_type("n") == kind


def test_windows_and_emit_in_other_dialects() -> None:
    query = f"SELECT window_start, count(*) AS n FROM {MINUTES} GROUP BY window_start EMIT CHANGES"
    assert sql(query, trades=trades(), dialect="mysql").schema.changelog


def test_division_is_the_dialects() -> None:
    query = "SELECT volume / 2 AS half FROM trades"
    assert sql(query, trades=trades()).schema.column_type("half") == pa.int64()
    assert sql(query, trades=trades(), dialect="duckdb").schema.column_type("half") == pa.float64()
