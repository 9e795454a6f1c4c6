from __future__ import annotations

import random

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow import Graph, RowError
from flow.schema import StreamSchema, changelog_of
from operators import Table, agg, col
from operators.change_streams.by_key import ByKey, by_key
from tests.aggregating import Row, cut, handed_over, opened, run, summed

COLUMNS = pa.schema([("key", pa.int64()), ("x", pa.string())])
SCHEMA = StreamSchema(changelog_of(COLUMNS))
OPERATOR = ByKey(["key"])


def table_of(changes: list[Row]) -> pa.Table:
    columns = list(zip(*changes, strict=True)) or [(), (), ()]
    arrays = [pa.array(column, kind) for column, kind in zip(columns, SCHEMA.columns.types, strict=True)]
    return pa.table(arrays, schema=SCHEMA.columns)


@st.composite
def overtaken(draw: st.DrawFn) -> tuple[list[Row], dict[int, str]]:
    """Changes of a table with a key, in any order, and what the table holds."""
    made: list[Row] = []
    held: dict[int, str] = {}
    for key, value in draw(st.lists(st.tuples(st.integers(0, 4), st.none() | st.sampled_from("pqrs")), max_size=30)):
        if key in held:
            made.append((key, held.pop(key), -1))
        if value is not None:
            held[key] = value
            made.append((key, value, 1))
    random.Random(draw(st.integers(0, 1000))).shuffle(made)
    return made, held


@given(overtaken(), st.lists(st.integers(1, 7), min_size=1, max_size=3))
@settings(max_examples=80, deadline=None)
def test_one_row_a_key_whatever_overtakes_what(given_: tuple[list[Row], dict[int, str]], sizes: list[int]) -> None:
    changes, held = given_
    table = table_of(changes)
    standing: dict[int, str] = {}
    for key, value, weight in run(OPERATOR, SCHEMA, cut(table, sizes)):
        if weight < 0:
            assert standing.pop(key) == value
        else:
            assert key not in standing
            standing[key] = value
    assert standing == held


@given(overtaken(), st.lists(st.integers(1, 7), min_size=1, max_size=3))
@settings(max_examples=30, deadline=None)
def test_other_partitions_go_on_from_a_snapshot(given_: tuple[list[Row], dict[int, str]], sizes: list[int]) -> None:
    changes, held = given_
    batches = cut(table_of(changes), sizes)
    for before, after in ((1, 2), (3, 1)):
        came = handed_over(OPERATOR, SCHEMA, batches, ["key"], before, after)
        assert sorted(summed(came)) == sorted(held.items())


def test_a_key_of_several_rows_fails_in_the_end() -> None:
    with pytest.raises(RowError, match=r"the key \['key'\] is not unique: several rows have \{'key': 1\}"):
        run(OPERATOR, SCHEMA, cut(table_of([(1, "p", 1), (1, "q", 1)]), [1]))
    with pytest.raises(RowError, match="not unique"):
        run(OPERATOR, SCHEMA, cut(table_of([(1, "p", 2)]), [1]))
    with pytest.raises(RowError, match=r"had not come: \{'key': 1, 'x': 'p'\}"):
        run(OPERATOR, SCHEMA, cut(table_of([(1, "p", -1)]), [1]))


def test_what_is_gone_is_forgotten() -> None:
    partition = opened(OPERATOR, SCHEMA)
    for turn in range(30):
        batch = table_of([(turn * 500 + i, "p", 1) for i in range(500)]).to_batches()[0]
        gone = table_of([(turn * 500 + i, "p", -1) for i in range(499)]).to_batches()[0]
        assert sum(part.num_rows for each in (batch, gone) for part in partition.on_batch(each)) == 999
    assert len(partition.snapshot()["rows"]) == 30
    assert len(partition._rows) < 5000  # type: ignore[attr-defined]


def test_groups_and_latest_rows_need_no_order() -> None:
    graph = Graph("g")
    rows = graph.source("rows", Table(pa.table({"a": [1], "b": [1], "c": [1]})))
    groups = rows.aggregate(keys=("a", "b"), n=agg.count()).filter(col("n") > 0).select(k="b", a="a", n="n")
    assert by_key(groups, ("a", "k"), "o") is groups
    assert by_key(groups, ("a", "k", "n"), "o") is groups
    latest = rows.upsert("a")
    assert by_key(latest, ("a",), "o") is latest
    assert by_key(latest, ("b",), "o").name == "o"
    assert by_key(groups, ("a",), "p").name == "p"
    assert by_key(groups.select("a", k=col("k") + 1), ("a", "k"), "q").name == "q"
