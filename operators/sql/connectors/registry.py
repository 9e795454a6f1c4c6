"""Connectors: what ``WITH (connector = '…')`` makes of a table that is read or written.

A connector is a pair of functions from a declared table to a source and to a sink; others can register
theirs by `register`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import attrs
import pyarrow as pa

from flow.errors import GraphError, known
from flow.sink import Sink
from flow.source import Source
from operators.expressions.awaited import AsyncFunction
from operators.sql.connectors.options import Options


@attrs.frozen
class Column:
    """A declared column.

    Attributes:
        name: of the column.
        type: its declared type.
        ambiguous: whether it is declared as a timestamp without unit.
    """

    name: str
    type: pa.DataType
    ambiguous: bool = False


@attrs.frozen
class TableOptions:
    """What a connector is told of a table.

    Attributes:
        name: of the table.
        columns: those that are declared, in order; none where the connector shall know them.
        options: what is written in WITH.
        key: the columns of its PRIMARY KEY; none where it has none.
    """

    name: str
    columns: tuple[Column, ...]
    options: Options
    key: tuple[str, ...] = ()

    @property
    def types(self) -> dict[str, pa.DataType]:
        """The declared types by name."""
        return {column.name: column.type for column in self.columns}

    @property
    def names(self) -> tuple[str, ...] | None:
        """The declared names, or None where the connector shall know them."""
        return tuple(column.name for column in self.columns) or None


@attrs.frozen
class Connector:
    """What makes sources and sinks of tables; None where it cannot.

    Attributes:
        source: of a table that is read.
        sink: of a table that is written.
        lookup: of a table that is asked for the row of its PRIMARY KEY: a function of the key's values, in its order,
            to a struct of the declared columns, or NULL where there is no such row.
    """

    source: Callable[[TableOptions], Source] | None = None
    sink: Callable[[TableOptions], Sink] | None = None
    lookup: Callable[[TableOptions], AsyncFunction] | None = None


Make = TypeVar("Make", bound=Callable[[TableOptions], Any])

_connectors: Final[dict[str, Connector]] = {}


def register(name: str, connector: Connector) -> None:
    """Say what ``connector = 'name'`` means.

    Raises:
        GraphError: the name means something else already.
    """
    if _connectors.setdefault(name, connector) != connector:
        raise GraphError(f"there is a connector {name!r} already")


def connectors() -> Mapping[str, Connector]:
    """Those that there are, by name."""
    return dict(_connectors)


def source_of(table: TableOptions) -> Source:
    """The source of a table that is read.

    Raises:
        SqlError: there is no such connector, it does not read, or an option is wrong.
    """
    make = _able(table, lambda connector: connector.source, "read")
    return table.options.make(lambda: make(table))


def looks_up(name: str | None) -> bool:
    """Whether tables of a connector are asked for the row of a key."""
    return name in _connectors and _connectors[name].lookup is not None


def lookup_of(table: TableOptions) -> AsyncFunction:
    """The function that is asked for the row of a key.

    Raises:
        SqlError: an option is wrong.
    """
    _, found = _chosen(table)
    make = found.lookup
    assert make is not None
    return table.options.make(lambda: make(table))


def sink_of(table: TableOptions) -> Sink:
    """The sink of a table that is written.

    Raises:
        SqlError: there is no such connector, it does not write, or an option is wrong.
    """
    make = _able(table, lambda connector: connector.sink, "write")
    return table.options.make(lambda: make(table))


def _able(table: TableOptions, made: Callable[[Connector], Make | None], does: str) -> Make:
    """What the chosen connector makes of a table, where it makes such things."""
    name, found = _chosen(table)
    make = made(found)
    if make is None:
        able = [each for each, connector in _connectors.items() if made(connector)]
        raise table.options.error("connector", f"the connector {name!r} does not {does}; {known(name, able)}")
    return make


def _chosen(table: TableOptions) -> tuple[str, Connector]:
    name = table.options.required("connector")
    if name not in _connectors:
        raise table.options.error("connector", f"no connector {name!r}; {known(name, _connectors)}")
    return name, _connectors[name]
