"""The flights as they would come live, a few at a time: whoever waits less long for rows misses some, and none is lost.

With a delay of two hours many rows come after their hour has been closed. They are counted (see `late` in the closing
report), and what reads the operator's `late` output gets them: here, a file.

python examples/flights_live.py
"""

from collections.abc import Sequence
from pathlib import Path

import attrs
import pyarrow as pa

from flow import Graph, Idle, Offset, Reader, Source, Split
from operators import Csv, Parquet, Tumble, agg

ROWS_AT_A_TIME = 500
SECONDS_BETWEEN = 0.001


@attrs.frozen
class Replay(Source):
    """What another source has, a few rows at a time, with a pause after them."""

    source: Source

    def schema(self) -> pa.Schema:
        return self.source.schema()

    def splits(self) -> Sequence[Split]:
        return self.source.splits()

    def open(self, split: Split, offset: Offset = None) -> Reader:
        return ReplayReader(self.source.open(split, offset))


class ReplayReader(Reader):
    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.rest: pa.RecordBatch | None = None
        self.pausing = False

    def read(self) -> pa.RecordBatch | Idle | None:
        self.pausing = not self.pausing
        if not self.pausing:
            return Idle(SECONDS_BETWEEN)
        if self.rest is None or not self.rest.num_rows:
            self.rest = self.reader.read()
        if self.rest is None:
            return None
        batch, self.rest = self.rest.slice(0, ROWS_AT_A_TIME), self.rest.slice(ROWS_AT_A_TIME)
        return batch

    def close(self) -> None:
        self.reader.close()


FLIGHTS = Csv(Path(__file__).parent / "data" / "flights_2013_01.csv.gz", nulls=("NA",))

graph = Graph("flights_live")
flights = graph.source("flights", Replay(FLIGHTS), event_time="time_hour", delay="2 hours")
hourly = flights.key_by("origin").aggregate(window=Tumble("time_hour", "1 hour"), flights=agg.count(), name="hourly")
hourly.sink("in_time", Parquet("out/flights_live/in_time", overwrite=True))
hourly.late.sink("late", Parquet("out/flights_live/late", overwrite=True))

if __name__ == "__main__":
    graph.run()
