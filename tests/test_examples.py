"""Every example runs, as a program and by the command, and gives what DuckDB gives for the same data."""

import json
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from operators.command.main import main

ROOT = Path(__file__).parent.parent
FLIGHTS = f"read_csv('{ROOT / 'examples/data/flights_2013_01.csv.gz'}', nullstr = 'NA')"
AIRLINES = f"read_csv('{ROOT / 'examples/data/airlines.csv'}')"
AIRPORTS = f"read_csv('{ROOT / 'examples/data/airports.csv'}')"
HOURLY = (
    """count(*) AS flights, count(dep_time) AS departed, avg(dep_delay) AS avg_delay, max(dep_delay) AS max_delay"""
)

Run = Callable[[str], None]


def as_program(example: str) -> None:
    runpy.run_path(example, run_name="__main__")


def as_target(example: str) -> None:
    assert main(["run", example, "--quiet"]) == 0


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory in which `examples/` is to be found and `out/` is new."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["example"])
    monkeypatch.setattr(sys, "path", [*sys.path])
    return tmp_path


@pytest.fixture(params=[as_program, as_target], ids=["program", "target"])
def run(request: pytest.FixtureRequest, here: Path) -> Run:
    return request.param


def rows(query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(f"SELECT * FROM ({query}) ORDER BY ALL").fetchall()


def same(found: list[tuple[Any, ...]], expected: list[tuple[Any, ...]]) -> None:
    assert found == [tuple(pytest.approx(v, rel=1e-9) if isinstance(v, float) else v for v in row) for row in expected]
    assert expected


def hourly(key: str, source: str = FLIGHTS) -> list[tuple[Any, ...]]:
    return rows(f"SELECT {key}, epoch_us(date_trunc('hour', time_hour)) AS start, {HOURLY} FROM {source} GROUP BY ALL")


def written_hourly(key: str, directory: str) -> list[tuple[Any, ...]]:
    return rows(
        f"SELECT {key}, epoch_us(window_start) AS start, flights, departed, avg_delay, max_delay "
        f"FROM 'out/flights/{directory}/*.parquet'"
    )


def test_flights(run: Run) -> None:
    run("examples/flights.py")
    same(written_hourly("origin", "hourly"), hourly("origin"))


def test_flights_that_come_too_late_are_counted_and_kept(run: Run) -> None:
    run("examples/flights_live.py")
    (in_time,) = rows("SELECT sum(flights)::BIGINT FROM 'out/flights_live/in_time/*.parquet'")
    (late,) = rows("SELECT count(*) FROM 'out/flights_live/late/*.parquet'")  # how many depends on who waits for whom
    assert in_time[0] + late[0] == 27_004


def test_in_one_chain_it_is_certain_which_flights_are_late(here: Path) -> None:
    assert main(["run", "examples/flights_live.py", "--quiet", "--topology", "serial"]) == 0
    hour = 3_600_000_000
    flights = rows(f"SELECT row_number() OVER () AS place, epoch_us(time_hour), flight, origin FROM {FLIGHTS}")
    late, watermark = [], 0
    for start in range(0, len(flights), 500):
        chunk = flights[start : start + 500]
        late += [(time, flight, origin) for _, time, flight, origin in chunk if time + hour <= watermark]
        watermark = max(watermark, max(time for _, time, _, _ in chunk) - 2 * hour)
    found = rows("SELECT epoch_us(time_hour), flight, origin FROM 'out/flights_live/late/*.parquet'")
    assert found == sorted(late)
    assert late


def test_flights_in_sql(here: Path) -> None:
    as_target("examples/flights.sql")
    same(written_hourly("origin", "hourly_sql"), hourly("origin"))


def test_flights_by_airline(run: Run) -> None:
    run("examples/flights_airlines.py")
    joined = f"(SELECT f.*, a.name AS airline FROM {FLIGHTS} f LEFT JOIN {AIRLINES} a USING (carrier))"
    same(written_hourly("airline", "by_airline"), hourly("airline", joined))


def test_custom_operator(run: Run) -> None:
    run("examples/custom_operator.py")
    numbered = f"""
        SELECT tailnum, dep_delay, lag(dep_delay) OVER (PARTITION BY tailnum ORDER BY place)::DOUBLE AS previous
        FROM (SELECT *, row_number() OVER () AS place FROM {FLIGHTS})
        WHERE dep_delay IS NOT NULL AND tailnum IS NOT NULL"""
    found = rows("SELECT tailnum, dep_delay, previous_dep_delay FROM 'out/delays_in_turn/*.parquet'")
    same(found, rows(numbered))


def test_custom_source(run: Run) -> None:
    run("examples/custom_source.py")
    found = rows("SELECT tzone, airports, highest FROM read_csv('out/airports/*.csv')")
    same(found, rows(f"SELECT tzone, count(*), max(alt) FROM {AIRPORTS} GROUP BY tzone"))


def test_async_enrichment(run: Run) -> None:
    run("examples/async_enrichment.py")
    asked = f"{FLIGHTS} f JOIN {AIRLINES} a USING (carrier) WHERE day = 1 AND dest = 'SFO'"
    found = rows("SELECT carrier, flight, dest, dep_delay, airline FROM 'out/async_enrichment/*.jsonl'")
    same(found, rows(f"SELECT carrier, flight, dest, dep_delay, name FROM {asked}"))


def test_lookup(here: Path) -> None:
    """The function that the script asks is in airports.py."""
    as_target("examples/lookup.sql")
    asked = f"{FLIGHTS} f LEFT JOIN {AIRPORTS} a ON f.dest = a.faa AND tzone LIKE 'America/%'"
    found = rows("SELECT carrier, flight, dest, name, alt FROM 'out/lookup/*.jsonl'")
    same(found, rows(f"SELECT carrier, flight, dest, name, a.alt FROM {asked} WHERE day = 1 AND dep_delay > 60"))


def test_asyncio_service(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    run("examples/asyncio_service.py")
    assert caplog.records == []
    found = rows("SELECT dest, epoch_us(window_start), flights, worst FROM 'out/service/*.parquet'")
    expected = "dest, epoch_us(date_trunc('day', time_hour)) AS start, count(*) AS flights, max(dep_delay)"
    same(found, rows(f"SELECT {expected} FROM {FLIGHTS} GROUP BY ALL"))


def test_one_billion_rows_but_fewer(here: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["onebrc_generate.py", "20000"])
    as_program("examples/onebrc_generate.py")
    run("examples/onebrc.py")
    columns = "columns = {'station': 'VARCHAR', 'temperature': 'DOUBLE'}"
    measured = f"read_csv('out/measurements.txt', delim = ';', header = false, {columns})"
    found = rows("SELECT station, low, mean, high, rows FROM read_csv('out/onebrc/*.csv')")
    expected = "station, min(temperature), avg(temperature), max(temperature), count(*)"
    same(found, rows(f"SELECT {expected} FROM {measured} GROUP BY station"))


def test_orders_of_change_events(here: Path) -> None:
    as_target("examples/orders.sql")
    orders: dict[int, dict[str, Any]] = {}
    for event in map(json.loads, Path("examples/data/orders_changes.jsonl").read_text().splitlines()):
        if event is not None:
            orders.pop((event["after"] or event["before"])["id"], None)
            if event["after"] is not None:
                changed = {"changed_at": event["source"]["ts_ms"] * 1_000}
                orders[event["after"]["id"]] = event["after"] | changed
    Path("orders.jsonl").write_text("".join(json.dumps(order) + "\n" for order in orders.values()))
    owed: dict[str, Any] = {}
    for line in lines_in("out/orders/owed"):
        owed.pop(line["customer"], None)
        if not line["_deleted"]:
            owed[line["customer"]] = (line["customer"], line["orders"], line["amount"])
    same(
        sorted(owed.values()),
        rows(
            "SELECT customer, count(*), sum(amount::DECIMAL(10, 2))::DOUBLE FROM 'orders.jsonl' "
            "WHERE status = 'open' GROUP BY customer"
        ),
    )
    sent = [event["after"] for event in lines_in("out/orders/sent")]
    assert all(event["op"] == "c" or event["before"] for event in lines_in("out/orders/sent"))
    same(
        sorted((order["id"], order["customer"]) for order in sent if order is not None),
        rows("SELECT id, customer FROM 'orders.jsonl' WHERE status = 'sent'"),
    )
    assert lines_in("out/orders/not_understood") == []


def lines_in(directory: str) -> list[dict[str, Any]]:
    return [json.loads(line) for part in Path(directory).glob("*.jsonl") for line in part.read_text().splitlines()]


def test_every_example_is_run_here() -> None:
    tested = Path(__file__).read_text()
    missing = [path.name for path in (ROOT / "examples").iterdir() if path.is_file() and path.name not in tested]
    assert missing == []
