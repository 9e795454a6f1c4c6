"""Unnest: a row becomes one row for each element of its lists.

Several lists are gone through side by side, up to the longest one's end; the shorter ones give NULLs. A changelog's
weight goes along with each of the rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flow.errors import GraphError
from flow.graph import Stream
from flow.nodes import ErrorPolicy
from flow.operator import Operator, Partition, PartitionContext
from flow.schema import WEIGHT, StreamSchema
from flow.verbs import verb
from operators.aggregates.columns import IntArray
from operators.aggregates.layout import CHUNK


def _as_pairs(lists: Iterable[str | tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((each, each) if isinstance(each, str) else each for each in lists)


@attrs.frozen
class Unnest(Operator):
    """The rows of its input, each once for every element of its lists, which are left out.

    A list is a column of lists, or of maps: their elements are structs of `key` and `value`. Without any element (all
    lists NULL or empty) there is no row, unless `outer` says that there is one then, with NULLs.

    Attributes:
        lists: names of columns, each with the name of its elements (a name alone stays the name).
        ordinality: the name of a further column with the elements' numbers: int64, from 1, NULL where there is none.
        outer: whether a row without any element comes out once.
    """

    lists: tuple[tuple[str, str], ...] = attrs.field(converter=_as_pairs)
    ordinality: str | None = None
    outer: bool = False

    stateless = True
    vectorised = True
    timed = False

    @lists.validator
    def _some(self, attribute: attrs.Attribute[Any], lists: tuple[tuple[str, str], ...]) -> None:
        if not lists:
            raise GraphError("unnest needs at least one list")

    def output(self, inputs: Mapping[str, StreamSchema]) -> StreamSchema:
        """The other columns, then the elements, then their numbers."""
        (schema,) = inputs.values()
        fields = [schema.columns.field(name) for name in self._kept(schema)]
        for name, element in self.lists:
            kind = element_type(schema.column_type(name))
            if kind is None:
                raise GraphError(f"column {name!r} has type {schema.column_type(name)}; unnest takes lists and maps")
            fields.append(pa.field(element, kind))
        if self.ordinality is not None:
            fields.append(pa.field(self.ordinality, pa.int64(), self.outer))
        if schema.changelog:
            fields.append(schema.columns.field(WEIGHT))
        return schema.with_columns(pa.schema(fields))

    def open(self, context: PartitionContext) -> Partition:
        """As `Operator.open`."""
        return _UnnestPartition(self, self._kept(context.input), self.output(context.inputs).columns)

    def needs(self, wanted: frozenset[str]) -> Mapping[str, frozenset[str]]:
        """The lists, and what else is wanted."""
        made = {name for _, name in self.lists} | ({self.ordinality} if self.ordinality else set())
        return {"in": (wanted - made) | {name for name, _ in self.lists}}

    def _kept(self, schema: StreamSchema) -> list[str]:
        lists = {name for name, _ in self.lists}
        return [name for name in schema.names if name not in lists]


def element_type(kind: pa.DataType) -> pa.DataType | None:
    """The type of a list's, or a map's, elements; None where it is neither."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_map(kind):
        return pa.struct([kind.key_field.with_name("key"), kind.item_field.with_name("value")])
    lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    views = (pa.types.is_list_view, pa.types.is_large_list_view)
    return kind.value_type if any(test(kind) for test in (*lists, *views)) else None


class _UnnestPartition(Partition):
    def __init__(self, operator: Unnest, kept: list[str], columns: pa.Schema) -> None:
        self._kept = kept
        self._outer = operator.outer
        self._lists = [name for name, _ in operator.lists]
        self._columns = columns
        self._ordinality = operator.ordinality is not None

    def on_batch(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Yield the rows that the rows of a batch become, some tens of thousands at a time."""
        lists = [_as_list(batch.column(name)) for name in self._lists]
        lengths = [_lengths(each) for each in lists]
        longest = lengths[0]
        for each in lengths[1:]:
            longest = np.maximum(longest, each)
        made = np.maximum(longest, 1) if self._outer else longest
        ends = np.cumsum(made)
        low = 0
        while low < batch.num_rows:
            before = int(ends[low - 1]) if low else 0
            high = max(low + 1, int(np.searchsorted(ends, before + CHUNK, side="right")))
            if ends[high - 1] > before:
                part = slice(low, high)
                yield self._part(
                    batch.slice(low, high - low),
                    [each.slice(low, high - low) for each in lists],
                    [each[part] for each in lengths],
                    longest[part],
                    made[part],
                )
            low = high

    def _part(
        self,
        batch: pa.RecordBatch,
        lists: list[pa.Array],
        lengths: list[IntArray],
        longest: IntArray,
        made: IntArray,
    ) -> pa.RecordBatch:
        parents = np.repeat(np.arange(len(made)), made)
        places = np.arange(len(parents)) - np.repeat(np.cumsum(made) - made, made)
        rows = pa.array(parents)
        arrays = [batch.column(name).take(rows) for name in self._kept]
        for each, length in zip(lists, lengths, strict=True):
            elements = pc.list_flatten(each)
            if len(elements) != len(parents) or not np.array_equal(length, made):
                present = places < length[parents]
                starts = np.cumsum(length) - length
                chosen = np.where(present, starts[parents] + places, 0)
                elements = elements.take(pa.array(chosen, mask=~present))
            arrays.append(elements)
        if self._ordinality:
            arrays.append(pa.array(places + 1, mask=places >= longest[parents]))
        if self._columns.names[-1] == WEIGHT:
            arrays.append(batch.column(WEIGHT).take(rows))
        return pa.RecordBatch.from_arrays(arrays, schema=self._columns)


def _lengths(lists: pa.Array) -> IntArray:
    """How many elements each list has; a list that is NULL has none."""
    lengths: IntArray = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False).astype(np.int64)
    return lengths


def _as_list(array: pa.Array) -> pa.Array:
    """Lists, and maps, as lists that kernels know."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        return _as_list(array.dictionary_decode())
    return array.cast(pa.list_(element_type(kind))) if pa.types.is_map(kind) else array


@verb
def unnest(
    stream: Stream,
    *columns: str,
    ordinality: str | None = None,
    outer: bool = False,
    name: str | None = None,
    on_error: ErrorPolicy = "fail",
    **renamed: str,
) -> Stream:
    """A row for each element of lists: ``orders.unnest("items")``, or ``orders.unnest(item="items", ordinality="n")``.

    Args:
        stream: what to read.
        columns: columns of lists or maps, which become columns of their elements (a map's are structs).
        ordinality: the name of a column with the elements' numbers, from 1.
        outer: keep a row that has no elements, with NULLs.
        name: of the node.
        on_error: what becomes of rows that cannot be unnested.
        renamed: columns of lists or maps, by the names of the columns of their elements.

    Raises:
        GraphError: a column is missing, or is no list, or a name is there twice.
    """
    lists = (*_as_pairs(columns), *((given, element) for element, given in renamed.items()))
    return stream.apply(Unnest(lists, ordinality, outer), name=name, on_error=on_error)
