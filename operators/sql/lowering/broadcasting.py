"""Which side of a join every partition gets whole: a small table, beside a stream that can then stay where it is.

What is declared holds; else what there is to read decides, as far as the sources say it.
"""

from __future__ import annotations

from typing import Final, Literal

from flow.errors import GraphError
from flow.graph import Stream
from flow.nodes import Node, OperatorNode, SourceNode
from flow.operator import Operator
from flow.precedence import size_of
from operators.aggregate import Aggregate
from operators.check import Check
from operators.deduplicate import Deduplicate
from operators.filter import Filter
from operators.join import JoinKind, can_be_broadcast
from operators.only_row import OnlyRow
from operators.project import Project
from operators.sets import Distinct, SetOperation
from operators.top_n import TopN
from operators.union import Union
from operators.upsert import Upsert

_SMALL: Final = 4 << 20
_TIMES: Final = 16
_NO_MORE_ROWS: Final[tuple[type[Operator], ...]] = (
    Aggregate, Check, Deduplicate, Distinct, Filter, OnlyRow, Project, SetOperation, TopN, Union, Upsert,
)  # fmt: skip
"""Operators of which no more comes out than goes in, but for a few columns."""


def broadcast_side(kind: JoinKind, left: Stream, right: Stream) -> Literal["left", "right"] | None:
    """The side of a join to broadcast, if any: of up to 4 MiB, beside 16 times as much or no known end."""
    sides: tuple[tuple[Literal["left", "right"], Stream, Stream], ...] = (("right", right, left), ("left", left, right))
    for side, small, large in sides:
        if not can_be_broadcast(kind, side) or large.schema.changelog:
            continue
        declared = _declared(small)
        if declared is not None:
            if declared:
                return side
            continue
        size = _read(small)
        if size is None or size > _SMALL or not _grows_no_rows(small):
            continue
        beside = _read(large)
        if beside is None or beside >= max(_SMALL, _TIMES * size):
            return side
    return None


def _sources(stream: Stream) -> list[SourceNode]:
    return [node for node in _leading_to(stream) if isinstance(node, SourceNode)]


def _leading_to(stream: Stream) -> list[Node]:
    """The nodes that a stream comes through."""
    names, found = {stream.output.node}, list[Node]()
    for node in reversed(list(stream.graph)):
        if node.name in names:
            found.append(node)
            names |= {output.node for output in node.inputs.values()}
    return found


def _declared(stream: Stream) -> bool | None:
    """Whether all tables of a stream are declared to be broadcast, or one not to be; None where nothing is said."""
    declared = {node.broadcast for node in _sources(stream)}
    if False in declared:
        return False
    return True if declared == {True} and _grows_no_rows(stream) else None


def _grows_no_rows(stream: Stream) -> bool:
    operators = [node.operator for node in _leading_to(stream) if isinstance(node, OperatorNode)]
    return all(isinstance(operator, _NO_MORE_ROWS) for operator in operators)


def _read(stream: Stream) -> int | None:
    """Bytes to read of the sources of a stream; None where that is not known, or where there is no end to it."""
    total = 0
    for node in _sources(stream):
        if node.source.unbounded or node.source.discover_every is not None:
            return None
        try:
            size = size_of(node.source, list(node.source.splits()))
        except GraphError:
            return None
        if size is None:
            return None
        total += size
    return total
