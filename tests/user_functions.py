"""Table functions that the cases of tests/sql may call."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from operators import udf


@udf.table(returns={"i": "BIGINT", "square": "BIGINT"})
def upto(n: int) -> Iterator[tuple[int, int]]:
    """The numbers from 1, with their squares."""
    return ((i, i * i) for i in range(1, n + 1))


@udf.table(arguments=["TEXT"], returns={"letter": "TEXT"}, vectorised=True)
def letters(text: pa.Array) -> pa.Table:
    """The different letters of each text, those of all texts by letter."""
    rows = [(letter, row) for row, each in enumerate(text.to_pylist()) for letter in set(each or "")]
    rows.sort()
    return pa.table({"row": pa.array([row for _, row in rows], pa.int64()), "letter": [letter for letter, _ in rows]})


@udf.table(arguments=["BIGINT", "TEXT"], returns={"x": "BIGINT", "y": "TEXT"}, vectorised=True, called_on_null=True)
def twice(x: pa.Array, y: pa.Array) -> Any:
    """Each row two times, as lists of structs."""
    rows = pa.StructArray.from_arrays([x, y], names=["x", "y"]).take(pa.array(np.repeat(np.arange(len(x)), 2)))
    return pa.ListArray.from_arrays(pa.array(np.arange(len(x) + 1) * 2, pa.int32()), pc.cast(rows, rows.type))


FUNCTIONS = [upto, letters, twice]
