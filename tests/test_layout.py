"""How graphs are laid out: what is fused, what is an exchange, how many instances there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import pyarrow as pa
import pytest

from flow import (
    ALIGNED,
    FORWARD,
    ROUND_ROBIN,
    Graph,
    GraphError,
    Hash,
    Operator,
    Settings,
    StreamSchema,
    TwoPhase,
)
from flow.layout import Across, Layout, lay_out
from operators import Collect, Null, Table
from operators.expressions import col
from tests.operators_for_tests import Passing

NUMBERS = Table(pa.table({"key": range(200_000), "other": range(200_000), "value": range(200_000)}))


@attrs.frozen
class Halved(Passing):
    """An operator with a half before the exchange."""

    timed = False

    def two_phase(self, inputs: Mapping[str, StreamSchema]) -> TwoPhase:
        return TwoPhase(Passing(), Passing())


@attrs.frozen
class Single(Passing):
    single = True


def graph_of(*applied: tuple[str, Operator, dict[str, Any]], keys: tuple[str, ...] = ()) -> Graph:
    graph = Graph("g")
    stream = graph.source("numbers", NUMBERS)
    if keys:
        stream = stream.key_by(*keys)
    for name, operator, options in applied:
        stream = stream.apply(operator, name=name, **options)
    stream.sink("out", Null())
    return graph


def drawn(layout: Layout) -> list[tuple[list[str], int]]:
    return [([step.name for step in chain.steps], chain.instances) for chain in layout.chains]


def routers(layout: Layout) -> list[str]:
    return [str(edge.router) for edge in layout.edges]


def test_operators_without_an_exchange_are_fused_into_their_upstream() -> None:
    layout = lay_out(graph_of(("a", Passing(), {}), ("b", Passing(), {})).nodes, Settings(readers=3))
    assert drawn(layout) == [(["numbers", "a", "b"], 3), (["out"], 1)]
    assert routers(layout) == ["forward"]


def test_a_hash_router_is_an_exchange_to_as_many_partitions_as_asked_for() -> None:
    graph = graph_of(("a", Passing(), {"partitions": 5}), keys=("key",))
    layout = lay_out(graph.nodes, Settings(readers=2))
    assert drawn(layout) == [(["numbers"], 2), (["a"], 5), (["out"], 1)]
    assert routers(layout) == ["hash(key)", "forward"]
    assert drawn(lay_out(graph.nodes, Settings(readers=2, partitions=7)))[1] == (["a"], 7)


def test_there_are_no_more_readers_than_splits() -> None:
    graph = Graph("g")
    graph.source("one", Table(pa.table({"key": [1]}))).sink("out", Null())
    assert drawn(lay_out(graph.nodes, Settings(readers=8)))[0] == (["one"], 1)


def test_other_partition_counts_without_a_router_are_dealt_out_in_turn() -> None:
    layout = lay_out(graph_of(("a", Passing(), {"partitions": 5})).nodes, Settings(readers=2))
    assert drawn(layout) == [(["numbers"], 2), (["a"], 5), (["out"], 1)]
    assert routers(layout)[0] == "round_robin"


def test_two_phases_stand_around_the_exchange() -> None:
    layout = lay_out(graph_of(("a", Halved(), {"partitions": 4}), keys=("key",)).nodes, Settings(readers=2))
    assert drawn(layout) == [(["numbers", "a.before"], 2), (["a"], 4), (["out"], 1)]
    before = layout.chains[0].steps[1]
    assert before.targets == [("out", Across(0))]


def test_two_phases_are_one_where_the_late_rows_themselves_are_wanted() -> None:
    graph = Graph("g")
    halved = graph.source("numbers", NUMBERS).key_by("key").apply(Halved(), name="a")
    halved.sink("out", Null())
    halved.late.sink("late", Null())
    assert drawn(lay_out(graph.nodes, Settings(readers=2, partitions=2)))[0] == (["numbers"], 2)


def test_an_operator_that_must_be_single_gets_one_instance() -> None:
    layout = lay_out(graph_of(("a", Single(), {})).nodes, Settings(readers=2, partitions=8))
    assert drawn(layout) == [(["numbers"], 2), (["a"], 1), (["out"], 1)]


def test_serial_is_one_task_for_everything() -> None:
    graph = graph_of(("a", Halved(), {"partitions": 4}), ("b", Passing(), {}), keys=("key",))
    layout = lay_out(graph.nodes, Settings(topology="serial", partitions=8, readers=8))
    assert drawn(layout) == [(["numbers", "a", "b", "out"], 1)]
    assert layout.edges == []


def test_serial_takes_several_sources_into_its_one_task() -> None:
    graph = Graph("g")
    one, two = graph.source("one", NUMBERS), graph.source("two", NUMBERS)
    one.union(two, name="both").sink("out", Null())
    assert drawn(lay_out(graph.nodes, Settings(topology="serial"))) == [(["one", "two", "both", "out"], 1)]


def test_aligned_input_feeds_its_partition_directly() -> None:
    graph = graph_of(("a", Halved(), {"partitions": 4}), ("b", Passing(), {}), keys=("key",))
    layout = lay_out(graph.nodes, Settings(topology="aligned"))
    assert drawn(layout) == [(["numbers", "a", "b"], 4), (["out"], 1)]
    assert layout.chains[0].aligned


def test_aligned_input_that_is_keyed_by_something_else_later_is_exchanged_then() -> None:
    graph = Graph("g")
    first = graph.source("numbers", NUMBERS).key_by("key").apply(Passing(), name="a")
    finer = first.key_by("key", "value").apply(Passing(), name="finer")
    finer.key_by("other").apply(Passing(), name="b").sink("out", Null())
    layout = lay_out(graph.nodes, Settings(topology="aligned", partitions=2))
    assert drawn(layout) == [(["numbers", "a", "finer"], 2), (["b"], 2), (["out"], 1)]


def test_an_aligned_router_says_the_same_in_any_topology() -> None:
    graph = Graph("g")
    stream = graph.source("numbers", NUMBERS).route(ALIGNED)
    stream.apply(Passing(), name="a", partitions=3).sink("out", Null())
    layout = lay_out(graph.nodes, Settings())
    assert drawn(layout) == [(["numbers", "a"], 3), (["out"], 1)]


def test_forward_keeps_the_instance() -> None:
    graph = Graph("g")
    stream = graph.source("numbers", NUMBERS).route(ROUND_ROBIN).apply(Passing(), name="a", partitions=4)
    stream.route(FORWARD).apply(Passing(), name="b").sink("out", Null(), writers=2)
    layout = lay_out(graph.nodes, Settings(readers=1))
    assert drawn(layout) == [(["numbers"], 1), (["a", "b"], 4), (["out"], 2)]
    out = layout.chains[2]
    assert [upstream for _, upstream in layout.inputs(out, 0)] == [0, 2]
    assert [upstream for _, upstream in layout.inputs(out, 1)] == [1, 3]


def test_watermarks_go_only_where_something_listens() -> None:
    deaf = graph_of(("a", Halved(), {}), keys=("key",))
    assert [edge.timed for edge in lay_out(deaf.nodes, Settings()).edges] == [False, False]
    listening = graph_of(("a", Passing(), {}), keys=("key",))
    assert [edge.timed for edge in lay_out(listening.nodes, Settings()).edges] == [True, False]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda graph: graph.source("a", NUMBERS), "nothing is written: the graph has no sink"),
        (
            lambda graph: (graph.source("a", NUMBERS).sink("out", Null()), graph.source("b", NUMBERS)),
            "nothing reads from 'b'",
        ),
        (
            lambda graph: graph.source("a", NUMBERS).key_by("key").key_by("value").sink("out", Null()),
            "reads from the router 'a.hash",
        ),
    ],
)
def test_what_cannot_run_is_refused(build: Any, message: str) -> None:
    graph = Graph("g")
    build(graph)
    with pytest.raises(GraphError, match=message.replace("(", r"\(")):
        lay_out(graph.nodes, Settings())


def test_unused_columns_are_not_read_and_the_schemas_follow() -> None:
    graph = Graph("g")
    stream = graph.source("numbers", NUMBERS).select("value", name="values")
    stream.sink("out", Collect())
    layout = lay_out(graph.nodes, Settings())
    source = layout.chains[0].steps[0].source
    assert source is not None
    assert source.schema().names == ["value"]
    assert layout.chains[0].steps[0].output.names == ["value"]


def test_keys_are_needed_by_the_router() -> None:
    graph = Graph("g")
    keyed = graph.source("numbers", NUMBERS).key_by("other")
    keyed.filter(col("value") > 3, name="some").select("value").sink("out", Null())
    layout = lay_out(graph.nodes, Settings())
    source = layout.chains[0].steps[0].source
    assert source is not None
    assert source.schema().names == ["other", "value"]


def test_hash_is_comparable_and_readable() -> None:
    assert Hash(("a", "b")) == Hash(("a", "b"))
    assert str(Hash(("a", "b"))) == "hash(a, b)"
