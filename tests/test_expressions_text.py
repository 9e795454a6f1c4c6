import pytest

from flow import RowError
from operators.expressions import ExpressionError, call, col, lit
from tests.expressions_for_tests import ROWS, assert_alike, duckdb_values, e, i, j, l, s, values

TEXTS = [s, e, lit("Penstock")]


@pytest.mark.parametrize("name", ["lower", "upper", "length", "trim", "ltrim", "rtrim", "reverse"])
@pytest.mark.parametrize("text", TEXTS, ids=str)
def test_functions_of_one_text(name, text):
    built = call(name, text)
    assert_alike(values(built), duckdb_values(str(built)))


@pytest.mark.parametrize(
    "built",
    [
        call("trim", s, "a,"),
        call("ltrim", s, "a"),
        call("rtrim", s, "ec"),
        call("substring", s, 2),
        call("substring", s, 2, 2),
        call("substring", s, j),
        call("left", s, 3),
        call("left", s, -2),
        call("left", s, i),
        call("right", s, 2),
        call("right", s, -2),
        call("right", s, 0),
        call("replace", s, "p", "<>"),
        call("replace", s, e, "."),
        call("concat", s, "-", e, i),
        call("concat_ws", "-", s, e),
        call("concat_ws", "-", None, e),
        call("concat_ws", e, s, "z"),
        call("||", s, e),
        call("||", s, lit("!")),
        call("lpad", s, 8, "*"),
        call("lpad", s, 3, "*"),
        call("lpad", s, 8, "xyz"),
        call("rpad", s, 8, "xyz"),
        call("strpos", s, "p"),
        call("strpos", s, "r"),
        call("strpos", s, ""),
        call("strpos", s, e),
        call("starts_with", s, "a"),
        call("ends_with", s, "e"),
        call("contains", s, ","),
        call("contains", s, e),
        call("repeat", s, 2),
        call("repeat", s, i),
        call("split_part", s, ",", 1),
        call("split_part", s, ",", 3),
        call("split_part", s, ",", 9),
        call("split_part", s, ",", -1),
        s.like("a%"),
        s.like("%p%e"),
        s.like("_ubr"),
        s.ilike("A%"),
        s.ilike("ż%"),
        s.like(e),
        call("like", s, "a!,%", "!"),
        call("regexp_replace", s, "[a-m]", "_"),
        call("regexp_replace", s, "[a-m]", "_", "g"),
        call("regexp_replace", s, "(p+)", r"<\1>"),
        call("regexp_replace", s, "P", "_", "gi"),
        s.is_in(["apple", "pear"]),
        s == "apple",
        s > e,
        call("greatest", s, e),
        call("least", s, e, "b"),
        call("nullif", s, "apple"),
    ],
    ids=str,
)
def test_functions_of_text_agree_with_duckdb(built):
    sql = str(built).replace("like(s, 'a!,%', '!')", "s LIKE 'a!,%' ESCAPE '!'")
    assert_alike(values(built), duckdb_values(sql))


@pytest.mark.parametrize(
    ("built", "expected"),
    [
        # Where DuckDB is not PostgreSQL.
        (call("substring", lit("alphabet"), -1, 4), "al"),
        (call("substring", lit("alphabet"), 0), "alphabet"),
        (call("substring", lit("alphabet"), 100, 2), ""),
        (call("lpad", lit("hi"), 5), "   hi"),
        (call("rpad", lit("hi"), 5), "hi   "),
        (call("lpad", lit("hi"), -1), ""),
        (call("lpad", lit("hi"), 5, ""), "hi"),
        (call("repeat", lit("ab"), -3), ""),
        (call("initcap", lit("hi THOMAS")), "Hi Thomas"),
        (call("octet_length", lit("jösé")), 6),
        (call("char_length", lit("jösé")), 4),
        (call("replace", lit("abc"), "", "x"), "abc"),
        (call("split_part", lit("abc"), "", 1), "abc"),
        (call("split_part", lit("abc"), "", 2), ""),
        (call("concat", None, None), ""),
        (call("concat_ws", ",", None, None), ""),
        (call("concat_ws", None, "a"), None),
        (call("||", "a", None), None),
        (call("||", "n = ", 42), "n = 42"),
        (call("~", "Thomas", "^t"), False),
        (call("~*", "Thomas", "^t"), True),
        (call("regexp_like", "Hello World", "world$", "i"), True),
        (call("regexp_like", "a\nb", "a.b"), True),
        (call("regexp_replace", lit("foobarbaz"), "b(..)", r"X\1Y", "g"), "fooXarYXazY"),
        (call("regexp_replace", lit("abc"), "b", r"[\&]"), "a[b]c"),
        (call("like", "50%", "50!%", "!"), True),
        (call("ilike", "50X", "50!%", "!"), False),
        (call("like", "a\nb", "a%b"), True),
        (call("length", lit("")), 0),
        (call("lower", None), None),
    ],
    ids=str,
)
def test_functions_of_text_agree_with_postgresql(built, expected):
    assert values(built) == [expected] * ROWS.num_rows


@pytest.mark.parametrize(
    ("built", "message"),
    [
        (call("substring", s, 1, -1), "negative substring length not allowed"),
        (call("split_part", s, ",", 0), "field position must not be zero"),
        (call("like", s, "a", "ab"), "an escape string must be empty or one character"),
    ],
    ids=str,
)
def test_what_text_functions_refuse(built, message):
    with pytest.raises(RowError, match=message):
        values(built)


def test_text_functions_do_not_take_numbers():
    with pytest.raises(ExpressionError, match=r"lower\(i\): 'lower' does not take \(INTEGER\)"):
        call("lower", i).bind(ROWS.schema)


@pytest.mark.parametrize(
    ("built", "expected"),
    [
        (call("length", l), [3, 0, None, 1, 2]),
        (call("cardinality", l), [3, 0, None, 1, 2]),
        (call("list_element", l, 1), [1, None, None, 4, None]),
        (call("list_element", l, -1), [3, None, None, 4, 5]),
        (call("list_element", l, j), [2, None, None, None, None]),
        (call("list_element", l, 0), [None] * 5),
    ],
    ids=str,
)
def test_functions_of_lists(built, expected):
    assert values(built) == expected


def test_many_different_parameters_are_one_call_each():
    assert values(call("left", lit("abcdef"), col("j"))) == ["ab", "ab", "abc", "abcd", None]
