"""Lists of different lengths, gone through without a loop over their items.

Invariant: however large the total, no more than a given number of items is laid out at a time.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from operators.aggregates.columns import IntArray


def spread(lengths: IntArray, most: int) -> Iterator[tuple[IntArray, IntArray]]:
    """Every item of lists of these lengths, list by list, in pieces of at most so many items.

    Returns:
        The list that each item belongs to, ascending, and the item's place in it.
    """
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    begins = ends - lengths
    if total == len(lengths) and total <= most and total and lengths.min() == 1:
        yield np.arange(total), np.zeros(total, np.int64)
        return
    if 0 < total <= most:
        yield np.repeat(np.arange(len(lengths)), lengths), np.arange(total) - np.repeat(begins, lengths)
        return
    for low in range(0, total, most):
        high = min(total, low + most)
        first, last = np.searchsorted(ends, [low, high - 1], "right").tolist()
        begin = begins[first : last + 1]
        parts = np.minimum(ends[first : last + 1], high) - np.maximum(begin, low)
        yield np.repeat(np.arange(first, last + 1), parts), np.arange(low, high) - np.repeat(begin, parts)


def sorted_order(numbers: IntArray) -> tuple[IntArray, IntArray]:
    """A stable order in which the numbers (from 0 on) ascend, and the numbers in it.

    Number and place in one word sort several times faster than an `argsort`, as long as both fit.
    """
    if (numbers[1:] >= numbers[:-1]).all():
        return np.arange(len(numbers)), numbers
    bits = len(numbers).bit_length()
    if len(numbers) and int(numbers.max()).bit_length() + bits > 62:
        order = np.argsort(numbers, kind="stable")
        return order, numbers[order]
    packed = (numbers << bits) | np.arange(len(numbers))
    packed.sort()
    return packed & ((1 << bits) - 1), packed >> bits
