"""``connector = 'files'``: tables that are files, read from a path and written to a directory.

Declared columns are the table's columns; without any, the files say what there is.
"""

from __future__ import annotations

from typing import Any, Final

import attrs
import pyarrow as pa

from flow.errors import GraphError
from flow.sink import Sink
from operators.files.arrow import ArrowFile
from operators.files.csv import Csv
from operators.files.description import FileSource
from operators.files.json import JsonLines
from operators.files.parquet import Parquet
from operators.sql.connectors import Connector, TableOptions
from operators.sql.options import Options

_FORMATS: Final[dict[str, type[FileSource]]] = {"parquet": Parquet, "csv": Csv, "json": JsonLines, "arrow": ArrowFile}

_SPELLED: Final = {"\\t": "\t", "tab": "\t", "space": " "}


def _source(table: TableOptions) -> FileSource:
    source = _described(table, follow=_follow(table.options))
    source = attrs.evolve(source, types=table.types, **_chosen(source, table))
    _refuse_ambiguous(source, table)
    return source


def _sink(table: TableOptions) -> Sink:
    changes = table.options.choice("changes", ("weight",))
    return _described(table, changes=changes, overwrite=table.options.flag("overwrite")).as_sink()


def _described(table: TableOptions, **arguments: Any) -> FileSource:
    options = table.options
    path = options.required("path")
    ending = next((name for name, each in _FORMATS.items() if path.endswith(each.endings)), None)
    form = options.choice("format", tuple(_FORMATS), ending) or options.required("format")
    arguments |= {"compression": options.text("compression")}
    if form == "csv":
        arguments |= _csv(options)
    return _FORMATS[form](path, **arguments)


def _csv(options: Options) -> dict[str, Any]:
    delimiter = options.text("delimiter", ",") or ","
    given: dict[str, Any] = {
        "header": options.flag("header", True),
        "delimiter": _SPELLED.get(delimiter, delimiter),
    }
    nulls, quote = options.text("nulls"), options.text("quote")
    if nulls is not None:
        given["nulls"] = tuple(nulls.split(","))
    if quote is not None:
        given["quote"] = quote or None
    return given


def _follow(options: Options) -> str | None:
    """How often to look for new data: a duration, or 'true' for every second."""
    value = options.text("follow")
    if value is None or value.lower() in ("false", "off", "no"):
        return None
    return "1s" if value.lower() in ("true", "on", "yes") else options.duration("follow")


def _chosen(source: FileSource, table: TableOptions) -> dict[str, Any]:
    """Which columns are read: those declared, by name; by position in a CSV file that does not name them."""
    if isinstance(source, Csv) and not source.header:
        return {"names": table.names}
    return {"columns": table.names}


def _refuse_ambiguous(source: FileSource, table: TableOptions) -> None:
    """Refuse a TIMESTAMP without unit over a column of whole numbers: nothing says what they count."""
    doubtful = [column.name for column in table.columns if column.ambiguous]
    if not doubtful:
        return
    try:
        held = attrs.evolve(source, types={}).schema()
    except GraphError:
        # No file yet, or one that does not fit the declaration: that is the source's own to say.
        return
    for name in doubtful:
        if name in held.names and pa.types.is_integer(held.field(name).type):
            raise GraphError(
                f"column {name!r} of {table.name!r} holds whole numbers ({held.field(name).type}), and TIMESTAMP does "
                "not say what they count: declare TIMESTAMP(0), (3), (6) or (9) for seconds, milli-, micro- or "
                "nanoseconds since 1970"
            )


FILES: Final = Connector(_source, _sink)
