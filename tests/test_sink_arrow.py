"""Arrow IPC part files: every value comes back; dictionaries become what they stand for."""

from datetime import datetime

import duckdb
import pyarrow as pa
import pytest

from flow import GraphError, StreamSchema
from operators.files.sinks import ArrowSink
from tests.written_files import written


def read_back(path, sink, batches):
    with pa.OSFile(str(written(path, sink, batches))) as file:
        return pa.ipc.open_file(file).read_all()


@pytest.mark.parametrize("compression", ["zstd", "lz4", None])
def test_everything_comes_back(tmp_path, compression):
    table = pa.table(
        {
            "n": [1, None, 3],
            "s": ["a", "", None],
            "t": [datetime(2024, 1, 2), None, None],
            "l": [[1, None], [], None],
            "o": [{"a": "x"}, {"a": None}, None],
        }
    )
    read = read_back(tmp_path, ArrowSink(tmp_path, compression), table)
    assert read.equals(table)
    assert duckdb.sql("SELECT n, s, l, o FROM read").fetchall()[0] == (1, "a", [1, None], {"a": "x"})


def test_dictionaries_become_what_they_stand_for(tmp_path, monkeypatch):
    monkeypatch.setattr("operators.files.sinks.parts.BUFFER_ROWS", 2)
    batches = [
        pa.record_batch({"d": pa.array(values).dictionary_encode()}) for values in (["a", "b"], ["c", "a", None])
    ]
    read = read_back(tmp_path, ArrowSink(tmp_path), batches)
    assert read.schema == pa.schema([("d", pa.string())])
    assert read["d"].to_pylist() == ["a", "b", "c", "a", None]


def test_a_run_without_rows_leaves_the_columns(tmp_path):
    read = read_back(tmp_path, ArrowSink(tmp_path), [pa.RecordBatch.from_pylist([], pa.schema([("n", pa.int8())]))])
    assert read.num_rows == 0
    assert read.schema == pa.schema([("n", pa.int8())])


def test_what_cannot_be_written_is_refused(tmp_path):
    columns = pa.schema([("d", pa.list_(pa.dictionary(pa.int8(), pa.string())))])
    with pytest.raises(GraphError, match=r"'d' .* has a dictionary inside; cast it first"):
        ArrowSink(tmp_path).check(StreamSchema(columns))
    with pytest.raises(GraphError, match="no compression 'gzip' for Arrow files"):
        ArrowSink(tmp_path, "gzip")
