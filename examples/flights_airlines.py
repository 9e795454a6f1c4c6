"""Departures by hour and airline, with the airlines' names: a small table looked up for every batch.

The table is loaded once and looked up by two Arrow kernels a batch, as opposed to a call a row.

python examples/flights_airlines.py
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from flow import Graph
from operators import Csv, Parquet, Tumble, agg

DATA = Path(__file__).parent / "data"
AIRLINES = pyarrow.csv.read_csv(DATA / "airlines.csv")


def with_airline(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Add the airline's name; null where the carrier is not in the table."""
    row = pc.index_in(batch["carrier"], AIRLINES["carrier"])
    return batch.append_column("airline", AIRLINES["name"].combine_chunks().take(row))


graph = Graph("flights_by_airline")
flights = graph.source(
    "flights", Csv(DATA / "flights_2013_01.csv.gz", nulls=("NA",)), event_time="time_hour", delay="18 hours"
)
(
    flights.select("carrier", "time_hour", "dep_time", "dep_delay")
    .map_batches(with_airline)
    .key_by("airline")
    .aggregate(
        window=Tumble("time_hour", "1 hour"),
        flights=agg.count(),
        departed=agg.count("dep_time"),
        avg_delay=agg.avg("dep_delay"),
        max_delay=agg.max("dep_delay"),
    )
    .sink("hourly", Parquet("out/flights/by_airline", overwrite=True))
)

if __name__ == "__main__":
    graph.run()
