"""JSON lines part files: every value comes back, read by pyarrow and by DuckDB."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import duckdb
import pyarrow as pa
import pyarrow.json as pajson
import pytest

from flow import GraphError, StreamSchema
from operators.files.sinks import JsonLinesSink
from tests.written_files import written

ROWS = pa.table(
    {
        "n": pa.array([1, None, 2**62 + 1]),
        "x": pa.array([1.0, 2.5, None]),
        "s": pa.array(["plain", 'quo"ted\\ and\nbröken', None]),
        "d": pa.array(["a", "b", "a"]).dictionary_encode(),
        "t": pa.array([datetime(2024, 1, 2, 3, 4, 5, 678), None, datetime(1969, 12, 31)]),
        "m": pa.array([Decimal("1.50"), Decimal("-0.01"), None], pa.decimal128(10, 2)),
        "b": pa.array([True, False, None]),
        "l": pa.array([[1, None], [], None]),
        "o": pa.array([{"a": "x", "b": [1.5]}, {"a": None, "b": None}, None]),
    }
)


def test_the_text(tmp_path):
    part = written(tmp_path, JsonLinesSink(tmp_path), ROWS)
    assert part.name == "part-run-out-0-1.jsonl"
    assert part.read_text().split("\n")[0] == (
        '{"n":1,"x":1.0,"s":"plain","d":"a","t":"2024-01-02T03:04:05.000678","m":1.50,"b":true,'
        '"l":[1,null],"o":{"a":"x","b":[1.5]}}'
    )
    assert [json.loads(line)["n"] for line in part.read_text().splitlines()] == ROWS["n"].to_pylist()


def test_pyarrow_and_duckdb_read_it(tmp_path):
    part = written(tmp_path, JsonLinesSink(tmp_path), ROWS)
    plain = ROWS.set_column(3, "d", ROWS["d"].cast(pa.string()))
    read = pajson.read_json(part, parse_options=pajson.ParseOptions(explicit_schema=plain.schema))
    assert read.equals(plain)
    types = {
        "n": "BIGINT", "x": "DOUBLE", "s": "VARCHAR", "d": "VARCHAR", "t": "TIMESTAMP", "m": "DECIMAL(10,2)",
        "b": "BOOLEAN", "l": "BIGINT[]", "o": "STRUCT(a VARCHAR, b DOUBLE[])",
    }  # fmt: skip
    found = duckdb.sql(f"FROM read_json('{part}', format='newline_delimited', columns={types})").fetchall()
    assert found == [tuple(row.values()) for row in plain.to_pylist()]


def test_zoned_times_are_utc_and_read_back_as_such(tmp_path):
    table = pa.table({"t": pa.array([datetime(2024, 7, 1, 12, tzinfo=UTC)], pa.timestamp("us", "Asia/Tokyo"))})
    part = written(tmp_path, JsonLinesSink(tmp_path), table)
    assert part.read_text() == '{"t":"2024-07-01T12:00:00.000000Z"}\n'
    (found,) = duckdb.sql(f"SELECT epoch(t::TIMESTAMPTZ) FROM read_json('{part}')").fetchall()[0]
    assert found == datetime(2024, 7, 1, 12, tzinfo=UTC).timestamp()


def test_floats_that_json_has_no_number_for(tmp_path):
    table = pa.table({"x": [float("nan"), float("inf"), -float("inf"), 1.0]})
    part = written(tmp_path, JsonLinesSink(tmp_path), table)
    found = duckdb.sql(f"SELECT x::VARCHAR FROM read_json('{part}', columns={{'x': 'DOUBLE'}})").fetchall()
    assert found == [("nan",), ("inf",), ("-inf",), ("1.0",)]


@pytest.mark.parametrize(("compression", "ending"), [("gzip", ".jsonl.gz"), ("zstd", ".jsonl.zst")])
def test_compression(tmp_path, compression, ending):
    part = written(tmp_path, JsonLinesSink(tmp_path, compression=compression), ROWS.select(["n", "x"]))
    assert part.name.endswith(ending)
    assert pajson.read_json(pa.input_stream(part)).equals(ROWS.select(["n", "x"]))
    found = duckdb.sql(f"FROM read_json('{part}', format='newline_delimited')").fetchall()
    assert found == [(1, 1.0), (None, 2.5), (2**62 + 1, None)]


def test_a_run_without_rows_leaves_an_empty_file(tmp_path):
    part = written(tmp_path, JsonLinesSink(tmp_path), ROWS.slice(0, 0))
    assert part.read_bytes() == b""


def test_odd_column_names(tmp_path):
    table = pa.table({'a"b': [1], "c\\d\n": [2], "é ": [None], "": ["x"]})
    part = written(tmp_path, JsonLinesSink(tmp_path), table)
    assert json.loads(part.read_text()) == table.to_pylist()[0]


def test_very_many_columns(tmp_path):
    table = pa.table({f"c{i}": [i, None] for i in range(2_000)})
    part = written(tmp_path, JsonLinesSink(tmp_path), table)
    assert [json.loads(line) for line in part.read_text().splitlines()] == table.to_pylist()


def test_what_json_cannot_hold_is_refused(tmp_path):
    columns = pa.schema([("m", pa.map_(pa.list_(pa.int64()), pa.int64()))])
    with pytest.raises(GraphError, match="JSON cannot hold the column 'm'"):
        JsonLinesSink(tmp_path).check(StreamSchema(columns))
