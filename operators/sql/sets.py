"""Set operations and VALUES: tables whose columns correspond by position, and meet in a type.

The names are those of the first; the types are those in which PostgreSQL lets the columns meet.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from flow.errors import GraphError
from operators.expressions import Cast, Column, Literal
from operators.expressions.types import Argument, common, logical
from operators.sql import plan as p
from operators.sql.clauses import row_of, set_operation_name, values_names
from operators.sql.constants import constant, value_of
from operators.sql.dialect import Text, Tree, exp
from operators.sql.errors import SqlError
from operators.sql.lowering import schema_of


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


def plan_set_operation(text: Text, query: exp.SetOperation, left: p.Plan, right: p.Plan) -> p.Plan:
    """UNION, INTERSECT or EXCEPT of two tables with as many columns.

    Raises:
        SqlError: two columns have types that do not meet.
    """
    name = set_operation_name(query)
    try:
        left, right = _alike(text, query, left, right)
        plan = _combined(query, left, right)
        schema_of(plan)
    except SqlError:
        raise
    except GraphError as error:
        raise text.error(f"{name}: {error}", query.expression) from error
    return plan


def _combined(query: exp.SetOperation, left: p.Plan, right: p.Plan) -> p.Plan:
    once = bool(query.args.get("distinct"))
    if isinstance(query, exp.Union):
        # What is made distinct at last need not be so before.
        parts = [part.input if once and isinstance(part, p.Distinct) else part for part in (left, right)]
        union = p.Union(tuple(branch for part in parts for branch in _branches(part)))
        return p.Distinct(union) if once else union
    return p.SetOperation(left, right, "intersect" if isinstance(query, exp.Intersect) else "except", all=not once)


def _branches(plan: p.Plan) -> tuple[p.Plan, ...]:
    return plan.inputs if isinstance(plan, p.Union) else (plan,)


def _alike(text: Text, query: exp.SetOperation, left: p.Plan, right: p.Plan) -> tuple[p.Plan, p.Plan]:
    fields = []
    for name, other in zip(schema_of(left).names, schema_of(right).names, strict=True):
        arguments = [_argument(left, name), _argument(right, other)]
        kind = common(arguments)
        if kind is None:
            raise text.error(
                f"{set_operation_name(query)}: column {name!r} is {arguments[0].type} on the left and "
                f"{arguments[1].type} on the right, which do not meet",
                query.expression,
                "cast one of them",
            )
        for side, column in ((left, name), (right, other)):
            literal = _literal(side, column)
            if literal is not None:
                value_of(text, literal, query.expression, kind)
        fields.append(pa.field(name, kind))
    target = pa.schema(fields)
    return cast_to(left, target), cast_to(right, target)


def _literal(plan: p.Plan, name: str) -> Literal | None:
    expression = dict(plan.columns)[name] if isinstance(plan, p.Project) else None
    return expression if isinstance(expression, Literal) else None


def _argument(plan: p.Plan, name: str) -> Argument:
    """What is known of a column; a literal still takes the type that it meets."""
    literal = _literal(plan, name)
    if literal is not None:
        return literal.bind(pa.schema([])).root.argument
    return Argument(logical(schema_of(plan).column_type(name)))


def plan_values(text: Text, values: exp.Values) -> p.Values:
    """The table of a VALUES list.

    Raises:
        SqlError: a value cannot be computed, or the types of a column do not meet.
    """
    names = values_names(text, values)
    columns = zip(*(row_of(row) for row in values.expressions), strict=True)
    return p.Values(pa.table([_values(text, name, trees) for name, trees in zip(names, columns, strict=True)], names))


def _values(text: Text, name: str, trees: Sequence[Tree]) -> pa.Array:
    expressions = [constant(text, tree, "VALUES") for tree in trees]
    arguments = [expression.bind(pa.schema([])).root.argument for expression in expressions]
    kind = common(arguments)
    if kind is None:
        types = sorted({str(argument.type) for argument in arguments})
        raise text.error(f"VALUES: column {name!r} has values of types that do not meet: {types}", trees[0])
    return pa.concat_arrays(
        [value_of(text, expression, tree, kind) for expression, tree in zip(expressions, trees, strict=True)]
    )
