"""Partial results of a whole batch by one kernel of Arrow, which runs without the interpreter lock.

The accumulators of a `Bank` take many short steps, between which threads wait for each other; this takes one long step,
so readers that aggregate side by side do not. It gives the same partial states as a bank, or None where only a bank
can: sums that may not fit, NaN among the values of an extreme.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from flow.schema import StreamSchema
from operators.aggregates.bank import Aggregations
from operators.aggregates.columns import column, physical, physical_type, plain, plain_type
from operators.aggregates.ranks import starts
from operators.aggregates.sums import is_averaged_by_sum
from operators.expressions import BoundExpression, Expression
from operators.values.decimals import decimals, largest, unscaled

_Wanted = tuple[str | tuple[()], str]
"""A column (or none) and the function that aggregates it."""

_ROWS: Final[_Wanted] = ((), "count_all")
_LIMIT: Final = 2**63
_DECIMAL_LIMIT: Final = 10**37
_DECIMAL_DIGITS: Final = 28
"""Of decimals of no more digits, a batch's sum always fits."""
_WORTHWHILE: Final = 2
_REDUCED: Final[dict[str, np.ufunc]] = {"sum": np.add, "min": np.minimum, "max": np.maximum}
_VALUES_ONLY: Final = pc.CountOptions(mode="only_valid")


@attrs.frozen
class _State:
    """One column of a partial state.

    Attributes:
        function: what makes it of values.
        merging: what merges states.
        kind: its type.
        value: which of the values it is made of; None: the rows.
    """

    function: str
    merging: str
    kind: pa.DataType
    value: int | None = None


class Grouped:
    """Groups rows to partial states, and merges partial states.

    What comes out has the key columns, then the number of rows, then for each argument its count and its states: the
    columns of `Bank.partial`, in their order.
    """

    def __init__(
        self, keys: int, arguments: Sequence[tuple[BoundExpression, pa.DataType]], states: Sequence[_State]
    ) -> None:
        self._keys = [f"k{number}" for number in range(keys)]
        self._arguments = arguments
        self._states = states
        self._names = [f"s{number}" for number in range(len(states))]

    def of_rows(self, batch: pa.RecordBatch, keys: Sequence[pa.Array]) -> pa.RecordBatch | None:
        """The partial states of a batch by key; None where it takes a bank to compute them."""
        values = []
        for argument, kind in self._arguments:
            array = plain(argument(batch))
            if array.type != kind:
                array = array.cast(kind, safe=False)
            values.append(array)
        for state in self._states:
            if state.value is not None and not _is_safe(values[state.value], state.function):
                return None
        runs = self._of_runs(keys, values)
        if runs is not None:
            return runs
        names = [f"v{number}" for number in range(len(values))]
        wanted: list[_Wanted] = []
        for state in self._states:
            if state.value is None or (state.function == "count" and not values[state.value].null_count):
                wanted.append(_ROWS)
            else:
                wanted.append((names[state.value], state.function))
        return self._grouped(pa.RecordBatch.from_arrays([*keys, *values], names=[*self._keys, *names]), wanted)

    def merged(self, partials: Sequence[pa.RecordBatch]) -> list[pa.RecordBatch]:
        """Partial states as few as may be: those with the same key merged, unless their sums may not fit."""
        if len(partials) < 2 or self._follow(partials):
            return list(partials)
        whole = pa.concat_batches(partials)
        for name, state in zip(self._names, self._states, strict=True):
            if not _is_safe(whole.column(name), state.merging):
                return [whole]
        return [
            self._grouped(whole, [(name, state.merging) for name, state in zip(self._names, self._states, strict=True)])
        ]

    def _of_runs(self, keys: Sequence[pa.Array], values: Sequence[pa.Array]) -> pa.RecordBatch | None:
        """The partial states of rows that are sorted by their one key, where it repeats; None where they are not."""
        rows = len(keys[0])
        if len(keys) > 1 or not _is_sortable(keys[0].type) or any(array.null_count for array in (*keys, *values)):
            return None
        words = physical(keys[0])
        begins = np.flatnonzero(starts(words))
        if _WORTHWHILE * len(begins) > rows or not _is_ascending(words[begins]):
            return None
        arrays = [column(keys[0].type, words[begins])]
        for state in self._states:
            if state.value is None or state.function == "count":
                arrays.append(column(pa.int64(), np.diff(begins, append=rows)))
                continue
            array = values[state.value]
            numbers = unscaled(array) if pa.types.is_decimal(array.type) else physical(array)
            if numbers is None or (pa.types.is_decimal(array.type) and largest(numbers) * rows >= _LIMIT):
                return None
            if state.function == "sum" and numbers.dtype.kind != "f":
                numbers = numbers.astype(np.int64, copy=False)
            made = _REDUCED[state.function].reduceat(numbers, begins)
            arrays.append(decimals(state.kind, made) if pa.types.is_decimal(state.kind) else column(state.kind, made))
        return pa.RecordBatch.from_arrays(arrays, names=[*self._keys, *self._names])

    def _follow(self, partials: Sequence[pa.RecordBatch]) -> bool:
        """Whether hardly a key is in two of them, since all are sorted by it and each goes on where one ends."""
        if len(self._keys) > 1 or not _is_sortable(partials[0].column(0).type):
            return False
        last: int | None = None
        for partial in partials:
            words = physical(partial.column(0))
            if partial.column(0).null_count or not _is_ascending(words) or (last is not None and words[0] < last):
                return False
            last = int(words[-1])
        return True

    def _grouped(self, batch: pa.RecordBatch, wanted: Sequence[_Wanted]) -> pa.RecordBatch:
        """The wanted aggregates by key, one for each state; each is computed once, least and greatest together."""
        kernels = {want: _kernel(want, wanted) for want in wanted}
        calls = list(dict.fromkeys(kernels.values()))
        options = [(name, call, _VALUES_ONLY if call == "count" else None) for name, call in calls]
        table = pa.Table.from_batches([batch])
        columns = table.group_by(self._keys, use_threads=False).aggregate(options).columns
        keys, results = columns[: len(self._keys)], dict(zip(calls, columns[len(self._keys) :], strict=True))
        states = []
        for want, state in zip(wanted, self._states, strict=True):
            column = _single(results[kernels[want]])
            if pa.types.is_struct(column.type):
                column = column.field(want[1])
            states.append(column if column.type == state.kind else column.cast(state.kind))
        arrays = [*(plain(_single(key)) for key in keys), *states]
        return pa.RecordBatch.from_arrays(arrays, names=[*self._keys, *self._names])


def _is_sortable(kind: pa.DataType) -> bool:
    width = physical_type(kind)
    return width is not None and width.kind in "iu"


def _is_ascending(words: NDArray[Any]) -> bool:
    return bool((words[1:] > words[:-1]).all())


def _kernel(want: _Wanted, wanted: Sequence[_Wanted]) -> _Wanted:
    name, function = want
    both = function in ("min", "max") and (name, "min") in wanted and (name, "max") in wanted
    return (name, "min_max") if both else want


def _single(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _is_safe(array: pa.Array, function: str) -> bool:
    """Whether Arrow computes this as SQL says: an integer sum that cannot wrap, an extreme of numbers without NaN."""
    if not len(array) or function == "count":
        return True
    if function == "sum":
        if pa.types.is_decimal(array.type):
            return bool(array.type.precision <= _DECIMAL_DIGITS) or _greatest(array) * len(array) < _DECIMAL_LIMIT
        if not pa.types.is_integer(array.type):
            return True
        return largest(physical(array)) * len(array) < _LIMIT
    return not (pa.types.is_floating(array.type) and np.isnan(physical(array).min()))


def _greatest(array: pa.Array) -> int:
    """The greatest absolute value of decimals, in units of their last digit."""
    short = unscaled(array)
    if short is not None and not array.null_count:
        return largest(short)
    bounds = [bound.as_py() for bound in pc.min_max(array).values() if bound.is_valid]
    return max((abs(int(bound.scaleb(array.type.scale))) for bound in bounds), default=0)


def grouped(schema: StreamSchema, keys: Sequence[pa.DataType], aggregations: Aggregations) -> Grouped | None:
    """What groups rows of a schema by keys of these types; None where Arrow's kernel cannot, whatever the values."""
    if not keys or not all(map(_can_be_key, keys)):
        return None
    functions: dict[Expression, list[str]] = {}
    for _, aggregation in aggregations:
        if aggregation.filter is not None or aggregation.distinct or aggregation.function not in _FUNCTIONS:
            return None
        if aggregation.argument is not None:
            functions.setdefault(aggregation.argument, []).append(aggregation.function)
    arguments: list[tuple[BoundExpression, pa.DataType]] = []
    states = [_State("count_all", "sum", pa.int64())]
    for argument, wanted in functions.items():
        bound = argument.bind(schema.columns)
        kind = plain_type(bound.type)
        if not _can_be_value(kind):
            return None
        arguments.append((bound, kind))
        value = len(arguments) - 1
        states.append(_State("count", "sum", pa.int64(), value))
        # The order of the bank's accumulators: each where it is first asked for.
        for function in dict.fromkeys(_accumulator(function, kind) for function in wanted if function != "count"):
            if function == "float sum":
                if kind != pa.float64():
                    arguments.append((bound, pa.float64()))
                states.append(_State("sum", "sum", pa.float64(), len(arguments) - 1))
            elif function == "sum":
                exact = pa.decimal128(38, kind.scale) if pa.types.is_decimal(kind) else pa.int64()
                states.append(_State("sum", "sum", exact, value))
            else:
                states.append(_State(function, function, kind, value))
    return Grouped(len(keys), arguments, states)


_FUNCTIONS: Final = frozenset({"count", "sum", "avg", "min", "max"})


def _accumulator(function: str, kind: pa.DataType) -> str:
    if function == "avg":
        return "sum" if is_averaged_by_sum(kind) else "float sum"
    return "float sum" if function == "sum" and pa.types.is_floating(kind) else function


def _can_be_key(kind: pa.DataType) -> bool:
    kind = plain_type(kind)
    types = pa.types
    text = types.is_string(kind) or types.is_large_string(kind) or types.is_boolean(kind)
    return text or types.is_decimal128(kind) or (physical_type(kind) is not None and not types.is_float16(kind))


def _can_be_value(kind: pa.DataType) -> bool:
    types = pa.types
    odd = types.is_float16(kind) or types.is_uint64(kind) or types.is_duration(kind)
    if types.is_decimal128(kind):
        return True
    return physical_type(kind) is not None and not odd
