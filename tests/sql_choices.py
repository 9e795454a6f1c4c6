"""Random choices that are kept, so that what came of them can be made again, and made smaller.

The first of what there is to choose from is the simplest: where no choices are left to repeat, it is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


class Choices:
    """Choices made by chance, or, without it, those that are given.

    Attributes:
        made: the choices so far.
    """

    def __init__(self, chance: Random | None = None, given: Sequence[int] = ()) -> None:
        self._chance = chance
        self._given = given
        self.made: list[int] = []

    def below(self, count: int) -> int:
        """A number from 0."""
        at = len(self.made)
        if self._chance is not None:
            number = self._chance.randrange(count)
        else:
            number = self._given[at] % count if at < len(self._given) else 0
        self.made.append(number)
        return number

    def pick(self, options: Sequence[T]) -> T:
        return options[self.below(len(options))]

    def one_in(self, count: int) -> bool:
        """True once in so many times; what is simplest is False."""
        return self.below(count) == count - 1

    def some(self, options: Sequence[T], least: int, most: int) -> list[T]:
        """So many, each any of the options."""
        return [self.pick(options) for _ in range(least + self.below(most - least + 1))]

    def different(self, options: Sequence[T], least: int, most: int) -> list[T]:
        """So many, no option twice."""
        left = list(options)
        count = min(len(left), least + self.below(most - least + 1))
        return [left.pop(self.below(len(left))) for _ in range(count)]


def smaller_choices(made: list[int], fails: Callable[[list[int]], bool], most: int = 400) -> list[int]:
    """Fewer and lower choices that still fail; tries so many times at most."""
    tries = 0

    def attempt(candidate: list[int]) -> bool:
        nonlocal made, tries
        if tries >= most or candidate == made:
            return False
        tries += 1
        if not fails(candidate):
            return False
        made = candidate
        return True

    before: list[int] | None = None
    while before != made and tries < most:
        before = made
        for size in (16, 8, 4, 2, 1):
            at = 0
            while at < len(made):
                without = made[:at] + made[at + size :]
                zeros = made[:at] + [0] * len(made[at : at + size]) + made[at + size :]
                if not attempt(without) and (not any(made[at : at + size]) or not attempt(zeros)):
                    at += size
        for at in range(len(made)):
            if at < len(made) and made[at] > 1:
                attempt([*made[:at], made[at] // 2, *made[at + 1 :]])
    return made


def smaller_list(items: list[T], fails: Callable[[list[T]], bool], most: int = 300) -> list[T]:
    """A part of the items that still fails; tries so many times at most."""
    tries = 0
    size = max(1, len(items) // 2)
    while size and tries < most:
        at, shrunk = 0, False
        while at < len(items) and tries < most:
            tries += 1
            candidate = items[:at] + items[at + size :]
            if fails(candidate):
                items, shrunk = candidate, True
            else:
                at += size
        size = size if shrunk else size // 2
    return items
