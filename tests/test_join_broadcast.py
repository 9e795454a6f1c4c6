"""Joins of a stream with a table that every partition has whole."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from flow import Graph, GraphError, PartitionContext, StreamSchema
from flow.operator import KEY_GROUP
from flow.router import Hash
from flow.schema import WEIGHT
from operators import Collect, Join, Table, agg, col, sql
from operators.sql.explain import explain
from tests.aggregating import oracle

CHANGES = pa.schema([("k", pa.int64()), ("y", pa.int64()), pa.field(WEIGHT, pa.int64(), nullable=False)])
TEXTS = pa.array([None, "a", "b", "c", "only here"])


def trades(rows=500):
    codes = np.arange(rows) % 5
    symbols = pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), TEXTS)
    return pa.table({"symbol": symbols, "x": np.arange(rows)})


REF = pa.table({"ref": ["a", "b", "b", None, "never"], "y": [1, 2, 30, 4, 5]})


def joined(kind, condition, rows=7):
    graph, out = Graph("broadcast"), Collect()
    stream = graph.source("trades", Table(trades(), rows))
    table = graph.source("ref", Table(REF, 1))
    on = {"symbol": "ref"}
    stream.join(table, on=on, kind=kind, condition=condition, broadcast=True, partitions=3).sink("out", out)
    graph.run(readers=2)
    assert not any(isinstance(getattr(node, "router", None), Hash) for node in graph)
    return Counter(tuple(row.values()) for row in out.table().to_pylist())


@pytest.mark.parametrize("kind", ["inner", "left", "semi", "anti"])
@pytest.mark.parametrize("condition", [None, "x % 20 > y"])
def test_it_gives_what_duckdb_gives(kind, condition):
    on = "symbol = ref" + (f" AND {condition}" if condition else "")
    query = f"SELECT * FROM t {kind.upper()} JOIN r ON {on}"
    expected = Counter(oracle(query, t=trades().cast(pa.schema([("symbol", pa.string()), ("x", pa.int64())])), r=REF))
    assert joined(kind, None if condition is None else col("x") % 20 > col("y")) == expected


def test_every_row_meets_every_row_in_several_partitions():
    graph, out = Graph("cross"), Collect()
    many, few = (graph.source(name, Table({name: list(range(rows))}, 10)) for name, rows in (("a", 100), ("b", 3)))
    many.join(few, broadcast=True, partitions=2).aggregate(n=agg.count(), s=agg.sum("a")).sink("out", out)
    graph.run()
    assert out.table().to_pylist() == [{"n": 300, "s": 3 * 4950}]


@pytest.mark.parametrize(("kind", "side"), [("right", "right"), ("full", "left"), ("semi", "left"), ("anti", "left")])
def test_a_side_whose_rows_come_out_alone_is_refused(kind, side):
    with pytest.raises(GraphError, match=f"the {side} side of a {kind} join cannot be broadcast"):
        Join(kind, [("a", "b")], broadcast=side)


def test_a_stream_that_takes_rows_back_is_refused():
    log = StreamSchema(pa.schema([("a", pa.int64()), pa.field(WEIGHT, pa.int64(), nullable=False)]))
    with pytest.raises(GraphError, match="the right side is broadcast, so the other must be append-only"):
        Join("inner", [("a", "k")], broadcast="right").output({"left": log, "right": StreamSchema(CHANGES)})


@pytest.mark.parametrize("ended", [False, True])
@pytest.mark.parametrize("after", [1, 2, 3])
def test_it_goes_on_after_a_restore_in_any_number_of_partitions(ended, after):
    """The table changes, and rows that came before it turn; after a restore, each partition has the table once."""
    operator = Join("left", [("a", "k")], broadcast="right")
    inputs = {"left": StreamSchema(pa.schema([("a", pa.int64())])), "right": StreamSchema(CHANGES)}
    number, out = 2, Counter()

    def opened(number, tables=()):
        parts = []
        for place in range(number):
            context = PartitionContext("join", inputs, place, number)
            part = operator.open(context)
            given = {}
            for name in {name for each in tables for name in each}:
                table = pa.concat_tables([each[name] for each in tables if name in each])
                owned = [group is None or group in context.key_groups for group in table[KEY_GROUP].to_pylist()]
                given[name] = table.filter(pa.array(owned, pa.bool_()))
            if given:
                part.restore(given)
            parts.append(part)
        return parts

    def summed(batches):
        for row in (row for batch in batches for row in batch.to_pylist()):
            weight = row.pop(WEIGHT)
            out[tuple(row.values())] += weight

    def change(parts, *rows):
        batch = pa.RecordBatch.from_pylist([dict(zip(CHANGES.names, row, strict=True)) for row in rows], CHANGES)
        for part in parts:
            summed(part.on_batch(batch, "right"))

    parts = opened(number)
    for part in parts:
        summed(part.on_batch(pa.record_batch({"a": pa.array([1, 2, None], pa.int64())}), "left"))
    change(parts, (1, 10, 1), (3, 30, 1), (2, 20, 1))
    change(parts, (2, 20, -1))
    if ended:
        for part in parts:
            part.on_port_end("right")
    parts = opened(after, [part.snapshot() for part in parts])
    assert {part._sides[1].rows for part in parts} == {2}
    for part in parts:
        summed(part.on_batch(pa.record_batch({"a": pa.array([3, 2], pa.int64())}), "left"))
    if not ended:
        change(parts, (2, 21, 1), (1, 10, -1))
    twos = (2, 2, 21) if not ended else (2, None, None)
    once = (1, None, None) if not ended else (1, 1, 10)
    assert +out == Counter({once: 2, twos: 2 + after, (None, None, None): 2, (3, 3, 30): after})


BIG = pa.table({"k": np.arange(600_000) % 1000, "x": np.arange(600_000)})
SMALL = pa.table({"k": np.arange(10), "y": np.arange(10)})
TABLES = {"big": BIG, "small": SMALL, "other": SMALL}


def planned(query, **declared):
    graph = Graph("planned")
    streams = {name: graph.source(name, Table(table), broadcast=declared.get(name)) for name, table in TABLES.items()}
    sql(query, name="q", **streams).sink("out", Collect())
    joins = [node.operator for node in graph if isinstance(getattr(node, "operator", None), Join)]
    return [join.broadcast for join in joins], streams


@pytest.mark.parametrize(
    ("query", "side"),
    [
        ("SELECT * FROM big JOIN small USING (k)", "right"),
        ("SELECT * FROM small JOIN big USING (k)", "left"),
        ("SELECT * FROM big LEFT JOIN (SELECT k, max(y) AS y FROM small GROUP BY k) m USING (k)", "right"),
        ("SELECT * FROM small RIGHT JOIN big USING (k)", "left"),
        ("SELECT * FROM small LEFT JOIN big USING (k)", None),
        ("SELECT * FROM big FULL JOIN small USING (k)", None),
        ("SELECT * FROM big WHERE k IN (SELECT k FROM small)", "right"),
        ("SELECT * FROM big JOIN small ON big.x < small.y", "right"),
        ("SELECT * FROM small JOIN other USING (k)", None),
        ("SELECT * FROM big JOIN (SELECT a.k FROM small a, small b, small c) s USING (k)", None),
        ("SELECT * FROM (SELECT k, sum(x) AS x FROM big GROUP BY k) b JOIN small USING (k)", None),
    ],
)
def test_sql_broadcasts_what_is_small_beside_what_is_large(query, side):
    sides, _ = planned(query)
    assert sides[-1] == side


def test_what_is_declared_holds():
    assert planned("SELECT * FROM big JOIN small USING (k)", small=False)[0] == [None]
    assert planned("SELECT * FROM small JOIN other USING (k)", other=True)[0] == ["right"]
    assert planned("SELECT * FROM small JOIN other USING (k)", small=True)[0] == ["left"]
    assert planned("SELECT * FROM small LEFT JOIN other USING (k)", small=True)[0] == [None]


def test_explain_shows_it():
    _, streams = planned("SELECT 1 FROM big")
    shown = explain("SELECT * FROM big JOIN small USING (k)", physical=True, **streams)
    assert "broadcast" in shown
    assert "hash" not in shown
