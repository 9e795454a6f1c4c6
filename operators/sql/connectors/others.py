"""Connectors that need no outside: ``print`` for people to look at, ``null`` for measuring."""

from __future__ import annotations

from typing import Final

from flow.sink import Sink
from operators.in_process.tables import Null
from operators.in_process.terminal import Terminal
from operators.sql.connectors.registry import Connector, TableOptions


def _terminal(table: TableOptions) -> Sink:
    limit = table.options.number("limit")
    return Terminal() if limit is None else Terminal(limit)


def _null(table: TableOptions) -> Sink:
    return Null()


PRINT: Final = Connector(sink=_terminal)
NULL: Final = Connector(sink=_null)
