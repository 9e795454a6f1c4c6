import csv
import gzip
import io
from contextlib import closing

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow.errors import GraphError
from operators.files.csv import Csv
from operators.files.csv_source import CsvReader
from operators.files.lines import Quoting
from operators.files.paths import FileError
from tests.written_files import read_all


def read(source, splits=None):
    """All rows as tuples, and the rejected rows."""
    rows, rejected = read_all(source, splits)
    return [tuple(row.values()) for row in rows], rejected


def rows_of(source):
    rows, rejected = read(source)
    assert rejected == []
    return rows


def write(path, text):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


TEXT = st.text(st.sampled_from('ab ",;\n\r\té\u2028\0x1'), max_size=8)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(TEXT, min_size=2, max_size=2), min_size=1, max_size=30),
    st.integers(1, 200),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_any_content_in_any_ranges_is_what_the_csv_module_reads(tmp_path_factory, rows, size, line_end, open_end):
    text = io.StringIO()
    csv.writer(text, lineterminator=line_end, quoting=csv.QUOTE_ALL).writerows([["a", "b"], *rows])
    content = text.getvalue().encode()
    if open_end:
        content = content[: -len(line_end)]
    path = write(tmp_path_factory.mktemp("csv") / "a.csv", content)
    source = Csv(path, types={"a": "string", "b": "string"}, range_bytes=size)
    assert rows_of(source) == [tuple(row) for row in csv.reader(io.StringIO(content.decode(), newline=""))][1:]


UNQUOTED = st.text(st.sampled_from('ab";"x'), max_size=6).filter(lambda text: not text.startswith('"'))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(UNQUOTED, st.one_of(UNQUOTED, TEXT)), min_size=1, max_size=30), st.integers(1, 100))
def test_quotes_inside_unquoted_fields_are_text_in_any_ranges(tmp_path_factory, rows, size):
    lines = []
    for first, second in rows:
        plain = not set(second) & set('",\r\n')
        quoted = second if plain else '"' + second.replace('"', '""') + '"'
        lines.append(f"x{first},{quoted}\n")
    path = write(tmp_path_factory.mktemp("csv") / "a.csv", "".join(lines))
    source = Csv(path, header=False, names=["a", "b"], nulls=(), types={"a": "string", "b": "string"}, range_bytes=size)
    assert rows_of(source) == [(f"x{first}", second) for first, second in rows]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1000, 10**6])
def test_ranges_share_the_rows_exactly(tmp_path, size):
    lines = "".join(f"{number},{'x' * (number % 50)}\n" for number in range(60))
    path = write(tmp_path / "a.csv", "id,text\n" + lines)
    source = Csv(path, range_bytes=size, types={"text": "string"})
    expected = [(number, "x" * (number % 50) or None) for number in range(60)]
    assert rows_of(source) == expected
    assert len(source.splits()) == -(-path.stat().st_size // size)
    assert sum(split.size for split in source.splits()) == path.stat().st_size


def test_ranges_can_be_opened_in_any_order(tmp_path):
    content = "id,text\n" + "".join(f'{number},"a\n""{number}"\n' for number in range(300))
    source = Csv(write(tmp_path / "a.csv", content), range_bytes=100)
    splits = list(source.splits())
    assert sorted(read(source, splits[::-1])[0]) == [(number, f'a\n"{number}') for number in range(300)]


@pytest.mark.parametrize("block", [16, 100, 5000])
def test_resuming_after_any_batch_gives_the_rest(tmp_path, monkeypatch, block):
    monkeypatch.setattr("operators.files.csv.block_bytes", lambda taken, rows: block)
    content = "id,text\n" + "".join(f'{number},"{"y" * (number % 9)}\n"\n' for number in range(50))
    source = Csv(write(tmp_path / "a.csv", content), range_bytes=1000)
    for split in source.splits():
        reader, seen = source.open(split), []
        while (batch := reader.read()) is not None:
            seen += batch.column("id").to_pylist()
            offset = reader.offset()
            again, rest = source.open(split, offset), []
            while (more := again.read()) is not None:
                rest += more.column("id").to_pylist()
            again.close()
            seen_and_rest = seen + rest
            assert seen_and_rest == list(range(seen[0], seen[0] + len(seen_and_rest)))
        assert len(seen) == len(seen_and_rest)
        reader.close()


def test_types_are_inferred(tmp_path):
    content = (
        "i,f,b,t,z,d,s,n,big,clock\n"
        "1,1.5,true,2024-01-01T00:00:00,2024-01-01T00:00:00Z,2024-01-01,x,,12345678901234567890,10:30:00\n"
        "-2,2,false,2024-01-01 00:00:01.5,2024-01-01T02:00:00+02:00,2024-02-01,1,,1,11:30:00\n"
    )
    source = Csv(write(tmp_path / "a.csv", content))
    assert dict(zip(source.schema().names, source.schema().types, strict=True)) == {
        "i": pa.int64(),
        "f": pa.float64(),
        "b": pa.bool_(),
        "t": pa.timestamp("us"),
        "z": pa.timestamp("us", "UTC"),
        "d": pa.date32(),
        "s": pa.string(),
        "n": pa.string(),
        "big": pa.float64(),
        "clock": pa.string(),
    }
    assert len(rows_of(source)) == 2


def test_repetitive_text_becomes_dictionaries(tmp_path):
    content = "few,many\n" + "".join(f"{'ab'[number % 2]},{number}x\n" for number in range(1000))
    source = Csv(write(tmp_path / "a.csv", content))
    assert source.schema().types == [pa.dictionary(pa.int32(), pa.string()), pa.string()]
    assert Csv(tmp_path / "a.csv", types={"few": "string"}).schema() == source.schema()
    assert rows_of(source)[-1] == ("b", "999x")


def test_declared_times(tmp_path):
    content = (
        "ms,z,n,day,mixed\n1704067200000,2024-01-01T00:00:00Z,2024-01-01T00:00:00,2024-01-01,2024-01-01T00:00:00Z\n"
    )
    content += "1704067200000,2024-01-01T01:00:00+01:00,2024-01-01 00:00:00,2024-01-01,2024-01-01\n,,,,\n"
    types = {name: pa.timestamp("us", "UTC" if name == "n" else None) for name in ("z", "n", "day", "mixed")}
    source = Csv(write(tmp_path / "a.csv", content), types={**types, "ms": pa.timestamp("ms")})
    assert source.schema().types == [pa.timestamp("ms"), *types.values()]
    rows = rows_of(source)
    assert {value.replace(tzinfo=None).isoformat() for row in rows[:2] for value in row} == {"2024-01-01T00:00:00"}
    assert rows[2] == (None,) * 5


def test_nulls(tmp_path):
    path = write(tmp_path / "a.csv", 'a,b\nNA,\n1,"NA"\n"",""\n2,x\n')
    assert rows_of(Csv(path, nulls="NA", types={"a": "string"})) == [(None, ""), ("1", "NA"), ("", ""), ("2", "x")]
    assert rows_of(Csv(path, nulls=("NA", ""))) == [(None, None), (1, "NA"), (None, ""), (2, "x")]


def test_bad_rows_are_rejected_one_by_one_and_all_others_come(tmp_path):
    lines = [f"{number},2024-01-01T00:00:00,t{number}\n".encode() for number in range(1000)]
    bad = {
        10: (b"10,2024-01-01T00:00:00\n", "2 fields, not 3"),
        11: (b"11,2024-01-01T00:00:00,a,b,c\n", "5 fields, not 3"),
        500: (b"five,2024-01-01T00:00:00,x\n", "'id': 'five' is no int64"),
        501: (b"501,yesterday,x\n", "'at': 'yesterday' is no timestamp"),
        502: (b"502,2024-01-01T00:00:00,\xff\xfe\n", "'text'"),
        999: (b"99999999999999999999,2024-01-01T00:00:00,x\n", "'id': '99999999999999999999' is no int64"),
    }
    for number, (line, _) in bad.items():
        lines[number] = line
    path = write(tmp_path / "a.csv", b"id,at,text\n" + b"".join(lines))
    types = {"id": "int64", "at": pa.timestamp("us"), "text": "string"}
    for size in (50, 500, 10**6):
        rows, rejected = read(Csv(path, types=types, range_bytes=size))
        assert [row[0] for row in rows] == [number for number in range(1000) if number not in bad]
        content = path.read_bytes()
        for row, (line, error) in zip(rejected, bad.values(), strict=True):
            assert row.row == line.decode("utf-8", "replace").strip()
            assert error in row.error
            assert "a.csv" in row.error
            assert content[row.offset :].startswith(line)


def test_bad_values_in_columns_that_nobody_reads_do_not_matter(tmp_path):
    source = Csv(write(tmp_path / "a.csv", "a,b\n1,2\n2,x\n"), types={"b": "int64"})
    assert len(read(source)[1]) == 1
    assert rows_of(source.narrow(["a"])) == [(1,), (2,)]


def test_a_quote_that_is_never_closed_rejects_what_it_swallows(tmp_path):
    path = write(tmp_path / "a.csv", 'a,b\n1,x\n2,"open\n3,y\n')
    for size in (1, 10**6):
        rows, rejected = read(Csv(path, range_bytes=size))
        assert rows == [(1, "x")]
        assert [(row.row, row.offset) for row in rejected] == [('2,"open\n3,y\n', 8)]
        assert "never closed" in rejected[0].error


def test_later_values_do_not_change_the_types(tmp_path, monkeypatch):
    monkeypatch.setattr("operators.files.csv_source.SAMPLE_BYTES", 64)
    path = write(tmp_path / "a.csv", "a\n" + "1\n" * 100 + "1.5\n" + "2\n")
    rows, rejected = read(Csv(path))
    assert len(rows) == 101
    assert [row.row for row in rejected] == ["1.5"]


def test_columns_by_name_even_when_files_order_them_differently(tmp_path):
    write(tmp_path / "1.csv", "a,b\n1,x\n")
    write(tmp_path / "2.csv", "c,b,a\n9,y,2\n")
    assert rows_of(Csv(tmp_path)) == [(1, "x"), (2, "y")]
    assert rows_of(Csv(tmp_path, columns=["b"])) == [("x",), ("y",)]
    write(tmp_path / "3.csv", "b,d\ny,2\n")
    with pytest.raises(FileError, match=r"3\.csv.*no column 'a'.*known here: \['b', 'd'\]"):
        read(Csv(tmp_path))


def test_names(tmp_path):
    path = write(tmp_path / "a.csv", "1;x\n2;y\n")
    assert rows_of(Csv(path, header=False, delimiter=";", names=["n", "s"])) == [(1, "x"), (2, "y")]
    assert Csv(path, header=False, delimiter=";").schema().names == ["f0", "f1"]
    assert rows_of(Csv(path, delimiter=";", names=["n", "s"])) == [(2, "y")]
    with pytest.raises(FileError, match="2 columns, not the 1"):
        Csv(path, delimiter=";", names=["n"]).schema()
    with pytest.raises(FileError, match="one name: \\['a'\\]"):
        Csv(write(tmp_path / "b.csv", "a,a\n1,2\n")).schema()


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n\n"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_line_ends_blank_lines_and_byte_order_mark(tmp_path, line_end, end):
    text = line_end.join(["", "a,b", "1,x", "", "", "2,y"]) + end
    path = write(tmp_path / "a.csv", b"\xef\xbb\xbf" + text.encode())
    for size in (1, 5, 10**6):
        assert rows_of(Csv(path, range_bytes=size)) == [(1, "x"), (2, "y")]


def test_files_without_rows(tmp_path):
    path = write(tmp_path / "a.csv", "")
    with pytest.raises(FileError, match="declare"):
        Csv(path).schema()
    assert rows_of(Csv(path, types={"a": "int64"})) == []
    write(path, "a,b\n")
    with pytest.raises(FileError, match=r"no rows.*\['b'\]"):
        Csv(path, types={"a": "int64"}).schema()
    source = Csv(path, types={"b": "string", "a": "int64"})
    assert source.schema().names == ["a", "b"]
    assert rows_of(source) == []
    write(tmp_path / "b.csv", "a,b\n1,x\n")
    assert rows_of(Csv(tmp_path)) == [(1, "x")]


def test_one_row_and_one_column(tmp_path):
    assert rows_of(Csv(write(tmp_path / "a.csv", "a\n1"))) == [(1,)]


def test_a_very_long_line(tmp_path):
    path = write(tmp_path / "a.csv", "a,b\n1,x\n2," + "y" * 3_000_000 + "\n3,z\n")
    rows = rows_of(Csv(path, range_bytes=100_000))
    assert [(row[0], len(row[1])) for row in rows] == [(1, 1), (2, 3_000_000), (3, 1)]


def test_a_row_that_does_not_end_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr("operators.files.lines.MAX_ROW", 1 << 20)
    monkeypatch.setattr("operators.files.csv.block_bytes", lambda taken, rows: 1 << 16)
    path = write(tmp_path / "a.csv", "a\n1\n" + "9" * (3 << 20))
    with pytest.raises(FileError, match="has not ended"):
        read(Csv(path, types={"a": "int64"}))


def test_five_thousand_columns(tmp_path):
    names = [f"c{number}" for number in range(5_000)]
    path = write(tmp_path / "a.csv", ",".join(names) + "\n" + ",".join("1" * 5_000) + "\n")
    source = Csv(path, range_bytes=10_000)
    assert rows_of(source) == [(1,) * 5_000]
    assert rows_of(source.narrow(["c4999"])) == [(1,)]


def test_without_columns_rows_still_count(tmp_path):
    source = Csv(write(tmp_path / "a.csv", "a,b\n1,x\n2,y\n3\n"), types={"a": "int64"}).narrow([])
    with closing(source.open(source.splits()[0])) as reader:
        assert reader.read().num_rows == 2
        assert len(reader.take_rejected()) == 1


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_compressed_files_are_one_split_that_resumes(tmp_path, monkeypatch, compression):
    monkeypatch.setattr("operators.files.csv.block_bytes", lambda taken, rows: 1000)
    content = ("a,b\n" + "".join(f'{number},"x\n"\n' for number in range(5000))).encode()
    path = tmp_path / {"gzip": "a.csv.gz", "zstd": "a.csv.zst"}[compression]
    with pa.output_stream(str(path), compression=compression) as file:
        file.write(content)
    source = Csv(path, range_bytes=10)
    (split,) = source.splits()
    assert rows_of(source) == [(number, "x\n") for number in range(5000)]
    with closing(source.open(split)) as reader:
        first, offset = reader.read(), reader.offset()
    with closing(source.open(split, offset)) as reader:
        rest = reader.read()
    assert rest.column("a")[0].as_py() == first.num_rows
    renamed = path.rename(tmp_path / "renamed.csv")
    assert len(rows_of(Csv(renamed, compression=compression))) == 5000


def test_several_gzip_members_are_one_file(tmp_path):
    path = write(tmp_path / "a.csv.gz", gzip.compress(b"a\n1\n") + gzip.compress(b"2\n"))
    assert rows_of(Csv(path)) == [(1,), (2,)]


def test_cut_gzip_is_an_error_that_names_the_file(tmp_path):
    content = gzip.compress("".join(f"{number}\n" for number in range(100_000)).encode())
    path = write(tmp_path / "cut.csv.gz", content[:-1000])
    with pytest.raises(FileError, match=r"cut\.csv\.gz"):
        read(Csv(path, header=False))
    write(path, b"a\n1\n")
    with pytest.raises(FileError, match=r"cut\.csv\.gz"):
        Csv(path).schema()


def test_shrunk_file_is_noticed(tmp_path):
    path = write(tmp_path / "a.csv", "a\n" + "1\n" * 100)
    source = Csv(path)
    (split,) = source.splits()
    write(path, "a\n1\n")
    with pytest.raises(FileError, match="shrunk"):
        source.open(split)


@pytest.mark.parametrize("option", [{"delimiter": ",,"}, {"delimiter": "\n"}, {"quote": "é"}])
def test_delimiter_and_quote_are_one_character(option):
    with pytest.raises(GraphError, match="one ASCII character"):
        Csv("a", **option)


def test_nested_values_are_json(tmp_path):
    path = write(tmp_path / "a.csv", 'a,b\n"[1, 2]","{""k"": 1}"\n,\n')
    source = Csv(path, types={"a": pa.list_(pa.int64()), "b": pa.map_(pa.string(), pa.int64())})
    assert rows_of(source) == [([1, 2], [("k", 1)]), (None, None)]


def test_without_quotes_a_quote_is_text(tmp_path):
    path = write(tmp_path / "a.tsv", 'a\tb\n1\t"x\n2\ty"\n')
    assert rows_of(Csv(path, delimiter="\t", quote=None, range_bytes=3)) == [(1, '"x'), (2, 'y"')]


def test_same_as_duckdb(tmp_path):
    content = "k,v,t\n" + "".join(f"k{n % 7},{n * 0.25},2024-01-01T00:00:{n % 60:02}Z\n" for n in range(5000))
    path = write(tmp_path / "a.csv", content)
    source = Csv(path, range_bytes=1000)
    batches = []
    for split in source.splits():
        with closing(source.open(split)) as reader:
            batches += iter(reader.read, None)
    mine = pa.Table.from_batches(batches)  # noqa: F841  # the query's name for it
    query = "SELECT k, count(*), sum(v), max(epoch_us(t)) FROM {} GROUP BY k ORDER BY k"
    assert duckdb.sql(query.format("mine")).fetchall() == duckdb.sql(query.format(f"read_csv('{path}')")).fetchall()


def test_row_ends_are_exact_from_a_row_on():
    quoting = Quoting('"', ",")
    data = b'5" x,"a\nb"\n6" y,"c\n'
    assert quoting.last_end(data) == 11
    assert quoting.rows(data) == [(0, 11)]
    assert quoting.last_end(b'"a""\nb') == 0
    assert quoting.first_end(b'a,"b\n"\nc') == 7
    assert quoting.first_end(b'"open\n') == 0


def test_sink_of_the_same_name(tmp_path):
    sink = Csv(tmp_path / "out", delimiter=";", header=False, nulls="NA", compression="gzip").as_sink()
    assert (sink.delimiter, sink.header, sink.nulls, sink.compression) == (";", False, "NA", "gzip")


def test_a_reader_owns_one_file_and_closes_it(tmp_path):
    source = Csv(write(tmp_path / "a.csv", "a\n1\n"))
    reader = source.open(source.splits()[0])
    assert isinstance(reader, CsvReader)
    reader.close()
    with pytest.raises(ValueError, match="closed"):
        reader.lines._file.read(1)
