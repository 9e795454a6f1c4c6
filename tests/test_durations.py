"""Durations as people write them, there and back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow import SettingsError
from flow.durations import microseconds, spelled


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        ("2s", 2_000_000),
        ("500ms", 500_000),
        ("7us", 7),
        ("1 minute", 60_000_000),
        ("1h 30m", 5_400_000_000),
        ("1h30min", 5_400_000_000),
        ("2 Days", 172_800_000_000),
        ("1 week", 604_800_000_000),
        ("1.5 s", 1_500_000),
        (" 3 seconds ", 3_000_000),
        (2, 2_000_000),
        (0.25, 250_000),
        (0, 0),
        (timedelta(minutes=1, microseconds=3), 60_000_003),
    ],
)
def test_microseconds(duration: Any, expected: int) -> None:
    assert microseconds(duration) == expected


@pytest.mark.parametrize("duration", ["", "  ", "2", "s", "2 parsecs", "2s and a bit", "-2s", "1h 30", "1..5s"])
def test_what_is_no_duration_is_refused(duration: str) -> None:
    with pytest.raises(SettingsError, match=r"is no duration; write for example '2s', '500ms'"):
        microseconds(duration)


@pytest.mark.parametrize(
    ("duration", "expected"),
    [(2_000_000, "2s"), (5_400_000_000, "1h 30m"), (0, "0s"), (86_400_000_001, "1d 1us"), (1_500, "1ms 500us")],
)
def test_spelled(duration: int, expected: str) -> None:
    assert spelled(duration) == expected


@given(st.integers(0, 10**15))
@settings(max_examples=100, deadline=None)
def test_there_and_back(duration: int) -> None:
    assert microseconds(spelled(duration)) == duration
