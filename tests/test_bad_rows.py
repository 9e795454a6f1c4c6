"""Rows of odd values, names, types and times: right results, clear errors or dead letters, and none lost."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from flow import Graph, GraphError, RowError, SettingsError, Source, Split, Stream
from operators import (
    Collect,
    Csv,
    Expression,
    JsonLines,
    Parquet,
    Project,
    SqlError,
    Table,
    Tumble,
    agg,
    col,
    lit,
    sql,
)
from tests.bad_input import PLACES, failure, penstock, read, run

V = col("v")
DAY = 86_400_000_000


@PLACES
@pytest.mark.parametrize("name", ["_key_group", "_window", "window_start", "key 0", "weight", "", "a.b", "ünï"])
def test_columns_named_like_ours_are_keys_like_any_other(name: str, partitions: int) -> None:
    rows = Table({name: [1, 2, 3] * 100, "v": range(300)}, batch_rows=50)
    outcome = read(rows, partitions=partitions, then=lambda s: s.key_by(name).aggregate(n=agg.count(), s=agg.sum("v")))
    assert sorted(row[name] for row in outcome.rows) == [1, 2, 3]
    assert sum(row["s"] for row in outcome.rows) == sum(range(300))


def test_names_that_are_ours_alone_are_refused() -> None:
    with pytest.raises(GraphError, match="'in': the column name '_weight' is kept for changelogs"):
        Graph("g").source("in", Table({"_weight": ["x"]}))
    stream = Graph("g").source(
        "in", Table({"window_start": [1], "t": pa.array([1], pa.timestamp("us"))}), event_time="t"
    )
    with pytest.raises(GraphError, match=r"not: \['window_start'\]"):
        stream.key_by("window_start").aggregate(window=Tumble("t", "1s"), n=agg.count())
    with pytest.raises(SqlError, match="TUMBLE adds a column 'window_start', and 'x' has one already"):
        sql("SELECT window_start FROM TUMBLE(x, t, INTERVAL '1 second')", x=stream)
    with pytest.raises(SqlError, match="no column may be called '_key_group'"):
        sql("SELECT 1 AS _key_group FROM x", x=stream)


def test_column_names_must_be_unique() -> None:
    with pytest.raises(GraphError, match=r"'in': column names must be unique; these are not: \['a'\]"):
        Graph("g").source("in", Table(pa.table([[1], [2]], names=["a", "a"])))


def test_a_router_on_no_key_on_no_column_and_on_columns_that_cannot_be_keys() -> None:
    views = pa.table({"v": pa.array([[1]], pa.list_view(pa.int64())), "s": pa.array(["a"], pa.string_view()), "a": [1]})
    stream = Graph("g").source("in", Table(views))
    with pytest.raises(GraphError, match="needs at least one key column"):
        stream.key_by()
    with pytest.raises(GraphError, match="no key column 'b'"):
        stream.key_by("b")
    with pytest.raises(GraphError, match="key column 'v': values of type list_view<item: int64> cannot be keys"):
        stream.key_by("v")
    with pytest.raises(GraphError, match=r"columns of type string_view cannot be divided: cast \['s'\] first"):
        stream.map_batches(lambda batch: batch, views.schema).key_by("a")


NESTED = {
    "list": pa.array([[1], [2], None] * 10),
    "struct": pa.array([{"a": 1}, {"a": 2}, None] * 10),
    "map": pa.array([[("a", 1)], [], None] * 10, pa.map_(pa.string(), pa.int64())),
    "decimal": pa.array([1, 2, None] * 10, pa.decimal128(30, 3)),
    "dictionary": pa.array(["a", "b", None] * 10).dictionary_encode(),
    "nan": pa.array([math.nan, 0.0, -0.0] * 10),
    "null": pa.nulls(30),
}


@PLACES
@pytest.mark.parametrize("kind", NESTED)
def test_keys_of_nested_and_odd_types(kind: str, partitions: int) -> None:
    rows = Table(pa.table({"k": NESTED[kind], "v": range(30)}), batch_rows=7)
    outcome = read(rows, partitions=partitions, then=lambda s: s.key_by("k").aggregate(n=agg.count()))
    counts = {"nan": [10, 20], "null": [30]}.get(kind, [10, 10, 10])
    assert sorted(row["n"] for row in outcome.rows) == counts


@PLACES
def test_nan_and_infinities_are_values(partitions: int) -> None:
    rows = Table({"k": [0, 0, 1, 1], "v": [math.nan, 1.0, math.inf, -math.inf]})
    total = lambda stream: stream.key_by("k").aggregate(s=agg.sum("v"), low=agg.min("v"), high=agg.max("v"))  # noqa: E731
    found = {row["k"]: row for row in read(rows, partitions=partitions, then=total).rows}
    assert math.isnan(found[0]["s"])
    assert math.isnan(found[0]["high"])
    assert (found[0]["low"], found[1]["low"], found[1]["high"]) == (1.0, -math.inf, math.inf)


@PLACES
def test_a_sum_beyond_its_type_is_an_error_not_a_wrap(partitions: int) -> None:
    rows = Table({"k": [0, 0], "v": [2**63 - 1, 1]})
    error = failure(
        lambda: read(rows, partitions=partitions, then=lambda s: s.key_by("k").aggregate(name="total", s=agg.sum("v")))
    )
    assert error.node.startswith("total")
    assert "the sum is beyond BIGINT" in str(error)


@PLACES
@pytest.mark.parametrize(
    ("expression", "bad"),
    [(V + V, 1), (V * V, 1), (lit(1) / (V - V), 500), (lit(1) // (V - 5), 1), (V.cast(pa.int16()), 1)],
    ids=["sum", "product", "all by zero", "by zero", "cast"],
)
def test_arithmetic_without_a_result_gives_up_its_row_only(expression: Expression, bad: int, partitions: int) -> None:
    rows = Table({"v": [*range(1, 500), 2**62 + 1]})
    graph, out, dead = Graph("g"), Collect(), Collect()
    project = Project((("x", expression),))
    computed = graph.source("in", rows).apply(project, name="computed", on_error="dead_letter")
    computed.sink("out", out)
    computed.dead_letters.sink("dead", dead)
    stats = run(graph, partitions)
    assert (len(out.rows), len(dead.rows), stats.rows_in) == (500 - bad, bad, 500)
    assert dead.rows[0]["node"] == "computed"


Dicts = list[dict[str, Any]]


def tumbled(times: pa.Array, partitions: int, on_error: Any = "fail") -> tuple[Dicts, Dicts]:
    graph, out, dead = Graph("g"), Collect(), Collect()
    stream = graph.source("in", Table(pa.table({"t": times, "v": range(len(times))})), event_time="t").key_by("v")
    counted = stream.aggregate(window=Tumble("t", "1 day"), n=agg.count(), name="days", on_error=on_error)
    counted.sink("out", out)
    if on_error == "dead_letter":
        counted.dead_letters.sink("dead", dead)
    run(graph, partitions)
    return out.rows, dead.rows if on_error == "dead_letter" else []


@PLACES
def test_event_times_of_year_1_and_of_year_9999(partitions: int) -> None:
    first, last = -62_135_596_800_000_000, 253_402_300_799_999_999
    rows, _ = tumbled(pa.array([first, 0, last - DAY], pa.timestamp("us")), partitions)
    starts = sorted(row["window_start"] for row in rows)
    assert [start.isoformat() for start in starts] == [
        "0001-01-01T00:00:00",
        "1970-01-01T00:00:00",
        "9999-12-30T00:00:00",
    ]


@PLACES
@pytest.mark.parametrize(
    ("unit", "far"), [("us", 2**63 - 1), ("us", -(2**63)), ("ms", 2**62), ("s", 2**62), ("s", -(2**62)), ("us", None)]
)
def test_event_times_beyond_all_windows_are_dead_letters(unit: str, far: int | None, partitions: int) -> None:
    times = pa.array([far, 0, 1], pa.timestamp(unit))
    error = failure(lambda: tumbled(times, partitions))
    assert isinstance(error.cause, RowError)
    assert error.node.startswith("days")
    rows, letters = tumbled(times, partitions, "dead_letter")
    assert len(rows) == 2
    assert len(letters) == 1
    assert json.loads(letters[0]["row"])["v"] == 0
    assert ("NULL event time" if far is None else "too far away for a window") in letters[0]["error"]


@PLACES
def test_late_rows_are_counted_and_told(partitions: int) -> None:
    times = pa.array([0, 10 * DAY, 1, 11 * DAY], pa.timestamp("us"))
    graph, out, late = Graph("g"), Collect(), Collect()
    stream = graph.source("in", Table(pa.table({"t": times}), batch_rows=1), event_time="t").key_by("t")
    counted = stream.aggregate(window=Tumble("t", "1 day"), n=agg.count())
    counted.sink("out", out)
    counted.late.sink("late", late)
    stats = run(graph, partitions)
    assert stats.late_rows == len(late.rows)
    assert len(out.rows) + len(late.rows) == 4


@PLACES
def test_a_row_from_the_future_does_not_make_others_late_where_it_is_bounded(partitions: int) -> None:
    times = pa.array([0, 7_000 * 365 * DAY, 1, 2], pa.timestamp("us"))
    rows = Table(pa.table({"t": times}), batch_rows=1)
    then = lambda stream: stream.key_by("t").aggregate(window=Tumble("t", "1 day"), n=agg.count())  # noqa: E731
    outcome = read(rows, partitions=partitions, then=then, event_time="t", max_future="1 day")
    assert (outcome.stats.late_rows, len(outcome.rows)) == (0, 4)


def test_event_time_of_the_wrong_type_and_durations_that_are_none() -> None:
    rows = Table({"t": pa.array([1], pa.timestamp("us")), "v": [1]})
    for column, said in (("v", "'in': event time column 'v' has type int64"), ("w", "'in': no column 'w'")):
        with pytest.raises(GraphError, match=said):
            Graph("g").source("in", rows, event_time=column)
    for option in ("delay", "idle_timeout", "max_future"):
        with pytest.raises(GraphError, match=f"'in': {option} must not be negative"):
            Graph("g").source("in", rows, event_time="t", **{option: -5})
    for wrong in ("-1s", "soon", math.nan, math.inf, 2**70, True, [1]):
        with pytest.raises(SettingsError, match="no duration"):
            Graph("g").source("in", rows, event_time="t", delay=wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        (pa.array([2**63 - 1], pa.timestamp("us")), "<value out of range: 9223372036854775807>"),
        (pa.array([1], pa.timestamp("ns")), "1970-01-01 00:00:00.000000001"),
        (pa.array([math.nan]), "NaN"),
        (pa.array([[-math.inf]]), ["-Infinity"]),
        (pa.array([b"\xff"]), "b'\\xff'"),
        (pa.array(["x" * 10_000_000]), "x" * 10_000_000),
    ],
)
def test_a_dead_letter_can_hold_every_value(values: pa.Array, shown: Any) -> None:
    graph, dead = Graph("g"), Collect()

    def refuse(batch: pa.RecordBatch) -> pa.RecordBatch:
        if batch.num_rows:
            raise ValueError("not this one")
        return batch

    refused = graph.source("in", Table(pa.table({"v": values}))).map_batches(refuse, on_error="dead_letter")
    refused.sink("out", Collect())
    refused.dead_letters.sink("dead", dead)
    run(graph)
    (letter,) = dead.rows
    assert json.loads(letter["row"], parse_constant=lambda name: pytest.fail(f"{name} is no JSON")) == {"v": shown}


@PLACES
def test_huge_cells_pass_and_are_shortened_in_errors(partitions: int) -> None:
    rows = Table({"s": ["x" * 10_000_000, "y", "z" * 10_000_000], "k": [1, 2, 3]})
    outcome = read(rows, partitions=partitions, then=lambda s: s.key_by("s").aggregate(n=agg.count()))
    assert sorted(len(row["s"]) for row in outcome.rows) == [1, 10_000_000, 10_000_000]
    error = failure(lambda: read(rows, then=lambda s: s.map(lambda row: {"s": 1}, name="bad")))
    assert error.node == "bad"
    assert len(str(error)) < 2_000


@PLACES
def test_two_hundred_thousand_distinct_dictionary_values(partitions: int) -> None:
    users = pa.array([f"user-{number}" for number in range(200_000)]).dictionary_encode()
    rows = Table(pa.table({"user": users, "v": np.ones(200_000, np.int64)}))
    outcome = read(rows, partitions=partitions, then=lambda s: s.key_by("user").aggregate(n=agg.sum("v")))
    assert len(outcome.rows) == 200_000


@pytest.mark.parametrize(
    "then",
    [
        lambda stream: stream,
        lambda stream: stream.key_by("c0").map_batches(lambda batch: batch),
        lambda stream: stream.key_by("c0").aggregate(s=agg.sum("c7")),
        lambda stream: sql("SELECT c5, c6 + 1 AS x FROM t WHERE c4 > 0", t=stream),
        lambda stream: sql("SELECT * FROM t WHERE c4 > 0", t=stream),
    ],
)
def test_five_thousand_columns(then: Callable[[Stream], Stream]) -> None:
    wide = pa.table([pa.array([1, 2, 3])] * 5_000, names=[f"c{number}" for number in range(5_000)])
    assert len(read(Table(wide), partitions=2, then=then).rows) == 3


@pytest.mark.parametrize("form", [Parquet, Csv, JsonLines])
def test_five_thousand_columns_through_files(form: Callable[[Path], Any], tmp_path: Path) -> None:
    wide = pa.table([pa.array([1])] * 5_000, names=[f"c{number}" for number in range(5_000)])
    graph = Graph("g")
    graph.source("in", Table(wide)).sink("out", form(tmp_path))
    run(graph)
    assert read(form(tmp_path)).rows == wide.to_pylist()


def test_twenty_thousand_columns_end() -> None:
    names = [f"c{number}" for number in range(20_000)]
    wide = Table(pa.table([pa.array([1, 2])] * 20_000, names=names))
    outcome = read(wide, then=lambda stream: sql("SELECT c5, c6 + 1 AS x FROM t WHERE c4 > 1", t=stream))
    assert outcome.rows == [{"c5": 2, "x": 3}]


class NoSplits(Source):
    """Has columns, and nothing to read."""

    def schema(self) -> pa.Schema:
        return pa.schema([("a", pa.int64())])

    def splits(self) -> list[Split]:
        return []

    def open(self, split: Split, offset: Any = None) -> Any:
        raise AssertionError("there is nothing to open")


@PLACES
def test_no_splits_and_no_rows_and_one_row(partitions: int) -> None:
    then = lambda stream: stream.key_by("a").aggregate(n=agg.count())  # noqa: E731
    empty = pa.table({"a": pa.array([], pa.int64())})
    for source, rows in ((NoSplits(), []), (Table(empty), []), (Table({"a": [1]}), [{"a": 1, "n": 1}])):
        assert read(source, partitions=partitions, then=then).rows == rows


def test_bad_rows_of_the_command_are_told_with_their_place(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,x\n2\n")
    (tmp_path / "flow.sql").write_text(
        "CREATE TABLE t (a BIGINT, b VARCHAR) WITH (connector = 'files', path = 't.csv', format = 'csv');\n"
        "CREATE TABLE o WITH (connector = 'files', path = 'out/', format = 'csv');\n"
        "INSERT INTO o SELECT * FROM t;\n"
    )
    made = penstock("run", "flow.sql", "--quiet", "--partitions", "3", cwd=tmp_path)
    assert made.returncode == 1
    assert made.stderr.splitlines()[0] == "failed: t (reader 0, offset 8 of split 't.csv@0')"
    assert not (tmp_path / "out").exists()
