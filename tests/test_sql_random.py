"""Random rows, batches and conditions: the answers are DuckDB's. Random text: a SqlError or a query, nothing else."""

from contextlib import suppress

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow import Graph
from operators import Collect, SqlError, Table, sql
from tests.plain_executor import run_plainly
from tests.test_sql_cases import shown

QUERIES = [
    (
        "SELECT k, window_start, count(*) AS n, count(v) AS nv, sum(v) AS s, avg(x) AS a, min(x) AS lo, max(v) AS hi "
        "FROM TUMBLE(t, ts, INTERVAL '7 seconds') WHERE {where} GROUP BY k, window_start",
        "SELECT k, time_bucket(INTERVAL '7 seconds', ts, TIMESTAMP '1970-01-01') AS window_start, count(*) AS n, "
        "count(v) AS nv, sum(v) AS s, avg(x) AS a, min(x) AS lo, max(v) AS hi FROM t WHERE {where} GROUP BY ALL",
    ),
    (
        "SELECT window_end, count(DISTINCT k) AS n, stddev(x) AS d FROM TUMBLE(t, ts, INTERVAL '1 minute') "
        "WHERE {where} GROUP BY window_end EMIT CHANGES",
        "SELECT time_bucket(INTERVAL '1 minute', ts) + INTERVAL 1 MINUTE AS window_end, count(DISTINCT k) AS n, "
        "stddev(x) AS d FROM t WHERE {where} GROUP BY ALL",
    ),
    (
        "SELECT k, w, sum(v) + 1 AS s FROM (SELECT k, v, x, v % 3 AS w FROM t) AS u WHERE {where} GROUP BY k, w "
        "HAVING count(*) > 1",
        "SELECT k, v % 3 AS w, sum(v) + 1 AS s FROM t WHERE {where} GROUP BY k, v % 3 HAVING count(*) > 1",
    ),
    ("SELECT DISTINCT k, v > 5 AS big FROM t WHERE {where}", None),
    ("SELECT k, v * 2 AS w FROM t WHERE {where} UNION ALL SELECT k, v FROM t", None),
]

CONDITIONS = st.recursive(
    st.sampled_from(["v > 3", "x < 0.5", "k = 'a'", "k IS NULL", "v IN (1, 2, 9)", "x BETWEEN -1 AND 1", "v <> 7"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["AND", "OR"]), inner).map(lambda parts: f"({' '.join(parts)})"),
        inner.map(lambda one: f"NOT ({one})"),
    ),
    max_leaves=4,
)


def random_table(seed: int, rows: int) -> pa.Table:
    random = np.random.default_rng(seed)
    return pa.table(
        {
            "k": pa.array(random.choice(["a", "b", "c", "dd"], rows), mask=random.random(rows) < 0.1),
            "v": pa.array(random.integers(-10, 10, rows), mask=random.random(rows) < 0.1),
            "x": pa.array(random.normal(size=rows).round(3), mask=random.random(rows) < 0.1),
            "ts": pa.array(random.integers(0, 300_000_000, rows), pa.timestamp("us")),
        }
    )


@pytest.mark.parametrize(("ours", "theirs"), QUERIES, ids=range(len(QUERIES)))
@settings(max_examples=10, deadline=None)
@given(where=CONDITIONS, seed=st.integers(0, 1000), rows=st.integers(1, 300), batch_rows=st.sampled_from([1, 17, 1000]))
def test_duckdb_gives_the_same(
    ours: str, theirs: str | None, where: str, seed: int, rows: int, batch_rows: int
) -> None:
    table = random_table(seed, rows)
    graph = Graph("random")
    stream = graph.source("t", Table(table, batch_rows=batch_rows), event_time="ts")
    sql(ours.format(where=where), t=stream).sink("out", Collect())
    with duckdb.connect() as connection:
        connection.register("t", table)
        expected = connection.sql((theirs or ours).format(where=where)).to_arrow_table()
    assert shown(run_plainly(graph)["out"]) == shown(expected)


TOKENS = """
SELECT FROM WHERE HAVING t k v x ts * , ( ) 1 'a' "k" = + - AND OR NOT count(*) sum( TUMBLE( HOP( INTERVAL EMIT FINAL
AS CASE WHEN THEN END IS NULL . ; :: INT WITH UNION ALL DISTINCT [ ] -- /* $1 IN LIKE BETWEEN OVER JOIN ON LIMIT GROUP
BY window_start CREATE TABLE INSERT INTO
"""
WORDS = st.sampled_from(TOKENS.split())


@settings(max_examples=60, deadline=None)
@given(text=st.one_of(st.text(max_size=40), st.lists(WORDS, max_size=14).map(" ".join)))
def test_any_text_is_a_query_or_a_sql_error(text: str) -> None:
    graph = Graph("any")
    stream = graph.source("t", Table(random_table(0, 1)), event_time="ts")
    for query in (text, f"SELECT {text} FROM t", f"SELECT * FROM t {text}"):
        with suppress(SqlError):
            sql(query, t=stream)
