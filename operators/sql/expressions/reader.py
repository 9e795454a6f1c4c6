"""Expressions of a qualified tree as `operators.expressions`, checked against the columns that they are computed from.

What does not type-check is blamed on the smallest part of the text that does not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import pyarrow as pa

from flow.errors import GraphError, RowError, known
from operators.expressions import Call, Case, Cast, Column, Expression, InList, Literal, functions
from operators.expressions.awaited import AsyncCall, AsyncFunction
from operators.expressions.lambdas import Parameter
from operators.expressions.table_functions import TableFunction
from operators.expressions.type_names import type_text
from operators.expressions.types import INTERVAL
from operators.expressions.user import ScalarFunction, UserCall
from operators.sql.expressions.choices import choice
from operators.sql.expressions.functions.table import passed_over, shape_of
from operators.sql.expressions.nested_values import ELEMENT, nested_value
from operators.sql.expressions.types import arrow_type
from operators.sql.grammar.dialect import Text, Tree, exp, render
from operators.sql.grammar.errors import SqlError
from operators.sql.grammar.time_parser import interval_words, lacks_unit
from operators.values.interval_text import amount_of, interval_of, unit_named

OPERATORS: Final[dict[type[Tree], str]] = {
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Mod: "%",
    exp.IntDiv: "div",
    exp.Pow: "^",
    exp.DPipe: "||",
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.And: "and",
    exp.Or: "or",
    exp.NullSafeEQ: "is not distinct from",
    exp.NullSafeNEQ: "is distinct from",
    exp.Like: "like",
    exp.ILike: "ilike",
    exp.RegexpILike: "~*",
    exp.SimilarTo: "similar to",
}


def aggregate_calls(tree: Tree) -> list[Tree]:
    """The outermost aggregates in an expression, each with its FILTER."""
    return [node for node in tree.dfs(prune=_is_aggregate) if _is_aggregate(node)]


def conjuncts(condition: Tree) -> list[Tree]:
    """The conditions that must all hold for one that joins them by AND."""
    condition = condition.unnest()
    return list(condition.flatten()) if isinstance(condition, exp.And) else [condition]


def _is_aggregate(node: Tree) -> bool:
    return isinstance(node, exp.AggFunc | exp.WithinGroup | exp.Filter)


class ExpressionReader:
    """Reads the expressions of one query over one table.

    Args:
        text: where the expressions stand.
        schema: the columns of the table.
        columns: the names of the table's columns, by relation and column in the qualified tree.
        labels: how columns that the text does not name are called in messages.
    """

    def __init__(
        self,
        text: Text,
        schema: pa.Schema,
        columns: Mapping[tuple[str, str], str],
        labels: Mapping[str, str] | None = None,
    ) -> None:
        self._text = text
        self._schema = schema
        self._columns = columns
        # A column of a joined table is called alias.column, which needs no quotes.
        joined = {str(Column(name)): name for name in columns.values() if "." in name}
        self._labels = {**joined, **(labels or {})}

    def read(self, tree: Tree) -> Expression:
        """The expression of a tree.

        Raises:
            SqlError: there is no such function, or types do not fit.
        """
        expression = self._convert(tree)
        if self._problem(expression) is not None:
            raise self._blame(tree)
        return expression

    def condition(self, tree: Tree, clause: str) -> Expression:
        """As `read`, of an expression that must be a condition."""
        expression = self.read(tree)
        kind = expression.bind(self._schema).type
        if not pa.types.is_boolean(kind) and not pa.types.is_null(kind):
            raise self._text.error(
                f"{clause} needs a condition; {self._labelled(render(bare(tree)))} has type {type_text(kind)}", tree
            )
        return expression

    def _problem(self, expression: Expression) -> GraphError | None:
        try:
            expression.bind(self._schema)
        except GraphError as error:
            return error
        return None

    def _blame(self, tree: Tree) -> SqlError:
        """The error of the smallest part that does not fit."""
        parts = [part for part in tree.dfs() if part is not tree]
        for part in reversed(parts):
            try:
                problem = self._problem(self._convert(part))
            except SqlError:
                continue
            if problem is not None:
                return self._text.error(self._labelled(str(problem)), part)
        return self._text.error(self._labelled(str(self._problem(self._convert(tree)))), tree)

    def _labelled(self, message: str) -> str:
        for name, label in self._labels.items():
            message = message.replace(name, label)
        return message

    def _convert(self, node: Tree) -> Expression:
        if (made := nested_value(self._text, node, self._convert, OPERATORS.get(type(node)))) is not None:
            return made
        if (made := choice(self._text, node, self._convert)) is not None:
            return made
        if type(node) in OPERATORS:
            return self._operator(node)
        if node.args.get("subquery") is not None:
            raise self._text.error("a subquery is not supported here", node, hint="put the condition into WHERE")
        match node:
            case exp.Column():
                return Column(self._columns[node.table, node.name])
            case exp.Paren() | exp.Alias():
                return self._convert(node.this)
            case exp.Null():
                return Literal(None)
            case exp.Boolean():
                return Literal(bool(node.this))
            case exp.Literal():
                return Literal(node.this if node.is_string else self._number(node))
            case exp.RawString():
                return Literal(node.this)
            case exp.Interval():
                return self._interval(node)
            case exp.Neg() if isinstance(node.this, exp.Literal) and not node.this.is_string:
                return Literal(-self._number(node.this))
            case exp.Neg():
                return Call("-", (self._convert(node.this),))
            case exp.Not():
                return Call("not", (self._convert(node.this),))
            case exp.Div():
                return self._divide(node)
            case exp.Is():
                return self._is(node)
            case exp.In():
                values = tuple(self._convert(value) for value in node.expressions)
                return InList(self._convert(node.this), values)
            case exp.Between():
                return self._between(node)
            case exp.Case():
                return self._case(node)
            case exp.If():
                otherwise = node.args.get("false") or exp.Null()
                return Case(((self._convert(node.this), self._convert(node.args["true"])),), self._convert(otherwise))
            case exp.Cast() if isinstance(node.this, exp.IntDiv) and not node.args["to"].expressions:
                # How sqlglot reads PostgreSQL's div().
                return self._convert(node.this)
            case exp.Cast():
                return self._cast(node)
            case exp.Parameter() if ELEMENT in node.args:
                return Parameter(node.this.name)
            case exp.Escape():
                return self._escaped(node)
            case exp.Date() if len([each for each in node.args.values() if each]) == 1:
                return Cast(self._convert(node.this), pa.date32())
        return self._call(node)

    def _operator(self, node: Tree) -> Expression:
        result = Call(OPERATORS[type(node)], (self._convert(node.this), self._convert(node.expression)))
        return Call("not", (result,)) if node.args.get("negate") else result

    def _cast(self, node: exp.Cast) -> Cast:
        target, of = arrow_type(self._text, node.args["to"]), self._convert(node.this)
        made = Cast(of, target, forgiving=isinstance(node, exp.TryCast))
        if not made.forgiving and isinstance(of, Literal) and isinstance(of.value, str) and of.type is None:
            # As in PostgreSQL, a text with a type beside it is a literal of that type, wherever it stands.
            (row,) = pa.table({"": pa.nulls(1)}).to_batches()
            try:
                made.bind(row.schema)(row)
            except RowError as error:
                raise self._text.error(str(error), node) from None
            except GraphError:
                pass
        return made

    def _number(self, node: Tree) -> int | float | Decimal:
        digits = node.this.replace("_", "")
        if digits.isdigit():
            return int(digits)
        try:
            return float(digits) if "e" in digits.lower() else Decimal(digits)
        except (ValueError, ArithmeticError):
            raise self._text.error(f"{node.this!r} is no number", node, "write 1.5 or 1.5e3") from None

    def _interval(self, node: exp.Interval) -> Expression:
        if lacks_unit(node):
            raise self._text.error("an INTERVAL has a unit", node, "write INTERVAL '5 minutes', for example")
        words = interval_words(node)
        if words is None:
            unit = Literal(pa.MonthDayNano(amount_of(Decimal(1), unit_named(node.args["unit"].name))), INTERVAL)
            return Call("*", (self._convert(node.this), unit))
        try:
            return Literal(pa.MonthDayNano(interval_of(*words)), INTERVAL)
        except (pa.ArrowInvalid, OverflowError):
            raise self._text.error(
                f"{' '.join(word for word in words[:2] if word)!r} is no interval",
                node,
                "write for example INTERVAL '90 seconds' or INTERVAL '1' MONTH",
            ) from None

    def _divide(self, node: exp.Div) -> Expression:
        left, right = self._convert(node.this), self._convert(node.expression)
        if not node.args.get("typed"):
            # Dialects in which 1 / 2 is 0.5, as opposed to PostgreSQL's 0.
            left = Cast(left, pa.float64())
        if node.args.get("safe"):
            right = Call("nullif", (right, Literal(0)))
        return Call("/", (left, right))

    def _between(self, node: exp.Between) -> Expression:
        value, low, high = (self._convert(node.args[key]) for key in ("this", "low", "high"))
        return Call("and", (Call(">=", (value, low)), Call("<=", (value, high))))

    def _is(self, node: exp.Is) -> Expression:
        what = render(node.expression).lower()
        if what not in ("null", "true", "false"):
            raise self._text.error(
                f"IS takes NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM, not {what.upper()}", node.expression
            )
        return Call(f"is {'not ' if node.args.get('negate') else ''}{what}", (self._convert(node.this),))

    def _case(self, node: exp.Case) -> Expression:
        operand = node.args.get("this")
        branches = []
        for branch in node.args["ifs"]:
            condition = self._convert(branch.this)
            if operand is not None:
                condition = Call("=", (self._convert(operand), condition))
            branches.append((condition, self._convert(branch.args["true"])))
        return Case(tuple(branches), self._convert(node.args.get("default") or exp.Null()))

    def _escaped(self, node: exp.Escape) -> Expression:
        like = self._convert(node.this)
        if isinstance(like, Call) and like.function == "not":
            (like,) = like.arguments
        if not isinstance(like, Call) or like.function not in ("like", "ilike", "similar to"):
            raise self._text.error("ESCAPE belongs to LIKE, ILIKE and SIMILAR TO", node)
        sign = node.expression
        if isinstance(sign, exp.Literal) and len(sign.this) > 1:
            raise self._text.error(
                f"ESCAPE takes one character, not {render(sign)}", sign, "write ESCAPE '!', or '' for none"
            )
        escaped = Call(like.function, (*like.arguments, self._convert(node.expression)))
        return Call("not", (escaped,)) if node.this.args.get("negate") or isinstance(node.this, exp.Not) else escaped

    def _call(self, node: Tree) -> Expression:
        if isinstance(node, exp.Placeholder | exp.Parameter):
            raise self._text.error(
                f"{render(node)} is no parameter: they have names, and are given to sql()",
                node,
                "write :name, and sql(query, parameters={'name': value}, ...)",
            )
        if isinstance(node, exp.Star):
            raise self._text.error("* stands alone in the SELECT list, or in count(*)", node)
        shape = shape_of(node)
        if shape is None:
            raise self._text.error(f"{render(bare(node))} is not supported yet", node)
        name, arguments = shape
        if (more := passed_over(node, arguments)) is not None:
            raise self._text.error(
                f"{name}() takes fewer arguments: leave out {render(bare(more))}", more, "see docs/functions.md"
            )
        converted = tuple(self._convert(argument) for argument in arguments if argument is not None)
        function = self._text.functions.get(name.lower())
        if isinstance(function, ScalarFunction):
            return UserCall(function, converted)
        if isinstance(function, AsyncFunction):
            return AsyncCall(function, converted)
        if isinstance(function, TableFunction):
            if not isinstance(node.parent, exp.Unnest | exp.Explode):
                hint = f"write FROM table, LATERAL {name}(...) AS u, and name its columns here"
                raise self._text.error(f"{name}() is a table function", node, hint)
            return function.call(converted)
        if isinstance(node, exp.Anonymous) and self._text.functions and name.lower() not in (names := functions()):
            raise self._text.error(f"no function {name!r}; {known(name, [*names, *self._text.functions])}", node)
        return Call(name, converted)


def bare(tree: Tree) -> Tree:
    """A tree as it was written, without the relations that qualifying added; for messages."""
    copy = tree.copy()
    for column in copy.find_all(exp.Column):
        column.set("table", None)
        column.this.set("quoted", not re.fullmatch(r"[a-z_][a-z0-9_]*", column.name))
    return copy.unalias()
