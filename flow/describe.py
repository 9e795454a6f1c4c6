"""A graph in words, as it would run: what is read, what is computed in how many instances, and what moves.

Pure but for what a source looks up to know its schema and its splits.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

import pyarrow as pa

from flow.durations import spelled
from flow.graph import Graph
from flow.layout import Across, Chain, Layout, Step, lay_out
from flow.metrics import INSTANCES
from flow.nodes import OperatorNode, Output, SourceNode
from flow.schema import StreamSchema
from flow.settings import TOPOLOGIES, Settings, cores
from flow.state import kept_by
from flow.telling import told

_WIDTH = 100


def describe(graph: Graph, settings: Settings) -> str:
    """The text of ``penstock explain``.

    Raises:
        GraphError: the graph cannot run.
    """
    layout = lay_out(graph.nodes, settings)
    lines = [
        f"{graph.name}: {summary(graph)}",
        f"topology {settings.topology}: {TOPOLOGIES[settings.topology]}",
        f"{_count(settings.threads or cores(), 'worker thread')} for kernels",
    ]
    for chain in layout.chains:
        lines += ["", *_chain(graph, layout, chain, settings)]
    return "\n".join(lines) + "\n"


def summary(graph: Graph) -> str:
    """How many nodes of each kind a graph has."""
    kinds = [type(node).__name__.removesuffix("Node").lower() for node in graph]
    counts = [(kinds.count(kind), kind) for kind in ("source", "router", "operator", "sink")]
    return ", ".join(_count(count, kind) for count, kind in counts if count) or "no nodes"


def _chain(graph: Graph, layout: Layout, chain: Chain, settings: Settings) -> Iterator[str]:
    word = INSTANCES[chain.kind]
    fused = ", fused: its nodes run in one task" if len(chain.steps) > 1 else ""
    yield f"{chain.name}  ({_count(chain.instances, word)}{fused})"
    for step in chain.steps:
        yield from (f"    {line}" for line in _step(graph, layout, chain, step, settings))


def _step(graph: Graph, layout: Layout, chain: Chain, step: Step, settings: Settings) -> Iterator[str]:
    node = step.node
    yield f"{step.kind} {step.name}"
    for line in _details(graph, layout, chain, step, settings):
        yield from textwrap.wrap(line, _WIDTH, initial_indent="    ", subsequent_indent="        ")
    if node.on_error != "fail":
        yield f"    on error: {node.on_error}"
    for side, target in step.targets:
        if isinstance(target, Across):
            edge = layout.edges[target.edge]
            to = layout.chains[edge.downstream]
            what = "" if side == "out" else f" ({side.replace('_', ' ')})"
            yield f"    → {edge.router}{what} → {to.name}, {_count(to.instances, INSTANCES[to.kind])}"


def _details(graph: Graph, layout: Layout, chain: Chain, step: Step, settings: Settings) -> Iterator[str]:
    node = step.node
    if isinstance(node, SourceNode):
        yield told(step.source)
        everything = graph.schema(Output(node.name)).columns
        read = step.output.columns
        splits = _count(len(layout.splits[node.name]), "split")
        dealt = ", dealt out to the readers in turn" if chain.aligned else ""
        yield f"reads {splits}{dealt}; {len(read)} of {_count(len(everything), 'column')}"
        if chain.reads_ahead:
            yield f"{_count(chain.reads_ahead, 'read')} ahead"
        elif settings.topology in ("prefetched", "aligned") and settings.prefetch is None:
            yield "nothing read ahead: as many readers as threads, and reading is computing"
        if node.event_time is not None:
            yield f"event time: {_event_time(node)}"
    elif isinstance(node, OperatorNode) and step.name != node.name:
        yield f"the half of {node.name} that works before the rows are moved"
    elif isinstance(node, OperatorNode):
        yield told(node.operator)
    else:
        yield told(step.sink)
    kept = kept_by(step)
    if kept is not None:
        yield str(kept)
    if step.kind != "sink" and step.name == node.name:
        yield f"gives {_columns(step.output)}"


def _event_time(node: SourceNode) -> str:
    parts = [str(node.event_time), f"delay {spelled(node.delay)}"]
    if node.idle_timeout is not None:
        parts.append(f"idle after {spelled(node.idle_timeout)}")
    if node.max_future is not None:
        parts.append(f"at most {spelled(node.max_future)} ahead of the clock")
    if node.ordered:
        parts.append("splits in order of time")
    return ", ".join(parts)


def _columns(schema: StreamSchema) -> str:
    kind = "a changelog of " if schema.changelog else ""
    shown = [f"{field.name} {_type(field.type)}" for field in schema.columns if field.name in schema.names]
    more = [f"and {len(shown) - 40} more columns"] if len(shown) > 40 else []
    return kind + ", ".join([*shown[:40], *more])


def _type(kind: pa.DataType) -> str:
    return str(kind.value_type) if pa.types.is_dictionary(kind) else str(kind)


def _count(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
