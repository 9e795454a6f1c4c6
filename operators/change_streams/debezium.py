"""Debezium's change events in a stream, as text or as structs, become the changes that they mean.

What cannot be understood is rejected, and goes where the node's error policy says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import attrs
import pyarrow as pa
import pyarrow.compute as pc

from flow.errors import GraphError, known
from flow.graph import Stream
from flow.nodes import ErrorPolicy
from flow.operator import Operator, Partition, PartitionContext
from flow.schema import StreamSchema
from flow.verbs import verb
from operators.aggregates.columns import plain, plain_type
from operators.change_streams.forms import as_key
from operators.files.conversion import Types, declared
from operators.files.debezium import EnvelopeLayout, EnvelopeParser
from operators.files.debezium_envelope import NO_OP, Envelopes, parsed_in_events
from operators.files.json_source import check_types

_TOMBSTONE: Final = r"^\s*null\s*$"
_BLANK: Final = r"^\s*$"


def _columns(types: Types) -> pa.Schema | None:
    return None if types is None else pa.schema(declared(types))


@attrs.frozen
class FromDebezium(Operator):
    """Change events become changes, as by `DebeziumJson`.

    Attributes:
        value: name of the column that has the events as text or bytes; NULL is a tombstone. None: the columns
            `before`, `after` (structs) and `op`, or `payload`, a struct of them, have their parts.
        columns: names and types of the rows' columns (default: those of the struct `after`).
        key: names of the key columns.
        source_time: name of a column for the time of the change in the database; needs a key.
    """

    value: str | None = None
    columns: pa.Schema | None = attrs.field(default=None, converter=_columns)
    key: tuple[str, ...] = attrs.field(default=(), converter=as_key)
    source_time: str | None = None

    stateless = True
    vectorised = True
    timed = False
    takes_back = "takes rows back that are updated or deleted"

    def output(self, inputs: Mapping[str, StreamSchema]) -> StreamSchema:
        """The rows' columns and, at the end, ``_weight``, or with a key ``_deleted``."""
        (schema,) = inputs.values()
        if schema.changelog:
            raise GraphError("the input is a changelog already")
        return StreamSchema(self.envelopes(schema).schema)

    def envelopes(self, schema: StreamSchema) -> Envelopes:
        """How the events are read. Raises GraphError where the input has none."""
        if self.value is not None:
            kind = plain_type(schema.column_type(self.value))
            if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind)):
                raise GraphError(f"the events in {self.value!r} should be text or bytes, not {kind}")
            if self.columns is None:
                raise GraphError("text does not tell the rows' columns: give their names and types")
            return Envelopes(self.columns, self.key, self.source_time)
        parts = schema.columns
        if "payload" in parts.names and pa.types.is_struct(parts.field("payload").type):
            parts = pa.schema(list(parts.field("payload").type.fields))
        for name in ("after", "op"):
            if name not in parts.names:
                raise GraphError(f"no column {name!r}, of which change events are made; {known(name, parts.names)}")
        kind = parts.field("after").type
        if not pa.types.is_struct(kind):
            raise GraphError(f"the column 'after' should be a struct, the row, not {kind}")
        return Envelopes(self.columns or pa.schema(list(kind.fields)), self.key, self.source_time)

    def open(self, context: PartitionContext) -> Partition:
        """As `Operator.open`."""
        envelopes = self.envelopes(context.input)
        if self.value is None:
            return _StructsPartition(envelopes, context)
        return _TextPartition(self.value, envelopes, context)


class _StructsPartition(Partition):
    def __init__(self, envelopes: Envelopes, context: PartitionContext) -> None:
        self._envelopes = envelopes
        self._reject = context.reject

    def on_batch(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Yield the changes."""
        made, wrong, empty = self._envelopes.changes(batch)
        if empty and not {"payload"} & set(batch.schema.names):
            wrong.update(dict.fromkeys(empty, NO_OP))
        yield from _settled(batch, made, wrong, self._reject)


class _TextPartition(Partition):
    def __init__(self, value: str, envelopes: Envelopes, context: PartitionContext) -> None:
        self._value = value
        self._reject = context.reject
        kinds = tuple(parsed_in_events(kind, pa.null()) for kind in envelopes.columns.types)
        check_types(envelopes.columns, kinds)
        schema = envelopes.schema
        self._parser = EnvelopeParser(EnvelopeLayout(schema, tuple(schema.types), 0, envelopes, kinds))

    def on_batch(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Yield the changes."""
        batch = batch.filter(pc.invert(_matches(plain(batch.column(self._value)), _TOMBSTONE).fill_null(True)))
        values = plain(batch.column(self._value)).cast(pa.large_binary())
        # A line end inside of an event is space between its words: one in a string is escaped.
        values = pc.replace_substring(values, b"\n", b" ")
        values = pc.if_else(_matches(values, _BLANK), pa.scalar(b"{}", pa.large_binary()), values)
        one = pa.LargeListArray.from_arrays(pa.array([0, len(values)], pa.int64()), values)
        made, wrong = self._parser.parse(pc.binary_join(one, pa.scalar(b"\n", pa.large_binary()))[0].as_py())
        yield from _settled(batch, made, wrong, self._reject)


def _matches(values: pa.Array, pattern: str) -> pa.Array:
    return pc.match_substring_regex(values, pattern)


def _settled(
    batch: pa.RecordBatch, made: pa.RecordBatch, wrong: Mapping[int, str], reject: Any
) -> Iterable[pa.RecordBatch]:
    for row in sorted(wrong):
        reject(batch.slice(row, 1), wrong[row])
    return [made] if made.num_rows else []


@verb
def from_debezium(
    stream: Stream,
    value: str | None = None,
    *,
    columns: Types = None,
    key: str | Iterable[str] = (),
    source_time: str | None = None,
    name: str | None = None,
    partitions: int | None = None,
    on_error: ErrorPolicy = "fail",
) -> Stream:
    """The changes that events mean: ``events.from_debezium("value", columns={"id": "int64", "name": "string"})``.

    With a key, the last row of each key counts: ``.upsert("id", deletes="_deleted", drop=["_deleted"])`` keeps it.

    Args:
        stream: events as text or bytes in a column, or with their parts as columns.
        value: name of the column of text or bytes (none: the parts are columns).
        columns: names and types of the rows' columns (default: those of the struct `after`).
        key: key columns: then `before` is needed only where a row is deleted, and events may come twice.
        source_time: name of a column for the time of the change in the database; needs a key.
        name: of the node.
        partitions: how many instances.
        on_error: what becomes of events that cannot be understood.

    Raises:
        GraphError: a column is missing or has the wrong type, or the stream is a changelog already.
    """
    operator = FromDebezium(value, columns, key, source_time)
    return stream.apply(operator, name=name, partitions=partitions, on_error=on_error)
