"""The case files under tests/sql: queries as data, with their tables and the rows that they give.

A file is a sequence of sections, each begun by a line of its own:

    -- table: users (id BIGINT, name VARCHAR)   before the first case: of all cases; after it: of one case
    -- 1 | ann                                  a row a line, NULL for NULL; `trades` (trades.csv) is always there
    -- case: its name
    SELECT ...                                  the query
    -- append-only: part of the error           it is refused, or fails, where rows can be taken back
    -- ordered: why                             its result depends on the order of rows: they come as they are written
    -- duckdb:
    SELECT ...                                  DuckDB's query, where that differs
    -- rows:
    -- 1 | 2                                    the result, sorted as text; without this section DuckDB alone knows it

Queries may call the functions of tests/user_functions.py. A table's column `event_time` is its event time. A table
with a last column `_weight` (BIGINT) is one of changes.
"""

import csv
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import attrs
import duckdb
import pyarrow as pa

FOLDER = Path(__file__).parent / "sql"
_HEAD = re.compile(r"^-- (table|case|append-only|ordered|duckdb|rows):[ \t]*(.*)$")
_TABLE = re.compile(r"(\w+) *(\(.*\))")
_TYPES = {
    pa.int64(): "BIGINT",
    pa.float64(): "DOUBLE",
    pa.string(): "VARCHAR",
    pa.bool_(): "BOOLEAN",
    pa.date32(): "DATE",
    pa.timestamp("us"): "TIMESTAMP",
    pa.list_(pa.int64()): "BIGINT[]",
    pa.struct([("x", pa.int64()), ("y", pa.string())]): "STRUCT(x BIGINT, y VARCHAR)",
}
_TRADES = "trades (symbol VARCHAR, price DOUBLE, volume BIGINT, event_time TIMESTAMP, venue VARCHAR)"


@attrs.define
class Case:
    name: str
    tables: dict[str, pa.Table]
    query: str = ""
    duckdb: str = ""
    append_only: str | None = None
    ordered: bool = False
    rows: list[str] | None = None

    def used(self) -> dict[str, pa.Table]:
        """The tables that the query names."""
        words = {word.lower() for word in re.findall(r"\w+", f"{self.query} {self.duckdb}")}
        return {name: table for name, table in self.tables.items() if name.lower() in words}


def read_cases(text: str, stem: str) -> list[Case]:
    """The cases of a file."""
    common = {"trades": trades()}
    cases: list[Case] = []
    part, about, lines = "", "", []

    def close() -> None:
        rows = [line.removeprefix("-- ").removeprefix("--") for line in lines if line.startswith("--")]
        text = "\n".join(line for line in lines if not line.startswith("--")).strip()
        match part:
            case "table":
                tables = cases[-1].tables if cases else common
                tables.update([made_table(about, rows)])
            case "duckdb":
                cases[-1].duckdb = text
            case "rows":
                cases[-1].rows = rows
        if part not in ("duckdb", "") and text:
            cases[-1].query = text

    for line in [*text.splitlines(), "-- case: "]:
        head = _HEAD.match(line)
        if head is None:
            lines.append(line)
            continue
        close()
        part, about, lines = head[1], head[2], []
        if part == "case" and about:
            cases.append(Case(f"{stem}: {about}", dict(common)))
        elif part == "append-only":
            cases[-1].append_only = about
        elif part == "ordered":
            cases[-1].ordered = True
    return cases


def all_cases() -> list[Case]:
    return [case for path in sorted(FOLDER.glob("*.sql")) for case in read_cases(path.read_text(), path.stem)]


def written(name: str, query: str, tables: Mapping[str, pa.RecordBatch | pa.Table], reference: str = "") -> str:
    """A case as it stands in a file."""
    lines = [f"-- case: {name}"]
    for table, changes in tables.items():
        columns = ", ".join(f"{field.name} {_said(field.type)}" for field in changes.schema)
        lines.append(f"-- table: {table} ({columns})")
        lines += [
            "-- "
            + " | ".join("NULL" if value is None else str(value).replace("None", "NULL") for value in row.values())
            for row in changes.to_pylist()
        ]
    lines.append(f"{query};")
    if reference not in ("", query):
        lines += ["-- duckdb:", f"{reference};"]
    return "\n".join([*lines, ""])


def _said(kind: pa.DataType) -> str:
    if pa.types.is_dictionary(kind):
        return _said(kind.value_type)
    if pa.types.is_decimal(kind):
        return f"DECIMAL({kind.precision}, {kind.scale})"
    return _TYPES[kind]


def made_table(declared: str, rows: list[str]) -> tuple[str, pa.Table]:
    """A table's name, and its rows with the types that it is declared with."""
    match = _TABLE.fullmatch(declared.strip())
    assert match is not None, f"no table: {declared!r}"
    values = [[None if value.strip() == "NULL" else value.strip() for value in row.split("|")] for row in rows]
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE made {match[2]}")
        if values:
            marks = ", ".join("?" * len(values[0]))
            connection.executemany(f"INSERT INTO made VALUES ({marks})", values)
        return match[1], connection.table("made").to_arrow_table()


@cache
def trades() -> pa.Table:
    with (FOLDER / "trades.csv").open() as file:
        rows = [" | ".join(value or "NULL" for value in row) for row in csv.reader(file)]
    return made_table(_TRADES, rows[1:])[1]
