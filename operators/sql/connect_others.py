"""Connectors that need no outside: ``print`` for people to look at, ``null`` for measuring."""

from __future__ import annotations

from typing import Final

from flow.sink import Sink
from operators.memory import Null
from operators.sql.connectors import Connector, TableOptions
from operators.terminal import Terminal


def _terminal(table: TableOptions) -> Sink:
    limit = table.options.number("limit")
    return Terminal() if limit is None else Terminal(limit)


def _null(table: TableOptions) -> Sink:
    return Null()


PRINT: Final = Connector(sink=_terminal)
NULL: Final = Connector(sink=_null)
