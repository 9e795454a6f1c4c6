"""The forms in which changes leave: with their weights, by key, or as Debezium's envelopes.

A batch is put into a form by itself: of a row that comes and goes in it nothing is left, and with a key, a row that
goes and one that comes are one update.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal

import attrs
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from flow.errors import GraphError, RowError, known
from flow.graph import Stream
from flow.keys import factorise
from flow.schema import StreamSchema
from operators.aggregates.columns import IntArray, physical, plain_type
from operators.change_streams.by_key import by_key
from operators.values.text import plain_text

Form = Literal["weight", "upsert", "debezium"]

FORMS: Final[tuple[Form, ...]] = ("weight", "upsert", "debezium")

READ_AS: Final[tuple[Form, ...]] = ("weight", "upsert")
"""Those of them in which rows can be read as they are; the envelopes have a source of their own."""

DELETED: Final = "_deleted"
"""Name of the boolean column that says, where changes are told by key, that the row deletes its key."""


def as_key(names: str | Iterable[str]) -> tuple[str, ...]:
    """Names of key columns, of which there is often one."""
    return (names,) if isinstance(names, str) else tuple(names)


@attrs.frozen
class ChangeForm:
    """A form of changes.

    Attributes:
        form: ``weight``: rows with ``_weight``; ``upsert``: the new row of each key, or the old one with ``_deleted``;
            ``debezium``: `before`, `after` and `op`.
        key: names of the key columns: no two rows have the same values there at the same time. Without a key,
            Debezium's updates are a ``d`` and a ``c``.
    """

    form: Form
    key: tuple[str, ...] = attrs.field(default=(), converter=as_key)

    def check(self, schema: StreamSchema) -> None:
        """Raise GraphError where a stream has no such form."""
        for name in self.key:
            if name not in schema.names:
                raise GraphError(f"no key column {name!r}; {known(name, schema.names)}")
        if self.form == "upsert":
            if not self.key:
                raise GraphError("changes by key need the key: declare a PRIMARY KEY (in Python: key=)")
            if DELETED in schema.names:
                raise GraphError(f"the column name {DELETED!r} is kept for changes by key; choose another name")

    def feed(self, stream: Stream, name: str) -> Stream:
        """The stream that a sink of this name puts into the form, with the changes of each key in order.

        Raises:
            GraphError: the stream has no such form.
        """
        self.check(stream.schema)
        if not self.key or self.form == "weight" or not stream.schema.changelog:
            return stream
        return by_key(stream, self.key, f"{name}.by_key")

    def columns(self, schema: StreamSchema) -> pa.Schema:
        """The columns of the form."""
        rows = pa.schema([schema.columns.field(name) for name in schema.names])
        match self.form:
            case "weight":
                return schema.columns
            case "upsert":
                return rows.append(pa.field(DELETED, pa.bool_(), nullable=False))
            case "debezium":
                row = pa.struct([(name, _in_event(rows.field(name).type)) for name in rows.names])
                return pa.schema([("before", row), ("after", row), pa.field("op", pa.string(), nullable=False)])

    def apply(self, batch: pa.RecordBatch, schema: StreamSchema) -> pa.RecordBatch:
        """A batch in this form.

        Raises:
            RowError: two rows have the same key, or, where changes are told by it, it is NULL.
        """
        if self.form == "weight":
            return batch
        rows = batch.columns[: len(schema.names)]
        weights = physical(batch.column(-1)) if schema.changelog else np.ones(batch.num_rows, np.int64)
        columns = self.columns(schema)
        if not self.key:
            gone, come = self._apart(rows, weights)
        elif schema.changelog:
            gone, come = self._by_key(batch, rows, weights)
        else:
            gone, come = np.full(batch.num_rows, -1, np.int64), np.arange(batch.num_rows)
        if self.form == "upsert":
            self._no_nulls(batch)
            chosen = np.where(come >= 0, come, gone)
            arrays = [array.take(pa.array(chosen)) for array in rows]
            return pa.RecordBatch.from_arrays([*arrays, pa.array(come < 0)], schema=columns)
        sides = [_struct(rows, places, columns.field("before").type) for places in (gone, come)]
        ops = np.where(gone < 0, "c", np.where(come < 0, "d", "u"))
        return pa.RecordBatch.from_arrays([*sides, pa.array(ops, pa.string())], schema=columns)

    def _apart(self, rows: Sequence[pa.Array], weights: IntArray) -> tuple[IntArray, IntArray]:
        """For each change, as often as it counts, the row that goes and the one that comes: always one of both."""
        places, counts = _net(rows, weights)
        many = np.repeat(places, np.abs(counts))
        comes = np.repeat(counts > 0, np.abs(counts))
        return np.where(comes, -1, many), np.where(comes, many, -1)

    def _by_key(self, batch: pa.RecordBatch, rows: Sequence[pa.Array], weights: IntArray) -> tuple[IntArray, IntArray]:
        """For each key, the row that goes and the one that comes, -1 where there is none."""
        codes, firsts = factorise([batch.column(name) for name in self.key])
        places = np.arange(batch.num_rows)
        if not _simple(codes, weights, len(firsts)):
            places, weights = _net(rows, weights)
            codes = codes[places]
        sides = []
        for sign in (-1, 1):
            mine = np.flatnonzero(weights * sign > 0)
            several = np.bincount(codes[mine], np.abs(weights[mine]), len(firsts)) > 1
            if several.any():
                (values,) = batch.slice(int(firsts[np.argmax(several)]), 1).select(list(self.key)).to_pylist()
                raise RowError(f"the key {list(self.key)} is not unique: several rows have {values}")
            side = np.full(len(firsts), -1, np.int64)
            side[codes[mine]] = places[mine]
            sides.append(side)
        gone, come = sides
        there = (gone >= 0) | (come >= 0)
        return gone[there], come[there]

    def _no_nulls(self, batch: pa.RecordBatch) -> None:
        for name in self.key:
            if batch.column(name).null_count:
                raise RowError(f"NULL in the key column {name!r}")


def check_form(form: str | None, forms: Sequence[str]) -> None:
    """Raise GraphError for a form that there is not."""
    if form is not None and form not in forms:
        raise GraphError(f"no way {form!r} to write changes; {known(str(form), forms)}")


def _simple(codes: IntArray, weights: IntArray, keys: int) -> bool:
    """Whether no key has more than one row that goes and one that comes after it."""
    if (np.abs(weights) != 1).any():
        return False
    places = []
    for sign, missing in ((-1, -1), (1, len(codes))):
        rows = np.flatnonzero(weights == sign)
        if (np.bincount(codes[rows], minlength=keys) > 1).any():
            return False
        place = np.full(keys, missing, np.int64)
        place[codes[rows]] = rows
        places.append(place)
    return bool((places[0] < places[1]).all())


def _net(rows: Sequence[pa.Array], weights: IntArray) -> tuple[IntArray, IntArray]:
    """The first of equal rows, and by how many there are more or fewer in the end, where that is not none."""
    codes, firsts = factorise(rows)
    counts = np.zeros(len(firsts), np.int64)
    np.add.at(counts, codes, weights)
    left = np.flatnonzero(counts)
    return firsts[left], counts[left]


def _told(kind: pa.DataType) -> bool:
    """Whether values stand in events as text that is JSON, as Debezium writes them."""
    return isinstance(kind, pa.JsonType) or bool(pa.types.is_map(kind))


def _in_event(kind: pa.DataType) -> pa.DataType:
    """The type of a column in events."""
    kind = plain_type(kind)
    return pa.string() if _told(kind) else kind


def _struct(rows: Sequence[pa.Array], places: NDArray[np.int64], kind: pa.StructType) -> pa.StructArray:
    """Rows as structs, NULL where the place is -1."""
    missing = places < 0
    chosen = pa.array(places, mask=missing)
    arrays: list[Any] = []
    for array, field in zip(rows, kind.fields, strict=True):
        plain = array.dictionary_decode() if pa.types.is_dictionary(array.type) else array
        if _told(plain.type):
            plain = plain_text(plain)
        arrays.append(plain.take(chosen).cast(field.type))
    return pa.StructArray.from_arrays(arrays, fields=list(kind.fields), mask=pa.array(missing))
