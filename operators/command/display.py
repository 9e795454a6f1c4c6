"""The live display: a header and a line a node, drawn from the stats of a run that goes on.

Drawn on standard error only, so that what a run writes to standard output stays whole.
"""

from __future__ import annotations

import io
import sys
import threading
import time
from collections import deque
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from flow.bottleneck import share
from flow.memory import spelled_bytes
from flow.metrics import NodeStats, RunStats
from flow.schema import AFTER_ALL, BEFORE_ALL
from operators.command.figures import cut, lag, percent, short, span, watermark

WIDE = 110
"""Columns from which there is room for the numbers behind the bars."""

_STATE = 7
_NAMED = 20
"""Columns that the names of nodes should have left before the sizes of their states are shown."""

_WINDOW = 1.5
_AROUND = 5
_TIMES = (("busy", "█", "green"), ("queued", "▓", "yellow"), ("blocked", "▒", "red"), ("starved", "·", "dim"))


class LiveDisplay:
    """Draws every stats that it is called with; a context that gives the terminal back as it was.

    Args:
        console: writes to the terminal itself, not to whatever `sys.stderr` is at the moment.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._recent: deque[RunStats] = deque()
        self._live = Live(
            console=console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )
        self._replaced: list[tuple[str, TextIO]] = []

    def __enter__(self) -> Self:
        try:
            self._live.start()
        except BaseException:
            self._live.stop()
            raise
        for name in ("stdout", "stderr"):
            stream: TextIO = getattr(sys, name)
            # What goes to a file or a pipe is left alone; only what shares the terminal would tear the display.
            if stream.isatty():
                self._replaced.append((name, stream))
                setattr(sys, name, _Above(self._console, stream))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._replaced:
            name, stream = self._replaced.pop()
            getattr(sys, name).finish()
            setattr(sys, name, stream)
        self._live.stop()

    def __call__(self, stats: RunStats) -> None:
        """Draw the stats; rates are over the last second or so."""
        self._recent.append(stats)
        while len(self._recent) > 2 and stats.seconds - self._recent[1].seconds >= _WINDOW:
            self._recent.popleft()
        width, height = self._console.size
        self._live.update(board(stats, self._recent[0], width, height, time.time_ns() // 1000), refresh=True)


class _Above(io.TextIOBase):
    """A stream to the terminal while the display is there: whole lines scroll past above it.

    Rich has such a stream too, but a console of Rich's writes past that one.
    """

    def __init__(self, console: Console, stream: TextIO) -> None:
        self._console = console
        self._stream = stream
        self._lock = threading.Lock()
        self._begun = ""

    def write(self, text: str) -> int:
        """Show the lines that are complete; the rest waits for its end."""
        with self._lock:
            whole, newline, self._begun = (self._begun + text).rpartition("\n")
        if newline:
            self._console.print(Text.from_ansi(whole), soft_wrap=True)
        return len(text)

    def finish(self) -> None:
        """Show what waits for the end of its line."""
        if self._begun:
            self.write("\n")

    def isatty(self) -> bool:
        """It is the terminal, by another way."""
        return True

    def fileno(self) -> int:
        """The terminal's."""
        return self._stream.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]  # a property there too, of a wider type
        """The terminal's."""
        return self._stream.encoding


def board(stats: RunStats, before: RunStats, width: int, height: int, now: int) -> RenderableType:
    """The display of a run.

    Args:
        stats: how the run stands.
        before: how it stood a moment ago; rates and shares are of what came since (where it is `stats`: of the whole).
        width: columns of the terminal.
        height: lines of the terminal; nodes that do not fit are summed up in one line.
        now: the clock, microseconds.
    """
    if before is stats or before.seconds >= stats.seconds:
        before = _nothing_yet(stats)
    shown, folded = _fold(list(stats.nodes.values()), max(1, height - _AROUND))
    return Group(_header(stats, before, width), _nodes(stats, before, shown, folded, width, now), _legend(width))


def _nothing_yet(stats: RunStats) -> RunStats:
    """The same run before it did anything."""
    return RunStats(stats.graph, 0.0, {}, stats.threads, stats.cores, 0.0, 0.0)


def _header(stats: RunStats, before: RunStats, width: int) -> RenderableType:
    rate = (
        (stats.rows_in - before.rows_in) / (stats.seconds - before.seconds) if stats.seconds > before.seconds else 0.0
    )
    grid = Table.grid(expand=True)
    grid.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    grid.add_column(justify="right", no_wrap=True)
    wide = width >= WIDE
    busy_loop = f" · loop {percent(share(stats.loop_busy, stats.seconds))}" if wide else ""
    grid.add_row(
        Text.assemble((stats.graph, "bold"), f"  {stats.topology}"),
        Text(f"{stats.cores_used:.1f} of {stats.cores} cores{busy_loop} · {span(stats.seconds)}"),
    )
    lost = [
        f"{short(count)} {words}"
        for count, words in ((stats.late_rows, "late"), (stats.dead_letters, "dead letters"))
        if count
    ]
    grid.add_row(
        Text.assemble((f"{short(rate)} rows/s", "bold cyan"), f"  average {short(stats.rows_per_second)}"),
        Text.assemble(
            (f"{'  '.join(lost)}  " if lost else "", "yellow"),
            f"{short(stats.rows_in)} rows in → {short(stats.rows_out)} out",
        ),
    )
    return grid


def _nodes(
    stats: RunStats, before: RunStats, shown: list[NodeStats], folded: list[NodeStats], width: int, now: int
) -> Table:
    wide = width >= WIDE
    nodes = stats.nodes.values()
    bars = width >= 50
    timed = width >= 70 and any(node.watermark not in (BEFORE_ALL, AFTER_ALL) for node in nodes)
    late, dead = any(node.late_rows for node in nodes), any(node.dead_letters for node in nodes)
    table = Table(box=None, expand=True, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("node", ratio=1, min_width=8, no_wrap=True, overflow="ellipsis")
    table.add_column("rows/s", justify="right", no_wrap=True, width=6)
    table.add_column("rows", justify="right", no_wrap=True, width=6)
    if timed:
        table.add_column("watermark (UTC)" if wide else "watermark", no_wrap=True, width=19 if wide else 16)
        if wide:
            table.add_column("lag", justify="right", no_wrap=True, width=6)
    if bars:
        table.add_column("queue", no_wrap=True, width=8 if wide else 5)
        table.add_column("time", no_wrap=True, width=20 if wide else 12)
    table.add_column("busy", justify="right", no_wrap=True, width=4)
    if wide:
        table.add_column("blocked", justify="right", no_wrap=True, width=7)
        table.add_column("starved", justify="right", no_wrap=True, width=7)
    for there, heading in ((late, "late"), (dead, "dead")):
        if there:
            table.add_column(heading, justify="right", no_wrap=True, width=5)
    room = width - sum(column.width + 1 for column in table.columns if column.width)
    kept = any(node.state for node in nodes) and room - _STATE > min(_NAMED, max(len(node.name) for node in nodes))
    if kept:
        room -= _STATE + 1
        table.add_column("state", justify="right", no_wrap=True, width=_STATE)
    for node in shown:
        earlier = before.nodes.get(node.name)
        seconds = stats.seconds - before.seconds
        rows = node.rows_out if node.kind == "source" else node.rows_in
        rows_before = 0 if earlier is None else earlier.rows_out if node.kind == "source" else earlier.rows_in
        shares = _recent_shares(node, earlier)
        cells: list[RenderableType] = [
            Text(cut(node.name, max(8, room)), style="dim" if node.kind == "router" else ""),
            short(max(0, rows - rows_before) / seconds) if seconds > 0 else "",
            short(rows),
        ]
        if timed:
            cells.append(watermark(node.watermark, full=wide))
            if wide:
                cells.append(lag(node.watermark, now))
        if bars:
            inbox = node.kind != "source" and node.chain == node.name
            cells.append(_fill(node.queue_fill, 8 if wide else 5) if inbox else "")
            cells.append(_bar(shares, 20 if wide else 12))
        cells.append(percent(shares["busy"]))
        if wide:
            cells += [percent(shares["blocked"]), percent(shares["starved"])]
        if late:
            cells.append(Text(short(node.late_rows) if node.late_rows else "", style="yellow"))
        if dead:
            cells.append(Text(short(node.dead_letters) if node.dead_letters else "", style="yellow"))
        if kept:
            cells.append("" if node.state is None else spelled_bytes(node.state.bytes))
        table.add_row(*cells)
    if folded:
        busiest = max(folded, key=lambda node: node.share(node.busy))
        table.add_row(
            Text(f"… and {len(folded)} more", style="dim"),
            *[""] * (2 + timed + (timed and wide) + 2 * bars),
            Text(percent(busiest.share(busiest.busy)), style="dim"),
        )  # fmt: skip
    return table


def _fold(nodes: list[NodeStats], room: int) -> tuple[list[NodeStats], list[NodeStats]]:
    """The nodes to show, in their order, and those that are left over when the room is for fewer.

    Sources and sinks come first, then what was busiest over the whole run: that changes slowly, so lines keep
    their place.
    """
    if len(nodes) <= room:
        return nodes, []
    rank = {"source": 2, "sink": 2, "operator": 1, "router": 0}
    order = sorted(nodes, key=lambda node: (rank[node.kind], node.busy), reverse=True)
    kept = {node.name for node in order[: max(0, room - 1)]}
    return [node for node in nodes if node.name in kept], [node for node in nodes if node.name not in kept]


def _recent_shares(node: NodeStats, before: NodeStats | None) -> dict[str, float]:
    if before is None or node.alive <= before.alive:
        return {name: node.share(getattr(node, name)) for name, _, _ in _TIMES}
    alive = node.alive - before.alive
    return {name: share(getattr(node, name) - getattr(before, name), alive) for name, _, _ in _TIMES}


def _bar(shares: dict[str, float], width: int) -> Text:
    """Where the time went, as a bar: largest remainders, so that the parts add up to the width at most."""
    sizes = {name: shares[name] * width for name, _, _ in _TIMES}
    cells = {name: int(size) for name, size in sizes.items()}
    room = min(width, round(sum(sizes.values()))) - sum(cells.values())
    for name in sorted(sizes, key=lambda name: sizes[name] - cells[name], reverse=True)[: max(0, room)]:
        cells[name] += 1
    bar = Text()
    for name, glyph, style in _TIMES:
        bar.append(glyph * cells[name], style=style)
    bar.truncate(width)
    return bar


def _fill(fill: float, width: int) -> Text:
    steps = " ▏▎▍▌▋▊▉█"
    eighths = round(max(0.0, min(1.0, fill)) * width * 8)
    text = "█" * (eighths // 8) + (steps[eighths % 8] if eighths % 8 else "")
    return Text(text.ljust(width, "·"), style="red" if fill >= 0.9 else "cyan")


def _legend(width: int) -> Text:
    legend = Text("time: ", style="dim")
    for name, glyph, style in _TIMES:
        legend.append(f"{glyph} ", style=style).append(f"{name}  ")
    if width >= 75:
        legend.append("Ctrl-C: stop reading and finish")
    return legend
