"""Interrupts the flights job at random moments, from the start of Python to its end, and checks what it leaves.

python -m tests.bench.interrupts [--times 50] [--signals 1|2] [--signal INT|TERM] [--seed N] [--job NAME]

Without `--signals`, each job is drained so many times, and then aborted as often.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import attrs
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tests.bench.measure import machine

ROOT = Path(__file__).parents[2]
GRACE = 10.0

Phase = Literal["start-up", "running", "writing", "committed", "ended"]

MONTHS = 40
"""How many times the month of flights is read by `months.sql`: in one, a second signal hardly ever meets a run."""

LONG = """\
from flow import Graph
from operators import Parquet, Tumble, agg
from operators.command.demo import Replay, demo_file

graph = Graph("long")
flights = graph.source("flights", Replay(demo_file(), 120), event_time="time_hour", delay="18 hours")
hourly = flights.key_by("origin").aggregate(window=Tumble("time_hour", "1 hour"), flights=agg.count())
hourly.sink("hourly", Parquet("out/hourly"), writers=2)
"""


@attrs.frozen
class Job:
    """A program to interrupt.

    Attributes:
        arguments: what to run, in a folder that has the examples, `long.py` and `months.sql`.
        command: whether it is the command, whose exit codes are documented, as opposed to a user's program.
        terminal: whether its standard error is a terminal.
    """

    arguments: tuple[str, ...]
    command: bool = True
    terminal: bool = False


def _run(target: str, *options: str, terminal: bool = False) -> Job:
    how = () if terminal else ("--quiet",)
    return Job(
        (sys.executable, "-m", "penstock", "run", target, *how, "--report", "report.json", *options), terminal=terminal
    )


JOBS = {
    "script": Job((sys.executable, "examples/flights.py"), command=False),
    "python": _run("examples/flights.py"),
    "sql": _run("examples/flights.sql"),
    "months": _run("months.sql"),
    "live": _run("examples/flights_live.py"),
    "long": _run("long.py"),
    "epochs": _run("long.py", "--commit-every", "20ms"),
    "display": _run("long.py", terminal=True),
}


@attrs.define
class Trial:
    """One interrupted run.

    Attributes:
        phase: what it was doing when the signal came, as told by its files.
        seconds: from the first signal to the exit.
        wrong: everything that is not as it must be.
    """

    phase: Phase
    code: int
    seconds: float
    outcome: str | None
    wrong: list[str]


def interrupt(
    job: Job,
    delay: float,
    second: float | None = None,
    number: int = signal.SIGINT,
    *,
    running: bool = False,
    within: float = GRACE,
) -> Trial:
    """Start a job, send it a signal after `delay` seconds, and another `second` seconds later; check what is left.

    With `running`, the delay counts from when the run has begun. It must take no more than
    `within` seconds to end.
    """
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        _furnish(here)
        before = set(here.rglob("*"))
        with _started(job, here) as (process, told):
            while running and process.poll() is None and _phase(here) == "start-up":
                time.sleep(0.002)
            time.sleep(delay)
            ended = process.poll() is not None
            phase: Phase = "ended" if ended else _phase(here)
            began = time.perf_counter()
            process.send_signal(number)
            if second is not None:
                time.sleep(second)
                process.send_signal(number)
            try:
                process.wait(within + 20)
            except subprocess.TimeoutExpired:
                process.kill()
                return Trial(phase, process.wait(), time.perf_counter() - began, None, ["did not exit"])
            seconds = time.perf_counter() - began
        trial = Trial(phase, process.returncode, seconds, None, [f"took {seconds:.1f} s"] if seconds > within else [])
        _check(trial, job, here, before, "".join(told), process.pid, number, twice=second is not None)
        return trial


def _furnish(here: Path) -> None:
    """Put what the jobs need into their folder."""
    for name in ("tmp", "examples", "months"):
        (here / name).mkdir()
    for file in (ROOT / "examples").iterdir():
        (here / "examples" / file.name).symlink_to(file)
    month = "examples/data/flights_2013_01.csv.gz"
    for number in range(MONTHS):
        (here / "months" / f"{number}.csv.gz").symlink_to(ROOT / month)
    (here / "long.py").write_text(LONG)
    text = (ROOT / "examples/flights.sql").read_text()
    assert month in text
    (here / "months.sql").write_text(text.replace(month, "months/*.csv.gz"))


@contextmanager
def _started(job: Job, here: Path) -> Iterator[tuple[subprocess.Popen[bytes], list[str]]]:
    """The job as a process of its own session, and what it says on standard error."""
    # What is imported from the repository must not leave compiled files: they are not the job's.
    env = {**os.environ, "TMPDIR": str(here / "tmp"), "PYTHONDONTWRITEBYTECODE": "1", "TERM": "xterm"}
    reading, writing = os.openpty() if job.terminal else os.pipe()
    process = subprocess.Popen(
        job.arguments, cwd=here, env=env, stdout=subprocess.DEVNULL, stderr=writing, start_new_session=True
    )
    os.close(writing)
    told: list[str] = []

    def listen() -> None:
        try:
            while text := os.read(reading, 65536):
                told.append(text.decode(errors="replace"))
        except OSError:
            pass  # how a terminal ends

    listener = threading.Thread(target=listen)
    listener.start()
    try:
        yield process, told
    finally:
        listener.join()
        os.close(reading)


def _phase(here: Path) -> Phase:
    names = [path.name for path in (here / "out").rglob("*.parquet*")]
    if any(not name.startswith(".") for name in names):
        return "committed"
    if names:
        return "writing"
    return "running" if (here / "out").exists() else "start-up"


def _check(
    trial: Trial, job: Job, here: Path, before: set[Path], told: str, pid: int, number: int, *, twice: bool
) -> None:
    wrong = trial.wrong
    codes = {0, 130, 3} if twice else {0, 130}
    if trial.phase == "start-up" or not job.command:
        # Python itself ends so before it has loaded a line of ours, and a program that does not handle signals, too.
        codes |= {-number, -signal.SIGINT}
    if trial.code not in codes:
        wrong.append(f"exit code {trial.code}: {told[-500:]}")
    if job.command and any(word in told for word in ("Traceback", "Exception ignored")) and _ours(told):
        wrong.append(f"said {told[-1500:]}")
    if job.terminal and told.rfind("\x1b[?25l") > told.rfind("\x1b[?25h"):
        wrong.append("the cursor is hidden")
    if left := _session(pid):
        wrong.append(f"processes {left} are left")
    parts: list[Path] = []
    for path in set(here.rglob("*")) - before:
        if path.is_dir() or path == here / "report.json":
            continue
        if path.suffix == ".parquet" and not path.name.startswith("."):
            parts.append(path)
        else:
            wrong.append(f"{path.relative_to(here)} is left")
    counted = late = 0
    for part in parts:
        table = pq.read_table(part, partitioning=None)
        table.validate(full=True)
        if "flights" in table.column_names:
            counted += pc.sum(table["flights"]).as_py() or 0
        else:
            late += table.num_rows
    _check_report(trial, job, here, parts, counted + late)


def _check_report(trial: Trial, job: Job, here: Path, parts: list[Path], counted: int) -> None:
    report = here / "report.json"
    if not report.exists():
        if job.command and trial.code in (0, 3):
            trial.wrong.append("no report")
        if trial.code and parts and job.command:
            trial.wrong.append(f"{len(parts)} parts of a run that did not begin")
        return
    told: dict[str, Any] = json.loads(report.read_text())
    trial.outcome = told["outcome"]
    # Late rows of a graph that does not write them are counted in the report alone.
    written_late = any("late" in node["name"] for node in told["nodes"])
    rows = told["rows_in"] - (0 if written_late else told["late_rows"])
    if {"finished": 0, "drained": 0, "aborted": 3}.get(told["outcome"]) != trial.code:
        trial.wrong.append(f"exit code {trial.code} of a run that {told['outcome']}")
    if trial.code == 0 and counted != rows:
        trial.wrong.append(f"{counted} rows in the output, {rows} read")
    if trial.code == 3 and parts and "--commit-every" not in job.arguments:
        trial.wrong.append(f"{len(parts)} parts of a run that was aborted")
    if trial.code == 3 and counted > rows:
        trial.wrong.append(f"{counted} rows in the output, only {rows} read")


def _ours(told: str) -> bool:
    return any(str(ROOT / package) in told for package in ("flow", "operators"))


def _session(pid: int) -> list[str]:
    """What still runs in the session of a process."""
    left = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # ended in the meantime
        if int(fields[3]) == pid and fields[0] != "Z":
            left.append(stat.parent.name)
    return left


def undisturbed(job: Job) -> tuple[float, float]:
    """Seconds that a job takes until its run begins, and from then on, when nobody interrupts it."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        _furnish(here)
        began = time.perf_counter()
        with _started(job, here) as (process, told):
            while process.poll() is None and _phase(here) == "start-up":
                time.sleep(0.002)
            running = time.perf_counter()
            process.wait()
        if process.returncode:
            raise RuntimeError("".join(told))
        return running - began, time.perf_counter() - running


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--times", type=int, default=50, help="moments for each job (default: 50)")
    parser.add_argument(
        "--signals", type=int, choices=(1, 2), help="2: the second 0 to 100 ms later (default: one, then two)"
    )
    parser.add_argument("--signal", choices=("INT", "TERM"), default="INT")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--job", choices=list(JOBS), action="append", help="which job (default: sql, months and long)")
    args = parser.parse_args()
    number = signal.Signals[f"SIG{args.signal}"]
    print(f"{args.times} moments, {number.name}, seed {args.seed}; {machine()}")
    failed = False
    for name in args.job or ("sql", "months", "long"):
        normal = undisturbed(JOBS[name])
        for signals in (args.signals,) if args.signals else (1, 2):
            trials = _trials(name, normal, args.times, random.Random(args.seed), number, twice=signals == 2)
            failed = failed or any(trial.wrong for trial in trials)
            _print(f"{name}, {signals} x {number.name}", sum(normal), trials)
    sys.exit(failed)


def _trials(
    name: str, normal: tuple[float, float], times: int, randomly: random.Random, number: int, *, twice: bool
) -> list[Trial]:
    """Interrupt a job at so many moments."""
    starting, going_on = normal
    trials = []
    for time_ in range(times):
        # A third at any moment; the others while it runs, which takes less long than to start.
        running = time_ % 3 > 0
        delay = randomly.uniform(0, 1.05 * (going_on if running else starting + going_on))
        # Mostly soon: a drain does not take long, and what ends before the second signal is no abort.
        second = 0.1 * randomly.random() ** 3 if twice else None
        trial = interrupt(JOBS[name], delay, second, number, running=running)
        trials.append(trial)
        for wrong in trial.wrong:
            print(f"WRONG: {name} after {delay:.3f} s, {second}, {trial.phase}, {trial.code}: {wrong}")
    return trials


def _print(name: str, normal: float, trials: list[Trial]) -> None:
    took = [trial.seconds for trial in trials if trial.phase != "ended"] or [0.0]
    print(
        f"{name}: {normal:.2f} s when not interrupted; exit after {statistics.median(took) * 1000:.0f} ms (median), "
        f"{max(took) * 1000:.0f} ms (most); {sum(bool(trial.wrong) for trial in trials)} of {len(trials)} wrong"
    )
    for phase in ("start-up", "running", "writing", "committed", "ended"):
        those = [trial for trial in trials if trial.phase == phase]
        if those:
            codes = Counter(f"{trial.code}" + (f" {trial.outcome}" if trial.outcome else "") for trial in those)
            told = ", ".join(f"{count} x exit {code}" for code, count in sorted(codes.items()))
            print(f"    {phase:10} {len(those):3}  most {max(t.seconds for t in those) * 1000:5.0f} ms  {told}")


if __name__ == "__main__":
    main()
