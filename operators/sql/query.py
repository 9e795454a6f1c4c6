"""`sql()`: a query over streams, as operators in their graph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flow.errors import GraphError
from flow.graph import Stream
from operators.sql.expressions.user_functions import add_function
from operators.sql.grammar.dialect import POSTGRES, Text, exp, parse
from operators.sql.grammar.parameters import bound
from operators.sql.lowering.lower import lower
from operators.sql.optimising.join_order import rows_of
from operators.sql.plan.nodes import Plan, Scan
from operators.sql.planning.planner import plan_query
from operators.udf import UserFunction


def sql(
    query: str,
    *,
    dialect: str = POSTGRES,
    name: str | None = None,
    partitions: int | None = None,
    functions: Iterable[UserFunction] = (),
    parameters: Mapping[str, Any] | None = None,
    **streams: Stream,
) -> Stream:
    """Add a query to the graph of the streams that it reads.

    Args:
        query: one SELECT; see ``docs/sql.md`` for the language.
        dialect: the SQL dialect of the text, any that sqlglot reads.
        name: of the node that gives the result (default: ``sql``); the nodes before it are called ``name.kind``.
        partitions: how many instances of each operator (default: as the run is set).
        functions: of users, which the query calls by their names (see `udf`).
        parameters: values for what the query names ``:name``, as literals.
        streams: the tables, by the names that the query calls them.

    Returns:
        The stream of the result.

    Raises:
        SqlError: the query cannot be understood, or does not fit the streams; says where.
        GraphError: no stream is given, they belong to different graphs, or a parameter is given that the query lacks.
    """
    plan = plan_of(query, dialect=dialect, functions=functions, parameters=parameters, **streams)
    graph = next(iter(streams.values())).graph
    name = name or graph.unique_name("sql")
    return lower(plan, streams, name, name=name, partitions=partitions)


def plan_of(
    query: str,
    *,
    dialect: str = POSTGRES,
    functions: Iterable[UserFunction] = (),
    parameters: Mapping[str, Any] | None = None,
    **streams: Stream,
) -> Plan:
    """The optimised plan of a query, as `sql` lowers it; nothing is added to the graph.

    Raises:
        SqlError: the query cannot be understood, or does not fit the streams; says where.
        GraphError: no stream is given, or they belong to different graphs.
    """
    if not streams:
        raise GraphError(
            "sql() needs the streams that the query reads, by name: sql('SELECT ... FROM trades', trades=stream)"
        )
    graph = next(iter(streams.values())).graph
    for table, stream in streams.items():
        if stream.graph is not graph:
            raise GraphError(f"{table!r} is in another graph than {next(iter(streams))!r}")
    text = Text(query)
    for function in functions:
        add_function(text, function.name, function)
    statements = parse(text, dialect)
    if len(statements) != 1:
        raise text.error(f"sql() takes one query, not {len(statements)} statements", statements[1] if statements else 0)
    if not isinstance(statements[0], exp.Query | exp.Values):
        raise text.error("expected SELECT ... FROM ...", statements[0])
    scans = {table: Scan(table, stream.schema, rows=rows_of(stream)) for table, stream in streams.items()}
    return plan_query(text, bound(text, statements[0], parameters or {}), scans)
