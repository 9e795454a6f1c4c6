"""What limited a run: one sentence that names it, and the evidence.

Pure: every number that is said comes from the stats, and any stats give a sentence.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Final, Literal

import attrs

from flow.metrics import INSTANCES, NodeKind, NodeStats, RunStats

TOO_SHORT: Final = 0.05
"""Seconds below which a run says nothing about what limits it."""

_FULL = 0.9
_MOST = 0.5
_SOME = 0.2

Limit = Literal["node", "threads", "loop", "input", "none"]


@attrs.frozen
class Finding:
    """What limited a run.

    Attributes:
        limit: what kind of thing: a node, the threads (or the cores under them), the event loop, the input, or nothing.
        node: the node that limits, or the one that used most of what limits.
        sentence: one sentence for people.
        hint: what could be tried, where something could.
        evidence: the numbers that the sentence states, by what they are of (shares are 0..1).
    """

    limit: Limit
    node: str | None
    sentence: str
    hint: str | None = None
    evidence: Mapping[str, float] = attrs.field(factory=dict)


@attrs.frozen
class _Chain:
    """Nodes whose work is done by the same tasks; shares are of the time that those tasks lived."""

    nodes: tuple[NodeStats, ...]
    seconds: float

    @property
    def name(self) -> str:
        """The node that stands for the chain where it waits: all of its nodes do."""
        return next((node.name for node in self.nodes if node.kind != "router"), self.nodes[0].name)

    @property
    def kind(self) -> NodeKind:
        return next((node.kind for node in self.nodes if node.kind != "router"), "router")

    def has(self, names: set[str]) -> bool:
        return any(node.name in names for node in self.nodes)

    @property
    def leader(self) -> NodeStats:
        return max(self.nodes, key=lambda node: node.busy)

    @property
    def alive(self) -> float:
        return max(node.alive for node in self.nodes)

    @property
    def instances(self) -> int:
        return max(node.instances for node in self.nodes)

    @property
    def busy(self) -> float:
        return share(sum(node.busy for node in self.nodes), self.alive)

    @property
    def queued(self) -> float:
        return share(max(node.queued for node in self.nodes), self.alive)

    @property
    def starved(self) -> float:
        return share(max(node.starved for node in self.nodes), self.alive)

    @property
    def blocked(self) -> float:
        return share(max(node.blocked for node in self.nodes), self.alive)

    @property
    def elsewhere(self) -> float:
        """The time that nobody has counted: calls that are still under way, or that are waited for outside."""
        return max(0.0, 1.0 - self.busy - self.queued - self.starved - self.blocked) if self.alive > 0 else 0.0

    @property
    def hot(self) -> float:
        """How busy the busiest instance was, where it stands out from the others; else 0."""
        each = [node.instance_busy for node in self.nodes if len(node.instance_busy) == self.instances]
        if self.instances < 2 or not each:
            return 0.0
        sums = [sum(values) for values in zip(*each, strict=True)]
        if max(sums) * len(sums) < 1.5 * sum(sums):
            return 0.0
        return share(max(sums), self.alive / self.instances)

    @property
    def work(self) -> float:
        """How far the chain, or its hottest instance, was from having time to spare, 0..1.

        A chain that lived for a short part of the run counts for that part only.
        """
        return max(min(1.0, self.busy + self.queued), self.hot) * share(self.alive, self.seconds)


def share(part: float, whole: float) -> float:
    """A part of a whole, 0..1; nothing of nothing is 0."""
    if not (part > 0 and whole > 0 and math.isfinite(part)):
        return 0.0
    return min(1.0, part / whole)


def bottleneck(stats: RunStats) -> Finding:
    """What limited the run, in one sentence with its evidence."""
    if stats.seconds < TOO_SHORT:
        return Finding(
            "none",
            None,
            f"The run took {stats.seconds * 1000:.0f} ms: too short to tell what limits it.",
            evidence={"seconds": stats.seconds},
        )
    chains = _chains(stats)
    if not chains:
        return Finding("none", None, "No node has run: there is nothing to tell what limits it.")
    best = max(chains, key=lambda chain: chain.work)
    loop = share(stats.loop_busy, stats.seconds)
    if share(stats.cpu_seconds, stats.cores * stats.seconds) >= _FULL:
        return _cores_limit(stats)
    if stats.topology != "serial" and loop >= 0.8:
        return _loop_limits(stats, loop)
    if threads_share(stats) >= 0.85 and max(chain.queued for chain in chains) >= 0.1:
        return _threads_limit(stats, max(chains, key=lambda chain: chain.queued))
    if best.work >= _MOST and (best.work >= loop or stats.topology == "serial"):
        return _chain_limits(stats, best, chains)
    if loop >= _MOST:
        return _loop_limits(stats, loop)
    waited_for = _waited_for(stats, chains)
    if waited_for is not None:
        return waited_for
    sources = [chain for chain in chains if chain.nodes[0].kind == "source"]
    waiting = min(sources, key=lambda chain: chain.starved, default=None)
    if waiting is not None and waiting.starved >= _MOST:
        source = waiting.nodes[0]
        return Finding(
            "input",
            source.name,
            f"The input limits the run: `{source.name}` waited for rows {_percent(waiting.starved)} of the time, "
            "and nothing after it held it up.",
            evidence={f"{source.name}.starved": waiting.starved},
        )
    busiest = best.leader
    return Finding(
        "none",
        busiest.name,
        f"Nothing stands out: the busiest node, `{busiest.name}`, was busy {_percent(best.busy)} of the time.",
        evidence={f"{busiest.name}.busy": best.busy},
    )


def _chains(stats: RunStats) -> list[_Chain]:
    by_head: dict[str, list[NodeStats]] = {}
    for node in stats.nodes.values():
        by_head.setdefault(node.chain, []).append(node)
    chains: list[_Chain] = []
    for nodes in by_head.values():
        first, *rest = nodes
        # A source that reads ahead does so beside its chain, which then, as opposed to reading itself, waits for it.
        beside = first.kind == "source" and any(node.starved > 0 for node in rest)
        parts = ([first], rest) if beside else (nodes,)
        chains += [_Chain(tuple(part), stats.seconds) for part in parts]
    return chains


def threads_share(stats: RunStats) -> float:
    """How busy the threads for kernels were; reads and writes have threads of their own."""
    kernels = sum(node.busy for node in stats.nodes.values() if node.kind in ("operator", "router"))
    return share(kernels, stats.threads * stats.seconds)


def _percent(value: float) -> str:
    return f"{value * 100:.0f} %"


def _names(names: Iterable[str]) -> str:
    *first, last = [f"`{name}`" for name in names]
    return f"{', '.join(first)} and {last}" if first else last


def _most_used(stats: RunStats) -> tuple[NodeStats, float]:
    node = max(stats.nodes.values(), key=lambda node: node.busy)
    return node, share(node.busy, sum(other.busy for other in stats.nodes.values()))


def _cores_limit(stats: RunStats) -> Finding:
    node, part = _most_used(stats)
    used, full = stats.cores_used, share(stats.cpu_seconds, stats.cores * stats.seconds)
    what = f"{stats.cores} cores were" if stats.cores > 1 else "one core was"
    return Finding(
        "threads",
        node.name,
        f"The machine limits the run: its {what} in use {_percent(full)} of the time, "
        f"and `{node.name}` did {_percent(part)} of the work.",
        f"make `{node.name}` cheaper, or run on more cores",
        {"cores": stats.cores, "cores_used": used, "cores_used_share": full, f"{node.name}.busy_of_all": part},
    )


def _threads_limit(stats: RunStats, queue: _Chain) -> Finding:
    node, waiting, full = _most_used(stats)[0], queue.leader, threads_share(stats)
    what = f"{stats.threads} worker threads were" if stats.threads > 1 else "one worker thread was"
    evidence = {"threads": stats.threads, "threads_busy": full, f"{waiting.name}.queued": queue.queued}
    return Finding(
        "threads",
        node.name,
        f"The worker threads limit the run: the {what} busy {_percent(full)} of the time, "
        f"and `{waiting.name}` was ready but waiting for one {_percent(queue.queued)} of the time.",
        f"only {stats.cores_used:.1f} of {stats.cores} cores were in use: raise --threads where kernels wait for "
        "something (Python code that holds the interpreter lock gains nothing from it)",
        evidence,
    )


def _loop_limits(stats: RunStats, loop: float) -> Finding:
    node, part = _most_used(stats)
    batches = sum(each.batches_in or each.batches_out for each in stats.nodes.values())
    rows = sum(each.rows_in or each.rows_out for each in stats.nodes.values())
    evidence = {"loop_busy": loop}
    sentence = f"The event loop limits the run: it was busy {_percent(loop)} of the time"
    if batches:
        evidence["rows_per_batch"] = rows / batches
        sentence += f", at {rows / batches:.0f} rows a batch"
    return Finding(
        "loop",
        node.name if part else None,
        sentence + ".",
        "larger batches: let the source return more rows at a time",
        evidence,
    )


def _chain_limits(stats: RunStats, chain: _Chain, chains: list[_Chain]) -> Finding:
    node = chain.leader
    word, count = INSTANCES[node.kind], chain.instances
    own = share(node.busy, chain.alive)
    evidence: dict[str, float] = {f"{node.name}.instances": count}
    hot = chain.hot
    if hot > chain.busy + chain.queued:
        evidence |= {f"{node.name}.hottest_busy": hot, f"{node.name}.busy": chain.busy}
        sentence = (
            f"One {word} of `{node.name}` limits the run: it was busy {_percent(hot)} of the time, "
            f"while its {count} {word}s were busy {_percent(chain.busy)} on average"
        )
        return Finding("node", node.name, sentence + ".", _skew_hint(node), evidence)
    evidence[f"{node.name}.busy"] = own
    subject = f"its {count} {word}s were" if count > 1 else f"its one {word} was"
    sentence = f"`{node.name}` limits the run: {subject} busy {_percent(own)} of the time"
    if chain.queued >= _SOME:
        evidence[f"{node.name}.queued"] = chain.queued
        sentence += f" and ready but waiting for a thread {_percent(chain.queued)}"
    if len(chain.nodes) > 1 and chain.busy - own >= 0.01:
        evidence[f"{chain.nodes[0].chain}.chain_busy"] = chain.busy
        rest = [other for other in chain.nodes if other is not node]
        others = [other.name for other in rest if other.kind != "router"] or [other.name for other in rest]
        fused = _names(others) if len(others) <= 2 else f"{len(rest)} other nodes"
        sentence += f" ({_percent(chain.busy)} together with {fused}, which share its task)"
    sentence += _who_waited(stats, chain, chains, evidence)
    return Finding("node", node.name, sentence + ".", _hint(stats, chain), evidence)


def _who_waited(stats: RunStats, chain: _Chain, chains: list[_Chain], evidence: dict[str, float]) -> str:
    """The other half of the evidence: who was blocked before the chain, or starved after it."""
    names = {node.name for node in chain.nodes}
    read = {name for node in chain.nodes for name in node.inputs}
    before = [other for other in chains if other is not chain and other.has(read)]
    # Where readers read ahead of their chain, it is they who wait in the end.
    heads = {node.chain for other in before for node in other.nodes}
    before += [other for other in chains if other is not chain and other not in before and other.has(heads)]
    after = [other for other in chains if other is not chain and any(names & set(node.inputs) for node in other.nodes)]
    before = [other for other in before if other.blocked >= _SOME]
    blocked = max(before, key=lambda other: (other.kind != "router", other.blocked), default=None)
    if blocked is not None:
        name = blocked.name
        evidence[f"{name}.blocked"] = blocked.blocked
        return f", while `{name}` was blocked {_percent(blocked.blocked)} waiting for it"
    starved = max(after, key=lambda other: other.starved, default=None)
    if starved is not None and starved.starved >= _SOME:
        name = starved.name
        evidence[f"{name}.starved"] = starved.starved
        return f", while `{name}` was starved {_percent(starved.starved)} waiting for its rows"
    return ""


def _waited_for(stats: RunStats, chains: list[_Chain]) -> Finding | None:
    """A chain that is neither busy nor blocked, and yet holds up what feeds it: it waits for the world outside."""
    by_node = {node.name: chain for chain in chains for node in chain.nodes}
    for chain in reversed(chains):
        if chain.blocked >= _MOST:
            continue
        for name in (name for node in chain.nodes for name in node.inputs):
            before = by_node.get(name)
            if before is None or before is chain or before.blocked < _MOST:
                continue
            node, blocked = chain.nodes[0], before.name
            return Finding(
                "node",
                node.name,
                f"`{node.name}` limits the run: `{blocked}` was blocked {_percent(before.blocked)} of the time waiting "
                f"for it, though it was busy only {_percent(chain.busy)}.",
                f"`{node.name}` waits for something outside: let it wait for more at once "
                "(concurrency, partitions, writers)",
                {f"{blocked}.blocked": before.blocked, f"{node.name}.busy": chain.busy},
            )
    for chain in reversed(chains):
        if chain.kind in ("operator", "sink") and chain.elsewhere >= _MOST:
            name = chain.leader.name
            return Finding(
                "node",
                name,
                f"`{name}` limits the run: {_percent(chain.elsewhere)} of the time it was neither busy nor waiting for "
                "rows or for room, but inside calls that had not come back.",
                f"`{name}` waits for something outside: let it wait for more at once "
                "(concurrency, partitions, writers)",
                {f"{name}.elsewhere": chain.elsewhere},
            )
    return None


def _skew_hint(node: NodeStats) -> str:
    if node.kind == "source":
        return "its splits are of very different sizes: divide the large ones"
    return (
        "its keys are uneven: aggregate before the exchange, or add a column to the key that divides the frequent ones"
    )


def _hint(stats: RunStats, chain: _Chain) -> str:
    node = chain.leader
    if stats.topology == "serial" and len(chain.nodes) > 1:
        return "one task does everything: --topology prefetched lets readers, partitions and writers work side by side"
    at_work = sum(each.busy for each in stats.nodes.values()) / stats.seconds
    more = {
        "source": f"--readers (now {node.instances})",
        "router": f"--readers (now {node.instances})",
        "operator": f"--partitions (now {node.instances}) and --threads (now {stats.threads})",
        "sink": f"its writers (now {node.instances})",
    }[node.kind]
    if at_work > 1 and stats.cores_used < 0.75 * min(at_work, stats.cores):
        return (
            f"only {stats.cores_used:.1f} of {stats.cores} cores were in use meanwhile: where `{node.name}` waits for "
            f"something, raise {more}; where its Python code holds the interpreter lock, use Arrow or NumPy"
        )
    if node.kind == "source":
        if node.splits and node.instances >= node.splits:
            splits = f"{node.splits} splits" if node.splits > 1 else "one split"
            return f"`{node.name}` has no more than {splits} to read: divide its input into more"
        return f"raise {more}, or read less: fewer columns, fewer rows, binary files"
    if node.kind == "sink":
        return f"raise {more} where it can have several, or send it fewer rows"
    if node.instances < stats.cores:
        return f"raise --partitions (now {node.instances}; {stats.cores} cores), and key the stream where it has one"
    return f"make `{node.name}` cheaper, or run on more cores"
