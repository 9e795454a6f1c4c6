"""Parts that a plan has in several places: found, so that each is computed once.

Equal plans become the same object, and stay so: what rewrites a plan keeps one result for each object. Parts of a plan
that keep no state are shared where they are equal in the end, but nothing is held back for their sake.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import attrs

from operators.sql.plan import nodes as p

_STATEFUL = (p.Aggregate, p.Distinct, p.Join, p.SetOperation, p.TopN)


class Shared:
    """One object for all equal plans that it is asked for."""

    def __init__(self) -> None:
        self._known: dict[object, p.Plan] = {}
        self._made: dict[int, tuple[p.Plan, p.Plan]] = {}

    def of(self, plan: p.Plan) -> p.Plan:
        """The plan in which equal parts are the same object, in every plan that came from here."""
        if id(plan) in self._made:
            return self._made[id(plan)][1]
        inputs = tuple(map(self.of, p.inputs_of(plan)))
        same = inputs == () or all(new is old for new, old in zip(inputs, p.inputs_of(plan), strict=True))
        result = self._known.setdefault(_identity(plan, inputs), plan if same else p.with_inputs(plan, inputs))
        # Both plans are kept, since an object's id is its own only as long as it lives.
        self._made[id(plan)] = plan, result
        self._made[id(result)] = result, result
        return result


def _identity(plan: p.Plan, inputs: tuple[p.Plan, ...]) -> object:
    """What two plans over the same inputs have in common if they are equal."""
    if isinstance(plan, p.Values):
        return p.Values, id(plan.table)
    # Inputs are one plan or several of them; everything else says what is done with them.
    own = (getattr(plan, field.name) for field in attrs.fields(type(plan)) if field.name not in p.INPUTS)
    return type(plan), tuple(own), tuple(map(id, inputs))


def used_twice(plan: p.Plan) -> frozenset[int]:
    """The ids of the parts that several others, or one of them twice, are made of, and that keep state to compute."""
    uses = Counter(id(part) for each in _distinct(plan, set()) for part in p.inputs_of(each))
    return frozenset(id(part) for part in _distinct(plan, set()) if uses[id(part)] > 1 and _keeps_state(part))


def _keeps_state(plan: p.Plan) -> bool:
    return any(isinstance(part, _STATEFUL) for part in _distinct(plan, set()))


def _distinct(plan: p.Plan, seen: set[int]) -> Iterator[p.Plan]:
    """The plan and its parts, each once."""
    if id(plan) not in seen:
        seen.add(id(plan))
        yield plan
        for part in p.inputs_of(plan):
            yield from _distinct(part, seen)
