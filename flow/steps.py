"""One node at work in one instance: its partition or writer, the ways out of it, and its error policy.

Owned by the instance of the chain that it is part of; what it cannot use goes aside, and is never silently lost.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from time import perf_counter_ns
from typing import Any, Final

import attrs
import pyarrow as pa
import structlog

from flow.errors import RowError, StepError, columns_told
from flow.layout import Edge, Step
from flow.messages import Message, Rows
from flow.metrics import Counters
from flow.nodes import DEAD_LETTER_COLUMNS, Side
from flow.operator import AsyncPartition, Partition, PartitionContext, PortedPartition
from flow.origin import NOWHERE, Origins, Trace
from flow.progress import Frontier
from flow.router import Aligned, Forward
from flow.routing import Divider, divider
from flow.sink import Writer, WriterContext
from flow.state import StateMeter

log = structlog.get_logger("penstock")

_NO_MORE: Any = object()

_SHOWN = 1_000
"""Characters of a row that an error shows; a dead letter has all of them."""

_ALIKE: Final = 8
_ANY: Final = 64

Letter = tuple[str, str, object]
"""A row that cannot be used: the row as text, the error, and the row's own offset where it is known."""


@attrs.frozen
class Send:
    """A message for an instance downstream."""

    edge: int
    instance: int
    message: Message
    size: int = 0


class Way:
    """From one instance along one edge: which instances downstream get what."""

    def __init__(self, edge: Edge, instance: int, instances: int, counters: Counters) -> None:
        self.timed = edge.timed
        self._edge = edge.number
        self._counters = counters
        self._divider: Divider = divider(edge.router, instances, instance)
        stays = isinstance(edge.router, Forward | Aligned)
        self._reached = [instance % instances] if stays else list(range(instances))

    def rows(self, batch: pa.RecordBatch, origins: Origins = NOWHERE) -> Iterator[Send]:
        """Rows go where the router sends them, and what is known of where they come from goes with them."""
        counters = self._counters
        start = perf_counter_ns()
        parts = self._divider.divide(batch)
        counters.busy += perf_counter_ns() - start
        counters.rows_in += batch.num_rows
        counters.batches_in += 1
        counters.batches_out += len(parts)
        for instance, part in parts:
            size = part.nbytes
            counters.rows_out += part.num_rows
            counters.bytes_out += size
            yield Send(self._edge, instance, Rows(part, origins), size)

    def control(self, message: Message) -> Iterator[Send]:
        """Control goes to every instance that rows can go to."""
        for instance in self._reached:
            yield Send(self._edge, instance, message)


class Refusals:
    """Whether a writer takes some rows at least, or is plainly down, so that looking for the rows at fault is in vain.

    It is down when it has refused rows that stand alone, one after the other and without taking any between them: 8
    with the same error, or 64 with any.
    """

    def __init__(self) -> None:
        self._last: tuple[type, str] | None = None
        self._alike = self._all = 0

    def took(self) -> None:
        """Rows were taken."""
        self._alike = self._all = 0

    def refused(self, error: BaseException) -> None:
        """Rows were given up."""
        last, self._last = self._last, (type(error), str(error))
        self._alike = self._alike + 1 if last == self._last else 1
        self._all += 1

    @property
    def hopeless(self) -> bool:
        """Whether it is down."""
        return self._alike >= _ALIKE or self._all >= _ANY


def has_state(step: Step) -> bool:
    """Whether what comes out of a step may follow from other rows than those that came in just now."""
    return step.operator is not None and not step.operator.stateless


class RunningStep:
    """A step of a chain with its live partition or writer.

    Args:
        step: its place in the layout.
        instance: the number of the chain's instance.
        instances: how many there are.
        trace: where the rows come from that the chain's instance works on.

    Attributes:
        fed_from_state: whether an operator with state stands before it in the chain.
        at_rows: whether the step works on rows that came in just now, as opposed to all that it has taken.
        state: looks at how large the state is.
    """

    def __init__(self, step: Step, instance: int, instances: int, trace: Trace | None = None) -> None:
        self.step = step
        self.counters = Counters()
        self.frontier = Frontier(step.ports)
        self.partition: Partition | None = None
        self.waiting_partition: AsyncPartition | None = None
        self.writer: Writer | None = None
        self.inside: dict[Side, list[tuple[RunningStep, int]]] = {"out": [], "late": [], "dead_letters": []}
        self.ways: dict[Side, list[Way]] = {"out": [], "late": [], "dead_letters": []}
        self.trace = trace or Trace()
        self.fed_from_state = False
        self.refusals = Refusals()
        self.state = StateMeter(step)
        self._has_state = has_state(step)
        self.at_rows = True
        self.vectorised = step.operator is not None and step.operator.vectorised
        self._instance = instance
        self._instances = instances
        self._ports = list(step.inputs)
        self._aside: list[tuple[Side, pa.RecordBatch]] = []
        self._run_id = ""
        self._late_told = False

    def open(self, run_id: str) -> None:
        """Open the partition or writer; blocking. Raises StepError."""
        step, instance, instances = self.step, self._instance, self._instances
        self._run_id = run_id
        try:
            if step.operator is not None:
                context = PartitionContext(
                    step.name, step.inputs, instance, instances, self._put_late, self._count_late, self._put_rejected
                )
                opened = step.operator.open(context)
                if isinstance(opened, AsyncPartition):
                    self.waiting_partition = opened
                elif isinstance(opened, Partition):
                    self.partition = opened
                else:
                    raise TypeError(f"the operator opened a {type(opened).__name__}; it should be a partition")
                self.state.begin(opened)
            elif step.sink is not None:
                writer = step.sink.open(WriterContext(step.name, step.output, instance, instances, run_id))
                if not isinstance(writer, Writer):
                    raise TypeError(f"the sink opened a {type(writer).__name__}; it should be a writer")
                self.writer = writer
        except Exception as error:
            raise self.failure(error) from error

    @property
    def holds_something(self) -> bool:
        """Whether there is something to close: a writer, or a partition that does more than nothing to close."""
        partition = self.partition
        return self.writer is not None or (partition is not None and type(partition).close is not Partition.close)

    def finish(self, *, committed: bool) -> list[Exception]:
        """Close what was opened, a writer after an abort unless all was committed; the errors of doing so."""
        calls: list[Callable[[], None]] = []
        if self.writer is not None:
            calls = [self.writer.close] if committed else [self.writer.abort, self.writer.close]
        elif self.partition is not None:
            calls = [self.partition.close]
        self.partition = self.writer = None
        self.state.end()
        errors: list[Exception] = []
        self.at_rows = False
        for call in calls:
            try:
                call()
            except Exception as error:
                errors.append(self.failure(error))
        return errors

    def failure(self, error: BaseException, offset: object = None) -> StepError:
        """An error as it is reported: with the node, the instance, and where the rows stand in the input."""
        if isinstance(error, StepError):
            return error
        kind = {"source": "reader", "sink": "writer"}.get(self.step.kind, "partition")
        return StepError(self.step.name, f"{kind} {self._instance}", error, offset, self.origins)

    @property
    def may_try_halves(self) -> bool:
        """Whether a batch at which it raised can be tried again in parts, to find the rows at fault."""
        return not self._has_state and not (self.writer is not None and self.refusals.hopeless)

    @property
    def origins(self) -> Origins:
        """Where the rows come from that are worked on."""
        return self.trace.present if self.at_rows and not self.fed_from_state else self.trace.past

    @property
    def origins_out(self) -> Origins:
        """Where the rows come from that are put out."""
        return self.trace.past if self._has_state or self.fed_from_state else self.trace.present

    def on_batch(self, port: int, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """The partition's own `on_batch`."""
        assert self.partition is not None
        if isinstance(self.partition, PortedPartition):
            return self.partition.on_batch(batch, self._ports[port])
        return self.partition.on_batch(batch)

    @property
    def probes(self) -> bool:
        """Whether the partition can say which rows it cannot use before it takes any."""
        if self.partition is None or not self._has_state:
            return False
        return type(self.partition).probe not in (Partition.probe, PortedPartition.probe)

    def probe(self, port: int, batch: pa.RecordBatch) -> None:
        """The partition's own `probe`. Raises StepError."""
        with self.working():
            if isinstance(self.partition, PortedPartition):
                self.partition.probe(batch, self._ports[port])
            elif self.partition is not None:
                self.partition.probe(batch)

    def on_port_end(self, port: int) -> None:
        """The partition's own `on_port_end`, where it has several ports. Raises StepError."""
        if isinstance(self.partition, PortedPartition):
            with self.working():
                self.partition.on_port_end(self._ports[port])

    def outputs(self, call: Callable[[], Iterator[pa.RecordBatch]]) -> Iterator[pa.RecordBatch]:
        """What a call of the partition yields, in its own time, which is the step's busy time. Raises StepError."""
        results: Iterator[pa.RecordBatch] | None = None
        while True:
            with self.working():
                if results is None:
                    results = self._results(call())
                batch = next(results, _NO_MORE)
                if batch is not _NO_MORE:
                    self.check(batch)
            if batch is _NO_MORE:
                return
            yield batch

    def _results(self, returned: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        if not isinstance(returned, Iterable):
            raise TypeError(f"the partition returned a {type(returned).__name__}; it should yield record batches")
        return iter(returned)

    def check(self, batch: pa.RecordBatch) -> None:
        """Raise TypeError where what came out of the partition is no batch of the announced columns."""
        if not isinstance(batch, pa.RecordBatch):
            raise TypeError(f"the partition yielded a {type(batch).__name__}; it should yield record batches")
        announced, given = self.step.output.columns, batch.schema
        if given != announced and (given.names != announced.names or given.types != announced.types):
            raise TypeError(f"the partition yielded the columns {columns_told(given)}, not {columns_told(announced)}")

    def working(self) -> _Working:
        """Around the step's own work: its time is counted as busy, and its errors are raised as StepError."""
        return _Working(self)

    def take_aside(self) -> list[tuple[Side, pa.RecordBatch]]:
        """What was put aside (late rows, dead letters) since the last call, and on which side it goes out."""
        if not self._aside:
            return self._aside
        aside, self._aside = self._aside, []
        return aside

    def reject(self, letters: Sequence[Letter]) -> None:
        """Rows that cannot be used are put where the node's policy says. Raises StepError where that is `fail`."""
        if not letters:
            return
        if self.step.on_error == "fail":
            row, error, offset = letters[0]
            more = f" (and {len(letters) - 1} more rows)" if len(letters) > 1 else ""
            row = row if len(row) <= _SHOWN else row[:_SHOWN] + "…"
            raise self.failure(RowError(f"{error}{more}; row: {row}"), offset)
        if self.step.on_error == "skip":
            self.counters.skipped_rows += len(letters)
            return
        self.counters.dead_letters += len(letters)
        origins = self.origins
        place = _place(origins.described())
        columns = [
            [row for row, _, _ in letters],
            [error for _, error, _ in letters],
            [self.step.name] * len(letters),
            [place if offset is None else _place(origins.described(offset)) for _, _, offset in letters],
        ]
        batch = pa.record_batch([pa.array(values, pa.string()) for values in columns], schema=DEAD_LETTER_COLUMNS)
        self._aside.append(("dead_letters", batch))

    def letters(self, rows: pa.RecordBatch, error: BaseException | str) -> list[Letter]:
        """Dead letters for all rows of a batch, with one error."""
        said = str(error) or type(error).__name__
        columns = [_values(column) for column in rows.columns]
        names = rows.schema.names
        return [
            (_json(dict(zip(names, values, strict=True))), said, None)
            for values in (zip(*columns, strict=True) if columns else [()] * rows.num_rows)
        ]

    def _put_late(self, batch: pa.RecordBatch) -> None:
        self._count_late(batch.num_rows)
        self._aside.append(("late", batch))

    def _count_late(self, rows: int) -> None:
        self.counters.late_rows += rows
        if rows and not (self._late_told or self.inside["late"] or self.ways["late"]):
            self._late_told = True
            place = {"run": self._run_id, "node": self.step.name, "partition": self._instance}
            log.info("rows came too late, the first of them here", **place, rows=rows, origin=self.origins.told())

    def _put_rejected(self, batch: pa.RecordBatch, error: str) -> None:
        self.reject(self.letters(batch, error))


class _Working:
    """The time and the errors of a step's own work; a class, since a generator would cost as much as small work."""

    __slots__ = ("_start", "_step")

    def __init__(self, step: RunningStep) -> None:
        self._step = step

    def __enter__(self) -> None:
        self._start = perf_counter_ns()

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        self._step.counters.busy += perf_counter_ns() - self._start
        # Whoever wants to end the program from inside of a step has to say where, and must not pass for success.
        if isinstance(error, Exception | SystemExit):
            raise self._step.failure(error) from error


def _place(described: Any) -> str | None:
    return None if described is None else json.dumps(described, default=str)


def _values(column: pa.Array) -> list[Any]:
    try:
        values: list[Any] = column.to_pylist()
    except (ValueError, OverflowError):
        # Python's times end at the year 9999 and are no finer than a microsecond.
        values = [_value(value) for value in column]
    return values


def _value(value: pa.Scalar) -> Any:
    try:
        return value.as_py()
    except (ValueError, OverflowError):
        try:
            return value.cast(pa.string()).as_py()
        except pa.ArrowException:
            return f"a {value.type} beyond what Python has"


def _json(row: dict[str, Any]) -> str:
    try:
        return json.dumps(row, default=str, ensure_ascii=False, allow_nan=False)
    except ValueError:
        # JSON has no NaN and no infinities: they become strings of these names.
        finite = json.loads(json.dumps(row, default=str), parse_constant=str)
        return json.dumps(finite, ensure_ascii=False)
