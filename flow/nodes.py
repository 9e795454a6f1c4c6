"""The nodes of a graph: frozen descriptions, joined by the names of the outputs that they read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

import attrs
import pyarrow as pa

from flow.errors import GraphError, known
from flow.operator import Operator
from flow.router import Router
from flow.sink import Sink
from flow.source import Source

ErrorPolicy = Literal["fail", "skip", "dead_letter"]

Side = Literal["out", "late", "dead_letters"]

DEAD_LETTER_COLUMNS = pa.schema(
    [("row", pa.string()), ("error", pa.string()), ("node", pa.string()), ("offset", pa.string())]
)
"""What a dead letter says: the row as JSON or text, the error, the node, and the offset where one is known."""


def _check(name: str, on_error: str, what: str = "", count: int | None = None) -> None:
    """Raise GraphError for a policy that does not exist, under which rows would be lost, or fewer than one instance."""
    policies = get_args(ErrorPolicy)
    if on_error not in policies:
        raise GraphError(f"{name!r}: no error policy {on_error!r}; {known(str(on_error), policies)}")
    if count is not None and count < 1:
        raise GraphError(f"{name!r}: {what} must be at least 1, not {count}")


@attrs.frozen
class Output:
    """What comes out of a node: its results, its late rows, or its dead letters."""

    node: str
    side: Side = "out"

    def __str__(self) -> str:
        return self.node if self.side == "out" else f"{self.node}.{self.side}"


@attrs.frozen
class SourceNode:
    """Where data comes in. Durations are microseconds.

    Attributes:
        delay: how far event times may be out of order: the watermark follows the greatest one by this much.
        idle_timeout: a split silent for this long no longer holds the watermark.
        max_future: a row further ahead of the clock than this does not advance the watermark.
        ordered: whether each split's event times begin no earlier than those of the splits before it.
        broadcast: whether joins in SQL hand the rows whole to every partition; None: where they are known to be few.
    """

    name: str
    source: Source
    event_time: str | None = None
    delay: int = 0
    idle_timeout: int | None = None
    max_future: int | None = None
    ordered: bool = False
    on_error: ErrorPolicy = "fail"
    broadcast: bool | None = None

    def __attrs_post_init__(self) -> None:
        _check(self.name, self.on_error)
        for what in ("delay", "idle_timeout", "max_future"):
            duration = getattr(self, what)
            if duration is not None and duration < 0:
                raise GraphError(f"{self.name!r}: {what} must not be negative, not {duration} microseconds")

    @property
    def inputs(self) -> Mapping[str, Output]:
        """A source has none."""
        return {}


@attrs.frozen
class RouterNode:
    """Where rows are divided among the partitions of what reads from it."""

    name: str
    input: Output
    router: Router

    @property
    def inputs(self) -> Mapping[str, Output]:
        """The only input."""
        return {"in": self.input}


@attrs.frozen
class OperatorNode:
    """A computation. `partitions` None means: as many as the run is set to."""

    name: str
    operator: Operator
    ports: tuple[tuple[str, Output], ...]
    partitions: int | None = None
    on_error: ErrorPolicy = "fail"

    def __attrs_post_init__(self) -> None:
        _check(self.name, self.on_error, "partitions", self.partitions)

    @property
    def inputs(self) -> Mapping[str, Output]:
        """By port."""
        return dict(self.ports)


@attrs.frozen
class SinkNode:
    """Where data goes out. `writers` None means: one."""

    name: str
    sink: Sink
    input: Output
    writers: int | None = None
    on_error: ErrorPolicy = "fail"

    def __attrs_post_init__(self) -> None:
        _check(self.name, self.on_error, "writers", self.writers)

    @property
    def inputs(self) -> Mapping[str, Output]:
        """The only input."""
        return {"in": self.input}


Node = SourceNode | RouterNode | OperatorNode | SinkNode
