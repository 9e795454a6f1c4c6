"""The cases under tests/sql: each query over trades.csv gives the rows below it, and so does DuckDB."""

import csv
from pathlib import Path

import attrs
import duckdb
import pyarrow as pa
import pytest

from flow import Graph
from operators import Collect, Table, sql
from tests.plain_executor import run_plainly

FOLDER = Path(__file__).parent / "sql"
TRADES = pa.schema(
    [
        ("symbol", pa.string()),
        ("price", pa.float64()),
        ("volume", pa.int64()),
        ("event_time", pa.timestamp("us")),
        ("venue", pa.string()),
    ]
)


@attrs.frozen
class Case:
    name: str
    query: str
    duckdb: str
    rows: list[str]


def read_cases() -> list[Case]:
    """A case is its name, its query, DuckDB's query where that differs, and the rows expected, one a line, in order."""
    cases = []
    for path in sorted(FOLDER.glob("*.sql")):
        for part in path.read_text().split("-- case: ")[1:]:
            name, _, rest = part.partition("\n")
            query, _, rows = rest.partition("-- rows:\n")
            query, _, other = query.partition("-- duckdb:\n")
            expected = [line.removeprefix("-- ") for line in rows.strip().splitlines()]
            cases.append(Case(f"{path.stem}: {name}", query.strip(), (other or query).strip(), expected))
    return cases


CASES = read_cases()


def trades() -> pa.Table:
    with (FOLDER / "trades.csv").open() as file:
        rows = [{name: value or None for name, value in row.items()} for row in csv.DictReader(file)]
    text = pa.Table.from_pylist(rows, pa.schema([(name, pa.string()) for name in TRADES.names]))
    return text.cast(TRADES)


def graph_of(query: str, batch_rows: int, collect: Collect | None = None) -> tuple[Graph, Collect]:
    graph = Graph("case")
    stream = graph.source("trades", Table(trades(), batch_rows=batch_rows), event_time="event_time", delay="10s")
    collect = collect or Collect()
    sql(query, trades=stream, partitions=2).sink("out", collect)
    return graph, collect


def shown(table: pa.Table) -> list[str]:
    """The rows as text, sorted; those of a changelog summed up."""
    weights = table["_weight"].to_pylist() if "_weight" in table.column_names else [1] * table.num_rows
    counts: dict[str, int] = {}
    for row, weight in zip(table.to_pylist(), weights, strict=True):
        row.pop("_weight", None)
        text = " | ".join(f"{value:.9g}" if isinstance(value, float) else str(value) for value in row.values())
        counts[text] = counts.get(text, 0) + weight
    assert min(counts.values(), default=0) >= 0, "a row was retracted that had not been inserted"
    return sorted(text for text, count in counts.items() for _ in range(count))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_expected_rows_are_duckdbs(case: Case) -> None:
    with duckdb.connect() as connection:
        connection.register("trades", trades())
        result = connection.sql(case.duckdb.rstrip(";")).to_arrow_table()
    assert shown(result) == case.rows


@pytest.mark.parametrize("batch_rows", [1, 3, 100])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_one_partition_in_a_plain_loop(case: Case, batch_rows: int) -> None:
    graph, _ = graph_of(case.query, batch_rows)
    assert shown(run_plainly(graph)["out"]) == case.rows


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_two_partitions_in_the_runtime(case: Case) -> None:
    graph, collect = graph_of(case.query, 4)
    graph.run()
    assert shown(collect.changes()) == case.rows
