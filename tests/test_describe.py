import attrs
import pyarrow as pa
import pytest

from flow import Graph, GraphError, Kept, Operator, PartitionContext, Source, Split
from flow.describe import describe, summary
from flow.durations import microseconds, spelled
from flow.settings import Settings
from flow.telling import told
from operators import Null, agg
from operators.expressions import col

SETTINGS = Settings(readers=2, partitions=3, threads=2)


@attrs.frozen
class Trades(Source):
    columns: tuple[str, ...] = ("symbol", "price", "at")

    def schema(self):
        types = {"symbol": pa.dictionary(pa.int32(), pa.string()), "price": pa.float64(), "at": pa.timestamp("us")}
        return pa.schema([(name, types[name]) for name in self.columns])

    def splits(self):
        return [Split(str(number)) for number in range(4)]

    def open(self, split, offset=None):
        raise AssertionError("a description opens nothing")

    def narrow(self, columns, predicate=None):
        return attrs.evolve(self, columns=tuple(columns))


@attrs.frozen
class Symbols(Operator):
    def output(self, inputs):
        return inputs["in"].with_columns(pa.schema([("symbol", pa.string())]))

    def open(self, context: PartitionContext):
        raise AssertionError("a description opens nothing")

    def needs(self, wanted):
        return {"in": wanted}

    def keeps(self, inputs):
        return Kept("the symbols", "keys")


def graph() -> Graph:
    made = Graph("counted")
    trades = made.source("trades", Trades(), event_time="at", delay="2s", idle_timeout="1 minute", on_error="skip")
    symbols = trades.key_by("symbol").apply(Symbols(), name="symbols")
    symbols.sink("out", Null())
    symbols.late.sink("too_late", Null())
    return made


def test_it_says_how_the_graph_would_run() -> None:
    assert describe(graph(), SETTINGS) == (
        """\
counted: 1 source, 1 router, 1 operator, 2 sinks
topology prefetched: routed, and every reader reads ahead
2 worker threads for kernels

trades  (2 readers)
    source trades
        Trades
        reads 4 splits; 3 of 3 columns
        2 reads ahead
        event time: at, delay 2s, idle after 1m
        gives symbol string, price double, at timestamp[us]
        on error: skip
        → hash(symbol) → symbols, 3 partitions

symbols  (3 partitions)
    operator symbols
        Symbols
        keeps the symbols: grows with the keys, for ever
        gives symbol string
        → forward → out, 1 writer
        → forward (late) → too_late, 1 writer

out  (1 writer)
    sink out
        Null

too_late  (1 writer)
    sink too_late
        Null
"""
    )


def test_it_shows_what_is_not_read() -> None:
    made = Graph("narrow")
    made.source("trades", Trades()).apply(Symbols(), name="symbols").sink("out", Null())
    text = describe(made, SETTINGS)
    assert "Trades(symbol)" in text
    assert "reads 4 splits; 1 of 3 columns" in text
    assert "trades  (2 readers, fused: its nodes run in one task)" in text


def test_it_shows_the_topology() -> None:
    assert "(1 reader, fused: its nodes run in one task)" in describe(
        graph(), attrs.evolve(SETTINGS, topology="serial")
    )
    aligned = describe(graph(), attrs.evolve(SETTINGS, topology="aligned"))
    assert "reads 4 splits, dealt out to the readers in turn" in aligned
    assert "→ hash" not in aligned


def test_it_shows_all_that_is_known_of_event_times() -> None:
    made = Graph("timed")
    timed = made.source("trades", Trades(), event_time="at", delay="2s", max_future="1h", ordered=True)
    timed.sink("out", Null())
    line = "event time: at, delay 2s, at most 1h ahead of the clock, splits in order of time"
    assert line in describe(made, SETTINGS)


def test_a_graph_that_cannot_run_is_refused() -> None:
    made = Graph("loose")
    made.source("trades", Trades())
    with pytest.raises(GraphError, match="no sink"):
        describe(made, SETTINGS)


def test_the_summary_counts_what_is_there() -> None:
    assert summary(graph()) == "1 source, 1 router, 1 operator, 2 sinks"
    assert summary(Graph("empty")) == "no nodes"


@pytest.mark.parametrize("text", ["0s", "2s", "1h 30m", "1d 1us", "500ms", "1m 1s"])
def test_durations_are_spelled_as_they_are_read(text: str) -> None:
    assert spelled(microseconds(text)) == text


@attrs.frozen
class Inner:
    column: str
    size: int = 5


@attrs.frozen
class Outer:
    keys: tuple[str, ...]
    named: tuple[tuple[str, object], ...] = ()
    inner: Inner | None = None
    secret: str = attrs.field(default="", repr=False)
    made: int = attrs.field(init=False, default=3)


def twice(x: int) -> int:
    return 2 * x


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Inner("x"), "Inner(x)"),
        (Inner("x", 7), "Inner(x, size 7)"),
        (Outer(("a", "b"), inner=Inner("x"), secret="kept"), "Outer([a, b], inner Inner(x))"),
        (Outer(("a",), named=(("f", twice), ("g", None))), "Outer(a, named {f: twice, g: None})"),
        (Outer(()), "Outer([])"),
        (Null(), "Null"),
        (agg.avg("price", filter=col("x") > 3), "avg(price where x > 3)"),
        (agg.count(), "count(*)"),
        (pa.schema([("a", pa.int64())]), "{a: int64}"),
        (list(range(14)), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, ... 2 more]"),
    ],
)
def test_descriptions_are_told_by_what_differs(value: object, text: str) -> None:
    assert told(value) == text
