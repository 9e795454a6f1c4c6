"""Options that several commands have, and the settings that they make."""

from __future__ import annotations

import argparse

import attrs

from flow import Graph
from flow.durations import microseconds
from flow.errors import SettingsError
from flow.settings import TOPOLOGIES, Settings


def settings_of(arguments: argparse.Namespace, graph: Graph) -> Settings:
    """The settings that the arguments ask for; what they leave out stays as the graph has it."""
    given = {
        name: getattr(arguments, name)
        for name in ("partitions", "readers", "prefetch", "threads", "topology", "grace", "commit_every", "interleaved")
        if getattr(arguments, name, None) is not None
    }
    return attrs.evolve(graph.settings, **given)


def add_layout(to: argparse.ArgumentParser, topology: str = "how the run is laid out") -> None:
    """Add the options that say in how many instances a graph runs."""
    group = to.add_argument_group("layout")
    group.add_argument(
        "--partitions", type=_count, metavar="N", help="instances of every operator (default: one a core)"
    )
    group.add_argument("--readers", type=_count, metavar="N", help="splits read at the same time (default: one a core)")
    group.add_argument(
        "--prefetch",
        type=_count0,
        metavar="N",
        help="reads that a reader is ahead (default: 2, or none where that cannot help)",
    )
    group.add_argument(
        "--threads", type=_count, metavar="N", help="kernels at work at the same time (default: one a core)"
    )
    names = "; ".join(f"{name}: {text}" for name, text in TOPOLOGIES.items())
    group.add_argument(
        "--topology",
        choices=list(TOPOLOGIES),
        metavar="|".join(TOPOLOGIES),
        help=f"{topology} ({names}; default: prefetched)",
    )
    group.add_argument(
        "--interleaved",
        action="store_true",
        default=None,
        help="read all sources side by side (default: what ends is read before what it is joined with)",
    )


def add_reporting(to: argparse.ArgumentParser) -> None:
    """Add the options that say how a run ends and what it tells."""
    group = to.add_argument_group("ending and reporting")
    group.add_argument("--grace", type=_seconds, metavar="TIME", help="how long a drain may take (default: 10s)")
    group.add_argument(
        "--commit-every",
        type=_seconds,
        metavar="TIME",
        help="how often what was written becomes visible (default: at the end)",
    )
    group.add_argument("--report", metavar="FILE.json", help="write the closing report there, as JSON")
    group.add_argument("--log", choices=("json", "console"), help="log lines in this form instead of the live display")
    group.add_argument("--quiet", action="store_true", help="say nothing but errors")
    group.add_argument("--traceback", action="store_true", help="show where in the code an error of the run was raised")


def _count(text: str) -> int:
    return _whole(text, 1)


def _count0(text: str) -> int:
    return _whole(text, 0)


def _whole(text: str, least: int) -> int:
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} up")
    return int(text)


def _seconds(text: str) -> float:
    try:
        return microseconds(float(text) if text.replace(".", "", 1).isdecimal() else text) / 1_000_000
    except SettingsError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
