"""Runs a graph in one loop, without the runtime: every operator has one partition, every source is read to its end.

It is the plainest reading of what a graph means, and the oracle for everything that reads it otherwise.
"""

from collections.abc import Iterator

import pyarrow as pa

from flow.graph import Graph
from flow.nodes import OperatorNode, Output, RouterNode, SinkNode, SourceNode
from flow.operator import AsyncPartition, Partition, PartitionContext, PortedPartition
from flow.schema import AFTER_ALL
from flow.source import AsyncReader, Idle


def run_plainly(graph: Graph) -> dict[str, pa.Table]:
    """What every sink of the graph is given; all sources must end."""
    results: dict[Output, list[pa.RecordBatch]] = {}
    written = {}
    for node in graph:
        match node:
            case SourceNode():
                results[Output(node.name)] = list(_read(node))
            case RouterNode():
                results[Output(node.name)] = results[node.input]
            case OperatorNode():
                _compute(graph, node, results)
            case SinkNode():
                columns = graph.schema(node.input).columns
                written[node.name] = pa.Table.from_batches([b.cast(columns) for b in results[node.input]], columns)
    return written


def _read(node: SourceNode) -> Iterator[pa.RecordBatch]:
    for split in node.source.splits():
        reader = node.source.open(split)
        assert not isinstance(reader, AsyncReader), "the plain executor has no event loop"
        while (batch := reader.read()) is not None:
            assert not isinstance(batch, Idle), "the plain executor does not wait"
            yield batch
        reader.close()


def _compute(graph: Graph, node: OperatorNode, results: dict[Output, list[pa.RecordBatch]]) -> None:
    late: list[pa.RecordBatch] = []
    inputs = {port: graph.schema(output) for port, output in node.ports}
    partition = node.operator.open(PartitionContext(node.name, inputs, late=late.append))
    assert not isinstance(partition, AsyncPartition), "the plain executor has no event loop"
    out: list[pa.RecordBatch] = []
    for port, output in node.ports:
        for batch in results[output]:
            out += _given(partition, batch, port)
    out += partition.on_watermark(AFTER_ALL)
    out += partition.on_end()
    out += partition.flush()
    partition.close()
    results[Output(node.name)] = out
    results[Output(node.name, "late")] = late


def _given(partition: Partition, batch: pa.RecordBatch, port: str) -> Iterator[pa.RecordBatch]:
    return partition.on_batch(batch, port) if isinstance(partition, PortedPartition) else partition.on_batch(batch)
