"""Names and positions of the columns that go into and come out of aggregating operators."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

import pyarrow as pa

from flow.errors import GraphError
from flow.schema import WEIGHT, StreamSchema
from operators.aggregates.aggregation import Aggregation
from operators.aggregates.bank import Aggregations
from operators.aggregates.columns import plain_type

Emit = Literal["changes", "final"]

CHUNK: Final = 65_536
"""Rows of the largest batch that an aggregating operator puts out at once."""


def as_names(given: Iterable[str]) -> tuple[str, ...]:
    """Column names, as a tuple."""
    return tuple(given)


def as_pairs(given: Mapping[str, Aggregation] | Iterable[tuple[str, Aggregation]]) -> Aggregations:
    """Aggregations by the names of their results."""
    return tuple(given.items()) if isinstance(given, Mapping) else tuple(given)


def key_fields(schema: StreamSchema, keys: Sequence[str]) -> list[pa.Field]:
    """The key columns of the result; raises GraphError where one is no column."""
    if WEIGHT in keys:
        raise GraphError(f"{WEIGHT!r} says how often a row counts; it cannot be a key")
    return [pa.field(key, plain_type(schema.column_type(key))) for key in keys]


def result_fields(schema: StreamSchema, aggregations: Aggregations) -> list[pa.Field]:
    """The columns of results; raises GraphError where an aggregation does not fit the schema."""
    fields = []
    for name, aggregation in aggregations:
        try:
            fields.append(pa.field(name, aggregation.type(schema.columns)))
        except GraphError as error:
            raise type(error)(f"{name!r}: {error}") from error
    return fields


def apart(taken: Iterable[str], stems: Iterable[str]) -> list[str]:
    """Column names made of `stems` that are none of the names taken."""
    names = set(taken)
    made = []
    for stem in stems:
        name = stem
        while name in names:
            name = f"_{name}"
        names.add(name)
        made.append(name)
    return made


def partial_names(taken: Sequence[str], number: int) -> list[str]:
    """Names of so many columns of partial states."""
    return apart(taken, [f"_partial_{index}" for index in range(number)])


def can_merge(schema: StreamSchema, aggregations: Aggregations) -> bool:
    """Whether rows can be aggregated in parts."""
    return not schema.changelog and all(aggregation.mergeable for _, aggregation in aggregations)


def check_emit(emit: str) -> None:
    """Raise GraphError where `emit` is no way to emit."""
    if emit not in ("changes", "final"):
        raise GraphError(f"emit={emit!r}; known here: ['changes', 'final']")
