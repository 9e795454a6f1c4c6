"""Qualifying: every name in a query's tree becomes the one thing that it means.

Afterwards every column carries its relation and its exact name, every relation and projection has an alias, no star,
ordinal or output alias is left, and whatever is not supported has been refused with its place in the text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, cast

import pyarrow as pa

from flow.errors import known
from operators.sql.expressions.reader import ExpressionReader
from operators.sql.grammar.dialect import EMIT, Text, Tree, exp, offset_of, render
from operators.sql.grammar.errors import SqlError
from operators.sql.plan.nodes import WINDOW_COLUMNS
from operators.sql.plan.operators import schema_of
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
    CALLED,
    FROM_ZERO,
    NUMBER_FIRST,
    NUMBERED,
    element_columns,
    refuse_unnest,
)
from operators.sql.qualifying.lookups import is_lookup, qualify_time, refuse_misplaced
from operators.sql.qualifying.names import match, refuse
from operators.sql.qualifying.output_names import derived_name, numbered
from operators.sql.qualifying.scope import Relation, Scope, checked_rename, exact, select_all
from operators.sql.qualifying.stars import star_columns
from operators.sql.qualifying.subquery_nodes import (
    LATERAL,
    NAMES,
    PARAMETERS,
    Enclosing,
    enclose,
    is_parameter,
    knows,
    own_columns,
    refuse_outer_aggregates,
    subqueries_in,
)
from operators.sql.qualifying.tables import Tables
from operators.sql.qualifying.window_call import WindowCall, read_window_call
from operators.unnest import element_type

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
        self._outer = outer
        self._select = select
        self._tables = tables
        self._scope = Scope((), ())
        self._subqueries = 0
        self._types: dict[str, Callable[[], Mapping[str, pa.DataType]]] = {}

    def qualify(self) -> list[str]:
        select = self._select
        refuse(self._text, select, _SELECT_CLAUSES)
        if not select.expressions:
            raise self._text.error("SELECT needs at least one column, or *", select)
        read_windows(self._text, select)
        if select.args.get("from_"):
            self._scope = qualify_from(self._text, read_from(self._text, select), self._relation, self._on)
        of_stars = self._expand_stars()
        for projection in select.expressions:
            if id(projection) not in of_stars:
                self._columns(projection)
        outputs = self._alias_projections()
        if where := select.args.get("where"):
            refuse_windows(self._text, where, "WHERE")
            refuse_unnest(self._text, where, "WHERE")
            self._columns(where)
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
            self._columns(having, outputs)
        if qualifying := select.args.get("qualify"):
            refuse_unnest(self._text, qualifying, "QUALIFY")
            refuse_idle_qualify(self._text, select, qualifying)
            self._columns(qualifying, outputs)
        if order := select.args.get("order"):
            qualify_order(self._text, order, outputs, lambda key: self._key(key, outputs))
        if (distinct := select.args.get("distinct")) and (on := distinct.args.get("on")):
            if not on.expressions:
                raise self._text.error(
                    "DISTINCT ON () names no column", distinct, "write DISTINCT ON (column), or LIMIT 1 for one row"
                )
            keys = [
                order_key(self._text, key, outputs, lambda key: self._key(key, outputs), "DISTINCT ON")
                for key in on.expressions
            ]
            distinct.set("on", exp.Tuple(expressions=keys))
        return list(outputs)

    def _relation(self, source: Tree, left: Scope) -> Relation:
        for pivot in source.args.get("pivots") or ():
            unpivot = bool(pivot.args.get("unpivot"))
            raise self._text.error(
                f"{'UNPIVOT' if unpivot else 'PIVOT'} is not supported yet",
                pivot if offset_of(pivot) is not None else source,
                hint="write CROSS JOIN LATERAL (VALUES ('a', a), ('b', b)) AS u(name, value)"
                if unpivot
                else "write sum(x) FILTER (WHERE y = 'a') AS a, sum(x) FILTER (WHERE y = 'b') AS b ... GROUP BY",
            )
        if isinstance(source, exp.Unnest):
            return self._table_function(source, left)
        if isinstance(source, exp.Subquery):
            return self._derived(source, left)
        if is_lookup(source):
            return self._looked_up(cast("exp.Table", source), left)
        relation = self._read(source)
        self._types[relation.alias] = lambda: self._types_of(select_all(source, relation))
        return relation

    def _looked_up(self, source: exp.Table, left: Scope) -> Relation:
        """A table that is asked for the row of a key, of each row to its left."""
        name, columns = self._table(source)
        refuse_misplaced(self._text, source, left, looked_up=self._tables.is_looked_up(name))
        self._scope = left
        qualify_time(self._text, source, self._key, self._kind)
        names = checked_rename(self._text, columns, source.args.get("alias"))
        relation = self._aliased(source, source.alias or name, names)
        self._types[relation.alias] = lambda: dict(zip(names, self._tables.types(name), strict=True))
        return relation

    def _read(self, source: Tree) -> Relation:
        if isinstance(source, exp.Values):
            names = checked_rename(self._text, values_names(self._text, source), source.args.get("alias"))
            return self._aliased(source, source.alias or "values", names)
        if not isinstance(source, exp.Table):
            raise self._text.error(f"{source.key.upper()} in FROM is not supported yet", source)
        refuse(self._text, source, {"this", "alias", "db", "catalog", "joins"})
        if isinstance(source.this, exp.Identifier):
            table, names = self._table(source)
            return self._aliased(
                source, source.alias or table, checked_rename(self._text, names, source.args.get("alias"))
            )
        call = read_window_call(self._text, source.this)
        return self._window(source, call)

    def _derived(self, source: exp.Subquery, left: Scope) -> Relation:
        """A subquery in FROM; what it names outside of itself becomes its parameters."""
        refuse(self._text, source, {"this", "alias", "joins", LATERAL})
        lateral = bool(source.args.get(LATERAL))
        around = None
        if lateral or self._outer is not None:
            around = Enclosing(self._text, left if lateral else Scope((), ()), self._outer, self._kind)
        try:
            names = qualify(self._text, source.this, self._tables, around)
        except SqlError as error:
            if not lateral and any(error.message.startswith(f"no table {each.alias!r} ") for each in left.relations):
                raise error.with_hint(self._text.text, "write LATERAL before the subquery that names it") from None
            raise
        names = list(checked_rename(self._text, names, source.args.get("alias")))
        relation = self._aliased(source, source.alias or self._unnamed(), names)
        parameters = around.parameters if around is not None else []
        if parameters:
            refuse_outer_aggregates(self._text, source.this)
            source.set(PARAMETERS, parameters)
            source.set(NAMES, list(names))
        self._types[relation.alias] = lambda: dict(
            zip(names, self._types_of(source.this, parameters).values(), strict=False)
        )
        return relation

    def _table_function(self, source: exp.Unnest, left: Scope) -> Relation:
        self._scope = left
        for tree in list(source.expressions):
            self._columns(tree)
        for tree in source.expressions:
            for node in subqueries_in(tree):
                raise self._text.error(
                    "a subquery is not supported in UNNEST", node, hint="put it into FROM, and name its column here"
                )
        kinds = [self._kind(tree) for tree in source.expressions]
        columns = element_columns(self._text, source, kinds)
        names, types = [], []
        for kind, own in zip(kinds, columns, strict=True):
            element = element_type(kind)
            names += [name for name, _ in own]
            assert element is not None
            types += [element if field is None else element.field(field).type for _, field in own]
        if source.args.get(NUMBERED):
            first = bool(source.args.get(NUMBER_FIRST))
            at = 0 if first else len(names)
            names.insert(at, "pos" if first else "offset" if source.args.get(FROM_ZERO) else "ordinality")
            types.insert(at, pa.int64())
        alias = source.args.get("alias")
        given = alias.args.get("columns") if alias is not None else None
        default = given[0].name if given else source.args.get(CALLED) or "unnest"
        names = [numbered(name, names[:place], 1) for place, name in enumerate(names)]
        names = list(checked_rename(self._text, names, alias))
        source.set(NAMES, names)
        relation = self._aliased(source, source.alias or default, names)
        self._types[relation.alias] = lambda: dict(zip(names, types, strict=True))
        return relation

    def _types_of(self, query: Tree, parameters: Sequence[Tree] = ()) -> Mapping[str, pa.DataType]:
        schema = schema_of(self._tables.planned(query, [self._kind(tree) for tree in parameters]))
        return {name: schema.column_type(name) for name in schema.names}

    def _kind(self, tree: Tree) -> pa.DataType:
        """The type of a qualified expression over what is in FROM so far, and outside."""
        fields: dict[str, pa.DataType] = {}
        columns: dict[tuple[str, str], str] = {}
        for column in own_columns(tree):
            name = f"{column.table}.{column.name}"
            columns[column.table, column.name] = name
            if is_parameter(column):
                assert self._outer is not None
                fields[name] = self._outer.kind(int(column.name))
            else:
                fields[name] = self._types[column.table]()[column.name]
        schema = pa.schema(fields)
        return ExpressionReader(self._text, schema, columns).read(tree).bind(schema).type

    def _unnamed(self) -> str:
        """The alias of a subquery that has none."""
        self._subqueries += 1
        return "subquery" if self._subqueries == 1 else f"subquery_{self._subqueries}"

    def _on(self, condition: Tree, scope: Scope) -> None:
        self._scope = scope
        self._columns(condition)

    def _window(self, source: Tree, call: WindowCall) -> Relation:
        if isinstance(call.table, exp.Subquery):
            table, names = self._unnamed(), tuple(qualify(self._text, call.table.this, self._tables))
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
        call.column.set("this", exact(call.column.this, column))
        names = checked_rename(self._text, (*names, *WINDOW_COLUMNS), source.args.get("alias"))
        return self._aliased(source, source.alias or table, names)

    def _table(self, table: Tree) -> tuple[str, tuple[str, ...]]:
        if table.args.get("db") or table.args.get("catalog"):
            raise self._text.error(f"tables have plain names here, not {table.sql()!r}", table)
        name = match(self._text, table.this, self._tables, "table")
        if name is None:
            raise self._text.error(f"no table {table.name!r}; {known(table.name, self._tables)}", table.this)
        table.set("this", exact(table.this, name))
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
        names: set[str] = set()
        for projection in self._select.expressions:
            found = star_columns(self._text, projection, self._scope, self._key, self._kind)
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

    def _columns(self, node: Tree, outputs: Mapping[str, Tree] | None = None) -> None:
        """Qualify the columns of an expression; those found nowhere else may be `outputs`, by alias."""
        for column in list(own_columns(node)):
            if isinstance(column.this, exp.Star):
                continue
            output = self._output_named(column, outputs) if outputs else None
            if output is not None:
                column.replace(output.unalias().copy())
            else:
                self._column(column)
        enclose(self._text, node, lambda: Enclosing(self._text, self._scope, self._outer, self._kind), self._subquery)

    def _subquery(self, query: Tree, around: Enclosing) -> list[str]:
        return qualify(self._text, query, self._tables, around)

    def _output_named(self, column: exp.Column, outputs: Mapping[str, Tree]) -> Tree | None:
        if column.args.get("table") or self._scope.holders(self._text, column.this):
            return None
        name = match(self._text, column.this, outputs, "column")
        return None if name is None else outputs[name]

    def _column(self, column: exp.Column) -> None:
        if self._outer and not knows(self._text, self._scope, column) and self._outer.knows(column):
            column.replace(self._outer.parameter(column))
            return
        meaning = self._scope.meaning(self._text, column)
        if column.parent is self._select and isinstance(meaning, exp.Coalesce):
            meaning = exp.alias_(meaning, column.name, quoted=True, copy=False)
        column.replace(meaning)

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
        if isinstance(key, exp.Column) and (named := self._output_named(key, outputs)) is not None:
            return named.unalias().copy()
        return self._key(key)

    def _key(self, key: Tree, outputs: Mapping[str, Tree] | None = None) -> Tree:
        # A wrapper, so that a key that is itself replaced has a parent.
        holder = exp.Tuple(expressions=[key])
        self._columns(holder, outputs)
        (qualified,) = cast("list[Tree]", holder.expressions)
        return qualified
