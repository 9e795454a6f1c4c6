"""What the tests of bad input share: run a graph under a watchdog, and see that nothing is left behind."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pyarrow as pa
import pytest

import flow
from flow import Graph, RunStats, Source, StepError, Stream
from operators import Collect

WATCHDOG = 60.0
"""Seconds after which a run counts as hung; none comes near them."""

PLACES = pytest.mark.parametrize("partitions", [1, 3])


@attrs.frozen
class Outcome:
    """What became of a run's rows."""

    stats: RunStats
    rows: list[dict[str, Any]]
    letters: list[dict[str, Any]]


def run(graph: Graph, partitions: int = 1, **changes: Any) -> RunStats:
    """Run a graph on a thread of its own, and see that it ends and leaves no thread behind."""
    before = set(threading.enumerate())
    handle = flow.start(graph, partitions=partitions, readers=partitions, **changes)
    try:
        return handle.wait(WATCHDOG)
    except TimeoutError:
        handle.abort()
        raise
    finally:
        assert [thread for thread in threading.enumerate() if thread not in before and not thread.daemon] == []


def read(
    source: Source,
    on_error: Any = "fail",
    partitions: int = 1,
    *,
    key: str | None = None,
    then: Callable[[Stream], Stream] = lambda stream: stream,
    **options: Any,
) -> Outcome:
    """Read a source named 'in' through an exchange by `key`."""
    graph, out, dead = Graph("g"), Collect(), Collect()
    stream = graph.source("in", source, on_error=on_error, **options)
    if on_error == "dead_letter":
        stream.dead_letters.sink("dead", dead)
    if key is not None:
        stream = stream.key_by(key).map_batches(lambda batch: batch, name="each")
    then(stream).sink("out", out)
    stats = run(graph, partitions)
    return Outcome(stats, out.rows, dead.rows if on_error == "dead_letter" else [])


def failure(function: Callable[[], Any]) -> StepError:
    """The first of the errors with which a run fails; all of them are StepErrors."""
    with pytest.raises(ExceptionGroup) as raised:
        function()
    for error in raised.value.exceptions:
        assert isinstance(error, StepError)
    first = raised.value.exceptions[0]
    assert isinstance(first, StepError)
    return first


def names_in(directory: Path) -> list[str]:
    """Everything in a directory and below, hidden files as well."""
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file())


def python(code: str, *, limit: str = "") -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own, after what `limit` does to that process."""
    prelude = "import flow, operators\nfrom flow import *\nfrom operators import *\nimport os, resource, signal\n"
    return subprocess.run(
        [sys.executable, "-c", prelude + limit + "\n" + textwrap.dedent(code)],
        capture_output=True, text=True, timeout=WATCHDOG, check=False, cwd=Path(__file__).parent.parent,
    )  # fmt: skip


def penstock(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    return subprocess.run(
        [sys.executable, "-m", "penstock", *arguments],
        capture_output=True, text=True, timeout=WATCHDOG, check=False, cwd=cwd, stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
    )  # fmt: skip


def numbers(rows: int = 1_000) -> pa.Table:
    """Numbers, and a text that repeats every seven."""
    return pa.table({"a": range(rows), "s": [f"x{number % 7}" for number in range(rows)]})
