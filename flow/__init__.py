"""Penstock's runtime: declarative dataflow graphs, run in trio nurseries on Arrow record batches."""

from flow.errors import GraphError, MissingExtraError, PenstockError, RowError, SettingsError, StepError
from flow.graph import Graph, Stream
from flow.operator import (
    AsyncPartition,
    Operator,
    Partition,
    PartitionContext,
    PortedPartition,
    Tables,
    TwoPhase,
)
from flow.router import ALIGNED, BROADCAST, FORWARD, ROUND_ROBIN, Hash, Router
from flow.schema import AFTER_ALL, BEFORE_ALL, WEIGHT, StreamSchema
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
    "Hash",
    "Idle",
    "MissingExtraError",
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
    "SettingsError",
    "Sink",
    "Source",
    "Split",
    "StepError",
    "Stream",
    "StreamSchema",
    "Tables",
    "TwoPhase",
    "Writer",
    "WriterContext",
    "verb",
]
