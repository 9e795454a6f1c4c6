"""How large the state of a partition is, and was at most: looked at now and then, and when somebody asks."""

from __future__ import annotations

from collections.abc import Iterable

import attrs
import structlog

from flow.layout import Step
from flow.metrics import StateStats
from flow.operator import Kept, Measured

log = structlog.get_logger("penstock")


def kept_by(step: Step) -> Kept | None:
    """What the partitions of a step keep; None where it is no operator, or one that keeps nothing."""
    return None if step.operator is None else step.operator.keeps(step.inputs)


@attrs.frozen
class Size:
    """How many entries, where that is said, and bytes."""

    rows: int | None = None
    bytes: int = 0


class StateMeter:
    """Looks at the state of one partition.

    Attributes:
        kept: what the partition keeps; None: nothing, and there is nothing to look at.
        most: the largest size that its own task has seen.
    """

    def __init__(self, step: Step) -> None:
        self.kept = kept_by(step)
        self.most = Size()
        self._step = step.name
        self._partition: Measured | None = None
        self._last = Size()
        self._told = False

    def begin(self, partition: Measured) -> None:
        """The partition was opened."""
        if self.kept is not None:
            self._partition = partition

    def look(self) -> None:
        """See how large the state is now; for the task that owns the partition."""
        if self._partition is None:
            return
        try:
            self._last = _size_of(self._partition)
        except Exception as error:
            if not self._told:
                self._told = True
                log.warning(
                    "the size of the state is not known", node=self._step, error=f"{type(error).__name__}: {error}"
                )
            return
        self.most = _larger(self.most, self._last)

    def end(self) -> None:
        """Nothing more comes in: the state is about to be given out, and not looked at again."""
        self.look()
        self._partition = None

    def now(self) -> Size:
        """How large the state is, or was before its input ended; for anybody, at any time."""
        if self._partition is None:
            return self._last
        try:
            return _size_of(self._partition)
        except Exception:
            # The partition may be in the middle of a change.
            return self._last


def _size_of(partition: Measured) -> Size:
    return Size(partition.state_rows(), partition.state_bytes())


def _larger(one: Size, other: Size) -> Size:
    rows = [size.rows for size in (one, other) if size.rows is not None]
    return Size(max(rows, default=None), max(one.bytes, other.bytes))


def state_stats(meters: Iterable[StateMeter]) -> StateStats | None:
    """The state of a node, of all its partitions together; None where it keeps nothing."""
    several = list(meters)
    kept = several[0].kept if several else None
    if kept is None:
        return None
    now = [meter.now() for meter in several]
    most = [_larger(meter.most, size) for meter, size in zip(several, now, strict=True)]
    return StateStats(kept, _rows(now), sum(size.bytes for size in now), _rows(most), sum(size.bytes for size in most))


def _rows(sizes: Iterable[Size]) -> int | None:
    known = [size.rows for size in sizes if size.rows is not None]
    return sum(known) if known else None
