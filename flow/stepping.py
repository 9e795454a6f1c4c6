"""A graph stepped by hand: the layout of a run without its event loop and threads, one batch at a time.

Batches on one channel keep their order, and the end of what comes by it is behind them; which channel is next is the
caller's choice, so that every order in which a run may meet them can be tried, and tried again.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator

import pyarrow as pa

from flow.errors import GraphError
from flow.graph import Graph
from flow.layout import Across, Chain, Layout, Step, lay_out
from flow.operator import AsyncPartition, Partition, PartitionContext, PortedPartition
from flow.routing import Divider, divider
from flow.schema import AFTER_ALL
from flow.settings import Settings
from flow.source import AsyncReader, Idle, Reader

Choose = Callable[[int], int]
"""Picks one of so many: a number from 0."""


def _first(count: int) -> int:
    return 0


class Stepping:
    """A graph whose sources end and whose operators do not wait, in single steps.

    Args:
        graph: what to run, or its layout for one reader a source, which can be stepped any number of times; sinks are
            not opened, what they would be given is kept in `written`.
        partitions: how many instances of each operator that does not say so itself, where a graph is given.
        choose: which of the channels where a batch waits is next (default: the first).

    Attributes:
        written: the batches that each sink was given, by its name.

    Raises:
        GraphError: the graph cannot run, or a part of it waits for the outside world.
    """

    def __init__(self, graph: Graph | Layout, *, partitions: int | None = None, choose: Choose = _first) -> None:
        if isinstance(graph, Graph):
            graph = lay_out(graph.nodes, Settings(partitions=partitions, readers=1))
        self._layout = graph
        self._choose = choose
        self._channels: dict[tuple[int, int, int], deque[pa.RecordBatch | None]] = {}
        self._dividers: dict[tuple[int, int], Divider] = {}
        self._readers: dict[str, tuple[Chain, int, list[Reader]]] = {}
        self._partitions: dict[tuple[int, int, int], Partition] = {}
        self._ends: Counter[tuple[int, int, int, int]] = Counter()
        self.written: dict[str, list[pa.RecordBatch]] = {}
        for chain in self._layout.chains:
            for number, step in enumerate(chain.steps):
                self._open(chain, number, step)

    @property
    def waiting(self) -> list[str]:
        """The sources that have more to read."""
        return [name for name, (_, _, readers) in self._readers.items() if readers]

    def read(self, source: str) -> None:
        """Read one batch of a source and hand it on, up to the channels."""
        chain, number, readers = self._readers[source]
        while readers:
            batch = readers[0].read()
            if batch is not None and not isinstance(batch, Idle):
                self._hand_on(chain, 0, number, batch)
                return
            readers.pop(0).close()

    def feed(self, source: str, batch: pa.RecordBatch) -> None:
        """Hand on a batch, of all columns or more, as if it had been read from a source."""
        chain, number, _ = self._readers[source]
        described = chain.steps[number].source
        assert described is not None
        self._hand_on(chain, 0, number, batch.select(described.schema().names))

    def finish(self, source: str) -> None:
        """Let a source end: whatever it has left to read is not read. Each operator hears of it when its turn comes."""
        chain, number, readers = self._readers.pop(source)
        while readers:
            readers.pop(0).close()
        for place in range(chain.instances):
            self._tell_end(chain, place, number)

    def deliver(self) -> bool:
        """Let one batch that waits on a channel be worked on, or the channel's end be known; False where none waits."""
        ready = [channel for channel, batches in self._channels.items() if batches]
        if not ready:
            return False
        channel = ready[self._choose(len(ready))]
        edge = self._layout.edges[channel[0]]
        chain = self._layout.chains[edge.downstream]
        batch = self._channels[channel].popleft()
        if batch is None:
            self._end(chain, channel[2], 0, edge.port, self._layout.chains[edge.upstream].instances)
        else:
            self._work(chain, channel[2], 0, edge.port, batch)
        return True

    def settle(self) -> None:
        """Deliver all that waits, and have given out what is held back: the end of an epoch."""
        self._deliver_all()
        for chain in self._layout.chains:
            for place, number in self._places(chain):
                self._put_out(chain, place, number, lambda partition: partition.flush())
            self._deliver_all()

    def end(self) -> None:
        """Read what is left, and let all inputs end."""
        while self.waiting:
            self.read(self.waiting[0])
        self.settle()
        for source in list(self._readers):
            self.finish(source)
        self._deliver_all()

    def _open(self, chain: Chain, number: int, step: Step) -> None:
        if step.source is not None:
            readers = [step.source.open(split) for split in self._layout.splits[step.name]]
            if any(isinstance(reader, AsyncReader) for reader in readers):
                raise GraphError(f"{step.name!r} waits for the outside world, which needs an event loop")
            self._readers[step.name] = chain, number, [each for each in readers if isinstance(each, Reader)]
        elif step.operator is not None:
            for place in range(chain.instances):
                context = PartitionContext(step.name, step.inputs, place, chain.instances)
                partition = step.operator.open(context)
                if isinstance(partition, AsyncPartition):
                    raise GraphError(f"{step.name!r} waits for the outside world, which needs an event loop")
                self._partitions[chain.number, place, number] = partition
        else:
            self.written[step.name] = []

    def _places(self, chain: Chain) -> Iterator[tuple[int, int]]:
        return ((place, number) for place in range(chain.instances) for number in range(len(chain.steps)))

    def _deliver_all(self) -> None:
        while self.deliver():
            pass

    def _put_out(
        self, chain: Chain, place: int, number: int, call: Callable[[Partition], Iterator[pa.RecordBatch]]
    ) -> None:
        partition = self._partitions.get((chain.number, place, number))
        if partition is not None:
            for batch in call(partition):
                self._hand_on(chain, place, number, batch)

    def _end(self, chain: Chain, place: int, number: int, port: int, ways: int) -> None:
        """One of the ways into a port of a step ended."""
        self._ends[chain.number, place, number, port] += 1
        if self._ends[chain.number, place, number, port] < ways:
            return
        step = chain.steps[number]
        self._ends[chain.number, place, number, -1] += 1
        partition = self._partitions.get((chain.number, place, number))
        if self._ends[chain.number, place, number, -1] < step.ports:
            if isinstance(partition, PortedPartition):
                partition.on_port_end(list(step.inputs)[port])
            return
        self._put_out(chain, place, number, lambda partition: partition.flush())
        self._put_out(chain, place, number, lambda partition: partition.on_watermark(AFTER_ALL))
        self._put_out(chain, place, number, lambda partition: partition.flush())
        self._put_out(chain, place, number, lambda partition: partition.on_end())
        if partition is not None:
            self._partitions.pop((chain.number, place, number)).close()
        self._tell_end(chain, place, number)

    def _tell_end(self, chain: Chain, place: int, number: int) -> None:
        for _, target in chain.steps[number].targets:
            if not isinstance(target, Across):
                self._end(chain, place, target.step, target.port, 1)
                continue
            for to in range(self._layout.chains[self._layout.edges[target.edge].downstream].instances):
                self._channels.setdefault((target.edge, place, to), deque()).append(None)

    def _work(self, chain: Chain, place: int, number: int, port: int, batch: pa.RecordBatch) -> None:
        step = chain.steps[number]
        if step.kind == "sink":
            self.written[step.name].append(batch)
            return
        partition = self._partitions[chain.number, place, number]
        if isinstance(partition, PortedPartition):
            results = partition.on_batch(batch, list(step.inputs)[port])
        else:
            results = partition.on_batch(batch)
        for result in results:
            self._hand_on(chain, place, number, result)

    def _hand_on(self, chain: Chain, place: int, number: int, batch: pa.RecordBatch) -> None:
        if not batch.num_rows:
            return
        for side, target in chain.steps[number].targets:
            if side != "out":
                continue
            if not isinstance(target, Across):
                self._work(chain, place, target.step, target.port, batch)
                continue
            edge = self._layout.edges[target.edge]
            if (edge.number, place) not in self._dividers:
                instances = self._layout.chains[edge.downstream].instances
                self._dividers[edge.number, place] = divider(edge.router, instances, place)
            for to, part in self._dividers[edge.number, place].divide(batch):
                self._channels.setdefault((edge.number, place, to), deque()).append(part)
