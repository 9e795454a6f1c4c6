"""Errors in SQL text: each names the line and column that it is about and shows them with a caret."""

from __future__ import annotations

from flow.errors import GraphError


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
        self.hint = hint
        self.line = self.column = 0
        shown = ""
        if offset is not None:
            before = text[:offset]
            self.line = before.count("\n") + 1
            self.column = offset - (before.rfind("\n") + 1) + 1
            line = text.splitlines()[self.line - 1] if text.splitlines()[self.line - 1 :] else ""
            # Tabs stay tabs above the caret, so that it points right however wide they are shown.
            margin = "".join("\t" if character == "\t" else " " for character in line[: self.column - 1])
            shown = f"\n  {line}\n  {margin}^"
            message = f"line {self.line}, column {self.column}: {message}"
        super().__init__(f"{message}{shown}{f'{chr(10)}hint: {hint}' if hint else ''}")

    def with_hint(self, text: str, hint: str) -> SqlError:
        """The same error about a text, with a hint."""
        before = text.splitlines(keepends=True)[: self.line - 1]
        offset = sum(map(len, before)) + self.column - 1 if self.line else None
        return SqlError(self.message, text=text, offset=offset, hint=hint)
