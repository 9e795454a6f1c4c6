"""One row that an operator with state cannot use, at every place of a batch: as if it had never come."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from flow import Graph, Stream
from flow.errors import GraphError, RowError
from operators import Collect, Table, Tumble, agg, col
from operators.expressions import lit
from tests.bad_input import failure, run

PLACES = range(6)
BAD = lit(1.0) / (col("v") - 13)
"""Cannot be computed where v is 13."""


def rows_with(place: int) -> pa.Table:
    """Five good rows, and one bad one at a place."""
    rows = [{"k": number % 2, "v": number, "t": number} for number in range(5)]
    rows.insert(place, {"k": 1, "v": 13, "t": 4})
    columns = {"k": pa.int64(), "v": pa.int64(), "t": pa.timestamp("s")}
    return pa.table({name: pa.array([row[name] for row in rows], kind) for name, kind in columns.items()})


def other() -> pa.Table:
    return pa.table({"g": [0, 1, 1, 2], "w": [0, 2, 3, 4]})


def joined(kind: Any, bad_left: bool, keys: tuple[tuple[str, str], ...] = (("k", "g"),)) -> Any:
    def build(graph: Graph, rows: pa.Table, others: pa.Table, on_error: Any) -> Stream:
        mine, theirs = graph.source("mine", Table(rows)), graph.source("theirs", Table(others))
        condition = col("w") >= BAD
        left, right = (mine, theirs) if bad_left else (theirs, mine)
        on = keys if bad_left else [(theirs, mine) for mine, theirs in keys]
        made: Stream = left.join(right, on=on, kind=kind, condition=condition, name="doing", on_error=on_error)
        return made

    return build


def aggregated(**settings: Any) -> Any:
    def build(graph: Graph, rows: pa.Table, others: pa.Table, on_error: Any) -> Stream:
        timed = "window" in settings
        stream = graph.source("mine", Table(rows), event_time="t" if timed else None)
        made: Stream = stream.aggregate(
            total=agg.sum("v"), worst=agg.max(BAD), n=agg.count(), name="doing", on_error=on_error, **settings
        )
        return made

    return build


def filtered(graph: Graph, rows: pa.Table, others: pa.Table, on_error: Any) -> Stream:
    stream = graph.source("mine", Table(rows))
    counted = agg.count(filter=lit(0) > BAD)
    made: Stream = stream.aggregate(keys="k", some=counted, list=agg.array_agg("v"), name="doing", on_error=on_error)
    return made


def replaced(graph: Graph, rows: pa.Table, others: pa.Table, on_error: Any) -> Stream:
    stream = graph.source("mine", Table(rows))
    made: Stream = stream.upsert("k", deletes=lit(0.4) < BAD, name="doing", on_error=on_error)
    return made


def summed(rows: list[dict[str, Any]]) -> Counter[str]:
    """A changelog, summed up."""
    total: Counter[str] = Counter()
    for row in rows:
        weight = row.pop("_weight", 1)
        total[repr(sorted(row.items()))] += weight
    return Counter({row: count for row, count in total.items() if count})


KINDS = ("inner", "left", "right", "full", "semi", "anti")
BUILDS = {
    **{f"{kind} join, {side}": joined(kind, side == "left") for kind in KINDS for side in ("left", "right")},
    "full join without keys": joined("full", True, ()),
    "aggregate": aggregated(keys="k"),
    "aggregate of all": aggregated(),
    "aggregate, final": aggregated(keys="k", emit="final"),
    "filtered aggregate": filtered,
    "window aggregate": aggregated(keys="k", window=Tumble("t", "2 seconds")),
    "window aggregate, changes": aggregated(keys="k", window=Tumble("t", "2 seconds"), emit="changes"),
    "upsert": replaced,
}


def without(rows: pa.Table, values: list[int], name: str) -> pa.Table:
    return rows.filter(pc.invert(pc.is_in(rows[name], pa.array(values, pa.int64()))))


def outcome(
    build: Any, rows: pa.Table, others: pa.Table, on_error: str, partitions: int
) -> tuple[Counter[str], list[dict[str, Any]]]:
    graph, out, dead = Graph("g"), Collect(), Collect()
    stream = build(graph, rows, others, on_error)
    stream.sink("out", out)
    stream.dead_letters.sink("dead", dead)
    run(graph, partitions)
    return summed(out.rows), dead.rows


@pytest.mark.parametrize("partitions", [1, 2])
@pytest.mark.parametrize("build", BUILDS.values(), ids=BUILDS)
def test_a_row_at_fault_is_as_if_it_had_never_come(build: Any, partitions: int) -> None:
    for place in PLACES:
        rows = rows_with(place)
        found, letters = outcome(build, rows, other(), "dead_letter", partitions)
        given_up = [json.loads(letter["row"]) for letter in letters]
        # Of two rows that make no pair the one is given up that came later.
        assert given_up
        assert {row.get("v", 13) for row in given_up} == {13}
        assert all("division by zero" in letter["error"] and letter["node"] == "doing" for letter in letters)
        mine = without(rows, [row["v"] for row in given_up if "v" in row], "v")
        theirs = without(other(), [row["w"] for row in given_up if "w" in row], "w")
        assert (found, []) == outcome(build, mine, theirs, "dead_letter", partitions)


@pytest.mark.parametrize("build", BUILDS.values(), ids=BUILDS)
def test_without_a_policy_a_row_at_fault_fails_the_run(build: Any) -> None:
    graph = Graph("g")
    build(graph, rows_with(2), other(), "fail").sink("out", Collect())
    error = failure(lambda: run(graph))
    assert isinstance(error.cause, RowError)
    assert "division by zero" in str(error)


@pytest.mark.parametrize("emit", ["changes", "final"])
def test_what_is_no_row_s_fault_fails_the_run_under_every_policy(emit: Any) -> None:
    graph = Graph("g")
    rows = Table({"k": [1, 1, 2], "v": [2**62, 2**62, 1]})
    summed = graph.source("mine", rows).aggregate(keys="k", total=agg.sum("v"), emit=emit, on_error="skip")
    summed.sink("out", Collect())
    assert "beyond BIGINT" in str(failure(lambda: run(graph)).cause)


def test_a_value_that_no_sum_can_hold_is_a_row_at_fault() -> None:
    graph, out = Graph("g"), Collect()
    rows = pa.table({"k": [1, 1, 2], "v": pa.array([1, 2**63, 3], pa.uint64())})
    summed = graph.source("mine", Table(rows)).aggregate(keys="k", total=agg.sum("v"), emit="final", on_error="skip")
    summed.sink("out", out)
    run(graph)
    assert sorted(row["total"] for row in out.rows) == [1, 3]


def test_a_broadcast_row_is_not_given_up_in_some_partitions_only() -> None:
    graph = Graph("g")
    mine, theirs = graph.source("mine", Table(rows_with(2))), graph.source("theirs", Table(other()))
    with pytest.raises(GraphError, match="would give a broadcast row up in the partitions"):
        mine.join(theirs, on={"k": "g"}, condition=col("w") >= BAD, broadcast=True, on_error="skip")


@pytest.mark.parametrize("kind", ["inner", "full"])
def test_the_dead_letters_of_a_join_by_keys_of_one_name_are_the_stream_s(kind: Any) -> None:
    graph, out, dead = Graph("g"), Collect(), Collect()
    mine = graph.source("mine", Table(rows_with(2)))
    theirs = graph.source("theirs", Table(other().rename_columns(["k", "w"])))
    joined = mine.join(theirs, on="k", kind=kind, condition=col("w") >= BAD, on_error="dead_letter")
    joined.sink("out", out)
    joined.dead_letters.sink("dead", dead)
    run(graph)
    assert dead.rows
    assert all("division by zero" in letter["error"] for letter in dead.rows)


def test_a_join_does_not_lose_track_of_rows_that_may_be_taken_back() -> None:
    graph = Graph("g")
    mine = graph.source("mine", Table(rows_with(2)))
    theirs = graph.source("theirs", Table(other()))
    changes = mine.aggregate(keys="k", v=agg.max("v"))
    with pytest.raises(GraphError, match="compute what can fail in a column before the join"):
        changes.join(theirs, on={"k": "g"}, condition=col("w") >= BAD, on_error="skip")
    with pytest.raises(GraphError, match="would subtract what was never added"):
        theirs.join(changes, on={"g": "k"}, condition=col("w") >= BAD, on_error="dead_letter")
    changes.join(theirs, on={"k": "g"}, condition=col("w") >= col("v"), on_error="skip")
    changes.join(theirs, on={"k": "g"}, condition=col("w") >= BAD)
