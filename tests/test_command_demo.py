import math
from pathlib import Path

import duckdb
import pyarrow.compute as pc
import pytest
import structlog

from flow.errors import PenstockError
from flow.settings import Settings
from operators import Collect
from operators.command import demo
from operators.command.main import main

Capture = pytest.CaptureFixture[str]


def test_the_demo_gives_what_duckdb_gives_for_every_replay() -> None:
    hourly = Collect()
    stats = demo.demo_graph(demo.demo_file(), hourly, times=3).run(Settings(readers=2, partitions=2))
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        expected = connection.execute(
            f"""SELECT epoch_us(date_trunc('hour', time_hour) + to_days(CAST(31 * replay AS INTEGER))) AS start, origin,
                count(*), count(dep_time), max(dep_delay), avg(dep_delay)
            FROM read_csv('{demo.demo_file()}', nullstr = 'NA'), range(3) AS replays (replay)
            GROUP BY ALL ORDER BY ALL"""
        ).fetchall()
    table = hourly.table()
    starts = table["window_start"].cast("timestamp[us]").cast("int64").to_pylist()
    names = ("origin", "flights", "departed", "max_delay", "avg_delay")
    found = sorted(zip(starts, *(table[name].to_pylist() for name in names), strict=True))
    assert [row[:-1] for row in found] == [row[:-1] for row in expected]
    assert all(
        one == other or math.isclose(one, other, rel_tol=1e-9)
        for (*_, one), (*_, other) in zip(found, expected, strict=True)
    )
    assert (stats.rows_in, stats.late_rows) == (3 * 27_004, 0)
    assert pc.sum(table["flights"]).as_py() == 3 * 27_004


def test_the_command_prints_the_worst_hours(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "REPLAYS", 2)
    assert main(["demo"]) == 0
    out, error = capsys.readouterr()
    structlog.reset_defaults()
    lines = out.splitlines()
    assert lines[0].strip() == "The ten worst hours of January 2013"
    assert lines[2].split() == ["2013-01-14", "01:00", "JFK", "15", "12", "117", "min", "315", "min"]
    assert len(lines) == 12
    assert "replayed 2 times" in error
    assert "54,008 rows in" in error


def test_without_its_data_the_demo_says_where_it_looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "_FOLDERS", (tmp_path,))
    with pytest.raises(PenstockError, match=r"'flights_2013_01\.csv\.gz' is not there; looked in"):
        demo.demo_file()
