"""One node at work: late and rejected rows go aside, whole, counted and in order, or end the run."""

from __future__ import annotations

import json
import math
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import LogCapture

from flow import (
    RowError,
    StepError,
)
from flow.nodes import DEAD_LETTER_COLUMNS, ErrorPolicy
from tests.working import aside, batch, context_of, opened, read_of


def test_late_rows_go_aside_in_order_and_are_counted() -> None:
    running = opened()
    context = context_of(running)
    context.late(batch(1, 2))
    context.late_rows(40)
    context.late(batch(3))
    assert aside(running) == [("late", [{"n": 1}, {"n": 2}]), ("late", [{"n": 3}])]
    assert running.counters.late_rows == 43
    assert aside(running) == []


def test_the_first_late_rows_that_nobody_reads_are_told_with_where_they_come_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    logs = LogCapture()
    monkeypatch.setattr("flow.steps.log", structlog.wrap_logger(None, [logs], structlog.BoundLogger))
    running = opened()
    running.trace.begin([read_of("a", 0, 7)])
    context_of(running).late(batch())
    context_of(running).late_rows(3)
    context_of(running).late(batch(1))
    read = opened()
    read.inside["late"].append((running, 0))
    context_of(read).late(batch(1))
    assert logs.entries == [
        {
            "event": "rows came too late, the first of them here",
            "log_level": "info",
            "run": "run",
            "node": "node",
            "partition": 2,
            "rows": 3,
            "origin": "offsets 0 to 7 of split 'a' of 'in'",
        }
    ]


def test_under_fail_the_first_rejected_row_ends_the_run() -> None:
    running = opened()
    running.trace.begin([read_of("a", 0, 5)])
    with pytest.raises(StepError) as raised:
        context_of(running).reject(batch(4, 5, 6), "no good")
    assert str(raised.value) == (
        "'node' (partition 2, offsets 0 to 5 of split 'a' of 'in'): "
        """RowError: no good (and 2 more rows); row: {"n": 4}"""
    )
    assert isinstance(raised.value.cause, RowError)
    assert (running.take_aside(), running.counters.dead_letters, running.counters.skipped_rows) == ([], 0, 0)


def test_an_offset_that_is_known_of_the_row_goes_before_the_step_s() -> None:
    running = opened()
    running.trace.begin([read_of("a", 0, 20)])
    with pytest.raises(StepError, match=r"offset 17 of split 'a' of 'in'\): RowError: torn; row: x$") as raised:
        running.reject([("x", "torn", 17), ("y", "torn", 18)][:1])
    assert raised.value.offset == 17
    with pytest.raises(StepError, match=r"\(partition 2, offset 17\): RowError: torn"):
        opened().reject([("x", "torn", 17)])


def test_an_error_shows_the_beginning_of_a_huge_row_and_a_dead_letter_all_of_it() -> None:
    letter = ("x" * 5_000, "too long", None)
    with pytest.raises(StepError) as raised:
        opened().reject([letter])
    assert str(raised.value).endswith("row: " + "x" * 1_000 + "…")
    running = opened(on_error="dead_letter")
    running.reject([letter])
    assert aside(running)[0][1][0]["row"] == "x" * 5_000


def test_under_skip_rejected_rows_are_counted_and_go_nowhere() -> None:
    running = opened(on_error="skip")
    context_of(running).reject(batch(1, 2, 3), "no good")
    running.reject([("x", "torn", 17)])
    assert (running.counters.skipped_rows, running.counters.dead_letters, running.take_aside()) == (4, 0, [])


def test_dead_letters_hold_row_error_node_and_offset() -> None:
    running = opened(on_error="dead_letter")
    running.trace.begin([read_of("a", None, ["file", 3])])
    context_of(running).reject(batch(1, 2), "no good")
    running.reject([("torn, line", "1 field, not 2", {"byte": 8}), ("y", "torn", None)])
    place = '{"source": "in", "split": "a", "at_or_before": ["file", 3]}'
    row = '{"source": "in", "split": "a", "offset": {"byte": 8}}'
    assert aside(running) == [
        (
            "dead_letters",
            [{"row": f'{{"n": {n}}}', "error": "no good", "node": "node", "offset": place} for n in (1, 2)],
        ),
        (
            "dead_letters",
            [
                {"row": "torn, line", "error": "1 field, not 2", "node": "node", "offset": row},
                {"row": "y", "error": "torn", "node": "node", "offset": place},
            ],
        ),
    ]
    assert running.counters.dead_letters == 4


def test_dead_letters_have_the_announced_columns() -> None:
    running = opened(on_error="dead_letter")
    running.reject([("x", "torn", None)])
    ((_, rows),) = running.take_aside()
    assert rows.schema == DEAD_LETTER_COLUMNS


@pytest.mark.parametrize("on_error", ["fail", "skip", "dead_letter"])
def test_no_rows_are_rejected_without_a_trace(on_error: ErrorPolicy) -> None:
    running = opened(on_error=on_error)
    running.reject([])
    context_of(running).reject(batch(), "none")
    assert (running.take_aside(), running.counters.dead_letters, running.counters.skipped_rows) == ([], 0, 0)


def test_late_rows_and_dead_letters_keep_their_order_aside() -> None:
    running = opened(on_error="dead_letter")
    context = context_of(running)
    context.reject(batch(1), "no")
    context.late(batch(2))
    context.reject(batch(3), "no")
    assert [side for side, _ in aside(running)] == ["dead_letters", "late", "dead_letters"]


def shown(rows: pa.RecordBatch, error: BaseException | str = "no") -> list[tuple[Any, str]]:
    return [(json.loads(row), said) for row, said, _ in opened().letters(rows, error)]


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "n": st.none() | st.integers(-(2**63), 2**63 - 1),
                "s": st.none() | st.text(),
                "f": st.none() | st.floats(allow_nan=False, allow_infinity=False),
                "l": st.none() | st.lists(st.booleans()),
            }
        )
    )
)
@settings(max_examples=60, deadline=None)
def test_a_letter_holds_the_whole_row(rows: list[dict[str, Any]]) -> None:
    schema = pa.schema([("n", pa.int64()), ("s", pa.string()), ("f", pa.float64()), ("l", pa.list_(pa.bool_()))])
    assert shown(pa.RecordBatch.from_pylist(rows, schema)) == [(row, "no") for row in rows]


def test_values_that_json_does_not_have_are_texts() -> None:
    rows = pa.record_batch(
        {
            "nan": [math.nan],
            "inf": [-math.inf],
            "time": [datetime(2013, 1, 2, 3)],
            "date": [date(2013, 1, 2)],
            "decimal": [Decimal("1.50")],
            "bytes": [b"\xff"],
            "struct": [{"deep": [math.inf]}],
            "far": pa.array([2**62], pa.timestamp("s")),
            "fine": pa.array([1_000_000_001], pa.timestamp("ns")),
            "coded": pa.array(["x"]).dictionary_encode(),
        }
    )
    ((row, _),) = shown(rows)
    assert row == {
        "nan": "NaN",
        "inf": "-Infinity",
        "time": "2013-01-02 03:00:00",
        "date": "2013-01-02",
        "decimal": "1.50",
        "bytes": "b'\\xff'",
        "struct": {"deep": ["Infinity"]},
        "far": row["far"],
        "fine": row["fine"],
        "coded": "x",
    }
    assert row["far"]
    assert row["fine"].startswith("1970-01-01 00:00:01")


def test_rows_without_columns_are_rows_too() -> None:
    assert shown(batch(1, 2).select([])) == [({}, "no"), ({}, "no")]


def test_an_error_without_a_message_is_told_by_its_type() -> None:
    assert shown(batch(1), ZeroDivisionError()) == [({"n": 1}, "ZeroDivisionError")]
    assert shown(batch(1), ValueError("seven")) == [({"n": 1}, "seven")]
