"""Subqueries in expressions as joins, with PostgreSQL's rules for NULL.

A subquery that is a condition of its own keeps or drops rows (semi and anti joins); any other becomes a column of the
rows around it, joined to them by a left join with at most one row for each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Final

import pyarrow as pa

from operators.aggregates import Aggregation
from operators.aggregates.columns import plain_type
from operators.expressions import Call, Case, Column, Expression, Literal
from operators.sql.expressions.reader import OPERATORS
from operators.sql.grammar.dialect import Tree, exp
from operators.sql.plan import nodes as p
from operators.sql.plan.operators import schema_of
from operators.sql.plan.rewriting import substitute
from operators.sql.planning.correlation import has_one_row_at_most, is_one_row
from operators.sql.planning.lateral import unnested
from operators.sql.planning.rows import Rows, checked, column_in_place
from operators.sql.planning.subquery_tables import PlanInner, SubqueryTable, on_nothing, table_of
from operators.sql.qualifying.row_values import compared
from operators.sql.qualifying.subquery_nodes import Subquery, subqueries_in, subquery_of
from operators.values.order_words import has_order

SUBQUERY: Final = "subquery"
"""The relation of the columns that subqueries become."""

_TRUE, _FALSE, _NULL, _ZERO = Literal(True), Literal(False), Literal(None), Literal(0)


class Subqueries:
    """The subqueries of a SELECT's expressions over its rows.

    Args:
        rows: of the SELECT; they change.
        inner: plans a subquery's tree.
        relation: what the columns belong to that subqueries become.

    Attributes:
        rows: those that are left, with the columns that subqueries have become.
    """

    def __init__(self, rows: Rows, inner: PlanInner, relation: str = SUBQUERY) -> None:
        self.rows = rows
        self._text = rows.text
        self._inner = inner
        self._relation = relation
        self._known: dict[Tree, str] = {}

    def keep(self, condition: Tree, clause: str) -> None:
        """Keep the rows for which a condition of its own is true.

        Raises:
            SqlError: it is none, or has a subquery that is not supported.
        """
        tree, negated = condition.unnest(), False
        while isinstance(tree, exp.Not):
            tree, negated = tree.this.unnest(), not negated
        if not (isinstance(tree, exp.Anonymous) and self._kept(tree, negated)):
            tree = self.replaced(condition)
            predicate = self.rows.reader.condition(tree, clause)
            self.rows.plan = p.Filter(self.rows.plan, predicate)

    def replaced(self, tree: Tree) -> Tree:
        """The expression with columns of the rows in place of its subqueries.

        Raises:
            SqlError: a subquery is not supported.
        """
        holder = exp.Tuple(expressions=[tree.copy()])
        for node in subqueries_in(holder):
            node.replace(self.column(node))
        (result,) = holder.expressions
        assert isinstance(result, exp.Expr)
        return result

    def replace(self, trees: Sequence[Tree], over: Callable[[Tree], Tree]) -> None:
        """Put columns in place of the subqueries of clauses, whose arguments `over` makes expressions over the rows."""
        for node in [node for tree in trees for node in subqueries_in(tree)]:
            moved = over(node)
            assert isinstance(moved, exp.Anonymous)
            node.replace(self.column(moved))

    def replace_below(self, keys: Sequence[Tree], calls: Sequence[Tree], outputs: Sequence[Tree]) -> None:
        """Put columns in place of the subqueries that rows are grouped by or that are aggregated.

        Args:
            keys: what follows GROUP BY.
            calls: the aggregates.
            outputs: expressions over groups, in which keys are mentioned, and of which the aggregates are parts.
        """
        below = {node for key in keys for node in subqueries_in(key)}
        for node in [node for tree in (*keys, *calls) for node in subqueries_in(tree)]:
            node.replace(self.column(node))
        for node in [node for tree in outputs for node in subqueries_in(tree)]:
            if node in below:
                node.replace(self.column(node))

    def unnest_below(self, keys: Sequence[Tree], outputs: Sequence[Tree]) -> None:
        """Unnest the arrays that rows are grouped by, and put columns in place of that.

        Args:
            keys: what follows GROUP BY.
            outputs: expressions over groups, in which keys are mentioned.
        """
        calls: list[exp.Explode] = []
        for key in keys:
            calls += [node for node in key.find_all(exp.Explode) if node not in calls]
        if not calls:
            return
        self.replace(keys, lambda tree: tree)
        plan, names = unnested(self._text, self.rows.plan, calls, self.rows.reader)
        self.rows.plan = plan
        made = dict(zip(calls, names, strict=True))
        for name in names:
            self.rows.columns[self._relation, name] = name
        for node in [node for tree in (*keys, *outputs) for node in tree.find_all(exp.Explode)]:
            if node in made:
                node.replace(exp.column(exp.to_identifier(made[node], quoted=True), table=self._relation))

    def column(self, node: exp.Anonymous) -> exp.Column:
        """The column that a subquery becomes."""
        subquery = subquery_of(node)
        assert subquery is not None
        if node not in self._known:
            before = schema_of(self.rows.plan).names
            value = self._value(node, subquery)
            name = self.rows.fresh(SUBQUERY)
            self.rows.plan = p.Project(self.rows.plan, (*((each, Column(each)) for each in before), (name, value)))
            self._known[node.copy()] = name
            self.rows.columns[self._relation, name] = name
            self.rows.labels[name] = f"({subquery.shown})"
        return column_in_place(node, self._known[node], self._relation)

    def _kept(self, node: exp.Anonymous, negated: bool) -> bool:
        """Whether the condition that is this subquery, or its negation, has become a semi or an anti join."""
        subquery = subquery_of(node)
        if subquery is None or is_one_row(subquery.query):
            return False
        node = self._with_plain_operands(node, subquery)
        if subquery.kind == "exists":
            table = table_of(self.rows, node, self._inner, paired=True)
            self.rows.plan = table.joined(self.rows, table.plan, "anti" if negated else "semi")
            return True
        if (subquery.kind, subquery.operator) == ("all", exp.NEQ):
            negated = not negated
        elif (subquery.kind, subquery.operator) != ("any", exp.EQ):
            return False
        if negated:
            self._exclude(node, subquery)
        else:
            table = table_of(self.rows, node, self._inner, paired=True)
            pairs = [self._pair(table, operand, at) for at, operand in enumerate(_operands(node, subquery))]
            self.rows.plan = table.joined(self.rows, table.without_nulls([own for _, own in pairs]), "semi", *pairs)
        return True

    def _exclude(self, node: exp.Anonymous, subquery: Subquery) -> None:
        """Keep the rows for which `NOT IN` is true.

        None of the subquery's rows may be equal or unknown to be, so that a NULL on either side matters, unless the
        subquery has no rows at all.
        """
        table = table_of(self.rows, node, self._inner, paired=False)
        pair, *others = (self._pair(table, operand, at) for at, operand in enumerate(_operands(node, subquery)))
        if others:
            condition = _perhaps_equal_pairs([pair, *others])
            self.rows.plan = p.Join(self.rows.plan, table.plan, "anti", table.keys, condition, table.null_safe)
            return
        rows = self.rows
        nullable = [schema_of(rows.plan).columns.field(pair[0]), schema_of(table.plan).columns.field(pair[1])]
        rows.plan = table.joined(rows, table.without_nulls([pair[1]]), "anti", pair)
        if any(field.nullable for field in nullable):
            total, present = rows.fresh("rows"), rows.fresh("values")
            counts = table.grouped((total, Aggregation("count")), (present, Aggregation("count", Column(pair[1]))))
            rows.plan = table.joined(rows, counts, "left")
            empty = Call("=", (Call("coalesce", (Column(total), _ZERO)), _ZERO))
            clear = Call("and", (Call("is not null", (Column(pair[0]),)), _equal(total, present)))
            rows.plan = p.Filter(rows.plan, Call("or", (empty, clear)))

    def _value(self, node: exp.Anonymous, subquery: Subquery) -> Expression:
        """What a subquery is in an expression, over rows joined to it."""
        node = self._with_plain_operands(node, subquery)
        one_row = is_one_row(subquery.query)
        match subquery.kind:
            case "scalar" if subquery.operator is None:
                (value,) = self._scalars(node, one_row)
                return value
            case "scalar":
                assert subquery.operator is not None
                values = self._scalars(node, one_row)
                left = [self.rows.read(each) for each in _operands(node, subquery)]
                return compared(OPERATORS[subquery.operator], left, values)
            case "array":
                (value,) = self._scalars(node, one_row)
                kind = self.rows.type_of(value)
                return Call("coalesce", (value, Literal([], kind)))
            case "exists" if one_row:
                aggregate = self._of_one_row(node, _TRUE)
                if aggregate is not None:
                    return Call("coalesce", (aggregate, _FALSE))
            case _:
                pass
        if subquery.kind == "exists":
            table = table_of(self.rows, node, self._inner, paired=False, whole=True)
            total = self.rows.fresh("rows")
            self.rows.plan = table.joined(self.rows, table.grouped((total, Aggregation("count"))), "left")
            return Call(">", (Call("coalesce", (Column(total), _ZERO)), _ZERO))
        operands = _operands(node, subquery)
        if len(operands) > 1:
            return self._found_row(node, subquery, operands)
        if one_row and not subquery.query.args.get("having"):
            assert subquery.operator is not None
            (value,) = self._scalars(node, one_row)
            return Call(OPERATORS[subquery.operator], (self.rows.read(operands[0]), value))
        return self._compared(node, subquery, operands[0])

    def _scalars(self, node: exp.Anonymous, one_row: bool) -> list[Expression]:
        """The columns of a subquery's only row."""
        subquery = subquery_of(node)
        assert subquery is not None
        if one_row and subquery.operands <= 1 and (value := self._of_one_row(node, None)) is not None:
            return [value]
        table = table_of(self.rows, node, self._inner, paired=False, whole=True)
        if one_row or has_one_row_at_most(subquery.query):
            self.rows.plan = table.joined(self.rows, table.plan, "left")
            return [Column(each) for each in table.values]
        total = self.rows.fresh("rows")
        names = [self.rows.fresh("only") for _ in table.values]
        kinds = [schema_of(table.plan).column_type(each) for each in table.values]
        picked = ["min" if has_order(plain_type(kind)) else "any_value" for kind in kinds]
        wanted = [
            (name, Aggregation(function, Column(each)))
            for name, function, each in zip(names, picked, table.values, strict=True)
        ]
        grouped = self._checked(table.grouped((total, Aggregation("count")), *wanted), node)
        self.rows.plan = p.OnlyRow(table.joined(self.rows, grouped, "left"), total, names[0])
        return [Column(name) for name in names]

    def _found_row(self, node: exp.Anonymous, subquery: Subquery, operands: list[Tree]) -> Expression:
        """`(a, b) IN (subquery)`: whether it has this row, or NULL where it may have, for all that NULLs tell."""
        all_differ = (subquery.kind, subquery.operator) == ("all", exp.NEQ)
        if not all_differ and (subquery.kind, subquery.operator) != ("any", exp.EQ):
            raise self._text.error(
                "a row is compared with the rows of a subquery by IN, = ANY and <> ALL only",
                operands[0],
                hint="write [NOT] EXISTS (SELECT ... WHERE ...)",
            )
        table = table_of(self.rows, node, self._inner, paired=False, whole=True)
        rows = self.rows
        pairs = [self._pair(table, operand, at) for at, operand in enumerate(operands)]
        outer = list(dict.fromkeys([*(name for name, _ in table.keys), *(name for name, _ in pairs)]))
        verdicts: list[str] = []
        for meet in (_equal_pairs(pairs), _perhaps_equal_pairs(pairs)):
            own = {name: rows.fresh("asked") for name in outer}
            asked = p.Distinct(p.Project(rows.plan, tuple((own[name], Column(name)) for name in outer)))
            keys = tuple((own[name], mine) for name, mine in table.keys)
            condition = substitute(meet, {**{n: Column(own[n]) for n in outer}, **{m: Column(m) for _, m in pairs}})
            semi = p.Join(asked, table.plan, "semi", keys, condition, table.null_safe)
            verdict = rows.fresh("found")
            marked = p.Project(semi, (*((name, Column(name)) for name in own.values()), (verdict, _TRUE)))
            rows.plan = p.Join(rows.plan, marked, "left", tuple(own.items()), None, True)
            verdicts.append(verdict)
        found, perhaps = (Call("is not null", (Column(verdict),)) for verdict in verdicts)
        return Case(((found, Literal(not all_differ)), (perhaps, Literal(None, pa.bool_()))), Literal(all_differ))

    def _compared(self, node: exp.Anonymous, subquery: Subquery, operand: Tree) -> Expression:
        """`operand comparison ANY | ALL (subquery)`, from what can be counted and from the extremes of its values."""
        table = table_of(self.rows, node, self._inner, paired=False)
        rows, operator, some = self.rows, subquery.operator, subquery.kind == "any"
        assert operator is not None
        value, own = table.aligned(rows, operand, 0)
        left = Column(rows.named(value, "operand"))
        total, present = rows.fresh("rows"), rows.fresh("values")
        wanted = [(total, Aggregation("count")), (present, Aggregation("count", Column(own)))]
        decided: Expression
        if (some, operator) in ((True, exp.EQ), (False, exp.NEQ)):
            found = rows.fresh("found")
            matched = SubqueryTable(table.plan, (), (*table.keys, (left.name, own)), False, None, table.select)
            equal = matched.grouped((found, Aggregation("count")), plan=table.without_nulls([own]))
            before = schema_of(rows.plan).names
            joined = table.joined(rows, equal, "left", (left.name, own))
            rows.plan = p.Project(joined, tuple((name, Column(name)) for name in (*before, found)))
            decided = Call("is not null", (Column(found),))
        else:
            low, high = rows.fresh("least"), rows.fresh("greatest")
            wanted += [(low, Aggregation("min", Column(own))), (high, Aggregation("max", Column(own)))]
            least, greatest = Column(low), Column(high)
            if operator in (exp.EQ, exp.NEQ):
                decided = Call("or", (Call("<>", (left, least)), Call("<>", (left, greatest))))
            elif some:
                decided = Call(OPERATORS[operator], (left, least if operator in (exp.GT, exp.GTE) else greatest))
            else:
                bound = greatest if operator in (exp.GT, exp.GTE) else least
                decided = Call("not", (Call(OPERATORS[operator], (left, bound)),))
        rows.plan = table.joined(rows, self._checked(table.grouped(*wanted), node), "left")
        unknown = Call("or", (Call("is null", (left,)), Call("<", (Column(present), Column(total)))))
        return Case(
            (
                (Call("=", (Call("coalesce", (Column(total), _ZERO)), _ZERO)), Literal(not some)),
                (decided, Literal(some)),
                (unknown, Literal(None, pa.bool_())),
            ),
            Literal(not some),
        )

    def _of_one_row(self, node: exp.Anonymous, instead: Expression | None) -> Expression | None:
        """The value (or what stands `instead` of it) of an aggregate of all rows, also where there are none.

        None where more has happened to the aggregate than can be said of no rows.
        """
        table = table_of(self.rows, node, self._inner, paired=False)
        over = _over_aggregate(table.plan)
        if over is None:
            return None
        aggregate, columns, conditions = over
        value = columns[table.values[0]] if table.values and instead is None else instead
        assert value is not None
        if conditions:
            value = Case(tuple((Call("is not true", (each,)), _NULL) for each in conditions), value)
        rows = self.rows
        result, marker = rows.fresh("value"), rows.fresh("found")
        keys = tuple((name, columns[name]) for name in table.own_keys)
        joined = p.Project(aggregate, (*keys, (result, value), (marker, _TRUE)))
        rows.plan = table.joined(rows, joined, "left")
        return Case(((Call("is null", (Column(marker),)), on_nothing(aggregate, value)),), Column(result))

    def _with_plain_operands(self, node: exp.Anonymous, subquery: Subquery) -> exp.Anonymous:
        """The node with columns in place of subqueries in what is compared with it."""
        node = node.copy()
        operands = [self.replaced(each) for each in _operands(node, subquery)]
        node.set("expressions", [*operands, *node.expressions[subquery.operands :]])
        return node

    def _pair(self, table: SubqueryTable, operand: Tree, at: int) -> tuple[str, str]:
        """The columns of an operand and of what it is compared with."""
        value, own = table.aligned(self.rows, operand, at)
        return self.rows.named(value, "operand"), own

    def _checked(self, plan: p.Plan, node: exp.Anonymous) -> p.Plan:
        return checked(self._text, plan, node, "this subquery cannot be computed: {}")


def _operands(node: exp.Anonymous, subquery: Subquery) -> list[Tree]:
    return list(node.expressions[: subquery.operands])


def _equal(left: str, right: str) -> Expression:
    return Call("=", (Column(left), Column(right)))


def _equal_pairs(pairs: Sequence[tuple[str, str]]) -> Expression:
    return reduce(lambda one, other: Call("and", (one, other)), (_equal(*pair) for pair in pairs))


def _perhaps_equal_pairs(pairs: Sequence[tuple[str, str]]) -> Expression:
    """Whether no pair is known to differ."""
    perhaps = (Call("is not false", (_equal(*pair),)) for pair in pairs)
    return reduce(lambda one, other: Call("and", (one, other)), perhaps)


def _over_aggregate(plan: p.Plan) -> tuple[p.Aggregate, dict[str, Expression], list[Expression]] | None:
    """The aggregate of a plan, its columns in terms of the aggregate's, and the conditions on these."""
    match plan:
        case p.Aggregate():
            return plan, {name: Column(name) for name in schema_of(plan).names}, []
        case p.Filter():
            if (over := _over_aggregate(plan.input)) is not None:
                aggregate, columns, conditions = over
                return aggregate, columns, [*conditions, substitute(plan.predicate, columns)]
        case p.Project():
            if (over := _over_aggregate(plan.input)) is not None:
                aggregate, columns, conditions = over
                return aggregate, {name: substitute(each, columns) for name, each in plan.columns}, conditions
    return None
