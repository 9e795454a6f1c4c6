"""What travels along an edge: rows, and the control items that keep their place among them."""

from __future__ import annotations

from typing import Final

import attrs
import pyarrow as pa

from flow.origin import NOWHERE, Origins

LAST_EPOCH: Final = 2**62
"""The epoch that ends when its inputs have; writers get the number after the one before instead."""


@attrs.frozen
class Rows:
    """Rows, as one batch, and where they come from."""

    batch: pa.RecordBatch
    origins: Origins = NOWHERE


@attrs.frozen
class Watermark:
    """No event time before this (microseconds) follows from the sender.

    Attributes:
        idle: the sender has fallen silent, and nobody should wait for it.
    """

    time: int
    idle: bool = False


@attrs.frozen
class Barrier:
    """The end of an epoch."""

    epoch: int


@attrs.frozen
class End:
    """Nothing follows from the sender."""


END = End()

Message = Rows | Watermark | Barrier | End
