"""Sinks that write directories of part files, one module a format."""

from operators.files.sinks.arrow import ArrowSink
from operators.files.sinks.csv import CsvSink
from operators.files.sinks.json import JsonLinesSink
from operators.files.sinks.parquet import ParquetSink

__all__ = ["ArrowSink", "CsvSink", "JsonLinesSink", "ParquetSink"]
