import os
import pickle

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flow.errors import GraphError, SettingsError
from operators.files.conversion import convert, declared, fit, widens
from operators.files.json import JsonLines
from operators.files.parquet import Parquet
from operators.files.paths import FileError, find_files


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return str(path)


def test_directory_holds_files_at_every_depth_sorted_and_nothing_uncommitted(tmp_path):
    wanted = [touch(tmp_path / name) for name in ("a.csv", "b/c.CSV", "b/d.csv.gz")]
    for name in (".hidden.csv", "_part.csv", ".d/x.csv", "_d/x.csv", "notes.md"):
        touch(tmp_path / name)
    assert find_files([str(tmp_path)], [".csv", ".csv.gz"]) == wanted


def test_glob_takes_any_ending_and_descends(tmp_path):
    wanted = [touch(tmp_path / name) for name in ("x/1.log", "x/y/2.log")]
    touch(tmp_path / "x/.3.log")
    assert find_files([str(tmp_path / "**" / "*.log")], [".csv"]) == wanted


def test_glob_of_directories_means_their_files(tmp_path):
    wanted = [touch(tmp_path / name) for name in ("d=1/a.csv", "d=2/a.csv")]
    touch(tmp_path / "d=2/a.md")
    assert find_files([str(tmp_path / "d=*")], [".csv"]) == wanted


def test_several_paths_keep_their_order_and_files_come_once(tmp_path):
    first, second = touch(tmp_path / "a.csv"), touch(tmp_path / "b.csv")
    assert find_files([second, str(tmp_path)], [".csv"]) == [second, first]


def test_a_file_with_a_glob_character_in_its_name_is_that_file(tmp_path):
    path = touch(tmp_path / "a[1].csv")
    assert find_files([path], [".csv"]) == [path]


def test_hidden_file_that_is_named_itself_is_read(tmp_path):
    path = touch(tmp_path / ".a.csv")
    assert find_files([path], [".csv"]) == [path]


def test_home_directory_is_filled_in(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert JsonLines("~/a.jsonl").path == (str(tmp_path / "a.jsonl"),)


@pytest.mark.parametrize("pattern", ["*.csv", "missing.csv", "missing/deeper/*.csv"])
def test_nothing_found_says_what_is_there(tmp_path, pattern):
    touch(tmp_path / "data.parquet")
    with pytest.raises(FileError, match=r"data\.parquet") as error:
        find_files([str(tmp_path / pattern)], [".csv"])
    assert pattern in str(error.value)


def test_empty_directory_is_an_error_unless_it_is_followed(tmp_path):
    with pytest.raises(FileError, match=r"no file that ends with \.csv"):
        find_files([str(tmp_path)], [".csv"])
    assert find_files([str(tmp_path)], [".csv"], none_allowed=True) == []


def test_no_path_is_an_error():
    with pytest.raises(GraphError, match="no path"):
        Parquet([])


def test_vanished_file_is_named(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a": [1]}), path)
    source = Parquet(path)
    (split,) = source.splits()
    path.unlink()
    with pytest.raises(FileError, match=r"a\.parquet.*not there"):
        source.open(split)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_permission_denied_is_named(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("{}\n")
    path.chmod(0)
    with pytest.raises(FileError, match="may not be read"):
        JsonLines(path).schema()


def test_descriptions_are_values():
    source = Parquet("a", types={"t": "timestamp[us]"}, follow="2s")
    assert pickle.loads(pickle.dumps(source)) == source
    assert hash(source) == hash(Parquet("a", types={"t": pa.timestamp("us")}, follow=2))
    assert source.unbounded
    assert source.discover_every == 2.0
    assert not Parquet("a").unbounded


@pytest.mark.parametrize("follow", [0, -1, "0s", True, "often"])
def test_follow_must_be_a_time(follow):
    with pytest.raises(SettingsError):
        Parquet("a", follow=follow)


def test_declared_types():
    assert declared({"a": "int64"}) == declared(pa.schema([("a", pa.int64())])) == (("a", pa.int64()),)
    with pytest.raises(GraphError, match=r"'a'.*'integer'"):
        declared({"a": "integer"})
    with pytest.raises(GraphError, match="'a'"):
        declared({"a": int})


@pytest.mark.parametrize(
    ("held", "wanted", "expected"),
    [
        (pa.int32(), pa.int64(), True),
        (pa.int64(), pa.int32(), False),
        (pa.uint32(), pa.int64(), True),
        (pa.uint64(), pa.int64(), False),
        (pa.int32(), pa.uint64(), False),
        (pa.float32(), pa.float64(), True),
        (pa.int64(), pa.float64(), False),
        (pa.null(), pa.struct([("a", pa.int64())]), True),
        (pa.string(), pa.dictionary(pa.int32(), pa.string()), True),
        (pa.large_string(), pa.string(), True),
        (pa.string(), pa.int64(), False),
        (pa.timestamp("ms"), pa.timestamp("us"), False),
    ],
)
def test_widening_loses_no_value(held, wanted, expected):
    assert widens(held, wanted) is expected


def test_integers_and_text_become_times():
    ms = pa.timestamp("ms")
    assert convert(pa.array([1_700_000_040_937]), ms).cast(pa.int64()).to_pylist() == [1_700_000_040_937]
    us, zoned = pa.timestamp("us"), pa.timestamp("us", "UTC")
    texts = pa.array(["2024-01-01T00:00:00Z", "2024-01-01T02:00:00+02:00", "2024-01-01 00:00:00", "2024-01-01", None])
    for kind in (us, zoned):
        assert convert(texts, kind).cast(pa.int64()).to_pylist() == [1_704_067_200_000_000] * 4 + [None]
    assert convert(texts.dictionary_encode(), us).equals(convert(texts, us))


def test_fit_finds_every_bad_value_and_keeps_the_others():
    values = [str(number) for number in range(1000)]
    values[0] = values[513] = values[999] = "x"
    array, bad = fit(pa.array(values), pa.int64())
    assert bad.tolist() == [0, 513, 999]
    assert array.to_pylist() == [None if number in (0, 513, 999) else number for number in range(1000)]
    array, bad = fit(pa.array([300, None, 1]), pa.int8())
    assert (array.to_pylist(), bad.tolist()) == ([None, None, 1], [0])
