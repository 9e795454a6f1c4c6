import gzip
import json
from contextlib import closing

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow.errors import GraphError
from operators.files.json import JsonLines
from operators.files.paths import FileError
from tests.written_files import read_all


def rows_of(source):
    rows, rejected = read_all(source)
    assert rejected == []
    return rows


def write(path, *lines, end="\n"):
    path.write_bytes(b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines) + end.encode())
    return path


ROW = st.fixed_dictionaries(
    {"n": st.none() | st.integers(-(2**63), 2**63 - 1), "s": st.none() | st.text(max_size=6)},
    optional={"l": st.none() | st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=3)},
)


@settings(max_examples=60, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=20), st.integers(1, 200), st.booleans(), st.booleans())
def test_any_content_in_any_ranges_is_what_the_json_module_reads(tmp_path_factory, rows, size, ascii_only, open_end):
    lines = [json.dumps(row, ensure_ascii=ascii_only) for row in rows]
    path = write(tmp_path_factory.mktemp("json") / "a.jsonl", *lines, end="" if open_end else "\n")
    types = {"n": "int64", "s": "string", "l": pa.list_(pa.float64())}
    source = JsonLines(path, types=types, columns=["n", "s", "l"], range_bytes=size)
    assert rows_of(source) == [{"n": row["n"], "s": row["s"], "l": row.get("l")} for row in rows]


@pytest.mark.parametrize("size", [1, 13, 64, 1000, 10**6])
def test_ranges_share_the_lines_exactly(tmp_path, size):
    path = write(tmp_path / "a.jsonl", *[json.dumps({"n": number, "t": "x" * (number % 40)}) for number in range(60)])
    source = JsonLines(path, range_bytes=size)
    assert [row["n"] for row in rows_of(source)] == list(range(60))
    assert sum(split.size for split in source.splits()) == path.stat().st_size


def test_resuming_after_any_batch_gives_the_rest(tmp_path, monkeypatch):
    monkeypatch.setattr("operators.files.json.block_bytes", lambda taken, rows: 50)
    source = JsonLines(write(tmp_path / "a.jsonl", *[json.dumps({"n": number}) for number in range(100)]))
    (split,) = source.splits()
    with closing(source.open(split)) as reader:
        seen = []
        while (batch := reader.read()) is not None:
            seen += batch.column("n").to_pylist()
            with closing(source.open(split, reader.offset())) as again:
                rest = [n for more in iter(again.read, None) for n in more.column("n").to_pylist()]
            assert seen + rest == list(range(100))


def test_types_are_inferred(tmp_path):
    lines = [
        '{"i": 1, "f": 1.5, "b": true, "t": "2024-01-01T00:00:00", "z": "2024-01-01T02:00:00+02:00", "d": "2024-01-01",'
        ' "s": "x", "n": null, "o": {"p": [1, 2], "q": null, "when": "2024-01-01"}, "l": [{"k": "v"}]}',
        '{"i": 2, "f": 2, "b": false, "t": "2024-01-01 00:00:01.5", "z": "2024-01-01T00:00:00Z", "d": "2024-01-02"}',
    ]
    source = JsonLines(write(tmp_path / "a.jsonl", *lines))
    assert dict(zip(source.schema().names, source.schema().types, strict=True)) == {
        "i": pa.int64(),
        "f": pa.float64(),
        "b": pa.bool_(),
        "t": pa.timestamp("us"),
        "z": pa.timestamp("us", "UTC"),
        "d": pa.date32(),
        "s": pa.string(),
        "n": pa.string(),
        "o": pa.struct([("p", pa.list_(pa.int64())), ("q", pa.string()), ("when", pa.string())]),
        "l": pa.list_(pa.struct([("k", pa.string())])),
    }
    first, second = rows_of(source)
    assert first["o"] == {"p": [1, 2], "q": None, "when": "2024-01-01"}
    assert first["z"] == second["z"]
    assert second["l"] is None


def test_repetitive_text_becomes_dictionaries(tmp_path):
    path = write(tmp_path / "a.jsonl", *[json.dumps({"few": "ab"[n % 2], "many": str(n)}) for n in range(1000)])
    source = JsonLines(path)
    assert source.schema().types == [pa.dictionary(pa.int32(), pa.string()), pa.string()]
    assert rows_of(source)[-1] == {"few": "b", "many": "999"}


def test_declared_types(tmp_path):
    path = write(
        tmp_path / "a.jsonl",
        '{"ms": 1704067200000, "z": "2024-01-01T00:00:00Z", "n": "7", "s": 5, "i": 1.0, "at": {"day": "2024-01-01"}}',
        '{"ms": null}',
    )
    types = {
        "ms": pa.timestamp("ms"),
        "z": pa.timestamp("us"),
        "n": pa.int32(),
        "s": pa.string(),
        "i": pa.int64(),
        "at": pa.struct([("day", pa.date32())]),
        "later": pa.float64(),
    }
    source = JsonLines(path, types=types)
    assert source.schema().types == list(types.values())
    first, second = rows_of(source)
    assert first["ms"] == first["z"]
    assert (first["n"], first["s"], first["i"], first["later"]) == (7, "5", 1, None)
    assert first["at"]["day"].isoformat() == "2024-01-01"
    assert set(second.values()) == {None}


def test_types_that_json_does_not_have_are_refused(tmp_path):
    with pytest.raises(GraphError, match=r"'m' is declared as dense_union"):
        JsonLines(write(tmp_path / "a.jsonl", "{}"), types={"m": pa.dense_union([pa.field("a", pa.int8())])}).schema()


BAD = [
    b"{bad",
    b"null",
    b"  null",
    b"[1]",
    b"7",
    b'"text"',
    b'{"n": 1} null',
    b'{"n": 1}null',
    b'{"n": 1} {"n": 2}',
    b'{"n": 1, "n": 2}',
    b'{"n": 123456789012345678901234567890}',
    b'{"n": 1.5}',
    b'{"n": "x"}',
    b'{"n": NaN}',
    b'{"s": 1}',
    b'{"s": "\xff"}',
    b'{"s": "\\ud800"}',
    b'{"s": "a\x00"}',
    b'{"x": 1e999}',
    b'{"n": 1',
    b"\xef\xbb\xbf{}",
]


@pytest.mark.parametrize("size", [50, 300, 10**6])
def test_bad_lines_are_rejected_one_by_one_and_all_others_come(tmp_path, size):
    lines = [json.dumps({"n": number, "s": "x", "x": 0.5}).encode() for number in range(500)]
    for number, bad in enumerate(BAD):
        lines[number * 20 + 7] = bad
    path = write(tmp_path / "a.jsonl", *lines)
    source = JsonLines(path, types={"n": "int64", "s": "string", "x": "float64"}, range_bytes=size)
    rows, rejected = read_all(source)
    assert [row["n"] for row in rows] == [n for n in range(500) if n % 20 != 7 or n // 20 >= len(BAD)]
    content = path.read_bytes()
    assert [row.row for row in rejected] == [bad.decode("utf-8", "replace").strip() for bad in BAD]
    assert all(content[row.offset :].strip().startswith(bad.strip()) for row, bad in zip(rejected, BAD, strict=True))
    assert all("a.jsonl" in row.error for row in rejected)


def test_inference_survives_bad_lines_and_takes_the_first_type(tmp_path):
    path = write(tmp_path / "a.jsonl", "{bad", '{"a": 1}', "null", '{"a": 2.5, "b": [1]}', '{"a": "x"}', '{"b": null}')
    source = JsonLines(path)
    assert source.schema() == pa.schema([("a", pa.float64()), ("b", pa.list_(pa.int64()))])
    rows, rejected = read_all(source)
    assert rows == [{"a": 1.0, "b": None}, {"a": 2.5, "b": [1]}, {"a": None, "b": None}]
    assert [row.row for row in rejected] == ["{bad", "null", '{"a": "x"}']


def test_not_finite_numbers(tmp_path):
    lines = ['{"x": NaN, "l": []}', '{"x": "NaN"}', '{"x": "-Infinity", "l": ["Infinity"]}', '{"x": "nan"}']
    source = JsonLines(write(tmp_path / "a.jsonl", *lines), types={"x": "float64", "l": pa.list_(pa.float64())})
    rows, rejected = read_all(source)
    assert [str(row["x"]) for row in rows] == ["nan", "nan", "-inf"]
    assert rows[2]["l"] == [float("inf")]
    assert [row.row for row in rejected] == ['{"x": "nan"}']


def test_value_that_does_not_fit_the_declared_type_is_rejected(tmp_path):
    path = write(tmp_path / "a.jsonl", '{"n": 1}', "", '{"n": 300}')
    rows, (rejected,) = read_all(JsonLines(path, types={"n": "int8", "t": "date32"}))
    assert rows == [{"n": 1, "t": None}]
    assert "300" in rejected.error


def test_line_ends_blank_lines_and_byte_order_mark(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}\r\n\r\n  \n{"a": 2}\n\n{"a": 3}')
    for size in (1, 5, 10**6):
        assert rows_of(JsonLines(path, range_bytes=size)) == [{"a": 1}, {"a": 2}, {"a": 3}]


def test_rows_without_columns_count(tmp_path):
    source = JsonLines(write(tmp_path / "a.jsonl", '{"a": 1}', '{"a": 2}')).narrow([])
    with closing(source.open(source.splits()[0])) as reader:
        assert reader.read().num_rows == 2


def test_narrow_reads_only_what_is_asked_for(tmp_path):
    source = JsonLines(write(tmp_path / "a.jsonl", '{"a": 1, "b": 2, "c": "x"}', '{"c": 1, "b": 3}'))
    assert len(read_all(source)[1]) == 1
    assert rows_of(source.narrow(["b"])) == [{"b": 2}, {"b": 3}]


def test_no_lines(tmp_path):
    path = write(tmp_path / "a.jsonl", "")
    with pytest.raises(FileError, match="declare"):
        JsonLines(path).schema()
    assert rows_of(JsonLines(path, types={"a": "int64"})) == []


def test_five_thousand_fields(tmp_path):
    row = {f"f{number}": number for number in range(5_000)}
    source = JsonLines(write(tmp_path / "a.jsonl", json.dumps(row), json.dumps(row)), range_bytes=50_000)
    assert rows_of(source) == [row, row]


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_compressed_files_are_one_split(tmp_path, ending):
    path = str(tmp_path / f"a.jsonl{ending}")
    with pa.output_stream(path, compression="detect") as file:
        file.write(b"".join(b'{"a": %d}\n' % number for number in range(1000)))
    source = JsonLines(path, range_bytes=10)
    assert len(source.splits()) == 1
    assert rows_of(source) == [{"a": number} for number in range(1000)]


def test_cut_gzip_is_an_error_that_names_the_file(tmp_path):
    path = tmp_path / "cut.jsonl.gz"
    path.write_bytes(gzip.compress(b"".join(b'{"a": %d}\n' % (n * 7919 % 10007) for n in range(100_000)))[:-500])
    with pytest.raises(FileError, match=r"cut\.jsonl\.gz"):
        read_all(JsonLines(path))


def test_sink_of_the_same_name(tmp_path):
    sink = JsonLines(tmp_path / "out", compression="zstd").as_sink()
    assert (sink.path, sink.compression, sink.ending) == (str(tmp_path / "out"), "zstd", ".jsonl.zst")
