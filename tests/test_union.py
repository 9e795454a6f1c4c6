"""Union: the rows of several streams with the same columns."""

import pickle

import pyarrow as pa
import pytest

from flow import Graph, GraphError, PartitionContext, StreamSchema
from flow.schema import changelog_of
from operators.in_process.tables import Collect, Table
from operators.union import Union

N_S = pa.schema([("n", pa.int64()), ("s", pa.string())])
S_N = pa.schema([("s", pa.string()), ("n", pa.int64())])


def inputs(*schemas):
    given = [schema if isinstance(schema, StreamSchema) else StreamSchema(schema) for schema in schemas]
    return {f"in{number}": schema for number, schema in enumerate(given, 1)}


def test_columns_come_in_the_order_of_the_first():
    given = inputs(N_S, S_N)
    assert Union(2).output(given) == StreamSchema(N_S)
    partition = Union(2).open(PartitionContext("union", given))
    first = pa.record_batch([[1], ["a"]], schema=N_S)
    assert next(partition.on_batch(first, "in1")) is first
    (made,) = partition.on_batch(pa.record_batch([["b"], [2]], schema=S_N), "in2")
    assert made.equals(pa.record_batch([[2], ["b"]], schema=N_S))


def test_columns_that_differ_are_refused():
    with pytest.raises(GraphError, match=r"'in2' has no column 's'; known here: \['n'\]"):
        Union(2).output(inputs(N_S, N_S.remove(1)))
    with pytest.raises(GraphError, match=r"'in2' has a column 's', the first stream has not; known here: \['n'\]"):
        Union(2).output(inputs(N_S.remove(1), N_S))
    with pytest.raises(GraphError, match="column 'n' is int64 in the first stream and double in 'in3': cast one"):
        Union(3).output(inputs(N_S, N_S, N_S.set(0, pa.field("n", pa.float64()))))
    with pytest.raises(GraphError, match="at least 2 streams, not 1"):
        Union(1)


def test_text_may_be_dictionary_encoded_in_some():
    coded = N_S.set(1, pa.field("s", pa.dictionary(pa.int32(), pa.string())))
    assert Union(2).output(inputs(coded, coded)).columns == coded
    given = inputs(coded, N_S)
    assert Union(2).output(given).columns == N_S
    partition = Union(2).open(PartitionContext("union", given))
    batch = pa.record_batch([[1, 2], pa.array(["a", None]).dictionary_encode()], schema=coded)
    (made,) = partition.on_batch(batch, "in1")
    assert made.schema == N_S
    assert made["s"].to_pylist() == ["a", None]


def test_a_changelog_among_them_makes_all_changelogs():
    given = inputs(N_S, changelog_of(S_N))
    assert Union(2).output(given).columns == changelog_of(N_S)
    partition = Union(2).open(PartitionContext("union", given))
    (made,) = partition.on_batch(pa.record_batch([[1, 2], ["a", "b"]], schema=N_S), "in1")
    assert made.to_pylist() == [{"n": 1, "s": "a", "_weight": 1}, {"n": 2, "s": "b", "_weight": 1}]
    (made,) = partition.on_batch(pa.record_batch([["c"], [3], [-1]], schema=changelog_of(S_N)), "in2")
    assert made.to_pylist() == [{"n": 3, "s": "c", "_weight": -1}]


def test_the_event_time_stays_where_all_have_the_same():
    columns = pa.schema([("t", pa.timestamp("us")), ("u", pa.timestamp("us"))])
    timed = StreamSchema(columns, "t")
    assert Union(2).output(inputs(timed, timed)).event_time == "t"
    assert Union(2).output(inputs(timed, StreamSchema(columns, "u"))).event_time is None


def test_a_column_that_may_be_null_in_one_may_be_null():
    strict = pa.schema([pa.field("n", pa.int64(), nullable=False)])
    loose = pa.schema([pa.field("n", pa.int64())])
    assert Union(2).output(inputs(strict, loose)).columns.field("n").nullable
    assert not Union(2).output(inputs(strict, strict)).columns.field("n").nullable


def test_it_is_a_value():
    assert Union(3).ports == ("in1", "in2", "in3")
    assert pickle.loads(pickle.dumps(Union(3))) == Union(3) != Union(2)
    assert repr(Union(3)) == "Union(count=3)"


def test_in_a_graph():
    graph, out = Graph(), Collect()
    streams = [graph.source(f"s{number}", Table({"n": [number, number]})) for number in range(4)]
    streams[0].union(*streams[1:], streams[0]).sink("out", out)
    graph.run()
    assert sorted(row["n"] for row in out.rows) == [0, 0, 0, 0, 1, 1, 2, 2, 3, 3]
