"""From the counters of all instances to the statistics of a run; and how busy the event loop is."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from time import perf_counter_ns

import trio

from flow.chain import ChainInstance
from flow.layout import Across, Layout
from flow.metrics import Counters, NodeKind, NodeStats, StateStats
from flow.schema import AFTER_ALL
from flow.state import state_stats

_SECOND = 1_000_000_000


class LoopMeter(trio.abc.Instrument):
    """Measures the time in which the event loop does not wait."""

    def __init__(self) -> None:
        self._waited = 0
        self._waiting_since: int | None = None
        self._began = 0
        self._ended: int | None = None
        self._cpu_began = 0.0
        self._cpu_ended: float | None = None

    def begin(self) -> None:
        """The run begins."""
        self._began = perf_counter_ns()
        self._cpu_began = time.process_time()

    def end(self) -> None:
        """The run has ended; the figures stay as they are."""
        self._ended = perf_counter_ns()
        self._cpu_ended = time.process_time()

    def before_io_wait(self, timeout: float) -> None:
        """Trio's loop has nothing to run."""
        if timeout > 0:
            self._waiting_since = perf_counter_ns()

    def after_io_wait(self, timeout: float) -> None:
        """Trio's loop goes on."""
        if self._waiting_since is not None:
            self._waited += perf_counter_ns() - self._waiting_since
            self._waiting_since = None

    @property
    def seconds(self) -> float:
        """Since the run began."""
        return ((self._ended or perf_counter_ns()) - self._began) / _SECOND if self._began else 0.0

    @property
    def busy(self) -> float:
        """Seconds in which the loop did not wait."""
        return max(0.0, self.seconds - self._waited / _SECOND)

    @property
    def cpu_seconds(self) -> float:
        """Processor time of the process, all threads, since the run began."""
        return (self._cpu_ended if self._cpu_ended is not None else time.process_time()) - self._cpu_began


def node_stats(layout: Layout, instances: Sequence[Sequence[ChainInstance]]) -> dict[str, NodeStats]:
    """The statistics of every node, upstream before downstream; routers stand behind what they divide."""
    stats: dict[str, NodeStats] = {}
    inputs = _inputs(layout)
    for chain in layout.chains:
        group = instances[chain.number]
        for number, step in enumerate(chain.steps):
            own = [instance.steps[number].counters for instance in group]
            splits = len(layout.splits[step.name]) if step.kind == "source" else 0
            state = state_stats(instance.steps[number].state for instance in group)
            stats[step.name] = _summed(
                step.name, step.kind, chain.name, inputs.get(step.name, ()), own, group, splits, state, head=number == 0
            )
        for router in {name: None for instance in group for name in instance.router_counters}:
            own = [instance.router_counters[router] for instance in group]
            stats[router] = _summed(
                router, "router", chain.name, inputs.get(router, ()), own, group, 0, None, head=False
            )
    return stats


def _inputs(layout: Layout) -> dict[str, tuple[str, ...]]:
    """The names of the nodes that each node reads from, routers included."""
    inputs: dict[str, list[str]] = {}

    def reads(name: str, upstream: str) -> None:
        known = inputs.setdefault(name, [])
        if upstream not in known:
            known.append(upstream)

    for chain in layout.chains:
        for step in chain.steps:
            for _, target in step.targets:
                if not isinstance(target, Across):
                    reads(chain.steps[target.step].name, step.name)
                    continue
                edge = layout.edges[target.edge]
                downstream = layout.chains[edge.downstream].name
                if edge.router_name is None:
                    reads(downstream, step.name)
                else:
                    reads(edge.router_name, step.name)
                    reads(downstream, edge.router_name)
    return {name: tuple(upstream) for name, upstream in inputs.items()}


def _summed(
    name: str,
    kind: NodeKind,
    chain: str,
    inputs: tuple[str, ...],
    own: Sequence[Counters],
    group: Sequence[ChainInstance],
    splits: int,
    state: StateStats | None,
    *,
    head: bool,
) -> NodeStats:
    # A source that reads ahead waits in a task of its own; everything else waits when its chain's task does.
    apart = kind == "source" and group[0].reads_ahead
    waits = own if apart else [instance.waits for instance in group]
    starved = _total(counters.starved for counters in (own if kind == "source" else waits))
    queued = _total(counters.queued for counters in waits)
    if kind == "source" and not apart:
        queued += _total(counters.queued for counters in own)
    inboxes = [instance.inbox_fill() for instance in group] if head else [0.0]
    return NodeStats(
        name=name,
        kind=kind,
        chain=chain,
        instances=len(own),
        rows_in=sum(counters.rows_in for counters in own),
        rows_out=sum(counters.rows_out for counters in own),
        batches_in=sum(counters.batches_in for counters in own),
        batches_out=sum(counters.batches_out for counters in own),
        bytes_in=sum(counters.bytes_in for counters in own),
        bytes_out=sum(counters.bytes_out for counters in own),
        late_rows=sum(counters.late_rows for counters in own),
        skipped_rows=sum(counters.skipped_rows for counters in own),
        dead_letters=sum(counters.dead_letters for counters in own),
        busy=_total(counters.busy for counters in own),
        queued=queued,
        starved=starved,
        blocked=_total(counters.blocked for counters in waits),
        alive=_total(instance.alive() for instance in group),
        watermark=_least(counters.watermark for counters in own),
        queue_fill=max(inboxes),
        splits=splits,
        splits_done=sum(counters.splits_done for counters in own),
        inputs=inputs,
        instance_busy=tuple(counters.busy / _SECOND for counters in own) if len(own) > 1 else (),
        state=state,
    )


def _total(nanoseconds: Iterable[int]) -> float:
    return sum(nanoseconds) / _SECOND


def _least(watermarks: Iterable[int]) -> int:
    known = [watermark for watermark in watermarks if watermark < AFTER_ALL]
    return min(known, default=AFTER_ALL)
