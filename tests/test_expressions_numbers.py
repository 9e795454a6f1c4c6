import math
from decimal import Decimal

import hypothesis.strategies as st
import pyarrow as pa
import pytest
from hypothesis import given, settings

from flow import RowError
from operators.expressions import ExpressionError, call, cast, col, lit
from tests.expressions_for_tests import ROWS, assert_alike, d, duckdb_values, i, j, values, x, y

EDGES = st.sampled_from([0, 1, -1, 2, 7, -7, 2**31 - 1, -(2**31), 2**62, 2**63 - 1, -(2**63)])
INTEGERS = st.one_of(st.none(), EDGES, st.integers(-(2**63), 2**63 - 1))


def quotient(left, right):
    return abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)


EXACT = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": quotient,
    "%": lambda left, right: left - quotient(left, right) * right,
}


@pytest.mark.parametrize("name", EXACT)
@settings(max_examples=60, deadline=None)
@given(pairs=st.lists(st.tuples(INTEGERS, INTEGERS), min_size=1, max_size=4))
def test_whole_numbers_are_exact_or_an_error(name, pairs):
    batch = pa.record_batch(
        [pa.array([left for left, _ in pairs], pa.int64()), pa.array([right for _, right in pairs], pa.int64())],
        ["left", "right"],
    )
    built = call(name, col("left"), col("right"))
    expected, failure = [], None
    for left, right in pairs:
        if left is None or right is None:
            expected.append(None)
        elif name in "/%" and right == 0:
            failure = "division by zero"
        else:
            expected.append(EXACT[name](left, right))
            if not -(2**63) <= expected[-1] < 2**63:
                failure = failure or "out of range"
    if failure is None:
        assert values(built, batch) == expected
    else:
        with pytest.raises(RowError, match=r"division by zero|out of range"):
            values(built, batch)


@settings(max_examples=60, deadline=None)
@given(
    left=st.decimals(-(10**6), 10**6, places=2),
    right=st.decimals(-(10**6), 10**6, places=3),
    name=st.sampled_from(["+", "-", "*", "/", "%"]),
)
def test_decimals_are_exact_and_quotients_rounded(left, right, name):
    batch = pa.record_batch(
        [pa.array([left, None], pa.decimal128(12, 2)), pa.array([right, right], pa.decimal128(14, 3))],
        ["left", "right"],
    )
    built = call(name, col("left"), col("right"))
    if name in "/%" and right == 0:
        with pytest.raises(RowError, match="division by zero"):
            values(built, batch)
        return
    value, null = values(built, batch)
    assert null is None
    match name:
        case "+":
            assert value == left + right
        case "-":
            assert value == left - right
        case "*":
            assert value == left * right
        case "/":
            assert abs(value * right - left) <= abs(right) * Decimal("5.1e-17")
        case "%":
            assert value == left % right


@pytest.mark.parametrize(
    "built",
    [
        i + j,
        i - j,
        i * 3,
        x + y,
        x - i,
        x * y,
        x / 2,
        d + 1,
        d - Decimal("0.005"),
        d * d,
        d * 2,
        d + x,
        i % 3,
        i % j,
        -i,
        -x,
        -d,
        call("abs", i),
        call("abs", x),
        call("abs", d),
        call("ceil", x),
        call("floor", x),
        call("round_even", x, 0),
        call("round", y * 1.115, 2),
        call("round", d, 1),
        call("round", d),
        call("ceil", d),
        call("floor", d),
        call("trunc", x),
        call("sqrt", call("abs", y)),
        call("cbrt", x),
        call("exp", y),
        call("ln", j),
        call("log", j),
        call("log", 2, j),
        call("log2", j),
        call("power", i, 2),
        call("power", y, 3),
        call("sin", y),
        call("cos", y),
        call("tan", y),
        call("asin", y / 10),
        call("acos", y / 10),
        call("atan", x),
        call("atan2", x, y),
        call("sinh", y),
        call("cosh", y),
        call("tanh", y),
        call("degrees", y),
        call("radians", y),
        call("pi"),
        call("&", i, 6),
        call("|", i, 6),
        call("xor", i, 6),
        call("<<", call("abs", i), 2),
        call(">>", call("abs", i), 1),
        call("isnan", x),
        call("greatest", i, j),
        call("greatest", x, y, 1),
        call("least", x, y),
        call("nullif", i, 7),
        call("nullif", x, y),
        call("mod", i, 4),
    ],
    ids=str,
)
def test_numbers_agree_with_duckdb(built):
    sql = str(built)
    for name, operator in (("&", "&"), ("|", "|"), ("<<", "<<"), (">>", ">>")):
        if sql.startswith(f"{name}("):
            left, right = sql[len(name) + 1 : -1].rsplit(", ", 1)
            sql = f"({left}) {operator} {right}"
    assert_alike(values(built), duckdb_values(sql))


@pytest.mark.parametrize(
    ("built", "expected"),
    [
        (lit(7) / 2, 3),
        (lit(-7) / 2, -3),
        (lit(-7) % 4, -3),
        (lit(7) % -4, 3),
        (lit(-(2**63), "bigint") % -1, 0),
        (lit(7.5) % 2, 1.5),
        (lit(-7) // 2, -3),
        (call("div", Decimal("9.0"), 4), Decimal("2")),
        (lit(2**63) - 1, Decimal(2**63 - 1)),
        (call("div", 9.0, 4), 2.0),
        (lit(Decimal("1")) / 3, Decimal("0.3333333333333333")),
        (lit(Decimal("2")) / 3, Decimal("0.6666666666666667")),
        (lit(Decimal("-7.50")) % 2, Decimal("-1.50")),
        (lit(1) / Decimal("4"), Decimal("0.25")),
        (call("round", 2.5), 2.0),
        (call("round", -3.5), -4.0),
        (call("round", Decimal("-2.5")), Decimal("-3")),
        (call("round", 1234, -2), 1200),
        (call("round", Decimal("9.99"), 1), Decimal("10.0")),
        (call("round", Decimal("1250.5"), -2), Decimal("1300")),
        (call("trunc", 42.4382, 2), 42.43),
        (call("trunc", Decimal("-42.4382"), 2), Decimal("-42.43")),
        (call("ceil", Decimal("9.01")), Decimal("10")),
        (call("ceil", 5), 5),
        (call("sign", -8.4), -1.0),
        (call("sign", -8), -1),
        (call("log", 100.0), 2.0),
        (call("^", 2, 10), 1024.0),
        (call("~", 1), -2),
        (lit("5") + lit(3, "integer"), 8),
        (lit("0.5") * lit(3.0), 1.5),
        (lit(None) + 1, None),
        (call("abs", None), None),
        (lit(2**63 - 1) + Decimal("1"), Decimal(2**63)),
        (cast(2**63, "uint64") + cast(1, "uint64"), 2**63 + 1),
        (cast(2**63, "uint64") > cast(-1, "bigint"), True),
        (cast(2**63, "uint64") > 5, True),
    ],
    ids=str,
)
def test_numbers_agree_with_postgresql(built, expected):
    # The type counts too: 3 is no 3.0.
    assert [(value, type(value)) for value in values(built)] == [(expected, type(expected))] * ROWS.num_rows


@pytest.mark.parametrize(
    ("built", "message"),
    [
        (i / 0, "i / 0: division by zero"),
        (x / 0, "x / 0: division by zero"),
        (x / 0.0, "division by zero"),
        (d / 0, "division by zero"),
        (i % 0, "division by zero"),
        (x % 0, "division by zero"),
        (d % 0, "division by zero"),
        (i // 0, "division by zero"),
        (lit(1) / (i - i), "1 / .i - i.: division by zero"),
        (i * (2**31 - 1), "out of range"),
        (-lit(-(2**31), "integer"), "out of range"),
        (call("abs", lit(-(2**63), "bigint")), "out of range"),
        (call("sqrt", -1.0), "square root of negative number"),
        (call("ln", 0), "logarithm of zero"),
        (call("power", 0, -1), "zero raised to a negative power is undefined"),
        (call("power", -8, 0.5), "complex result"),
        (lit(Decimal("9" * 38)) + lit(Decimal("9" * 38)), "decimal|Decimal|precision"),
    ],
    ids=str,
)
def test_what_cannot_be_computed_is_an_error_that_names_the_expression(built, message):
    with pytest.raises(RowError, match=message):
        values(built)


def test_a_division_of_null_by_zero_is_null():
    assert values(cast(None, "bigint") / 0) == [None] * 5
    assert values((col("i") - col("i")).cast("bigint") * None) == [None] * 5


def test_a_scale_that_no_decimal_has_is_refused():
    with pytest.raises(ExpressionError, match="scale 40 does not fit"):
        (cast(d, "decimal(30, 20)") * cast(d, "decimal(30, 20)")).bind(ROWS.schema)


def test_decimals_too_wide_to_divide_exactly_are_divided_as_doubles():
    built = cast(d, "decimal(38, 10)") / cast(d, "decimal(38, 10)")
    assert built.bind(ROWS.schema).type == pa.float64()
    assert values(built, ROWS.slice(0, 2)) == [1.0, 1.0]


@pytest.mark.parametrize("name", ["=", "<>", "<", "<=", ">", ">=", "is distinct from", "is not distinct from"])
@pytest.mark.parametrize(
    ("left", "right"),
    [
        (x, y),
        (x, 1.5),
        (x, math.nan),
        (math.nan, x),
        (x, math.inf),
        (0.5, y),
        (i, j),
        (i, x),
        (d, 1),
        (d, x),
        (col("b"), col("c")),
        (col("s"), col("e")),
        (col("day"), col("t")),
        (i, None),
    ],
    ids=str,
)
def test_comparisons_agree_with_duckdb(name, left, right):
    sql = str(call(name, left, right)).replace("nan", "'nan'::double").replace("inf", "'inf'::double")
    assert_alike(values(call(name, left, right)), duckdb_values(sql))


@pytest.mark.parametrize(
    "built",
    [
        col("b") & col("c"),
        col("b") | col("c"),
        ~col("b"),
        col("b") & None,
        col("b") | True,
        col("b").is_null(),
        col("b").is_not_null(),
        call("is true", col("b")),
        call("is not true", col("b")),
        call("is false", col("b")),
        call("is not false", col("b")),
        i.is_in([7, 2]),
        i.is_in([7, None]),
        ~i.is_in([7, None]),
        i.is_in([7, 2.5]),
        x.is_in([1.5, -2.5]),
        d.is_in([Decimal("9.990"), 0]),
        i.is_in([j, 0]),
        i.between(-7, 2),
        x.between(0, y),
    ],
    ids=str,
)
def test_three_valued_logic_agrees_with_duckdb(built):
    assert_alike(values(built), duckdb_values(str(built)))


def test_nan_is_in_a_list_that_has_it():
    assert values(x.is_in([math.nan])) == [False, False, True, None, False]
