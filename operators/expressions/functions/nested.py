"""Functions of lists. Positions count from 1, from the end where negative; there is NULL beyond the ends."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from operators.expressions.registry import function
from operators.expressions.types import logical


@function(
    "length(list) -> bigint", "len(list) -> bigint", "array_length(list) -> bigint", "cardinality(list) -> bigint",
    total=True,
)  # fmt: skip
def _length(value: Any) -> pa.Array:
    return pc.list_value_length(value)


@function("list_element(list, bigint) -> any", total=True, result=lambda types: logical(types[0].value_type))
def _element(value: Any, number: Any) -> pa.Array:
    if isinstance(value, pa.Scalar):
        value = pa.array([value.as_py()] * len(number), value.type)
    if pa.types.is_fixed_size_list(value.type):
        value = pc.cast(value, pa.list_(value.type.value_type))
    count = pc.fill_null(pc.list_value_length(value), 0).to_numpy()
    if isinstance(number, pa.Scalar):
        number = pa.repeat(number, len(value))
    wanted = pc.fill_null(number, 0).to_numpy()
    place = np.where(wanted > 0, wanted - 1, count + wanted)
    present = (wanted != 0) & (place >= 0) & (place < count)
    positions = np.where(present, value.offsets.to_numpy()[:-1] + place, 0)
    return value.values.take(pa.array(positions, mask=~present))
