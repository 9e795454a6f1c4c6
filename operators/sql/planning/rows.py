"""The rows that a query's expressions are computed of: a plan, and which of its columns each name in the tree is.

They grow columns, so a clause that needs one more finds the rows of the clauses before it as they are now.
"""

from __future__ import annotations

from typing import TypeVar

import attrs
import pyarrow as pa

from flow.errors import GraphError
from operators.expressions import Column, Expression
from operators.sql.expressions.reader import ExpressionReader
from operators.sql.grammar.dialect import Text, Tree, exp, offset_of
from operators.sql.plan import nodes as p
from operators.sql.plan.operators import schema_of

P = TypeVar("P", bound=p.Plan)


@attrs.define(eq=False)
class Rows:
    """Rows of a SELECT.

    Attributes:
        text: where the query stands.
        plan: the rows.
        columns: the names of their columns, by relation and column in the tree.
        labels: how columns that the text does not name are called in messages.
    """

    text: Text
    plan: p.Plan
    columns: dict[tuple[str, str], str] = attrs.field(factory=dict)
    labels: dict[str, str] = attrs.field(factory=dict)
    _handed: set[str] = attrs.field(factory=set)

    @property
    def reader(self) -> ExpressionReader:
        """Reads expressions over the rows."""
        return ExpressionReader(self.text, schema_of(self.plan).columns, self.columns, self.labels)

    def read(self, tree: Tree) -> Expression:
        """The expression of a tree without subqueries."""
        return self.reader.read(tree)

    def fresh(self, stem: str) -> str:
        """A name that is no column's yet."""
        taken = {*schema_of(self.plan).names, *self._handed}
        name, number = f"__{stem}", 0
        while name in taken:
            name, number = f"__{stem}{number}", number + 1
        self._handed.add(name)
        return name

    def named(self, expression: Expression, stem: str) -> str:
        """The column of the rows that is this expression, which is added where there is none."""
        if isinstance(expression, Column):
            return expression.name
        name = self.fresh(stem)
        self.plan = extended(self.plan, (name, expression))
        return name

    def type_of(self, expression: Expression) -> pa.DataType:
        """The type of an expression over the rows."""
        return expression.bind(schema_of(self.plan).columns).type


def extended(plan: p.Plan, *columns: tuple[str, Expression]) -> p.Plan:
    """The plan with more columns."""
    return p.Project(plan, (*((each, Column(each)) for each in schema_of(plan).names), *columns))


def checked(text: Text, plan: P, at: Tree | None, said: str = "{}") -> P:
    """The plan, whose last node fits its inputs.

    Raises:
        SqlError: it does not; `said` is the message, around that of the operator.
    """
    try:
        schema_of(plan)
    except GraphError as error:
        raise text.error(said.format(error), at) from error
    return plan


def column_in_place(node: Tree, name: str, relation: str) -> exp.Column:
    """A column of a relation that is put in place of a part of a tree; errors about it are told where that stood."""
    column = exp.column(exp.to_identifier(name, quoted=True), table=exp.to_identifier(relation, quoted=True))
    if (offset := offset_of(node)) is not None:
        column.this.meta["start"] = offset
    return column
