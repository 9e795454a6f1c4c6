"""Numbers, times and shares as the command line shows them: short, of steady width, the same everywhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flow.schema import AFTER_ALL, BEFORE_ALL

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def short(number: float) -> str:
    """A count in at most six characters: ``999``, ``12.3k``, ``1.24M``."""
    if number < 9_999.5:
        return f"{number:,.0f}"
    for unit in "kMGT":
        number /= 1000
        if number < 999.5:
            digits = 2 if number < 9.995 else 1 if number < 99.95 else 0
            return f"{number:.{digits}f}{unit}"
    return f"{number / 1000:.3g}P"


def cut(name: str, width: int) -> str:
    """A name in at most so many characters: of long ones the middle is left out, since their ends tell them apart."""
    if len(name) <= width:
        return name
    end = max(0, width - 1) * 2 // 3
    return f"{name[: max(0, width - 1 - end)]}…{name[len(name) - end :]}"


def percent(share: float) -> str:
    """A share of 0..1 as whole percents."""
    return f"{share * 100:.0f}%"


def span(seconds: float) -> str:
    """A length of time: ``0.42 s``, ``12.3 s``, ``3:05 min``, ``2:03:04 h``."""
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"
    hours, rest = divmod(int(seconds), 3600)
    minutes, rest = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{rest:02} h" if hours else f"{minutes}:{rest:02} min"


def watermark(time: int, *, full: bool = True) -> str:
    """A watermark (microseconds) as UTC time, to the second or to the minute."""
    if time == BEFORE_ALL:
        return "—"
    if time == AFTER_ALL:
        return "ended"
    try:
        moment = _EPOCH + timedelta(microseconds=time)
    except OverflowError:
        return f"{time} µs"
    return moment.strftime("%Y-%m-%d %H:%M:%S" if full else "%Y-%m-%d %H:%M")


def lag(time: int, now: int) -> str:
    """How far a watermark is behind the clock (both microseconds); nothing for input that is a day old or more."""
    behind = (now - time) / 1_000_000
    if time in (BEFORE_ALL, AFTER_ALL) or not 0 <= behind < 86_400:
        return ""
    return f"{behind:.1f}s" if behind < 100 else f"{behind / 60:.0f}m" if behind < 6000 else f"{behind / 3600:.0f}h"
