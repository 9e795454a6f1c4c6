"""Writes measurements for onebrc.py: lines of `station;temperature`, as in the One Billion Row Challenge.

python examples/onebrc_generate.py [ROWS] [FILE]     (default: 1,000,000 rows into out/measurements.txt)
"""

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

STATIONS = {
    "Abéché": 29.4, "Accra": 26.4, "Adelaide": 17.3, "Almaty": 10.0, "Anchorage": 2.8, "Auckland": 15.2, "Baku": 15.1,
    "Bergen": 7.7, "Bogotá": 13.7, "Bratislava": 10.5, "Cairo": 21.4, "Chișinău": 10.2, "Dakar": 24.0,
    "Darwin": 27.6, "Denver": 10.4, "Dikson": -11.1, "Erzurum": 5.1, "Fairbanks": -2.3, "Gjoa Haven": -14.4,
    "Hà Nội": 23.6, "Hamburg": 9.7, "Havana": 25.2, "Honiara": 26.5, "İzmir": 17.9, "Jakarta": 26.7, "Kyiv": 8.4,
    "La Paz": 23.7, "Lisbon": 17.5, "Lomé": 26.9, "Malmö": 8.0, "Mexico City": 17.5, "Mumbai": 27.1, "Murmansk": 0.6,
    "Nairobi": 17.8, "New York City": 12.9, "Odienné": 26.0, "Oslo": 5.7, "Quito": 14.0, "Reykjavík": 4.3,
    "Saint-Pierre": 5.7, "São Paulo": 19.2, "Seoul": 12.5, "Tōkyō": 15.4, "Tromsø": 2.9, "Warsaw": 8.5,
    "Yakutsk": -8.8, "Zürich": 9.3,
}  # fmt: skip
"""Mean temperatures in °C; the measurements spread around them by 10 °C."""

CHUNK = 1_000_000


def write_measurements(path: Path, rows: int) -> None:
    """Write `rows` lines, the same ones every time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    names = pa.array(list(STATIONS))
    means = np.array(list(STATIONS.values()))
    # Temperatures have one decimal from -99.9 to 99.9: so few that each is made into text once.
    texts = pa.array([f"{tenths / 10:.1f}" for tenths in range(-999, 1000)])
    columns = pa.schema([("station", pa.string()), ("temperature", pa.string())])
    options = pyarrow.csv.WriteOptions(include_header=False, delimiter=";", quoting_style="none")
    random = np.random.default_rng(1)
    with pyarrow.csv.CSVWriter(path, columns, write_options=options) as writer:
        for start in range(0, rows, CHUNK):
            station = random.integers(len(STATIONS), size=min(CHUNK, rows - start))
            tenths = np.rint(random.normal(means[station], 10) * 10).clip(-999, 999).astype(np.int64)
            writer.write_batch(pa.record_batch([names.take(station), texts.take(tenths + 999)], schema=columns))


if __name__ == "__main__":
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    path = Path(sys.argv[2] if len(sys.argv) > 2 else "out/measurements.txt")
    write_measurements(path, rows)
    print(f"{rows:,} measurements written to {path}")
