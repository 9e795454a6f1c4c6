"""Drawings of a graph: as it was written, or as a topology lays it out; in Mermaid, in Graphviz's DOT, or as JSON.

Pure: a drawing is a value (boxes, lines, groups) that the three writers only put into their own words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, Literal

import attrs

from flow.graph import Graph
from flow.layout import Across, Chain, Edge, Layout, Step, lay_out
from flow.metrics import INSTANCES
from flow.nodes import Node, OperatorNode, Output, RouterNode, Side, SinkNode, SourceNode
from flow.operator import Kept
from flow.router import Forward
from flow.settings import PREFETCH, Settings
from flow.state import kept_by

DRAWING_VERSION: Final = 1
"""Version of what `as_json` gives; a change that a reader of it could notice raises it."""

BoxKind = Literal["source", "operator", "sink", "router", "split", "buffer"]

_SHOWN = 4
"""Instances of a chain that are drawn; of more, the first two and the last."""


@attrs.frozen
class Box:
    """One thing in a drawing.

    Attributes:
        node: the graph's node that it stands for.
        text: what it says, by line.
        kept: what its partitions keep, which the last lines say.
        instance: which of the node's instances, from 0; None for all of them, or for those left out.
    """

    id: str
    node: str
    kind: BoxKind
    text: tuple[str, ...]
    group: str | None = None
    instance: int | None = None
    kept: Kept | None = None


@attrs.frozen
class Line:
    """A way that batches take, from a box to a box.

    Attributes:
        router: what divides the rows among the instances, where something does.
        side: which of the outputs of the first box.
        port: which input of the second box, where it has several.
    """

    start: str
    end: str
    router: str | None = None
    side: Side = "out"
    port: str | None = None

    @property
    def label(self) -> str:
        """What stands at the line."""
        words = [self.router, None if self.side == "out" else self.side.replace("_", " "), self.port]
        return ", ".join(word for word in words if word)


@attrs.frozen
class Drawing:
    """A graph, drawn. `topology` is None for the graph as it was written."""

    graph: str
    topology: str | None
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    groups: Mapping[str, str]


def draw(graph: Graph) -> Drawing:
    """The graph as it was written: a box a node, routers at the lines."""
    unread = {node.name for node in graph if isinstance(node, RouterNode) and not graph.readers_of(Output(node.name))}
    boxes = [_box(graph, node) for node in graph if not isinstance(node, RouterNode) or node.name in unread]
    lines: list[Line] = []
    for node in graph:
        if isinstance(node, RouterNode) and node.name not in unread:
            continue
        several = len(node.inputs) > 1
        for port, output in node.inputs.items():
            origin, routers = output, list[str]()
            while isinstance(router := graph.node(origin.node), RouterNode):
                routers.insert(0, str(router.router))
                origin = router.input
            lines.append(
                Line(origin.node, node.name, " → ".join(routers) or None, origin.side, port if several else None)
            )
    return Drawing(graph.name, None, tuple(boxes), tuple(lines), {})


def draw_laid_out(graph: Graph, settings: Settings) -> Drawing:
    """The graph as a run with these settings lays it out: readers, routers, partitions and writers, one box each.

    Raises:
        GraphError: the graph cannot run.
    """
    return _LaidOut(graph.name, lay_out(graph.nodes, settings), settings).drawing


def _box(graph: Graph, node: Node) -> Box:
    match node:
        case SourceNode():
            return Box(node.name, node.name, "source", (node.name, type(node.source).__name__))
        case OperatorNode():
            kept = node.operator.keeps({port: graph.schema(output) for port, output in node.ports})
            text = (node.name, type(node.operator).__name__, *(kept.lines if kept is not None else ()))
            return Box(node.name, node.name, "operator", text, kept=kept)
        case RouterNode():
            return Box(node.name, node.name, "router", (node.name, str(node.router)))
        case SinkNode():
            return Box(node.name, node.name, "sink", (node.name, type(node.sink).__name__))


class _LaidOut:
    def __init__(self, graph: str, layout: Layout, settings: Settings) -> None:
        self.layout = layout
        self.settings = settings
        self.boxes: list[Box] = []
        self.lines: list[Line] = []
        self.groups: dict[str, str] = {}
        for chain in layout.chains:
            self._add_chain(chain)
        for chain in layout.chains:
            for step in chain.steps:
                self._add_lines(chain, step)
        self.drawing = Drawing(graph, settings.topology, tuple(self.boxes), tuple(self.lines), self.groups)

    def _add_chain(self, chain: Chain) -> None:
        group = f"chain {chain.number}"
        if self.settings.topology == "serial" and len(chain.steps) > 1:
            self.groups[group] = "one task: reads, processes and writes"
        else:
            word = INSTANCES[chain.kind]
            self.groups[group] = f"{chain.name}: {chain.instances} {word}{'s' if chain.instances > 1 else ''}"
        for instance in _shown(chain.instances):
            for step in chain.steps:
                self._add_step(chain, step, group, instance)

    def _add_step(self, chain: Chain, step: Step, group: str, instance: int | None) -> None:
        box = _id(step.name, instance)
        kept = None if instance is None else kept_by(step)
        if instance is None:
            text: tuple[str, ...] = (step.name, "…")
        elif chain.instances == 1:
            text = (step.name, _kind_of(step))
        else:
            text = (step.name, f"{INSTANCES[step.kind]} {instance + 1}")
        text = (*text, *(kept.lines if kept is not None else ()))
        self.boxes.append(Box(box, step.node.name, step.kind, text, group, instance, kept))
        if step.kind != "source":
            return
        if chain.aligned:
            split = _id(f"{step.name} split", instance)
            mine = range(instance or 0, len(self.layout.splits[step.name]), chain.instances)
            text = _splits_text(mine) if instance is not None else ("…",)
            self.boxes.append(Box(split, step.name, "split", text, None, instance))
            self.lines.append(Line(split, box))
        asked = PREFETCH if self.settings.prefetch is None else self.settings.prefetch
        ahead = asked if self.settings.topology in ("prefetched", "aligned") else 0
        if ahead:
            buffer = _id(f"{step.name} buffer", instance)
            most = "" if chain.reads_ahead else "up to "
            text = (f"{most}{ahead} read{'s' if ahead > 1 else ''} ahead",) if instance is not None else ("…",)
            self.boxes.append(Box(buffer, step.name, "buffer", text, group, instance))
            self.lines.append(Line(box, buffer))

    def _add_lines(self, chain: Chain, step: Step) -> None:
        for side, target in step.targets:
            if isinstance(target, Across):
                self._add_edge(chain, step, side, self.layout.edges[target.edge])
                continue
            after = chain.steps[target.step]
            port = list(after.inputs)[target.port] if after.ports > 1 else None
            for instance in _shown(chain.instances):
                self.lines.append(Line(self._way_out(step, instance), _id(after.name, instance), None, side, port))

    def _add_edge(self, chain: Chain, step: Step, side: Side, edge: Edge) -> None:
        downstream = self.layout.chains[edge.downstream]
        after = downstream.steps[0]
        port = list(after.inputs)[edge.port] if after.ports > 1 else None
        ends = _shown(downstream.instances)
        for instance in _shown(chain.instances):
            start = self._way_out(step, instance)
            if isinstance(edge.router, Forward):
                to = _fed_by(instance, chain.instances, downstream.instances)
                self.lines.append(Line(start, _id(after.name, to if to in ends else None), None, side, port))
                continue
            if downstream.instances == 1:
                self.lines.append(Line(start, _id(after.name, 0), str(edge.router), side, port))
                continue
            # Each instance routes its own batches: there is no router in the middle to draw.
            router = _id(f"{step.name} edge {edge.number}", instance)
            text = str(edge.router) if instance is not None else "…"
            self.boxes.append(
                Box(router, edge.router_name or step.node.name, "router", (text,), f"chain {chain.number}", instance)
            )
            self.lines.append(Line(start, router, None, side))
            self.lines.extend(Line(router, _id(after.name, end), None, side, port) for end in ends)

    def _way_out(self, step: Step, instance: int | None) -> str:
        buffer = _id(f"{step.name} buffer", instance)
        return buffer if any(box.id == buffer for box in self.boxes) else _id(step.name, instance)


def _shown(instances: int) -> list[int | None]:
    if instances <= _SHOWN:
        return list(range(instances))
    return [0, 1, None, instances - 1]


def _fed_by(instance: int | None, upstream: int, downstream: int) -> int | None:
    """Which instance a forward edge leads to."""
    if downstream == 1:
        return 0
    return instance if instance is None or upstream == downstream else instance % downstream


def _id(name: str, instance: int | None) -> str:
    return f"{name} {'…' if instance is None else instance + 1}"


def _kind_of(step: Step) -> str:
    return type(step.operator or step.sink or step.source).__name__


def _splits_text(splits: range) -> tuple[str, ...]:
    if not splits:
        return ("no split",)
    numbers = [str(number + 1) for number in splits[:3]]
    more = f", … ({len(splits)})" if len(splits) > 3 else ""
    return (f"split{'s' if len(splits) > 1 else ''} {', '.join(numbers)}{more}",)


def as_json(drawing: Drawing) -> dict[str, Any]:
    """The drawing as a JSON value, described in docs/command-line.md."""
    return {
        "version": DRAWING_VERSION,
        "graph": drawing.graph,
        "topology": drawing.topology,
        "nodes": [
            {
                "id": box.id,
                "node": box.node,
                "kind": box.kind,
                "text": list(box.text),
                "group": box.group,
                "instance": box.instance,
                "keeps": None if box.kept is None else box.kept.what,
                "growth": None if box.kept is None else box.kept.growth,
            }
            for box in drawing.boxes
        ],
        "edges": [
            {"from": line.start, "to": line.end, "router": line.router, "side": line.side, "port": line.port}
            for line in drawing.lines
        ],
        "groups": [{"id": group, "text": text} for group, text in drawing.groups.items()],
    }


_MERMAID_SHAPES: Final[Mapping[BoxKind, tuple[str, str]]] = {
    "source": ("([", "])"),
    "operator": ("[", "]"),
    "sink": ("[/", "/]"),
    "router": ("{{", "}}"),
    "split": ("[(", ")]"),
    "buffer": ("[[", "]]"),
}


def mermaid(drawing: Drawing) -> str:
    """The drawing as a Mermaid flowchart."""
    ids = {box.id: f"n{number}" for number, box in enumerate(drawing.boxes)}

    def box_line(box: Box) -> str:
        left, right = _MERMAID_SHAPES[box.kind]
        return f'{ids[box.id]}{left}"{"<br/>".join(map(_mermaid_text, box.text))}"{right}'

    def group_lines(number: int, text: str, inside: Iterable[str]) -> Iterator[str]:
        yield f'    subgraph g{number}["{_mermaid_text(text)}"]'
        yield from (f"        {line}" for line in inside)
        yield "    end"

    lines = ["flowchart LR", *_grouped(drawing, box_line, group_lines, "    ")]
    for line in drawing.lines:
        arrow = "-->" if line.side == "out" else "-.->"
        label = f'|"{_mermaid_text(line.label)}"|' if line.label else ""
        lines.append(f"    {ids[line.start]} {arrow}{label} {ids[line.end]}")
    return "\n".join(lines) + "\n"


def _mermaid_text(text: str) -> str:
    """Text between quotes: Mermaid has no escapes but entities, and reads a leading back quote as Markdown."""
    entities = {"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "&": "#amp;", "`": "#96;", "\n": " "}
    return "".join(entities.get(letter, letter) for letter in text)


_DOT_SHAPES: Final[Mapping[BoxKind, str]] = {
    "source": "ellipse",
    "operator": "box",
    "sink": "parallelogram",
    "router": "hexagon",
    "split": "cylinder",
    "buffer": "component",
}


def dot(drawing: Drawing) -> str:
    """The drawing in Graphviz's language."""

    def box_line(box: Box) -> str:
        return f"{_dot_text(box.id)} [label={_dot_text(chr(10).join(box.text))}, shape={_DOT_SHAPES[box.kind]}];"

    def group_lines(number: int, text: str, inside: Iterable[str]) -> Iterator[str]:
        yield f"  subgraph cluster_{number} {{"
        yield f"    label={_dot_text(text)};"
        yield from (f"    {line}" for line in inside)
        yield "  }"

    lines = [
        f"digraph {_dot_text(drawing.graph)} {{",
        "  rankdir=LR;",
        '  node [fontname="sans-serif"]; edge [fontname="sans-serif"];',
        *_grouped(drawing, box_line, group_lines, "  "),
    ]
    for line in drawing.lines:
        attributes = [f"label={_dot_text(line.label)}"] if line.label else []
        attributes += ["style=dashed"] if line.side != "out" else []
        tail = f" [{', '.join(attributes)}]" if attributes else ""
        lines.append(f"  {_dot_text(line.start)} -> {_dot_text(line.end)}{tail};")
    return "\n".join([*lines, "}"]) + "\n"


def _dot_text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _grouped(
    drawing: Drawing,
    box_line: Callable[[Box], str],
    group_lines: Callable[[int, str, Iterable[str]], Iterator[str]],
    indent: str,
) -> Iterator[str]:
    """The lines of all boxes, those of a group together."""
    yield from (f"{indent}{box_line(box)}" for box in drawing.boxes if box.group is None)
    for number, (group, text) in enumerate(drawing.groups.items()):
        yield from group_lines(number, text, [box_line(box) for box in drawing.boxes if box.group == group])
