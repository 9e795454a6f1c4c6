"""Functions that choose among their arguments: GREATEST, LEAST, NULLIF.

CASE and COALESCE are no functions: they compute only what they need (see `BoundCase`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from operators.expressions.functions.comparison import comparable, float_equal, float_less
from operators.expressions.registry import Kernel, Resolved, Rule, overload
from operators.expressions.types import Argument, common


def _extreme(better: Callable[[Any, Any, bool], pa.Array]) -> Kernel:
    def kernel(*values: Any) -> pa.Array:
        best = values[0]
        for value in values[1:]:
            floating = pa.types.is_floating(value.type)
            wins = pc.or_kleene(pc.is_null(best), better(value, best, floating))
            best = pc.if_else(pc.fill_null(wins, False), value, best)
        return best

    return kernel


def _less(left: Any, right: Any, floating: bool) -> pa.Array:
    return float_less(left, right) if floating else pc.less(left, right)


def _greater(left: Any, right: Any, floating: bool) -> pa.Array:
    return _less(right, left, floating)


def _extreme_rule(kernel: Kernel) -> Rule:
    def rule(arguments: Sequence[Argument]) -> Resolved | None:
        kind = common(arguments)
        if kind is not None and pa.types.is_null(kind):
            kind = pa.string()
        if not arguments or kind is None or not comparable(kind):
            return None
        return Resolved(tuple(kind for _ in arguments), kind, kernel, total=True)

    return rule


overload("greatest(same...) -> same", _extreme_rule(_extreme(_greater)))
overload("least(same...) -> same", _extreme_rule(_extreme(_less)))


def _nullif(arguments: Sequence[Argument]) -> Resolved | None:
    kind = common(arguments)
    if len(arguments) != 2 or kind is None or not comparable(kind):
        return None
    result = arguments[0].type
    equal = float_equal if pa.types.is_floating(kind) else pc.equal

    def kernel(value: Any, unwanted: Any) -> pa.Array:
        return pc.if_else(pc.fill_null(equal(value, unwanted), False), pa.scalar(None, value.type), value)

    return Resolved((kind, kind), kind if pa.types.is_null(result) else result, kernel)


overload("nullif(same, same) -> same", _nullif)
