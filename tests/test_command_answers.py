"""Scripts that ask: `penstock run` prints the answers before it runs, and `penstock explain` the plans."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from operators.command.main import WRONG, main

Capture = pytest.CaptureFixture[str]

SCRIPT = """
CREATE TABLE numbers (x BIGINT, name VARCHAR) WITH (connector = 'files', path = 'numbers.csv');
CREATE TABLE out WITH (connector = 'files', path = 'out/', format = 'csv', changes = 'weight');
SET partitions = 3;
DESCRIBE numbers;
INSERT INTO out SELECT name, count(*) AS n FROM numbers GROUP BY name;
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A current folder with a script and its data."""
    (tmp_path / "numbers.csv").write_text("x,name\n1,a\n2,b\n3,a\n")
    (tmp_path / "counts.sql").write_text(SCRIPT)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    structlog.reset_defaults()


def test_answers_are_printed_before_the_run(here: Path, capsys: Capture) -> None:
    assert main(["run", "counts.sql", "--quiet"]) == 0
    assert capsys.readouterr().out == (
        """\
DESCRIBE numbers: append-only; no unique key is known
column  type    is
x       BIGINT
name    TEXT

"""
    )
    assert list(here.glob("out/*.csv"))


def test_a_script_that_only_asks_runs_nothing(here: Path, capsys: Capture) -> None:
    (here / "ask.sql").write_text("SHOW partitions; EXPLAIN SELECT 1 AS one")
    assert main(["run", "ask.sql"]) == 0
    out, error = capsys.readouterr()
    assert out.startswith(
        "SHOW PARTITIONS\nname        value  meaning\npartitions         instances of every operator\n"
    )
    assert "EXPLAIN LOGICAL query\nProject(1 AS one)\n│   append-only: one" in out
    assert error == ""
    assert main(["graph", "ask.sql"]) == WRONG
    assert "it only asks" in capsys.readouterr().err


def test_check_counts_the_answers(capsys: Capture) -> None:
    assert main(["check", "counts.sql"]) == 0
    assert capsys.readouterr().out == "ok: 1 source, 1 router, 1 operator, 1 sink; 1 answered\n"


def test_explain_tells_the_plans_of_a_script(capsys: Capture) -> None:
    assert main(["explain", "counts.sql"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("out:\n\n    Aggregate(by [name], n, emit changes)\n")
    assert "keeps one entry a key: grows with the keys, for ever" in out


@pytest.mark.parametrize("options", [["--physical"], ["--readers", "2"]])
def test_explain_tells_the_graph_of_a_script(options: list[str], capsys: Capture) -> None:
    assert main(["explain", "counts.sql", *options]) == 0
    out = capsys.readouterr().out
    assert out.startswith("counts: 1 source, 1 router, 1 operator, 1 sink")
    assert "out.aggregate  (3 partitions)" in out
    assert "keeps one entry a key: grows with the keys, for ever" in out


def test_options_go_before_the_settings_of_the_script(capsys: Capture) -> None:
    assert main(["explain", "counts.sql", "--partitions", "2"]) == 0
    assert "out.aggregate  (2 partitions)" in capsys.readouterr().out
