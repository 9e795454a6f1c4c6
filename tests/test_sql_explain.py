"""EXPLAIN: what is known of each node of a plan. Unique keys are held against the results of all cases of tests/sql."""

from pathlib import Path

import pyarrow as pa
import pytest

from flow import Graph, Stream
from flow.schema import WEIGHT
from operators import Table, explain, read_script, script
from operators.sql.grammar.dialect import Text, parse
from operators.sql.plan.nodes import Scan
from operators.sql.plan.operators import schema_of
from operators.sql.plan.unique import unique_keys
from operators.sql.planning.planner import plan_query
from operators.sql.query import plan_of
from operators.testing import Reference
from tests.sql_cases import Case, all_cases
from tests.user_functions import FUNCTIONS


def streams(tables: dict[str, pa.Table]) -> dict[str, Stream]:
    graph = Graph("explained")
    return {
        name: graph.source(name, Table(table), event_time="event_time" if "event_time" in table.column_names else None)
        for name, table in tables.items()
    }


ONE = pa.table({"id": [1], "city": ["Bern"], "n": [3]})
OTHER = pa.table({"key": [1], "owner": [1], "price": [2.0]})


def keys(query: str) -> tuple[tuple[str, ...], ...]:
    """The unique keys of a query over two tables, `one` with the key id, and `other` with the key `key`."""
    given = streams({"one": ONE, "other": OTHER})
    catalog = {
        "one": Scan("one", given["one"].schema, (("id",),)),
        "other": Scan("other", given["other"].schema, (("key",),)),
    }
    text = Text(query)
    return unique_keys(plan_query(text, parse(text)[0], catalog))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT id AS i, city FROM one WHERE n > 1", (("i",),)),
        ("SELECT city FROM one", ()),
        ("SELECT DISTINCT city, n FROM one", (("city", "n"),)),
        ("SELECT DISTINCT id, n FROM one", (("id",),)),
        ("SELECT city, max(n) AS m FROM one GROUP BY city", (("city",),)),
        ("SELECT city FROM one WHERE id = 3 AND n > 1", ((),)),
        ("SELECT max(n) FROM one", ((),)),
        ("SELECT * FROM other JOIN one ON owner = id", (("key",),)),
        ("SELECT * FROM other LEFT JOIN one ON owner = id", (("key",),)),
        ("SELECT * FROM other RIGHT JOIN one ON owner = id", (("key", "id"),)),
        ("SELECT * FROM other FULL JOIN one ON owner = id", ()),
        ("SELECT * FROM other JOIN one ON owner = n", (("key", "id"),)),
        ("SELECT * FROM one WHERE id IN (SELECT owner FROM other)", (("id",),)),
        ("SELECT id FROM one EXCEPT ALL SELECT owner FROM other", (("id",),)),
        ("SELECT owner FROM other INTERSECT ALL SELECT id FROM one", (("owner",),)),
        ("SELECT id FROM one UNION ALL SELECT id FROM one", ()),
        ("SELECT id FROM one UNION SELECT id FROM one", (("id",),)),
        ("SELECT DISTINCT ON (city) city, n FROM one ORDER BY city, n", (("city",),)),
        ("SELECT city, n FROM one ORDER BY n LIMIT 1", ((),)),
        ("SELECT id, x, n FROM one CROSS JOIN UNNEST(ARRAY[n]) WITH ORDINALITY AS t (x, place)", ()),
        (
            "SELECT id, place FROM one CROSS JOIN UNNEST(ARRAY[n]) WITH ORDINALITY AS t (x, place)",
            (("id", "place"),),
        ),
        ("SELECT city, row_number() OVER (PARTITION BY city ORDER BY n) AS r FROM one", (("city", "r"),)),
    ],
)
def test_unique_keys(query: str, expected: tuple[tuple[str, ...], ...]) -> None:
    assert keys(query) == expected


@pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.name)
def test_what_is_said_to_be_unique_is_so(case: Case) -> None:
    tables = {name: table for name, table in case.used().items() if WEIGHT not in table.column_names}
    if tables.keys() != case.used().keys() or not tables:
        return
    plan = plan_of(case.query, functions=FUNCTIONS, **streams(tables))  # type: ignore[arg-type]  # tables have other names
    claimed, names = unique_keys(plan), schema_of(plan).names
    with Reference(case.duckdb or case.query) as batch:
        result = batch.table(tables)
    for key in claimed:
        if not key:
            assert result.num_rows <= 1
            continue
        columns = [result.columns[place] for place in map(names.index, key)]
        rows = pa.table({str(place): column for place, column in enumerate(columns)})
        assert len(rows.group_by(rows.column_names).aggregate([])) == result.num_rows


def test_the_logical_plan() -> None:
    query = "SELECT city, count(*) AS c FROM one WHERE n > 1 GROUP BY city UNION ALL SELECT 'x', 1"
    assert explain(query, **streams({"one": ONE})) == (
        """\
Union
│   changelog: city TEXT, c BIGINT
├─ Aggregate(by [city], c, emit changes)
│  │   changelog: city TEXT, c BIGINT
│  │   unique: (city)
│  │   keeps one entry a key: grows with the keys, for ever
│  └─ Filter(n > 1)
│     │   append-only: id BIGINT, city TEXT, n BIGINT
│     └─ Scan(one)
│            append-only: id BIGINT, city TEXT, n BIGINT
└─ Project('x' AS city, 1 AS c)
   │   append-only: city TEXT, c BIGINT
   │   unique: one row at most
   └─ Values(one row)
          append-only
          unique: one row at most
"""
    )


def test_a_join_keeps_both_sides() -> None:
    query = "SELECT city, price FROM other JOIN one ON owner = id"
    kept = "keeps every row of both sides, of each until the other has ended: grows with the rows, for ever"
    assert kept in explain(query, **streams({"one": ONE, "other": OTHER}))


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("SELECT max(n) AS m FROM one", "one entry: bounded"),
        ("SELECT count(DISTINCT n) AS m FROM one GROUP BY city", "every different value of each key (m)"),
        ("SELECT DISTINCT city FROM one", "one entry a key: grows with the keys, for ever"),
        ("SELECT n FROM one INTERSECT SELECT id FROM one", "one entry for each distinct row of both sides"),
        ("SELECT city FROM one ORDER BY n LIMIT 3 OFFSET 2", "the first 5 rows: bounded"),
        ("SELECT n FROM one QUALIFY row_number() OVER (PARTITION BY n) < 3", "the first 2 rows of each key"),
        ("SELECT max(m) FROM (SELECT count(*) m FROM one GROUP BY n) AS c", "every different value of all rows (max)"),
        ("SELECT city FROM one WHERE id IN (SELECT owner FROM other)", "every row of the left side, and the number of"),
    ],
)  # fmt: skip
def test_the_state_of_operators(query: str, kept: str) -> None:
    assert f"keeps {kept}" in explain(query, **streams({"one": ONE, "other": OTHER}))


def test_windows_are_bounded_and_their_groups_unique() -> None:
    timed = pa.table({"event_time": pa.array([0], pa.timestamp("us")), "city": ["Bern"]})
    query = "SELECT city, window_start, count(*) AS n FROM TUMBLE(timed, event_time, INTERVAL '1 minute') GROUP BY 1, 2"
    text = explain(query, **streams({"timed": timed}))
    assert "Aggregate(by [city, windows of 1m], n, emit final)" in text
    assert "keeps one entry a key in each open window: bounded" in text
    assert text.splitlines()[2].endswith("unique: (city, window_start)")


def test_a_common_part_is_shown_once() -> None:
    text = explain(
        "WITH c AS (SELECT n, count(*) AS m FROM one GROUP BY n) SELECT a.m FROM c AS a JOIN c AS b ON a.m = b.m + 1",
        **streams({"one": ONE}),
    )
    assert text.count("keeps one entry a key") == 1
    assert "the same as above, computed once" in text


def test_explaining_adds_nothing() -> None:
    given = streams({"one": ONE})
    before = list(given["one"].graph.nodes)
    physical = explain("SELECT city, count(*) AS n FROM one GROUP BY city", physical=True, **given)
    assert list(given["one"].graph.nodes) == before
    assert "→ hash(city) → query.aggregate" in physical
    assert "keeps one entry a key: grows with the keys, for ever" in physical
    assert "reads 1 split; 1 of 3 columns" in physical


def test_explain_in_a_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one.csv").write_text("id,city\n1,Bern\n")
    text = (
        "CREATE TABLE one (id BIGINT PRIMARY KEY, city VARCHAR) WITH (connector = 'files', path = 'one.csv');"
        "CREATE TABLE out (n INT) WITH (connector = 'null'); SET partitions = 5;"
        "EXPLAIN SELECT city FROM one WHERE id > 1; EXPLAIN LOGICAL INSERT INTO out SELECT id FROM one;"
        "EXPLAIN PHYSICAL SELECT city, count(*) FROM one GROUP BY city;"
    )
    logical, insert, physical = ["\n".join(each.table["plan"].to_pylist()) for each in read_script(text).answers]
    assert logical.splitlines()[0] == "Project(city AS city)"
    assert "unique: (id)" in logical
    assert insert.splitlines()[0] == "Project(CAST(id AS INTEGER) AS n)"
    assert "query.aggregate  (5 partitions)" in physical
    assert list(script(text + "SELECT id FROM one").nodes) == ["one", "result.project", "result"]


def test_all_statements_of_a_script_are_explained() -> None:
    read = read_script(
        "CREATE TABLE out WITH (connector = 'null'); CREATE MATERIALIZED VIEW v AS SELECT 1 AS a;"
        "INSERT INTO out SELECT a FROM v; SELECT a + 1 FROM v"
    )
    assert [name for name, _ in read.plans] == ["v", "out", "result"]
