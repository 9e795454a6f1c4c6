"""Files through the contracts of sources and sinks, without a graph: a part file written, a source read whole."""

from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa

from flow import Split, StreamSchema, WriterContext


def written(path: Path, sink: Any, batches: pa.Table | Iterable[pa.RecordBatch]) -> Path:
    """The one part file that a sink makes of batches, in one epoch; a table goes in by two rows."""
    given = batches.to_batches(max_chunksize=2) if isinstance(batches, pa.Table) else list(batches)
    schema = StreamSchema((batches if isinstance(batches, pa.Table) else given[0]).schema)
    sink.check(schema)
    writer = sink.open(WriterContext("out", schema))
    for batch in given:
        writer.write(batch)
    writer.prepare(1)
    writer.commit(1)
    writer.close()
    (part,) = path.iterdir()
    return part


def read_all(source: Any, splits: Sequence[Split] | None = None) -> tuple[list[dict[str, Any]], list[Any]]:
    """All rows of a source's splits, and the rejected ones."""
    rows: list[dict[str, Any]] = []
    rejected: list[Any] = []
    for split in source.splits() if splits is None else splits:
        with closing(source.open(split)) as reader:
            while (batch := reader.read()) is not None:
                assert batch.schema == source.layout().schema
                rows += batch.to_pylist()
                rejected += reader.take_rejected()
            rejected += reader.take_rejected()
    return rows, rejected
