"""Planning FROM: its joins as joins of the plan, with every column under a name of its own.

A column whose name a table to its left has already is called ``alias.column``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs
import pyarrow as pa

from operators.expressions import Call, Column, Expression
from operators.sql.expressions.reader import ExpressionReader, aggregate_calls, bare, conjuncts
from operators.sql.grammar.dialect import Text, Tree, exp, render
from operators.sql.optimising.join_rules import join
from operators.sql.plan import nodes as p
from operators.sql.plan.conditions import all_of
from operators.sql.plan.operators import schema_of
from operators.sql.planning.correlation import mentions_outside
from operators.sql.planning.lateral import is_lateral, names_left, names_outside, plan_table_function, table_of_lateral
from operators.sql.planning.lookups import plan_lookup
from operators.sql.planning.rows import Rows
from operators.sql.planning.subqueries import Subqueries
from operators.sql.planning.subquery_tables import PlanInner
from operators.sql.qualifying.from_clause import FromItem, Joined
from operators.sql.qualifying.lookups import is_lookup
from operators.sql.qualifying.subquery_nodes import OUTER, own_columns, subqueries_in
from operators.sql.qualifying.tables import Columns, Domain

Planned = tuple[p.Plan, Columns]


def plan_from(
    text: Text,
    item: FromItem,
    relation: Callable[[Tree], Planned],
    inner: PlanInner,
    domain: Domain | None = None,
) -> Planned:
    """The plan of a FROM clause.

    Args:
        text: where the clause stands.
        item: of `read_from`, qualified.
        relation: plans a relation.
        inner: plans a subquery's tree over its domain.
        domain: a table to which each row of the result is joined, and whose columns may be named in it.

    Raises:
        SqlError: a condition does not fit the tables.
    """
    return _From(text, relation, inner).plan(item, domain)


class _From:
    def __init__(self, text: Text, relation: Callable[[Tree], Planned], inner: PlanInner) -> None:
        self._text = text
        self._relation = relation
        self._inner = inner
        self._conditions = 0

    def plan(self, item: FromItem, domain: Domain | None) -> Planned:
        """The plan of an item, joined to the domain if there is one."""
        if domain is not None and not _needs_domain(item):
            plan, columns = self.plan(item, None)
            return p.Join(plan, domain.plan), {**columns, **domain.columns}
        if not isinstance(item, Joined):
            return self._leaf(item, domain)
        if not isinstance(item.right, Joined) and is_lookup(item.right):
            return self._looked_up(item, item.right, *self.plan(item.left, domain))
        stands_alone = item.kind in ("right", "full")
        if not isinstance(item.right, Joined) and (names_left if stands_alone else is_lateral)(item.right):
            return self._lateral(item, *self.plan(item.left, domain))
        return self._joined(item, domain)

    def _leaf(self, leaf: Tree, domain: Domain | None) -> Planned:
        if domain is not None:
            # What it names outside are columns of the domain.
            return self._beside(domain.plan, domain.columns, leaf, "inner", [])
        if isinstance(leaf, exp.Unnest):
            return plan_table_function(self._text, leaf, None, outer=False)
        if is_lookup(leaf):
            raise self._text.error(
                f"{leaf.name!r} is looked up for each row to its left, and there is none in these parentheses",
                leaf,
                "write the JOIN to it without parentheses",
            )
        return self._relation(leaf)

    def _joined(self, item: Joined, domain: Domain | None) -> Planned:
        given = self._given(item, domain)
        left, left_columns = self.plan(item.left, given[0])
        right, right_columns = self.plan(item.right, given[1])
        on = self._on(item)
        later = [part for part in on if subqueries_in(part)] if item.kind == "inner" else []
        if not later:
            sides = [(left, left_columns), (right, right_columns)]
            on = [self._apart(part, sides) for part in on]
            (left, left_columns), (right, right_columns) = sides
        right, right_columns = _renamed(right, right_columns, set(schema_of(left).names))
        columns = {**left_columns, **right_columns}
        equal: list[Expression] = []
        if given[0] is not None and given[1] is not None:
            outer = [key for key in left_columns if key[0] == OUTER]
            equal = [
                Call("is not distinct from", (Column(left_columns[key]), Column(right_columns[key]))) for key in outer
            ]
            columns.update((key, (right_columns if item.kind == "right" else left_columns)[key]) for key in outer)
        reader = self._reader([left, right], {**left_columns, **right_columns, **columns})
        conditions = [reader.condition(part, "ON") for part in on if part not in later]
        plan = join(left, right, item.kind, [*equal, *conditions])
        plan = self._keeping(plan, columns, later)
        return plan, left_columns if item.kind in ("semi", "anti") else columns

    def _given(self, item: Joined, domain: Domain | None) -> tuple[Domain | None, Domain | None]:
        """The domain for each side: for the one whose rows stay, and for the other one, if it needs it."""
        if domain is None:
            return None, None
        needs = _needs_domain(item.left), _needs_domain(item.right)
        again = Domain(
            p.Project(domain.plan, tuple((f"{name}'", Column(name)) for name in schema_of(domain.plan).names)),
            {key: f"{name}'" for key, name in domain.columns.items()},
        )
        match item.kind:
            case "full":
                raise self._text.error(
                    "a FULL JOIN in a subquery that names columns of the query around it in FROM or ON is not "
                    "supported yet",
                    item.join,
                    hint="put the condition into the subquery's WHERE",
                )
            case "right":
                return (again if needs[0] else None), domain
            case "inner" if needs == (False, True):
                return None, domain
        return domain, (again if needs[1] else None)

    def _on(self, item: Joined) -> list[Tree]:
        on = item.join.args.get("on") if item.join is not None else None
        if on is None:
            return []
        for call in aggregate_calls(on):
            raise self._text.error(
                f"aggregates are not allowed in ON: {render(bare(call))}",
                call,
                hint="aggregate in a subquery, and join that",
            )
        return conjuncts(on)

    def _apart(self, condition: Tree, sides: list[Planned]) -> Tree:
        """A condition of ON with columns in place of its subqueries, which the side that they name is given."""
        holder = exp.Tuple(expressions=[condition])
        for node in subqueries_in(holder):
            used = {(column.table, column.name) for column in own_columns(node)}
            at = next((number for number, (_, columns) in enumerate(sides) if used <= set(columns)), None)
            if at is None:
                raise self._text.error(
                    "a subquery in ON of an outer join that names columns of both sides is not supported yet",
                    node,
                    hint="join to a subquery that has done it: LEFT JOIN LATERAL (SELECT ... WHERE ...) ON TRUE",
                )
            self._conditions += 1
            plan, columns = sides[at]
            rows = Rows(self._text, plan, dict(columns))
            node.replace(Subqueries(rows, self._inner, f"condition {self._conditions}").column(node))
            sides[at] = rows.plan, rows.columns
        (result,) = holder.expressions
        assert isinstance(result, exp.Expr)
        return result

    def _lateral(self, item: Joined, left: p.Plan, columns: Columns) -> Planned:
        leaf = item.right
        assert not isinstance(leaf, Joined)
        if item.kind in ("right", "full"):
            raise self._text.error(
                f"a {item.kind.upper()} JOIN has rows of its right side that stand alone, and this one names columns "
                "of its left",
                leaf,
                hint="use CROSS JOIN or LEFT JOIN",
            )
        return self._beside(left, columns, leaf, item.kind, self._on(item))

    def _looked_up(self, item: Joined, leaf: Tree, left: p.Plan, columns: Columns) -> Planned:
        """Rows joined to the rows of a table that they ask for by its key."""
        table, own = self._relation(leaf)
        assert isinstance(table, p.LookupTable)
        rows = Rows(self._text, left, dict(columns))
        shown = {column: name for (_, column), name in own.items()}
        rest = plan_lookup(rows, leaf, table, shown, item.kind, self._on(item))
        return self._keeping(rows.plan, rows.columns, rest), rows.columns

    def _beside(self, left: p.Plan, columns: Columns, leaf: Tree, kind: p.JoinKind, on: Sequence[Tree]) -> Planned:
        """Rows joined to what is computed of each of them."""
        rows = Rows(self._text, left, dict(columns))
        if isinstance(leaf, exp.Unnest):
            wanted = [part for part in on if not isinstance(part, exp.Boolean) or not part.this]
            if kind != "inner" and (wanted or kind != "left"):
                raise self._text.error(
                    "an outer, semi or anti join to UNNEST takes no condition but TRUE",
                    wanted[0] if wanted else leaf,
                    hint="write LEFT JOIN LATERAL (SELECT ... FROM UNNEST(...) WHERE ...) ON TRUE",
                )
            plan, columns = plan_table_function(self._text, leaf, rows, outer=kind == "left")
            on = wanted
        else:
            table, own = table_of_lateral(rows, leaf, self._inner)
            both = {**rows.columns, **own}
            if kind != "inner":
                if any(map(subqueries_in, on)):
                    raise self._text.error(
                        "a subquery in ON of an outer join to a LATERAL subquery is not supported yet",
                        next(node for part in on for node in subqueries_in(part)),
                        hint="put the condition into the LATERAL subquery",
                    )
                reader = self._reader([rows.plan, table.plan], both)
                conditions = [reader.condition(part, "ON") for part in on if part != exp.true()]
                schema = _schema_of([rows.plan, table.plan])
                condition = all_of([*([table.condition] if table.condition else []), *conditions], schema)
                joined = attrs.evolve(table, condition=condition).joined(rows, table.plan, kind)
                return joined, rows.columns if kind in ("semi", "anti") else both
            plan, columns = table.joined(rows, table.plan, "inner"), both
        return self._keeping(plan, columns, on), columns

    def _keeping(self, plan: p.Plan, columns: Columns, conditions: Sequence[Tree]) -> p.Plan:
        """The rows for which conditions are true, which may have subqueries."""
        subqueries = Subqueries(Rows(self._text, plan, dict(columns)), self._inner)
        for condition in conditions:
            subqueries.keep(condition, "ON")
        return subqueries.rows.plan

    def _reader(self, plans: Sequence[p.Plan], columns: Columns) -> ExpressionReader:
        return ExpressionReader(self._text, _schema_of(plans), columns)


def _schema_of(plans: Sequence[p.Plan]) -> pa.Schema:
    schemas = [schema_of(plan) for plan in plans]
    return pa.schema([schema.columns.field(name) for schema in schemas for name in schema.names])


def _needs_domain(item: FromItem) -> bool:
    """Whether something in an item names columns of the query around."""
    if not isinstance(item, Joined):
        return names_outside(item)
    on = item.join.args.get("on") if item.join is not None else None
    return _needs_domain(item.left) or _needs_domain(item.right) or (on is not None and mentions_outside(on))


def _renamed(plan: p.Plan, columns: Columns, taken: set[str]) -> Planned:
    """The plan, with other names for those of its columns whose names are taken."""
    names = schema_of(plan).names
    if not taken.intersection(names):
        return plan, columns
    aliases = {name: alias for (alias, _), name in columns.items()}
    renamed = {name: name for name in names}
    for name in taken.intersection(names):
        new, number = f"{aliases.get(name, 'join')}.{name}", 2
        while new in taken or new in names or new in renamed.values():
            new, number = f"{aliases.get(name, 'join')}.{name} {number}", number + 1
        renamed[name] = new
    project = p.Project(plan, tuple((new, Column(old)) for old, new in renamed.items()))
    return project, {key: renamed[name] for key, name in columns.items()}
