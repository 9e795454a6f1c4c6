"""How a graph is laid out to run: chains of fused nodes, each in a number of instances, and the edges between them.

Pure: the same graph and settings give the same layout, and nothing is opened. A chain runs in one task an instance;
inside a chain a batch is handed on by a call, between chains it crosses an edge.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import attrs

from flow.errors import GraphError
from flow.metrics import NodeKind
from flow.narrowing import narrowed
from flow.nodes import (
    DEAD_LETTER_COLUMNS,
    ErrorPolicy,
    Node,
    OperatorNode,
    Output,
    RouterNode,
    Side,
    SinkNode,
    SourceNode,
)
from flow.operator import Operator
from flow.precedence import reading_order
from flow.router import FORWARD, ROUND_ROBIN, Aligned, Forward, Hash, Router
from flow.schema import StreamSchema
from flow.settings import PREFETCH, Settings, cores
from flow.sink import Sink
from flow.source import Source, Split


@attrs.frozen
class Inside:
    """The next step of the same chain."""

    step: int
    port: int


@attrs.frozen
class Across:
    """An edge to another chain."""

    edge: int


Target = Inside | Across


@attrs.define
class Step:
    """A node in its place in a chain.

    Attributes:
        name: of the node; the half of an operator before the exchange is called ``NAME.before``.
        inputs: schema of each port.
        output: schema of what comes out; a sink has its input's.
        targets: where each side of the output goes, in order.
    """

    name: str
    kind: NodeKind
    inputs: Mapping[str, StreamSchema]
    output: StreamSchema
    node: SourceNode | OperatorNode | SinkNode
    source: Source | None = None
    operator: Operator | None = None
    sink: Sink | None = None
    on_error: ErrorPolicy = "fail"
    timed: bool = False
    targets: list[tuple[Side, Target]] = attrs.field(factory=list)

    @property
    def ports(self) -> int:
        """How many ports the step has."""
        return max(1, len(self.inputs))


@attrs.define
class Edge:
    """A way from a step of one chain to the first step of another; every pair of instances on it is a channel.

    Attributes:
        router: as drawn in the graph, or forward / round robin where the graph has none.
        router_name: the router's node; None where the graph has none.
        timed: whether anything downstream listens to watermarks.
    """

    number: int
    upstream: int
    downstream: int
    port: int
    router: Router
    router_name: str | None
    timed: bool = True


@attrs.define
class Chain:
    """Nodes that run in one task, in a number of instances.

    Attributes:
        steps: upstream before downstream; the first one heads the chain.
        aligned: splits are dealt out to the instances in turn instead of taken by whoever is free.
        reads_ahead: how many reads the readers of a source at the head are ahead; 0: they read when asked.
        keys: the key columns by which an aligned chain's rows are known to be divided.
        edges_in: numbers of the edges that feed it.
    """

    number: int
    instances: int
    steps: list[Step] = attrs.field(factory=list)
    aligned: bool = False
    reads_ahead: int = 0
    keys: tuple[str, ...] = ()
    edges_in: list[int] = attrs.field(factory=list)

    @property
    def name(self) -> str:
        """The name of the head."""
        return self.steps[0].name

    @property
    def kind(self) -> Literal["source", "operator", "sink"]:
        """What heads the chain."""
        return self.steps[0].kind  # type: ignore[return-value]  # a router heads no chain

    @property
    def sources(self) -> list[int]:
        """Numbers of the steps that are sources."""
        return [number for number, step in enumerate(self.steps) if step.kind == "source"]


@attrs.define
class Layout:
    """A graph as it will run.

    Attributes:
        chains: upstream before downstream.
        edges: by their numbers.
        splits: of each source, by its name.
        after: by a source's name, the sources that are read to their ends before it is begun.
    """

    chains: list[Chain] = attrs.field(factory=list)
    edges: list[Edge] = attrs.field(factory=list)
    splits: dict[str, list[Split]] = attrs.field(factory=dict)
    after: dict[str, frozenset[str]] = attrs.field(factory=dict)

    def inputs(self, chain: Chain, instance: int) -> list[tuple[Edge, int]]:
        """The channels into an instance: the edge and the upstream instance of each, in the order of their numbers."""
        return [
            (edge, upstream)
            for edge in (self.edges[number] for number in chain.edges_in)
            for upstream in range(self.chains[edge.upstream].instances)
            if not isinstance(edge.router, Forward | Aligned) or upstream % chain.instances == instance
        ]


def lay_out(nodes: Mapping[str, Node], settings: Settings) -> Layout:
    """The layout of a graph's nodes.

    Raises:
        GraphError: a source has no reader in the graph, or dead letters have nowhere to go.
    """
    return _LayingOut(nodes, settings).layout


class _LayingOut:
    def __init__(self, nodes: Mapping[str, Node], settings: Settings) -> None:
        self.nodes = nodes
        self.settings = settings
        self.serial = settings.topology == "serial"
        self.layout = Layout()
        self.outputs: dict[str, tuple[dict[str, StreamSchema], StreamSchema]] = {}
        self.schemas: dict[Output, StreamSchema] = {}
        self.places: dict[str, tuple[int, int]] = {}  # node → its chain and step
        self._check()
        for node in nodes.values():
            self._infer(node, {})
        sources = narrowed(nodes, self.schemas)
        self.schemas.clear()
        for node in nodes.values():
            self._infer(node, sources)
            match node:
                case SourceNode():
                    self._place_source(node, sources[node.name])
                case OperatorNode():
                    self._place_operator(node)
                case SinkNode():
                    self._place_sink(node)
                case RouterNode():
                    pass
        self._mark_timed()
        if not self.serial and not self.settings.interleaved:
            self.layout.after = reading_order(nodes, sources, self.layout.splits)

    def _check(self) -> None:
        if not any(isinstance(node, SinkNode) for node in self.nodes.values()):
            raise GraphError(f"nothing is written: the graph has no sink; known here: {list(self.nodes)}")
        read = {output for node in self.nodes.values() for output in node.inputs.values()}
        for node in self.nodes.values():
            if isinstance(node, RouterNode) and isinstance(self.nodes[node.input.node], RouterNode):
                raise GraphError(
                    f"the router {node.name!r} reads from the router {node.input.node!r}; keep the last one"
                )
            if not isinstance(node, SinkNode) and not any(output.node == node.name for output in read):
                raise GraphError(f"nothing reads from {node.name!r}; give it a sink, or take it out")
            policy = getattr(node, "on_error", "fail")
            letters = Output(node.name, "dead_letters") in read
            if policy == "dead_letter" and not letters:
                raise GraphError(f"{node.name!r} has on_error='dead_letter', but nothing reads its dead letters")
            if letters and policy != "dead_letter":
                raise GraphError(f"the dead letters of {node.name!r} are read, but it has on_error={policy!r}")

    def _infer(self, node: Node, sources: Mapping[str, Source]) -> None:
        inputs = {port: self._schema(output) for port, output in node.inputs.items()}
        match node:
            case SourceNode():
                source = sources.get(node.name, node.source)
                try:
                    columns = source.schema()
                except GraphError as error:
                    raise GraphError(f"{node.name!r}: {error}") from error
                # Where nothing listens to watermarks, the event time may not be read.
                event_time = node.event_time if node.event_time in columns.names else None
                self.schemas[Output(node.name)] = StreamSchema(columns, event_time)
            case RouterNode():
                self.schemas[Output(node.name)] = inputs["in"]
            case OperatorNode():
                # Most operators are given the same once sources read less.
                known = self.outputs.get(node.name)
                if known is None or known[0] != inputs:
                    known = self.outputs[node.name] = inputs, node.operator.output(inputs)
                self.schemas[Output(node.name)] = known[1]
            case SinkNode():
                pass

    def _schema(self, output: Output) -> StreamSchema:
        if output.side == "dead_letters":
            return StreamSchema(DEAD_LETTER_COLUMNS)
        if output.side == "late":
            return self._schema(next(iter(self.nodes[output.node].inputs.values())))
        return self.schemas[output]

    def _place_source(self, node: SourceNode, source: Source) -> None:
        schema = self.schemas[Output(node.name)]
        step = Step(node.name, "source", {}, schema, node, source=source, on_error=node.on_error)
        try:
            splits = list(source.splits())
        except GraphError as error:
            raise GraphError(f"{node.name!r}: {error}") from error
        self.layout.splits[node.name] = splits
        if self.serial and self.layout.chains and self.layout.chains[0].kind == "source":
            self._append(0, step)
            return
        aligned = self.settings.topology == "aligned" or self._read_aligned(node.name)
        wanted = self._partitions_downstream(node.name) if aligned else self.settings.readers or cores()
        if self.serial:
            wanted = 1
        elif not aligned and source.discover_every is None:
            wanted = 1 if self._in_order(node.name) else max(1, min(wanted, len(splits)))
        self._begin(step, wanted, aligned=aligned, reads_ahead=self._reads_ahead(source, wanted))

    def _reads_ahead(self, source: Source, readers: int) -> int:
        """How many reads the readers of a source are ahead of what is done with them."""
        if self.settings.topology in ("serial", "routed"):
            return 0
        if self.settings.prefetch is not None:
            return self.settings.prefetch
        # With every thread at it, reading ahead would only move what was read to another core's cache.
        busy = source.never_waits and readers >= (self.settings.threads or cores())
        return 0 if busy else PREFETCH

    def _partitions_downstream(self, name: str) -> int:
        """How many partitions an aligned source feeds: as set, else as the first operator after it says."""
        if self.settings.partitions is not None:
            return self.settings.partitions
        downstream = {name}
        for node in self.nodes.values():
            if any(output.node in downstream for output in node.inputs.values()):
                downstream.add(node.name)
                if isinstance(node, OperatorNode) and node.partitions is not None:
                    return node.partitions
        return cores()

    def _in_order(self, name: str) -> bool:
        """Whether something downstream of a source needs its rows in their order."""
        downstream = {name}
        for node in self.nodes.values():
            if any(output.node in downstream for output in node.inputs.values()):
                downstream.add(node.name)
                if isinstance(node, OperatorNode) and node.operator.in_order:
                    return True
        return False

    def _read_aligned(self, name: str) -> bool:
        return any(
            isinstance(node, RouterNode) and isinstance(node.router, Aligned) and node.input.node == name
            for node in self.nodes.values()
        )

    def _place_operator(self, node: OperatorNode) -> None:
        operator = node.operator
        inputs = {port: self._schema(node.inputs[port]) for port in operator.ports}
        step = Step(
            node.name, "operator", inputs, self.schemas[Output(node.name)], node, operator=operator,
            on_error=node.on_error, timed=operator.timed,
        )  # fmt: skip
        outputs = [node.inputs[port] for port in operator.ports]
        instances = 1 if operator.single or self.serial else self.settings.partitions or node.partitions or cores()
        home = self._home(outputs, step, instances)
        if home is not None:
            place = self._append(home, step)
            for port, output in enumerate(outputs):
                origin, _ = self._origin(output)
                self._step(origin).targets.append((origin.side, Inside(place[1], port)))
            return
        halves = None
        origin, router = self._origin(outputs[0])
        if (
            len(outputs) == 1
            and isinstance(router, RouterNode)
            and isinstance(router.router, Hash)
            and origin.side == "out"
            and not self._read_aside(node)
        ):
            halves = operator.two_phase(inputs)
        if halves is not None:
            before = Step(
                f"{node.name}.before", "operator", inputs, halves.before.output(inputs), node,
                operator=halves.before, on_error=node.on_error, timed=halves.before.timed,
            )  # fmt: skip
            chain, number = self._append(self.places[origin.node][0], before)
            self._step(origin).targets.append((origin.side, Inside(number, 0)))
            merged = {"in": before.output}
            step = attrs.evolve(step, operator=halves.after, inputs=merged, output=halves.after.output(merged))
            place = self._begin(step, instances)
            self._connect(chain, before, "out", place[0], 0, router)
            return
        place = self._begin(step, instances)
        for port, output in enumerate(outputs):
            origin, router = self._origin(output)
            self._connect(self.places[origin.node][0], self._step(origin), origin.side, place[0], port, router)

    def _home(self, outputs: list[Output], step: Step, instances: int) -> int | None:
        """The chain in which an operator can be fused: all that it reads is there already, and no row has to move."""
        origins = [self._origin(output) for output in outputs]
        chains = {self.places[origin.node][0] for origin, _ in origins}
        if len(chains) != 1 or any(origin.side != "out" for origin, _ in origins):
            return None
        chain = self.layout.chains[chains.pop()]
        if chain.kind == "sink" or self._waits(chain.steps[0].operator) or self._waits(step.operator):
            return None
        if self.serial:
            return chain.number
        if len(outputs) > 1:
            return None
        assert isinstance(step.node, OperatorNode)
        router = origins[0][1].router if origins[0][1] is not None else None
        if isinstance(router, Hash):
            # Rows that are divided by some columns are divided by more columns too.
            stays = chain.aligned and set(chain.keys) <= set(router.keys)
        else:
            stays = router is None or isinstance(router, Forward | Aligned)
        fixed = step.node.operator.single or (step.node.partitions is not None and not chain.aligned)
        if not stays or (fixed and chain.instances != instances):
            return None
        if isinstance(router, Hash) and not chain.keys:
            chain.keys = router.keys
        return chain.number

    def _waits(self, operator: Operator | None) -> bool:
        return operator is not None and operator.waits

    def _read_aside(self, node: OperatorNode) -> bool:
        sides = {
            output for other in self.nodes.values() for output in other.inputs.values() if output.node == node.name
        }
        return Output(node.name, "late") in sides or Output(node.name, "dead_letters") in sides

    def _place_sink(self, node: SinkNode) -> None:
        schema = self._schema(node.input)
        step = Step(node.name, "sink", {"in": schema}, schema, node, sink=node.sink, on_error=node.on_error)
        origin, router = self._origin(node.input)
        chain = self.layout.chains[self.places[origin.node][0]]
        if self.serial and not self._waits(chain.steps[0].operator):
            place = self._append(chain.number, step)
            self._step(origin).targets.append((origin.side, Inside(place[1], 0)))
            return
        writers = 1 if node.sink.single_writer or self.serial else node.writers or 1
        place = self._begin(step, writers)
        self._connect(chain.number, self._step(origin), origin.side, place[0], 0, router)

    def _begin(self, step: Step, instances: int, *, aligned: bool = False, reads_ahead: int = 0) -> tuple[int, int]:
        chain = Chain(len(self.layout.chains), instances, aligned=aligned, reads_ahead=reads_ahead)
        self.layout.chains.append(chain)
        return self._append(chain.number, step)

    def _append(self, chain: int, step: Step) -> tuple[int, int]:
        steps = self.layout.chains[chain].steps
        steps.append(step)
        place = (chain, len(steps) - 1)
        if step.name == step.node.name:
            self.places[step.name] = place
        return place

    def _step(self, output: Output) -> Step:
        chain, number = self.places[output.node]
        return self.layout.chains[chain].steps[number]

    def _origin(self, output: Output) -> tuple[Output, RouterNode | None]:
        """The output of a placed node that feeds `output`, and the router in between, if there is one."""
        node = self.nodes[output.node]
        if isinstance(node, RouterNode):
            return node.input, node
        return output, None

    def _connect(
        self, upstream: int, step: Step, side: Side, downstream: int, port: int, router: RouterNode | None
    ) -> None:
        if router is not None:
            how: Router = router.router
        else:
            same = self.layout.chains[upstream].instances == self.layout.chains[downstream].instances
            is_sink = self.layout.chains[downstream].kind == "sink"
            how = FORWARD if same or is_sink else ROUND_ROBIN
        edge = Edge(len(self.layout.edges), upstream, downstream, port, how, router.name if router else None)
        self.layout.edges.append(edge)
        self.layout.chains[downstream].edges_in.append(edge.number)
        step.targets.append((side, Across(edge.number)))

    def _mark_timed(self) -> None:
        """Watermarks go only where something listens to them: each one sent costs a message to every partition."""
        for chain in reversed(self.layout.chains):
            for step in reversed(chain.steps):
                for _, target in step.targets:
                    if isinstance(target, Across):
                        edge = self.layout.edges[target.edge]
                        edge.timed = any(other.timed for other in self.layout.chains[edge.downstream].steps[:1])
                        step.timed = step.timed or edge.timed
                    else:
                        step.timed = step.timed or chain.steps[target.step].timed
