"""Aggregates of rows that are inserted and deleted, in any batching, against DuckDB."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow import GraphError
from flow.schema import StreamSchema
from operators import Aggregate, Aggregation, Tumble, WindowAggregate, agg
from operators.expressions import col
from tests.aggregating import changelog, cut, handed_over, opened, oracle, run, run_in_two, same, summed

INF, NAN = float("inf"), float("nan")

KINDS = pa.schema(
    [
        ("key", pa.int64()),
        ("x", pa.int64()),
        ("f", pa.float64()),
        ("y", pa.float64()),
        ("s", pa.string()),
        ("b", pa.bool_()),
        ("d", pa.decimal128(20, 2)),
        ("i", pa.int16()),
        ("n", pa.int64()),
    ]
)

NUMBERS = st.none() | st.integers(-3, 3).map(float) | st.floats(-1e6, 1e6)
ROWS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.none() | st.integers(-4, 4) | st.integers(-(2**40), 2**40),
        NUMBERS | st.sampled_from([NAN, INF, -INF]),
        NUMBERS,
        st.none() | st.sampled_from(["", "a", "b", "ab", "ß"]),
        st.none() | st.booleans(),
        st.none() | st.integers(-(10**12), 10**12).map(lambda value: Decimal(value) / 100),
        st.none() | st.integers(-(2**15), 2**15 - 1),
    ),
    max_size=25,
)
SIZES = st.lists(st.integers(1, 9), min_size=1, max_size=4)

Case = tuple[Aggregation, str]

EXACT: dict[str, Case] = {
    "n": (agg.count(), "count(*)"),
    "low": (agg.min("x"), "min(x)"),
    "high": (agg.max("x"), "max(x)"),
    "float_low": (agg.min("f"), "min(f)"),
    "float_high": (agg.max("f"), "max(f)"),
    "text_low": (agg.min("s"), "min(s)"),
    "text_high": (agg.max("s"), "max(s)"),
    "decimal_low": (agg.min("d"), "min(d)"),
    "bool_high": (agg.max("b"), "max(b)"),
    "different": (agg.count_distinct("s"), "count(DISTINCT s)"),
    "about": (agg.approx_count_distinct("x"), "count(DISTINCT x)"),
    "sum_once": (agg.sum("x", distinct=True), "sum(DISTINCT x)::BIGINT"),
    "decimal_once": (agg.sum("d", distinct=True), "sum(DISTINCT d)"),
    "decimals": (agg.sum("d"), "sum(d)"),
    "every": (agg.bool_and("b"), "bool_and(b)"),
    "any": (agg.bool_or("b"), "bool_or(b)"),
    "bits_and": (agg.bit_and("i"), "bit_and(i)"),
    "bits_or": (agg.bit_or("i"), "bit_or(i)"),
    "bits_xor": (agg.bit_xor("i"), "bit_xor(i)"),
    "wide_and": (agg.bit_and("x"), "bit_and(x)"),
    "wide_or": (agg.bit_or("x", filter=col("b")), "bit_or(x) FILTER (WHERE b)"),
    "pairs": (agg.regr_count("y", "x"), "regr_count(y, x)"),
    "disc": (agg.percentile_disc("x", 0.3), "quantile_disc(x, 0.3)"),
    "disc_down": (
        agg.percentile_disc("s", 0.6, descending=True),
        "(list_sort(list(s) FILTER (WHERE s IS NOT NULL), 'DESC'))[greatest(ceil(count(s) * 0.6), 1)::BIGINT]",
    ),
    "all_first": (agg.percentile_disc("s", 0.0), "min(s)"),
    "numbers": (agg.array_agg("x", order_by=agg.desc("x")), "array_agg(x ORDER BY x DESC NULLS FIRST)"),
    "names": (agg.array_agg("s"), "list_sort(array_agg(s), 'ASC', 'NULLS LAST')"),
    "by_number": (
        agg.array_agg("s", order_by=[agg.asc("x", nulls_first=True), agg.desc("s")], filter=col("x") < 4),
        "array_agg(s ORDER BY x NULLS FIRST, s DESC NULLS FIRST) FILTER (WHERE x < 4)",
    ),
    "names_once": (
        agg.array_agg("s", distinct=True, order_by=agg.desc("s")),
        "list_sort(array_agg(DISTINCT s), 'DESC', 'NULLS FIRST')",
    ),
    "joined": (agg.string_agg("s", "-", order_by="s"), "string_agg(s, '-' ORDER BY s)"),
    "joined_once": (agg.string_agg("s", distinct=True), "array_to_string(list_sort(list(DISTINCT s)), ',')"),
    "least": (agg.arg_min("s", "n"), "arg_min(s, n)"),
    "greatest": (agg.arg_max("x", "n"), "arg_max(x, n)"),
    "least_float": (
        agg.arg_min("s", "f"),
        "(array_agg(s ORDER BY f, s) FILTER (WHERE s IS NOT NULL AND f IS NOT NULL))[1]",
    ),
    "greatest_float": (
        agg.arg_max("s", "f"),
        "(array_agg(s ORDER BY f DESC, s) FILTER (WHERE s IS NOT NULL AND f IS NOT NULL))[1]",
    ),
    "earliest": (agg.first("s", order_by="n"), "arg_min(s, n)"),
    "latest": (agg.last("s", order_by=[agg.asc("x"), "n"]), "(array_agg(s ORDER BY x DESC NULLS FIRST, n DESC) "
        "FILTER (WHERE s IS NOT NULL))[1]"),
}  # fmt: skip

NEAR: dict[str, Case] = {
    "sum": (agg.sum("f"), "sum(f)"),
    "mean": (agg.avg("f"), "avg(f)"),
    "decimal_mean": (agg.avg("d"), "avg(d)"),
    "spread": (agg.stddev("y"), "stddev_samp(y)"),
    "spread_pop": (agg.stddev_pop("x"), "stddev_pop(x)"),
    "variance": (agg.var("y", filter=col("b")), "var_samp(y) FILTER (WHERE b)"),
    "mean_once": (agg.avg("y", distinct=True), "avg(DISTINCT y)"),
    "middle": (agg.median("y"), "median(y)"),
    "quarter": (agg.percentile_cont("x", 0.25), "quantile_cont(x, 0.25)"),
    "quarter_down": (agg.percentile_cont("y", 0.25, descending=True), "quantile_cont(y, 0.75)"),
    "covariance": (agg.covar_samp("y", "x"), "covar_samp(y, x)"),
    "covariance_pop": (agg.covar_pop("y", "x"), "covar_pop(y, x)"),
    "mean_x": (agg.regr_avgx("y", "x"), "regr_avgx(y, x)"),
    "mean_y": (agg.regr_avgy("y", "x"), "regr_avgy(y, x)"),
    "deviations": (agg.regr_sxx("y", "x"), "regr_sxx(y, x)"),
    "products": (agg.regr_sxy("y", "x"), "regr_sxy(y, x)"),
}

QUERY = "SELECT key, {} FROM t GROUP BY key"


def table(rows: list[tuple[Any, ...]]) -> pa.Table:
    """The rows, numbered in their last column."""
    numbered = [(*row, number) for number, row in enumerate(rows)]
    columns = list(zip(*numbered, strict=True)) or [()] * len(KINDS)
    return pa.table([pa.array(column, field.type) for column, field in zip(columns, KINDS, strict=True)], KINDS.names)


def expected(cases: Mapping[str, Case], kept: pa.Table) -> list[tuple[Any, ...]]:
    return [frozen(row) for row in oracle(QUERY.format(", ".join(sql for _, sql in cases.values())), t=kept)]


def frozen(row: Iterable[Any]) -> tuple[Any, ...]:
    """The row with lists as tuples, so that rows can be counted; and a NaN in them as something that equals itself."""
    return tuple(map(_frozen, row))


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple("NaN" if isinstance(each, float) and math.isnan(each) else _frozen(each) for each in value)
    return value


@st.composite
def histories(draw: st.DrawFn) -> tuple[pa.Table, pa.Table, list[int]]:
    """Rows, some of them deleted again: the changes, what is left, and sizes of batches."""
    whole = table(draw(ROWS))
    away = draw(st.lists(st.booleans(), min_size=len(whole), max_size=len(whole)))
    gone = whole.filter(pa.array(away, pa.bool_()))
    # However the insertions are ordered, a deletion comes after its insertion, or in the same batch.
    both = pa.concat_tables([changelog(whole, [1] * len(whole)), changelog(gone, [-1] * len(gone))])
    turn = draw(st.permutations(range(len(whole))))
    places = [*turn, *range(len(whole), len(both))]
    kept = whole.filter(pa.array([not each for each in away], pa.bool_()))
    return both.take(pa.array(places, pa.int64())), kept, draw(SIZES)


CASES = EXACT | NEAR
SOME = st.sets(st.sampled_from(sorted(CASES)), min_size=1, max_size=9).map(
    lambda names: {name: CASES[name] for name in sorted(names)}
)


@given(histories(), SOME)
@settings(max_examples=80, deadline=None)
def test_what_is_left_after_deletions_is_duckdbs(
    history: tuple[pa.Table, pa.Table, list[int]], cases: dict[str, Case]
) -> None:
    changes, kept, sizes = history
    schema, batches = StreamSchema(changes.schema), cut(changes, sizes)
    operator = Aggregate(("key",), {name: case for name, (case, _) in cases.items()})
    wanted = expected(cases, kept)
    same(summed(map(frozen, run(operator, schema, batches))), wanted)
    final = Aggregate(("key",), operator.aggregations, "final")
    same(map(frozen, handed_over(final, schema, batches, ["key"], 2, 3)), wanted)


@given(ROWS, SIZES, SOME.map(lambda cases: {name: case for name, case in cases.items() if name != "about"}))
@settings(max_examples=60, deadline=None)
def test_rows_that_are_only_added_give_duckdbs_results(
    rows: list[tuple[Any, ...]], sizes: list[int], cases: dict[str, Case]
) -> None:
    whole = table(rows)
    schema, batches = StreamSchema(whole.schema), cut(whole, sizes)
    operator = Aggregate(("key",), {name: case for name, (case, _) in cases.items()})
    wanted = expected(cases, whole)
    same(summed(map(frozen, run(operator, schema, batches))), wanted)
    final = Aggregate(("key",), operator.aggregations, "final")
    same(map(frozen, handed_over(final, schema, batches, ["key"], 2, 3)), wanted)
    if final.two_phase({"in": schema}) is not None:
        same(map(frozen, run_in_two(final, schema, batches)), wanted)


def over(values: pa.Array | pa.Table, weights: list[int], *aggregations: Aggregation, size: int = 2) -> tuple[Any, ...]:
    """The row that is left of aggregates without keys."""
    rows = values if isinstance(values, pa.Table) else pa.table({"x": values})
    changes = changelog(rows, weights)
    operator = Aggregate((), {f"a{number}": each for number, each in enumerate(aggregations)})
    (row,) = summed(map(frozen, run(operator, StreamSchema(changes.schema), cut(changes, (size,)))))
    return row


REGRESSIONS = ("corr", "regr_slope", "regr_intercept", "regr_r2", "regr_syy", "covar_samp")


def test_regressions_are_duckdbs() -> None:
    random = np.random.default_rng(1)
    x = random.normal(1e3, 5, 300)
    data = pa.table(
        {
            "key": random.integers(0, 5, 300),
            "x": pa.array(x, mask=random.random(300) < 0.1),
            "y": pa.array(3 * x + random.normal(0, 9, 300), mask=random.random(300) < 0.1),
        }
    )
    query = f"SELECT key, {', '.join(f'{name}(y, x)' for name in REGRESSIONS)} FROM t GROUP BY key"
    operator = Aggregate(("key",), {name: Aggregation(name, col("y"), None, col("x")) for name in REGRESSIONS})
    schema = StreamSchema(data.schema)
    same(summed(run(operator, schema, cut(data, (70,)))), oracle(query, t=data))
    same(summed(run_in_two(operator, schema, cut(data, (70,)))), oracle(query, t=data))
    both = pa.concat_tables([changelog(data, [1] * 300), changelog(data.slice(0, 200), [-1] * 200)])
    same(summed(run(operator, StreamSchema(both.schema), cut(both, (70,)))), oracle(query, t=data.slice(200)))


def test_regressions_of_what_is_constant_or_not_finite() -> None:
    def regressions(x: list[float], y: list[float]) -> tuple[Any, ...]:
        wanted = [getattr(agg, name)("y", "x") for name in ("corr", "regr_slope", "regr_r2", "regr_count")]
        return over(pa.table({"x": x, "y": y}), [1] * len(x), *wanted)

    assert regressions([1.0, 1.0], [1.0, 2.0]) == (None, None, None, 2)
    assert regressions([1.0, 2.0], [3.0, 3.0]) == (None, 0.0, 1.0, 2)
    assert regressions([0.1, 0.2, 0.3], [0.1, 0.2, 0.3])[0] == 1.0
    same([regressions([1.0, INF], [1.0, 2.0])], [(NAN, NAN, NAN, 2)])


def test_sums_do_not_drift() -> None:
    spread = (agg.sum("x"), agg.avg("x"), agg.var_pop("x"), agg.stddev("x"))
    values = pa.array([0.1, 1e300, 0.2, -1e-300, 1e16, 0.3, -1e300, 1e300, 1e300, -1e-300, 1e16, -1e300])
    weights = [1, 1, 1, 1, 1, 1, 1, -1, 1, -1, -1, -1]
    left = over(values, weights, *spread)
    assert left[:2] == (1e300, 2.5e299)
    left = over(pa.concat_arrays([values, pa.array([1e300])]), [*weights, -1], *spread)
    assert left[0] == 0.6  # summed one by one, 0.1 + 0.2 + 0.3 is 0.6000000000000001
    assert left[2:] == pytest.approx((0.02 / 3, 0.1), rel=1e-15)
    assert over(pa.array([1e308, 1e308, 1e308]), [1, 1, -1], agg.sum("x"))[0] == 1e308


def test_what_is_not_finite_can_be_taken_out() -> None:
    wanted = (agg.sum("x"), agg.max("x"), agg.var_pop("x"), agg.median("x"))
    values = pa.array([1.0, NAN, INF, 3.0, -INF, NAN, INF, -INF])
    assert over(values, [1, 1, 1, 1, 1, -1, -1, -1], *wanted) == (4.0, 3.0, 1.0, 2.0)
    same([over(values, [1, 1, 1, 1, 1, 1, -1, -1], *wanted)], [(NAN, NAN, NAN, NAN)])


def test_copies_count_as_often_as_their_weight_says() -> None:
    values = pa.array([1, 2, 3])
    wanted = (agg.median("x"), agg.mode("x"), agg.array_agg("x"), agg.sum("x"), agg.sum("x", distinct=True))
    assert over(values, [3, 1, 1], *wanted) == (1.0, 1, (1, 1, 1, 2, 3), 8, 6)
    assert over(pa.array([1, 2, 3, 1]), [3, 1, 1, -2], *wanted, size=3) == (2.0, 1, (1, 2, 3), 6, 6)


def test_the_mode_is_the_least_of_the_most_frequent() -> None:
    values = pa.array(["b", "a", "a", "c", "b", None, None, None])
    assert over(values, [1] * 8, agg.mode("x"), agg.mode("x", descending=True)) == ("a", "b")
    assert over(pa.array([None], pa.string()), [1], agg.mode("x")) == (None,)


def test_the_first_and_the_last_value_by_arrival() -> None:
    wanted = (agg.first("x"), agg.last("x"), agg.any_value("x"))
    values = pa.array([None, "b", "a", "c", "b", "c"])
    assert over(values, [1, 1, 1, 1, -1, -1], *wanted) == ("a", "a", "a")
    assert over(values, [1, 1, 1, 1, 1, -1], *wanted) == ("b", "a", "b")
    assert over(pa.array(["b", "b"]), [1, -1], *wanted) == (None, None, None)


def test_the_first_and_the_last_value_by_event_time() -> None:
    times = pa.array([50, 10, 30, 10], pa.timestamp("us"))
    changes = changelog(pa.table({"x": ["late", "early", "middle", "early"], "time": times}), [1, 1, 1, -1])
    operator = Aggregate((), {"first": agg.first("x"), "last": agg.last("x")})
    for size in (1, 2, 4):
        assert summed(run(operator, StreamSchema(changes.schema, "time"), cut(changes, (size,)))) == [
            ("middle", "late")
        ]


def test_any_value_stays_the_first_that_came() -> None:
    data = pa.table({"k": [1, 2, 1, 2, 1], "x": [None, "b", "c", "a", "a"]})
    schema = StreamSchema(data.schema)
    operator = Aggregate(("k",), {"x": agg.any_value("x")})
    changes = run(operator, schema, cut(data, (2,)))
    assert sorted(changes, key=str) == [
        (1, "c", 1),
        (1, None, -1),
        (1, None, 1),
        (2, "b", 1),
    ]
    assert sorted(run_in_two(operator, schema, cut(data, (5,)), 1)) == [(1, "c", 1), (2, "b", 1)]


def test_state_does_not_grow_with_values_that_are_gone() -> None:
    number = 8_000
    values = [value for low in range(0, number, 100) for value in [*range(low, low + 100)] * 2]
    weights = [weight for _ in range(0, number, 100) for weight in [1] * 100 + [-1] * 100]
    values, weights = [*values, -5, 7, 3], [*weights, 1, 1, 1]
    changes = changelog(pa.table({"x": pa.array(values).cast(pa.string())}), weights)
    operator = Aggregate(
        (), {"low": agg.min("x"), "high": agg.max("x"), "n": agg.count_distinct("x"), "all": agg.array_agg("x")}
    )
    schema = StreamSchema(changes.schema)
    partition = opened(operator, schema)
    out = [row for batch in cut(changes, (130,)) for result in partition.on_batch(batch) for row in result.to_pylist()]
    standing = summed(frozen(tuple(row.values())) for row in out)
    assert standing == [("-5", "7", 3, ("-5", "3", "7"))]
    bags = [feed._bundle.accumulators["bag"] for feed in partition._store.bank._feeds]  # type: ignore[attr-defined]
    assert len(bags) == 2
    assert all(len(bag._index) < 5_000 for bag in bags)


@pytest.mark.parametrize("number", [0, 1, 50, 3_000, 200_000])
def test_approximate_counts_are_close(number: int) -> None:
    values = np.random.default_rng(number).integers(0, 2**62, number)
    data = pa.table({"x": np.concatenate([values, values[: number // 2]])})
    operator = Aggregate((), {"n": agg.approx_count_distinct("x")}, "final")
    ((got,),) = run(operator, StreamSchema(data.schema), cut(data, (100_000,)))
    assert got == pytest.approx(len(np.unique(values)), rel=0.05)
    ((merged,),) = run_in_two(operator, StreamSchema(data.schema), cut(data, (60_000,)))
    assert merged == got


def test_windows_take_rows_back() -> None:
    times = pa.array([1, 2, 70, 2], pa.timestamp("s"))
    changes = changelog(pa.table({"x": [5, 9, 4, 9], "time": times}), [1, 1, 1, -1])
    wanted = {"high": agg.max("x"), "all": agg.array_agg("x"), "middle": agg.median("x")}
    operator = WindowAggregate((), wanted, Tumble("time", "1 minute"))
    got = run(operator, StreamSchema(changes.schema, "time"), cut(changes, (1,)))
    assert [row[2:] for row in got] == [(5, [5], 5.0), (4, [4], 4.0)]


@pytest.mark.parametrize(
    "values",
    [
        pa.array(["b", "a", None, "c"], pa.large_string()),
        pa.array(["b", "a", None, "c"]).dictionary_encode(),
        pa.array([b"b", b"a", None, b"c"]),
        pa.array([2, 1, None, 3], pa.date32()),
        pa.array([2, 1, None, 3], pa.timestamp("us", "UTC")),
        pa.array([Decimal("2.00"), Decimal("-1.50"), None, Decimal("3.25")]),
        pa.array([2.5, 1.5, None, NAN], pa.float32()),
        pa.array([2, 1, None, 2**64 - 1], pa.uint64()),
    ],
    ids=lambda values: str(values.type),
)
def test_values_of_any_type(values: pa.Array) -> None:
    middle, low, _, high = values.to_pylist()
    wanted = (agg.min("x"), agg.max("x"), agg.percentile_disc("x", 0.5), agg.array_agg("x"), agg.mode("x"))
    got = over(values, [1] * 4, *wanted, agg.any_value("x"), size=4)
    same([got], [frozen([low, high, middle, [low, middle, high, None], low, middle])])
    taken = pa.concat_arrays([values, values.slice(3)])
    assert over(taken, [1, 1, 1, 1, -1], *wanted)[:3] == (low, middle, low)


def test_lists_of_lists_and_of_nothing() -> None:
    lists = pa.array([[1, 2], None, [1], [1]])
    assert over(lists, [1, 1, 1, -1], agg.array_agg("x"), agg.any_value("x")) == (((1, 2), None), (1, 2))
    nothing = pa.array([None, "a", "a"])
    wanted = (agg.array_agg("x"), agg.string_agg("x", "; "), agg.array_agg("x", filter=col("x") == "z"))
    assert over(nothing, [1, 1, -1], *wanted) == ((None,), None, None)


UNORDERED = pa.dense_union([pa.field("x", pa.int64())])


def test_what_does_not_fit_is_refused() -> None:
    schema = pa.schema([("s", pa.string()), ("x", pa.int64()), ("f", pa.float64()), ("l", UNORDERED)])
    for aggregation, message in (
        (agg.bool_and("x"), r"bool_and\(\) of BIGINT; its argument must be a condition"),
        (agg.bit_or("f"), r"bit_or\(\) of DOUBLE; its argument must be an integer"),
        (agg.corr("x", "s"), r"corr\(\) of TEXT; its arguments must be numbers"),
        (agg.arg_min("s", "l"), r"its second argument must be of a type with an order"),
        (agg.median("s"), r"median\(\) of TEXT; its argument must be a number"),
        (agg.string_agg("x"), r"string_agg\(\) of BIGINT; its argument must be a string"),
        (agg.array_agg("x", order_by="l"), "a type without an order"),
        (agg.mode("l"), "a type with an order"),
    ):
        with pytest.raises(GraphError, match=message):
            aggregation.type(schema)
    with pytest.raises(GraphError, match=r"must be a number from 0 to 1, not 1\.5"):
        agg.percentile_cont("x", 1.5)
    with pytest.raises(GraphError, match="can only be ordered by its argument"):
        agg.array_agg("x", distinct=True, order_by="s")
    with pytest.raises(GraphError, match=r"corr\(\) takes two arguments"):
        Aggregation("corr", col("x"))
    with pytest.raises(GraphError, match=r"median\(\) has no DISTINCT"):
        agg.median("x").once()
    with pytest.raises(GraphError, match="does not depend on an order"):
        Aggregation("sum", col("x"), order=(agg.desc("x"),))
