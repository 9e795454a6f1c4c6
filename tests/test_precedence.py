"""Which sources are read first."""

from __future__ import annotations

import pyarrow as pa

from flow import Graph
from flow.layout import lay_out
from flow.settings import Settings
from operators import Collect, Table, sql
from operators.in_process.iterables import Batches


def order(query, **tables):
    graph = Graph("order")
    streams = {
        name: graph.source(name, Table({"k": list(range(rows)), name: [0] * rows}) if isinstance(rows, int) else rows)
        for name, rows in tables.items()
    }
    sql(query, **streams).sink("out", Collect())
    return {name: set(first) for name, first in lay_out(graph.nodes, Settings()).after.items()}


def test_the_smaller_side_of_an_inner_join_is_read_first():
    assert order("SELECT * FROM big JOIN small USING (k)", big=100, small=10) == {"big": {"small"}}
    three = "SELECT * FROM big JOIN mid USING (k) JOIN small USING (k)"
    assert order(three, big=100, mid=50, small=10)["big"] == {"mid", "small"}


def test_the_right_side_of_a_left_join_is_read_first_whatever_its_size():
    assert order("SELECT * FROM a LEFT JOIN b USING (k)", a=10, b=100) == {"a": {"b"}}
    assert order("SELECT * FROM a FULL JOIN b USING (k)", a=10, b=100) == {}


def test_a_source_never_waits_for_itself():
    assert order("SELECT * FROM a JOIN a AS other USING (k)", a=10) == {}
    both = (
        "SELECT * FROM (SELECT * FROM a LEFT JOIN b USING (k)) x "
        "JOIN (SELECT * FROM b LEFT JOIN a USING (k)) y USING (k)"
    )
    first = order(both, a=10, b=100)
    assert first in ({"b": {"a"}}, {"a": {"b"}})


def test_nothing_waits_for_what_may_never_end():
    endless = Batches([pa.record_batch({"k": [1], "b": [1]})])
    assert order("SELECT * FROM a LEFT JOIN b USING (k)", a=10, b=endless) == {}


def test_a_stream_without_end_waits_for_a_small_table_that_is_broadcast():
    endless = Batches([pa.record_batch({"k": [1], "b": [1]})])
    assert order("SELECT * FROM a JOIN b USING (k)", a=10, b=endless) == {"b": {"a"}}


def test_a_run_whose_sources_wait_gives_what_one_without_gives():
    keys = list(range(1000))
    for rows in (10, 2000):
        graph, out = Graph("run"), Collect()
        a = graph.source("a", Table({"k": keys * 3, "x": keys * 3}, 100))
        b = graph.source("b", Table({"k": [key % 1000 for key in range(rows)], "y": list(range(rows))}, 100))
        sql("SELECT count(*) AS n, sum(x + y) AS s FROM a JOIN b USING (k)", a=a, b=b).sink("out", out)
        graph.run()
        total = sum(3 * ((row % 1000) + row) for row in range(rows))
        assert out.changes().to_pylist()[-1] == {"n": 3 * rows, "s": total, "_weight": 1}


def test_sources_are_read_side_by_side_where_that_is_wanted():
    graph = Graph("order")
    streams = {name: graph.source(name, Table({"k": list(range(rows))})) for name, rows in (("a", 10), ("b", 100))}
    sql("SELECT * FROM a JOIN b USING (k)", **streams).sink("out", Collect())
    assert lay_out(graph.nodes, Settings()).after
    assert not lay_out(graph.nodes, Settings(interleaved=True)).after
