from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow import Graph, GraphError, RowError
from flow.schema import StreamSchema
from operators import Deduplicate
from operators.in_process.tables import Table
from tests.aggregating import changelog, cut, divided, handed_over, opened, rows, run

SCHEMA = StreamSchema(pa.schema([("key", pa.string()), ("x", pa.int64()), ("time", pa.timestamp("us"))]), "time")


def batch(keys: str, *times: int | None) -> pa.RecordBatch:
    values = pa.array(times or [0] * len(keys), pa.timestamp("us"))
    return pa.record_batch([list(keys), np.arange(len(keys)), values], schema=SCHEMA.columns)


@given(
    st.lists(st.tuples(st.none() | st.sampled_from("abc"), st.integers(0, 2)), max_size=40),
    st.lists(st.integers(1, 9), min_size=1, max_size=3),
)
@settings(max_examples=30, deadline=None)
def test_the_first_row_of_each_key_passes(given_rows: list[tuple[str | None, int]], sizes: list[int]) -> None:
    table = pa.table(
        {
            "key": pa.array([key for key, _ in given_rows], pa.string()).dictionary_encode(),
            "x": pa.array([x for _, x in given_rows], pa.int64()),
            "place": pa.array(range(len(given_rows)), pa.int64()),
        }
    )
    schema = StreamSchema(table.schema)
    for keys in (("key",), ("x", "key")):
        first: dict[object, tuple[object, ...]] = {}
        for row in table.to_pylist():
            first.setdefault(tuple(row[key] for key in keys), tuple(row.values()))
        assert run(Deduplicate(keys), schema, cut(table, sizes)) == list(first.values())
    assert run(Deduplicate(), schema, cut(table, sizes)) == [tuple(row.values()) for row in table.to_pylist()]


def test_keys_are_forgotten_when_the_watermark_is_past_them() -> None:
    late: list[pa.RecordBatch] = []
    partition = opened(Deduplicate(("key",), 10e-6), SCHEMA, late=late.append)

    def passed(keys: str, *times: int) -> str:
        return "".join(row[0] for row in rows(partition.on_batch(batch(keys, *times))))

    assert passed("abab", 0, 5, 9, 20) == "ab"
    list(partition.on_watermark(10))
    assert passed("ab", 10, 15) == ""
    list(partition.on_watermark(11))
    assert passed("abcc", 11, 15, 1, 300) == "ac"
    assert late == []
    list(partition.on_watermark(16))
    assert passed("abd", 12, 30, 5) == "b"
    assert [part["key"].to_pylist() for part in late] == [["d"]]
    list(partition.on_watermark(310))
    assert passed("abc", 310, 310, 310) == "abc"
    assert len(partition._generations) <= 3  # type: ignore[attr-defined]


def test_rows_without_time_are_rejected_where_time_matters() -> None:
    with pytest.raises(RowError, match="NULL event time in 'time'"):
        list(opened(Deduplicate(("key",), 1), SCHEMA).on_batch(batch("a", None)))
    assert len(rows(opened(Deduplicate(("key",)), SCHEMA).on_batch(batch("aa", None, 1)))) == 1


@pytest.mark.parametrize(("before", "after"), [(1, 3), (3, 2)])
@pytest.mark.parametrize("within", [None, 3600])
def test_state_moves_to_another_number_of_partitions(within: int | None, before: int, after: int) -> None:
    keys = np.random.default_rng(0).integers(0, 60, 200).astype(str)
    times = pa.array(np.arange(200), pa.timestamp("us"))
    table = pa.table([pa.array(keys), np.arange(200), times], schema=SCHEMA.columns)
    operator = Deduplicate(("key",), within)
    batches = cut(table, (20,))
    got = handed_over(operator, SCHEMA, batches, ("key",), before, after)
    assert sorted(got) == sorted(run(operator, SCHEMA, batches))
    parts = divided(batches, ("key",), after)
    assert sorted(row for part in parts for row in run(operator, SCHEMA, part)) == sorted(got)


def test_forgotten_keys_stay_forgotten_over_a_snapshot() -> None:
    operator = Deduplicate(("key",), 10e-6)
    partition = opened(operator, SCHEMA)
    list(partition.on_batch(batch("ab", 0, 5)))
    list(partition.on_watermark(12))
    again = opened(operator, SCHEMA)
    again.restore(partition.snapshot())
    assert [row[0] for row in rows(again.on_batch(batch("ab", 12, 12)))] == ["a"]


def test_what_does_not_fit_is_refused_before_it_runs() -> None:
    with pytest.raises(GraphError, match=r"no key column 'kye'.*did you mean 'key'"):
        Deduplicate(("kye",)).output({"in": SCHEMA})
    with pytest.raises(GraphError, match="the stream has none"):
        Deduplicate(("key",), 1).output({"in": StreamSchema(SCHEMA.columns)})
    with pytest.raises(GraphError, match="longer than nothing"):
        Deduplicate(("key",), 0)
    with pytest.raises(GraphError, match="changelog"):
        Deduplicate().output({"in": StreamSchema(changelog(pa.table({"x": [1]}), [1]).schema)})


def test_the_verb_divides_rows_by_key() -> None:
    graph = Graph()
    stream = graph.source("t", Table(pa.Table.from_batches([batch("a")])), event_time="time")
    assert stream.deduplicate("key", within="1h").schema == stream.schema
    assert "t.hash(key)" in graph.nodes
    stream.deduplicate()
    assert "t.hash(key, x, time)" in graph.nodes
    node = graph.node(stream.key_by("x").deduplicate("key", "x", name="d").name)
    assert node.operator.routed == ("x",)  # type: ignore[union-attr]
