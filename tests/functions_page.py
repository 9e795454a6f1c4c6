"""docs/functions.md, written from the tables that functions are registered in: `python -m tests.functions_page`."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

from operators.aggregates import agg
from operators.expressions.functions import functions
from operators.expressions.registry import Entry, entries, signature_parts

PAGE = Path(__file__).parent.parent / "docs" / "functions.md"

_HEAD = """\
# Functions

Every function and operator of expressions, in SQL and by `call(name, ...)` in Python. This page is written by
`python -m tests.functions_page` from the table of functions, and every example is a test.

Types: `bigint` takes any integer, `text` is VARCHAR, `binary` is BYTEA, values of `same` meet in one type, and `const`
is what the query itself must say; `...` repeats the last argument. An argument that is NULL makes the result NULL,
where nothing else is said. Functions marked with * are computed value by value in Python, once for each distinct
value of a batch; all others by vectorised kernels.
"""

_AGGREGATES = """\
## Aggregates

In Python `agg.name(...)`; what they take and keep is in [SQL](sql.md#aggregates).
"""

_TABLES = """\
## Functions of tables and windows
"""

_BY_VALUE = """\
## Computed value by value

No kernel of Arrow's or NumPy's does what these do: """

_TABLE_ROWS = (
    (
        "HOP(table, column, slide, size)",
        "The rows of a table, once for each window that they fall into, with window_start and window_end.",
    ),
    (
        "TUMBLE(table, column, size)",
        "The rows of a table, with the bounds of the window that they fall into: window_start and window_end.",
    ),
    (
        "UNNEST(list, ...) [WITH ORDINALITY]",
        "In FROM: a row for each element of lists, side by side, with the row to its left; in SELECT one list each.",
    ),
    (
        "generate_series(first, last [, step])",
        "In FROM and SELECT: a row for each number or time of the series; `range`, in FROM, without the last.",
    ),
    (
        "row_number() OVER ([PARTITION BY ...] ORDER BY ...)",
        "The number of a row among those of its partition, from 1.",
    ),
)


@cache
def documented() -> dict[str, Entry]:
    """The entry that says what a function does, by its name."""
    found: dict[str, Entry] = {}
    for entry in entries():
        for name in entry.names if entry.says else ():
            found.setdefault(name, entry)
    return found


def undocumented() -> list[str]:
    """The functions of which nothing is said, or for which there is no example."""
    known = documented()
    return [name for name in functions() if name not in known or not known[name].examples]


def written() -> str:
    """The page."""
    modules = sorted({entry.module for entry in documented().values()})
    return "\n".join([_HEAD, *(part for module in modules for part in _section(module)), *_others()])


def _section(module: str) -> Iterator[str]:
    title = module.rpartition(".")[2].replace("_", " ").capitalize()
    yield f"## {title}\n\n{inspect.cleandoc(importlib.import_module(module).__doc__ or '')}\n"
    rows = []
    for entry in entries():
        if entry.module == module and entry.says:
            shown = "<br>".join(f"`{_shown(signature)}`" for signature in _signatures(entry))
            examples = "<br>".join(f"`{_cell(example)}`" for example in entry.examples)
            rows.append((entry.names[0], f"| {shown} | {_cell(entry.says)}{' *' * entry.by_row} | {examples} |"))
    yield "\n".join(["| function | meaning | examples |", "|---|---|---|", *(row for _, row in sorted(rows)), ""])


def _signatures(entry: Entry) -> list[str]:
    """An entry's own, then those of the same names of which nothing is said."""
    return [
        *entry.signatures,
        *(
            signature
            for other in entries()
            if not other.says
            for signature in other.signatures
            if documented().get(signature_parts(signature)[0]) is entry
        ),
    ]


def _shown(signature: str) -> str:
    name, parameters, result = signature_parts(signature)
    if name.isidentifier():
        return f"{name}({parameters}) → {result}"
    places = parameters.split(", ")
    written = f"{places[0]} {name} {places[1]}" if len(places) == 2 else f"{name}({parameters})"
    if len(places) == 1:
        written = f"{places[0]} {name}" if name.startswith("is ") else f"{name} {places[0]}"
    return _cell(f"{written} → {result}")


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def _others() -> Iterable[str]:
    made = [
        (name, inspect.getdoc(value) or "")
        for name, value in inspect.getmembers(agg, inspect.isfunction)
        if not name.startswith("_") and inspect.signature(value).return_annotation == "Aggregation"
    ]
    yield _AGGREGATES
    yield _table((f"{name}({', '.join(_arguments(name))})", says) for name, says in made)
    yield _TABLES
    yield _table(_TABLE_ROWS)
    slow = sorted({name for entry in entries() if entry.by_row for name in entry.names})
    yield f"{_BY_VALUE}{', '.join(f'`{name}`' for name in slow)}.\n"


def _arguments(name: str) -> Sequence[str]:
    return [
        parameter.name
        for parameter in inspect.signature(getattr(agg, name)).parameters.values()
        if parameter.name != "filter"
    ]


def _table(rows: Iterable[tuple[str, str]]) -> str:
    lines = [f"| `{_cell(name)}` | {_cell(' '.join(says.split()))} |" for name, says in rows]
    return "\n".join(["| function | meaning |", "|---|---|", *lines, ""])


if __name__ == "__main__":
    PAGE.write_text(written())
    if missing := undocumented():
        print(f"nothing is said of: {', '.join(missing)}")
