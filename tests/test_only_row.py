"""OnlyRow: what counts is whether a row that stands for several is there at the end, as opposed to on the way."""

import pyarrow as pa
import pytest

from flow import GraphError
from flow.errors import RowError
from flow.operator import Partition, PartitionContext
from flow.schema import WEIGHT, StreamSchema
from operators.only_row import OnlyRow

COLUMNS = pa.schema({"rows": pa.int64(), "value": pa.string(), WEIGHT: pa.int64()})


def opened(columns: pa.Schema = COLUMNS) -> Partition:
    return OnlyRow("rows").open(PartitionContext("only", {"in": StreamSchema(columns)}))


def fed(partition: Partition, rows: list[int | None], weights: list[int]) -> None:
    batch = pa.RecordBatch.from_pydict({"rows": rows, "value": ["v"] * len(rows), WEIGHT: weights}, schema=COLUMNS)
    assert list(partition.on_batch(batch)) == [batch]


def test_several_that_come_and_go_are_forgiven() -> None:
    partition = opened()
    fed(partition, [1, None, 2], [1, 1, 1])
    fed(partition, [2, 1], [-1, 1])
    assert partition.snapshot() == {}
    assert list(partition.on_end()) == []


def test_several_that_stand_are_not() -> None:
    partition = opened()
    fed(partition, [1, 2], [1, 1])
    with pytest.raises(RowError, match="has more than one row"):
        partition.snapshot()
    with pytest.raises(RowError, match="has more than one row"):
        list(partition.on_end())


def test_rows_that_are_never_taken_back() -> None:
    partition = opened(pa.schema({"rows": pa.int64()}))
    list(partition.on_batch(pa.RecordBatch.from_pydict({"rows": pa.array([3], pa.int64())})))
    with pytest.raises(RowError, match="has more than one row"):
        list(partition.on_end())


def test_the_number_is_one() -> None:
    with pytest.raises(GraphError, match="must be int64, not string"):
        OnlyRow("value").output({"in": StreamSchema(COLUMNS)})
