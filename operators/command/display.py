"""The live display: a header and a line a node, drawn from the stats of a run that goes on.

Drawn on standard error only, so that what a run writes to standard output stays whole.
"""

from __future__ import annotations

import io
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self, TextIO

import attrs
from rich.console import Console, Group, JustifyMethod, RenderableType
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

_BUSY = "busy"
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


@attrs.frozen
class _Line:
    """A node as a line of the display.

    Attributes:
        node: its numbers so far.
        rows: that it has read, where it is a source, or taken in.
        per_second: such rows lately, as text.
        shares: of its time lately, by what it went to.
    """

    node: NodeStats
    rows: int
    per_second: str
    shares: Mapping[str, float]


def _line(node: NodeStats, before: NodeStats | None, seconds: float) -> _Line:
    rows, rows_before = (
        0 if each is None else each.rows_out if node.kind == "source" else each.rows_in for each in (node, before)
    )
    lately = short(max(0, rows - rows_before) / seconds) if seconds > 0 else ""
    return _Line(node, rows, lately, _recent_shares(node, before))


@attrs.frozen
class _Column:
    heading: str
    width: int
    cell: Callable[[_Line], RenderableType]
    justify: JustifyMethod = "right"


def _counted(count: int) -> Text:
    return Text(short(count) if count else "", style="yellow")


def _columns(stats: RunStats, width: int, now: int) -> list[_Column]:
    """The columns beside the nodes' names that there is room for."""
    wide = width >= WIDE
    nodes = stats.nodes.values()
    columns = [
        _Column("rows/s", 6, lambda line: line.per_second),
        _Column("rows", 6, lambda line: short(line.rows)),
    ]
    if width >= 70 and any(node.watermark not in (BEFORE_ALL, AFTER_ALL) for node in nodes):
        heading, size = ("watermark (UTC)", 19) if wide else ("watermark", 16)
        columns.append(_Column(heading, size, lambda line: watermark(line.node.watermark, full=wide), "left"))
        if wide:
            columns.append(_Column("lag", 6, lambda line: lag(line.node.watermark, now)))
    if width >= 50:
        queue, bar = (8, 20) if wide else (5, 12)
        columns.append(_Column("queue", queue, lambda line: _queue(line.node, queue), "left"))
        columns.append(_Column("time", bar, lambda line: _bar(line.shares, bar), "left"))
    columns.append(_Column(_BUSY, 4, lambda line: percent(line.shares["busy"])))
    if wide:
        columns.append(_Column("blocked", 7, lambda line: percent(line.shares["blocked"])))
        columns.append(_Column("starved", 7, lambda line: percent(line.shares["starved"])))
    if any(node.late_rows for node in nodes):
        columns.append(_Column("late", 5, lambda line: _counted(line.node.late_rows)))
    if any(node.dead_letters for node in nodes):
        columns.append(_Column("dead", 5, lambda line: _counted(line.node.dead_letters)))
    longest = max((len(node.name) for node in nodes), default=0)
    if any(node.state for node in nodes) and _room(columns, width) - _STATE > min(_NAMED, longest):
        columns.append(_Column("state", _STATE, _state))
    return columns


def _room(columns: Sequence[_Column], width: int) -> int:
    """What columns leave to the names of nodes."""
    return width - sum(column.width + 1 for column in columns)


def _queue(node: NodeStats, width: int) -> RenderableType:
    return _fill(node.queue_fill, width) if node.kind != "source" and node.chain == node.name else ""


def _state(line: _Line) -> str:
    return "" if line.node.state is None else spelled_bytes(line.node.state.bytes)


def _nodes(
    stats: RunStats, before: RunStats, shown: list[NodeStats], folded: list[NodeStats], width: int, now: int
) -> Table:
    columns = _columns(stats, width, now)
    room = max(8, _room(columns, width))
    table = Table(box=None, expand=True, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("node", ratio=1, min_width=8, no_wrap=True, overflow="ellipsis")
    for column in columns:
        table.add_column(column.heading, justify=column.justify, no_wrap=True, width=column.width)
    for node in shown:
        line = _line(node, before.nodes.get(node.name), stats.seconds - before.seconds)
        name = Text(cut(node.name, room), style="dim" if node.kind == "router" else "")
        table.add_row(name, *(column.cell(line) for column in columns))
    if folded:
        busiest = max(folded, key=lambda node: node.share(node.busy))
        busy = Text(percent(busiest.share(busiest.busy)), style="dim")
        more = Text(f"… and {len(folded)} more", style="dim")
        table.add_row(more, *(busy if column.heading == _BUSY else "" for column in columns))
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


def _bar(shares: Mapping[str, float], width: int) -> Text:
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
