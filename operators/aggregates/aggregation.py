"""What an aggregation is, and what type it gives; how it is computed is the accumulators' business.

An aggregation is a value: comparable, printable, picklable, checked against a schema before anything runs.
"""

from __future__ import annotations

from typing import Final

import attrs
import pyarrow as pa

from flow.errors import GraphError, known
from flow.schema import StreamSchema
from operators.aggregates.columns import physical_type, plain_type
from operators.expressions import Expression, expression

MERGEABLE: Final = frozenset({"count", "sum", "avg", "min", "max", "stddev", "stddev_pop", "var", "var_pop"})
"""Functions whose partial results can be merged in any order."""

INVERTIBLE: Final = frozenset({"count", "sum", "avg", "stddev", "stddev_pop", "var", "var_pop", "count_distinct"})
"""Functions from whose state a row can be taken out again."""

ORDERED: Final = frozenset({"first", "last"})
"""Functions for which the order of rows matters."""

FUNCTIONS: Final = MERGEABLE | ORDERED | {"count_distinct"}


def is_number(kind: pa.DataType) -> bool:
    """Whether a type can be summed and averaged."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal128(kind))


def is_comparable(kind: pa.DataType) -> bool:
    """Whether a type has a least and a greatest value."""
    return (
        physical_type(kind) is not None
        or pa.types.is_boolean(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
    )


@attrs.frozen
class Aggregation:
    """One aggregate function over one argument.

    NULL arguments are left out, by `first` and `last` too; a function that is left with no value gives NULL, and the
    counts give 0.

    ==================  ==================================  ====================================================
    function            argument                            result
    ==================  ==================================  ====================================================
    count               any, or none (counts rows)          int64
    count_distinct      any that can be a key               int64
    sum                 integer                             int64; beyond it a RowError (as opposed to a wrap)
    sum                 float                               float64
    sum                 decimal(p, s)                       decimal(38, s); beyond it a RowError
    avg                 number                              float64
    var, stddev         number                              float64, NULL below two values (sample)
    var_pop,
    stddev_pop          number                              float64 (population)
    min, max            number, time, string, binary, bool  the argument's type; NaN is greater than any number
    first, last         any                                 the argument's type; by event time, else in arrival order
    ==================  ==================================  ====================================================

    Attributes:
        function: one of the above.
        argument: what to aggregate; None for ``count(*)``.
        filter: only rows for which this holds are aggregated.
    """

    function: str = attrs.field()
    argument: Expression | None = attrs.field(default=None, converter=attrs.converters.optional(expression))
    filter: Expression | None = attrs.field(default=None, converter=attrs.converters.optional(expression))

    def __str__(self) -> str:
        argument = "*" if self.argument is None else str(self.argument)
        condition = "" if self.filter is None else f" where {self.filter}"
        return f"{self.function}({argument}{condition})"

    @function.validator
    def _known_function(self, attribute: attrs.Attribute[str], value: str) -> None:
        if value not in FUNCTIONS:
            raise GraphError(f"no aggregate function {value!r}; {known(value, FUNCTIONS)}")
        if self.argument is None and value != "count":
            raise GraphError(f"{value}() needs an argument")

    @property
    def columns(self) -> frozenset[str]:
        """The input columns that are used."""
        given = [expression for expression in (self.argument, self.filter) if expression is not None]
        return frozenset(name for expression in given for name in expression.columns)

    def type(self, schema: pa.Schema) -> pa.DataType:
        """The type of the result over rows of these columns; raises GraphError where the argument does not fit."""
        if self.filter is not None:
            condition = self.filter.bind(schema).type
            if not pa.types.is_boolean(condition):
                raise GraphError(f"the filter of {self.function}() has type {condition}; it must be a condition")
        if self.argument is None:
            return pa.int64()
        kind = plain_type(self.argument.bind(schema).type)
        match self.function:
            case "count" | "count_distinct":
                return pa.int64()
            case "first" | "last":
                return kind
            case "min" | "max":
                if is_comparable(kind):
                    return kind
                raise GraphError(f"{self.function}() of {kind}; its argument must be of a type with an order")
        if not is_number(kind):
            raise GraphError(f"{self.function}() of {kind}; its argument must be a number")
        if self.function != "sum" or pa.types.is_floating(kind):
            return pa.float64()
        return pa.decimal128(38, kind.scale) if pa.types.is_decimal(kind) else pa.int64()


def check_changelog(schema: StreamSchema, aggregations: tuple[tuple[str, Aggregation], ...]) -> None:
    """Raise GraphError where rows can be retracted and an aggregation cannot take them back."""
    if not schema.changelog:
        return
    for name, aggregation in aggregations:
        if aggregation.function not in INVERTIBLE:
            raise GraphError(
                f"{name!r}: {aggregation.function}() cannot take back a row, and the input is a changelog; "
                f"over changelogs there are: {sorted(INVERTIBLE)}"
            )
