import json
import math
import re
from collections.abc import Mapping
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow.bottleneck import bottleneck
from flow.growth import LARGE
from flow.metrics import NodeStats, RunStats, StateStats
from flow.operator import Kept
from flow.report import report_json
from flow.schema import AFTER_ALL, BEFORE_ALL
from tests.made_stats import node, run_of

TRADES = node("trades", "source", busy=0.2, blocked=0.74, splits=40, rows_out=1000, batches_out=10)
OUT = node("out", "sink", busy=0.01, starved=0.95, inputs=("bars",))
BUSY = node("bars", busy=0.91, starved=0.05, instances=2, inputs=("trades",))
IDLE = node("bars", busy=0.2, starved=0.7, instances=2, inputs=("trades",))

CASES: dict[str, tuple[RunStats, str, str | None, str, str]] = {
    "operator": (
        run_of(TRADES, BUSY, OUT, cpu_seconds=17.0),
        "node",
        "bars",
        "`bars` limits the run: its 2 partitions were busy 91 % of the time, "
        "while `trades` was blocked 74 % waiting for it.",
        "run on more cores",
    ),
    "operator that leaves the cores idle": (
        run_of(TRADES, BUSY, OUT, cpu_seconds=4.0),
        "node",
        "bars",
        "`bars` limits the run: its 2 partitions were busy 91 % of the time, "
        "while `trades` was blocked 74 % waiting for it.",
        "only 0.4 of 2 cores were in use",
    ),
    "operator with fewer partitions than cores": (
        run_of(TRADES, node("bars", busy=0.97, inputs=("trades",)), OUT, cpu_seconds=12.0),
        "node",
        "bars",
        "`bars` limits the run: its one partition was busy 97 % of the time, "
        "while `trades` was blocked 74 % waiting for it.",
        "raise --partitions (now 1; 2 cores)",
    ),
    "operator that waits for threads": (
        run_of(TRADES, node("bars", busy=0.4, queued=0.45, instances=2, inputs=("trades",)), OUT, cpu_seconds=4.0),
        "node",
        "bars",
        "`bars` limits the run: its 2 partitions were busy 40 % of the time and ready but waiting for a thread 45 %, "
        "while `trades` was blocked 74 % waiting for it.",
        "only 0.4 of 2 cores were in use",
    ),
    "sink": (
        run_of(
            node("trades", "source", busy=0.1, blocked=0.85),
            node("bars", busy=0.1, blocked=0.8, inputs=("trades",)),
            node("out", "sink", busy=0.99, inputs=("bars",)),
            cpu_seconds=11.0,
        ),
        "node",
        "out",
        "`out` limits the run: its one writer was busy 99 % of the time, while `bars` was blocked 80 % waiting for it.",
        "its writers (now 1)",
    ),
    "source": (
        run_of(
            node("trades", "source", busy=0.96, instances=2, splits=40),
            node("bars", busy=0.1, starved=0.88, inputs=("trades",)),
            OUT,
            cpu_seconds=17.0,
        ),
        "node",
        "trades",
        "`trades` limits the run: its 2 readers were busy 96 % of the time, "
        "while `bars` was starved 88 % waiting for its rows.",
        "--readers (now 2)",
    ),
    "source with too few splits": (
        run_of(node("trades", "source", busy=0.96, splits=1), OUT, cpu_seconds=9.0),
        "node",
        "trades",
        "`trades` limits the run: its one reader was busy 96 % of the time.",
        "no more than one split ",
    ),
    "source that reads ahead of its chain": (
        run_of(
            node("trades", "source", busy=0.3, blocked=0.65),
            node("parse", busy=0.93, starved=0.02, chain="trades", inputs=("trades",)),
            node("out", "sink", busy=0.01, starved=0.95, inputs=("parse",)),
            cpu_seconds=12.0,
        ),
        "node",
        "parse",
        "`parse` limits the run: its one partition was busy 93 % of the time, "
        "while `trades` was blocked 65 % waiting for it.",
        "raise --partitions",
    ),
    "readers beside routers": (
        run_of(
            TRADES,
            node("by_key", "router", busy=0.05, starved=0.01, blocked=0.9, chain="trades", inputs=("trades",)),
            node("bars", busy=0.91, instances=2, inputs=("by_key",)),
            OUT,
            cpu_seconds=17.0,
        ),
        "node",
        "bars",
        "`bars` limits the run: its 2 partitions were busy 91 % of the time, "
        "while `trades` was blocked 74 % waiting for it.",
        "run on more cores",
    ),
    "serial": (
        run_of(
            node("trades", "source", busy=0.2),
            node("bars", busy=0.6, chain="trades", inputs=("trades",)),
            node("out", "sink", busy=0.1, chain="trades", inputs=("bars",)),
            topology="serial",
            loop_busy=9.9,
        ),
        "node",
        "bars",
        "`bars` limits the run: its one partition was busy 60 % of the time "
        "(90 % together with `trades` and `out`, which share its task).",
        "--topology prefetched",
    ),
    "one hot partition": (
        run_of(
            TRADES,
            node("bars", busy=0.3, starved=0.7, instances=4, instance_busy=(9.5, 1.0, 1.0, 0.5), inputs=("trades",)),
            OUT,
        ),
        "node",
        "bars",
        "One partition of `bars` limits the run: it was busy 95 % of the time, "
        "while its 4 partitions were busy 30 % on average.",
        "keys are uneven",
    ),
    "one hot reader": (
        run_of(node("trades", "source", busy=0.5, instances=2, instance_busy=(9.8, 0.2), splits=2), OUT),
        "node",
        "trades",
        "One reader of `trades` limits the run: it was busy 98 % of the time, "
        "while its 2 readers were busy 50 % on average.",
        "divide the large ones",
    ),
    "cores": (
        run_of(TRADES, BUSY, OUT, cpu_seconds=19.4),
        "threads",
        "bars",
        "The machine limits the run: its 2 cores were in use 97 % of the time, and `bars` did 90 % of the work.",
        "make `bars` cheaper, or run on more cores",
    ),
    "threads": (
        run_of(
            TRADES,
            node("bars", busy=0.9, queued=0.05, starved=0.05, inputs=("trades",)),
            node("more", busy=0.09, queued=0.8, inputs=("bars",)),
            threads=1,
            cpu_seconds=9.0,
        ),
        "threads",
        "bars",
        "The worker threads limit the run: the one worker thread was busy 99 % of the time, "
        "and `more` was ready but waiting for one 80 % of the time.",
        "--threads",
    ),
    "event loop": (
        run_of(
            node("trades", "source", busy=0.1, batches_out=1000, rows_out=1000),
            node("bars", busy=0.2, starved=0.3, batches_in=1000, rows_in=1000, inputs=("trades",)),
            loop_busy=9.3,
        ),
        "loop",
        "bars",
        "The event loop limits the run: it was busy 93 % of the time, at 1 rows a batch.",
        "larger batches",
    ),
    "event loop, when nothing else is busier": (
        run_of(node("trades", "source", busy=0.1), IDLE, loop_busy=6.0),
        "loop",
        "bars",
        "The event loop limits the run: it was busy 60 % of the time.",
        "larger batches",
    ),
    "input": (
        run_of(node("ticks", "source", busy=0.02, starved=0.97), IDLE, OUT),
        "input",
        "ticks",
        "The input limits the run: `ticks` waited for rows 97 % of the time, and nothing after it held it up.",
        "",
    ),
    "waiting for the world outside": (
        run_of(
            node("trades", "source", busy=0.1, blocked=0.85),
            node("lookup", busy=0.04, starved=0.1, inputs=("trades",)),
            node("out", "sink", busy=0.01, starved=0.95, inputs=("lookup",)),
        ),
        "node",
        "lookup",
        "`lookup` limits the run: `trades` was blocked 85 % of the time waiting for it, though it was busy only 4 %.",
        "concurrency",
    ),
    "inside a call that has not come back": (
        run_of(node("trades", "source", busy=0.1), node("lookup", busy=0.02, starved=0.03, inputs=("trades",))),
        "node",
        "lookup",
        "`lookup` limits the run: 95 % of the time it was neither busy nor waiting for rows or for room, "
        "but inside calls that had not come back.",
        "concurrency",
    ),
    "nothing": (
        run_of(node("trades", "source", busy=0.3, blocked=0.4, starved=0.3), IDLE, OUT),
        "none",
        "trades",
        "Nothing stands out: the busiest node, `trades`, was busy 30 % of the time.",
        "",
    ),
    "short life": (
        run_of(
            node("airlines", "source", busy=1.0, seconds=0.2),
            TRADES,
            node("bars", busy=0.8, starved=0.2, instances=2, inputs=("trades", "airlines")),
            cpu_seconds=17.0,
        ),
        "node",
        "bars",
        "`bars` limits the run: its 2 partitions were busy 80 % of the time, "
        "while `trades` was blocked 74 % waiting for it.",
        "run on more cores",
    ),
    "too short": (
        run_of(TRADES, BUSY, OUT, seconds=0.012),
        "none",
        None,
        "The run took 12 ms: too short to tell what limits it.",
        "",
    ),
    "no node": (run_of(), "none", None, "No node has run: there is nothing to tell what limits it.", ""),
}


@pytest.mark.parametrize("name", CASES)
def test_the_sentence_names_what_limits_and_its_evidence(name: str) -> None:
    stats, limit, limiting, sentence, hint = CASES[name]
    finding = bottleneck(stats)
    assert finding.sentence == sentence
    assert (finding.limit, finding.node) == (limit, limiting)
    assert hint in (finding.hint or "")
    assert bool(hint) == (finding.hint is not None)


@pytest.mark.parametrize("name", CASES)
def test_every_number_in_the_sentence_is_evidence(name: str) -> None:
    finding = bottleneck(CASES[name][0])
    known = {f"{value * 100:.0f}" for value in finding.evidence.values()}
    known |= {f"{value:.0f}" for value in finding.evidence.values()}
    known |= {f"{value * 1000:.0f}" for value in finding.evidence.values()}
    assert set(re.findall(r"\d+", finding.sentence)) <= known


def test_the_report_has_the_counts_and_what_follows_from_them() -> None:
    letters = node("in", "source", rows_out=100, dead_letters=3, skipped_rows=2, watermark=5)
    late = node("bars", rows_in=100, late_rows=7, busy=0.5, instances=2, instance_busy=(4.0, 6.0), inputs=("in",))
    out = node("out", "sink", rows_in=40, watermark=AFTER_ALL)
    report = report_json(run_of(letters, late, out))
    totals = {name: report[name] for name in ("version", "outcome", "rows_in", "rows_out", "rows_per_second")}
    assert totals == {"version": 1, "outcome": "finished", "rows_in": 100, "rows_out": 40, "rows_per_second": 10.0}
    assert (report["late_rows"], report["dead_letters"], report["skipped_rows"]) == (7, 3, 2)
    assert report["cores_used"] == 0.5
    assert report["loop_busy_share"] == 0.05
    nodes = {each["name"]: each for each in report["nodes"]}
    assert list(nodes) == ["in", "bars", "out"]
    assert nodes["bars"]["busy_share"] == 0.5
    assert nodes["bars"]["inputs"] == ["in"]
    assert nodes["bars"]["instance_busy"] == [4.0, 6.0]
    assert [(each["watermark"], each["ended"]) for each in nodes.values()] == [(5, False), (None, False), (None, True)]


def test_the_report_has_the_state_and_the_largest_that_grows() -> None:
    kept = Kept("every row", "rows", "filter before")
    small = node("small", state=StateStats(Kept("one entry a key", "keys"), 3, 100, 7, 200))
    large = node("large", state=StateStats(kept, None, 10, None, LARGE))
    larger = node("larger", state=StateStats(Kept("windows", "bounded"), 1, 10, 1, 10 * LARGE))
    report = report_json(run_of(node("in", "source"), small, large, larger))
    states = {each["name"]: each["state"] for each in report["nodes"]}
    assert states["in"] is None
    assert states["small"] == {
        "keeps": "one entry a key", "growth": "keys", "rows": 3, "bytes": 100, "most_rows": 7, "most_bytes": 200,
    }  # fmt: skip
    sentence = "The state of `large` grows with the rows, for ever: it has taken 250 MB."
    assert report["growing"] == {"node": "large", "sentence": sentence, "hint": "filter before"}
    assert report_json(run_of(small, larger))["growing"] is None


times = st.floats(1e-9, 1e6) | st.just(0.0)
counts = st.integers(0, 10**12)


@st.composite
def any_nodes(draw: st.DrawFn) -> list[NodeStats]:
    names = draw(st.lists(st.sampled_from("abcdefg"), unique=True, max_size=6))
    return [
        node(
            name,
            draw(st.sampled_from(["source", "router", "operator", "sink"])),
            **{field: draw(times) for field in ("busy", "queued", "starved", "blocked")},
            instances=(instances := draw(st.integers(1, 3))),
            seconds=draw(times),
            inputs=tuple(draw(st.lists(st.sampled_from("abcdefg"), max_size=2))),
            chain=draw(st.sampled_from([name, *names])),
            rows_in=draw(counts),
            rows_out=draw(counts),
            batches_in=draw(counts),
            watermark=draw(st.sampled_from([BEFORE_ALL, AFTER_ALL, 0])),
            instance_busy=tuple(draw(st.lists(times, min_size=instances, max_size=instances))),
        )
        for name in names
    ]


@settings(max_examples=100, deadline=None)
@given(
    any_nodes(), times, times, times, st.integers(1, 64), st.sampled_from(["serial", "routed", "prefetched", "aligned"])
)
def test_any_stats_give_a_sentence_and_a_report_that_is_json(
    nodes: list[NodeStats], seconds: float, cpu: float, loop: float, threads: int, topology: str
) -> None:
    stats = run_of(*nodes, seconds=seconds, cpu_seconds=cpu, loop_busy=loop, threads=threads, topology=topology)
    finding = bottleneck(stats)
    assert re.fullmatch(r"[A-Z`].*\.", finding.sentence)
    assert finding.node is None or finding.node in stats.nodes
    assert all(math.isfinite(value) for value in finding.evidence.values())
    assert "nan" not in finding.sentence
    report = json.loads(json.dumps(report_json(stats), allow_nan=False))
    assert all(0 <= value <= 1 for name, value in flat(report) if name.endswith("_share"))


def flat(value: Any, name: str = "") -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return [pair for key, each in value.items() for pair in flat(each, key)]
    if isinstance(value, list):
        return [pair for each in value for pair in flat(each, name)]
    return [(name, value)]


def test_a_node_that_stands_alone_is_not_said_to_keep_others_waiting() -> None:
    stats = run_of(attrs.evolve(BUSY, inputs=()), cpu_seconds=17.0)
    assert bottleneck(stats).sentence == "`bars` limits the run: its 2 partitions were busy 91 % of the time."
