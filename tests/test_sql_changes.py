"""Scripts over tables of changes: Debezium's events, rows that replace each other, weights; compared with DuckDB."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from operators import SqlError, read_script, script
from tests.test_debezium import history, written

QUERY = "SELECT name, count(*) AS people, sum(n) AS total, max(n) AS most FROM people WHERE n < 4 GROUP BY name"
JOINED = """SELECT p.id, p.n, t.total FROM people p LEFT JOIN (SELECT name, sum(n) AS total FROM people GROUP BY name) t
ON p.name = t.name"""


def table(name: str, columns: str, **options: str) -> str:
    settings = ", ".join(f"{option} = '{value}'" for option, value in options.items())
    return f"CREATE TABLE {name} {columns} WITH (connector = 'files', {settings});\n"


def rows_in(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for part in sorted(folder.glob("part-*")) for line in part.read_text().splitlines()]


def folded(rows: Sequence[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    """The table that upserts make."""
    held: dict[Any, dict[str, Any]] = {}
    for row in rows:
        held.pop(row[key], None)
        if not row.pop("_deleted"):
            held[row[key]] = row
    return list(held.values())


def expected(query: str, held: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    people = pa.Table.from_pylist(  # noqa: F841  # DuckDB finds it by its name
        list(held), pa.schema([("id", pa.int64()), ("name", pa.string()), ("n", pa.int64())])
    )
    return duckdb.sql(query).to_arrow_table().to_pylist()


def as_sorted(rows: Sequence[dict[str, Any]]) -> list[str]:
    return sorted(json.dumps(row, sort_keys=True) for row in rows)


@pytest.mark.parametrize("seed", [11, 12])
@pytest.mark.parametrize("key", ["", ", PRIMARY KEY (id) NOT ENFORCED"])
def test_groups_of_events_fold_to_the_groups_of_the_table(tmp_path: Path, seed: int, key: str) -> None:
    events, held = history(seed, 800, whole=not key)
    path = written(tmp_path / "events.jsonl", events)
    text = table("people", f"(id BIGINT, name VARCHAR, n BIGINT{key})", path=path, format="debezium-json")
    text += table("named", "(name VARCHAR PRIMARY KEY, people BIGINT, total BIGINT, most BIGINT)",
                  path=str(tmp_path / "out"), format="json", changes="upsert")  # fmt: skip
    text += f"INSERT INTO named SELECT coalesce(name, '-'), people, total, most FROM ({QUERY}) AS q"
    script(text).run(partitions=3, readers=2)
    wanted = expected(f"SELECT coalesce(name, '-') AS name, people, total::BIGINT AS total, most FROM ({QUERY})",
                      list(held.values()))  # fmt: skip
    assert as_sorted(folded(rows_in(tmp_path / "out"), "name")) == as_sorted(wanted)


@pytest.mark.parametrize("out", ["debezium-json", "debezium_json"])
def test_a_join_of_events_is_written_as_events(tmp_path: Path, out: str) -> None:
    events, held = history(13, 500)
    path = written(tmp_path / "events.jsonl", events)
    text = table("people", "(id BIGINT, name VARCHAR, n BIGINT, PRIMARY KEY (id))", path=path, format="debezium-json")
    text += table(
        "joined", "(id BIGINT, n BIGINT, total BIGINT, PRIMARY KEY (id))", path=str(tmp_path / "out"), format=out
    )
    graph = script(text + f"INSERT INTO joined {JOINED}")
    assert "joined.by_key" in graph.nodes
    graph.run(partitions=3)
    held_by: dict[int, Any] = {}
    for event in rows_in(tmp_path / "out"):
        assert event["op"] == ("d" if event["after"] is None else "c" if event["before"] is None else "u")
        if event["before"] is not None:
            assert held_by.pop(event["before"]["id"]) == event["before"]
        if event["after"] is not None:
            held_by[event["after"]["id"]] = event["after"]
    wanted = expected(f"SELECT id, n, total::BIGINT AS total FROM ({JOINED})", list(held.values()))
    assert as_sorted(list(held_by.values())) == as_sorted(wanted)


def test_the_key_of_the_groups_is_the_key_of_the_sink(tmp_path: Path) -> None:
    events, held = history(14, 300)
    text = table("people", "", path=written(tmp_path / "events.jsonl", events), format="debezium-json")
    text += table("named", "", path=str(tmp_path / "out"), format="json", changes="upsert")
    script(text + "INSERT INTO named SELECT n, count(*) AS people FROM people GROUP BY n").run(partitions=2)
    wanted = expected("SELECT n, count(*) AS people FROM people GROUP BY n", list(held.values()))
    assert as_sorted(folded(rows_in(tmp_path / "out"), "n")) == as_sorted(wanted)


def upserts(tmp_path: Path, lines: Sequence[dict[str, Any]], columns: str, **options: str) -> list[dict[str, Any]]:
    """The table that is read of lines that replace each other, as it is written again."""
    path = written(tmp_path / "rows.jsonl", lines)
    text = table("people", columns, path=path, format="json", changes="upsert", **options)
    text += table("out", "", path=str(tmp_path / "out"), format="json", changes="weight")
    script(text + "INSERT INTO out SELECT * FROM people").run(readers=3, partitions=2)
    held: list[dict[str, Any]] = []
    for row in rows_in(tmp_path / "out"):
        weight = row.pop("_weight")
        held.append(row) if weight > 0 else held.remove(row)
    return held


def test_later_rows_replace_earlier_ones(tmp_path: Path) -> None:
    rng = random.Random(5)
    lines: list[dict[str, Any]] = [
        {"id": rng.randrange(30), "n": i if rng.random() < 0.8 else None, "op": rng.choice("uud")} for i in range(400)
    ]
    last = {line["id"]: line for line in lines}
    columns = "(id BIGINT PRIMARY KEY, n BIGINT, op VARCHAR)"
    got = upserts(tmp_path, lines, columns, deletes="op = ''d''")
    assert as_sorted(got) == as_sorted([line for line in last.values() if line["op"] != "d"])


def test_rows_of_nulls_delete(tmp_path: Path) -> None:
    lines = [{"id": 1, "n": 1}, {"id": 2, "n": 2}, {"id": 1, "n": None}, {"id": 3}]
    assert upserts(tmp_path, lines, "(id BIGINT PRIMARY KEY, n BIGINT)", deletes="nulls") == [{"id": 2, "n": 2}]


def test_a_column_that_deletes_is_not_in_the_table(tmp_path: Path) -> None:
    lines = [{"id": 1, "gone": False}, {"id": 2, "gone": False}, {"id": 1, "gone": True}]
    assert upserts(tmp_path, lines, "(id BIGINT PRIMARY KEY, gone BOOLEAN)", deletes="gone") == [{"id": 2}]


def test_rows_have_weights(tmp_path: Path) -> None:
    changes = pa.table({"_weight": pa.array([1, 1, -1, 2], pa.int32()), "id": [1, 2, 1, 3], "extra": [0, 0, 0, 0]})
    pq.write_table(changes, tmp_path / "changes.parquet")
    text = table("people", "(id BIGINT)", path=str(tmp_path / "changes.parquet"), changes="weight")
    text += table("out", "", path=str(tmp_path / "out"), format="json")
    script(text + "INSERT INTO out SELECT sum(id) AS ids, count(*) AS n FROM people EMIT FINAL").run()
    assert rows_in(tmp_path / "out") == [{"ids": 8, "n": 3}]


def test_all_that_is_wrong_goes_to_the_dead_letters(tmp_path: Path) -> None:
    events = [
        {"op": "c", "after": {"id": 1}},
        {"after": {"id": 2}},
        {"op": "c", "after": {"id": None}},
        {"op": "d", "before": {"id": 77}},
        {"op": "c", "after": {"id": 1}},
        {"op": "u"},
    ]
    path = written(tmp_path / "events.jsonl", events)
    text = table("letters", "", path=str(tmp_path / "letters"), format="json")
    text += table("people", "(id BIGINT PRIMARY KEY)", path=path, format="debezium-json", dead_letters="letters")
    text += table("out", "", path=str(tmp_path / "out"), format="json", changes="weight")
    script(text + "INSERT INTO out SELECT id FROM people").run()
    assert rows_in(tmp_path / "out") == [{"id": 1, "_weight": 1}]
    errors = {(row["node"], row["error"].removeprefix(f"'{path}': ")) for row in rows_in(tmp_path / "letters")}
    assert errors == {
        ("people", "no 'op', which says what has happened: 'c', 'u', 'd' or 'r'"),
        ("people", "op 'u' without 'after'"),
        ("people.upsert", "NULL in the key column 'id'"),
    }


IN = "CREATE TABLE t {0} WITH (connector = 'files', path = 'in.jsonl', {1});\n"
OUT = "CREATE TABLE o WITH (connector = 'files', path = 'out'{0});\n"
KEYED = "(id BIGINT PRIMARY KEY, n BIGINT)"
INSERT = "INSERT INTO o SELECT id, n FROM t"


@pytest.mark.parametrize(
    ("columns", "read", "out", "query", "at", "message"),
    [
        ("", "changes = 'upsert'", "", INSERT, "changes", "replace each other by key: declare the PRIMARY KEY"),
        ("", "deletes = 'nulls'", "", INSERT, "deletes", "write changes = 'upsert' as well"),
        (KEYED, "changes = 'upsert', deletes = 'm > 0'", "", INSERT, "deletes", "no column 'm' in 't'"),
        (KEYED, "changes = 'upsert', deletes = 'n +'", "", INSERT, "deletes", "what deletes is 'nulls' or a condition"),
        (KEYED, "changes = 'upsert', deletes = 'n'", "", INSERT, "t (id", "what deletes is a condition"),
        ("", "changes = 'debezium'", "", INSERT, "changes", "no value 'debezium'; known here: ['upsert', 'weight']"),
        ("", "format = 'debezium-json', changes = 'upsert'", "", INSERT, "changes", "declare the PRIMARY KEY"),
        ("", "format = 'debezium-json', source_time = 'at'", "", INSERT, "source_time", "only the new row has the"),
        (KEYED, "changes = 'upsert'", "", INSERT, "id, n FROM", "rows of this query are taken back: 't.upsert' takes"),
        ("(id BIGINT PRIMARY KEY, n TIMESTAMP(3), WATERMARK FOR n AS n)", "changes = 'upsert'", "", INSERT,
         "n AS n", "takes back rows of long ago"),
        ("", "format = 'json'", "", "INSERT INTO o\nSELECT a.id, b.n FROM t AS a LEFT JOIN t AS b ON a.id = b.n",
         "a.id, b.n", "'o.join' (left join) takes back the row without partner once a partner comes"),
        ("", "format = 'json'", ", changes = 'upsert'", INSERT, "o WITH", "changes by key need the key"),
        ("", "format = 'json'", ", format = 'csv', changes = 'debezium'", INSERT, "o WITH", "no way 'debezium'"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_where_it_stands(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    columns: str,
    read: str,
    out: str,
    query: str,
    at: str,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "in.jsonl", [{"id": 1, "n": 1, "op": "c", "after": {"id": 1, "n": 1}}])
    text = IN.format(columns or "(id BIGINT, n BIGINT)", read) + OUT.format(out or ", format = 'json'") + query
    if out.startswith(", changes"):
        text = text.replace(out, out + ", format = 'json'")
    with pytest.raises(SqlError) as error:
        script(text)
    assert message in error.value.message
    before = text[: text.index(at)]
    assert (error.value.line, error.value.column) == (before.count("\n") + 1, len(before) - before.rfind("\n"))


def test_errors_say_what_to_write_instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "in.jsonl", [{"id": 1, "n": 1}])
    text = IN.format("(id BIGINT, n BIGINT)", "format = 'json'") + OUT.format(", format = 'json'")
    with pytest.raises(SqlError) as error:
        script(text + "INSERT INTO o SELECT n, count(*) AS c FROM t GROUP BY n")
    hint = str(error.value.hint)
    for way in ("changes = 'weight'", "changes = 'upsert' and a PRIMARY KEY", "'debezium-json'", "EMIT FINAL"):
        assert way in hint


def test_tables_of_changes_are_checked_and_explained(tmp_path: Path) -> None:
    path = written(tmp_path / "rows.jsonl", [{"id": 1, "n": 1}, {"id": 2}, {"id": 2, "n": 5}, {"id": 1, "n": 2}])
    text = table("letters", "", path=str(tmp_path / "letters"), format="json")
    text += table("people", "(id BIGINT, n BIGINT NOT NULL, d AS n * 2, PRIMARY KEY (id))",
                  path=path, format="json", changes="upsert", dead_letters="letters")  # fmt: skip
    text += table("out", "", path=str(tmp_path / "out"), format="json", changes="upsert")
    asked = read_script(
        text + "EXPLAIN PHYSICAL SELECT id FROM people; INSERT INTO out SELECT id, d FROM people WHERE d > 1"
    )
    assert "keeps the last row of each key" in str(asked.answers[0].table.to_pylist())
    assert "out.by_key" not in asked.graph.nodes
    asked.graph.run(partitions=2)
    assert as_sorted(folded(rows_in(tmp_path / "out"), "id")) == as_sorted([{"id": 1, "d": 4}, {"id": 2, "d": 10}])
