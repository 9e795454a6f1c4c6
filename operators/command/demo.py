"""The command ``demo``: a month of real flights, replayed month after month, flat out.

The data is the one that the examples use: beside them in the repository, beside this file where Penstock is installed.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import attrs
import pyarrow as pa
import pyarrow.compute as pc
from rich.console import Console
from rich.table import Table

from flow import Graph, Offset, Reader, Source, Split
from flow.errors import PenstockError
from operators import Collect, Tumble, agg
from operators.command.run import DONE, run
from operators.files.csv import Csv

REPLAYS = 300
"""How often the month is read; enough for the run to be watched."""

_FILE = "flights_2013_01.csv.gz"
_COLUMNS = ("origin", "dep_time", "dep_delay", "time_hour")
_MONTH = timedelta(days=31)
_FOLDERS = (Path(__file__).parent / "demo_data", Path(__file__).parents[2] / "examples" / "data")


@attrs.frozen
class Replay(Source):
    """The flights of a month, again and again, each time a month later: a split a time."""

    file: Path
    times: int
    columns: tuple[str, ...] = _COLUMNS

    def schema(self) -> pa.Schema:
        """The columns that are read."""
        return _month(self.file)[0].select(self.columns).schema

    def splits(self) -> Sequence[Split]:
        """One for each time."""
        first = min(pc.min(batch["time_hour"]).cast(pa.int64()).as_py() for batch in _month(self.file))
        later = _MONTH // timedelta(microseconds=1)
        return [Split(f"month {number}", number, earliest=first + number * later) for number in range(self.times)]

    def open(self, split: Split, offset: Offset = None) -> Reader:
        """The month, as much later as the split says."""
        return _ReplayReader(_month(self.file), self.columns, split.detail, offset or 0)

    def narrow(self, columns: Sequence[str], predicate: Any = None) -> Source:
        """The same flights with these columns alone."""
        return attrs.evolve(self, columns=tuple(columns))


class _ReplayReader(Reader):
    def __init__(self, month: Sequence[pa.RecordBatch], columns: Sequence[str], later: int, offset: int) -> None:
        self._month = month
        self._columns = columns
        self._later = later * _MONTH
        self._next = offset

    def read(self) -> pa.RecordBatch | None:
        """The next batch of the month."""
        if self._next == len(self._month):
            return None
        batch = self._month[self._next].select(self._columns)
        self._next += 1
        place = batch.schema.get_field_index("time_hour")
        if place < 0:
            return batch
        field = batch.schema.field(place)
        return batch.set_column(place, field, pc.add(batch.column(place), pa.scalar(self._later)).cast(field.type))

    def offset(self) -> Offset:
        """How many batches of the month have been read."""
        return self._next


@lru_cache
def _month(file: Path) -> Sequence[pa.RecordBatch]:
    source = Csv(file, nulls=("NA",)).narrow(_COLUMNS)
    return [batch for split in source.splits() for batch in _read(source, split)]


def _read(source: Source, split: Split) -> Iterator[pa.RecordBatch]:
    reader = source.open(split)
    assert isinstance(reader, Reader)
    try:
        while isinstance(batch := reader.read(), pa.RecordBatch):
            yield batch
    finally:
        reader.close()


def demo_graph(file: Path, hourly: Collect, times: int) -> Graph:
    """Departures by hour and airport: how many, and how late on average and at worst."""
    graph = Graph("flights")
    flights = graph.source("flights", Replay(file, times), event_time="time_hour", delay="18 hours")
    (
        flights.key_by("origin")
        .aggregate(
            name="hourly",
            window=Tumble("time_hour", "1 hour"),
            flights=agg.count(),
            departed=agg.count("dep_time"),
            avg_delay=agg.avg("dep_delay"),
            max_delay=agg.max("dep_delay"),
        )
        .sink("result", hourly)
    )
    return graph


def demo_file() -> Path:
    """The month of flights; raises where Penstock was installed without it."""
    for folder in _FOLDERS:
        if (folder / _FILE).is_file():
            return folder / _FILE
    raise PenstockError(f"the demo's data {_FILE!r} is not there; looked in {[str(folder) for folder in _FOLDERS]}")


def demo_command(arguments: argparse.Namespace) -> int:
    """Run the demo and print the worst hours of the month."""
    file, hourly = demo_file(), Collect()
    flights = sum(batch.num_rows for batch in _month(file))
    console = Console(stderr=True, highlight=False)
    if not arguments.quiet and arguments.log is None:
        console.print(
            f"[bold]All {flights:,} departures out of New York City in January 2013[/], replayed {REPLAYS} times, each "
            "a month later: how many flights, and how late, in every hour and at every airport?\n"
        )
    code = run(demo_graph(file, hourly, REPLAYS), arguments)
    if code == DONE:
        if not arguments.quiet:
            console.print()
        Console(highlight=False).print(_worst(hourly.table()))
        if not arguments.quiet and arguments.log is None:
            console.print("\nNext: penstock graph examples/flights.sql, penstock run examples/flights.sql")
    return code


def _worst(hourly: pa.Table, count: int = 10) -> Table:
    table = Table(title="The ten worst hours of January 2013", title_justify="left", title_style="bold", box=None)
    for name in ("hour (UTC)", "airport", "flights", "departed", "average delay", "greatest delay"):
        table.add_column(name, justify="left" if name in ("hour (UTC)", "airport") else "right")
    january = hourly.filter(pc.field("window_start") < pa.scalar(datetime(2013, 2, 1, tzinfo=UTC)))
    worst = january.sort_by([("avg_delay", "descending"), ("window_start", "ascending"), ("origin", "ascending")])
    for row in worst.slice(0, count).to_pylist():
        table.add_row(
            f"{row['window_start']:%Y-%m-%d %H:%M}",
            row["origin"],
            str(row["flights"]),
            str(row["departed"]),
            f"{row['avg_delay']:.0f} min",
            f"{row['max_delay']:.0f} min",
        )
    return table
