"""Looks airports up in a database while flights stream by: an async function in SQL, whose answers are remembered.

The database is a SQLite file that the example makes itself. A flight gets what the database says when it comes by: this
is what other systems call a lookup join. SQLite blocks, so each question is asked in a thread; a driver that awaits, or
a client of a web service, is awaited as it is.

python examples/lookup.py
"""

import csv
import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path

import trio

from flow import Graph
from operators import Csv, JsonLines, sql, udf

DATA = Path(__file__).parent / "data"
DATABASE = Path("out/airports.sqlite")


@cache
def database() -> Path:
    """The database, made when it is first asked for."""
    DATABASE.parent.mkdir(exist_ok=True)
    DATABASE.unlink(missing_ok=True)
    airports = csv.DictReader((DATA / "airports.csv").read_text(encoding="utf-8").splitlines())
    with closing(sqlite3.connect(DATABASE)) as connection, connection:
        connection.execute("CREATE TABLE airports (faa TEXT PRIMARY KEY, name TEXT)")
        connection.executemany("INSERT INTO airports VALUES (?, ?)", [(row["faa"], row["name"]) for row in airports])
    return DATABASE.resolve()


def ask(path: Path, faa: str) -> str | None:
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT name FROM airports WHERE faa = ?", (faa,)).fetchone()
    return None if found is None else str(found[0])


@udf.asynchronous(cached=10_000, timeout="5s", retries=2)
async def airport(faa: str) -> str | None:
    """The name of an airport; NULL where there is none."""
    return await trio.to_thread.run_sync(ask, database(), faa)


graph = Graph("lookup")
flights = graph.source("flights", Csv(DATA / "flights_2013_01.csv.gz", nulls=("NA",)))
sql(
    "SELECT carrier, flight, dest, airport(dest) AS name FROM flights WHERE day = 1 AND dep_delay > 60",
    functions=[airport],
    flights=flights,
).sink("out", JsonLines("out/lookup", overwrite=True))

if __name__ == "__main__":
    graph.run()
