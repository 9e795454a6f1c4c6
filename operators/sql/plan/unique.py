"""Unique keys: sets of columns of which no two rows of a plan's result have the same values, at the end of any batch.

What is said here is certain, if what tables declare is; of nodes that it does not know it says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import pyarrow as pa

from operators.expressions import Call, Column, Expression, Literal
from operators.sql.plan import nodes as p
from operators.sql.plan.operators import schema_of

Key = frozenset[str]

_MOST: Final = 8
"""Keys that are kept of a node; joins multiply them."""


def unique_keys(plan: p.Plan) -> tuple[tuple[str, ...], ...]:
    """The least unique keys of a plan, each in the order of its columns; an empty one means at most one row."""
    names = schema_of(plan).names
    return tuple(tuple(sorted(key, key=names.index)) for key in _least(_Keys().of(plan)))


def _least(keys: Iterable[Key]) -> list[Key]:
    """The keys that contain no other, the shortest first."""
    found: list[Key] = []
    for key in sorted(set(keys), key=lambda key: (len(key), sorted(key))):
        if not any(other <= key for other in found):
            found.append(key)
    return found[:_MOST]


class _Keys:
    """The keys of the parts of a plan, each found once."""

    def __init__(self) -> None:
        self._known: dict[int, list[Key]] = {}

    def of(self, plan: p.Plan) -> list[Key]:
        if id(plan) not in self._known:
            self._known[id(plan)] = _least(self._found(plan))
        return self._known[id(plan)]

    def _found(self, plan: p.Plan) -> list[Key]:
        match plan:
            case p.Scan():
                return [frozenset(key) for key in plan.keys]
            case p.Values():
                return _of_values(plan.table)
            case p.Filter():
                fixed = _fixed(plan.predicate)
                return [key - fixed for key in self.of(plan.input)]
            case p.Project():
                return _projected(self.of(plan.input), plan.columns)
            case p.AssignWindows():
                hops = () if plan.slide >= plan.size else p.WINDOW_COLUMNS[:1]
                return [key.union(hops) for key in self.of(plan.input)]
            case p.Aggregate():
                keys = [frozenset(plan.keys)]
                if plan.window is None:
                    return [*keys, *(key for key in self.of(plan.input) if key <= keys[0])]
                return [keys[0] | {bound} for bound in p.WINDOW_COLUMNS]
            case p.Distinct():
                return [*self.of(plan.input), frozenset(schema_of(plan).names)]
            case p.Join():
                return self._joined(plan)
            case p.SetOperation():
                whole = [] if plan.all else [frozenset(schema_of(plan).names)]
                return [*whole, *self.of(plan.left), *self._of_right(plan)]
            case p.TopN():
                keys = [frozenset(plan.keys)] if plan.limit == 1 and not plan.offset else []
                numbered = [] if plan.rank is None else [frozenset((*plan.keys, plan.rank))]
                return [*self.of(plan.input), *keys, *numbered]
            case p.AwaitCalls() | p.OnlyRow():
                return self._kept(plan, plan.input)
            case p.Unnest() if plan.ordinality is not None:
                return [key | {plan.ordinality} for key in self._kept(plan, plan.input)]
        return []

    def _kept(self, plan: p.Plan, source: p.Plan) -> list[Key]:
        """The keys of what a node is made of, whose columns it still has."""
        names = frozenset(schema_of(plan).names)
        return [key for key in self.of(source) if key <= names]

    def _of_right(self, plan: p.SetOperation) -> list[Key]:
        """The keys of the right side of an intersection, whose rows are both sides'."""
        if plan.kind != "intersect":
            return []
        names = dict(zip(schema_of(plan.right).names, schema_of(plan.left).names, strict=True))
        return [frozenset(names[name] for name in key) for key in self.of(plan.right)]

    def _joined(self, plan: p.Join) -> list[Key]:
        left, right = self.of(plan.left), self.of(plan.right)
        if plan.kind in ("semi", "anti"):
            return left if plan.gives is None else [key for key in left if key <= {*plan.gives}]
        if plan.kind == "full":
            # Two rows without partner may differ in nothing but which side is NULL.
            return []
        one_left = any(key <= {name for name, _ in plan.keys} for key in left)
        one_right = any(key <= {name for _, name in plan.keys} for key in right)
        found = [one | other for one in left for other in right]
        if one_right and plan.kind in ("inner", "left"):
            found += left
        if one_left and plan.kind in ("inner", "right"):
            found += right
        return found if plan.gives is None else [key for key in found if key <= {*plan.gives}]


def _fixed(predicate: Expression) -> Key:
    """The columns that have one value in all rows for which a condition is true."""
    match predicate:
        case Call("and", parts):
            return frozenset().union(*map(_fixed, parts))
        case Call("=", (Column(name), Literal()) | (Literal(), Column(name))):
            return frozenset((name,))
    return frozenset()


def _projected(keys: Iterable[Key], columns: Iterable[tuple[str, Expression]]) -> list[Key]:
    names: dict[str, str] = {}
    for name, value in columns:
        if isinstance(value, Column):
            names.setdefault(value.name, name)
    return [frozenset(names[name] for name in key) for key in keys if key <= names.keys()]


def _of_values(table: pa.Table) -> list[Key]:
    return [frozenset()] if table.num_rows <= 1 else []
