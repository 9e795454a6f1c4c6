"""Python objects become the same values of Arrow's types, within lists and structs too, or are errors."""

from typing import Any
from uuid import UUID

import pyarrow as pa
import pytest

from operators.values.objects import array_of

PAIRS = pa.list_(pa.struct([("x", pa.int64()), ("y", pa.list_(pa.int8()))]))


def test_lists_of_structs_with_nulls() -> None:
    made = array_of([[{"x": 1, "y": [1, 2]}, {"x": 2.0}, None], None, []], PAIRS)
    made.validate(full=True)
    assert made.to_pylist() == [[{"x": 1, "y": [1, 2]}, {"x": 2, "y": None}, None], None, []]


def test_extension_types_within_lists() -> None:
    kind = pa.list_(pa.struct([("id", pa.uuid()), ("doc", pa.json_())]))
    assert array_of([[{"id": UUID(int=1), "doc": "{}"}], []], kind).to_pylist() == [
        [{"id": UUID(int=1), "doc": "{}"}],
        [],
    ]


@pytest.mark.parametrize("value", [[{"x": 1.5}], [{"x": 2**63}], [{"x": 1, "y": [300]}], [5], 5, "ab", {"x": 1}])
def test_what_is_no_such_value_is_an_error(value: Any) -> None:
    with pytest.raises((pa.ArrowInvalid, TypeError, OverflowError)):
        array_of([value], PAIRS)
