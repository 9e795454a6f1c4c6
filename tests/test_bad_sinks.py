"""Sinks that cannot write: a clear error, nothing committed, nothing left behind; slow ones lose nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flow import Graph, GraphError, Sink, Writer, WriterContext
from operators import ArrowFile, Callback, Collect, Csv, JsonLines, Parquet, Table
from tests.bad_input import PLACES, failure, names_in, numbers, python, run

FORMATS = pytest.mark.parametrize("form", [Parquet, ArrowFile, Csv, JsonLines])
Form = Callable[..., Any]
NOISE = "[(number * 2654435761 % 2**64).to_bytes(8, 'big').hex() * 12 for number in range(30_000)]"


def writing(sink: Any, table: pa.Table | None = None) -> Graph:
    graph = Graph("g")
    graph.source("in", Table(numbers() if table is None else table)).sink("out", sink)
    return graph


@attrs.frozen
class Fails(Sink):
    """Raises in one of its writers' calls."""

    call: str
    calls: list[str] = attrs.field(factory=list, eq=False)

    def open(self, context: WriterContext) -> Writer:
        self.note("open")
        return _Failing(self)

    def note(self, call: str) -> None:
        self.calls.append(call)
        if call == self.call:
            raise OSError(f"no {call} today")


class _Failing(Writer):
    def __init__(self, sink: Fails) -> None:
        self.sink = sink

    def write(self, batch: pa.RecordBatch) -> None:
        self.sink.note("write")

    def prepare(self, epoch: int) -> None:
        self.sink.note("prepare")

    def commit(self, epoch: int) -> None:
        self.sink.note("commit")

    def close(self) -> None:
        self.sink.note("close")


@PLACES
@pytest.mark.parametrize("call", ["open", "write", "prepare", "commit", "close"])
@pytest.mark.parametrize("on_error", ["fail", "skip"])
def test_a_sink_that_raises_fails_the_run_and_is_closed(
    call: str, on_error: Any, partitions: int, tmp_path: Path
) -> None:
    sink = Fails(call)
    graph = Graph("g")
    stream = graph.source("in", Table(numbers(), batch_rows=100)).key_by("s").map_batches(lambda batch: batch)
    stream.sink("bad", sink, on_error=on_error)
    stream.sink("good", Parquet(tmp_path / "out"))
    if (call, on_error) == ("write", "skip"):
        stats = run(graph, partitions)
        assert (stats.nodes["bad"].skipped_rows, stats.rows_out) == (1_000, 1_000)
        return
    error = failure(lambda: run(graph, partitions))
    assert (error.node, error.instance, str(error.cause)) == ("bad", "writer 0", f"no {call} today")
    assert call == "open" or sink.calls[-1] == "close"
    if call not in ("commit", "close"):
        assert names_in(tmp_path) == []
    assert not [name for name in names_in(tmp_path) if "inprogress" in name]


@PLACES
@pytest.mark.parametrize("first", [True, False])
def test_where_one_sink_cannot_commit_all_others_do(first: bool, partitions: int, tmp_path: Path) -> None:
    graph = Graph("g")
    stream = graph.source("in", Table(numbers(), batch_rows=100))
    for name in ("bad", "good") if first else ("good", "bad"):
        stream.sink(name, Fails("commit") if name == "bad" else Parquet(tmp_path / "out"))
    assert failure(lambda: run(graph, partitions)).node == "bad"
    assert pq.read_table(tmp_path / "out").num_rows == 1_000


@PLACES
def test_where_one_sink_cannot_prepare_none_commits(partitions: int, tmp_path: Path) -> None:
    graph = Graph("g")
    stream = graph.source("in", Table(numbers(), batch_rows=100))
    bad = Fails("prepare")
    for name, sink in {"before": Parquet(tmp_path / "before"), "bad": bad, "after": Csv(tmp_path / "after")}.items():
        stream.sink(name, sink)
    assert failure(lambda: run(graph, partitions)).node == "bad"
    assert "commit" not in bad.calls
    assert names_in(tmp_path) == []


def test_a_sink_that_opens_no_writer() -> None:
    class Nothing(Sink):
        def open(self, context: WriterContext) -> Any:
            return None

    assert "'out' (writer 0): TypeError: the sink opened a NoneType" in str(failure(lambda: run(writing(Nothing()))))


def test_a_callback_that_raises() -> None:
    def call(*_: Any) -> None:
        raise ZeroDivisionError("no")

    assert failure(lambda: run(writing(Callback(call)))).node == "out"


@FORMATS
def test_a_file_where_a_directory_is_expected(form: Form, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(GraphError, match=r"'out': a sink writes a directory of part files; '.*file' is a file"):
        writing(form(tmp_path / "file"))
    below = writing(form(tmp_path / "file" / "out"))
    assert "'out' (writer 0): NotADirectoryError" in str(failure(lambda: run(below)))
    later = writing(form(tmp_path / "later"))
    (tmp_path / "later").touch()
    assert "'out' (writer 0): FileExistsError" in str(failure(lambda: run(later)))
    assert names_in(tmp_path) == ["file", "later"]


@FORMATS
@PLACES
def test_a_directory_that_vanishes_while_it_is_written(form: Form, partitions: int, tmp_path: Path) -> None:
    def remove(batch: pa.RecordBatch) -> pa.RecordBatch:
        if batch.num_rows:
            shutil.rmtree(tmp_path / "out", ignore_errors=True)
        return batch

    graph = Graph("g")
    graph.source("in", Table(numbers())).key_by("s").map_batches(remove).sink("out", form(tmp_path / "out"))
    error = failure(lambda: run(graph, partitions))
    assert error.node == "out"
    assert str(tmp_path / "out") in str(error)


def test_a_full_disk_under_any_policy(tmp_path: Path) -> None:
    made = python(
        f"""
        rows = Table({{"b": {NOISE}}})
        for form in (Parquet, ArrowFile, Csv, JsonLines):
            for on_error in ("fail", "skip"):
                graph = Graph("g")
                graph.source("in", rows).sink("out", form({str(tmp_path / "out")!r}), on_error=on_error)
                try:
                    graph.run(partitions=2)
                except ExceptionGroup as group:
                    print(group.exceptions[0])
        """,
        limit="signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (50_000,) * 2)",
    )
    lines = made.stdout.splitlines()
    assert len(lines) == 8, made.stderr
    assert all(line.startswith("'out' (writer 0, at or before offset ") for line in lines)
    assert all(": OSError: " in line and "File too large: " in line for line in lines)
    assert made.stderr == ""
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("policy", ["skip", "fail"])
def test_rows_taken_before_a_failed_write_are_not_committed_without(policy: Any, tmp_path: Path) -> None:
    # Rows wait in the writer until there are enough of them; the batch at which writing fails is not the only one lost.
    graph = Graph("g")
    rows = Table(pa.table({"a": range(300_000)}), batch_rows=60_000)

    def remove(batch: pa.RecordBatch) -> pa.RecordBatch:
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        return batch

    graph.source("in", rows).map_batches(remove).sink("out", Csv(tmp_path / "out"), on_error=policy)
    assert failure(lambda: run(graph, topology="serial", batch_rows=1)).node == "out"
    assert names_in(tmp_path) == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become somebody else")
def test_a_directory_that_may_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    for folder in (tmp_path / "out", tmp_path, *tmp_path.parents[:3]):
        folder.chmod(0o755)
    made = python(
        f"""
        for path in ("", "/deeper"):
            for form in (Parquet, ArrowFile, Csv, JsonLines):
                graph = Graph("g")
                graph.source("in", Table({{"a": [1]}})).sink("out", form({str(tmp_path / "out")!r} + path))
                try:
                    graph.run()
                except ExceptionGroup as group:
                    print(group.exceptions[0])
        """,
        limit="os.setgroups([]); os.setgid(65534); os.setuid(65534)",
    )
    lines = made.stdout.splitlines()
    assert len(lines) == 8, made.stderr
    for line in lines:
        assert line.startswith("'out' (writer 0"), made.stderr
        assert "): PermissionError: [Errno 13] Permission denied: " in line
    assert names_in(tmp_path) == []


def test_two_sinks_that_would_write_the_same_file(tmp_path: Path) -> None:
    graph = Graph("g")
    stream = graph.source("in", Table(numbers()))
    stream.sink("a b", Parquet(tmp_path / "out"))
    stream.sink("a_b", Parquet(tmp_path / "out"))
    assert isinstance(failure(lambda: run(graph)).cause, FileExistsError)
    assert names_in(tmp_path) == []


@PLACES
def test_a_slow_sink_under_a_fast_source_gets_every_row(partitions: int) -> None:
    class Slow(Sink):
        def open(self, context: WriterContext) -> Writer:
            return _Slow()

    class _Slow(Writer):
        def write(self, batch: pa.RecordBatch) -> None:
            # Slow without a clock: more work than reading is.
            seen.extend(sorted(batch["a"].to_pylist() * 20)[::20])

    seen: list[int] = []
    graph, out = Graph("g"), Collect()
    stream = graph.source("in", Table(numbers(2_000), batch_rows=10)).key_by("s").map_batches(lambda batch: batch)
    stream.sink("slow", Slow())
    stream.sink("out", out)
    stats = run(graph, partitions, edge_slots=1, edge_bytes=100, prefetch=1, batch_rows=1)
    assert sorted(seen) == list(range(2_000))
    assert (out.table().num_rows, stats.rows_out) == (2_000, 4_000)
