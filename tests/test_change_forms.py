from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow import Graph, GraphError, RowError
from flow.schema import StreamSchema, changelog_of
from operators import Callback, Collect, Csv, DebeziumJson, JsonLines, JsonLinesSink, Parquet, ParquetSink, Table, agg
from operators.change_streams.forms import ChangeForm
from operators.files.description import FileSource

COLUMNS = pa.schema([("k", pa.string()), ("x", pa.int64())])
CHANGELOG = StreamSchema(changelog_of(COLUMNS))
Change = tuple[str | None, int | None, int]


def batch_of(*changes: Change) -> pa.RecordBatch:
    columns = list(zip(*changes, strict=True)) or [(), (), ()]
    arrays = [pa.array(column, kind) for column, kind in zip(columns, CHANGELOG.columns.types, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=CHANGELOG.columns)


def events(form: ChangeForm, *changes: Change) -> list[tuple[str, Any, Any]]:
    return [
        (row["op"], row["before"] and row["before"]["x"], row["after"] and row["after"]["x"])
        for row in form.apply(batch_of(*changes), CHANGELOG).to_pylist()
    ]


def test_what_goes_and_what_comes_of_a_key_is_one_update() -> None:
    form = ChangeForm("debezium", "k")
    changes: list[Change] = [("a", 1, -1), ("b", 5, 1), ("c", 7, -1), ("a", 2, 1)]
    assert events(form, *changes) == [("u", 1, 2), ("c", None, 5), ("d", 7, None)]
    assert events(form, *changes[::-1]) == [("u", 1, 2), ("d", 7, None), ("c", None, 5)]
    assert events(ChangeForm("debezium"), *changes) == [("d", 1, None), ("c", None, 5), ("d", 7, None), ("c", None, 2)]


def test_what_comes_and_goes_again_leaves_nothing() -> None:
    form = ChangeForm("debezium", "k")
    assert events(form, ("a", 1, -1), ("a", 2, 1), ("a", 2, -1), ("a", 3, 1)) == [("u", 1, 3)]
    assert events(form, ("a", 1, 1), ("a", 1, -1)) == []
    assert events(ChangeForm("debezium"), ("a", 1, 2), ("a", 1, -1), ("b", None, 3)) == [
        ("c", None, 1),
        *[("c", None, None)] * 3,
    ]
    assert events(form) == []


def test_by_key_the_new_row_comes_or_the_old_one_is_deleted() -> None:
    made = ChangeForm("upsert", "k").apply(batch_of(("a", 1, -1), ("a", 2, 1), ("c", 7, -1)), CHANGELOG)
    assert made.to_pylist() == [{"k": "a", "x": 2, "_deleted": False}, {"k": "c", "x": 7, "_deleted": True}]


def test_keys_are_unique_and_there() -> None:
    form = ChangeForm("upsert", "k")
    for wrong in ([("a", 1, 1), ("b", 1, 1), ("a", 2, 1)], [("b", 1, 1), ("a", 1, 2)]):
        with pytest.raises(RowError, match=r"the key \['k'\] is not unique: several rows have \{'k': 'a'\}"):
            form.apply(batch_of(*wrong), CHANGELOG)
    with pytest.raises(RowError, match="NULL in the key column 'k'"):
        form.apply(batch_of((None, 1, 1)), CHANGELOG)


@pytest.mark.parametrize(
    ("form", "schema", "error"),
    [
        (ChangeForm("upsert"), CHANGELOG, "need the key"),
        (ChangeForm("upsert", "kk"), CHANGELOG, "no key column 'kk'.*did you mean 'k'"),
        (ChangeForm("debezium", ["z"]), CHANGELOG, "no key column 'z'"),
        (ChangeForm("upsert", "_deleted"), StreamSchema(pa.schema([("_deleted", pa.bool_())])), "is kept for"),
    ],
)
def test_forms_that_do_not_fit_are_refused(form: ChangeForm, schema: StreamSchema, error: str) -> None:
    with pytest.raises(GraphError, match=error):
        form.check(schema)


def test_sinks_know_their_forms() -> None:
    with pytest.raises(GraphError, match=r"no way 'debezium' to write changes; known here: \['upsert', 'weight'\]"):
        ParquetSink("out", changes="debezium")
    assert JsonLinesSink("out", changes="debezium").takes_changes
    assert JsonLinesSink("out", changes="upsert", key="k").single_writer
    assert not JsonLinesSink("out", changes="weight").single_writer
    with pytest.raises(GraphError, match="no way 'retract'"):
        Callback(print, changes="retract")  # type: ignore[arg-type]


CHANGES = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 5), st.booleans()), max_size=30)


def read_back(source: FileSource, key: str) -> list[dict[str, Any]]:
    graph, result = Graph("back"), Collect()
    stream = graph.source("changes", source)
    if not stream.schema.changelog:
        stream = stream.upsert(key, deletes="_deleted", drop=["_deleted"])
    stream.sink("result", result)
    graph.run(readers=1)
    return sorted(result.rows, key=lambda row: row["k"])


@given(CHANGES)
@settings(max_examples=12, deadline=None)
def test_what_is_written_in_any_form_is_read_back(tmp_path_factory: Any, given_: list[tuple[str, int, bool]]) -> None:
    path = tmp_path_factory.mktemp("forms")
    rows = pa.table(list(zip(*given_, strict=True)) or [[], [], []], ["k", "x", "gone"]).cast(
        pa.schema([("k", pa.string()), ("x", pa.int64()), ("gone", pa.bool_())])
    )
    graph, result = Graph("write"), Collect()
    table = graph.source("rows", Table(rows, batch_rows=3)).upsert("k", deletes="gone", drop=["gone"])
    sums = table.aggregate(keys="k", total=agg.sum("x"))
    ways: dict[str, FileSource] = {
        "weight": Parquet(path / "weight", changes="weight"),
        "upsert": JsonLines(path / "upsert", changes="upsert", key="k"),
        "events": DebeziumJson(path / "events", types={"k": "string", "total": "int64"}, key="k"),
    }
    for name, way in ways.items():
        sums.sink(name, way)
    sums.sink("result", result)
    graph.run(partitions=2)
    expected = sorted(result.rows, key=lambda row: row["k"])
    types = {"k": "string", "total": "int64", "_deleted": "bool"}
    assert read_back(ways["weight"], "k") == expected
    assert read_back(JsonLines(path / "upsert", types=types), "k") == expected
    assert read_back(ways["events"], "k") == expected
    assert read_back(DebeziumJson(path / "events", types={"k": "string", "total": "int64"}), "k") == expected


def test_changes_of_a_key_are_put_in_order_from_several_partitions(tmp_path: Path) -> None:
    """The row of an id moves from group to group, and so from one partition of the join to another."""
    moves = pa.table({"id": [1] * 40 + [2], "team": [i % 7 for i in range(40)] + [3]})
    teams = pa.table({"number": list(range(7)), "name": [f"team {i}" for i in range(7)]})
    seen: list[dict[str, Any]] = []
    graph = Graph("moves")
    rows = graph.source("moves", Table(moves, batch_rows=1)).upsert("id")
    names = graph.source("teams", Table(teams, batch_rows=1))
    joined = rows.join(names, on=[("team", "number")]).select("id", "name")
    joined.sink("file", Csv(tmp_path / "out", changes="upsert", key="id"))
    joined.sink("calls", Callback(lambda batch: seen.extend(batch.to_pylist()), changes="debezium", key="id"))
    assert "file.by_key" in graph.nodes
    graph.run(partitions=4)
    held: dict[int, str] = {}
    for row in seen:
        assert row["op"] == ("d" if row["after"] is None else "u" if row["before"] is not None else "c")
        if row["before"] is not None:
            assert held.pop(row["before"]["id"]) == row["before"]["name"]
        if row["after"] is not None:
            held[row["after"]["id"]] = row["after"]["name"]
    assert held == {1: "team 4", 2: "team 3"}
    lines = [line.split(",") for part in (tmp_path / "out").glob("*.csv") for line in part.read_text().splitlines()[1:]]
    last = {line[0]: line[1] for line in lines if line[2] == "false"}
    assert last == {"1": "team 4", "2": "team 3"}


def test_a_key_that_is_none_fails_the_run(tmp_path: Path) -> None:
    graph = Graph("twice")
    rows = graph.source("rows", Table(pa.table({"k": ["a", "a"], "x": [1, 2]})))
    counts = rows.aggregate(keys=("k", "x"), n=agg.count())
    counts.sink("out", JsonLines(tmp_path / "out", changes="upsert", key="k"))
    with pytest.raises(ExceptionGroup) as error:
        graph.run()
    assert "the key ['k'] is not unique: several rows have {'k': 'a'}" in str(error.value.exceptions[0])
    assert not (tmp_path / "out").exists()


def test_rows_with_a_null_key_go_aside(tmp_path: Path) -> None:
    graph, letters = Graph("nulls"), Collect()
    rows = graph.source("rows", Table(pa.table({"k": ["a", None, "b"], "x": [1, 2, 3]})))
    sums = rows.aggregate(keys="k", x=agg.sum("x"))
    out = sums.sink("out", JsonLines(tmp_path / "out", changes="upsert", key="k"), on_error="dead_letter")
    out.dead_letters.sink("letters", letters)
    graph.run(partitions=1)
    lines = [json.loads(line) for part in (tmp_path / "out").iterdir() for line in part.read_text().splitlines()]
    assert sorted(line["k"] for line in lines) == ["a", "b"]
    assert [row["error"] for row in letters.rows] == ["NULL in the key column 'k'"]


def test_a_changelog_is_refused_with_what_makes_it_one(tmp_path: Path) -> None:
    graph = Graph("refused")
    rows = graph.source("rows", Table(pa.table({"k": ["a"], "x": [1]})))
    other = graph.source("other", Table(pa.table({"j": ["a"], "y": [1]})))
    joined = rows.join(other, on=[("k", "j")], kind="left", name="pairs")
    with pytest.raises(GraphError) as error:
        joined.select("k").sink("out", Parquet(tmp_path / "out"))
    said = "'pairs' (left join) takes back the row without partner once a partner comes; write changes, with changes="
    assert said in str(error.value)
    counted = rows.aggregate(keys="k", n=agg.count(), name="counts")
    both = counted.union(rows.upsert("k", name="latest").select("k", n="x"))
    with pytest.raises(GraphError, match=r"'counts' takes a group's row back.*'latest' takes a key's row back"):
        both.sink("out", Parquet(tmp_path / "out"))
    with pytest.raises(GraphError, match="say how the function takes changes, by changes='weight'"):
        counted.sink("calls", Callback(print))
