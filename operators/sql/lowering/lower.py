"""Adding a plan to a graph: its nodes as operators, and a router wherever rows have to move.

A part of a plan that stands in several places is one node of the graph.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from flow.graph import Graph, Stream
from flow.nodes import OperatorNode, Output, RouterNode
from flow.router import BROADCAST, Aligned, Forward, Hash, Router
from operators.in_process.tables import Table
from operators.sql.lowering.broadcasting import broadcast_side
from operators.sql.plan import nodes as p
from operators.sql.plan.operators import keys_of, operator_for


def lower(
    plan: p.Plan,
    streams: Mapping[str, Stream],
    stem: str,
    *,
    name: str | None = None,
    partitions: int | None = None,
    graph: Graph | None = None,
    made: Made | None = None,
) -> Stream:
    """Add a plan to the graph of its tables' streams; a part that stands in it several times is added once.

    Args:
        plan: what to compute.
        streams: the stream of every scan, by the table's name.
        stem: how the nodes' names begin: they are called ``stem.kind``.
        name: of the node that gives the result, instead of such a name.
        partitions: how many instances of each operator.
        graph: the graph, which has to be said where there may be no table.
        made: what plans before this one have added to the graph, for this one to share and to add to.
    """
    graph = graph or next(iter(streams.values())).graph
    return _Lowering(graph, streams, stem, partitions, Made() if made is None else made).node(plan, name)


class Made:
    """The streams of what is lowered already: of plans, by the object, and of other streams behind routers."""

    def __init__(self) -> None:
        self.plans: dict[int, tuple[p.Plan, Stream]] = {}
        self.divided: dict[tuple[Output, Router], Stream] = {}


class _Lowering:
    def __init__(
        self, graph: Graph, streams: Mapping[str, Stream], stem: str, partitions: int | None, made: Made
    ) -> None:
        self._graph = graph
        self._streams = streams
        self._stem = stem
        self._partitions = partitions
        self._made = made

    def node(self, plan: p.Plan, name: str | None = None) -> Stream:
        """The stream of a node; without a name, the node gets one of its kind."""
        if id(plan) not in self._made.plans:
            # The plan is kept, since an object's id is its own only as long as it lives.
            self._made.plans[id(plan)] = plan, self._added(plan, name)
        return self._made.plans[id(plan)][1]

    def _added(self, plan: p.Plan, name: str | None) -> Stream:
        if isinstance(plan, p.Scan):
            return self._streams[plan.table]
        if isinstance(plan, p.Values):
            return self._graph.source(name or self._unique("values"), Table(plan.table))
        inputs = [self.node(part) for part in p.inputs_of(plan)]
        operator = operator_for(plan)
        whole = broadcast_side(plan.kind, *inputs) if isinstance(plan, p.Join) else None
        match keys_of(plan):
            case _ if whole is not None:
                place = operator.ports.index(whole)
                inputs[place] = self._routed(inputs[place], BROADCAST, "broadcast")
                operator = attrs.evolve(operator, broadcast=whole)  # type: ignore[misc]  # it is a join
            case (keys,) if keys:
                first, routed = self._keyed(inputs[0], keys)
                inputs = [first]
                if not isinstance(plan, p.AwaitCalls):
                    operator = attrs.evolve(operator, routed=routed)  # type: ignore[misc]  # it has keys
            case divided:
                inputs = [self._divided(*each) if each[1] else each[0] for each in zip(inputs, divided, strict=True)]
        name = name or self._unique(type(plan).__name__.lower())
        ports = tuple(zip(operator.ports, [each.output for each in inputs], strict=True))
        policy = plan.on_error if isinstance(plan, p.AwaitCalls) else "fail"
        self._graph.add(OperatorNode(name, operator, ports, self._partitions, policy))
        return Stream(self._graph, Output(name))

    def _keyed(self, stream: Stream, keys: tuple[str, ...]) -> tuple[Stream, tuple[str, ...]]:
        """The stream with equal keys in one partition, and by which of the keys its rows are divided."""
        match stream.graph.node(stream.name):
            case RouterNode(router=Hash(keys=routed)) if set(routed) <= set(keys):
                return stream, routed
            case RouterNode(router=Aligned() | Forward()):
                return stream, keys
        return self._routed(stream, Hash(keys), "keys"), keys

    def _divided(self, stream: Stream, keys: tuple[str, ...]) -> Stream:
        """The stream divided by exactly these keys, so that equal rows of several streams meet."""
        node = stream.graph.node(stream.name)
        if isinstance(node, RouterNode) and node.router == Hash(keys):
            return stream
        return self._routed(stream, Hash(keys), "keys")

    def _routed(self, stream: Stream, router: Router, kind: str) -> Stream:
        at = stream.output, router
        if at not in self._made.divided:
            self._made.divided[at] = stream.route(router, name=self._unique(kind))
        return self._made.divided[at]

    def _unique(self, kind: str) -> str:
        return self._graph.unique_name(f"{self._stem}.{kind}")
