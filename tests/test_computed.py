import pickle
from collections.abc import AsyncIterator

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from flow import Graph, GraphError
from flow.source import Reader, Source
from operators import AsyncRows, Collect, Table
from operators.computed import Computed
from operators.expressions import call, cast, col

DATA = pa.table({"text": ["1", "2", "x", "4"], "n": [1, 2, 3, 4], "other": ["a", "b", "c", "d"]})


def read(source: Source) -> tuple[pa.Table, list[tuple[str, str]]]:
    """All rows, and those that were rejected."""
    batches, rejected = [], []
    for split in source.splits():
        reader = source.open(split)
        assert isinstance(reader, Reader)
        while isinstance(batch := reader.read(), pa.RecordBatch):
            batches.append(batch)
        rejected += [(row.row, row.error) for row in reader.take_rejected()]
        reader.close()
    return pa.Table.from_batches(batches, source.schema()), rejected


def test_columns_are_added_behind_the_sources_own() -> None:
    source = Computed(Table(DATA), (("twice", col("n") * 2),))
    table, rejected = read(source)
    assert table.column_names == ["text", "n", "other", "twice"]
    assert table["twice"].to_pylist() == [2, 4, 6, 8]
    assert rejected == []
    assert pickle.loads(pickle.dumps(source)) == source


def test_rows_that_cannot_be_computed_are_rejected_alone() -> None:
    table, rejected = read(Computed(Table(DATA), (("number", cast(col("text"), pa.int64())),)))
    assert table["number"].to_pylist() == [1, 2, 4]
    ((row, error),) = rejected
    assert row == '{"text":"x","n":3,"other":"c"}'
    assert "'x'" in error


def test_only_what_is_needed_is_read() -> None:
    source = Computed(Table(DATA), (("twice", col("n") * 2), ("length", call("length", col("text")))))
    narrowed = source.narrow(["length", "other"])
    assert narrowed.source.schema().names == ["text", "other"]
    assert read(narrowed)[0].to_pydict() == {"length": [1, 1, 1, 1], "other": ["a", "b", "c", "d"]}


def test_a_hint_about_a_computed_column_does_not_reach_the_source() -> None:
    hints: list[object] = []

    class Told(Table):
        def narrow(self, columns, predicate=None):  # type: ignore[no-untyped-def]
            hints.append(predicate)
            return super().narrow(columns, predicate)

    source = Computed(Told(DATA), (("twice", col("n") * 2),))
    source.narrow(["n"], pc.field("twice") > 3)
    source.narrow(["n"], pc.field("n") > 3)
    assert hints[0] is None
    assert hints[1] is not None


def test_a_name_of_its_own() -> None:
    with pytest.raises(GraphError, match="'n' needs a name that no column"):
        Computed(Table(DATA), (("n", col("n") * 2),))


def test_readers_that_wait() -> None:
    async def numbers() -> AsyncIterator[dict[str, int]]:
        for number in range(3):
            yield {"n": number}

    graph = Graph("waiting")
    result = Collect()
    rows = AsyncRows(numbers, pa.schema([("n", pa.int64())]))
    graph.source("numbers", Computed(rows, (("twice", col("n") * 2),))).sink("out", result)
    graph.run()
    assert sorted(result.table()["twice"].to_pylist()) == [0, 2, 4]
