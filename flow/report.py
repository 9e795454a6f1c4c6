"""The closing report of a run as a JSON value: its counts, what follows from them, and what limited it.

Pure, and stable: what is in it is described in docs/command-line.md.
"""

from __future__ import annotations

from typing import Any, Final

from flow.bottleneck import bottleneck, share, threads_share
from flow.growth import growing
from flow.metrics import NodeStats, RunStats, StateStats
from flow.schema import AFTER_ALL, BEFORE_ALL

REPORT_VERSION: Final = 1
"""Version of what `report_json` gives; a change that a reader of it could notice raises it."""


def report_json(stats: RunStats) -> dict[str, Any]:
    """The stats and the finding as a JSON value, described in docs/command-line.md. Times are seconds, shares 0..1."""
    finding = bottleneck(stats)
    grown = growing(stats)
    return {
        "version": REPORT_VERSION,
        "graph": stats.graph,
        "outcome": stats.outcome,
        "topology": stats.topology,
        "seconds": stats.seconds,
        "rows_in": stats.rows_in,
        "rows_out": stats.rows_out,
        "rows_per_second": stats.rows_per_second,
        "late_rows": stats.late_rows,
        "skipped_rows": stats.skipped_rows,
        "dead_letters": stats.dead_letters,
        "cores": stats.cores,
        "cores_used": stats.cores_used,
        "cpu_seconds": stats.cpu_seconds,
        "threads": stats.threads,
        "threads_busy_share": threads_share(stats),
        "loop_busy_share": share(stats.loop_busy, stats.seconds),
        "bottleneck": {
            "limit": finding.limit,
            "node": finding.node,
            "sentence": finding.sentence,
            "hint": finding.hint,
            "evidence": dict(finding.evidence),
        },
        "growing": None if grown is None else {"node": grown.node, "sentence": grown.sentence, "hint": grown.hint},
        "nodes": [_node_json(node) for node in stats.nodes.values()],
    }


def _node_json(node: NodeStats) -> dict[str, Any]:
    shares = {f"{name}_share": node.share(getattr(node, name)) for name in ("busy", "queued", "starved", "blocked")}
    counts = (
        "instances", "rows_in", "rows_out", "batches_in", "batches_out", "bytes_in", "bytes_out",
        "late_rows", "skipped_rows", "dead_letters", "splits", "splits_done",
        "busy", "queued", "starved", "blocked", "alive",
    )  # fmt: skip
    return {
        "name": node.name,
        "kind": node.kind,
        "chain": node.chain,
        "inputs": list(node.inputs),
        **{name: getattr(node, name) for name in counts},
        **shares,
        "instance_busy": list(node.instance_busy),
        "watermark": None if node.watermark in (BEFORE_ALL, AFTER_ALL) else node.watermark,
        "ended": node.watermark == AFTER_ALL,
        "state": None if node.state is None else _state_json(node.state),
    }


def _state_json(state: StateStats) -> dict[str, Any]:
    return {
        "keeps": state.kept.what,
        "growth": state.kept.growth,
        "rows": state.rows,
        "bytes": state.bytes,
        "most_rows": state.most_rows,
        "most_bytes": state.most_bytes,
    }
