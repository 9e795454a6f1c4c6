"""`penstock run` on what is wrong: a message, an exit code, no traceback, and nothing left behind."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from operators.command.main import main
from tests.bad_input import names_in, penstock


@pytest.fixture(autouse=True)
def _as_a_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command in this process, in a folder of its own: what it imports is forgotten."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.delitem(sys.modules, "job", raising=False)


HEAD = """\
import os, sys
from pathlib import Path
import pyarrow as pa
from flow import *
from operators import *

graph = Graph("g")
rows = Table({"a": list(range(100))}, batch_rows=10)


def rows_and_error():
    yield {"a": 1}
    raise RuntimeError("gone")


def each(function):
    return lambda batch: function() if batch.num_rows else batch


"""

ALL = " of split 'batches 0-9' of 'in')\n    "

PYTHON = {
    "raises": ('graph.source("in", rows).map(lambda r: 1 / (r["a"] - 50), name="bad").sink("o", Parquet("out"))', 1,
               "bad (partition 0, offsets 0 to 10" + ALL + "RowError: ZeroDivisionError: division by zero; row: {"),
    "leaves": ('graph.source("in", rows).map_batches(each(sys.exit), name="bad").sink("o", Parquet("out"))', 1,
               "failed: bad (partition 0, offsets 0 to 10" + ALL + "SystemExit: no message"),
    "iterator": ('graph.source("in", Rows(rows_and_error, schema={"a": "int64"})).sink("o", Parquet("out"))', 1,
                 "failed: in (split all, offset 1)\n    RuntimeError: gone"),
    "no sink": ('graph.source("in", rows)', 2, "penstock: nothing is written: the graph has no sink"),
    "vanished": ('Path("x.csv").write_text("a\\n1\\n")\ngraph.source("in", Csv("x.csv")).sink("o", Null())\n'
                 'os.unlink("x.csv")', 2, "penstock: 'in': no file 'x.csv'"),
    "syntax": ("def (:", 2, "penstock: job.py:"),
    "raises early": ('raise ValueError("early")', 2, "penstock: job.py: ValueError: early"),
    "once": ('graph.source("in", Rows(iter([{"a": 1}]))).sink("o", Parquet("out"))', 2,
             "penstock: job.py:20: a list_iterator can be gone through only once"),
    "policy": ('graph.source("in", rows, on_error="ignore").sink("o", Parquet("out"))', 2,
               "penstock: job.py:20: 'in': no error policy 'ignore'; known here: ['dead_letter', 'fail', 'skip']"),
    "no writers": ('graph.source("in", rows).sink("o", Parquet("out"), writers=0)', 2,
                   "penstock: job.py:20: 'o': writers must be at least 1, not 0"),
    "commits": ('class W(Writer):\n    def write(self, batch): pass\n'
                '    def commit(self, epoch): raise OSError("disk gone")\n'
                'class S(Sink):\n    def open(self, context): return W()\n'
                'graph.source("in", rows).sink("o", S())', 1,
                "failed: o (writer 0, at or before offset 10" + ALL + "OSError: disk gone"),
    "last row": ('graph.source("in", Table({"a": range(1_000_001)})).map(\n'
                 '    lambda r: r if r["a"] < 1_000_000 else 1 / 0, name="bad").sink("o", Parquet("out"))', 1,
                 'RowError: ZeroDivisionError: division by zero; row: {"a": 1000000}'),
    "dead letters": ('graph.source("in", rows, on_error="dead_letter").sink("o", Parquet("out"))', 2,
                     "penstock: 'in' has on_error='dead_letter', but nothing reads its dead letters"),
    "key": ('graph.source("in", rows).key_by()', 2, "a hash router needs at least one key column"),
}  # fmt: skip


@pytest.mark.parametrize("case", PYTHON)
def test_bad_python_targets(case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, exit_code, said = PYTHON[case]
    (tmp_path / "job.py").write_text(HEAD + code + "\n")
    assert main(["run", "job.py", "--quiet", "--partitions", "2"]) == exit_code
    told = capsys.readouterr().err
    assert said in told
    assert "Traceback" not in told
    assert names_in(tmp_path) == ["job.py"]


def test_a_bad_target_in_a_process_of_its_own(tmp_path: Path) -> None:
    code, exit_code, said = PYTHON["leaves"]
    (tmp_path / "job.py").write_text(HEAD + code + "\n")
    made = penstock("run", "job.py", "--quiet", cwd=tmp_path)
    assert (made.returncode, made.stderr) == (exit_code, said + "\n")


SQL = {
    "missing": ("(a BIGINT)", "missing.csv", "csv", 2, "penstock: line 1, column 14: 't': no file 'missing.csv'"),
    "noise": ("(a BIGINT)", "noise.csv", "csv", 2, "'noise.csv': the first row cannot be read"),
    "format": ("(a BIGINT)", "good.csv", "parquet", 2, "'good.csv' cannot be read: Parquet magic bytes not found"),
    "column": ("(z BIGINT)", "good.csv", "csv", 2, "'good.csv' has no column 'z'; known here: ['a', 'b']"),
    "ragged": ("(a BIGINT, b VARCHAR)", "ragged.csv", "csv", 1, "t (reader 0, offset 8 of split 'ragged.csv@0')"),
    "quote": ("(a BIGINT, b VARCHAR)", "quote.csv", "csv", 1, "'quote.csv': a quote is never closed"),
    "json": ("(a BIGINT)", "bad.json", "json", 1, "failed: t (reader 0, offset 8 of split 'bad.json@0')"),
    "overflow": ("(a SMALLINT)", "large.csv", "csv", 1, "column 'a': '70000' is no int16"),
    "watermark": ("(a BIGINT, WATERMARK FOR a AS a - INTERVAL '2' SECOND)", "good.csv", "csv", 2,
                  "event time column 'a' has type BIGINT; it must be a timestamp"),
    "negative": ("(a TIMESTAMP, WATERMARK FOR a AS a - INTERVAL '-2' SECOND)", "good.csv", "csv", 2,
                 "'-2 second' is no fixed length of time"),
    "array": ("(a BIGINT)", "array.json", "json", 1, "'array.json': array where object is expected; row: [1]"),
    "string": ("(a BIGINT)", "string.json", "json", 1,
               "'string.json': column 'a': string where number is expected; row: {\"a\":\"x\"}"),
    "empty": ("", "empty.csv", "csv", 2,
              "nothing in ['empty.csv'] tells the columns yet: declare their names and types"),
    "twice": ("(a BIGINT, a BIGINT)", "good.csv", "csv", 2, "the column 'a' is declared twice"),
}  # fmt: skip


@pytest.mark.parametrize("case", SQL)
def test_bad_sql_targets(case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    columns, path, form, exit_code, said = SQL[case]
    inputs = {
        "good.csv": b"a,b\n1,x\n", "ragged.csv": b"a,b\n1,x\n2\n", "quote.csv": b'a,b\n1,"x\n2,y\n',
        "noise.csv": b"\xff\x00\xfe" * 99, "bad.json": b'{"a":1}\n{"a":\n', "large.csv": b"a\n70000\n",
        "array.json": b'{"a":1}\n[1]\n', "string.json": b'{"a":1}\n{"a":"x"}\n', "empty.csv": b"",
    }  # fmt: skip
    for name, content in inputs.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "job.sql").write_text(
        f"CREATE TABLE t {columns} WITH (connector = 'files', path = '{path}', format = '{form}');\n"
        "CREATE TABLE o WITH (connector = 'files', path = 'out/', format = 'csv');\n"
        "INSERT INTO o SELECT * FROM t;\n"
    )
    assert main(["run", "job.sql", "--quiet", "--partitions", "2"]) == exit_code
    told = capsys.readouterr().err
    assert said in told
    assert "Traceback" not in told
    assert names_in(tmp_path) == sorted([*inputs, "job.sql"])
