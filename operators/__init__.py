"""Everything that computes or connects: operators, SQL, connectors."""

from operators.aggregate import Aggregate
from operators.aggregates import Aggregation, agg
from operators.deduplicate import Deduplicate
from operators.files.sinks import ArrowSink, CsvSink, JsonLinesSink, ParquetSink
from operators.memory import Collect, Null, Table
from operators.window import AssignWindows, Hop, Tumble
from operators.window_aggregate import WindowAggregate

__all__ = [
    "Aggregate",
    "Aggregation",
    "ArrowSink",
    "AssignWindows",
    "Collect",
    "CsvSink",
    "Deduplicate",
    "Hop",
    "JsonLinesSink",
    "Null",
    "ParquetSink",
    "Table",
    "Tumble",
    "WindowAggregate",
    "agg",
]
