from __future__ import annotations

from datetime import datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow import GraphError, RowError
from flow.schema import AFTER_ALL, StreamSchema
from operators import Hop, Tumble, WindowAggregate, agg
from operators.window import Window
from tests.aggregating import cut, handed_over, opened, oracle, rows, run, run_in_two, same, summed

BARS = {
    "n": agg.count(),
    "volume": agg.sum("volume"),
    "price": agg.avg("price"),
    "low": agg.min("price"),
    "high": agg.max("price"),
    "spread": agg.stddev("price"),
}
BARS_SQL = "count(*), sum(volume)::BIGINT, avg(price), min(price), max(price), stddev_samp(price)"


def made(number: int, unit: str = "us", start: int = 0, length: int = 600) -> pa.Table:
    """Rows over `length` seconds from `start` (seconds), at random."""
    random = np.random.default_rng(number)
    per_second = {"s": 1, "ms": 1000, "us": 10**6, "ns": 10**9}[unit]
    times = random.integers(start * per_second, (start + length) * per_second, number)
    symbols = pa.array(random.integers(0, 5, number).astype(str))
    return pa.table(
        {
            "symbol": symbols.dictionary_encode(),
            "volume": pa.array(random.integers(0, 1000, number), mask=random.random(number) < 0.1),
            "price": random.normal(100, 3, number),
            "time": pa.array(times, pa.timestamp(unit)),
        }
    )


def expected(
    table: pa.Table, window: Window, keys: str = "symbol, ", aggregates: str = BARS_SQL
) -> list[tuple[object, ...]]:
    """What DuckDB says: every window that could hold a row, joined with the rows in it."""
    query = f"""
        WITH timed AS (SELECT *, epoch_us({window.column}::TIMESTAMP) AS happened FROM t),
        numbers AS (SELECT unnest(range(
            (SELECT floor((min(happened) - {window.offset} - {window.size}) / {window.slide}.0)::BIGINT FROM timed),
            (SELECT ceil((max(happened) - {window.offset}) / {window.slide}.0)::BIGINT + 1 FROM timed))) AS k),
        windows AS (SELECT k * {window.slide} + {window.offset} AS low FROM numbers)
        SELECT {keys} make_timestamp(low), make_timestamp(low + {window.size}), {aggregates}
        FROM timed JOIN windows ON happened >= low AND happened < low + {window.size}
        GROUP BY {keys} low"""
    return oracle(query, t=table)


WINDOWS = [
    Tumble("time", "1 minute"),
    Tumble("time", "7s", "3s"),
    Hop("time", "5 minutes", "1 minute"),
    Hop("time", "5s", "3s", "1s"),
    Hop("time", "10s", "25s"),
]


@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize("start", [0, -300])
def test_windows_are_duckdbs(window: Window, start: int) -> None:
    table = made(300, start=start)
    schema = StreamSchema(table.schema, "time")
    wanted = expected(table, window)
    operator = WindowAggregate(("symbol",), BARS, window)
    for sizes in ((41, 7), (300,)):
        same(run(operator, schema, cut(table, sizes)), wanted)
    same(run_in_two(operator, schema, cut(table, (23,))), wanted)
    changes = WindowAggregate(("symbol",), BARS, window, "changes")
    same(summed(run(changes, schema, cut(table, (41, 7)))), wanted)
    same(summed(run_in_two(changes, schema, cut(table, (23,)))), wanted)


@pytest.mark.parametrize("unit", ["s", "ms", "ns"])
def test_times_of_any_unit(unit: str) -> None:
    table = made(100, unit, -60, 120)
    window = Tumble("time", "10s")
    got = run(WindowAggregate(("symbol",), BARS, window), StreamSchema(table.schema, "time"), cut(table, (30,)))
    same(got, expected(table, window))


def test_functions_that_are_not_merged_before_the_exchange() -> None:
    table = made(200)
    schema = StreamSchema(table.schema, "time")
    wanted = {"different": agg.count_distinct("volume"), "first": agg.first("volume"), "last": agg.last("price")}
    sql = """count(DISTINCT volume), (arg_min(volume, time) FILTER (WHERE volume IS NOT NULL)), arg_max(price, time)"""
    for window in (Tumble("time", "1 minute"), Hop("time", "90s", "1 minute")):
        operator = WindowAggregate(("symbol",), wanted, window)
        assert operator.two_phase({"in": schema}) is None
        same(run(operator, schema, cut(table, (33,))), expected(table, window, aggregates=sql))


def test_without_keys() -> None:
    table = made(200)
    schema = StreamSchema(table.schema, "time")
    for window in WINDOWS:
        operator = WindowAggregate((), BARS, window)
        assert operator.single
        same(run(operator, schema, cut(table, (33,))), expected(table, window, ""))
        same(run_in_two(operator, schema, cut(table, (33,))), expected(table, window, ""))


def test_the_zone_of_the_event_time_is_kept() -> None:
    times = pa.array([0, 61_000_000], pa.timestamp("us", "Europe/Berlin"))
    table = pa.table({"time": times})
    operator = WindowAggregate((), {"n": agg.count()}, Tumble("time", "1 minute"))
    schema = StreamSchema(table.schema, "time")
    output = operator.output({"in": schema})
    assert output.columns.field("window_start").type == times.type
    assert output.event_time == "window_end"
    assert [row[2] for row in run(operator, schema, cut(table, (2,)))] == [1, 1]


def seconds(*times: float | None) -> pa.RecordBatch:
    values = [None if time is None else round(time * 10**6) for time in times]
    return pa.record_batch({"k": ["a"] * len(times), "time": pa.array(values, pa.timestamp("us"))})


EPOCH = datetime(1970, 1, 1)
SECONDS = StreamSchema(seconds(0).schema, "time")


def starts(batches: object) -> list[tuple[float, int]]:
    return [((row[1] - EPOCH).total_seconds(), row[3]) for row in rows(batches)]  # type: ignore[arg-type]


def test_windows_close_in_order_once_the_watermark_reaches_their_end() -> None:
    partition = opened(WindowAggregate(("k",), {"n": agg.count()}, Tumble("time", 10)), SECONDS)
    assert list(partition.on_batch(seconds(25, 3, 10, 9.999999, 19, 41))) == []
    assert starts(partition.on_watermark(9_999_999)) == []
    assert starts(partition.on_watermark(10_000_000)) == [(0, 2)]
    assert starts(partition.on_watermark(10_000_000)) == []
    assert starts(partition.on_watermark(45_000_000)) == [(10, 2), (20, 1)]
    assert starts(partition.on_watermark(AFTER_ALL)) == [(40, 1)]
    assert list(partition.on_end()) == []


def test_many_windows_in_one_batch_close_piece_by_piece() -> None:
    partition = opened(WindowAggregate(("k",), {"n": agg.count()}, Tumble("time", 1)), SECONDS)
    random = np.random.default_rng(0)
    times = random.permutation(np.repeat(np.arange(100), 3))
    assert list(partition.on_batch(seconds(*times.tolist(), 10**9))) == []
    seen = []
    for end in (1, 10, 11, 64, 65, 100):
        closed = starts(partition.on_watermark(end * 10**6))
        assert closed == sorted(closed)
        seen += closed
        assert len(seen) == end
    assert seen == [(time, 3) for time in range(100)]
    assert starts(partition.on_watermark(AFTER_ALL)) == [(10**9, 1)]


@pytest.mark.parametrize("functions", [{"n": agg.count()}, {"n": agg.count(), "l": agg.last("k")}], ids=len)
def test_late_rows_are_handed_over_as_they_came(functions: dict[str, object]) -> None:
    late: list[pa.RecordBatch] = []
    operator = WindowAggregate(("k",), functions, Hop("time", 20, 10), allowed_lateness=5)  # type: ignore[arg-type]
    partition = opened(operator, SECONDS, late=late.append)
    assert list(partition.on_batch(seconds(1, 12))) == []
    assert starts(partition.on_watermark(24_000_000)) == [(-10, 1)]
    assert list(partition.on_batch(seconds(2, 13))) == []
    assert late == []
    assert starts(partition.on_watermark(25_000_000)) == [(0, 4)]
    assert list(partition.on_batch(seconds(3, 14, 30, 9))) == []
    assert pa.Table.from_batches(late)["time"].cast(pa.int64()).to_pylist() == [3_000_000, 9_000_000]
    assert starts(partition.on_watermark(AFTER_ALL)) == [(10, 3), (20, 1), (30, 1)]


def test_late_rows_are_counted_where_only_partial_results_arrive() -> None:
    operator = WindowAggregate(("k",), {"n": agg.count()}, Tumble("time", 10))
    phases = operator.two_phase({"in": SECONDS})
    assert phases is not None
    before = opened(phases.before, SECONDS)
    counted: list[int] = []
    after = opened(phases.after, phases.before.output({"in": SECONDS}), late_rows=counted.append)
    list(after.on_watermark(20_000_000))
    assert list(before.on_batch(seconds(1, 2, 13, 22))) == []
    for partial in before.flush():
        assert list(after.on_batch(partial)) == []
    assert list(before.flush()) == []
    assert starts(after.on_watermark(AFTER_ALL)) == [(20, 1)]
    assert counted == [3]


def test_rows_between_windows_are_in_none_and_not_late() -> None:
    late: list[pa.RecordBatch] = []
    partition = opened(WindowAggregate(("k",), {"n": agg.count()}, Hop("time", 5, 20)), SECONDS, late=late.append)
    list(partition.on_watermark(50_000_000))
    list(partition.on_batch(seconds(30, 44, 46, 50)))
    assert [batch.num_rows for batch in late] == [1]
    assert starts(partition.on_watermark(AFTER_ALL)) == []


def test_rows_without_event_time_are_rejected() -> None:
    rejected: list[tuple[int, str]] = []
    operator = WindowAggregate(("k",), {"n": agg.count()}, Tumble("time", 10))
    partition = opened(operator, SECONDS, reject=lambda batch, error: rejected.append((batch.num_rows, error)))
    list(partition.on_batch(seconds(1, None, 2, None)))
    list(partition.on_batch(seconds(None)))
    assert rejected == [(2, "NULL event time in 'time'"), (1, "NULL event time in 'time'")]
    assert starts(partition.on_watermark(AFTER_ALL)) == [(0, 2)]
    with pytest.raises(RowError, match="NULL event time"):
        list(opened(operator, SECONDS).on_batch(seconds(None)))


@pytest.mark.parametrize(("before", "after"), [(1, 3), (3, 2)])
@pytest.mark.parametrize("window", WINDOWS[1:3], ids=str)
def test_state_moves_to_another_number_of_partitions(window: Window, before: int, after: int) -> None:
    table = made(200, length=70)
    functions = {**BARS, "different": agg.count_distinct("volume"), "last": agg.last("price")}
    for aggregations in (BARS, functions):
        operator = WindowAggregate(("symbol",), aggregations, window)
        schema = StreamSchema(table.schema, "time")
        wanted = run(operator, schema, cut(table, (40,)))
        same(handed_over(operator, schema, cut(table, (40,)), ("symbol",), before, after), wanted)


def test_closed_windows_stay_closed_over_a_snapshot() -> None:
    operator = WindowAggregate(("k",), {"n": agg.count()}, Tumble("time", 10))
    partition = opened(operator, SECONDS)
    list(partition.on_batch(seconds(*range(50))))
    assert len(list(partition.on_watermark(35_000_000))) == 1
    late: list[pa.RecordBatch] = []
    again = opened(operator, SECONDS, late=late.append)
    again.restore(partition.snapshot())
    list(again.on_batch(seconds(29, 30)))
    assert [batch.num_rows for batch in late] == [1]
    assert starts(again.on_watermark(AFTER_ALL)) == [(30, 11), (40, 10)]


def test_keys_of_the_past_are_forgotten() -> None:
    operator = WindowAggregate(("k",), {"n": agg.count()}, Tumble("time", 1))
    schema = StreamSchema(pa.schema([("k", pa.string()), ("time", pa.timestamp("us"))]), "time")
    partition = opened(operator, schema)
    sizes = []
    for second in range(6):
        keys = pa.array(np.arange(second * 20_000, (second + 1) * 20_000)).cast(pa.string())
        times = pa.array(np.full(20_000, second * 10**6), pa.timestamp("us"))
        list(partition.on_batch(pa.record_batch([keys, times], schema=schema.columns)))
        assert sum(batch.num_rows for batch in partition.on_watermark((second + 1) * 10**6)) == 20_000
        sizes.append(len(partition._panes._numbered))  # type: ignore[attr-defined]
    assert max(sizes) <= 40_000
    assert list(partition._panes) == []  # type: ignore[attr-defined]


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(-60, 60), st.integers(0, 9)), min_size=1, max_size=40),
    st.lists(st.integers(1, 9), min_size=1, max_size=3),
    st.integers(1, 20),
    st.integers(1, 20),
    st.integers(-5, 5),
)
@settings(max_examples=25, deadline=None)
def test_any_batching_and_any_window_gives_duckdbs_answer(
    given_rows: list[tuple[str, int, int]], sizes: list[int], size: int, slide: int, offset: int
) -> None:
    keys, times, values = zip(*given_rows, strict=True)
    table = pa.table({"symbol": keys, "x": values, "time": pa.array(times, pa.timestamp("us"))})
    window = Hop("time", size / 1e6, slide / 1e6, offset / 1e6)
    schema = StreamSchema(table.schema, "time")
    functions = {"n": agg.count(), "x": agg.sum("x")}
    wanted = expected(table, window, aggregates="count(*), sum(x)::BIGINT")
    same(run(WindowAggregate(("symbol",), functions, window), schema, cut(table, sizes)), wanted)
    same(run_in_two(WindowAggregate(("symbol",), functions, window), schema, cut(table, sizes)), wanted)
    changes = WindowAggregate(("symbol",), functions, window, "changes")
    same(summed(run(changes, schema, cut(table, sizes))), wanted)


def test_what_does_not_fit_is_refused_before_it_runs() -> None:
    n = {"n": agg.count()}
    with pytest.raises(GraphError, match="it must be a timestamp"):
        WindowAggregate(("k",), n, Tumble("k", 1)).output({"in": SECONDS})
    with pytest.raises(GraphError, match=r"would never close.*there is none"):
        WindowAggregate(("k",), n, Tumble("time", 1)).output({"in": StreamSchema(SECONDS.columns)})
    with pytest.raises(GraphError, match="lateness must not be negative"):
        WindowAggregate(("k",), n, Tumble("time", 1), allowed_lateness=-1)
    assert WindowAggregate(("k",), n, Tumble("time", 1), allowed_lateness=1).output({"in": SECONDS}).event_time is None
