"""Values as text, alone and as JSON, whatever their type."""

import base64
import json
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.values.text import bytes_present, joined, json_text, object_pieces, plain_text, textual

NAN, INFINITY = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("array", "plain", "as_json"),
    [
        (pa.array([1, -2, None]), ["1", "-2", None], ["1", "-2", "null"]),
        (pa.array([True, None]), ["true", None], ["true", "null"]),
        (pa.array([1.0, -0.0, 0.1, 1e20, 1e-7]), ["1.0", "-0.0", "0.1", "1e+20", "1e-7"], None),
        (
            pa.array([NAN, INFINITY, -INFINITY]),
            ["NaN", "Infinity", "-Infinity"],
            ['"NaN"', '"Infinity"', '"-Infinity"'],
        ),
        (pa.array(np.array([1, 2.5], np.float16)), ["1.0", "2.5"], None),
        (pa.array([2.5, None], pa.float32()), ["2.5", None], ["2.5", "null"]),
        (pa.array([Decimal("1.50"), None]), ["1.50", None], ["1.50", "null"]),
        (pa.array(['a"\\\n\x00é', None, ""]), ['a"\\\n\x00é', None, ""], ['"a\\"\\\\\\n\\u0000é"', "null", '""']),
        (pa.array(["a", None], pa.large_string()), ["a", None], ['"a"', "null"]),
        (pa.array(["b", None, "b"]).dictionary_encode(), ["b", None, "b"], ['"b"', "null", '"b"']),
        (pa.array([b"\xff", None]), ["/w==", None], ['"/w=="', "null"]),
        (
            pa.array([datetime(2024, 1, 2, 3, 4, 5, 6)]),
            ["2024-01-02 03:04:05.000006"],
            ['"2024-01-02T03:04:05.000006"'],
        ),
        (
            pa.array([datetime(2024, 1, 2, 3)], pa.timestamp("s", "Europe/Berlin")),
            ["2024-01-02 03:00:00Z"],
            ['"2024-01-02T03:00:00Z"'],
        ),
        (pa.array([date(2024, 1, 2)]), ["2024-01-02"], ['"2024-01-02"']),
        (pa.array([time(1, 2, 3)]), ["01:02:03.000000"], ['"01:02:03.000000"']),
        (pa.array([timedelta(seconds=1)]), ["1000000"], ["1000000"]),
        (pa.nulls(2), [None, None], ["null", "null"]),
        (pa.array([[1], [], None, [None, 2]])[1:], ["[]", None, "[null,2]"], ["[]", "null", "[null,2]"]),
        (pa.array([[1, 2], None], pa.list_(pa.int64(), 2)), ["[1,2]", None], ["[1,2]", "null"]),
        (pa.array([{"a": 1}, {"a": None}, None])[1:], ['{"a":null}', None], ['{"a":null}', "null"]),
        (pa.array([{}], pa.struct([])), ["{}"], ["{}"]),
        (
            pa.array([[("x", 1)], [('k"', 1.5), ("l", None)], [], None], pa.map_(pa.string(), pa.float64()))[1:],
            ['{"k\\"":1.5,"l":null}', "{}", None],
            ['{"k\\"":1.5,"l":null}', "{}", "null"],
        ),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_every_type(array, plain, as_json):
    assert textual(array.type)
    assert plain_text(array).to_pylist() == plain
    assert json_text(array).to_pylist() == (plain if as_json is None else as_json)
    assert json_text(array[:0]).to_pylist() == plain_text(array[:0]).to_pylist() == []


def test_types_without_text():
    union = pa.dense_union([pa.field("a", pa.int8())])
    for kind in (union, pa.list_(union), pa.struct([("a", union)]), pa.map_(pa.list_(pa.int8()), pa.int8())):
        assert not textual(kind)
    assert textual(pa.map_(pa.int8(), pa.list_(pa.int8())))


VALUES = st.recursive(
    st.none() | st.fixed_dictionaries({"s": st.none() | st.text(), "n": st.none() | st.integers(-(2**63), 2**63 - 1)}),
    lambda inner: st.fixed_dictionaries({"s": st.text(), "n": st.none(), "l": st.none() | st.lists(inner, max_size=3)}),
    max_leaves=4,
)


@given(st.lists(st.tuples(st.text(), st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False)), VALUES)))
@settings(max_examples=50, deadline=None)
def test_json_says_what_python_says(rows):
    columns = {
        'te"xt': pa.array([row[0] for row in rows], pa.string()),
        "floats": pa.array([row[1] for row in rows], pa.list_(pa.float64())),
        "nested": pa.array([row[2] for row in rows]),
    }
    pieces = object_pieces(list(columns), list(columns.values()))
    lines = joined([*pieces, "\n"], "null").to_pybytes().decode().split("\n")
    assert lines.pop() == ""
    assert [json.loads(line) for line in lines] == pa.table(columns).to_pylist()


@given(st.lists(st.none() | st.binary()))
@settings(max_examples=30, deadline=None)
def test_bytes_come_back(values):
    text = plain_text(pa.array(values, pa.binary())).to_pylist()
    assert [None if cell is None else base64.b64decode(cell) for cell in text] == values


def test_which_characters_there_are():
    texts = pa.array(["x,y", None, 'a"b', "z\n"])
    assert bytes_present(texts, 'z\n",') == 'z\n",'
    assert bytes_present(texts[:2], 'z\n",') == ","
    assert bytes_present(texts[:0], ",") == bytes_present(pa.array([None], pa.string()), ",") == ""


def test_pieces_are_joined_row_by_row():
    texts = pa.array(["skipped", "a", None])[1:]
    assert joined(["<", texts, ">", texts, "\n"], "N").to_pybytes() == b"<a>a\n<N>N\n"
    assert joined([texts, texts], "", ";").to_pybytes() == b"a;a;"
    assert joined(["<", texts[:0], "\n"], "N").to_pybytes() == b""
