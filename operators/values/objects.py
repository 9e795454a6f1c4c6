"""Python objects to Arrow arrays.

An object becomes the same value of the type, or is an error: nothing is rounded or cut off.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def array_of(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """The values as an array; raises what pyarrow raises where one does not fit the type."""
    if pa.types.is_integer(kind) and any(issubclass(each, float | np.floating) for each in set(map(type, values))):
        # Arrow would cut off what is behind the point.
        return pc.cast(pa.array(values, pa.float64()), kind)
    return pa.array(values, kind)
