"""The command ``run``: a graph, watched while it runs, and its closing report."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Final, TypeVar

import structlog
from rich.console import Console

from flow import Graph
from flow.bottleneck import bottleneck
from flow.errors import SettingsError, StepError
from flow.growth import growing
from flow.metrics import RunStats
from flow.report import report_json
from operators.command.answers import print_answers
from operators.command.closing import closing_report, failures
from operators.command.display import LiveDisplay
from operators.command.log import set_up
from operators.command.options import settings_of
from operators.command.target import open_target

DONE: Final = 0
"""Exit code: everything that was read has been written."""

FAILED: Final = 1
"""Exit code: the run failed."""

ABORTED: Final = 3
"""Exit code: the run was aborted; not all that was read is written."""

Error = TypeVar("Error", bound=Exception)

_PROGRESS_EVERY = 5.0

_EXIT_CODES = {"finished": DONE, "drained": DONE, "aborted": ABORTED}


def run_command(arguments: argparse.Namespace) -> int:
    """Run the target, after the answers to what it asks."""
    _log_as_asked(arguments)
    opened = open_target(arguments.target)
    print_answers(opened.answers)
    return run(opened.graph, arguments) if opened.graph.nodes else DONE


def run(graph: Graph, arguments: argparse.Namespace) -> int:
    """Run a graph as the arguments say; returns the exit code."""
    settings = settings_of(arguments, graph)
    report = None if arguments.report is None else _writable(Path(arguments.report))
    _log_as_asked(arguments)
    console = Console(file=sys.stderr, highlight=False)
    show, around = _progress(arguments, console)
    last: list[RunStats] = []

    def watch(stats: RunStats) -> None:
        last[:] = [stats]
        if stats.outcome != "running":
            # What is left is to tell how the run ended, with the exit code that it has earned.
            arguments.signals.hold()
        show(stats)

    errors: list[StepError] = []
    others: list[Exception] = []
    with around:
        try:
            try:
                last[:] = [graph.run(settings, watch=watch)]
            except KeyboardInterrupt:
                if not last or last[0].outcome != "aborted":
                    raise
        except* StepError as group:
            errors = list(_flat(group))
        except* Exception as group:
            others = list(_flat(group))
    if others and not last:
        raise others[0]
    if errors and all(isinstance(error.cause, BrokenPipeError) for error in errors):
        raise BrokenPipeError
    stats = last[0] if last else None
    if stats is not None:
        if report is not None:
            _write_report(report, stats)
        _close(stats, arguments, console)
    _tell_failures([*errors, *others], arguments, console)
    return FAILED if errors or others or stats is None else _EXIT_CODES.get(stats.outcome, FAILED)


def _log_as_asked(arguments: argparse.Namespace) -> None:
    set_up(arguments.log or "console", logging.ERROR if arguments.quiet else logging.INFO)


def _live(arguments: argparse.Namespace) -> bool:
    return not arguments.quiet and arguments.log is None and sys.stderr.isatty()


def _progress(
    arguments: argparse.Namespace, console: Console
) -> tuple[Callable[[RunStats], None], AbstractContextManager[object]]:
    """What is called with the stats of a run as it goes on, and the context that it needs."""
    if _live(arguments):
        display = LiveDisplay(console)
        return display, display
    return _LogLines(), nullcontext()


class _LogLines:
    """A log line when a run starts, every few seconds, when state that grows for ever is large, and at the end."""

    def __init__(self) -> None:
        self._next = 0.0
        self._warned = False

    def __call__(self, stats: RunStats) -> None:
        log = structlog.get_logger()
        if self._next == 0.0:
            log.info("run started", graph=stats.graph, topology=stats.topology, nodes=len(stats.nodes))
            self._next = _PROGRESS_EVERY
        figures = {
            "seconds": round(stats.seconds, 3),
            "rows_in": stats.rows_in,
            "rows_out": stats.rows_out,
            "rows_per_second": round(stats.rows_per_second),
        }
        lost = {name: getattr(stats, name) for name in ("late_rows", "dead_letters", "skipped_rows")}
        figures |= {name: count for name, count in lost.items() if count}
        grown = growing(stats)
        if grown is not None and not self._warned:
            self._warned = True
            log.warning("state grows", graph=stats.graph, node=grown.node, sentence=grown.sentence, hint=grown.hint)
        if stats.outcome != "running":
            log.info(f"run {stats.outcome}", graph=stats.graph, **figures)
        elif stats.seconds >= self._next:
            self._next = stats.seconds + _PROGRESS_EVERY
            figures["state_bytes"] = stats.state_bytes
            log.info("progress", graph=stats.graph, cores_used=round(stats.cores_used, 2), **figures)


def _close(stats: RunStats, arguments: argparse.Namespace, console: Console) -> None:
    if arguments.quiet:
        return
    if arguments.log == "json":
        structlog.get_logger().info("report", **report_json(stats))
    elif arguments.log == "console":
        finding = bottleneck(stats)
        structlog.get_logger().info("bottleneck", graph=stats.graph, sentence=finding.sentence, hint=finding.hint)
        console.print(closing_report(stats, console.width))
    else:
        console.print(closing_report(stats, console.width))


def _tell_failures(errors: Sequence[Exception], arguments: argparse.Namespace, console: Console) -> None:
    causes = [error.cause if isinstance(error, StepError) else error for error in errors]
    tracebacks = ["".join(traceback.format_exception(cause)) for cause in causes] if arguments.traceback else []
    if arguments.log == "json":
        for number, (error, cause) in enumerate(zip(errors, causes, strict=True)):
            place: dict[str, Any] = {}
            if isinstance(error, StepError):
                place = {"node": error.node, "instance": error.instance, "offset": error.offset}
                place["origin"] = error.origins.described()
            trace = {"traceback": tracebacks[number]} if tracebacks else {}
            structlog.get_logger().error("failed", **place, error=type(cause).__name__, message=str(cause), **trace)
    elif errors:
        console.print(failures(errors, tracebacks), soft_wrap=True)


def _flat(group: ExceptionGroup[Error]) -> Iterator[Error]:
    for error in group.exceptions:
        if isinstance(error, ExceptionGroup):
            yield from _flat(error)
        else:
            yield error


def _writable(path: Path) -> Path:
    """The path of a report; raises where it could not be written, before anything runs."""
    if path.is_dir() or not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise SettingsError(f"the report {str(path)!r} cannot be written: its folder must be there, and be writable")
    return path


def _write_report(path: Path, stats: RunStats) -> None:
    """Write aside, then rename: whoever looks sees the whole report or none."""
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", suffix=".part", delete=False
    ) as file:
        json.dump(report_json(stats), file, indent=2, allow_nan=False)
        file.write("\n")
    try:
        # A temporary file is its owner's alone; a report has the permissions of any file.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(file.name, 0o666 & ~umask)
        os.replace(file.name, path)
    except OSError:
        os.unlink(file.name)
        raise
