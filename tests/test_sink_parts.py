"""What all sinks of part files share; the Parquet sink stands for them."""

import errno
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flow import GraphError, StreamSchema, WriterContext
from flow.schema import changelog_of
from operators.files.sinks import ArrowSink, CsvSink, JsonLinesSink, ParquetSink, parts

COLUMNS = pa.schema([("n", pa.int64()), ("s", pa.string())])


def rows(*numbers):
    return pa.record_batch({"n": numbers, "s": [f"row {n}" for n in numbers]}, schema=COLUMNS)


def writer_of(sink, *, columns=COLUMNS, run_id="r1", writer=0, node="out"):
    return sink.open(WriterContext(node, StreamSchema(columns), writer=writer, writers=2, run_id=run_id))


def listing(path):
    return sorted(os.listdir(path))


def numbers(path):
    return sorted(pq.read_table(path)["n"].to_pylist())


def test_what_an_epoch_wrote_appears_when_it_commits(tmp_path):
    writer = writer_of(ParquetSink(tmp_path / "a" / "b"))
    path = tmp_path / "a" / "b"
    writer.write(rows(1, 2))
    assert listing(path) == []
    writer.prepare(1)
    assert listing(path) == [".part-r1-out-0.parquet.inprogress"]
    writer.commit(1)
    assert listing(path) == ["part-r1-out-0-1.parquet"]
    writer.write(rows(3))
    writer.prepare(2)
    writer.commit(2)
    writer.close()
    assert listing(path) == ["part-r1-out-0-1.parquet", "part-r1-out-0-2.parquet"]
    assert numbers(path) == [1, 2, 3]


def test_directories_that_a_run_made_go_with_what_it_did_not_commit(tmp_path):
    sink = ParquetSink(tmp_path / "a" / "b")
    writers = [writer_of(sink, writer=number) for number in (0, 1)]
    for writer in writers:
        writer.write(rows(1))
    writers[1].prepare(1)
    writers[0].close()
    assert listing(tmp_path / "a" / "b") == [".part-r1-out-1.parquet.inprogress"]
    writers[1].abort()
    writers[1].close()
    assert listing(tmp_path) == []


def test_directories_that_were_there_or_hold_something_stay(tmp_path):
    (tmp_path / "mine").mkdir()
    writer_of(ParquetSink(tmp_path / "mine")).close()
    writer = writer_of(ParquetSink(tmp_path / "a" / "b"))
    (tmp_path / "a" / "theirs").touch()
    writer.close()
    assert (listing(tmp_path), listing(tmp_path / "a")) == (["a", "mine"], ["theirs"])
    sink = ParquetSink(tmp_path / "c")
    first = writer_of(sink)
    first.prepare(1)
    first.commit(1)
    for path in (tmp_path / "c").iterdir():
        path.unlink()  # whoever reads them has moved them away
    first.close()
    assert (listing(tmp_path / "c"), sink) == ([], ParquetSink(tmp_path / "c"))


def test_directories_that_can_only_be_made_in_part_go_again(tmp_path):
    with pytest.raises(OSError, match="File name too long"):
        writer_of(ParquetSink(tmp_path / "a" / ("x" * 300)))
    assert listing(tmp_path) == []


def test_an_epoch_without_rows_leaves_no_part(tmp_path):
    writer = writer_of(ParquetSink(tmp_path))
    for epoch in (1, 2, 3):
        if epoch == 2:
            writer.write(rows(1))
            writer.write(rows())
        writer.prepare(epoch)
        writer.commit(epoch)
    assert [pq.read_metadata(tmp_path / name).num_rows for name in listing(tmp_path)] == [0, 1]


def test_a_run_without_rows_leaves_the_columns(tmp_path):
    for number in (1, 0):
        writer = writer_of(ParquetSink(tmp_path), writer=number)
        writer.prepare(7)
        writer.commit(7)
    assert listing(tmp_path) == ["part-r1-out-0-7.parquet"]
    assert pq.read_table(tmp_path).schema == COLUMNS
    writer = writer_of(ParquetSink(tmp_path), run_id="r2")
    writer.prepare(1)
    writer.commit(1)
    assert listing(tmp_path) == ["part-r1-out-0-7.parquet"]


def test_small_batches_become_one_row_group(tmp_path):
    writer = writer_of(ParquetSink(tmp_path))
    for n in range(100):
        writer.write(rows(n))
    writer.prepare(1)
    writer.commit(1)
    (name,) = listing(tmp_path)
    assert pq.read_metadata(tmp_path / name).num_row_groups == 1
    assert pq.read_table(tmp_path / name)["n"].to_pylist() == list(range(100))


def test_what_waits_is_bounded_and_huge_batches_are_cut(tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "BUFFER_ROWS", 10)
    writer = writer_of(ParquetSink(tmp_path))
    for n in range(25):
        writer.write(rows(n))
    writer.write(rows(*range(25, 60)))
    writer.prepare(1)
    writer.commit(1)
    (name,) = listing(tmp_path)
    metadata = pq.read_metadata(tmp_path / name)
    sizes = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
    assert sum(sizes) == 60
    assert max(sizes) <= 15
    assert pq.read_table(tmp_path)["n"].to_pylist() == list(range(60))


@pytest.mark.parametrize("prepared", [False, True])
@pytest.mark.parametrize(
    "sink", [ParquetSink, CsvSink, JsonLinesSink, ArrowSink, lambda path: CsvSink(path, compression="gzip")]
)
def test_abort_leaves_nothing_of_the_epoch(tmp_path, monkeypatch, sink, prepared):
    monkeypatch.setattr(parts, "BUFFER_ROWS", 2)
    writer = writer_of(sink(tmp_path))
    writer.write(rows(1))
    writer.prepare(1)
    writer.commit(1)
    before = listing(tmp_path)
    writer.write(rows(2, 3, 4))
    writer.write(rows(5))
    if prepared:
        writer.prepare(2)
    assert len(listing(tmp_path)) == len(before) + 1
    writer.abort()
    assert listing(tmp_path) == before
    writer.close()
    assert listing(tmp_path) == before


def test_close_without_commit_leaves_nothing(tmp_path):
    writer = writer_of(ParquetSink(tmp_path))
    writer.write(rows(1))
    writer.prepare(1)
    writer.close()
    assert listing(tmp_path) == []


def test_runs_append_and_overwrite_replaces(tmp_path):
    for run_id, overwrite in (("r1", False), ("r2", False), ("r3", True)):
        writers = [writer_of(ParquetSink(tmp_path, overwrite=overwrite), run_id=run_id, writer=n) for n in (0, 1)]
        for number, writer in enumerate(writers):
            writer.write(rows(int(run_id[1]) * 10 + number))
            writer.prepare(1)
        (tmp_path / "notes.txt").write_text("not a part")
        for writer in reversed(writers):
            writer.commit(1)
        if run_id == "r2":
            assert len(listing(tmp_path)) == 5
    assert listing(tmp_path) == ["notes.txt", "part-r3-out-0-1.parquet", "part-r3-out-1-1.parquet"]


def test_overwriting_with_no_rows_leaves_an_empty_part(tmp_path):
    for run_id in ("r1", "r2"):
        writer = writer_of(ParquetSink(tmp_path, overwrite=True), run_id=run_id)
        if run_id == "r1":
            writer.write(rows(1))
        writer.prepare(1)
        writer.commit(1)
    assert listing(tmp_path) == ["part-r2-out-0-1.parquet"]
    assert numbers(tmp_path) == []


def test_two_sinks_of_a_run_share_a_directory(tmp_path):
    for node in ("first", "second.x/y"):
        writer = writer_of(ParquetSink(tmp_path), node=node)
        writer.write(rows(1))
        writer.prepare(1)
        writer.commit(1)
    assert listing(tmp_path) == ["part-r1-first-0-1.parquet", "part-r1-second_x_y-0-1.parquet"]


def test_a_part_is_never_written_over(tmp_path):
    for attempt in (1, 2):
        writer = writer_of(ParquetSink(tmp_path))
        writer.write(rows(attempt))
        if attempt == 1:
            writer.prepare(1)
            writer.commit(1)
    with pytest.raises(FileExistsError, match=r"part-r1-out-0-1\.parquet"):
        writer.prepare(1)
    writer.abort()
    assert numbers(tmp_path) == [1]


def test_a_changelog_is_refused_unless_it_is_said_how(tmp_path):
    changelog = StreamSchema(changelog_of(COLUMNS))
    with pytest.raises(GraphError, match="changelog"):
        ParquetSink(tmp_path).check(changelog)
    sink = ParquetSink(tmp_path, changes="weight")
    sink.check(changelog)
    assert sink.takes_changes
    writer = writer_of(sink, columns=changelog.columns)
    writer.write(pa.record_batch([[1], ["x"], [-1]], schema=changelog.columns))
    writer.prepare(1)
    writer.commit(1)
    assert pq.read_table(tmp_path).to_pylist() == [{"n": 1, "s": "x", "_weight": -1}]
    with pytest.raises(GraphError, match=r"'wait' to write changes; known here: \['upsert', 'weight'\]"):
        ParquetSink(tmp_path, changes="wait")


def test_paths_that_cannot_be_written_are_refused(tmp_path):
    (tmp_path / "file").write_text("")
    schema = StreamSchema(COLUMNS)
    with pytest.raises(GraphError, match="is a file"):
        ParquetSink(tmp_path / "file").check(schema)
    with pytest.raises(GraphError, match="is a pattern"):
        ParquetSink("out/*.parquet").check(schema)
    with pytest.raises(GraphError, match="no columns"):
        ParquetSink(tmp_path).check(StreamSchema(pa.schema([])))
    with pytest.raises((FileExistsError, NotADirectoryError), match="file"):
        writer_of(ParquetSink(tmp_path / "file" / "below"))


def test_a_sink_is_a_value(tmp_path):
    sink = CsvSink(tmp_path, delimiter="|", compression="gzip", overwrite=True)
    assert sink == CsvSink(str(tmp_path), True, "|", "", "gzip", overwrite=True)
    assert pickle.loads(pickle.dumps(sink)) == sink
    assert sink != CsvSink(tmp_path)


def test_errors_of_the_file_system_name_the_file(tmp_path, monkeypatch):
    writer = writer_of(ParquetSink(tmp_path))
    writer.write(rows(1))

    def full(descriptor):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"part-r1-out-0\.parquet\.inprogress") as caught:
        writer.prepare(1)
    assert caught.value.errno == errno.EIO
    writer.abort()
    assert listing(tmp_path) == []


FULL_DISK = """
import os, resource, signal, sys
import pyarrow as pa
from flow import StreamSchema, WriterContext
from operators.files.sinks import ArrowSink, CsvSink, JsonLinesSink, ParquetSink

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
batch = pa.record_batch({"s": [os.urandom(20).hex() for _ in range(20_000)]})
path = sys.argv[1]
for sink in (
    ParquetSink(path), ArrowSink(path), CsvSink(path), JsonLinesSink(path),
    CsvSink(path, compression="gzip"), JsonLinesSink(path, compression="zstd"),
):
    writer = sink.open(WriterContext("out", StreamSchema(batch.schema)))
    try:
        for _ in range(10):
            writer.write(batch)
        writer.prepare(1)
    except OSError as error:
        print(type(sink).__name__, error.errno, error.filename)
    writer.abort()
    writer.close()
    del writer
    assert os.listdir(path) == [], os.listdir(path)
"""


def test_a_full_disk_is_a_clear_error_and_leaves_nothing(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path)],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    lines = [line.split(" ") for line in done.stdout.splitlines()]
    assert done.stderr == ""
    assert [line[0] for line in lines] == [
        "ParquetSink", "ArrowSink", "CsvSink", "JsonLinesSink", "CsvSink", "JsonLinesSink",
    ]  # fmt: skip
    assert {line[1] for line in lines} == {str(errno.EFBIG)}
    assert all(line[2].startswith(f"{tmp_path}/.part-run-out-0.") for line in lines)
