"""What each source has to read: only the columns that something uses, and where possible only rows that can matter.

Pure. The graph stays as it is; the result is a source for each source node.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow.compute as pc

from flow.nodes import Node, OperatorNode, Output, RouterNode, SinkNode, SourceNode
from flow.router import Hash
from flow.schema import WEIGHT, StreamSchema
from flow.source import Source

_All = None
"""Every column is used."""


def narrowed(nodes: Mapping[str, Node], schemas: Mapping[Output, StreamSchema]) -> dict[str, Source]:
    """The sources by node name, each reading no more than its readers in the graph use."""
    used = _columns_used(nodes, schemas)
    timed = _timed(nodes)
    sources: dict[str, Source] = {}
    for node in nodes.values():
        if not isinstance(node, SourceNode):
            continue
        source = node.source if node.event_time is None else node.source.for_event_time(node.event_time)
        names = schemas[Output(node.name)].columns.names
        wanted = used.get(Output(node.name), frozenset())
        if wanted is None:
            wanted = frozenset(names)
        if node.event_time is not None and node.name in timed:
            wanted |= {node.event_time}
        if WEIGHT in names:
            # Operators need not name it: without it, rows that are taken back would count as rows that come.
            wanted |= {WEIGHT}
        if not wanted:
            # Rows are still counted, and a batch without columns has no rows to speak of.
            wanted = frozenset(names[:1])
        predicate = _predicate(nodes, Output(node.name))
        if len(wanted) < len(names) or predicate is not None:
            source = source.narrow([name for name in names if name in wanted], predicate)
        sources[node.name] = source
    return sources


def _timed(nodes: Mapping[str, Node]) -> set[str]:
    """The nodes downstream of which something listens to watermarks."""
    timed: set[str] = set()
    for node in reversed(nodes.values()):  # type: ignore[call-overload]  # a dict's values can be reversed
        if node.name in timed or (isinstance(node, OperatorNode) and node.operator.timed):
            timed.update(output.node for output in node.inputs.values())
    return timed


def _columns_used(
    nodes: Mapping[str, Node], schemas: Mapping[Output, StreamSchema]
) -> dict[Output, frozenset[str] | None]:
    used: dict[Output, frozenset[str] | None] = {}

    def use(output: Output, columns: frozenset[str] | None) -> None:
        known = used.get(output, frozenset())
        used[output] = _All if known is None or columns is None else known | columns

    for node in reversed(nodes.values()):  # type: ignore[call-overload]  # a dict's values can be reversed
        wanted = used.get(Output(node.name), frozenset())
        match node:
            case SinkNode():
                use(node.input, _All)
            case RouterNode():
                keys = frozenset(node.router.keys) if isinstance(node.router, Hash) else frozenset()
                use(node.input, _All if wanted is None else wanted | keys)
            case OperatorNode():
                sides_used = Output(node.name, "late") in used or Output(node.name, "dead_letters") in used
                if wanted is None:
                    wanted = frozenset(schemas[Output(node.name)].columns.names)
                needs = None if sides_used else node.operator.needs(wanted)
                for port, output in node.ports:
                    use(output, _All if needs is None else needs[port])
            case SourceNode():
                pass
    return used


def _predicate(nodes: Mapping[str, Node], output: Output) -> pc.Expression | None:
    """What holds of every row of `output` that can have an effect: some reader lets it pass."""
    either: pc.Expression | None = None
    for node in nodes.values():
        if output not in node.inputs.values():
            continue
        predicate = node.operator.predicate if isinstance(node, OperatorNode) and node.on_error == "fail" else None
        if predicate is None:
            return None
        either = predicate if either is None else either | predicate
    return either
