from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow import Graph, GraphError
from flow.schema import StreamSchema
from flow.testing import drive
from operators import Collect, JsonLines, Table, Upsert, agg, col
from tests.aggregating import Row, cut, handed_over, opened, run, same, summed

SCHEMA = StreamSchema(
    pa.schema([("key", pa.string()), ("n", pa.int64()), ("tags", pa.list_(pa.string())), ("op", pa.string())])
)
UPSERT = Upsert(["key"], col("op") == "d", drop=["op"])

CHANGE = st.tuples(
    st.sampled_from("abcde"),
    st.none() | st.integers(0, 3),
    st.none() | st.lists(st.sampled_from("xy"), max_size=2),
    st.sampled_from("cudu"),
)


def table_of(changes: list[Row]) -> pa.Table:
    columns = list(zip(*changes, strict=True)) or [(), (), (), ()]
    arrays = [pa.array(column, kind) for column, kind in zip(columns, SCHEMA.columns.types, strict=True)]
    return pa.table(arrays, schema=SCHEMA.columns)


def standing(changes: list[Row]) -> list[Row]:
    """The last row of each key, without those that delete."""
    last = {key: (n, tags, op) for key, n, tags, op in changes}
    return [(key, n, tags) for key, (n, tags, op) in last.items() if op != "d"]


def plain(rows: list[Row]) -> list[Row]:
    return [tuple(str(value) if isinstance(value, list) else value for value in row) for row in rows]


@given(st.lists(CHANGE, max_size=40), st.lists(st.integers(1, 9), min_size=1, max_size=3))
@settings(max_examples=60, deadline=None)
def test_the_last_row_of_each_key_stands_after_every_batch(changes: list[Row], sizes: list[int]) -> None:
    partition = opened(UPSERT, SCHEMA)
    seen, came = 0, list[Row]()
    for batch in cut(table_of(changes), sizes):
        seen += batch.num_rows
        made = list(partition.on_batch(batch))
        came += [tuple(row.values()) for part in made for row in part.to_pylist()]
        for part in made:
            keys = [row["key"] for row in part.to_pylist() if row["_weight"] > 0]
            assert len(keys) == len(set(keys))
        same(summed(plain(came)), plain(standing(changes[:seen])))


@given(st.lists(CHANGE, max_size=40), st.lists(st.integers(1, 9), min_size=1, max_size=3))
@settings(max_examples=30, deadline=None)
def test_other_partitions_go_on_from_a_snapshot(changes: list[Row], sizes: list[int]) -> None:
    batches = cut(table_of(changes), sizes)
    for before, after in ((1, 1), (1, 3), (2, 3)):
        came = handed_over(UPSERT, SCHEMA, batches, ["key"], before, after)
        same(summed(plain(came)), plain(standing(changes)))


def test_dictionaries_and_rows_that_stay_the_same() -> None:
    schema = StreamSchema(pa.schema([("k", pa.dictionary(pa.int32(), pa.string())), ("x", pa.float64())]))
    nan = float("nan")
    table = pa.table({"k": ["a", "b", "a", "a"], "x": [nan, 1.0, nan, nan]}).cast(schema.columns)
    assert len(run(Upsert("k"), schema, cut(table, [1]))) == 2
    assert Upsert("k").output({"in": schema}).columns.field("k").type == pa.string()


def test_keys_that_are_null_are_rejected() -> None:
    batch = pa.record_batch({"k": ["a", None], "j": [None, 1], "x": [1, 2]})
    driven = drive(Upsert(["k", "j"]), [batch])
    assert driven.rows == []
    assert {error for _, error in driven.rejected} == {"NULL in the key column 'k'", "NULL in the key column 'j'"}
    assert len(driven.rejected) == 2


def test_deletes_of_keys_that_are_not_there_do_nothing() -> None:
    batch = pa.record_batch({"k": ["a", "b", "b"], "gone": [True, False, True]})
    again = pa.record_batch({"k": ["a", "b"], "gone": [True, None]})
    driven = drive(Upsert(["k"], "gone", drop=["gone"]), [batch, batch, again, again])
    assert driven.rows == [{"k": "b", "_weight": 1}]


def test_rows_of_nulls_delete_where_that_is_asked_for() -> None:
    batches = [
        pa.record_batch({"k": ["a", "b"], "x": [1, 2], "y": [1, None]}),
        pa.record_batch({"k": ["a", "b"], "x": pa.nulls(2, pa.int64()), "y": pa.array([None, 3], pa.int64())}),
    ]
    (kept,) = [row for row in drive(Upsert(["k"], null_deletes=True), batches).rows[2:] if row["_weight"] == 1]
    assert kept == {"k": "b", "x": None, "y": 3, "_weight": 1}
    assert [row["k"] for row in drive(Upsert(["k"]), batches).rows if row["_weight"] == 1] == ["a", "b", "a", "b"]


def test_what_was_replaced_and_deleted_is_forgotten() -> None:
    partition = opened(Upsert(["k"], "gone", drop=["gone"]), StreamSchema(pa.schema([
        ("k", pa.int64()), ("x", pa.int64()), ("gone", pa.bool_())
    ])))  # fmt: skip
    came: list[Row] = []
    for turn in range(40):
        keys = list(range(turn * 500, turn * 500 + 1000))
        batch = pa.record_batch({"k": keys, "x": [turn] * 1000, "gone": [key % 1000 < 400 for key in keys]})
        came += [tuple(row.values()) for part in partition.on_batch(batch) for row in part.to_pylist()]
    state = partition.snapshot()["rows"]
    assert partition._rows < 2 * len(state) + 5000  # type: ignore[attr-defined]
    assert sorted(summed(came)) == sorted(zip(*(state[name].to_pylist() for name in ("k", "x")), strict=True))


@pytest.mark.parametrize(
    ("operator", "error"),
    [
        (Upsert(["kye"]), "no column 'kye'.*did you mean 'key'"),
        (Upsert(["key"], "n"), "what deletes is a condition"),
        (Upsert(["key"], drop=["key"]), "is a key, which cannot be left out"),
    ],
)
def test_what_cannot_be_kept_is_refused(operator: Upsert, error: str) -> None:
    with pytest.raises(GraphError, match=error):
        operator.output({"in": SCHEMA})


def test_a_key_is_needed_and_no_changelog() -> None:
    with pytest.raises(GraphError, match="at least one key"):
        Upsert([])
    changelog = StreamSchema(SCHEMA.columns.append(pa.field("_weight", pa.int64())))
    with pytest.raises(GraphError, match="a changelog already"):
        UPSERT.output({"in": changelog})


def test_rows_come_in_the_order_of_the_files(tmp_path: Path) -> None:
    for number in range(4):
        lines = [f'{{"id": {i % 50}, "version": {number * 1000 + i}}}\n' for i in range(1000)]
        (tmp_path / f"part-{number}.jsonl").write_text("".join(lines))
    graph, result = Graph("versions"), Collect()
    source = graph.source("updates", JsonLines(str(tmp_path), range_bytes=500))
    source.upsert("id").sink("out", result)
    graph.run(readers=4, partitions=3)
    assert sorted(row["version"] for row in result.rows) == list(range(3950, 4000))


def test_aggregates_over_the_latest_rows() -> None:
    updates: list[dict[str, Any]] = [
        {"id": 1, "team": "a", "points": 1},
        {"id": 2, "team": "a", "points": 5},
        {"id": 1, "team": "b", "points": 2},
        {"id": 2, "team": None, "points": None},
    ]
    graph, result = Graph("teams"), Collect()
    stream = graph.source("updates", Table(pa.Table.from_pylist(updates), batch_rows=1))
    latest = stream.key_by("id").upsert(null_deletes=True)
    latest.aggregate(keys="team", points=agg.sum("points")).sink("out", result)
    graph.run()
    assert result.rows == [{"team": "b", "points": 2}]
