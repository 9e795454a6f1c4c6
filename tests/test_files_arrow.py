from contextlib import closing

import numpy as np
import pyarrow as pa
import pytest

from flow.errors import GraphError
from operators.files.arrow import ArrowFile
from operators.files.columnar_reader import BATCH_ROWS
from operators.files.paths import FileError


def batches_of(source, split, offset=None):
    with closing(source.open(split, offset)) as reader:
        while (batch := reader.read()) is not None:
            assert batch.schema == source.layout().schema
            yield batch, reader.offset(), reader.take_rejected()


def read_all(source):
    batches = [batch for split in source.splits() for batch, _, _ in batches_of(source, split)]
    return pa.Table.from_batches(batches, schema=source.layout().schema)


def write(path, table, rows=1000, *, stream=False, compression=None):
    options = pa.ipc.IpcWriteOptions(compression=compression)
    new = pa.ipc.new_stream if stream else pa.ipc.new_file
    with new(str(path), table.schema, options=options) as writer:
        for batch in table.to_batches(rows):
            writer.write_batch(batch)
    return path


def numbers(rows):
    return pa.table({"n": np.arange(rows), "s": pa.array([str(n % 7) for n in range(rows)])})


@pytest.mark.parametrize("rows", [10, 5_000, 300_000])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("compression", [None, "zstd"])
def test_all_rows_come_once_and_resuming_gives_the_rest(tmp_path, rows, stream, compression):
    table = numbers(300_000 if rows > 10 else 100)
    source = ArrowFile(write(tmp_path / "a.arrow", table, rows, stream=stream, compression=compression))
    assert read_all(source).equals(table)
    assert len(source.splits()) == 1 or not stream
    split = source.splits()[-1]
    whole = list(batches_of(source, split))
    assert max(batch.num_rows for batch, _, _ in whole) <= BATCH_ROWS
    for number, (_, offset, _) in enumerate(whole[:5]):
        rest = pa.Table.from_batches([batch for batch, _, _ in batches_of(source, split, offset)], table.schema)
        assert rest.equals(pa.Table.from_batches([batch for batch, _, _ in whole[number + 1 :]], table.schema))


def test_record_batches_are_splits_and_small_ones_share_one(tmp_path):
    wide = pa.table({"n": np.arange(3_000_000)})
    assert len(ArrowFile(write(tmp_path / "a.arrow", wide, 1_000_000)).splits()) == 3
    assert len(ArrowFile(write(tmp_path / "b.arrow", numbers(1000), 10)).splits()) == 1


def test_a_file_without_batches(tmp_path):
    for stream in (False, True):
        source = ArrowFile(write(tmp_path / "a.arrow", numbers(0).slice(0, 0), stream=stream))
        assert source.schema().names == ["n", "s"]
        assert len(read_all(source)) == 0


def test_columns_types_and_rejected_rows(tmp_path):
    path = write(tmp_path / "a.arrow", pa.table({"n": [1, 300], "t": [5, 6], "x": ["a", "b"]}))
    source = ArrowFile(path, columns=["t", "n"], types={"n": "int8", "t": pa.timestamp("s")})
    ((batch, _, (rejected,)),) = batches_of(source, source.splits()[0])
    assert batch.schema == pa.schema([("t", pa.timestamp("s")), ("n", pa.int8())])
    assert batch.column("n").to_pylist() == [1]
    assert "300 is no int8" in rejected.error
    assert read_all(source.narrow(["t"])).num_rows == 2
    narrow = source.narrow([])
    assert sum(batch.num_rows for batch, _, _ in batches_of(narrow, narrow.splits()[0])) == 2


def test_dictionaries_and_nested_columns_stay(tmp_path):
    table = pa.table({"d": pa.array(["a", "b", "a"]).dictionary_encode(), "s": [{"a": [1]}, None, {"a": []}]})
    assert read_all(ArrowFile(write(tmp_path / "a.feather", table))).equals(table)


def test_later_files_must_fit_the_first(tmp_path):
    write(tmp_path / "1.arrow", pa.table({"n": pa.array([1], pa.int64())}))
    write(tmp_path / "2.arrow", pa.table({"n": pa.array([2], pa.int16())}), stream=True)
    assert read_all(ArrowFile(tmp_path)).to_pylist() == [{"n": 1}, {"n": 2}]
    write(tmp_path / "2.arrow", pa.table({"n": ["2"]}))
    with pytest.raises(FileError, match=r"2\.arrow.*'n'.*string.*int64"):
        read_all(ArrowFile(tmp_path))
    with pytest.raises(GraphError, match="no column 'm'"):
        ArrowFile(tmp_path, columns=["m"]).schema()


@pytest.mark.parametrize(
    "content", [b"", b"ARROW1", b"ARROW1\0\0no arrow at all", b"\xff\xff\xff\xff\x10\0\0\0xx", b"a,b\n"]
)
def test_corrupt_files_are_named(tmp_path, content):
    path = tmp_path / "broken.arrow"
    path.write_bytes(content)
    with pytest.raises(FileError, match=r"broken\.arrow"):
        read_all(ArrowFile(path))


@pytest.mark.parametrize("stream", [False, True])
def test_cut_files_are_named(tmp_path, stream):
    path = write(tmp_path / "cut.arrow", numbers(10_000), stream=stream)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(FileError, match=r"cut\.arrow"):
        read_all(ArrowFile(path))


def test_replaced_file_is_noticed(tmp_path):
    path = write(tmp_path / "a.arrow", numbers(100))
    source = ArrowFile(path)
    (split,) = source.splits()
    write(path, numbers(100), stream=True)
    with pytest.raises(FileError, match="has changed"):
        source.open(split)


def test_sink_of_the_same_name(tmp_path):
    sink = ArrowFile(tmp_path / "out", compression="lz4").as_sink()
    assert (sink.path, sink.compression) == (str(tmp_path / "out"), "lz4")
