"""Functions of the elements of lists: an expression computed over all elements of a batch's lists at once.

Within it a parameter stands for an element, or for its position; columns are those of the list's row.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from operators.expressions.bound import Bound, expanded
from operators.expressions.casts import Value
from operators.expressions.expression import Expression, boolean
from operators.expressions.lists import Lists, spread
from operators.expressions.type_names import type_text
from operators.expressions.types import ExpressionError, logical

_MARK = "parameter "
"""Before the names of parameters in the schema of a body, as no column's name begins."""


@attrs.frozen(str=False)
class Parameter(Expression):
    """What a function of elements is given."""

    name: str

    @property
    def children(self) -> Sequence[Expression]:
        """None."""
        return ()

    def resolve(self, schema: pa.Schema) -> Bound:
        """The parameter, as a column of the body's rows."""
        index = schema.get_field_index(_MARK + self.name)
        if index < 0:
            raise ExpressionError(f"{self.name!r} is a parameter of another function")
        return _BoundParameter(_MARK + self.name, schema.field(index).type)

    def __str__(self) -> str:
        return self.name


@attrs.frozen(str=False)
class OfElements(Expression):
    """An expression of each element of a list, or the elements for which it is true.

    Attributes:
        operand: the list.
        parameters: the names of the element and, if there is a second one, of its position (from 1).
        body: the expression.
        keeps: whether it is a condition for elements to stay.
    """

    operand: Expression
    parameters: tuple[str, ...]
    body: Expression
    keeps: bool

    @property
    def children(self) -> Sequence[Expression]:
        """The list and the body."""
        return (self.operand, self.body)

    def resolve(self, schema: pa.Schema) -> Bound:
        """The list, and the body over its elements; raises ExpressionError where it is no list."""
        operand = self.operand.resolve(schema)
        kind = logical(operand.type)
        if not (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)):
            raise ExpressionError(f"{self}: {self.operand} has type {type_text(kind)}; it must be a list")
        used = tuple(name for name in schema.names if name in self.body.columns)
        kinds = [logical(kind.value_type), pa.int64()]
        if len(self.parameters) > len(kinds):
            raise ExpressionError(f"{self}: the function takes an element and its position")
        inner = [schema.field(name) for name in used]
        inner += [pa.field(_MARK + name, each) for name, each in zip(self.parameters, kinds, strict=False)]
        # A function within a function sees the parameters around it.
        around = [f for f in schema if f.name.startswith(_MARK) and f.name not in {each.name for each in inner}]
        rows = pa.schema([*inner, *around])
        body = boolean(self.body, rows) if self.keeps else self.body.resolve(rows)
        result = pa.list_(kinds[0]) if self.keeps else pa.list_(logical(body.type))
        return _BoundOfElements(operand, body, rows, self.parameters, self.keeps, result, operand.total and body.total)

    def __str__(self) -> str:
        name = "list_filter" if self.keeps else "list_transform"
        parameters = self.parameters[0] if len(self.parameters) == 1 else f"({', '.join(self.parameters)})"
        return f"{name}({self.operand}, {parameters} -> {self.body})"


@attrs.frozen
class _BoundParameter(Bound):
    name: str
    type: pa.DataType
    total: bool = True

    def evaluate(self, batch: pa.RecordBatch) -> Value:
        """The parameter's values."""
        array = batch.column(self.name)
        return array.storage if isinstance(array, pa.ExtensionArray) else array


@attrs.frozen
class _BoundOfElements(Bound):
    operand: Bound
    body: Bound
    rows: pa.Schema
    parameters: tuple[str, ...]
    keeps: bool
    type: pa.DataType
    total: bool = False

    def evaluate(self, batch: pa.RecordBatch) -> Value:
        """One list a row."""
        lists = Lists.of(spread(self.operand.evaluate(batch), batch.num_rows))
        given = {_MARK + self.parameters[0]: lists.values}
        if len(self.parameters) > 1:
            given[_MARK + self.parameters[1]] = pa.array(lists.places + 1)
        parents = pa.array(lists.rows)
        columns = [given[f.name] if f.name in given else batch.column(f.name).take(parents) for f in self.rows]
        count = len(lists.values)
        inner = pa.RecordBatch.from_arrays(columns, schema=self.rows)
        values = expanded(self.body.evaluate(inner), logical(self.body.type), count)
        if not self.keeps:
            return lists.with_values(values)
        return lists.kept(np.asarray(pc.fill_null(values, False).to_numpy(zero_copy_only=False)))
