r"""Patterns of PostgreSQL as regular expressions of RE2, which is what Arrow's kernels run.

What RE2 cannot do (back references, looking ahead or behind, the edges of words apart) is refused. Two things differ:
of alternatives RE2 takes the first that matches, not the longest, and ``\b`` and ``\B`` are about words.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import attrs
import pyarrow as pa
import pyarrow.compute as pc

FLAGS: Final = "cimnpqswx"
"""What flags may say: c, i: letters' case counts, or does not; s, n or m, p, w: what line ends mean; q: the pattern is
plain text; x: blanks and comments in it are not part of it."""

_LINES: Final = {"s": "s", "n": "m-s", "m": "m-s", "p": "-s", "w": "ms"}
"""RE2's flags for PostgreSQL's about line ends."""

_ESCAPES: Final = {"y": r"\b", "Y": r"\B", "Z": r"\z", "e": r"\x1b", "0": r"\x00"}

_WORD: Final = r"\pL\pM\pN_"
"""What ``\\w`` is, in all alphabets, inside a class."""

_CLASSES: Final = {"alpha": r"\pL", "alnum": r"\pL\pN", "upper": r"\p{Lu}", "lower": r"\p{Ll}", "word": _WORD}

_AROUND: Final = ("(?=", "(?!", "(?<=", "(?<!")


@attrs.frozen
class Regex:
    """A regular expression of RE2.

    Attributes:
        text: what Arrow takes, flags included.
        groups: how many groups it captures.
        named: the same with groups that have names, ``g1`` and so on; without groups, the whole match is ``g1``.
    """

    text: str
    groups: int
    named: str

    @property
    def whole(self) -> str:
        """As `named`, of texts that match from end to end."""
        return rf"\A(?:{self.named})\z"


@lru_cache(maxsize=512)
def regex(pattern: str, flags: str = "", others: str = "") -> Regex:
    """A pattern as RE2 has it.

    Args:
        pattern: PostgreSQL's "advanced" regular expression.
        flags: some of `FLAGS`, of which the last counts where they contradict each other.
        others: flags that mean something to the caller.

    Raises:
        pa.ArrowInvalid: it is none, or RE2 cannot do it.
    """
    for flag in flags:
        if flag not in FLAGS + others:
            raise pa.ArrowInvalid(f"no regular expression flag {flag!r}; known here: {sorted(FLAGS + others)}")
    if pattern.startswith("***:"):
        pattern = pattern[4:]
    if pattern.startswith("***=") or "q" in flags:
        translated = _Translation(re.escape(pattern.removeprefix("***=")), False)
    else:
        translated = _Translation(pattern, "x" in flags)
    inline = _inline(flags)
    named = translated.named if translated.groups else f"(?P<g1>{translated.text})"
    made = Regex(inline + translated.text, translated.groups, inline + named)
    try:
        pc.match_substring_regex(pa.array([""]), made.text)
    except pa.ArrowInvalid as error:
        problem = str(error).removeprefix("Invalid regular expression: ")
        raise pa.ArrowInvalid(f"{pattern!r} is no regular expression: {problem}") from None
    return made


def _inline(flags: str) -> str:
    lines = [_LINES[flag] for flag in flags if flag in _LINES]
    any_case = "i" if flags.rfind("i") > flags.rfind("c") else ""
    on, sign, off = (lines[-1] if lines else "s").partition("-")
    return f"(?{any_case}{on}{sign}{off})"


class _Translation:
    """One pass over a pattern; `text` and `named` are the results."""

    def __init__(self, pattern: str, expanded: bool) -> None:
        self._pattern = pattern
        self._expanded = expanded
        self._at = 0
        self._parts: list[str] = []
        self._named: list[str] = []
        self.groups = 0
        while self._at < len(pattern):
            self._step()

    @property
    def text(self) -> str:
        return "".join(self._parts)

    @property
    def named(self) -> str:
        return "".join(self._named)

    def _put(self, part: str, taken: int, named: str | None = None) -> None:
        self._parts.append(part)
        self._named.append(part if named is None else named)
        self._at += taken

    def _refuse(self, what: str, hint: str = "") -> pa.ArrowInvalid:
        return pa.ArrowInvalid(f"{self._pattern!r}: {what} in regular expressions is not supported{hint}")

    def _step(self) -> None:
        rest = self._pattern[self._at :]
        match rest[0]:
            case "\\":
                self._escape(rest[1:2])
            case "[":
                self._class()
            case "(":
                self._open(rest)
            case "#" if self._expanded:
                self._put("", len(rest.partition("\n")[0]))
            case blank if self._expanded and blank.isspace():
                self._put("", 1)
            case character:
                self._put(character, 1)

    def _escape(self, escaped: str) -> None:
        if escaped and escaped in "123456789":
            raise self._refuse("a back reference")
        if escaped in ("m", "M"):
            raise self._refuse(f"the edge of a word \\{escaped}", r"; write \y for either edge")
        if escaped in ("u", "U"):
            digits = self._pattern[self._at + 2 : self._at + (6 if escaped == "u" else 10)]
            self._put(rf"\x{{{digits}}}", 2 + len(digits))
        elif escaped in ("w", "W"):
            self._put(f"[{'^' if escaped == 'W' else ''}{_WORD}]", 2)
        else:
            self._put(_ESCAPES.get(escaped, f"\\{escaped}"), 2)

    def _open(self, rest: str) -> None:
        if rest.startswith(_AROUND):
            raise self._refuse(f"looking {'behind' if rest[2] == '<' else 'ahead'}")
        name = re.match(r"\(\?P?<\w+>", rest)
        if rest.startswith("(?") and name is None:
            self._put("(?", 2)
            return
        self.groups += 1
        self._put("(", len(name[0]) if name else 1, f"(?P<g{self.groups}>")

    def _class(self) -> None:
        start = self._at
        opening = re.match(r"\[\^?\]?", self._pattern[start:])
        assert opening is not None
        self._put(opening[0], opening.end())
        while self._at < len(self._pattern):
            rest = self._pattern[self._at :]
            if rest[0] == "]":
                self._put("]", 1)
                return
            if rest.startswith(("[.", "[=")):
                raise self._refuse("a collating element")
            if found := re.match(r"\[:(\w+):\]", rest):
                self._put(_CLASSES.get(found[1], found[0]), found.end())
            elif rest.startswith(r"\w"):
                self._put(_WORD, 2)
            elif rest.startswith("\\"):
                self._put(rest[:2], 2)
            else:
                self._put(r"\[" if rest[0] == "[" else rest[0], 1)


@lru_cache(maxsize=512)
def rewrite(replacement: str, groups: int) -> str:
    r"""PostgreSQL's replacement as RE2's: ``\1`` is a group (nothing, where there is none), ``\&`` the whole match."""

    def part(found: re.Match[str]) -> str:
        escaped = found[1]
        if escaped == "&":
            return r"\0"
        if escaped in "123456789" and escaped:
            return found[0] if int(escaped) <= groups else ""
        return r"\\" if escaped == "\\" else rf"\\{escaped}"

    return re.sub(r"(?s)\\(.?)", part, replacement)


def like(pattern: str, escape: str) -> str:
    """A pattern of LIKE as a regular expression."""
    parts, literally = [], False
    for character in pattern:
        if literally or character not in ("%", "_", escape):
            parts.append(re.escape(character))
            literally = False
        elif character == escape:
            literally = True
        else:
            parts.append(".*" if character == "%" else ".")
    if literally:
        raise pa.ArrowInvalid("LIKE pattern must not end with escape character")
    return rf"(?s)\A{''.join(parts)}\z"


def similar(pattern: str, escape: str = "\\") -> str:
    """A pattern of SIMILAR TO as a regular expression of PostgreSQL, to be matched from end to end."""
    parts, literally, inside = [], False, False
    for character in pattern:
        if literally:
            parts.append(re.escape(character))
            literally = False
        elif escape and character == escape:
            literally = True
        elif inside:
            parts.append("\\\\" if character == "\\" else character)
            inside = character != "]"
        elif character == "[":
            parts.append(character)
            inside = True
        elif character in "%_":
            parts.append(".*" if character == "%" else ".")
        elif character == "(":
            parts.append("(?:")
        else:
            parts.append(f"\\{character}" if character in "\\.^$" else character)
    if literally:
        raise pa.ArrowInvalid("SIMILAR TO pattern must not end with escape character")
    return f"(?:{''.join(parts)})"


def checked_escape(escape: str) -> str:
    """What follows ESCAPE. Raises pa.ArrowInvalid where it is more than a character."""
    if len(escape) > 1:
        raise pa.ArrowInvalid("an escape string must be empty or one character")
    return escape
