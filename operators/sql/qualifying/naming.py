"""Qualifying expressions: which column each name in them is, and which type they have.

Names are looked up in the relations of a SELECT's FROM clause, as far as it has been read, and then outside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

import pyarrow as pa

from operators.sql.expressions.reader import ExpressionReader
from operators.sql.grammar.dialect import Text, Tree, exp
from operators.sql.plan.operators import schema_of
from operators.sql.qualifying.names import match
from operators.sql.qualifying.scope import Scope
from operators.sql.qualifying.subquery_nodes import Enclosing, enclose, is_parameter, knows, own_columns
from operators.sql.qualifying.tables import Tables

Qualify = Callable[[Text, Tree, Tables, Enclosing | None], list[str]]
"""Qualifies a query in place, and gives the names of its columns."""


class Naming:
    """What names mean in one SELECT.

    Args:
        text: where it stands.
        tables: what it can read.
        outer: what it can name outside of itself.
        qualify: qualifies the queries in it.

    Attributes:
        scope: the relations that can be named now.
        types: the columns of each relation with their types, by its alias; asked for only where types matter.
    """

    def __init__(self, text: Text, tables: Tables, outer: Enclosing | None, qualify: Qualify) -> None:
        self.text = text
        self.tables = tables
        self.outer = outer
        self.scope = Scope((), ())
        self.types: dict[str, Callable[[], Mapping[str, pa.DataType]]] = {}
        self._qualify = qualify

    def types_of(self, query: Tree, parameters: Sequence[Tree] = ()) -> Mapping[str, pa.DataType]:
        """The columns of a qualified query, with their types."""
        schema = schema_of(self.tables.planned(query, [self.kind(tree) for tree in parameters]))
        return {name: schema.column_type(name) for name in schema.names}

    def kind(self, tree: Tree) -> pa.DataType:
        """The type of a qualified expression over what is in FROM so far, and outside."""
        fields: dict[str, pa.DataType] = {}
        columns: dict[tuple[str, str], str] = {}
        for column in own_columns(tree):
            name = f"{column.table}.{column.name}"
            columns[column.table, column.name] = name
            if is_parameter(column):
                assert self.outer is not None
                fields[name] = self.outer.kind(int(column.name))
            else:
                fields[name] = self.types[column.table]()[column.name]
        schema = pa.schema(fields)
        return ExpressionReader(self.text, schema, columns).read(tree).bind(schema).type

    def columns(self, node: Tree, outputs: Mapping[str, Tree] | None = None) -> None:
        """Qualify the columns of an expression; those found nowhere else may be `outputs`, by alias."""
        for column in list(own_columns(node)):
            if isinstance(column.this, exp.Star):
                continue
            output = self.output_named(column, outputs) if outputs else None
            if output is not None:
                column.replace(output.unalias().copy())
            else:
                self._column(column)
        enclose(self.text, node, lambda: Enclosing(self.text, self.scope, self.outer, self.kind), self.query)

    def query(self, query: Tree, around: Enclosing | None = None) -> list[str]:
        """Qualify a query that stands in this one; the names of its columns."""
        return self._qualify(self.text, query, self.tables, around)

    def output_named(self, column: exp.Column, outputs: Mapping[str, Tree]) -> Tree | None:
        """The output that a name means which is no column of the relations."""
        if column.args.get("table") or self.scope.holders(self.text, column.this):
            return None
        name = match(self.text, column.this, outputs, "column")
        return None if name is None else outputs[name]

    def _column(self, column: exp.Column) -> None:
        if self.outer and not knows(self.text, self.scope, column) and self.outer.knows(column):
            column.replace(self.outer.parameter(column))
            return
        meaning = self.scope.meaning(self.text, column)
        if isinstance(column.parent, exp.Select) and isinstance(meaning, exp.Coalesce):
            meaning = exp.alias_(meaning, column.name, quoted=True, copy=False)
        column.replace(meaning)

    def key(self, key: Tree, outputs: Mapping[str, Tree] | None = None) -> Tree:
        """Qualify an expression of its own; what it is afterwards."""
        # A wrapper, so that a key that is itself replaced has a parent.
        holder = exp.Tuple(expressions=[key])
        self.columns(holder, outputs)
        (qualified,) = cast("list[Tree]", holder.expressions)
        return qualified
