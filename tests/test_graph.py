"""Graphs are values, and what is wrong with one is said before anything runs."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import pytest

from flow import ROUND_ROBIN, Graph, GraphError, Hash, Stream, verb
from flow.nodes import OperatorNode, Output, SinkNode
from flow.verbs import verbs
from operators import Collect, Null, Table, Union, agg
from tests.operators_for_tests import Passing

NUMBERS = Table({"key": [1, 2], "value": [3, 4]})


def built(value: str = "value") -> Graph:
    graph = Graph("g")
    keyed = graph.source("numbers", NUMBERS, delay="2s").key_by("key")
    keyed.aggregate(total=agg.sum(value), name="sums").sink("out", Null())
    return graph


def test_equal_graphs_are_equal_and_survive_pickling() -> None:
    assert built() == built()
    assert built() != built("key")
    assert built() != Graph("g")
    assert pickle.loads(pickle.dumps(built())) == built()
    assert Graph("g", built().nodes) == built()


def test_it_prints_its_nodes_upstream_first() -> None:
    assert repr(built()) == "Graph('g', ['numbers', 'numbers.hash(key)', 'sums', 'out'])"
    assert [node.name for node in built()] == list(built().nodes)


def test_streams_know_name_schema_and_keys() -> None:
    stream = Graph("g").source("numbers", NUMBERS)
    assert (stream.name, stream.keys, stream.schema.names) == ("numbers", (), ["key", "value"])
    assert stream.key_by("value", "key").keys == ("value", "key")
    assert stream.dead_letters.schema.names == ["row", "error", "node", "offset"]
    passed = stream.apply(Passing())
    assert passed.late.schema == stream.schema
    assert "aggregate" in dir(stream)


def test_names_are_made_unique() -> None:
    stream = Graph("g").source("numbers", NUMBERS)
    names = [stream.apply(Passing()).name for _ in range(3)]
    assert names == ["numbers.passing", "numbers.passing_2", "numbers.passing_3"]
    assert [node.name for node in stream.graph.readers_of(stream.output)] == names


def source(graph: Graph) -> Stream:
    return graph.source("numbers", NUMBERS)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda g: g.add(SinkNode("bars", Null(), Output("number"))),
            "'bars' reads from 'number'; known here: ['numbers']; did you mean 'numbers'?",
        ),
        (lambda g: source(g), "there is a node 'numbers' already; names in a graph are unique"),
        (lambda g: g.source("", NUMBERS), "a node needs a name"),
        (lambda g: g.node("nubers"), "'g' has no node 'nubers'; known here: ['numbers']; did you mean 'numbers'?"),
        (
            lambda g: g.add(OperatorNode("u", Union(2), (("in1", Output("numbers")),))),
            "'u': the operator has the ports ['in1', 'in2']; connected are ['in1']",
        ),
        (
            lambda g: Stream(g, Output("numbers")).apply(Passing(), name="p", **{"in": Stream(g, Output("numbers"))}),
            "'p': all ports ['in'] are given; none is left for 'numbers'",
        ),
        (
            lambda g: Stream(g, Output("numbers")).apply(Union(2), name="u", in2=source(Graph("h"))),
            "'u': port 'in2' reads 'numbers', which is in another graph",
        ),
        (
            lambda g: Stream(g, Output("numbers")).route(Hash(()), name="r"),
            "'r': a hash router needs at least one key column, else every row goes to one partition; known",
        ),
        (
            lambda g: Stream(g, Output("numbers")).key_by("kye"),
            "no key column 'kye'; known here: ['key', 'value']; did you mean 'key'?",
        ),
        (lambda g: g.source("timed", NUMBERS, event_time="value"), "'timed': event time column 'value' has type int64"),
    ],
)
def test_what_is_wrong_is_refused_with_what_is_known(build: Callable[[Graph], Any], message: str) -> None:
    graph = Graph("g")
    source(graph)
    before = list(graph.nodes)
    with pytest.raises(GraphError) as raised:
        build(graph)
    assert message in str(raised.value)
    assert list(graph.nodes) == before


def test_nothing_comes_out_of_a_sink() -> None:
    graph = built()
    with pytest.raises(GraphError, match="'more' reads from 'out', which is a sink"):
        graph.add(SinkNode("more", Null(), Output("out")))
    with pytest.raises(GraphError, match="'out' is a sink: nothing comes out of it"):
        graph.schema(Output("out"))


def test_an_unknown_verb_is_told_with_the_nearest() -> None:
    stream = source(Graph("g"))
    with pytest.raises(AttributeError, match=r"streams have no method 'agregate'; known here: .*did you mean 'aggre"):
        stream.agregate  # noqa: B018
    assert not hasattr(stream, "_private")


def test_a_verb_becomes_a_method_of_every_stream() -> None:
    def passing_on(stream: Stream, *, name: str) -> Stream:
        return stream.route(ROUND_ROBIN).apply(Passing(), name=name)

    verb(passing_on)
    try:
        out = Collect()
        source(graph := Graph("g")).passing_on(name="mine").sink("out", out)
        graph.run()
        assert out.table().num_rows == 2
        verb(passing_on)  # a module that is imported again
        passing_on.__module__ = "elsewhere"
        passing_on.__name__ = "aggregate"
        with pytest.raises(GraphError, match=r"streams have a method .aggregate. already, from operators\.aggregate"):
            verb(passing_on)
    finally:
        del verbs()["passing_on"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("policy", ["deadletter", "ignore", "", None])
def test_an_unknown_error_policy_is_refused_wherever_it_is_given(policy: Any) -> None:
    stream = Graph("g").source("numbers", NUMBERS)
    said = f"'node': no error policy {policy!r}; known here: ['dead_letter', 'fail', 'skip']"
    for add in (
        lambda: stream.graph.source("node", NUMBERS, on_error=policy),
        lambda: stream.apply(Passing(), name="node", on_error=policy),
        lambda: stream.sink("node", Null(), on_error=policy),
    ):
        with pytest.raises(GraphError) as raised:
            add()
        assert str(raised.value).startswith(said)


@pytest.mark.parametrize("count", [0, -1])
def test_fewer_than_one_instance_is_refused(count: int) -> None:
    stream = Graph("g").source("numbers", NUMBERS)
    with pytest.raises(GraphError, match=f"'node': partitions must be at least 1, not {count}"):
        stream.apply(Passing(), name="node", partitions=count)
    with pytest.raises(GraphError, match=f"'node': writers must be at least 1, not {count}"):
        stream.sink("node", Null(), writers=count)
