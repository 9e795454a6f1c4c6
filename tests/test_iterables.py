"""Python iterables as sources."""

import pickle
from datetime import datetime

import pyarrow as pa
import pytest
import trio

from flow import Graph, GraphError, Idle
from operators.in_process import iterables
from operators.in_process.iterables import AsyncRows, Batches, Rows
from operators.in_process.tables import Collect

ROWS = [{"n": n, "s": f"row {n}"} for n in range(5)]
COLUMNS = pa.schema([("n", pa.int64()), ("s", pa.string())])


def five():
    yield from ROWS


def read_all(source, offset=None):
    (split,) = source.splits()
    reader = source.open(split, offset)
    answers = []
    while (answer := reader.read()) is not None:
        answers.append(answer)
    rejected = reader.take_rejected()
    reader.close()
    batches = [answer for answer in answers if not isinstance(answer, Idle)]
    assert all(batch.schema == source.schema() for batch in batches)
    return [row for batch in batches for row in batch.to_pylist()], rejected


@pytest.mark.parametrize("rows", [ROWS, five, tuple(ROWS)])
def test_rows_tell_their_columns(rows):
    assert Rows(rows).schema() == COLUMNS
    assert read_all(Rows(rows)) == (ROWS, [])
    assert read_all(Rows(rows), 3) == (ROWS[3:], [])
    assert read_all(Rows(rows, {"n": "float"})) == ([{"n": float(n)} for n in range(5)], [])


def test_columns_of_a_list_are_those_of_its_first_rows():
    rows = [{"a": 1}, {"b": "x"}, {"a": 2.5}, {"t": datetime(2024, 1, 1)}]
    assert Rows(rows).schema() == pa.schema([("a", pa.float64()), ("b", pa.string()), ("t", pa.timestamp("us"))])
    assert read_all(Rows(rows))[0][1] == {"a": None, "b": "x", "t": None}


@pytest.mark.parametrize(
    ("rows", "error"),
    [
        ([], "no row to tell the columns by; pass schema="),
        ([{"a": None}], "column 'a' has no value in the first 1 rows: its type is unknown; pass schema="),
        ([{"a": 1}, {"a": "x"}], "column 'a': .*; pass schema="),
        ([1], r"a row is a dict, not 1 \(int\); pass schema="),
        (lambda: iter([]), "no row to tell the columns by"),
    ],
)
def test_columns_that_cannot_be_told(rows, error):
    with pytest.raises(GraphError, match=error):
        Rows(rows).schema()


def test_rows_that_do_not_fit_are_rejected_one_by_one():
    rows = [{"n": 1}, {"n": "x"}, {"n": 2, "more": 1}, "text", {"n": 2.5}, {}, {"n": 3}]
    found, rejected = read_all(Rows(rows, {"n": "int64"}))
    assert found == [{"n": 1}, {"n": 2}, {"n": None}, {"n": 3}]
    assert [(row.offset, row.row, row.error) for row in rejected] == [
        (1, "{'n': 'x'}", "column 'n': 'x' (str) is no int64"),
        (3, "'text'", "a row is a dict, not 'text' (str)"),
        (4, "{'n': 2.5}", "column 'n': 2.5 (float) is no int64"),
    ]


def test_unknown_keys_are_errors_where_columns_were_inferred():
    def rows():
        yield {"n": 1}
        yield {"n": 2, "m": 3}

    found, rejected = read_all(Rows(rows))
    assert found == [{"n": 1}]
    assert [row.error for row in rejected] == ["no column 'm'; known here: ['n']"]


def test_narrowing_reads_some_columns():
    assert read_all(Rows(ROWS).narrow(["s"])) == ([{"s": row["s"]} for row in ROWS], [])
    assert Rows(ROWS).narrow(["s", "n"]).schema().names == ["s", "n"]
    nothing = Rows(ROWS).narrow([])
    assert nothing.open(nothing.splits()[0]).read().num_rows == 5
    with pytest.raises(GraphError, match=r"no column 'm'; known here: \['n', 's'\]"):
        Rows(ROWS).narrow(["m"]).schema()


class Clock:
    now = 0.0


@pytest.fixture
def clock(monkeypatch):
    monkeypatch.setattr(iterables, "monotonic", lambda: Clock.now)
    return Clock


def test_rows_that_are_waited_for_are_handed_on_one_by_one(clock):
    def slow():
        for n in range(200):
            if n % 100 == 0:
                clock.now += 10
            yield {"n": n}

    source = Rows(slow, {"n": "int64"})
    reader = source.open(source.splits()[0])
    sizes = []
    while (answer := reader.read()) is not None:
        sizes.append("pause" if isinstance(answer, Idle) else answer.num_rows)
    assert sizes == [1, "pause"] * 64 + [37, "pause"] + [1, "pause"] * 63 + [36]


def test_a_chunk_ends_after_a_while(clock):
    class Steady(list):
        def __iter__(self):
            for row in list.__iter__(self):
                clock.now += 0.0005
                yield row

    source = Rows(Steady(ROWS * 10), COLUMNS)
    reader = source.open(source.splits()[0])
    assert [reader.read().num_rows for _ in range(3)] == [5, 5, 5]


def test_chunks_of_a_list_are_bounded():
    source = Rows([{"n": 1}] * 70_000)
    reader = source.open(source.splits()[0])
    sizes = []
    while (batch := reader.read()) is not None:
        sizes.append(batch.num_rows)
    assert sum(sizes) == 70_000
    assert max(sizes) <= 65_536


def test_generators_are_closed():
    closed = []

    def rows():
        try:
            yield {"n": 1}
            yield {"n": 2}
        finally:
            closed.append(True)

    source = Rows(rows, {"n": "int64"})
    reader = source.open(source.splits()[0])
    reader.read()
    assert not closed
    reader.close()
    assert closed == [True]
    source = Rows(rows)
    source.schema()
    assert closed == [True, True]


def test_what_can_be_gone_through_once_is_refused():
    for source in (Rows, Batches):
        with pytest.raises(GraphError, match="a generator can be gone through only once: pass the function"):
            source(five())
        with pytest.raises(GraphError, match="a int is neither an iterable nor a function"):
            source(5)
    with pytest.raises(GraphError, match="a async_generator is no function"):
        AsyncRows(ticks(1), COLUMNS)


def two_batches():
    yield pa.record_batch({"n": [1, 2], "s": ["a", "b"]})
    yield pa.record_batch({"n": [3], "s": ["c"]})


@pytest.mark.parametrize("batches", [two_batches, list(two_batches())])
def test_batches(batches):
    source = Batches(batches)
    assert source.schema() == COLUMNS
    assert [row["n"] for row in read_all(source)[0]] == [1, 2, 3]
    assert [row["n"] for row in read_all(source, 1)[0]] == [3]
    assert read_all(source.narrow(["s"]))[0] == [{"s": "a"}, {"s": "b"}, {"s": "c"}]


def test_batches_must_agree():
    batches = [pa.record_batch({"n": [1]}), pa.record_batch({"n": ["x"]})]
    with pytest.raises(TypeError, match="batch 1 has the columns n: string; expected n: int64"):
        read_all(Batches(batches))
    with pytest.raises(TypeError, match="batch 0 has the columns n: int64; expected n: string"):
        read_all(Batches(batches, {"n": "string"}))
    with pytest.raises(GraphError, match="no record batch to tell the columns by, but None; pass schema="):
        Batches([]).schema()


async def ticks(count):
    for n in range(count):
        await trio.sleep(1)
        yield {"n": n, "s": f"tick {n}"}


def three_ticks():
    return ticks(3)


async def read_all_async(source, offset=None):
    reader = source.open(source.splits()[0], offset)
    batches = []
    try:
        while (batch := await reader.read()) is not None:
            assert batch.schema == source.schema()
            batches.append(batch)
    finally:
        await reader.aclose()
    rejected = reader.take_rejected()
    offset = reader.offset()
    return [batch.to_pylist() for batch in batches], rejected, offset


async def test_async_rows_come_one_by_one(autojump_clock):
    source = AsyncRows(three_ticks, COLUMNS)
    reader = source.open(source.splits()[0])
    assert (await reader.read()).to_pylist() == [{"n": 0, "s": "tick 0"}]
    assert trio.current_time() == pytest.approx(1, abs=0.01)
    await reader.aclose()
    assert await read_all_async(source.narrow(["n"])) == ([[{"n": n}] for n in range(3)], [], 3)
    assert await read_all_async(source.narrow(["n"]), 2) == ([[{"n": 2}]], [], 3)


async def test_async_lists_and_batches():
    async def several():
        await trio.lowlevel.checkpoint()
        yield [{"n": 1}, {"n": "x"}, {"n": 2}]
        yield pa.record_batch({"s": ["a"], "n": [3]})
        yield 4

    found, rejected, offset = await read_all_async(AsyncRows(several, {"n": "int64"}))
    assert found == [[{"n": 1}, {"n": 2}], [{"n": 3}], []]
    assert [(row.offset, row.row) for row in rejected] == [(0, "{'n': 'x'}"), (2, "4")]
    assert offset == 3
    with pytest.raises(TypeError, match="item 1 has the columns s: string, n: int64; expected n: double"):
        await read_all_async(AsyncRows(several, {"n": "double"}))


async def test_reading_can_be_cancelled(autojump_clock):
    source = AsyncRows(three_ticks, COLUMNS)
    reader = source.open(source.splits()[0])
    with trio.move_on_after(0.5) as scope:
        await reader.read()
    assert scope.cancelled_caught
    await reader.aclose()


def test_they_are_values():
    for source in (Rows(ROWS), Rows(five, COLUMNS), Batches(two_batches), AsyncRows(three_ticks, COLUMNS)):
        assert pickle.loads(pickle.dumps(source)) == source
        assert len(repr(source)) < 250
    assert Rows(ROWS) != Rows(ROWS[1:])
    assert Rows(five, unbounded=True).unbounded


def test_in_a_graph():
    graph, out = Graph(), Collect()
    rows = graph.source("rows", Rows(five)).union(
        graph.source("batches", Batches(two_batches)), graph.source("ticks", AsyncRows(quick, COLUMNS))
    )
    rows.sink("out", out)
    graph.run()
    assert sorted(row["n"] for row in out.rows) == sorted([*range(5), 1, 2, 3, 7])


async def quick():
    await trio.lowlevel.checkpoint()
    yield {"n": 7, "s": "seven"}


def test_bad_rows_of_a_graph():
    graph, out, bad = Graph(), Collect(), Collect()
    source = graph.source("rows", Rows([{"n": 1}, {"n": "x"}], {"n": "int64"}), on_error="dead_letter")
    source.sink("out", out)
    source.dead_letters.sink("bad", bad)
    graph.run()
    assert out.rows == [{"n": 1}]
    assert [row["row"] for row in bad.rows] == ["{'n': 'x'}"]
