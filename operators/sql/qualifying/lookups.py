"""Tables that are asked for the row of a key: ``JOIN users FOR SYSTEM_TIME AS OF t.time AS u ON u.id = t.user_id``.

The time says which row of the left asks, and when: as it comes by. What is asked knows no other time.
"""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from operators.expressions.type_names import type_text
from operators.sql.grammar.dialect import Text, Tree, exp, render
from operators.sql.grammar.errors import SqlError
from operators.sql.qualifying.names import refuse
from operators.sql.qualifying.scope import Scope

VERSION = "version"
"""Argument of a table's tree: FOR SYSTEM_TIME AS OF."""


def is_lookup(leaf: Tree) -> bool:
    """Whether an item of FROM is looked up for each row to its left."""
    return isinstance(leaf, exp.Table) and bool(leaf.args.get(VERSION))


def refuse_misplaced(text: Text, source: exp.Table, left: Scope, *, looked_up: bool) -> None:
    """Raise where FOR SYSTEM_TIME AS OF stands behind another table, or nothing is to its left that could ask."""
    refuse(text, source, {"this", "alias", "joins", *([VERSION] if looked_up else ())})
    if not left.relations:
        raise text.error(
            f"{source.name!r} is looked up for each row to its left, and there is none",
            source,
            f"write FROM t JOIN {source.name} FOR SYSTEM_TIME AS OF PROCTIME() AS u ON ...",
        )


def qualify_time(
    text: Text, source: exp.Table, qualified: Callable[[Tree], Tree], kind: Callable[[Tree], pa.DataType]
) -> None:
    """Qualify the time of a table that is looked up, in place.

    Args:
        text: where it stands.
        source: the table.
        qualified: qualifies an expression over what stands to the left.
        kind: the type of a qualified expression.

    Raises:
        SqlError: it is neither PROCTIME() nor a time to the left.
    """
    version = source.args[VERSION]
    hint = "write FOR SYSTEM_TIME AS OF PROCTIME(), or the time of the rows to its left"
    if version.this != "TIMESTAMP" or version.args.get("kind") != "AS OF":
        raise text.error(f"{source.name!r} is looked up as it is now", version, hint)
    time = version.expression
    if isinstance(time, exp.Anonymous) and str(time.this).upper() == "PROCTIME" and not time.expressions:
        return
    if not isinstance(time, exp.Column):
        raise text.error(f"{source.name!r} is looked up as it is now, not as of {render(time)}", time, hint)
    time = qualified(time)
    version.set("expression", time)
    if not pa.types.is_timestamp(found := kind(time)):
        raise text.error(f"FOR SYSTEM_TIME AS OF takes a time; this has type {type_text(found)}", time, hint)


def unasked(text: Text, table: str, key: tuple[str, ...], at: Tree) -> SqlError:
    """The error for a table of look-ups that is read in another way."""
    on = " AND ".join(f"u.{name} = t.{name}" for name in key)
    return text.error(
        f"{table!r} has no rows to read: it is asked for the row of a key",
        at,
        f"write FROM t JOIN {table} FOR SYSTEM_TIME AS OF PROCTIME() AS u ON {on}",
    )
