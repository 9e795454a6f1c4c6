"""Functions of text, bytes and patterns over awkward values: as DuckDB has them, or Python, or PostgreSQL."""

import hashlib
import re

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow import RowError, StreamSchema
from operators.expressions import ExpressionError, call, cast, col
from operators.sql.grammar.dialect import Text, parse
from operators.sql.plan.nodes import Project, Scan
from operators.sql.planning.planner import plan_query

TEXTS = [
    "apple", "Żubr", "", None, "a,b,,c", "hello world", "  two  ", "x1y22z333", "Ärger über\nZeilen", "aaa", "a%b_c",
    "O'Reilly", "日本語テキスト", "😀 smile", "tab\there", "a.b.c", "foobarbequebaz", None, "ÀÉ", "back\\slash",
]  # fmt: skip
OTHERS = ["a", "u", "", "x", ",", "o", None, "2", "e", "aa", "b", "'", "語", "😀", "\t", ".", "ba", "q", "É", "\\"]
NUMBERS = [1, -2, 0, 3, 2, 5, None, 4, -1, 2, 3, -3, 2, 1, 4, 2, 6, 1, 1, 5]
ROWS = pa.record_batch({"s": TEXTS, "o": OTHERS, "n": pa.array(NUMBERS, pa.int64())}).slice(1, 18)
S = col("s")


def evaluated(query: str, batch: pa.RecordBatch = ROWS, dialect: str = "postgres") -> list[object]:
    """The values of an expression of SQL over a batch."""
    text = Text(f"SELECT {query} AS value FROM rows")
    (tree,) = parse(text, dialect)
    plan = plan_query(text, tree, {"rows": Scan("rows", StreamSchema(batch.schema))})
    assert isinstance(plan, Project)
    bound = plan.columns[0][1].bind(batch.schema)
    result = bound(batch)
    result.validate(full=True)
    assert result.type == bound.type
    return result.to_pylist()


def of_duckdb(query: str, batch: pa.RecordBatch = ROWS) -> list[object]:
    with duckdb.connect() as connection:
        connection.register("rows", pa.Table.from_batches([batch]))
        return [row[0] for row in connection.execute(f"SELECT {query} FROM rows").fetchall()]


@pytest.mark.parametrize(
    "query",
    [
        "upper(s)", "lower(s)", "reverse(s)", "length(s)", "bit_length(s)", "strlen(s)",
        "left(s, n)", "right(s, n)", "repeat(s, n)", "replace(s, o, '-')", "replace(s, o, o || o)",
        "translate(s, 'aeo', 'AE')", "strip_accents(s)", "ascii(nullif(s, ''))", "contains(s, o)",
        "starts_with(s, o)",
        "s ^@ o", "ends_with(s, o)", "strpos(s, o)", "position(o IN s)", "lpad(s, 9, '*+')", "rpad(s, 4, '*')",
        "ltrim(s, 'a ')", "rtrim(s, 'e ')", "trim(s)", "trim(s, 'abc')", "concat(s, o, n)", "concat_ws('-', s, o, n)",
        "s || o",
        "split_part(s, ',', 2)", "split_part(s, 'a', -1)", "md5(s)", "sha1(s)",
        "sha256(s)",
        "url_encode(s)",
        "url_decode(url_encode(s))", "to_base64(encode(s))", "hex(s)", "unhex(hex(s))",
        "from_base64(base64(encode(s)))",
        "decode(encode(s))", "octet_length(encode(s))", "printf('%s-%d', s, n)", "greatest(s, o)", "least(s, o, 'm')",
        "nullif(s, o)", "coalesce(s, o, '?')", "s LIKE '%a%'", "s LIKE '_u%'", "s LIKE '%!%%' ESCAPE '!'",
        "s ILIKE 'À%'", "s NOT LIKE o || '%'", "s NOT ILIKE '%e'", "s SIMILAR TO '[a-z]+'", "s < o", "s >= 'b'",
        "regexp_matches(s, 'a|b')", "regexp_matches(s, '^[a-z]+$')", "regexp_matches(s, 'E', 'i')",
        "regexp_full_match(s, '[a-z ]+')", "regexp_replace(s, '[aeiou]', '<\\0>')".replace("\\0", ""),
        "regexp_replace(s, '([aeiou])(.)', '\\2\\1', 'g')", "regexp_replace(s, '^', '>')",
        "regexp_extract(s, '[a-z]+')", "regexp_extract(s, '([a-z])([a-z0-9]+)', 2)",
        "regexp_extract_all(s, '[a-z]')",
        "regexp_extract_all(s, '([a-z])([0-9]+)', 2)", "string_split_regex(s, '[, ]+')", "string_split(s, ',')",
        "string_split(s, coalesce(o, ''))", "array_to_string(string_split(s, 'a'), '+')",
        "s IN ('apple', o)", "if(n > 1, s, o)",
    ],
)  # fmt: skip
def test_as_duckdb(query: str) -> None:
    assert evaluated(query, dialect="duckdb") == of_duckdb(query)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("overlay(s PLACING o FROM 2 FOR 1)", lambda s, o, n: s[:1] + o + s[2:]),
        ("overlay(s PLACING o FROM 3)", lambda s, o, n: s[:2] + o + s[2 + len(o) :]),
        ("initcap(s)", lambda s, o, n: re.sub(r"[^\W_]+", lambda word: word[0][0].upper() + word[0][1:].lower(), s)),
        ("string_to_array(s, ',')", lambda s, o, n: s.split(",") if s else []),
        ("string_to_array(s, NULL)", lambda s, o, n: list(s)),
        ("string_to_array(s, 'a', '')", lambda s, o, n: [part or None for part in s.split("a")] if s else []),
        ("quote_literal(s)", lambda s, o, n: quoted(s)),
        ("format('%s|%3$s|%2$s', s, o, n)", lambda s, o, n: f"{s}|{n}|{o}"),
        ("format('%6s|%-6s|%%', s, n)", lambda s, o, n: f"{s:>6}|{n:<6}|%"),
        ("regexp_count(s, '[a-z]')", lambda s, o, n: len(re.findall("[a-z]", s))),
        ("regexp_count(s, '[a-z]+', 2)", lambda s, o, n: len(re.findall("[a-z]+", s[1:]))),
        ("regexp_instr(s, '[aeiou].')", lambda s, o, n: found(re.search("(?s)[aeiou].", s), 1)),
        ("regexp_instr(s, '[aeiou]', 2, 1, 1)", lambda s, o, n: found(re.search("[aeiou]", s[1:]), 2, end=True)),
        ("regexp_substr(s, '[a-z]', 1, 2)", lambda s, o, n: (re.findall("[a-z]", s)[1:2] or [None])[0]),
        ("regexp_match(s, '([a-z])(,)?')", lambda s, o, n: groups(re.search("([a-z])(,)?", s))),
        ("regexp_matches(s, '[a-z](.)', 'g')", lambda s, o, n: [[each] for each in re.findall("(?s)[a-z](.)", s)]),
        ("regexp_split_to_array(s, '[, ]')", lambda s, o, n: re.split("[, ]", s)),
        ("regexp_replace(s, '[a-z]', '<\\&>', 1, 2)", lambda s, o, n: second(s)),
        ("encode(convert_to(s, 'UTF8'), 'hex')", lambda s, o, n: s.encode().hex()),
        ("sha256(convert_to(s, 'UTF8'))", lambda s, o, n: hashlib.sha256(s.encode()).digest()),
        ("substring(convert_to(s, 'UTF8') FROM 2 FOR 3)", lambda s, o, n: s.encode()[1:4]),
        ("convert_to(s, 'UTF8')::text::bytea", lambda s, o, n: s.encode()),
        ("decode(encode(convert_to(s, 'UTF8'), 'escape'), 'escape')", lambda s, o, n: s.encode()),
        ("convert_from(decode(encode(convert_to(s, 'UTF8'), 'base64'), 'base64'), 'UTF8')", lambda s, o, n: s),
        ("substring_index(s, 'a', 1)", lambda s, o, n: s.split("a")[0]),
        ("substring_index(s, 'a', -1)", lambda s, o, n: s.split("a")[-1]),
        ("normalize(s, NFC) = s", lambda s, o, n: True),
    ],
)  # fmt: skip
def test_as_postgresql(query: str, expected: object) -> None:
    rows = [row for row in ROWS.to_pylist() if None not in row.values()]
    batch = pa.RecordBatch.from_pylist(rows, ROWS.schema)
    assert evaluated(query, batch) == [expected(row["s"], row["o"], row["n"]) for row in rows]
    nulls = pa.RecordBatch.from_pylist([{"s": None, "o": "a", "n": 1}] * 2, ROWS.schema)
    if not query.startswith("format"):
        assert evaluated(query, nulls) == [None, None]
    assert evaluated(query, batch.slice(0, 0)) == []


def quoted(text: str) -> str:
    inner = text.replace("'", "''")
    return "E'" + inner.replace("\\", "\\\\") + "'" if "\\" in text else f"'{inner}'"


def found(match: re.Match[str] | None, start: int, *, end: bool = False) -> int:
    return 0 if match is None else (match.end() if end else match.start()) + start


def groups(match: re.Match[str] | None) -> list[str | None] | None:
    return None if match is None else list(match.groups())


def second(text: str) -> str:
    places = [match.span() for match in re.finditer("[a-z]", text)]
    if len(places) < 2:
        return text
    start, end = places[1]
    return f"{text[:start]}<{text[start:end]}>{text[end:]}"


PIECES = st.lists(st.sampled_from(["a", "b", "é", "語", " ", ",", "\n", "", "1", "\\", "\x01"]), max_size=6).map(
    "".join
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    texts=st.lists(st.none() | PIECES, min_size=1, max_size=8),
    pattern=st.sampled_from(["a", "[ab]", "a|b1", "é+", ".", "(a)(b)?", r"\n", "b*1", "[^a,]"]),
)
def test_the_parts_of_text_at_matches(texts: list[str | None], pattern: str) -> None:
    batch = pa.record_batch({"s": pa.array(texts, pa.string())})

    def values(name: str, *more: object) -> list[object]:
        return call(name, S, pattern, *more).bind(batch.schema)(batch).to_pylist()

    matches = [None if text is None else list(re.finditer(f"(?s){pattern}", text)) for text in texts]
    assert values("regexp_count") == [None if each is None else len(each) for each in matches]
    assert values("regexp_extract_all") == [None if each is None else [part[0] for part in each] for each in matches]
    assert values("regexp_instr", 1, 2) == [
        None if each is None else each[1].start() + 1 if len(each) > 1 else 0 for each in matches
    ]
    assert values("regexp_matches", "g") == [
        None if each is None else [list(part.groups() or [part[0]]) for part in each] for each in matches
    ]
    assert values("regexp_split_to_array") == [
        None if text is None else re.split(f"(?s){re.sub(r'[()]', '', pattern)}", text) for text in texts
    ]


@pytest.mark.parametrize(
    ("pattern", "flags", "message"),
    [
        (r"(a)\1", "", "a back reference in regular expressions is not supported"),
        ("a(?=b)", "", "looking ahead in regular expressions is not supported"),
        ("(?<!a)b", "", "looking behind in regular expressions is not supported"),
        (r"\mword\M", "", r"write \\y for either edge"),
        ("(a", "", r"'\(a' is no regular expression: missing \)"),
        ("[[.a.]]", "", "a collating element"),
        ("a", "z", "no regular expression flag 'z'"),
    ],
)
def test_what_re2_cannot_do_is_refused_before_anything_runs(pattern: str, flags: str, message: str) -> None:
    with pytest.raises(ExpressionError, match=message):
        call("regexp_like", S, pattern, flags).bind(ROWS.schema)
    batch = pa.record_batch({"s": ["a"], "p": [pattern]})
    with pytest.raises(RowError, match=message):
        call("regexp_like", S, col("p"), flags).bind(batch.schema)(batch)


@pytest.mark.parametrize(
    ("pattern", "flags", "text", "expected"),
    [
        ("^b.c", "n", "a\nbxc", True),
        ("^b", "", "a\nb", False),
        ("a.b", "", "a\nb", True),
        ("a.b", "p", "a\nb", False),
        ("^b.c", "w", "a\nb\nc", True),
        ("a b # c", "x", "ab", True),
        ("a.b", "q", "a.b", True),
        ("a.b", "q", "axb", False),
        ("É", "i", "é", True),
        ("É", "ic", "é", False),
        (r"\yfoo\y", "", "a foo b", True),
        (r"^\w+$", "", "éä1_", True),
        (r"[\w-]+", "", "-", True),
        ("[[:alpha:]]+$", "", "é", True),
        ("[]a]", "", "]", True),
        ("[^]a]", "", "]", False),
        ("***=a.c", "", "abc", False),
        ("(?i)ABC", "", "abc", True),
        (r"\u00e9", "", "é", True),
    ],
)
def test_patterns_mean_what_they_do_in_postgresql(pattern: str, flags: str, text: str, expected: bool) -> None:
    batch = pa.record_batch({"s": [text]})
    assert call("regexp_like", S, pattern, flags).bind(batch.schema)(batch).to_pylist() == [expected]


@pytest.mark.parametrize(
    ("text", "pattern", "expected"),
    [
        ("abc", "abc", True), ("abc", "a", False), ("abc", "%(b|d)%", True), ("abc", "(b|c)%", False),
        ("abc", "_b_", True),
        ("a.c", "a.c", True), ("abc", "a.c", False), ("aab", "a+b", True), ("ab", "a{2}b", False), ("a$", "a$", True),
        ("a%", r"a\%", True), ("ab", r"a\%", False), ("a\nb", "a%", True), ("b", "[a-c]", True), ("é", "[^a-c]", True),
    ],
)  # fmt: skip
def test_similar_to(text: str, pattern: str, expected: bool) -> None:
    batch = pa.record_batch({"s": [text]})
    assert call("similar to", S, pattern).bind(batch.schema)(batch).to_pylist() == [expected]


@pytest.mark.parametrize(
    ("dialect", "query", "expected"),
    [
        ("mysql", "concat(s, NULL)", None),
        ("mysql", "concat(s, 1)", "a,B,c1"),
        ("mysql", "locate('B', s)", 3),
        ("mysql", "substring_index(s, ',', 2)", "a,B"),
        ("mysql", "insert(s, 1, 1, 'é')", "é,B,c"),
        ("mysql", "length(concat(s, 'é'))", 7),
        ("mysql", "char_length(concat(s, 'é'))", 6),
        ("mysql", "ifnull(NULL, s)", "a,B,c"),
        ("mysql", "if(s = 'x', 1, 2)", 2),
        ("mysql", "greatest(1, NULL)", None),
        ("mysql", "hex('a')", "61"),
        ("mysql", "s REGEXP 'b'", False),
        ("mysql", "sha2(s, 224)", hashlib.sha224(b"a,B,c").hexdigest()),
        ("mysql", "regexp_replace(s, '[a-z]', '-')", "-,B,-"),
        ("mysql", "mid(s, 2, 2)", ",B"),
        ("mysql", "lcase(s)", "a,b,c"),
        ("mysql", "space(2)", "  "),
        ("snowflake", "iff(s = 'x', 1, 2)", 2),
        ("snowflake", "nvl(NULL, s)", "a,B,c"),
        ("snowflake", "nvl2(s, 1, 2)", 1),
        ("snowflake", "zeroifnull(NULL)", 0),
        ("snowflake", "regexp_like(s, '[a-zB,]+')", True),
        ("snowflake", "regexp_like(s, 'a')", False),
        ("snowflake", "regexp_substr(s, '[a-z]', 1, 2)", "c"),
        ("snowflake", "regexp_substr(s, 'x')", None),
        ("snowflake", "charindex('B', s)", 3),
        ("snowflake", "split(s, ',')", ["a", "B", "c"]),
        ("snowflake", "split_part(s, ',', -1)", "c"),
        ("snowflake", "decode(s, 'x', 1, 'a,B,c', 2, 3)", 2),
        ("snowflake", "equal_null(NULL, NULL)", True),
        ("snowflake", "startswith(s, 'a')", True),
        ("snowflake", "least(1, NULL)", None),
        ("duckdb", "string_split(s, ',')", ["a", "B", "c"]),
        ("duckdb", "str_split_regex(s, '[,B]+')", ["a", "c"]),
        ("duckdb", "regexp_matches(s, 'B')", True),
        ("duckdb", "regexp_extract(s, '([a-z]),', 1)", "a"),
        ("duckdb", "prefix(s, 'a')", True),
        ("duckdb", "sha256(s)", hashlib.sha256(b"a,B,c").hexdigest()),
        ("duckdb", "to_hex(255)", "FF"),
        ("duckdb", "ifnull(NULL, s)", "a,B,c"),
        ("spark", "regexp_extract(s, '([a-z]),')", "a"),
        ("spark", "regexp_replace(s, '[a-z]', '-')", "-,B,-"),
        ("spark", "s RLIKE 'B'", True),
        ("spark", "split(s, '[,B]+')", ["a", "c"]),
        ("spark", "base64(s)", "YSxCLGM="),
        ("spark", "format_string('%s-%d', s, 1)", "a,B,c-1"),
        ("spark", "nvl(NULL, s)", "a,B,c"),
        ("spark", "parse_url('http://h.org/p?k=v', 'QUERY', 'k')", "v"),
        ("spark", "trim(BOTH 'ac' FROM s)", ",B,"),
        ("spark", "instr(s, 'B')", 3),
        ("spark", "sha2(s, 256)", hashlib.sha256(b"a,B,c").hexdigest()),
        ("spark", "unhex('6162')", b"ab"),
        ("spark", "overlay(s PLACING 'xx' FROM 2 FOR 1)", "axxB,c"),
        ("bigquery", "regexp_extract(s, r'[a-z]')", "a"),
        ("bigquery", "to_hex(md5(s))", hashlib.md5(b"a,B,c").hexdigest()),
        ("bigquery", "starts_with(s, 'a')", True),
        ("postgres", r"E'a\tb'", "a\tb"),
        ("postgres", r"U&'d\0061t\+000061'", "data"),
        ("postgres", "X'ff'", b"\xff"),
        ("postgres", "to_hex(255)", "ff"),
        ("postgres", "s COLLATE \"C\" < 'b'", True),
        ("postgres", "(s = NULL) IS UNKNOWN", True),
        ("postgres", "s NOT BETWEEN SYMMETRIC 'b' AND 'a'", False),
        ("postgres", "length('\\xc3a9'::bytea, 'UTF8')", 1),
        ("postgres", "'a\\000\\377'::bytea", b"a\x00\xff"),
        ("postgres", "('a'::bytea || '\\xff')::text", "\\x61ff"),
    ],
)  # fmt: skip
def test_how_other_dialects_spell_it(dialect: str, query: str, expected: object) -> None:
    batch = pa.record_batch({"s": ["a,B,c"]})
    assert evaluated(query, batch, dialect) == [expected]


@pytest.mark.parametrize(
    ("built", "message"),
    [
        (call("get_byte", cast(S, pa.binary()), 9), r"index 9 out of valid range, 0\.\.4"),
        (call("decode", S, "hex"), "invalid hexadecimal digits: 'apple'"),
        (call("decode", S, "base64"), "invalid base64 'apple'"),
        (call("chr", 0 * call("length", S)), "requested character not valid: 0"),
        (call("format", "%s %s", S), r"too few arguments for format\(\)"),
        (call("format", "%d", S), "known here: %s, %I, %L and %%"),
        (call("parse_url", S, "host name"), "a URL has no part 'host name'; known here"),
        (call("normalize", S, "NFX"), "no normal form 'NFX'"),
        (call("regexp_substr", S, "a", 0), "positions count from 1"),
        (call("regexp_substr", S, "(a)", 1, 1, "", 2), "no group 2; the regular expression has 1"),
        (call("printf", "%d", S), "printf: %d format"),
        (cast(call("||", S, r"\q"), pa.binary()), "invalid input syntax for type bytea"),
    ],
    ids=str,
)
def test_what_functions_refuse(built: object, message: str) -> None:
    batch = pa.record_batch({"s": ["apple"]})
    with pytest.raises(RowError, match=message):
        built.bind(batch.schema)(batch)


def test_a_hash_is_the_same_for_the_same_values() -> None:
    batch = pa.record_batch({"s": ["a", "b", "a", None], "n": [1, 1, 1, 1]})
    first, second, third, fourth = call("hash", S, col("n")).bind(batch.schema)(batch).to_pylist()
    assert first == third
    assert len({first, second, fourth}) == 3
    encoded = pa.record_batch({"s": batch["s"].dictionary_encode(), "n": batch["n"]})
    assert call("hash", S, col("n")).bind(encoded.schema)(encoded).to_pylist() == [first, second, third, fourth]


def test_a_python_function_is_called_once_for_each_distinct_value(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def new(name: str, data: bytes, **options: object) -> object:
        calls.append(data)
        return made(name, data, **options)

    made = hashlib.new
    monkeypatch.setattr(hashlib, "new", new)
    batch = pa.record_batch({"s": ["a", "b", None] * 50})
    assert len(call("md5", S).bind(batch.schema)(batch)) == 150
    assert sorted(calls) == [b"a", b"b"]
