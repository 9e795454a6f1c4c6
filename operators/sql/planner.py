"""From a qualified tree to the logical plan: what each clause of a query means, and what of it makes no sense.

A SELECT becomes, from the bottom up: its table, WHERE, the columns of keys, the aggregate, HAVING, the projection.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import pyarrow as pa

from flow.errors import GraphError
from operators.expressions import Cast, Column
from operators.expressions.types import logical
from operators.sql import plan as p
from operators.sql.dialect import EMIT, Text, Tree, exp, render
from operators.sql.errors import SqlError
from operators.sql.expressions import ExpressionReader, aggregate_calls, bare
from operators.sql.grouping import GROUPED, Grouping
from operators.sql.lowering import schema_of
from operators.sql.optimise import optimise
from operators.sql.qualify import qualify, renamed
from operators.sql.window_call import read_window_call

Catalog = Mapping[str, p.Plan]
"""What a query can read, by name: tables, and views as the plans that they stand for."""


def plan_query(text: Text, query: Tree, catalog: Catalog) -> p.Plan:
    """The optimised plan of a query's tree, which is qualified on the way.

    Raises:
        SqlError: the query makes no sense over these tables, or asks for what is not supported.
    """
    try:
        qualify(text, query, _Columns(catalog))
        return optimise(_plan(text, query, catalog))
    except SqlError:
        raise
    except GraphError as error:
        raise text.error(str(error), query) from error
    except RecursionError:
        raise text.error("the query is nested too deep", query) from None


class _Columns(Mapping[str, Sequence[str]]):
    """The columns of a catalog's tables; a table is only looked at when it is asked for."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def __getitem__(self, name: str) -> Sequence[str]:
        return schema_of(self._catalog[name]).names

    def __iter__(self) -> Iterator[str]:
        return iter(self._catalog)

    def __len__(self) -> int:
        return len(self._catalog)


def cast_to(plan: p.Plan, target: pa.Schema) -> p.Plan:
    """The plan with the names and types of `target`, by position; both have as many columns.

    Raises:
        GraphError: a type cannot be cast.
    """
    schema = schema_of(plan)
    columns = tuple(
        (
            field.name,
            Column(name)
            if logical(schema.column_type(name)) == logical(field.type)
            else Cast(Column(name), field.type),
        )
        for name, field in zip(schema.names, target, strict=True)
    )
    if columns == tuple((name, Column(name)) for name in schema.names):
        return plan
    project = p.Project(plan, columns)
    schema_of(project)
    return project


def _plan(text: Text, query: Tree, catalog: Catalog) -> p.Plan:
    if with_ := query.args.get("with_"):
        catalog = ChainMap({}, cast("dict[str, p.Plan]", catalog))
        for cte in with_.expressions:
            catalog[cte.alias] = _renamed(_plan(text, cte.this, catalog), cte.args["alias"])
    match query:
        case exp.Subquery():
            return _plan(text, query.this, catalog)
        case exp.Union():
            return _union(text, query, catalog)
        case exp.Select():
            return _Selecting(text, query, catalog).plan()
    raise TypeError(f"qualifying lets no {query.key} pass")


def _renamed(plan: p.Plan, alias: exp.TableAlias | None) -> p.Plan:
    names = schema_of(plan).names
    given = renamed(names, alias)
    if list(given) == names:
        return plan
    return p.Project(plan, tuple((new, Column(old)) for new, old in zip(given, names, strict=True)))


def _union(text: Text, query: exp.Union, catalog: Catalog) -> p.Plan:
    left, right = _plan(text, query.this, catalog), _plan(text, query.expression, catalog)
    schema = schema_of(left)
    wanted = pa.schema([schema.columns.field(name) for name in schema.names])
    try:
        right = cast_to(right, wanted)
        union = p.Union((*_branches(left), *_branches(right)))
        schema_of(union)
    except GraphError as error:
        raise text.error(f"UNION ALL: {error}", query.expression) from error
    return union


def _branches(plan: p.Plan) -> tuple[p.Plan, ...]:
    return plan.inputs if isinstance(plan, p.Union) else (plan,)


class _Selecting:
    """One SELECT being planned."""

    def __init__(self, text: Text, select: exp.Select, catalog: Catalog) -> None:
        self._text = text
        self._select = select
        self._catalog = catalog

    def plan(self) -> p.Plan:
        select = self._select
        plan, columns = self._relation(select.args["from_"].this)
        labels: dict[str, str] = {}
        if where := select.args.get("where"):
            self._refuse_aggregates(where, "WHERE", "filter groups with HAVING")
            for condition in conjuncts(where.this):
                plan = p.Filter(plan, self._reader(plan, columns).condition(condition, "WHERE"))
        group = select.args.get("group")
        keys = group.expressions if group else []
        for key in keys:
            self._refuse_aggregates(key, "GROUP BY")
        having = select.args.get("having")
        outputs = [*select.expressions, *([having] if having else [])]
        calls = [call for tree in outputs for call in aggregate_calls(tree)]
        if keys or calls or having:
            grouping = Grouping(self._text, plan, columns, keys, calls, [(e.this, e.alias) for e in select.expressions])
            plan = grouping.plan(self._emit())
            columns = {(GROUPED, name): name for name in schema_of(plan).names}
            labels = grouping.labels
            if having:
                for condition in conjuncts(having.this):
                    reader = self._reader(plan, columns, labels)
                    plan = p.Filter(plan, reader.condition(grouping.over_groups(condition), "HAVING"))
            projections = [(each.alias, grouping.over_groups(each.this)) for each in select.expressions]
        else:
            if emit := select.args.get(EMIT):
                raise self._text.error(
                    f"EMIT {emit.name} says when groups are given out, and this query has none", emit, "leave it out"
                )
            projections = [(each.alias, each.this) for each in select.expressions]
        reader = self._reader(plan, columns, labels)
        plan = p.Project(plan, tuple((name, reader.read(tree)) for name, tree in projections))
        if select.args.get("distinct"):
            plan = self._distinct(plan)
        return plan

    def _relation(self, source: Tree) -> tuple[p.Plan, dict[tuple[str, str], str]]:
        alias = source.args["alias"]
        if isinstance(source, exp.Table) and not isinstance(source.this, exp.Identifier):
            plan = self._windows(source.this)
        else:
            plan = self._table(source)
        names = schema_of(plan).names
        return plan, {(alias.name, shown): name for shown, name in zip(renamed(names, alias), names, strict=True)}

    def _table(self, source: Tree) -> p.Plan:
        return (
            _plan(self._text, source.this, self._catalog)
            if isinstance(source, exp.Subquery)
            else self._catalog[source.name]
        )

    def _windows(self, tree: Tree) -> p.Plan:
        call = read_window_call(self._text, tree)
        plan = self._table(call.table)
        schema = schema_of(plan)
        if schema.event_time != call.column.name:
            has = f"that is {schema.event_time!r}" if schema.event_time else "there is none"
            raise self._text.error(
                f"windows follow the event time, and {call.column.name!r} is not it: {has}",
                call.column,
                hint="declare it by WATERMARK FOR in CREATE TABLE, or by event_time= of graph.source",
            )
        windowed = p.AssignWindows(plan, call.column.name, call.size, call.slide)
        try:
            schema_of(windowed)
        except GraphError as error:
            raise self._text.error(str(error), tree) from error
        return windowed

    def _reader(
        self, plan: p.Plan, columns: Mapping[tuple[str, str], str], labels: Mapping[str, str] | None = None
    ) -> ExpressionReader:
        return ExpressionReader(self._text, schema_of(plan).columns, columns, labels)

    def _emit(self) -> p.Emit | None:
        emit = self._select.args.get(EMIT)
        if emit is None:
            return None
        return "final" if emit.name == "FINAL" else "changes"

    def _refuse_aggregates(self, tree: Tree, clause: str, hint: str | None = None) -> None:
        for call in aggregate_calls(tree):
            raise self._text.error(f"aggregates are not allowed in {clause}: {render(bare(call))}", call, hint)

    def _distinct(self, plan: p.Plan) -> p.Plan:
        distinct = p.Distinct(plan)
        try:
            schema_of(distinct)
        except GraphError as error:
            raise self._text.error(f"SELECT DISTINCT: {error}", self._select.args["distinct"]) from error
        return distinct


def conjuncts(condition: Tree) -> list[Tree]:
    """The conditions that must all hold for one that joins them by AND."""
    condition = condition.unnest()
    return list(condition.flatten()) if isinstance(condition, exp.And) else [condition]
