import datetime
import pickle
from decimal import Decimal

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet
import pytest

from flow import GraphError, RowError
from operators.expressions import (
    Call,
    Case,
    Column,
    Expression,
    ExpressionError,
    InList,
    Literal,
    bind_condition,
    call,
    case,
    cast,
    coalesce,
    col,
    expression,
    functions,
    lit,
    type_named,
)
from tests.expressions_for_tests import ROWS, assert_alike, d, duckdb_values, e, i, j, s, t, values, x, y


@attrs.frozen
class Description:
    kept: Expression = attrs.field(converter=expression)


def test_double_equals_builds_a_comparison_and_nodes_compare_by_structure():
    assert str(col("x") == 3) == "x = 3"
    assert (col("x") == 3).plain() == Call("=", (Column("x"), Literal(3)))
    assert (col("x") == 3).same(col("x") == 3)
    assert not (col("x") == 3).same(col("x") == 4)
    assert hash(col("x") + 1) == hash((col("x") + 1).plain())


def test_descriptions_that_keep_expressions_compare_hash_print_and_pickle():
    one, other = Description(col("x") > 1), Description(col("x") > 1)
    assert one == other
    assert one != Description(col("x") > 2)
    assert len({one, other}) == 1
    assert pickle.loads(pickle.dumps(one)) == one
    assert (
        repr(one) == "Description(kept=Call(function='>', arguments=(Column(name='x'), Literal(value=1, type=None))))"
    )
    assert Description("x") == Description(col("x"))


@pytest.mark.parametrize(("one", "other"), [(1, 1.0), (1, True), (0, False), ("1", 1)])
def test_literals_of_different_python_types_differ(one, other):
    assert Literal(one) != Literal(other)


def test_nan_literals_are_the_same():
    assert Literal(float("nan")) == Literal(float("nan"))


@pytest.mark.parametrize("misuse", [bool, lambda each: each and True, lambda each: 1 < each < 3, list])
def test_using_an_expression_as_a_truth_value_says_what_to_write(misuse):
    with pytest.raises(ExpressionError, match=r"join conditions with & \| ~|cannot be iterated"):
        misuse(col("x"))


@pytest.mark.parametrize(
    ("built", "text"),
    [
        (col("a") + 1 * col("b"), "a + (1 * b)"),
        (~(col("a") == 1) & col("b").is_null(), "(NOT (a = 1)) AND (b IS NULL)"),
        (-col("a"), "-a"),
        (col("odd name"), '"odd name"'),
        (lit("it's"), "'it''s'"),
        (lit(None), "NULL"),
        (lit(True), "TRUE"),
        (case([(col("a") > 1, "x")], "y"), "CASE WHEN a > 1 THEN 'x' ELSE 'y' END"),
        (case([(col("a") > 1, "x")]), "CASE WHEN a > 1 THEN 'x' END"),
        (col("a").is_in([1, 2]), "a IN (1, 2)"),
        (col("a").cast("bigint"), "CAST(a AS BIGINT)"),
        (col("a").try_cast("decimal(10, 2)"), "TRY_CAST(a AS DECIMAL(10, 2))"),
        (col("a").field("b"), "a.b"),
        (call("SUBSTRING", col("a"), 1), "substring(a, 1)"),
        (col("a").between(1, 2), "(a >= 1) AND (a <= 2)"),
        (lit(pa.MonthDayNano([1, 2, 1_500_000_000])), "INTERVAL '1 month 2 days 1.5 seconds'"),
        (call("is_not_distinct_from", col("a"), 1), "a IS NOT DISTINCT FROM 1"),
        (col("a") // 2 % 3, "div(a, 2) % 3"),
    ],
)
def test_expressions_print_as_sql(built, text):
    assert str(built) == text


def test_columns_are_those_that_are_read():
    built = (
        case([(col("a") > 1, col("b"))], coalesce(col("c").field("z"), col("d"))).cast("text").is_in(["e", col("f")])
    )
    assert built.columns == {"a", "b", "c", "d", "f"}
    assert lit(1).columns == frozenset()


@pytest.mark.parametrize(
    ("built", "message"),
    [
        (col("prise"), r"no column 'prise'; known here: \['price', 'symbol'\]; did you mean 'price'\?"),
        (call("lowr", col("symbol")), r"lowr\(symbol\): no function 'lowr'; .*did you mean 'lower'\?"),
        (col("symbol") + col("price"), r"symbol \+ price: '\+' does not take \(TEXT, DOUBLE\); known here: "),
        (case([(col("price"), 1)]), r"price: a condition must be a boolean, and this has type DOUBLE"),
        (case([(col("price") > 1, col("symbol"))], col("price")), r"types that do not meet: \['TEXT', 'DOUBLE'\]"),
        (col("price").cast("interval"), r"DOUBLE cannot be cast to INTERVAL"),
        (col("price").field("a"), r"price has type DOUBLE; only structs have fields"),
        (col("price") > "cheap", r"price > 'cheap': 'cheap' is no DOUBLE"),
        (col("price").is_in([]), r"the list is empty"),
        (call("extract", "fortnight", lit(datetime.date(2024, 1, 1))), r"no unit 'fortnight'; known here: "),
        (lit(object()), r"is no value"),
    ],
)
def test_what_does_not_fit_is_refused_before_it_runs(built, message):
    schema = pa.schema([("price", pa.float64()), ("symbol", pa.string())])
    with pytest.raises(ExpressionError, match=message) as caught:
        built.bind(schema)
    assert isinstance(caught.value, GraphError)


def test_an_unknown_type_name_is_refused_with_the_nearest():
    with pytest.raises(ExpressionError, match=r"no type 'bigintt'.*did you mean 'bigint'"):
        cast(col("x"), "bigintt")


def test_a_case_needs_a_branch():
    with pytest.raises(ExpressionError, match="at least one branch"):
        case([])


@pytest.mark.parametrize(
    ("built", "kind"),
    [
        (i + 1, pa.int32()),
        (i + 2**40, pa.int64()),
        (i + j, pa.int64()),
        (lit(1) + 1, pa.int64()),
        (j + x, pa.float64()),
        (d + 1, pa.decimal128(4, 2)),
        (d * d, pa.decimal128(6, 4)),
        (d + x, pa.float64()),
        (d + Decimal("0.001"), pa.decimal128(5, 3)),
        (cast(i, "real") + cast(i, "real"), pa.float32()),
        (cast(i, "real") + 1, pa.float64()),
        (cast(i, "uint8") + cast(i, "tinyint"), pa.int16()),
        (t > "2024-01-01", pa.bool_()),
        (coalesce(i, x), pa.float64()),
        (coalesce(None, i), pa.int32()),
        (e, pa.dictionary(pa.int32(), pa.string())),
        (call("lower", e), pa.string()),
        (lit(None), pa.null()),
        (lit("a"), pa.string()),
        (lit(5), pa.int64()),
        (lit(Decimal("1.50")), pa.decimal128(3, 2)),
        (lit(5, "smallint"), pa.int16()),
        (lit(np.float32(1.5)), pa.float64()),
    ],
)
def test_types_of_results(built, kind):
    assert built.bind(ROWS.schema).type == kind


def test_a_branch_is_computed_only_for_the_rows_that_take_it():
    built = case([(i != 0, 10 / i)], -1)
    assert values(built) == [1, -1, -1, -1, 5]
    with pytest.raises(RowError, match="10 / i: division by zero"):
        values(10 / i)


def test_a_condition_is_computed_only_for_the_rows_that_earlier_branches_leave():
    assert values(case([(i == 0, "none"), (10 / i > 0, "up")], "down")) == ["up", "down", "none", "down", "up"]


def test_coalesce_computes_later_values_only_where_earlier_ones_are_null():
    assert values(coalesce(i, lit(1) / (j - 4) * 0 + 9, 5), ROWS.slice(0, 3)) == [7, -7, 0]
    with pytest.raises(RowError, match="division by zero"):
        values(coalesce(i, lit(1) / (j - 4)))


def test_a_constant_that_fails_does_so_only_where_it_is_needed():
    assert values(case([(i > 100, lit(1) / 0)], 0)) == [0] * 5


@pytest.mark.parametrize(
    "built",
    [
        case([(i > 0, i), (x > 0, j)], 0),
        case([(i > 0, s)], "none"),
        coalesce(i, j, 0),
        coalesce(s, e, "none"),
        case([(i.is_null(), 1 / (j - 3)), (j > 2, i * j)], 10 % j),
    ],
)
def test_conditional_expressions_agree_with_duckdb(built):
    # DuckDB's / is not PostgreSQL's; // is.
    assert_alike(values(built), duckdb_values(str(built).replace("/", "//")))


def test_a_column_stays_dictionary_encoded_and_results_are_plain():
    column = e.bind(ROWS.schema)(ROWS)
    assert column.type == pa.dictionary(pa.int32(), pa.string())
    assert column.equals(ROWS.column("e"))
    assert values(call("upper", e)) == ["X", "Y", "X", None, "APPLE"]


@pytest.mark.parametrize(
    ("built", "expected"),
    [
        (e == "x", [True, False, True, None, False]),
        (e == s, [False, False, False, None, False]),
        (e.is_in(["x", "apple"]), [True, False, True, None, True]),
        (e.is_null(), [False, False, False, True, False]),
        (coalesce(e, "none"), ["x", "y", "x", "none", "apple"]),
        (call("concat", e, "!"), ["x!", "y!", "x!", "!", "apple!"]),
        (call("length", call("upper", e)), [1, 1, 1, None, 5]),
        (e.like("_"), [True, True, True, None, False]),
        (case([(e == "x", e)]), ["x", None, "x", None, None]),
        (call("nullif", e, "x"), [None, "y", None, None, "apple"]),
        (call("greatest", e, "w"), ["x", "y", "x", "w", "w"]),
        (cast(e, "text"), ["x", "y", "x", None, "apple"]),
    ],
)
def test_dictionaries_work_wherever_text_does(built, expected):
    long = pa.concat_batches([ROWS] * 3)
    assert values(built) == expected
    assert values(built, long) == expected * 3
    assert values(built, long.slice(5, 5)) == expected


def test_a_dictionary_value_that_no_row_has_may_be_one_that_fails():
    column = pa.DictionaryArray.from_arrays(pa.array([0, 0, 0, None], pa.int8()), pa.array(["5", "five"]))
    batch = pa.record_batch({"k": column})
    assert values(cast(col("k"), "bigint") + 1, batch) == [6, 6, 6, None]
    column = pa.DictionaryArray.from_arrays(pa.array([0, 0, 0, None], pa.int8()), pa.array([5, 0]))
    assert values(10 / col("k"), pa.record_batch({"k": column})) == [2, 2, 2, None]


def test_dictionaries_of_other_values_work_too():
    batch = pa.record_batch({"k": pa.array([1, 2, None, 1]).dictionary_encode(), "m": [1, 1, 1, 1]})
    assert values(col("k") + col("m"), batch) == [2, 3, None, 2]
    assert values(col("k") > 1, batch) == [False, True, None, False]


@pytest.mark.parametrize("kind", [pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.large_string())])
def test_all_kinds_of_text_are_text(kind):
    batch = pa.record_batch({"k": pa.array(["a", "b", None]).cast(pa.large_string()).cast(kind)})
    assert values(call("upper", col("k")), batch) == ["A", "B", None]
    assert values(col("k") == "a", batch) == [True, False, None]


@pytest.mark.parametrize("built", [i + 1, lit(5), e == "x", case([(i > 0, 1 / i)], 0), call("left", s, i), x > 1])
def test_no_rows_give_no_values(built):
    assert values(built, ROWS.slice(0, 0)) == []


def test_evaluation_respects_slices():
    assert values(i * 2, ROWS.slice(1, 2)) == [-14, 0]
    assert values(call("list_element", col("l"), 1), ROWS.slice(3, 2)) == [4, None]


def test_fields_of_structs():
    batch = pa.record_batch({"p": pa.array([{"a": 1, "b": {"c": "z"}}, None, {"a": None, "b": None}])})
    assert values(col("p").field("a") + 1, batch) == [2, None, None]
    assert values(col("p").field("b").field("c"), batch) == ["z", None, None]
    with pytest.raises(ExpressionError, match=r"p.q: no field 'q'; known here: \['a', 'b'\]"):
        col("p").field("q").bind(batch.schema)


def test_a_condition_must_be_boolean():
    assert bind_condition((x > 1).plain(), ROWS.schema).type == pa.bool_()
    assert values(lit(None)) == [None] * 5
    with pytest.raises(ExpressionError, match="a condition must be a boolean, and this has type INTEGER"):
        bind_condition(i.plain(), ROWS.schema)


def test_every_function_says_its_signatures_when_misused():
    of_anything = {"array", "concat", "concat_ws", "hash", "json_build_array", "jsonb_build_array", "list_value"}
    of_anything |= {"num_nonnulls", "num_nulls", "row", "greatest", "least", "greatest_or_null", "least_or_null"}
    for name in set(functions()) - of_anything:
        with pytest.raises(ExpressionError, match="does not take"):
            Call(name, [Column("l")] * 9).bind(pa.schema([("l", pa.map_(pa.string(), pa.int64()))]))


@pytest.mark.parametrize(
    ("name", "kind"),
    [("BIGINT", pa.int64()), ("numeric(5,2)", pa.decimal128(5, 2)), ("timestamptz", pa.timestamp("us", "UTC"))],
)
def test_types_by_name(name, kind):
    assert type_named(name) == kind
    assert type_named(kind) == kind


STORED = pa.record_batch(
    {
        "n": pa.array([1, 5, None, 9], pa.int32()),
        "f": pa.array([1.0, float("nan"), None, 9.0]),
        "k": pa.array(["a", "b", None, "c"]),
        "at": pa.array([datetime.datetime(2024, 1, day) for day in (1, 2, 3, 4)], pa.timestamp("ms")),
    }
)


@pytest.mark.parametrize(
    ("built", "pushed"),
    [
        (col("n") > 3, True),
        (col("n") >= 5, True),
        (col("n") > 3.5, False),
        (col("f") > 3.0, False),
        (col("f") < 3, True),
        (~(col("f") < 3), False),
        (col("k") == "a", True),
        (col("k") != "a", True),
        (~(col("k") == "a"), True),
        (col("at") >= "2024-01-03", True),
        (col("at") > datetime.datetime(2024, 1, 2, 0, 0, 0, 1), False),
        (col("at") > datetime.date(2024, 1, 2), True),
        (col("k").is_in(["a", "c"]), True),
        (col("k").is_in(["a", None]), False),
        (col("n").is_null() | (col("n") > 5), True),
        ((col("n") > 3) & (col("f") > 1.0), True),
        ((col("n") > 3) | (col("f") > 1.0), False),
        (~((col("n") > 3) & (col("f") > 1.0)), False),
        (call("lower", col("k")) == "a", False),
        (col("n") == col("n"), False),
        (lit(True), False),
        (col("n") == None, False),  # noqa: E711
    ],
)
def test_what_is_passed_to_readers_keeps_every_row_that_counts(built, pushed, tmp_path):
    hint = built.to_arrow(STORED.schema)
    assert (hint is not None) == pushed
    if hint is None:
        return
    wanted = bind_condition(built.plain(), STORED.schema)(STORED).to_pylist()
    table = pa.Table.from_batches([STORED])
    kept = set(table.append_column("row", pa.array(range(4))).filter(hint)["row"].to_pylist())
    assert {row for row, value in enumerate(wanted) if value} <= kept
    # One row a row group: what a reader would skip by statistics alone.
    pa.parquet.write_table(table.append_column("row", pa.array(range(4))), tmp_path / "p.parquet", row_group_size=1)
    (fragment,) = ds.dataset(tmp_path / "p.parquet").get_fragments()
    read = {group.row_groups[0].id for group in fragment.split_by_row_group(hint)}
    assert {row for row, value in enumerate(wanted) if value} <= read


def test_without_the_types_only_what_is_right_for_every_type_is_passed_on():
    assert (col("k") == "a").to_arrow().equals(pc.field("k") == "a")
    assert (col("n") > 3).to_arrow() is None
    assert col("n").is_not_null().to_arrow().equals(pc.field("n").is_valid())


def test_in_lists_of_expressions_are_comparisons():
    assert values(i.is_in([j * 3 + 1, 0])) == [True, False, True, None, None]
    assert str(InList(i, [j])) == "i IN (j)"


def test_nodes_take_expressions_as_people_write_them():
    assert Case([(col("a") > 1, 2)], 3) == case([(col("a") > 1, 2)], 3).plain()
    assert values(Call("+", (y, 1)))[0] == 1.5
