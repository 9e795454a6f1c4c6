"""A feed evaluates one argument under one filter, once a batch, for all accumulators that want the same.

It drops NULLs, and counts the values of each slot, which tells NULL from zero for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from operators.aggregates.accumulator import Accumulator, Values
from operators.aggregates.columns import (
    BoolArray,
    IntArray,
    column,
    grown,
    physical,
    physical_type,
    plain,
    plain_type,
    present,
    valid,
)
from operators.aggregates.distinct import Distinct
from operators.aggregates.extremes import NumberExtreme, ValueExtreme
from operators.aggregates.moments import Moments
from operators.aggregates.ordered import Ordered
from operators.aggregates.sums import DecimalSum, FloatSum, IntegerSum, RetractableFloatSum
from operators.expressions import BoundExpression

Result = Callable[[IntArray, IntArray], pa.Array]
"""The values of an aggregate for slots, given how many values each has had."""


class Feed:
    """One argument under one filter, and the accumulators that it feeds."""

    def __init__(self, argument: BoundExpression | None, condition: BoundExpression | None, changelog: bool) -> None:
        self._argument = argument
        self._condition = condition
        self._changelog = changelog
        self._kind = pa.null() if argument is None else plain_type(argument.type)
        self._accumulators: dict[str, Accumulator] = {}
        # None as long as every row had a value, so that the rows' counts are this feed's as well.
        self._counted = condition is not None or changelog
        self._counts = np.zeros(0, np.int64) if self._counted else None

    def add(self, function: str) -> Result:
        """Take on an aggregate function."""
        if function == "count":
            return lambda slots, counts: column(pa.int64(), counts)
        if function == "avg":
            sums = cast(FloatSum, self._accumulator("float sum"))
            return lambda slots, counts: column(
                pa.float64(), sums.totals(slots) / np.maximum(counts, 1), present(counts > 0)
            )
        if function.startswith(("var", "stddev")):
            moments = cast(Moments, self._accumulator("moments"))
            return lambda slots, counts: _spread(moments, slots, function)
        return self._accumulator(function).result

    def _accumulator(self, name: str) -> Accumulator:
        if name == "sum" and pa.types.is_floating(self._kind):
            name = "float sum"
        if name not in self._accumulators:
            self._accumulators[name] = _accumulator(name, self._kind, self._changelog)
        return self._accumulators[name]

    def grow(self, size: int) -> None:
        """Make room for slots below `size`."""
        if self._counts is not None:
            self._counts = grown(self._counts, size, 0)
        for accumulator in self._accumulators.values():
            accumulator.grow(size)

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
        keep, array = self._select(batch)
        if keep is not None:
            chosen = np.flatnonzero(keep)
            if array is not None:
                array = array.take(pa.array(chosen))
            slots = slots[chosen]
            weights = None if weights is None else weights[chosen]
            order = None if order is None else order[chosen]
            if self._counts is None:
                self._counts = rows.copy()
        if array is not None and self._accumulators:
            values = Values(slots, plain(array), size, weights, order)
            for accumulator in self._accumulators.values():
                accumulator.update(values)
        if self._counts is not None:
            np.add.at(self._counts, slots, 1 if weights is None else weights)
            if weights is not None and len(empty := slots[self._counts[slots] == 0]):
                for accumulator in self._accumulators.values():
                    accumulator.forget(empty)

    def _select(self, batch: pa.RecordBatch) -> tuple[BoolArray | None, pa.Array | None]:
        """Which rows have a value to add (None: all), and the argument's values."""
        keep: BoolArray | None = None
        if self._condition is not None:
            keep = np.asarray(self._condition(batch).fill_null(False).to_numpy(zero_copy_only=False))
        if self._argument is None:
            return keep, None
        array = self._argument(batch)
        known = valid(array)
        if known is not None and pa.types.is_dictionary(array.type) and array.dictionary.null_count:
            known = valid(plain(array))
        if keep is None or known is None:
            return (known if keep is None else keep), array
        return keep & known, array

    @property
    def partial_types(self) -> list[pa.DataType]:
        """The types of the columns of a partial state."""
        kinds = [kind for accumulator in self._accumulators.values() for kind in accumulator.partial_types]
        return [pa.int64(), *kinds]

    def partial(self, slots: IntArray, rows: IntArray) -> list[pa.Array]:
        """The states of slots."""
        counts = self.counts(slots, rows)
        keep = present(counts != 0)
        columns = [column(pa.int64(), counts)]
        for accumulator in self._accumulators.values():
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
        for accumulator in self._accumulators.values():
            width = len(accumulator.partial_types)
            accumulator.merge(slots, counts, states[:width], size)
            states = states[width:]

    def raw(self, batch: pa.RecordBatch) -> list[pa.Array]:
        """What `partial` would give if each row of a batch had a slot of its own."""
        keep, array = self._select(batch)
        counts = np.ones(batch.num_rows, np.int64) if keep is None else keep.astype(np.int64)
        columns = [column(pa.int64(), counts)]
        if array is not None and self._accumulators:
            array = plain(array)
            if keep is not None:
                places = np.arange(batch.num_rows)
                array = array.take(pa.array(places, mask=~keep))
            for accumulator in self._accumulators.values():
                columns += accumulator.raw(array)
        return columns

    def clear(self) -> None:
        """Forget all slots."""
        if self._counts is not None:
            self._counts.fill(0)
        if not self._counted:
            self._counts = None
        for accumulator in self._accumulators.values():
            accumulator.clear()


def _accumulator(name: str, kind: pa.DataType, changelog: bool) -> Accumulator:
    match name:
        case "float sum":
            return RetractableFloatSum(kind) if changelog else FloatSum(kind)
        case "sum":
            return DecimalSum(kind) if pa.types.is_decimal(kind) else IntegerSum(kind)
        case "moments":
            return Moments(kind)
        case "count_distinct":
            return Distinct(kind)
        case "min" | "max":
            fixed = pa.types.is_boolean(kind) or physical_type(kind) is not None
            return (NumberExtreme if fixed else ValueExtreme)(kind, greatest=name == "max")
        case _:
            return Ordered(kind, last=name == "last")


def _spread(moments: Moments, slots: IntArray, function: str) -> pa.Array:
    variance, known = moments.variance(slots, sample=not function.endswith("_pop"))
    values: NDArray[np.float64] = np.sqrt(variance) if function.startswith("stddev") else variance
    return column(pa.float64(), values, present(known))
