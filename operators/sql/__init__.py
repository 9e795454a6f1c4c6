"""Streaming SQL: text → sqlglot's tree → the qualified tree → our own plan → operators in a graph."""

from operators.sql.connect_files import FILES
from operators.sql.connect_others import NULL, PRINT
from operators.sql.connectors import Connector, TableOptions, register
from operators.sql.errors import SqlError
from operators.sql.options import Options
from operators.sql.query import sql
from operators.sql.script import load_script, script

register("files", FILES)
register("print", PRINT)
register("terminal", PRINT)
register("null", NULL)
register("blackhole", NULL)

__all__ = ["Connector", "Options", "SqlError", "TableOptions", "load_script", "register", "script", "sql"]
