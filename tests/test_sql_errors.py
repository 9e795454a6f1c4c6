"""What is wrong with a query is said with its line, its column and the nearest name: the cases of tests/sql/wrong."""

import re
from pathlib import Path

import attrs
import pyarrow as pa
import pytest

from flow import Graph
from flow.errors import GraphError
from operators import SqlError, Table, read_script, sql
from operators.sql.grammar.hints import hint_of

TRADES = pa.table(
    {
        "symbol": ["a"],
        "price": [1.0],
        "volume": [1],
        "event_time": pa.array([0], pa.timestamp("us")),
        "venue": ["X"],
    }
)

SAYS = re.compile("known here|did you mean|; write|expected")
"""What a message has that says itself what to write instead."""


@attrs.frozen
class Wrong:
    line: int
    column: int
    message: str
    hint: str
    query: str


def read_wrong(folder: str = "") -> list[Wrong]:
    """A case is a line ``-- line:column message``, where ``...`` stands for anything, and the query or script.

    Between them a line ``-- hint: text`` may stand, which is the beginning of the hint.
    """
    cases = []
    files = sorted((Path(__file__).parent / "sql" / "wrong" / folder).glob("*.sql"))
    for part in "\n\n".join(file.read_text().strip() for file in files).split("\n\n"):
        comment, _, query = part.partition("\n")
        hint = ""
        if query.startswith("-- hint: "):
            hint, _, query = query.removeprefix("-- hint: ").partition("\n")
        place, _, message = comment.removeprefix("-- ").partition(" ")
        line, column = place.split(":")
        cases.append(Wrong(int(line), int(column), message, hint, query.removesuffix(";")))
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
    assert (error.hint or "").startswith(wrong.hint)
    assert error.hint or SAYS.search(error.message), "it does not say what to write instead"


def test_there_are_many_wrong_queries() -> None:
    cases = read_wrong()
    assert len({case.query for case in cases}) == len(cases) >= 320


def test_the_caret_stands_under_the_name() -> None:
    with pytest.raises(SqlError) as caught:
        run("SELECT symbol,\n\tpric\nFROM trades")
    assert str(caught.value).splitlines()[1:] == ["  \tpric", "  \t^"]


@pytest.mark.parametrize(
    ("query", "shown", "caret"),
    [
        ("SELECT 'Zürich', pric FROM trades", "SELECT 'Zürich', pric FROM trades", " " * 17),
        ("SELECT '日本', pric FROM trades", "SELECT '日本', pric FROM trades", " " * 8 + "\u3000\u3000" + " " * 3),
        ("SELECT 'e\u0301', pric FROM trades", "SELECT 'e\u0301', pric FROM trades", " " * 12),
        ("SELECT symbol,\r\n  pric\r\nFROM trades", "  pric", "  "),
        ("SELECT symbol, -- it's one\n\tpric\nFROM trades", "\tpric", "\t"),
        ("SELECT /* a\nb */ pric FROM trades", "b */ pric FROM trades", " " * 5),
        ("\n\n  SELECT '\u2028', pric FROM trades", "  SELECT '\u2028', pric FROM trades", " " * 14),
    ],
)
def test_the_caret_stands_under_the_right_character(query: str, shown: str, caret: str) -> None:
    with pytest.raises(SqlError, match="no column 'pric'") as caught:
        run(query)
    assert str(caught.value).split("\n")[1:3] == [f"  {shown}", f"  {caret}^"]


def test_a_long_line_is_cut_around_the_caret() -> None:
    with pytest.raises(SqlError) as caught:
        run(f"SELECT {'symbol || ' * 1000}pric{' || symbol' * 1000} FROM trades")
    line, caret = str(caught.value).split("\n")[1:3]
    assert len(line) < 140
    assert line.startswith("  ...")
    assert line.endswith("...")
    assert line[caret.index("^") :].startswith("pric ")
    assert caught.value.column == 8 + 10 * 1000


@pytest.mark.parametrize("text", ["", "  \n\t", "-- nothing", "/* nothing */", ";", ";;"])
def test_a_text_without_a_query(text: str) -> None:
    with pytest.raises(SqlError, match=r"sql\(\) takes one query, not 0 statements"):
        run(text)


def test_a_million_characters_are_an_error_at_their_place() -> None:
    with pytest.raises(SqlError, match=r"unexpected 'FORM'; did you mean FROM\?") as caught:
        run(f"SELECT '{'x' * 1_000_000}' FORM trades")
    assert caught.value.column == 1_000_011
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    "query",
    [
        f"SELECT {'(' * 1000}price{')' * 1000} FROM trades",
        "SELECT * FROM " + "(SELECT * FROM " * 1000 + "trades" + ")" * 1000,
        f"SELECT {'-' + ' -' * 1000} price FROM trades",
    ],
    ids=["parentheses", "subqueries", "signs"],
)
def test_what_is_nested_too_deep_is_an_error(query: str) -> None:
    with pytest.raises(SqlError, match="too deep") as caught:
        run(query)
    assert caught.value.hint is not None


def test_five_hundred_common_tables_may_follow_each_other() -> None:
    tables = ", ".join(f"t{number} AS (SELECT price FROM trades)" for number in range(500))
    with pytest.raises(SqlError, match=r"no column 'pric' in 't499'"):
        run(f"WITH {tables} SELECT pric FROM t499")


def test_hints_are_where_the_message_has_none() -> None:
    assert hint_of("no column 'a'; did you mean 'b'?") is None
    assert hint_of("aggregates are not allowed in WHERE: COUNT(*)") == "filter groups with HAVING"
    assert SqlError("aggregates are not allowed in WHERE", hint="mine").hint == "mine"


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
