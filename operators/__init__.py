"""Everything that computes or connects: operators, SQL, connectors."""

from operators.files.sinks import ArrowSink, CsvSink, JsonLinesSink, ParquetSink
from operators.memory import Collect, Null, Table

__all__ = ["ArrowSink", "Collect", "CsvSink", "JsonLinesSink", "Null", "ParquetSink", "Table"]
