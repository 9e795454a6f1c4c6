import threading

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from flow.errors import GraphError
from operators.files.columnar_reader import BATCH_BYTES, BATCH_ROWS
from operators.files.parquet import Parquet
from operators.files.paths import FileError


def read_split(source, split, offset=None):
    reader = source.open(split, offset)
    try:
        while (batch := reader.read()) is not None:
            yield batch, reader.offset(), reader.take_rejected()
    finally:
        reader.close()


def read_all(source):
    batches = [batch for split in source.splits() for batch, _, _ in read_split(source, split)]
    assert all(batch.schema == source.layout().schema for batch in batches)
    return pa.Table.from_batches(batches, schema=source.layout().schema)


def plain(table):
    columns = [c.cast(c.type.value_type) if pa.types.is_dictionary(c.type) else c for c in table.columns]
    return pa.table(columns, names=table.column_names)


def trades(rows, seed=1):
    rng = np.random.default_rng(seed)
    return pa.table(
        {
            "symbol": pa.array([f"S{n}" for n in rng.integers(0, 50, rows)]),
            "price": rng.random(rows),
            "time": np.arange(rows, dtype=np.int64) * 1000,
        }
    )


@pytest.mark.parametrize("group", [1, 7, 1000, 70_000, 300_000])
def test_all_rows_come_once_whatever_the_row_groups(tmp_path, group):
    rows = 1000 if group < 1000 else 310_000
    table = trades(rows)
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=group)
    source = Parquet(tmp_path / "a.parquet")
    assert plain(read_all(source)).equals(table)
    batches = [batch.num_rows for split in source.splits() for batch, _, _ in read_split(source, split)]
    assert max(batches) <= BATCH_ROWS
    assert len({split.id for split in source.splits()}) == len(source.splits())


@pytest.mark.parametrize("group", [100, 40_000, 300_000])
def test_resuming_anywhere_gives_the_rest(tmp_path, group):
    table = trades(200_000 if group > 100 else 5_000)
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=group)
    source = Parquet(tmp_path / "a.parquet")
    for split in source.splits():
        whole = list(read_split(source, split))
        for number, (_, offset, _) in enumerate(whole):
            rest = [batch for batch, _, _ in read_split(source, split, offset)]
            expected = [batch for batch, _, _ in whole[number + 1 :]]
            assert sum(b.num_rows for b in rest) == sum(b.num_rows for b in expected)
            schema = source.layout().schema
            assert plain(pa.Table.from_batches(rest, schema)).equals(plain(pa.Table.from_batches(expected, schema)))


def test_same_as_duckdb_over_several_files(tmp_path):
    for number in range(3):
        pq.write_table(trades(10_000, number), tmp_path / f"{number}.parquet", row_group_size=3_000)
    mine = read_all(Parquet(tmp_path))
    query = "SELECT symbol, count(*) AS n, sum(time) AS t FROM {} GROUP BY symbol ORDER BY symbol"
    theirs = duckdb.sql(query.format(f"'{tmp_path}/*.parquet'")).fetchall()
    assert duckdb.sql(query.format("mine")).fetchall() == theirs
    assert len(mine) == 30_000


def test_repetitive_text_is_read_as_dictionaries_and_other_text_is_not(tmp_path):
    table = pa.table(
        {"few": ["a", "b"] * 5_000, "many": [f"{n:040}" for n in np.random.default_rng(1).permutation(10_000)]}
    )
    pq.write_table(table, tmp_path / "a.parquet", dictionary_pagesize_limit=1024)
    schema = Parquet(tmp_path).schema()
    assert schema.field("few").type == pa.dictionary(pa.int32(), pa.string())
    assert schema.field("many").type == pa.string()
    declared = Parquet(tmp_path, types={"few": "string", "many": "string"})
    assert declared.schema() == schema
    assert plain(read_all(declared)).equals(table)


def test_columns_in_the_order_asked_for(tmp_path):
    pq.write_table(trades(10), tmp_path / "a.parquet")
    source = Parquet(tmp_path, columns=["time", "price"])
    assert read_all(source).column_names == ["time", "price"]
    assert read_all(source.narrow(["price"])).column_names == ["price"]
    assert sum(split.size for split in source.narrow(["price"]).splits()) < sum(s.size for s in source.splits())
    with pytest.raises(GraphError, match=r"no column 'prize'.*did you mean 'price'"):
        Parquet(tmp_path, columns=["prize"]).schema()
    with pytest.raises(GraphError, match="'symbol'"):
        source.narrow(["symbol"])


def test_without_columns_rows_still_count(tmp_path):
    pq.write_table(trades(70_000), tmp_path / "a.parquet")
    source = Parquet(tmp_path).narrow([])
    assert sum(batch.num_rows for split in source.splits() for batch, _, _ in read_split(source, split)) == 70_000


def test_declared_types_convert_and_bad_values_are_rejected(tmp_path):
    table = pa.table({"t": ["2024-01-01T00:00:00Z", "soon", "2024-01-02"], "n": [1, 2, 3], "ms": [5, 6, 7]})
    pq.write_table(table, tmp_path / "a.parquet")
    source = Parquet(tmp_path, types={"t": pa.timestamp("us"), "n": "int8", "ms": pa.timestamp("ms")})
    ((batch, _, rejected),) = read_split(source, source.splits()[0])
    assert batch.column("n").to_pylist() == [1, 3]
    assert batch.column("ms").cast(pa.int64()).to_pylist() == [5, 7]
    ((row, error, offset),) = [(r.row, r.error, r.offset) for r in rejected]
    assert '"soon"' in row
    assert "'t'" in error
    assert "a.parquet" in error
    assert offset == 1


def test_declared_column_must_be_there(tmp_path):
    pq.write_table(trades(10), tmp_path / "a.parquet")
    with pytest.raises(FileError, match=r"no column 'times'.*did you mean 'time'"):
        Parquet(tmp_path, types={"times": "timestamp[ms]"}).schema()


def write(path, **columns):
    pq.write_table(pa.table(columns), path)


def test_narrower_types_of_later_files_are_widened(tmp_path):
    write(tmp_path / "1.parquet", n=pa.array([1], pa.int64()), x=pa.array([1.0]), s=pa.array(["a"]))
    write(
        tmp_path / "2.parquet",
        s=pa.array(["b"], pa.large_string()),
        extra=pa.array([1]),
        x=pa.array([2.0], pa.float32()),
        n=pa.array([2], pa.int32()),
    )
    write(tmp_path / "3.parquet", n=pa.nulls(1), x=pa.nulls(1), s=pa.nulls(1))
    assert read_all(Parquet(tmp_path)).to_pylist() == [
        {"n": 1, "x": 1.0, "s": "a"},
        {"n": 2, "x": 2.0, "s": "b"},
        {"n": None, "x": None, "s": None},
    ]


def test_other_types_of_later_files_are_an_error_that_names_everything(tmp_path):
    write(tmp_path / "1.parquet", n=pa.array([1], pa.int32()))
    write(tmp_path / "2.parquet", n=pa.array(["1"]))
    with pytest.raises(FileError, match=r"2\.parquet.*'n'.*string.*int32"):
        read_all(Parquet(tmp_path))
    assert read_all(Parquet(tmp_path, types={"n": "int64"})).to_pylist() == [{"n": 1}, {"n": 1}]
    write(tmp_path / "2.parquet", m=pa.array([1]))
    with pytest.raises(FileError, match=r"2\.parquet.*no column 'n'.*known here: \['m'\]"):
        read_all(Parquet(tmp_path))


@pytest.mark.parametrize("kind", [pa.timestamp("ms"), pa.timestamp("us", "UTC"), pa.timestamp("ns"), pa.timestamp("s")])
def test_splits_tell_their_earliest_event_time(tmp_path, kind):
    table = trades(200_000)
    table = table.set_column(2, "time", table.column("time").cast(kind))
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=100_000)
    source = Parquet(tmp_path).for_event_time("time")
    microseconds = {"s": 1e6, "ms": 1e3, "us": 1, "ns": 1e-3}[kind.unit]
    assert [split.earliest for split in source.splits()] == pytest.approx([0, 100_000_000 * microseconds], abs=1)
    assert [split.earliest for split in source.narrow(["price"]).splits()] == [s.earliest for s in source.splits()]


def test_declared_event_time_of_integers_has_an_earliest_too(tmp_path):
    pq.write_table(trades(10).slice(3), tmp_path / "a.parquet")
    source = Parquet(tmp_path, types={"time": pa.timestamp("ms")}).for_event_time("time")
    assert [split.earliest for split in source.splits()] == [3_000_000]


def test_earliest_is_unknown_without_statistics(tmp_path):
    table = trades(10)
    pq.write_table(table, tmp_path / "a.parquet", write_statistics=False)
    source = Parquet(tmp_path, types={"time": pa.timestamp("ms")}).for_event_time("time")
    assert [split.earliest for split in source.splits()] == [None]


time = pc.field("time")


@pytest.mark.parametrize(
    ("predicate", "rows"),
    [
        (time >= pa.scalar(25_000, pa.timestamp("s")), 10_000),
        (time < pa.scalar(50, pa.timestamp("s")), 10_000),
        ((time > pa.scalar(120, pa.timestamp("s"))) & (time < pa.scalar(130, pa.timestamp("s"))), 10_000),
        (time > pa.scalar(1_000_000, pa.timestamp("s")), 0),
        (pc.field("symbol") == "T", 0),
        (pc.field("symbol") == "S7", 30_000),
        (pc.field("nothing") == 1, 30_000),
        (time.is_null(), 0),
    ],
)
def test_row_groups_that_cannot_match_are_not_read(tmp_path, predicate, rows):
    pq.write_table(trades(30_000), tmp_path / "a.parquet", row_group_size=10_000)
    source = Parquet(tmp_path, types={"time": pa.timestamp("ms")}).narrow(["price"], predicate)
    assert len(read_all(source)) == rows


def test_pruning_keeps_nulls_and_nan(tmp_path):
    table = pa.table({"x": pa.array([1.0, 2.0, float("nan"), None])})
    pq.write_table(table, tmp_path / "a.parquet")
    for predicate in (pc.field("x") > 5, pc.field("x").is_null()):
        assert len(read_all(Parquet(tmp_path).narrow(["x"], predicate))) == 4
    assert len(read_all(Parquet(tmp_path).narrow(["x"], pc.field("x") < 0))) == 0


def test_nested_columns(tmp_path):
    rows = [{"s": {"a": 1, "b": ["x", None]}, "l": [{"k": 1}]}, {"s": None, "l": []}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    assert read_all(Parquet(tmp_path)).to_pylist() == rows
    assert read_all(Parquet(tmp_path).narrow(["l"])).to_pylist() == [{"l": row["l"]} for row in rows]


def test_no_rows_and_no_row_groups(tmp_path):
    pq.write_table(trades(0), tmp_path / "a.parquet")
    assert len(read_all(Parquet(tmp_path))) == 0
    assert Parquet(tmp_path).splits() == []


def test_five_thousand_columns(tmp_path):
    names = [f"c{number}" for number in range(5_000)]
    pq.write_table(pa.table({name: [1, 2] for name in names}), tmp_path / "a.parquet")
    source = Parquet(tmp_path)
    assert source.schema().names == names
    assert read_all(source.narrow(["c4999"])).to_pylist() == [{"c4999": 1}, {"c4999": 2}]


@pytest.mark.parametrize("content", [b"", b"PAR1", b"no parquet at all", None])
def test_corrupt_files_are_named(tmp_path, content):
    path = tmp_path / "broken.parquet"
    if content is None:
        pq.write_table(trades(1000), path)
        content = path.read_bytes()[:-100]
    path.write_bytes(content)
    with pytest.raises(FileError, match=r"broken\.parquet"):
        Parquet(path).schema()


def test_corrupt_page_is_an_error_that_names_the_file(tmp_path):
    path = tmp_path / "broken.parquet"
    pq.write_table(trades(10_000), path)
    content = bytearray(path.read_bytes())
    content[100:3000] = bytes(2900)
    path.write_bytes(content)
    with pytest.raises(FileError, match=r"broken\.parquet"):
        read_all(Parquet(path))


def test_replaced_file_is_noticed(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(trades(100), path)
    source = Parquet(path)
    (split,) = source.splits()
    pq.write_table(trades(50), path)
    with pytest.raises(FileError, match="has changed"):
        source.open(split)


def test_readers_in_threads_share_the_footer(tmp_path):
    table = trades(500_000)
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=50_000)
    source = Parquet(tmp_path)
    splits = source.splits()
    sums = [0] * len(splits)

    def work(number):
        for batch, _, _ in read_split(source, splits[number]):
            sums[number] += pc.sum(batch.column("time")).as_py()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(splits))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(sums) == pc.sum(table.column("time")).as_py()


def test_sink_of_the_same_name(tmp_path):
    sink = Parquet(tmp_path / "out", compression="snappy", changes="weight", overwrite=True).as_sink()
    assert (sink.path, sink.compression, sink.changes) == (str(tmp_path / "out"), "snappy", "weight")
    assert Parquet("out").as_sink().compression == "zstd"
    assert Parquet("out", compression="none").as_sink().compression is None
    with pytest.raises(GraphError, match="one directory"):
        Parquet(["a", "b"]).as_sink()


def test_batches_of_wide_rows_have_fewer_rows(tmp_path):
    wide = {f"c{number}": np.zeros(40_000) for number in range(200)}
    pq.write_table(pa.table(wide), tmp_path / "a.parquet", use_dictionary=False)
    source = Parquet(tmp_path / "a.parquet")
    (split,) = source.splits()
    sizes = [batch.nbytes for batch, _, _ in read_split(source, split)]
    assert sum(sizes) >= 40_000 * 200 * 8
    assert max(sizes) <= 1.1 * BATCH_BYTES
    narrow = source.narrow(["c0"])
    assert [batch.num_rows for batch, _, _ in read_split(narrow, narrow.splits()[0])] == [40_000]


@pytest.mark.parametrize("values", [["a", None, "c"], ["a", "b"] * 5_000])
def test_text_written_as_views_is_read_as_plain_text(tmp_path, values):
    pq.write_table(pa.table({"s": pa.array(values, pa.string_view())}), tmp_path / "a.parquet")
    source = Parquet(tmp_path / "a.parquet")
    kind = source.layout().schema.field("s").type
    assert kind in (pa.string(), pa.dictionary(pa.int32(), pa.string()))
    assert read_all(source)["s"].to_pylist() == values
