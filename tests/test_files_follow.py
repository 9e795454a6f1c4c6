import os
from contextlib import closing

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flow.source import Idle
from operators.files.arrow import ArrowFile
from operators.files.csv import Csv
from operators.files.json import JsonLines
from operators.files.parquet import Parquet
from operators.files.paths import FileError


def append(path, text):
    with path.open("a", newline="") as file:
        file.write(text)


def available(reader, column="a"):
    """The values that can be read now."""
    values = []
    while isinstance(batch := reader.read(), pa.RecordBatch):
        values += batch.column(column).to_pylist()
    assert batch == Idle(0.5)
    return values


def follow(source):
    (split,) = source.splits()
    return closing(source.open(split))


def test_a_growing_csv_file_is_read_by_whole_rows(tmp_path):
    path = tmp_path / "a.csv"
    append(path, "a,b\n1,x\n2,")
    source = Csv(path, follow="500ms")
    assert source.unbounded
    assert source.schema() == pa.schema([("a", pa.int64()), ("b", pa.string())])
    with follow(source) as reader:
        assert available(reader) == [1]
        assert available(reader) == []
        append(path, "y")
        assert available(reader) == []
        append(path, '\n3,"open\n')
        assert available(reader) == [2]
        append(path, 'still"\n4,')
        assert available(reader) == [3]
        offset = reader.offset()
    append(path, "z\n5,z\n")
    with closing(source.open(source.splits()[0], offset)) as reader:
        assert available(reader) == [4, 5]


def test_a_csv_file_may_get_its_header_later(tmp_path):
    path = tmp_path / "a.csv"
    append(path, "b,")
    source = Csv(path, types={"a": "int64", "b": "string"}, follow=0.5)
    assert source.schema().names == ["a", "b"]
    with follow(source) as reader:
        assert available(reader) == []
        append(path, "a\nx,1")
        assert available(reader) == []
        append(path, "\ny,2\n")
        assert available(reader) == [1, 2]


def test_a_growing_json_file_is_read_by_whole_lines(tmp_path):
    path = tmp_path / "a.jsonl"
    append(path, '{"a": 1}\n{"a": 2}\n{"a"')
    with follow(JsonLines(path, follow=0.5)) as reader:
        assert available(reader) == [1, 2]
        append(path, ": 3}\nnull\n")
        assert available(reader) == [3]
        assert [row.row for row in reader.take_rejected()] == ["null"]


def test_a_long_line_that_comes_in_pieces(tmp_path):
    path = tmp_path / "a.jsonl"
    append(path, '{"a": "')
    with follow(JsonLines(path, types={"a": "string"}, follow=0.5)) as reader:
        for _ in range(5):
            append(path, "x" * 100_000)
            assert available(reader) == []
        append(path, '"}\n')
        assert available(reader) == ["x" * 500_000]


@pytest.mark.parametrize("source", [Csv, JsonLines])
def test_a_followed_file_may_only_grow(tmp_path, source):
    path = tmp_path / "a.txt"
    content = "a\n1\n2\n" if source is Csv else '{"a": 1}\n{"a": 2}\n'
    append(path, content)
    with follow(source(path, follow=0.5)) as reader:
        assert available(reader) == [1, 2]
        path.write_text(content[:4])
        with pytest.raises(FileError, match=r"a\.txt.*cut off to 4 bytes"):
            reader.read()
    path.write_text(content)
    with follow(source(path, follow=0.5)) as reader:
        assert available(reader) == [1, 2]
        (tmp_path / "new").write_text(content * 2)
        os.replace(tmp_path / "new", path)
        with pytest.raises(FileError, match=r"a\.txt.*replaced"):
            reader.read()
        path.unlink()
        with pytest.raises(FileError, match=r"a\.txt.*not there"):
            reader.read()


def test_directories_get_new_files(tmp_path):
    source = Csv(tmp_path, types={"a": "int64"}, follow=0.5)
    assert source.discover_every == 0.5
    assert source.splits() == []
    append(tmp_path / "2.csv", "a\n1\n")
    assert [split.id for split in source.splits()] == [str(tmp_path / "2.csv")]
    append(tmp_path / "1.csv", "a\n2\n")
    assert [split.id for split in source.splits()] == [str(tmp_path / "1.csv"), str(tmp_path / "2.csv")]


def test_compressed_files_do_not_grow(tmp_path):
    with pa.output_stream(str(tmp_path / "a.csv.gz"), compression="gzip") as file:
        file.write(b"a\n1\n")
    source = Csv(tmp_path, follow=0.5)
    with follow(source) as reader:
        assert reader.read().num_rows == 1
        assert reader.read() is None


@pytest.mark.parametrize("source", [Parquet, ArrowFile])
def test_new_files_of_columnar_formats(tmp_path, source):
    followed = source(tmp_path, types={"a": "int64"}, follow=0.5)
    assert followed.unbounded
    assert followed.splits() == []
    assert followed.schema() == pa.schema([("a", pa.int64())])
    for number in range(2):
        table = pa.table({"a": pa.array([number], pa.int32())})
        if source is Parquet:
            pq.write_table(table, tmp_path / f"{number}.parquet")
        else:
            with pa.ipc.new_file(str(tmp_path / f"{number}.arrow"), table.schema) as writer:
                writer.write_table(table)
        splits = followed.splits()
        assert len(splits) == number + 1
        with closing(followed.open(splits[-1])) as reader:
            assert reader.read() == pa.record_batch({"a": [number]})
            assert reader.read() is None


def test_types_stay_what_they_were_when_earlier_files_come_later(tmp_path):
    append(tmp_path / "2.csv", "a\n1\n")
    source = Csv(tmp_path, follow=0.5)
    assert source.schema() == pa.schema([("a", pa.int64())])
    append(tmp_path / "1.csv", "a\nx\n")
    with closing(source.narrow(["a"]).open(source.splits()[0])) as reader:
        assert available(reader) == []
        assert [row.row for row in reader.take_rejected()] == ["x"]


def test_nothing_is_followed_without_declared_columns(tmp_path):
    for source in (Csv, JsonLines, Parquet, ArrowFile):
        with pytest.raises(FileError, match="declare"):
            source(tmp_path, follow=1).schema()
