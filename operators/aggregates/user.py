"""Aggregate functions of users: Python over all values of a group, as Arrow arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
import pyarrow as pa

from flow.errors import GraphError, RowError
from operators.aggregates.bag import Bag
from operators.aggregates.columns import IntArray
from operators.aggregates.ranks import Sort
from operators.calling.callables import described
from operators.expressions.types import Argument
from operators.expressions.user import check_arguments
from operators.values.objects import array_of


@attrs.frozen
class AggregateFunction:
    """One value for each group.

    It is called once for each group that a batch changes, with all values that are there then; so the values are kept,
    and rows can be taken back. Without an order said in the query, values come in their own.

    Attributes:
        name: what queries call it.
        function: of one Arrow array for each argument, all of equal length, to a Python value or an Arrow scalar.
        arguments: the types of its arguments, one at least.
        result: the type of its values.
        called_on_null: whether it is given rows with a NULL among its arguments. A group without a row is NULL.
    """

    name: str
    function: Callable[..., Any] = attrs.field(repr=described)
    arguments: tuple[pa.DataType, ...]
    result: pa.DataType
    called_on_null: bool = False

    def __attrs_post_init__(self) -> None:
        if not self.arguments:
            raise GraphError(f"the aggregate function {self.name}() needs an argument")

    def check(self, kinds: list[pa.DataType]) -> None:
        """Raise ExpressionError where values of these types are not what it takes."""
        check_arguments(self.name, self.arguments, [Argument(kind) for kind in kinds])

    def over(self, bag: Bag, slots: IntArray, sorts: tuple[Sort, ...]) -> pa.Array:
        """Its values for slots, whose values are in a bag."""
        places, entries = bag.sorted(slots, sorts)
        times = bag.times[entries]
        places, entries = np.repeat(places, times), np.repeat(entries, times)
        columns = [bag.column(entries, number).cast(kind) for number, kind in enumerate(self.arguments)]
        ends = np.cumsum(np.bincount(places, minlength=len(slots)))
        made = [
            None if begin == end else self._of_group([column.slice(begin, end - begin) for column in columns])
            for begin, end in zip(np.concatenate([[0], ends[:-1]]).tolist(), ends.tolist(), strict=True)
        ]
        try:
            return array_of(made, self.result)
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            raise RowError(f"what {self.name}() returned is no {self.result}: {error}") from error

    def _of_group(self, columns: list[pa.Array]) -> Any:
        try:
            value = self.function(*columns)
        except Exception as error:
            raise RowError(f"{self.name}() of {len(columns[0])} rows: {type(error).__name__}: {error}") from error
        return value.as_py() if isinstance(value, pa.Scalar) else value
