"""Functions that fail where something is not as it must be."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from operators.expressions.registry import function


@function(
    "only_row(bigint, any) -> any",
    result=lambda types: types[1],
    says="A value of a table that has so many rows; fails where there are several. Subqueries as values are this.",
    examples=["only_row(1, 'a') = 'a'", "only_row(0, NULL) IS NULL"],
)
def _only_row(rows: Any, value: Any) -> pa.Array:
    """The value of a table's only row; NULL where it has none."""
    if bool(pc.any(pc.greater(rows, 1)).as_py() if isinstance(rows, pa.Array) else (rows.as_py() or 0) > 1):
        raise pa.ArrowInvalid("a subquery that is used as a value has more than one row")
    return value if isinstance(value, pa.Array) else pa.repeat(value, len(rows))
