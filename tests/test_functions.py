"""Functions over batches and rows as operators."""

import pickle
from datetime import datetime
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from flow import Graph, GraphError, PartitionContext, RowError, StreamSchema
from flow.schema import changelog_of
from operators.calling.functions import FlatMap, Map, MapBatches
from operators.in_process.tables import Collect, Table

COLUMNS = pa.schema([("n", pa.int64()), ("s", pa.string())])
BATCH = pa.record_batch({"n": [1, 2, None, 4], "s": ["a", "bb", "", None]}, schema=COLUMNS)
CHANGES = pa.record_batch([[1, 2, 2], ["a", "bb", "bb"], [1, 1, -1]], schema=changelog_of(COLUMNS))


def rows_from(operator, batch=BATCH, **context):
    inputs = {"in": StreamSchema(batch.schema)}
    partition = operator.open(PartitionContext("op", inputs, **context))
    expected = operator.output(inputs).columns
    made = list(partition.on_batch(batch))
    assert all(part.schema == expected for part in made)
    return [row for part in made for row in part.to_pylist()]


def output(operator, columns=COLUMNS, event_time=None):
    return operator.output({"in": StreamSchema(columns, event_time)})


def big_ones(batch):
    return batch.filter(pc.greater(batch["n"], 1))


def lengths(batch):
    return pa.table({"length": pc.utf8_length(batch["s"]), "n": batch["n"]})


def add(number, row):
    return {"n": row["n"] + number, "s": row["s"]}


def test_a_function_over_batches_says_its_columns():
    assert output(MapBatches(big_ones)) == StreamSchema(COLUMNS)
    assert output(MapBatches(lengths)).columns == pa.schema([("length", pa.int32()), ("n", pa.int64())])
    assert rows_from(MapBatches(big_ones)) == [{"n": 2, "s": "bb"}, {"n": 4, "s": None}]
    assert rows_from(MapBatches(lengths))[1] == {"length": 2, "n": 2}
    assert output(MapBatches(len, {"x": "int64"})).columns == pa.schema([("x", pa.int64())])


def test_a_function_that_cannot_say_its_columns():
    def first(batch):
        return pa.record_batch({"n": [batch["n"][0].as_py()]})

    with pytest.raises(GraphError, match=r"first does not say .* without rows \(IndexError: .*\); pass schema="):
        output(MapBatches(first))
    assert rows_from(MapBatches(first, {"n": pa.int64()})) == [{"n": 1}]
    with pytest.raises(GraphError, match="returned a int; it should be a record batch or a table"):
        output(MapBatches(lambda batch: 5))


def test_results_of_other_columns_are_an_error():
    with pytest.raises(
        TypeError, match=r"lengths returned the columns length: int32, n: int64; they should be n: int64"
    ):
        rows_from(MapBatches(lengths, {"n": "int64"}))
    with pytest.raises(TypeError, match=r"they should be length: int64"):
        rows_from(MapBatches(lengths, {"length": "int64", "n": "int64"}))


def test_a_function_over_batches_must_hand_on_the_weights():
    assert output(MapBatches(big_ones), CHANGES.schema).changelog
    with pytest.raises(GraphError, match="no column '_weight'"):
        output(MapBatches(lengths), CHANGES.schema)


def test_anything_that_exports_an_arrow_stream_is_a_table():
    class Frame:
        def __init__(self, table):
            self.table = table

        def __arrow_c_stream__(self, requested_schema=None):
            return self.table.__arrow_c_stream__(requested_schema)

    assert rows_from(MapBatches(lambda batch: Frame(lengths(batch))))[0] == {"length": 1, "n": 1}


def test_a_function_over_rows():
    batch = BATCH.slice(0, 2)
    assert rows_from(Map(partial(add, 10)), batch) == [{"n": 11, "s": "a"}, {"n": 12, "s": "bb"}]
    renamed = Map(lambda row: {"m": row["n"], "more": [row["s"]]}, {"m": "double", "more": pa.list_(pa.string())})
    assert rows_from(renamed, batch)[0] == {"m": 1.0, "more": ["a"]}
    assert rows_from(Map(lambda row: row if row["n"] == 2 else None), batch) == [{"n": 2, "s": "bb"}]
    assert rows_from(Map(lambda row: None), batch) == []


def test_a_function_to_many_rows():
    def letters(row):
        for letter in row["s"] or ():
            yield {"letter": letter}

    assert rows_from(FlatMap(letters, {"letter": "string"})) == [{"letter": letter} for letter in "abb"]


def test_changes_keep_their_weight():
    assert rows_from(Map(partial(add, 10)), CHANGES) == [
        {"n": 11, "s": "a", "_weight": 1},
        {"n": 12, "s": "bb", "_weight": 1},
        {"n": 12, "s": "bb", "_weight": -1},
    ]
    doubled = FlatMap(lambda row: [{"s": row["s"]}] * row["n"], {"s": "string"})
    assert [(row["s"], row["_weight"]) for row in rows_from(doubled, CHANGES)] == [
        ("a", 1), ("bb", 1), ("bb", 1), ("bb", -1), ("bb", -1),
    ]  # fmt: skip


def test_rows_at_which_the_function_raises_are_rejected():
    rejected = []
    made = rows_from(Map(partial(add, 1)), reject=lambda rows, error: rejected.append((rows.to_pylist(), error)))
    assert [row["n"] for row in made] == [2, 3, 5]
    ((rows, error),) = rejected
    assert rows == [{"n": None, "s": ""}]
    assert error.startswith("TypeError: unsupported operand")
    with pytest.raises(RowError, match="TypeError: unsupported operand"):
        rows_from(Map(partial(add, 1)))


@pytest.mark.parametrize(
    ("result", "error"),
    [
        ({"n": "x"}, r"column 'n': 'x' \(str\) is no int64"),
        ({"n": 2.5}, r"column 'n': 2.5 \(float\) is no int64"),
        ({"n": True}, r"column 'n': True \(bool\) is no int64"),
        ({"n": 2**63}, r"column 'n': 9223372036854775808 \(int\) is no int64"),
        ({"s": "x" * 200, "n": {}}, r"column 'n': \{\} \(dict\) is no int64"),
        ({"s": ["x" * 200]}, r"column 's': \['x{78}\.\.\. \(list\) is no string"),
        ({"m": 1}, r"no column 'm'; known here: \['n', 's'\]"),
        (5, r"a row is a dict, not 5 \(int\)"),
    ],
)
def test_results_that_do_not_fit_are_rejected(result, error):
    rejected = []
    operator = FlatMap(lambda row: [row, result] if row["n"] == 2 else [row])
    made = rows_from(operator, reject=lambda rows, error: rejected.append((rows.to_pylist(), error)))
    assert [row["n"] for row in made] == [1, None, 4]
    ((rows, said),) = rejected
    assert rows == [{"n": 2, "s": "bb"}]
    with pytest.raises(RowError, match=error):
        raise RowError(said)


def test_values_that_must_be_there():
    columns = pa.schema([pa.field("n", pa.int64(), nullable=False)])
    with pytest.raises(RowError, match="column 'n': NULL, where there must be a value"):
        rows_from(Map(lambda row: {"n": row["n"]}, columns))


def test_whole_floats_are_integers():
    assert rows_from(Map(lambda row: {"n": 3.0}))[0] == {"n": 3, "s": None}


def test_times_are_as_fine_as_pythons():
    batch = pa.record_batch({"t": pa.array([1_500_000_000_123_456_789], pa.timestamp("ns"))})
    seen = []
    rows_from(Map(lambda row: seen.append(row["t"]) or row), batch)
    assert seen == [datetime(2017, 7, 14, 2, 40, 0, 123456)]


def test_the_event_time_stays_where_its_column_does():
    columns = pa.schema([("t", pa.timestamp("us")), ("n", pa.int64())])
    assert output(Map(lambda row: row), columns, "t").event_time == "t"
    assert output(Map(lambda row: row, {"n": "int64"}), columns, "t").event_time is None
    assert output(MapBatches(lambda batch: batch), columns, "t").event_time == "t"


def test_an_async_function_is_refused():
    async def wait(row):
        return row

    class Waiting:
        async def __call__(self, row):
            return row

    for function in (wait, Waiting(), partial(wait)):
        for operator in (Map(function), FlatMap(function), MapBatches(function)):
            with pytest.raises(GraphError, match=r"async function.*use map_async"):
                output(operator)


def test_types_that_are_none_are_refused():
    with pytest.raises(GraphError, match="column 'n': 'integer' is the name of no Arrow type"):
        Map(len, {"n": "integer"})


def test_they_are_values():
    for operator in (MapBatches(lengths), Map(big_ones, {"n": "int64"}), FlatMap(big_ones)):
        assert pickle.loads(pickle.dumps(operator)) == operator
        assert "test_functions." in repr(operator)
    assert Map(partial(add, 1)) != Map(partial(add, 2))
    assert "partial(" in repr(Map(partial(add, 1)))
    assert "<lambda>" in repr(Map(lambda row: row))


def test_in_a_graph():
    graph, out = Graph(), Collect()
    (
        graph.source("numbers", Table({"n": list(range(100))}, batch_rows=9))
        .map_batches(big_ones)
        .map(lambda row: {"n": row["n"] * 2}, partitions=2)
        .flat_map(lambda row: [{"m": row["n"]}, {"m": -row["n"]}], {"m": "int64"}, name="both")
        .sink("out", out)
    )
    graph.run()
    assert sorted(row["m"] for row in out.rows) == sorted(sign * 2 * n for n in range(2, 100) for sign in (1, -1))


def test_dead_letters_of_a_graph():
    graph, out, bad = Graph(), Collect(), Collect()
    stream = graph.source("numbers", Table({"n": [1, 0, 2]})).map(
        lambda row: {"n": 2 // row["n"]}, on_error="dead_letter"
    )
    stream.sink("out", out)
    stream.dead_letters.sink("bad", bad)
    graph.run()
    assert [row["n"] for row in out.rows] == [2, 1]
    assert [(row["row"], row["node"]) for row in bad.rows] == [('{"n": 0}', "numbers.map")]
    assert "ZeroDivisionError" in bad.rows[0]["error"]
