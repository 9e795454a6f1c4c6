"""Files that are missing, empty, damaged, forbidden, vanishing or of other columns: a clear error or dead letters."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from flow import Graph, GraphError, RowError
from operators import ArrowFile, Collect, Csv, JsonLines, Parquet
from operators.files.paths import FileError
from tests.bad_input import PLACES, failure, numbers, python, read, run

FORMATS: dict[str, Callable[..., Any]] = {"parquet": Parquet, "arrow": ArrowFile, "csv": Csv, "jsonl": JsonLines}
EACH = pytest.mark.parametrize("ending", FORMATS)
COLUMNAR = pytest.mark.parametrize("ending", ["parquet", "arrow"])
TEXTS = pytest.mark.parametrize("ending", ["csv", "jsonl"])


def written(path: Path, table: pa.Table | None = None) -> Path:
    """A file of the format that its name ends with."""
    table = numbers() if table is None else table
    match path.suffix:
        case ".parquet":
            pq.write_table(table, path, row_group_size=100)
        case ".arrow":
            with pa.ipc.new_file(str(path), table.schema) as file:
                file.write_table(table, max_chunksize=100)
        case ".csv":
            pacsv.write_csv(table, path)
        case _:
            path.write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()))
    return path


@EACH
def test_a_missing_file_is_refused_when_the_graph_is_built(ending: str, tmp_path: Path) -> None:
    (tmp_path / "other.txt").touch()
    with pytest.raises(GraphError, match=rf"'in': no file '.*no\.{ending}'; in '.*' there are: \['other.txt'\]"):
        Graph("g").source("in", FORMATS[ending](tmp_path / f"no.{ending}"))


@EACH
def test_a_directory_without_files_is_refused(ending: str, tmp_path: Path) -> None:
    with pytest.raises(GraphError, match=rf"'in': directory '.*' has no file that ends with \.{ending}"):
        Graph("g").source("in", FORMATS[ending](tmp_path))


@EACH
def test_an_empty_file_tells_no_columns(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"empty.{ending}"
    path.touch()
    with pytest.raises(GraphError, match=r"'in': .*empty\." + ending):
        Graph("g").source("in", FORMATS[ending](path))


@TEXTS
@PLACES
def test_an_empty_text_file_of_declared_columns_has_no_rows(ending: str, partitions: int, tmp_path: Path) -> None:
    (tmp_path / f"empty.{ending}").touch()
    source = FORMATS[ending](tmp_path, types={"a": "int64", "s": pa.string()})
    assert read(source, partitions=partitions, key="s").rows == []


@EACH
@PLACES
def test_zero_rows_and_one_row(ending: str, partitions: int, tmp_path: Path) -> None:
    written(tmp_path / f"one.{ending}", numbers(1))
    written(tmp_path / f"zero.{ending}", numbers(0))
    assert read(FORMATS[ending](tmp_path), partitions=partitions, key="s").rows == [{"a": 0, "s": "x0"}]


@EACH
def test_noise_is_refused_with_the_name_of_the_file(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"noise.{ending}"
    path.write_bytes(bytes((17 * number * number + 130) % 256 for number in range(5_000)))
    with pytest.raises(GraphError, match=rf"'in': .*noise\.{ending}"):
        Graph("g").source("in", FORMATS[ending](path))


@COLUMNAR
@PLACES
def test_a_truncated_second_file_is_named_with_its_node(ending: str, partitions: int, tmp_path: Path) -> None:
    written(tmp_path / f"a.{ending}")
    second = written(tmp_path / f"b.{ending}")
    second.write_bytes(second.read_bytes()[:-200])
    with pytest.raises(GraphError, match=rf"'in': '.*b\.{ending}' cannot be read"):
        read(FORMATS[ending](tmp_path), partitions=partitions, key="s")


@COLUMNAR
@PLACES
def test_corrupt_data_behind_a_good_footer(ending: str, partitions: int, tmp_path: Path) -> None:
    path = written(tmp_path / f"f.{ending}")
    data = bytearray(path.read_bytes())
    for place in range(300, 900):
        data[place] ^= 0x5A
    path.write_bytes(data)
    error = failure(lambda: read(FORMATS[ending](path), partitions=partitions, key="s"))
    assert error.node == "in"
    assert error.instance.startswith(f"split {path}")
    assert isinstance(error.cause, FileError)
    assert str(path) in str(error)


@TEXTS
@PLACES
def test_a_text_file_cut_in_the_middle_of_a_row(ending: str, partitions: int, tmp_path: Path) -> None:
    path = written(tmp_path / f"f.{ending}", pa.table({"a": range(10), "s": ["text, quoted"] * 10}))
    path.write_bytes(path.read_bytes()[:-6])
    error = failure(lambda: read(FORMATS[ending](path), partitions=partitions, key="s"))
    assert (error.node, type(error.cause)) == ("in", RowError)
    assert str(path) in str(error)
    assert error.offset is not None
    outcome = read(FORMATS[ending](path), "dead_letter", partitions, key="s")
    assert sorted(row["a"] for row in outcome.rows) == list(range(9))
    (letter,) = outcome.letters
    assert letter["node"] == "in"
    assert letter["row"].startswith(("9,", '{"a": 9'))
    assert json.loads(letter["offset"]) == {"source": "in", "split": f"{path}@0", "offset": error.offset}


@TEXTS
@PLACES
def test_a_compressed_file_that_breaks_off(ending: str, partitions: int, tmp_path: Path) -> None:
    # Of uncompressible text, so that the first rows, by which types are known, come before the break.
    table = pa.table({"a": range(100_000), "s": [f"{number * 2_654_435_761 % 2**64:x}" for number in range(100_000)]})
    whole = gzip.compress(written(tmp_path / f"f.{ending}", table).read_bytes(), 1)
    path = tmp_path / f"g.{ending}.gz"
    path.write_bytes(whole)
    graph, out = Graph("g"), Collect()
    graph.source("in", FORMATS[ending](path)).sink("out", out)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises((ExceptionGroup, GraphError)) as raised:
        run(graph, partitions)
    said = str(raised.value.exceptions[0]) if isinstance(raised.value, ExceptionGroup) else str(raised.value)
    assert "'in'" in said
    assert str(path) in said
    assert "runcated" in said


@EACH
@PLACES
def test_a_file_that_vanished_between_building_and_running(ending: str, partitions: int, tmp_path: Path) -> None:
    path = written(tmp_path / f"f.{ending}")
    graph = Graph("g")
    graph.source("in", FORMATS[ending](path)).sink("out", Collect())
    path.unlink()
    with pytest.raises(GraphError, match=rf"'in': no file '.*f\.{ending}'"):
        run(graph, partitions)


@EACH
@PLACES
def test_a_file_that_vanishes_while_others_are_read(ending: str, partitions: int, tmp_path: Path) -> None:
    written(tmp_path / f"a.{ending}")
    second = written(tmp_path / f"b.{ending}")
    graph = Graph("g")

    def remove(batch: pa.RecordBatch) -> pa.RecordBatch:
        if batch.num_rows:
            second.unlink(missing_ok=True)
        return batch

    graph.source("in", FORMATS[ending](tmp_path)).map_batches(remove).sink("out", Collect())
    error = failure(lambda: run(graph, 1, topology="serial"))
    assert error.node == "in"
    assert f"{str(second)!r} is not there (any more)" in str(error)


@COLUMNAR
@PLACES
def test_a_file_of_another_type_or_without_a_column(ending: str, partitions: int, tmp_path: Path) -> None:
    written(tmp_path / f"a.{ending}")
    written(tmp_path / f"b.{ending}", pa.table({"a": ["q"], "s": ["y"]}))
    error = failure(lambda: read(FORMATS[ending](tmp_path), partitions=partitions, key="s"))
    assert "column 'a' has type string; in the first file, and so in the whole source, it is int64" in str(error)
    written(tmp_path / f"b.{ending}", pa.table({"b": ["q"], "s": ["y"]}))
    error = failure(lambda: read(FORMATS[ending](tmp_path), partitions=partitions, key="s"))
    assert "has no column 'a', which the first file has; known here: ['b', 's']" in str(error)
    assert error.node == "in"


@TEXTS
@PLACES
def test_rows_of_another_type_are_dead_letters(ending: str, partitions: int, tmp_path: Path) -> None:
    written(tmp_path / f"a.{ending}")
    written(tmp_path / f"b.{ending}", pa.table({"a": ["q"] * 10, "s": ["y"] * 10}))
    outcome = read(FORMATS[ending](tmp_path), "dead_letter", partitions, key="s")
    assert (len(outcome.rows), len(outcome.letters)) == (1_000, 10)
    assert f"b.{ending}" in outcome.letters[0]["error"]


@EACH
@PLACES
def test_columns_in_another_order_and_more_of_them(ending: str, partitions: int, tmp_path: Path) -> None:
    written(tmp_path / f"a.{ending}", numbers(10))
    written(tmp_path / f"b.{ending}", pa.table({"s": ["y"], "more": [1], "a": [10]}))
    outcome = read(FORMATS[ending](tmp_path), partitions=partitions, key="s")
    assert sorted(row["a"] for row in outcome.rows) == list(range(11))
    assert set(outcome.rows[0]) == {"a", "s"}


@EACH
def test_two_columns_of_one_name(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"f.{ending}"
    if ending == "csv":
        path.write_text("a,a\n1,2\n")
    elif ending == "jsonl":
        path.write_text('{"a": 1, "a": 2}\n')
    else:
        written(path, pa.table([[1], [2]], names=["a", "a"]))
    with pytest.raises(GraphError, match=r"'in': .*f\." + ending):
        Graph("g").source("in", FORMATS[ending](path))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become somebody else")
def test_files_that_may_not_be_read(tmp_path: Path) -> None:
    paths = [written(tmp_path / f"f.{ending}") for ending in FORMATS]
    for path in paths:
        path.chmod(0)
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(0o755)
    made = python(
        f"""
        for form, path in zip((Parquet, ArrowFile, Csv, JsonLines), {[str(path) for path in paths]}):
            try:
                Graph("g").source("in", form(path))
            except GraphError as error:
                print(error)
        """,
        limit="os.setgroups([]); os.setgid(65534); os.setuid(65534)",
    )
    said = [f"'in': {str(path)!r} may not be read by this user" for path in paths]
    assert made.stdout.splitlines() == said, made.stderr


RAGGED = "a,b\n1,x\n2\n3,y,z\n4,w\n"
BROKEN = b'{"a":1}\n{"a":\n{"a":"x"}\n[1]\n5\n{"a":4}\n{"a":"\xff"}\n'


@PLACES
def test_ragged_lines_of_csv(partitions: int, tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text(RAGGED)
    source = Csv(tmp_path, range_bytes=4)
    error = failure(lambda: read(source, partitions=partitions, key="b"))
    assert (error.node, error.offset) in [("in", 8), ("in", 10)]
    outcome = read(source, "dead_letter", partitions, key="b")
    assert sorted(row["a"] for row in outcome.rows) == [1, 4]
    found = sorted((letter["row"], json.loads(letter["offset"])["offset"]) for letter in outcome.letters)
    assert found == [("2", 8), ("3,y,z", 10)]


@PLACES
def test_invalid_utf8_takes_its_row_only(partitions: int, tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_bytes(b"a,b\n1,x\n2,\xff\xfe\n3,z\n")
    outcome = read(Csv(tmp_path), "dead_letter", partitions, key="b")
    assert sorted(row["a"] for row in outcome.rows) == [1, 3]
    (letter,) = outcome.letters
    assert json.loads(letter["offset"])["offset"] == 8
    assert "column 'b'" in letter["error"]


@PLACES
def test_invalid_json_takes_its_lines_only(partitions: int, tmp_path: Path) -> None:
    (tmp_path / "f.jsonl").write_bytes(BROKEN)
    outcome = read(JsonLines(tmp_path, types={"a": "int64"}), "dead_letter", partitions, key="a")
    assert sorted(row["a"] for row in outcome.rows) == [1, 4]
    assert len(outcome.letters) == 5
    skipped = read(JsonLines(tmp_path, types={"a": "int64"}), "skip", partitions, key="a")
    assert skipped.stats.skipped_rows == 5


@PLACES
def test_a_number_beyond_its_type_takes_its_row_only(partitions: int, tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text(f"a\n1\n{2**63}\n-3\n")
    outcome = read(Csv(tmp_path, types={"a": "int64"}), "dead_letter", partitions, key="a")
    assert sorted(row["a"] for row in outcome.rows) == [-3, 1]
    assert outcome.letters[0]["row"] == str(2**63)
