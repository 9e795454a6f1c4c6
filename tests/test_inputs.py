"""What waits is gathered into one piece of work, with control in its place."""

from __future__ import annotations

import pyarrow as pa

from flow import Graph, Settings
from flow.inputs import Inputs
from flow.layout import lay_out
from flow.messages import END, Barrier, Message, Rows, Watermark
from operators import Collect, Table
from tests.operators_for_tests import Passing


def inputs_of(readers: int) -> Inputs:
    """The inputs of an operator that reads from `readers` instances."""
    graph = Graph("g")
    table = Table(pa.table({"key": range(400_000)}))
    graph.source("numbers", table).key_by("key").apply(Passing(), name="pass", partitions=1).sink("out", Collect())
    layout = lay_out(graph.nodes, Settings(readers=readers))
    chain = next(chain for chain in layout.chains if chain.name == "pass")
    return Inputs(layout, chain, 0, Settings())


def rows(count: int) -> Rows:
    return Rows(pa.record_batch({"key": range(count)}))


def put(inputs: Inputs, *messages: tuple[int, Message]) -> None:
    for number, message in messages:
        inputs.inbox.put(number, message)


def test_waiting_rows_are_gathered_and_the_watermark_follows_them() -> None:
    inputs = inputs_of(2)
    put(inputs, (0, rows(3)), (0, Watermark(5)), (1, rows(4)), (1, Watermark(7)), (0, rows(2)))
    work = inputs.receive_nowait()
    assert work is not None
    assert work.rows == 9
    assert [batch.num_rows for batch in work.batches[0]] == [3, 4, 2]
    assert work.watermarks == {0: (5, False)}
    assert inputs.receive_nowait() is None


def test_no_more_is_gathered_than_is_worth_while() -> None:
    inputs = inputs_of(1)
    put(inputs, (0, rows(60_000)), (0, rows(60_000)), (0, rows(60_000)))
    work = inputs.receive_nowait()
    assert work is not None
    assert work.rows == 120_000


def test_rows_behind_a_barrier_wait_until_all_inputs_have_come_to_it() -> None:
    inputs = inputs_of(2)
    put(inputs, (0, rows(1)), (0, Barrier(1)), (0, rows(100)), (1, rows(2)), (1, Barrier(1)), (1, rows(100)))
    work = inputs.receive_nowait()
    assert work is not None
    assert (work.rows, work.barrier) == (3, 1)
    inputs.release()
    work = inputs.receive_nowait()
    assert work is not None
    assert (work.rows, work.barrier) == (200, None)


def test_an_input_that_ends_while_another_waits_at_a_barrier_completes_it() -> None:
    inputs = inputs_of(2)
    put(inputs, (0, Barrier(3)))
    work = inputs.receive_nowait()
    assert work is not None
    assert work.barrier is None
    put(inputs, (1, END))
    work = inputs.receive_nowait()
    assert work is not None
    assert work.barrier == 3


def test_an_input_that_ended_does_not_freeze_the_watermark() -> None:
    inputs = inputs_of(2)
    put(inputs, (0, Watermark(9)), (1, END))
    work = inputs.receive_nowait()
    assert work is not None
    assert work.watermarks == {0: (9, False)}
    assert work.ended == []
    put(inputs, (0, END))
    work = inputs.receive_nowait()
    assert work is not None
    assert work.ended == [0]
    assert inputs.ended


def test_an_idle_input_is_told_on() -> None:
    inputs = inputs_of(1)
    put(inputs, (0, Watermark(4)), (0, Watermark(4, idle=True)))
    work = inputs.receive_nowait()
    assert work is not None
    assert work.watermarks == {0: (4, True)}
