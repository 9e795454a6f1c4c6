"""Qualifying FROM: tables, subqueries, windows and table functions become relations, each under an alias."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pyarrow as pa

from flow.errors import known
from operators.sql.grammar.dialect import Tree, exp, offset_of, render
from operators.sql.grammar.errors import SqlError
from operators.sql.plan.nodes import WINDOW_COLUMNS
from operators.sql.qualifying.clauses import values_names
from operators.sql.qualifying.from_forms import CALLED, FROM_ZERO, NUMBER_FIRST, NUMBERED, element_columns
from operators.sql.qualifying.lookups import is_lookup, qualify_time, refuse_misplaced
from operators.sql.qualifying.names import match, refuse
from operators.sql.qualifying.naming import Naming
from operators.sql.qualifying.output_names import numbered
from operators.sql.qualifying.scope import Relation, Scope, checked_rename, exact, select_all
from operators.sql.qualifying.subquery_nodes import (
    LATERAL,
    NAMES,
    PARAMETERS,
    Enclosing,
    refuse_outer_aggregates,
    subqueries_in,
)
from operators.sql.qualifying.window_call import WindowCall, read_window_call
from operators.unnest import element_type


class Relations:
    """The items of a SELECT's FROM clause.

    Args:
        names: what names mean in the SELECT; it learns the types of the relations.
    """

    def __init__(self, names: Naming) -> None:
        self._names = names
        self._text = names.text
        self._unnamed_before = 0

    def relation(self, source: Tree, left: Scope) -> Relation:
        """Qualify an item of FROM, which stands to the right of others."""
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
        self._names.types[relation.alias] = lambda: self._names.types_of(select_all(source, relation))
        return relation

    def _looked_up(self, source: exp.Table, left: Scope) -> Relation:
        """A table that is asked for the row of a key, of each row to its left."""
        name, columns = self._table(source)
        refuse_misplaced(self._text, source, left, looked_up=self._names.tables.is_looked_up(name))
        self._names.scope = left
        qualify_time(self._text, source, self._names.key, self._names.kind)
        names = checked_rename(self._text, columns, source.args.get("alias"))
        relation = self._aliased(source, source.alias or name, names)
        self._names.types[relation.alias] = lambda: dict(zip(names, self._names.tables.types(name), strict=True))
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
        if lateral or self._names.outer is not None:
            around = Enclosing(self._text, left if lateral else Scope((), ()), self._names.outer, self._names.kind)
        try:
            names = self._names.query(source.this, around)
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
        self._names.types[relation.alias] = lambda: dict(
            zip(names, self._names.types_of(source.this, parameters).values(), strict=False)
        )
        return relation

    def _table_function(self, source: exp.Unnest, left: Scope) -> Relation:
        self._names.scope = left
        for tree in list(source.expressions):
            self._names.columns(tree)
        for tree in source.expressions:
            for node in subqueries_in(tree):
                raise self._text.error(
                    "a subquery is not supported in UNNEST", node, hint="put it into FROM, and name its column here"
                )
        kinds = [self._names.kind(tree) for tree in source.expressions]
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
        self._names.types[relation.alias] = lambda: dict(zip(names, types, strict=True))
        return relation

    def _unnamed(self) -> str:
        """The alias of a subquery that has none."""
        self._unnamed_before += 1
        return "subquery" if self._unnamed_before == 1 else f"subquery_{self._unnamed_before}"

    def on(self, condition: Tree, scope: Scope) -> None:
        """Qualify the condition of a join over what it joins."""
        self._names.scope = scope
        self._names.columns(condition)

    def _window(self, source: Tree, call: WindowCall) -> Relation:
        if isinstance(call.table, exp.Subquery):
            table, names = self._unnamed(), tuple(self._names.query(call.table.this))
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
        name = match(self._text, table.this, self._names.tables, "table")
        if name is None:
            raise self._text.error(f"no table {table.name!r}; {known(table.name, self._names.tables)}", table.this)
        table.set("this", exact(table.this, name))
        return name, tuple(self._names.tables[name])

    def _aliased(self, source: Tree, name: str, columns: Sequence[str]) -> Relation:
        alias = source.args.get("alias") or exp.TableAlias(this=exp.to_identifier(name, quoted=True))
        if alias.this and not isinstance(alias.this, exp.Identifier):
            raise self._text.error(f"an alias is a name, not {render(alias.this)}", alias)
        if not alias.this:
            alias.set("this", exp.to_identifier(name, quoted=True))
        source.set("alias", alias)
        return Relation(name, tuple(columns))
