"""Where rows come from, for whoever has to look for what is wrong with one.

Invariant: every row comes from one of the stretches of its `Origins`, unless these say that it may come from rows
before them or from other splits. Stretches are told of, not rows: one read makes one of them, however many its rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import attrs

MOST: Final = 8
"""Stretches that are kept apart; of the others it is only said that there were some."""

_TOLD: Final = 3
_UNMERGED: Final = 32


@attrs.frozen
class Stretch:
    """Rows of one split that were read one after the other.

    Attributes:
        source: name of the source's node.
        split: the split's id.
        start: the offset before the rows; None where it is not known.
        end: the offset after them, from which a reader would go on; None where the split has no offsets.
        first: number of the first read, in the order in which the split was read.
        last: number of the last one.
    """

    source: str
    split: str
    start: Any = None
    end: Any = None
    first: int = 0
    last: int = 0

    def joined(self, other: Stretch) -> Stretch:
        """The least stretch of the same split that has both in it."""
        if self is other:
            return self
        low = self if self.first <= other.first else other
        high = self if self.last >= other.last else other
        return Stretch(self.source, self.split, low.start, high.end, low.first, high.last)

    def told(self, node: str, *, kept: bool) -> str:
        """In words; the source is named unless it is the node itself."""
        split = f"split {self.split!r}" + (f" of {self.source!r}" if self.source != node else "")
        if self.end is None:
            return split
        if kept or self.start is None:
            return f"at or before offset {self.end} of {split}"
        if self.start == self.end:
            return f"offset {self.end} of {split}"
        return f"offsets {self.start} to {self.end} of {split}"

    def described(self, *, kept: bool) -> dict[str, Any]:
        """As a JSON object."""
        place = {"source": self.source, "split": self.split}
        if self.end is None:
            return place
        if kept or self.start is None:
            return {**place, "at_or_before": self.end}
        return {**place, "from": self.start, "to": self.end}


@attrs.frozen
class Origins:
    """Where rows come from.

    Attributes:
        stretches: at most `MOST`, the latest last.
        kept: whether the rows may come from what was read before the stretches: they have been in somebody's state.
        others: whether the rows may come from other splits as well.
    """

    stretches: tuple[Stretch, ...] = ()
    kept: bool = False
    others: bool = False

    @property
    def offset(self) -> Any:
        """The offset after the rows, where they come from one split."""
        return self.stretches[0].end if len(self.stretches) == 1 and not self.others else None

    def told(self, node: str = "", offset: Any = None) -> str:
        """In words, for an error of a node, in which a row's own offset may be known; empty where nothing is known."""
        if offset is not None:
            if not self._split:
                return f"offset {offset}"
            source, split = self._split
            return Stretch(source, split, offset, offset).told(node, kept=False)
        told = [stretch.told(node, kept=self.kept) for stretch in self.stretches[-_TOLD:]]
        more = len(self.stretches) - len(told)
        if more or (self.others and told):
            told.append(f"{more} other splits" if more and not self.others else "other splits")
        return ", or ".join(told)

    def described(self, offset: Any = None) -> Any:
        """For JSON: an object for a split, a list where there are several, None where nothing is known."""
        if offset is not None:
            return {**dict(zip(("source", "split"), self._split, strict=False)), "offset": offset}
        described: list[Any] = [stretch.described(kept=self.kept) for stretch in self.stretches]
        if self.others:
            described.append("other splits")
        if not described:
            return None
        return described if len(described) > 1 else described[0]

    @property
    def _split(self) -> tuple[str, ...]:
        return (self.stretches[0].source, self.stretches[0].split) if len(self.stretches) == 1 else ()


NOWHERE: Final = Origins()


def gathered(many: Sequence[Origins], *, kept: bool = False) -> Origins:
    """The origins of rows that were put together, and may have been kept since."""
    if len(many) == 1 and many[0].kept >= kept:
        return many[0]
    met: dict[tuple[str, str], Stretch] = {}
    others = False
    for origins in many:
        kept |= origins.kept
        others |= origins.others
        for stretch in origins.stretches:
            split = stretch.source, stretch.split
            before = met.pop(split, None)
            met[split] = stretch if before is None else before.joined(stretch)
    return Origins(tuple(met.values())[-MOST:], kept, others or len(met) > MOST)


class Trace:
    """Where the rows come from that one instance of a chain is working on; what is put together is merged when asked.

    Args:
        remembers: whether somebody will ask for where all rows so far came from.
    """

    def __init__(self, *, remembers: bool = True) -> None:
        self._remembers = remembers
        self._present: Sequence[Origins] = ()
        self._met: list[Origins] = []

    def begin(self, many: Sequence[Origins]) -> None:
        """What is worked on next comes from there."""
        self._present = many
        if self._remembers:
            self._met.extend(many)
            if len(self._met) > _UNMERGED:
                self._met = [gathered(self._met)]

    @property
    def present(self) -> Origins:
        """Where the rows come from that are worked on, or were last."""
        if len(self._present) != 1:
            self._present = (gathered(self._present),)
        return self._present[0]

    @property
    def past(self) -> Origins:
        """Where all rows so far come from."""
        if len(self._met) != 1 or not self._met[0].kept:
            self._met = [gathered(self._met, kept=True)]
        return self._met[0]
