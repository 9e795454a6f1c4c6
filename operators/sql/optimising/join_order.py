"""In what order tables are joined: of those that have a key in common, the two first of which the fewest rows come.

What is not known of a table, nobody guesses at: the order is the query's then. An estimate changes no result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from math import prod
from typing import Final

import attrs
import pyarrow as pa

from flow.errors import GraphError
from flow.graph import Stream
from flow.nodes import SourceNode
from flow.precedence import size_of
from operators.expressions import Call, Column, Expression, InList
from operators.sql.plan import nodes as p

_WIDTH: Final = 16
_EQUAL: Final = 0.05
_ALIKE: Final = 0.1
_OTHER: Final = 1 / 3
_PARTNERS: Final = 0.5
_READING: Final = 0.1
_SHARES: Final[Mapping[str, float]] = {
    "=": _EQUAL,
    "is null": _EQUAL,
    "is not null": 1.0,
    "like": _ALIKE,
    "ilike": _ALIKE,
}
"""Of all rows, those for which such a condition is taken to be true; of others, a third."""


def rows_of(stream: Stream) -> int | None:
    """About how many rows there are to read of a source; None where it does not say, or is none."""
    node = stream.graph.node(stream.output.node)
    if not isinstance(node, SourceNode) or node.source.unbounded or node.source.discover_every is not None:
        return None
    try:
        size = size_of(node.source, list(node.source.splits()))
    except GraphError:
        return None
    return None if size is None else size // sum(map(_width, stream.schema.columns.types))


def _width(kind: pa.DataType) -> int:
    try:
        return max(int(kind.bit_width) // 8, 1)
    except ValueError:
        return _WIDTH


@attrs.frozen
class Size:
    """How much of a table there is.

    Attributes:
        rows: about how many come.
        all: about how many there would be without conditions, which is how many different values a key may have.
    """

    rows: float
    all: float


def size_known(plan: p.Plan) -> Size | None:
    """The size of a table; None where a part's is not known."""
    match plan:
        case p.Scan():
            return None if plan.rows is None else Size(max(plan.rows, 1), max(plan.rows, 1))
        case p.Values():
            return Size(max(plan.table.num_rows, 1), max(plan.table.num_rows, 1))
    sizes = [size_known(part) for part in p.inputs_of(plan)]
    known = [size for size in sizes if size is not None]
    if len(known) < len(sizes):
        return None
    first = known[0]
    match plan:
        case p.Filter():
            return Size(max(first.rows * _share(plan.predicate), 1), first.all)
        case p.Aggregate(keys=()):
            return Size(1, 1)
        case p.TopN(keys=(), limit=int(limit)):
            return Size(min(first.rows, limit), min(first.rows, limit))
        case p.Join(kind="semi"):
            # Where few of the other side are left, so are few of this one.
            return Size(max(first.rows * min(known[1].rows / known[1].all, _PARTNERS), 1), first.all)
        case p.Join(kind="anti"):
            return Size(max(first.rows * _PARTNERS, 1), first.all)
        case p.Join():
            return Size(max(size.rows for size in known), max(size.all for size in known))
        case p.Union():
            return Size(sum(size.rows for size in known), sum(size.all for size in known))
    return first


def _share(predicate: Expression) -> float:
    if isinstance(predicate, InList):
        return min(_EQUAL * len(predicate.children), _PARTNERS)
    if not isinstance(predicate, Call):
        return _OTHER
    shares = [_share(argument) for argument in predicate.arguments]
    match predicate.function:
        case "and":
            return prod(shares)
        case "or":
            return min(sum(shares), 1.0)
        case "not":
            return 1 - shares[0]
    return _SHARES.get(predicate.function, _OTHER)


class JoinOrder:
    """Which of several tables are joined next.

    Args:
        names: the columns of each table.
        sizes: of the tables.
        equalities: the pairs of expressions that must be equal and can be keys.
    """

    def __init__(
        self,
        names: Sequence[frozenset[str]],
        sizes: Sequence[Size],
        equalities: Sequence[tuple[Expression, Expression]],
    ) -> None:
        self._groups = [_Group(columns, size.rows) for columns, size in zip(names, sizes, strict=True)]
        self._all = {name: size.all for columns, size in zip(names, sizes, strict=True) for name in columns}
        self._equalities = equalities
        self._values: dict[str, float] = {}
        for alike in _classes(equalities):
            least = min(self._all[name] for name in alike)
            self._values.update(dict.fromkeys(alike, least))

    def next(self) -> tuple[int, int] | None:
        """The places of two tables, the lower one first; the join takes its place, and those behind the other move up.

        None where no two have a key in common.
        """
        pairs = [
            (rows + _READING * (self._groups[one].rows + self._groups[other].rows), one, other, rows)
            for one in range(len(self._groups))
            for other in range(one + 1, len(self._groups))
            if (rows := self._joined(self._groups[one], self._groups[other])) is not None
        ]
        if not pairs:
            return None
        _, one, other, rows = min(pairs)
        self._groups[one] = _Group(self._groups[one].columns | self._groups.pop(other).columns, rows)
        return one, other

    def _joined(self, left: _Group, right: _Group) -> float | None:
        """The rows of a join; None where there is no key."""
        keys: list[tuple[Expression, Expression]] = []
        for one, other in self._equalities:
            if one.columns <= left.columns and other.columns <= right.columns:
                keys.append((one, other))
            elif one.columns <= right.columns and other.columns <= left.columns:
                keys.append((other, one))
        if not keys:
            return None
        # As many different keys as the columns have values, but not more than either table has rows.
        owned = (max(self._different(key[side]) for key in keys) for side in (0, 1))
        most = min(*owned)
        values = prod(min(self._values_of(one), self._values_of(other)) for one, other in keys)
        return max(left.rows * right.rows / max(min(values, most), 1), 1)

    def _different(self, key: Expression) -> float:
        return max(self._all[name] for name in key.columns)

    def _values_of(self, key: Expression) -> float:
        if isinstance(key, Column):
            return self._values.get(key.name, self._all[key.name])
        return self._different(key)


@attrs.frozen
class _Group:
    """Tables that are joined already, and about how many rows come of them."""

    columns: frozenset[str]
    rows: float


def _classes(equalities: Sequence[tuple[Expression, Expression]]) -> list[frozenset[str]]:
    """Columns that are equal to each other in every row of the result."""
    classes: list[frozenset[str]] = []
    for one, other in equalities:
        if isinstance(one, Column) and isinstance(other, Column):
            both = frozenset({one.name, other.name})
            met = [each for each in classes if each & both]
            classes = [each for each in classes if not each & both]
            classes.append(reduce(frozenset.union, met, both))
    return classes
