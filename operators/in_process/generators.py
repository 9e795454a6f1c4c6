"""Rows made by a function of their number: deterministic, resumable, at full speed or at a steady rate.

Row i is the same in every run, whatever the number of splits and however the rows are divided into batches.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any

import attrs
import pyarrow as pa

from flow.errors import GraphError, known
from flow.source import Idle, Offset, Reader, Source, Split
from operators.calling.callables import described

_TICK = 0.01
"""Seconds whose rows are delivered together at a steady rate, if that is more than one row."""


@attrs.frozen
class Generator(Source):
    """Rows made by a function.

    Rows are numbered from 0 and made in blocks; the splits take turns with the blocks, so that all of them advance
    together. An offset is the number of rows that a split has returned.

    Attributes:
        function: makes `count` rows from number `start` on, as a record batch: ``function(start, count)``; pure.
        rows: how many; None goes on for ever.
        rate: rows a second, all splits together; None is as fast as possible.
        batch_rows: most rows in a batch.
        parts: how many splits; the argument is called `splits`.
        columns: what to read, in this order (default: all).

    Raises:
        GraphError: a number is too small, or the function does not make the rows that it is asked for.
    """

    never_waits = True

    function: Callable[[int, int], pa.RecordBatch] = attrs.field(repr=described)
    rows: int | None = None
    rate: float | None = None
    batch_rows: int = 65_536
    parts: int = attrs.field(default=1, alias="splits")
    columns: tuple[str, ...] | None = attrs.field(default=None, kw_only=True)
    unbounded: bool = attrs.field(init=False, repr=False, eq=False)

    @unbounded.default
    def _unbounded(self) -> bool:
        return self.rows is None

    def __attrs_post_init__(self) -> None:
        for name, value, least in (
            ("rows", self.rows, 0),
            ("batch_rows", self.batch_rows, 1),
            ("splits", self.parts, 1),
        ):
            if value is not None and value < least:
                raise GraphError(f"{name} must be at least {least}, not {value}")
        if self.rate is not None and self.rate <= 0:
            raise GraphError(f"rate must be more than nothing, not {self.rate}")

    def schema(self) -> pa.Schema:
        """The columns of the first row."""
        schema = self.make(0, 1).schema.remove_metadata()
        for name in self.columns or ():
            if name not in schema.names:
                raise GraphError(f"no column {name!r}; {known(name, schema.names)}")
        return schema if self.columns is None else pa.schema([schema.field(name) for name in self.columns])

    def splits(self) -> Sequence[Split]:
        """Every split makes every so many-th block."""
        return [Split(f"{number} of {self.parts}", number) for number in range(self.parts)]

    def open(self, split: Split, offset: Offset = None) -> Reader:
        """A reader that makes the split's rows."""
        return _GeneratorReader(self, split.detail, offset or 0)

    def narrow(self, columns: Sequence[str], predicate: Any = None) -> Generator:
        """The same rows with these columns only."""
        return attrs.evolve(self, columns=tuple(columns))

    @property
    def block(self) -> int:
        """Rows in a block."""
        if self.rate is None:
            return self.batch_rows
        return max(1, min(self.batch_rows, int(self.rate * _TICK / self.parts)))

    def make(self, start: int, count: int) -> pa.RecordBatch:
        """The rows, from the function. Raises GraphError where it made something else."""
        batch = self.function(start, count)
        if not isinstance(batch, pa.RecordBatch):
            raise GraphError(f"{described(self.function)} returned a {type(batch).__name__}, not a record batch")
        if batch.num_rows != count:
            raise GraphError(f"{described(self.function)} was asked for {count} rows and returned {batch.num_rows}")
        return batch


class _GeneratorReader(Reader):
    def __init__(self, source: Generator, part: int, position: int) -> None:
        self._source = source
        self._part = part
        self._block = source.block
        self._position = position
        self._columns = None if source.columns is None else list(source.columns)
        self._rate = None if source.rate is None else source.rate / source.parts
        self._since = monotonic()
        self._from = position

    def read(self) -> pa.RecordBatch | Idle | None:
        block, within = divmod(self._position, self._block)
        start = (block * self._source.parts + self._part) * self._block + within
        count = self._block - within
        if self._source.rows is not None:
            count = min(count, self._source.rows - start)
            if count <= 0:
                return None
        if self._rate is not None:
            due = self._from + (monotonic() - self._since) * self._rate
            # A tiny bit early is better than a pause too short to sleep.
            if due < self._position + count - 1e-6:
                return Idle((self._position + count - due) / self._rate)
        batch = self._source.make(start, count)
        self._position += count
        return batch if self._columns is None else batch.select(self._columns)

    def offset(self) -> Offset:
        return self._position
