"""Frontiers, alignment and split watermarks: pure, so tested without an event loop."""

from __future__ import annotations

import time

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow.progress import Alignment, Frontier, SplitWatermark, greatest_time
from flow.schema import AFTER_ALL, BEFORE_ALL


def test_a_frontier_is_the_least_of_its_inputs() -> None:
    frontier = Frontier(2)
    assert frontier.time == BEFORE_ALL
    assert not frontier.advance(0, 10)
    assert frontier.advance(1, 7)
    assert frontier.time == 7
    assert frontier.advance(1, 20)
    assert frontier.time == 10


def test_an_input_that_ended_does_not_hold_the_frontier() -> None:
    frontier = Frontier(2)
    frontier.advance(0, 5)
    assert not frontier.end(1)
    assert frontier.time == 5
    assert frontier.end(0)
    assert frontier.ended
    assert frontier.time == AFTER_ALL


def test_an_idle_input_does_not_hold_the_frontier_until_it_speaks_again() -> None:
    frontier = Frontier(2)
    frontier.advance(0, 5)
    frontier.advance(1, 8)
    assert frontier.advance(0, 5, idle=True)
    assert frontier.time == 8
    frontier.advance(0, 6)
    frontier.advance(1, 9)
    assert frontier.time == 8, "an input that speaks again holds the frontier, which stays where it was"
    assert not frontier.idle


def test_where_all_inputs_idle_the_frontier_stands_at_the_furthest() -> None:
    frontier = Frontier(2)
    frontier.advance(0, 5, idle=True)
    frontier.advance(1, 8, idle=True)
    assert frontier.time == 8
    assert frontier.idle
    frontier.end(0)
    assert frontier.time == 8
    assert frontier.idle


def test_no_inputs_is_the_end() -> None:
    assert Frontier(0).time == AFTER_ALL
    assert Frontier(0).ended


@given(
    st.integers(1, 4).flatmap(
        lambda n: st.tuples(
            st.just(n), st.lists(st.tuples(st.integers(0, n - 1), st.integers(-50, 50), st.booleans()), max_size=40)
        )
    )
)
def test_a_frontier_never_moves_back_and_never_passes_an_input_that_holds_it(
    steps: tuple[int, list[tuple[int, int, bool]]],
) -> None:
    inputs, moves = steps
    frontier = Frontier(inputs)
    last = BEFORE_ALL
    at, idle, reached = [BEFORE_ALL] * inputs, [False] * inputs, BEFORE_ALL
    for number, time_, idles in moves:
        moved = frontier.advance(number, time_, idle=idles)
        assert (frontier.time > last) == moved
        assert frontier.time >= last
        at[number], idle[number] = max(at[number], time_), idles
        holding = [a for a, i in zip(at, idle, strict=True) if not i]
        reached = max(reached, min(holding) if holding else max(at))
        assert frontier.time == reached
        last = frontier.time


def test_a_barrier_is_aligned_when_every_open_input_has_come_to_it() -> None:
    frontier = Frontier(3)
    alignment = Alignment(frontier, 3)
    assert not alignment.arrive(0, 1)
    frontier.end(2)
    assert not alignment.complete
    assert alignment.arrive(1, 1)
    assert alignment.release() == 1
    assert not alignment.complete


def test_an_end_can_complete_an_alignment() -> None:
    frontier = Frontier(2)
    alignment = Alignment(frontier, 2)
    alignment.arrive(0, 4)
    frontier.end(1)
    assert alignment.complete
    assert alignment.release() == 4


@pytest.mark.parametrize(
    ("unit", "value", "expected"),
    [("s", 5, 5_000_000), ("ms", 5, 5_000), ("us", 5, 5), ("ns", 5_999, 5), ("ms", -1, -1_000)],
)
def test_greatest_time_is_in_microseconds(unit: str, value: int, expected: int) -> None:
    assert greatest_time(pa.array([value, None, value - 1], pa.timestamp(unit))) == expected


def test_greatest_time_of_nothing_is_none_and_a_bound_leaves_the_future_out() -> None:
    assert greatest_time(pa.array([None], pa.timestamp("us"))) is None
    assert greatest_time(pa.array([], pa.timestamp("us"))) is None
    assert greatest_time(pa.array([1, 5, 900], pa.timestamp("us")), 10) == 5
    assert greatest_time(pa.array([900], pa.timestamp("us")), 10) is None
    assert greatest_time(pa.array([1, 5, 900], pa.timestamp("us")).slice(0, 1)) == 1


def observed(*times: int, **settings: int) -> SplitWatermark:
    watermark = SplitWatermark(0, **settings)
    for at in times:
        watermark.observe([pa.record_batch({"t": pa.array([at], pa.timestamp("us"))})])
    return watermark


def test_the_watermark_follows_the_greatest_time_by_the_delay_and_never_falls_back() -> None:
    assert observed(100, 50, delay=30).time == 70


def test_a_row_from_the_far_future_does_not_advance_the_watermark() -> None:
    now = time.time_ns() // 1_000
    assert observed(now - 5, now + 3_600_000_000, max_future=60_000_000).time == now - 5


def test_without_event_time_there_is_no_watermark() -> None:
    watermark = SplitWatermark(None)
    watermark.observe([pa.record_batch({"t": [1]})])
    assert watermark.time == BEFORE_ALL


def test_a_split_holds_the_watermark_until_it_was_silent_for_too_long() -> None:
    assert observed(1).holds
    assert observed(1, idle_timeout=60_000_000).holds
    assert not observed(1, idle_timeout=0).holds
