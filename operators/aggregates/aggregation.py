"""What an aggregation is, and what type it gives; how it is computed is the accumulators' business.

An aggregation is a value: comparable, printable, picklable, checked against a schema before anything runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import attrs
import pyarrow as pa

from flow.errors import GraphError, known
from operators.aggregates.columns import physical_type, plain_type
from operators.aggregates.ranks import Ordering
from operators.aggregates.user import AggregateFunction
from operators.expressions import Expression, expression
from operators.expressions.type_names import type_text
from operators.values.order_words import has_order

SPREADS: Final = frozenset({"stddev", "stddev_pop", "var", "var_pop"})

BIVARIATE: Final = frozenset(
    {
        "covar_pop",
        "covar_samp",
        "corr",
        "regr_avgx",
        "regr_avgy",
        "regr_count",
        "regr_intercept",
        "regr_r2",
        "regr_slope",
        "regr_sxx",
        "regr_sxy",
        "regr_syy",
    }
)
"""Functions of two numbers, of which the second explains the first."""

LISTS: Final = frozenset({"array_agg", "string_agg"})

ORDERED: Final = frozenset({"first", "last"})
"""Functions for which the order of rows matters."""

_EXTREMES: Final = frozenset({"min", "max", "arg_min", "arg_max"})

_LOGICAL: Final = frozenset({"bool_and", "bool_or"})

_BITS: Final = frozenset({"bit_and", "bit_or", "bit_xor"})

_PERCENTILES: Final = frozenset({"percentile_cont", "percentile_disc"})

_COUNTS: Final = frozenset({"count", "count_distinct", "approx_count_distinct", "regr_count"})

MERGEABLE: Final = (
    frozenset({"count", "sum", "avg", "any_value", "approx_count_distinct"})
    | SPREADS
    | BIVARIATE
    | _EXTREMES
    | _LOGICAL
    | _BITS
)
"""Functions whose partial results can be merged in any order."""

FUNCTIONS: Final = MERGEABLE | ORDERED | LISTS | _PERCENTILES | {"count_distinct", "median", "mode"}

_INDIFFERENT: Final = _EXTREMES | _LOGICAL | ORDERED | {"any_value", "bit_and", "bit_or"}
"""Functions that give the same for each value once as for all of them."""

_ONCE: Final = frozenset({"sum", "avg", "bit_xor"}) | SPREADS | LISTS
"""Functions that have a DISTINCT of their own."""


def is_number(kind: pa.DataType) -> bool:
    """Whether a type's values are numbers."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal128(kind))


def is_span(kind: pa.DataType) -> bool:
    """Whether values of a type are lengths of time."""
    return bool(pa.types.is_duration(kind) or pa.types.is_interval(kind))


def is_comparable(kind: pa.DataType) -> bool:
    """Whether a type has a least and a greatest value."""
    if pa.types.is_nested(kind):
        return has_order(kind)
    if isinstance(kind, pa.BaseExtensionType):
        return is_comparable(kind.storage_type)
    return (
        physical_type(kind) is not None
        or pa.types.is_boolean(kind)
        or pa.types.is_interval(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
    )


def _orderings(given: Iterable[Ordering]) -> tuple[Ordering, ...]:
    return tuple(given)


@attrs.frozen
class Aggregation:
    """One aggregate function over one argument or two.

    NULL arguments are left out, by all but `array_agg`; a function that is left with no value gives NULL, and the
    counts give 0.

    =====================  ==================================  ======================================================
    function               argument                            result
    =====================  ==================================  ======================================================
    count                  any, or none (counts rows)          int64
    count_distinct,
    approx_count_distinct  any that can be a key               int64
    sum                    integer                             int64; beyond it a RowError (as opposed to a wrap)
    sum                    float                               float64
    sum                    decimal(p, s)                       decimal(38, s); beyond it a RowError
    sum, avg               duration, interval                  its type
    avg                    number                              float64
    var, stddev            number                              float64, NULL below two values (sample)
    var_pop, stddev_pop    number                              float64 (population)
    covar_pop, covar_samp,
    corr, regr_*           two numbers, y and x                float64; regr_count int64
    median,
    percentile_cont        number                              float64
    percentile_disc, mode  as min                              the argument's type
    min, max               any with an order                   the argument's type; NaN is greater than any number
    arg_min, arg_max       any, and one as min                 the first argument's type
    first, last            any                                 its type; by `order`, event time, or arrival
    any_value              any                                 its type; the first that came of those there are
    bool_and, bool_or      bool                                bool
    bit_and, bit_or,
    bit_xor                integer                             the argument's type
    string_agg             string                              the argument's type
    array_agg              any that can be a key               a list of the argument's type
    =====================  ==================================  ======================================================

    Attributes:
        function: one of the above.
        argument: what to aggregate; None for ``count(*)``.
        filter: only rows for which this holds are aggregated.
        other: the second argument.
        order: by what `first`, `last` and the lists order; of `mode` and the percentiles only the direction counts.
        distinct: whether equal values count once.
        parameter: the fraction of a percentile, or the separator of `string_agg`.
        user: a user's function, instead of one of the above; `function` is its name.
        more: the arguments of a user's function after the first.
    """

    function: str = attrs.field()
    argument: Expression | None = attrs.field(default=None, converter=attrs.converters.optional(expression))
    filter: Expression | None = attrs.field(default=None, converter=attrs.converters.optional(expression))
    other: Expression | None = attrs.field(default=None, converter=attrs.converters.optional(expression))
    order: tuple[Ordering, ...] = attrs.field(default=(), converter=_orderings)
    distinct: bool = attrs.field(default=False)
    parameter: float | str | None = attrs.field(default=None)
    user: AggregateFunction | None = None
    more: tuple[Expression, ...] = ()

    def __str__(self) -> str:
        given = (self.argument, *self.more, self.other, self.parameter)
        arguments = [str(part) for part in given if part is not None]
        distinct = "distinct " if self.distinct else ""
        order = f" order by {', '.join(map(str, self.order))}" if self.order else ""
        condition = "" if self.filter is None else f" where {self.filter}"
        return f"{self.function}({distinct}{', '.join(arguments) or '*'}{order}{condition})"

    @function.validator
    def _known_function(self, attribute: attrs.Attribute[str], value: str) -> None:
        if self.user is not None:
            return
        if value not in FUNCTIONS:
            raise GraphError(f"no aggregate function {value!r}; {known(value, FUNCTIONS)}")
        if self.argument is None and value != "count":
            raise GraphError(f"{value}() needs an argument")
        if (self.other is not None) != (value in BIVARIATE or value.startswith("arg_")):
            raise GraphError(f"{value}() takes {'one argument' if self.other is not None else 'two arguments'}")

    @order.validator
    def _has_order(self, attribute: attrs.Attribute[tuple[Ordering, ...]], value: tuple[Ordering, ...]) -> None:
        if value and self.user is None and self.function not in ORDERED | LISTS | _PERCENTILES | {"mode"}:
            raise GraphError(f"{self.function}() does not depend on an order; leave it out")

    @distinct.validator
    def _has_distinct(self, attribute: attrs.Attribute[bool], value: bool) -> None:
        if not value:
            return
        if self.function not in _ONCE:
            raise GraphError(
                f"{self.function}() has no DISTINCT; known here: {sorted(_ONCE | _INDIFFERENT | {'count'})}"
            )
        if any(item.expression != self.argument for item in self.order):
            raise GraphError(f"{self.function}(DISTINCT ...) can only be ordered by its argument")

    @parameter.validator
    def _has_parameter(self, attribute: attrs.Attribute[float | str | None], value: float | str | None) -> None:
        if self.function in _PERCENTILES:
            if not isinstance(value, float) or not 0 <= value <= 1:
                raise GraphError(f"the fraction of {self.function}() must be a number from 0 to 1, not {value!r}")
        elif self.function == "string_agg":
            if not isinstance(value, str):
                raise GraphError(f"the separator of string_agg() must be a string, not {value!r}")
        elif value is not None:
            raise GraphError(f"{self.function}() takes no parameter; it is given {value!r}")

    @property
    def columns(self) -> frozenset[str]:
        """The input columns that are used."""
        given = [part for part in (self.argument, self.other, *self.more, self.filter) if part is not None]
        given += [item.expression for item in self.order]
        return frozenset(name for part in given for name in part.columns)

    @property
    def fed(self) -> tuple[Expression, ...]:
        """What is computed of each row."""
        given = [part for part in (self.argument, self.other, *self.more) if part is not None]
        if self.user is not None or self.function in LISTS | ORDERED:
            given += [item.expression for item in self.order]
        return tuple(given)

    @property
    def required(self) -> int:
        """How many of `fed`, from the first on, must not be NULL for the row to count."""
        if self.user is not None:
            return 0 if self.user.called_on_null else len(self.user.arguments)
        if self.function == "array_agg" or self.argument is None:
            return 0
        return 1 if self.other is None else 2

    @property
    def arrives(self) -> bool:
        """Whether it depends on the order of rows, since it is given no other."""
        return self.user is None and self.function in ORDERED and not self.order

    @property
    def mergeable(self) -> bool:
        """Whether partial results can be merged in any order."""
        if self.user is not None:
            return False
        return (self.function in MERGEABLE and not self.distinct) or (self.function in ORDERED and bool(self.order))

    def keeps_values(self, changelog: bool) -> bool:
        """Whether every different value of a group is kept, of rows that can be taken back or that cannot."""
        if self.user or self.distinct or self.function in _PERCENTILES | LISTS | {"count_distinct", "median", "mode"}:
            return True
        return changelog and self.function in _EXTREMES | ORDERED | {"any_value", "approx_count_distinct"}

    def once(self) -> Aggregation:
        """The same with DISTINCT; raises GraphError where there is none."""
        if self.function in ("count", "count_distinct", "approx_count_distinct"):
            return attrs.evolve(self, function="count_distinct" if self.function == "count" else self.function)
        return self if self.function in _INDIFFERENT else attrs.evolve(self, distinct=True)

    def type(self, schema: pa.Schema) -> pa.DataType:
        """The type of the result over rows of these columns; raises GraphError where an argument does not fit."""
        if self.filter is not None:
            condition = self.filter.bind(schema).type
            if not pa.types.is_boolean(condition):
                raise GraphError(f"the filter of {self.function}() has type {condition}; it must be a condition")
        kinds = [plain_type(part.bind(schema).type) for part in self.fed]
        for item, kind in zip(self.order, kinds[-len(self.order) :], strict=False):
            if not is_comparable(kind):
                raise GraphError(
                    f"{self.function}() ordered by {item.expression} of {type_text(kind)}, a type without an order"
                )
        if self.user is not None:
            self.user.check(kinds[: 1 + len(self.more)])
            return self.user.result
        if self.function in BIVARIATE:
            for kind in kinds:
                self._check(kind, is_number, "must be numbers", "arguments")
        return self._result(*kinds[:2]) if kinds else pa.int64()

    def _result(self, kind: pa.DataType, other: pa.DataType | None = None) -> pa.DataType:
        match self.function:
            case function if function in _COUNTS:
                return pa.int64()
            case "first" | "last" | "any_value":
                return kind
            case "array_agg":
                return pa.list_(kind)
            case "string_agg":
                return self._check(kind, _is_text, "must be a string")
            case "bool_and" | "bool_or":
                return self._check(kind, pa.types.is_boolean, "must be a condition")
            case "bit_and" | "bit_or" | "bit_xor":
                return self._check(kind, pa.types.is_integer, "must be an integer")
            case "arg_min" | "arg_max":
                assert other is not None
                self._check(other, is_comparable, "must be of a type with an order", "second argument")
                return kind
            case "min" | "max" | "mode" | "percentile_disc":
                return self._check(kind, is_comparable, "must be of a type with an order")
            case "sum" | "avg" if is_span(kind):
                return kind
            case "sum":
                self._check(kind, is_number, "must be a number, duration or interval")
                if pa.types.is_decimal(kind):
                    return pa.decimal128(38, kind.scale)
                return pa.float64() if pa.types.is_floating(kind) else pa.int64()
            case "avg":
                self._check(kind, is_number, "must be a number, duration or interval")
                return pa.float64()
        self._check(kind, is_number, "must be a number")
        return pa.float64()

    def _check(
        self, kind: pa.DataType, fits: Callable[[pa.DataType], bool], must: str, what: str = "argument"
    ) -> pa.DataType:
        if not fits(kind):
            raise GraphError(f"{self.function}() of {type_text(kind)}; its {what} {must}")
        return kind


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
