"""EXPLAIN: a query's plan with what is known of each node, or the graph that it becomes.

LOGICAL is the tree of what is computed: columns, changelog or not, unique keys, and the state that each node keeps.
PHYSICAL is the graph as it would run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs

from flow.describe import describe
from flow.graph import Graph, Stream
from flow.nodes import Node, RouterNode, SinkNode
from flow.settings import Settings
from operators.expressions.type_names import type_text
from operators.expressions.types import logical as logical_type
from operators.in_process.tables import Null
from operators.sql.grammar.dialect import POSTGRES
from operators.sql.lowering.lower import lower
from operators.sql.plan import nodes as p
from operators.sql.plan.operators import operator_for, schema_of
from operators.sql.plan.unique import unique_keys
from operators.sql.query import plan_of
from operators.udf import UserFunction

_MOST_COLUMNS = 24


def explain(
    query: str,
    *,
    physical: bool = False,
    dialect: str = POSTGRES,
    functions: Iterable[UserFunction] = (),
    parameters: Mapping[str, Any] | None = None,
    **streams: Stream,
) -> str:
    """What a query over streams would compute, in words; nothing is added to their graph.

    Args:
        query: as for `sql`.
        physical: the graph that it becomes, in place of the plan: nodes, routers, partitions, what is read.
        dialect: as for `sql`.
        functions: as for `sql`.
        parameters: as for `sql`.
        streams: the tables, by the names that the query calls them.

    Raises:
        SqlError: as for `sql`.
        GraphError: as for `sql`.
    """
    plan = plan_of(query, dialect=dialect, functions=functions, parameters=parameters, **streams)
    if not physical:
        return logical(plan)
    graph = next(iter(streams.values())).graph
    return physically(plan, graph, streams, graph.settings)


def logical(plan: p.Plan) -> str:
    """The plan as a tree: under each node's line what comes out of it and what it keeps."""
    return "\n".join(_Tree().lines(plan)) + "\n"


def physically(plan: p.Plan, graph: Graph, streams: dict[str, Stream], settings: Settings) -> str:
    """The graph of a plan over the streams of another graph, in words."""
    copied = Graph("query", {name: _without_letters(node) for name, node in graph.nodes.items()})
    over = {name: attrs.evolve(stream, graph=copied) for name, stream in streams.items()}
    name = copied.unique_name("query")
    result = lower(plan, over, name, graph=copied)
    result.sink(copied.unique_name("result"), Null())
    sink = next(node.name for node in reversed(list(copied)) if isinstance(node, SinkNode))
    shown = needed(copied, {sink})
    return describe(Graph("query", {node.name: _without_letters(node) for node in shown}), settings)


def _without_letters(node: Node) -> Node:
    """The node as it is where nothing reads its dead letters, as nothing does before the sinks are there."""
    if isinstance(node, RouterNode) or node.on_error != "dead_letter":
        return node
    return attrs.evolve(node, on_error="skip")


def needed(graph: Graph, names: set[str]) -> Graph:
    """The graph with the nodes of these names and what leads to them alone."""
    names = set(names)
    for node in reversed(list(graph)):
        if node.name in names:
            names |= {output.node for output in node.inputs.values()}
    return Graph(graph.name, {node.name: node for node in graph if node.name in names}, graph.settings)


def columns_text(plan: p.Plan) -> str:
    """Names and types of a plan's columns."""
    schema = schema_of(plan)
    named = [f"{name} {type_text(logical_type(schema.column_type(name)))}" for name in schema.names if name]
    more = [f"and {len(named) - _MOST_COLUMNS} more"] if len(named) > _MOST_COLUMNS else []
    return ", ".join([*named[:_MOST_COLUMNS], *more])


def keys_text(plan: p.Plan) -> str:
    """The unique keys of a plan; empty where none is known."""
    keys = unique_keys(plan)
    if () in keys:
        return "one row at most"
    return ", ".join(f"({', '.join(key)})" for key in keys)


def kind_text(plan: p.Plan) -> str:
    """Whether rows can be taken back."""
    return "changelog" if schema_of(plan).changelog else "append-only"


class _Tree:
    """The lines of a plan; a part that stands in it twice is numbered, and written once."""

    def __init__(self) -> None:
        self._met: dict[int, str] = {}

    def lines(self, plan: p.Plan, first: str = "", rest: str = "") -> Iterator[str]:
        if id(plan) in self._met:
            yield f"{first}{p.headline(plan)}: the same as above, computed once"
            return
        self._met[id(plan)] = p.headline(plan)
        yield f"{first}{p.headline(plan)}"
        parts = p.inputs_of(plan)
        bar = f"{rest}│   " if parts else f"{rest}    "
        columns = columns_text(plan)
        yield f"{bar}{kind_text(plan)}{': ' if columns else ''}{columns}"
        event_time = schema_of(plan).event_time
        for words in (f"event time {event_time}" if event_time else "", self._keys(plan), self._state(plan)):
            if words:
                yield f"{bar}{words}"
        for place, part in enumerate(parts):
            last = place == len(parts) - 1
            yield from self.lines(part, f"{rest}{'└─ ' if last else '├─ '}", f"{rest}{'   ' if last else '│  '}")

    def _keys(self, plan: p.Plan) -> str:
        keys = keys_text(plan)
        return f"unique: {keys}" if keys else ""

    def _state(self, plan: p.Plan) -> str:
        if isinstance(plan, p.Scan | p.Values):
            return ""
        operator = operator_for(plan)
        parts = p.inputs_of(plan)
        kept = operator.keeps(dict(zip(operator.ports, map(schema_of, parts), strict=True)))
        return "" if kept is None else str(kept)
