"""Departures out of New York City by hour and airport: how many, how many left, how late on average and at worst.

The hour is the *scheduled* one, while rows come in order of actual departure, and a day's cancelled flights at its end.
So rows come up to 18 hours after the first row of a later hour; with this delay none of them is too late.

python examples/flights.py     (or: penstock run examples/flights.py)
"""

from pathlib import Path

from flow import Graph
from operators import Csv, Parquet, Tumble, agg

FLIGHTS = Csv(Path(__file__).parent / "data" / "flights_2013_01.csv.gz", nulls=("NA",))

graph = Graph("flights")

flights = graph.source("flights", FLIGHTS, event_time="time_hour", delay="18 hours")
(
    flights.key_by("origin")
    .aggregate(
        window=Tumble("time_hour", "1 hour"),
        flights=agg.count(),
        departed=agg.count("dep_time"),
        avg_delay=agg.avg("dep_delay"),
        max_delay=agg.max("dep_delay"),
    )
    .sink("hourly", Parquet("out/flights/hourly", overwrite=True))
)

if __name__ == "__main__":
    graph.run()
