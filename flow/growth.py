"""State that grows without bound and has grown large: one sentence that names it, and what to do.

Pure: every number that is said comes from the stats.
"""

from __future__ import annotations

from typing import Final

import attrs

from flow.memory import spelled_bytes
from flow.metrics import RunStats, StateStats

LARGE: Final = 250_000_000
"""Bytes from which on the state of a node is worth a word, where it may grow for ever."""


@attrs.frozen
class Growth:
    """A state that grows without bound, and is large.

    Attributes:
        node: whose state it is.
        sentence: one sentence for people.
        hint: what could be tried.
    """

    node: str
    sentence: str
    hint: str


def growing(stats: RunStats) -> Growth | None:
    """The largest of the states that grow for ever, where it has grown large."""
    states = [
        (node.name, node.state)
        for node in stats.nodes.values()
        if node.state is not None and node.state.kept.growth in ("keys", "rows") and node.state.most_bytes >= LARGE
    ]
    if not states:
        return None
    name, state = max(states, key=lambda each: each[1].most_bytes)
    return Growth(name, f"The state of `{name}` {state.kept.grows}: it has taken {_most(state)}.", state.kept.advice)


def _most(state: StateStats) -> str:
    size = spelled_bytes(state.most_bytes)
    return size if state.most_rows is None else f"{size}, in {state.most_rows:,} rows"
