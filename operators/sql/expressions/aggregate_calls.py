"""Calls of aggregate functions as aggregations: DISTINCT, ORDER BY, WITHIN GROUP and FILTER are parts of them.

What is wrong with a call is blamed on it, or on the part that is wrong.
"""

from __future__ import annotations

from typing import Final

import attrs
import pyarrow as pa

from flow.errors import GraphError, known
from operators.aggregates import Aggregation
from operators.aggregates.ranks import Ordering
from operators.aggregates.user import AggregateFunction
from operators.expressions import Expression
from operators.sql.expressions.functions.table import AGGREGATES
from operators.sql.expressions.reader import ExpressionReader, bare
from operators.sql.grammar.dialect import Text, Tree, exp, render
from operators.sql.grammar.errors import SqlError

_WITHIN: Final = frozenset({"percentile_cont", "percentile_disc", "mode"})
"""Functions whose argument stands in ``WITHIN GROUP (ORDER BY ...)``."""

_DEFAULT_SEPARATOR: Final = ","


class AggregateReader:
    """Reads the aggregates of one query over one table.

    Args:
        text: where the calls stand.
        schema: the columns of the table.
        reader: what reads expressions over them.
    """

    def __init__(self, text: Text, schema: pa.Schema, reader: ExpressionReader) -> None:
        self._text = text
        self._schema = schema
        self._reader = reader

    def read(self, tree: Tree) -> Aggregation:
        """The aggregation of a call.

        Raises:
            SqlError: there is no such function, or it cannot be called like this.
        """
        call, condition, within = tree, None, None
        if isinstance(call, exp.Filter):
            condition = self._reader.condition(call.expression.this, "FILTER")
            call = call.this
        if isinstance(call, exp.WithinGroup):
            call, within = call.this, call.expression
        function = AGGREGATES.get(type(call))
        if function is None and not isinstance(call, exp.AnonymousAggFunc):
            name = render(bare(call)).partition("(")[0].lower()
            raise self._text.error(
                f"the aggregate function {name!r} is not supported yet; {known(name, set(AGGREGATES.values()))}", call
            )
        for inner in (part for each in (call, within) if each is not None for part in each.find_all(exp.AggFunc)):
            if inner is not call:
                raise self._text.error(f"aggregates cannot be nested: {render(bare(tree))}", inner)
        try:
            if function is None:
                aggregation = self._of_user(call, condition, within)
            else:
                aggregation = self._read(call, function, condition, within)
            aggregation.type(self._schema)
        except SqlError:
            raise
        except GraphError as error:
            raise self._text.error(str(error), call) from error
        return aggregation

    def _read(self, call: Tree, function: str, condition: Expression | None, within: Tree | None) -> Aggregation:
        argument, distinct, order = call.this, False, []
        other = call.args.get("expression")
        parameter: float | str | None = None
        if function == "string_agg":
            parameter = self._separator(call)
        if function in _WITHIN and (within is not None or function != "mode" or argument is None):
            parameter = None if argument is None else self._fraction(argument, function)
            argument = self._within(call, function, within)
        elif within is not None:
            raise self._text.error(f"{function}() has no WITHIN GROUP", within)
        while isinstance(argument, exp.Order | exp.Distinct):
            if isinstance(argument, exp.Order):
                order, argument = argument.expressions, argument.this
                continue
            distinct = True
            if len(argument.expressions) != 1:
                raise self._text.error(f"{function}(DISTINCT ...) takes one argument here", argument)
            (argument,) = argument.expressions
        if function in _WITHIN and isinstance(argument, exp.Ordered):
            order, argument = [argument], argument.this
        if call.args.get("count"):
            raise self._text.error(f"{function}() takes two arguments here", call.args["count"])
        for key in ("null_on_zero_variance", "deterministic", "accuracy"):
            if isinstance(more := call.args.get(key), exp.Literal):
                raise self._text.error(f"{function}() takes fewer arguments: leave out {render(more)}", more)
        if call.expressions and not isinstance(call, exp.Anonymous):
            raise self._text.error(f"{function}() takes one argument", call.expressions[0])
        aggregation = Aggregation(
            function,
            None if argument is None or isinstance(argument, exp.Star) else self._reader.read(argument),
            condition,
            None if other is None else self._reader.read(other),
            tuple(self._ordering(item) for item in order),
            parameter=parameter,
        )
        return aggregation.once() if distinct else aggregation

    def _of_user(self, call: Tree, condition: Expression | None, within: Tree | None) -> Aggregation:
        name = str(call.this).lower()
        function = self._text.functions[name]
        assert isinstance(function, AggregateFunction)
        if within is not None:
            raise self._text.error(f"{name}() has no WITHIN GROUP", within, f"write {name}(x ORDER BY y)")
        *arguments, last = call.expressions or [None]
        order: list[Tree] = []
        if isinstance(last, exp.Order):
            order, last = last.expressions, last.this
        if last is None:
            raise self._text.error(f"{name}() needs an argument", call)
        if any(isinstance(each, exp.Distinct) for each in (*arguments, last)):
            raise self._text.error(f"{name}() has no DISTINCT", call, "let the function leave out equal values")
        first, *more = [self._reader.read(each) for each in (*arguments, last)]
        orderings = tuple(self._ordering(item) for item in order)
        return Aggregation(name, first, condition, None, orderings, user=function, more=tuple(more))

    def _ordering(self, item: Tree) -> Ordering:
        if not isinstance(item, exp.Ordered):
            return Ordering(self._reader.read(item))
        read = Ordering(self._reader.read(item.this), bool(item.args.get("desc")))
        return attrs.evolve(read, nulls_first=bool(item.args.get("nulls_first")))

    def _within(self, call: Tree, function: str, within: Tree | None) -> Tree:
        items = [] if within is None else within.expressions
        if len(items) != 1:
            example = f"{function}({'' if function == 'mode' else '0.5'}) WITHIN GROUP (ORDER BY x)"
            raise self._text.error(f"{function}() takes one expression to order by", call, f"write {example}")
        item: Tree = items[0]
        return item

    def _fraction(self, tree: Tree, function: str) -> float:
        if isinstance(tree, exp.Literal) and not tree.is_string:
            return float(tree.this)
        raise self._text.error(
            f"the fraction of {function}() must be a number that the query says, not {render(bare(tree))}", tree
        )

    def _separator(self, call: Tree) -> str:
        separator = call.args.get("separator")
        if separator is None:
            return _DEFAULT_SEPARATOR
        if isinstance(separator, exp.Literal) and separator.is_string:
            return str(separator.this)
        raise self._text.error(
            f"the separator of string_agg() must be a string that the query says, not {render(bare(separator))}",
            separator,
        )
