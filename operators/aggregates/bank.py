"""All aggregates of one operator over one set of slots: the accumulators, and how many rows each slot has had.

Rows come in as batches of the input, or as partial states (from another bank with the same aggregations); results and
partial states come out as columns.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from flow.schema import StreamSchema
from operators.aggregates.aggregation import Aggregation
from operators.aggregates.bundle import Result
from operators.aggregates.columns import IntArray, column, event_microseconds, grown, physical, valid
from operators.aggregates.feed import Feed

_BEFORE = np.iinfo(np.int64).min

Aggregations = tuple[tuple[str, Aggregation], ...]


class Bank:
    """The states of all aggregations, by slot.

    Attributes:
        rows: int64[n], how many rows each slot has had (inserted less retracted).
        counts_all: whether every row that comes changes its group's result, since all rows are counted.
    """

    def __init__(self, schema: StreamSchema, aggregations: Aggregations) -> None:
        """An empty bank over rows of `schema`; raises GraphError where an argument does not fit."""
        self.rows = np.zeros(0, np.int64)
        self._changelog = schema.changelog
        self._results: list[tuple[Feed | None, Result]] = []
        arriving = any(aggregation.arrives for _, aggregation in aggregations)
        timed = schema.event_time is not None and arriving
        self._order = schema.columns.get_field_index(schema.event_time) if timed else -1
        feeds: dict[object, Feed] = {}
        for _, aggregation in aggregations:
            if aggregation.argument is None and aggregation.filter is None:
                self._results.append((None, lambda slots, counts: column(pa.int64(), counts)))
                continue
            parts, condition, required = aggregation.fed, aggregation.filter, aggregation.required
            dated = timed and aggregation.arrives and schema.changelog
            wanted = (parts, condition, required, dated)
            if wanted not in feeds:
                arguments = [part.bind(schema.columns) for part in parts]
                feeds[wanted] = Feed(
                    arguments,
                    None if condition is None else condition.bind(schema.columns),
                    required,
                    schema.changelog,
                    dated,
                )
            self._results.append((feeds[wanted], feeds[wanted].add(aggregation)))
        self._feeds = list(feeds.values())
        self.counts_all = not schema.changelog and any(feed is None for feed, _ in self._results)

    def grow(self, size: int) -> None:
        """Make room for slots below `size`."""
        if len(self.rows) < size:
            self.rows = grown(self.rows, size, 0)
            size = len(self.rows)
            for feed in self._feeds:
                feed.grow(size)

    def update(self, batch: pa.RecordBatch, slots: IntArray, size: int) -> None:
        """Add the rows of a batch of the input; `size` is the number of slots that there are."""
        self.grow(size)
        weights = physical(batch.column(batch.num_columns - 1)) if self._changelog else None
        order = self._event_times(batch)
        for feed in self._feeds:
            feed.grow(len(self.rows))
            feed.update(batch, slots, self.rows, size, weights, order)
        np.add.at(self.rows, slots, 1 if weights is None else weights)

    def merge(self, columns: Sequence[pa.Array], slots: IntArray, size: int) -> None:
        """Add partial states, as they come out of `partial`."""
        self.grow(size)
        added = physical(columns[0])
        rest = list(columns[1:])
        for feed in self._feeds:
            width = len(feed.partial_types)
            feed.merge(rest[:width], slots, added, self.rows, size)
            rest = rest[width:]
        np.add.at(self.rows, slots, added)

    def results(self, slots: IntArray) -> list[pa.Array]:
        """The values of all aggregations for slots, in the order in which they were given."""
        rows = self.rows[slots]
        return [result(slots, rows if feed is None else feed.counts(slots, rows)) for feed, result in self._results]

    @property
    def partial_types(self) -> list[pa.DataType]:
        """The types of the columns of partial states; the first is the number of rows."""
        return [pa.int64(), *(kind for feed in self._feeds for kind in feed.partial_types)]

    def partial(self, slots: IntArray) -> list[pa.Array]:
        """The states of slots."""
        rows = self.rows[slots]
        return [column(pa.int64(), rows), *(part for feed in self._feeds for part in feed.partial(slots, rows))]

    def raw(self, batch: pa.RecordBatch) -> list[pa.Array]:
        """What `partial` would give if each row of a batch had a slot of its own."""
        ones = column(pa.int64(), np.ones(batch.num_rows, np.int64))
        return [ones, *(part for feed in self._feeds for part in feed.raw(batch))]

    def clear(self) -> None:
        """Forget all slots."""
        self.rows.fill(0)
        for feed in self._feeds:
            feed.clear()

    def _event_times(self, batch: pa.RecordBatch) -> IntArray | None:
        if self._order < 0:
            return None
        array = batch.column(self._order)
        times, known = event_microseconds(array), valid(array)
        # A row without a time comes before all others: it is the last one only where it is alone.
        return times if known is None else np.where(known, times, _BEFORE)
