"""A database of airports, and the function by which examples/lookup.sql asks it.

The database is a SQLite file that is made when it is first asked. SQLite blocks, so each question is asked in a thread;
a driver that awaits, or a client of a web service, is awaited as it is.
"""

import csv
import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path

import trio

DATA = Path(__file__).parent / "data"
DATABASE = Path("out/airports.sqlite")


@cache
def database() -> Path:
    """The database, made when it is first asked for."""
    DATABASE.parent.mkdir(exist_ok=True)
    DATABASE.unlink(missing_ok=True)
    airports = csv.DictReader((DATA / "airports.csv").read_text(encoding="utf-8").splitlines())
    rows = [(row["faa"], row["name"], int(row["alt"]), row["tzone"]) for row in airports]
    with closing(sqlite3.connect(DATABASE)) as connection, connection:
        connection.execute("CREATE TABLE airports (faa TEXT PRIMARY KEY, name TEXT, alt INT, tzone TEXT)")
        connection.executemany("INSERT INTO airports VALUES (?, ?, ?, ?)", rows)
    return DATABASE.resolve()


def ask(path: Path, faa: str) -> tuple[str, str, int, str] | None:
    """The row of an airport."""
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT faa, name, alt, tzone FROM airports WHERE faa = ?", (faa,))
        row: tuple[str, str, int, str] | None = found.fetchone()
    return row


async def airport(faa: str) -> tuple[str, str, int, str] | None:
    """The row of an airport, or None where there is none."""
    return await trio.to_thread.run_sync(ask, database(), faa)
