"""Aggregates of which a join asks for few groups: a semi join below them drops the rows of all others.

A subquery that names outer columns is an aggregate by those columns, joined to the outer rows. Where conditions leave
few of these, most groups are for nobody: the aggregate gets only rows of the keys that are asked for. That is done
where the keys come from rows that are never taken back, and where the sizes of tables say that it is worth it.
"""

from __future__ import annotations

from typing import Final

import attrs

from operators.expressions import Column
from operators.sql.optimising.join_order import size_known
from operators.sql.optimising.rewrite import Rewrite
from operators.sql.optimising.sharing import used_twice
from operators.sql.plan import nodes as p
from operators.sql.plan.operators import schema_of

_FEW: Final = 4
"""A join asks for few groups where it leaves no more than one in so many keys."""

_ASKS_RIGHT: Final = ("inner", "left", "semi", "anti")
_ASKS_LEFT: Final = ("inner", "right")


def asked_for(plan: p.Plan) -> p.Plan:
    """The plan in which aggregates compute the groups that are asked for."""
    return _Asking(used_twice(plan)).of(plan)


class _Asking(Rewrite):
    def __init__(self, shared: frozenset[int]) -> None:
        super().__init__()
        self._shared = shared

    def _rewritten(self, plan: p.Plan) -> p.Plan:
        return self._over_parts(self._with_few(plan) if isinstance(plan, p.Join) and plan.keys else plan)

    def _with_few(self, join: p.Join) -> p.Join:
        """A join of which one side computes few groups, where that is to be had: the left rather than the right."""
        left, right = ([pair[side] for pair in join.keys] for side in (0, 1))
        if join.kind in _ASKS_LEFT:
            few = self._few(join.left, left, join.right, right, join)
            if few is not None:
                return attrs.evolve(join, left=few)
        few = self._few(join.right, right, join.left, left, join) if join.kind in _ASKS_RIGHT else None
        return join if few is None else attrs.evolve(join, right=few)

    def _few(self, part: p.Plan, keys: list[str], other: p.Plan, names: list[str], join: p.Join) -> p.Plan | None:
        """One side of a join, whose aggregate computes few groups; None where there is none, or nothing to gain.

        Args:
            part: the side.
            keys: its columns that must be equal to the other's.
            other: the other side.
            names: the other's columns, one for each key.
            join: the join.
        """
        if id(part) in self._shared:
            return None
        match part:
            case p.Filter():
                below = self._few(part.input, keys, other, names, join)
                return None if below is None else attrs.evolve(part, input=below)
            case p.Project():
                columns = dict(part.columns)
                values = zip((columns[key] for key in keys), names, strict=True)
                traced = [(value.name, name) for value, name in values if isinstance(value, Column)]
                below = self._few(part.input, [key for key, _ in traced], other, [name for _, name in traced], join)
                return None if below is None else attrs.evolve(part, input=below)
            case p.Aggregate(window=None):
                asked = [(key, name) for key, name in zip(keys, names, strict=True) if key in part.keys]
                if not asked:
                    return None
                giver, given = _giver(other, [name for _, name in asked])
                if not _is_worth_it(giver, part.input):
                    return None
                pairs = tuple((key, name) for (key, _), name in zip(asked, given, strict=True))
                return attrs.evolve(part, input=p.Join(part.input, giver, "semi", pairs, None, join.null_safe))
        return None


def _giver(plan: p.Plan, names: list[str]) -> tuple[p.Plan, list[str]]:
    """The least part of a plan that has all values of some of its columns, and what they are called there."""
    match plan:
        case p.Project():
            columns = [dict(plan.columns)[name] for name in names]
            if all(isinstance(column, Column) for column in columns):
                return _giver(plan.input, [column.name for column in columns if isinstance(column, Column)])
        case p.Join(kind="inner" | "left"):
            if set(names) <= set(schema_of(plan.left).names):
                return _giver(plan.left, names)
            if plan.kind == "inner" and set(names) <= set(schema_of(plan.right).names):
                return _giver(plan.right, names)
    return plan, names


def _is_worth_it(giver: p.Plan, rows: p.Plan) -> bool:
    """Whether so few keys are asked for that looking rows up costs less than their groups."""
    if schema_of(giver).changelog:
        return False
    asked, given = size_known(giver), size_known(rows)
    return asked is not None and given is not None and asked.rows * _FEW <= asked.all and asked.rows <= given.rows
