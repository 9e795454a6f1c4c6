"""CSV part files: every value comes back, read by pyarrow and by DuckDB."""

import csv
import gzip
from datetime import datetime
from decimal import Decimal

import duckdb
import pyarrow as pa
import pyarrow.csv as pacsv
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow import GraphError, StreamSchema
from operators.files.sinks import CsvSink
from tests.written_files import written

ROWS = pa.table(
    {
        "n": pa.array([1, None, -3]),
        "x": pa.array([1.0, 2.5, None]),
        "s": pa.array(["plain", 'quo"ted, and\nbroken', None]),
        "d": pa.array(["a", "b", "a"]).dictionary_encode(),
        "t": pa.array([datetime(2024, 1, 2, 3, 4, 5, 678), None, datetime(1969, 12, 31)]),
        "m": pa.array([Decimal("1.50"), Decimal("-0.01"), None], pa.decimal128(10, 2)),
        "b": pa.array([True, False, None]),
    }
)


def test_the_text(tmp_path):
    part = written(tmp_path, CsvSink(tmp_path), ROWS)
    assert part.name == "part-run-out-0-1.csv"
    assert part.read_text() == (
        "n,x,s,d,t,m,b\n"
        "1,1.0,plain,a,2024-01-02 03:04:05.000678,1.50,true\n"
        ',2.5,"quo""ted, and\nbroken",b,,-0.01,false\n'
        "-3,,,a,1969-12-31 00:00:00.000000,,\n"
    )


def test_pyarrow_and_duckdb_read_it(tmp_path):
    part = written(tmp_path, CsvSink(tmp_path), ROWS)
    plain = ROWS.set_column(3, "d", ROWS["d"].cast(pa.string()))
    read = pacsv.read_csv(
        part,
        parse_options=pacsv.ParseOptions(newlines_in_values=True),
        convert_options=pacsv.ConvertOptions(
            column_types=plain.schema, strings_can_be_null=True, quoted_strings_can_be_null=False
        ),
    )
    assert read.equals(plain)
    types = {
        "n": "BIGINT", "x": "DOUBLE", "s": "VARCHAR", "d": "VARCHAR", "t": "TIMESTAMP", "m": "DECIMAL(10,2)",
        "b": "BOOLEAN",
    }  # fmt: skip
    found = duckdb.sql(f"FROM read_csv('{part}', columns={types})")
    assert found.fetchall() == [tuple(row.values()) for row in plain.to_pylist()]


def test_text_for_null_delimiter_and_no_header(tmp_path):
    table = pa.table({"s": ["NA", None, "a|b", "", 'q"'], "n": [1, None, 2, 3, 4]})
    part = written(tmp_path, CsvSink(tmp_path, header=False, delimiter="|", nulls="NA"), table)
    assert part.read_text() == '"NA"|1\nNA|NA\n"a|b"|2\n|3\n"q"""|4\n'


def test_empty_text_is_not_null(tmp_path):
    part = written(tmp_path, CsvSink(tmp_path), pa.table({"s": ["", None], "t": [None, ""]}))
    assert part.read_text() == 's,t\n"",\n,""\n'


def test_a_single_column_has_no_empty_lines(tmp_path):
    part = written(tmp_path, CsvSink(tmp_path), pa.table({"n": [1, None, 2]}))
    assert part.read_text() == 'n\n1\n""\n2\n'
    assert pacsv.read_csv(part)["n"].to_pylist() == [1, None, 2]


def test_headings_are_quoted_where_needed(tmp_path):
    part = written(tmp_path, CsvSink(tmp_path), pa.table({'a"b': [1], "c,d": [2], "e f": [3]}))
    assert part.read_text() == '"a""b","c,d",e f\n1,2,3\n'


def test_nested_values_are_json(tmp_path):
    table = pa.table({"l": [[1, None], None], "o": [{"a": "x,y"}, {"a": None}]})
    part = written(tmp_path, CsvSink(tmp_path), table)
    assert part.read_text() == 'l,o\n"[1,null]","{""a"":""x,y""}"\n,"{""a"":null}"\n'
    read = duckdb.sql(
        f"SELECT l::BIGINT[], (o::JSON)->>'a' FROM read_csv('{part}', quote='\"', escape='\"', header=true)"
    )
    assert read.fetchall() == [([1, None], "x,y"), (None, None)]


@pytest.mark.parametrize(("compression", "ending"), [("gzip", ".csv.gz"), ("zstd", ".csv.zst")])
def test_compression(tmp_path, compression, ending):
    part = written(tmp_path, CsvSink(tmp_path, compression=compression), ROWS.select(["n", "x"]))
    assert part.name.endswith(ending)
    assert pacsv.read_csv(part).equals(ROWS.select(["n", "x"]))
    assert duckdb.sql(f"FROM read_csv('{part}')").fetchall() == [(1, 1.0), (None, 2.5), (-3, None)]
    if compression == "gzip":
        assert gzip.decompress(part.read_bytes()).startswith(b"n,x\n")


def test_a_run_without_rows_leaves_the_header(tmp_path):
    part = written(tmp_path, CsvSink(tmp_path), ROWS.slice(0, 0))
    assert part.read_text() == "n,x,s,d,t,m,b\n"


@given(st.lists(st.tuples(*[st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\x00"))] * 2)))
@settings(max_examples=60, deadline=None)
def test_any_text_comes_back(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("parts")
    table = pa.table({name: pa.array([row[i] for row in rows], pa.string()) for i, name in enumerate("ab")})
    part = written(path, CsvSink(path, nulls="NULL"), table)
    with part.open(newline="") as file:
        read = list(csv.reader(file))[1:]
    assert read == [["NULL" if value is None else value for value in row] for row in rows]


def test_what_csv_cannot_do_is_refused(tmp_path):
    with pytest.raises(GraphError, match="column 'i' of type dense_union"):
        CsvSink(tmp_path).check(StreamSchema(pa.schema([("i", pa.dense_union([pa.field("a", pa.int8())]))])))
    for delimiter in ("", ";;", '"', "\n", "é"):
        with pytest.raises(GraphError, match="delimiter is one ASCII character"):
            CsvSink(tmp_path, delimiter=delimiter)
    for nulls in ('"', "a,b", "\n"):
        with pytest.raises(GraphError, match="text for NULL"):
            CsvSink(tmp_path, nulls=nulls)
    with pytest.raises(GraphError, match=r"no compression 'gzi' .*known here: \['gzip', 'zstd'\]; did you mean 'gzip'"):
        CsvSink(tmp_path, compression="gzi")
