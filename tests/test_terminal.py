"""Rows on the terminal, and rows handed to a function."""

import io
import pickle

import pyarrow as pa
import pytest

from flow import Graph, GraphError, StreamSchema, WriterContext
from flow.schema import changelog_of
from operators.calling.callables import described
from operators.in_process import terminal
from operators.in_process.tables import Table
from operators.in_process.terminal import Callback, Terminal

COLUMNS = pa.schema([("name", pa.string()), ("n", pa.int64())])


class Clock:
    def __init__(self, monkeypatch):
        self.now = 0.0
        monkeypatch.setattr(terminal.time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def opened(columns=COLUMNS, **options):
    file = io.StringIO()
    sink = Terminal(file=file, **options)
    sink.check(StreamSchema(columns))
    return sink.open(WriterContext("out", StreamSchema(columns))), file


def rows(*numbers, columns=COLUMNS):
    return pa.record_batch([[f"row {n}" for n in numbers], numbers], schema=columns)


def test_a_table(clock):
    writer, file = opened()
    writer.write(pa.record_batch([["a", None, "longer"], [1, -20, None]], schema=COLUMNS))
    assert file.getvalue().splitlines() == ["name       n", "a          1", "NULL     -20", "longer  NULL"]


def test_changes(clock):
    columns = changelog_of(COLUMNS)
    writer, file = opened(columns)
    writer.write(pa.record_batch([["a", "b", "c"], [1, 2, 3], [1, -1, 12]], schema=columns))
    assert file.getvalue().splitlines() == ["     name  n", "+    a     1", "-    b     2", "+12  c     3"]


def test_headings_come_again_now_and_then(clock):
    writer, file = opened()
    for second in range(90):
        clock.now = float(second)
        writer.write(rows(second))
    lines = file.getvalue().splitlines()
    assert [number for number, line in enumerate(lines) if line.startswith("name")] == [0, 41, 82]


def test_it_never_floods(clock):
    writer, file = opened(limit=3)
    for start in range(0, 4_000, 2):
        writer.write(rows(start, start + 1))
    clock.now = 1.0
    writer.write(rows(4_000))
    assert file.getvalue().splitlines() == [
        "name   n", "row 0  0", "row 1  1", "row 2  2", "... and 3,997 more rows", "row 4000  4000",
    ]  # fmt: skip
    for _ in range(3):
        writer.write(rows(1, 2))
    writer.prepare(1)
    writer.commit(1)
    writer.close()
    assert file.getvalue().splitlines()[-3:] == ["row 1        1", "row 2        2", "... and 4 more rows"]


def test_nothing_takes_over_the_terminal(clock):
    writer, file = opened()
    writer.write(pa.record_batch([["\x1b[2J[bold]x", "y\nz", "w" * 100, "中"], [1, 2, 3, 4]], schema=COLUMNS))
    lines = file.getvalue().splitlines()
    assert lines[1].startswith("\\x1b[2J[bold]x ")
    assert lines[2].startswith("y\\nz ")
    assert lines[3].startswith("w" * 59 + "… ")
    assert lines[4].startswith("中" + " " * 58)


def test_what_cannot_be_printed_is_refused():
    either = pa.dense_union([pa.field("n", pa.int64()), pa.field("s", pa.string())])
    with pytest.raises(GraphError, match="cannot be printed: 'i'"):
        Terminal().check(StreamSchema(pa.schema([("i", either)])))
    with pytest.raises(GraphError, match="limit must be at least 1, not 0"):
        Terminal(limit=0)


def test_the_standard_output_is_the_default(capsys):
    graph = Graph()
    graph.source("rows", Table({"n": [1, 2]})).sink("out", Terminal(), writers=3)
    graph.run()
    assert capsys.readouterr().out == "n\n1\n2\n"


def keep(batch):
    KEPT.append(batch)


KEPT = []


def test_a_function_gets_every_batch_in_order():
    KEPT.clear()
    writer = Callback(keep).open(WriterContext("out", StreamSchema(COLUMNS)))
    batches = [rows(1, 2), rows(3)]
    for batch in batches:
        writer.write(batch)
    assert all(a is b for a, b in zip(KEPT, batches, strict=True))
    writer.commit(1)
    writer.close()


def test_a_function_takes_changes_only_if_it_says_so():
    changelog = StreamSchema(changelog_of(COLUMNS))
    Callback(keep, takes_changes=True).check(changelog)
    with pytest.raises(GraphError, match="changelog"):
        Callback(keep).check(changelog)


def test_they_are_values():
    for sink in (Terminal(limit=5), Callback(keep)):
        assert pickle.loads(pickle.dumps(sink)) == sink
    assert described(keep) in repr(Callback(keep))
