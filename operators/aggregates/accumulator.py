"""The contract of accumulators: one state a slot, kept in arrays, fed with many rows at a time.

An accumulator never sees a NULL: the feed drops them, and counts how many values each slot has had.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from flow.errors import RowError
from operators.aggregates.columns import BoolArray, IntArray, column, floats, physical, present, unique_slots, valid
from operators.expressions.type_names import in_sql, type_text


class Values:
    """What one feed hands to its accumulators: the values of a batch that are not NULL, and where they belong.

    Attributes:
        slots: int64[n], the slot of each value.
        array: the values, plain; of aggregates of several arguments, the first one's.
        size: the number of slots that there are.
        weights: int64[n], how often each value is added (or, below zero, taken out); None: once.
        order: int64[n], by what `first` and `last` judge; None: by position.
        more: the values of the other arguments, which may be NULL.
    """

    def __init__(
        self,
        slots: IntArray,
        array: pa.Array,
        size: int,
        weights: IntArray | None = None,
        order: IntArray | None = None,
        more: Sequence[pa.Array] = (),
    ) -> None:
        self.slots = slots
        self.array = array
        self.size = size
        self.weights = weights
        self.order = order
        self.more = more

    @cached_property
    def numbers(self) -> NDArray[Any]:
        """The physical values."""
        return physical(self.array)

    @cached_property
    def floats(self) -> NDArray[np.float64]:
        """The values as float64; those of decimals are rounded to the nearest."""
        return floats(self.array)

    @cached_property
    def touched(self) -> IntArray:
        """The distinct slots, ascending."""
        return unique_slots(self.slots, self.size)

    @cached_property
    def local(self) -> IntArray:
        """int64[n]: where in `touched` each value's slot stands."""
        if len(self.slots) * 64 < self.size:
            return np.searchsorted(self.touched, self.slots)
        places = np.empty(self.size, np.int64)
        places[self.touched] = np.arange(len(self.touched))
        return places[self.slots]


class Accumulator(ABC):
    """One aggregate's state over all slots."""

    def __init__(self, kind: pa.DataType) -> None:
        """An empty state over arguments of a (plain) type."""
        self.kind = kind

    @abstractmethod
    def grow(self, size: int) -> None:
        """Make room for slots below `size`."""

    @abstractmethod
    def update(self, values: Values) -> None:
        """Add values. Raises RowError where the state cannot hold the result; the state is then undefined."""

    @property
    @abstractmethod
    def partial_types(self) -> Sequence[pa.DataType]:
        """The types of the columns of a partial state."""

    @abstractmethod
    def partial(self, slots: IntArray, keep: BoolArray | None) -> list[pa.Array]:
        """The states of slots, as columns; NULL where `keep` is false (the slot has had no value)."""

    @abstractmethod
    def merge(self, slots: IntArray, counts: IntArray, columns: Sequence[pa.Array], size: int) -> None:
        """Add partial states (none of them NULL) of `counts` values each."""

    @abstractmethod
    def raw(self, array: pa.Array, *more: pa.Array) -> list[pa.Array]:
        """What `partial` would give if each value had a slot of its own; NULLs stay NULL."""

    def result(self, slots: IntArray, counts: IntArray) -> pa.Array:
        """The aggregate of slots that have had so many values: NULL where none."""
        return self.partial(slots, present(counts > 0))[0]

    @abstractmethod
    def clear(self) -> None:
        """Forget all slots."""


class MergedByValue(Accumulator):
    """An accumulator whose partial state is a value that can be added like any other."""

    state_type: pa.DataType

    @property
    def partial_types(self) -> Sequence[pa.DataType]:
        """The state's own type."""
        return (self.state_type,)

    def merge(self, slots: IntArray, counts: IntArray, columns: Sequence[pa.Array], size: int) -> None:
        """Add them as values."""
        self.update(Values(slots, columns[0], size))

    def raw(self, array: pa.Array, *more: pa.Array) -> list[pa.Array]:
        """The values, as the state's type."""
        try:
            return [array.cast(self.state_type)]
        except pa.ArrowInvalid as error:
            raise RowError(f"a value is beyond {type_text(self.state_type)}: {in_sql(str(error))}") from error


class MadeOfRows(Accumulator):
    """An accumulator whose partial states of single rows are made by another one that has a slot a row."""

    @abstractmethod
    def empty(self) -> Accumulator:
        """Another accumulator of this kind, without a state."""

    def raw(self, array: pa.Array, *more: pa.Array) -> list[pa.Array]:
        """As `Accumulator.raw`."""
        rows, keep = np.arange(len(array)), valid(array)
        if keep is not None:
            rows = np.flatnonzero(keep)
            chosen = column(pa.int64(), rows)
            array, more = array.take(chosen), tuple(other.take(chosen) for other in more)
        size = len(rows) if keep is None else len(keep)
        made = self.empty()
        made.grow(size)
        made.update(Values(rows, array, size, more=more))
        return made.partial(np.arange(size), keep)
