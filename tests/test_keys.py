import datetime as dt
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import flow.keys.codes
import flow.keys.index
import flow.keys.tables
from flow.hashing import hash_columns, key_groups
from flow.keys import KeyIndex, factorise
from flow.operator import KEY_GROUP

VALUES = {
    pa.int64(): st.integers(0, 9) | st.sampled_from([-(2**63), 2**63 - 1, 60_000_000, 120_000_000]),
    pa.uint64(): st.sampled_from([0, 1, 2**63, 2**64 - 1]),
    pa.int8(): st.integers(-128, 127),
    pa.float64(): st.sampled_from([0.0, -0.0, float("nan"), 1.5, float("-inf")]),
    pa.float32(): st.sampled_from([0.0, -0.0, float("nan"), 1.5]),
    pa.bool_(): st.booleans(),
    pa.string(): st.text(max_size=3) | st.sampled_from(["x" * 32, "x" * 33, "x" * 40, "x" * 39 + "y"]),
    pa.large_string(): st.sampled_from(["", "a", "b"]),
    pa.string_view(): st.sampled_from(["", "a", "a string that is not inlined"]),
    pa.binary(): st.binary(max_size=3),
    pa.binary_view(): st.binary(max_size=3),
    pa.binary(2): st.binary(min_size=2, max_size=2),
    pa.decimal128(10, 2): st.sampled_from([Decimal("1.25"), Decimal("-3.00"), Decimal("0.00")]),
    pa.date32(): st.dates(dt.date(2020, 1, 1), dt.date(2020, 1, 9)),
    pa.date64(): st.dates(dt.date(2020, 1, 1), dt.date(2020, 1, 9)),
    pa.time64("us"): st.sampled_from([dt.time(1), dt.time(2, 3)]),
    pa.timestamp("us"): st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2020, 1, 2)),
    pa.duration("ms"): st.sampled_from([dt.timedelta(seconds=1), dt.timedelta(days=1)]),
    pa.month_day_nano_interval(): st.sampled_from([pa.MonthDayNano([1, 2, 3]), pa.MonthDayNano([3, 2, 1])]),
    pa.null(): st.none(),
    pa.dictionary(pa.int32(), pa.string()): st.sampled_from(["a", "b", "c"]),
    pa.list_(pa.int8()): st.lists(st.none() | st.integers(0, 2), max_size=3),
    pa.large_list(pa.string()): st.lists(st.none() | st.sampled_from(["", "a"]), max_size=3),
    pa.list_(pa.int8(), 2): st.lists(st.none() | st.integers(0, 2), min_size=2, max_size=2),
    pa.map_(pa.string(), pa.int8()): st.lists(
        st.tuples(st.sampled_from("ab"), st.none() | st.integers(0, 1)), max_size=2
    ),
    pa.struct({"a": pa.int8(), "b": pa.float64()}): st.fixed_dictionaries(
        {"a": st.none() | st.integers(0, 1), "b": st.sampled_from([None, 0.0, -0.0, float("nan")])}
    ),
}


def comparable(value):
    """What a Python dict takes for equal exactly where a key index does."""
    if isinstance(value, float):
        return "NaN" if value != value else value + 0.0
    if isinstance(value, dict):
        return comparable([value[name] for name in sorted(value)])
    if isinstance(value, list | tuple):
        return tuple(comparable(item) for item in value)
    return value


def arrays(rows, kinds, start, encode):
    """Key columns of the rows, which are a slice of longer arrays, dictionary-encoded where that can be done."""
    columns = []
    for number, kind in enumerate(kinds):
        values = [row[number] for row in rows]
        column = pa.array((values + values)[:start] + values, kind).slice(start)
        if encode and (pa.types.is_string(kind) or pa.types.is_integer(kind)):
            column = column.dictionary_encode()
        columns.append(column)
    return columns


@st.composite
def keyed_batches(draw):
    kinds = draw(st.lists(st.sampled_from(list(VALUES)), min_size=1, max_size=3))
    rows = st.lists(st.tuples(*(st.none() | VALUES[kind] for kind in kinds)), max_size=12)
    return kinds, draw(st.lists(st.tuples(rows, st.integers(0, 3), st.booleans()), min_size=1, max_size=5))


def check_like_a_dict(kinds, batches):
    index, slots_of = KeyIndex(kinds), {}
    for rows, start, encode in batches:
        columns = arrays(rows, kinds, min(start, len(rows)), encode)
        keys = [comparable(row) for row in rows]
        assert index.find(columns).tolist() == [slots_of.get(key, -1) for key in keys]
        for key, slot in zip(keys, index.slots(columns).tolist(), strict=True):
            assert slots_of.setdefault(key, slot) == slot
        assert index.find(columns).tolist() == [slots_of[key] for key in keys]
    assert sorted(slots_of.values()) == list(range(len(index)))
    values = index.columns()
    for column, kind in zip(values, kinds, strict=True):
        column.validate(full=True)
        assert column.type == kind
    held = [comparable(row) for row in zip(*(column.to_pylist() for column in values), strict=True)]
    assert {key: slot for slot, key in enumerate(held)} == slots_of


@settings(max_examples=100, deadline=None)
@given(keyed_batches())
def test_an_index_agrees_with_a_dict(case):
    check_like_a_dict(*case)


def weaken_hashes(monkeypatch):
    def weak(keys):
        return np.zeros(len(keys[0]) if isinstance(keys, flow.keys.tables.Bytes) else keys.size, np.uint64)

    def weak_bytes(strings):
        return np.zeros(len(strings.starts), np.uint64)

    monkeypatch.setattr(flow.keys.index, "hash_words", weak)
    monkeypatch.setattr(flow.keys.tables, "hash_words", weak)
    monkeypatch.setattr(flow.keys.codes, "hash_bytes", weak_bytes)
    monkeypatch.setattr(flow.keys.tables, "hash_bytes", weak_bytes)


def test_keys_with_the_same_hash_stay_apart(monkeypatch):
    weaken_hashes(monkeypatch)
    random = np.random.default_rng(1)
    numbers = random.integers(-(2**63), 2**63 - 1, 150)
    texts = [f"{number:x}" * 3 for number in numbers]
    rows = [(int(numbers[pick]), texts[pick]) for pick in random.integers(0, 150, 400)]
    halves = [(rows[:200], 0, False), (rows[200:], 0, False)]
    check_like_a_dict([pa.int64(), pa.string()], halves)
    check_like_a_dict([pa.int64()], [([row[:1] for row in part], 0, False) for part, _, _ in halves])
    check_like_a_dict([pa.string()], [([row[1:] for row in part], 0, False) for part, _, _ in halves])


@pytest.mark.parametrize("spread", [1, 3, 60_000_000, 2**40 + 1])
def test_many_keys_in_many_batches(spread):
    random = np.random.default_rng(2)
    index = KeyIndex([pa.int64()])
    seen = {}
    for size in (10, 0, 5_000, 20_000):
        numbers = random.integers(-size, size + 1, size) * spread
        for number, slot in zip(numbers.tolist(), index.slots([pa.array(numbers)]).tolist(), strict=True):
            assert seen.setdefault(number, slot) == slot
    assert sorted(seen.values()) == list(range(len(index)))
    assert index.find([pa.array([spread * 10**5, 1 if spread > 1 else 10**5, None])]).tolist() == [-1, -1, -1]


def test_a_range_that_explodes_and_closes_up_again_keeps_every_slot():
    index = KeyIndex([pa.int64()])
    near = index.slots([pa.array(range(100))])
    far = index.slots([pa.array([2**62, -(2**62), 50])])
    assert far.tolist() == [100, 101, 50]
    assert index.slots([pa.array(range(100))]).tolist() == near.tolist()
    wide = KeyIndex([pa.int64()])
    first = wide.slots([pa.array([0, 1_000_003, 500_001])])
    many = wide.slots([pa.array(np.arange(1_000_004)[::-1])])
    assert len(wide) == 1_000_004
    assert wide.find([pa.array([0, 1_000_003, 500_001])]).tolist() == first.tolist()
    assert np.array_equal(wide.columns(many)[0].to_numpy(), np.arange(1_000_004)[::-1])


def test_high_cardinality_text_of_any_length():
    random = np.random.default_rng(3)
    texts = ["".join(random.choice(list("ab"), length)) for length in random.integers(0, 90, 3_000)]
    check_like_a_dict(
        [pa.string()], [([(text,) for text in texts[:1_500]], 0, False), ([(t,) for t in texts], 0, False)]
    )


def test_each_dictionary_is_read_by_value():
    index = KeyIndex([pa.string()])
    indices = pa.array([0, 1, None], pa.int8())
    first = index.slots([pa.DictionaryArray.from_arrays(indices, pa.array(["a", "b"]))])
    swapped = index.slots([pa.DictionaryArray.from_arrays(indices, pa.array(["b", "a"]))])
    assert swapped.tolist() == [first[1], first[0], first[2]]
    repeated = index.slots([pa.DictionaryArray.from_arrays(pa.array([0, 1, 2]), pa.array(["a", "a", None]))])
    assert repeated.tolist() == [first[0], first[0], first[2]]
    assert index.slots([pa.array(["b", None, "a"])]).tolist() == [first[1], first[2], first[0]]
    for number in range(20):
        values = pa.array([f"{number}", "a"])
        assert index.slots([pa.DictionaryArray.from_arrays(indices, values)])[1] == first[0]
    assert len(index) == 23


def test_values_of_a_dictionary_that_no_row_has_are_no_keys():
    index = KeyIndex([pa.dictionary(pa.int32(), pa.string())])
    values = pa.array([f"{number}" for number in range(1_000)])
    assert index.slots([pa.DictionaryArray.from_arrays(pa.array([7, 7, 9]), values)]).tolist() == [0, 0, 1]
    assert index.find([pa.DictionaryArray.from_arrays(pa.array([9, 8]), values)]).tolist() == [1, -1]
    assert index.slots([pa.DictionaryArray.from_arrays(pa.array([8, 7]), values)]).tolist() == [2, 0]
    assert index.columns()[0].to_pylist() == ["7", "9", "8"]


def test_an_index_survives_as_a_table():
    columns = [pa.array(["a", "b", None, "a"]), pa.array([1, None, 3, 1], pa.timestamp("us"))]
    index, counts = KeyIndex([column.type for column in columns]), np.zeros(3, np.int64)
    np.add.at(counts, index.slots(columns), 1)
    table = pa.table([*index.columns(), counts, index.groups()], ["text", "time", "count", KEY_GROUP])
    assert table[KEY_GROUP].to_pylist() == key_groups(hash_columns(columns))[:3].tolist()
    shuffled = table.take([2, 0, 1]).combine_chunks()
    restored = KeyIndex(index.types)
    slots = restored.slots([shuffled["text"].chunk(0), shuffled["time"].chunk(0)])
    counts_restored = np.zeros(3, np.int64)
    counts_restored[slots] = shuffled["count"].to_numpy()
    assert counts_restored[restored.slots(columns)].tolist() == [2, 1, 1, 2]


def test_columns_and_groups_of_some_slots():
    index = KeyIndex([pa.string(), pa.int32()])
    index.slots([pa.array(["a", "b", None]), pa.array([1, None, 3], pa.int32())])
    texts, numbers = index.columns(np.array([2, 0, 2]))
    assert texts.to_pylist() == [None, "a", None]
    assert numbers.to_pylist() == [3, 1, 3]
    assert index.groups(np.array([2, 0])).tolist() == index.groups()[[2, 0]].tolist()
    assert [len(column) for column in index.columns(np.zeros(0, np.int64))] == [0, 0]


def test_a_cleared_index_starts_again():
    index = KeyIndex([pa.string()])
    index.slots([pa.array(["a", "b"])])
    index.clear()
    assert len(index) == 0
    assert index.find([pa.array(["a"])]).tolist() == [-1]
    assert index.slots([pa.array(["b"])]).tolist() == [0]


def test_what_cannot_be_indexed_is_refused():
    with pytest.raises(ValueError, match="at least one key column"):
        KeyIndex([])
    with pytest.raises(TypeError, match="cannot be keys"):
        KeyIndex([pa.sparse_union([pa.field("a", pa.int64())])])
    with pytest.raises(ValueError, match="has 1 key columns; 2 were given"):
        KeyIndex([pa.int64()]).slots([pa.array([1]), pa.array([2])])
    with pytest.raises(ValueError, match="without a key column"):
        factorise([])


@settings(max_examples=100, deadline=None)
@given(keyed_batches())
def test_factorise_numbers_the_keys_of_a_batch(case):
    kinds, batches = case
    for rows, start, encode in batches:
        codes, first_rows = factorise(arrays(rows, kinds, min(start, len(rows)), encode))
        keys = [comparable(row) for row in rows]
        assert len(codes) == len(rows)
        assert len(first_rows) == len(set(keys))
        assert [keys[first_rows[code]] for code in codes.tolist()] == keys
        assert [keys.index(keys[row]) for row in first_rows.tolist()] == first_rows.tolist()


def test_factorise_takes_dictionaries_for_their_values():
    values = pa.array(["a", "b", "a", None])
    column = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, 3, None]), values)
    codes, first_rows = factorise([column])
    assert codes[0] == codes[2]
    assert codes[3] == codes[4]
    assert sorted(first_rows.tolist()) == [0, 1, 3]
    wide = pa.DictionaryArray.from_arrays(pa.array([99, 5, 99]), pa.array([f"{n}" for n in range(100)]))
    codes, first_rows = factorise([wide, pa.array([1, 1, 1])])
    assert codes[0] == codes[2] != codes[1]
    assert sorted(first_rows.tolist()) == [0, 1]
