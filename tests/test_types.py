"""Every type of number and time as a column: through each file format, as keys, in order, and as text and back."""

import datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from flow import Graph
from operators import (
    ArrowFile,
    ArrowSink,
    Collect,
    Csv,
    CsvSink,
    DebeziumJson,
    JsonLines,
    JsonLinesSink,
    Parquet,
    ParquetSink,
    sql,
)
from operators import Table as Given

_DAY = datetime.datetime(2024, 2, 29, 10, 11, 12)
_LATER = datetime.datetime(2024, 3, 1)
_SMALL, _LARGE = [1, 100], [Decimal("1.50"), Decimal("22.25")]
_SPANS = [pa.MonthDayNano([1, -2, 3_000]), pa.MonthDayNano([14, 0, -7_200_000_000_000])]
VALUES = {
    **{str(kind): pa.array([*_SMALL, None, 100], kind) for kind in (
        pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64(),
    )},
    **{f"decimal_{digits}": pa.array([*_LARGE, None, _LARGE[1]], pa.decimal128(digits, 2)) for digits in (10, 38)},
    "real": pa.array([1.5, -2.25, None, -2.25], pa.float32()),
    "double": pa.array([1.5, float("inf"), None, float("inf")]),
    "bool": pa.array([True, False, None, False]),
    "date": pa.array([_DAY.date(), _LATER.date(), None, _LATER.date()]),
    "time_ms": pa.array([_DAY.time(), _LATER.time(), None, _LATER.time()], pa.time32("ms")),
    "time_us": pa.array([_DAY.time(), _LATER.time(), None, _LATER.time()], pa.time64("us")),
    **{f"timestamp_{unit}": pa.array([_DAY, _LATER, None, _LATER], pa.timestamp(unit)) for unit in ("ms", "us", "ns")},
    "timestamptz": pa.array([_DAY, _LATER, None, _LATER], pa.timestamp("us", "UTC")),
    "duration": pa.array([_DAY - _LATER, _LATER - _DAY, None, _LATER - _DAY], pa.duration("us")),
    "interval": pa.array([*_SPANS, None, _SPANS[1]], pa.month_day_nano_interval()),
    "huge": pa.array([2**63, 2**64 - 1, None, 2**64 - 1], pa.uint64()),
}  # fmt: skip
TABLE = pa.table(VALUES)


def result_of(query, table):
    graph, result = Graph("types"), Collect()
    sql(query, t=graph.source("t", Given(table))).sink("out", result)
    graph.run()
    return result.table()


@pytest.mark.parametrize(
    ("source", "sink"),
    [(Parquet, ParquetSink), (ArrowFile, ArrowSink), (Csv, CsvSink), (JsonLines, JsonLinesSink)],
)
def test_files_hold_every_type(tmp_path, source, sink):
    table = TABLE.drop_columns(["interval"]) if source is Parquet else TABLE
    graph = Graph("write")
    graph.source("t", Given(table)).sink("out", sink(tmp_path / "out"))
    graph.run()
    graph, result = Graph("read"), Collect()
    types = {"types": table.schema} if source in (Csv, JsonLines) else {}
    graph.source("t", source(str(tmp_path / "out" / "*"), **types)).sink("out", result)
    graph.run()
    assert result.table().schema.types == table.schema.types
    assert result.table().to_pydict() == table.to_pydict()


@pytest.mark.parametrize("name", VALUES)
def test_every_type_is_a_key_and_has_an_order(name):
    table = TABLE.select([name]).rename_columns(["x"])
    rows = result_of("SELECT x, count(*) AS n, min(x) = max(x) AS same FROM t GROUP BY x", table).to_pylist()
    first, last, _, _ = table.column("x").to_pylist()
    assert {(row["x"], row["n"], row["same"]) for row in rows} == {(first, 1, True), (last, 2, True), (None, 1, None)}
    pairs = result_of("SELECT a.x FROM t AS a JOIN t AS b ON a.x = b.x", table).column("x").to_pylist()
    assert sorted(pairs) == sorted([first, *[last] * 4])


def test_text_and_back_gives_the_same_value():
    names = [f'"{name}"' for name in VALUES if name not in ("real",)]
    kinds = {
        "double": "DOUBLE",
        "bool": "BOOLEAN",
        "date": "DATE",
        "duration": "INTERVAL",
        "interval": "INTERVAL",
        "timestamptz": "TIMESTAMPTZ",
    }
    kinds |= {"decimal_10": "DECIMAL(10, 2)", "decimal_38": "DECIMAL(38, 2)", "time_ms": "TIME(3)", "time_us": "TIME"}
    kinds |= {"timestamp_ms": "TIMESTAMP(3)", "timestamp_us": "TIMESTAMP", "timestamp_ns": "TIMESTAMP(9)"}
    same = [f"{name}::text::{kinds.get(name.strip(chr(34)), 'DECIMAL(20, 0)')} = {name}" for name in names]
    result = result_of(f"SELECT {' AND '.join(same)} AS same FROM t", TABLE)
    assert result.column("same").to_pylist().count(True) == 3


def test_intervals_are_compared_by_days_of_24_hours():
    spans = pa.array([pa.MonthDayNano([1, 0, 0]), pa.MonthDayNano([0, 29, 0])], pa.month_day_nano_interval())
    rows = result_of("SELECT x::text AS x FROM t WHERE x >= INTERVAL '30 days'", pa.table({"x": spans}))
    assert rows.column("x").to_pylist() == ["1 mon"]


def test_change_events_hold_documents_maps_and_intervals(tmp_path):
    documents = pa.json_().wrap_array(pa.array(['{"a":[1,null]}', None, '"x"']))
    maps = pa.array([[("a", 1)], [], None], pa.map_(pa.string(), pa.int64()))
    spans = pa.array([*_SPANS, None], pa.month_day_nano_interval())
    table = pa.table(
        {"doc": documents, "counts": maps, "span": spans, "huge": pa.array([2**64 - 1, None, 1], pa.uint64())}
    )
    graph = Graph("write")
    graph.source("t", Given(table)).sink("out", JsonLinesSink(tmp_path / "out", changes="debezium"))
    graph.run()
    graph, result = Graph("read"), Collect()
    graph.source("t", DebeziumJson(str(tmp_path / "out" / "*"), types=table.schema)).sink("out", result)
    graph.run()
    assert result.table().to_pydict() == table.to_pydict()
