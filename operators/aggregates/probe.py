"""Whether all that is computed of single rows before they are aggregated can be computed.

No state is read or changed: so it can be asked again of fewer rows, until those at fault stand alone.
"""

from __future__ import annotations

import pyarrow as pa

from flow.errors import RowError
from flow.schema import StreamSchema
from operators.aggregates.bank import Aggregations
from operators.aggregates.columns import plain, plain_type
from operators.expressions import BoundExpression
from operators.expressions.type_names import in_sql


class Probe:
    """Computes the arguments and filters that can fail, of some aggregations over rows of a schema."""

    def __init__(self, schema: StreamSchema, aggregations: Aggregations) -> None:
        parts: dict[object, BoundExpression] = {}
        sums: dict[object, BoundExpression] = {}
        for _, aggregation in aggregations:
            conditions = () if aggregation.filter is None else (aggregation.filter,)
            for part in (*aggregation.fed, *conditions):
                bound = part.bind(schema.columns)
                if not bound.root.total:
                    parts[part] = bound
                if aggregation.function == "sum" and pa.types.is_uint64(plain_type(bound.type)):
                    sums[part] = bound
        self._parts = [bound for part, bound in parts.items() if part not in sums]
        self._sums = list(sums.values())

    def __call__(self, batch: pa.RecordBatch) -> None:
        """Raise RowError where something cannot be computed of a row."""
        for part in self._parts:
            part(batch)
        for part in self._sums:
            try:
                plain(part(batch)).cast(pa.int64())
            except pa.ArrowInvalid as error:
                raise RowError(f"a value is beyond BIGINT: {in_sql(str(error))}") from error
