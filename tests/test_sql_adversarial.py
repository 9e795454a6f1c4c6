"""Rows that are made to be difficult: keys that equal each other without being the same, bounds of types, times before
1970, empty tables and single rows, deletions before their insertions, and very many copies of a row."""

import datetime as dt
import math
import random
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from flow.schema import WEIGHT
from operators.testing import assert_matches_batch, with_retractions

LONG = "x" * 100_000
MOST = "9" * 38
DIFFICULT = {
    "f": pa.table(
        {
            "id": [1, 2, 3, 4, 5, 6, 7, 8],
            "f": [math.nan, -0.0, 0.0, None, math.nan, math.inf, -math.inf, -0.0],
            "v": [1, 2, 3, 4, 5, 6, 7, 8],
        }
    ),
    "g": pa.table({"g": [math.nan, 0.0, None, -0.0, 5e-324, math.inf, None], "w": [1, 2, 3, 4, 5, 6, 7]}),
    "s": pa.table(
        {"s": [LONG, LONG + "a", LONG, "", None, "\x00", "\x00\x00", "\u00e9", "e\u0301"], "n": list(range(9))}
    ),
    "d": pa.table(
        {
            "d": pa.array([Decimal(MOST), Decimal(f"-{MOST}"), Decimal(0), None, Decimal(1)], pa.decimal128(38, 0)),
            "e": pa.array([*map(Decimal, ("9999999.99", "-9999999.99", "0.01", "-0.01")), None], pa.decimal128(9, 2)),
            "k": [1, 1, 2, 2, 3],
        }
    ),
    "x": pa.table(
        {
            "t": pa.array(
                [
                    dt.datetime(1969, 12, 31, 23, 59, 59, 999_999),
                    dt.datetime(1, 1, 1),
                    dt.datetime(9999, 12, 31, 23, 59, 59, 999_999),
                    None,
                    dt.datetime(1900, 2, 28),
                    dt.datetime(1969, 12, 31),
                ],
                pa.timestamp("us"),
            ),
            "day": [
                dt.date(1, 1, 1),
                dt.date(1969, 12, 31),
                None,
                dt.date(1600, 2, 29),
                dt.date(9999, 12, 31),
                dt.date(1970, 1, 1),
            ],
            "k": [1, 2, 3, 4, 5, 6],
        }
    ),
    "i": pa.table(
        {
            "i": [2**63 - 1, -(2**63), 0, None, -1, 1],
            "u": pa.array([2**64 - 1, 0, None, 1, 2**63, 2**63 - 1], pa.uint64()),
            "b": pa.array([-128, 127, None, 0, 1, -1], pa.int8()),
        }
    ),
}
DIFFICULT |= {
    "none": DIFFICULT["f"].slice(0, 0),
    "nothing": DIFFICULT["g"].slice(0, 0),
    "one": DIFFICULT["f"].slice(1, 1),
    "single": DIFFICULT["g"].slice(1, 1),
}
QUERIES = [
    "SELECT f, count(*) AS n, sum(v) AS s FROM f GROUP BY f",
    "SELECT id, w FROM f JOIN g ON f = g",
    "SELECT id, f, g, w FROM f FULL JOIN g ON f = g",
    "SELECT id, f, g, w FROM f FULL JOIN g ON f IS NOT DISTINCT FROM g",
    "SELECT id, w FROM f LEFT JOIN g ON f > g",
    "SELECT id FROM f WHERE f IN (SELECT g FROM g) OR f < ALL (SELECT g FROM g WHERE g > 0)",
    "SELECT id FROM f WHERE f NOT IN (SELECT g FROM g WHERE g IS NOT NULL)",
    "SELECT DISTINCT f FROM f",
    "SELECT f FROM f INTERSECT ALL SELECT g FROM g",
    "SELECT f FROM f EXCEPT ALL SELECT g FROM g",
    "SELECT min(f) AS a, max(f) AS b, count(DISTINCT f) AS c, median(f) AS m FROM f WHERE id < 7",
    "SELECT id, f FROM f ORDER BY f DESC NULLS LAST, id LIMIT 3",
    "SELECT id, f FROM f QUALIFY row_number() OVER (PARTITION BY f ORDER BY id) = 1",
    "SELECT DISTINCT ON (f) f, id FROM f ORDER BY f NULLS LAST, id",
    "SELECT id, (SELECT max(w) FROM g WHERE g = f) AS w FROM f",
    "SELECT s, count(*) AS n FROM s GROUP BY s",
    "SELECT a.n, b.n AS m FROM s AS a LEFT JOIN s AS b ON a.s = b.s AND a.n < b.n",
    "SELECT min(s) AS a, max(s) AS b, count(DISTINCT s) AS c FROM s",
    "SELECT n, s FROM s ORDER BY s DESC NULLS LAST, n LIMIT 3",
    "SELECT k, max(d) AS a, min(e) AS b, sum(e) AS s FROM d GROUP BY k",
    "SELECT a.k, b.k AS l FROM d AS a FULL JOIN d AS b ON a.d = b.d",
    "SELECT count(DISTINCT d) AS c, count(DISTINCT e) AS e, median(e) AS m FROM d",
    "SELECT k, d FROM d ORDER BY d DESC NULLS LAST, k LIMIT 2",
    "SELECT d, e FROM d EXCEPT SELECT d, e FROM d WHERE k = 1",
    "SELECT date_trunc('minute', t) AS m, count(*) AS n FROM x GROUP BY 1",
    "SELECT min(t) AS a, max(t) AS b, min(day) AS c, max(day) AS d FROM x",
    "SELECT a.k, b.k AS l FROM x AS a LEFT JOIN x AS b ON a.day < b.day",
    "SELECT a.k, b.k AS l FROM x AS a FULL JOIN x AS b ON a.t = b.t",
    "SELECT k, extract(year FROM t) AS y, date_trunc('month', t) AS m FROM x",
    "SELECT k, t FROM x ORDER BY t, k LIMIT 3",
    "SELECT a.i, b.u FROM i AS a FULL JOIN i AS b ON a.i = b.u",
    "SELECT max(i) AS a, max(u) AS c, min(b) AS d, bit_and(i) AS e, bit_or(u) AS f, bit_xor(b) AS g FROM i",
    "SELECT i FROM i UNION SELECT b FROM i",
    "SELECT count(*) AS n, sum(v) AS s, max(f) AS m FROM none",
    "SELECT f, count(*) AS n FROM none GROUP BY f",
    "SELECT id, w FROM none FULL JOIN g ON f = g",
    "SELECT id, w FROM f FULL JOIN nothing ON f = g",
    "SELECT id, (SELECT count(*) FROM nothing WHERE g = f) AS c FROM f",
    "SELECT id FROM f WHERE f NOT IN (SELECT g FROM nothing)",
    "SELECT id FROM f WHERE f > ALL (SELECT g FROM nothing)",
    "SELECT id, w FROM one FULL JOIN single ON f = g",
    "SELECT count(*) AS n FROM f CROSS JOIN single",
]


def tables_of(query: str) -> dict[str, pa.Table]:
    words = query.replace("(", " ").replace(")", " ").split()
    named = {word for place, word in enumerate(words) if words[place - 1] in ("FROM", "JOIN")}
    return {name: table for name, table in DIFFICULT.items() if name in named}


def in_any_order(changes: pa.Table) -> pa.Table:
    places = list(range(changes.num_rows))
    random.Random(4).shuffle(places)
    return changes.take(pa.array(places, pa.int64()))


@pytest.mark.parametrize("query", QUERIES)
def test_difficult_rows(query: str) -> None:
    tables = tables_of(query)
    changing = {name: with_retractions(table, 3) for name, table in tables.items()}
    disordered = {name: in_any_order(changes) for name, changes in changing.items()}
    assert_matches_batch(query, tables, batches=[1], partitions=[4], whole=False)
    assert_matches_batch(query, changing, batches=[7], partitions=[1], whole=False)
    assert_matches_batch(query, changing, batches=["all"], partitions=[4], whole=False)
    assert_matches_batch(query, disordered, batches=[1], partitions=[1], whole=False)
    assert_matches_batch(query, disordered, batches=[7], partitions=[4], whole=False)


COPIES = [
    "SELECT k, count(*) AS n, min(s) AS m, count(DISTINCT s) AS d FROM t GROUP BY k",
    "SELECT DISTINCT k, s FROM t",
    "SELECT w, count(*) AS n FROM o LEFT JOIN t ON t.k = o.k GROUP BY w",
    "SELECT w FROM o WHERE NOT EXISTS (SELECT 1 FROM t WHERE t.k = o.k)",
    "SELECT count(*) AS n FROM (SELECT k FROM t EXCEPT ALL SELECT k FROM o) AS x",
    "SELECT k, s FROM t ORDER BY k, s LIMIT 3",
]


@pytest.mark.parametrize("query", COPIES)
@pytest.mark.parametrize("early", [False, True])
def test_a_million_copies_of_a_row_one_of_which_goes(query: str, early: bool) -> None:
    weights = np.ones(1_000_001, np.int64)
    weights[0 if early else -1] = -1
    copies = {"k": np.full(len(weights), 7), "s": pa.array(["copy"]).take(pa.array(np.zeros(len(weights), int)))}
    tables = {"t": pa.table({**copies, WEIGHT: weights})}
    if " o" in query:
        tables["o"] = pa.table({"k": [7, 7, 8, None], "w": [1, 2, 3, 4]})
    assert_matches_batch(query, tables, batches=["all"], partitions=[4], whole=False)
