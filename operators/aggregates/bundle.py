"""The accumulators that aggregates over the same values need, each made once.

Over a changelog, what cannot take a value out of its state keeps all values in a bag, which all such aggregates share.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar, cast

import attrs
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from operators.aggregates.accumulator import Accumulator, Values
from operators.aggregates.aggregation import BIVARIATE, LISTS, SPREADS, Aggregation, is_comparable, is_span
from operators.aggregates.bag import Bag
from operators.aggregates.columns import BoolArray, IntArray, column, physical_type, present
from operators.aggregates.comoments import Comoments, ExactSum
from operators.aggregates.extremes import NumberExtreme, ValueExtreme
from operators.aggregates.logical import BitCounts, Bits, Falses
from operators.aggregates.moments import Moments
from operators.aggregates.ordered import Ordered
from operators.aggregates.quantiles import Quantiles
from operators.aggregates.ranks import Sort
from operators.aggregates.sketch import Sketch
from operators.aggregates.spans import DurationSum, IntervalSum
from operators.aggregates.standing import Champion, Kept
from operators.aggregates.sums import DecimalSum, FloatSum, IntegerSum, is_averaged_by_sum
from operators.aggregates.user import AggregateFunction
from operators.aggregates.views import (
    Best,
    Numbers,
    Once,
    discrete_percentile,
    joined,
    listed,
    mode,
)

Result = Callable[[IntArray, IntArray], pa.Array]
"""The values of an aggregate for slots, given how many values each has had."""

_Made = TypeVar("_Made", bound=Accumulator)


class Bundle:
    """The accumulators over values of one column or several.

    Attributes:
        accumulators: by what they are; their partial states stand in this order.
    """

    def __init__(self, kinds: Sequence[pa.DataType], changelog: bool, timed: bool = False) -> None:
        """No accumulator yet; where `timed`, the last column is the time by which values are the first or the last."""
        self.accumulators: dict[object, Accumulator] = {}
        self._kinds = list(kinds)
        self._changelog = changelog
        self._timed = timed

    def grow(self, size: int) -> None:
        """Make room for slots below `size`."""
        for accumulator in self.accumulators.values():
            accumulator.grow(size)

    def update(self, values: Values) -> None:
        """Add values, or take them out."""
        for accumulator in self.accumulators.values():
            accumulator.update(values)

    def add(self, aggregation: Aggregation) -> Result:
        """Take on an aggregate."""
        function = aggregation.function
        if aggregation.user is not None:
            return self._of_user(aggregation, aggregation.user)
        if function == "count":
            return lambda slots, counts: column(pa.int64(), counts)
        if function in LISTS:
            return self._listed(aggregation)
        if function == "count_distinct" or (function == "approx_count_distinct" and self._changelog):
            return self._bag().view("numbers", Numbers).result
        if aggregation.distinct:
            return self._once(aggregation)
        if function in ("sum", "avg") and is_span(self._kinds[0]):
            return self._of_spans(self._kinds[0], function)
        if function == "avg":
            sums = self._sum() if is_averaged_by_sum(self._kinds[0]) else self._float_sum()
            return lambda slots, counts: column(
                pa.float64(), sums.totals(slots) / np.maximum(counts, 1), present(counts > 0)
            )
        if function in SPREADS:
            moments = self._moments()
            return lambda slots, counts: _spread(moments, slots, function)
        if function in BIVARIATE:
            related = self._made("comoments", lambda: Comoments(self._kinds)).related
            return lambda slots, counts: related(slots, function)
        return self._ordering(aggregation) or self._single(function)

    def _single(self, function: str) -> Result:
        (kind, *_) = self._kinds
        match function:
            case "sum":
                return self._float_sum().result if pa.types.is_floating(kind) else self._sum().result
            case "bool_and":
                return self._made("falses", lambda: Falses(kind)).every
            case "bool_or":
                return self._made("falses", lambda: Falses(kind)).any
            case "bit_and" if self._changelog:
                return self._made("bits", lambda: BitCounts(kind)).every
            case "bit_or" if self._changelog:
                return self._made("bits", lambda: BitCounts(kind)).any
            case "bit_and" | "bit_or" | "bit_xor":
                return self._made(function, lambda: Bits(kind, function)).result
            case "any_value":
                return self._made(function, lambda: Kept(kind)).result
            case "min" | "max":
                fixed = pa.types.is_boolean(kind) or physical_type(kind) is not None
                made = NumberExtreme if fixed else ValueExtreme
                return self._made(function, lambda: made(kind, greatest=function == "max")).result
            case "approx_count_distinct":
                return self._made(function, lambda: Sketch(kind)).result
        return self._made(function, lambda: Ordered(kind, last=function == "last")).result

    def _ordering(self, aggregation: Aggregation) -> Result | None:
        """Aggregates that look at values in an order."""
        function, order = aggregation.function, aggregation.order
        last = function in ("last", "max", "arg_max")
        sorts: tuple[Sort, ...]
        match function:
            case "median" | "percentile_cont" | "percentile_disc" | "mode":
                return self._percentile(aggregation)
            case "min" | "max" if self._changelog or not _is_scalar(self._kinds[0]):
                sorts = (Sort(0, last),)
            case "arg_min" | "arg_max":
                # Of equal ones the least value, so that it does not matter which came first.
                sorts = (Sort(1, last), *([Sort(0)] if is_comparable(self._kinds[0]) else []))
            case "first" | "last" if order:
                sorts = _sorts(aggregation, reverse=last)
            case "first" | "last" | "any_value" if self._changelog:
                timed = [Sort(1, last)] if self._timed and function != "any_value" else []
                sorts = (*timed, Sort(None, last))
            case _:
                return None
        if self._changelog:
            return self._bag().view(sorts, lambda bag: Best(bag, sorts)).result
        latest = function == "last"
        return self._made((sorts, latest), lambda: Champion(self._kinds, sorts, latest)).result

    def _percentile(self, aggregation: Aggregation) -> Result:
        function = aggregation.function
        descending = bool(aggregation.order and aggregation.order[0].descending)
        fraction = 0.5 if function == "median" else aggregation.parameter
        if function == "mode":
            bag = self._bag()
            return lambda slots, counts: mode(bag, slots, descending)
        assert isinstance(fraction, float)
        if function == "percentile_disc":
            bag = self._bag()
            return lambda slots, counts: discrete_percentile(bag, slots, fraction, descending)
        sorted_ = self._made("quantiles", lambda: Quantiles(self._kinds[0]))
        return lambda slots, counts: sorted_.percentile(slots, fraction, descending)

    def _listed(self, aggregation: Aggregation) -> Result:
        bag, separator = self._bag(), aggregation.parameter
        sorts = _sorts(aggregation)
        if is_comparable(self._kinds[0]):
            sorts = (*sorts, Sort(0))
        if aggregation.function == "array_agg":
            return lambda slots, counts: listed(bag, slots, sorts, aggregation.distinct)
        assert isinstance(separator, str)
        return lambda slots, counts: joined(listed(bag, slots, sorts, aggregation.distinct), separator)

    def _of_user(self, aggregation: Aggregation, function: AggregateFunction) -> Result:
        bag, count = self._bag(), len(function.arguments)
        own = [Sort(number) for number in range(count) if is_comparable(self._kinds[number])]
        sorts = (*_sorts(aggregation, first=count), *own)
        return lambda slots, counts: function.over(bag, slots, sorts)

    def _once(self, aggregation: Aggregation) -> Result:
        bag = self._bag()
        numbers = bag.view("numbers", Numbers)
        inner = bag.view("once", lambda bag: Once(bag, Bundle(self._kinds, self._changelog)))
        result = inner.fed.add(attrs.evolve(aggregation, distinct=False))
        return lambda slots, counts: result(slots, numbers.numbers[slots])

    def _bag(self) -> Bag:
        return self._made("bag", lambda: Bag(self._kinds))

    def _sum(self) -> IntegerSum | DecimalSum:
        kind = self._kinds[0]
        if pa.types.is_decimal(kind):
            return self._made("sum", lambda: DecimalSum(kind))
        return self._made("sum", lambda: IntegerSum(kind))

    def _float_sum(self) -> FloatSum | ExactSum:
        kind = self._kinds[0]
        if self._changelog:
            return self._made("float sum", lambda: ExactSum(kind))
        return self._made("float sum", lambda: FloatSum(kind))

    def _of_spans(self, kind: pa.DataType, function: str) -> Result:
        made: type[DurationSum] | type[IntervalSum] = DurationSum if pa.types.is_duration(kind) else IntervalSum
        spans = self._made("sum", lambda: made(kind))
        return spans.result if function == "sum" else spans.average

    def _moments(self) -> Moments | Comoments:
        if self._changelog:
            return self._made("moments", lambda: Comoments(self._kinds[:1]))
        return self._made("moments", lambda: Moments(self._kinds[0]))

    def _made(self, name: object, make: Callable[[], _Made]) -> _Made:
        if name not in self.accumulators:
            self.accumulators[name] = make()
        return cast(_Made, self.accumulators[name])


def _is_scalar(kind: pa.DataType) -> bool:
    """Whether Arrow itself can compare values of a type."""
    return not (
        pa.types.is_nested(kind)
        or pa.types.is_interval(kind)
        or isinstance(kind, pa.BaseExtensionType)
        or pa.types.is_fixed_size_binary(kind)
    )


def _sorts(aggregation: Aggregation, reverse: bool = False, first: int = 1) -> tuple[Sort, ...]:
    """What an aggregate's ORDER BY says of the columns from a number on; or the other way round."""
    sorts = []
    for number, item in enumerate(aggregation.order, first):
        nulls_first = item.descending if item.nulls_first is None else item.nulls_first
        sorts.append(Sort(number, item.descending != reverse, nulls_first != reverse))
    return tuple(sorts)


def _spread(moments: Moments | Comoments, slots: IntArray, function: str) -> pa.Array:
    variance: NDArray[np.float64]
    known: BoolArray
    variance, known = moments.variance(slots, sample=not function.endswith("_pop"))
    values: NDArray[np.float64] = np.sqrt(variance) if function.startswith("stddev") else variance
    return column(pa.float64(), values, present(known))
