"""An operator of one's own, with state for each key: every flight's delay next to that of the aircraft's flight before.

`Previous` is all there is to it. `on_batch` treats a whole batch at once; its rows reach the partition in the order in
which they were read, and all rows of a key reach the same partition, so that no lock and no second look is needed.
`keeps` and `state_rows` are for people: the drawing and the closing report tell what is kept, and how much of it.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs
import numpy as np
import pyarrow as pa

from flow import Graph, Kept, Operator, Partition, PartitionContext, StreamSchema
from flow.keys import KeyIndex
from operators import Csv, Parquet, col


@attrs.frozen
class Previous(Operator):
    """Adds a column with the value that `column` had in the row before with the same key (float64, null at first)."""

    key: str
    column: str

    def output(self, inputs: Mapping[str, StreamSchema]) -> StreamSchema:
        return inputs["in"].with_columns(inputs["in"].columns.append(pa.field(f"previous_{self.column}", pa.float64())))

    def keeps(self, inputs: Mapping[str, StreamSchema]) -> Kept:
        return Kept("one value a key", "keys")

    def open(self, context: PartitionContext) -> Partition:
        return PreviousPartition(self, context.input.column_type(self.key))


class PreviousPartition(Partition):
    def __init__(self, operator: Previous, key_type: pa.DataType) -> None:
        self.operator, self.index, self.last = operator, KeyIndex([key_type]), np.empty(0)

    def on_batch(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        slots = self.index.slots([batch[self.operator.key]])
        self.last = np.append(self.last, np.full(len(self.index) - len(self.last), np.nan))
        order = np.argsort(slots, kind="stable")
        slots, values = (
            slots[order],
            batch[self.operator.column].cast(pa.float64()).to_numpy(zero_copy_only=False)[order],
        )
        first = np.diff(slots, prepend=-1) != 0
        previous = np.empty(len(order))
        previous[order] = np.where(first, self.last[slots], np.roll(values, 1))
        self.last[slots] = values
        yield batch.append_column(f"previous_{self.operator.column}", pa.array(previous, from_pandas=True))

    def state_rows(self) -> int:
        return len(self.index)


graph = Graph("delays_in_turn")
flights = graph.source("flights", Csv(Path(__file__).parent / "data" / "flights_2013_01.csv.gz", nulls=("NA",)))
(
    flights.filter(col("dep_delay").is_not_null() & col("tailnum").is_not_null())
    .select("tailnum", "origin", "dest", "time_hour", "dep_delay")
    .key_by("tailnum")
    .apply(Previous("tailnum", "dep_delay"), name="previous", partitions=8)
    .sink("out", Parquet("out/delays_in_turn", overwrite=True))
)

if __name__ == "__main__":
    graph.run()
