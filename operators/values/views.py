"""Arrow's view types become the plain ones where rows come in: few kernels know the views, and none groups by them."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

_PLAIN: Final = {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}


def without_views(columns: pa.Schema) -> pa.Schema:
    """The same columns, of plain text and bytes; the very schema given where it has no views."""
    if _PLAIN.keys().isdisjoint(columns.types):
        return columns
    return pa.schema([field.with_type(_PLAIN.get(field.type, field.type)) for field in columns])


def as_plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The same rows without views."""
    plain = without_views(batch.schema)
    return batch if plain is batch.schema else batch.cast(plain)
