"""Stream schemas: unique names, where the weight stands, and what an event time is."""

from __future__ import annotations

import pickle

import pyarrow as pa
import pytest

from flow import AFTER_ALL, BEFORE_ALL, WEIGHT, GraphError, StreamSchema
from flow.schema import changelog_of

COLUMNS = pa.schema([("t", pa.timestamp("ms")), ("n", pa.int64()), ("s", pa.string())])


def test_it_is_a_value() -> None:
    schema = StreamSchema(COLUMNS, "t")
    assert pickle.loads(pickle.dumps(schema)) == schema == StreamSchema(pa.schema(list(COLUMNS)), "t")
    assert schema != StreamSchema(COLUMNS)


def test_a_changelog_has_a_weight_that_is_no_name_of_a_column() -> None:
    schema = StreamSchema(changelog_of(COLUMNS))
    assert schema.changelog
    assert schema.names == ["t", "n", "s"]
    assert schema.columns.names == ["t", "n", "s", WEIGHT]
    assert not StreamSchema(COLUMNS).changelog
    assert not StreamSchema(pa.schema([])).changelog


@pytest.mark.parametrize(
    ("columns", "event_time", "message"),
    [
        ([("a", pa.int64()), ("b", pa.int64()), ("a", pa.string())], None, r"must be unique; these are not: \['a'\]"),
        ([(WEIGHT, pa.int64()), ("a", pa.int64())], None, "the column name '_weight' is kept for changelogs"),
        ([("a", pa.int64()), (WEIGHT, pa.int32())], None, "where it is the last column, of type int64"),
        ([("time", pa.int64())], "time", "event time column 'time' has type int64; it must be a timestamp"),
        ([("time", pa.date32())], "time", "has type date32"),
        ([("time", pa.int64())], "tim", r"no column 'tim'; known here: \['time'\]; did you mean 'time'\?"),
    ],
)
def test_what_is_no_stream_is_refused(
    columns: list[tuple[str, pa.DataType]], event_time: str | None, message: str
) -> None:
    with pytest.raises(GraphError, match=message):
        StreamSchema(pa.schema(columns), event_time)


def test_the_type_of_a_column() -> None:
    assert StreamSchema(COLUMNS).column_type("n") == pa.int64()
    with pytest.raises(GraphError, match=r"no column 'm'; known here: \['n', 's', 't'\]"):
        StreamSchema(COLUMNS).column_type("m")


def test_the_event_time_stays_where_its_column_still_is_one() -> None:
    schema = StreamSchema(COLUMNS, "t")
    assert schema.with_columns(pa.schema([COLUMNS.field("t")])).event_time == "t"
    assert schema.with_columns(pa.schema([COLUMNS.field("n")])).event_time is None
    assert schema.with_columns(pa.schema([("t", pa.string())])).event_time is None


def test_nothing_is_before_the_first_or_after_the_last_time() -> None:
    assert BEFORE_ALL < 0 < AFTER_ALL
    assert pa.scalar(BEFORE_ALL, pa.int64()).as_py() == BEFORE_ALL
    assert pa.scalar(AFTER_ALL, pa.int64()).as_py() == AFTER_ALL
