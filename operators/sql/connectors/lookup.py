"""The connector of tables that are asked for the row of a key, by an async function in Python.

The function gets the values of the PRIMARY KEY, in its order, and returns the row: a dict, a tuple, or None.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from operators.calling.callables import is_async
from operators.calling.retries import Retries
from operators.expressions.awaited import AsyncFunction
from operators.expressions.table_functions import AwaitedRowOf
from operators.sql.connectors.registry import Connector, TableOptions


def _row(table: TableOptions) -> AsyncFunction:
    options, types = table.options, table.types
    function = options.function("function")
    if not is_async(function):
        raise options.error(
            "function",
            f"{options.required('function')!r} is not async",
            "write async def, and await trio.to_thread.run_sync(ask, key) in it where the driver blocks",
        )
    cached, cached_for = options.number("cache_rows") or 0, options.decimal("cache_seconds")
    if cached_for is not None and not cached:
        raise options.error(
            "cache_seconds",
            "cache_seconds says how long rows are remembered, and nothing how many",
            "add cache_rows = 10000",
        )
    concurrency = options.number("concurrency", 64) or 0
    if concurrency < 1:
        raise options.error("concurrency", f"concurrency is at least 1, not {concurrency}", "leave it out, for 64")
    return AsyncFunction(
        table.name,
        AwaitedRowOf(function, tuple(types), table.key),
        tuple(types[name] for name in table.key),
        pa.struct(list(types.items())),
        concurrency=concurrency,
        retries=Retries(
            options.duration("timeout"), options.number("retries") or 0, options.duration("backoff") or "100ms"
        ),
        cached=cached,
        cached_for=cached_for,
        deterministic=options.flag("deterministic"),
    )


LOOKUP: Final = Connector(lookup=_row)
