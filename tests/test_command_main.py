import importlib.abc
import io
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import structlog

import penstock
from flow.version import __version__
from operators.command.main import main

FLOW = """
import os, signal
import attrs, pyarrow as pa
from flow import *
from operators import Collect, Null, Table, Terminal

@attrs.frozen
class Endless(Source):
    signals: int = 0
    def schema(self): return pa.schema([("x", pa.int64())])
    def splits(self): return [Split("all")]
    def open(self, split, offset=None): return Reading(self)

class Reading(Reader):
    def __init__(self, source):
        self.source, self.reads = source, 0
    def read(self):
        self.reads += 1
        if self.reads == 3 and self.source.signals:
            os.kill(os.getpid(), signal.SIGINT)
        return pa.record_batch({"x": [self.reads] * 100})

@attrs.frozen
class Broken(Operator):
    def output(self, inputs): return inputs["in"]
    def open(self, context): return Breaks()

class Breaks(Partition):
    def on_batch(self, batch):
        raise ValueError("no such number")
        yield batch

collected = Collect()

def numbers(sink=collected):
    graph = Graph("numbers")
    graph.source("numbers", Table(pa.table({"x": list(range(1000))}))).sink("out", sink)
    return graph

def terminal(): return numbers(Terminal())

def endless():
    graph = Graph("endless")
    graph.source("numbers", Endless(1)).sink("out", collected)
    return graph

def broken():
    graph = Graph("broken")
    graph.source("numbers", Table(pa.table({"x": [1, 2]}))).apply(Broken(), name="breaks").sink("out", Null())
    return graph

class Moody(Endless):
    def splits(self): raise KeyError("which split?")

def moody():
    graph = Graph("moody")
    graph.source("numbers", Moody()).sink("out", Null())
    return graph

def loose():
    graph = Graph("loose")
    graph.source("numbers", Table(pa.table({"x": [1]})))
    return graph

graph = numbers()
"""

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A current folder with a file of graphs; what loading it and logging leave behind is taken back."""
    (tmp_path / "flows.py").write_text(FLOW)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path
    structlog.reset_defaults()
    for name, module in list(sys.modules.items()):
        if str(tmp_path) in str(getattr(module, "__file__", "")):
            del sys.modules[name]


def test_check_says_what_there_is(capsys: Capture) -> None:
    assert main(["check", "flows.py"]) == 0
    assert capsys.readouterr() == ("ok: 1 source, 1 sink\n", "")


@pytest.mark.parametrize(
    ("target", "error"),
    [
        ("flows.py:loose", "penstock: nothing is written: the graph has no sink; known here: ['numbers']\n"),
        ("fows.py", "penstock: no file 'fows.py'; known here: ['flows.py']; did you mean 'flows.py'?\n"),
    ],
)
@pytest.mark.parametrize("command", ["check", "explain", "run"])
def test_what_cannot_run_is_refused_in_one_line(command: str, target: str, error: str, capsys: Capture) -> None:
    assert main([command, target]) == 2
    assert capsys.readouterr() == ("", error)


def test_an_error_in_the_file_shows_the_users_line(here: Path, capsys: Capture) -> None:
    (here / "wrong.py").write_text("x = 1\ny = x / 0\n")
    assert main(["check", "wrong.py"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("penstock: wrong.py: ZeroDivisionError: division by zero\n")
    assert 'wrong.py", line 2, in <module>' in error
    assert "operators" not in error


@pytest.mark.parametrize("command", ["check", "run"])
def test_an_error_of_the_users_source_shows_the_users_line(command: str, capsys: Capture) -> None:
    assert main([command, "flows.py:moody"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("penstock: KeyError: 'which split?'\n")
    assert "in splits" in error
    assert "layout.py" not in error


@pytest.mark.parametrize(("form", "begin"), [("mermaid", "flowchart LR\n"), ("dot", 'digraph "numbers" {\n')])
def test_graph_draws(form: str, begin: str, capsys: Capture) -> None:
    assert main(["graph", "flows.py", "--format", form]) == 0
    plain = capsys.readouterr().out
    assert main(["graph", "flows.py", "--format", form, "--topology", "serial"]) == 0
    serial = capsys.readouterr().out
    assert plain.startswith(begin)
    assert serial.startswith(begin)
    assert "one task" in serial
    assert "one task" not in plain


def test_graph_as_json(capsys: Capture) -> None:
    assert main(["graph", "flows.py", "--format", "json", "--topology", "prefetched", "--prefetch", "7"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert [node["text"] for node in value["nodes"] if node["kind"] == "buffer"] == [["7 reads ahead"]]


def test_explain_describes_the_run(capsys: Capture) -> None:
    assert main(["explain", "flows.py", "--threads", "5"]) == 0
    assert "5 worker threads for kernels" in capsys.readouterr().out


def test_run_reports_on_standard_error(capsys: Capture) -> None:
    assert main(["run", "flows.py"]) == 0
    out, error = capsys.readouterr()
    assert out == ""
    assert "run finished" in error
    assert "numbers finished after" in error
    assert "1,000 rows in, 1,000 rows out" in error


def test_run_quietly_leaves_the_results_alone(capsys: Capture) -> None:
    assert main(["run", "flows.py:terminal", "--quiet"]) == 0
    out, error = capsys.readouterr()
    assert out.startswith(" x\n 0\n 1\n")
    assert error == ""


def test_run_writes_the_report(here: Path) -> None:
    (here / "report.json").write_text("of yesterday")
    assert main(["run", "flows.py", "--quiet", "--report", "report.json", "--topology", "serial"]) == 0
    report = json.loads((here / "report.json").read_text())
    assert (report["version"], report["outcome"], report["topology"]) == (1, "finished", "serial")
    assert (report["rows_in"], report["rows_out"]) == (1000, 1000)
    assert report["bottleneck"]["sentence"]
    assert sorted(path.name for path in here.iterdir() if path.name != "__pycache__") == ["flows.py", "report.json"]


def test_a_report_that_cannot_be_written_is_refused_before_the_run(capsys: Capture) -> None:
    assert main(["run", "flows.py", "--report", "nowhere/report.json"]) == 2
    assert "the report 'nowhere/report.json' cannot be written" in capsys.readouterr().err


def test_a_run_that_fails_says_where_without_a_traceback(here: Path, capsys: Capture) -> None:
    assert main(["run", "flows.py:broken", "--quiet", "--report", "report.json"]) == 1
    place = "partition 0, offsets 0 to 1 of split 'batches 0-0' of 'numbers'"
    assert capsys.readouterr() == ("", f"failed: breaks ({place})\n    ValueError: no such number\n")
    assert json.loads((here / "report.json").read_text())["outcome"] == "failed"


def test_a_traceback_is_shown_on_demand(capsys: Capture) -> None:
    assert main(["run", "flows.py:broken", "--quiet", "--traceback"]) == 1
    error = capsys.readouterr().err
    assert "in on_batch" in error
    assert "ExceptionGroup" not in error


def test_the_log_as_json_is_json_to_the_last_line(capsys: Capture) -> None:
    assert main(["run", "flows.py:broken", "--log", "json"]) == 1
    events = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert {event["event"] for event in events} >= {"run started", "run failed", "report", "failed"}
    failed = events[-1]
    assert (failed["node"], failed["instance"]) == ("breaks", "partition 0")
    assert (failed["error"], failed["message"]) == ("ValueError", "no such number")


def test_the_log_for_people_ends_with_the_report(capsys: Capture) -> None:
    assert main(["run", "flows.py", "--log", "console"]) == 0
    error = capsys.readouterr().err
    assert "bottleneck" in error
    assert "flows finished" not in error
    assert "numbers finished after" in error


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_there_is_a_display_and_no_log(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    assert main(["run", "flows.py"]) == 0
    shown = terminal.getvalue()
    assert "run started" not in shown
    assert "Ctrl-C: stop reading and finish" in shown
    assert shown.index("Ctrl-C") < shown.rindex("\x1b[?25h") < shown.rindex("cores used")


def test_the_first_signal_drains(capsys: Capture) -> None:
    assert main(["run", "flows.py:endless"]) == 0
    error = capsys.readouterr().err
    assert "endless drained" in error
    (counts,) = re.findall(r"([\d,]+) rows in, ([\d,]+) rows out", error)
    assert counts[0] == counts[1] != "0"


def test_a_drain_past_its_grace_aborts(capsys: Capture) -> None:
    assert main(["run", "flows.py:endless", "--grace", "0"]) == 3
    assert "endless was aborted" in capsys.readouterr().err


def test_an_interrupt_while_loading_is_quiet(here: Path, capsys: Capture) -> None:
    (here / "slow.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nos.times()\n")
    assert main(["run", "slow.py"]) == 130
    assert capsys.readouterr() == ("", "")


class Interrupting(importlib.abc.MetaPathFinder):
    def find_spec(self, fullname, path, target=None):
        if fullname == "operators.command.main":
            raise KeyboardInterrupt


def test_an_interrupt_while_penstock_itself_is_loaded_is_quiet(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.delitem(sys.modules, "operators.command.main")
    monkeypatch.setattr(sys, "meta_path", [Interrupting(), *sys.meta_path])
    assert penstock.main() == 130
    assert capsys.readouterr() == ("", "")


def test_the_program_is_the_command(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr(sys, "argv", ["penstock", "check", "flows.py"])
    assert penstock.main() == 0
    assert capsys.readouterr().out == "ok: 1 source, 1 sink\n"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["walk", "flows.py"], "invalid choice: 'walk'"),
        (["run"], "the following arguments are required: TARGET"),
        (["run", "flows.py", "--partitions", "0"], "'0' is no whole number from 1 up"),
        (["run", "flows.py", "--prefetch", "-1"], "'-1' is no whole number from 0 up"),
        (["run", "flows.py", "--grace", "soon"], "'soon' is no duration"),
        (["run", "flows.py", "--topology", "round"], "invalid choice: 'round'"),
    ],
)
def test_wrong_usage_says_what_is_wrong(arguments: list[str], error: str, capsys: Capture) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert error in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], *([command, "--help"] for command in ("run", "graph", "demo"))])
def test_help_has_examples_and_exit_codes(arguments: list[str], capsys: Capture) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    out = capsys.readouterr().out
    assert caught.value.code == 0
    assert "exit codes:" in out
    assert re.search(r"examples?:\n  penstock ", out)


def test_the_version(capsys: Capture) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"penstock {__version__}\n"


@contextmanager
def process_of(here: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """The command in a process of its own, which has ended when the block is left."""
    command = [sys.executable, "-m", "penstock", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=here) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("arguments", [["graph", "flows.py"], ["run", "flows.py:terminal", "--quiet"]], ids=" ".join)
def test_a_reader_of_standard_output_may_go_away(here: Path, arguments: list[str]) -> None:
    with process_of(here, *arguments) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 141


def test_a_signal_from_outside_drains(here: Path) -> None:
    (here / "flows.py").write_text(FLOW.replace("os.kill(os.getpid(), signal.SIGINT)", "print('reading', flush=True)"))
    with process_of(here, "run", "flows.py:endless", "--report", "report.json") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"reading\n"
        process.send_signal(signal.SIGTERM)
        _, error = process.communicate()
    assert process.returncode == 0, error.decode()
    report = json.loads((here / "report.json").read_text())
    assert report["outcome"] == "drained"
    assert report["rows_in"] == report["rows_out"] > 0
    assert not any(path.name.startswith(".report") for path in here.iterdir())
