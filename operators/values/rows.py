"""Python rows to Arrow columns and back.

A value either becomes the same value of its column's type, or its row is found bad: nothing is rounded or wrapped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from flow.errors import RowError, known
from operators.files.conversion import declared
from operators.values.objects import array_of

Row = Mapping[str, Any]
Columns: TypeAlias = Mapping[str, "pa.DataType | str"] | pa.Schema
"""Names and types of columns; a type may be given by Arrow's name for it (``"int64"``)."""

_SHOWN = 80


def as_schema(columns: Columns | None) -> pa.Schema | None:
    """Columns as a schema. Raises GraphError where a type is none."""
    return columns if columns is None or isinstance(columns, pa.Schema) else pa.schema(declared(columns))


def rows_of(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    """The rows as dicts; times to the microsecond, which is as fine as Python's are."""
    columns = [_microseconds(column) for column in batch.columns]
    return (
        pa.RecordBatch.from_arrays(columns, names=batch.schema.names).to_pylist()
        if columns
        else [{} for _ in range(batch.num_rows)]
    )


def batch_of(rows: Sequence[Any], columns: pa.Schema, known_names: frozenset[str] | None = None) -> pa.RecordBatch:
    """The rows as columns; a missing key is NULL.

    Args:
        rows: dicts by column name.
        columns: the result's names and types.
        known_names: the keys that rows may have; None lets them have any.

    Raises:
        RowError: naming the first column and value that do not fit.
    """
    for row in rows:
        if not isinstance(row, Mapping):
            raise RowError(f"a row is a dict, not {_shown(row)}")
        if known_names is not None and not row.keys() <= known_names:
            name = next(key for key in row if key not in known_names)
            raise RowError(f"no column {name!r}; {known(str(name), known_names)}")
    arrays = [_column(field, [row.get(field.name) for row in rows]) for field in columns]
    if not arrays:
        # Only a selection of no columns knows how many rows it stands for.
        return pa.record_batch({"": pa.nulls(len(rows))}).select([])
    return pa.RecordBatch.from_arrays(arrays, schema=columns)


def usable(
    rows: Sequence[Any],
    columns: pa.Schema,
    reject: Callable[[int, str], None],
    known_names: frozenset[str] | None = None,
) -> tuple[pa.RecordBatch, Sequence[int]]:
    """The good ones of the rows as columns, and which ones these are; `reject` is told of the others by number."""
    try:
        return batch_of(rows, columns, known_names), range(len(rows))
    except RowError:
        good = []
        for number, row in enumerate(rows):
            try:
                batch_of([row], columns, known_names)
            except RowError as error:
                reject(number, str(error))
            else:
                good.append(number)
        return batch_of([rows[number] for number in good], columns, known_names), good


def inferred(rows: Iterable[Any]) -> pa.Schema:
    """Names and types of the columns that the rows have; RowError where they fit no common type."""
    rows = list(rows)
    names = list(dict.fromkeys(name for row in rows for name in _keys(row)))
    fields = []
    for name in names:
        try:
            kind = pa.array([row.get(name) for row in rows]).type
        except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
            raise RowError(f"column {name!r}: {error}") from error
        if pa.types.is_null(kind):
            raise RowError(f"column {name!r} has no value in the first {len(rows)} rows: its type is unknown")
        fields.append(pa.field(name, kind))
    return pa.schema(fields)


def _keys(row: Any) -> Iterable[str]:
    if not isinstance(row, Mapping):
        raise RowError(f"a row is a dict, not {_shown(row)}")
    return row.keys()


def _column(field: pa.Field, values: list[Any]) -> pa.Array:
    try:
        array = array_of(values, field.type)
    except (pa.ArrowException, OverflowError, TypeError, ValueError, AttributeError) as error:
        value = next(value for value in values if not _fits(field, value)) if len(values) > 1 else values[0]
        raise RowError(f"column {field.name!r}: {_shown(value)} is no {field.type}") from error
    if not field.nullable and array.null_count:
        raise RowError(f"column {field.name!r}: NULL, where there must be a value")
    return array


def _fits(field: pa.Field, value: Any) -> bool:
    try:
        _column(field, [value])
    except RowError:
        return False
    return True


def _shown(value: Any) -> str:
    text = repr(value)
    text = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
    return f"{text} ({type(value).__name__})"


def _microseconds(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        return pc.cast(column, pa.timestamp("us", kind.tz), safe=False)
    if pa.types.is_time64(kind) and kind.unit == "ns":
        return pc.cast(column, pa.time64("us"), safe=False)
    return column
