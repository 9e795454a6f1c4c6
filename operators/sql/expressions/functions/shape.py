"""Shapes: what a node of sqlglot's is as a call of one of our functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from operators.sql.grammar.dialect import Tree

Shape = tuple[str, Sequence[Tree | None]]
"""A function's name, and its arguments; those that are None were not given."""


def same(name: str, *keys: str) -> Callable[[Any], Shape]:
    """The arguments of these names, in this order."""
    return lambda node: (name, tuple(node.args.get(key) for key in keys))
