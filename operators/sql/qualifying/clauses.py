"""Qualifying what follows the FROM clause: grouping sets, ORDER BY, row_number(), and the two sides of set operations.

What names mean is told by the one who calls; here stands which of a clause's parts are names at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from operators.sql.grammar.dialect import Text, Tree, exp, offset_of, render
from operators.sql.qualifying.names import match, refuse

LIMITS: Final = frozenset({"order", "limit", "offset"})
"""The arguments of a query's tree that order its result and say which rows of it are left."""


def ordered_apart(query: Tree) -> Tree:
    """The tree in which only a SELECT is ordered, limited, or searched by IN: else it becomes the table of a SELECT."""
    for node in [each for each in query.walk() if isinstance(each, exp.SetOperation | exp.Values | exp.Subquery)]:
        if isinstance(node.parent, exp.In) and isinstance(node, exp.Values):
            searched = exp.Select(expressions=[exp.Star()], from_=exp.From(this=node.copy()))
            node.parent.set("query", exp.Subquery(this=searched))
            node.pop()
            continue
        moved = {key: node.args[key] for key in LIMITS if node.args.get(key)}
        if not moved or isinstance(node.parent, exp.From | exp.Join):
            continue
        if with_ := node.args.get("with_"):
            moved["with_"] = with_
        for key in moved:
            node.set(key, None)
        select = exp.Select(expressions=[exp.Star()], **moved)
        select.meta.update(node.meta)
        if node is query:
            query = select
        else:
            node.replace(select)
        table = node if isinstance(node, exp.Subquery | exp.Values) else exp.Subquery(this=node)
        select.set("from_", exp.From(this=table))
    return query


def set_operation_name(query: exp.SetOperation) -> str:
    """As it is written."""
    return query.key.upper() + ("" if query.args.get("distinct") else " ALL")


def qualify_set_operation(text: Text, query: exp.SetOperation, side: Callable[[Tree], list[str]]) -> list[str]:
    """The names of the columns; `side` qualifies either side, and gives its names.

    Raises:
        SqlError: the sides have different numbers of columns.
    """
    name = set_operation_name(query)
    if query.args.get("by_name"):
        raise text.error(f"{name} BY NAME is not supported yet", query.expression, "name the columns in their order")
    refuse(text, query, {"with_", "this", "expression", "distinct"})
    if isinstance(query.this, exp.Select) and any(query.this.args.get(key) for key in LIMITS):
        raise text.error(
            f"{name} of a query with ORDER BY or LIMIT, without parentheses",
            query.this,
            "write (SELECT ... LIMIT 10) " + name + " ...",
        )
    left, right = side(query.this), side(query.expression)
    if len(left) != len(right):
        raise text.error(f"{name} of {len(left)} columns {left} and {len(right)} columns {right}", query.expression)
    return left


def values_names(text: Text, values: exp.Values) -> list[str]:
    """The names of the columns of VALUES, which are PostgreSQL's.

    Raises:
        SqlError: the rows are of different lengths, or say more than constants.
    """
    refuse(text, values, {"expressions", "alias"})
    widths = [len(row_of(row)) for row in values.expressions]
    if 0 in widths:
        raise text.error("a row of VALUES has at least one value", values, "write VALUES (1, 'a'), (2, 'b')")
    for row, width in zip(values.expressions, widths, strict=True):
        if width != widths[0]:
            raise text.error(f"the rows of VALUES have {widths[0]} and {width} columns", row)
        for part in row.walk():
            if isinstance(part, exp.Column | exp.Query | exp.AggFunc | exp.Window):
                raise text.error(f"VALUES takes constants, not {render(part)}", part)
    return [f"column{number + 1}" for number in range(widths[0])]


def refuse_twins(text: Text, with_: Tree) -> None:
    """Raise where two common tables have one name."""
    for place, table in enumerate(with_.expressions):
        if any(table.alias == other.alias for other in with_.expressions[:place]):
            raise text.error(f"two common tables are named {table.alias!r}", table.args["alias"])


def refuse_named_star(text: Text, projection: Tree) -> None:
    """Raise where `*` has a name."""
    if isinstance(projection, exp.Alias) and isinstance(projection.this, exp.Column) and projection.this.is_star:
        raise text.error("* stands for several columns, and takes no name", projection)


def row_of(row: Tree) -> list[Tree]:
    """The values of a row of VALUES."""
    return list(row.expressions) if isinstance(row, exp.Tuple) else [row.this if isinstance(row, exp.Paren) else row]


def ordinal(text: Text, key: Tree, outputs: Mapping[str, Tree], clause: str) -> Tree | None:
    """The projection that a number stands for; None where a key is no number.

    Raises:
        SqlError: there is no such projection.
    """
    sign = key.this if isinstance(key, exp.Neg) else key
    if not isinstance(sign, exp.Literal | exp.Null | exp.Boolean):
        return None
    if not isinstance(key, exp.Literal) or not key.is_int:
        does = "groups" if clause == "GROUP BY" else "orders"
        raise text.error(f"{clause} {render(key)}: a constant {does} nothing; name a column, or give its number", key)
    number = int(key.this)
    if not 1 <= number <= len(outputs):
        raise text.error(f"{clause} {number}: the result has columns 1 to {len(outputs)}", key)
    return _meant(list(outputs.values())[number - 1], key)


def _meant(output: Tree, key: Tree) -> Tree:
    """A projection in the place of what names it."""
    copy = output.unalias().copy()
    offset = offset_of(key)
    for part in copy.walk():
        part.meta.pop("start", None)
    if offset is not None:
        copy.meta["start"] = offset
    return copy


def qualify_order(
    text: Text,
    order: exp.Order,
    outputs: Mapping[str, Tree],
    key: Callable[[Tree], Tree],
) -> None:
    """Qualify what follows ORDER BY in place: numbers, then names of results, then whatever `key` makes of it."""
    for each in order.expressions:
        if not isinstance(each, exp.Ordered):
            raise text.error(f"ORDER BY {render(each)} is not supported yet", each)
        refuse(text, each, {"this", "desc", "nulls_first"})
        each.set("this", order_key(text, each.this, outputs, key, "ORDER BY"))


def order_key(text: Text, tree: Tree, outputs: Mapping[str, Tree], key: Callable[[Tree], Tree], clause: str) -> Tree:
    """One key of ORDER BY or DISTINCT ON, qualified."""
    if (numbered := ordinal(text, tree, outputs, clause)) is not None:
        return numbered
    if isinstance(tree, exp.Column) and not tree.args.get("table"):
        name = match(text, tree.this, outputs, "column")
        if name is not None:
            return _meant(outputs[name], tree)
    return key(tree)


def qualify_groups(element: Tree, key: Callable[[Tree], Tree]) -> Tree:
    """One element of GROUP BY with its keys qualified, its sets of keys in place."""
    if isinstance(element, exp.Paren):
        return qualify_groups(element.this, key)
    if isinstance(element, exp.Rollup | exp.Cube | exp.GroupingSets | exp.Tuple):
        element.set("expressions", [qualify_groups(each, key) for each in element.expressions])
        return element
    return key(element)


def own_parts(tree: Tree) -> Iterator[Tree]:
    """The parts of a tree but for those of the queries in it."""
    return (
        part
        for part in tree.dfs(prune=lambda node: isinstance(node, exp.Query) and node is not tree)
        if part is tree or not isinstance(part, exp.Query)
    )


def refuse_windows(text: Text, tree: Tree, clause: str) -> None:
    """Raise where a clause that comes before the rows are numbered speaks of their numbers."""
    for part in own_parts(tree):
        if isinstance(part, exp.Window):
            raise text.error(
                f"window functions (OVER) are not allowed in {clause}", part, "filter by their results with QUALIFY"
            )


def refuse_idle_qualify(text: Text, select: exp.Select, qualify: Tree) -> None:
    """Raise where QUALIFY stands in a SELECT that numbers no rows."""
    if not any(isinstance(part, exp.Window) for tree in (*select.expressions, qualify) for part in own_parts(tree)):
        raise text.error(
            "QUALIFY needs a window function in its condition or in the SELECT list, such as row_number() OVER (...)",
            qualify.this,
            "filter rows with WHERE, and groups with HAVING",
        )


def read_windows(text: Text, select: exp.Select) -> None:
    """Check the window functions of a SELECT, and put the windows of its WINDOW clause in their places.

    Raises:
        SqlError: one is not supported, or names no window.
    """
    named: dict[str, Tree] = {}
    for window in select.args.get("windows") or ():
        if window.this.name.lower() in named:
            raise text.error(f"two windows are named {window.this.name!r}", window.this, "give one another name")
        named[window.this.name.lower()] = window
    select.set("windows", None)
    clauses = [*select.expressions, *(select.args.get(key) for key in ("qualify", "order", "distinct"))]
    for window in [part for tree in clauses if tree for part in own_parts(tree) if isinstance(part, exp.Window)]:
        if not isinstance(window.this, exp.RowNumber):
            raise text.error("window functions (OVER) are not supported yet, except row_number()", window)
        if name := window.args.get("alias"):
            meant = named.get(name.name.lower())
            if meant is None:
                raise text.error(f"no window {name.name!r}; known here: {sorted(named)}", name)
            window.set("alias", None)
            for key in ("partition_by", "order", "spec"):
                if (value := meant.args.get(key)) and not window.args.get(key):
                    window.set(key, [each.copy() for each in value] if isinstance(value, list) else value.copy())
        refuse(text, window, {"this", "partition_by", "order", "over"})
        if window.this.this is not None or window.this.expressions:
            raise text.error("row_number() takes no argument", window)
