from __future__ import annotations

import math

import attrs
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow import Graph, GraphError, PartitionContext
from flow.hashing import hash_columns, key_groups
from flow.operator import KEY_GROUP, PortedPartition
from flow.schema import WEIGHT, StreamSchema, changelog_of
from flow.testing import drive
from operators import Collect, Table
from operators.deduplicate import Deduplicate
from operators.row_counts import RowCounts
from operators.sets import Distinct, SetOperation
from tests.aggregating import changelog, handed_over, oracle, rows, same, summed
from tests.changelogs import Changes, as_batch, batches_of, changes, standing

COLUMNS = pa.schema([("n", pa.int64()), ("s", pa.string()), ("x", pa.bool_())])
ROW = st.tuples(st.none() | st.integers(0, 2), st.none() | st.sampled_from(["", "a"]), st.none() | st.booleans())
SIZES = st.lists(st.integers(1, 9), min_size=1, max_size=3)
QUERIES = [SetOperation(kind, every) for kind in ("intersect", "except") for every in (False, True)]


def sql(operator: SetOperation) -> str:
    return f"SELECT * FROM l {operator.kind} {'ALL' if operator.all else ''} SELECT * FROM r"


def weights(batches: list[pa.RecordBatch]) -> set[int]:
    return {weight for batch in batches for weight in batch[WEIGHT].to_pylist()}


@given(changes(ROW), SIZES, st.booleans())
@settings(max_examples=50, deadline=None)
def test_distinct_is_right_after_every_batch(made: Changes, sizes: list[int], backwards: bool) -> None:
    batches = batches_of(made, COLUMNS, sizes, backwards=backwards)
    schema = StreamSchema(batches[0].schema)
    partition = Distinct().open(PartitionContext("node", {"in": schema}))
    out: list[pa.RecordBatch] = []
    for number, batch in enumerate(batches, 1):
        new = list(partition.on_batch(batch))  # type: ignore[union-attr]
        assert all(each.schema == schema.columns for each in new)
        assert weights(new) <= {1, -1}
        assert len(set(map(str, rows(new)))) == len({str(row[:-1]) for row in rows(new)}), "a row comes and goes"
        out += new
        same(summed(rows(out)), oracle("SELECT DISTINCT * FROM t", t=standing(batches[:number], schema)))


@given(changes(ROW), changes(ROW), SIZES, st.sampled_from(QUERIES), st.randoms())
@settings(max_examples=100, deadline=None)
def test_set_operations_are_right_after_every_batch(
    left: Changes, right: Changes, sizes: list[int], operator: SetOperation, random: object
) -> None:
    sides = {"left": batches_of(left, COLUMNS, sizes), "right": batches_of(right, COLUMNS, sizes[::-1])}
    schema = StreamSchema(changelog_of(COLUMNS))
    inputs = {"left": schema, "right": schema}
    partition = operator.open(PartitionContext("node", inputs))
    assert isinstance(partition, PortedPartition)
    order = [port for port, batches in sides.items() for _ in batches]
    random.shuffle(order)  # type: ignore[attr-defined]
    given: dict[str, list[pa.RecordBatch]] = {"left": [], "right": []}
    out: list[pa.RecordBatch] = []
    for port in order:
        batch = sides[port][len(given[port])]
        given[port].append(batch)
        new = list(partition.on_batch(batch, port))
        assert weights(new) <= {1, -1}
        assert len(set(map(str, rows(new)))) == len({str(row[:-1]) for row in rows(new)}), "a row comes and goes"
        out += new
        tables = {side[0]: standing(batches, schema) for side, batches in given.items()}
        same(summed(rows(out)), oracle(sql(operator), **tables))


@pytest.mark.parametrize("partitions", [1, 4])
@given(changes(ROW), changes(ROW, deletes=False), SIZES)
@settings(max_examples=6, deadline=None)
def test_whole_runs(partitions: int, left: Changes, right: Changes, sizes: list[int]) -> None:
    graph = Graph()
    one, other = batches_of(left, COLUMNS, sizes), batches_of(right, COLUMNS, sizes, changelog=False)
    coded = [batch.set_column(1, "s", batch["s"].dictionary_encode()).select(["s", "x", "n"]) for batch in other]
    coded = pa.Table.from_batches(coded).unify_dictionaries().to_batches() or coded[:1]
    streams = graph.source("l", Table(one)), graph.source("r", Table(coded))
    results = {"distinct": Collect()}
    streams[0].distinct().sink("distinct", results["distinct"])
    for operator in QUERIES:
        name = f"{operator.kind}{operator.all}"
        results[name] = Collect()
        verb = streams[0].intersect if operator.kind == "intersect" else streams[0].except_
        verb(streams[1], all=operator.all).sink(name, results[name])
    graph.run(partitions=partitions)
    tables = {"l": standing(one, StreamSchema(one[0].schema)), "r": pa.Table.from_batches(other)}
    same(rows(results["distinct"].table().to_batches()), oracle("SELECT DISTINCT * FROM l", **tables))
    for operator in QUERIES:
        got = results[f"{operator.kind}{operator.all}"].table().to_batches()
        same(rows(got), oracle(sql(operator), **tables))


def test_what_only_appends_stays_so() -> None:
    append, takes_back = StreamSchema(COLUMNS), StreamSchema(changelog_of(COLUMNS))
    assert Distinct().output({"in": append}) == append
    assert Distinct().output({"in": takes_back}) == takes_back
    for every in (False, True):
        assert SetOperation("intersect", every).output({"left": append, "right": append}) == append
        assert SetOperation("intersect", every).output({"left": append, "right": takes_back}) == takes_back
        assert SetOperation("except", all).output({"left": append, "right": append}) == takes_back
    batch = as_batch([((1, "a", True), 1)] * 2, COLUMNS)
    assert drive(Distinct(), [batch, batch]).table.to_pylist() == [{"n": 1, "s": "a", "x": True}]
    items = [("left", batch), ("right", batch), ("right", batch), ("left", batch.slice(1))]
    assert drive(SetOperation("intersect", True), items).table.num_rows == 3


def test_times_are_kept_where_both_sides_have_the_same() -> None:
    columns = pa.schema([("a", pa.timestamp("us")), ("b", pa.timestamp("us"))])
    timed = StreamSchema(columns, "a")
    assert SetOperation("intersect").output({"left": timed, "right": timed}).event_time == "a"
    other = StreamSchema(columns, "b")
    assert SetOperation("intersect").output({"left": timed, "right": other}).event_time is None
    assert SetOperation("intersect").output({"left": StreamSchema(columns), "right": other}).event_time is None
    assert Distinct().output({"in": timed}).event_time == "a"


def test_weights_are_so_many_copies_and_retractions_may_come_first() -> None:
    columns = pa.schema([("n", pa.int64())])

    def batch(n: int, weight: int) -> pa.RecordBatch:
        return as_batch([((n,), weight)], changelog_of(columns))

    out = drive(SetOperation("except", True), [("left", batch(1, 3)), ("right", batch(1, 1)), ("left", batch(1, -2))])
    assert [row["_weight"] for row in out.rows] == [1, 1, 1, -1, -1, -1]
    for operator in (SetOperation("except", True), SetOperation("except")):
        out = drive(operator, [("left", batch(1, 1)), ("right", batch(1, -1)), ("right", batch(1, 1))])
        assert [row["_weight"] for row in out.rows] == [1]
    out = drive(
        SetOperation("intersect", True), [("left", batch(1, -1)), ("right", batch(1, 1)), ("left", batch(1, 2))]
    )
    assert [row["_weight"] for row in out.rows] == [1]
    out = drive(Distinct(), [batch(1, -1), batch(1, 2), batch(1, -1)])
    assert [row["_weight"] for row in out.rows] == [1, -1]
    assert drive(Distinct(), [as_batch([((1,), -1), ((1,), 1)], changelog_of(columns))]).rows == []


def test_numbers_that_are_equal_in_sql_are_one_row() -> None:
    values = pa.record_batch({"x": pa.array([0.0, -0.0, math.nan, -math.nan, None])})
    out = drive(Distinct(), [values.append_column(pa.field(WEIGHT, pa.int64(), nullable=False), pa.array([1] * 5))])
    assert str(out.table["x"].to_pylist()) == "[0.0, nan, None]"
    out = drive(SetOperation("except", True), [("left", values), ("right", values.slice(1, 2))])
    assert str(sorted(row["x"] for row in out.rows if row["x"] == 0)) == "[0.0, 0.0, 0.0]"


def test_rows_with_nested_columns_are_told_apart() -> None:
    kind = pa.struct([("a", pa.list_(pa.int64())), ("b", pa.decimal128(5, 2))])
    values = [{"a": [1, None], "b": None}, {"a": [], "b": None}, None, {"a": [1, None], "b": None}]
    left = pa.record_batch({"v": pa.array(values, kind)})
    out = drive(SetOperation("except", True), [("left", left), ("right", left.slice(1, 2))])
    assert summed((str(row["v"]), row["_weight"]) for row in out.rows) == [(str(values[0]),)] * 2


@pytest.mark.parametrize(("before", "after"), [(1, 3), (3, 2)])
def test_state_of_distinct_moves_to_another_number_of_partitions(before: int, after: int) -> None:
    rng = np.random.default_rng(0)
    table = pa.table({"a": rng.integers(0, 9, 300), "_count_0": rng.integers(0, 9, 300).astype(str)})
    schema = StreamSchema(changelog(table, [1] * 300).schema)
    twice = pa.concat_tables([changelog(table, [1] * 300), changelog(table.slice(100), [-1] * 200)])
    batches = twice.combine_chunks().to_batches(max_chunksize=50)
    got = handed_over(Distinct(("_count_0",)), schema, batches, ("_count_0",), before, after)
    same(summed(got), oracle("SELECT DISTINCT * FROM t", t=table.slice(0, 100)))


@pytest.mark.parametrize("operator", QUERIES, ids=str)
def test_state_of_set_operations_moves(operator: SetOperation) -> None:
    rng = np.random.default_rng(1)
    left, right = (pa.table({"a": rng.integers(0, 40, 200), "b": rng.integers(0, 2, 200)}) for _ in range(2))
    schema = StreamSchema(left.schema)
    inputs = {"left": schema, "right": schema}
    before = operator.open(PartitionContext("node", inputs))
    assert isinstance(before, PortedPartition)
    out = [*before.on_batch(left.to_batches()[0]), *before.on_batch(right.slice(0, 100).to_batches()[0], "right")]
    tables = before.snapshot()
    out += list(before.on_batch(right.slice(0, 1).to_batches()[0], "right"))[:0]
    for number in range(3):
        after = operator.open(PartitionContext("node", inputs, number, 3))
        assert isinstance(after, PortedPartition)
        owned = PartitionContext("node", {}, number, 3).key_groups
        held = tables["rows"][KEY_GROUP].to_numpy()
        after.restore({"rows": tables["rows"].filter(pa.array((held >= owned.start) & (held < owned.stop)))})
        rest = right.slice(100).to_batches()[0]
        groups = key_groups(hash_columns(rest.columns))
        out += after.on_batch(rest.filter(pa.array((groups >= owned.start) & (groups < owned.stop))), "right")
    changelog_out = operator.output(inputs).changelog
    got = summed(rows(out)) if changelog_out else rows(out)
    same(got, oracle(sql(operator), l=left, r=right))


def test_rows_that_are_gone_take_no_room() -> None:
    counts = RowCounts([pa.int64(), pa.string()])
    for start in range(0, 100_000, 5_000):
        columns = [pa.array(range(start, start + 5_000)), pa.array(["a"] * 5_000)]
        slots = counts.slots(columns)
        counts.add(slots, None)
        counts.add(slots[7:], np.full(4_993, -1))
        moved = counts.compact()
        assert moved is None or (moved >= 0).sum() == len(counts)
    assert len(counts) < 10_000
    assert sorted(counts.columns(counts.live())[0].to_pylist()) == [
        start + row for start in range(0, 100_000, 5_000) for row in range(7)
    ]


def test_what_does_not_fit_is_refused_before_it_runs() -> None:
    schema = StreamSchema(COLUMNS)
    with pytest.raises(GraphError, match=r"the left has 3 columns \['n', 's', 'x'\], the right 1 \['n'\]"):
        SetOperation("except").output({"left": schema, "right": StreamSchema(pa.schema([("n", pa.int64())]))})
    other = StreamSchema(COLUMNS.set(0, pa.field("m", pa.int32())))
    with pytest.raises(GraphError, match="'n' is int64 on the left, and 'm' is int32 on the right: cast one"):
        SetOperation("except").output({"left": schema, "right": other})
    with pytest.raises(GraphError, match=r"kind='union'; known here: \['intersect', 'except'\]"):
        SetOperation("union")  # type: ignore[arg-type]
    union = pa.sparse_union([pa.field("a", pa.int64()), pa.field("b", pa.string())])
    with pytest.raises(GraphError, match="cannot be compared"):
        Distinct().output({"in": StreamSchema(pa.schema([("u", union)]))})
    graph = Graph()
    one, two = (graph.source(name, Table({name: [1]})) for name in ("a", "b"))
    with pytest.raises(GraphError, match=r"'b' has no column 'a', which 'a' has; known here: \['b'\]"):
        one.intersect(two)


def test_the_verbs_divide_rows_by_all_columns() -> None:
    graph = Graph()
    one = graph.source("one", Table({"a": [1], "b": [2], "c": [3]}))
    keyed = one.key_by("a", "b", "c")
    graph.node(keyed.except_(keyed).name)
    assert list(graph.nodes) == ["one", "one.hash(a, b, c)", "one.hash(a, b, c).setoperation"]
    one.key_by("b").intersect(one)
    assert "one.hash(b).hash(a, b, c)" in graph.nodes
    node = graph.node(one.distinct().name)
    assert isinstance(attrs.asdict(node, recurse=False)["operator"], Deduplicate)
    changing = graph.source("changing", Table(changelog(pa.table({"a": [1], "b": [2]}), [1])))
    node = graph.node(changing.key_by("b").distinct().name)
    assert attrs.asdict(node, recurse=False)["operator"] == Distinct(("b",))
