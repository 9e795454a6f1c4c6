from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow.hashing import hash_columns, key_groups
from flow.operator import PartitionContext
from flow.router import ALIGNED, BROADCAST, FORWARD, ROUND_ROBIN, Hash
from flow.routing import divider, partition_of_group

BATCH = pa.record_batch({"key": ["a", "b", None, "a", "c", None], "row": range(6)})


def test_every_key_group_belongs_to_the_partition_that_owns_it():
    for partitions in (1, 2, 3, 7, 64, 256, 300):
        owners = partition_of_group(partitions)
        for partition in range(partitions):
            context = PartitionContext("node", {}, partition=partition, partitions=partitions)
            assert np.flatnonzero(owners == partition).tolist() == list(context.key_groups)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(st.none() | st.integers(-3, 40), st.none() | st.sampled_from(["x", "y", "z"])), max_size=60),
    st.sampled_from([1, 2, 3, 8, 64, 256, 300]),
    st.booleans(),
    st.lists(st.integers(0, 60), max_size=3),
)
def test_equal_keys_meet_no_row_is_lost_and_none_comes_twice(rows, partitions, encoded, cuts):
    texts = pa.array([text for _, text in rows], pa.string())
    number = pa.array([number for number, _ in rows], pa.int64())
    text = texts.dictionary_encode() if encoded else texts
    batch = pa.record_batch({"number": number, "text": text, "row": pa.array(range(len(rows)), pa.int64())})
    divide = divider(Hash(("number", "text")), partitions).divide
    cuts = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    got = {}
    for start, stop in pairwise(cuts):
        parts = divide(batch.slice(start, stop - start))
        assert len({partition for partition, _ in parts}) == len(parts)
        for partition, part in parts:
            assert part.num_rows
            assert part.schema == batch.schema
            got.setdefault(partition, []).extend(part["row"].to_pylist())
    assert sorted(row for part in got.values() for row in part) == list(range(len(rows)))
    assert all(part == sorted(part) for part in got.values())
    owners = partition_of_group(partitions)[key_groups(hash_columns([number, texts]))] if rows else []
    assert all(owners[row] == partition for partition, part in got.items() for row in part)


def test_rows_keep_their_values():
    parts = divider(Hash(("key",)), 3).divide(BATCH)
    assert len(parts) > 1
    together = pa.Table.from_batches([part for _, part in parts]).sort_by("row")
    assert together.equals(pa.Table.from_batches([BATCH]))


def test_a_batch_of_one_key_is_handed_on_without_copy():
    batch = pa.record_batch({"key": ["a"] * 5, "row": range(5)})
    ((_, part),) = divider(Hash(("key",)), 8).divide(batch)
    assert part is batch
    ((partition, part),) = divider(Hash(("key",)), 1).divide(BATCH)
    assert (partition, part) == (0, BATCH)


def test_parts_account_for_their_own_bytes_only():
    batch = pa.record_batch({"key": np.arange(1024)})
    parts = divider(Hash(("key",)), 4).divide(batch)
    assert sum(part.nbytes for _, part in parts) == batch.nbytes


def test_round_robin_takes_turns_and_instances_start_apart():
    first, second = (divider(ROUND_ROBIN, 3, instance) for instance in (0, 1))
    assert [first.divide(BATCH)[0][0] for _ in range(4)] == [0, 1, 2, 0]
    assert [second.divide(BATCH)[0][0] for _ in range(4)] == [1, 2, 0, 1]
    assert first.divide(BATCH)[0][1] is BATCH
    turn = first.divide(BATCH.slice(0, 0))
    assert turn == []
    assert first.divide(BATCH)[0][0] == 2


def test_broadcast_gives_everybody_everything():
    parts = divider(BROADCAST, 3).divide(BATCH)
    assert [partition for partition, _ in parts] == [0, 1, 2]
    assert all(part is BATCH for _, part in parts)


@pytest.mark.parametrize("router", [FORWARD, ALIGNED], ids=str)
def test_forward_and_aligned_move_no_row(router):
    for instance in range(4):
        ((partition, part),) = divider(router, 4, instance).divide(BATCH)
        assert partition == instance
        assert part is BATCH
    assert divider(router, 2, 5).divide(BATCH)[0][0] == 1


@pytest.mark.parametrize("router", [Hash(("key",)), ROUND_ROBIN, BROADCAST, FORWARD, ALIGNED], ids=str)
def test_an_empty_batch_goes_nowhere(router):
    assert divider(router, 2).divide(BATCH.slice(0, 0)) == []


def test_no_partition_is_an_error():
    with pytest.raises(ValueError, match="among 0 partitions"):
        divider(ROUND_ROBIN, 0)
