"""``x = ANY (array)`` and ``x = ALL (array)``: a comparison with each element, joined by OR or AND as SQL does."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from operators.expressions.bound import Bound, BoundCall, coerced, expanded, folded
from operators.expressions.expression import Expression
from operators.expressions.functions import resolve
from operators.expressions.lists import Booleans, Lists, broadcast
from operators.expressions.type_names import type_text
from operators.expressions.types import Argument, ExpressionError, common, family, logical


@attrs.frozen(str=False)
class Quantified(Expression):
    """Whether a comparison holds for one element of a list, or for all of them.

    NULL where that depends on a NULL; ANY of an empty list is false, ALL of it true.

    Attributes:
        operator: a function of two arguments that gives a boolean.
        operand: its first argument; the second is an element.
        values: the list.
        every: whether it must hold for all elements.
    """

    operator: str
    operand: Expression
    values: Expression
    every: bool

    @property
    def children(self) -> Sequence[Expression]:
        """The operand and the list."""
        return (self.operand, self.values)

    def resolve(self, schema: pa.Schema) -> Bound:
        """The comparison over all elements; raises ExpressionError where there is none."""
        operand, values = self.operand.resolve(schema), self.values.resolve(schema)
        if values.argument.unknown:
            values = coerced(values, pa.list_(logical(operand.type)), str(self))
        if family(logical(values.type)) != "list":
            raise ExpressionError(f"{self}: {self.values} has type {type_text(values.type)}; it must be an array")
        element = Argument(logical(values.type.value_type))
        met = common([operand.argument, element]) if operand.argument.flexible else None
        resolved = resolve(self.operator, [operand.argument if met is None else Argument(met), element])
        left, right = resolved.arguments
        arguments = (coerced(operand, left, str(self)), coerced(values, pa.list_(right), str(self)))
        every = self.every

        @broadcast
        def kernel(one: pa.Array, array: pa.Array) -> pa.Array:
            lists = Lists.of(array)
            held = resolved.kernel(one.take(pa.array(lists.rows)), _stored(lists.values)) if len(lists.values) else None
            found = pa.nulls(0, pa.bool_()) if held is None else expanded(held, pa.bool_(), len(lists.values))
            decided = pc.fill_null(pc.equal(found, not every), False).to_numpy(zero_copy_only=False)
            open_ = found.is_null().to_numpy(zero_copy_only=False)
            return _joined(lists, decided, open_, every)

        bound = BoundCall(str(self), kernel, arguments, pa.bool_(), resolved.total and all(a.total for a in arguments))
        return folded(bound, arguments)

    def __str__(self) -> str:
        return f"{self.operand} {self.operator.upper()} {'ALL' if self.every else 'ANY'} ({self.values})"


def _stored(values: pa.Array) -> pa.Array:
    return values.storage if isinstance(values, pa.ExtensionArray) else values


def _joined(lists: Lists, decided: Booleans, open_: Booleans, every: bool) -> pa.Array:
    """The results of rows: one element decides, else one that is NULL leaves it open."""
    settled, unknown = lists.any_of(decided), lists.any_of(open_)
    unknown &= ~settled
    if lists.missing is not None:
        unknown |= lists.missing
        settled &= ~lists.missing
    return pa.array(np.logical_xor(settled, every), mask=unknown)
