"""What is wrong with a query is said with its line, its column and the nearest name: the cases of tests/sql/wrong."""

from pathlib import Path

import attrs
import pyarrow as pa
import pytest

from flow import Graph
from flow.errors import GraphError
from operators import SqlError, Table, read_script, sql

TRADES = pa.table(
    {
        "symbol": ["a"],
        "price": [1.0],
        "volume": [1],
        "event_time": pa.array([0], pa.timestamp("us")),
        "venue": ["X"],
    }
)


@attrs.frozen
class Wrong:
    line: int
    column: int
    message: str
    query: str


def read_wrong(folder: str = "") -> list[Wrong]:
    """A case is a line ``-- line:column message``, where ``...`` stands for anything, and the query or script."""
    cases = []
    files = sorted((Path(__file__).parent / "sql" / "wrong" / folder).glob("*.sql"))
    for part in "\n\n".join(file.read_text().strip() for file in files).split("\n\n"):
        comment, _, query = part.partition("\n")
        place, _, message = comment.removeprefix("-- ").partition(" ")
        line, column = place.split(":")
        cases.append(Wrong(int(line), int(column), message, query.removesuffix(";")))
    return cases


def run(query: str, **more: str) -> None:
    graph = Graph("wrong")
    sql(query, trades=graph.source("trades", Table(TRADES), event_time="event_time"), **more)


@pytest.mark.parametrize("wrong", read_wrong(), ids=lambda wrong: wrong.query)
def test_wrong_query(wrong: Wrong) -> None:
    with pytest.raises(SqlError) as caught:
        run(wrong.query)
    check(caught.value, wrong)


@pytest.mark.parametrize("wrong", read_wrong("scripts"), ids=lambda wrong: wrong.query)
def test_wrong_script(wrong: Wrong) -> None:
    with pytest.raises(SqlError) as caught:
        read_script(wrong.query)
    check(caught.value, wrong)


def check(error: SqlError, wrong: Wrong) -> None:
    assert (error.line, error.column) == (wrong.line, wrong.column)
    rest = error.message
    for piece in wrong.message.split(" ... "):
        assert piece in rest
        rest = rest.partition(piece)[2]


def test_there_are_many_wrong_queries() -> None:
    assert len(read_wrong()) >= 60


def test_the_caret_stands_under_the_name() -> None:
    with pytest.raises(SqlError) as caught:
        run("SELECT symbol,\n\tpric\nFROM trades")
    assert str(caught.value).splitlines()[1:] == ["  \tpric", "  \t^"]


def test_a_hint_follows_the_caret() -> None:
    with pytest.raises(SqlError, match="hint: filter groups with HAVING") as caught:
        run("SELECT symbol FROM trades WHERE count(*) > 1")
    assert caught.value.hint == "filter groups with HAVING"


def test_deep_nesting_is_an_error_and_no_crash() -> None:
    with pytest.raises(SqlError, match="too deep"):
        run(f"SELECT {'(' * 5000}1{')' * 5000} FROM trades")


def test_names_that_differ_in_case_alone_must_be_quoted() -> None:
    graph = Graph("case")
    stream = graph.source("t", Table(pa.table({"Total": [1], "TOTAL": [2]})))
    with pytest.raises(SqlError, match="ambiguous"):
        sql("SELECT total FROM t", t=stream)
    assert sql('SELECT "TOTAL" FROM t', t=stream).schema.names == ["TOTAL"]
    assert sql("SELECT Total FROM t", t=stream).schema.names == ["Total"]


def test_unknown_dialect() -> None:
    with pytest.raises(SqlError, match=r"no SQL dialect 'postgers'.*did you mean 'postgres'"):
        run("SELECT 1 FROM trades", dialect="postgers")


def test_streams_of_two_graphs() -> None:
    one, two = (Graph(name).source("t", Table(TRADES)) for name in ("one", "two"))
    with pytest.raises(GraphError, match="another graph"):
        sql("SELECT * FROM a", a=one, b=two)


def test_no_stream() -> None:
    with pytest.raises(GraphError, match="needs the streams"):
        sql("SELECT 1 FROM t")


def test_windows_need_an_event_time() -> None:
    stream = Graph("untimed").source("trades", Table(TRADES))
    with pytest.raises(SqlError, match=r"follow the event time.*there is none") as caught:
        sql("SELECT * FROM TUMBLE(trades, event_time, INTERVAL '1 minute')", trades=stream)
    assert "WATERMARK FOR" in (caught.value.hint or "")


def test_the_place_of_an_order_is_where_it_is_written() -> None:
    with pytest.raises(SqlError, match="must be in the SELECT list") as caught:
        run("SELECT DISTINCT symbol\nFROM trades\nORDER BY symbol, 1, volume\nLIMIT 3")
    assert (caught.value.line, caught.value.column) == (3, 21)
