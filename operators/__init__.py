"""Everything that computes or connects: operators, SQL, connectors."""

from operators import udf
from operators.aggregate import Aggregate
from operators.aggregates import Aggregation, agg
from operators.calling.functions import FlatMap, Map, MapBatches
from operators.calling.lookup import Lookup
from operators.calling.map_async import MapAsync
from operators.change_streams.debezium import FromDebezium
from operators.check import Check
from operators.deduplicate import Deduplicate
from operators.expressions import Expr, Expression, ExpressionError, call, case, cast, coalesce, col, lit
from operators.files.arrow import ArrowFile
from operators.files.csv import Csv
from operators.files.debezium import DebeziumJson
from operators.files.json import JsonLines
from operators.files.parquet import Parquet
from operators.files.sinks import ArrowSink, CsvSink, JsonLinesSink, ParquetSink
from operators.filter import Filter
from operators.in_process.generators import Generator
from operators.in_process.iterables import AsyncRows, Batches, Rows
from operators.in_process.tables import Collect, Null, Table
from operators.in_process.terminal import Callback, Terminal
from operators.join import Join
from operators.project import Project
from operators.sets import Distinct, SetOperation
from operators.sql import SqlError, explain, read_script, script, sql
from operators.top_n import TopN
from operators.union import Union
from operators.unnest import Unnest
from operators.upsert import Upsert
from operators.values.order_words import Order
from operators.window import AssignWindows, Hop, Tumble
from operators.window_aggregate import WindowAggregate

__all__ = [
    "Aggregate",
    "Aggregation",
    "ArrowFile",
    "ArrowSink",
    "AssignWindows",
    "AsyncRows",
    "Batches",
    "Callback",
    "Check",
    "Collect",
    "Csv",
    "CsvSink",
    "DebeziumJson",
    "Deduplicate",
    "Distinct",
    "Expr",
    "Expression",
    "ExpressionError",
    "Filter",
    "FlatMap",
    "FromDebezium",
    "Generator",
    "Hop",
    "Join",
    "JsonLines",
    "JsonLinesSink",
    "Lookup",
    "Map",
    "MapAsync",
    "MapBatches",
    "Null",
    "Order",
    "Parquet",
    "ParquetSink",
    "Project",
    "Rows",
    "SetOperation",
    "SqlError",
    "Table",
    "Terminal",
    "TopN",
    "Tumble",
    "Union",
    "Unnest",
    "Upsert",
    "WindowAggregate",
    "agg",
    "call",
    "case",
    "cast",
    "coalesce",
    "col",
    "explain",
    "lit",
    "read_script",
    "script",
    "sql",
    "udf",
]
