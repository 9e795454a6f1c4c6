"""Changes of many groups, held back for those of the next batches, come out though no further batch comes."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import attrs
import pyarrow as pa
import pytest
import trio

from flow import Graph
from flow.sink import Sink, Writer, WriterContext
from flow.source import Source
from operators import Callback, agg
from operators.in_process.iterables import AsyncRows, Batches

GROUPS = 5_000
BATCH = pa.record_batch({"key": list(range(GROUPS)), "value": [1] * GROUPS})


class Waiting:
    """Gives a batch, and then nothing until all changes of it have come out, or all too long."""

    def __init__(self) -> None:
        self.came = 0
        self.all_came = threading.Event()
        self.in_time = False

    def batches(self) -> Iterator[pa.RecordBatch]:
        yield BATCH
        self.in_time = self.all_came.wait(10)

    def take(self, batch: Any) -> None:
        self.came += batch.num_rows
        if self.came >= GROUPS:
            self.all_came.set()

    async def batches_awaited(self) -> AsyncIterator[pa.RecordBatch]:
        yield BATCH
        self.in_time = await trio.to_thread.run_sync(self.all_came.wait, 10)


def graph_of(source: Source, sink: Sink) -> Graph:
    graph = Graph("held")
    rows = graph.source("rows", source)
    rows.aggregate(keys="key", total=agg.sum("value")).sink("out", sink)
    return graph


@attrs.frozen
class Committed(Sink):
    """Tells of every batch when its epoch is committed."""

    take: Callable[[pa.RecordBatch], None]
    single_writer = True
    takes_changes = True

    def open(self, context: WriterContext) -> Writer:
        return CommittedWriter(self.take)


class CommittedWriter(Writer):
    def __init__(self, take: Callable[[pa.RecordBatch], None]) -> None:
        self._take = take
        self._waiting: list[pa.RecordBatch] = []

    def write(self, batch: pa.RecordBatch) -> None:
        self._waiting.append(batch)

    def commit(self, epoch: int) -> None:
        for batch in self._waiting:
            self._take(batch)
        self._waiting = []


@pytest.mark.parametrize("partitions", [1, 2])
@pytest.mark.parametrize("topology", ["serial", "routed", "prefetched"])
def test_changes_do_not_wait_for_the_next_batch(topology: Any, partitions: int) -> None:
    waiting = Waiting()
    sink = Callback(waiting.take, takes_changes=True)
    graph_of(Batches(waiting.batches, schema=BATCH.schema), sink).run(topology=topology, partitions=partitions)
    assert waiting.in_time
    assert waiting.came == GROUPS


def test_changes_are_committed_with_the_epoch_in_which_their_rows_came() -> None:
    waiting = Waiting()
    graph_of(AsyncRows(waiting.batches_awaited, schema=BATCH.schema), Committed(waiting.take)).run(commit_every=0.01)
    assert waiting.in_time
    assert waiting.came == GROUPS
