"""Qualifying: every name in a query's tree becomes the one thing that it means.

Afterwards every column carries its relation and its exact name, every relation and projection has an alias, no star,
ordinal or output alias is left, and whatever is not supported has been refused with its place in the text.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, cast

import attrs

from flow.errors import known
from operators.sql.dialect import EMIT, Text, Tree, exp, offset_of, render
from operators.sql.functions import AGGREGATES, shape_of
from operators.sql.window_call import WINDOW_COLUMNS, WindowCall, read_window_call

_SELECT_CLAUSES: Final = {"with_", "expressions", "from_", "where", "group", "having", "distinct", EMIT}

_CLAUSE_NAMES: Final = {
    "joins": "JOIN",
    "laterals": "LATERAL",
    "order": "ORDER BY",
    "limit": "LIMIT",
    "offset": "OFFSET",
    "windows": "WINDOW",
    "qualify": "QUALIFY",
    "sample": "TABLESAMPLE",
    "locks": "FOR UPDATE",
    "into": "SELECT INTO",
    "pivots": "PIVOT",
    "only": "ONLY",
    "kind": "SELECT AS",
    "grouping_sets": "GROUPING SETS",
    "cube": "CUBE",
    "rollup": "ROLLUP",
    "totals": "WITH TOTALS",
    "all": "GROUP BY ALL",
    "match": "MATCH_RECOGNIZE",
    "ordinality": "WITH ORDINALITY",
}


_NAMED: Final = exp.Alias | exp.Column | exp.Dot
"""Projections that have a name of their own."""


@attrs.frozen
class Relation:
    """What a FROM clause makes visible: columns under an alias."""

    alias: str
    columns: tuple[str, ...]


def match(text: Text, identifier: exp.Identifier, names: Iterable[str], kind: str) -> str | None:
    """The name that an identifier means: the exact one, or, unquoted, the only one that differs in case alone.

    Raises:
        SqlError: several names differ from the identifier in case alone.
    """
    names = list(names)
    if identifier.name in names:
        return identifier.name
    if identifier.args.get("quoted"):
        return None
    found = [name for name in names if name.lower() == identifier.name.lower()]
    if len(found) > 1:
        raise text.error(
            f"{kind} {identifier.name!r} is ambiguous: {found} differ in case only",
            identifier,
            hint="quote the one you mean",
        )
    return found[0] if found else None


def refuse(text: Text, node: Tree, allowed: Iterable[str]) -> None:
    """Raise for the first clause of a node that is not supported."""
    for key, value in node.args.items():
        if value and key not in allowed:
            first = value[0] if isinstance(value, list) else value
            name = _CLAUSE_NAMES.get(key, key.strip("_").upper())
            placed = isinstance(first, exp.Expr) and offset_of(first) is not None
            raise text.error(f"{name} is not supported yet", first if placed else node)


def qualify(text: Text, query: Tree, tables: Mapping[str, Sequence[str]]) -> list[str]:
    """Qualify a query in place.

    Args:
        text: where the query stands, for errors.
        query: a tree of `dialect.parse`.
        tables: the columns of every table that the query may read.

    Returns:
        The names of the result's columns.

    Raises:
        SqlError: a name is unknown or ambiguous, or a construct is not supported.
    """
    tables = _with_ctes(text, query, tables)
    match query:
        case exp.Subquery():
            refuse(text, query, {"this", "alias", "with_"})
            return qualify(text, query.this, tables)
        case exp.Union():
            return _qualify_union(text, query, tables)
        case exp.Select():
            return _Selecting(text, query, tables).qualify()
    raise text.error(f"{query.key.upper()} is not supported yet; a query is SELECT ... FROM ...", query)


def _with_ctes(text: Text, query: Tree, tables: Mapping[str, Sequence[str]]) -> Mapping[str, Sequence[str]]:
    with_ = query.args.get("with_")
    if with_ is None:
        return tables
    if with_.args.get("recursive"):
        raise text.error("WITH RECURSIVE is not supported yet", with_)
    tables = ChainMap({}, cast("dict[str, Sequence[str]]", tables))
    for cte in with_.expressions:
        names = qualify(text, cte.this, tables)
        tables[cte.alias] = _checked_rename(text, names, cte.args["alias"])
    return tables


def renamed(names: Sequence[str], alias: exp.TableAlias | None) -> tuple[str, ...]:
    """The columns of a relation after ``AS alias (column, ...)``."""
    given = [column.name for column in (alias.args.get("columns") or ())] if alias else []
    return (*given, *names[len(given) :])


def _checked_rename(text: Text, names: Sequence[str], alias: exp.TableAlias | None) -> tuple[str, ...]:
    result = renamed(names, alias)
    if alias is not None and len(result) > len(names):
        raise text.error(f"{alias.name!r} has {len(names)} columns, and {len(result)} names are given", alias)
    if len(set(result)) < len(result):
        name = next(name for place, name in enumerate(result) if name in result[:place])
        raise text.error(f"the name {name!r} is given to two columns", alias)
    return result


def _qualify_union(text: Text, query: exp.Union, tables: Mapping[str, Sequence[str]]) -> list[str]:
    if query.args.get("distinct"):
        raise text.error("UNION is not supported yet; UNION ALL is", query.expression)
    refuse(text, query, {"with_", "this", "expression", "distinct", "by_name"})
    if query.args.get("by_name"):
        raise text.error("UNION ALL BY NAME is not supported yet", query.expression)
    left = qualify(text, query.this, tables)
    right = qualify(text, query.expression, tables)
    if len(left) != len(right):
        raise text.error(f"UNION ALL of {len(left)} columns {left} and {len(right)} columns {right}", query.expression)
    return left


class _Selecting:
    """One SELECT being qualified."""

    def __init__(self, text: Text, select: exp.Select, tables: Mapping[str, Sequence[str]]) -> None:
        self._text = text
        self._select = select
        self._tables = tables
        self._relations: list[Relation] = []

    def qualify(self) -> list[str]:
        select = self._select
        refuse(self._text, select, _SELECT_CLAUSES)
        distinct = select.args.get("distinct")
        if distinct is not None and distinct.args.get("on"):
            raise self._text.error("DISTINCT ON is not supported yet", distinct.args["on"])
        if not select.expressions:
            raise self._text.error("SELECT needs at least one column, or *", select)
        source = select.args.get("from_")
        if source is None:
            raise self._text.error(f"a query needs FROM; tables known here: {sorted(self._tables)}", select)
        self._relations.append(self._relation(source.this))
        of_stars = self._expand_stars()
        for projection in select.expressions:
            if id(projection) not in of_stars:
                self._columns(projection)
        outputs = self._alias_projections()
        if where := select.args.get("where"):
            self._columns(where)
        if group := select.args.get("group"):
            refuse(self._text, group, {"expressions"})
            group.set("expressions", [self._group_key(key, outputs) for key in group.expressions])
        if having := select.args.get("having"):
            self._columns(having, outputs)
        return list(outputs)

    def _relation(self, source: Tree) -> Relation:
        if not isinstance(source, exp.Subquery | exp.Table):
            raise self._text.error(f"{source.key.upper()} in FROM is not supported yet", source)
        refuse(self._text, source, {"this", "alias", "db", "catalog"})
        alias = source.args.get("alias")
        if isinstance(source, exp.Subquery):
            names = _checked_rename(self._text, qualify(self._text, source.this, self._tables), alias)
            return self._aliased(source, source.alias or "subquery", names)
        if isinstance(source.this, exp.Identifier):
            table, names = self._table(source)
            return self._aliased(source, source.alias or table, _checked_rename(self._text, names, alias))
        call = read_window_call(self._text, source.this)
        return self._window(source, call)

    def _window(self, source: Tree, call: WindowCall) -> Relation:
        if isinstance(call.table, exp.Subquery):
            table, names = "subquery", tuple(qualify(self._text, call.table.this, self._tables))
        else:
            table, names = self._table(call.table)
        column = match(self._text, call.column.this, names, "column")
        if column is None:
            raise self._text.error(
                f"no column {call.column.name!r} in {table!r}; {known(call.column.name, names)}", call.column
            )
        for name in WINDOW_COLUMNS:
            if name in names:
                raise self._text.error(
                    f"{source.this.name} adds a column {name!r}, and {table!r} has one already",
                    source,
                    hint="give the column another name in a subquery: (SELECT window_start AS start, ... FROM ...)",
                )
        call.column.set("this", _exact(call.column.this, column))
        names = _checked_rename(self._text, (*names, *WINDOW_COLUMNS), source.args.get("alias"))
        return self._aliased(source, source.alias or table, names)

    def _table(self, table: Tree) -> tuple[str, tuple[str, ...]]:
        if table.args.get("db") or table.args.get("catalog"):
            raise self._text.error(f"tables have plain names here, not {table.sql()!r}", table)
        name = match(self._text, table.this, self._tables, "table")
        if name is None:
            raise self._text.error(f"no table {table.name!r}; {known(table.name, self._tables)}", table.this)
        table.set("this", _exact(table.this, name))
        return name, tuple(self._tables[name])

    def _aliased(self, source: Tree, name: str, columns: Sequence[str]) -> Relation:
        alias = source.args.get("alias") or exp.TableAlias(this=exp.to_identifier(name, quoted=True))
        if alias.this and not isinstance(alias.this, exp.Identifier):
            raise self._text.error(f"an alias is a name, not {render(alias.this)}", alias)
        if not alias.this:
            alias.set("this", exp.to_identifier(name, quoted=True))
        source.set("alias", alias)
        return Relation(name, tuple(columns))

    def _expand_stars(self) -> frozenset[int]:
        """Put the columns in place of the stars; the ids of these, which are qualified already."""
        expanded: list[Tree] = []
        of_stars: list[Tree] = []
        for projection in self._select.expressions:
            star = projection.this if isinstance(projection, exp.Column) else projection
            if not isinstance(star, exp.Star):
                expanded.append(projection)
                continue
            refuse(self._text, star, ())
            relations = self._relations
            if isinstance(projection, exp.Column):
                relations = [self._named_relation(projection.args["table"])]
            columns = [_column(relation, name) for relation in relations for name in relation.columns]
            expanded += columns
            of_stars += columns
        self._select.set("expressions", expanded)
        return frozenset(map(id, of_stars))

    def _named_relation(self, alias: exp.Identifier) -> Relation:
        names = [relation.alias for relation in self._relations]
        name = match(self._text, alias, names, "table")
        if name is None:
            raise self._text.error(f"no table {alias.name!r} in FROM; {known(alias.name, names)}", alias)
        return self._relations[names.index(name)]

    def _is_relation(self, alias: exp.Identifier) -> bool:
        return match(self._text, alias, [relation.alias for relation in self._relations], "table") is not None

    def _columns(self, node: Tree, outputs: Mapping[str, Tree] | None = None) -> None:
        """Qualify the columns of an expression; those found nowhere else may be `outputs`, by alias."""
        for part in list(node.walk()):
            if isinstance(part, exp.Query) and part is not node:
                raise self._text.error("subqueries in expressions are not supported yet", part)
            if isinstance(part, exp.Window):
                raise self._text.error("window functions (OVER) are not supported yet", part)
        for column in list(node.find_all(exp.Column)):
            if isinstance(column.this, exp.Star):
                continue
            output = self._output_named(column, outputs) if outputs else None
            if output is not None:
                column.replace(output.unalias().copy())
            else:
                self._column(column)

    def _output_named(self, column: exp.Column, outputs: Mapping[str, Tree]) -> Tree | None:
        if column.args.get("table") or self._holders(column.this, self._relations):
            return None
        name = match(self._text, column.this, outputs, "column")
        return None if name is None else outputs[name]

    def _holders(self, identifier: exp.Identifier, relations: Sequence[Relation]) -> list[tuple[Relation, str]]:
        found = ((relation, match(self._text, identifier, relation.columns, "column")) for relation in relations)
        return [(relation, name) for relation, name in found if name is not None]

    def _column(self, column: exp.Column) -> None:
        """Qualify ``column``, ``table.column``, or either followed by fields of a struct."""
        first, *fields = cast("list[exp.Identifier]", column.parts)
        relations = self._relations
        if fields and (self._is_relation(first) or not self._holders(first, relations)):
            relations = [self._named_relation(first)]
            first, *fields = fields
        found = self._holders(first, relations)
        if not found:
            names = [name for relation in relations for name in relation.columns]
            where = f" in {relations[0].alias!r}" if len(relations) == 1 else ""
            raise self._text.error(f"no column {first.name!r}{where}; {known(first.name, names)}", first)
        if len(found) > 1:
            candidates = [f"{relation.alias}.{name}" for relation, name in found]
            raise self._text.error(f"column {first.name!r} is ambiguous: {candidates}", first)
        relation, name = found[0]
        qualified: Tree = exp.Column(this=_exact(first, name), table=exp.to_identifier(relation.alias, quoted=True))
        for field in fields:
            qualified = exp.Dot(this=qualified, expression=field.copy())
        column.replace(qualified)

    def _alias_projections(self) -> dict[str, Tree]:
        outputs: dict[str, Tree] = {}
        explicit = {p.output_name for p in self._select.expressions if isinstance(p, _NAMED)}
        for projection in self._select.expressions:
            if isinstance(projection, _NAMED):
                name = projection.output_name
            else:
                name = _derived_name(projection, {*explicit, *outputs})
            if name in outputs:
                raise self._text.error(
                    f"two columns of the result are named {name!r}",
                    projection,
                    hint="name one of them: expression AS name",
                )
            outputs[name] = (
                projection if isinstance(projection, exp.Alias) else exp.alias_(projection, name, quoted=True)
            )
        self._select.set("expressions", list(outputs.values()))
        return outputs

    def _group_key(self, key: Tree, outputs: Mapping[str, Tree]) -> Tree:
        if isinstance(key, exp.Literal) and key.is_int:
            ordinal = int(key.this)
            if not 1 <= ordinal <= len(outputs):
                raise self._text.error(f"GROUP BY {ordinal}: the result has columns 1 to {len(outputs)}", key)
            return list(outputs.values())[ordinal - 1].unalias().copy()
        if isinstance(key, exp.Column) and (output := self._output_named(key, outputs)) is not None:
            return output.unalias().copy()
        # A wrapper, so that a key that is itself replaced has a parent.
        holder = exp.Tuple(expressions=[key])
        self._columns(holder)
        (qualified,) = cast("list[Tree]", holder.expressions)
        return qualified


def _exact(identifier: Tree, name: str) -> exp.Identifier:
    exact = exp.to_identifier(name, quoted=True)
    exact.meta.update(identifier.meta)
    return exact


def _column(relation: Relation, name: str) -> exp.Column:
    return exp.column(exp.to_identifier(name, quoted=True), table=exp.to_identifier(relation.alias, quoted=True))


def _derived_name(projection: Tree, taken: set[str]) -> str:
    """PostgreSQL's name for a column without one: the function's, the cast column's, else ``column``."""
    node = projection
    while isinstance(node, exp.Paren | exp.Cast | exp.Filter | exp.Bracket):
        node = node.this
    if isinstance(node, exp.Column):
        stem = node.name
    elif isinstance(node, exp.Func) and (shape := shape_of(node)) and shape[0].isidentifier():
        stem = AGGREGATES.get(type(node), shape[0]).lower()
    else:
        stem = "column"
    name, number = stem, 1
    while name in taken:
        number += 1
        name = f"{stem}_{number}"
    return name
