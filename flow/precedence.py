"""Which sources are read to their ends before others are begun, for the sake of operators that keep less from then on.

Pure. A source waits only for sources that are known to end, and none waits for itself by way of others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from flow.nodes import Node, OperatorNode, RouterNode, SourceNode
from flow.router import Broadcast
from flow.source import Source, Split


def reading_order(
    nodes: Mapping[str, Node], sources: Mapping[str, Source], splits: Mapping[str, Sequence[Split]]
) -> dict[str, frozenset[str]]:
    """By a source's name, the sources that are read before it.

    Args:
        nodes: the graph's, upstream before downstream.
        sources: what is read, by the node's name.
        splits: of these sources.
    """
    sizes = {name: size for name, source in sources.items() if (size := size_of(source, splits[name])) is not None}
    origins = _origins(nodes)
    after: dict[str, frozenset[str]] = {}
    wishes = [
        _wish(node, nodes, origins, sizes)
        for node in nodes.values()
        if isinstance(node, OperatorNode) and node.operator.early and len(node.operator.ports) > 1
    ]
    # Where either port may be first, sizes decide, which never contradict each other; the others fill in.
    for _, first, then in sorted(filter(None, wishes), key=lambda wish: wish[0]):
        for late in sorted(then - first):
            for soon in sorted(first):
                if late not in _all_before(soon, after):
                    after[late] = after.get(late, frozenset()) | {soon}
    return after


def size_of(source: Source, splits: Sequence[Split]) -> int | None:
    """Bytes to read; None where that is not known, or may become more."""
    sizes = [split.size for split in splits]
    known = [size for size in sizes if size is not None]
    if source.unbounded or source.discover_every is not None or len(known) < len(sizes):
        return None
    return sum(known)


def _origins(nodes: Mapping[str, Node]) -> dict[str, frozenset[str]]:
    """The sources that each node reads from, however far away."""
    origins: dict[str, frozenset[str]] = {}
    for node in nodes.values():
        own = frozenset({node.name}) if isinstance(node, SourceNode) else frozenset()
        origins[node.name] = own.union(*(origins[output.node] for output in node.inputs.values()))
    return origins


def _wish(
    node: OperatorNode, nodes: Mapping[str, Node], origins: Mapping[str, frozenset[str]], sizes: Mapping[str, int]
) -> tuple[int, frozenset[str], frozenset[str]] | None:
    """How free the choice was, which sources an operator would have first, and which after them."""
    ports = {port: origins[output.node] for port, output in node.inputs.items()}
    everything = frozenset().union(*ports.values())
    early = node.operator.early
    # What every partition has whole is small: what may never end can wait for it, too.
    small = [port for port in early if _is_broadcast(nodes[node.inputs[port].node])]
    if not (ports[small[0]] if small else everything) <= sizes.keys():
        return None
    first = min((ports[port] for port in early), key=lambda names: sum(sizes[name] for name in names))
    then = everything - first
    if len(early) > 1:
        return 0, first, frozenset(name for name in then if all(sizes[name] > sizes[other] for other in first))
    return 1, first, then


def _is_broadcast(node: Node) -> bool:
    return isinstance(node, RouterNode) and isinstance(node.router, Broadcast)


def _all_before(name: str, after: Mapping[str, Set[str]]) -> frozenset[str]:
    """The source, and all that are read before it."""
    return frozenset({name}).union(*(_all_before(each, after) for each in after.get(name, ())))
