"""Texts cut at the matches of a regular expression: its parts, matches between what is not, in one flat array.

All of it is Arrow's and NumPy's work: a replacement marks the matches, and the text is split at the marks.
"""

from __future__ import annotations

from typing import Final

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_MARKS: Final = [chr(code) for code in (*range(1, 9), *range(0xE000, 0xE010))]
"""Characters that text hardly ever has: what is not in the text at hand can mark places in it."""


@attrs.frozen
class Pieces:
    """Texts cut at the matches of an expression.

    Attributes:
        parts: of all rows one after another: what is before the first match, the match, what is before the second, ...
        ends: where each row's parts end; a row that is NULL has none.
        valid: which rows are not NULL.
    """

    parts: pa.Array
    ends: NDArray[np.int64]
    valid: pa.Array

    @property
    def starts(self) -> NDArray[np.int64]:
        """Where each row's parts begin."""
        starts: NDArray[np.int64] = np.concatenate(([0], self.ends))[:-1].astype(np.int64)
        return starts

    @property
    def counts(self) -> NDArray[np.int64]:
        """The number of matches of each row."""
        counts: NDArray[np.int64] = np.maximum(self.ends - self.starts - 1, 0) // 2
        return counts

    @property
    def numbers(self) -> NDArray[np.int64]:
        """The place of each part in its row, from 0: matches are odd."""
        return np.arange(len(self.parts)) - np.repeat(self.starts, self.ends - self.starts)

    def match(self, number: int) -> pa.Array:
        """The places of one match of each row among the parts, NULL where there is none."""
        present = self.counts >= number
        return pa.array(np.where(present, self.starts + 2 * number - 1, 0), mask=~present)

    def chosen(self, wanted: NDArray[np.bool_], parts: pa.Array | None = None) -> pa.Array:
        """Some of the parts (or what stands for them) as a list a row."""
        sums = np.concatenate(([0], np.cumsum(wanted)))
        offsets = np.concatenate(([0], sums[self.ends]))
        kept = (self.parts if parts is None else parts).filter(pa.array(wanted))
        return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), kept, mask=pc.invert(self.valid))


def unused_marks(value: pa.Array, count: int) -> list[str]:
    """Characters that are in none of the texts; raises ArrowInvalid where they have them all."""
    found: list[str] = []
    for mark in _MARKS:
        if not pc.any(pc.match_substring(value, mark)).as_py():
            found.append(mark)
            if len(found) == count:
                return found
    raise pa.ArrowInvalid("the text has all kinds of control characters in it")


def cut_at_matches(value: pa.Array, expression: str, shown: str = r"\0", mark: str | None = None) -> Pieces:
    r"""Cut texts at the matches of an expression.

    Args:
        value: the texts.
        expression: in RE2's words.
        shown: what stands for a match, a replacement in which ``\0`` is the match itself.
        mark: a character that is not in the texts (default: one is looked for).
    """
    mark = mark or unused_marks(value, 1)[0]
    marked = pc.replace_substring_regex(value, expression, f"{mark}{shown}{mark}")
    lists = pc.split_pattern(marked, mark)
    sizes = pc.fill_null(pc.list_value_length(lists), 0).to_numpy()
    return Pieces(pc.list_flatten(lists), np.cumsum(sizes, dtype=np.int64), pc.is_valid(value))
