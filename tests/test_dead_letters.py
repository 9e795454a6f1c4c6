"""Dead letters of sinks: the rows that a writer refuses arrive where they are read, and the others are written."""

from __future__ import annotations

import json
from collections.abc import Callable, Container
from pathlib import Path
from typing import Any

import attrs
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from flow import Graph, GraphError, RunStats, Settings, Sink, Writer, WriterContext
from flow.describe import describe
from flow.drawing import draw, mermaid
from flow.report import report_json
from operators import Callback, Collect, Csv, JsonLines, Parquet, Table, col, script
from operators.command.main import main
from operators.sql.grammar.errors import SqlError
from tests.bad_input import PLACES, failure, names_in, numbers, run

TOPOLOGIES = pytest.mark.parametrize("topology", ["serial", "routed", "prefetched", "aligned"])

BAD = frozenset({0, 417, 418, 999})


@attrs.frozen
class Picky(Sink):
    """Refuses batches with a number that is bad, as a whole; keeps the numbers of the others once they commit."""

    bad: Container[int] = BAD
    call: str = "write"
    says: str = "{} is bad"
    kept: list[int] = attrs.field(factory=list, eq=False)
    refused: list[list[int]] = attrs.field(factory=list, eq=False)
    calls: list[str] = attrs.field(factory=list, eq=False)

    def open(self, context: WriterContext) -> Writer:
        self.raising("open")
        return _Picky(self)

    def raising(self, call: str) -> None:
        self.calls.append(call)
        if call == self.call != "write":
            raise OSError(f"no {call} today")


class _Picky(Writer):
    def __init__(self, sink: Picky) -> None:
        self.sink = sink
        self.waiting: list[int] = []

    def write(self, batch: pa.RecordBatch) -> None:
        numbers = batch["a"].to_pylist()
        if found := [number for number in numbers if number in self.sink.bad]:
            self.sink.refused.append(numbers)
            raise ValueError(self.sink.says.format(found[0]))
        self.waiting += numbers

    def prepare(self, epoch: int) -> None:
        self.sink.raising("prepare")

    def commit(self, epoch: int) -> None:
        self.sink.raising("commit")
        self.sink.kept.extend(self.waiting)
        self.waiting = []

    def abort(self) -> None:
        self.waiting = []

    def close(self) -> None:
        self.sink.raising("close")


@attrs.frozen
class Written:
    """What became of a run whose sink `out` is picky."""

    stats: RunStats
    sink: Picky
    letters: list[dict[str, Any]]


def write(
    on_error: Any = "dead_letter",
    *,
    bad: Container[int] = BAD,
    says: str = "{} is bad",
    rows: int = 1_000,
    batch_rows: int = 10,
    key: bool = False,
    writers: int = 1,
    **settings: Any,
) -> Written:
    """Write numbers to a picky sink, in batches that stay as they are read."""
    graph, sink, dead = Graph("g"), Picky(bad, says=says), Collect()
    stream = graph.source("in", Table(numbers(rows), batch_rows=batch_rows))
    if key:
        stream = stream.key_by("s").map_batches(lambda batch: batch, name="each")
    written = stream.sink("out", sink, on_error=on_error, writers=writers)
    if on_error == "dead_letter":
        written.dead_letters.sink("dead", dead)
    stats = run(graph, settings.pop("partitions", 1), batch_rows=1, **settings)
    return Written(stats, sink, dead.rows if on_error == "dead_letter" else [])


def check(written: Written, rows: int = 1_000) -> None:
    """Every row was written, or it is bad and arrived as a dead letter, once; and the counts say the same."""
    sink, letters, stats = written.sink, written.letters, written.stats
    given_up = sorted(json.loads(letter["row"])["a"] for letter in letters)
    assert given_up == [row for row in range(rows) if row in sink.bad]
    assert sorted([*sink.kept, *given_up]) == list(range(rows))
    assert {(letter["node"], letter["error"]) for letter in letters} == {("out", f"{row} is bad") for row in given_up}
    assert all(json.loads(letter["row"]).keys() == {"a", "s"} for letter in letters)
    out, dead = stats.nodes["out"], stats.nodes["dead"]
    assert (out.rows_in, out.dead_letters, out.skipped_rows, dead.rows_in) == (rows, len(letters), 0, len(letters))
    assert (stats.dead_letters, stats.rows_out, stats.rows_in) == (len(letters), rows, rows)
    report = report_json(stats)
    assert (report["dead_letters"], report["rows_out"], report["outcome"]) == (len(letters), rows, "finished")


@TOPOLOGIES
@PLACES
@pytest.mark.parametrize("key", [False, True])
def test_what_a_writer_refuses_arrives_as_dead_letters(topology: Any, partitions: int, key: bool) -> None:
    check(write(topology=topology, partitions=partitions, key=key))


@PLACES
def test_several_writers_refuse_for_themselves(partitions: int) -> None:
    written = write(key=True, partitions=partitions, writers=3)
    check(written)
    assert written.sink.calls.count("open") == 3


@PLACES
def test_dead_letters_are_committed_in_the_epoch_of_the_rows(partitions: int) -> None:
    written = write(key=True, partitions=partitions, commit_every=0.001)
    check(written)


@TOPOLOGIES
@PLACES
@pytest.mark.parametrize("key", [False, True])
def test_dead_letters_say_where_their_rows_come_from(topology: Any, partitions: int, key: bool) -> None:
    for letter in write(topology=topology, partitions=partitions, key=key).letters:
        described = json.loads(letter["offset"])
        stretches = described if isinstance(described, list) else [described]
        assert {stretch["source"] for stretch in stretches} == {"in"}
        # How many batches are read at one go depends on the machine; offsets count batches of 10 rows.
        batch = json.loads(letter["row"])["a"] // 10
        assert any(stretch.get("from", 0) <= batch < stretch.get("to", 1_000) for stretch in stretches), described


@TOPOLOGIES
def test_skipped_rows_are_counted_and_the_others_written(topology: Any) -> None:
    written = write("skip", topology=topology)
    assert sorted(written.sink.kept) == sorted(set(range(1_000)) - BAD)
    assert (written.stats.skipped_rows, written.stats.rows_out) == (4, 996)
    assert written.stats.nodes["out"].skipped_rows == 4


@pytest.mark.parametrize(("says", "rows_alone"), [("no route to it", 8), ("{} is bad", 64)])
@pytest.mark.parametrize("rows", [1, 7, 5_000])
def test_a_sink_that_is_down_is_not_asked_for_every_row(says: str, rows_alone: int, rows: int) -> None:
    written = write(bad=range(rows), rows=rows, batch_rows=1_024, says=says, topology="serial")
    assert sorted(json.loads(letter["row"])["a"] for letter in written.letters) == list(range(rows))
    assert written.sink.kept == []
    refused = [len(numbers) for numbers in written.sink.refused]
    assert refused.count(1) == min(rows, rows_alone)
    assert len(refused) < 2 * rows_alone + 20 + rows // 1_024
    if rows > 1_024:
        assert refused[-4:] == [1_024, 1_024, 1_024, rows - 4_096]


def test_a_sink_that_comes_back_is_asked_for_single_rows_again() -> None:
    written = write(bad={*range(1_500), 1_800}, rows=3_000, batch_rows=1_000, says="no route to it", topology="serial")
    given_up = sorted(json.loads(letter["row"])["a"] for letter in written.letters)
    # The batch in which it comes back is given up whole, since it is asked no more than once while it seems to be down.
    assert given_up == list(range(2_000))
    assert sorted(written.sink.kept) == list(range(2_000, 3_000))
    later = write(bad={*range(1_000), 1_800}, rows=3_000, batch_rows=250, says="no route to it", topology="serial")
    assert sorted(later.sink.kept) == [*range(1_000, 1_800), *range(1_801, 3_000)]


def test_rows_that_are_bad_one_after_the_other_do_not_cost_the_rest_of_the_batch() -> None:
    written = write(bad=range(20), batch_rows=1_024, rows=1_024, says="negative", topology="serial")
    given_up = sorted(json.loads(letter["row"])["a"] for letter in written.letters)
    assert given_up == list(range(32))
    assert sorted(written.sink.kept) == list(range(32, 1_024))


@TOPOLOGIES
def test_under_fail_nothing_is_committed(topology: Any) -> None:
    graph, sink, good = Graph("g"), Picky(), Collect()
    stream = graph.source("in", Table(numbers(), batch_rows=10))
    stream.sink("out", sink)
    stream.sink("good", good)
    error = failure(lambda: run(graph, 2, topology=topology))
    assert (error.node, error.instance, str(error.cause)) == ("out", "writer 0", "0 is bad")
    assert (sink.kept, good.rows, sink.calls[-1]) == ([], [], "close")


@pytest.mark.parametrize("row", [0, 999_999])
@pytest.mark.parametrize("policy", ["fail", "skip", "dead_letter"])
def test_one_row_of_a_million_is_refused(row: int, policy: Any) -> None:
    def all_of_it() -> Written:
        return write(policy, bad=frozenset({row}), rows=1_000_000, batch_rows=50_000)

    if policy == "fail":
        error = failure(all_of_it)
        assert (error.node, error.instance, str(error.cause)) == ("out", "writer 0", f"{row} is bad")
        assert "of split 'batches " in error.place
        return
    written = all_of_it()
    assert len(written.sink.kept) == 999_999
    assert len(written.sink.refused) < 20
    if policy == "dead_letter":
        check(written, 1_000_000)
    else:
        assert written.stats.skipped_rows == 1


@TOPOLOGIES
@pytest.mark.parametrize("call", ["open", "prepare", "commit", "close"])
def test_a_writer_that_fails_elsewhere_fails_the_run_under_any_policy(call: str, topology: Any, tmp_path: Path) -> None:
    graph, sink = Graph("g"), Picky(call=call)
    written = graph.source("in", Table(numbers(), batch_rows=10)).sink("out", sink, on_error="dead_letter")
    written.dead_letters.sink("dead", JsonLines(tmp_path / "dead"))
    error = failure(lambda: run(graph, 2, topology=topology, batch_rows=1))
    assert (error.node, error.instance, str(error.cause)) == ("out", "writer 0", f"no {call} today")
    assert call == "open" or sink.calls.count("close") == 1
    if call in ("open", "prepare"):
        assert (sink.kept, names_in(tmp_path)) == ([], [])


def test_dead_letters_can_be_worked_on_like_any_stream(tmp_path: Path) -> None:
    graph, counted = Graph("g"), Collect()
    out = graph.source("in", Table(numbers(), batch_rows=10)).sink("out", Picky(), on_error="dead_letter")
    out.dead_letters.filter(col("error") != "0 is bad").sink("counted", counted)
    graph.run(partitions=2, batch_rows=1)
    assert sorted(row["error"] for row in counted.rows) == ["417 is bad", "418 is bad", "999 is bad"]


def test_the_dead_letters_of_a_dead_letter_sink() -> None:
    graph, first, last = Graph("g"), Picky(), Collect()

    def refuse(batch: pa.RecordBatch) -> None:
        if batch.filter(pc.equal(batch["error"], "417 is bad")).num_rows:
            raise ValueError("never 417")

    out = graph.source("in", Table(numbers(), batch_rows=10)).sink("out", first, on_error="dead_letter")
    again = out.dead_letters.sink("dead", Callback(refuse), on_error="dead_letter")
    again.dead_letters.sink("last", last)
    stats = graph.run(partitions=1, batch_rows=1)
    assert [(row["node"], row["error"]) for row in last.rows] == [("dead", "never 417")]
    assert json.loads(json.loads(last.rows[0]["row"])["row"])["a"] == 417
    assert (stats.nodes["out"].dead_letters, stats.nodes["dead"].dead_letters, stats.rows_out) == (4, 1, 1_000)


def test_dead_letters_that_go_nowhere_and_that_nobody_sends() -> None:
    graph = Graph("g")
    stream = graph.source("in", Table(numbers()))
    stream.sink("out", Collect(), on_error="dead_letter")
    with pytest.raises(GraphError, match="'out' has on_error='dead_letter', but nothing reads its dead letters"):
        graph.run()
    other = Graph("g")
    other.source("in", Table(numbers())).sink("out", Collect()).dead_letters.sink("dead", Collect())
    with pytest.raises(GraphError, match="the dead letters of 'out' are read, but it has on_error='fail'"):
        other.run()


def test_a_graph_with_dead_letters_of_a_sink_is_drawn_and_explained() -> None:
    graph = Graph("g")
    stream = graph.source("in", Table(numbers()))
    written = stream.sink("out", Collect(), on_error="dead_letter")
    written.dead_letters.sink("dead", Collect())
    assert "n1 -.->|dead letters| n2" in mermaid(draw(graph)).replace('"', "")
    assert "→ forward (dead letters) → dead, 1 writer" in describe(graph, Settings(topology="routed"))
    assert repr(written) == "Written(name='out')"


# From SQL


DECLARED = "(a BIGINT, s VARCHAR) WITH (connector = 'files', path = 'in.csv', format = 'csv'"


def tables(source: str = "", sink: str = "", more: str = "") -> str:
    return f"""
        CREATE TABLE numbers {DECLARED}{source});
        CREATE TABLE out WITH (connector = 'files', path = 'out/', format = 'csv'{sink});
        CREATE TABLE bad WITH (connector = 'files', path = 'bad/', format = 'json');
        {more}
        INSERT INTO out SELECT * FROM numbers;
    """


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.csv").write_text("a,s\n1,x\nno,y\n3,z\n4\n")
    return tmp_path


def lines(folder: Path, directory: str) -> list[str]:
    return [line for path in sorted((folder / directory).iterdir()) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("topology", ["serial", "routed"])
def test_a_script_names_the_table_for_dead_letters(
    topology: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "job.sql").write_text(tables(", dead_letters = 'bad'"))
    assert main(["run", "job.sql", "--quiet", "--topology", topology, "--report", "report.json"]) == 0
    assert capsys.readouterr().err == ""
    assert lines(folder, "out") == ["a,s", "1,x", "3,z"]
    letters = sorted((json.loads(line) for line in lines(folder, "bad")), key=lambda letter: letter["row"])
    place = {"source": "numbers", "split": "in.csv@0"}
    assert [(letter["row"], letter["node"], json.loads(letter["offset"])) for letter in letters] == [
        ("4", "numbers", {**place, "offset": 17}),
        ("no,y", "numbers", {**place, "offset": 8}),
    ]
    report = json.loads((folder / "report.json").read_text())
    assert (report["rows_in"], report["dead_letters"], report["rows_out"]) == (2, 2, 4)


def test_a_table_that_is_written_has_dead_letters_too(folder: Path) -> None:
    graph = script(tables(sink=", on_error = 'dead_letter', dead_letters = 'bad'"))
    assert [(node.name, str(output)) for node in graph for output in node.inputs.values()] == [
        ("out", "numbers"),
        ("bad", "out.dead_letters"),
    ]
    assert [getattr(node, "on_error", None) for node in graph] == ["fail", "dead_letter", "fail"]


def test_several_tables_share_one_for_dead_letters_that_is_written_otherwise_too(folder: Path) -> None:
    both = ", dead_letters = 'bad'"
    more = """INSERT INTO bad SELECT s AS "row", 'mine' AS error, 'me' AS node, CAST(NULL AS VARCHAR) AS "offset"
        FROM numbers WHERE a = 3;"""
    graph = script(tables(both, both, more))
    graph.run()
    letters = [json.loads(line) for line in lines(folder, "bad")]
    assert sorted((letter["node"], letter["row"]) for letter in letters) == [
        ("me", "z"),
        ("numbers", "4"),
        ("numbers", "no,y"),
    ]
    assert lines(folder, "out") == ["a,s", "1,x", "3,z"]


WRONG: dict[str, Callable[[], str]] = {
    "no table 'dad'; known here: ['bad', 'numbers', 'out']; did you mean 'bad'?": lambda: tables(
        ", dead_letters = 'dad'"
    ),
    "dead letters need a table that they go to; write dead_letters = 'table' as well": lambda: tables(
        ", on_error = 'dead_letter'"
    ),
    "there is a table for dead letters, but on_error is 'skip'": lambda: tables(
        ", on_error = 'skip', dead_letters = 'bad'"
    ),
    "'numbers' is read and written: a table is one or the other": lambda: tables(sink=", dead_letters = 'numbers'"),
    "the dead letters of 'out' would come back to it": lambda: tables(sink=", dead_letters = 'out'"),
}


@pytest.mark.parametrize("said", WRONG)
def test_wrong_tables_for_dead_letters(said: str, folder: Path) -> None:
    with pytest.raises(SqlError) as raised:
        script(WRONG[said]())
    assert raised.value.message == said
    assert raised.value.line > 1


def test_a_table_for_dead_letters_of_other_columns_than_they_have(folder: Path) -> None:
    text = tables(", dead_letters = 'two'", more="CREATE TABLE two (a VARCHAR, b VARCHAR) WITH (connector = 'null');")
    with pytest.raises(SqlError, match="'two' has 2 columns"):
        script(text)


def test_csv_and_parquet_take_dead_letters(tmp_path: Path) -> None:
    for form in (Csv, Parquet):
        graph = Graph("g")
        out = graph.source("in", Table(numbers(), batch_rows=10)).sink("out", Picky(), on_error="dead_letter")
        out.dead_letters.sink("dead", form(tmp_path / form.__name__))
        assert graph.run(batch_rows=1).nodes["dead"].rows_in == 4
        assert len(names_in(tmp_path / form.__name__)) == 1
