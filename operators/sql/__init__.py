"""Streaming SQL: text → sqlglot's tree → the qualified tree → our own plan → operators in a graph."""

from operators.sql.connectors.files import FILES
from operators.sql.connectors.lookup import LOOKUP
from operators.sql.connectors.options import Options
from operators.sql.connectors.others import NULL, PRINT
from operators.sql.connectors.registry import Connector, TableOptions, register
from operators.sql.explain import explain
from operators.sql.grammar.errors import SqlError
from operators.sql.query import sql
from operators.sql.script import Script, load_script, open_script, read_script, script
from operators.sql.statements.execution import Answer

register("files", FILES)
register("lookup", LOOKUP)
register("print", PRINT)
register("terminal", PRINT)
register("null", NULL)
register("blackhole", NULL)

__all__ = [
    "Answer",
    "Connector",
    "Options",
    "Script",
    "SqlError",
    "TableOptions",
    "explain",
    "load_script",
    "open_script",
    "read_script",
    "register",
    "script",
    "sql",
]
