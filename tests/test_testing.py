"""The test kit: operators driven without an event loop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import pyarrow as pa
import pytest

from flow import AFTER_ALL, GraphError, Operator, Partition, PartitionContext, PortedPartition, StreamSchema
from flow.testing import drive
from operators import Filter, MapAsync, Tumble, Union, WindowAggregate, agg, col


def batch(*times: int) -> pa.RecordBatch:
    return pa.record_batch({"t": pa.array(times, pa.timestamp("us"))})


@attrs.frozen
class Telling(Operator):
    """Holds rows back until it is flushed, and notes its calls."""

    calls: list[Any] = attrs.field(factory=list, eq=False)

    def output(self, inputs: Mapping[str, StreamSchema]) -> StreamSchema:
        return inputs["in"]

    def open(self, context: PartitionContext) -> Partition:
        return _Telling(self.calls, context)


class _Telling(Partition):
    def __init__(self, calls: list[Any], context: PartitionContext) -> None:
        self.calls, self.context = calls, context
        self.held: list[pa.RecordBatch] = []

    def on_batch(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        self.calls.append("batch")
        self.held.append(batch)
        self.context.late(batch.slice(0, 1))
        self.context.late_rows(4)
        self.context.reject(batch.slice(0, 1), "not that one")
        return iter(())

    def flush(self) -> Iterator[pa.RecordBatch]:
        self.calls.append("flush")
        held, self.held = self.held, []
        yield from held

    def on_watermark(self, time: int) -> Iterator[pa.RecordBatch]:
        self.calls.append(time)
        return iter(())

    def on_end(self) -> Iterator[pa.RecordBatch]:
        self.calls.append("end")
        return iter(())

    def close(self) -> None:
        self.calls.append("close")


def test_the_calls_come_as_in_a_run() -> None:
    operator = Telling()
    driven = drive(operator, [batch(1, 2), 5, batch(7)])
    assert operator.calls == ["batch", "flush", 5, "batch", "flush", AFTER_ALL, "flush", "end", "close"]
    assert driven.table["t"].cast(pa.int64()).to_pylist() == [1, 2, 7]
    operator.calls.clear()
    assert drive(operator, [batch(1)], end=False).batches == []
    assert operator.calls == ["batch", "close"]


def test_late_and_rejected_rows_are_kept() -> None:
    driven = drive(Telling(), [batch(1, 2)])
    assert [rows.num_rows for rows in driven.late] == [1]
    assert driven.late_rows == 5
    ((row, error),) = driven.rejected
    assert (list(row), error) == (["t"], "not that one")


def test_rows_come_out_as_dicts_also_where_there_are_none() -> None:
    kept = Filter(col("n") > 1)
    assert drive(kept, [pa.record_batch({"n": [1, 2]})]).rows == [{"n": 2}]
    nothing = drive(kept, [pa.record_batch({"n": [1]})])
    assert nothing.rows == []
    assert nothing.table.schema.names == ["n"]


def test_ports_are_named() -> None:
    one, two = pa.record_batch({"a": [1], "b": [2]}), pa.record_batch({"b": [4], "a": [3]})
    driven = drive(Union(2), [("in1", one), ("in2", two)])
    assert driven.rows == [{"a": 1, "b": 2}, {"a": 3, "b": 4}]
    schemas = {"in1": StreamSchema(one.schema), "in2": StreamSchema(two.schema)}
    assert drive(Union(2), [("in2", two)], inputs=schemas).rows == [{"a": 3, "b": 4}]


def test_the_event_time_is_told_where_the_schema_is_not() -> None:
    operator = WindowAggregate((), {"n": agg.count()}, Tumble("t", "10us"))
    by_name = drive(operator, [batch(1, 2), 10, batch(3, 12)], event_time="t")
    assert [row["n"] for row in by_name.rows] == [2, 1]
    assert by_name.late_rows == 1
    schema = StreamSchema(batch().schema, "t")
    assert drive(operator, [], inputs=schema).rows == []


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(GraphError, match="no column 'm'"):
        drive(Filter(col("m") > 1), [pa.record_batch({"n": [1]})])

    async def same(row: dict[str, Any]) -> dict[str, Any]:
        return row

    with pytest.raises(TypeError, match="needs an event loop"):
        drive(MapAsync(same), [pa.record_batch({"n": [1]})])


def test_a_partition_knows_its_key_groups() -> None:
    schema = StreamSchema(batch().schema)
    for partitions in (1, 3, 7, 256):
        contexts = [PartitionContext("n", {"in": schema}, each, partitions) for each in range(partitions)]
        groups = [group for context in contexts for group in context.key_groups]
        assert groups == list(range(256))
        assert contexts[0].input == schema


def test_a_ported_partition_gets_the_port() -> None:
    @attrs.frozen
    class Where(Union):
        def open(self, context: PartitionContext) -> Partition:
            return _Where()

    class _Where(PortedPartition):
        def on_batch(self, batch: pa.RecordBatch, port: str = "") -> Iterator[pa.RecordBatch]:
            yield pa.record_batch({"s": [port]})

    rows = pa.record_batch({"s": ["x"]})
    assert drive(Where(2), [("in2", rows), ("in1", rows)]).rows == [{"s": "in2"}, {"s": "in1"}]
