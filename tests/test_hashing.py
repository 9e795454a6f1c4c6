import datetime as dt
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow.hashing import hash_columns, key_groups

# State on disk is divided by these: a change of any of them is a change of the snapshot format.
PINNED = [
    (
        pa.array([0, 1, -1, 2**63 - 1, None]),
        [16294208416658607535, 10451216379200822465, 16490336266968443936, 3055647633038352039, 12085254679833835651],
    ),
    (pa.array([1.5, float("nan")]), [15481881892811333770, 14351126860892846918]),
    (pa.array([False, True]), [16294208416658607535, 10451216379200822465]),
    (
        pa.array(["", "a", "Penstock", "a string of more than thirty-two bytes"]),
        [16294208416658607535, 5557465457039697843, 7911100024765296209, 3543609602688908533],
    ),
    (
        pa.array([Decimal("1.25"), Decimal("-3.00")], pa.decimal128(10, 2)),
        [9809937011109104058, 6698058957419781473],
    ),
    (pa.array([1_640_995_200_000_000], pa.timestamp("us")), [14115261187706897432]),
    (pa.array([dt.date(2022, 1, 1)]), [5952592422992756792]),
    (
        pa.array([[], [1, 2], [2, 1], [None]]),
        [16294208416658607535, 770169049566441373, 2170091949831757158, 5004813894165575735],
    ),
    (pa.array([{"a": 1, "b": "x"}, None]), [17798491763811048389, 12085254679833835651]),
    (pa.nulls(1), [12085254679833835651]),
]


@pytest.mark.parametrize(("column", "hashes"), PINNED, ids=[str(column.type) for column, _ in PINNED])
def test_hashes_stay_what_they_were(column, hashes):
    assert hash_columns([column]).tolist() == hashes


def test_hashes_of_several_columns_stay_what_they_were():
    columns = [pa.array(["a", "b", None]), pa.array([1, 2, None])]
    assert hash_columns(columns).tolist() == [15227445835085928681, 14116640371146458471, 11190814892490465775]
    assert (hash_columns(columns) != hash_columns(columns[::-1])).all()


TEXT = ["a", "", None, "café", "x" * 31, "x" * 32, "x" * 33, "y" * 500, "a"]


@pytest.mark.parametrize(
    "kind",
    [
        pa.large_string(),
        pa.string_view(),
        pa.binary(),
        pa.large_binary(),
        pa.binary_view(),
        pa.dictionary(pa.int8(), pa.string()),
        pa.dictionary(pa.uint32(), pa.large_string()),
    ],
    ids=str,
)
def test_text_hashes_alike_in_every_form(kind):
    expected = hash_columns([pa.array(TEXT)])
    column = (
        pa.array(TEXT).dictionary_encode().cast(kind) if pa.types.is_dictionary(kind) else pa.array(TEXT).cast(kind)
    )
    assert hash_columns([column]).tolist() == expected.tolist()
    assert hash_columns([column.slice(3, 5)]).tolist() == expected[3:8].tolist()
    assert expected[0] == expected[8]
    assert len(set(expected.tolist())) == len(TEXT) - 1


@pytest.mark.parametrize("width", ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"])
def test_integers_of_every_width_hash_alike(width):
    column = pa.array([0, 1, None, 100], width)
    assert hash_columns([column]).tolist() == hash_columns([pa.array([0, 1, None, 100])]).tolist()
    assert hash_columns([column.dictionary_encode()]).tolist() == hash_columns([column]).tolist()


def test_zeros_are_equal_and_nans_are_equal():
    other_nan = np.array([0x7FF0000000000001, 0xFFF8000000000000], np.uint64).view(np.float64)
    hashes = hash_columns([pa.array(np.array([0.0, -0.0, float("nan"), *other_nan]))]).tolist()
    assert hashes[0] == hashes[1]
    assert len(set(hashes[2:])) == 1
    narrow = pa.array([0.5, -0.0, float("nan")], pa.float32())
    assert hash_columns([narrow]).tolist() == hash_columns([pa.array([0.5, 0.0, float("nan")])]).tolist()


def test_nulls_hash_alike_wherever_they_are():
    indices = pa.array([0, 1, None], pa.int8())
    in_dictionary = pa.DictionaryArray.from_arrays(indices, pa.array([None, "a"]))
    hashes = hash_columns([in_dictionary]).tolist()
    assert hashes[0] == hashes[2] == hash_columns([pa.array([None], pa.int64())])[0]
    assert hashes[1] == hash_columns([pa.array(["a"])])[0]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([[1, None], [None, 1], None, [], [1], [1, None, 0]]),
        pa.array([["a", None], ["b"], None], pa.large_list(pa.string())),
        pa.array([[1, 2], None, [2, 1]], pa.list_(pa.int64(), 2)),
        pa.array([[("a", 1)], None, [("a", None)]], pa.map_(pa.string(), pa.int64())),
        pa.array([{"a": 1, "b": [1]}, {"a": 1, "b": [2]}, {"a": None, "b": None}, None]),
        pa.array([b"ab", None, b"ba"], pa.binary(2)),
        pa.array([1.5, None, 2.5], pa.float16()),
        pa.array([pa.MonthDayNano([1, 2, 3]), pa.MonthDayNano([3, 2, 1])]),
        pa.array([True, None, False]),
        pa.array([dt.timedelta(seconds=1), dt.timedelta(seconds=2)]),
        pa.array([dt.time(1), dt.time(2)]),
    ],
    ids=lambda column: str(column.type),
)
def test_rows_hash_the_same_alone_and_different_rows_differ(column):
    whole = hash_columns([column]).tolist()
    assert [hash_columns([column.slice(row, 1)])[0] for row in range(len(column))] == whole
    assert len(set(whole)) == len(whole)


def test_run_ends_hash_like_their_values():
    runs = pa.RunEndEncodedArray.from_arrays(pa.array([2, 3], pa.int32()), pa.array(["a", "b"]))
    assert hash_columns([runs]).tolist() == hash_columns([pa.array(["a", "a", "b"])]).tolist()


@pytest.mark.parametrize("kind", [pa.int64(), pa.string(), pa.bool_(), pa.list_(pa.int8()), pa.binary(3)], ids=str)
def test_no_rows_have_no_hashes(kind):
    assert len(hash_columns([pa.array([], kind)])) == 0


def test_what_cannot_be_hashed_is_refused():
    with pytest.raises(ValueError, match="no columns"):
        hash_columns([])
    union = pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1])])
    with pytest.raises(TypeError, match="cannot be keys"):
        hash_columns([union])


def test_key_groups_are_even_and_independent_of_the_low_bits():
    hashes = hash_columns([pa.array(np.arange(1 << 16))])
    groups = key_groups(hashes)
    assert groups.dtype == np.int64
    sizes = np.bincount(groups, minlength=256)
    assert len(sizes) == 256
    assert sizes.min() > 190
    assert sizes.max() < 330
    in_one_group = hashes[groups == 7] & np.uint64(15)
    assert len(np.unique(in_one_group)) == 16


@settings(max_examples=40, deadline=None)
@given(st.lists(st.none() | st.text(max_size=50), max_size=30), st.data())
def test_equal_texts_and_no_others_hash_alike(texts, data):
    start = data.draw(st.integers(0, len(texts)))
    hashes = hash_columns([pa.array(texts, pa.string())]).tolist()
    assert hash_columns([pa.array(texts, pa.string()).dictionary_encode().slice(start)]).tolist() == hashes[start:]
    assert len(set(hashes)) == len(set(texts))
