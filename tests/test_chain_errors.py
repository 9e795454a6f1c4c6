"""One instance of a chain, driven by calls: errors, origins, dead letters, late rows, and what writers refuse."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pyarrow as pa
import pytest

from flow import (
    Graph,
    PartitionContext,
    RejectedRow,
    RowError,
    StepError,
)
from flow.chain import ChainInstance
from flow.messages import END, Barrier, Rows
from flow.nodes import ErrorPolicy
from flow.origin import Origins, Stretch
from flow.steps import Send
from operators import Null
from tests.chains import NUMBERS, Doing, Noting, after_exchange, batch, fused, opened, read_of, told


@pytest.fixture(autouse=True)
def _no_linger(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is held back shall not depend on how busy the machine is."""
    monkeypatch.setattr("flow.chain.LINGER", 10**15)


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
