"""What sqlglot lets pass: arguments that its builders do not know, comparisons of comparisons, parameters of types.

A call has too many arguments where its last one makes no difference.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sqlglot import exp
from sqlglot.errors import SqlglotError

_TAKEN: Final = "arguments taken"

_COMPARISONS: Final = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)

_T: Final = exp.DType

WITHOUT_PARAMETERS: Final = frozenset(
    {_T.BOOLEAN, _T.TINYINT, _T.SMALLINT, _T.INT, _T.BIGINT, _T.DATE, _T.UUID, _T.JSON, _T.JSONB}
)
"""Types that PostgreSQL and DuckDB write without parentheses."""


def counted(read: Callable[..., Any]) -> Callable[..., Any]:
    """The builder of a call's node, which notes how many arguments it took where it took too few."""

    def built(args: list[Any], **options: Any) -> Any:
        node = read(args, **options)
        last = args[-1] if args else None
        if isinstance(node, exp.Expression) and isinstance(last, exp.Expression) and last.root() is not node.root():
            taken = len(args)
            while taken and _alike(node, read, args[: taken - 1], options):
                taken -= 1
            if taken < len(args):
                node.meta[_TAKEN] = taken
        return node

    return built


def _alike(node: Any, read: Callable[..., Any], args: list[Any], options: dict[str, Any]) -> bool:
    """Whether a call with these arguments is the same."""
    try:
        return bool(read([each.copy() for each in args], **options) == node)
    except (SqlglotError, IndexError, TypeError, ValueError, AttributeError):
        return False


def surplus(node: Any) -> int | None:
    """How many arguments of a call were taken, where that is not all."""
    taken = node.meta.pop(_TAKEN, None) if isinstance(node, exp.Expression) else None
    return None if taken is None else int(taken)


def chained(tree: Any) -> Any:
    """The first comparison of a comparison without parentheses, which PostgreSQL does not read; None without one."""
    for node in tree.find_all(*_COMPARISONS):
        # Where && and || stand for AND and OR, that is the mistake.
        of_another = isinstance(node.this, _COMPARISONS) or isinstance(node.expression, _COMPARISONS)
        if of_another and not node.find(exp.ArrayOverlaps, exp.DPipe):
            return node
    return None
