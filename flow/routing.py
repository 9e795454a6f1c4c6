"""Routing: which partition gets which rows of a batch.

Invariant: every row of a batch goes to the partitions that its router names, once each, and rows for the same
partition keep their order. Nothing here waits or knows of channels.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from flow.hashing import hash_columns, key_groups
from flow.operator import KEY_GROUPS, PartitionContext
from flow.router import Aligned, Broadcast, Forward, Hash, RoundRobin, Router

Routed = list[tuple[int, pa.RecordBatch]]
"""Partition number and rows for it; no partition twice, no batch without rows."""


def partition_of_group(partitions: int) -> NDArray[np.uint16]:
    """Which of so many partitions owns each key group: uint16[256]."""
    owners = np.empty(KEY_GROUPS, np.uint16)
    for partition in range(partitions):
        groups = PartitionContext(node="", inputs={}, partition=partition, partitions=partitions).key_groups
        owners[groups.start : groups.stop] = partition
    return owners


class Divider(ABC):
    """Divides the batches that one upstream instance puts on one edge; owned by that instance."""

    @abstractmethod
    def divide(self, batch: pa.RecordBatch) -> Routed:
        """The batch by partition.

        A batch that goes whole to a partition is handed on without a copy. A part is a slice, which shares its
        buffers with the other parts: its size is `nbytes`, not `get_total_buffer_size()`.
        """


def divider(router: Router, partitions: int, instance: int = 0) -> Divider:
    """What divides batches from upstream instance number `instance` among so many partitions."""
    if partitions < 1:
        raise ValueError(f"rows cannot be divided among {partitions} partitions")
    match router:
        case Hash(keys):
            return _Whole(0) if partitions == 1 else _ByKey(keys, partitions)
        case RoundRobin():
            return _InTurn(partitions, instance)
        case Broadcast():
            return _ToAll(partitions)
        case Forward() | Aligned():
            return _Whole(instance % partitions)


class _Whole(Divider):
    def __init__(self, partition: int) -> None:
        self.partition: Final = partition

    def divide(self, batch: pa.RecordBatch) -> Routed:
        return [(self.partition, batch)] if batch.num_rows else []


class _ToAll(Divider):
    def __init__(self, partitions: int) -> None:
        self.partitions: Final = partitions

    def divide(self, batch: pa.RecordBatch) -> Routed:
        return [(partition, batch) for partition in range(self.partitions)] if batch.num_rows else []


class _InTurn(Divider):
    def __init__(self, partitions: int, instance: int) -> None:
        self.partitions: Final = partitions
        # Instances start at different partitions, lest the first partition get the first batch of everybody.
        self.turn = instance % partitions

    def divide(self, batch: pa.RecordBatch) -> Routed:
        if not batch.num_rows:
            return []
        turn = self.turn
        self.turn = (turn + 1) % self.partitions
        return [(turn, batch)]


class _ByKey(Divider):
    def __init__(self, keys: tuple[str, ...], partitions: int) -> None:
        self.keys: Final = keys
        self.partitions: Final = partitions
        owners = partition_of_group(partitions)
        # Sorting one byte a row is one counting pass, as opposed to two.
        self.owners: Final = owners.astype(np.uint8) if partitions <= 256 else owners

    def divide(self, batch: pa.RecordBatch) -> Routed:
        if not batch.num_rows:
            return []
        owners = self.owners[key_groups(hash_columns([batch.column(key) for key in self.keys]))]
        low, high = int(owners.min()), int(owners.max())
        if low == high:
            return [(low, batch)]
        order = np.argsort(owners, kind="stable")
        bounds = np.searchsorted(owners[order], np.arange(low, high + 2))
        grouped = batch.take(pa.array(order))
        stretches = zip(range(low, high + 1), bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)
        return [(owner, grouped.slice(start, stop - start)) for owner, start, stop in stretches if stop > start]
