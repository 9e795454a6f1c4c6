"""What sources read: the columns that something uses, and the predicate that all readers share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from flow import Graph, Operator, Reader, Source, Split, Stream, StreamSchema
from flow.narrowing import narrowed
from flow.nodes import Output, SinkNode
from operators import Null, Tumble, WindowAggregate, agg, col
from tests.operators_for_tests import Passing

COLUMNS = pa.schema(
    [("t", pa.timestamp("us")), ("k", pa.string()), ("a", pa.int64()), ("b", pa.int64()), ("c", pa.int64())]
)


@attrs.frozen
class Recorded(Source):
    """Remembers what it was narrowed to."""

    columns: tuple[str, ...] | None = None
    predicate: Any = attrs.field(default=None, eq=False)
    time: str | None = None

    def schema(self) -> pa.Schema:
        return COLUMNS if self.columns is None else pa.schema([COLUMNS.field(name) for name in self.columns])

    def splits(self) -> list[Split]:
        return []

    def open(self, split: Split, offset: Any = None) -> Reader:
        raise NotImplementedError

    def narrow(self, columns: Sequence[str], predicate: Any = None) -> Source:
        return attrs.evolve(self, columns=tuple(columns), predicate=predicate)

    def for_event_time(self, column: str) -> Source:
        return attrs.evolve(self, time=column)


@attrs.frozen
class Deaf(Passing):
    """Passes everything on, and needs only what is wanted of it."""

    def needs(self, wanted: frozenset[str]) -> Mapping[str, frozenset[str]]:
        return {"in": wanted}


def read(build: Callable[[Stream], object], **options: Any) -> Recorded:
    """What is read of one source."""
    graph = Graph("g")
    build(graph.source("rows", Recorded(), **options))
    return sources_of(graph)["rows"]


def sources_of(graph: Graph) -> dict[str, Recorded]:
    outputs = {Output(node.name) for node in graph if not isinstance(node, SinkNode)}
    outputs |= {output for node in graph for output in node.inputs.values()}
    return narrowed(graph.nodes, {output: graph.schema(output) for output in outputs})  # type: ignore[return-value]


def summed(stream: Stream) -> Stream:
    return stream.key_by("k").aggregate(total=agg.sum("a"))


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (lambda rows: rows.sink("out", Null()), None),
        (lambda rows: rows.select("c", "a").sink("out", Null()), ("a", "c")),
        (lambda rows: rows.select(x=col("a") + col("b")).sink("out", Null()), ("a", "b")),
        (lambda rows: rows.filter(col("b") > 1).select("a").sink("out", Null()), ("a", "b")),
        (lambda rows: summed(rows).sink("out", Null()), ("k", "a")),
        (lambda rows: summed(rows.filter(col("c") > 0)).select("k").sink("out", Null()), ("k", "a", "c")),
        (lambda rows: rows.select("a", "b").select("a").sink("out", Null()), ("a",)),
        (lambda rows: rows.key_by("b").apply(Deaf()).select("a").sink("out", Null()), ("a", "b")),
        (lambda rows: rows.apply(Deaf()).select("a").sink("out", Null()), ("a",)),
        (lambda rows: rows.apply(Passing()).select("a").sink("out", Null()), None),
        (lambda rows: rows.select(one=1).sink("out", Null()), ("t",)),
    ],
)
def test_only_used_columns_are_read_in_the_source_s_order(
    build: Callable[[Stream], object], expected: tuple[str, ...] | None
) -> None:
    assert read(build).columns == expected


def test_several_readers_read_what_any_of_them_uses() -> None:
    def two(rows: Stream) -> None:
        rows.select("a").sink("one", Null())
        rows.select("c").sink("two", Null())

    assert read(two).columns == ("a", "c")

    def one_takes_all(rows: Stream) -> None:
        rows.select("a").sink("one", Null())
        rows.sink("all", Null())

    assert read(one_takes_all).columns is None


def test_the_event_time_is_told_and_read_where_something_listens_to_watermarks() -> None:
    def listening(rows: Stream) -> None:
        rows.apply(Deaf()).select("a").sink("out", Null())

    source = read(listening, event_time="t")
    assert (source.columns, source.time) == (("t", "a"), "t")
    source = read(lambda rows: rows.select("a").sink("out", Null()), event_time="t")
    assert (source.columns, source.time) == (("a",), "t")
    assert read(listening).time is None


def test_windows_read_their_time() -> None:
    def windows(rows: Stream) -> None:
        operator = WindowAggregate(("k",), {"n": agg.count()}, Tumble("t", "1s"))
        rows.key_by("k").apply(operator).sink("out", Null())

    assert read(windows, event_time="t").columns == ("t", "k")


@pytest.mark.parametrize("side", ["late", "dead_letters"])
def test_whoever_reads_the_rows_that_go_aside_reads_all_of_them(side: str) -> None:
    def aside(rows: Stream) -> None:
        passed = rows.apply(Deaf(), on_error="dead_letter" if side == "dead_letters" else "fail")
        passed.select("a").sink("out", Null())
        getattr(passed, side).sink("aside", Null())

    assert read(aside).columns is None


@attrs.frozen
class Picking(Operator):
    """Reads another column on each port."""

    ports = ("left", "right")

    def output(self, inputs: Mapping[str, StreamSchema]) -> StreamSchema:
        return inputs["left"]

    def open(self, context: Any) -> Any:
        raise NotImplementedError

    def needs(self, wanted: frozenset[str]) -> Mapping[str, frozenset[str]]:
        return {"left": frozenset("a"), "right": frozenset("b")}


def test_every_port_has_needs_of_its_own() -> None:
    graph = Graph("g")
    one, two = graph.source("one", Recorded()), graph.source("two", Recorded())
    one.apply(Picking(), right=two).sink("out", Null())
    assert {name: source.columns for name, source in sources_of(graph).items()} == {"one": ("a",), "two": ("b",)}


def test_a_union_reads_what_it_gives() -> None:
    graph = Graph("g")
    one, two = graph.source("one", Recorded()), graph.source("two", Recorded())
    one.union(two).sink("out", Null())
    assert [source.columns for source in sources_of(graph).values()] == [None, None]


TABLE = pa.table({name: [1, 2, 3] for name in ("a", "b", "c")})


def passing(predicate: pc.Expression | None) -> list[int]:
    """The rows that the hint lets through."""
    return (TABLE if predicate is None else TABLE.filter(predicate))["a"].to_pylist()  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (lambda rows: rows.filter(col("a") > 1).sink("out", Null()), [2, 3]),
        (lambda rows: rows.sink("out", Null()), [1, 2, 3]),
        (lambda rows: rows.filter(col("a") > 1, on_error="skip").sink("out", Null()), [1, 2, 3]),
        (lambda rows: rows.select("a", "b").filter(col("a") > 1).sink("out", Null()), [1, 2, 3]),
    ],
)
def test_a_filter_right_behind_the_source_is_a_hint(build: Callable[[Stream], object], expected: list[int]) -> None:
    assert passing(read(build).predicate) == expected


def test_rows_that_any_reader_lets_pass_are_read() -> None:
    def two_filters(rows: Stream) -> None:
        rows.filter(col("a") == 1).sink("one", Null())
        rows.filter(col("b") == 3).sink("two", Null())

    assert passing(read(two_filters).predicate) == [1, 3]

    def filter_and_sink(rows: Stream) -> None:
        rows.filter(col("a") == 1).sink("one", Null())
        rows.sink("all", Null())

    assert read(filter_and_sink).predicate is None


def test_the_graph_stays_as_it_is() -> None:
    graph = Graph("g")
    graph.source("rows", Recorded()).filter(col("b") > 1).select("a").sink("out", Null())
    before = dict(graph.nodes)
    assert sources_of(graph)["rows"].columns == ("a", "b")
    assert dict(graph.nodes) == before
