"""A plan rewritten node by node.

Invariant: each object has one result, so that a part that two others are made of is still one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from operators.sql.plan import nodes as p


class Rewrite(ABC):
    """One way to rewrite plans."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[p.Plan, p.Plan]] = {}

    def of(self, plan: p.Plan) -> p.Plan:
        """The rewritten plan: one result for each object."""
        if id(plan) not in self._made:
            # The plan is kept, since its id is its own only as long as it lives.
            self._made[id(plan)] = plan, self._rewritten(plan)
        return self._made[id(plan)][1]

    @abstractmethod
    def _rewritten(self, plan: p.Plan) -> p.Plan: ...

    def _over_parts(self, plan: p.Plan) -> p.Plan:
        """A node over its rewritten parts: itself, where they are as they were."""
        parts = tuple(map(self.of, p.inputs_of(plan)))
        same = all(new is old for new, old in zip(parts, p.inputs_of(plan), strict=True))
        return plan if same else p.with_inputs(plan, parts)
