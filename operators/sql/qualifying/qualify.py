"""Qualifying: every name in a query's tree becomes the one thing that it means.

Afterwards every column carries its relation and its exact name, every relation and projection has an alias, no star,
ordinal or output alias is left, and whatever is not supported has been refused with its place in the text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from operators.sql.grammar.dialect import EMIT, Text, Tree, exp, offset_of
from operators.sql.qualifying.clauses import (
    LIMITS,
    order_key,
    ordinal,
    qualify_groups,
    qualify_order,
    qualify_set_operation,
    read_windows,
    refuse_idle_qualify,
    refuse_twins,
    refuse_windows,
    values_names,
)
from operators.sql.qualifying.from_clause import qualify_from, read_from
from operators.sql.qualifying.from_forms import (
    refuse_unnest,
)
from operators.sql.qualifying.names import refuse
from operators.sql.qualifying.naming import Naming
from operators.sql.qualifying.output_names import derived_name, numbered
from operators.sql.qualifying.relations import Relations
from operators.sql.qualifying.scope import checked_rename
from operators.sql.qualifying.stars import star_columns
from operators.sql.qualifying.subquery_nodes import (
    LATERAL,
    Enclosing,
)
from operators.sql.qualifying.tables import Tables

_SELECT_CLAUSES: Final = LIMITS | {
    "with_",
    "expressions",
    "from_",
    "joins",
    "where",
    "group",
    "having",
    "windows",
    "qualify",
    "distinct",
    EMIT,
}

_NAMED: Final = exp.Alias | exp.Column | exp.Dot
"""Projections that have a name of their own."""


def qualify(text: Text, query: Tree, tables: Tables, outer: Enclosing | None = None) -> list[str]:
    """Qualify a query in place.

    Args:
        text: where the query stands, for errors.
        query: a tree of `dialect.parse`.
        tables: the columns of every table that the query may read.
        outer: what a subquery of an expression can name outside of itself.

    Returns:
        The names of the result's columns.

    Raises:
        SqlError: a name is unknown or ambiguous, or a construct is not supported.
    """
    tables = _with_ctes(text, query, tables)
    match query:
        case exp.Subquery():
            refuse(text, query, {"this", "alias", "with_", LATERAL})
            return qualify(text, query.this, tables, outer)
        case exp.SetOperation():
            return qualify_set_operation(text, query, lambda side: qualify(text, side, tables, outer))
        case exp.Values():
            return values_names(text, query)
        case exp.Select():
            return _Selecting(text, query, tables, outer).qualify()
    raise text.error(f"{query.key.upper()} is not supported yet; a query is SELECT ... FROM ...", query)


def _with_ctes(text: Text, query: Tree, tables: Tables) -> Tables:
    with_ = query.args.get("with_")
    if with_ is None:
        return tables
    if with_.args.get("recursive"):
        raise text.error(
            "WITH RECURSIVE is not supported yet: a result that is kept up to date would have to be taken apart again",
            with_,
            hint="unfold the steps that there are by UNION ALL; generate_series() makes rows of numbers and times",
        )
    tables = tables.with_room()
    refuse_twins(text, with_)
    for cte in with_.expressions:
        names = qualify(text, cte.this, tables)
        tables.add(cte.alias, checked_rename(text, names, cte.args["alias"]), cte.this)
    return tables


class _Selecting:
    """One SELECT being qualified."""

    def __init__(self, text: Text, select: exp.Select, tables: Tables, outer: Enclosing | None) -> None:
        self._text = text
        self._select = select
        self._names = Naming(text, tables, outer, qualify)

    def qualify(self) -> list[str]:
        select = self._select
        refuse(self._text, select, _SELECT_CLAUSES)
        if not select.expressions:
            raise self._text.error("SELECT needs at least one column, or *", select)
        read_windows(self._text, select)
        if select.args.get("from_"):
            relations = Relations(self._names)
            item = read_from(self._text, select)
            self._names.scope = qualify_from(self._text, item, relations.relation, relations.on)
        of_stars = self._expand_stars()
        for projection in select.expressions:
            if id(projection) not in of_stars:
                self._names.columns(projection)
        outputs = self._alias_projections()
        if where := select.args.get("where"):
            refuse_windows(self._text, where, "WHERE")
            refuse_unnest(self._text, where, "WHERE")
            self._names.columns(where)
        if group := select.args.get("group"):
            refuse(self._text, group, {"expressions"})
            if group.args.get("all") is False:
                raise self._text.error("GROUP BY DISTINCT is not supported yet", group, "name each set of keys once")
            refuse_windows(self._text, group, "GROUP BY")
            keys = [qualify_groups(key, lambda key: self._group_key(key, outputs)) for key in group.expressions]
            group.set("expressions", keys)
        if having := select.args.get("having"):
            refuse_windows(self._text, having, "HAVING")
            refuse_unnest(self._text, having, "HAVING")
            self._names.columns(having, outputs)
        if qualifying := select.args.get("qualify"):
            refuse_unnest(self._text, qualifying, "QUALIFY")
            refuse_idle_qualify(self._text, select, qualifying)
            self._names.columns(qualifying, outputs)
        if order := select.args.get("order"):
            qualify_order(self._text, order, outputs, lambda key: self._names.key(key, outputs))
        if (distinct := select.args.get("distinct")) and (on := distinct.args.get("on")):
            if not on.expressions:
                raise self._text.error(
                    "DISTINCT ON () names no column", distinct, "write DISTINCT ON (column), or LIMIT 1 for one row"
                )
            keys = [
                order_key(self._text, key, outputs, lambda key: self._names.key(key, outputs), "DISTINCT ON")
                for key in on.expressions
            ]
            distinct.set("on", exp.Tuple(expressions=keys))
        return list(outputs)

    def _expand_stars(self) -> frozenset[int]:
        """Put the columns in place of the stars; the ids of these, which are qualified already."""
        expanded: list[Tree] = []
        of_stars: list[Tree] = []
        names: set[str] = set()
        for projection in self._select.expressions:
            found = star_columns(self._text, projection, self._names.scope, self._names.key, self._names.kind)
            if found is None:
                expanded.append(projection)
                continue
            for given, tree in found:
                # Columns of equal names get numbers, as in DuckDB.
                name = numbered(given, names, 1)
                names.add(name)
                column = tree.copy()
                if (place := offset_of(projection)) is not None:
                    column.meta["start"] = place
                if name != column.name or not isinstance(column, exp.Column):
                    column = exp.alias_(column, name, quoted=True, copy=False)
                expanded.append(column)
                of_stars.append(column)
        self._select.set("expressions", expanded)
        return frozenset(map(id, of_stars))

    def _alias_projections(self) -> dict[str, Tree]:
        outputs: dict[str, Tree] = {}
        explicit = {p.output_name for p in self._select.expressions if isinstance(p, _NAMED)}
        for projection in self._select.expressions:
            if isinstance(projection, _NAMED):
                name = projection.output_name
            else:
                name = derived_name(projection, {*explicit, *outputs})
            if name in outputs:
                raise self._text.error(
                    f"two columns of the result are named {name!r}",
                    projection,
                    hint="name one of them: expression AS name",
                )
            outputs[name] = (
                projection
                if isinstance(projection, exp.Alias)
                else exp.alias_(projection, name, quoted=True, copy=False)
            )
        self._select.set("expressions", list(outputs.values()))
        return outputs

    def _group_key(self, key: Tree, outputs: Mapping[str, Tree]) -> Tree:
        if (output := ordinal(self._text, key, outputs, "GROUP BY")) is not None:
            return output
        if isinstance(key, exp.Column) and (named := self._names.output_named(key, outputs)) is not None:
            return named.unalias().copy()
        return self._names.key(key)
