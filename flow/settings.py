"""How a run is laid out and bounded: everything about a run that is not in its graph."""

from __future__ import annotations

import os
from typing import Any, Literal

import attrs

from flow.errors import SettingsError

Topology = Literal["serial", "routed", "prefetched", "aligned"]

TOPOLOGIES: dict[Topology, str] = {
    "serial": "one task reads, processes and writes",
    "routed": "parallel readers, each routing its own batches to the partitions; nothing is read ahead",
    "prefetched": "routed, and every reader reads ahead",
    "aligned": "each partition reads its own splits, which are already divided by key; no exchange",
}


PREFETCH = 2
"""Reads that a reader is ahead of its router, where that is not set."""


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _positive(instance: object, attribute: attrs.Attribute[Any], value: int | None) -> None:
    if value is not None and value < 1:
        raise SettingsError(f"{attribute.name} must be at least 1, not {value}")


def _not_negative(instance: object, attribute: attrs.Attribute[Any], value: float | None) -> None:
    if value is not None and value < 0:
        raise SettingsError(f"{attribute.name} must not be negative, not {value}")


@attrs.frozen(kw_only=True)
class Settings:
    """How to run a graph.

    Attributes:
        partitions: instances of every operator, whatever the graph says (default: as the graph says, else one a core).
        readers: splits of a source that are read at the same time (default: one a core).
        prefetch: how many reads a reader is ahead of its router (default: 2, but none where reading is computing and
            there are as many readers as threads, which then read and route in one go).
        topology: see `TOPOLOGIES`.
        threads: kernels at work at the same time (default: one a core).
        batch_rows: natural batching: waiting batches are concatenated up to this many rows; 1 leaves them as they come.
        edge_bytes: bytes that may wait in front of one partition or writer.
        edge_slots: batches that may wait in front of one partition or writer from one upstream instance.
        grace: seconds within which a drain must end, else it becomes an abort.
        commit_every: seconds between commits of what the sinks wrote; None: once, at the end (where all inputs end).
        interleaved: whether all sources are read side by side; else what is known to end is read before what it is
            joined with, where operators then keep less.
    """

    partitions: int | None = attrs.field(default=None, validator=_positive)
    readers: int | None = attrs.field(default=None, validator=_positive)
    prefetch: int | None = attrs.field(default=None, validator=_not_negative)
    topology: Topology = attrs.field(default="prefetched")
    threads: int | None = attrs.field(default=None, validator=_positive)
    batch_rows: int = attrs.field(default=65_536, validator=_positive)
    edge_bytes: int = attrs.field(default=16 << 20, validator=_positive)
    edge_slots: int = attrs.field(default=64, validator=_positive)
    grace: float = attrs.field(default=10.0, validator=_not_negative)
    commit_every: float | None = attrs.field(default=None, validator=_not_negative)
    interleaved: bool = False

    @topology.validator
    def _known_topology(self, attribute: attrs.Attribute[str], value: str) -> None:
        if value not in TOPOLOGIES:
            raise SettingsError(f"no topology {value!r}; known here: {list(TOPOLOGIES)}")
