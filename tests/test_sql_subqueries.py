"""What subqueries in expressions become: the cheapest joins that keep their meaning."""

import pyarrow as pa
import pytest

from flow import Graph
from operators import Collect, Table, sql
from operators.sql.plan import nodes as p
from operators.sql.query import plan_of
from operators.testing import Input, assert_matches_batch

SURE = pa.schema([pa.field("k", pa.int64(), nullable=False), pa.field("v", pa.int64(), nullable=False)])
T = pa.table({"a": pa.array([1, 2, 2, None], pa.int64()), "b": pa.array([1, 1, None, 2], pa.int64())})
R = pa.table([pa.array([1, 2], pa.int64()), pa.array([1, 5], pa.int64())], SURE)


def plan(query: str, **tables: pa.Table) -> p.Plan:
    graph = Graph("plan")
    return plan_of(query, **{name: graph.source(name, Table(table)) for name, table in tables.items()})


def kinds(query: str, **tables: pa.Table) -> list[str]:
    nodes = list(p.walk(plan(query, **tables)))
    joins = [node.kind for node in nodes if isinstance(node, p.Join)]
    return sorted([*joins, *(type(node).__name__ for node in nodes if isinstance(node, p.Aggregate | p.Distinct))])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT a FROM t WHERE EXISTS (SELECT 1 FROM r WHERE k = a)", ["semi"]),
        ("SELECT a FROM t WHERE NOT EXISTS (SELECT 1 FROM r WHERE k = a AND v < b)", ["anti"]),
        ("SELECT a FROM t WHERE a IN (SELECT k FROM r WHERE v = b)", ["semi"]),
        ("SELECT a FROM t WHERE a NOT IN (SELECT k FROM r)", ["Aggregate", "anti", "left"]),
        ("SELECT k FROM r WHERE k NOT IN (SELECT v FROM s)", ["anti"]),
        ("SELECT a, (SELECT sum(v) FROM r WHERE k = a) AS x FROM t", ["Aggregate", "left"]),
    ],
)
def test_equations_become_keys(query: str, expected: list[str]) -> None:
    tables = {name: table for name, table in {"t": T, "r": R, "s": R}.items() if f"FROM {name}" in query}
    assert kinds(query, **tables) == expected


def test_other_conditions_need_a_domain() -> None:
    assert "Distinct" in kinds("SELECT a, (SELECT sum(v) FROM r WHERE k < a) AS x FROM t", t=T, r=R)


def test_not_in_over_columns_that_are_never_null() -> None:
    query = "SELECT k FROM r WHERE k NOT IN (SELECT v FROM s)"
    assert_matches_batch(query, {"r": Input(R), "s": Input(R)}, batches=(1, "all"), whole=False)


def test_columns_that_an_outer_join_pads_may_be_null() -> None:
    query = "SELECT k FROM r WHERE k NOT IN (SELECT s.v FROM t LEFT JOIN s ON s.k = t.a)"
    assert_matches_batch(query, {"r": Input(R), "s": Input(R), "t": Input(T)}, batches=(1,), whole=False)


def test_two_rows_are_no_value() -> None:
    graph = Graph("two")
    query = "SELECT (SELECT a FROM t WHERE b = k) AS x FROM r"
    sql(query, t=graph.source("t", Table(T)), r=graph.source("r", Table(R))).sink("out", Collect())
    with pytest.raises(ExceptionGroup) as caught:
        graph.run()
    assert "a subquery that is used as a value has more than one row" in str(caught.value.exceptions[0])
