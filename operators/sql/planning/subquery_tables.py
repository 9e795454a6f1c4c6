"""The table of a subquery, joined to the rows of the query around it by keys and a condition.

Its columns have names that those rows' columns have not. Both may be extended by columns on the way, of which nothing
above speaks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import attrs
import pyarrow as pa

from flow.operator import PartitionContext
from operators.aggregate import Aggregate
from operators.aggregates import Aggregation
from operators.expressions import Call, Case, Cast, Column, Expression, Literal
from operators.expressions.type_names import type_text
from operators.expressions.types import Argument, common, logical
from operators.sql.expressions.reader import ExpressionReader
from operators.sql.grammar.dialect import Text, Tree, exp
from operators.sql.plan import nodes as p
from operators.sql.plan.conditions import all_of
from operators.sql.plan.operators import schema_of
from operators.sql.plan.rewriting import substitute
from operators.sql.planning.correlation import Body, aliased, body_of, carry, is_one_row, parameter
from operators.sql.planning.grouping_sets import sets_of
from operators.sql.planning.rows import Rows, extended
from operators.sql.qualifying.subquery_nodes import OUTER, Subquery, own_parts, subquery_of
from operators.sql.qualifying.tables import Domain

PlanInner = Callable[[Tree, Domain | None], p.Plan]
"""Plans a subquery's tree over its domain."""


@attrs.define(eq=False)
class SubqueryTable:
    """The table of a subquery.

    Attributes:
        plan: its rows: its values, and the columns that its keys and its condition speak of.
        values: the columns that the subquery's own become.
        keys: pairs of a column of the rows around it and one of its own.
        null_safe: whether NULL keys meet NULL keys.
        condition: what a pair of rows must satisfy besides.
        select: the tree that it is the table of.
    """

    plan: p.Plan
    values: tuple[str, ...]
    keys: tuple[tuple[str, str], ...]
    null_safe: bool
    condition: Expression | None
    select: Tree

    @property
    def own_keys(self) -> tuple[str, ...]:
        """Its sides of the keys."""
        return tuple(own for _, own in self.keys)

    def joined(self, rows: Rows, table: p.Plan, kind: p.JoinKind, *more: tuple[str, str]) -> p.Plan:
        """The rows joined to a table that has this one's keys, and perhaps others."""
        return p.Join(rows.plan, table, kind, (*self.keys, *more), self.condition, self.null_safe)

    def grouped(self, *aggregations: tuple[str, Aggregation], plan: p.Plan | None = None) -> p.Aggregate:
        """One row a key of the table, or of a plan in its place."""
        return p.Aggregate(plan or self.plan, self.own_keys, aggregations, "changes")

    def without_nulls(self, columns: Sequence[str]) -> p.Plan:
        """Its rows without values that equal nothing, where its join takes NULLs for equal."""
        plan = self.plan
        for name in columns if self.null_safe else ():
            plan = p.Filter(plan, Call("is not null", (Column(name),)))
        return plan

    def aligned(self, rows: Rows, operand: Tree, at: int) -> tuple[Expression, str]:
        """An expression over the rows, and the column of the table that it is compared with, in one type."""
        left = rows.read(operand)
        value = self.values[at]
        schema = schema_of(self.plan).columns
        kind = schema.field(value).type
        bound = left.bind(schema_of(rows.plan).columns).root
        meeting = common([bound.argument, Argument(logical(kind))])
        if meeting is None:
            raise rows.text.error(f"{type_text(bound.type)} and {type_text(kind)} cannot be compared", operand)
        if logical(bound.type) != meeting:
            left = Cast(left, meeting)
        if logical(kind) != meeting:
            own = rows.fresh("value")
            self.plan = extended(self.plan, (own, Cast(Column(value), meeting)))
            value = own
        return left, value


def table_of(rows: Rows, node: exp.Anonymous, inner: PlanInner, *, paired: bool, whole: bool = False) -> SubqueryTable:
    """The table of a subquery.

    Args:
        rows: of the query around it; they grow the columns that its keys need.
        node: the subquery.
        inner: plans a subquery's tree over its domain.
        paired: whether it matters only which pairs of rows meet.
        whole: whether an aggregate without groups must have its row where it finds none, too.

    Raises:
        SqlError: it cannot be joined.
    """
    subquery = subquery_of(node)
    assert subquery is not None
    parameters = node.expressions[subquery.operands :]
    query = subquery.query.copy()
    while isinstance(query, exp.Subquery) and not query.args.get("with_"):
        query = query.this
    # A root, so that any part can be replaced by another.
    holder = exp.Subquery(this=query)
    wanted = {"exists": 0, "table": subquery.width}.get(subquery.kind, max(subquery.operands, 1))
    _simplify(query, subquery)
    body = body_of(query, bool(parameters), paired)
    if body.way == "apart":
        return _apart(rows, query, inner(query, None), wanted)
    if body.way == "keyed" and whole and is_one_row(query):
        body = Body(query, "domain")
        _restore(query, subquery.query)
    return _correlated(rows, holder, subquery, body, parameters, inner, wanted)


def _restore(query: Tree, original: Tree) -> None:
    """Put back the conditions that were taken out of a SELECT."""
    while not isinstance(original, exp.Select):
        original = original.this
    where = original.args.get("where")
    query.set("where", where.copy() if where is not None else None)


def _correlated(
    rows: Rows,
    holder: Tree,
    subquery: Subquery,
    body: Body,
    parameters: Sequence[Tree],
    inner: PlanInner,
    wanted: int,
) -> SubqueryTable:
    query = body.query
    _refuse_totals(rows.text, query)
    domain, names, inside = _keys_of(rows, body, parameters)
    values = tuple(rows.fresh("value") for _ in range(wanted))
    if isinstance(query, exp.Select):
        _give_out(rows, query, values)
    own = [rows.fresh("key") for _ in inside]
    carry(query, list(zip(inside, own, strict=True)), domain=domain is not None)
    used = {(c.table, c.name): c for each in body.conditions for c in each.find_all(exp.Column) if c.table != OUTER}
    seen = {key: rows.fresh("column") for key in used}
    if isinstance(query, exp.Select):
        more = [aliased(used[key], name) for key, name in seen.items()]
        query.set("expressions", [*query.expressions, *more] or [aliased(exp.true(), rows.fresh("found"))])
    query = holder.this
    plan = inner(query, domain)
    result = schema_of(plan).names
    last = len(result) - len(own)
    if result[:wanted] != list(values) or not set(own) <= set(result):
        given = [*zip(values, result[:wanted], strict=True), *zip(own, result[last:], strict=True)]
        plan = p.Project(plan, tuple((name, Column(old)) for name, old in given))
    table = SubqueryTable(plan, values, (), domain is not None, None, query)
    table.keys = tuple(_key(rows, table, name, mine) for name, mine in zip(names, own, strict=True))
    if body.conditions:
        table.condition = _condition(rows, table, body, parameters, seen)
    return table


def _keys_of(rows: Rows, body: Body, parameters: Sequence[Tree]) -> tuple[Domain | None, list[str], list[Tree]]:
    """What a subquery is computed for, if for a domain; the rows' columns that are its keys, and its sides of these."""
    if body.way == "domain":
        names = [rows.named(rows.read(each), "outer") for each in parameters]
        return _domain(rows, names), names, [parameter(number) for number in range(len(parameters))]
    outside = [_outside(tree, parameters) for tree, _ in body.equations]
    return None, [rows.named(rows.read(each), "outer") for each in outside], [tree for _, tree in body.equations]


def _give_out(rows: Rows, query: exp.Select, values: Sequence[str]) -> None:
    """Have a SELECT give out its first columns under these names, and of the others what decides which rows it has."""
    # Of EXISTS only what makes rows matters.
    plain = not (query.args.get("distinct") or is_one_row(query) or _multiplies(query))
    kept = query.expressions[: len(values)] if values or plain else query.expressions
    named = [*values, *(rows.fresh("found") for _ in kept[len(values) :])]
    query.set("expressions", [aliased(each.this, name) for each, name in zip(kept, named, strict=True)])


def _simplify(query: Tree, subquery: Subquery) -> None:
    """Take out of a subquery's tree what changes nothing here."""
    if not isinstance(query, exp.Select):
        return
    limit, offset = query.args.get("limit"), query.args.get("offset")
    count = limit.expression if isinstance(limit, exp.Limit) else None
    some = isinstance(count, exp.Literal) and count.is_int and int(count.this) > 0
    if some and offset is None and (subquery.kind == "exists" or is_one_row(query)):
        query.set("limit", None)
        limit = None
    distinct = query.args.get("distinct")
    if limit is None and offset is None and not (distinct and distinct.args.get("on")):
        query.set("order", None)
        if subquery.kind in ("exists", "any", "all"):
            query.set("distinct", None)
            distinct = None
    if subquery.kind == "exists" and not (distinct or is_one_row(query) or _multiplies(query)):
        query.set("expressions", [aliased(exp.true(), "found")])


def _refuse_totals(text: Text, query: Tree) -> None:
    """Raise SqlError where a GROUP BY has an empty set beside others: its row is there where nothing is found, too."""
    match query:
        case exp.SetOperation():
            _refuse_totals(text, query.this)
            _refuse_totals(text, query.expression)
        case exp.Subquery():
            _refuse_totals(text, query.this)
        case exp.Select() if (group := query.args.get("group")) and () in sets_of(text, group.expressions):
            raise text.error(
                "ROLLUP, CUBE and empty grouping sets are not supported yet in a subquery that names outer columns",
                query.expressions[0],
                "write a UNION ALL of one SELECT for each set",
            )


def _multiplies(query: exp.Select) -> bool:
    """Whether a SELECT makes several rows of one."""
    return any(isinstance(part, exp.UDTF | exp.Explode) for each in query.expressions for part in own_parts(each))


def _outside(tree: Tree, parameters: Sequence[Tree]) -> Tree:
    """A tree in terms of parameters, in terms of the query around."""

    def replaced(node: Tree) -> Tree:
        if isinstance(node, exp.Column) and node.table == OUTER:
            return parameters[int(node.name)].copy()
        return node

    return tree.transform(replaced)


def _domain(rows: Rows, names: Sequence[str]) -> Domain:
    own = [f"__outer{number}" for number in range(len(names))]
    plan = p.Distinct(p.Project(rows.plan, tuple((mine, Column(name)) for mine, name in zip(own, names, strict=True))))
    return Domain(plan, {(OUTER, str(number)): name for number, name in enumerate(own)})


def _apart(rows: Rows, query: Tree, plan: p.Plan, wanted: int) -> SubqueryTable:
    names = schema_of(plan).names[:wanted]
    values = tuple(rows.fresh("value") for _ in names)
    columns = tuple((value, Column(name)) for value, name in zip(values, names, strict=True))
    return SubqueryTable(
        p.Project(plan, columns or ((rows.fresh("found"), Literal(True)),)), values, (), False, None, query
    )


def _key(rows: Rows, table: SubqueryTable, outer: str, own: str) -> tuple[str, str]:
    """A pair of columns of one type."""
    left, right = rows.type_of(Column(outer)), schema_of(table.plan).column_type(own)
    if logical(left) == logical(right):
        return outer, own
    meeting = common([Argument(logical(left)), Argument(logical(right))])
    if meeting is None:
        raise rows.text.error(
            f"{type_text(left)} and {type_text(right)} cannot be compared", _tree_of(table.select, own)
        )
    if logical(left) != meeting:
        outer = rows.named(Cast(Column(outer), meeting), "outer")
    if logical(right) != meeting:
        name = rows.fresh("key")
        table.plan = extended(table.plan, (name, Cast(Column(own), meeting)))
        own = name
    return outer, own


def _tree_of(select: Tree, name: str) -> Tree:
    return next((each for each in select.expressions if each.alias == name), select)


def _condition(
    rows: Rows, table: SubqueryTable, body: Body, parameters: Sequence[Tree], seen: Mapping[tuple[str, str], str]
) -> Expression | None:
    """What is left to be true of pairs."""
    columns = dict(seen)
    for number, tree in enumerate(parameters):
        columns[OUTER, str(number)] = rows.named(rows.read(tree), "outer")
    schemas = (schema_of(rows.plan), schema_of(table.plan))
    both = pa.schema([schema.columns.field(name) for schema in schemas for name in schema.names])
    reader = ExpressionReader(rows.text, both, columns)
    return all_of([reader.condition(each, "WHERE") for each in body.conditions], both)


def of_each(plan: p.Plan, domain: Domain) -> p.Plan:
    """An aggregate by the columns of a domain, with a row for each of the domain's, also where it found none.

    Args:
        plan: an aggregate, whose keys are columns of the domain.
        domain: for which it is computed.
    """
    assert isinstance(plan, p.Aggregate)
    taken = set(schema_of(plan).names)
    outer = {name: f"__each{number}" for number, name in enumerate(plan.keys)}
    marker = next(name for name in (f"__found{n}" for n in range(len(taken) + 1)) if name not in taken)
    left = p.Project(domain.plan, tuple((new, Column(old)) for old, new in outer.items()))
    right = extended(plan, (marker, Literal(True)))
    joined = p.Join(left, right, "left", tuple((new, old) for old, new in outer.items()), None, True)
    nothing = Call("is null", (Column(marker),))
    results = (
        (name, Case(((nothing, on_nothing(plan, Column(name))),), Column(name))) for name, _ in plan.aggregations
    )
    return p.Project(joined, (*((old, Column(new)) for old, new in outer.items()), *results))


def on_nothing(aggregate: p.Aggregate, value: Expression) -> Expression:
    """An expression over an aggregate that found no rows."""
    whole = attrs.evolve(aggregate, keys=())
    operator = Aggregate((), whole.aggregations, "final")
    partition = operator.open(PartitionContext("nothing", {"in": schema_of(aggregate.input)}))
    (batch,) = partition.on_end()
    columns: dict[str, Expression] = {
        field.name: Literal(batch.column(field.name)[0].as_py(), field.type) for field in batch.schema
    }
    for key in aggregate.keys:
        columns[key] = Literal(None, schema_of(aggregate).column_type(key))
    return substitute(value, columns)
