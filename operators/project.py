"""Project: other columns for the same rows, each computed by an expression.

A changelog's weight goes along by itself, last; the event time follows its column, under a new name too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs
import pyarrow as pa

from flow.errors import GraphError, known
from flow.graph import Stream
from flow.nodes import ErrorPolicy
from flow.operator import KEY_GROUP, Operator, Partition, PartitionContext
from flow.schema import WEIGHT, StreamSchema
from flow.verbs import verb
from operators.expressions import BoundExpression, Column, Expression, expression

_OURS = {WEIGHT: "changelogs say by it whether a row comes or goes", KEY_GROUP: "snapshots are divided by it"}


def _columns(columns: Iterable[tuple[str, Any]]) -> tuple[tuple[str, Expression], ...]:
    return tuple((name, expression(value)) for name, value in columns)


@attrs.frozen
class Project(Operator):
    """Computes the columns of the output.

    Attributes:
        columns: name and expression of each, in order; a name in place of an expression is that column as it is.
        known: names of the input's columns, where they are known: then what nobody uses is neither read nor computed.
    """

    columns: tuple[tuple[str, Expression], ...] = attrs.field(converter=_columns)
    known: frozenset[str] | None = attrs.field(default=None, eq=False, repr=False)

    stateless = True
    vectorised = True
    timed = False

    @columns.validator
    def _usable_names(self, attribute: attrs.Attribute[Any], columns: tuple[tuple[str, Expression], ...]) -> None:
        names = [name for name, _ in columns]
        if not names:
            raise GraphError("a projection needs at least one column")
        for name in names:
            if name in _OURS:
                raise GraphError(f"no column may be called {name!r}: {_OURS[name]}; choose another name")
        twice = sorted(name for name, count in Counter(names).items() if count > 1)
        if twice:
            raise GraphError(f"column names must be unique; these are not: {twice}")

    def output(self, inputs: Mapping[str, StreamSchema]) -> StreamSchema:
        """The columns, with the input's weight; raises ExpressionError where one cannot be computed."""
        (schema,) = inputs.values()
        fields = []
        for name, value in self._computed(schema.columns):
            kind = value.bind(schema.columns).type
            nullable = not isinstance(value, Column) or schema.columns.field(value.name).nullable
            fields.append(pa.field(name, kind, nullable))
        if schema.changelog:
            fields.append(schema.columns.field(WEIGHT))
        return StreamSchema(pa.schema(fields), self._event_time(schema.event_time))

    def open(self, context: PartitionContext) -> Partition:
        """A partition with the expressions bound."""
        schema = context.input.columns
        columns = [value.bind(schema) for _, value in self._computed(schema)]
        if context.input.changelog:
            columns.append(Column(WEIGHT).bind(schema))
        return ProjectPartition(columns, self.output(context.inputs).columns)

    def needs(self, wanted: frozenset[str]) -> Mapping[str, frozenset[str]]:
        """What the wanted columns read, and the weight where it is wanted."""
        used = [value.columns for name, value in self.columns if name in wanted or self.known is None]
        # A batch without columns has no rows to speak of.
        return {"in": frozenset().union(*(used or [self.columns[0][1].columns])) | (wanted & {WEIGHT})}

    def _computed(self, schema: pa.Schema) -> list[tuple[str, Expression]]:
        """The columns without those over columns that the input had, but of which nobody downstream has a use."""
        unread = (self.known or frozenset()).difference(schema.names)
        return [(name, value) for name, value in self.columns if not value.columns & unread]

    def _event_time(self, column: str | None) -> str | None:
        if column is None:
            return None
        names = [name for name, value in self.columns if value == Column(column)]
        return column if column in names else next(iter(names), None)


class ProjectPartition(Partition):
    """Evaluates the expressions on each batch."""

    def __init__(self, columns: list[BoundExpression], schema: pa.Schema) -> None:
        self._columns = columns
        self._schema = schema

    def on_batch(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """The computed columns."""
        if batch.num_rows:
            yield pa.RecordBatch.from_arrays([column(batch) for column in self._columns], schema=self._schema)


@verb
def select(
    stream: Stream, *columns: Any, name: str | None = None, on_error: ErrorPolicy = "fail", **named: Any
) -> Stream:
    """These columns and no others.

    Args:
        stream: what to compute from.
        columns: names of columns, or expressions that are bare columns.
        name: of the node.
        on_error: what becomes of rows for which a column cannot be computed.
        named: new columns, by name; text means a column, any other value a literal.

    Raises:
        GraphError: an expression does not fit the stream's columns, or a column has no name.
    """
    chosen: list[tuple[str, Any]] = []
    for column in columns:
        node = expression(column)
        if not isinstance(node, Column):
            raise GraphError(f"the column {node} has no name; write select(name={node})")
        chosen.append((node.name, node))
    return stream.apply(Project([*chosen, *named.items()], _known(stream)), name=name, on_error=on_error)


@verb
def with_columns(stream: Stream, *, name: str | None = None, on_error: ErrorPolicy = "fail", **named: Any) -> Stream:
    """All columns, some of them replaced or new.

    Args:
        stream: what to compute from.
        name: of the node.
        on_error: what becomes of rows for which a column cannot be computed.
        named: columns by name; text means a column, any other value a literal. New ones come last.

    Raises:
        GraphError: an expression does not fit the stream's columns.
    """
    columns: dict[str, Any] = {each: Column(each) for each in stream.schema.names} | named
    return stream.apply(Project(columns.items(), _known(stream)), name=name, on_error=on_error)


@verb
def drop(stream: Stream, *columns: str, name: str | None = None) -> Stream:
    """All columns but these.

    Raises:
        GraphError: there is no such column, or none is left.
    """
    _check(stream, columns)
    kept = [(each, each) for each in stream.schema.names if each not in columns]
    return stream.apply(Project(kept, _known(stream)), name=name)


@verb
def rename(stream: Stream, names: Mapping[str, str], *, name: str | None = None) -> Stream:
    """All columns, some under new names (old name → new name).

    Raises:
        GraphError: there is no such column, or a new name is taken.
    """
    _check(stream, names)
    renamed = [(names.get(each, each), each) for each in stream.schema.names]
    return stream.apply(Project(renamed, _known(stream)), name=name)


def _known(stream: Stream) -> frozenset[str]:
    return frozenset(stream.schema.columns.names)


def _check(stream: Stream, columns: Iterable[str]) -> None:
    for column in columns:
        if column not in stream.schema.names:
            raise GraphError(f"no column {column!r}; {known(column, stream.schema.names)}")
