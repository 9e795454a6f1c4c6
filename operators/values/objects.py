"""Python objects to Arrow arrays.

An object becomes the same value of the type, or is an error: nothing is rounded or cut off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def array_of(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """The values as an array; raises what pyarrow raises where one does not fit the type."""
    if pa.types.is_integer(kind):
        if any(issubclass(each, float | np.floating) for each in set(map(type, values))):
            # Arrow would cut off what is behind the point.
            return pc.cast(pa.array(values, pa.float64()), kind)
    elif pa.types.is_list(kind) and _in_parts(kind):
        return _lists(values, kind)
    elif pa.types.is_struct(kind) and _in_parts(kind):
        return _structs(values, kind)
    return pa.array(values, kind)


def _in_parts(kind: pa.DataType) -> bool:
    """Whether Arrow would cut off numbers within it, or does not make its values: those of extension types."""
    inner = [kind.field(number).type for number in range(kind.num_fields)]
    return any(pa.types.is_integer(each) or isinstance(each, pa.BaseExtensionType) or _in_parts(each) for each in inner)


def _lists(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    if any(isinstance(value, str | bytes | Mapping) for value in values):
        raise TypeError("it is no list")
    lists = [() if value is None else list(value) for value in values]
    elements = array_of([each for one in lists for each in one], kind.value_type)
    offsets = pa.array([0, *accumulate(map(len, lists))], pa.int32())
    return pa.ListArray.from_arrays(offsets, elements, type=kind, mask=_missing(values))


def _structs(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    structs = [{} if value is None else dict(value) for value in values]
    children = [array_of([each.get(field.name) for each in structs], field.type) for field in kind]
    return pa.StructArray.from_arrays(children, fields=list(kind), mask=_missing(values))


def _missing(values: Sequence[Any]) -> pa.Array | None:
    missing = [value is None for value in values]
    return pa.array(missing) if any(missing) else None
