"""Why a stream is a changelog: the nodes that make one of rows which are never taken back.

Pure; only for errors and people.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flow.nodes import Node, OperatorNode, Output, SourceNode
from flow.schema import StreamSchema


def makers(
    nodes: Mapping[str, Node], output: Output, schema_of: Callable[[Output], StreamSchema]
) -> list[SourceNode | OperatorNode]:
    """The nodes at which the changelog that comes out of a node begins, the nearest first; none for other streams."""
    found: list[SourceNode | OperatorNode] = []
    pending, met = [output], set[Output]()
    while pending:
        at = pending.pop(0)
        if at in met or at.side == "dead_letters" or not schema_of(at).changelog:
            continue
        met.add(at)
        node = nodes[at.node]
        before = [each for each in node.inputs.values() if schema_of(each).changelog]
        if not before and isinstance(node, SourceNode | OperatorNode):
            found.append(node)
        pending += before
    return found


def why(
    nodes: Mapping[str, Node], output: Output, schema_of: Callable[[Output], StreamSchema], *, most: int = 3
) -> str:
    """In words: which nodes make the changelog, and when they take rows back; empty for other streams."""
    said = []
    found = makers(nodes, output, schema_of)
    for node in found[:most]:
        words = "has rows that go again" if isinstance(node, SourceNode) else node.operator.takes_back
        said.append(f"{node.name!r} {words}")
    if len(found) > most:
        said.append(f"so do {len(found) - most} others")
    return "; ".join(said)
