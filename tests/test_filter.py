import datetime
import pickle

import pyarrow as pa
import pytest

from flow import Graph, GraphError, PartitionContext, RowError, StreamSchema
from flow.schema import changelog_of
from operators.expressions import call, col
from operators.filter import Filter
from operators.in_process.tables import Table

COLUMNS = pa.schema([("k", pa.string()), ("n", pa.int64()), ("at", pa.timestamp("us"))])
SCHEMA = StreamSchema(COLUMNS, "at")
ROWS = pa.record_batch(
    {
        "k": ["a", "b", None, "d"],
        "n": [1, 2, 3, None],
        "at": pa.array([datetime.datetime(2024, 1, day) for day in (1, 2, 3, 4)], pa.timestamp("us")),
    }
)


def filtered(condition, batch=ROWS, schema=SCHEMA):
    operator = Filter(condition)
    assert operator.output({"in": schema}) == schema
    return list(operator.open(PartitionContext("f", {"in": schema})).on_batch(batch))


def test_rows_stay_for_which_the_condition_is_true_and_null_is_not():
    (out,) = filtered(col("n") > 1)
    assert out["n"].to_pylist() == [2, 3]
    (out,) = filtered(~(col("k") == "a"))
    assert out["k"].to_pylist() == ["b", "d"]


def test_a_batch_that_stays_whole_is_not_copied():
    (out,) = filtered(col("at") >= "2024-01-01")
    assert out is ROWS


def test_nothing_comes_out_of_no_rows():
    assert filtered(col("n") > 9) == []
    assert filtered(col("n") > 0, ROWS.slice(0, 0)) == []
    assert filtered(col("at").is_not_null(), ROWS.slice(0, 0)) == []


def test_changes_keep_their_weights():
    schema = StreamSchema(changelog_of(COLUMNS))
    batch = ROWS.append_column(schema.columns.field("_weight"), pa.array([1, -1, 1, -1]))
    (out,) = filtered(col("n") < 3, batch, schema)
    assert out["_weight"].to_pylist() == [1, -1]


def test_a_boolean_column_is_a_condition_by_its_name():
    schema = StreamSchema(pa.schema([("ok", pa.bool_())]))
    (out,) = filtered("ok", pa.record_batch({"ok": [True, None, False]}), schema)
    assert out["ok"].to_pylist() == [True]


def test_filters_are_values():
    assert Filter(col("n") == 1) == Filter(col("n") == 1, COLUMNS)
    assert Filter(col("n") == 1) != Filter(col("n") == 2)
    assert len({Filter(col("n") == 1), Filter(col("n") == 1)}) == 1
    assert pickle.loads(pickle.dumps(Filter(col("n") == 1, COLUMNS))) == Filter(col("n") == 1)
    assert "Column(name='n')" in repr(Filter(col("n") == 1))


def test_what_is_needed_and_what_a_reader_may_skip():
    operator = Filter((col("n") > 1) & (call("lower", col("k")) == "a"), COLUMNS)
    assert operator.needs(frozenset({"at"})) == {"in": {"at", "n", "k"}}
    assert str(operator.predicate) == "(n > 1)"
    assert Filter(call("lower", col("k")) == "a", COLUMNS).predicate is None


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (col("m") > 1, r"no column 'm'; known here: \['at', 'k', 'n'\]"),
        (col("n") + 1, "a condition must be a boolean, and this has type BIGINT"),
        (col("k") > 1, r"does not take \(TEXT, BIGINT\)"),
    ],
)
def test_what_does_not_fit_is_refused_when_the_graph_is_built(condition, message):
    stream = Graph().source("rows", Table(ROWS))
    with pytest.raises(GraphError, match=message):
        stream.filter(condition)


def test_the_verb_names_its_node_and_passes_the_error_policy_on():
    graph = Graph()
    stream = graph.source("rows", Table(ROWS)).filter(col("n") > 1, name="big", on_error="skip")
    assert stream.name == "big"
    assert graph.node("big").on_error == "skip"
    assert graph.node("big").operator.predicate is not None


def test_a_row_for_which_the_condition_fails_is_an_error():
    with pytest.raises(RowError, match=r"10 / \(n - 2\): division by zero"):
        filtered(10 / (col("n") - 2) > 1)
