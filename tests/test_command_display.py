import io
import sys

import attrs
import pytest
import structlog
from rich.console import Console, RenderableType

from flow.errors import StepError
from flow.metrics import RunStats, StateStats
from flow.operator import Kept
from flow.schema import AFTER_ALL, BEFORE_ALL
from operators.command.closing import closing_report, failures
from operators.command.display import LiveDisplay, board
from operators.command.figures import cut, lag, percent, short, span, watermark
from operators.command.run import _LogLines
from tests.made_stats import node, run_of

TIME = 1_700_000_000_000_000  # 2023-11-14 22:13:20


def text_of(drawn: RenderableType, width: int) -> list[str]:
    console = Console(width=width, file=io.StringIO(), force_terminal=False)
    console.print(drawn)
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined]


def at(seconds: float, nodes: int = 0, **bars: object) -> RunStats:
    rows = int(seconds * 1_000_000)
    return run_of(
        node("trades", "source", busy=0.25, blocked=0.5, rows_out=rows, instances=2, watermark=TIME, seconds=seconds),
        node("by_symbol", "router", chain="trades", rows_in=rows, rows_out=rows, seconds=seconds),
        node("bars", busy=0.5, queued=0.25, rows_in=rows, queue_fill=0.5, watermark=TIME, seconds=seconds, **bars),
        *(node(f"more_{number}", busy=number / 100, seconds=seconds) for number in range(nodes)),
        node("out", "sink", starved=1.0, rows_in=7, seconds=seconds),
        seconds=seconds,
    )


def drawn(stats: RunStats, before: RunStats, width: int, height: int = 24) -> list[str]:
    return text_of(board(stats, before, width, height, TIME + 1_500_000), width)


def test_the_display_at_80_columns() -> None:
    assert drawn(at(10), at(9), 80) == [
        "made  prefetched                                         0.5 of 2 cores · 10.0 s",
        "1.00M rows/s  average 1.00M                                10.0M rows in → 7 out",
        "node                      rows/s   rows watermark        queue time         busy",
        "trades                     1.00M  10.0M 2023-11-14 22:13       ███▒▒▒▒▒▒     25%",
        "by_symbol                  1.00M  10.0M —                                     0%",
        "bars                       1.00M  10.0M 2023-11-14 22:13 ██▌·· ██████▓▓▓     50%",
        "out                            0      7 —                ····· ············   0%",
        "time: █ busy  ▓ queued  ▒ blocked  · starved  Ctrl-C: stop reading and finish",
    ]


def test_the_display_at_120_columns_has_the_numbers_behind_the_bars() -> None:
    lines = drawn(at(10, late_rows=1234, dead_letters=2), at(9), 120)
    headings = "node rows/s rows watermark (UTC) lag queue time busy blocked starved late dead"
    assert lines[2].split() == headings.split()
    assert "loop 5%" in lines[0]
    assert "1,234 late  2 dead letters" in lines[1]
    assert "2023-11-14 22:13:20   1.5s" in lines[5]
    assert lines[5].split()[-5:] == ["50%", "0%", "0%", "1,234", "2"]


def state(most: int, growth: str = "keys", rows: int | None = 1_234) -> StateStats:
    return StateStats(Kept("one entry a key", growth, "use windows"), rows, most // 2, rows, most)  # type: ignore[arg-type]


def test_the_size_of_state_is_shown_where_names_have_room() -> None:
    for name, width, shown in (("x", 50, False), ("x", 80, True), ("x" * 30, 80, False), ("x" * 30, 100, True)):
        stats = at(10, state=state(24_600_000))
        long = attrs.evolve(stats, nodes={**stats.nodes, name: node(name)})
        lines = drawn(long, at(9), width)
        assert lines[2].endswith(" state") == shown
        assert lines[5].endswith("12.3 MB") == shown
    ended = run_of(node("bars", watermark=AFTER_ALL, state=state(2_000)))
    assert drawn(ended, ended, 80)[2].split() == ["node", "rows/s", "rows", "queue", "time", "busy", "state"]


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
@pytest.mark.parametrize("height", [6, 12, 24, 50])
def test_the_display_fits_the_terminal(width: int, height: int) -> None:
    lines = drawn(at(10, nodes=30, late_rows=5, state=state(5)), at(9), width, height)
    assert len(lines) <= height
    assert max(map(len, lines)) <= width
    assert any(line.startswith("…") for line in lines) == (height < 40)


def test_of_too_many_nodes_ends_and_busy_ones_are_shown_in_order() -> None:
    names = [line.split()[0] for line in drawn(at(10, nodes=30), at(9), 80, 12)[3:-1]]
    assert names == ["trades", "bars", "more_27", "more_28", "more_29", "out", "…"]


def test_without_event_time_there_is_no_watermark() -> None:
    ended = run_of(node("in", "source", watermark=AFTER_ALL), node("out", "sink", watermark=BEFORE_ALL))
    assert "watermark" not in drawn(ended, ended, 120)[2]


def test_shares_are_of_what_came_since() -> None:
    before = run_of(node("bars", busy=1.0, seconds=10), seconds=10)
    after = run_of(attrs.evolve(before.nodes["bars"], alive=11.0, starved=1.0), seconds=11)
    (line,) = [line for line in drawn(after, before, 120) if line.startswith("bars")]
    assert line.split()[-3:] == ["0%", "0%", "100%"]


@pytest.mark.parametrize("seconds", [0.0, 10.0])
def test_a_run_that_has_not_begun_can_be_drawn(seconds: float) -> None:
    empty = run_of(seconds=seconds)
    assert drawn(empty, empty, 80)
    assert text_of(closing_report(empty, 80), 80)


def test_the_terminal_is_given_back_as_it_was() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=80, height=24)

    def interrupted() -> None:
        with LiveDisplay(console) as display:
            display(at(1))
            display(at(2))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    written = console.file.getvalue()  # type: ignore[attr-defined]
    assert written.count("\x1b[?25l") == written.count("\x1b[?25h") == 1
    assert written.rindex("\x1b[?25h") > written.rindex("\x1b[?25l")
    assert "trades" in written


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_what_is_printed_meanwhile_scrolls_past_above(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    with LiveDisplay(Console(file=terminal, width=80, height=24)) as display:
        display(at(1))
        Console().print("[red]a row[/] of the result")
        print("half a line", end="")
        shown = terminal.getvalue()
        display(at(2))
    assert sys.stdout is terminal
    assert "\x1b[31ma row\x1b[0m of the result" in shown
    assert "half a line" not in shown
    assert "half a line" in terminal.getvalue()


def test_what_goes_elsewhere_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = io.StringIO()
    monkeypatch.setattr(sys, "stdout", pipe)
    with LiveDisplay(Console(file=Terminal(), width=80, height=24)) as display:
        display(at(1))
        print("a row")
        assert sys.stdout is pipe
    assert pipe.getvalue() == "a row\n"


def test_the_closing_report_says_where_the_time_went() -> None:
    lines = text_of(closing_report(at(10, late_rows=3), 80), 80)
    assert lines[0] == "made finished after 10.0 s"
    assert lines[1] == "10,000,000 rows in, 7 rows out, 1,000,000 rows/s"
    assert lines[2] == "3 late, 0 dead letters, 0 skipped; 0.5 of 2 cores used, event loop 5% busy"
    table = lines[lines.index("") + 1 :]
    assert table[0].split() == ["node", "rows", "in", "rows", "out", "busy", "queued", "starved", "blocked", "late"]
    assert table[1].split() == ["trades", "2", "readers", "0", "10.0M", "25%", "0%", "0%", "50%", "0"]
    assert table[3].split() == ["bars", "1", "partition", "10.0M", "0", "50%", "25%", "0%", "0%", "3"]
    assert any(line.startswith("`bars` limits the run:") for line in lines)
    assert any(line.startswith("To try: ") for line in lines)


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ("drained", "made drained after 10.0 s: it stopped early, and all that was read is written"),
        ("aborted", "made was aborted after 10.0 s: not all that was read is written"),
        ("failed", "made failed after 10.0 s"),
    ],
)
def test_the_closing_report_says_how_it_ended(outcome: str, words: str) -> None:
    stats = attrs.evolve(at(10), outcome=outcome)
    assert text_of(closing_report(stats, 80), 80)[0] == words


def test_the_closing_report_says_how_large_state_was() -> None:
    lines = text_of(closing_report(at(10, state=state(12_345_678)), 100), 100)
    place = lines.index("") + 1 + lines[lines.index("") + 1 :].index("") + 1
    assert lines[place].split() == ["state", "at", "most", "rows", "size", "keeps"]
    assert lines[place + 1].rstrip() == "bars           1,234 12.3 MB one entry a key: grows with the keys, for ever"
    assert not any("has taken" in line for line in lines)
    silent = text_of(closing_report(at(10, state=state(2_000, "unknown", None)), 100), 100)
    assert silent[place + 1].split()[:3] == ["bars", "2.00", "kB"]
    assert not any("state at most" in line for line in text_of(closing_report(at(10, state=state(64, rows=0)), 80), 80))


def test_the_closing_report_says_what_to_do_about_large_state_that_grows() -> None:
    lines = text_of(closing_report(at(10, state=state(1_500_000_000)), 100), 100)
    said = "The state of `bars` grows with the keys, for ever: it has taken 1.50 GB, in 1,234 rows."
    assert [line.rstrip() for line in lines[-2:]] == [said, "To try: use windows."]


@pytest.mark.parametrize("width", [80, 120])
def test_the_closing_report_fits_the_terminal(width: int) -> None:
    stats = at(10, late_rows=3, dead_letters=1, skipped_rows=1, state=state(10**9))
    long = attrs.evolve(stats.nodes["bars"], name="bars_of_every_symbol_and_every_venue_there_is")
    lines = text_of(closing_report(attrs.evolve(stats, nodes={**stats.nodes, "long": long}), width), width)
    table = lines[lines.index("") + 1 :]
    assert max(map(len, lines)) <= width
    assert table[0].split()[-1] == "skipped"
    assert "blocked" in table[0]


def test_a_failure_is_a_block_that_names_its_place() -> None:
    error = StepError("bars", "partition 3", ValueError("no such symbol"), offset=42)
    other = StepError("out", "writer 0", OSError())
    assert text_of(failures([error, other, RuntimeError("what?")], []), 80) == [
        "failed: bars (partition 3, offset 42)",
        "    ValueError: no such symbol",
        "failed: out (writer 0)",
        "    OSError: no message",
        "failed",
        "    RuntimeError: what?",
    ]
    assert text_of(failures([error], ["Traceback\n  here\n"]), 80)[-2:] == ["    Traceback", "      here"]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"), (999, "999"), (9_999, "9,999"), (10_000, "10.0k"), (123_456, "123k"), (999_499, "999k"),
        (999_999, "1.00M"), (12_345_678, "12.3M"), (5e9, "5.00G"), (7e12, "7.00T"), (2.5e15, "2.5P"),
    ],
)  # fmt: skip
def test_short_numbers(number: float, text: str) -> None:
    assert short(number) == text


def test_log_lines_tell_the_size_of_state_and_warn_once() -> None:
    log_lines = _LogLines()
    structlog.reset_defaults()
    with structlog.testing.capture_logs() as logged:
        for seconds in (1.0, 6.0, 12.0):
            log_lines(attrs.evolve(at(seconds, state=state(10**9)), outcome="running"))
    assert [entry["event"] for entry in logged] == ["run started", "state grows", "progress", "progress"]
    assert (logged[1]["node"], logged[1]["log_level"], logged[1]["hint"]) == ("bars", "warning", "use windows")
    assert logged[2]["state_bytes"] == 500_000_000


def test_of_long_names_the_ends_stay() -> None:
    assert [cut(name, 10) for name in ("ten_digits", "flights.hash(origin).before")] == ["ten_digits", "fli…before"]
    assert [len(cut("x" * 50, width)) for width in (1, 2, 8, 49, 50)] == [1, 2, 8, 49, 50]
    long = run_of(node("trades.hash(symbol).aggregate", state=state(10**6)))
    assert drawn(long, long, 60)[3].startswith("trades.…bol).aggregate  ")
    assert any(line.startswith("trades.h…mbol).aggregate ") for line in text_of(closing_report(long, 80), 80))


def test_times_and_shares() -> None:
    assert [span(seconds) for seconds in (0.123, 12.34, 185, 7384)] == ["0.12 s", "12.3 s", "3:05 min", "2:03:04 h"]
    assert [percent(share) for share in (0, 0.004, 0.915, 1)] == ["0%", "0%", "92%", "100%"]
    assert watermark(TIME) == "2023-11-14 22:13:20"
    assert watermark(TIME, full=False) == "2023-11-14 22:13"
    assert [watermark(time) for time in (BEFORE_ALL, AFTER_ALL, BEFORE_ALL + 1)] == [
        "—",
        "ended",
        f"{BEFORE_ALL + 1} µs",
    ]
    assert [lag(TIME - seconds * 1_000_000, TIME) for seconds in (0, 2, 600, 7200, 90_000, -5)] == [
        "0.0s", "2.0s", "10m", "2h", "", "",
    ]  # fmt: skip
    assert lag(AFTER_ALL, TIME) == ""
