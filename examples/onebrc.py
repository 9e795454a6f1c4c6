"""The One Billion Row Challenge: lowest, mean and highest temperature by station, from lines `station;temperature`.

One big file is cut into byte ranges, which all readers read at the same time; each aggregates what it reads, and only
groups meet.

python examples/onebrc_generate.py 1000000 && python examples/onebrc.py
"""

from flow import Graph
from operators import Csv, agg

MEASUREMENTS = Csv("out/measurements.txt", delimiter=";", header=False, names=("station", "temperature"))

graph = Graph("1brc")
stations = (
    graph.source("measurements", MEASUREMENTS)
    .key_by("station")
    .aggregate(
        low=agg.min("temperature"),
        mean=agg.avg("temperature"),
        high=agg.max("temperature"),
        rows=agg.count(),
        emit="final",
    )
)
stations.sink("stations", Csv("out/onebrc", overwrite=True))

if __name__ == "__main__":
    graph.run()
