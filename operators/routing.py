"""Bringing equal keys together: the hash router in front of an operator with keys, where there is none yet."""

from __future__ import annotations

from flow.errors import GraphError
from flow.graph import Stream
from flow.nodes import RouterNode
from flow.router import Aligned, Forward, Hash


def keyed(stream: Stream, keys: tuple[str, ...]) -> tuple[Stream, tuple[str, ...]]:
    """The stream with equal keys in one partition, and by which of the keys its rows are divided.

    A stream that `key_by` or an aligned router has divided already stays as it is.

    Raises:
        GraphError: the stream is divided by columns that are not among the keys.
    """
    node = stream.graph.node(stream.output.node)
    match node:
        case RouterNode(router=Hash(keys=routed)):
            apart = [key for key in routed if key not in keys]
            if apart:
                raise GraphError(
                    f"rows are divided by {list(routed)}, so that equal keys {list(keys)} would not meet: "
                    f"add {apart} to the keys, or leave key_by out"
                )
            return stream, routed
        case RouterNode(router=Aligned() | Forward()):
            return stream, keys
    return (stream.key_by(*keys) if keys else stream), keys
