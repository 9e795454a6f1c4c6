from __future__ import annotations

import pickle
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow import Graph, GraphError, RowError
from flow.schema import StreamSchema
from operators import Aggregate, Hop, Tumble, WindowAggregate, agg
from operators.aggregates.accumulator import Values
from operators.aggregates.sums import DecimalSum
from operators.expressions import col
from operators.in_process.tables import Collect, Table
from tests.aggregating import changelog, cut, handed_over, opened, oracle, rows, run, run_in_two, same, summed

ALL = {
    "n": agg.count(),
    "known": agg.count("x"),
    "total": agg.sum("x"),
    "mean": agg.avg("x"),
    "low": agg.min("x"),
    "high": agg.max("x"),
    "prices": agg.sum("price"),
    "price_low": agg.min("price"),
    "price_high": agg.max("price"),
    "large": agg.sum("x", filter=col("price") > 50),
    "spread": agg.stddev("price"),
    "spread_all": agg.var_pop("price"),
    "cost": agg.sum("cost"),
    "cost_low": agg.min("cost"),
    "name_low": agg.min("name"),
    "name_high": agg.max("name"),
    "day_high": agg.max("day"),
    "time_low": agg.min("time"),
}
ALL_SQL = """count(*), count(x), sum(x)::BIGINT, avg(x), min(x), max(x), sum(price), min(price), max(price),
    (sum(x) FILTER (WHERE price > 50))::BIGINT, stddev_samp(price), var_pop(price), sum(cost), min(cost), min(name),
    max(name), max(day), min(time)"""


def made(number: int, groups: int = 7) -> pa.Table:
    random = np.random.default_rng(number)
    missing = random.random(number) < 0.2
    names = [f"name {value}" for value in random.integers(0, 50, number)]
    return pa.table(
        {
            "key": pa.array(random.integers(0, groups, number).astype(str)).dictionary_encode(),
            "place": pa.array(random.integers(-3, 3, number), mask=random.random(number) < 0.1),
            "x": pa.array(random.integers(-(10**6), 10**6, number), mask=missing),
            "price": pa.array(random.normal(1e6, 40, number), mask=random.random(number) < 0.1),
            "cost": pa.array(random.integers(-(10**9), 10**9, number))
            .cast(pa.decimal128(21, 2))
            .cast(pa.decimal128(25, 2)),
            "name": pa.array(names, mask=random.random(number) < 0.3),
            "day": pa.array(random.integers(-9000, 9000, number).astype(np.int32), pa.date32()),
            "time": pa.array(random.integers(-(10**15), 10**15, number), pa.timestamp("us")),
        }
    )


@pytest.mark.parametrize("sizes", [(1, 6), (17, 200, 3), (5000,)])
@pytest.mark.parametrize("keys", [("key",), ("place", "key"), ("name",)])
def test_final_results_are_duckdbs(sizes: tuple[int, ...], keys: tuple[str, ...]) -> None:
    table = made(200)
    names = ", ".join(keys)
    expected = oracle(f"SELECT {names}, {ALL_SQL} FROM t GROUP BY {names}", t=table)
    same(run(Aggregate(keys, ALL, "final"), StreamSchema(table.schema), cut(table, sizes)), expected)


def test_changes_sum_up_to_the_final_results() -> None:
    table = made(400)
    schema = StreamSchema(table.schema)
    expected = run(Aggregate(("key",), ALL, "final"), schema, cut(table, (400,)))
    same(summed(run(Aggregate(("key",), ALL), schema, cut(table, (13, 40)))), expected)


def test_two_phases_give_what_one_gives() -> None:
    table = made(500)
    schema = StreamSchema(table.schema)
    for emit in ("final", "changes"):
        operator = Aggregate(("key", "place"), ALL, emit)
        expected = run(operator, schema, cut(table, (500,)))
        got = run_in_two(operator, schema, cut(table, (31,)))
        same(summed(got) if emit == "changes" else got, summed(expected) if emit == "changes" else expected)


LARGE = {
    "n": agg.count(),
    "known": agg.count("x"),
    "total": agg.sum("x"),
    "mean": agg.avg("x"),
    "small": agg.avg("small"),
    "low": agg.min("x"),
    "costs": agg.sum("cost"),
    "cost_mean": agg.avg("cost"),
    "cost_high": agg.max("cost"),
    "long": agg.sum("long"),
    "long_mean": agg.avg("long"),
    "price": agg.max("price"),
    "day": agg.min("day"),
}
LARGE_SQL = """count(*), count(x), sum(x)::BIGINT, avg(x), avg(small), min(x), sum(cost), avg(cost), max(cost),
    sum(long), avg(long), max(price), min(day)"""


@pytest.mark.parametrize("keys", [("id",), ("mixed",), ("cost",), ("name", "id")])
@pytest.mark.parametrize("missing", [False, True])
def test_large_batches_are_duckdbs_too(keys: tuple[str, ...], missing: bool) -> None:
    number, random = 15_000, np.random.default_rng(3)
    unknown = random.random(number) < 0.1 if missing else None
    costs = pa.array(random.integers(-300, 300, number)).cast(pa.decimal128(21, 2))
    table = pa.table(
        {
            "id": np.arange(number) // 4,
            "mixed": random.integers(0, 900, number).astype(np.int16),
            "name": [f"a name of {value}" for value in random.integers(0, 3, number)],
            "x": pa.array(random.integers(-(2**55), 2**55, number), mask=unknown),
            "small": random.integers(0, 100, number).astype(np.int8),
            "cost": pc.if_else(pa.array(unknown), None, costs) if missing else costs,
            "long": costs.cast(pa.decimal128(38, 16)),
            "price": random.normal(0, 40, number),
            "day": pa.array(random.integers(-9000, 9000, number).astype(np.int32), pa.date32()),
        }
    )
    schema, names = StreamSchema(table.schema), ", ".join(keys)
    expected = oracle(f"SELECT {names}, {LARGE_SQL} FROM t GROUP BY {names}", t=table)
    same(summed(run_in_two(Aggregate(keys, LARGE), schema, cut(table, (5_000,)))), expected)


def test_sums_of_sorted_rows_that_do_not_fit_into_64_bits_are_exact() -> None:
    number = 5_000
    table = pa.table(
        {
            "id": np.arange(number) // 1_000,
            "x": pa.array([2**62 if place % 2 else -(2**62) for place in range(number)]),
            "cost": pa.array([10**17] * number).cast(pa.decimal128(38, 2)),
        }
    )
    got = run_in_two(
        Aggregate(("id",), {"x": agg.sum("x"), "cost": agg.sum("cost")}),
        StreamSchema(table.schema),
        cut(table, (5_000,)),
    )
    same(summed(got), [(key, 0, Decimal(10**20)) for key in range(5)])


def test_rows_pass_the_first_phase_alone_where_grouping_saves_nothing() -> None:
    number = 140_000
    table = pa.table(
        {
            "key": np.arange(number) % 100_000,
            "x": pa.array(np.arange(number) % 10, mask=np.arange(number) % 7 == 0),
            "price": np.where(np.arange(number) % 5 == 0, np.nan, np.arange(number) / 3),
        }
    )
    schema = StreamSchema(table.schema)
    wanted = {
        "n": agg.count(),
        "x": agg.sum("x"),
        "low": agg.min("price"),
        "spread": agg.var("x"),
        "some": agg.count("x"),
    }
    operator = Aggregate(("key",), wanted, "final")
    phases = operator.two_phase({"in": schema})
    assert phases is not None
    before = opened(phases.before, schema)
    sizes = [sum(partial.num_rows for partial in before.on_batch(batch)) for batch in cut(table, (40_000,))]
    assert sizes[:2] == [40_000, 40_000]
    same(run_in_two(operator, schema, cut(table, (40_000,)), 1, 10), run(operator, schema, cut(table, (40_000,))))


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3),
            st.none() | st.integers(-(2**40), 2**40),
            st.none() | st.floats(-1e6, 1e6) | st.sampled_from([float("nan"), float("inf"), float("-inf")]),
        ),
        max_size=40,
    ),
    st.lists(st.integers(1, 9), min_size=1, max_size=4),
)
@settings(max_examples=30, deadline=None)
def test_any_batching_gives_the_same_answer(
    given_rows: list[tuple[int, int | None, float | None]], sizes: list[int]
) -> None:
    columns = list(zip(*given_rows, strict=True)) or [(), (), ()]
    kinds = (pa.int64(), pa.int64(), pa.float64())
    table = pa.table([pa.array(values, kind) for values, kind in zip(columns, kinds, strict=True)], ["key", "x", "f"])
    schema = StreamSchema(table.schema)
    wanted = {
        "n": agg.count("x"),
        "sum": agg.sum("x"),
        "mean": agg.avg("f"),
        "low": agg.min("f"),
        "high": agg.max("f"),
        "apart": agg.stddev_pop("x"),
    }
    query = "SELECT key, count(x), sum(x)::BIGINT, avg(f), min(f), max(f), stddev_pop(x) FROM t GROUP BY key"
    expected = oracle(query, t=table)
    batches = cut(table, sizes)
    same(run(Aggregate(("key",), wanted, "final"), schema, batches), expected)
    same(summed(run(Aggregate(("key",), wanted), schema, batches)), expected)
    same(run_in_two(Aggregate(("key",), wanted, "final"), schema, batches), expected)


def test_without_keys_there_is_one_row() -> None:
    table = made(50)
    schema = StreamSchema(table.schema)
    wanted = {"n": agg.count(), "total": agg.sum("x"), "different": agg.count_distinct("key")}
    for emit, weight in (("final", ()), ("changes", (1,))):
        operator = Aggregate((), wanted, emit)
        assert operator.single
        assert run(operator, schema, []) == [(0, None, 0, *weight)]
        assert run(operator, schema, [cut(table, (50,))[0].slice(0, 0)]) == [(0, None, 0, *weight)]
    expected = oracle("SELECT count(*), sum(x)::BIGINT, count(DISTINCT key) FROM t", t=table)
    same(run(Aggregate((), wanted, "final"), schema, cut(table, (7,))), expected)
    same(summed(run(Aggregate((), wanted), schema, cut(table, (7,)))), expected)
    del wanted["different"]
    same(run_in_two(Aggregate((), wanted, "final"), schema, cut(table, (7,))), [expected[0][:2]])
    same(run_in_two(Aggregate((), wanted, "final"), schema, []), [(0, None)])
    assert rows(opened(Aggregate((), wanted, "final"), schema, partition=1, partitions=2).on_end()) == []


def test_a_batch_gives_one_pair_a_changed_key_and_nothing_for_others() -> None:
    schema = StreamSchema(pa.schema([("key", pa.string()), ("x", pa.int64())]))
    partition = opened(Aggregate(("key",), {"high": agg.max("x")}), schema)

    def changes(keys: str, values: list[int | None]) -> list[tuple[object, ...]]:
        return sorted(
            rows(
                partition.on_batch(pa.record_batch([list(keys), pa.array(values, pa.int64())], schema=schema.columns))
            ),
            key=str,
        )

    assert changes("aab", [1, 5, 2]) == [("a", 5, 1), ("b", 2, 1)]
    assert changes("aab", [4, 5, 1]) == []
    assert changes("aaabc", [6, 7, 8, 2, None]) == [("a", 5, -1), ("a", 8, 1), ("c", None, 1)]


def test_a_changelog_is_followed_and_groups_go_with_their_last_row() -> None:
    table = made(300)
    random = np.random.default_rng(1)
    away = np.sort(random.choice(300, 120, replace=False))
    both = pa.concat_tables([changelog(table, [1] * 300), changelog(table.take(pa.array(away)), [-1] * 120)])
    kept = table.take(pa.array(np.setdiff1d(np.arange(300), away)))
    schema = StreamSchema(both.schema)
    names = ["n", "known", "total", "mean", "prices", "large", "spread", "spread_all", "cost"]
    wanted = {**{name: ALL[name] for name in names}, "different": agg.count_distinct("name")}
    query = """SELECT name, count(*), count(x), sum(x)::BIGINT, avg(x), sum(price),
        (sum(x) FILTER (WHERE price > 50))::BIGINT, stddev_samp(price), var_pop(price), sum(cost), count(DISTINCT name)
        FROM t GROUP BY name"""
    same(summed(run(Aggregate(("name",), wanted), schema, cut(both, (37,)))), oracle(query, t=kept))
    gone = changelog(kept, [-1] * len(kept))
    assert summed(run(Aggregate(("name",), wanted), schema, cut(pa.concat_tables([both, gone]), (37,)))) == []
    assert Aggregate(("name",), wanted).two_phase({"in": schema}) is None


def test_infinities_can_be_taken_out_again() -> None:
    inf, nan = float("inf"), float("nan")
    table = changelog(pa.table({"x": [1.5, inf, -inf, nan, inf, -inf, nan]}), [1, 1, 1, 1, -1, -1, -1])
    operator = Aggregate((), {"sum": agg.sum("x"), "mean": agg.avg("x"), "spread": agg.stddev_pop("x")})
    got = run(operator, StreamSchema(table.schema), cut(table, (1,)))
    same([row[:3] for row in got if row[3] > 0][:3], [(1.5, 1.5, 0.0), (inf, inf, nan), (nan, nan, nan)])
    assert summed(got) == [(1.5, 1.5, 0.0)]


def test_weights_are_no_key() -> None:
    schema = StreamSchema(changelog(made(1), [1]).schema)
    with pytest.raises(GraphError, match="cannot be a key"):
        Aggregate(("_weight",), {"n": agg.count()}).output({"in": schema})


@pytest.mark.parametrize(("before", "after"), [(1, 3), (3, 2), (2, 1)])
def test_state_moves_to_another_number_of_partitions(before: int, after: int) -> None:
    table = made(400, 40)
    schema = StreamSchema(table.schema)
    wanted = {**ALL, "different": agg.count_distinct("x"), "earliest": agg.first("name"), "latest": agg.last("x")}
    operator = Aggregate(("key", "place"), wanted, "final")
    expected = run(operator, schema, cut(table, (50,)))
    same(handed_over(operator, schema, cut(table, (50,)), ("key", "place"), before, after), expected)
    changes = Aggregate(("key", "place"), wanted, routed=("key",))
    same(summed(handed_over(changes, schema, cut(table, (50,)), ("key",), before, after)), expected)


def test_types_of_results() -> None:
    table = made(1)
    operator = Aggregate(("key",), ALL)
    columns = operator.output({"in": StreamSchema(table.schema)}).columns
    assert columns.field("key").type == pa.string()
    assert columns.field("total").type == pa.int64()
    assert columns.field("mean").type == pa.float64()
    assert columns.field("cost").type == pa.decimal128(38, 2)
    assert columns.field("day_high").type == pa.date32()
    assert columns.names[-1] == "_weight"
    assert operator.needs(frozenset({"n"})) == {"in": frozenset(table.column_names) - {"place"}}
    assert Aggregate(("key",), {"x": agg.last("x")}).needs(frozenset({"x"})) is None
    assert pickle.loads(pickle.dumps(operator)) == operator


def test_what_does_not_fit_is_refused_before_it_runs() -> None:
    schema = {"in": StreamSchema(made(1).schema)}
    with pytest.raises(GraphError, match=r"no column 'kye'.*did you mean 'key'"):
        Aggregate(("kye",), {"n": agg.count()}).output(schema)
    with pytest.raises(GraphError, match=r"'total': sum\(\) of TEXT; its argument must be a number"):
        Aggregate(("key",), {"total": agg.sum("name")}).output(schema)
    with pytest.raises(GraphError, match="emit='often'"):
        Aggregate(("key",), {"n": agg.count()}, "often")  # type: ignore[arg-type]
    with pytest.raises(GraphError, match="unique"):
        Aggregate(("key",), {"key": agg.count()}).output(schema)


def test_integer_sums_do_not_wrap() -> None:
    schema = StreamSchema(pa.schema([("x", pa.int64())]))
    operator = Aggregate((), {"total": agg.sum("x")}, "final")

    def total(*batches: list[int]) -> object:
        return run(operator, schema, [pa.record_batch({"x": pa.array(batch, pa.int64())}) for batch in batches])[0][0]

    top = 2**63 - 1
    assert total([top - 5, 5]) == top
    assert total([-(2**63) + 5], [-5]) == -(2**63)
    assert total([top, -top, top], [-top, 7]) == 7
    for batches in ([[top, 1]], [[top], [1]], [[-(2**63)], [-1]], [[2**62] * 4], [[-(2**62)] * 5]):
        with pytest.raises(RowError, match="beyond BIGINT"):
            total(*batches)


@pytest.mark.parametrize("largest", [10**6, 2**60, 10**30])
def test_decimal_sums_are_exact_however_long_they_get(largest: int) -> None:
    random, kind = np.random.default_rng(5), pa.decimal128(38, 0)
    state, sums = DecimalSum(kind), [0] * 8
    for turn in range(3):
        for size in (4, 8):
            state.grow(size)
            for _ in range(10):
                slots = random.integers(0, size, 20)
                weights = random.integers(-2, 4, 20)
                given_values = [int(value) * largest // 1000 for value in random.integers(-900, 1000, 20)]
                array = pa.array([Decimal(value) for value in given_values], kind)
                state.update(Values(slots, array, size, weights))
                for slot, value, weight in zip(slots.tolist(), given_values, weights.tolist(), strict=True):
                    sums[slot] += value * weight
        keep = np.arange(8) != 3
        expected = [Decimal(total) if slot != 3 else None for slot, total in enumerate(sums)]
        assert state.partial(np.arange(8), keep)[0].to_pylist() == expected, turn
        np.testing.assert_allclose(state.totals(np.arange(8)), np.array(sums, np.float64), rtol=1e-15)
        state.clear()
        sums = [0] * 8


def test_decimal_sums_do_not_wrap() -> None:
    schema = StreamSchema(pa.schema([("x", pa.decimal128(38, 0))]))
    operator = Aggregate((), {"total": agg.sum("x")}, "final")
    top = 10**38 - 1

    def total(*batches: list[int]) -> object:
        arrays = [pa.array([Decimal(value) for value in batch], pa.decimal128(38, 0)) for batch in batches]
        return run(operator, schema, [pa.record_batch({"x": array}) for array in arrays])[0][0]

    assert total([top - 9, 4], [5]) == Decimal(top)
    assert total([-top, top], [-3, -(10**30)]) == Decimal(-(10**30) - 3)
    for sign in (1, -1):
        with pytest.raises(RowError, match="beyond DECIMAL"):
            total([sign * top], [sign])


def test_the_verb_divides_rows_by_key_where_key_by_did_not() -> None:
    graph = Graph()
    stream = graph.source("t", Table(made(10)), event_time="time")
    routed = stream.key_by("key").aggregate(n=agg.count(), name="a")
    assert routed.schema.names == ["key", "n"]
    assert list(graph.nodes) == ["t", "t.hash(key)", "a"]
    by_both = stream.key_by("key").aggregate(keys=("key", "place"), n=agg.count(), name="b")
    assert graph.node(by_both.name).operator.routed == ("key",)  # type: ignore[union-attr]
    stream.aggregate(keys="place", n=agg.count(), name="c")
    assert "t.hash(place)" in graph.nodes
    whole = stream.aggregate(n=agg.count(), name="d")
    assert graph.node(whole.name).inputs["in"].node == "t"
    windows = stream.aggregate(keys="key", window=Tumble("time", "1 minute"), n=agg.count())
    assert windows.schema.names == ["key", "window_start", "window_end", "n"]
    assert not windows.schema.changelog
    with pytest.raises(GraphError, match="would not meet"):
        stream.key_by("place").aggregate(keys="key", n=agg.count())
    with pytest.raises(GraphError, match="there is no window"):
        stream.aggregate(n=agg.count(), allowed_lateness="1s")


def test_descriptions_compare_by_value() -> None:
    one = WindowAggregate(["key"], {"n": agg.count(), "x": agg.sum(col("x") + 1)}, Hop("time", "1h", "5m"))
    other = WindowAggregate(("key",), (("n", agg.count()), ("x", agg.sum(col("x") + 1))), Hop("time", 3600, 300))
    assert one == other
    assert hash(one) == hash(other)
    assert one != WindowAggregate(("key",), {"n": agg.count(), "x": agg.sum(col("x") + 2)}, Hop("time", 3600, 300))


def test_changes_from_a_source_are_followed_in_a_run() -> None:
    table = changelog(pa.table({"key": ["a", "b", "a"], "other": [1, 2, 3], "x": [4, 5, 4]}), [1, 1, -1])
    graph, collected = Graph(), Collect()
    graph.source("t", Table(table)).aggregate(keys="key", x=agg.sum("x")).sink("out", collected)
    graph.run()
    assert collected.table().to_pylist() == [{"key": "b", "x": 5}]
