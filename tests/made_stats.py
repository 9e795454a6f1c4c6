"""Stats as a run would give them, made up: for the tests of what is said and drawn about runs."""

from typing import Any

from flow.metrics import NodeKind, NodeStats, RunStats
from flow.schema import BEFORE_ALL


def node(
    name: str,
    kind: NodeKind = "operator",
    *,
    busy: float = 0.0,
    queued: float = 0.0,
    starved: float = 0.0,
    blocked: float = 0.0,
    instances: int = 1,
    seconds: float = 10.0,
    inputs: tuple[str, ...] = (),
    **others: Any,
) -> NodeStats:
    """A node whose shares of its instances' life are given, in a run of `seconds`."""
    alive = instances * seconds
    counts = dict.fromkeys(
        ("rows_in", "rows_out", "batches_in", "batches_out", "bytes_in", "bytes_out"), 0
    ) | dict.fromkeys(("late_rows", "skipped_rows", "dead_letters"), 0)
    return NodeStats(
        **{
            "name": name,
            "kind": kind,
            "chain": name,
            "instances": instances,
            **counts,
            "busy": busy * alive,
            "queued": queued * alive,
            "starved": starved * alive,
            "blocked": blocked * alive,
            "alive": alive,
            "watermark": BEFORE_ALL,
            "queue_fill": 0.0,
            "inputs": inputs,
            **others,
        }
    )


def run_of(*nodes: NodeStats, seconds: float = 10.0, **others: Any) -> RunStats:
    """A run of these nodes on two cores, far from using them both."""
    return RunStats(
        **{
            "graph": "made",
            "seconds": seconds,
            "nodes": {each.name: each for each in nodes},
            "threads": 2,
            "cores": 2,
            "cpu_seconds": 0.5 * seconds,
            "loop_busy": 0.05 * seconds,
            "outcome": "finished",
            **others,
        }
    )
