"""Scripts: tables become sources where they are read and sinks where they are written; what cannot be is refused."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flow.errors import GraphError
from flow.nodes import OperatorNode, SinkNode, SourceNode
from operators import Null, SqlError, script
from operators.in_process.terminal import Terminal
from operators.sql import Connector, TableOptions, load_script, register


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a file of trades, and the current directory."""
    table = pa.table(
        {
            "symbol": ["a", "b", "a", "c"],
            "price": [1.0, 2.0, 3.0, 4.0],
            "volume": pa.array([10, 20, None, 40], pa.int64()),
            "at": pa.array([0, 1_000, 61_000, 122_000], pa.int64()),
        }
    )
    pq.write_table(table, tmp_path / "trades.parquet")
    (tmp_path / "trades.csv").write_text("symbol;price;volume\na;1.5;10\nb;NA;20\na;3.5;30\n")
    (tmp_path / "bare.csv").write_text("a,1\nb,2\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


TRADES = """
CREATE TABLE trades (
    symbol VARCHAR,
    price DOUBLE,
    volume BIGINT,
    at TIMESTAMP(3), -- milliseconds
    WATERMARK FOR at AS at - INTERVAL '2' SECOND
) WITH (connector = 'files', path = 'trades.parquet', format = 'parquet');
"""

OUT = "CREATE TABLE out WITH (connector = 'files', path = 'out/', format = 'parquet');\n"


def rows(path: Path) -> list[dict[str, object]]:
    return sorted(pq.read_table(path).to_pylist(), key=str)


def test_the_script_of_the_design(folder: Path) -> None:
    graph = script(
        TRADES
        + OUT
        + """
        INSERT INTO out SELECT symbol, window_start, count(*) AS trades, sum(volume) AS volume
        FROM TUMBLE(trades, at, INTERVAL '1 minute') GROUP BY symbol, window_start;
        """,
        name="bars",
    )
    source = graph.node("trades")
    assert isinstance(source, SourceNode)
    assert (source.event_time, source.delay) == ("at", 2_000_000)
    assert [type(each).__name__ for each in graph] == [
        "SourceNode", "RouterNode", "OperatorNode", "OperatorNode", "SinkNode",
    ]  # fmt: skip
    graph.run()
    assert [(row["symbol"], row["trades"], row["volume"]) for row in rows(folder / "out")] == [
        ("a", 1, 10),
        ("a", 1, None),
        ("b", 1, 20),
        ("c", 1, 40),
    ]


def test_load_script_names_the_graph_after_the_file(folder: Path) -> None:
    (folder / "copy.sql").write_text(TRADES + OUT + "INSERT INTO out SELECT symbol FROM trades")
    graph = load_script(folder / "copy.sql")
    assert graph.name == "copy"
    assert list(graph.nodes) == ["trades", "out.project", "out"]


def test_tables_without_columns_are_what_the_file_says(folder: Path) -> None:
    graph = script(
        "CREATE TABLE t WITH (connector = 'files', path = 'trades.parquet');" + OUT + "INSERT INTO out SELECT * FROM t"
    )
    assert graph.schema(graph.node("out").inputs["in"]).names == ["symbol", "price", "volume", "at"]


def test_declared_columns_are_all_there_is(folder: Path) -> None:
    graph = script(
        "CREATE TABLE t (price DOUBLE, symbol TEXT) WITH (connector = 'files', path = 'trades.parquet');"
        + OUT
        + "INSERT INTO out SELECT * FROM t"
    )
    assert graph.schema(graph.node("out").inputs["in"]).names == ["price", "symbol"]


def test_computed_columns(folder: Path) -> None:
    declared = TRADES.replace("volume BIGINT,", "volume BIGINT, amount AS price * volume, whole INT AS price,")
    script(declared + OUT + "INSERT INTO out SELECT amount, whole FROM trades WHERE amount > 10").run()
    assert rows(folder / "out") == [{"amount": 160.0, "whole": 4}, {"amount": 40.0, "whole": 2}]


def test_csv_options(folder: Path) -> None:
    script(
        "CREATE TABLE t (symbol TEXT, price DOUBLE) "
        "WITH (connector = 'files', path = 'trades.csv', format = 'csv', header = 'true', delimiter = ';', "
        "nulls = 'NA');" + OUT + "INSERT INTO out SELECT symbol, price FROM t WHERE price IS NULL"
    ).run()
    assert rows(folder / "out") == [{"symbol": "b", "price": None}]


def test_a_csv_file_without_header_has_the_declared_names(folder: Path) -> None:
    script(
        "CREATE TABLE t (name TEXT, number BIGINT) WITH (connector = 'files', path = 'bare.csv', header = false);"
        + OUT
        + "INSERT INTO out SELECT * FROM t"
    ).run()
    assert rows(folder / "out") == [{"name": "a", "number": 1}, {"name": "b", "number": 2}]


def test_several_inserts_into_one_table_are_one_sink(folder: Path) -> None:
    graph = script(
        TRADES
        + "CREATE TABLE out (s TEXT, n INT) WITH (connector = 'files', path = 'out', format = 'parquet');"
        + "INSERT INTO out SELECT symbol, volume FROM trades WHERE volume > 20;"
        + "INSERT INTO out (n, s) SELECT 7, symbol FROM trades WHERE price < 2;"
        + "INSERT INTO out (s) SELECT 'z' FROM trades WHERE price > 3"
    )
    assert [each.name for each in graph if isinstance(each, SinkNode)] == ["out"]
    graph.run()
    assert rows(folder / "out") == [{"s": "a", "n": 7}, {"s": "c", "n": 40}, {"s": "z", "n": None}]
    assert pq.read_schema(next((folder / "out").glob("*.parquet"))).field("n").type == pa.int32()


def test_a_view_read_once_melts_into_its_reader(folder: Path) -> None:
    graph = script(
        TRADES
        + OUT
        + "CREATE VIEW dear AS SELECT symbol, price * 2 AS twice FROM trades;"
        + "INSERT INTO out SELECT twice FROM dear WHERE symbol = 'a'"
    )
    assert list(graph.nodes) == ["trades", "out.filter", "out.project", "out"]


def test_a_view_read_twice_is_computed_once(folder: Path) -> None:
    graph = script(
        TRADES
        + OUT
        + "CREATE TABLE other WITH (connector = 'null');"
        + "CREATE TEMPORARY VIEW dear(s, p) AS SELECT symbol, price FROM trades WHERE price > 1;"
        + "INSERT INTO out SELECT s FROM dear; INSERT INTO other SELECT p FROM dear"
    )
    readers = [each.name for each in graph if "dear" in {output.node for output in each.inputs.values()}]
    assert readers == ["out.project", "other.project"]


def test_what_only_an_unused_view_reads_is_not_in_the_graph(folder: Path) -> None:
    graph = script(
        TRADES
        + OUT
        + "CREATE TABLE t WITH (connector = 'files', path = 'trades.csv', delimiter = ';');"
        + "CREATE VIEW unused AS SELECT * FROM t; INSERT INTO out SELECT symbol FROM trades"
    )
    assert "t" not in graph.nodes


def test_create_table_as_select_and_if_not_exists(folder: Path) -> None:
    graph = script(
        TRADES
        + "CREATE TABLE IF NOT EXISTS trades WITH (connector = 'nowhere');"
        + "CREATE TABLE out WITH (connector = 'blackhole') AS SELECT symbol FROM trades"
    )
    sink = graph.node("out")
    assert isinstance(sink, SinkNode)
    assert sink.sink == Null()


def test_a_query_of_its_own_is_printed(folder: Path) -> None:
    graph = script(TRADES + "SELECT symbol, count(*) FROM trades GROUP BY symbol")
    sink = graph.node("result")
    assert isinstance(sink, SinkNode)
    assert sink.sink == Terminal()


def test_changes_need_a_sink_that_says_how(folder: Path) -> None:
    insert = "INSERT INTO out SELECT symbol, count(*) AS n FROM trades GROUP BY symbol"
    with pytest.raises(
        SqlError, match=r"'out' only appends, and rows of this query are taken back: 'out.aggregate'"
    ) as error:
        script(TRADES + OUT + insert)
    assert (error.value.line, error.value.column) == ((TRADES + OUT).count("\n") + 1, 24)
    assert "EMIT FINAL" in str(error.value.hint)
    script(TRADES + OUT.replace("format", "changes = 'weight', format") + insert).run()
    assert sum(row["_weight"] for row in rows(folder / "out")) == 3  # type: ignore[misc]


def test_options_of_the_source_node(folder: Path) -> None:
    options = "idle_timeout = '5s', max_future = '1 minute', ordered = 'true', on_error = 'skip', path"
    graph = script(TRADES.replace("path", options) + OUT + "INSERT INTO out SELECT symbol FROM trades")
    source = graph.node("trades")
    assert isinstance(source, SourceNode)
    assert (source.idle_timeout, source.max_future) == (5_000_000, 60_000_000)
    assert (source.ordered, source.on_error) == (True, "skip")


def test_a_connector_of_ones_own(folder: Path) -> None:
    def nothing(table: TableOptions) -> Null:
        assert table.options.number("size") == 3
        return Null()

    register("of_the_test", Connector(sink=nothing))
    insert = "INSERT INTO mine SELECT symbol FROM trades"
    script(TRADES + "CREATE TABLE mine WITH (connector = 'of_the_test', size = 3);" + insert)
    with pytest.raises(SqlError, match=r"no option 'sice' here.*did you mean 'size'") as caught:
        script(TRADES + "CREATE TABLE mine WITH (connector = 'of_the_test', size = 3, sice = 4);" + insert)
    assert caught.value.line == 9
    with pytest.raises(GraphError, match="connector 'files' already"):
        register("files", Connector())


WRONG = [
    (TRADES + "SELECT * FROM trades; DROP TABLE trades", 9, 34, "cannot be dropped"),
    (
        TRADES.replace("volume BIGINT", "volume BIGINT DEFAULT 0") + "SELECT * FROM trades",
        5,
        27,
        "is read, and DEFAULT",
    ),
    (
        TRADES.replace("FOR at AS at", "FOR ta AS ta").replace("at TIM", "ta AS volm, at TIM") + "SELECT * FROM trades",
        6,
        11,
        "did you mean 'volume'",
    ),
    (TRADES.replace("DOUBLE", "DOUBLE CHECK (prise > 0)") + "SELECT * FROM trades", 4, 25, "did you mean 'price'"),
    (TRADES + "INSERT INTO trades SELECT symbol FROM trades", 9, 27, "read and written"),
    (TRADES + "INSERT INTO trades SELECT * FROM trades", 9, 27, "read and written"),
    (TRADES + "CREATE VIEW v AS SELECT * FROM trades; INSERT INTO v SELECT * FROM trades", 9, 52, "is a view"),
    (
        TRADES + "CREATE TABLE o (a INT) WITH (connector = 'null'); INSERT INTO o SELECT at FROM trades",
        9,
        72,
        "cannot be cast",
    ),
    (
        TRADES + "CREATE TABLE o (a INT) WITH (connector = 'null'); INSERT INTO o (b) SELECT 1 FROM trades",
        9,
        63,
        "no column 'b'",
    ),
    (
        TRADES + "CREATE TABLE o WITH (connector = 'nul'); INSERT INTO o SELECT at FROM trades",
        9,
        22,
        "did you mean 'null'",
    ),
    (
        TRADES + "CREATE TABLE o WITH (size = 1); INSERT INTO o SELECT at FROM trades",
        9,
        14,
        "option 'connector' is missing",
    ),
    (
        TRADES + "CREATE TABLE o WITH (connector = 'files', format = 'csv'); INSERT INTO o SELECT at FROM trades",
        9,
        14,
        "'path'",
    ),
    (
        TRADES + "CREATE TABLE o WITH (connector = 'null', a = 1); INSERT INTO o SELECT at FROM trades",
        9,
        42,
        "no option 'a'",
    ),
    (TRADES + "CREATE TABLE o WITH (connector = 'null'); SELECT a FROM o", 9, 22, "does not read"),
    (TRADES.replace("'parquet')", "'parket')") + "SELECT * FROM trades", 8, 55, "no value 'parket'"),
    (TRADES.replace("trades.parquet", "nowhere.parquet") + "SELECT * FROM trades", 2, 14, "nowhere.parquet"),
    (TRADES.replace("(3)", "") + "SELECT * FROM trades", 2, 14, "does not say what they count"),
    (TRADES.replace("FOR at AS at", "FOR ta AS ta") + "SELECT * FROM trades", 7, 19, "no column 'ta'"),
    (TRADES.replace("at AS at", "price AS price") + "SELECT * FROM trades", 2, 14, "must be a timestamp"),
    (TRADES.replace("symbol V", "symbl V") + "SELECT * FROM trades", 2, 14, "did you mean 'symbol'"),
    (TRADES.replace("path", "ordered = 'maybe', path") + "SELECT * FROM trades", 8, 30, "'true' or 'false'"),
    (TRADES.replace("path", "idle_timeout = 'soon', path") + "SELECT * FROM trades", 8, 30, "a duration such as"),
]


@pytest.mark.parametrize(("text", "line", "column", "message"), WRONG, ids=range(len(WRONG)))
def test_wrong_script(folder: Path, text: str, line: int, column: int, message: str) -> None:
    with pytest.raises(SqlError) as caught:
        script(text)
    assert message in caught.value.message
    assert (caught.value.line, caught.value.column) == (line, column)


def test_a_script_that_inserts_nothing() -> None:
    with pytest.raises(GraphError, match="inserts into no table"):
        script("-- nothing")


def test_operators_are_named_after_what_they_feed(folder: Path) -> None:
    graph = script(TRADES + OUT + "INSERT INTO out SELECT symbol, count(*) AS n FROM trades GROUP BY 1 EMIT FINAL")
    assert [each.name for each in graph if isinstance(each, OperatorNode)] == ["out.aggregate"]
