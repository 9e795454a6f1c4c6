"""Windows of event time, and AssignWindows: each row with the windows that it belongs to.

A window is a number k: it begins at ``offset + k * slide`` and ends `size` later, which is not part of it. Windows are
made of slices, within which all rows belong to the same windows. Numbers are floored, also before 1970.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import gcd

import attrs
import numpy as np
import pyarrow as pa

from flow.durations import microseconds, spelled
from flow.errors import GraphError
from flow.graph import Stream
from flow.nodes import ErrorPolicy
from flow.operator import Operator, Partition, PartitionContext
from flow.schema import StreamSchema
from flow.verbs import verb
from operators.aggregates.columns import BoolArray, IntArray, column, event_microseconds, physical
from operators.expressions.type_names import type_text

WINDOW_START = "window_start"
WINDOW_END = "window_end"

_FURTHEST = 2**62
"""Microseconds from 1970 to the furthest event time of a window, some 146,000 years."""


def _positive(instance: object, attribute: attrs.Attribute[int], value: int) -> None:
    if value <= 0:
        raise GraphError(f"a window's {attribute.name} must be longer than nothing, not {value} microseconds")


@attrs.frozen
class Hop:
    """Windows of one size, one beginning every `slide`: they overlap where `slide` is less than `size`.

    Attributes:
        column: the event time.
        size: how long a window is; durations are given as text or seconds, and kept in microseconds.
        slide: from the beginning of a window to that of the next.
        offset: windows begin at multiples of `slide` since 1970-01-01 UTC, and this much later.
    """

    column: str
    size: int = attrs.field(converter=microseconds, validator=_positive, repr=spelled)
    slide: int = attrs.field(converter=microseconds, validator=_positive, repr=spelled)
    offset: int = attrs.field(default=0, converter=microseconds, repr=spelled)

    @property
    def slice(self) -> int:
        """Microseconds of the slices that windows are made of."""
        return gcd(self.size, self.slide)

    def last(self, slices: IntArray) -> IntArray:
        """The last window of each slice; where windows are apart, it may have ended before."""
        return slices * self.slice // self.slide

    def inside(self, slices: IntArray) -> BoolArray:
        """Which slices belong to a window at all."""
        return slices * self.slice % self.slide < self.size

    def windows(self, slices: IntArray) -> tuple[IntArray | None, IntArray]:
        """Which windows slices belong to: places in `slices` (None: each once, in order), and window numbers."""
        last = self.last(slices)
        counts = last - (slices * self.slice - self.size) // self.slide
        if (counts == 1).all():
            return None, last
        places = np.repeat(np.arange(len(slices)), counts)
        before = np.cumsum(counts) - counts
        return places, last[places] - (np.arange(len(places)) - before[places])

    def start(self, numbers: IntArray) -> IntArray:
        """Where windows begin, in microseconds."""
        return numbers * self.slide + self.offset


@attrs.frozen
class Tumble:
    """Windows of one size, one after the other.

    Attributes:
        column: the event time.
        size: how long a window is; durations are given as text or seconds, and kept in microseconds.
        offset: windows begin at multiples of `size` since 1970-01-01 UTC, and this much later.
    """

    column: str
    size: int = attrs.field(converter=microseconds, validator=_positive, repr=spelled)
    offset: int = attrs.field(default=0, converter=microseconds, repr=spelled)

    @property
    def slide(self) -> int:
        """From the beginning of a window to that of the next."""
        return self.size

    @property
    def slice(self) -> int:
        """A window is one slice."""
        return self.size

    def last(self, slices: IntArray) -> IntArray:
        """As `Hop.last`."""
        return slices

    def inside(self, slices: IntArray) -> BoolArray:
        """As `Hop.inside`."""
        return np.ones(len(slices), np.bool_)

    def windows(self, slices: IntArray) -> tuple[IntArray | None, IntArray]:
        """As `Hop.windows`."""
        return None, slices

    def start(self, numbers: IntArray) -> IntArray:
        """As `Hop.start`."""
        return numbers * self.size + self.offset


Window = Tumble | Hop


def window_fields(schema: StreamSchema, window: Window) -> list[pa.Field]:
    """The columns `window_start` and `window_end`; raises GraphError where the window's column is no timestamp."""
    kind = schema.column_type(window.column)
    if not pa.types.is_timestamp(kind):
        raise GraphError(f"windows over {window.column!r}, which has type {type_text(kind)}; it must be a timestamp")
    return [pa.field(name, pa.timestamp("us", kind.tz)) for name in (WINDOW_START, WINDOW_END)]


def window_columns(window: Window, numbers: IntArray, kind: pa.DataType) -> list[pa.Array]:
    """Where windows begin and end, as columns."""
    starts = window.start(numbers)
    return [column(kind, starts), column(kind, starts + window.size)]


def timed_rows(
    batch: pa.RecordBatch, time: int, window: Window, context: PartitionContext
) -> tuple[pa.RecordBatch, IntArray]:
    """The rows that have an event time (in column number `time`) and their slices; the others are rejected.

    Event times so far away that a window's end would not be a 64-bit number of microseconds are rejected, too.
    """
    array = batch.column(time)
    if array.null_count:
        context.reject(batch.filter(array.is_null()), f"NULL event time in {window.column!r}")
        batch = batch.filter(array.is_valid())
        array = batch.column(time)
    times, unit = _in_unit_of(array, window)
    furthest = _FURTHEST // unit
    if len(times) and (times.min() < -furthest or times.max() > furthest):
        far = (times < -furthest) | (times > furthest)
        context.reject(batch.filter(pa.array(far)), f"event time in {window.column!r} is too far away for a window")
        batch, times = batch.filter(pa.array(~far)), times[~far]
    if window.offset:
        times = times - window.offset // unit
    return batch, times // (window.slice // unit)


def _in_unit_of(array: pa.Array, window: Window) -> tuple[IntArray, int]:
    """Event times, and the microseconds of the unit that they are in: their own where the window's bounds are in it."""
    unit = {"ms": 1_000, "s": 1_000_000}.get(array.type.unit, 1)
    if window.slice % unit or window.offset % unit:
        unit = 1
    return (event_microseconds(array) if unit == 1 else physical(array)), unit


@attrs.frozen
class AssignWindows(Operator):
    """Adds `window_start` and `window_end`; a row comes out once for each window that it belongs to.

    Rows without event time are rejected.
    """

    window: Window

    stateless = True
    vectorised = True
    timed = False

    def output(self, inputs: Mapping[str, StreamSchema]) -> StreamSchema:
        """The input's columns, and two more (before `_weight`)."""
        (schema,) = inputs.values()
        fields = list(schema.columns)
        place = len(schema.names)
        return schema.with_columns(pa.schema([*fields[:place], *window_fields(schema, self.window), *fields[place:]]))

    def open(self, context: PartitionContext) -> Partition:
        """As `Operator.open`."""
        return _AssignPartition(self, context)

    def needs(self, wanted: frozenset[str]) -> Mapping[str, frozenset[str]]:
        """What is wanted of the input, and the event time."""
        return {"in": (wanted - {WINDOW_START, WINDOW_END}) | {self.window.column}}


class _AssignPartition(Partition):
    def __init__(self, operator: AssignWindows, context: PartitionContext) -> None:
        self._window = operator.window
        self._context = context
        self._columns = operator.output(context.inputs).columns
        self._place = len(context.input.names)
        self._time = context.input.columns.get_field_index(operator.window.column)

    def on_batch(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Yield the rows with their windows."""
        batch, slices = timed_rows(batch, self._time, self._window, self._context)
        places, numbers = self._window.windows(slices)
        if places is not None:
            batch = batch.take(pa.array(places))
        if batch.num_rows:
            added = window_columns(self._window, numbers, self._columns.field(self._place).type)
            arrays = [*batch.columns[: self._place], *added, *batch.columns[self._place :]]
            yield pa.RecordBatch.from_arrays(arrays, schema=self._columns)


@verb
def assign_windows(
    stream: Stream,
    window: Window,
    *,
    name: str | None = None,
    partitions: int | None = None,
    on_error: ErrorPolicy = "fail",
) -> Stream:
    """Add `window_start` and `window_end` to each row, once for each window that it belongs to.

    Args:
        stream: what to read.
        window: `Tumble` or `Hop` over a timestamp column.
        name: of the node.
        partitions: how many instances.
        on_error: what becomes of rows without event time.
    """
    return stream.apply(AssignWindows(window), name=name, partitions=partitions, on_error=on_error)
