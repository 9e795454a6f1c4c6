"""Async functions over rows: what one piece turns into, under a clock that jumps."""

import pickle

import pyarrow as pa
import pytest
import trio

from flow import Graph, GraphError, PartitionContext, RowError, StreamSchema
from flow.schema import changelog_of
from operators.calling.map_async import MapAsync
from operators.calling.retries import Retries
from operators.in_process.tables import Collect, Table

COLUMNS = pa.schema([("n", pa.int64()), ("s", pa.string())])


def opened(operator, columns=COLUMNS):
    return operator.open(PartitionContext("calls", {"in": StreamSchema(columns)}))


def batch_of(*numbers):
    return pa.record_batch({"n": numbers, "s": [str(n) for n in numbers]}, schema=COLUMNS)


async def doubled(row):
    await trio.sleep(1)
    return {**row, "n": 2 * row["n"]}


async def evens(row):
    await trio.lowlevel.checkpoint()
    return row if row["n"] % 2 == 0 else None


class Failing:
    """Fails a number of times, then answers; remembers when it was called."""

    def __init__(self, failures):
        self.failures = failures
        self.times = []

    async def __call__(self, row):
        self.times.append(trio.current_time())
        row["n"] += 1
        await trio.sleep(0.001)
        if len(self.times) <= self.failures:
            raise OSError("overloaded")
        return row


def test_a_piece_is_a_row():
    pieces = list(opened(MapAsync(doubled)).pieces(batch_of(1, 2, 3)))
    assert [piece.to_pylist() for piece in pieces] == [[{"n": n, "s": str(n)}] for n in (1, 2, 3)]


async def test_a_row_turns_into_a_row(autojump_clock):
    made = await opened(MapAsync(doubled)).on_piece(batch_of(4))
    assert made.schema == COLUMNS
    assert made.to_pylist() == [{"n": 8, "s": "4"}]


async def test_other_columns_and_none():
    async def texts(row):
        await trio.lowlevel.checkpoint()
        return {"text": row["s"] * 2} if row["n"] else None

    partition = opened(MapAsync(texts, {"text": "string", "missing": pa.int32()}))
    assert (await partition.on_piece(batch_of(4))).to_pylist() == [{"text": "44", "missing": None}]
    assert (await partition.on_piece(batch_of(0))).num_rows == 0


async def test_a_failed_call_is_repeated_after_growing_pauses(autojump_clock):
    function = Failing(3)
    made = await opened(MapAsync(function, retries=Retries(times=3, backoff="1s"))).on_piece(batch_of(4))
    assert made["n"].to_pylist() == [5]
    pauses = [later - earlier for earlier, later in zip(function.times, function.times[1:], strict=False)]
    assert [0.5 * 2**i <= pause <= 1.01 * 2**i for i, pause in enumerate(pauses)] == [True] * 3


async def test_the_last_failure_is_told(autojump_clock):
    function = Failing(9)
    with pytest.raises(RowError, match=r"OSError: overloaded \(the last of 3 calls\)") as caught:
        await opened(MapAsync(function, retries=Retries(times=2))).on_piece(batch_of(4))
    assert isinstance(caught.value.__cause__, OSError)
    assert len(function.times) == 3
    with pytest.raises(RowError, match=r"^OSError: overloaded$"):
        await opened(MapAsync(function)).on_piece(batch_of(4))


async def test_a_call_that_takes_too_long_is_given_up(autojump_clock):
    async def hanging(row):
        await trio.sleep_forever()

    start = trio.current_time()
    with pytest.raises(RowError, match=r"no answer within 2 s \(the last of 2 calls\)"):
        await opened(MapAsync(hanging, retries=Retries("2s", 1, "1s"))).on_piece(batch_of(4))
    assert 4.5 <= trio.current_time() - start <= 5.01


async def test_cancellation_is_not_a_failure(autojump_clock):
    function = Failing(0)

    async def cancelled(row):
        await function(row)
        await trio.sleep_forever()

    with trio.move_on_after(5) as scope:
        await opened(MapAsync(cancelled, retries=Retries(times=5))).on_piece(batch_of(4))
    assert scope.cancelled_caught
    assert len(function.times) == 1


async def test_a_result_that_does_not_fit_is_not_asked_for_again():
    calls = []

    async def wrong(row):
        calls.append(row)
        await trio.lowlevel.checkpoint()
        return {"n": "four"} if row["n"] else {"m": 1}

    partition = opened(MapAsync(wrong, retries=Retries(times=5)))
    with pytest.raises(RowError, match=r"column 'n': 'four' \(str\) is no int64"):
        await partition.on_piece(batch_of(4))
    with pytest.raises(RowError, match=r"no column 'm'; known here: \['n', 's'\]"):
        await partition.on_piece(batch_of(0))
    assert len(calls) == 2


async def test_changes_keep_their_weight(autojump_clock):
    columns = changelog_of(COLUMNS)
    batch = pa.record_batch([[1, 2], ["a", "b"], [1, -1]], schema=columns)
    partition = opened(MapAsync(evens), columns)
    made = [await partition.on_piece(piece) for piece in partition.pieces(batch)]
    assert pa.Table.from_batches(made).to_pylist() == [{"n": 2, "s": "b", "_weight": -1}]
    assert MapAsync(doubled, {"n": "int64"}).output({"in": StreamSchema(columns)}).columns == changelog_of(
        pa.schema([("n", pa.int64())])
    )


def test_what_cannot_run_is_refused():
    given = {"in": StreamSchema(COLUMNS)}
    with pytest.raises(GraphError, match="is not an async function: use map"):
        MapAsync(len).output(given)
    rows = Graph().source("rows", Table({"n": [1], "s": ["x"]}))
    for wrong in ({"concurrency": 0}, {"retries": -1}, {"timeout": 0}):
        with pytest.raises(GraphError, match=next(iter(wrong))):
            rows.map_async(doubled, **wrong)
    assert MapAsync(Failing(1)).output(given) == StreamSchema(COLUMNS)


def test_it_is_a_value():
    operator = MapAsync(doubled, {"n": "int64"}, retries=Retries("1s"))
    assert pickle.loads(pickle.dumps(operator)) == operator
    assert "doubled" in repr(operator)


@pytest.mark.parametrize("ordered", [True, False])
def test_in_a_graph(ordered):
    graph, out = Graph(), Collect()
    rows = Table({"n": list(range(300)), "s": ["x"] * 300}, batch_rows=7)
    graph.source("rows", rows).map_async(evens, concurrency=8, ordered=ordered).sink("out", out)
    graph.run()
    assert sorted(row["n"] for row in out.rows) == list(range(0, 300, 2))
