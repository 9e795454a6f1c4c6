"""From the plan to the graph: each kind of node has its operator, in one table.

Schemas come from the operators themselves, so that the plan and the graph cannot disagree about a column.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import attrs

from flow.graph import Stream
from flow.nodes import OperatorNode, Output, RouterNode
from flow.operator import Operator
from flow.router import Aligned, Forward, Hash
from flow.schema import StreamSchema
from operators.aggregate import Aggregate
from operators.deduplicate import Deduplicate
from operators.filter import Filter
from operators.project import Project
from operators.sql import plan as p
from operators.union import Union
from operators.window import AssignWindows, Hop, Tumble
from operators.window_aggregate import WindowAggregate


def operator_for(plan: p.Plan) -> Operator:
    """The operator of a node that is no scan."""
    match plan:
        case p.Filter():
            return Filter(plan.predicate, schema_of(plan.input).columns)
        case p.Project():
            return Project(plan.columns)
        case p.AssignWindows():
            return AssignWindows(_window(plan))
        case p.Aggregate():
            if plan.window is not None:
                return WindowAggregate(plan.keys, plan.aggregations, _window(plan.window), plan.emit)
            return Aggregate(plan.keys, plan.aggregations, plan.emit)
        case p.Distinct():
            return Deduplicate(tuple(schema_of(plan.input).names))
        case p.Union():
            return Union(len(plan.inputs))
    raise TypeError(f"a {type(plan).__name__} has no operator")


def _window(window: p.AssignWindows | p.Window) -> Tumble | Hop:
    size = timedelta(microseconds=window.size)
    if window.slide == window.size:
        return Tumble(window.column, size)
    return Hop(window.column, size, timedelta(microseconds=window.slide))


def schema_of(plan: p.Plan) -> StreamSchema:
    """The type of the stream that a node stands for; raises GraphError where the node does not fit its inputs."""
    if isinstance(plan, p.Scan):
        return plan.schema
    operator = operator_for(plan)
    parts = p.inputs_of(plan)
    return operator.output(dict(zip(operator.ports, map(schema_of, parts), strict=True)))


def keys_of(plan: p.Plan) -> tuple[str, ...]:
    """The columns by which a node's input must be divided among partitions; none where rows stay where they are."""
    match plan:
        case p.Aggregate():
            return plan.keys
        case p.Distinct():
            return tuple(schema_of(plan.input).names)
    return ()


def lower(
    plan: p.Plan,
    streams: Mapping[str, Stream],
    stem: str,
    *,
    name: str | None = None,
    partitions: int | None = None,
) -> Stream:
    """Add a plan to the graph of its tables' streams.

    Args:
        plan: what to compute.
        streams: the stream of every scan, by the table's name.
        stem: how the nodes' names begin: they are called ``stem.kind``.
        name: of the node that gives the result, instead of such a name.
        partitions: how many instances of each operator.
    """
    return _Lowering(streams, stem, partitions).node(plan, name)


class _Lowering:
    def __init__(self, streams: Mapping[str, Stream], stem: str, partitions: int | None) -> None:
        self._streams = streams
        self._stem = stem
        self._partitions = partitions

    def node(self, plan: p.Plan, name: str | None = None) -> Stream:
        """The stream of a node; without a name, the node gets one of its kind."""
        if isinstance(plan, p.Scan):
            return self._streams[plan.table]
        inputs = [self.node(part) for part in p.inputs_of(plan)]
        first = inputs[0]
        operator = operator_for(plan)
        if keys := keys_of(plan):
            first, routed = self._keyed(first, keys)
            operator = attrs.evolve(operator, routed=routed)  # type: ignore[misc]  # what has keys has it
        name = name or self._unique(first, type(plan).__name__.lower())
        ports = tuple(zip(operator.ports, [first.output, *(each.output for each in inputs[1:])], strict=True))
        first.graph.add(OperatorNode(name, operator, ports, self._partitions))
        return Stream(first.graph, Output(name))

    def _keyed(self, stream: Stream, keys: tuple[str, ...]) -> tuple[Stream, tuple[str, ...]]:
        """The stream with equal keys in one partition, and by which of the keys its rows are divided."""
        match stream.graph.node(stream.name):
            case RouterNode(router=Hash(keys=routed)) if set(routed) <= set(keys):
                return stream, routed
            case RouterNode(router=Aligned() | Forward()):
                return stream, keys
        return stream.route(Hash(keys), name=self._unique(stream, "keys")), keys

    def _unique(self, stream: Stream, kind: str) -> str:
        return stream.graph.unique_name(f"{self._stem}.{kind}")
