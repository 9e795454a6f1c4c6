import datetime
import pickle

import pyarrow as pa
import pytest

from flow import Graph, GraphError, PartitionContext, StreamSchema
from flow.schema import changelog_of
from operators.expressions import col, lit
from operators.in_process.tables import Collect, Table
from operators.project import Project

COLUMNS = pa.schema([("k", pa.dictionary(pa.int32(), pa.string())), ("n", pa.int64()), ("at", pa.timestamp("us"))])
SCHEMA = StreamSchema(COLUMNS, "at")
ROWS = pa.record_batch(
    [
        pa.array(["a", "b", "a"]).dictionary_encode(),
        pa.array([1, 2, None]),
        pa.array([datetime.datetime(2024, 1, day) for day in (1, 2, 3)], pa.timestamp("us")),
    ],
    schema=COLUMNS,
)


def projected(columns, batch=ROWS, schema=SCHEMA):
    operator = Project(columns)
    out = operator.output({"in": schema})
    batches = list(operator.open(PartitionContext("p", {"in": schema})).on_batch(batch))
    assert all(each.schema == out.columns for each in batches)
    return out, batches


def stream():
    return Graph().source("rows", Table(ROWS), event_time="at")


def test_columns_are_computed_in_order():
    out, (batch,) = projected([("twice", col("n") * 2), ("k", "k"), ("one", 1)])
    assert out.columns == pa.schema([("twice", pa.int64()), ("k", COLUMNS.field("k").type), ("one", pa.int64())])
    assert batch.to_pydict() == {"twice": [2, 4, None], "k": ["a", "b", "a"], "one": [1, 1, 1]}


def test_nothing_comes_out_of_no_rows():
    assert projected([("n", "n")], ROWS.slice(0, 0))[1] == []


def test_the_weight_of_a_changelog_goes_along_last():
    schema = StreamSchema(changelog_of(COLUMNS))
    batch = ROWS.append_column(schema.columns.field("_weight"), pa.array([1, -1, 1]))
    out, (batch,) = projected([("n", "n")], batch, schema)
    assert out.changelog
    assert batch.to_pydict() == {"n": [1, 2, None], "_weight": [1, -1, 1]}


@pytest.mark.parametrize(
    ("columns", "event_time"),
    [
        ([("at", "at"), ("n", "n")], "at"),
        ([("when", "at")], "when"),
        ([("other", "at"), ("at", "at")], "at"),
        ([("n", "n")], None),
        ([("at", col("at") + datetime.timedelta(hours=1))], None),
        ([("at", "n"), ("was", "at")], "was"),
    ],
)
def test_the_event_time_follows_its_column(columns, event_time):
    assert projected(columns)[0].event_time == event_time


def test_columns_that_are_never_null_stay_so():
    schema = StreamSchema(pa.schema([pa.field("n", pa.int64(), nullable=False)]))
    out, _ = projected([("m", "n"), ("more", col("n") + 1)], pa.record_batch({"n": [1]}), schema)
    assert [field.nullable for field in out.columns] == [False, True]


def test_projections_are_values():
    assert Project([("m", col("n") == 1)]) == Project([("m", col("n") == 1)])
    assert Project([("m", col("n") == 1)]) != Project([("m", col("n") == 2)])
    assert len({Project([("m", "n")]), Project([("m", col("n"))])}) == 1
    assert pickle.loads(pickle.dumps(Project([("m", col("n") + 1)]))) == Project([("m", col("n") + 1)])


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ([("_weight", lit(1))], "no column may be called '_weight': changelogs say by it"),
        ([("_key_group", lit(1))], "no column may be called '_key_group': snapshots are divided by it"),
        ([("n", "n"), ("n", "k")], r"column names must be unique; these are not: \['n'\]"),
        ([], "a projection needs at least one column"),
    ],
)
def test_names_that_cannot_be_are_refused(columns, message):
    with pytest.raises(GraphError, match=message):
        Project(columns)


def test_select_takes_names_bare_columns_and_new_columns():
    selected = stream().select("k", col("at"), m=col("n") + 1, copy="n", source=lit("x"))
    assert selected.schema.names == ["k", "at", "m", "copy", "source"]
    assert selected.schema.event_time == "at"
    with pytest.raises(GraphError, match=r"the column n \+ 1 has no name; write select\(name=n \+ 1\)"):
        stream().select(col("n") + 1)
    with pytest.raises(GraphError, match=r"no column 'm'; known here: \['at', 'k', 'n'\]"):
        stream().select("m")


def test_with_columns_replaces_in_place_and_appends():
    assert stream().with_columns(n=col("n") + 1, m=1).schema.names == ["k", "n", "at", "m"]


def test_drop_and_rename():
    assert stream().drop("n").schema.names == ["k", "at"]
    renamed = stream().rename({"at": "when", "k": "key"})
    assert renamed.schema.names == ["key", "n", "when"]
    assert renamed.schema.event_time == "when"
    with pytest.raises(GraphError, match="no column 'm'"):
        stream().drop("m")
    with pytest.raises(GraphError, match="no column 'm'"):
        stream().rename({"m": "k"})
    with pytest.raises(GraphError, match="column names must be unique"):
        stream().rename({"n": "k"})


def test_the_verbs_name_their_nodes_and_pass_the_error_policy_on():
    rows = stream()
    rows.select("k", name="chosen", on_error="skip")
    rows.with_columns(m=1, name="more", on_error="skip")
    assert {rows.graph.node(name).on_error for name in ("chosen", "more")} == {"skip"}


def test_what_nobody_uses_is_neither_read_nor_computed():
    operator = stream().with_columns(m=col("n") + 1, one=1, name="p").graph.node("p").operator
    assert operator.needs(frozenset({"m"})) == {"in": {"n"}}
    assert operator.needs(frozenset({"k", "_weight"})) == {"in": {"k", "_weight"}}
    assert operator.needs(frozenset()) == {"in": {"k"}}
    read = StreamSchema(pa.schema([COLUMNS.field("n"), COLUMNS.field("at")]), "at")
    assert operator.output({"in": read}) == StreamSchema(
        pa.schema([("n", pa.int64()), ("at", pa.timestamp("us")), ("m", pa.int64()), ("one", pa.int64())]), "at"
    )
    (batch,) = operator.open(PartitionContext("p", {"in": read})).on_batch(ROWS.select(["n", "at"]))
    assert batch["m"].to_pylist() == [2, 3, None]
    assert Project([("m", col("n") + 1), ("k", "k")]).needs(frozenset({"m"})) == {"in": {"n", "k"}}


def test_a_graph_reads_only_what_its_results_are_made_of():
    collected = Collect()
    rows = stream().with_columns(m=col("n") + 1).filter(col("m") > 2).select("m", "at")
    rows.sink("out", collected)
    rows.graph.run(partitions=1)
    assert collected.table().to_pydict() == {"m": [3], "at": [datetime.datetime(2024, 1, 2)]}
