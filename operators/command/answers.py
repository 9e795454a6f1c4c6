"""The answers of a script to SHOW, DESCRIBE and EXPLAIN, as text on standard output, where results go."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from operators.sql import Answer

_WIDE = 10_000


def print_answers(answers: Sequence[Answer]) -> None:
    """Print answers, each under what was asked."""
    # What is no terminal has no width: nothing is cut off or broken there.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE)
    for answer in answers:
        with console.capture() as captured:
            console.print(Text.assemble((answer.title, "bold"), f": {answer.note}" if answer.note else ""))
            _print_table(console, answer)
            console.print()
        lines = captured.get().splitlines()
        sys.stdout.write("\n".join(line.rstrip() for line in lines) + "\n")


def _print_table(console: Console, answer: Answer) -> None:
    names = answer.table.column_names
    rows = zip(*(column.to_pylist() for column in answer.table.columns), strict=True)
    if len(names) == 1:
        for (line,) in rows:
            console.print(Text(line), soft_wrap=True)
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in names:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if value is None else value) for value in row))
    console.print(table)
