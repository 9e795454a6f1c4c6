from __future__ import annotations

import pickle

import pyarrow as pa
import pytest

from flow import Graph, GraphError, RowError
from flow.schema import StreamSchema
from operators import AssignWindows, Hop, Tumble
from operators.in_process.tables import Table
from operators.window import Window
from tests.aggregating import changelog, cut, opened, run

TABLE = pa.table({"x": [1, 2, 3], "time": pa.array([-1, 0, 59_999], pa.timestamp("ms"))})
SCHEMA = StreamSchema(TABLE.schema, "time")


def spans(window: Window) -> list[tuple[int, int, int]]:
    """Row, window start and end, in seconds."""
    partition = opened(AssignWindows(window), SCHEMA)
    out = pa.Table.from_batches([got for batch in cut(TABLE, (2,)) for got in partition.on_batch(batch)])
    starts, ends = (out[name].cast(pa.int64()).to_pylist() for name in ("window_start", "window_end"))
    rows = zip(out["x"].to_pylist(), starts, ends, strict=True)
    return sorted((x, start // 10**6, end // 10**6) for x, start, end in rows)


def test_each_row_comes_out_once_a_window() -> None:
    assert spans(Tumble("time", "1 minute")) == [(1, -60, 0), (2, 0, 60), (3, 0, 60)]
    assert spans(Tumble("time", "1 minute", "10s")) == [(1, -50, 10), (2, -50, 10), (3, 10, 70)]
    assert spans(Hop("time", 50, 30)) == [(1, -30, 20), (2, -30, 20), (2, 0, 50), (3, 30, 80)]
    assert spans(Hop("time", 10, 40)) == [(2, 0, 10)]


def test_the_weight_stays_last() -> None:
    table = changelog(TABLE, [1, -1, 1])
    schema = StreamSchema(table.schema, "time")
    operator = AssignWindows(Tumble("time", 60))
    assert operator.output({"in": schema}).columns.names == ["x", "time", "window_start", "window_end", "_weight"]
    assert [row[-1] for row in run(operator, schema, cut(table, (3,)))] == [1, -1, 1]
    assert operator.needs(frozenset({"x", "window_end"})) == {"in": frozenset({"x", "time"})}


def test_rows_without_time_are_rejected() -> None:
    schema = StreamSchema(TABLE.schema)
    batch = pa.record_batch({"x": [1], "time": pa.array([None], pa.timestamp("ms"))})
    with pytest.raises(RowError, match="NULL event time in 'time'"):
        list(opened(AssignWindows(Tumble("time", 60)), schema).on_batch(batch))


def test_windows_are_values_and_checked() -> None:
    assert Hop("time", "1h", "5 minutes") == Hop("time", 3600, 300)
    assert pickle.loads(pickle.dumps(Tumble("time", "1h"))) == Tumble("time", 3600)
    for wrong in (lambda: Tumble("time", 0), lambda: Hop("time", 60, -1)):
        with pytest.raises(GraphError, match="longer than nothing"):
            wrong()
    with pytest.raises(GraphError, match="'x', which has type BIGINT; it must be a timestamp"):
        AssignWindows(Tumble("x", 60)).output({"in": SCHEMA})


def test_the_verb() -> None:
    stream = Graph().source("t", Table(TABLE), event_time="time").assign_windows(Tumble("time", 60))
    assert stream.schema.names == ["x", "time", "window_start", "window_end"]
    assert stream.schema.event_time == "time"
