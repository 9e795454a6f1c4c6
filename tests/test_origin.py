"""Where rows come from: put together it stays true, and it is told in words and as JSON."""

from __future__ import annotations

import json
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow.errors import StepError
from flow.origin import MOST, NOWHERE, Origins, Stretch, Trace, gathered

READ = Stretch("trades", "a#1", 10, 20)


def origins(*stretches: Stretch, **flags: bool) -> Origins:
    return Origins(stretches, **flags)


@pytest.mark.parametrize(
    ("place", "told", "described"),
    [
        (NOWHERE, "", None),
        (origins(kept=True), "", None),
        (origins(READ), "offsets 10 to 20 of split 'a#1' of 'trades'", {"from": 10, "to": 20}),
        (origins(READ, kept=True), "at or before offset 20 of split 'a#1' of 'trades'", {"at_or_before": 20}),
        (
            origins(attrs.evolve(READ, start=None)),
            "at or before offset 20 of split 'a#1' of 'trades'",
            {"at_or_before": 20},
        ),
        (origins(attrs.evolve(READ, start=20)), "offset 20 of split 'a#1' of 'trades'", {"from": 20, "to": 20}),
        (origins(Stretch("trades", "a#1")), "split 'a#1' of 'trades'", {}),
    ],
)
def test_one_stretch_is_told_and_described(place: Origins, told: str, described: dict[str, Any] | None) -> None:
    assert place.told() == told
    whole = None if described is None else {"source": "trades", "split": "a#1", **described}
    assert place.described() == whole


def test_a_source_s_own_errors_do_not_name_it_again() -> None:
    error = StepError("trades", "reader 0", ValueError("torn"), origins=origins(READ))
    assert str(error) == "'trades' (reader 0, offsets 10 to 20 of split 'a#1'): ValueError: torn"
    assert (error.offset, error.origins) == (20, origins(READ))


def test_an_offset_of_the_row_itself_is_told_instead() -> None:
    assert origins(READ).told("trades", {"line": 12}) == "offset {'line': 12} of split 'a#1'"
    assert origins(READ).described(12) == {"source": "trades", "split": "a#1", "offset": 12}
    assert NOWHERE.told(offset=12) == "offset 12"
    assert NOWHERE.described(12) == {"offset": 12}
    assert StepError("trades", "reader 0", ValueError(), 12, origins(READ)).offset == 12


def test_several_stretches_are_told_up_to_three() -> None:
    many = [Stretch("trades", name, 0, number) for number, name in enumerate("abcde")]
    assert origins(*many[:2]).told() == "offset 0 of split 'a' of 'trades', or offsets 0 to 1 of split 'b' of 'trades'"
    last = "offsets 0 to 2 of split 'c', or offsets 0 to 3 of split 'd', or offsets 0 to 4 of split 'e'"
    assert origins(*many).told("trades") == f"{last}, or 2 other splits"
    assert origins(*many, others=True).told("trades") == f"{last}, or other splits"
    assert [each["split"] for each in origins(*many).described()] == list("abcde")
    assert origins(many[1], others=True).described() == [
        {"source": "trades", "split": "b", "from": 0, "to": 1},
        "other splits",
    ]
    assert origins(*many).offset is None
    assert origins(many[1], others=True).offset is None


def test_of_too_many_splits_the_latest_are_kept() -> None:
    many = [origins(Stretch("trades", str(number), 0, 1)) for number in range(MOST + 3)]
    together = gathered(many)
    assert [stretch.split for stretch in together.stretches] == [str(number) for number in range(3, MOST + 3)]
    assert together.others
    assert gathered([together, many[-1]]).others
    assert not gathered(many[:MOST]).others
    assert gathered([]) == NOWHERE


@given(st.permutations(range(6)), st.integers(1, 6))
def test_whatever_the_order_a_joined_stretch_has_all_reads_in_it(order: list[int], count: int) -> None:
    reads = [origins(Stretch("s", "a", f"at {n}", f"at {n + 1}", n, n)) for n in order[:count]]
    (joined,) = gathered(reads).stretches
    low, high = min(order[:count]), max(order[:count])
    assert joined == Stretch("s", "a", f"at {low}", f"at {high + 1}", low, high)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), min_size=1, max_size=100))
def test_a_trace_knows_the_last_and_all_that_was_before(reads: list[tuple[str, bool]]) -> None:
    trace = Trace()
    for number, (split, asked) in enumerate(reads):
        stretch = Stretch("s", split, number, number + 1, number, number)
        trace.begin([origins(stretch)])
        assert trace.present == origins(stretch)
        if asked:
            assert trace.past.kept
    met = {stretch.split: (stretch.start, stretch.end) for stretch in trace.past.stretches}
    numbers = {split: [n for n, read in enumerate(reads) if read[0] == split] for split, _ in reads}
    assert met == {split: (found[0], found[-1] + 1) for split, found in numbers.items()}


def test_what_is_described_can_be_written_as_json() -> None:
    place = gathered([origins(READ), origins(attrs.evolve(READ, split="b", end={"partition": 3}))])
    assert json.loads(json.dumps(place.described())) == place.described()
