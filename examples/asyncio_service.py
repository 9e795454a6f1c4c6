"""A flow inside an asyncio program: it runs on a thread of its own, while the program asks how it stands.

python examples/asyncio_service.py
"""

import asyncio
from pathlib import Path

import flow
from flow import Graph
from operators import Csv, Parquet, Tumble, agg

graph = Graph("service")
flights = graph.source(
    "flights",
    Csv(Path(__file__).parent / "data" / "flights_2013_01.csv.gz", nulls=("NA",)),
    event_time="time_hour",
    delay="18 hours",
)
(
    flights.key_by("dest")
    .aggregate(window=Tumble("time_hour", "1 day"), flights=agg.count(), worst=agg.max("dep_delay"))
    .sink("daily", Parquet("out/service", overwrite=True))
)


async def main() -> None:
    with flow.start(graph) as handle:
        finished = asyncio.create_task(handle.wait_async())
        while not finished.done():
            print(f"{handle.stats().rows_in:,} rows read")
            await asyncio.wait([finished], timeout=0.2)
        stats = await finished
    print(f"{stats.outcome}: {stats.rows_in:,} rows read, {stats.rows_out:,} rows written")


if __name__ == "__main__":
    asyncio.run(main())
