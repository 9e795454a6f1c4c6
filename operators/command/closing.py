"""The closing report as text: what went in and out, where every node's time went, and what limited the run."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import indent

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from flow.bottleneck import bottleneck, share
from flow.errors import StepError
from flow.growth import growing
from flow.memory import spelled_bytes
from flow.metrics import INSTANCES, NodeStats, RunStats
from operators.command.figures import cut, percent, short, span

_NAMED = 24
"""Characters of a node's name beside its state."""

_OUTCOMES = {
    "running": ("is running", "bold", ""),
    "finished": ("finished", "bold green", ""),
    "drained": ("drained", "bold yellow", ": it stopped early, and all that was read is written"),
    "aborted": ("was aborted", "bold red", ": not all that was read is written"),
    "failed": ("failed", "bold red", ""),
}


def closing_report(stats: RunStats, width: int) -> RenderableType:
    """The report of a run that ended, for so many columns."""
    words, style, meaning = _OUTCOMES[stats.outcome]
    finding = bottleneck(stats)
    lines: list[RenderableType] = [
        Text.assemble((stats.graph, "bold"), " ", (words, style), f" after {span(stats.seconds)}{meaning}"),
        Text.assemble(
            (f"{stats.rows_in:,}", "bold"), " rows in, ",
            (f"{stats.rows_out:,}", "bold"), " rows out, ",
            (f"{stats.rows_per_second:,.0f}", "bold"), " rows/s",
        ),
        Text.assemble(
            _lost(stats),
            f"; {stats.cores_used:.1f} of {stats.cores} cores used, "
            f"event loop {percent(share(stats.loop_busy, stats.seconds))} busy",
        ),
        Text(),
        _table(stats, width),
        Text(),
    ]  # fmt: skip
    kept = _kept(stats)
    if kept is not None:
        lines += [kept, Text()]
    lines.append(Text(finding.sentence, style="bold"))
    if finding.hint is not None:
        lines.append(Text(f"To try: {finding.hint}."))
    grown = growing(stats)
    if grown is not None:
        lines += [Text(grown.sentence, style="bold"), Text(f"To try: {grown.hint}.")]
    return Group(*lines)


def _lost(stats: RunStats) -> Text:
    late, letters = stats.late_rows, stats.dead_letters
    skipped = stats.skipped_rows
    return Text.assemble(
        *(
            part
            for count, words in ((late, "late"), (letters, "dead letters"), (skipped, "skipped"))
            for part in ((f"{count:,}", "bold yellow" if count else ""), f" {words}, ")
        )
    )[:-2]


def _table(stats: RunStats, width: int) -> Table:
    extra = [
        (heading, field)
        for heading, field in (("late", "late_rows"), ("dead", "dead_letters"), ("skipped", "skipped_rows"))
        if any(getattr(node, field) for node in stats.nodes.values())
    ]
    figures = [("rows in", 7), ("rows out", 8), ("busy", 4), ("queued", 6), ("starved", 7), ("blocked", 7)]
    figures += [(heading, max(len(heading), 5)) for heading, _ in extra]
    named = {node.name: _instances(node) for node in stats.nodes.values()}
    left = width - sum(size + 1 for _, size in figures)
    if left - max(map(len, named.values()), default=0) < 16:
        named = {node.name: str(node.instances) for node in stats.nodes.values()}
    instances = max(map(len, named.values()), default=0)
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    named_in = max(8, left - instances - 1)
    table.add_column("node", no_wrap=True, max_width=named_in)
    table.add_column("", style="dim", no_wrap=True, width=instances)
    for heading, size in figures:
        table.add_column(heading, justify="right", no_wrap=True, width=size)
    limiting = bottleneck(stats)
    for node in stats.nodes.values():
        fused = node.chain != node.name and node.kind != "router"
        table.add_row(
            Text(cut(("+ " if fused else "") + node.name, named_in)),
            named[node.name],
            short(node.rows_in),
            short(node.rows_out),
            *_shares(node),
            *(short(getattr(node, field)) for _, field in extra),
            style="bold" if limiting.limit == "node" and node.name == limiting.node else None,
        )
    if any(node.chain != node.name and node.kind != "router" for node in stats.nodes.values()):
        table.caption = "+ runs in the same task as the node that feeds it"
        table.caption_justify = "left"
    return table


def _kept(stats: RunStats) -> Table | None:
    """The state of the nodes that have any, when it was largest; None where there is none."""
    states = [(name, node.state) for name, node in stats.nodes.items() if node.state is not None]
    states = [
        (name, state) for name, state in states if state.most_rows or (state.most_rows is None and state.most_bytes)
    ]
    if not states:
        return None
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("state at most", no_wrap=True)
    table.add_column("rows", justify="right", no_wrap=True, width=6)
    table.add_column("size", justify="right", no_wrap=True, width=7)
    table.add_column("keeps")
    for name, state in states:
        rows = "" if state.most_rows is None else short(state.most_rows)
        table.add_row(
            Text(cut(name, _NAMED)), rows, spelled_bytes(state.most_bytes), f"{state.kept.what}: {state.kept.grows}"
        )
    return table


def _instances(node: NodeStats) -> str:
    return f"{node.instances} {INSTANCES[node.kind]}{'' if node.instances == 1 else 's'}"


def _shares(node: NodeStats) -> list[str]:
    return [percent(node.share(seconds)) for seconds in (node.busy, node.queued, node.starved, node.blocked)]


def failures(errors: Sequence[Exception], tracebacks: Sequence[str]) -> RenderableType:
    """A block for each error that ended a run; `tracebacks` has one text an error, or is empty."""
    blocks: list[RenderableType] = []
    for number, error in enumerate(errors):
        cause: BaseException = error
        words = Text("failed", style="bold red")
        if isinstance(error, StepError):
            cause = error.cause
            words = Text.assemble(words, ": ", (error.node, "bold"), f" ({error.place})")
        blocks.append(words)
        blocks.append(Text(indent(f"{type(cause).__name__}: {str(cause) or 'no message'}", "    ")))
        if tracebacks:
            blocks.append(Text(indent(tracebacks[number].rstrip(), "    "), style="dim"))
    return Group(*blocks)
