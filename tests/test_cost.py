"""What work costs is guessed from what it cost before; a surprise counts at once, and is forgotten slowly."""

from __future__ import annotations

from flow.cost import INLINE, Cost


def observed(*observations: tuple[int, int]) -> Cost:
    cost = Cost()
    for rows, nanoseconds in observations:
        cost.observe(rows, nanoseconds)
    return cost


def test_unknown_work_is_not_small() -> None:
    assert not Cost().is_small(0)
    assert not Cost().is_small(1)


def test_work_is_small_in_proportion_to_its_rows() -> None:
    cost = observed((1_000, 20_000))
    assert cost.is_small(1_000)
    assert not cost.is_small(1_000_000)


def test_a_few_rows_do_not_make_a_row_look_dear() -> None:
    assert observed((1, 30_000)).is_small(1)
    assert observed((1, 30_000)).is_small(500)


def test_one_slow_piece_of_work_is_enough() -> None:
    assert not observed(*[(100, 1_000)] * 50, (100, 50 * INLINE)).is_small(100)


def test_what_was_slow_once_is_tried_again_after_a_while() -> None:
    once = [(100, 10 * INLINE)]
    assert not observed(*once, *[(100, 1_000)] * 4).is_small(100)
    assert observed(*once, *[(100, 1_000)] * 40).is_small(100)


def test_work_without_rows_has_a_cost_too() -> None:
    assert observed((0, 1_000)).is_small(0)
    assert not observed((0, 2 * INLINE)).is_small(0)
