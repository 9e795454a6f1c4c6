"""Rows for people to look at, on the terminal, and rows handed to a Python function.

Both act at once, before the epoch commits: what has been seen cannot be taken back.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TextIO

import attrs
import pyarrow as pa
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from flow.errors import GraphError
from flow.schema import WEIGHT, StreamSchema
from flow.sink import Sink, Writer, WriterContext
from operators.calling.callables import described
from operators.change_streams.forms import FORMS, ChangeForm, Form, as_key, check_form
from operators.values.text import plain_text, textual

_HEADER_EVERY = 40
_LONGEST = 60
_PERIOD = 1.0
_STYLES = {"+": "green", "-": "red"}


@attrs.frozen
class Terminal(Sink):
    """Prints rows as a table; changes have a + or a - in front, and how often where that is not once.

    Attributes:
        limit: most rows printed within a second; how many more there were is printed in their place.
        file: where to, if not to the standard output.
    """

    single_writer: ClassVar[bool] = True
    takes_changes: ClassVar[bool] = True  # type: ignore[misc]  # a constant here, an option in other sinks

    limit: int = attrs.field(default=20)
    file: TextIO | None = None

    @limit.validator
    def _at_least_one(self, attribute: attrs.Attribute[int], value: int) -> None:
        if value < 1:
            raise GraphError(f"limit must be at least 1, not {value}")

    def check(self, schema: StreamSchema) -> None:
        """Raise GraphError where a column has no text form."""
        super().check(schema)
        for field in schema.columns:
            if not textual(field.type):
                raise GraphError(f"a column of type {field.type} cannot be printed: {field.name!r}")

    def open(self, context: WriterContext) -> Writer:
        """The writer that prints."""
        return _TerminalWriter(_Console(file=self.file, highlight=False), self.limit, context.schema)


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Fail as any writer does; Rich would end the program."""
        raise BrokenPipeError("whoever read the rows went away")


class _TerminalWriter(Writer):
    def __init__(self, console: Console, limit: int, schema: StreamSchema) -> None:
        self._console = console
        self._limit = limit
        self._names = schema.names
        self._changelog = schema.changelog
        signs = [""] if schema.changelog else []
        self._headings = [*signs, *map(_printable, schema.names)]
        self._right = [*(False for _ in signs), *(_is_number(schema.column_type(name)) for name in schema.names)]
        self._widths = [cell_len(heading) for heading in self._headings]
        self._until_header = 0
        self._since = float("-inf")
        self._printed = 0
        self._more = 0

    def write(self, batch: pa.RecordBatch) -> None:
        now = time.monotonic()
        if now - self._since >= _PERIOD:
            self._tell_more()
            self._since, self._printed = now, 0
        shown = batch.slice(0, self._limit - self._printed)
        self._more += batch.num_rows - shown.num_rows
        if shown.num_rows:
            self._printed += shown.num_rows
            self._print(shown)

    def commit(self, epoch: int) -> None:
        self._tell_more()

    def close(self) -> None:
        self._tell_more()

    def _tell_more(self) -> None:
        if self._more:
            self._console.print(f"... and {self._more:,} more rows", style="dim")
            self._more = 0

    def _print(self, batch: pa.RecordBatch) -> None:
        texts = [[_printable(text) for text in plain_text(batch.column(name)).to_pylist()] for name in self._names]
        if self._changelog:
            texts.insert(0, [_sign(weight) for weight in batch.column(WEIGHT).to_pylist()])
        self._widths = [max(width, *map(cell_len, column)) for width, column in zip(self._widths, texts, strict=True)]
        if self._until_header <= 0:
            self._until_header = _HEADER_EVERY
            self._line(self._headings, "bold")
        self._until_header -= batch.num_rows
        for row in zip(*texts, strict=True):
            self._line(row, _STYLES.get(row[0][:1], "") if self._changelog else "")

    def _line(self, texts: Sequence[str], style: str) -> None:
        cells = [
            " " * (width - cell_len(text)) + text if right else text + " " * (width - cell_len(text))
            for text, width, right in zip(texts, self._widths, self._right, strict=True)
        ]
        # What is no terminal has no width either: nothing is cut off there.
        wide = not self._console.is_terminal
        line = Text("  ".join(cells).rstrip(), style)
        self._console.print(line, no_wrap=True, overflow="ellipsis", soft_wrap=wide)


def _printable(text: str | None) -> str:
    if text is None:
        return "NULL"
    if not text.isprintable():
        text = repr(text)[1:-1]
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _sign(weight: int) -> str:
    sign = "+" if weight > 0 else "-"
    return sign if abs(weight) == 1 else f"{sign}{abs(weight)}"


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


@attrs.frozen
class Callback(Sink):
    """Calls a function with every batch, one after the other, in the order in which they come.

    Attributes:
        function: gets a `pyarrow.RecordBatch`; called in a worker thread, one call at a time.
        changes: the form in which it takes changes: ``weight`` (rows with ``_weight``), ``upsert`` (by key, with
            ``_deleted``) or ``debezium`` (`before`, `after`, `op`); see `ChangeForm`.
        key: names of the key columns, for those forms that have one.
        takes_changes: whether it can take retractions (default: where `changes` says how), else as ``weight``.
    """

    single_writer: ClassVar[bool] = True
    instead: ClassVar[str] = "say how the function takes changes, by changes='weight', 'upsert' or 'debezium'"

    changes: Form | None = attrs.field(default=None, kw_only=True)
    key: tuple[str, ...] = attrs.field(default=(), converter=as_key, kw_only=True)
    function: Callable[[pa.RecordBatch], Any] = attrs.field(repr=described)
    takes_changes: bool = attrs.field()

    @takes_changes.default
    def _takes_changes(self) -> bool:
        return self.changes is not None

    @changes.validator
    def _known_changes(self, attribute: attrs.Attribute[str], value: str | None) -> None:
        check_form(value, FORMS)

    @property
    def _form(self) -> ChangeForm:
        return ChangeForm(self.changes or "weight", self.key)

    def fed_by(self, stream: Any, name: str) -> Any:
        """The stream, with the changes of each key in order where they are taken by key."""
        return self._form.feed(stream, name)

    def open(self, context: WriterContext) -> Writer:
        """The writer that calls."""
        return _CallbackWriter(self.function, self._form, context.schema)


class _CallbackWriter(Writer):
    def __init__(self, function: Callable[[pa.RecordBatch], Any], form: ChangeForm, schema: StreamSchema) -> None:
        self._function = function
        self._form = form
        self._schema = schema

    def write(self, batch: pa.RecordBatch) -> None:
        self._function(self._form.apply(batch, self._schema))
