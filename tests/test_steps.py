"""One node at work, driven by calls: what it cannot use goes aside, whole and counted, or ends the run as told."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import attrs
import pyarrow as pa
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import LogCapture

from flow import (
    BROADCAST,
    FORWARD,
    Hash,
    Operator,
    Partition,
    PartitionContext,
    PortedPartition,
    Router,
    RowError,
    Sink,
    StepError,
    StreamSchema,
    Writer,
    WriterContext,
)
from flow.layout import Edge, Step
from flow.messages import END, Rows
from flow.metrics import Counters
from flow.nodes import DEAD_LETTER_COLUMNS, ErrorPolicy, OperatorNode, Output, SinkNode
from flow.origin import Origins, Stretch
from flow.steps import RunningStep, Way

COLUMNS = pa.schema([("n", pa.int64())])
SCHEMA = StreamSchema(COLUMNS)


def batch(*numbers: int) -> pa.RecordBatch:
    return pa.record_batch([list(numbers)], schema=COLUMNS)


def read_of(split: str, start: Any, end: Any) -> Origins:
    return Origins((Stretch("in", split, start, end),))


@attrs.frozen
class Doing(Operator):
    """An operator whose partitions do what a function does with each batch."""

    rows: Callable[[pa.RecordBatch], Any] = lambda rows: [rows]
    opened: Callable[[Doing, PartitionContext], Any] = lambda operator, context: _Doing(operator, context)

    def output(self, inputs: Mapping[str, StreamSchema]) -> StreamSchema:
        return next(iter(inputs.values()))

    def open(self, context: PartitionContext) -> Any:
        return self.opened(self, context)


class _Doing(Partition):
    def __init__(self, operator: Doing, context: PartitionContext) -> None:
        self.operator, self.context, self.closed = operator, context, 0

    def on_batch(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        return self.operator.rows(batch)  # type: ignore[no-any-return]

    def close(self) -> None:
        self.closed += 1


class _Ported(PortedPartition):
    def on_batch(self, batch: pa.RecordBatch, port: str) -> Iterator[pa.RecordBatch]:
        yield batch if port == "right" else batch.slice(0, 0)


@attrs.frozen
class Noting(Sink):
    """Notes its writer's calls, and raises in those that it is told to."""

    fails: tuple[str, ...] = ()
    calls: list[str] = attrs.field(factory=list, eq=False)

    def open(self, context: WriterContext) -> Any:
        self.note("open")
        return _Noted(self)

    def note(self, call: str) -> None:
        self.calls.append(call)
        if call in self.fails:
            raise OSError(f"no {call}")


class _Noted(Writer):
    def __init__(self, sink: Noting) -> None:
        self.sink = sink

    def write(self, batch: pa.RecordBatch) -> None:
        self.sink.note("write")

    def abort(self) -> None:
        self.sink.note("abort")

    def close(self) -> None:
        self.sink.note("close")


def working(operator: Operator, on_error: ErrorPolicy = "fail", ports: Iterable[str] = ("in",)) -> RunningStep:
    """An operator's step, the third instance of four, not yet open."""
    inputs = dict.fromkeys(ports, SCHEMA)
    node = OperatorNode("node", operator, tuple((port, Output("rows")) for port in ports))
    return RunningStep(Step("node", "operator", inputs, SCHEMA, node, operator=operator, on_error=on_error), 2, 4)


def opened(operator: Operator | None = None, on_error: ErrorPolicy = "fail", **options: Any) -> RunningStep:
    running = working(operator or Doing(), on_error, **options)
    running.open("run")
    return running


def writing(sink: Any) -> RunningStep:
    node = SinkNode("node", sink, Output("rows"))
    return RunningStep(Step("node", "sink", {"in": SCHEMA}, SCHEMA, node, sink=sink), 2, 4)


def context_of(running: RunningStep) -> PartitionContext:
    assert isinstance(running.partition, _Doing)
    return running.partition.context


def aside(running: RunningStep) -> list[tuple[str, list[dict[str, Any]]]]:
    return [(side, rows.to_pylist()) for side, rows in running.take_aside()]


# Opening and closing


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


# Working


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


# What goes aside


def test_late_rows_go_aside_in_order_and_are_counted() -> None:
    running = opened()
    context = context_of(running)
    context.late(batch(1, 2))
    context.late_rows(40)
    context.late(batch(3))
    assert aside(running) == [("late", [{"n": 1}, {"n": 2}]), ("late", [{"n": 3}])]
    assert running.counters.late_rows == 43
    assert aside(running) == []


def test_the_first_late_rows_that_nobody_reads_are_told_with_where_they_come_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    logs = LogCapture()
    monkeypatch.setattr("flow.steps.log", structlog.wrap_logger(None, [logs], structlog.BoundLogger))
    running = opened()
    running.trace.begin([read_of("a", 0, 7)])
    context_of(running).late(batch())
    context_of(running).late_rows(3)
    context_of(running).late(batch(1))
    read = opened()
    read.inside["late"].append((running, 0))
    context_of(read).late(batch(1))
    assert logs.entries == [
        {
            "event": "rows came too late, the first of them here",
            "log_level": "info",
            "run": "run",
            "node": "node",
            "partition": 2,
            "rows": 3,
            "origin": "offsets 0 to 7 of split 'a' of 'in'",
        }
    ]


def test_under_fail_the_first_rejected_row_ends_the_run() -> None:
    running = opened()
    running.trace.begin([read_of("a", 0, 5)])
    with pytest.raises(StepError) as raised:
        context_of(running).reject(batch(4, 5, 6), "no good")
    assert str(raised.value) == (
        "'node' (partition 2, offsets 0 to 5 of split 'a' of 'in'): "
        """RowError: no good (and 2 more rows); row: {"n": 4}"""
    )
    assert isinstance(raised.value.cause, RowError)
    assert (running.take_aside(), running.counters.dead_letters, running.counters.skipped_rows) == ([], 0, 0)


def test_an_offset_that_is_known_of_the_row_goes_before_the_step_s() -> None:
    running = opened()
    running.trace.begin([read_of("a", 0, 20)])
    with pytest.raises(StepError, match=r"offset 17 of split 'a' of 'in'\): RowError: torn; row: x$") as raised:
        running.reject([("x", "torn", 17), ("y", "torn", 18)][:1])
    assert raised.value.offset == 17
    with pytest.raises(StepError, match=r"\(partition 2, offset 17\): RowError: torn"):
        opened().reject([("x", "torn", 17)])


def test_an_error_shows_the_beginning_of_a_huge_row_and_a_dead_letter_all_of_it() -> None:
    letter = ("x" * 5_000, "too long", None)
    with pytest.raises(StepError) as raised:
        opened().reject([letter])
    assert str(raised.value).endswith("row: " + "x" * 1_000 + "…")
    running = opened(on_error="dead_letter")
    running.reject([letter])
    assert aside(running)[0][1][0]["row"] == "x" * 5_000


def test_under_skip_rejected_rows_are_counted_and_go_nowhere() -> None:
    running = opened(on_error="skip")
    context_of(running).reject(batch(1, 2, 3), "no good")
    running.reject([("x", "torn", 17)])
    assert (running.counters.skipped_rows, running.counters.dead_letters, running.take_aside()) == (4, 0, [])


def test_dead_letters_hold_row_error_node_and_offset() -> None:
    running = opened(on_error="dead_letter")
    running.trace.begin([read_of("a", None, ["file", 3])])
    context_of(running).reject(batch(1, 2), "no good")
    running.reject([("torn, line", "1 field, not 2", {"byte": 8}), ("y", "torn", None)])
    place = '{"source": "in", "split": "a", "at_or_before": ["file", 3]}'
    row = '{"source": "in", "split": "a", "offset": {"byte": 8}}'
    assert aside(running) == [
        (
            "dead_letters",
            [{"row": f'{{"n": {n}}}', "error": "no good", "node": "node", "offset": place} for n in (1, 2)],
        ),
        (
            "dead_letters",
            [
                {"row": "torn, line", "error": "1 field, not 2", "node": "node", "offset": row},
                {"row": "y", "error": "torn", "node": "node", "offset": place},
            ],
        ),
    ]
    assert running.counters.dead_letters == 4


def test_dead_letters_have_the_announced_columns() -> None:
    running = opened(on_error="dead_letter")
    running.reject([("x", "torn", None)])
    ((_, rows),) = running.take_aside()
    assert rows.schema == DEAD_LETTER_COLUMNS


@pytest.mark.parametrize("on_error", ["fail", "skip", "dead_letter"])
def test_no_rows_are_rejected_without_a_trace(on_error: ErrorPolicy) -> None:
    running = opened(on_error=on_error)
    running.reject([])
    context_of(running).reject(batch(), "none")
    assert (running.take_aside(), running.counters.dead_letters, running.counters.skipped_rows) == ([], 0, 0)


def test_late_rows_and_dead_letters_keep_their_order_aside() -> None:
    running = opened(on_error="dead_letter")
    context = context_of(running)
    context.reject(batch(1), "no")
    context.late(batch(2))
    context.reject(batch(3), "no")
    assert [side for side, _ in aside(running)] == ["dead_letters", "late", "dead_letters"]


# Rows as text


def shown(rows: pa.RecordBatch, error: BaseException | str = "no") -> list[tuple[Any, str]]:
    return [(json.loads(row), said) for row, said, _ in opened().letters(rows, error)]


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "n": st.none() | st.integers(-(2**63), 2**63 - 1),
                "s": st.none() | st.text(),
                "f": st.none() | st.floats(allow_nan=False, allow_infinity=False),
                "l": st.none() | st.lists(st.booleans()),
            }
        )
    )
)
def test_a_letter_holds_the_whole_row(rows: list[dict[str, Any]]) -> None:
    schema = pa.schema([("n", pa.int64()), ("s", pa.string()), ("f", pa.float64()), ("l", pa.list_(pa.bool_()))])
    assert shown(pa.RecordBatch.from_pylist(rows, schema)) == [(row, "no") for row in rows]


def test_values_that_json_does_not_have_are_texts() -> None:
    rows = pa.record_batch(
        {
            "nan": [math.nan],
            "inf": [-math.inf],
            "time": [datetime(2013, 1, 2, 3)],
            "date": [date(2013, 1, 2)],
            "decimal": [Decimal("1.50")],
            "bytes": [b"\xff"],
            "struct": [{"deep": [math.inf]}],
            "far": pa.array([2**62], pa.timestamp("s")),
            "fine": pa.array([1_000_000_001], pa.timestamp("ns")),
            "coded": pa.array(["x"]).dictionary_encode(),
        }
    )
    ((row, _),) = shown(rows)
    assert row == {
        "nan": "NaN",
        "inf": "-Infinity",
        "time": "2013-01-02 03:00:00",
        "date": "2013-01-02",
        "decimal": "1.50",
        "bytes": "b'\\xff'",
        "struct": {"deep": ["Infinity"]},
        "far": row["far"],
        "fine": row["fine"],
        "coded": "x",
    }
    assert row["far"]
    assert row["fine"].startswith("1970-01-01 00:00:01")


def test_rows_without_columns_are_rows_too() -> None:
    assert shown(batch(1, 2).select([])) == [({}, "no"), ({}, "no")]


def test_an_error_without_a_message_is_told_by_its_type() -> None:
    assert shown(batch(1), ZeroDivisionError()) == [({"n": 1}, "ZeroDivisionError")]
    assert shown(batch(1), ValueError("seven")) == [({"n": 1}, "seven")]


# Ways out


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
