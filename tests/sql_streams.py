"""What scripts read and write when they are stepped by hand: the connectors ``fed`` and ``told``.

A fed table says how large it is, and is given its rows from outside; a told one keeps its changes, and what somebody
makes of them who is told them in the form in which it is declared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import attrs
import pyarrow as pa

from flow import Reader, Sink, Source, Split, Writer, WriterContext
from flow.schema import WEIGHT, StreamSchema
from operators import Collect
from operators.change_streams.forms import FORMS, ChangeForm, Form
from operators.sql import Connector, TableOptions, register
from operators.testing import plain

Rows = Counter[tuple[Any, ...]]


@attrs.frozen
class Fed(Source):
    """Rows that are given from outside, or these batches.

    Attributes:
        columns: of the rows.
        size: bytes that there are said to be.
        batches: of all columns.
    """

    columns: pa.Schema
    size: int = 0
    batches: tuple[pa.RecordBatch, ...] = attrs.field(default=(), eq=False)
    never_waits: ClassVar[bool] = True  # type: ignore[misc]  # a constant here, an option in other sources

    def schema(self) -> pa.Schema:
        return self.columns

    def splits(self) -> Sequence[Split]:
        return [Split("all", size=self.size)]

    def open(self, split: Split, offset: Any = None) -> Reader:
        return _FedReader([batch.select(self.columns.names) for batch in self.batches])

    def narrow(self, columns: Sequence[str], predicate: Any = None) -> Source:
        return attrs.evolve(self, columns=pa.schema([self.columns.field(name) for name in columns]))


class _FedReader(Reader):
    def __init__(self, batches: list[pa.RecordBatch]) -> None:
        self._batches = batches

    def read(self) -> pa.RecordBatch | None:
        return self._batches.pop(0) if self._batches else None


@attrs.frozen
class Told(Sink):
    """Keeps the changes that it is told, in a form."""

    form: Form = "weight"
    key: tuple[str, ...] = ()
    collect: Collect = attrs.field(factory=Collect, eq=False)
    takes_changes: ClassVar[bool] = True  # type: ignore[misc]  # a constant here, an option in other sinks

    def check(self, schema: StreamSchema) -> None:
        super().check(schema)
        ChangeForm(self.form, self.key).check(schema)

    def fed_by(self, stream: Any, name: str) -> Any:
        return ChangeForm(self.form, self.key).feed(stream, name)

    def open(self, context: WriterContext) -> Writer:
        return self.collect.open(context)

    def rows(self, batches: Iterable[pa.RecordBatch], schema: StreamSchema) -> Rows:
        """The rows that are there after batches of changes.

        Raises:
            AssertionError: a change takes back, or replaces, what is not there.
        """
        form = ChangeForm(self.form, self.key)
        held: dict[Any, Any] = {}
        counts: Rows = Counter()
        for batch in batches:
            for told in form.apply(batch, schema).to_pylist():
                match self.form:
                    case "weight":
                        counts[_row(told, schema.names)] += told.get(WEIGHT, 1)
                    case "upsert":
                        assert not told["_deleted"] or _row(told, self.key) in held, f"{told} was not there"
                        held.pop(_row(told, self.key), None)
                        if not told["_deleted"]:
                            held[_row(told, self.key)] = _row(told, schema.names)
                    case "debezium":
                        counts.update(_event(told, schema.names))
                        for side in (told["before"], told["after"]) if self.key else ():
                            _replace(held, side, self.key, schema.names, comes=side is told["after"])
        if self.form == "upsert":
            counts.update(held.values())
        return Counter({row: count for row, count in counts.items() if count})


def _event(told: dict[str, Any], names: Sequence[str]) -> dict[Any, int]:
    counts: Counter[Any] = Counter()
    if told["before"] is not None:
        counts[_row(told["before"], names)] -= 1
    if told["after"] is not None:
        counts[_row(told["after"], names)] += 1
    return counts


def _replace(held: dict[Any, Any], row: Any, key: Sequence[str], names: Sequence[str], *, comes: bool) -> None:
    if row is None:
        return
    one = _row(row, key)
    if comes:
        assert one not in held, f"{row} comes, and its key is there already"
        held[one] = _row(row, names)
    else:
        assert held.pop(one, None) == _row(row, names), f"{row} goes, and was not there"


def _row(row: dict[str, Any], names: Sequence[str]) -> tuple[Any, ...]:
    return tuple(plain(row[name]) for name in names)


def _fed(table: TableOptions) -> Source:
    encoded = table.options.flag("encoded")
    fields = [
        pa.field(name, pa.dictionary(pa.int32(), kind) if encoded and kind == pa.string() else kind)
        for name, kind in table.types.items()
    ]
    if table.options.choice("changes", ("weight", "upsert")) == "weight":
        fields.append(pa.field(WEIGHT, pa.int64(), nullable=False))
    return Fed(pa.schema(fields), table.options.number("size", 0) or 0)


def _told(table: TableOptions) -> Sink:
    form: Any = table.options.choice("changes", FORMS, "weight")
    return Told(form, table.key if form != "weight" else ())


register("fed", Connector(_fed, None))
register("told", Connector(None, _told))
