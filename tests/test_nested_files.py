"""Nested values, JSON and UUIDs through every file format, there and back."""

import json
from pathlib import Path
from uuid import UUID

import pyarrow as pa
import pytest

from flow import Graph
from operators import ArrowFile, Collect, Csv, JsonLines, Parquet, Table, col

UUIDS = ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", None, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12"]
TYPES = {
    "document": pa.json_(),
    "key": pa.uuid(),
    "list": pa.list_(pa.int64()),
    "struct": pa.struct([("x", pa.int64()), ("y", pa.list_(pa.string()))]),
    "map": pa.map_(pa.string(), pa.int64()),
}
ROWS = pa.table(
    {
        "document": pa.array(['{"a":[1,2]}', None, '"text"'], pa.json_()),
        "key": pa.array([None if text is None else UUID(text).bytes for text in UUIDS], pa.uuid()),
        "list": pa.array([[1, 2], None, []], TYPES["list"]),
        "struct": pa.array([{"x": 1, "y": ["q"]}, None, {"x": None, "y": []}], TYPES["struct"]),
        "map": pa.array([[("k", 1)], None, []], TYPES["map"]),
    }
)


@pytest.mark.parametrize("kind", [Parquet, ArrowFile, JsonLines, Csv])
def test_values_are_read_as_they_were_written(tmp_path: Path, kind: type) -> None:
    out = Graph("out")
    out.source("rows", Table(ROWS)).sink("files", kind(f"{tmp_path}/out/"))
    out.run()
    result = Collect()
    back = Graph("back")
    types = {"types": TYPES} if kind in (JsonLines, Csv) else {}
    back.source("files", kind(f"{tmp_path}/out/", **types)).sink("result", result)
    back.run()
    assert result.table().to_pylist() == ROWS.to_pylist()


def test_what_is_no_json_or_uuid_is_a_bad_row(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text('key,document\n1,"{"\na0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11,1\n')
    graph, rejected, result = Graph("bad"), Collect(), Collect()
    types = {"key": pa.uuid(), "document": pa.json_()}
    stream = graph.source("rows", Csv(str(path), types=types), on_error="dead_letter")
    stream.dead_letters.sink("rejected", rejected)
    stream.sink("result", result)
    graph.run()
    assert [row["document"] for row in result.table().to_pylist()] == ["1"]
    (error,) = rejected.table()["error"].to_pylist()
    assert "'1' is no" in error


def test_conditions_on_a_uuid_are_not_passed_to_a_reader(tmp_path: Path) -> None:
    out = Graph("out")
    out.source("rows", Table(ROWS)).sink("files", Parquet(f"{tmp_path}/out/"))
    out.run()
    result = Collect()
    graph = Graph("back")
    graph.source("files", Parquet(f"{tmp_path}/out/")).filter(col("key") == UUIDS[0]).sink("result", result)
    graph.run()
    assert [json.loads(row["document"]) for row in result.table().to_pylist()] == [{"a": [1, 2]}]
