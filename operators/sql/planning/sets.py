"""Set operations and VALUES: tables whose columns correspond by position, and meet in a type.

The names are those of the first; the types are those in which PostgreSQL lets the columns meet.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from flow.errors import GraphError
from operators.expressions import Cast, Column, Literal
from operators.expressions.type_names import type_text
from operators.expressions.types import Argument, common, logical
from operators.sql.expressions.constants import constant, value_of
from operators.sql.grammar.dialect import Text, Tree, exp
from operators.sql.grammar.errors import SqlError
from operators.sql.plan import nodes as p
from operators.sql.plan.operators import schema_of
from operators.sql.qualifying.clauses import row_of, set_operation_name, values_names


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
    schemas = [schema_of(left), schema_of(right)]
    literals = [_literals(left), _literals(right)]
    for name, other in zip(schemas[0].names, schemas[1].names, strict=True):
        said = [literals[0].get(name), literals[1].get(other)]
        kinds = [schemas[0].column_type(name), schemas[1].column_type(other)]
        arguments = [_argument(literal, kind) for literal, kind in zip(said, kinds, strict=True)]
        kind = common(arguments)
        if kind is None:
            raise text.error(
                f"{set_operation_name(query)}: column {name!r} is {type_text(arguments[0].type)} on the left and "
                f"{type_text(arguments[1].type)} on the right, which do not meet",
                query.expression,
                "cast one of them",
            )
        for literal in said:
            if literal is not None:
                value_of(text, literal, query.expression, kind)
        fields.append(pa.field(name, kind))
    target = pa.schema(fields)
    return cast_to(left, target), cast_to(right, target)


def _literals(plan: p.Plan) -> dict[str, Literal]:
    columns = plan.columns if isinstance(plan, p.Project) else ()
    return {name: value for name, value in columns if isinstance(value, Literal)}


def _argument(literal: Literal | None, kind: pa.DataType) -> Argument:
    """What is known of a column; a literal still takes the type that it meets."""
    return Argument(logical(kind)) if literal is None else literal.bind(pa.schema([])).root.argument


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
        types = sorted({type_text(argument.type) for argument in arguments})
        raise text.error(f"VALUES: column {name!r} has values of types that do not meet: {types}", trees[0])
    return pa.concat_arrays(
        [value_of(text, expression, tree, kind) for expression, tree in zip(expressions, trees, strict=True)]
    )
