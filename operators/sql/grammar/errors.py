"""Errors in SQL text: each names the line and column that it is about and shows them with a caret."""

from __future__ import annotations

import unicodedata
from typing import Final

from flow.errors import GraphError
from operators.sql.grammar.hints import hint_of

_WIDTH: Final = 120
"""Characters of a line that are shown."""


def _shown(line: str, column: int) -> str:
    """A line and the caret under its column, from 0; of a long line, what stands around it."""
    begin = max(0, min(column - _WIDTH // 2, len(line) - _WIDTH)) if len(line) > _WIDTH else 0
    end = begin + _WIDTH
    before = "..." if begin else ""
    part = f"{before}{line[begin:end]}{'...' if end < len(line) else ''}"
    # Tabs stay tabs above the caret, and wide characters are wide, so that it points right however they are shown.
    margin = "".join(
        "\t" if each == "\t" else "" if unicodedata.combining(each) else "\u3000" if _wide(each) else " "
        for each in line[begin:column]
    )
    return f"\n  {part}\n  {' ' * len(before)}{margin}^"


def _wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"


class SqlError(GraphError):
    """A statement cannot be understood, or asks for something that is not there.

    Attributes:
        message: what is wrong, then what is known.
        line: line in the text, from 1; 0 where no place in the text is to blame.
        column: column in that line, from 1; 0 likewise.
        hint: what to write instead, where there is something to suggest.
    """

    def __init__(self, message: str, *, text: str = "", offset: int | None = None, hint: str | None = None) -> None:
        self.message = message
        self.hint = hint = hint_of(message) if hint is None else hint
        self.line = self.column = 0
        shown = ""
        if offset is not None:
            before = text[:offset]
            self.line = before.count("\n") + 1
            self.column = offset - (before.rfind("\n") + 1) + 1
            line = text.split("\n")[self.line - 1].removesuffix("\r")
            shown = _shown(line, self.column - 1)
            message = f"line {self.line}, column {self.column}: {message}"
        super().__init__(f"{message}{shown}{f'{chr(10)}hint: {hint}' if hint else ''}")

    def with_hint(self, text: str, hint: str) -> SqlError:
        """The same error about a text, with a hint."""
        before = text.split("\n")[: self.line - 1]
        offset = sum(len(line) + 1 for line in before) + self.column - 1 if self.line else None
        return SqlError(self.message, text=text, offset=offset, hint=hint)
