"""From a qualified tree to the logical plan: what each clause of a query means, and what of it makes no sense.

A SELECT becomes, from the bottom up: its table, WHERE, the columns of keys, the aggregate, HAVING, the projection.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Sequence
from typing import cast

from flow.errors import GraphError
from operators.expressions import Column
from operators.expressions.type_names import in_sql
from operators.sql.expressions.constants import ONE_ROW
from operators.sql.expressions.reader import aggregate_calls, bare, conjuncts
from operators.sql.expressions.user_functions import mark_aggregates
from operators.sql.grammar.dialect import EMIT, Text, Tree, exp, render
from operators.sql.grammar.errors import SqlError
from operators.sql.optimising.optimise import optimise
from operators.sql.plan import nodes as p
from operators.sql.plan.operators import schema_of
from operators.sql.planning.finishing import finished, refuse_unbounded
from operators.sql.planning.grouping import GROUPED, Grouping
from operators.sql.planning.joins import plan_from
from operators.sql.planning.rows import Rows, checked
from operators.sql.planning.sets import plan_set_operation, plan_values
from operators.sql.planning.subqueries import Subqueries
from operators.sql.planning.subquery_tables import of_each
from operators.sql.qualifying.array_queries import arrays_aggregated
from operators.sql.qualifying.clauses import ordered_apart
from operators.sql.qualifying.from_clause import read_from
from operators.sql.qualifying.from_forms import spelled_alike
from operators.sql.qualifying.lookups import is_lookup, unasked
from operators.sql.qualifying.qualify import qualify
from operators.sql.qualifying.row_values import rows_compared_apart
from operators.sql.qualifying.scope import renamed
from operators.sql.qualifying.subquery_nodes import WHOLE
from operators.sql.qualifying.tables import Catalog, Columns, Domain, Tables
from operators.sql.qualifying.window_call import read_window_call


def plan_query(text: Text, query: Tree, catalog: Catalog) -> p.Plan:
    """The optimised plan of a query's tree, which is qualified on the way.

    Raises:
        SqlError: the query makes no sense over these tables, or asks for what is not supported.
    """
    try:
        query = ordered_apart(mark_aggregates(text, query))
        spelled_alike(text, query)
        arrays_aggregated(text, query)
        rows_compared_apart(text, query)
        refuse_unbounded(text, query)
        qualify(text, query, Tables(catalog, lambda part, given, domain: _plan(text, part, given, domain)))
        return optimise(_plan(text, query, catalog))
    except SqlError:
        raise
    except GraphError as error:
        raise text.error(in_sql(str(error)), query) from error
    except RecursionError:
        raise text.error("the query is nested too deep", query) from None


def _plan(text: Text, query: Tree, catalog: Catalog, domain: Domain | None = None) -> p.Plan:
    if with_ := query.args.get("with_"):
        catalog = ChainMap({}, cast("dict[str, p.Plan]", catalog))
        for cte in with_.expressions:
            catalog[cte.alias] = _renamed(_plan(text, cte.this, catalog), cte.args["alias"])
    match query:
        case exp.Subquery():
            return _plan(text, query.this, catalog, domain)
        case exp.SetOperation():
            left, right = (_plan(text, side, catalog, domain) for side in (query.this, query.expression))
            return plan_set_operation(text, query, left, right)
        case exp.Values():
            return plan_values(text, query)
        case exp.Select():
            return _Selecting(text, query, catalog, domain).plan()
    raise TypeError(f"qualifying lets no {query.key} pass")


def _renamed(plan: p.Plan, alias: exp.TableAlias | None) -> p.Plan:
    names = schema_of(plan).names
    given = renamed(names, alias)
    if list(given) == names:
        return plan
    return p.Project(plan, tuple((new, Column(old)) for new, old in zip(given, names, strict=True)))


class _Selecting:
    """One SELECT being planned."""

    def __init__(self, text: Text, select: exp.Select, catalog: Catalog, domain: Domain | None) -> None:
        self._text = text
        self._domain = domain
        self._select = select
        self._catalog = catalog

    def plan(self) -> p.Plan:
        select = self._select
        subqueries = Subqueries(self._from(), self._inner)
        if where := select.args.get("where"):
            self._refuse_aggregates(where, "WHERE", "filter groups with HAVING")
            for condition in conjuncts(where.this):
                subqueries.keep(condition, "WHERE")
        group = select.args.get("group")
        for key in group.expressions if group else ():
            self._refuse_aggregates(key, "GROUP BY")
        having = select.args.get("having")
        clauses = [having, *(select.args.get(key) for key in ("qualify", "order", "distinct"))]
        outputs = [*select.expressions, *(clause for clause in clauses if clause)]
        calls = [call for tree in outputs for call in aggregate_calls(tree)]
        if group:
            holder = exp.Tuple(expressions=group.expressions)
            subqueries.unnest_below([holder], outputs)
            group.set("expressions", holder.expressions)
        keys = group.expressions if group else []
        subqueries.replace_below(keys, calls, outputs)
        if keys or calls or having:
            return self._grouped(subqueries.rows, keys, calls)
        if emit := select.args.get(EMIT):
            raise self._text.error(
                f"EMIT {emit.name} says when groups are given out, and this query has none", emit, "leave it out"
            )
        return self._finished(subqueries, lambda tree: tree)

    def _grouped(self, rows: Rows, keys: Sequence[Tree], calls: Sequence[Tree]) -> p.Plan:
        """The result of a SELECT whose rows are groups."""
        select = self._select
        named = [(each.this, each.alias) for each in select.expressions]
        grouping = Grouping(rows, keys, calls, named)
        plan = grouping.plan(self._emit())
        if select.args.get(WHOLE) and self._domain is not None:
            plan = of_each(plan, self._domain)
        columns = {(GROUPED, name): name for name in schema_of(plan).names}
        groups = Subqueries(Rows(self._text, plan, columns, dict(grouping.labels)), self._inner, GROUPED)
        if having := select.args.get("having"):
            for condition in conjuncts(having.this):
                groups.keep(grouping.over_groups(condition), "HAVING")
        return self._finished(groups, grouping.over_groups)

    def _finished(self, subqueries: Subqueries, over: Callable[[Tree], Tree]) -> p.Plan:
        select = self._select
        clauses = (select.args.get(key) for key in ("qualify", "order", "distinct"))
        subqueries.replace([*select.expressions, *(clause for clause in clauses if clause)], over)
        return finished(select, subqueries.rows, over)

    def _inner(self, query: Tree, domain: Domain | None) -> p.Plan:
        return _plan(self._text, query, self._catalog, domain)

    def _from(self) -> Rows:
        columns: Columns
        if self._select.args.get("from_"):
            item = read_from(self._text, self._select)
            plan, columns = plan_from(self._text, item, self._relation, self._inner, self._domain)
        elif self._domain is not None:
            plan, columns = self._domain.plan, self._domain.columns
        else:
            plan, columns = p.Values(ONE_ROW), {}
        return Rows(self._text, plan, dict(columns))

    def _relation(self, source: Tree) -> tuple[p.Plan, dict[tuple[str, str], str]]:
        alias = source.args["alias"]
        if isinstance(source, exp.Table) and not isinstance(source.this, exp.Identifier):
            plan = self._windows(source.this)
        else:
            plan = self._table(source)
        names = schema_of(plan).names
        return plan, {(alias.name, shown): name for shown, name in zip(renamed(names, alias), names, strict=True)}

    def _table(self, source: Tree) -> p.Plan:
        match source:
            case exp.Subquery():
                return _plan(self._text, source.this, self._catalog)
            case exp.Values():
                return plan_values(self._text, source)
        plan = self._catalog[source.name]
        if isinstance(plan, p.LookupTable) and not is_lookup(source):
            raise unasked(self._text, plan.table, plan.keys[0], source)
        return plan

    def _windows(self, tree: Tree) -> p.Plan:
        call = read_window_call(self._text, tree)
        plan = self._table(call.table)
        schema = schema_of(plan)
        if schema.event_time != call.column.name:
            has = f"that is {schema.event_time!r}" if schema.event_time else "there is none"
            hint = "declare it by WATERMARK FOR in CREATE TABLE, or by event_time= of graph.source"
            if schema.event_time is None and any(isinstance(part, p.Join) for part in p.walk(plan)):
                has = "a join has none"
                hint = "put the rows in windows before they are joined: ... FROM TUMBLE(table, ...) JOIN ..."
            raise self._text.error(
                f"windows follow the event time, and {call.column.name!r} is not it: {has}", call.column, hint=hint
            )
        return checked(self._text, p.AssignWindows(plan, call.column.name, call.size, call.slide), tree)

    def _emit(self) -> p.Emit | None:
        emit = self._select.args.get(EMIT)
        if emit is None:
            return None
        return "final" if emit.name == "FINAL" else "changes"

    def _refuse_aggregates(self, tree: Tree, clause: str, hint: str | None = None) -> None:
        for call in aggregate_calls(tree):
            raise self._text.error(f"aggregates are not allowed in {clause}: {render(bare(call))}", call, hint)
