"""``connector = 'files'``: tables that are files, read from a path and written to a directory.

Declared columns are the table's columns; without any, the files say what there is.
"""

from __future__ import annotations

from typing import Any, Final, cast

import attrs
import pyarrow as pa

from flow.errors import GraphError
from flow.schema import WEIGHT
from flow.sink import Sink
from operators.change_streams.forms import FORMS, READ_AS, Form
from operators.expressions.type_names import type_text
from operators.files.arrow import ArrowFile
from operators.files.csv import Csv
from operators.files.debezium import DebeziumJson
from operators.files.description import FileSource
from operators.files.json import JsonLines
from operators.files.parquet import Parquet
from operators.sql.connectors.options import Options
from operators.sql.connectors.registry import Connector, TableOptions

_FORMATS: Final[dict[str, type[FileSource]]] = {
    "parquet": Parquet,
    "csv": Csv,
    "json": JsonLines,
    "arrow": ArrowFile,
    "debezium-json": DebeziumJson,
}
_ALIASES: Final = {"debezium_json": "debezium-json"}

_SPELLED: Final = {"\\t": "\t", "tab": "\t", "space": " "}


def _source(table: TableOptions) -> FileSource:
    source = _described(table, follow=_follow(table.options))
    source = attrs.evolve(source, types=table.types, **_changes(source, table))
    source = attrs.evolve(source, **_chosen(source, table))
    _refuse_ambiguous(source, table)
    return source


def _sink(table: TableOptions) -> Sink:
    source = _described(table, overwrite=table.options.flag("overwrite"))
    changes = cast("Form | None", table.options.choice("changes", FORMS))
    if isinstance(source, DebeziumJson):
        if changes not in (None, "debezium"):
            raise table.options.error("changes", "format = 'debezium-json' has a form of changes of its own")
        changes = "debezium"
    key = table.key if changes in ("upsert", "debezium") else ()
    return attrs.evolve(source, changes=changes, key=key).as_sink()


def _described(table: TableOptions, **arguments: Any) -> FileSource:
    options = table.options
    path = options.required("path")
    ending = next((name for name, each in _FORMATS.items() if path.endswith(each.endings)), None)
    form = options.choice("format", (*_FORMATS, *_ALIASES), ending) or options.required("format")
    form = _ALIASES.get(form, form)
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
        return {"names": table.names and (*table.names, *([WEIGHT] if source.changes == "weight" else []))}
    if isinstance(source, DebeziumJson):
        return {} if table.names is None else {"columns": (*table.names, *source.added)}
    return {"columns": table.names}


def _changes(source: FileSource, table: TableOptions) -> dict[str, Any]:
    """How rows come and go; by key, that is done behind the source."""
    changes = table.options.choice("changes", READ_AS)
    if not isinstance(source, DebeziumJson):
        return {"changes": "weight"} if changes == "weight" else {}
    key = () if changes == "weight" else table.key
    if changes == "upsert" and not key:
        raise table.options.error("changes", "rows replace each other by key: declare the PRIMARY KEY of the table")
    source_time = table.options.text("source_time")
    if source_time is not None and not key:
        raise table.options.error(
            "source_time", "only the new row has the time, so the old one needs the PRIMARY KEY of the table"
        )
    return {"key": key, "source_time": source_time}


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
                f"column {name!r} of {table.name!r} holds whole numbers ({type_text(held.field(name).type)}), and "
                "TIMESTAMP does not say what they count: declare TIMESTAMP(0), (3), (6) or (9) for seconds, milli-, "
                "micro- or nanoseconds since 1970"
            )


FILES: Final = Connector(_source, _sink)
