"""Expressions bound to columns: trees of kernels, evaluated on one batch after another.

Between kernels a value is an array (text perhaps dictionary-encoded, whatever its declared type; JSON as text, UUIDs
as bytes) or a scalar for all rows; only `BoundExpression` expands it to the declared type.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flow.errors import RowError
from operators.expressions.casts import Value, cast_value, try_cast_value
from operators.expressions.registry import Kernel
from operators.expressions.type_names import in_sql, type_text
from operators.expressions.types import Argument, ExpressionError, logical, storage

FAILURES = (pa.ArrowInvalid, pa.ArrowNotImplementedError, ArithmeticError, ValueError)
"""What a kernel raises when it cannot work on a value."""

_UNREAD = re.compile(r"Failed to parse string: (.*) as a scalar of (type .*)", re.DOTALL)
_WORDS = {"divide by zero": "division by zero", "overflow": "the result is out of range of its type"}


class Bound(ABC):
    """A node whose types are known."""

    type: pa.DataType
    """The declared type; a dictionary type only for a column itself."""

    total: bool = False
    """Whether no row can make it fail: then it may be evaluated on rows that do not need it."""

    @abstractmethod
    def evaluate(self, batch: pa.RecordBatch) -> Value:
        """The values for a batch. Raises RowError where one cannot be computed."""

    @property
    def argument(self) -> Argument:
        """What a function may know of it."""
        return Argument(logical(self.type))


@attrs.frozen
class BoundExpression:
    """An expression ready to run: call it with a batch.

    Attributes:
        root: the tree of kernels.
    """

    root: Bound

    @property
    def type(self) -> pa.DataType:
        """The type of the arrays that calls return."""
        return self.root.type

    def __call__(self, batch: pa.RecordBatch) -> pa.Array:
        """One value a row, of type `type`. Raises RowError where a value cannot be computed."""
        return expanded(self.root.evaluate(batch), self.type, batch.num_rows)


@attrs.frozen
class BoundColumn(Bound):
    """A column, as it is."""

    index: int
    type: pa.DataType
    total: bool = True

    def evaluate(self, batch: pa.RecordBatch) -> Value:
        """The column."""
        return stored(batch.column(self.index))


@attrs.frozen
class BoundLiteral(Bound):
    """The same value for all rows."""

    scalar: pa.Scalar
    flexible: bool = False
    total: bool = True

    @property
    def type(self) -> pa.DataType:
        """The literal's own type."""
        return self.scalar.type

    @property
    def argument(self) -> Argument:
        """As every node's, with the value."""
        return Argument(logical(self.scalar.type), self.scalar.as_py(), self.flexible)

    def evaluate(self, batch: pa.RecordBatch) -> Value:
        """The scalar."""
        return stored(self.scalar)


@attrs.frozen
class BoundCall(Bound):
    """A kernel over the values of other nodes."""

    text: str
    kernel: Kernel
    arguments: tuple[Bound, ...]
    type: pa.DataType
    total: bool = False

    def evaluate(self, batch: pa.RecordBatch) -> Value:
        """The kernel's result; computed on the dictionary where all rows refer to one."""
        values = [argument.evaluate(batch) for argument in self.arguments]
        try:
            return self._apply(values)
        except FAILURES as error:
            raise RowError(f"{self.text}: {reason(error)}") from error

    def _apply(self, values: Sequence[Value]) -> Value:
        arrays = [value for value in values if isinstance(value, pa.Array)]
        if not arrays:
            return self._run([expanded(value, value.type, 1) for value in values])[0]
        if (
            len(arrays) == 1
            and isinstance(arrays[0], pa.DictionaryArray)
            and len(arrays[0].dictionary) < len(arrays[0])
        ):
            try:
                return self._on_dictionary(values, arrays[0])
            except FAILURES:
                # Perhaps only a value that no row refers to fails; the rows themselves decide.
                pass
        return self._run([decoded(value) for value in values])

    def _run(self, values: Sequence[Value]) -> pa.Array:
        result, kind = stored(self.kernel(*values)), storage(self.type)
        return result if result.type == kind else pc.cast(result, kind)

    def _on_dictionary(self, values: Sequence[Value], column: pa.DictionaryArray) -> pa.Array:
        dictionary, indices = column.dictionary, column.indices
        if indices.null_count:
            # NULL is a value like others here: not every function turns it into NULL.
            indices = pc.fill_null(indices, pa.scalar(len(dictionary), indices.type))
            dictionary = pa.concat_arrays([dictionary, pa.nulls(1, dictionary.type)])
        result = self._run([dictionary if value is column else value for value in values])
        if pa.types.is_string(self.type):
            return pa.DictionaryArray.from_arrays(indices, result, safe=False)
        return result.take(indices)


@attrs.frozen
class BoundCast(Bound):
    """Another node's values in another type."""

    text: str
    operand: Bound
    type: pa.DataType
    forgiving: bool = False
    total: bool = False

    def evaluate(self, batch: pa.RecordBatch) -> Value:
        """The values, cast; NULL for those that do not fit where the cast is forgiving."""
        value = self.operand.evaluate(batch)
        if (source := logical(self.operand.type)) != storage(source) or self.type != storage(self.type):
            return self._between_extensions(value, source)
        if logical(value.type) != self.type:
            value = decoded(value)
        elif not isinstance(value, pa.DictionaryArray) and value.type != self.type:
            return pc.cast(value, self.type)
        else:
            return value
        return self._cast(value)

    def _cast(self, value: Value) -> Value:
        if self.forgiving:
            return try_cast_value(value, self.type)
        try:
            return cast_value(value, self.type)
        except FAILURES as error:
            raise RowError(f"{self.text}: {reason(error)}") from error

    def _between_extensions(self, value: Value, source: pa.DataType) -> Value:
        if isinstance(value, pa.Scalar):
            return stored(self._cast(expanded(value, source, 1)))[0]
        if not isinstance(value, pa.DictionaryArray):
            return stored(self._cast(expanded(value, source, len(value))))
        try:
            return stored(self._cast(expanded(value.dictionary, source, len(value.dictionary)))).take(value.indices)
        except RowError:
            # Perhaps only a value that no row refers to fails.
            return stored(self._cast(expanded(decoded(value), source, len(value))))


@attrs.frozen
class BoundCase(Bound):
    """The value of the first branch whose condition is true; a branch sees only the rows that take it.

    A branch without condition takes all the rows that are left. With `first_valid`, conditions do not matter: a branch
    takes the rows where its value is not NULL (COALESCE).
    """

    branches: tuple[tuple[Bound | None, Bound], ...]
    type: pa.DataType
    first_valid: bool = False

    @property
    def total(self) -> bool:  # type: ignore[override]
        """Whether all conditions and values are."""
        return all(value.total and (condition is None or condition.total) for condition, value in self.branches)

    def evaluate(self, batch: pa.RecordBatch) -> Value:
        """One value a row."""
        if self.total and not _holds_extensions(self.type):
            return self._at_once(batch)
        kind = storage(self.type)
        left = pa.array(np.arange(batch.num_rows))
        pieces: list[pa.Array] = []
        places: list[pa.Array] = []
        for condition, value in self.branches:
            if not len(left):
                break
            rows = batch if len(left) == batch.num_rows else batch.take(left)
            if self.first_valid:
                found = expanded(value.evaluate(rows), kind, len(left))
                taken = pc.is_valid(found)
                pieces.append(found.filter(taken))
            else:
                chosen = pa.scalar(True) if condition is None else condition.evaluate(rows)
                taken = pc.fill_null(expanded(chosen, pa.bool_(), len(left)), False)
                if taken.true_count:
                    rows = rows if taken.true_count == len(left) else rows.filter(taken)
                    pieces.append(expanded(value.evaluate(rows), kind, rows.num_rows))
            places.append(left.filter(taken))
            left = left.filter(pc.invert(taken))
        pieces.append(pa.nulls(len(left), kind))
        places.append(left)
        order = np.empty(batch.num_rows, np.int64)
        order[pa.concat_arrays(places).to_numpy()] = np.arange(batch.num_rows)
        return pa.concat_arrays(pieces).take(pa.array(order))

    def _at_once(self, batch: pa.RecordBatch) -> Value:
        values = [decoded(value.evaluate(batch)) for _, value in self.branches]
        if self.first_valid:
            return pc.coalesce(*values)
        result: Value = pa.scalar(None, storage(self.type))
        for (condition, _), value in zip(reversed(self.branches), reversed(values), strict=True):
            if condition is None:
                result = value
                continue
            chosen = condition.evaluate(batch)
            if isinstance(chosen, pa.Scalar):
                result = value if chosen.as_py() else result
            else:
                result = pc.if_else(pc.fill_null(chosen, False), value, result)
        return result


def coerced(bound: Bound, target: pa.DataType, text: str) -> Bound:
    """The node with values of a logical type; literals are cast here and now.

    Raises:
        ExpressionError: the literal does not fit the type.
    """
    if bound.type == target:
        return bound
    if isinstance(bound, BoundLiteral):
        try:
            return BoundLiteral(cast_value(bound.scalar, target))
        except FAILURES as error:
            wrong, why = f"{bound.scalar.as_py()!r} is no ", reason(error)
            said = why if why.startswith(wrong) else f"{wrong}{type_text(target)}: {why}"
            raise ExpressionError(f"{text}: {said}") from error
    return BoundCast(text, bound, target, total=bound.total and logical(bound.type) == target)


def folded(bound: Bound, arguments: Sequence[Bound]) -> Bound:
    """The node as a literal where all its arguments are; as it is where that fails, so that it fails only if needed."""
    if not all(isinstance(argument, BoundLiteral) for argument in arguments):
        return bound
    try:
        value = bound.evaluate(pa.record_batch([pa.nulls(1)], ["_"]))
    except RowError:
        return bound
    return BoundLiteral(expanded(value, bound.type, 1)[0])


def expanded(value: Value, kind: pa.DataType, rows: int) -> pa.Array:
    """A value as an array of exactly this type."""
    if isinstance(value, pa.Scalar):
        value = pa.nulls(rows, value.type) if not value.is_valid else pa.repeat(value, rows)
    if value.type != kind:
        value = pc.cast(decoded(value), kind)
    return value


def stored(value: Value) -> Value:
    """A value as it is between kernels: without extension type."""
    kind = value.type
    if not isinstance(kind, pa.BaseExtensionType):
        return value
    if isinstance(value, pa.Scalar):
        return value.value if value.is_valid else pa.scalar(None, kind.storage_type)
    return value.storage


def _holds_extensions(kind: pa.DataType) -> bool:
    """Whether nested values have extension types inside, which many of Arrow's functions do not take."""
    fields = [kind.field(number) for number in range(kind.num_fields)]
    return any(isinstance(field.type, pa.BaseExtensionType) or _holds_extensions(field.type) for field in fields)


def decoded(value: Value) -> Any:
    """A value without dictionary encoding."""
    return value.dictionary_decode() if isinstance(value, pa.DictionaryArray) else value


def reason(error: BaseException) -> str:
    """What a kernel complains about, in SQL's words."""
    if (unread := _UNREAD.fullmatch(str(error))) is not None:
        return f"{unread[1]} is no {in_sql(unread[2]).removeprefix('type ')}"
    return _WORDS.get(str(error).lower()) or in_sql(str(error))
