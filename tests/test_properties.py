"""Whole graphs on random input, however it is cut, read, divided and bounded: no row lost, none twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from flow import Graph, Operator, Partition, PartitionContext, Settings, StreamSchema
from flow.source import Idle, Reader, Source, Split
from operators import Collect, Tumble, agg

COLUMNS = pa.schema([("id", pa.int64()), ("key", pa.string()), ("value", pa.int64()), ("t", pa.timestamp("us"))])

Row = tuple[str | None, int, int]
"""Key, value, and event time."""


@attrs.frozen
class Cut(Source):
    """Rows in the splits and batches that they are given in; an empty batch is told as silence."""

    parts: tuple[tuple[pa.RecordBatch, ...], ...] = attrs.field(eq=False)
    never_waits: bool = False

    def schema(self) -> pa.Schema:
        return COLUMNS

    def splits(self) -> list[Split]:
        return [Split(str(number), number) for number in range(len(self.parts))]

    def open(self, split: Split, offset: Any = None) -> Reader:
        return _CutReader(self.parts[split.detail])


class _CutReader(Reader):
    def __init__(self, batches: tuple[pa.RecordBatch, ...]) -> None:
        self.batches, self.position = batches, 0

    def read(self) -> pa.RecordBatch | Idle | None:
        if self.position == len(self.batches):
            return None
        self.position += 1
        found = self.batches[self.position - 1]
        return found if found.num_rows else Idle(0.0)


@attrs.frozen
class Seen(Operator):
    """Passes rows on, and notes in which partition each key was."""

    keys: dict[int, set[str | None]] = attrs.field(factory=dict, eq=False)

    def output(self, inputs: Mapping[str, StreamSchema]) -> StreamSchema:
        return inputs["in"]

    def open(self, context: PartitionContext) -> Partition:
        return _Seen(self.keys.setdefault(context.partition, set()))


class _Seen(Partition):
    def __init__(self, keys: set[str | None]) -> None:
        self.keys = keys

    def on_batch(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        self.keys.update(batch["key"].to_pylist())
        yield batch


@st.composite
def sources(draw: st.DrawFn) -> tuple[Cut, list[Row]]:
    """A source of up to four splits, and all rows in it."""
    row = st.tuples(st.sampled_from([None, "", "a", "b", "c", "dd"]), st.integers(-100, 100), st.integers(-50, 50))
    cut = draw(st.lists(st.lists(st.lists(row, max_size=9), max_size=5), min_size=1, max_size=4))
    rows: list[Row] = []
    parts = []
    for split in cut:
        batches = []
        for batch in split:
            ids = list(range(len(rows), len(rows) + len(batch)))
            rows += batch
            columns = [ids, *([each[column] for each in batch] for column in range(3))]
            arrays = [pa.array(values, field.type) for values, field in zip(columns, COLUMNS, strict=True)]
            batches.append(pa.RecordBatch.from_arrays(arrays, schema=COLUMNS))
        parts.append(tuple(batches))
    return Cut(tuple(parts), draw(st.booleans())), rows


runs = st.builds(
    Settings,
    partitions=st.integers(1, 5),
    readers=st.integers(1, 4),
    prefetch=st.integers(0, 3),
    topology=st.sampled_from(["serial", "routed", "prefetched"]),
    threads=st.integers(1, 3),
    batch_rows=st.sampled_from([1, 5, 65_536]),
    edge_bytes=st.sampled_from([1, 100, 16 << 20]),
    edge_slots=st.sampled_from([1, 2, 64]),
    commit_every=st.sampled_from([None, 0.0]),
)


@given(sources(), runs, st.integers(1, 3))
@settings(max_examples=40, deadline=None)
def test_no_row_is_lost_none_comes_twice_and_equal_keys_meet(
    source: tuple[Cut, list[Row]], how: Settings, writers: int
) -> None:
    cut, rows = source
    graph, seen = Graph("g"), Seen()
    everything, straight, turned = Collect(), Collect(), Collect()
    stream = graph.source("rows", cut, event_time="t", delay=1)
    keyed = stream.key_by("key").apply(seen, name="seen")
    keyed.sink("everything", everything, writers=writers)
    stream.sink("straight", straight)
    stream.union(keyed, name="both").sink("turned", turned)
    stats = graph.run(how)
    ids = list(range(len(rows)))
    for out, copies in ((everything, 1), (straight, 1), (turned, 2)):
        found = out.table().sort_by("id").to_pydict()
        assert found["id"] == sorted(ids * copies)
        assert [(found["key"][at], found["value"][at]) for at in range(len(found["id"]))] == [
            rows[number][:2] for number in found["id"]
        ]
    assert stats.rows_in == len(rows)
    assert stats.rows_out == 4 * len(rows)
    assert sum(len(keys) for keys in seen.keys.values()) == len({key for key, _, _ in rows})


@given(sources(), runs)
@settings(max_examples=40, deadline=None)
def test_an_aggregate_is_that_of_a_plain_dict(source: tuple[Cut, list[Row]], how: Settings) -> None:
    cut, rows = source
    graph, final, changes = Graph("g"), Collect(), Collect()
    keyed = graph.source("rows", cut).key_by("key")
    results = {"rows": agg.count(), "total": agg.sum("value"), "least": agg.min("value")}
    keyed.aggregate(**results, emit="final").sink("final", final)
    keyed.aggregate(**results).sink("changes", changes)
    graph.run(how)
    expected: dict[str | None, list[int]] = {}
    for key, value, _ in rows:
        expected.setdefault(key, []).append(value)
    for out in (final, changes):
        found = {row["key"]: (row["rows"], row["total"], row["least"]) for row in out.rows}
        assert found == {key: (len(values), sum(values), min(values)) for key, values in expected.items()}
        assert len(out.rows) == len(expected)


@given(sources(), runs, st.integers(1, 30))
@settings(max_examples=40, deadline=None)
def test_windows_with_a_generous_delay_are_those_of_the_batch(
    source: tuple[Cut, list[Row]], how: Settings, size: int
) -> None:
    cut, rows = source
    graph, out, late = Graph("g"), Collect(), Collect()
    stream = graph.source("rows", cut, event_time="t", delay="1s")
    windows = stream.key_by("key").aggregate(
        rows=agg.count(), total=agg.sum("value"), window=Tumble("t", f"{size}us"), name="windows"
    )
    windows.sink("out", out)
    windows.late.sink("late", late)
    stats = graph.run(how)
    count, total = Counter[tuple[str | None, int]](), Counter[tuple[str | None, int]]()
    for key, value, at in rows:
        count[key, at // size * size] += 1
        total[key, at // size * size] += value
    table = out.table()
    starts = table["window_start"].cast(pa.int64()).to_pylist()
    found = list(zip(table["key"].to_pylist(), starts, strict=True))
    assert len(found) == len(set(found))
    assert dict(zip(found, table["rows"].to_pylist(), strict=True)) == dict(count)
    assert dict(zip(found, table["total"].to_pylist(), strict=True)) == dict(total)
    assert stats.late_rows == late.table().num_rows == 0


@given(sources(), runs, st.integers(1, 30))
@settings(max_examples=40, deadline=None)
def test_without_delay_every_row_is_in_a_window_or_late(
    source: tuple[Cut, list[Row]], how: Settings, size: int
) -> None:
    cut, rows = source
    graph, out, late = Graph("g"), Collect(), Collect()
    stream = graph.source("rows", cut, event_time="t", ordered=True)
    windows = stream.key_by("key").aggregate(rows=agg.count(), window=Tumble("t", f"{size}us"), name="windows")
    windows.sink("out", out)
    windows.late.sink("late", late)
    stats = graph.run(how)
    assert sum(out.table()["rows"].to_pylist()) + late.table().num_rows == len(rows)
    assert stats.late_rows == late.table().num_rows
