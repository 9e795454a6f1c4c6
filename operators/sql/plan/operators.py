"""What a plan's nodes are in a graph: each kind has its operator, in one table.

Schemas come from the operators themselves, so that the plan and the graph cannot disagree about a column.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from flow.operator import Operator
from flow.schema import StreamSchema
from operators.aggregate import Aggregate
from operators.calling.await_calls import AwaitCalls
from operators.deduplicate import Deduplicate
from operators.filter import Filter
from operators.join import Join
from operators.only_row import OnlyRow
from operators.project import Project
from operators.sets import Distinct, SetOperation
from operators.sql.plan import nodes as p
from operators.top_n import TopN
from operators.union import Union
from operators.unnest import Unnest
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
            schema = schema_of(plan.input)
            return Distinct() if schema.changelog else Deduplicate(tuple(schema.names))
        case p.TopN():
            return TopN(plan.order, plan.limit, plan.offset, plan.keys, plan.rank)
        case p.SetOperation():
            return SetOperation(plan.kind, plan.all)
        case p.Join():
            return Join(plan.kind, plan.keys, plan.condition, plan.null_safe, gives=plan.gives)
        case p.Union():
            return Union(len(plan.inputs))
        case p.Unnest():
            return Unnest(plan.lists, plan.ordinality, plan.outer)
        case p.AwaitCalls():
            return AwaitCalls(plan.calls)
        case p.OnlyRow():
            return OnlyRow(plan.rows)
    raise TypeError(f"a {type(plan).__name__} has no operator")


def _window(window: p.AssignWindows | p.Window) -> Tumble | Hop:
    size = timedelta(microseconds=window.size)
    if window.slide == window.size:
        return Tumble(window.column, size)
    return Hop(window.column, size, timedelta(microseconds=window.slide))


_MOST_SCHEMAS: Final = 1_000
_SCHEMAS: Final[dict[int, tuple[p.Plan, StreamSchema]]] = {}
"""What planning asks for again and again, by the node itself, which is kept: equal plans may differ in type."""


def schema_of(plan: p.Plan) -> StreamSchema:
    """The type of the stream that a node stands for; raises GraphError where the node does not fit its inputs."""
    if isinstance(plan, p.Scan):
        return plan.schema
    if isinstance(plan, p.Values):
        return StreamSchema(plan.table.schema)
    if isinstance(plan, p.Filter):
        # Its condition was read over these columns, and is bound to them again when the node is lowered.
        return schema_of(plan.input)
    known = _SCHEMAS.get(id(plan))
    if known is not None:
        return known[1]
    operator = operator_for(plan)
    parts = p.inputs_of(plan)
    schema = operator.output(dict(zip(operator.ports, map(schema_of, parts), strict=True)))
    if len(_SCHEMAS) >= _MOST_SCHEMAS:
        _SCHEMAS.clear()
    _SCHEMAS[id(plan)] = plan, schema
    return schema


def keys_of(plan: p.Plan) -> tuple[tuple[str, ...], ...]:
    """The columns by which each input of a node is divided among partitions; none where rows stay where they are."""
    match plan:
        case p.Aggregate() | p.TopN():
            return (plan.keys,)
        case p.Distinct():
            return (tuple(schema_of(plan.input).names),)
        case p.SetOperation():
            return tuple(tuple(schema_of(part).names) for part in p.inputs_of(plan))
        case p.Join():
            return tuple(left for left, _ in plan.keys), tuple(right for _, right in plan.keys)
        case p.AwaitCalls() if operator_for(plan).keeps({"in": schema_of(plan.input)}) is not None:
            names = schema_of(plan.input).names
            used = frozenset().union(*(call.columns for _, call in plan.calls))
            return (tuple(name for name in names if name in used) or tuple(names),)
    return tuple(() for _ in p.inputs_of(plan))
