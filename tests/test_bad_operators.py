"""Operators and iterables that raise, give back the wrong thing, block or never answer: named, and nothing is lost."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pyarrow as pa
import pytest
import structlog
import trio

import flow
from flow import (
    AsyncPartition,
    AsyncReader,
    Graph,
    Idle,
    Operator,
    Partition,
    PartitionContext,
    Reader,
    RowError,
    Source,
    Split,
    StepError,
    StreamSchema,
)
from operators import AsyncRows, Batches, Collect, Null, Parquet, Rows, Table
from tests.bad_input import PLACES, failure, names_in, numbers, read, run

POLICIES = pytest.mark.parametrize("on_error", ["skip", "dead_letter"])


@attrs.frozen
class Calls(Operator):
    """Calls a function where the partition of a sound operator would do its work; `hook` says where."""

    function: Callable[[Any], Any]
    hook: str = "on_batch"
    stateless = True

    def output(self, inputs: Mapping[str, StreamSchema]) -> StreamSchema:
        return inputs["in"]

    def open(self, context: PartitionContext) -> Any:
        if self.hook == "open":
            return self.function(context)
        return _Calls(self.function, self.hook)


class _Calls(Partition):
    def __init__(self, function: Callable[[Any], Any], hook: str) -> None:
        self.function, self.hook = function, hook

    def on_batch(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        return self.function(batch) if self.hook == "on_batch" else iter([batch])

    def on_watermark(self, time: int) -> Iterator[pa.RecordBatch]:
        return self.function(time) if self.hook == "on_watermark" else iter(())

    def flush(self) -> Iterator[pa.RecordBatch]:
        return self.function(None) if self.hook == "flush" else iter(())

    def on_end(self) -> Iterator[pa.RecordBatch]:
        return self.function(None) if self.hook == "on_end" else iter(())

    def close(self) -> None:
        if self.hook == "close":
            self.function(None)


def boom(_: Any) -> Any:
    raise ValueError("boom")


def leave(_: Any) -> Any:
    sys.exit(0)


WRONG: dict[str, tuple[Callable[[pa.RecordBatch], Any], str]] = {
    "nothing": (lambda batch: None, "returned a NoneType"),
    "a table": (lambda batch: pa.table(batch), "returned a Table"),
    "the batch itself": (lambda batch: batch, "returned a RecordBatch"),
    "a number": (lambda batch: 3, "returned a int"),
    "a text": (lambda batch: "ab", "yielded a str"),
    "None first": (lambda batch: [None, batch], "yielded a NoneType"),
    "dicts": (lambda batch: batch.to_pylist(), "yielded a dict"),
    "tables": (lambda batch: [pa.table(batch)], "yielded a Table"),
    "fewer columns": (lambda batch: [batch.select(["a"])], "yielded the columns a int64, not a int64, s string"),
    "other names": (lambda batch: [batch.rename_columns(["q", "s"])], "yielded the columns q int64, s string, not"),
    "another order": (lambda batch: [batch.select(["s", "a"])], "yielded the columns s string, a int64, not"),
    "another type": (lambda batch: [batch.set_column(0, "a", batch["s"])], "yielded the columns a string, s string"),
    "an error": (boom, "ValueError: boom"),
    "an end of iteration": (lambda batch: next(iter(())), "StopIteration"),
    "an end of the program": (leave, "SystemExit: 0"),
}


@PLACES
@pytest.mark.parametrize("wrong", WRONG)
def test_whatever_a_partition_gives_wrong_is_an_error_of_its_node(wrong: str, partitions: int) -> None:
    function, said = WRONG[wrong]
    graph = Graph("g")
    stream = graph.source("in", Table(numbers(), batch_rows=300)).key_by("s")
    stream.apply(Calls(function), name="bad").sink("out", Null())
    error = failure(lambda: run(graph, partitions))
    assert error.node == "bad"
    assert error.instance.startswith("partition ")
    assert said in str(error)


@PLACES
@pytest.mark.parametrize("wrong", WRONG)
def test_under_another_policy_no_row_of_it_is_lost(wrong: str, partitions: int) -> None:
    graph = Graph("g")
    stream = graph.source("in", Table(numbers(40))).key_by("s")
    stream.apply(Calls(WRONG[wrong][0]), name="bad", on_error="skip").sink("out", Null())
    stats = run(graph, partitions)
    assert (stats.rows_in, stats.skipped_rows, stats.rows_out) == (40, 40, 0)


@PLACES
@pytest.mark.parametrize("hook", ["open", "on_watermark", "flush", "on_end", "close"])
def test_an_error_anywhere_in_a_partition_names_its_node(hook: str, partitions: int) -> None:
    table = numbers().append_column("t", pa.array(range(1_000), pa.timestamp("us")))
    graph = Graph("g")
    stream = graph.source("in", Table(table, batch_rows=300), event_time="t").key_by("s")
    stream.apply(Calls(boom, hook), name="bad").sink("out", Null())
    error = failure(lambda: run(graph, partitions))
    assert (error.node, str(error.cause)) == ("bad", "boom")


@pytest.mark.parametrize("opened", [None, 5, pa.table({})])
def test_an_operator_that_opens_no_partition(opened: Any) -> None:
    graph = Graph("g")
    graph.source("in", Table(numbers())).apply(Calls(lambda context: opened, "open"), name="bad").sink("out", Null())
    assert f"the operator opened a {type(opened).__name__}" in str(failure(lambda: run(graph)))


MILLION = pa.table({"a": np.arange(1, 1_000_002)})


def raising_at(row: int) -> Callable[[pa.RecordBatch], pa.RecordBatch]:
    def function(batch: pa.RecordBatch) -> pa.RecordBatch:
        if (batch["a"].to_numpy() == row).any():
            raise ValueError(f"row {row}")
        return batch

    return function


@PLACES
@pytest.mark.parametrize("row", [1, 1_000_000])
def test_an_operator_that_raises_at_one_row_of_a_million(row: int, partitions: int) -> None:
    graph = Graph("g")
    graph.source("in", Table(MILLION)).map_batches(raising_at(row), name="bad").sink("out", Collect())
    error = failure(lambda: run(graph, partitions))
    assert error.node == "bad"
    assert error.instance.startswith("partition ")
    assert error.offset is not None
    assert f"row {row}" in str(error)


@PLACES
@POLICIES
@pytest.mark.parametrize("row", [1, 1_000_000])
def test_only_that_row_of_a_million_is_given_up(row: int, on_error: Any, partitions: int) -> None:
    graph, out, dead = Graph("g"), Collect(), Collect()
    stream = graph.source("in", Table(MILLION)).key_by("a")
    picky = stream.map_batches(raising_at(row), name="bad", on_error=on_error)
    picky.sink("out", out)
    if on_error == "dead_letter":
        picky.dead_letters.sink("dead", dead)
    stats = run(graph, partitions)
    assert out.table().num_rows == 1_000_000
    assert (stats.nodes["bad"].skipped_rows, stats.nodes["bad"].dead_letters) in [(1, 0), (0, 1)]
    if on_error == "dead_letter":
        assert dead.rows[0]["row"] == f'{{"a": {row}}}'


def rows_then_error() -> Iterator[dict[str, Any]]:
    yield from ({"a": number} for number in range(2_000))
    raise RuntimeError("the other side hung up")


async def rows_then_error_async() -> AsyncIterator[dict[str, Any]]:
    for row in rows_then_error():
        yield row


@PLACES
@pytest.mark.parametrize(
    "source", [Rows(rows_then_error, schema={"a": "int64"}), AsyncRows(rows_then_error_async, schema={"a": "int64"})]
)
def test_an_iterator_that_raises_midway_says_after_how_many_rows(source: Source, partitions: int) -> None:
    error = failure(lambda: read(source, partitions=partitions))
    assert (error.node, error.offset, str(error.cause)) == ("in", 2_000, "the other side hung up")


ONE = pa.record_batch({"a": [1]})


@pytest.mark.parametrize("wrong", [None, 7, pa.table({"a": [2]}), pa.record_batch({"a": ["x"]})])
def test_an_iterator_of_something_else_than_batches(wrong: Any) -> None:
    error = failure(lambda: read(Batches([ONE, wrong, ONE])))
    assert (error.node, error.offset) == ("in", 1)
    assert "expected" in str(error)


def test_rows_that_are_none_are_dead_letters() -> None:
    outcome = read(Rows([{"a": 1}, 5, None, {"a": "x"}, {"a": 2}], schema={"a": "int64"}), "dead_letter")
    assert [row["a"] for row in outcome.rows] == [1, 2]
    place = {"source": "in", "split": "all"}
    assert [(letter["row"], json.loads(letter["offset"])) for letter in outcome.letters] == [
        ("5", {**place, "offset": 1}),
        ("None", {**place, "offset": 2}),
        ("{'a': 'x'}", {**place, "offset": 3}),
    ]


class Odd(Source):
    """Opens whatever it is given."""

    def __init__(self, opened: Any) -> None:
        self.opened = opened

    def schema(self) -> pa.Schema:
        return pa.schema([("a", pa.int64())])

    def splits(self) -> list[Split]:
        return [Split("only")]

    def open(self, split: Split, offset: Any = None) -> Any:
        return self.opened


class _OddReader(Reader):
    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def read(self) -> Any:
        return self.answer


def test_a_source_that_opens_no_reader_and_a_reader_that_returns_no_batch() -> None:
    assert "the source opened a NoneType; it should be a reader" in str(failure(lambda: read(Odd(None))))
    error = failure(lambda: read(Odd(_OddReader([1]))))
    assert "'in' (split only): TypeError: the reader returned a list; it should be a record batch" in str(error)


class _Stuck(Reader):
    """Reads three times, and cannot be closed."""

    def __init__(self) -> None:
        self.left = 3

    def read(self) -> pa.RecordBatch | None:
        self.left -= 1
        return pa.record_batch({"a": range(200_000)}) if self.left >= 0 else None

    def close(self) -> None:
        raise OSError("stuck")


class _AsyncStuck(AsyncReader):
    """The same, awaited."""

    def __init__(self) -> None:
        self.stuck = _Stuck()

    async def read(self) -> pa.RecordBatch | None:
        return self.stuck.read()

    async def aclose(self) -> None:
        self.stuck.close()


@attrs.frozen
class _Splits(Source):
    reader: Callable[[], Any]

    def schema(self) -> pa.Schema:
        return pa.schema([("a", pa.int64())])

    def splits(self) -> list[Split]:
        return [Split("one"), Split("two")]

    def open(self, split: Split, offset: Any = None) -> Any:
        return self.reader()


@pytest.mark.parametrize("topology", ["serial", "routed", "prefetched"])
@pytest.mark.parametrize("reader", [_Stuck, _AsyncStuck])
@pytest.mark.parametrize("work", ["works", "fails"])
def test_a_reader_that_cannot_be_closed_keeps_nothing_else_open(
    reader: Any, work: str, topology: Any, tmp_path: Path
) -> None:
    graph = Graph("g")
    each = graph.source("in", _Splits(reader)).map_batches(
        lambda batch: boom(batch) if work == "fails" and batch.num_rows else batch, name="each"
    )
    each.sink("out", Parquet(tmp_path / "out"))
    with pytest.raises(ExceptionGroup) as raised:
        run(graph, 2, topology=topology)
    causes = {(error.node, str(error.cause)) for error in raised.value.exceptions if isinstance(error, StepError)}
    assert ("in", "stuck") in causes
    assert causes <= {("in", "stuck"), ("each", "boom")}
    assert names_in(tmp_path) == []


def test_an_async_partition_that_cannot_be_closed_keeps_nothing_else_open(tmp_path: Path) -> None:
    class Sorry(Operator):
        waits = True

        def output(self, inputs: Mapping[str, StreamSchema]) -> StreamSchema:
            return inputs["in"]

        def open(self, context: PartitionContext) -> AsyncPartition:
            return _Sorry()

    class _Sorry(AsyncPartition):
        concurrency, ordered = 1, True

        def pieces(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
            yield batch

        async def on_piece(self, piece: pa.RecordBatch) -> pa.RecordBatch:
            return piece

        async def aclose(self) -> None:
            raise OSError("stuck")

    graph = Graph("g")
    stream = graph.source("in", Table(numbers())).apply(Sorry(), name="sorry")
    stream.map_batches(lambda batch: boom(batch) if batch.num_rows else batch, name="each").sink(
        "out", Parquet(tmp_path / "out")
    )
    with pytest.raises(ExceptionGroup) as raised:
        run(graph, 2)
    causes = {(error.node, str(error.cause)) for error in raised.value.exceptions if isinstance(error, StepError)}
    assert causes == {("sorry", "stuck"), ("each", "boom")}
    assert names_in(tmp_path) == []


async def never(row: dict[str, Any]) -> None:
    await trio.sleep_forever()


@PLACES
def test_an_async_function_that_never_returns(partitions: int) -> None:
    def graph_of(on_error: Any) -> Graph:
        graph = Graph("g")
        stream = graph.source("in", Table(numbers(20))).key_by("s")
        stream.map_async(never, timeout="20ms", name="silent", on_error=on_error).sink("out", Null())
        return graph

    error = failure(lambda: run(graph_of("fail"), partitions))
    assert error.node == "silent"
    assert isinstance(error.cause, RowError)
    assert "no answer within 0.02 s" in str(error)
    assert run(graph_of("skip"), partitions).skipped_rows == 20


@PLACES
@pytest.mark.parametrize("how", ["drain", "abort"])
def test_an_operator_that_blocks_its_thread_is_given_up_in_bounded_time(
    how: str, partitions: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = structlog.testing.CapturingLogger()
    monkeypatch.setattr("flow.runtime.log", log)
    monkeypatch.setattr("flow.kernels.SETTLE", 0.05)
    release, blocked = threading.Event(), threading.Event()

    def block(batch: pa.RecordBatch) -> pa.RecordBatch:
        if batch.num_rows:
            blocked.set()
            release.wait(60)
        return batch

    graph = Graph("g")
    graph.source("in", Table(numbers())).key_by("s").map_batches(block, name="stuck").sink("out", Collect())
    handle = flow.start(graph, partitions=partitions, grace=0.05)
    try:
        assert blocked.wait(30)
        getattr(handle, how)()
        assert handle.wait(30).outcome == "aborted"
    finally:
        release.set()
    warnings = [call for call in log.calls if call.method_name == "warning"]
    assert all("did not return" in warning.args[0] for warning in warnings)
    assert any(warning.kwargs["instance"].startswith("stuck[") for warning in warnings)


class _Clock(Reader):
    def read(self) -> Idle:
        return Idle(0.001)


def test_a_source_that_is_silent_for_ever_is_drained_at_once() -> None:
    graph = Graph("g")
    graph.source("in", Odd(_Clock())).key_by("a").map_batches(lambda batch: batch).sink("out", Null())
    handle = flow.start(graph, grace=60.0)
    handle.drain()
    assert handle.wait(60).outcome == "drained"
