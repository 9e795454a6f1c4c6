"""What work has cost so far, to decide where the next of its kind is done."""

from __future__ import annotations

INLINE = 200_000
"""Nanoseconds up to which work is done on the event loop: about twice what the hop to a thread and back costs."""


class Cost:
    """What work has cost so far, to guess what it will cost next: a running mean of nanoseconds per row."""

    __slots__ = ("_per_row",)

    _FIXED_ROWS = 200

    def __init__(self) -> None:
        self._per_row: float | None = None

    def is_small(self, rows: int) -> bool:
        """Whether work on so many rows is not worth the hop to a thread; unknown work is."""
        return self._per_row is not None and self._per_row * (rows + self._FIXED_ROWS) < INLINE

    def observe(self, rows: int, nanoseconds: int) -> None:
        """Work on so many rows took so long."""
        per_row = nanoseconds / (rows + self._FIXED_ROWS)
        if self._per_row is None or per_row > self._per_row:
            self._per_row = per_row
        else:
            self._per_row += (per_row - self._per_row) / 8
