"""Statements other than queries: what tables declare of their rows, SET, DROP, SHOW and DESCRIBE, dialects."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flow import StepError
from flow.nodes import OperatorNode, SourceNode
from operators import SqlError, read_script, script

CREATE = """
CREATE TABLE trades (
    symbol VARCHAR{symbol}, price DOUBLE{price}, volume BIGINT, at BIGINT{more}
) WITH (connector = 'files', path = 'trades.parquet'{options});
"""

OUT = "CREATE TABLE out{columns} WITH (connector = 'files', path = 'out/', format = 'parquet'{options});\n"


def trades(symbol: str = "", price: str = "", more: str = "", options: str = "") -> str:
    return CREATE.format(symbol=symbol, price=price, more=more, options=options)


def out(columns: str = "", options: str = "") -> str:
    return OUT.format(columns=columns, options=options)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a file of trades, and the current directory."""
    table = {
        "symbol": ["a", "b", "a", None],
        "price": [1.0, 2.0, 3.0, 4.0],
        "volume": pa.array([10, 20, None, 40], pa.int64()),
        "at": [0, 1_000, 61_000, 122_000],
    }
    pq.write_table(pa.table(table), tmp_path / "trades.parquet")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rows(path: str = "out") -> list[dict[str, object]]:
    return sorted(pq.read_table(path).to_pylist(), key=str)


def answer(text: str) -> list[dict[str, object]]:
    return read_script(text).answers[-1].table.to_pylist()


def failure(text: str) -> str:
    with pytest.raises(ExceptionGroup) as caught:
        script(text).run()
    (error,) = caught.value.exceptions
    assert isinstance(error, StepError)
    return str(error)


def test_a_row_that_breaks_what_its_table_declares_ends_the_run() -> None:
    insert = out() + "INSERT INTO out SELECT symbol FROM trades"
    assert "does not satisfy symbol NOT NULL" in failure(trades(symbol=" NOT NULL") + insert)
    assert "does not satisfy CHECK (price < 3)" in failure(trades(price=" CHECK (price < 3)") + insert)
    assert "CHECK (price > volume)" in failure(trades(more=", CONSTRAINT c CHECK (price > volume)") + insert)


def test_rows_that_break_a_condition_can_go_to_a_table_of_their_own() -> None:
    declared = trades(" NOT NULL", " CHECK (volume < 20)", options=", dead_letters = 'bad'")
    bad = out().replace("out", "bad")
    script(declared + out() + bad + "INSERT INTO out SELECT symbol, volume FROM trades").run()
    # A condition that is NULL is not broken.
    assert rows() == [{"symbol": "a", "volume": 10}, {"symbol": "a", "volume": None}]
    assert [(str(row["node"]), str(row["error"])) for row in rows("bad")] == [
        ("trades.check", "does not satisfy CHECK (volume < 20)"),
        ("trades.check", "does not satisfy symbol NOT NULL"),
    ]


def test_conditions_hold_of_computed_columns_and_of_tables_that_are_written() -> None:
    declared = trades(more=", cost AS price * volume, CHECK (cost < 100)", options=", on_error = 'skip'")
    into = out(" (s VARCHAR, c DOUBLE CHECK (c > 10))", ", on_error = 'skip'")
    graph = script(declared + into + "INSERT INTO out SELECT symbol, cost FROM trades WHERE cost IS NOT NULL")
    checks = [(node.name, node.on_error) for node in graph if isinstance(node, OperatorNode) and "check" in node.name]
    assert checks == [("trades.check", "skip"), ("out.check", "skip")]
    graph.run()
    assert rows() == [{"s": "b", "c": 40.0}]


def test_an_insert_that_leaves_columns_out_gives_them_their_defaults() -> None:
    into = out(" (s VARCHAR, n INT DEFAULT 3 + 4, note VARCHAR DEFAULT 'none', v BIGINT)")
    script(trades() + into + "INSERT INTO out (v, s) SELECT volume, symbol FROM trades WHERE volume = 10").run()
    assert rows() == [{"s": "a", "n": 7, "note": "none", "v": 10}]


def test_a_watermark_on_a_computed_column() -> None:
    declared = trades(more=", time AS to_timestamp(at / 1000), WATERMARK FOR time AS time - INTERVAL '1' SECOND")
    graph = script(
        declared
        + out()
        + "INSERT INTO out SELECT window_start, sum(price) AS price "
        + "FROM TUMBLE(trades, time, INTERVAL '1 minute') GROUP BY window_start"
    )
    source = graph.node("trades")
    assert isinstance(source, SourceNode)
    assert (source.event_time, source.delay) == ("time", 1_000_000)
    graph.run()
    assert [(row["window_start"].minute, row["price"]) for row in rows()] == [  # type: ignore[attr-defined]
        (0, 3.0),
        (1, 3.0),
        (2, 4.0),
    ]


def test_sources_are_only_read_and_sinks_only_written() -> None:
    declared = trades().replace("TABLE", "SOURCE")
    sink = out().replace("TABLE", "SINK")
    script(declared + sink + "INSERT INTO out SELECT price FROM trades WHERE price > 3").run()
    assert rows() == [{"price": 4.0}]
    assert answer(declared + "SHOW SOURCES")[0]["name"] == "trades"
    assert answer(declared + "SHOW SINKS") == []


def test_a_materialized_view_is_a_node_of_its_own() -> None:
    text = (
        trades()
        + out()
        + "CREATE {} VIEW all_trades AS SELECT * FROM trades; INSERT INTO out SELECT price FROM all_trades"
    )
    assert "all_trades" not in script(text.format("")).nodes
    graph = script(text.format("MATERIALIZED"))
    assert isinstance(graph.node("all_trades"), OperatorNode)
    graph.run()
    assert len(rows()) == 4


def test_settings_are_those_of_the_run() -> None:
    select = "SELECT price FROM trades"
    text = "SET partitions = 3; SET 'topology' = serial; SET commit_every TO '2 seconds'; SET grace = 4;"
    settings = script(trades() + text + select).settings
    assert (settings.partitions, settings.topology, settings.commit_every, settings.grace) == (3, "serial", 2.0, 4.0)
    settings = script(trades() + text + "RESET partitions;" + select).settings
    assert (settings.partitions, settings.topology) == (None, "serial")
    assert script(trades() + text + "RESET ALL;" + select).settings.topology == "prefetched"
    assert script(trades() + "SET interleaved = true;" + select).settings.interleaved
    assert not script(trades() + "SET interleaved = on; SET interleaved = off;" + select).settings.interleaved


def test_a_run_uses_the_settings_of_its_script() -> None:
    graph = script(trades() + out() + "SET topology = serial; INSERT INTO out SELECT price FROM trades")
    assert graph.run().topology == "serial"
    assert graph.run(topology="routed").topology == "routed"


def test_show_tells_what_is_set() -> None:
    shown = {row["name"]: row["value"] for row in answer("SET readers = 2; SHOW SETTINGS")}
    assert (shown["readers"], shown["topology"], shown["partitions"]) == ("2", "prefetched", None)
    assert answer("SET readers = 2; SHOW readers")[0]["value"] == "2"


def test_statements_are_read_in_the_dialect_that_is_set() -> None:
    text = (
        trades()
        + "CREATE VIEW one AS SELECT \"price\" AS p FROM trades; SET dialect = 'mysql';\n"
        + 'CREATE VIEW two AS SELECT `p` AS `q`, "text" AS t FROM one; RESET dialect /* again */ -- and\n;\n'
        + 'SELECT "q", t FROM two; -- SET dialect = mysql;\n'
        + "SELECT 'SET dialect = mysql;' AS \"u\""
    )
    assert [name for name, _ in read_script(text).plans] == ["result", "result_2"]
    with pytest.raises(SqlError, match="no column 'nothing'") as caught:
        script(trades() + "SET dialect = mysql;\nSELECT `price`,\n `nothing` FROM trades")
    assert (caught.value.line, caught.value.column) == (7, 2)
    assert script("SELECT `a` FROM (SELECT 1 AS `a`) AS t", dialect="mysql").nodes


def test_what_is_dropped_can_be_declared_anew() -> None:
    text = (
        "DROP TABLE IF EXISTS trades;"
        + trades().replace("price DOUBLE", "price TEXT")
        + "DROP TABLE trades;"
        + trades()
    )
    view = "CREATE VIEW v AS SELECT price FROM trades; CREATE VIEW w AS SELECT * FROM v; DROP VIEW v;"
    text += view + "CREATE VIEW v AS SELECT 'x' AS price;" + out() + "INSERT INTO out SELECT * FROM w WHERE price > 3"
    script(text).run()
    assert rows() == [{"price": 4.0}]


def test_show_lists_what_is_declared() -> None:
    text = trades() + out() + "CREATE VIEW v AS SELECT 1 AS a; INSERT INTO out SELECT a FROM v;"
    assert answer(text + "SHOW TABLES") == [
        {"name": "trades", "kind": "table", "use": "not used yet", "connector": "files"},
        {"name": "out", "kind": "table", "use": "written", "connector": "files"},
    ]
    assert answer(text + "SHOW VIEWS") == [{"name": "v", "kind": "view"}]
    assert {"name": "files", "reads": "yes", "writes": "yes"} in answer("SHOW CONNECTORS")
    functions = answer(
        "CREATE FUNCTION base(x TEXT) RETURNS TEXT LANGUAGE PYTHON AS 'posixpath:basename'; SHOW FUNCTIONS"
    )
    assert {"upper(text) -> text", "base(TEXT) -> TEXT"} <= {row["signature"] for row in functions}
    assert ("median", "aggregate") in {(row["name"], row["kind"]) for row in functions}


def test_describe_a_table_a_view_and_a_query() -> None:
    declared = trades(
        more=", time AS to_timestamp(at / 1000), PRIMARY KEY (Symbol, at) NOT ENFORCED, WATERMARK FOR time AS time"
    )
    read = read_script(
        declared
        + out(" (n INT)")
        + "CREATE VIEW counts AS SELECT symbol, count(*) AS n FROM trades GROUP BY symbol;"
        + "DESCRIBE trades; DESCRIBE counts; DESC SELECT price FROM trades; DESCRIBE TABLE out;"
        + "INSERT INTO out SELECT 1"
    )
    table, view, query, sink = read.answers
    assert table.note == "append-only; unique: (symbol, at)"
    assert [tuple(row.values()) for row in table.table.to_pylist()] == [
        ("symbol", "TEXT", "in a unique key"),
        ("price", "DOUBLE", ""),
        ("volume", "BIGINT", ""),
        ("at", "BIGINT", "in a unique key"),
        ("time", "TIMESTAMPTZ", "event time"),
    ]
    assert view.note == "changelog; unique: (symbol)"
    assert query.note == "append-only; no unique key is known"
    assert (sink.title, sink.table.to_pylist()) == ("DESCRIBE out", [{"column": "n", "type": "INTEGER", "is": ""}])


def test_a_script_may_only_ask() -> None:
    assert not read_script("SHOW TABLES").graph.nodes
    with pytest.raises(Exception, match="nothing would run"):
        script("SHOW TABLES")
