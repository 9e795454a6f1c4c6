"""What the readers of columnar formats share: batches as a file holds them in, batches of the source's schema out.

The offset is the number of rows of the split that were passed, rejected ones included.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Generator, Set

import numpy as np
import pyarrow as pa

from flow.errors import known
from flow.source import Reader
from operators.files.conversion import fit, row_text, widens
from operators.files.paths import FileError, reading

BATCH_ROWS = 262_144
"""Rows of a batch: what is done between the kernels, and holds the interpreter lock, costs the same for any number."""

BATCH_BYTES = 16 << 20
"""Bytes of a batch, about, where that is fewer rows."""

_FEWEST_ROWS = 1_024


def batch_rows(row_bytes: float) -> int:
    """Rows of a batch of rows of so many bytes."""
    return min(BATCH_ROWS, max(_FEWEST_ROWS, int(BATCH_BYTES / max(row_bytes, 1))))


def check_columns(path: str, held: pa.Schema, schema: pa.Schema, declared: Set[str]) -> None:
    """Raise FileError where a file has not the columns of the source, or other types (but narrower ones are widened).

    Args:
        path: the file.
        held: the columns of the file.
        schema: the columns of the source.
        declared: columns whose values are converted, whatever their type in the file.
    """
    for field in schema:
        index = held.get_field_index(field.name)
        if index < 0:
            raise FileError(
                f"{path!r} has no column {field.name!r}, which the first file has; {known(field.name, held.names)}"
            )
        kind = held.field(index).type
        if field.name not in declared and not widens(kind, field.type):
            raise FileError(
                f"{path!r}: column {field.name!r} has type {kind}; in the first file, and so in the whole source, "
                f"it is {field.type}; declare the column's type to convert it (`types` in Python)"
            )


class ColumnarReader(Reader):
    """Reads batches of a file.

    Args:
        path: the file.
        schema: what every batch that is returned has.
        offset: rows of the split to pass over.
        most_rows: of a batch.
    """

    def __init__(self, path: str, schema: pa.Schema, offset: int, most_rows: int = BATCH_ROWS) -> None:
        self.path = path
        self.schema = schema
        self._row = offset
        self._most_rows = most_rows
        self._batches = self._after(offset)

    def read(self) -> pa.RecordBatch | None:
        """The next rows."""
        with reading(self.path):
            batch = next(self._batches, None)
        if batch is None:
            return None
        result = self._conform(batch)
        self._row += batch.num_rows
        return result

    def offset(self) -> int:
        """Rows passed."""
        return self._row

    def close(self) -> None:
        """Close the file."""
        self._batches.close()

    @abstractmethod
    def batches(self, skip: int) -> Generator[tuple[int, pa.RecordBatch], None, None]:
        """Each batch after the number of the split's rows before it; those within the first `skip` may be missing."""

    def _after(self, skip: int) -> Generator[pa.RecordBatch, None, None]:
        for before, batch in self.batches(skip):
            for first in range(max(skip - before, 0), batch.num_rows, self._most_rows):
                yield batch.slice(first, self._most_rows)

    def _conform(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        if not self.schema.names:
            return batch.select([])
        columns, bad = [], dict[int, pa.Field]()
        for field in self.schema:
            array, rows = fit(batch.column(field.name), field.type)
            columns.append(array)
            for row in rows.tolist():
                bad.setdefault(row, field)
        result = pa.RecordBatch.from_arrays(columns, schema=self.schema)
        if not bad:
            return result
        for row in sorted(bad):
            field = bad[row]
            (values,) = batch.slice(row, 1).to_pylist()
            error = f"{self.path!r}: column {field.name!r}: {values[field.name]!r} is no {field.type}"
            self.reject(row_text(values), error, self._row + row)
        good = np.ones(batch.num_rows, dtype=bool)
        good[list(bad)] = False
        return result.filter(pa.array(good))
