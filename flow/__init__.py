"""Penstock's runtime: declarative dataflow graphs, run in trio nurseries on Arrow record batches."""

from flow.errors import GraphError, MissingExtraError, PenstockError, RowError, SettingsError, StepError
from flow.graph import Graph, Stream, Written
from flow.handle import Handle, run, start
from flow.metrics import NodeStats, RunStats, StateStats
from flow.operator import (
    AsyncPartition,
    Kept,
    Operator,
    Partition,
    PartitionContext,
    PortedPartition,
    Tables,
    TwoPhase,
)
from flow.router import ALIGNED, BROADCAST, FORWARD, ROUND_ROBIN, Hash, Router
from flow.schema import AFTER_ALL, BEFORE_ALL, WEIGHT, StreamSchema
from flow.settings import Settings
from flow.sink import Sink, Writer, WriterContext
from flow.source import AsyncReader, Idle, Offset, Reader, RejectedRow, Source, Split
from flow.verbs import verb

__all__ = [
    "AFTER_ALL",
    "ALIGNED",
    "BEFORE_ALL",
    "BROADCAST",
    "FORWARD",
    "ROUND_ROBIN",
    "WEIGHT",
    "AsyncPartition",
    "AsyncReader",
    "Graph",
    "GraphError",
    "Handle",
    "Hash",
    "Idle",
    "Kept",
    "MissingExtraError",
    "NodeStats",
    "Offset",
    "Operator",
    "Partition",
    "PartitionContext",
    "PenstockError",
    "PortedPartition",
    "Reader",
    "RejectedRow",
    "Router",
    "RowError",
    "RunStats",
    "Settings",
    "SettingsError",
    "Sink",
    "Source",
    "Split",
    "StateStats",
    "StepError",
    "Stream",
    "StreamSchema",
    "Tables",
    "TwoPhase",
    "Writer",
    "WriterContext",
    "Written",
    "run",
    "start",
    "verb",
]
