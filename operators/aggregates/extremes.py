"""Least and greatest values: in an array where the type has a fixed width, in a pool of values where not.

NaN is greater than any number, as in PostgreSQL: the greatest wherever it is, and the least only where it is alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from operators.aggregates.accumulator import MergedByValue, Values
from operators.aggregates.columns import BoolArray, IntArray, column, grown, physical, physical_type
from operators.aggregates.pool import Pool


class NumberExtreme(MergedByValue):
    """The least or greatest number, time or boolean a slot."""

    def __init__(self, kind: pa.DataType, greatest: bool) -> None:
        super().__init__(kind)
        self.state_type = kind
        width = physical_type(kind) or np.dtype(np.int8)
        self._fill: Any
        self._pick: np.ufunc
        if width.kind == "f":
            # fmin leaves NaN out unless there is nothing else; maximum keeps it.
            self._fill = -np.inf if greatest else np.nan
            self._pick = np.maximum if greatest else np.fmin
        else:
            self._fill = np.iinfo(width).min if greatest else np.iinfo(width).max
            self._pick = np.maximum if greatest else np.minimum
        self._state: NDArray[Any] = np.zeros(0, width)

    def grow(self, size: int) -> None:
        """As `Accumulator.grow`."""
        self._state = grown(self._state, size, self._fill)

    def update(self, values: Values) -> None:
        """Take values into account."""
        self._pick.at(self._state, values.slots, values.numbers.astype(self._state.dtype, copy=False))

    def partial(self, slots: IntArray, keep: BoolArray | None) -> list[pa.Array]:
        """The extremes."""
        state = self._state[slots]
        return [column(self.kind, state.astype(np.bool_) if pa.types.is_boolean(self.kind) else state, keep)]

    def clear(self) -> None:
        """As `Accumulator.clear`."""
        self._state.fill(self._fill)


class ValueExtreme(MergedByValue):
    """The least or greatest string, binary or decimal a slot."""

    def __init__(self, kind: pa.DataType, greatest: bool) -> None:
        super().__init__(kind)
        self.state_type = kind
        self._function = "max" if greatest else "min"
        self._better = pc.greater if greatest else pc.less
        self._pool = Pool(kind)

    def grow(self, size: int) -> None:
        """As `Accumulator.grow`."""
        self._pool.grow(size)

    def update(self, values: Values) -> None:
        """Take values into account."""
        if not len(values.slots):
            return
        table = pa.table({"slot": values.slots, "value": values.array})
        best = table.group_by("slot", use_threads=False).aggregate([("value", self._function)]).combine_chunks()
        slots, array = physical(best["slot"].chunk(0)), best[f"value_{self._function}"].chunk(0)
        held = self._pool.held(slots)
        if held.any():
            known = np.flatnonzero(held)
            better = physical(self._better(array.take(pa.array(known)), self._pool.take(slots[known])))
            chosen = np.concatenate([np.flatnonzero(~held), known[better]])
            slots, array = slots[chosen], array.take(pa.array(chosen))
        self._pool.put(slots, array)

    def partial(self, slots: IntArray, keep: BoolArray | None) -> list[pa.Array]:
        """The extremes."""
        return [self._pool.take(slots)]

    def clear(self) -> None:
        """As `Accumulator.clear`."""
        self._pool.clear()
