"""What joins become: which conditions are keys, where the others go, in what order tables meet, what is kept."""

import pyarrow as pa
import pytest

from flow import Graph
from flow.nodes import OperatorNode, RouterNode
from operators import Collect, SqlError, Table, sql
from operators.join import Join
from operators.sql.optimising.optimise import optimise
from operators.sql.plan.nodes import describe
from operators.sql.plan.operators import schema_of
from operators.sql.query import plan_of

TABLES = {
    "a": pa.table({"id": pa.array([], pa.int64()), "x": pa.array([], pa.int64()), "u": pa.array([], pa.string())}),
    "b": pa.table({"id": pa.array([], pa.int64()), "y": pa.array([], pa.int64()), "v": pa.array([], pa.string())}),
    "c": pa.table({"id": pa.array([], pa.int32()), "z": pa.array([], pa.float64()), "w": pa.array([], pa.string())}),
}

PLANS = [
    (
        "SELECT x, y FROM a JOIN b ON a.id = b.id AND x < y AND u = 'k'",
        """
        Join(inner, on id = b.id and x < y)
          Project(id AS id, x AS x)
            Filter(u = 'k')
              Scan(a)
          Project(id AS b.id, y AS y)
            Scan(b)
        """,
    ),
    (
        "SELECT x, y FROM a, b WHERE x = 1 AND v = upper(u) AND y = 2",
        """
        Join(inner, on __key1 = v)
          Project(x AS x, upper(u) AS __key1)
            Filter(x = 1)
              Scan(a)
          Project(y AS y, v AS v)
            Filter(y = 2)
              Scan(b)
        """,
    ),
    (
        "SELECT u, w FROM a, b, c WHERE c.z = a.x AND b.id = c.id",
        """
        Join(inner, on __key2 = b.id)
          Project(u AS u, w AS w, CAST("c.id" AS BIGINT) AS __key2)
            Join(inner, on __key1 = z)
              Project(u AS u, CAST(x AS DOUBLE) AS __key1)
                Scan(a)
              Project(id AS c.id, z AS z, w AS w)
                Scan(c)
          Project(id AS b.id)
            Scan(b)
        """,
    ),
    (
        "SELECT x, y FROM a LEFT JOIN b ON a.id = b.id AND x = 1 AND y = 2 WHERE u = 'k' AND v IS NULL",
        """
        Project(x AS x, y AS y)
          Filter(v IS NULL)
            Join(left, on id = b.id and x = 1)
              Project(id AS id, x AS x)
                Filter(u = 'k')
                  Scan(a)
              Project(id AS b.id, y AS y, v AS v)
                Filter(y = 2)
                  Scan(b)
        """,
    ),
    (
        "SELECT x, y FROM a FULL JOIN b ON a.id = b.id AND x = 1 AND y = 2",
        """
        Join(full, on id = b.id and (x = 1) AND (y = 2))
          Project(id AS id, x AS x)
            Scan(a)
          Project(id AS b.id, y AS y)
            Scan(b)
        """,
    ),
    (
        "SELECT x, y FROM a, b WHERE a.id = b.id AND u = 'k' AND v = 'm' OR a.id = b.id AND u = 'n' AND x > y",
        """
        Join(inner, on id = b.id and ((u = 'k') AND (v = 'm')) OR ((u = 'n') AND (x > y)))
          Filter((u = 'k') OR (u = 'n'))
            Scan(a)
          Project(id AS b.id, y AS y, v AS v)
            Scan(b)
        """,
    ),
    (
        "SELECT a.* FROM a ANTI JOIN b ON a.id IS NOT DISTINCT FROM b.id",
        """
        Join(anti, on id IS NOT DISTINCT FROM b.id)
          Scan(a)
          Project(id AS b.id)
            Scan(b)
        """,
    ),
]


def plan(query: str) -> str:
    graph = Graph("plans")
    return describe(plan_of(query, **{name: graph.source(name, Table(table)) for name, table in TABLES.items()}))


@pytest.mark.parametrize("query", [query for query, _ in PLANS])
def test_a_plan_that_is_optimised_again_gives_the_same_columns(query: str) -> None:
    graph = Graph("plans")
    once = plan_of(query, **{name: graph.source(name, Table(table)) for name, table in TABLES.items()})
    twice = optimise(once)
    assert schema_of(twice).columns == schema_of(once).columns
    assert describe(optimise(twice)) == describe(twice)


@pytest.mark.parametrize(("query", "expected"), PLANS, ids=[query for query, _ in PLANS])
def test_plans(query: str, expected: str) -> None:
    lines = expected.strip("\n").splitlines()
    assert plan(query).splitlines() == [line.removeprefix(" " * 8) for line in lines if line.strip()]


@pytest.mark.parametrize(
    ("written", "condition", "kind"),
    [
        ("LEFT", "y > 1", "inner"),
        ("LEFT", "y + 1 IN (1, 2) OR v LIKE 'k%'", "inner"),
        ("LEFT", "NOT y = 1", "inner"),
        ("LEFT", "x > 1", "left"),
        ("LEFT", "y > 1 OR x > 1", "left"),
        ("LEFT", "y IS NOT DISTINCT FROM 1", "left"),
        ("LEFT", "coalesce(y, 2) > 1", "left"),
        ("LEFT", "NOT (y IS NOT NULL AND y > 1)", "left"),
        ("RIGHT", "x > 1", "inner"),
        ("RIGHT", "y > 1", "right"),
        ("FULL", "x > 1", "left"),
        ("FULL", "y > 1", "right"),
        ("FULL", "x > y", "inner"),
        ("FULL", "x IS NULL", "full"),
    ],
)
def test_a_condition_that_no_null_meets_narrows_an_outer_join(written: str, condition: str, kind: str) -> None:
    shown = plan(f"SELECT x, y FROM a {written} JOIN b ON a.id = b.id WHERE {condition}")
    assert f"Join({kind}, " in shown


def test_both_sides_are_divided_by_the_keys_in_their_order() -> None:
    graph = Graph("routes")
    a, b = (graph.source(name, Table(TABLES[name])) for name in "ab")
    stream = sql("SELECT x, y FROM p JOIN q ON v = u AND p.id = q.id", p=a.key_by("id"), q=b)
    (join,) = (node for node in graph if isinstance(node, OperatorNode) and isinstance(node.operator, Join))
    routers = [graph.node(output.node) for _, output in join.ports]
    shown = [str(router.router) for router in routers if isinstance(router, RouterNode)]
    assert shown == ["hash(u, id)", "hash(v, q.id)"]
    assert stream.schema.names == ["x", "y"]


def test_what_is_divided_by_the_keys_already_is_not_divided_again() -> None:
    graph = Graph("routes")
    a, b = (graph.source(name, Table(TABLES[name])) for name in "ab")
    sql("SELECT a.* FROM a SEMI JOIN b ON a.x = b.y", a=a.key_by("x"), b=b)
    assert [str(node.router) for node in graph if isinstance(node, RouterNode)] == ["hash(x)", "hash(y)"]


def test_inner_joins_of_rows_that_stay_have_no_changes_and_outer_ones_have() -> None:
    graph = Graph("kinds")
    streams = {name: graph.source(name, Table(table)) for name, table in TABLES.items()}
    assert not sql("SELECT x, y, z FROM a JOIN b USING (id) JOIN c USING (id)", **streams).schema.changelog
    assert sql("SELECT x, y, z FROM a JOIN b USING (id) LEFT JOIN c USING (id)", **streams).schema.changelog


def test_columns_of_a_star_with_equal_names_are_numbered() -> None:
    graph = Graph("stars")
    streams = {name: graph.source(name, Table(TABLES[name])) for name in "ab"}
    names = ["id", "x", "u", "id_1", "y", "v", "id_2", "x_1", "u_1"]
    assert sql("SELECT * FROM a CROSS JOIN b CROSS JOIN a AS o", **streams).schema.names == names
    assert sql("SELECT * FROM a RIGHT JOIN b USING (id)", **streams).schema.names == ["id", "x", "u", "y", "v"]


def test_dictionaries_and_text_are_keys_of_one_type() -> None:
    graph = Graph("dictionaries")
    left = pa.table({"k": pa.array(["p", "q", None]).dictionary_encode(), "x": [1, 2, 3]})
    streams = {
        "l": graph.source("l", Table(left)),
        "r": graph.source("r", Table(pa.table({"k": ["q", "q", "s"], "y": [4, 5, 6]}))),
    }
    result = Collect()
    sql("SELECT x, y FROM l JOIN r USING (k)", partitions=3, **streams).sink("out", result)
    graph.run()
    assert sorted(row["y"] for row in result.table().to_pylist()) == [4, 5]


def test_no_window_follows_a_join() -> None:
    graph = Graph("times")
    trades = pa.table({"id": [1], "at": pa.array([0], pa.timestamp("us"))})
    stream = graph.source("t", Table(trades), event_time="at")
    with pytest.raises(SqlError, match="a join has none") as caught:
        sql("SELECT * FROM TUMBLE((SELECT p.at FROM t p JOIN t q USING (id)), at, INTERVAL '1 minute')", t=stream)
    assert "before they are joined" in (caught.value.hint or "")
