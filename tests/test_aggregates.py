from __future__ import annotations

import pickle
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from flow import GraphError, RowError
from flow.schema import StreamSchema
from operators import Aggregate, Aggregation, agg
from operators.aggregates import Bank
from operators.expressions import Column, col
from tests.aggregating import cut, opened, oracle, run, run_in_two, same

NAN, INF = float("nan"), float("inf")


def one(values: pa.Array, *aggregations: Aggregation, size: int = 2) -> tuple[object, ...]:
    """The only row of aggregates over column x, in batches of `size`; checked against the two-phase form."""
    table = pa.table({"x": values})
    schema = StreamSchema(table.schema)
    operator = Aggregate((), {f"a{number}": one for number, one in enumerate(aggregations)}, "final")
    got = run(operator, schema, cut(table, (size,)))
    if operator.two_phase({"in": schema}) is not None:
        same(run_in_two(operator, schema, cut(table, (size,))), got)
    (row,) = got
    return row


def test_nan_is_greater_than_any_number() -> None:
    low_high = (agg.min("x"), agg.max("x"))
    same([one(pa.array([1.0, NAN, -INF, INF]), *low_high)], [(-INF, NAN)])
    same([one(pa.array([NAN, 2.0, None, NAN]), *low_high)], [(2.0, NAN)])
    same([one(pa.array([NAN, INF]), *low_high)], [(INF, NAN)])
    same([one(pa.array([NAN, NAN, None]), *low_high)], [(NAN, NAN)])
    same([one(pa.array([-INF, -INF]), *low_high)], [(-INF, -INF)])
    same([one(pa.array([None, None], pa.float64()), *low_high)], [(None, None)])


def test_sums_and_spreads_of_what_is_not_finite() -> None:
    wanted = (agg.sum("x"), agg.avg("x"), agg.stddev("x"))
    same([one(pa.array([1.0, INF]), *wanted)], [(INF, INF, NAN)])
    same([one(pa.array([INF, 1.0, -INF]), *wanted)], [(NAN, NAN, NAN)])
    same([one(pa.array([NAN, 1.0]), *wanted)], [(NAN, NAN, NAN)])
    same([one(pa.array([1e308, 1e308]), agg.sum("x"))], [(INF,)])


def test_a_sample_of_one_has_no_spread() -> None:
    wanted = (agg.var("x"), agg.stddev("x"), agg.var_pop("x"), agg.stddev_pop("x"))
    assert one(pa.array([5]), *wanted) == (None, None, 0.0, 0.0)
    assert one(pa.array([None], pa.int64()), *wanted) == (None, None, None, None)
    assert one(pa.array([1, 3]), *wanted) == (2.0, 2.0**0.5, 1.0, 1.0)


def test_spread_is_stable_where_the_mean_is_large() -> None:
    values = np.random.default_rng(0).normal(1e7, 1e-2, 2000)
    got = one(pa.array(values), agg.stddev("x"), size=70)
    assert got[0] == pytest.approx(float(np.std(values, ddof=1)), rel=1e-4)  # sums of squares have no digit right here


@pytest.mark.parametrize(
    "kind",
    [pa.int8(), pa.int16(), pa.int32(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64(), pa.float32()],
    ids=str,
)
def test_numbers_of_any_width(kind: pa.DataType) -> None:
    values = pa.array([1, 100, None, 7, 127]).cast(kind)
    got = one(values, agg.sum("x"), agg.min("x"), agg.max("x"), agg.avg("x"), agg.count_distinct("x"))
    assert got == (235, 1, 127, 58.75, 4)


def test_unsigned_numbers_beyond_int64_are_an_error_only_in_sums() -> None:
    values = pa.array([2**64 - 1, 2**63], pa.uint64())
    assert one(values, agg.max("x"), agg.min("x")) == (2**64 - 1, 2**63)
    with pytest.raises(RowError, match="beyond BIGINT"):
        one(values, agg.sum("x"))


@pytest.mark.parametrize(
    "values",
    [
        pa.array(["b", None, "", "ab", "ß", "Z"]),
        pa.array(["b", None, "", "ab"], pa.large_string()),
        pa.array(["b", None, "", "ab", "b"]).dictionary_encode(),
        pa.array([b"b", None, b"", b"\xff"]),
        pa.array([True, None, False]),
        pa.array([3, None, -9], pa.date32()),
        pa.array([3000, None, -9000], pa.timestamp("ns", "UTC")),
        pa.array([3, None, 9], pa.time64("us")),
        pa.array([3, None, -9], pa.duration("us")),
        pa.array([Decimal("1.50"), None, Decimal("-2.25")]),
    ],
    ids=lambda values: str(values.type),
)
def test_least_and_greatest_of_any_type(values: pa.Array) -> None:
    known = sorted({value for value in values.to_pylist() if value is not None})
    wanted = (agg.min("x"), agg.max("x"), agg.count_distinct("x"), agg.count("x"))
    for size in (1, 10):
        assert one(values, *wanted, size=size)[:3] == (known[0], known[-1], len(known))


def test_first_and_last_by_arrival() -> None:
    values = pa.array([None, "b", "a", None])
    assert one(values, agg.first("x"), agg.last("x"), size=1) == ("b", "a")
    assert one(values, agg.first("x"), agg.last("x"), size=4) == ("b", "a")
    assert one(pa.array([None], pa.string()), agg.first("x")) == (None,)


def test_first_and_last_by_event_time() -> None:
    random = np.random.default_rng(3)
    times = pa.array(random.permutation(300), pa.timestamp("ms"))
    table = pa.table({"k": random.integers(0, 5, 300), "x": random.random(300), "time": times})
    operator = Aggregate(("k",), {"first": agg.first("x"), "last": agg.last("x")}, "final")
    got = run(operator, StreamSchema(table.schema, "time"), cut(table, (17,)))
    same(got, oracle("SELECT k, arg_min(x, time), arg_max(x, time) FROM t GROUP BY k", t=table))


def test_rows_without_event_time_are_last_only_where_they_are_alone() -> None:
    table = pa.table({"x": [1, 2, 3], "time": pa.array([None, 5, None], pa.timestamp("us"))})
    operator = Aggregate((), {"last": agg.last("x")}, "final")
    assert run(operator, StreamSchema(table.schema, "time"), cut(table, (1,))) == [(2,)]
    assert run(operator, StreamSchema(table.schema, "time"), cut(table.take([0, 2]), (1,))) == [(3,)]


def test_values_replaced_often_do_not_pile_up() -> None:
    table = pa.table({"k": np.arange(20_000) % 10, "x": pa.array(np.arange(20_000)).cast(pa.string())})
    partition = opened(Aggregate(("k",), {"last": agg.last("x")}, "final"), StreamSchema(table.schema))
    for batch in cut(table, (20,)):
        list(partition.on_batch(batch))
    (feed,) = partition._store.bank._feeds  # type: ignore[attr-defined]
    assert feed._bundle.accumulators["last"]._pool._length < 5000
    got = [row for batch in partition.on_end() for row in batch.to_pylist()]
    assert sorted(row["last"] for row in got) == [str(value) for value in range(19_990, 20_000)]


def test_filters_and_expressions() -> None:
    table = pa.table({"x": [1, 2, None, 4], "y": [10, None, 30, 40]})
    aggregations = {
        "sum": agg.sum(col("x") * col("y")),
        "n": agg.count(filter=col("y") > 20),
        "x": agg.sum("x", filter=col("y") > 20),
        "none": agg.max("x", filter=col("y") > 100),
    }
    got = run(Aggregate((), aggregations, "final"), StreamSchema(table.schema), cut(table, (1,)))
    assert got == [(170, 2, 4, None)]


def test_partial_states_merge_to_the_same_results() -> None:
    random = np.random.default_rng(5)
    batch = pa.record_batch(
        {
            "x": pa.array(random.integers(0, 9, 400), mask=random.random(400) < 0.3),
            "s": pa.array(random.integers(0, 30, 400).astype(str)),
            "f": random.normal(5, 2, 400),
            "time": pa.array(random.permutation(400), pa.timestamp("s")),
        }
    )
    schema = StreamSchema(batch.schema, "time")
    aggregations = tuple(
        (f"{function}_{column}", Aggregation(function, Column(column)))
        for column, functions in {
            "x": ("count", "sum", "avg", "min", "max", "count_distinct", "var", "first", "last"),
            "s": ("min", "max", "count_distinct", "first", "last"),
            "f": ("sum", "avg", "min", "stddev_pop"),
        }.items()
        for function in functions
    )
    slots = random.integers(0, 8, 400)
    whole = Bank(schema, aggregations)
    whole.update(batch, slots, 8)
    merged = Bank(schema, aggregations)
    for start in range(0, 400, 100):
        part = Bank(schema, aggregations)
        part.update(batch.slice(start, 100), slots[start : start + 100], 8)
        states = part.partial(np.arange(8))
        assert [state.type for state in states] == part.partial_types
        merged.merge(states, np.arange(8), 8)
    every = np.arange(8)
    for got, wanted in zip(merged.results(every), whole.results(every), strict=True):
        same([(value,) for value in got.to_pylist()], [(value,) for value in wanted.to_pylist()])
    whole.clear()
    whole.update(batch.slice(0, 100), slots[:100], 8)
    again = Bank(schema, aggregations)
    again.update(batch.slice(0, 100), slots[:100], 8)
    assert whole.results(every) == again.results(every)


def test_aggregations_are_values() -> None:
    assert agg.sum("x") == agg.sum(col("x")) == Aggregation("sum", Column("x"))
    assert agg.sum("x", filter=col("x") > 1) != agg.sum("x", filter=col("x") > 2)
    assert pickle.loads(pickle.dumps(agg.avg(col("x") + 1))) == agg.avg(col("x") + 1)
    assert agg.sum("x", filter=col("y") > 1).columns == {"x", "y"}


def test_what_does_not_fit_is_refused_before_it_runs() -> None:
    schema = pa.schema([("s", pa.string()), ("l", pa.list_(pa.int64())), ("x", pa.int64())])
    with pytest.raises(GraphError, match=r"no aggregate function 'smu'.*did you mean 'sum'"):
        Aggregation("smu", Column("x"))
    with pytest.raises(GraphError, match=r"sum\(\) needs an argument"):
        Aggregation("sum")
    with pytest.raises(GraphError, match=r"avg\(\) of TEXT; its argument must be a number"):
        agg.avg("s").type(schema)
    with pytest.raises(GraphError, match=r"stddev\(\) of BIGINT\[\].*a number"):
        agg.stddev("l").type(schema)
    with pytest.raises(GraphError, match="it must be a condition"):
        agg.count(filter=col("x")).type(schema)
    with pytest.raises(GraphError, match="'y'"):
        agg.count("y").type(schema)


def test_single_rows_as_partial_states() -> None:
    batch = pa.record_batch({"u": pa.array([1, None], pa.uint64()), "d": pa.array([Decimal("1.5"), None])})
    schema = StreamSchema(batch.schema)
    aggregations = (("u", agg.sum("u")), ("d", agg.sum("d")), ("n", agg.count_distinct("d")), ("v", agg.var_pop("u")))
    alone, merged = Bank(schema, aggregations), Bank(schema, aggregations)
    alone.update(batch, np.arange(2), 2)
    merged.merge(alone.raw(batch), np.arange(2), 2)
    assert merged.results(np.arange(2)) == alone.results(np.arange(2))
    large = pa.record_batch({"u": pa.array([2**63], pa.uint64()), "d": batch.column(1).slice(1)})
    with pytest.raises(RowError, match="beyond BIGINT"):
        alone.raw(large)
