"""A feed evaluates one argument under one filter, once a batch, for all accumulators that want the same.

It drops NULLs, and counts the values of each slot, which tells NULL from zero for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from operators.aggregates.accumulator import Values
from operators.aggregates.aggregation import Aggregation
from operators.aggregates.bundle import Bundle, Result
from operators.aggregates.columns import BoolArray, IntArray, column, grown, physical, plain, plain_type, present, valid
from operators.expressions import BoundExpression


class Feed:
    """The arguments of aggregates under one filter, and the accumulators that they feed."""

    def __init__(
        self,
        arguments: Sequence[BoundExpression],
        condition: BoundExpression | None,
        required: int,
        changelog: bool,
        timed: bool,
    ) -> None:
        """No accumulator yet.

        Args:
            arguments: what is computed of each row.
            condition: which rows count; None: all.
            required: rows with a NULL among so many of the arguments do not count either.
            changelog: whether rows can be taken out again.
            timed: whether the time by which rows have an order is one more value.
        """
        self._arguments = arguments
        self._condition = condition
        self._required = required
        self._timed = timed
        kinds = [*(plain_type(argument.type) for argument in arguments), *([pa.int64()] if timed else [])]
        self._bundle = Bundle(kinds, changelog, timed)
        # None as long as every row had a value, so that the rows' counts are this feed's as well.
        self._counted = condition is not None or changelog
        self._counts = np.zeros(0, np.int64) if self._counted else None

    def add(self, aggregation: Aggregation) -> Result:
        """Take on an aggregate function."""
        return self._bundle.add(aggregation)

    def grow(self, size: int) -> None:
        """Make room for slots below `size`."""
        if self._counts is not None:
            self._counts = grown(self._counts, size, 0)
        self._bundle.grow(size)

    def counts(self, slots: IntArray, rows: IntArray) -> IntArray:
        """The number of values that slots have had; `rows` is the number of rows of each of them."""
        return rows if self._counts is None else self._counts[slots]

    def update(
        self,
        batch: pa.RecordBatch,
        slots: IntArray,
        rows: IntArray,
        size: int,
        weights: IntArray | None,
        order: IntArray | None,
    ) -> None:
        """Add the rows of a batch; `rows` (int64[size]) is how many rows each slot had before."""
        keep, arrays = self._select(batch)
        if keep is not None:
            chosen = np.flatnonzero(keep)
            arrays = [array.take(pa.array(chosen)) for array in arrays]
            slots = slots[chosen]
            weights = None if weights is None else weights[chosen]
            order = None if order is None else order[chosen]
            if self._counts is None:
                self._counts = rows.copy()
        if self._bundle.accumulators:
            first, *more = map(plain, arrays)
            if self._timed:
                assert order is not None
                more.append(column(pa.int64(), order))
            self._bundle.update(Values(slots, first, size, weights, order, more))
        if self._counts is not None:
            np.add.at(self._counts, slots, 1 if weights is None else weights)

    def _select(self, batch: pa.RecordBatch) -> tuple[BoolArray | None, list[pa.Array]]:
        """Which rows have values to add (None: all), and the arguments' values."""
        keep: BoolArray | None = None
        if self._condition is not None:
            keep = np.asarray(self._condition(batch).fill_null(False).to_numpy(zero_copy_only=False))
        arrays = [argument(batch) for argument in self._arguments]
        for array in arrays[: self._required]:
            known = valid(array)
            if pa.types.is_dictionary(array.type) and array.dictionary.null_count:
                known = valid(plain(array))
            if known is not None:
                keep = known if keep is None else keep & known
        return keep, arrays

    @property
    def partial_types(self) -> list[pa.DataType]:
        """The types of the columns of a partial state."""
        kinds = [kind for accumulator in self._bundle.accumulators.values() for kind in accumulator.partial_types]
        return [pa.int64(), *kinds]

    def partial(self, slots: IntArray, rows: IntArray) -> list[pa.Array]:
        """The states of slots."""
        counts = self.counts(slots, rows)
        keep = present(counts != 0)
        columns = [column(pa.int64(), counts)]
        for accumulator in self._bundle.accumulators.values():
            columns += accumulator.partial(slots, keep)
        return columns

    def merge(self, columns: Sequence[pa.Array], slots: IntArray, added: IntArray, rows: IntArray, size: int) -> None:
        """Add partial states that stand for `added` rows each."""
        counts = physical(columns[0])
        if self._counts is None and not np.array_equal(counts, added):
            self._counts = rows.copy()
        if self._counts is not None:
            np.add.at(self._counts, slots, counts)
        states = list(columns[1:])
        if not counts.all():
            chosen = np.flatnonzero(counts)
            slots, counts = slots[chosen], counts[chosen]
            states = [state.take(pa.array(chosen)) for state in states]
        for accumulator in self._bundle.accumulators.values():
            width = len(accumulator.partial_types)
            accumulator.merge(slots, counts, states[:width], size)
            states = states[width:]

    def raw(self, batch: pa.RecordBatch) -> list[pa.Array]:
        """What `partial` would give if each row of a batch had a slot of its own."""
        keep, arrays = self._select(batch)
        counts = np.ones(batch.num_rows, np.int64) if keep is None else keep.astype(np.int64)
        columns = [column(pa.int64(), counts)]
        if self._bundle.accumulators:
            arrays = [plain(array) for array in arrays]
            if keep is not None:
                places = pa.array(np.arange(batch.num_rows), mask=~keep)
                arrays = [array.take(places) for array in arrays]
            for accumulator in self._bundle.accumulators.values():
                columns += accumulator.raw(*arrays)
        return columns

    def clear(self) -> None:
        """Forget all slots."""
        if self._counts is not None:
            self._counts.fill(0)
        if not self._counted:
            self._counts = None
        for accumulator in self._bundle.accumulators.values():
            accumulator.clear()
