"""Operator → Partition: how data is computed.

A partition is plain synchronous code: it never awaits, owns its state, and needs no lock.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import ClassVar, Final, Literal

import attrs
import pyarrow as pa
import pyarrow.compute as pc

from flow.errors import RowError
from flow.memory import bytes_held
from flow.schema import StreamSchema

KEY_GROUPS = 256
"""Number of fixed hash buckets of the key space; a partition owns a range of them."""

KEY_GROUP = "_key_group"
"""The int column of a snapshot's table that says to which key group a row belongs."""

Tables = Mapping[str, pa.Table]
"""A partition's state: named tables. A row with a `_key_group` goes to the partition that owns the group,
one whose `_key_group` is NULL to every partition."""


def _ignore(batch: pa.RecordBatch) -> None:
    """The late output where none is connected."""


def _uncounted(rows: int) -> None:
    """The count of late rows where nobody counts."""


def _raise(batch: pa.RecordBatch, error: str) -> None:
    """The fate of a rejected row under the error policy `fail`."""
    raise RowError(error)


@attrs.define
class PartitionContext:
    """What a partition may know of where it runs.

    Attributes:
        node: name of the node.
        partition: this instance's number, from 0.
        partitions: how many instances there are.
        inputs: the schema of each port.
        late: hand over rows that came too late (counted by the runtime, and sent to the late output if there is one).
        late_rows: only count late rows, where the rows themselves are gone (merged before the exchange).
        reject: hand over rows that cannot be used and say why (the node's error policy applies).
    """

    node: str
    inputs: Mapping[str, StreamSchema]
    partition: int = 0
    partitions: int = 1
    late: Callable[[pa.RecordBatch], None] = _ignore
    late_rows: Callable[[int], None] = _uncounted
    reject: Callable[[pa.RecordBatch, str], None] = _raise

    @property
    def input(self) -> StreamSchema:
        """The schema of the only port."""
        (schema,) = self.inputs.values()
        return schema

    @property
    def key_groups(self) -> range:
        """The key groups that this partition owns."""
        low = -(-self.partition * KEY_GROUPS // self.partitions)
        high = -(-(self.partition + 1) * KEY_GROUPS // self.partitions)
        return range(low, high)


class Measured:
    """A live thing that says how large its state is."""

    def state_rows(self) -> int | None:
        """How many entries the state has (keys, rows), with those that are gone but still have their place.

        None: it does not say. It is asked now and then, also from another thread while the partition is at work:
        it should be as cheap as ``len(index)``, and change nothing.
        """
        return None

    def state_bytes(self) -> int:
        """How many bytes the state takes, room to spare included; asked as `state_rows` is.

        By default those of all arrays and containers that the partition's attributes lead to.
        """
        return bytes_held(self, (Operator, PartitionContext, StreamSchema))


class Partition(Measured, ABC):
    """One running copy of an operator, with its own state, owned by exactly one task.

    An operator with several ports gets ``on_batch(batch, port)``.
    """

    @abstractmethod
    def on_batch(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Rows came in; yield what follows from them."""

    def probe(self, batch: pa.RecordBatch) -> None:
        """Raise where a row cannot be used, and change nothing.

        Where an operator with state has one, and the node's policy is `skip` or `dead_letter`, it is asked before
        `on_batch`: the rows at fault are found by asking of fewer, and `on_batch` gets all others. What `on_batch`
        still raises then is no row's fault, and fails the run. Without one, the whole batch at which `on_batch` raises
        is given up, whatever the state has taken of it.
        """

    def on_watermark(self, time: int) -> Iterator[pa.RecordBatch]:
        """No event time before `time` (microseconds) follows on any port; yield what is now final."""
        return iter(())

    def flush(self) -> Iterator[pa.RecordBatch]:
        """Give out what is held back for the sake of larger batches.

        Called when nothing more is waiting, and before every watermark, barrier and end that goes downstream.
        """
        return iter(())

    def on_end(self) -> Iterator[pa.RecordBatch]:
        """All inputs ended (the watermark already stands at infinity); yield what is left."""
        return iter(())

    def snapshot(self) -> Tables:
        """The state, as tables; stays valid when the partition goes on."""
        return {}

    def restore(self, state: Tables) -> None:
        """Take up the state of the key groups that this partition owns; called before any batch."""

    def close(self) -> None:
        """Give back what was opened; called once, also after a failure."""


class PortedPartition(Partition, ABC):
    """A partition of an operator with several ports."""

    @abstractmethod
    def on_batch(self, batch: pa.RecordBatch, port: str = "") -> Iterator[pa.RecordBatch]:
        """Rows came in on a port; yield what follows from them."""

    def probe(self, batch: pa.RecordBatch, port: str = "") -> None:
        """As `Partition.probe`, for rows of a port."""

    def on_port_end(self, port: str) -> None:
        """Nothing follows on a port, while something may on others."""


Growth = Literal["bounded", "keys", "rows", "unknown"]
"""How state grows: not beyond what windows or limits hold; with the different keys, or the rows, for ever; unsaid."""

_GROWING: Final[Mapping[str, str]] = {
    "bounded": "bounded",
    "keys": "grows with the keys, for ever",
    "rows": "grows with the rows, for ever",
    "unknown": "it does not say how it grows",
}


@attrs.frozen
class Kept:
    """What the partitions of an operator keep of the rows before.

    Attributes:
        what: in words that may follow "keeps", such as "one entry a key".
        growth: how it grows.
        advice: what to do where it has grown large, in words that may follow "to try:".
    """

    what: str
    growth: Growth
    advice: str = "let fewer rows come to it: filter them, or aggregate them, before"

    @property
    def grows(self) -> str:
        """How it grows, in words."""
        return _GROWING[self.growth]

    @property
    def lines(self) -> tuple[str, str]:
        """What is kept and how it grows, in two lines."""
        return f"keeps {self.what}:", self.grows

    def __str__(self) -> str:
        return " ".join(self.lines)


@attrs.frozen
class TwoPhase:
    """An operator split in two: one half runs before the exchange, where the rows are, and one half after it.

    Attributes:
        before: its partition turns rows into partial results; its output must contain the router's keys.
        after: its partition merges partial results.
    """

    before: Operator
    after: Operator


class Operator(ABC):
    """Describes a computation. Implementations are frozen attrs classes: comparable, printable, picklable."""

    ports: ClassVar[tuple[str, ...]] = ("in",)
    """Names of the inputs; an operator with more than one has `PortedPartition`s."""

    stateless: ClassVar[bool] = False
    """Whether a batch's result depends on that batch alone; then single bad rows can be found by trying again."""

    vectorised: ClassVar[bool] = False
    """Whether a batch is worked on column by column, so that it may have any size; else it has at most 65,536 rows."""

    single: bool = False
    """Whether there must be exactly one partition (an aggregate without keys)."""

    timed: bool = True
    """Whether partitions listen to watermarks; where nothing downstream does, none is sent."""

    waits: bool = False
    """Whether partitions wait for the outside world: they are `AsyncPartition`s."""

    early: tuple[str, ...] = ()
    """Ports that had better come to their end before the others, since less is kept from then on: of several, any.

    Where it is known how much there is to read on both, the sources of one of them are read first.
    """

    coalesce: bool = True
    """Whether waiting batches may be concatenated before `on_batch` (natural batching)."""

    in_order: bool = False
    """Whether it matters in which order a source gives rows: then one reader reads all splits of a source, in turn."""

    takes_back: str = "takes rows back"
    """For people, where it makes a changelog of rows that are never taken back: what it does, and when."""

    @abstractmethod
    def output(self, inputs: Mapping[str, StreamSchema]) -> StreamSchema:
        """The schema of what comes out; raises GraphError where the inputs do not fit."""

    @abstractmethod
    def open(self, context: PartitionContext) -> Partition | AsyncPartition:
        """A partition of this operator."""

    def needs(self, wanted: frozenset[str]) -> Mapping[str, frozenset[str]] | None:
        """Which input columns, by port, are needed when only the `wanted` columns of the output are used.

        None (the default) means all of them. What no operator needs, no source reads.
        """
        return None

    @property
    def predicate(self) -> pc.Expression | None:
        """For an operator that only drops rows: what holds of every row that comes out. A hint to the reader."""
        return None

    def keeps(self, inputs: Mapping[str, StreamSchema]) -> Kept | None:
        """What its partitions keep, and how that grows; None where a batch leaves nothing behind.

        For people: ``EXPLAIN``, drawings and reports tell it. An operator with state should say what it is, and its
        partitions how much there is of it (`Partition.state_rows`).
        """
        return None if self.stateless else Kept("a state of its own", "unknown")

    def two_phase(self, inputs: Mapping[str, StreamSchema]) -> TwoPhase | None:
        """The operator in two halves around the exchange that feeds it, where that saves traffic."""
        return None


class AsyncPartition(Measured, ABC):
    """A partition that waits for the outside world: the runtime keeps up to `concurrency` calls under way."""

    concurrency: int
    ordered: bool

    @abstractmethod
    def pieces(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """The batch in the pieces that are worth one call each."""

    @abstractmethod
    async def on_piece(self, piece: pa.RecordBatch) -> pa.RecordBatch:
        """What one piece turns into. Raises to apply the node's error policy to the piece's rows."""

    async def aclose(self) -> None:
        """Give back what was opened; called once, also after a failure."""
