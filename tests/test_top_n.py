from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow import Graph, GraphError
from flow.schema import WEIGHT, StreamSchema, changelog_of
from flow.testing import drive
from operators import Collect, Table
from operators.top_n import TopN
from operators.values.order_words import Order, order_words
from tests.aggregating import changelog, cut, handed_over, opened, oracle, rows, same, summed
from tests.changelogs import Changes, as_batch, batches_of, changes, standing

COLUMNS = pa.schema([("k", pa.string()), ("a", pa.int64()), ("b", pa.string())])
ROW = st.tuples(
    st.none() | st.sampled_from("xy"),
    st.none() | st.integers(0, 5),
    st.none() | st.sampled_from(["", "Z", "a", "é", "𐀀", "\uffff"]),
)
SIZES = st.lists(st.integers(1, 9), min_size=1, max_size=3)
PLACEMENT = st.tuples(st.booleans(), st.none() | st.booleans())


@st.composite
def operators(draw: st.DrawFn) -> TopN:
    names = draw(st.sampled_from([("a",), ("b",), ("b", "a"), ("a", "k"), ()]))
    order = tuple(Order(name, *draw(PLACEMENT)) for name in names)
    limit = draw(st.none() | st.integers(0, 4))
    rank = draw(st.sampled_from([None, "place"]))
    offset = draw(st.integers(1 if limit is None and rank is None else 0, 3))
    return TopN(order, limit, offset, draw(st.sampled_from([(), ("k",), ("k", "a")])), rank)


def sql(operator: TopN, names: list[str]) -> str:
    placed = [
        f"{each.column} {'DESC' if each.descending else 'ASC'} "
        f"NULLS {'FIRST' if (each.descending if each.nulls_first is None else each.nulls_first) else 'LAST'}"
        for each in operator.order
    ]
    ties = [f"{name} ASC NULLS LAST" for name in names]
    by = f"PARTITION BY {', '.join(operator.keys)} " if operator.keys else ""
    number = f"row_number() OVER ({by}ORDER BY {', '.join([*placed, *ties])})"
    last = f"AND place <= {operator.offset + operator.limit}" if operator.limit is not None else ""
    shown = "*" if operator.rank else "* EXCLUDE place"
    return f"SELECT {shown} FROM (SELECT *, {number} AS place FROM t) WHERE place > {operator.offset} {last}"


@pytest.mark.parametrize("deletes", [True, False])
@given(operators(), st.data(), SIZES, st.booleans())
@settings(max_examples=60, deadline=None)
def test_the_first_rows_are_right_after_every_batch(
    deletes: bool, operator: TopN, data: Any, sizes: list[int], backwards: bool
) -> None:
    made: Changes = data.draw(changes(ROW, deletes, 50))
    batches = batches_of(made, COLUMNS, sizes, changelog=deletes, backwards=backwards)
    schema = StreamSchema(batches[0].schema)
    partition = opened(operator, schema)
    partition._most = min(partition._most, partition._end + data.draw(st.integers(0, 2)))  # type: ignore[attr-defined]
    columns = operator.output({"in": schema}).columns
    out: list[pa.RecordBatch] = []
    for number, batch in enumerate(batches, 1):
        new = list(partition.on_batch(batch))
        assert all(each.schema == columns for each in new)
        assert {weight for each in new for weight in each[WEIGHT].to_pylist()} <= {1, -1}
        assert len(set(rows(new))) == len({row[:-1] for row in rows(new)}), "a row comes and goes"
        out += new
        query = sql(operator, schema.names)
        same(summed(rows(out)), oracle(query, t=standing(batches[:number], schema)))


@pytest.mark.parametrize("partitions", [1, 4])
@given(changes(ROW), SIZES)
@settings(max_examples=6, deadline=None)
def test_whole_runs(partitions: int, made: Changes, sizes: list[int]) -> None:
    graph = Graph()
    batches = batches_of(made, COLUMNS, sizes)
    stream = graph.source("t", Table(batches))
    last = stream.top(2, Order("a", descending=True), "b", offset=1)
    numbered = stream.key_by("k").top(2, Order("b", nulls_first=True), rank="place")
    results = Collect(), Collect()
    last.sink("last", results[0])
    numbered.sink("numbered", results[1])
    graph.run(partitions=partitions)
    table = standing(batches, StreamSchema(batches[0].schema))
    for stream, result in ((last, results[0]), (numbered, results[1])):
        operator = graph.node(stream.name).operator  # type: ignore[union-attr]
        same(rows(result.table().to_batches()), oracle(sql(operator, COLUMNS.names), t=table))


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("nulls_first", [None, False, True])
@pytest.mark.parametrize(
    "values",
    [
        pa.array([math.nan, math.inf, -math.inf, 0.0, 1e-300, -1.5, None, 2.0]),
        pa.array([2**64 - 1, 0, 2**63, 1, None], pa.uint64()),
        pa.array([2**63 - 1, -(2**63), 0, None, -1]),
        pa.array([True, None, False]),
        pa.array([3, None, -100000, 0], pa.date32()),
        pa.array([5, None, -5], pa.timestamp("us")),
        pa.array([5, None, 0], pa.time64("us")),
        pa.array(["1.10", None, "-1.20", "0.00", "10.00"]).cast(pa.decimal128(20, 2)),
        pa.array([b"\xff", b"", None, b"\x00", b"a\x00"]),
        pa.array(["b", None, "a", "B"]).dictionary_encode(),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else str(value),
)
def test_words_are_in_the_order_of_the_values(values: pa.Array, descending: bool, nulls_first: bool | None) -> None:
    if pa.types.is_decimal(values.type) or pa.types.is_boolean(values.type):
        values = pa.concat_arrays([values, values])
    first = descending if nulls_first is None else nulls_first
    placed = f"{'DESC' if descending else 'ASC'} NULLS {'FIRST' if first else 'LAST'}"
    expected = oracle(f"SELECT v FROM t ORDER BY v {placed}", t=pa.table({"v": values}))
    words = order_words(values, descending, nulls_first)
    got = values.take(pa.array(np.argsort(words, kind="stable"))).to_pylist()
    assert [str(value) for value in got] == [str(value) for (value,) in expected]


def test_equal_numbers_have_equal_words_and_nested_values_some_order() -> None:
    assert len(set(order_words(pa.array([0.0, -0.0])))) == len(set(order_words(pa.array([math.nan, -math.nan])))) == 1
    lists = pa.array([[1], [2], None, [1]])
    words = order_words(lists)
    assert words[0] == words[3] < words[1] < words[2]
    assert order_words(pa.nulls(2)).tolist() == [2**63 - 1] * 2
    kept = drive(TopN((), 2), [pa.record_batch({"v": lists})]).table
    assert kept.num_rows == 2


def test_an_input_that_only_appends_keeps_no_more_than_the_first_rows() -> None:
    table = pa.table({"k": np.arange(60_000) % 3, "v": np.random.default_rng(0).permutation(60_000)})
    partition = opened(TopN(("v",), 2, 1, keys=("k",)), StreamSchema(table.schema))
    out = [result for batch in cut(table, (10_000,)) for result in partition.on_batch(batch)]
    assert partition.snapshot()["rows"].num_rows == 9
    assert len(partition._rows) < 5_000  # type: ignore[attr-defined]
    query = "SELECT * FROM t QUALIFY row_number() OVER (PARTITION BY k ORDER BY v) BETWEEN 2 AND 3"
    same(summed(rows(out)), oracle(query, t=table))


@pytest.mark.parametrize("keys", [(), ("k",)])
def test_the_first_rows_can_go_again_and_again(keys: tuple[str, ...]) -> None:
    rng = np.random.default_rng(1)
    table = pa.table({"k": rng.integers(0, 40, 12_000), "v": rng.integers(0, 500, 12_000), "w": np.arange(12_000)})
    operator = TopN(("v",), 3, 1, keys)
    schema = StreamSchema(changelog_of(table.schema))
    partition = opened(operator, schema)
    out: list[pa.RecordBatch] = []
    sorted_table = table.sort_by([("v", "ascending"), ("k", "ascending"), ("w", "ascending")])
    parts = [changelog(table, [1] * len(table)), *(changelog(part, [-1] * 2_400) for part in fifths(sorted_table))]
    for number, part in enumerate(parts):
        for batch in part.combine_chunks().to_batches():
            out += partition.on_batch(batch)
        left = sorted_table.slice(2_400 * number)
        same(summed(rows(out)), oracle(sql(operator, table.column_names), t=left))
    assert len(partition._rows) < 5_000  # type: ignore[attr-defined]
    assert len(partition.snapshot()["rows"]) == 0


def fifths(table: pa.Table) -> list[pa.Table]:
    """A table of 12,000 rows in five."""
    return [table.slice(start, 2_400) for start in range(0, 12_000, 2_400)]


def test_rows_behind_a_head_do_not_overtake_others_there() -> None:
    columns = changelog_of(pa.schema([("a", pa.int64()), ("b", pa.int64())]))

    def batch(numbers: range, weight: int) -> pa.RecordBatch:
        return as_batch([((0, number), weight) for number in numbers], columns)

    steps = [batch(range(100), 1), batch(range(60, 66), -1), batch(range(1000, 1001), 1), batch(range(60), -1)]
    out = drive(TopN(("a",), 1), steps).rows
    assert [(row["b"], row["_weight"]) for row in out] == [(0, 1), (0, -1), (66, 1)]


@pytest.mark.parametrize("deletes", [True, False])
@pytest.mark.parametrize(("before", "after"), [(1, 3), (3, 2)])
def test_state_moves_to_another_number_of_partitions(before: int, after: int, deletes: bool) -> None:
    rng = np.random.default_rng(2)
    table = pa.table({"k": rng.integers(0, 30, 400).astype(str), "v": rng.integers(0, 99, 400)})
    operator = TopN((Order("v", descending=True),), 2, 1, ("k",), "place")
    given = changelog(table, [1] * 400) if deletes else table
    if deletes:
        given = pa.concat_tables([given, changelog(table.slice(0, 300), [-1] * 300)])
    schema = StreamSchema(given.schema)
    got = handed_over(operator, schema, cut(given.combine_chunks(), (50,)), ("k",), before, after)
    same(summed(got), oracle(sql(operator, ["k", "v"]), t=table.slice(300) if deletes else table))


def test_weights_are_so_many_copies_and_retractions_may_come_first() -> None:
    columns = changelog_of(pa.schema([("v", pa.int64())]))

    def batch(*made: tuple[int, int]) -> pa.RecordBatch:
        return as_batch([((value,), weight) for value, weight in made], columns)

    out = drive(TopN(("v",), 3), [batch((1, 2), (2, 5)), batch((1, -1))])
    assert [tuple(row.values()) for row in out.rows] == [(1, 1), (1, 1), (2, 1), (1, -1), (2, 1)]
    out = drive(TopN(("v",), 1), [batch((1, -1)), batch((2, 1)), batch((1, 1)), batch((0, 1), (0, -1))])
    assert [tuple(row.values()) for row in out.rows] == [(2, 1)]
    assert drive(TopN(("v",), 0), [batch((1, 1))]).rows == []


def test_only_what_changes_its_number_comes_out() -> None:
    columns = pa.schema([("v", pa.string())])
    operator = TopN(("v",), None, rank="n")
    items = [as_batch([((text,), 1) for text in part], columns) for part in ("bdd", "c")]
    assert [tuple(row.values()) for row in drive(operator, items).rows[3:]] == [
        ("d", 2, -1),
        ("c", 2, 1),
        ("d", 4, 1),
    ]


def test_what_does_not_fit_is_refused_before_it_runs() -> None:
    schema = StreamSchema(COLUMNS)
    for operator in (TopN(("kk",), 1), TopN(("k",), 1, keys=("kk",))):
        with pytest.raises(GraphError, match=r"no column 'kk'.*did you mean 'k'"):
            operator.output({"in": schema})
    with pytest.raises(GraphError, match=r"rows cannot be compared.*string_view"):
        TopN(("v",), 1).output({"in": StreamSchema(pa.schema([("v", pa.string_view())]))})
    with pytest.raises(GraphError, match="the rank cannot be called 'a'"):
        TopN(("k",), 1, rank="a").output({"in": schema})
    with pytest.raises(GraphError, match="limit must not be negative; it is -1"):
        TopN(("k",), -1)
    with pytest.raises(GraphError, match="an order alone changes no table"):
        TopN(("k",))


def test_the_verb_divides_rows_by_key() -> None:
    graph = Graph()
    stream = graph.source("t", Table({"k": ["a"], "v": [1]}))
    whole = graph.node(stream.top(1, "v").name).operator  # type: ignore[union-attr]
    assert whole == TopN(("v",), 1)
    assert whole.single
    keyed = graph.node(stream.key_by("k").top(1, "v").name)
    assert keyed.operator == TopN((Order("v"),), 1, keys=("k",), routed=("k",))  # type: ignore[union-attr]
    assert not keyed.operator.single  # type: ignore[union-attr]
    stream.top(1, keys=["v"])
    assert "t.hash(v)" in graph.nodes
