"""One instance of a chain, driven by calls: what it sends for rows, watermarks, barriers, ends and errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
import pyarrow as pa
import pytest

from flow import (
    Graph,
    Hash,
    Operator,
)
from flow.chain import MOST_ROWS, ChainInstance, coalesced
from flow.messages import END, Barrier, Rows, Watermark
from flow.schema import AFTER_ALL, BEFORE_ALL
from operators import Null
from tests.chains import NUMBERS, Doing, Noting, after_exchange, batch, fused, opened, read_of, told


@pytest.fixture(autouse=True)
def _no_linger(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is held back shall not depend on how busy the machine is."""
    monkeypatch.setattr("flow.chain.LINGER", 10**15)


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
