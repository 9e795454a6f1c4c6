"""A source of one's own: the rows of a SQLite table, read by several readers at once, each from where it stopped.

A source says which columns there are and divides the input into splits; a reader reads one split in batches and can say
where it stands. That is the whole contract: prefetch, parallel reading and resuming follow from it.
"""

import csv
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import attrs
import pyarrow as pa

from flow import Graph, Offset, Reader, Source, Split
from operators import Csv, agg

ARROW_TYPES = {"INTEGER": pa.int64(), "REAL": pa.float64(), "TEXT": pa.string()}
BATCH_ROWS = 500


@attrs.frozen
class SqliteTable(Source):
    """A table with a rowid; `parts` ranges of it are read independently."""

    path: str
    table: str
    parts: int = 4
    columns: tuple[str, ...] | None = None

    def schema(self) -> pa.Schema:
        with closing(sqlite3.connect(self.path)) as database:
            declared = {name: kind for _, name, kind, *_ in database.execute(f"PRAGMA table_info({self.table})")}
        return pa.schema([(name, ARROW_TYPES[declared[name]]) for name in self.columns or declared])

    def splits(self) -> Sequence[Split]:
        with closing(sqlite3.connect(self.path)) as database:
            (last,) = database.execute(f"SELECT coalesce(max(rowid), 0) FROM {self.table}").fetchone()
        bounds = [last * part // self.parts for part in range(self.parts + 1)]
        return [Split(f"rows {a + 1} to {b}", detail=[a, b]) for a, b in pairwise(bounds)]

    def open(self, split: Split, offset: Offset = None) -> Reader:
        return SqliteReader(self, split, offset)

    def narrow(self, columns: Sequence[str], predicate: Any = None) -> Source:
        return attrs.evolve(self, columns=tuple(columns))


class SqliteReader(Reader):
    """Reads a range of rowids; its offset is the last rowid that it returned."""

    def __init__(self, source: SqliteTable, split: Split, offset: Offset) -> None:
        after, self.last = split.detail
        self.at = after if offset is None else offset
        self.columns = source.schema()
        # Reads happen in whichever worker thread is free, though never in two at the same time.
        self.database = sqlite3.connect(source.path, check_same_thread=False)
        names = ", ".join(["rowid", *self.columns.names])
        self.query = (
            f"SELECT {names} FROM {source.table} WHERE rowid > ? AND rowid <= ? ORDER BY rowid LIMIT {BATCH_ROWS}"
        )

    def read(self) -> pa.RecordBatch | None:
        rows = self.database.execute(self.query, (self.at, self.last)).fetchall()
        if not rows:
            return None
        rowids, *columns = zip(*rows, strict=True)
        self.at = rowids[-1]
        return pa.record_batch(
            [pa.array(column, field.type) for column, field in zip(columns, self.columns, strict=True)],
            schema=self.columns,
        )

    def offset(self) -> Offset:
        return self.at

    def close(self) -> None:
        self.database.close()


def airports_database(path: Path) -> str:
    """A database to read from: the airports of the United States."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as database, database, open(DATA / "airports.csv", newline="") as lines:
        database.execute("DROP TABLE IF EXISTS airports")
        database.execute("CREATE TABLE airports (faa TEXT, name TEXT, alt INTEGER, tzone TEXT)")
        rows = [(row["faa"], row["name"], int(row["alt"]), row["tzone"]) for row in csv.DictReader(lines)]
        database.executemany("INSERT INTO airports VALUES (?, ?, ?, ?)", rows)
    return str(path)


DATA = Path(__file__).parent / "data"
graph = Graph("airports")
airports = graph.source("airports", SqliteTable(airports_database(Path("out/airports.db")), "airports"))
(
    airports.key_by("tzone")
    .aggregate(airports=agg.count(), highest=agg.max("alt"), emit="final")
    .sink("out", Csv("out/airports", overwrite=True))
)

if __name__ == "__main__":
    graph.run()
