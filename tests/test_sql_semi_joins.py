"""Semi joins go below inner joins where that leaves less to do."""

from __future__ import annotations

import pyarrow as pa
import pytest

from flow import Graph
from operators import Collect, Table, sql
from operators.join import Join
from operators.testing import assert_matches_batch

TABLES = {
    "a": pa.table({"i": [1, 2, 2, 3, None], "x": [1, 2, 3, 4, 5]}),
    "b": pa.table({"i": [2, 2, 3, 4, None], "y": [1, 2, 3, 4, 5]}),
    "c": pa.table({"i": [1, 2, 3, 3], "z": [1, 1, 0, 1]}),
}


def joins(query):
    """The kinds of the joins of a query, in the order of the graph: what is below comes first."""
    graph = Graph("semi")
    streams = {name: graph.source(name, Table(table)) for name, table in TABLES.items()}
    sql(query, **streams).sink("out", Collect())
    return [node.operator.kind for node in graph.nodes.values() if isinstance(getattr(node, "operator", None), Join)]


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ("SELECT x, y FROM a JOIN b ON a.i = b.i WHERE x IN (SELECT z FROM c)", ["semi", "inner"]),
        ("SELECT x, y FROM a JOIN b ON a.i = b.i WHERE y IN (SELECT z FROM c)", ["semi", "inner"]),
        ("SELECT x, y FROM a JOIN b ON a.i = b.i WHERE y > 1 AND x IN (SELECT z FROM c)", ["inner", "semi"]),
        ("SELECT x, y FROM a JOIN b ON a.i = b.i WHERE (x, y) IN (SELECT i, z FROM c)", ["inner", "semi"]),
        ("SELECT x, y FROM a LEFT JOIN b ON a.i = b.i WHERE x IN (SELECT z FROM c)", ["left", "semi"]),
    ],
)
def test_where_semi_joins_stand(query, kinds):
    assert joins(query) == kinds
    assert_matches_batch(query, TABLES, batches=(1, "all"))
