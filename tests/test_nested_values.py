"""Comparisons and orders of nested values, against Python's own over the same values."""

import datetime

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.expressions import Expression, call, cast, col
from operators.expressions.types import JSON
from operators.values.order_words import order_words

NUMBERS = st.one_of(st.none(), st.integers(-2, 2))
TEXTS = st.one_of(st.none(), st.lists(st.sampled_from("ab"), max_size=2))
KINDS = [
    (pa.list_(pa.int64()), st.one_of(st.none(), st.lists(NUMBERS, max_size=3))),
    (pa.list_(pa.list_(pa.int64())), st.lists(st.one_of(st.none(), st.lists(NUMBERS, max_size=2)), max_size=2)),
    (
        pa.struct([("x", pa.int64()), ("y", pa.list_(pa.string()))]),
        st.one_of(st.none(), st.fixed_dictionaries({"x": NUMBERS, "y": TEXTS})),
    ),
]


def sortable(value: object) -> object:
    """A value as Python orders it: NULL after everything else, structs by their fields."""
    match value:
        case None:
            return (1,)
        case dict():
            return (0, [sortable(value[name]) for name in sorted(value)])
        case list():
            return (0, [sortable(each) for each in value])
    return (0, value)


def values(expression: Expression, batch: pa.RecordBatch) -> list[object]:
    result = expression.bind(batch.schema)(batch)
    result.validate(full=True)
    return result.to_pylist()


@pytest.mark.parametrize(("kind", "some"), KINDS, ids=str)
def test_comparisons_and_order(kind, some):
    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.tuples(some, some), min_size=1, max_size=12))
    def check(pairs):
        left, right = (pa.array([pair[side] for pair in [pairs[0], *pairs]], kind) for side in (0, 1))
        batch = pa.record_batch([left, right], ["a", "b"]).slice(1)
        keys = [(sortable(one), sortable(other)) for one, other in pairs]
        known = [one is not None and other is not None for one, other in pairs]
        for sign, holds in (("=", lambda x, y: x == y), ("<", lambda x, y: x < y), (">=", lambda x, y: x >= y)):
            expected = [holds(*key) if there else None for key, there in zip(keys, known, strict=True)]
            assert values(call(sign, col("a"), col("b")), batch) == expected
        assert values(col("a").is_distinct_from(col("b")), batch) == [one != other for one, other in keys]
        words = order_words(batch.column("a"))
        ones = [one for one, _ in keys]
        assert sorted(range(len(ones)), key=lambda row: (ones[row], row)) == sorted(
            range(len(ones)), key=lambda row: (words[row], row)
        )

    check()


def test_casts_of_parts():
    batch = pa.record_batch({"l": [["1", None], None, []], "s": [{"x": 1, "y": "a b"}, None, {"x": None, "y": ""}]})
    assert values(cast(col("l"), pa.list_(pa.int64())), batch) == [[1, None], None, []]
    assert values(cast(col("l"), "text"), batch) == ["{1,NULL}", None, "{}"]
    assert values(cast(col("s"), "text"), batch) == ['(1,"a b")', None, '(,"")']
    assert values(cast(col("s"), JSON), batch) == ['{"x":1,"y":"a b"}', None, '{"x":null,"y":""}']
    assert values(cast(cast(col("s"), JSON), batch.schema.field("s").type), batch) == batch["s"].to_pylist()


def test_json_of_days_and_numbers():
    kind = pa.struct([("day", pa.date32()), ("n", pa.decimal128(5, 2))])
    batch = pa.record_batch({"j": ['{"day": "2024-02-29", "n": 1.5}', None]})
    found = values(cast(cast(col("j"), JSON), kind), batch)
    assert found[0]["day"] == datetime.date(2024, 2, 29)
    assert str(found[0]["n"]) == "1.50"
    assert found[1] is None
