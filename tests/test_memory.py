"""Tables in memory as sources, and what the collecting and the null sink do."""

import pickle

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow import GraphError, PenstockError, StreamSchema, WriterContext
from flow.schema import changelog_of
from operators.in_process.tables import Collect, Null, Table

COLUMNS = pa.schema([("n", pa.int64()), ("s", pa.string())])


def batches(count, rows):
    return [
        pa.record_batch({"n": np.arange(i * rows, (i + 1) * rows), "s": [f"{i}"] * rows}, schema=COLUMNS)
        for i in range(count)
    ]


def read_all(source, split, offset=None):
    reader = source.open(split, offset)
    found = []
    while (batch := reader.read()) is not None:
        found.append(batch)
    reader.close()
    return found


def read_table(source):
    return pa.Table.from_batches(
        [batch for split in source.splits() for batch in read_all(source, split)], source.schema()
    )


def test_batches_are_returned_as_they_are():
    given_ = batches(5, 10)
    source = Table(given_)
    (split,) = source.splits()
    found = read_all(source, split)
    assert all(a is b for a, b in zip(found, given_, strict=True))
    assert source.schema() == COLUMNS


def test_large_tables_are_several_splits_that_make_up_the_whole():
    source = Table(batches(300, 1_000))
    splits = source.splits()
    assert 2 <= len(splits) <= 16
    assert len({split.id for split in splits}) == len(splits)
    assert read_table(source).equals(pa.Table.from_batches(batches(300, 1_000)))
    assert len(Table(batches(2_000, 1_000)).splits()) == 16


@given(st.lists(st.integers(0, 40), min_size=1, max_size=8), st.integers(1, 30))
@settings(max_examples=50, deadline=None)
def test_cutting_loses_no_row(sizes, batch_rows):
    table = pa.Table.from_batches([pa.record_batch({"n": np.arange(size)}) for size in sizes])
    source = Table(table, batch_rows)
    found = [batch for split in source.splits() for batch in read_all(source, split)]
    assert pa.Table.from_batches(found, table.schema).equals(table)
    assert max(batch.num_rows for batch in found) <= batch_rows


def test_a_reader_resumes_after_the_last_batch():
    source = Table(batches(4, 3))
    (split,) = source.splits()
    reader = source.open(split)
    reader.read()
    reader.read()
    rest = read_all(source, split, reader.offset())
    assert pa.Table.from_batches(rest)["n"].to_pylist() == list(range(6, 12))


def test_narrowing_selects_columns_in_order():
    source = Table(batches(2, 3)).narrow(["s", "n"])
    assert source.schema().names == ["s", "n"]
    assert read_table(source).column_names == ["s", "n"]
    nothing = source.narrow([])
    assert [batch.num_rows for split in nothing.splits() for batch in read_all(nothing, split)] == [3, 3]
    with pytest.raises(GraphError, match=r"'m'; known here: \['n', 's'\]"):
        source.narrow(["m"])


def test_many_things_are_tables():
    table = pa.table({"a": [1, 2], "b": ["x", None]})
    relation = duckdb.sql("FROM (VALUES (1::BIGINT, 'x'), (2, NULL)) t(a, b)")
    for data in (table, table.to_batches(), table.to_batches()[0], {"a": [1, 2], "b": ["x", None]}, relation):
        assert read_table(Table(data)).to_pylist() == table.to_pylist()
    assert read_table(Table(table.slice(0, 0))).schema == table.schema


def test_what_is_no_table_is_refused():
    for data in ([], [1, 2], 5):
        with pytest.raises(GraphError, match="at least one record batch"):
            Table(data)
    with pytest.raises(
        GraphError, match=r"batch 1 of the table has the columns a: string; those of batch 0 are a: int64"
    ):
        Table([pa.record_batch({"a": [1]}), pa.record_batch({"a": ["x"]})])
    with pytest.raises(GraphError, match="batch_rows must be at least 1, not 0"):
        Table({"a": [1]}, batch_rows=0)


def test_a_table_is_a_value():
    source = Table({"n": [1, 2]}, batch_rows=1)
    assert source == Table({"n": [1, 2]}, batch_rows=1)
    assert source != Table({"n": [1, 3]}, batch_rows=1)
    assert repr(source) == "Table(2 rows, n: int64)"
    assert pickle.loads(pickle.dumps(source.narrow(["n"]))) == source.narrow(["n"])


def test_a_slice_pickles_its_rows_only():
    whole = pa.table({"n": np.arange(100_000)})
    assert len(pickle.dumps(Table(whole.slice(5, 10)))) < 2_000


def writer_of(sink, columns=COLUMNS, run_id="r1"):
    return sink.open(WriterContext("out", StreamSchema(columns), run_id=run_id))


def test_collect_has_what_was_committed():
    out = Collect()
    with pytest.raises(PenstockError, match="run the graph first"):
        out.table()
    writers = [writer_of(out), writer_of(out)]
    first, second, third = batches(3, 2)
    writers[0].write(first)
    writers[1].write(second)
    assert out.table().num_rows == 0
    for writer in writers:
        writer.prepare(1)
        writer.commit(1)
    writers[0].write(third)
    writers[0].abort()
    writers[0].close()
    assert out.table().equals(pa.Table.from_batches([first, second]))
    assert out.changes().equals(out.table())
    writer_of(out, run_id="r2")
    assert out.table().num_rows == 0
    assert out.table().schema == COLUMNS


def test_collect_is_a_value_and_its_result_is_not_part_of_it():
    out = Collect()
    writer = writer_of(out)
    writer.write(batches(1, 2)[0])
    writer.commit(1)
    assert out == Collect()
    copy = pickle.loads(pickle.dumps(out))
    assert copy == out
    with pytest.raises(PenstockError):
        copy.table()


def collected(changes):
    out = Collect()
    out.check(StreamSchema(changes.schema))
    writer = writer_of(out, changes.schema)
    for batch in changes.to_batches(max_chunksize=3):
        writer.write(batch)
    writer.commit(1)
    return out


@given(st.lists(st.tuples(st.sampled_from([None, "a", "b"]), st.sampled_from([None, 1.5, float("nan")]))))
@settings(max_examples=50, deadline=None)
def test_a_changelog_is_summed_to_the_rows_that_remain(rows):
    retracted = rows[::2]
    changes = pa.table(
        {
            "s": pa.array([row[0] for row in rows + retracted], pa.string()).dictionary_encode(),
            "x": pa.array([row[1] for row in rows + retracted], pa.float64()),
            "_weight": pa.array([1] * len(rows) + [-1] * len(retracted), pa.int64()),
        }
    ).cast(changelog_of(pa.schema([("s", pa.dictionary(pa.int32(), pa.string())), ("x", pa.float64())])))
    out = collected(changes)
    assert out.changes().num_rows == changes.num_rows
    found = sorted(map(repr, zip(*out.table().to_pydict().values(), strict=True)))
    assert found == sorted(map(repr, rows[1::2]))


def test_nested_rows_are_summed_too():
    columns = pa.schema([("l", pa.list_(pa.int64())), ("o", pa.struct([("a", pa.string())]))])
    rows = [
        ([1, None], {"a": "x"}, 2),
        ([1, None], {"a": "x"}, -1),
        (None, None, 1),
        ([], {"a": None}, 1),
        ([], None, 1),
    ]
    changes = pa.Table.from_pylist(
        [dict(zip(("l", "o", "_weight"), row, strict=True)) for row in [*rows, (None, None, 1)]],
        schema=changelog_of(columns),
    )
    found = collected(changes).table()
    assert found.to_pylist() == [
        {"l": [1, None], "o": {"a": "x"}},
        {"l": None, "o": None},
        {"l": None, "o": None},
        {"l": [], "o": {"a": None}},
        {"l": [], "o": None},
    ]


def test_retracting_what_was_not_there_is_an_error():
    changes = pa.table([["a", "b"], [1, -1]], schema=changelog_of(pa.schema([("s", pa.string())])))
    with pytest.raises(
        PenstockError, match=r"1 rows were retracted without having been inserted, such as \{'s': 'b'\}"
    ):
        collected(changes).table()


def test_null_takes_anything():
    Null().check(StreamSchema(changelog_of(COLUMNS)))
    writer = writer_of(Null())
    writer.write(batches(1, 1)[0])
    writer.prepare(1)
    writer.commit(1)
    writer.close()
    assert Null() == pickle.loads(pickle.dumps(Null()))


def test_text_and_bytes_in_views_are_read_as_plain_ones():
    views = pa.table(
        {"s": pa.array(["a", None, "c"], pa.string_view()), "b": pa.array([b"x", b"y", None], pa.binary_view())}
    )
    source = Table(views)
    assert source.schema() == pa.schema([("s", pa.string()), ("b", pa.binary())])
    reader = source.open(source.splits()[0])
    assert reader.read().to_pylist() == views.to_pylist()
