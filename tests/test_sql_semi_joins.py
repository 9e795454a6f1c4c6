"""Semi joins go below inner joins, and below aggregates, where that leaves less to do."""

from __future__ import annotations

import pyarrow as pa
import pytest

from flow import Graph
from operators import Collect, Table, sql
from operators.join import Join
from operators.sql.plan.nodes import Aggregate, walk
from operators.sql.plan.nodes import Join as PlannedJoin
from operators.sql.query import plan_of
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


SIZED = {
    "kinds": pa.table({"kind": [1, 2, 3, None], "label": ["a", "b", "a", "b"]}),
    "sales": pa.table({"kind": [1, 1, 2, 2, 3, 4, None], "amount": [5, 1, 7, 2, 9, 4, 3]}),
}
OF_ONE_KIND = "SELECT s.amount FROM sales s JOIN kinds k ON s.kind = k.kind WHERE k.label = 'a' AND s.amount "
ASKED = [
    (OF_ONE_KIND + "> (SELECT avg(i.amount) FROM sales i WHERE i.kind = k.kind)", True),
    (OF_ONE_KIND + "= (SELECT max(i.amount) FROM sales i WHERE i.kind = k.kind)", True),
    ("SELECT label, (SELECT count(*) FROM sales i WHERE i.kind = k.kind) AS n FROM kinds k WHERE label = 'a'", True),
    # Everybody asks, and nobody may take back what is asked for.
    ("SELECT label, (SELECT count(*) FROM sales i WHERE i.kind = k.kind) AS n FROM kinds k", False),
    (
        "SELECT n, (SELECT count(*) FROM sales i WHERE i.kind = k.n) AS m "
        "FROM (SELECT label, count(*) AS n FROM kinds GROUP BY label) k WHERE label = 'a'",
        False,
    ),
]


@pytest.mark.parametrize(("query", "few"), ASKED)
def test_an_aggregate_computes_the_groups_that_a_join_asks_for(query, few):
    graph = Graph("asked")
    # As many rows as it takes for a condition to leave few of them.
    large = {name: pa.concat_tables([table] * 100) for name, table in SIZED.items()}
    plan = plan_of(query, **{name: graph.source(name, Table(table)) for name, table in large.items()})
    below = [part for each in walk(plan) if isinstance(each, Aggregate) for part in walk(each)]
    assert any(isinstance(part, PlannedJoin) and part.kind == "semi" for part in below) == few
    assert_matches_batch(query, SIZED, batches=(1, "all"))
    assert_matches_batch(query, large, batches=("all",))
