"""Tests of indexes of keys with long values beside short ones."""

from __future__ import annotations

import decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow.keys import KeyIndex
from operators import wide_keys
from operators.wide_keys import WideKeys, key_index

KINDS = [pa.string(), pa.int64(), pa.decimal128(20, 2), pa.large_binary()]

ROWS = st.tuples(
    st.sampled_from([None, "", "ab", "ac", "a longer name than eight bytes"]),
    st.sampled_from([None, 0, 1, 2]),
    st.sampled_from(
        [None, decimal.Decimal("0.00"), decimal.Decimal("-0.01"), decimal.Decimal("123456789012345678.90")]
    ),
    st.sampled_from([None, b"", b"\x00"]),
)


def arrays(rows: list[tuple[object, ...]]) -> list[pa.Array]:
    """Columns of rows."""
    columns = zip(*rows, strict=True) if rows else [()] * len(KINDS)
    return [pa.array(list(column), kind) for column, kind in zip(columns, KINDS, strict=True)]


@given(st.lists(st.lists(ROWS, max_size=12), max_size=6), st.sampled_from([0, 4_096]))
@settings(max_examples=100, deadline=None)
def test_equal_keys_have_one_slot_and_slots_have_no_gaps(batches: list[list[tuple[object, ...]]], few: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wide_keys, "_FEW", few)
        index, slots = WideKeys(KINDS), {}
        for batch in batches:
            known = len(index)
            found = index.slots(arrays(batch)).tolist()
            for row, slot in zip(batch, found, strict=True):
                assert slots.setdefault(row, slot) == slot
            assert sorted(set(found) - set(range(known))) == list(range(known, len(index)))
    assert sorted(slots.values()) == list(range(len(index)))
    held = [row for row, _ in sorted(slots.items(), key=lambda item: item[1])]
    assert list(zip(*(array.to_pylist() for array in index.columns()), strict=True)) == held
    backwards = np.arange(len(index))[::-1]
    assert list(zip(*(array.to_pylist() for array in index.columns(backwards)), strict=True)) == held[::-1]


def people(number: int, called: str) -> list[pa.Array]:
    """So many people by number, name and town."""
    names = [f"{called} {person}" for person in range(number)]
    return [pa.array(range(number)), pa.array(names), pa.array(["Rome"] * number)]


def test_late_names_stand_aside() -> None:
    index = key_index([pa.int64(), pa.string(), pa.string()])
    first = people(10_000, "Ada")
    assert index.slots(first).tolist() == list(range(10_000))
    renamed = [pa.array([7, 8, 7]), pa.array(["Eva 7", "Ada 8", "Eva 7"]), pa.array(["Rome", "Rome", "Rome"])]
    assert index.slots(renamed).tolist() == [10_000, 8, 10_000]
    assert index.slots(first).tolist() == list(range(10_000))
    assert [column.to_pylist() for column in index.columns(np.array([10_000, 7]))] == [
        [7, 7],
        ["Eva 7", "Ada 7"],
        ["Rome", "Rome"],
    ]
    index.clear()
    assert len(index) == 0
    assert index.slots(renamed).tolist() == [0, 1, 0]


def test_dictionaries_are_as_their_values() -> None:
    index = key_index([pa.int64(), pa.string()])
    numbers = pa.array([1, 2, 1])
    names = pa.array(["one", None, "one"])
    assert index.slots([numbers, names.dictionary_encode()]).tolist() == [0, 1, 0]
    assert index.slots([numbers.dictionary_encode(), names.cast(pa.large_string())]).tolist() == [0, 1, 0]
    assert [column.to_pylist() for column in index.columns()] == [[1, 2], ["one", None]]


@pytest.mark.parametrize(
    "kinds",
    [[pa.string()], [pa.int64(), pa.date32()], [pa.string(), pa.binary()], [pa.int64(), pa.list_(pa.int64())]],
)
def test_other_keys_have_a_plain_index(kinds: list[pa.DataType]) -> None:
    assert isinstance(key_index(kinds), KeyIndex)


def test_keys_keep_their_slots_when_all_columns_are_looked_at() -> None:
    kinds = [pa.int64(), pa.string(), pa.float64()]
    first = [(None, None, 0.0), (None, "ab", None), (1, None, 1.0), (None, None, 0.5)]
    second = [(1, "", 1.0), (1, "ab", 1.0)]
    index, held = key_index(kinds), {}
    for rows in (first, second, [*second, *first]):
        columns = [pa.array([row[place] for row in rows], kind) for place, kind in enumerate(kinds)]
        for row, slot in zip(rows, index.slots(columns).tolist(), strict=True):
            assert held.setdefault(row, slot) == slot
    back = [array.to_pylist() for array in index.columns(np.array(list(held.values())))]
    assert list(zip(*back, strict=True)) == list(held)
