"""Semi joins on their way below inner joins: rows without a partner are dropped before others join them.

A semi join goes down to the side that has its keys, where nothing below the other side takes rows away: else that other
side might have left fewer rows to look at.
"""

from __future__ import annotations

import attrs

from operators.expressions import Column
from operators.sql.optimising.rewrite import Rewrite
from operators.sql.optimising.sharing import used_twice
from operators.sql.plan import nodes as p
from operators.sql.plan.operators import schema_of


def lowered(plan: p.Plan) -> p.Plan:
    """The plan with semi joins as low as they had better be."""
    return _Lowering(used_twice(plan)).of(plan)


class _Lowering(Rewrite):
    def __init__(self, shared: frozenset[int]) -> None:
        super().__init__()
        self._shared = shared

    def _rewritten(self, plan: p.Plan) -> p.Plan:
        if isinstance(plan, p.Join) and plan.kind == "semi" and plan.keys and plan.condition is None:
            return self._below(self.of(plan.left), plan, id(plan.left) in self._shared)
        return self._over_parts(plan)

    def _below(self, left: p.Plan, semi: p.Join, shared: bool) -> p.Plan:
        """The semi join of another left side."""
        keys = {key for key, _ in semi.keys}
        if not shared and isinstance(left, p.Project):
            columns = dict(left.columns)
            sources = {key: columns[key] for key in keys}
            if isinstance(left.input, p.Join) and all(isinstance(each, Column) for each in sources.values()):
                renamed = {key: each.name for key, each in sources.items() if isinstance(each, Column)}
                inner = attrs.evolve(semi, keys=tuple((renamed[one], other) for one, other in semi.keys))
                return attrs.evolve(left, input=self._below(left.input, inner, id(left.input) in self._shared))
        if not shared and isinstance(left, p.Join) and left.kind == "inner":
            if keys <= _names(left.left) and _whole(left.right):
                return attrs.evolve(left, left=self._below(left.left, semi, id(left.left) in self._shared))
            if keys <= _names(left.right) and _whole(left.left):
                return attrs.evolve(left, right=self._below(left.right, semi, id(left.right) in self._shared))
        return attrs.evolve(semi, left=left, right=self.of(semi.right))


def _names(plan: p.Plan) -> set[str]:
    return set(schema_of(plan).names)


def _whole(plan: p.Plan) -> bool:
    """Whether nothing is known to take rows away."""
    if isinstance(plan, p.Join) and plan.kind != "inner":
        return False
    return isinstance(plan, p.Scan | p.Project | p.Join) and all(map(_whole, p.inputs_of(plan)))
