"""Rows made by a function of their number."""

import pickle

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow import Graph, GraphError, Idle
from operators.in_process import generators
from operators.in_process.generators import Generator
from operators.in_process.tables import Collect


def squares(start, count):
    numbers = np.arange(start, start + count)
    return pa.record_batch({"n": numbers, "square": numbers * numbers, "s": [str(n) for n in numbers]})


def read_all(source, split, offset=None):
    reader = source.open(split, offset)
    found = []
    while (batch := reader.read()) is not None:
        found.append(batch)
    return found


@given(rows=st.integers(0, 300), batch_rows=st.integers(1, 70), splits=st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_every_row_comes_once(rows, batch_rows, splits):
    source = Generator(squares, rows, batch_rows=batch_rows, splits=splits)
    parts = [read_all(source, split) for split in source.splits()]
    assert len(parts) == splits
    assert sorted(n for part in parts for batch in part for n in batch["n"].to_pylist()) == list(range(rows))
    assert max((batch.num_rows for part in parts for batch in part), default=0) <= batch_rows


def test_splits_advance_together():
    source = Generator(squares, 100, batch_rows=10, splits=3)
    assert [read_all(source, split)[0]["n"][0].as_py() for split in source.splits()] == [0, 10, 20]


def test_a_reader_resumes_after_the_last_row():
    source = Generator(squares, 100, batch_rows=10, splits=2)
    split = source.splits()[1]
    reader = source.open(split)
    reader.read()
    reader.read()
    assert reader.offset() == 20
    assert read_all(source, split, 20)[0]["n"].to_pylist() == list(range(50, 60))
    assert read_all(source, split, 25)[0]["n"].to_pylist() == list(range(55, 60))


def test_without_an_end():
    source = Generator(squares, batch_rows=1_000)
    assert source.unbounded
    assert not Generator(squares, 5).unbounded
    reader = source.open(source.splits()[0])
    assert [reader.read()["n"][0].as_py() for _ in range(3)] == [0, 1_000, 2_000]


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 100.0

    monkeypatch.setattr(generators, "monotonic", lambda: Clock.now)
    return Clock


def test_a_steady_rate(clock):
    source = Generator(squares, rate=10)
    reader = source.open(source.splits()[0])
    times = []
    while len(times) < 30:
        answer = reader.read()
        if isinstance(answer, Idle):
            assert 0 < answer.seconds <= 0.1001
            clock.now += answer.seconds
        else:
            assert answer.num_rows == 1
            times.append(clock.now - 100.0)
    assert times == pytest.approx([0.1 * (number + 1) for number in range(30)], abs=1e-3)


def test_a_high_rate_comes_in_batches(clock):
    source = Generator(squares, rate=100_000, splits=2)
    readers = [source.open(split) for split in source.splits()]
    clock.now += 1.0
    rows = [0, 0]
    for number, reader in enumerate(readers):
        while not isinstance(answer := reader.read(), Idle):
            assert answer.num_rows == 500
            rows[number] += answer.num_rows
    assert rows == [50_000, 50_000]


def test_narrowing_selects_columns_in_order():
    source = Generator(squares, 3).narrow(["s", "n"])
    assert source.schema() == pa.schema([("s", pa.string()), ("n", pa.int64())])
    (batch,) = read_all(source, source.splits()[0])
    assert batch.to_pylist() == [{"s": str(n), "n": n} for n in range(3)]
    with pytest.raises(GraphError, match=r"no column 'm'; known here: \['n', 's', 'square'\]"):
        source.narrow(["m"]).schema()


def test_wrong_use_is_refused():
    for wrong in ({"rows": -1}, {"batch_rows": 0}, {"splits": 0}, {"rate": 0}):
        with pytest.raises(GraphError, match=next(iter(wrong))):
            Generator(squares, **wrong)
    with pytest.raises(GraphError, match="asked for 1 rows and returned 0"):
        Generator(lambda start, count: squares(start, 0)).schema()
    with pytest.raises(GraphError, match="returned a list, not a record batch"):
        Generator(lambda start, count: [start]).schema()


def test_it_is_a_value():
    source = Generator(squares, 10, splits=2)
    assert pickle.loads(pickle.dumps(source)) == source != Generator(squares, 11, splits=2)
    assert "squares" in repr(source)


def test_in_a_graph():
    graph, out = Graph(), Collect()
    graph.source("squares", Generator(squares, 10_000, batch_rows=333, splits=3)).sink("out", out)
    graph.run()
    assert sorted(row["n"] for row in out.rows) == list(range(10_000))
