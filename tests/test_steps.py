"""One node at work, driven by calls: what it cannot use goes aside, whole and counted, or ends the run as told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from flow import (
    BROADCAST,
    FORWARD,
    Hash,
    Router,
    StepError,
)
from flow.layout import Edge
from flow.messages import END, Rows
from flow.metrics import Counters
from flow.steps import RunningStep, Way
from tests.working import SCHEMA, Doing, Noting, _Doing, _Ported, batch, context_of, opened, read_of, working, writing


def test_a_partition_knows_where_it_is_and_has_ways_out() -> None:
    context = context_of(opened())
    assert (context.node, context.partition, context.partitions) == ("node", 2, 4)
    assert dict(context.inputs) == {"in": SCHEMA}


def raising(error: BaseException) -> Callable[..., Any]:
    def raise_it(*_: Any) -> Any:
        raise error

    return raise_it


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (working(Doing(opened=lambda *_: None)), "partition 2): TypeError: the operator opened a NoneType"),
        (working(Doing(opened=raising(OSError("no")))), "partition 2): OSError: no"),
        (writing(Doing(opened=lambda *_: 7)), "writer 2): TypeError: the sink opened a int"),
        (writing(Noting(("open",))), "writer 2): OSError: no open"),
    ],
)
def test_what_cannot_be_opened_is_told_with_its_instance(step: RunningStep, said: str) -> None:
    with pytest.raises(StepError) as raised:
        step.open("run")
    assert str(raised.value).startswith(f"'node' ({said}")
    assert step.finish(committed=False) == []


@pytest.mark.parametrize(("committed", "calls"), [(True, ["close"]), (False, ["abort", "close"])])
def test_a_writer_is_aborted_unless_all_was_committed_and_closed_once(committed: bool, calls: list[str]) -> None:
    sink = Noting()
    running = writing(sink)
    running.open("run")
    assert running.finish(committed=committed) == running.finish(committed=committed) == []
    assert sink.calls == ["open", *calls]


def test_a_writer_whose_abort_raises_is_closed_all_the_same() -> None:
    sink = Noting(("abort", "close"))
    running = writing(sink)
    running.open("run")
    assert [str(error) for error in running.finish(committed=False)] == [
        "'node' (writer 2): OSError: no abort",
        "'node' (writer 2): OSError: no close",
    ]


def test_a_partition_is_closed_once() -> None:
    running = opened()
    partition = running.partition
    assert running.finish(committed=False) == running.finish(committed=True) == []
    assert isinstance(partition, _Doing)
    assert partition.closed == 1


def put_out(running: RunningStep, *rows: pa.RecordBatch) -> list[list[int]]:
    return [
        made["n"].to_pylist() for each in rows for made in running.outputs(lambda each=each: running.on_batch(0, each))
    ]


def test_outputs_come_one_by_one_on_the_step_s_account(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 10_000, 10))
    monkeypatch.setattr("flow.steps.perf_counter_ns", lambda: next(clock))
    running = opened(Doing(lambda rows: iter([rows, batch(7)])))
    assert put_out(running, batch(1, 2)) == [[1, 2], [7]]
    assert running.counters.busy == 30, "two batches and the end, 10 ns each; what others do between them is theirs"


def test_a_port_is_told_by_its_name() -> None:
    running = opened(Doing(opened=lambda *_: _Ported()), ports=("left", "right"))
    assert [[rows.num_rows for rows in running.on_batch(port, batch(1))] for port in (0, 1)] == [[0], [1]]


@pytest.mark.parametrize(
    ("given_out", "said"),
    [
        (None, "the partition returned a NoneType; it should yield record batches"),
        ([3], "the partition yielded a int; it should yield record batches"),
        ([pa.record_batch({"m": [1]})], "the partition yielded the columns m int64, not n int64"),
        ([pa.record_batch({"n": ["x"]})], "the partition yielded the columns n string, not n int64"),
    ],
)
def test_what_is_no_batch_of_the_announced_columns_is_an_error(given_out: Any, said: str) -> None:
    with pytest.raises(StepError) as raised:
        put_out(opened(Doing(lambda rows: given_out)), batch(1))
    assert str(raised.value.cause) == said


@pytest.mark.parametrize("error", [ValueError("bad"), SystemExit(0)])
def test_what_a_partition_raises_names_node_instance_and_offset(error: BaseException) -> None:
    running = opened(Doing(raising(error)))
    running.trace.begin([read_of("a", {"line": 2}, {"line": 9})])
    with pytest.raises(StepError) as raised:
        put_out(running, batch(1))
    told = raised.value
    assert (told.node, told.instance, told.offset, told.cause) == ("node", "partition 2", {"line": 9}, error)
    assert told.place == "partition 2, offsets {'line': 2} to {'line': 9} of split 'a' of 'in'"
    assert told.__cause__ is error


def test_an_interrupt_is_no_failure_of_the_step() -> None:
    with pytest.raises(KeyboardInterrupt):
        put_out(opened(Doing(raising(KeyboardInterrupt()))), batch(1))


def test_an_error_that_is_told_already_is_passed_on() -> None:
    error = StepError("other", "partition 0", ValueError("theirs"))
    assert opened().failure(error) is error


def way(router: Router, instance: int, instances: int) -> tuple[Way, Counters]:
    counters = Counters()
    return Way(Edge(3, 0, 1, 0, router, None), instance, instances, counters), counters


def test_a_way_by_key_sends_every_row_once_and_counts_it() -> None:
    out, counters = way(Hash(("n",)), 0, 3)
    sends = list(out.rows(batch(*range(100))))
    assert all(isinstance(send.message, Rows) and send.edge == 3 and send.size for send in sends)
    assert sorted({send.instance for send in sends}) == [0, 1, 2]
    assert sorted(n for send in sends for n in send.message.batch["n"].to_pylist()) == list(range(100))
    assert (counters.rows_in, counters.rows_out, counters.batches_in, counters.batches_out) == (100, 100, 1, 3)
    assert counters.bytes_out == sum(send.size for send in sends)


def test_a_way_to_all_gives_everybody_every_row() -> None:
    out, counters = way(BROADCAST, 0, 3)
    assert [(send.instance, send.message.batch.num_rows) for send in out.rows(batch(1, 2))] == [(0, 2), (1, 2), (2, 2)]
    assert (counters.rows_in, counters.rows_out) == (2, 6)


@pytest.mark.parametrize(("router", "reached"), [(Hash(("n",)), [0, 1, 2]), (BROADCAST, [0, 1, 2]), (FORWARD, [1])])
def test_control_goes_to_every_instance_that_rows_can_go_to(router: Router, reached: list[int]) -> None:
    out, counters = way(router, 4, 3)
    sends = list(out.control(END))
    assert [(send.edge, send.instance, send.message) for send in sends] == [(3, instance, END) for instance in reached]
    assert counters.rows_out == 0
    assert {send.instance for send in out.rows(batch(*range(50)))} == set(reached)
