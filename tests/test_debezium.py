from __future__ import annotations

import gzip
import json
import random
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from flow import Graph, GraphError
from operators import Collect, DebeziumJson, FromDebezium, Rows, agg, col

TYPES = {"id": "int64", "name": "string", "n": "int64"}


def event(op: str | None, before: Any = None, after: Any = None, ms: int = 0) -> dict[str, Any]:
    return {"before": before, "after": after, "source": {"ts_ms": ms, "db": "shop"}, "op": op, "ts_ms": ms + 5}


def history(seed: int, size: int = 300, *, whole: bool = True) -> tuple[list[Any], dict[int, dict[str, Any]]]:
    """Events of a table with some tombstones and envelopes, and what it holds in the end."""
    rng = random.Random(seed)
    held: dict[int, dict[str, Any]] = {}
    events: list[Any] = []
    for ms in range(size):
        key = rng.randrange(20)
        row = {"id": key, "name": rng.choice(["ann", "bob", None]), "n": rng.randrange(5)}
        old = held.get(key)
        if old is None:
            made = event(rng.choice("cr"), None, row, ms)
            held[key] = row
        elif rng.random() < 0.3:
            made = event("d", old if whole else {"id": key}, None, ms)
            del held[key]
        else:
            made = event("u", old if whole or rng.random() < 0.3 else None, row, ms)
            held[key] = row
        events.append({"schema": {"type": "struct"}, "payload": made} if rng.random() < 0.5 else made)
        if made["op"] == "d":
            events.append(rng.choice([None, {"schema": None, "payload": None}]))
    return events, held


def written(path: Path, events: Sequence[Any]) -> str:
    path.write_text("".join(json.dumps(each) + "\n" for each in events))
    return str(path)


def read(source: Any, *, key: str | None = None, **settings: Any) -> tuple[Collect, list[str]]:
    """What is collected of a source of events, and why others were refused."""
    graph, result, letters = Graph("read"), Collect(), Collect()
    stream = graph.source("events", source, on_error="dead_letter")
    stream.dead_letters.sink("letters", letters)
    if key is not None:
        stream = stream.upsert(key, deletes="_deleted", drop=["_deleted"])
    stream.sink("result", result)
    graph.run(**settings)
    return result, [row["error"] for row in letters.rows]


def by_id(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: row["id"])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whole_old_rows_make_a_changelog_in_any_order(tmp_path: Path, seed: int) -> None:
    events, held = history(seed)
    path = written(tmp_path / "events.jsonl", events)
    result, wrong = read(DebeziumJson(path, range_bytes=2_000), readers=3)
    assert by_id(result.rows) == by_id(list(held.values()))
    assert wrong == []


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_with_a_key_old_rows_may_be_missing_and_events_come_twice(tmp_path: Path, seed: int) -> None:
    events, held = history(seed, whole=False)
    path = written(tmp_path / "events.jsonl", [each for each in events for _ in (1, 2)])
    result, wrong = read(DebeziumJson(path, key="id", range_bytes=2_000), key="id", readers=3, partitions=2)
    assert by_id(result.rows) == by_id(list(held.values()))
    assert wrong == []


def test_updates_are_pairs_and_events_stay_in_order(tmp_path: Path) -> None:
    old, new = {"id": 1, "name": "a", "n": 1}, {"id": 1, "name": "b", "n": 1}
    path = written(tmp_path / "e.jsonl", [event("c", None, old), event("u", old, new), event("d", new, None)])
    result, _ = read(DebeziumJson(path, types=TYPES))
    rows = [(row["name"], row["_weight"]) for row in result.changes().to_pylist()]
    assert rows == [("a", 1), ("a", -1), ("b", 1), ("b", -1)]


def test_a_key_that_changes_goes_from_the_old_one(tmp_path: Path) -> None:
    events = [event("c", None, {"id": 1, "n": 1}), event("u", {"id": 1, "n": 1}, {"id": 2, "n": 1})]
    result, _ = read(DebeziumJson(written(tmp_path / "e.jsonl", events), key="id"), key="id")
    assert result.rows == [{"id": 2, "n": 1}]


WRONG = [
    ({"before": None, "after": {"id": 3}}, "no 'op'"),
    ({}, "no 'op'"),
    ({"op": 5, "after": {"id": 3}}, "column 'op': number where string is expected"),
    ({"op": "x", "after": {"id": 3}}, r"no op 'x'; known here: ['c', 'u', 'd', 'r']"),
    ({"op": "t"}, "op 't' truncates the table"),
    ({"op": "m", "message": {}}, "op 'm' is a message"),
    ({"op": "c", "before": {"id": 3}}, "op 'c' without 'after'"),
    ({"op": "c", "after": {"id": "three"}}, "column 'after/id': string where number is expected"),
    ({"op": "c", "after": [1]}, "column 'after': array where object is expected"),
    ({"payload": {"op": "c"}}, "op 'c' without 'after'"),
    ({"op": "d"}, "op 'd' without 'before'"),
    ([1], "no object"),
]


@pytest.mark.parametrize("key", [None, "id"])
def test_what_cannot_be_understood_is_a_dead_letter(tmp_path: Path, key: str | None) -> None:
    good = [event("c", None, {"id": 1, "n": 1}), None, event("c", None, {"id": 2, "n": 2})]
    wrong = [each for each, _ in WRONG]
    events = [good[0], *wrong[:6], good[1], *wrong[6:], good[2]]
    path = written(tmp_path / "e.jsonl", events)
    source = DebeziumJson(path, types={"id": "int64", "n": "int64"}, key=key or ())
    result, errors = read(source, key=key)
    assert [row["id"] for row in by_id(result.rows)] == [1, 2]
    assert len(errors) == len(WRONG)
    for _, expected in WRONG[:-1]:
        assert any(expected in error for error in errors), (expected, errors)


def test_rows_are_refused_whose_values_do_not_fit(tmp_path: Path) -> None:
    old, new = {"id": 1, "on": "2024-01-01"}, {"id": 1, "on": "soon"}
    path = written(tmp_path / "e.jsonl", [event("c", None, old), event("u", old, new)])
    result, errors = read(DebeziumJson(path, types={"id": "int64", "on": "date32"}))
    assert [row["id"] for row in result.rows] == [1]
    assert errors == [f"'{path}': 'on': soon is no date32[day]"]


def test_an_update_without_its_old_row_says_what_to_do(tmp_path: Path) -> None:
    path = written(tmp_path / "e.jsonl", [event("c", None, {"id": 1}), event("u", None, {"id": 1})])
    graph = Graph("g")
    graph.source("events", DebeziumJson(path)).sink("out", Collect())
    with pytest.raises(ExceptionGroup) as error:
        graph.run()
    assert "op 'u' without 'before': let the database log whole rows (REPLICA IDENTITY FULL)" in str(
        error.value.exceptions[0]
    )


def test_columns_and_their_types_are_seen_in_the_rows(tmp_path: Path) -> None:
    rows = [{"id": i, "at": f"2024-01-0{i}T00:00:00Z", "price": 1.5, "note": None} for i in range(1, 9)]
    events = [event("d", rows[0]), {"payload": event("c", None, rows[1])}, *(event("c", None, row) for row in rows[2:])]
    path = tmp_path / "events.json.gz"
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, events)).encode()))
    schema = DebeziumJson(str(path)).schema()
    assert schema.names == ["id", "at", "price", "note", "_weight"]
    assert schema.types[:3] == [pa.int64(), pa.timestamp("us", "UTC"), pa.float64()]
    declared = DebeziumJson(str(path), types={"note": "int64", "later": "string"}, key="id", source_time="changed")
    assert declared.schema().names == ["id", "at", "price", "note", "later", "changed", "_deleted"]
    assert declared.schema().field("note").type == pa.int64()


def test_only_the_columns_that_are_used_are_read(tmp_path: Path) -> None:
    events, held = history(4)
    path = written(tmp_path / "e.jsonl", events)
    graph, result = Graph("g"), Collect()
    graph.source("events", DebeziumJson(path)).aggregate(keys="name", n=agg.sum("n")).sink("out", result)
    graph.run()
    sums: dict[Any, int] = {}
    for row in held.values():
        sums[row["name"]] = sums.get(row["name"], 0) + row["n"]
    assert {row["name"]: row["n"] for row in result.rows} == sums
    assert DebeziumJson(path, columns=["n"]).schema().names == ["n", "_weight"]
    assert DebeziumJson(path).narrow(["n", "_weight"]).schema().names == ["n", "_weight"]


def test_the_time_of_a_change_is_a_column(tmp_path: Path) -> None:
    events = [event("c", None, {"id": 1}, 1_000), {"payload": event("u", None, {"id": 1}, 2_000)}]
    path = written(tmp_path / "e.jsonl", events)
    result, _ = read(DebeziumJson(path, key="id", source_time="changed"), key="id")
    assert result.rows == [{"id": 1, "changed": datetime(1970, 1, 1, 0, 0, 2)}]
    with pytest.raises(GraphError, match="known of the new row only"):
        DebeziumJson(path, source_time="changed").schema()
    with pytest.raises(GraphError, match="there is a column 'id' already"):
        DebeziumJson(path, key="id", source_time="id").schema()
    with pytest.raises(GraphError, match="no key column 'ident'"):
        DebeziumJson(path, key="ident").schema()


def from_rows(rows: Sequence[Any], schema: Any, operator: FromDebezium, key: str | None) -> tuple[Collect, list[str]]:
    graph, result, letters = Graph("read"), Collect(), Collect()
    stream = graph.source("events", Rows(rows, schema=schema)).apply(operator, name="changes", on_error="dead_letter")
    stream.dead_letters.sink("letters", letters)
    if key is not None:
        stream = stream.upsert(key, deletes="_deleted", drop=["_deleted"])
    stream.sink("result", result)
    graph.run()
    return result, [row["error"] for row in letters.rows]


@pytest.mark.parametrize("key", [None, "id"])
@pytest.mark.parametrize("kind", ["string", "binary"])
def test_events_come_as_text_from_anywhere(key: str | None, kind: str) -> None:
    events, held = history(5, whole=key is None)
    texts: list[Any] = [None if each is None else json.dumps(each, indent=1) for each in events]
    texts += [" ", "null", "nonsense", '{"op": "c"} {"op": "c"}']
    values = [text if text is None or kind == "string" else text.encode() for text in texts]
    operator = FromDebezium("value", TYPES, key or ())
    result, errors = from_rows([{"value": each} for each in values], {"value": kind}, operator, key)
    assert by_id(result.rows) == by_id(list(held.values()))
    assert len(errors) == 3


@pytest.mark.parametrize("key", [None, "id"])
def test_events_come_as_rows(key: str | None) -> None:
    events, held = history(6, whole=key is None)
    plain = [each.get("payload", each) for each in events if each is not None]
    row = pa.struct([(name, pa.type_for_alias(kind)) for name, kind in TYPES.items()])
    schema = pa.schema([("before", row), ("after", row), ("op", pa.string())])
    given = [each for each in plain if each is not None]
    result, errors = from_rows([*given, {"op": None}], schema, FromDebezium(key=key or ()), key)
    assert by_id(result.rows) == by_id(list(held.values()))
    assert errors == ["no 'op', which says what has happened: 'c', 'u', 'd' or 'r'"]
    wrapped = pa.schema([("payload", pa.struct(list(schema)))])
    result, errors = from_rows(
        [{"payload": each} for each in [*given, None]], wrapped, FromDebezium(key=key or ()), key
    )
    assert (by_id(result.rows), errors) == (by_id(list(held.values())), [])


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"value": "n"}, "'n' should be text or bytes, not int64"),
        ({"value": "text"}, "give their names and types"),
        ({}, "no column 'after'"),
        ({"value": "text", "columns": {"_weight": "int64"}}, "is kept for what the envelopes say"),
    ],
)
def test_what_has_no_events_is_refused(arguments: dict[str, Any], error: str) -> None:
    graph = Graph("g")
    stream = graph.source("s", Rows([{"n": 1, "text": "a"}]))
    with pytest.raises(GraphError, match=error):
        stream.from_debezium(**arguments)


def test_a_changelog_of_events_is_filtered_as_any(tmp_path: Path) -> None:
    events, held = history(7)
    graph, result = Graph("g"), Collect()
    source = graph.source("e", DebeziumJson(written(tmp_path / "e.jsonl", events)))
    source.filter(col("n") > 2).sink("out", result)
    graph.run()
    assert by_id(result.rows) == by_id([row for row in held.values() if row["n"] > 2])


def test_types_as_events_have_them(tmp_path: Path) -> None:
    row = {"id": 1, "json": '{"a": [1]}', "map": '{"a": 1}', "day": 19_723, "at": 1_717_200_422_308, "price": "12.50"}
    types: dict[str, Any] = {
        "id": "int64",
        "json": pa.json_(),
        "map": pa.map_(pa.string(), pa.int64()),
        "day": "date32",
        "at": pa.timestamp("ms"),
        "price": pa.decimal128(10, 2),
    }
    path = written(tmp_path / "e.jsonl", [event("c", None, row), event("c", None, row | {"json": "{"})])
    result, errors = read(DebeziumJson(path, types=types))
    assert [list(map(str, row.values())) for row in result.rows] == [
        ["1", '{"a": [1]}', "[('a', 1)]", "2024-01-01", "2024-06-01 00:07:02.308000", "12.50"]
    ]
    assert len(errors) == 1


@pytest.mark.parametrize(
    ("columns", "says"),
    [({"n": "int64"}, r"types are given by types=\{'n'"), ("n", r"takes a list of names: columns=\['n'\]")],
)
def test_what_is_no_list_of_columns_is_told(columns: Any, says: str) -> None:
    with pytest.raises(GraphError, match=says):
        DebeziumJson("events.jsonl", columns)
