"""Functions that choose among their arguments.

`CASE`, `coalesce(a, b, ...)` (also `ifnull`, `nvl`: the first that is not NULL), `if(condition, a, b)` (also `iif`),
`nvl2(x, a, b)` and Oracle's `decode(x, key, a, ..., b)` are no functions: they compute only what they need for a row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from operators.expressions.functions.comparison import comparison
from operators.expressions.functions.parameters import as_array, row_count
from operators.expressions.registry import Kernel, Resolved, Rule, overload
from operators.expressions.types import Argument, common


def _extreme(better: Kernel) -> Kernel:
    def kernel(*values: Any) -> pa.Array:
        best = values[0]
        for value in values[1:]:
            wins = pc.or_kleene(pc.is_null(best), better(value, best))
            best = pc.if_else(pc.fill_null(wins, False), value, best)
        return best

    return kernel


def _strict(kernel: Kernel) -> Kernel:
    """As a kernel, but NULL where an argument is."""

    def strict(*values: Any) -> pa.Array:
        present = reduce(pc.and_, [pc.is_valid(value) for value in values])
        return pc.if_else(present, kernel(*values), pa.scalar(None, values[0].type))

    return strict


def _extreme_rule(sign: str, wrap: Callable[[Kernel], Kernel] = lambda kernel: kernel) -> Rule:
    def rule(arguments: Sequence[Argument]) -> Resolved | None:
        kind = common(arguments)
        if kind is not None and pa.types.is_null(kind):
            kind = pa.string()
        better = None if not arguments or kind is None else comparison(sign, kind)
        if kind is None or better is None:
            return None
        return Resolved(tuple(kind for _ in arguments), kind, wrap(_extreme(better)), total=True)

    return rule


overload(
    "greatest(same...) -> same",
    _extreme_rule(">"),
    says="The greatest of the values; NULL only where all of them are.",
    examples=["greatest(1, 4, NULL, 2) = 4", "greatest('a', 'B') = 'a'"],
)
overload(
    "least(same...) -> same",
    _extreme_rule("<"),
    says="The least of the values; NULL only where all of them are.",
    examples=["least(3, 1.5, NULL) = 1.5"],
)
overload(
    "greatest_or_null(same...) -> same",
    _extreme_rule(">", _strict),
    says="The greatest of the values, NULL where one of them is: `greatest` of MySQL, Snowflake and others.",
    examples=["greatest_or_null(1, 4, 2) = 4", "greatest_or_null(1, NULL) IS NULL"],
)
overload(
    "least_or_null(same...) -> same",
    _extreme_rule("<", _strict),
    says="The least of the values, NULL where one of them is: `least` of MySQL, Snowflake and others.",
    examples=["least_or_null(3, 1, 2) = 1", "least_or_null(1, NULL) IS NULL"],
)


def _nullif(arguments: Sequence[Argument]) -> Resolved | None:
    kind = common(arguments)
    equal = (
        None
        if len(arguments) != 2 or kind is None
        else comparison("=", pa.string() if pa.types.is_null(kind) else kind)
    )
    if kind is None or equal is None:
        return None
    result = arguments[0].type

    def kernel(value: Any, unwanted: Any) -> pa.Array:
        return pc.if_else(pc.fill_null(equal(value, unwanted), False), pa.scalar(None, value.type), value)

    return Resolved((kind, kind), kind if pa.types.is_null(result) else result, kernel)


overload(
    "nullif(same, same) -> same",
    _nullif,
    says="The first value, NULL where it equals the second.",
    examples=["nullif(1, 1) IS NULL", "nullif('a', 'b') = 'a'"],
)


def _counting(test: Callable[[Any], Any]) -> Kernel:
    def kernel(*values: Any) -> pa.Array:
        rows = row_count(values)
        return reduce(pc.add, [pc.cast(as_array(test(value), rows), pa.int64()) for value in values])

    return kernel


def _counted(kernel: Kernel) -> Rule:
    def rule(arguments: Sequence[Argument]) -> Resolved | None:
        if not arguments:
            return None
        return Resolved(tuple(argument.type for argument in arguments), pa.int64(), kernel, total=True)

    return rule


overload(
    "num_nulls(any...) -> bigint",
    _counted(_counting(pc.is_null)),
    says="How many of the values are NULL.",
    examples=["num_nulls(1, NULL, 'a', NULL) = 2"],
)
overload(
    "num_nonnulls(any...) -> bigint",
    _counted(_counting(pc.is_valid)),
    says="How many of the values are not NULL.",
    examples=["num_nonnulls(1, NULL, 'a') = 2"],
)
