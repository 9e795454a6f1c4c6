"""Grouping sets: a GROUP BY with ROLLUP, CUBE or GROUPING SETS is the union of one aggregate for each set of keys."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Final

import attrs
import pyarrow as pa

from operators.aggregates import Aggregation
from operators.expressions import Cast, Column, Literal
from operators.expressions.types import logical
from operators.sql.grammar.dialect import Text, Tree, exp
from operators.sql.plan import nodes as p
from operators.sql.plan.operators import schema_of

_MOST: Final = 128
"""How many sets there may be: each is an aggregate of its own."""

Keys = tuple[Tree, ...]


@attrs.frozen
class Marked:
    """A column that says by which of some keys a row is grouped: grouping().

    Attributes:
        name: of the column.
        keys: the names of the keys; the last one's bit is the lowest, and set where rows are not grouped by it.
    """

    name: str
    keys: tuple[str, ...]


def sets_of(text: Text, elements: Sequence[Tree]) -> list[Keys]:
    """The sets of keys that the elements of a GROUP BY make together.

    Raises:
        SqlError: there are too many.
    """
    sets: list[Keys] = [()]
    for element in elements:
        ways = _ways(text, element)
        if len(sets) * len(ways) > _MOST:
            raise _too_many(text, element)
        sets = [(*before, *after) for before in sets for after in ways]
    return sets


def _ways(text: Text, element: Tree) -> list[Keys]:
    match element:
        case exp.Tuple():
            return [_keys(element)]
        case exp.Rollup():
            parts = [_keys(each) for each in element.expressions]
            return [_joined(parts[:count]) for count in range(len(parts), -1, -1)]
        case exp.Cube():
            parts = [_keys(each) for each in element.expressions]
            if 2 ** len(parts) > _MOST:
                raise _too_many(text, element)
            return [
                _joined([part for place, part in enumerate(parts) if not left_out >> (len(parts) - 1 - place) & 1])
                for left_out in range(2 ** len(parts))
            ]
        case exp.GroupingSets():
            return [way for each in element.expressions for way in _ways(text, each)]
    return [(element,)]


def _keys(element: Tree) -> Keys:
    return tuple(element.expressions) if isinstance(element, exp.Tuple) else (element,)


def _joined(parts: Sequence[Keys]) -> Keys:
    return reduce(lambda left, right: (*left, *right), parts, ())


def _too_many(text: Text, at: Tree) -> Exception:
    return text.error(f"this GROUP BY has more than {_MOST} grouping sets, each an aggregate of its own", at)


def grouped(
    source: p.Plan,
    keys: tuple[str, ...],
    sets: Sequence[tuple[str, ...]],
    aggregations: tuple[tuple[str, Aggregation], ...],
    marks: Sequence[Marked],
    emit: p.Emit,
) -> p.Plan:
    """The groups of each set of keys; the other keys are NULL.

    Args:
        source: what is grouped.
        keys: all keys.
        sets: by which of them rows are grouped, in turn.
        aggregations: of each group.
        marks: columns that tell the sets apart.
        emit: when groups come out.
    """
    if list(sets) == [keys] and not marks and (keys or aggregations):
        return p.Aggregate(source, keys, aggregations, emit)
    schema = schema_of(source)
    parts: list[p.Plan] = []
    for chosen in sets:
        computed = aggregations if aggregations or chosen else (("__rows", Aggregation("count")),)
        columns = [
            *(
                (key, Column(key) if key in chosen else Cast(Literal(None), logical(schema.column_type(key))))
                for key in keys
            ),
            *((name, Column(name)) for name, _ in aggregations),
            *((mark.name, Literal(_mark(mark, chosen), pa.int32())) for mark in marks),
        ]
        # Rows of no column at all cannot be counted.
        kept = columns or [(name, Column(name)) for name, _ in computed]
        parts.append(p.Project(p.Aggregate(source, chosen, computed, emit), tuple(kept)))
    return p.Union(tuple(parts)) if len(parts) > 1 else parts[0]


def _mark(mark: Marked, chosen: tuple[str, ...]) -> int:
    return reduce(lambda bits, key: bits * 2 + (key not in chosen), mark.keys, 0)
