"""The graph, and the fluent stream that adds to it: frozen nodes by name, inputs always before their readers.

A graph is a value: it can be compared, printed, pickled and checked, and nothing runs until it is run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import attrs
import trio

from flow.changes import why
from flow.durations import Duration, microseconds
from flow.errors import GraphError, known
from flow.metrics import RunStats
from flow.nodes import (
    DEAD_LETTER_COLUMNS,
    ErrorPolicy,
    Node,
    OperatorNode,
    Output,
    RouterNode,
    SinkNode,
    SourceNode,
)
from flow.operator import Operator
from flow.router import Hash, Router
from flow.runtime import Run, Watch
from flow.schema import StreamSchema
from flow.settings import Settings
from flow.signals import Signals
from flow.sink import Sink, SinkFormat
from flow.source import Source
from flow.verbs import verbs


class Graph:
    """A dataflow graph under construction: add nodes by `source` and by the methods of the streams that it returns.

    Attributes:
        name: of the graph.
        settings: how it runs where a run is given no others.
    """

    def __init__(
        self, name: str = "graph", nodes: Mapping[str, Node] | None = None, settings: Settings | None = None
    ) -> None:
        self.name = name
        self.settings = settings or Settings()
        self._nodes: dict[str, Node] = {}
        self._schemas: dict[Output, StreamSchema] = {}
        for node in (nodes or {}).values():
            self.add(node)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Graph)
            and self.name == other.name
            and self.settings == other.settings
            and list(self.nodes.items()) == list(other.nodes.items())
        )

    __hash__ = None  # type: ignore[assignment]  # nodes are added to it

    def __repr__(self) -> str:
        return f"Graph({self.name!r}, {list(self._nodes)})"

    def __getstate__(self) -> dict[str, Any]:
        return {"name": self.name, "settings": self.settings, "_nodes": self._nodes, "_schemas": {}}

    def __iter__(self) -> Iterator[Node]:
        return iter(self._nodes.values())

    @property
    def nodes(self) -> Mapping[str, Node]:
        """The nodes by name, upstream before downstream."""
        return self._nodes

    def node(self, name: str) -> Node:
        """A node by name; raises GraphError with the known names when there is none."""
        if name not in self._nodes:
            raise GraphError(f"{self.name!r} has no node {name!r}; {known(name, self._nodes)}")
        return self._nodes[name]

    def source(
        self,
        name: str,
        source: Source,
        *,
        event_time: str | None = None,
        delay: Duration = 0,
        idle_timeout: Duration | None = None,
        max_future: Duration | None = None,
        ordered: bool = False,
        on_error: ErrorPolicy = "fail",
        broadcast: bool | None = None,
    ) -> Stream:
        """Add a source and return its stream.

        Args:
            name: unique in the graph.
            source: what to read.
            event_time: the timestamp column that the watermark speaks of.
            delay: how far event times may be out of order.
            idle_timeout: a split silent for this long no longer holds the watermark (default: it holds for ever).
            max_future: a row further ahead of the clock than this does not advance the watermark (default: it does).
            ordered: each split's event times begin no earlier than those of the splits before it.
            on_error: what becomes of rows that cannot be read.
            broadcast: whether joins in SQL hand the rows whole to every partition (default: where they are known to be
                few).

        Raises:
            GraphError: the name is taken, or the event time is no timestamp column of the source.
        """
        self.add(
            SourceNode(
                name,
                source,
                event_time,
                microseconds(delay),
                None if idle_timeout is None else microseconds(idle_timeout),
                None if max_future is None else microseconds(max_future),
                ordered,
                on_error,
                broadcast,
            )
        )
        return Stream(self, Output(name))

    def add(self, node: Node) -> None:
        """Add a node; everything that can be known wrong with it is refused here.

        Raises:
            GraphError: the name is taken, an input is not there, or the node does not fit its inputs.
        """
        if not node.name:
            raise GraphError("a node needs a name")
        if node.name in self._nodes:
            raise GraphError(f"there is a node {node.name!r} already; names in a graph are unique")
        for output in node.inputs.values():
            if output.node not in self._nodes:
                raise GraphError(f"{node.name!r} reads from {output.node!r}; {known(output.node, self._nodes)}")
            if isinstance(self._nodes[output.node], SinkNode) and output.side != "dead_letters":
                raise GraphError(f"{node.name!r} reads from {output.node!r}, which is a sink")
        try:
            schema = self._schema_of(node)
        except GraphError as error:
            raise GraphError(f"{node.name!r}: {error}") from error
        self._nodes[node.name] = node
        if schema is not None:
            self._schemas[Output(node.name)] = schema

    def schema(self, output: Output) -> StreamSchema:
        """The type of what comes out of a node."""
        if output.side == "dead_letters":
            return StreamSchema(DEAD_LETTER_COLUMNS)
        node = self.node(output.node)
        if output.side == "late":
            return next(iter(self._input_schemas(node).values()))
        if output not in self._schemas:
            schema = self._schema_of(node)
            if schema is None:
                raise GraphError(f"{output.node!r} is a sink: nothing comes out of it")
            self._schemas[output] = schema
        return self._schemas[output]

    def readers_of(self, output: Output) -> list[Node]:
        """The nodes that read an output."""
        return [node for node in self if output in node.inputs.values()]

    def unique_name(self, stem: str) -> str:
        """`stem`, or `stem_2`, `stem_3`, ... where that is taken."""
        name, number = stem, 1
        while name in self._nodes:
            number += 1
            name = f"{stem}_{number}"
        return name

    def run(
        self,
        settings: Settings | None = None,
        *,
        watch: Watch | None = None,
        watch_every: float = 0.25,
        **changes: Any,
    ) -> RunStats:
        """Run the graph to the end of its inputs, and return the counts.

        On the main thread, the first SIGINT or SIGTERM drains the run; the second aborts it, and so does a drain that
        takes longer than the grace period.

        Args:
            settings: how to run it (default: the graph's own, which a script may set).
            watch: called with the counts now and then and once at the end, in a worker thread.
            watch_every: seconds between such calls.
            changes: settings by name, on top of `settings`, e.g. ``partitions=8``.

        Raises:
            GraphError: the graph cannot run.
            SettingsError: a setting has no sense.
            ExceptionGroup: flat, of StepError, when something failed.
            KeyboardInterrupt: a signal aborted the run, or came before it began.
        """
        chosen = attrs.evolve(settings or self.settings, **changes)
        with Signals() as signals:
            run = Run(self.name, self.nodes, chosen)
            signals.hold()
            stats = trio.run(partial(run.execute, signals=signals, watch=watch, watch_every=watch_every))
        if stats.outcome == "aborted":
            raise KeyboardInterrupt(f"the run of {self.name!r} was aborted")
        return stats

    def _input_schemas(self, node: Node) -> dict[str, StreamSchema]:
        return {port: self.schema(output) for port, output in node.inputs.items()}

    def _schema_of(self, node: Node) -> StreamSchema | None:
        inputs = self._input_schemas(node)
        match node:
            case SourceNode():
                return StreamSchema(node.source.schema(), node.event_time)
            case RouterNode():
                node.router.check(inputs["in"])
                return inputs["in"]
            case OperatorNode():
                expected, given = list(node.operator.ports), list(inputs)
                if sorted(expected) != sorted(given):
                    raise GraphError(f"the operator has the ports {expected}; connected are {given}")
                return node.operator.output(inputs)
            case SinkNode():
                if inputs["in"].changelog and not node.sink.takes_changes:
                    makers = why(self.nodes, node.input, self.schema)
                    raise GraphError(
                        f"the stream is a changelog, and this sink only appends: {makers}; {node.sink.instead}"
                    )
                node.sink.check(inputs["in"])
                return None


@attrs.frozen
class Stream:
    """What comes out of a node of a graph."""

    graph: Graph = attrs.field(repr=False)
    output: Output
    rejecting: str | None = attrs.field(default=None, kw_only=True, repr=False)
    """The node whose dead letters are the stream's, where a verb adds nodes behind the one with the error policy."""

    @property
    def name(self) -> str:
        """The name of the node that the stream comes out of."""
        return self.output.node

    @property
    def schema(self) -> StreamSchema:
        """The stream's columns and kind."""
        return self.graph.schema(self.output)

    @property
    def keys(self) -> tuple[str, ...]:
        """The key columns, when the stream comes from a hash router; else none."""
        node = self.graph.node(self.output.node)
        return node.router.keys if isinstance(node, RouterNode) and isinstance(node.router, Hash) else ()

    @property
    def late(self) -> Stream:
        """The rows that came too late for this operator, as they came in."""
        return Stream(self.graph, Output(self.name, "late"))

    @property
    def dead_letters(self) -> Stream:
        """The rows that this node could not use (its error policy must be ``dead_letter``)."""
        return Stream(self.graph, Output(self.rejecting or self.name, "dead_letters"))

    def apply(
        self,
        operator: Operator,
        *,
        name: str | None = None,
        partitions: int | None = None,
        on_error: ErrorPolicy = "fail",
        **ports: Stream,
    ) -> Stream:
        """Add an operator that reads this stream; the other ports of an operator with several are given by name.

        Args:
            operator: what to compute.
            name: unique in the graph; made from the operator's class where left out.
            partitions: how many instances (default: as the run is set).
            on_error: what becomes of rows at which the operator raises.
            ports: streams for the operator's further ports.

        Raises:
            GraphError: the operator does not fit its inputs.
        """
        node = name or self.graph.unique_name(f"{self.name}.{type(operator).__name__.lower()}")
        first = next((port for port in operator.ports if port not in ports), None)
        if first is None:
            raise GraphError(f"{node!r}: all ports {list(operator.ports)} are given; none is left for {self.name!r}")
        for port, stream in ports.items():
            if stream.graph is not self.graph:
                raise GraphError(f"{node!r}: port {port!r} reads {stream.name!r}, which is in another graph")
        inputs = ((first, self.output), *((port, stream.output) for port, stream in ports.items()))
        self.graph.add(OperatorNode(node, operator, inputs, partitions, on_error))
        return Stream(self.graph, Output(node))

    def route(self, router: Router, *, name: str | None = None) -> Stream:
        """Divide the rows among the partitions of what reads the result."""
        node = name or self.graph.unique_name(f"{self.name}.{router}")
        self.graph.add(RouterNode(node, self.output, router))
        return Stream(self.graph, Output(node))

    def key_by(self, *keys: str) -> Stream:
        """Let rows with equal keys meet in one partition."""
        return self.route(Hash(keys))

    def sink(
        self, name: str, sink: Sink | SinkFormat, *, writers: int | None = None, on_error: ErrorPolicy = "fail"
    ) -> Written:
        """Write the stream.

        Args:
            name: unique in the graph.
            sink: where to.
            writers: how many write side by side (default: one).
            on_error: what becomes of a batch at which the writer raises.

        Returns:
            What is left of the stream: the rows that the writer refused.

        Raises:
            GraphError: the name is taken, or the sink cannot take the stream.
        """
        if not isinstance(sink, Sink):
            sink = sink.as_sink()
        self.graph.add(SinkNode(name, sink, sink.fed_by(self, name).output, writers, on_error))
        return Written(self.graph, name)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in verbs():
            raise AttributeError(f"streams have no method {name!r}; {known(name, dir(self))}")
        return partial(verbs()[name], self)

    def __dir__(self) -> Iterable[str]:
        return [name for name in (*object.__dir__(self), *verbs()) if not name.startswith("_")]


@attrs.frozen
class Written:
    """What is left of a stream that a sink writes."""

    graph: Graph = attrs.field(repr=False)
    name: str

    @property
    def dead_letters(self) -> Stream:
        """The rows that the writer refused (the sink's error policy must be ``dead_letter``)."""
        return Stream(self.graph, Output(self.name, "dead_letters"))
