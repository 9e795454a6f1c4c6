"""OnlyRow: rows pass, and at the end none may be left of which there should be one, but are several.

What counts is which rows stand when an epoch or the input ends, as opposed to those that come and go before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import attrs
import numpy as np
import pyarrow as pa

from flow.errors import GraphError, RowError
from flow.operator import Kept, Operator, Partition, PartitionContext, Tables
from flow.schema import StreamSchema
from operators.aggregates.columns import physical

_MESSAGE: Final = "a subquery that is used as a value has more than one row"


@attrs.frozen
class OnlyRow(Operator):
    """Its input's rows; the run fails where, when an epoch or the input ends, one of them says that it stands for many.

    The state is one number: how many such rows there are.

    Attributes:
        rows: the name of an int64 column: for how many rows a row stands. NULL means none.
    """

    rows: str

    timed = False
    vectorised = True

    def output(self, inputs: Mapping[str, StreamSchema]) -> StreamSchema:
        """The input's columns."""
        (schema,) = inputs.values()
        if schema.column_type(self.rows) != pa.int64():
            raise GraphError(f"column {self.rows!r} counts rows; it must be int64, not {schema.column_type(self.rows)}")
        return schema

    def open(self, context: PartitionContext) -> Partition:
        """As `Operator.open`."""
        return _OnlyRowPartition(self.rows, context.input.changelog)

    def keeps(self, inputs: Mapping[str, StreamSchema]) -> Kept:
        """One number."""
        return Kept("how many values have several rows", "bounded")

    def needs(self, wanted: frozenset[str]) -> Mapping[str, frozenset[str]]:
        """What is wanted, and the number."""
        return {"in": wanted | {self.rows}}


class _OnlyRowPartition(Partition):
    def __init__(self, rows: str, changelog: bool) -> None:
        self._rows = rows
        self._changelog = changelog
        self._several = 0

    def on_batch(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Let the rows pass."""
        array = batch.column(self._rows)
        several = physical(array.fill_null(0) if array.null_count else array) > 1
        if several.any():
            weights = physical(batch.column(-1)) if self._changelog else np.ones(len(several), np.int64)
            self._several += int(weights[several].sum())
        yield batch

    def on_end(self) -> Iterator[pa.RecordBatch]:
        """Nothing but an error."""
        self._check()
        return iter(())

    def state_rows(self) -> int:
        """As `Partition.state_rows`."""
        return self._several

    def snapshot(self) -> Tables:
        """Nothing: where there is something to keep, the run fails."""
        self._check()
        return {}

    def _check(self) -> None:
        if self._several:
            raise RowError(_MESSAGE)
