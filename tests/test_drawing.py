import json
import re

import attrs
import pyarrow as pa
import pytest

from flow import Graph, Kept, Operator, Partition, PartitionContext, Source, Split
from flow.describe import describe
from flow.drawing import as_json, dot, draw, draw_laid_out, mermaid
from flow.settings import TOPOLOGIES, Settings, Topology
from operators import Null


@attrs.frozen
class Same(Operator):
    ports = ("in",)
    stateless = True

    def output(self, inputs):
        return next(iter(inputs.values()))

    def open(self, context: PartitionContext) -> Partition:
        raise AssertionError("a drawing opens nothing")


@attrs.frozen
class Both(Same):
    ports = ("left", "right")


@attrs.frozen
class Remembering(Same):
    stateless = False

    def keeps(self, inputs):
        return Kept(f"one entry for each value of {', '.join(inputs['in'].names)}", "keys")


@attrs.frozen
class Numbers(Source):
    def schema(self):
        return pa.schema([("x", pa.int64())])

    def splits(self):
        return [Split(str(number)) for number in range(6)]

    def open(self, split, offset=None):
        raise AssertionError("a drawing opens nothing")


def bars(name: str = "bars") -> Graph:
    graph = Graph("drawn")
    clean = graph.source("trades", Numbers()).apply(Same(), name="clean", on_error="dead_letter")
    keyed = clean.key_by("x").apply(Same(), name=name)
    keyed.sink("out", Null())
    keyed.late.sink("late", Null())
    clean.dead_letters.sink("bad", Null())
    return graph


def test_a_graph_is_drawn_as_it_was_written() -> None:
    drawing = draw(bars())
    assert [(box.id, box.kind, box.text) for box in drawing.boxes] == [
        ("trades", "source", ("trades", "Numbers")),
        ("clean", "operator", ("clean", "Same")),
        ("bars", "operator", ("bars", "Same")),
        ("out", "sink", ("out", "Null")),
        ("late", "sink", ("late", "Null")),
        ("bad", "sink", ("bad", "Null")),
    ]
    assert [(line.start, line.end, line.label, line.side) for line in drawing.lines] == [
        ("trades", "clean", "", "out"),
        ("clean", "bars", "hash(x)", "out"),
        ("bars", "out", "", "out"),
        ("bars", "late", "late", "late"),
        ("clean", "bad", "dead letters", "dead_letters"),
    ]


def test_ports_and_routers_in_a_row_stand_at_the_line() -> None:
    graph = Graph("joined")
    left, right = graph.source("left", Numbers()), graph.source("right", Numbers())
    left.key_by("x").key_by("x").apply(Both(), name="both", right=right).sink("out", Null())
    assert [(line.start, line.end, line.label) for line in draw(graph).lines] == [
        ("left", "both", "hash(x) → hash(x), left"),
        ("right", "both", "right"),
        ("both", "out", ""),
    ]


def test_a_router_that_nothing_reads_is_drawn_all_the_same() -> None:
    graph = Graph("loose")
    graph.source("left", Numbers()).key_by("x")
    assert [box.text for box in draw(graph).boxes] == [("left", "Numbers"), ("left.hash(x)", "hash(x)")]


def drawn(topology: Topology, graph: Graph | None = None, **others: int):
    return draw_laid_out(graph or bars(), Settings(topology=topology, **{"readers": 2, "partitions": 3, **others}))


def joined(drawing) -> set[tuple[str, str]]:
    return {(line.start, line.end) for line in drawing.lines}


def test_serial_is_one_group() -> None:
    drawing = drawn("serial")
    assert list(drawing.groups.values()) == ["one task: reads, processes and writes"]
    assert {box.group for box in drawing.boxes} == set(drawing.groups)
    assert [box.id for box in drawing.boxes if box.kind == "operator"] == ["clean 1", "bars 1"]
    assert not any(box.kind in ("router", "buffer", "split") for box in drawing.boxes)


def test_routed_has_a_router_a_reader_and_no_buffer() -> None:
    drawing = drawn("routed")
    routers = [box for box in drawing.boxes if box.kind == "router"]
    assert [router.text for router in routers] == [("hash(x)",), ("hash(x)",)]
    partitions = {f"bars {number}" for number in (1, 2, 3)}
    for router in routers:
        assert {line.end for line in drawing.lines if line.start == router.id} == partitions
    assert ("trades 1", "clean 1") in joined(drawing)
    assert not any(box.kind == "buffer" for box in drawing.boxes)
    assert list(drawing.groups.values())[:2] == ["trades: 2 readers", "bars: 3 partitions"]


def test_prefetched_has_a_buffer_a_reader() -> None:
    drawing = drawn("prefetched", prefetch=4)
    assert [box.text for box in drawing.boxes if box.kind == "buffer"] == [("4 reads ahead",), ("4 reads ahead",)]
    assert {("trades 2", "trades buffer 2"), ("trades buffer 2", "clean 2")} <= joined(drawing)
    assert not any(box.kind == "buffer" for box in drawn("prefetched", prefetch=0).boxes)


def test_aligned_leads_splits_to_their_partition() -> None:
    drawing = drawn("aligned", prefetch=0)
    splits = [(box.text, box.instance) for box in drawing.boxes if box.kind == "split"]
    assert splits == [(("splits 1, 4",), 0), (("splits 2, 5",), 1), (("splits 3, 6",), 2)]
    assert {("trades split 2", "trades 2"), ("trades 2", "clean 2"), ("clean 2", "bars 2")} <= joined(drawing)
    assert not any(box.kind == "router" for box in drawing.boxes)


def test_of_many_instances_the_first_and_the_last_are_drawn() -> None:
    drawing = drawn("aligned", partitions=64)
    assert [box.id for box in drawing.boxes if box.node == "bars"] == ["bars 1", "bars 2", "bars …", "bars 64"]
    assert [box.text for box in drawing.boxes if box.kind == "split"][-2:] == [("…",), ("no split",)]
    many = drawn("routed", partitions=64)
    assert all({line.start, line.end} <= {box.id for box in many.boxes} for line in many.lines)
    assert ("bars …", "out 1") in joined(many)


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_every_line_joins_boxes_and_every_box_has_its_own_id(topology: Topology) -> None:
    drawing = drawn(topology)
    ids = [box.id for box in drawing.boxes]
    assert len(set(ids)) == len(ids)
    assert {line.start for line in drawing.lines} | {line.end for line in drawing.lines} <= set(ids)
    assert drawing.topology == topology


def test_the_topologies_are_drawn_differently() -> None:
    assert len({mermaid(drawn(topology)) for topology in TOPOLOGIES}) == len(TOPOLOGIES)


def test_what_a_node_keeps_stands_beside_it_in_the_words_of_explain() -> None:
    graph = Graph("kept")
    graph.source("trades", Numbers()).key_by("x").apply(Remembering(), name="known").sink("out", Null())
    words = ("keeps one entry for each value of x:", "grows with the keys, for ever")
    assert draw(graph).boxes[1].text == ("known", "Remembering", *words)
    assert " ".join(words) in describe(graph, Settings())
    texts = [box.text for box in drawn("routed", graph, partitions=5).boxes if box.node == "known"]
    assert texts[0] == ("known", "partition 1", *words)
    assert texts[2] == ("known", "…")
    node = as_json(draw(graph))["nodes"][1]
    assert (node["keeps"], node["growth"]) == ("one entry for each value of x", "keys")
    assert "<br/>".join(words) in mermaid(draw(graph))


def test_names_cannot_break_mermaid() -> None:
    text = mermaid(draw(bars('b"`a]r\n#1; <i>&')))
    assert '["b#quot;#96;a]r #35;1; #lt;i#gt;#amp;<br/>Same"]' in text
    allowed = re.compile(
        r'flowchart LR|    n\d+(\(\[|\[|\[/)"[^"`]*"(\]\)|\]|/\])|    n\d+ (-->|-\.->)(\|"[^"`]+"\|)? n\d+'
    )
    assert all(allowed.fullmatch(line) for line in text.splitlines())
    assert '    n2 -.->|"late"| n4' in text.splitlines()


def test_names_cannot_break_dot() -> None:
    text = dot(draw(bars('b"a\\r')))
    assert '"b\\"a\\\\r" [label="b\\"a\\\\r\\nSame", shape=box];' in text
    assert '"clean" -> "bad" [label="dead letters", style=dashed];' in text
    assert text.count("{") == text.count("}")


def test_groups_are_drawn_around_their_boxes() -> None:
    drawing = drawn("serial")
    lines = mermaid(drawing).splitlines()
    assert lines[1] == '    subgraph g0["one task: reads, processes and writes"]'
    assert lines.index("    end") == 2 + len(drawing.boxes)
    assert "subgraph cluster_0 {" in dot(drawing)


def test_json_is_documented_and_whole() -> None:
    drawing = drawn("routed")
    value = json.loads(json.dumps(as_json(drawing)))
    assert (value["version"], value["graph"], value["topology"]) == (1, "drawn", "routed")
    assert len(value["nodes"]) == len(drawing.boxes)
    assert value["nodes"][0] == {
        "id": "trades 1",
        "node": "trades",
        "kind": "source",
        "text": ["trades", "reader 1"],
        "group": "chain 0",
        "instance": 0,
        "keeps": None,
        "growth": None,
    }
    assert {"from": "bars 1", "to": "late 1", "router": None, "side": "late", "port": None} in value["edges"]
    assert value["groups"][0] == {"id": "chain 0", "text": "trades: 2 readers"}
