"""Random queries over random changes: the answers are DuckDB's. Random text: a SqlError or a query, nothing else.

The queries over tables of changes are those of tests/sql_fuzz.py, which goes on for as long as it is asked to.
"""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow import Graph
from operators import SqlError, Table, sql
from operators.testing import Input, assert_matches_batch
from tests.sql_cases import read_cases, written
from tests.sql_fuzz import Search

WINDOWS = [
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


@pytest.mark.parametrize(("ours", "theirs"), WINDOWS, ids=range(len(WINDOWS)))
@settings(max_examples=8, deadline=None)
@given(where=CONDITIONS, seed=st.integers(0, 1000), rows=st.integers(1, 300), batching=st.sampled_from([17, "all"]))
def test_windows_over_random_rows(
    ours: str, theirs: str, where: str, seed: int, rows: int, batching: int | str
) -> None:
    assert_matches_batch(
        ours.format(where=where),
        {"t": Input(random_table(seed, rows), "ts", "300s")},
        reference=theirs.format(where=where),
        batches=[batching],
        partitions=[2],
        seed=seed,
    )


@pytest.mark.slow
def test_random_queries_over_random_changes() -> None:
    search = Search()
    search.world(0, 40)
    search.world(1, 80)
    assert not search.found, "\n\n".join(map(str, search.found))
    # A generator of which most is refused would prove nothing.
    assert search.compared > 60, (search.refused, search.unknown)


def test_a_case_found_at_random_can_be_read_again() -> None:
    table = pa.table({"a": [1, None], "s": ["x", None], "b": [True, None], "_weight": [1, -1]})
    (case,) = read_cases(written("found", "SELECT a FROM t", {"t": table}), "stem")
    assert (case.name, case.query) == ("stem: found", "SELECT a FROM t;")
    assert case.used()["t"].to_pylist() == table.to_pylist()


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
        refused = ""
        try:
            sql(query, t=stream)
        except SqlError as error:
            refused = str(error)
        assert not refused or "line" in refused
