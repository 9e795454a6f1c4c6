"""Unnest: a row for each element of its lists, whatever the lists are made of and however the rows are cut."""

import pyarrow as pa
import pytest

from flow import Graph, GraphError
from flow.operator import PartitionContext
from flow.schema import WEIGHT, StreamSchema
from operators import Collect, Table, Unnest

LISTS = pa.list_(pa.int64())


def unnested(operator: Unnest, batch: pa.RecordBatch) -> list[dict[str, object]]:
    inputs = {"in": StreamSchema(batch.schema)}
    partition = operator.open(PartitionContext("unnest", inputs))
    batches = list(partition.on_batch(batch))
    for each in batches:
        each.validate(full=True)
        assert each.schema == operator.output(inputs).columns
    return [row for each in batches for row in each.to_pylist()]


def batch(**columns: pa.Array) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(columns)


def test_each_element_has_a_row_and_rows_without_any_have_none() -> None:
    rows = batch(k=["a", "b", "c", "d"], xs=pa.array([[1, None], [], None, [3]], LISTS))
    expected = [{"k": "a", "xs": 1}, {"k": "a", "xs": None}, {"k": "d", "xs": 3}]
    assert unnested(Unnest(["xs"]), rows) == expected
    assert unnested(Unnest(["xs"]), rows.slice(1)) == expected[2:]


def test_outer_keeps_rows_without_elements() -> None:
    rows = batch(k=["a", "b", "c"], xs=pa.array([[], None, [3]], LISTS))
    assert unnested(Unnest([("xs", "x")], ordinality="n", outer=True), rows) == [
        {"k": "a", "x": None, "n": None},
        {"k": "b", "x": None, "n": None},
        {"k": "c", "x": 3, "n": 1},
    ]


def test_several_lists_go_side_by_side() -> None:
    rows = batch(k=[1, 2, 3], xs=pa.array([[1, 2], None, [5]], LISTS), ys=pa.array([["p"], ["q", "r"], []]))
    assert unnested(Unnest([("xs", "x"), ("ys", "y")], ordinality="n"), rows) == [
        {"k": 1, "x": 1, "y": "p", "n": 1},
        {"k": 1, "x": 2, "y": None, "n": 2},
        {"k": 2, "x": None, "y": "q", "n": 1},
        {"k": 2, "x": None, "y": "r", "n": 2},
        {"k": 3, "x": 5, "y": None, "n": 1},
    ]


@pytest.mark.parametrize(
    "kind",
    [pa.large_list(pa.int64()), pa.list_(pa.int64(), 2), pa.list_view(pa.int64()), pa.large_list_view(pa.int64())],
    ids=str,
)
def test_lists_of_every_kind(kind: pa.DataType) -> None:
    rows = batch(k=[0, 1, 2, 3], xs=pa.array([[9, 9], [1, 2], None, [3, 4]], kind)).slice(1)
    assert [row["xs"] for row in unnested(Unnest(["xs"]), rows)] == [1, 2, 3, 4]


def test_maps_have_entries() -> None:
    kind = pa.map_(pa.string(), pa.int64())
    rows = batch(k=[0, 1, 2, 3], m=pa.array([[("z", 0)], [("a", 1), ("b", None)], None, []], kind)).slice(1)
    assert unnested(Unnest([("m", "e")]), rows) == [
        {"k": 1, "e": {"key": "a", "value": 1}},
        {"k": 1, "e": {"key": "b", "value": None}},
    ]


def test_weights_are_repeated_and_stay_last() -> None:
    rows = batch(xs=pa.array([[1, 2], [3]], LISTS), **{WEIGHT: pa.array([1, -1], pa.int64())})
    assert unnested(Unnest(["xs"]), rows) == [
        {"xs": 1, WEIGHT: 1},
        {"xs": 2, WEIGHT: 1},
        {"xs": 3, WEIGHT: -1},
    ]


def test_many_elements_come_out_in_pieces() -> None:
    rows = batch(k=list(range(50)), xs=pa.array([list(range(4000))] * 50, LISTS))
    inputs = {"in": StreamSchema(rows.schema)}
    pieces = list(Unnest(["xs"]).open(PartitionContext("unnest", inputs)).on_batch(rows))
    assert max(piece.num_rows for piece in pieces) <= 65_536
    assert sum(piece.num_rows for piece in pieces) == 200_000


def test_the_verb() -> None:
    graph, result = Graph("unnest"), Collect()
    orders = graph.source("orders", Table({"id": [1, 2], "items": [["a", "b"], []]}))
    orders.unnest(item="items", ordinality="n", outer=True).sink("result", result)
    graph.run()
    rows = sorted(result.table().to_pylist(), key=str)
    assert rows == [
        {"id": 1, "item": "a", "n": 1},
        {"id": 1, "item": "b", "n": 2},
        {"id": 2, "item": None, "n": None},
    ]


@pytest.mark.parametrize(
    ("operator", "message"),
    [
        (lambda: Unnest([]), "at least one list"),
        (lambda: unnested(Unnest(["k"]), batch(k=[1])), "has type int64; unnest takes lists and maps"),
        (lambda: unnested(Unnest(["ks"]), batch(k=[[1]])), "no column 'ks'"),
        (lambda: unnested(Unnest([("k", "i")]), batch(k=[[1]], i=[1])), "must be unique"),
    ],
)
def test_what_cannot_be_unnested(operator: object, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        operator()  # type: ignore[operator]
