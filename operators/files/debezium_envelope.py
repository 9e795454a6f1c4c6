"""Debezium's envelopes, ``{"before": ..., "after": ..., "op": "c" | "u" | "d" | "r"}``, and the changes that they mean.

An envelope becomes all of its changes or is found bad; the changes stand in the order of the envelopes, and of one
envelope what goes stands before what comes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from flow.errors import GraphError, known
from flow.schema import WEIGHT, changelog_of
from operators.change_streams.forms import DELETED, as_key
from operators.files.conversion import fit, row_text
from operators.files.json_source import parsed_as

_TOMBSTONE: Final = re.compile(rb"^[ \t]*null[ \t\r]*$", re.MULTILINE)
_WHOLE: Final = "let the database log whole rows (REPLICA IDENTITY FULL), or declare the primary key"
_REFUSED: Final = {
    "t": "op 't' truncates the table: which rows go is not said; delete them instead",
    "m": "op 'm' is a message of the database, no change of a row",
}


@attrs.frozen
class Envelopes:
    """How envelopes are read.

    Without a key, rows are taken back as `before` has them, and the result is a changelog. With one, rows come as
    `after` has them, and where a key goes a row with `_deleted`: whoever reads them keeps the last row of each key.

    Attributes:
        columns: names and types of the rows' columns.
        key: names of the key columns.
        source_time: name of a further column, the time of the change in the database (``source.ts_ms``).

    Raises:
        GraphError: a column is not there, or has a name that is needed for something else.
    """

    columns: pa.Schema
    key: tuple[str, ...] = attrs.field(default=(), converter=as_key)
    source_time: str | None = None

    def __attrs_post_init__(self) -> None:
        for name in self.key:
            if name not in self.columns.names:
                raise GraphError(f"no key column {name!r}; {known(name, self.columns.names)}")
        for name in (WEIGHT, DELETED):
            if name in self.columns.names:
                raise GraphError(f"the column name {name!r} is kept for what the envelopes say")
        if self.source_time is not None:
            if self.source_time in self.columns.names:
                raise GraphError(f"there is a column {self.source_time!r} already: give the time another name")
            if not self.key:
                raise GraphError(
                    "the time of a change is known of the new row only, so that the old one could not be taken back "
                    "with its own: declare the primary key as well"
                )

    @property
    def schema(self) -> pa.Schema:
        """The columns of the changes."""
        if not self.key:
            return changelog_of(self.columns)
        more = [] if self.source_time is None else [pa.field(self.source_time, pa.timestamp("ms"))]
        return pa.schema([*self.columns, *more, pa.field(DELETED, pa.bool_(), nullable=False)])

    def parsed(self, read: Sequence[pa.DataType]) -> pa.Schema:
        """What lines of JSON are parsed as, where each column of a row is parsed as one of these types."""
        row = pa.struct(list(zip(self.columns.names, read, strict=True)))
        fields = [("before", row), ("after", row), ("op", pa.string())]
        if self.source_time is not None:
            fields.append(("source", pa.struct([("ts_ms", pa.int64())])))
        return pa.schema([*fields, ("payload", pa.struct(fields))])

    def changes(self, table: pa.Table | pa.RecordBatch) -> tuple[pa.RecordBatch, dict[int, str], list[int]]:
        """The changes that envelopes mean.

        Args:
            table: the columns `before`, `after`, `op`, and, where it is wanted, `source`; or `payload`, a struct of
                them, which is taken where it is not NULL.

        Returns:
            The changes; by row number what is wrong with the other envelopes; and the rows without any of these.
        """
        before, after, op, times = self._parts(table)
        rows = table.num_rows
        ops = {letter: _equal(op, letter) for letter in "crud"}
        comes = ops["c"] | ops["r"] | ops["u"]
        has_before, has_after = (_valid(each) for each in (before, after))
        empty = _none(op) & ~has_before & ~has_after
        wrong: dict[int, str] = {}
        self._told(wrong, np.flatnonzero(~(comes | ops["d"] | empty)), lambda row: _unknown(op[row].as_py()))
        self._told(wrong, np.flatnonzero(comes & ~has_after), lambda row: f"op {op[row].as_py()!r} without 'after'")
        leaves = ops["d"] if self.key else ops["d"] | ops["u"]
        self._told(
            wrong,
            np.flatnonzero(leaves & ~has_before),
            lambda row: f"op {op[row].as_py()!r} without 'before'{'' if self.key else f': {_WHOLE}'}",
        )
        if self.key:
            leaves = leaves | (ops["u"] & has_before & self._moved(before, after))
        good = np.ones(rows, np.bool_)
        good[list(wrong)] = False
        both = np.column_stack([leaves & has_before & good, comes & good]).ravel()
        places = np.flatnonzero(both)
        events, sides = places // 2, places % 2
        batch, bad = self._built(before, after, times, events, sides)
        if bad:
            for place, error in bad.items():
                wrong.setdefault(int(events[place]), error)
            batch = batch.filter(pa.array(~np.isin(events, list(wrong))))
        return batch, wrong, np.flatnonzero(empty).tolist()

    def _parts(self, table: pa.Table | pa.RecordBatch) -> tuple[pa.Array, pa.Array, pa.Array, pa.Array | None]:
        """`before`, `after`, `op` and times, wherever they stand."""
        names = ["before", "after", "op", *(["source"] if self.source_time is not None else [])]
        held = [_column(table, name) for name in names]
        payload = _column(table, "payload")
        if payload is not None and payload.null_count < len(payload):
            inner = {field.name: part for field, part in zip(payload.type.fields, payload.flatten(), strict=True)}
            wrapped = [inner.get(name) for name in names]
            choice = payload.is_valid()
            held = [
                one
                if other is None
                else other
                if one is None or not payload.null_count
                else _either(choice, other, one)
                for one, other in zip(held, wrapped, strict=True)
            ]
        kind = pa.struct(list(self.columns))
        before, after, op = (
            pa.nulls(table.num_rows, spare) if each is None else each
            for each, spare in zip(held[:3], (kind, kind, pa.string()), strict=True)
        )
        times = None
        if self.source_time is not None:
            source = held[3]
            times = pa.nulls(table.num_rows, pa.int64()) if source is None else pc.struct_field(source, "ts_ms")
        return before, after, op, times

    def _moved(self, before: pa.Array, after: pa.Array) -> NDArray[np.bool_]:
        """Where the key of the old row is known, and not the new one's."""
        moved = np.zeros(len(before), np.bool_)
        known_key = np.ones(len(before), np.bool_)
        for name in self.key:
            old, new = _field(before, name), _field(after, name)
            if old is None or new is None:
                return np.zeros(len(before), np.bool_)
            moved |= ~np.asarray(pc.equal(old, new).fill_null(False).to_numpy(zero_copy_only=False))
            known_key &= _valid(old)
        return moved & known_key

    def _built(
        self,
        before: pa.Array,
        after: pa.Array,
        times: pa.Array | None,
        events: NDArray[np.int64],
        sides: NDArray[np.int64],
    ) -> tuple[pa.RecordBatch, dict[int, str]]:
        """The changes as they stand in the envelopes, and what is wrong with some of them."""
        bad: dict[int, str] = {}
        arrays = []
        for field in self.columns:
            old, new = _field(before, field.name), _field(after, field.name)
            values = _taken(old, new, events, sides)
            array, rows = fit(values, field.type)
            for row in rows.tolist():
                bad.setdefault(row, f"{field.name!r}: {row_text(values[row].as_py())} is no {field.type}")
            arrays.append(array)
        if not self.key:
            arrays.append(pa.array(2 * sides - 1, pa.int64()))
        else:
            if times is not None:
                arrays.append(times.take(pa.array(events)).cast(pa.timestamp("ms")))
            arrays.append(pa.array(sides == 0))
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema), bad

    @staticmethod
    def _told(wrong: dict[int, str], rows: NDArray[np.int64], told: Any) -> None:
        for row in rows.tolist():
            wrong.setdefault(row, told(row))


def parsed_in_events(wanted: pa.DataType, seen: pa.DataType) -> pa.DataType:
    """As `parsed_as`; JSON and maps stand in events as text that is JSON."""
    kind = parsed_as(wanted, seen)
    return pa.string() if isinstance(kind, pa.JsonType) else kind


def without_tombstones(lines: bytes) -> bytes:
    """The lines with those blank that are only ``null``, which say that a deleted key may be forgotten."""
    if b"null" not in lines:
        return lines
    return _TOMBSTONE.sub(lambda match: b" " * len(match[0]), lines)


def is_tombstone(line: bytes) -> bool:
    """Whether a line without operation and rows is an envelope that says so: its payload is ``null``."""
    said = json.loads(line)
    return isinstance(said, dict) and "payload" in said and said["payload"] is None


NO_OP: Final = "no 'op', which says what has happened: 'c', 'u', 'd' or 'r'"


def _unknown(op: str | None) -> str:
    if op is None:
        return NO_OP
    return _REFUSED.get(op, f"no op {op!r}; known here: ['c', 'u', 'd', 'r']")


def _column(table: pa.Table | pa.RecordBatch, name: str) -> pa.Array | None:
    index = table.schema.get_field_index(name)
    if index < 0:
        return None
    column = table.column(index)
    if isinstance(column, pa.ChunkedArray):
        column = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _either(choice: pa.Array, some: pa.Array | None, others: pa.Array | None) -> pa.Array | None:
    """The one column where the choice is true, the other one elsewhere."""
    if some is None or others is None or choice.true_count == len(choice):
        return others if some is None else some
    rows = np.arange(len(choice))
    chosen = np.where(np.asarray(choice.to_numpy(zero_copy_only=False)), rows, rows + len(rows))
    return pa.concat_arrays([some, others.cast(some.type)]).take(pa.array(chosen))


def _field(row: pa.Array, name: str) -> pa.Array | None:
    """A column of rows, NULL where the row is; None where the rows do not have it."""
    index = row.type.get_field_index(name)
    return None if index < 0 else row.flatten()[index]


def _taken(old: pa.Array | None, new: pa.Array | None, events: NDArray[np.int64], sides: NDArray[np.int64]) -> pa.Array:
    if old is None or new is None:
        one = new if old is None else old
        if one is None:
            return pa.nulls(len(events))
        there = sides == (1 if old is None else 0)
        return one.take(pa.array(events, mask=~there))
    if sides.all():
        return new if len(events) == len(new) else new.take(pa.array(events))
    return pa.concat_arrays([old, new]).take(pa.array(events + sides * len(old)))


def _valid(array: pa.Array) -> NDArray[np.bool_]:
    return np.asarray(array.is_valid().to_numpy(zero_copy_only=False))


def _none(array: pa.Array) -> NDArray[np.bool_]:
    return ~_valid(array)


def _equal(array: pa.Array, value: str) -> NDArray[np.bool_]:
    same = pc.equal(array, pa.scalar(value, array.type)).fill_null(False)
    return np.asarray(same.to_numpy(zero_copy_only=False))
