"""One instance of a chain, driven by calls: what it sends for rows, watermarks, barriers, ends and errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import attrs
import pyarrow as pa
import pytest

from flow import (
    Graph,
    Hash,
    Operator,
    Partition,
    PartitionContext,
    PortedPartition,
    RejectedRow,
    RowError,
    Settings,
    Sink,
    StepError,
    StreamSchema,
    Writer,
    WriterContext,
)
from flow.chain import MOST_ROWS, ChainInstance, coalesced
from flow.layout import Layout, lay_out
from flow.messages import END, Barrier, Rows, Watermark
from flow.nodes import ErrorPolicy
from flow.origin import Origins, Stretch
from flow.schema import AFTER_ALL, BEFORE_ALL
from flow.steps import Send
from operators import Null, Table

COLUMNS = pa.schema([("t", pa.timestamp("us")), ("n", pa.int64())])
NUMBERS = Table(pa.record_batch([pa.array([0], pa.timestamp("us")), [0]], schema=COLUMNS))


def batch(*numbers: int) -> pa.RecordBatch:
    return pa.record_batch([pa.array(numbers, pa.timestamp("us")), list(numbers)], schema=COLUMNS)


def read_of(split: str, start: Any, end: Any, number: int = 0) -> Origins:
    return Origins((Stretch("rows", split, start, end, number, number),))


@attrs.frozen
class Doing(Operator):
    """An operator made of functions; what they do is noted in `calls`."""

    rows: Callable[[Any, pa.RecordBatch], Iterable[pa.RecordBatch]] = lambda context, rows: [rows]
    held: bool = False
    stateless: bool = True  # type: ignore[misc]
    ports: tuple[str, ...] = ("in",)  # type: ignore[misc]
    calls: list[Any] = attrs.field(factory=list, eq=False)

    def output(self, inputs: Mapping[str, StreamSchema]) -> StreamSchema:
        return next(iter(inputs.values()))

    def open(self, context: PartitionContext) -> Partition:
        return (
            _Holding(self, context) if self.held else _Ported(self, context) if self.ports[1:] else _Did(self, context)
        )


class _Did(Partition):
    def __init__(self, operator: Doing, context: PartitionContext) -> None:
        self.operator, self.context = operator, context

    def on_batch(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        yield from self.operator.rows(self.context, batch)

    def on_watermark(self, time: int) -> Iterator[pa.RecordBatch]:
        self.operator.calls.append(time)
        return iter(())

    def on_end(self) -> Iterator[pa.RecordBatch]:
        self.operator.calls.append("end")
        yield batch(99)

    def close(self) -> None:
        self.operator.calls.append("close")


class _Ported(PortedPartition, _Did):
    def on_batch(self, batch: pa.RecordBatch, port: str = "") -> Iterator[pa.RecordBatch]:
        self.operator.calls.append((port, batch["n"].to_pylist()))
        yield batch


class _Holding(_Did):
    """Gives out what it has when it is flushed."""

    def __init__(self, operator: Doing, context: PartitionContext) -> None:
        super().__init__(operator, context)
        self.waiting: list[pa.RecordBatch] = []

    def on_batch(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        self.waiting.append(batch)
        return iter(())

    def flush(self) -> Iterator[pa.RecordBatch]:
        waiting, self.waiting = self.waiting, []
        if waiting:
            yield pa.concat_batches(waiting)


@attrs.frozen
class Noting(Sink):
    """Refuses negative numbers, and notes its calls."""

    calls: list[Any] = attrs.field(factory=list, eq=False)

    def open(self, context: WriterContext) -> Writer:
        return _Noted(self.calls)


class _Noted(Writer):
    def __init__(self, calls: list[Any]) -> None:
        self.calls = calls

    def write(self, batch: pa.RecordBatch) -> None:
        numbers = batch["n"].to_pylist()
        if min(numbers) < 0:
            raise ValueError("negative")
        self.calls.append(numbers)

    def prepare(self, epoch: int) -> None:
        self.calls.append(("prepare", epoch))

    def commit(self, epoch: int) -> None:
        self.calls.append(("commit", epoch))

    def abort(self) -> None:
        self.calls.append("abort")
        raise OSError("cannot abort")

    def close(self) -> None:
        self.calls.append("close")


@pytest.fixture(autouse=True)
def _no_linger(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is held back shall not depend on how busy the machine is."""
    monkeypatch.setattr("flow.chain.LINGER", 10**15)


def opened(graph: Graph, chain: str, instance: int = 0, **settings: Any) -> ChainInstance:
    layout: Layout = lay_out(graph.nodes, Settings(**{"readers": 1, "partitions": 2, **settings}))
    found = next(each for each in layout.chains if each.name == chain)
    made = ChainInstance(layout, found, instance, settings.get("batch_rows", 65_536), "run")
    made.open()
    return made


def fused(*operators: Operator, on_error: ErrorPolicy = "fail", sides: tuple[str, ...] = ()) -> ChainInstance:
    """A source with operators fused behind it, and a sink for each side of the last one."""
    graph = Graph("g")
    stream = graph.source("rows", NUMBERS, event_time="t")
    for number, operator in enumerate(operators):
        stream = stream.apply(operator, name=f"step{number}", on_error=on_error)
    stream.sink("out", Null())
    for side in sides:
        getattr(stream, side).sink(side, Null())
    return opened(graph, "rows")


def after_exchange(operator: Operator, **settings: Any) -> ChainInstance:
    """The operator as the head of a chain behind a hash router; a timed one reads what it puts out."""
    graph = Graph("g")
    keyed = graph.source("rows", NUMBERS, event_time="t").key_by("n").apply(operator, name="head")
    keyed.key_by("n").apply(Doing(), name="next").sink("out", Null())
    return opened(graph, "head", **settings)


def told(sends: Iterable[Send]) -> list[Any]:
    """What is sent, without where."""
    return [
        send.message.batch.column("n").to_pylist() if isinstance(send.message, Rows) else send.message for send in sends
    ]


def test_a_batch_goes_through_all_fused_steps_and_out() -> None:
    def doubled(context: Any, rows: pa.RecordBatch) -> list[pa.RecordBatch]:
        return [rows, rows]

    chain = fused(Doing(doubled), Doing(lambda context, rows: [rows.slice(1)]))
    sends = list(chain.read(0, [batch(1, 2), batch(3)], 5, read_of("a", 0, 2)))
    assert told(sends) == [[2, 3], [2, 3]]
    assert [send.size for send in sends] == [send.message.batch.nbytes for send in sends]  # type: ignore[union-attr]
    counts = [
        (s.counters.rows_in, s.counters.rows_out, s.counters.batches_in, s.counters.batches_out) for s in chain.steps
    ]
    assert counts == [(0, 3, 0, 1), (3, 6, 1, 2), (6, 4, 2, 2)]
    assert [send.message.origins for send in sends] == [read_of("a", 0, 2)] * 2  # type: ignore[union-attr]


def test_batches_without_rows_go_nowhere() -> None:
    chain = fused(Doing(lambda context, rows: [rows.slice(0, 0)]))
    assert told(chain.read(0, [batch(1)], 5)) == []
    assert chain.steps[1].counters.batches_out == 0


def test_rows_are_divided_among_the_partitions_and_counted_by_router() -> None:
    graph = Graph("g")
    keyed = graph.source("rows", NUMBERS).route(Hash(("n",)), name="by_n")
    keyed.apply(Doing(), name="head", partitions=2).sink("out", Null())
    chain = opened(graph, "rows")
    sends = [send for send in chain.read(0, [batch(*range(100))], BEFORE_ALL) if isinstance(send.message, Rows)]
    assert sorted(send.instance for send in sends) == [0, 1]
    assert sorted(n for numbers in told(sends) for n in numbers) == list(range(100))
    counters = chain.router_counters["by_n"]
    assert (counters.rows_in, counters.rows_out, counters.batches_in, counters.batches_out) == (100, 100, 1, 2)
    assert counters.bytes_out == sum(send.size for send in sends)


def test_a_watermark_is_acted_on_by_every_step_once_and_goes_to_every_partition() -> None:
    operator = Doing()
    chain = after_exchange(operator)
    assert told(chain.advance(0, 0, 7)) == [Watermark(7)] * 2
    assert told(chain.advance(0, 0, 7)) == []
    assert told(chain.advance(0, 0, 3)) == []
    assert operator.calls == [7]
    assert chain.steps[0].counters.watermark == 7


def test_idleness_is_told_on_but_no_partition_is_bothered() -> None:
    operator = Doing()
    chain = after_exchange(operator)
    assert told(chain.advance(0, 0, 7, idle=True)) == [Watermark(7, idle=True)] * 2
    assert told(chain.advance(0, 0, 7)) == [Watermark(7)] * 2
    assert operator.calls == [7]


def test_what_is_held_back_comes_out_before_watermark_barrier_and_end() -> None:
    chain = after_exchange(Doing(held=True))
    assert chain.holds_back
    assert told(chain.rows(0, 0, [batch(1), batch(1)])) == []
    assert told(chain.flush()) == [[1, 1]]
    assert told(chain.flush()) == []
    list(chain.rows(0, 0, [batch(2)]))
    assert told(chain.advance(0, 0, 7)) == [[2], Watermark(7), Watermark(7)]
    list(chain.rows(0, 0, [batch(3)]))
    assert told(chain.barrier(1)) == [[3], Barrier(1), Barrier(1)]
    list(chain.rows(0, 0, [batch(4)]))
    assert told(chain.end(0, 0)) == [[4], [99], END, END]


def test_rows_are_held_back_for_no_longer_than_the_linger(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = after_exchange(Doing(held=True))
    assert told(chain.rows(0, 0, [batch(1)])) == []
    monkeypatch.setattr("flow.chain.LINGER", -1)
    assert told(chain.rows(0, 0, [batch(1)])) == [[1, 1]]


def test_behind_a_source_the_watermark_waits_with_the_rows_that_are_held_back() -> None:
    chain = fused(Doing(), Doing(held=True))
    assert told(chain.read(0, [batch(1)], 5)) == []
    assert told(chain.read(0, [batch(2)], 6)) == []
    assert chain.steps[2].frontier.time == BEFORE_ALL
    assert told(chain.flush()) == [[1, 2]]
    assert [step.frontier.time for step in chain.steps] == [6, 6, 6]
    assert not fused(Doing()).holds_back


def test_held_rows_pass_through_the_steps_behind() -> None:
    last = Doing(lambda context, rows: [rows.slice(0, 1)])
    chain = fused(Doing(held=True), last)
    list(chain.read(0, [batch(1, 2)], 5))
    assert told(chain.barrier(3)) == [[1], Barrier(3)]


def test_an_end_closes_all_windows_first() -> None:
    first, second = Doing(), Doing()
    chain = fused(first, second)
    assert told(chain.end(0, 0)) == [[99], [99], END]
    assert first.calls == second.calls == [AFTER_ALL, "end"]
    assert chain.steps[1].counters.watermark == AFTER_ALL


def two_ports() -> tuple[ChainInstance, Doing]:
    operator = Doing(ports=("left", "right"))
    graph = Graph("g")
    one, two = (graph.source(name, NUMBERS, event_time="t").key_by("n") for name in ("one", "two"))
    joined = one.apply(operator, name="head", right=two)
    joined.key_by("n").apply(Doing(), name="next").sink("out", Null())
    return opened(graph, "head"), operator


def test_rows_keep_their_port_and_the_watermark_is_the_least() -> None:
    chain, operator = two_ports()
    assert told(chain.rows(0, 1, [batch(2), batch(3)])) in ([[2, 3]], [[2], [3]], [[3], [2]])
    list(chain.rows(0, 0, [batch(1)]))
    assert told(chain.advance(0, 0, 10)) == []
    assert told(chain.advance(0, 1, 4)) == [Watermark(4)] * 2
    assert operator.calls == [("right", [2, 3]), ("left", [1]), 4]


def test_an_operator_ends_when_all_its_ports_have_ended() -> None:
    chain, operator = two_ports()
    list(chain.advance(0, 1, 10))
    assert told(chain.end(0, 0)) == [Watermark(10)] * 2
    assert told(chain.end(0, 1)) == [[99], END, END]
    assert operator.calls == [10, AFTER_ALL, "end"]


def test_where_one_port_idles_the_end_of_the_other_is_idleness() -> None:
    chain, _ = two_ports()
    list(chain.advance(0, 0, 20))
    list(chain.advance(0, 1, 5, idle=True))
    assert told(chain.end(0, 0)) == [Watermark(20, idle=True)] * 2


def test_waiting_batches_are_concatenated_up_to_a_number_of_rows() -> None:
    batches = [batch(*range(n)) for n in (3, 3, 3, 20, 1)]
    assert [each.num_rows for each in coalesced(batches, 6)] == [6, 3, 20, 1]
    assert [each.num_rows for each in coalesced(batches, 1)] == [3, 3, 3, 20, 1]
    assert list(coalesced([], 6)) == []
    (only,) = coalesced(batches[:1], 6)
    assert only is batches[0]


def test_an_operator_may_ask_for_the_batches_as_they_come() -> None:
    @attrs.frozen
    class Piecewise(Doing):
        coalesce = False

    for operator, expected in ((Doing(), [2]), (Piecewise(), [1, 1])):
        chain = after_exchange(operator)
        list(chain.rows(0, 0, [batch(1), batch(1)]))
        assert [chain.steps[0].counters.batches_in, chain.steps[0].counters.rows_in] == [len(expected), 2]


def test_only_vectorised_operators_are_given_batches_of_any_size() -> None:
    @attrs.frozen
    class Columnwise(Doing):
        vectorised = True

    whole = batch(*range(MOST_ROWS + 5))
    for operator, expected in ((Doing(), 2), (Columnwise(), 1)):
        chain = after_exchange(operator)
        list(chain.rows(0, 0, [whole]))
        assert [chain.steps[0].counters.batches_in, chain.steps[0].counters.rows_in] == [expected, MOST_ROWS + 5]


def refusing(*bad: int) -> Callable[[Any, pa.RecordBatch], list[pa.RecordBatch]]:
    def check(context: Any, rows: pa.RecordBatch) -> list[pa.RecordBatch]:
        for number in rows["n"].to_pylist():
            if number in bad:
                raise ValueError(f"no {number}")
        return [rows]

    return check


def test_an_error_says_node_instance_offset_and_cause() -> None:
    chain = fused(Doing(refusing(3)))
    with pytest.raises(StepError) as raised:
        list(chain.read(0, [batch(1, 3)], 5, read_of("a", 0, 17)))
    error = raised.value
    assert (error.node, error.instance, error.offset) == ("step0", "partition 0", 17)
    assert error.place == "partition 0, offsets 0 to 17 of split 'a' of 'rows'"
    assert str(error.cause) == "no 3"


def origins_of(sends: Iterable[Send]) -> list[Origins]:
    return [send.message.origins for send in sends if isinstance(send.message, Rows)]


def test_behind_an_exchange_rows_come_from_all_that_was_put_together() -> None:
    chain = after_exchange(Doing(refusing(9)))
    received = [read_of("a", 0, 5, 0), read_of("b", 3, 7, 1), read_of("a", 5, 8, 2)]
    together = Origins((Stretch("rows", "b", 3, 7, 1, 1), Stretch("rows", "a", 0, 8, 0, 2)))
    assert set(origins_of(chain.rows(0, 0, [batch(1), batch(2), batch(3)], received))) == {together}
    assert origins_of(chain.rows(0, 0, [batch(4)], received[:1])) == received[:1]
    with pytest.raises(StepError) as raised:
        list(chain.rows(0, 0, [batch(9)], received))
    assert raised.value.place == (
        "partition 0, offsets 3 to 7 of split 'b' of 'rows', or offsets 0 to 8 of split 'a' of 'rows'"
    )
    assert (raised.value.offset, raised.value.origins) == (None, together)


def test_what_an_operator_with_state_puts_out_may_come_from_before() -> None:
    chain = fused(Doing(stateless=False), Doing(refusing(3)))
    list(chain.read(0, [batch(1)], 5, read_of("a", 0, 4)))
    (out,) = origins_of(chain.read(0, [batch(2)], 6, read_of("b", 0, 2)))
    assert out == Origins((Stretch("rows", "a", 0, 4), Stretch("rows", "b", 0, 2)), kept=True)
    with pytest.raises(StepError) as raised:
        list(chain.read(0, [batch(3)], 7, read_of("b", 2, 3, 1)))
    assert raised.value.place == (
        "partition 0, at or before offset 4 of split 'a' of 'rows', or at or before offset 3 of split 'b' of 'rows'"
    )


def test_rows_that_were_held_back_may_come_from_before() -> None:
    chain = fused(Doing(held=True, stateless=False))
    assert origins_of(chain.read(0, [batch(1)], 5, read_of("a", 0, 4))) == []
    assert origins_of(chain.read(0, [batch(1)], 5, read_of("a", 4, 9, 1))) == []
    assert origins_of(chain.flush()) == [Origins((Stretch("rows", "a", 0, 9, 0, 1),), kept=True)]


def test_what_a_writer_cannot_commit_may_come_from_before() -> None:
    chain, _ = writing()
    list(chain.rows(0, 0, [batch(1)], [read_of("a", 0, 3)]))
    with pytest.raises(StepError, match=r"\(writer 0, offsets 3 to 5 of split 'a' of 'rows'\): ValueError: negative"):
        list(chain.rows(0, 0, [batch(-1)], [read_of("a", 3, 5, 1)]))
    assert [str(error) for error in chain.finish(committed=False)] == [
        "'out' (writer 0, at or before offset 5 of split 'a' of 'rows'): OSError: cannot abort"
    ]


def test_skip_gives_up_single_rows_of_an_operator_without_state() -> None:
    chain = fused(Doing(refusing(3, 8)), on_error="skip")
    passed = [n for numbers in told(chain.read(0, [batch(*range(10))], 5)) for n in numbers]
    assert passed == [0, 1, 2, 4, 5, 6, 7, 9]
    assert chain.steps[1].counters.skipped_rows == 2
    assert chain.steps[1].counters.rows_in == 10


def test_skip_gives_up_the_whole_batch_of_an_operator_with_state() -> None:
    chain = fused(Doing(refusing(3), stateless=False), on_error="skip")
    assert told(chain.read(0, [batch(*range(10))], 5)) == []
    assert chain.steps[1].counters.skipped_rows == 10
    assert told(chain.read(0, [batch(11)], 5)) == [[11]]


def test_what_a_failed_attempt_put_out_is_not_sent() -> None:
    def halfway(context: Any, rows: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        yield rows
        if 3 in rows["n"].to_pylist():
            raise ValueError("after the fact")

    chain = fused(Doing(halfway), on_error="skip")
    assert sorted(n for numbers in told(chain.read(0, [batch(1, 2, 3)], 5)) for n in numbers) == [1, 2]


def letters(sends: Iterable[Send]) -> list[dict[str, Any]]:
    return [row for send in sends if isinstance(send.message, Rows) for row in send.message.batch.to_pylist()]


def test_a_dead_letter_holds_row_error_node_and_offset() -> None:
    chain = fused(Doing(refusing(3)), on_error="dead_letter", sides=("dead_letters",))
    found = [row for row in letters(chain.read(0, [batch(1, 3)], 5, read_of("a", None, {"line": 4}))) if "row" in row]
    assert [(json.loads(row["row"])["n"], row["error"], row["node"], row["offset"]) for row in found] == [
        (3, "no 3", "step0", '{"source": "rows", "split": "a", "at_or_before": {"line": 4}}')
    ]
    assert chain.steps[1].counters.dead_letters == 1


def test_a_partition_can_reject_rows_and_go_on() -> None:
    def reject(context: PartitionContext, rows: pa.RecordBatch) -> list[pa.RecordBatch]:
        context.reject(rows.slice(0, 1), "the first is never good")
        return [rows.slice(1)]

    chain = fused(Doing(reject), on_error="skip")
    assert told(chain.read(0, [batch(1, 2)], 5)) == [[2]]
    assert chain.steps[1].counters.skipped_rows == 1
    with pytest.raises(StepError, match="the first is never good; row: ") as raised:
        list(fused(Doing(reject)).read(0, [batch(1, 2)], 5))
    assert isinstance(raised.value.cause, RowError)


def late_ones(context: PartitionContext, rows: pa.RecordBatch) -> list[pa.RecordBatch]:
    context.late(rows.slice(0, 1))
    context.late_rows(2)
    return [rows.slice(1)]


def test_late_rows_are_counted_and_sent_where_they_are_read() -> None:
    chain = fused(Doing(late_ones))
    assert told(chain.read(0, [batch(1, 2)], 5)) == [[2]]
    assert chain.steps[1].counters.late_rows == 3
    chain = fused(Doing(late_ones), sides=("late",))
    assert sorted(told(chain.read(0, [batch(1, 2)], 5))) == [[1], [2]]


@pytest.mark.parametrize("side", ["late", "dead_letters"])
def test_control_goes_to_the_readers_of_all_sides(side: str) -> None:
    policy: ErrorPolicy = "dead_letter" if side == "dead_letters" else "fail"
    chain = fused(Doing(), on_error=policy, sides=(side,))
    assert told(chain.barrier(1)) == [Barrier(1)] * 2
    assert told(chain.end(0, 0)) == [[99], END, END]


def test_what_was_set_aside_before_an_error_is_counted_once() -> None:
    def aside(context: PartitionContext, rows: pa.RecordBatch) -> list[pa.RecordBatch]:
        numbers = rows["n"].to_pylist()
        if 1 in numbers:
            context.late(rows.slice(numbers.index(1), 1))
        if 2 in numbers:
            context.reject(rows.slice(numbers.index(2), 1), "two")
        if 3 in numbers:
            raise ValueError("three")
        return []

    chain = fused(Doing(aside), on_error="skip", sides=("late",))
    assert told(chain.read(0, [batch(1, 2, 3, 4)], 5)) == [[1]]
    counters = chain.steps[1].counters
    assert (counters.late_rows, counters.skipped_rows) == (1, 2)


def test_rows_that_a_reader_rejected_follow_the_source_s_policy() -> None:
    graph = Graph("g")
    source = graph.source("rows", NUMBERS, on_error="dead_letter")
    source.sink("out", Null())
    source.dead_letters.sink("dead", Null())
    chain = opened(graph, "rows")
    rows = [RejectedRow("1,2", "ragged", 7), RejectedRow("3", "short")]
    assert letters(chain.rejected(0, rows, read_of("a", 6, 9))) == [
        {"row": "1,2", "error": "ragged", "node": "rows", "offset": '{"source": "rows", "split": "a", "offset": 7}'},
        {
            "row": "3",
            "error": "short",
            "node": "rows",
            "offset": '{"source": "rows", "split": "a", "from": 6, "to": 9}',
        },
    ]
    with pytest.raises(StepError, match=r"offset 7 of split 'a'\).* ragged \(and 1 more rows\); row: 1,2") as raised:
        list(fused().rejected(0, rows, read_of("a", 6, 9)))
    assert (raised.value.instance, raised.value.offset) == ("reader 0", 7)


def writing(on_error: ErrorPolicy = "fail") -> tuple[ChainInstance, list[Any]]:
    sink = Noting()
    graph = Graph("g")
    graph.source("rows", NUMBERS).sink("out", sink, on_error=on_error)
    return opened(graph, "out"), sink.calls


def test_a_writer_writes_prepares_commits_and_closes() -> None:
    chain, calls = writing()
    assert chain.writes
    assert list(chain.rows(0, 0, [batch(1), batch(2)])) == []
    chain.prepare(1)
    chain.commit(1)
    assert chain.finish(committed=True) == []
    assert calls == [[1, 2], ("prepare", 1), ("commit", 1), "close"]
    assert not fused(Doing()).writes


def test_a_writer_is_aborted_and_closed_though_the_abort_fails() -> None:
    chain, calls = writing()
    (error,) = chain.finish(committed=False)
    assert isinstance(error, StepError)
    assert str(error) == "'out' (writer 0): OSError: cannot abort"
    assert calls == ["abort", "close"]
    assert chain.finish(committed=False) == [], "what was closed is not closed again"


def test_rows_that_a_writer_refuses_follow_the_sink_s_policy() -> None:
    chain, _ = writing()
    with pytest.raises(StepError, match=r"'out' \(writer 0\): ValueError: negative"):
        list(chain.rows(0, 0, [batch(-1)]))
    chain, calls = writing("skip")
    list(chain.rows(0, 0, [batch(-1, 5)]))
    list(chain.rows(0, 0, [batch(2)]))
    assert calls == [[5], [2]]
    assert chain.steps[0].counters.skipped_rows == 1


def test_serial_is_one_chain_from_source_to_writer() -> None:
    sink, operator = Noting(), Doing(held=True)
    graph = Graph("g")
    graph.source("rows", NUMBERS, event_time="t").key_by("n").apply(operator, name="held").sink("out", sink)
    chain = opened(graph, "rows", topology="serial")
    assert list(chain.read(0, [batch(1)], 5)) == []
    assert list(chain.barrier(1)) == []
    chain.prepare(1)
    assert list(chain.end(0, 0)) == []
    assert sink.calls == [[1], ("prepare", 1), [99]]
    assert chain.finish(committed=True) == []
    assert operator.calls[-1] == "close"


def test_time_is_counted_for_the_step_that_spends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0]
    monkeypatch.setattr("flow.steps.perf_counter_ns", lambda: now[0])

    def taking(nanoseconds: int) -> Operator:
        def work(context: Any, rows: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
            now[0] += nanoseconds
            yield rows
            now[0] += 1

        return Doing(work)

    chain = fused(taking(50), taking(700))
    list(chain.read(0, [batch(1)], 5))
    assert [step.counters.busy for step in chain.steps] == [0, 51, 701]


def test_an_instance_lives_from_the_beginning_of_its_task_to_its_end() -> None:
    chain = fused(Doing())
    assert chain.alive() == 0
    chain.begin()
    assert 0 < chain.alive() <= chain.alive()
    chain.end_of_life()
    assert chain.alive() == chain.alive()
    assert chain.label == "rows[0]"
