"""Windows lifted up to the aggregate that groups by them, past the filters and projections in between.

The rows under a lifted window are the rows before the assignment: they no longer have the window's columns.
"""

from __future__ import annotations

import attrs

from operators.expressions import Column, Expression
from operators.sql.plan import nodes as p


@attrs.frozen
class Lifted:
    """A plan without its window assignment.

    Attributes:
        plan: the rows before they are assigned to windows.
        window: what assigns them.
        start: the name that ``window_start`` had at the top of the plan.
        end: likewise of ``window_end``.
        above: conditions on ``window_start`` and ``window_end`` alone, to be applied to the groups.
        entangled: whether something between computes with the window's columns; then nothing can be lifted.
    """

    plan: p.Plan
    window: p.Window
    start: str
    end: str
    above: tuple[Expression, ...] = ()
    entangled: bool = False


def lift_windows(plan: p.Plan, keys: tuple[str, ...]) -> Lifted | None:
    """Lift the windows under a plan; None where there are none among the keys of its aggregate."""
    lifted = _lift(plan)
    return lifted if lifted is not None and {lifted.start, lifted.end} & set(keys) else None


def _lift(plan: p.Plan) -> Lifted | None:
    match plan:
        case p.AssignWindows():
            return Lifted(plan.input, p.Window(plan.column, plan.size, plan.slide), *p.WINDOW_COLUMNS)
        case p.Filter():
            lifted = _lift(plan.input)
            return None if lifted is None else _past_filter(lifted, plan.predicate)
        case p.Project():
            lifted = _lift(plan.input)
            return None if lifted is None else _past_project(lifted, plan)
    return None


def _past_filter(lifted: Lifted, predicate: Expression) -> Lifted:
    bounds = {lifted.start, lifted.end}
    if not predicate.columns & bounds:
        return attrs.evolve(lifted, plan=p.Filter(lifted.plan, predicate))
    if predicate.columns <= bounds and (lifted.start, lifted.end) == p.WINDOW_COLUMNS:
        return attrs.evolve(lifted, above=(*lifted.above, predicate))
    return attrs.evolve(lifted, entangled=True)


def _past_project(lifted: Lifted, project: p.Project) -> Lifted | None:
    start = next((name for name, expression in project.columns if expression == Column(lifted.start)), None)
    end = next((name for name, expression in project.columns if expression == Column(lifted.end)), None)
    if start is None and end is None:
        return None
    kept = [(name, expression) for name, expression in project.columns if name not in (start, end)]
    bounds = {lifted.start, lifted.end}
    entangled = lifted.entangled or any(expression.columns & bounds for _, expression in kept)
    time = lifted.window.column
    if dict(kept).get(time) != Column(time):
        # The window still has to find its time column.
        entangled = entangled or time in dict(kept)
        kept.append((time, Column(time)))
    return attrs.evolve(
        lifted,
        plan=p.Project(lifted.plan, tuple(kept)),
        start=start or lifted.start,
        end=end or lifted.end,
        entangled=entangled,
    )
