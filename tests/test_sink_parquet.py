"""Parquet part files: every value and type comes back."""

from datetime import date, datetime, time
from decimal import Decimal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flow import GraphError, StreamSchema
from operators.files.sinks import ParquetSink
from tests.written_files import written

ROWS = pa.table(
    {
        "n": pa.array([1, None, -3], pa.int32()),
        "x": pa.array([1.5, float("nan"), None]),
        "s": pa.array(["a", "", None]),
        "t": pa.array([datetime(2024, 1, 2, 3, 4, 5, 678), None, datetime(1969, 12, 31)]),
        "z": pa.array([datetime(2024, 1, 2), None, None], pa.timestamp("us", "UTC")),
        "day": pa.array([date(2024, 1, 2), None, None]),
        "hour": pa.array([time(1, 2), None, None]),
        "m": pa.array([Decimal("1.50"), None, None], pa.decimal128(10, 2)),
        "b": pa.array([b"\xff", None, b""]),
        "l": pa.array([[1, None], [], None]),
        "o": pa.array([{"a": "x", "b": [1.5]}, {"a": None, "b": None}, None]),
        "k": pa.array([[("k", 1)], [], None], pa.map_(pa.string(), pa.int64())),
    }
)


@pytest.mark.parametrize("compression", ["zstd", "snappy", "gzip", "lz4", "brotli", None])
def test_everything_comes_back(tmp_path, compression):
    part = written(tmp_path, ParquetSink(tmp_path, compression), ROWS)
    read = pq.read_table(part)
    assert read.schema == ROWS.schema
    assert str(read.to_pylist()) == str(ROWS.to_pylist())
    expected = "UNCOMPRESSED" if compression is None else compression.upper()
    assert pq.read_metadata(part).row_group(0).column(0).compression == expected
    found = duckdb.sql(f"SELECT n, s, t, day, hour, m, b, l, o, k FROM '{part}'").fetchall()
    assert found[0] == (
        1, "a", datetime(2024, 1, 2, 3, 4, 5, 678), date(2024, 1, 2), time(1, 2), Decimal("1.50"), b"\xff", [1, None],
        {"a": "x", "b": [1.5]}, {"k": 1},
    )  # fmt: skip
    assert found[1][:2] == (None, "")


def test_dictionaries_that_differ_from_batch_to_batch(tmp_path):
    batches = [
        pa.record_batch({"d": pa.array(values).dictionary_encode()}) for values in (["a", "b"], ["c", "a", None])
    ]
    part = written(tmp_path, ParquetSink(tmp_path), batches)
    assert pq.read_table(part).schema == batches[0].schema
    assert duckdb.sql(f"SELECT d FROM '{part}'").fetchall() == [("a",), ("b",), ("c",), ("a",), (None,)]


def test_a_run_without_rows_leaves_the_columns(tmp_path):
    part = written(tmp_path, ParquetSink(tmp_path), ROWS.slice(0, 0))
    assert pq.read_schema(part) == ROWS.schema
    assert duckdb.sql(f"SELECT count(*) FROM '{part}'").fetchall() == [(0,)]


def test_what_parquet_cannot_hold_is_refused(tmp_path):
    columns = pa.schema([("n", pa.int64()), ("i", pa.month_day_nano_interval())])
    with pytest.raises(GraphError, match="Parquet cannot hold the column 'i' of type month_day_nano_interval"):
        ParquetSink(tmp_path).check(StreamSchema(columns))
    with pytest.raises(GraphError, match=r"no compression 'zst' for Parquet.*did you mean 'zstd'"):
        ParquetSink(tmp_path, "zst")
