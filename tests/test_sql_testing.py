"""assert_matches_batch finds what differs, says so, and takes changes of any order; a graph can be stepped by hand."""

import random
import sys
from collections import Counter
from collections.abc import Iterator, Mapping

import attrs
import pyarrow as pa
import pytest

from flow import Graph, GraphError, MissingExtraError, Operator, Partition, PartitionContext, StreamSchema
from flow.stepping import Stepping
from operators import AsyncRows, Collect, SqlError, Table, agg
from operators import testing as kit
from operators.filter import Filter
from operators.joining.partition import JoinPartition
from operators.testing import Input, assert_matches_batch, counted, difference, final, with_retractions
from tests.sql_faults import FAULTS, cases_until_found

ROWS = pa.table(
    {"k": ["a", "b", "a", None, "a", "b"], "v": [1, 2, 3, 4, 5, None], "x": [0.5, 1.5, None, 2.0, 0.5, 1.0]}
)


def test_a_query_is_right_in_every_batching() -> None:
    query = "SELECT k, count(*) AS n, avg(x) AS x FROM t GROUP BY k"
    assert_matches_batch(query, {"t": ROWS})
    assert_matches_batch(query, {"t": with_retractions(ROWS, 3)}, whole=False)
    assert_matches_batch(query, {"t": ROWS.to_pydict()}, batches=["all"], partitions=[2], whole=False)


def test_a_difference_is_told_by_its_rows() -> None:
    with pytest.raises(AssertionError) as failed:
        assert_matches_batch(
            "SELECT k, v FROM t WHERE v > 1", {"t": ROWS}, reference="SELECT k, v FROM t WHERE v < 4", batches=["all"]
        )
    lines = str(failed.value).splitlines()
    assert "  SELECT k, v FROM t WHERE v > 1" in lines
    assert lines[lines.index("rows missing (1):") + 1] == "  a | 1"
    assert set(lines[lines.index("rows too many (2):") + 1 :]) == {"  NULL | 4", "  a | 5"}


def test_a_table_of_many_differences_is_cut_short() -> None:
    rows = {"v": list(range(100))}
    with pytest.raises(AssertionError, match=r"rows missing \(100\):(\n  \d+){10}\n  ... 90 more"):
        assert_matches_batch("SELECT v FROM t", {"t": rows}, reference="SELECT v + 100 FROM t", batches=["all"])


def test_a_fault_that_only_shows_on_the_way_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    @attrs.frozen
    class Late(Operator):
        """Holds all rows back to the end."""

        def output(self, inputs: Mapping[str, StreamSchema]) -> StreamSchema:
            return next(iter(inputs.values()))

        def open(self, context: PartitionContext) -> Partition:
            return _Late()

    class _Late(Partition):
        def __init__(self) -> None:
            self.held: list[pa.RecordBatch] = []

        def on_batch(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
            self.held.append(batch)
            return iter(())

        def on_end(self) -> Iterator[pa.RecordBatch]:
            return iter(self.held)

    monkeypatch.setattr(Filter, "open", lambda operator, context: _Late())
    with pytest.raises(AssertionError, match=r"after these rows: [1-5] of 't'"):
        assert_matches_batch("SELECT v FROM t WHERE v IS NOT NULL OR k <> ''", {"t": ROWS}, batches=[1])


def test_what_is_refused_or_no_table_is_an_error() -> None:
    with pytest.raises(SqlError, match="no column 'w'"):
        assert_matches_batch("SELECT w FROM t", {"t": ROWS})
    changes = pa.table({"v": [1], "_weight": [-1]})
    with pytest.raises(Exception, match="retracted"):
        assert_matches_batch("SELECT v FROM t", {"t": changes})


def test_without_duckdb_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    kit._duckdb.cache_clear()
    with pytest.raises(MissingExtraError, match=r"penstock\[test\]"):
        assert_matches_batch("SELECT v FROM t", {"t": ROWS})


@pytest.mark.parametrize("seed", range(5))
def test_changes_add_up_to_the_table_and_are_one_at_every_time(seed: int) -> None:
    changes = with_retractions(ROWS, seed)
    assert changes.num_rows > ROWS.num_rows
    assert counted(changes) == counted(ROWS)
    for rows in range(changes.num_rows):
        assert min(counted(changes.slice(0, rows)).values(), default=1) > 0
    assert final(changes).num_rows == ROWS.num_rows
    assert with_retractions(ROWS.slice(0, 0)).num_rows == 0


def test_numbers_with_a_fraction_may_differ_a_little() -> None:
    def rows(*given: tuple[object, ...]) -> Counter[tuple[object, ...]]:
        return Counter(given)

    assert difference(rows(("a", 0.1 + 0.2)), rows(("a", 0.3))) == ([], [])
    assert difference(rows((float("nan"),)), rows((1.0,)))[1] == [(1.0,)]
    assert difference(rows((1.0,), (1.0,)), rows((1.0,))) == ([(1.0,)], [])
    assert difference(rows((1.0,)), rows((1.00001,))) == ([(1.0,)], [(1.00001,)])
    assert difference(rows((None,)), rows((0,))) == ([(None,)], [(0,)])


def test_an_event_time_closes_windows() -> None:
    times = pa.table({"t": pa.array([0, 61_000_000, 5_000_000], pa.timestamp("us"))})
    assert_matches_batch(
        "SELECT window_start, count(*) AS n FROM TUMBLE(r, t, INTERVAL '1 minute') GROUP BY window_start",
        {"r": Input(times, "t", "10 minutes")},
        reference="SELECT date_trunc('minute', t), count(*) FROM r GROUP BY ALL",
    )


def test_a_graph_steps_in_any_order_of_its_channels() -> None:
    results = []
    for seed in range(3):
        graph = Graph("stepped")
        source = graph.source("t", Table(ROWS, batch_rows=2))
        source.aggregate(keys="k", n=agg.count()).sink("out", Collect())
        stepping = Stepping(graph, partitions=3, choose=random.Random(seed).randrange)
        stepping.read("t")
        assert stepping.written["out"] == []
        stepping.settle()
        assert stepping.written["out"]
        stepping.end()
        assert stepping.waiting == []
        assert not stepping.deliver()
        results.append(counted(pa.Table.from_batches(stepping.written["out"])))
    assert results == [Counter({("a", 3): 1, ("b", 2): 1, (None, 1): 1})] * 3


def test_the_end_of_a_source_comes_behind_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    on_batch, on_port_end = JoinPartition.on_batch, JoinPartition.on_port_end

    def rows(partition: JoinPartition, batch: pa.RecordBatch, port: str = "") -> Iterator[pa.RecordBatch]:
        heard.append(port)
        return on_batch(partition, batch, port)

    def ended(partition: JoinPartition, port: str) -> None:
        heard.append(f"end of {port}")
        on_port_end(partition, port)

    monkeypatch.setattr(JoinPartition, "on_batch", rows)
    monkeypatch.setattr(JoinPartition, "on_port_end", ended)
    graph = Graph("stepped")
    left, right = (graph.source(name, Table(ROWS)) for name in ("l", "r"))
    left.join(right.select(other="k"), on={"k": "other"}).sink("out", Collect())
    stepping = Stepping(graph, partitions=1)
    stepping.read("r")
    stepping.finish("r")
    assert stepping.waiting == ["l"]
    stepping.settle()
    stepping.end()
    assert heard == ["right", "end of right", "left"]
    assert sum(batch.num_rows for batch in stepping.written["out"]) == 13


def test_what_waits_cannot_be_stepped() -> None:
    async def rows() -> object:
        yield {"v": 1}

    graph = Graph("waits")
    graph.source("t", AsyncRows(rows, pa.schema([("v", pa.int64())]))).sink("out", Collect())
    with pytest.raises(GraphError, match="needs an event loop"):
        Stepping(graph)


def test_a_fault_put_in_on_purpose_is_found() -> None:
    *fault, _ = FAULTS[0]
    assert cases_until_found(*fault, most=200) is not None


def test_a_batch_is_as_large_as_it_is_said_to_be() -> None:
    rows = {"v": list(range(70_000))}
    assert_matches_batch("SELECT count(*) AS n FROM t", {"t": rows}, batches=["all"], partitions=[1], whole=False)
