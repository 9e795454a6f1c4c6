"""What every node instance counts, and the immutable summary that readers of metrics get.

Each `Counters` is written by the one task that owns the instance, so there is no lock; readers sum what they see.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import attrs

from flow.operator import Kept
from flow.schema import BEFORE_ALL

Outcome = Literal["running", "finished", "drained", "aborted", "failed"]

NodeKind = Literal["source", "router", "operator", "sink"]

INSTANCES: Final[Mapping[NodeKind, str]] = {
    "source": "reader",
    "router": "router",
    "operator": "partition",
    "sink": "writer",
}
"""What one instance of a node is called."""


@attrs.define(slots=True)
class Counters:
    """Counts of one node instance. Times are nanoseconds.

    The time that an instance's task lives is the sum of: `busy` (computing for this node), `queued` (ready to
    go on, waiting for a thread: a worker thread, or the event loop's), `starved` (waiting for input), `blocked`
    (waiting for room downstream), and the time that other nodes of the same chain were busy.
    """

    rows_in: int = 0
    rows_out: int = 0
    batches_in: int = 0
    batches_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    late_rows: int = 0
    skipped_rows: int = 0
    dead_letters: int = 0
    busy: int = 0
    queued: int = 0
    starved: int = 0
    blocked: int = 0
    alive: int = 0
    watermark: int = BEFORE_ALL
    splits_done: int = 0


@attrs.frozen
class StateStats:
    """How large the state of a node is, of all its partitions together.

    Attributes:
        kept: what it is, and how it grows.
        rows: entries, as they stand, or stood before the input ended; None where the partitions do not say.
        bytes: of them, room to spare included.
        most_rows: the most at any moment at which somebody looked, each partition at its own.
        most_bytes: likewise.
    """

    kept: Kept
    rows: int | None
    bytes: int
    most_rows: int | None
    most_bytes: int


@attrs.frozen
class NodeStats:
    """A node's counts, summed over its instances. Times are seconds; shares are of the time that the instances lived.

    Attributes:
        chain: name of the first node of the chain whose task runs this node (a node that is not fused names itself).
        watermark: least over the instances, microseconds; BEFORE_ALL when nothing is known, AFTER_ALL when it ended.
        queue_fill: 0..1, how full the fullest instance's inbox is, by bytes.
        inputs: names of the nodes whose output this one reads.
        instance_busy: `busy` of each instance, where there are several; shows one that has more to do than the others.
        state: how large the state is; None where nothing is kept.
    """

    name: str
    kind: NodeKind
    chain: str
    instances: int
    rows_in: int
    rows_out: int
    batches_in: int
    batches_out: int
    bytes_in: int
    bytes_out: int
    late_rows: int
    skipped_rows: int
    dead_letters: int
    busy: float
    queued: float
    starved: float
    blocked: float
    alive: float
    watermark: int
    queue_fill: float
    splits: int = 0
    splits_done: int = 0
    inputs: tuple[str, ...] = ()
    instance_busy: tuple[float, ...] = ()
    state: StateStats | None = None

    def share(self, seconds: float) -> float:
        """A time as a share of the instances' life, 0..1."""
        return min(1.0, seconds / self.alive) if self.alive > 0 else 0.0


@attrs.frozen
class RunStats:
    """A run's counts at one moment.

    Attributes:
        seconds: since the run began.
        nodes: by name, upstream before downstream.
        threads: size of the limit on kernels at work.
        cpu_seconds: processor time that the process used since the run began, all threads.
        loop_busy: seconds in which the event loop was not waiting.
        outcome: how the run stands.
    """

    graph: str
    seconds: float
    nodes: Mapping[str, NodeStats]
    threads: int
    cores: int
    cpu_seconds: float
    loop_busy: float
    outcome: Outcome = "running"
    topology: str = "prefetched"

    @property
    def rows_in(self) -> int:
        """Rows that the sources read."""
        return sum(node.rows_out for node in self.nodes.values() if node.kind == "source")

    @property
    def rows_out(self) -> int:
        """Rows that the sinks wrote, without those that they refused."""
        sinks = [node for node in self.nodes.values() if node.kind == "sink"]
        return sum(sink.rows_in - sink.skipped_rows - sink.dead_letters for sink in sinks)

    @property
    def rows_per_second(self) -> float:
        """Rows read a second, over the whole run so far."""
        return self.rows_in / self.seconds if self.seconds > 0 else 0.0

    @property
    def cores_used(self) -> float:
        """Processors that the process kept busy on average."""
        return self.cpu_seconds / self.seconds if self.seconds > 0 else 0.0

    @property
    def late_rows(self) -> int:
        """Rows that came too late, at any node."""
        return sum(node.late_rows for node in self.nodes.values())

    @property
    def skipped_rows(self) -> int:
        """Rows that could not be used and were passed over, at any node."""
        return sum(node.skipped_rows for node in self.nodes.values())

    @property
    def state_bytes(self) -> int:
        """Bytes that the state of all nodes takes as it stands."""
        return sum(node.state.bytes for node in self.nodes.values() if node.state is not None)

    @property
    def dead_letters(self) -> int:
        """Rows that could not be used and were sent aside, at any node."""
        return sum(node.dead_letters for node in self.nodes.values())
