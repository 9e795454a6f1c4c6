import pyarrow as pa
import pytest

from flow import Graph, GraphError, PartitionContext, StreamSchema
from flow.schema import changelog_of
from operators import Check, Collect, Table
from operators.expressions import ExpressionError, col

COLUMNS = pa.schema([("k", pa.string()), ("n", pa.int64())])
ROWS = pa.record_batch({"k": ["a", "b", None, "d"], "n": [1, 2, 3, None]}, COLUMNS)


def checked(check: Check, batch: pa.RecordBatch = ROWS) -> tuple[list[dict[str, object]], list[tuple[object, str]]]:
    """The rows that pass, and those that are rejected with what is said of them."""
    rejected: list[tuple[object, str]] = []

    def reject(rows: pa.RecordBatch, error: str) -> None:
        rejected.extend((row, error) for row in rows["n"].to_pylist())

    context = PartitionContext("c", {"in": StreamSchema(batch.schema)}, reject=reject)
    passed = [row for out in check.open(context).on_batch(batch) for row in out.to_pylist()]
    return passed, rejected


def test_rows_pass_of_which_no_condition_is_false() -> None:
    passed, rejected = checked(Check([("small", col("n") < 2), ("named", col("k").is_not_null())]))
    assert passed == [{"k": "a", "n": 1}, {"k": "d", "n": None}]
    # A row is rejected once, by the first condition that it breaks.
    assert rejected == [(2, "does not satisfy small"), (3, "does not satisfy small")]
    assert checked(Check([("named", col("k").is_not_null())]))[1] == [(3, "does not satisfy named")]


def test_changes_keep_their_weight() -> None:
    changes = pa.record_batch({"n": [1, 5], "_weight": [-1, 1]}, changelog_of(pa.schema([("n", pa.int64())])))
    assert checked(Check([("small", col("n") < 2)]), changes) == (
        [{"n": 1, "_weight": -1}],
        [(5, "does not satisfy small")],
    )


def test_what_is_no_condition_is_refused() -> None:
    schema = {"in": StreamSchema(COLUMNS)}
    with pytest.raises(ExpressionError):
        Check([("n", col("n"))]).output(schema)
    with pytest.raises(GraphError, match="at least one condition"):
        Check([])
    assert Check([("small", col("n") < 2)]).needs(frozenset({"k"})) == {"in": frozenset({"k", "n"})}


def test_the_verb_and_the_dead_letters() -> None:
    graph = Graph("checked")
    good, bad = Collect(), Collect()
    stream = graph.source("rows", Table(pa.Table.from_batches([ROWS]))).check(col("n") < 3, on_error="dead_letter")
    stream.sink("good", good)
    stream.dead_letters.sink("bad", bad)
    graph.run()
    assert sorted(good.table()["n"].to_pylist(), key=str) == [1, 2, None]
    assert [(row["row"], row["error"]) for row in bad.rows] == [('{"k": null, "n": 3}', "does not satisfy n < 3")]
