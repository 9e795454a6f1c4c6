"""Subqueries in expressions, qualified: each becomes one node of its expression, closed over what it names outside.

The node's arguments are expressions of the query around it: first what is compared with the subquery's rows, then its
parameters. In the subquery, and nowhere else, a column of the relation `OUTER` stands for the parameter of its number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, Literal, cast

import attrs
import pyarrow as pa

from operators.sql.grammar.dialect import Text, Tree, exp, offset_of, render
from operators.sql.qualifying.scope import Scope

OUTER: Final = "outer query"
"""The relation of a subquery's parameters."""

PER: Final = "per"
"""Argument of a SELECT's tree: the names of its columns whose every combination of values has a LIMIT of its own."""

WHOLE: Final = "whole"
"""Argument of a SELECT's tree: it is an aggregate of all rows for each row of its domain, where there are none too."""

PARAMETERS: Final = "parameters"
"""Argument of a subquery's tree in FROM: expressions of the query around it, which its own parameters stand for."""

NAMES: Final = "names"
"""Argument of a subquery's tree in FROM that has parameters: the names of its columns."""

LATERAL: Final = "lateral"
"""Argument of a subquery's tree in FROM: it may name what stands to the left of it."""

Kind = Literal["exists", "scalar", "any", "all", "table", "array"]

COMPARISONS: Final = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)


_TURNED: Final[dict[type[Tree], type[Tree]]] = {
    exp.LT: exp.GT,
    exp.LTE: exp.GTE,
    exp.GT: exp.LT,
    exp.GTE: exp.LTE,
}
"""Comparisons with their sides exchanged."""


@attrs.frozen
class Subquery:
    """A subquery as part of an expression.

    Attributes:
        kind: what the expression asks of it; IN is ANY with =. A table is one of FROM.
        operator: the comparison of ANY and ALL, and of a row's with a value.
        operands: how many expressions are compared with its rows.
        name: of its first column.
        shown: its text.
        query: its qualified tree; to be copied before it is changed.
        width: how many columns a table has.
    """

    kind: Kind
    operator: type[Tree] | None
    operands: int
    name: str
    shown: str
    query: Tree = attrs.field(eq=False, repr=False)
    width: int = 1


def subquery_of(node: Tree) -> Subquery | None:
    """The subquery that a node stands for, if it does."""
    return cast("Subquery | None", node.args.get("subquery")) if isinstance(node, exp.Anonymous) else None


def subqueries_in(tree: Tree) -> list[exp.Anonymous]:
    """The outermost subqueries in an expression."""
    return [node for node in tree.dfs(prune=_is_subquery) if isinstance(node, exp.Anonymous) and _is_subquery(node)]


def _is_subquery(node: Tree) -> bool:
    return subquery_of(node) is not None


def is_parameter(node: Tree) -> bool:
    """Whether a node is a parameter of the subquery that it stands in."""
    return isinstance(node, exp.Column) and node.table == OUTER


def own_parts(node: Tree) -> Iterator[Tree]:
    """The parts of a clause that belong to its query, as opposed to what stands in subqueries."""
    yield node
    if isinstance(node, exp.Query):
        for parameter in node.args.get(PARAMETERS) or ():
            yield from own_parts(parameter)
    else:
        for part in node.iter_expressions():
            yield from own_parts(part)


def own_columns(node: Tree) -> Iterator[exp.Column]:
    """The columns of an expression that do not stand in its subqueries."""
    return (part for part in node.dfs(prune=_is_query) if isinstance(part, exp.Column))


def _is_query(node: Tree) -> bool:
    return isinstance(node, exp.Query)


class Enclosing:
    """What a subquery can name outside of itself, and what of it it has named.

    Args:
        text: where the query stands.
        scope: the relations of the query around it.
        outer: what that one can name outside of itself.
        kind: the type of an expression of the query around it.
    """

    def __init__(self, text: Text, scope: Scope, outer: Enclosing | None, kind: Callable[[Tree], pa.DataType]) -> None:
        self._text = text
        self._kind = kind
        self._scope = scope
        self._outer = outer
        self.parameters: list[Tree] = []

    def knows(self, column: exp.Column) -> bool:
        """Whether a column is one of the query around it, or of one around that."""
        return knows(self._text, self._scope, column) or (self._outer is not None and self._outer.knows(column))

    def kind(self, number: int) -> pa.DataType:
        """The type of a parameter."""
        return self._kind(self.parameters[number])

    def parameter(self, column: exp.Column) -> Tree:
        """The parameter that a known column becomes, with the fields of a struct that follow it."""
        if self._outer is None or knows(self._text, self._scope, column):
            meaning = self._scope.meaning(self._text, column)
        else:
            meaning = self._outer.parameter(column)
        if meaning not in self.parameters:
            self.parameters.append(meaning)
        number = str(self.parameters.index(meaning))
        parameter = exp.column(exp.to_identifier(number, quoted=True), table=exp.to_identifier(OUTER, quoted=True))
        parameter.this.meta.update(column.parts[0].meta)
        return parameter


def knows(text: Text, scope: Scope, column: exp.Column) -> bool:
    """Whether a name means something in a scope."""
    first, *fields = cast("list[exp.Identifier]", column.parts)
    return bool(fields and scope.has(text, first)) or bool(scope.holders(text, first))


def enclose(
    text: Text, node: Tree, enclosing: Callable[[], Enclosing], qualify: Callable[[Tree, Enclosing], list[str]]
) -> None:
    """Put one node in place of each subquery in an expression, which has a parent.

    Args:
        text: where the expression stands.
        node: the expression; its own columns are qualified already.
        enclosing: gives what one subquery can name outside.
        qualify: qualifies a query in place, and gives the names of its columns.

    Raises:
        SqlError: a subquery makes no sense where it stands.
    """
    for query in [part for part in node.dfs(prune=_is_query) if _is_query(part)]:
        _enclose(text, query, enclosing(), qualify)


def _enclose(text: Text, query: Tree, around: Enclosing, qualify: Callable[[Tree, Enclosing], list[str]]) -> None:
    shown = render(query.unnest() if isinstance(query, exp.Subquery) else query)
    replaced, kind, operator, operand = _use(text, query)
    names = qualify(query, around)
    refuse_outer_aggregates(text, query)
    operands = _operands(operand)
    if kind != "exists" and len(names) != (len(operands) or 1):
        raise text.error(
            f"the subquery has {len(names)} columns {names}, and {len(operands) or 1} are compared here"
            if operands
            else f"a subquery that is used as a value has one column, not {len(names)}: {names}",
            query,
        )
    while isinstance(query, exp.Subquery) and not query.args.get("with_"):
        query = query.this
    where = offset_of(query)
    record = Subquery(kind, operator, len(operands), names[0], shown, query)
    node = exp.Anonymous(this="subquery", expressions=[*(each.copy() for each in operands), *around.parameters])
    node.set("subquery", record)
    if where is not None:
        node.meta["start"] = where
    replaced.replace(node)


def refuse_outer_aggregates(text: Text, query: Tree) -> None:
    """Raise where a subquery has an aggregate of nothing but columns of the query around it."""
    for call in query.find_all(exp.AggFunc):
        columns = list(call.find_all(exp.Column))
        if columns and all(map(is_parameter, columns)):
            raise text.error(
                "an aggregate of columns of the query around is not supported in a subquery yet",
                call,
                hint="compute it in a subquery of FROM, and name its result",
            )


def _operands(operand: Tree | None) -> list[Tree]:
    if operand is None:
        return []
    operand = operand.unnest()
    return list(operand.expressions) if isinstance(operand, exp.Tuple) else [operand]


def _use(text: Text, query: Tree) -> tuple[Tree, Kind, type[Tree] | None, Tree | None]:
    """The expression that a subquery is part of: what it is, what it asks, and what it compares with the rows."""
    inner, parent = query, query.parent
    while isinstance(parent, exp.Paren):
        inner, parent = parent, parent.parent
    match parent:
        case exp.Exists():
            return parent, "exists", None, None
        case exp.In() if parent.args.get("query") is inner:
            return parent, "any", exp.EQ, parent.this
        case exp.Any() | exp.All():
            return _quantified(text, parent, "any" if isinstance(parent, exp.Any) else "all")
        case exp.Anonymous() if str(parent.this).lower() == "all":
            return _quantified(text, parent, "all")
        case exp.Array() if not isinstance(query, exp.Subquery):
            return parent, "array", None, None
        case exp.Binary() if isinstance(parent, COMPARISONS):
            left = parent.this is inner
            other = parent.expression if left else parent.this
            if isinstance(other.unnest(), exp.Tuple) and len(other.unnest().expressions) > 1:
                return parent, "scalar", _TURNED.get(type(parent), type(parent)) if left else type(parent), other
    return query, "scalar", None, None


def _quantified(text: Text, quantifier: Tree, kind: Kind) -> tuple[Tree, Kind, type[Tree] | None, Tree | None]:
    inner, parent = quantifier, quantifier.parent
    while isinstance(parent, exp.Paren):
        inner, parent = parent, parent.parent
    if not isinstance(parent, COMPARISONS) or parent.expression is not inner:
        raise text.error(
            f"{kind.upper()} (SELECT ...) is supported on the right of =, <>, <, <=, > and >=",
            quantifier,
            hint=f"write value = {kind.upper()} (SELECT ...)",
        )
    if isinstance(parent.this.unnest(), exp.Tuple) and not isinstance(parent, exp.EQ | exp.NEQ):
        raise text.error(
            "rows are compared with the rows of a subquery by = and <> only",
            parent.this,
            hint="write [NOT] EXISTS (SELECT ... WHERE (a, b) < (x, y))",
        )
    return parent, kind, type(parent), parent.this
