"""Mistakes in the grammar: where they stand, what they are called, and what to write instead.

Everything here works on the parser's tokens and on what it says; a mistake that can be told from the tokens alone is
refused before the parser sees it, since the parser would let some of them pass.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

import attrs

from operators.sql.grammar.errors import SqlError

_WORDS: Final = (
    "SELECT", "FROM", "WHERE", "GROUP", "ORDER", "BY", "HAVING", "LIMIT", "OFFSET", "FETCH", "JOIN", "LEFT", "RIGHT",
    "FULL", "INNER", "OUTER", "CROSS", "NATURAL", "LATERAL", "UNION", "INTERSECT", "EXCEPT", "DISTINCT", "BETWEEN",
    "PARTITION", "VALUES", "INSERT", "CREATE", "WITH", "USING", "AND", "OR", "NOT", "LIKE", "ILIKE", "NULLS",
    "FIRST", "LAST", "EMIT", "FINAL", "CHANGES", "QUALIFY", "WINDOW", "CASE", "WHEN", "THEN", "ELSE", "END",
    "INTERVAL", "EXISTS", "FILTER", "OVER", "ASC", "DESC", "EXPLAIN", "DESCRIBE", "UNNEST", "ROLLUP", "CUBE",
    "GROUPING", "SETS", "TABLE", "VIEW", "SOURCE", "SINK", "FUNCTION", "PRIMARY", "KEY", "WATERMARK",
)  # fmt: skip
"""Keywords for which a word may have been meant."""

_MEANT: Final = {
    "ASCENDING": "ASC",
    "DESCENDING": "DESC",
    "MINUS": "EXCEPT",
    "ELSEIF": "WHEN",
    "ELSIF": "WHEN",
    "UNIQUE": "DISTINCT",
}
"""Words of other languages, and what they are called here."""

_NEVER_LAST: Final = frozenset({
    "R_PAREN", "R_BRACKET", "R_BRACE", "SEMICOLON", "FROM", "WHERE", "GROUP_BY", "ORDER_BY", "HAVING", "UNION",
    "INTERSECT",
})  # fmt: skip
"""What cannot follow a comma, AS or OVER."""

_SIGNS: Final = {
    "EQ": "=", "NEQ": "<>", "GT": ">", "GTE": ">=", "LT": "<", "LTE": "<=", "ADD": "+", "SUB": "-", "MUL": "*",
    "DIV": "/", "MOD": "%", "POW": "^", "DPIPE": "||", "NEG": "-", "JSONEXTRACT": "->", "JSONEXTRACTSCALAR": "->>",
    "ATTIMEZONE": "AT TIME ZONE", "CASTTOSTRTYPE": "CAST", "IF": "CASE", "ORDER": "ORDER BY", "GROUP": "GROUP BY",
    "GROUPINGSETS": "GROUPING SETS", "EXPLODINGGENERATESERIES": "generate_series()", "SHA2DIGEST": "sha256()",
}  # fmt: skip
"""What the nodes of the parser's tree are written as."""

_CLOSING: Final = {"L_PAREN": "R_PAREN", "L_BRACKET": "R_BRACKET", "L_BRACE": "R_BRACE"}

_JOINS: Final = frozenset({"INNER", "LEFT", "RIGHT", "FULL", "CROSS", "NATURAL", "OUTER", "SEMI", "ANTI"})

_CURLY: Final = "\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb"
"""Quotes of printed text."""


class Located(Protocol):
    """What makes errors about places in a text."""

    @property
    def text(self) -> str:
        """The text."""
        ...

    def error(self, message: str, at: int | None = None, hint: str | None = None) -> SqlError:
        """The error at an offset."""
        ...


def kind(token: Any) -> str:
    """What a token is; empty where there is none."""
    return token.token_type.name if token is not None else ""


def refuse_slips(text: Located, tokens: Sequence[Any]) -> None:
    """Raise for what is a mistake whatever stands around it.

    Raises:
        SqlError: something is missing after a comma, AS or OVER, or the text is a template.
    """
    for token, after in zip(tokens, [*tokens[1:], None], strict=False):
        missing = after is None or kind(after) in _NEVER_LAST
        at = token.start
        match kind(token):
            case "COMMA" if missing:
                raise text.error("syntax error: nothing follows the comma", at, "leave the comma out")
            case "ALIAS" if missing:
                raise text.error("syntax error: nothing follows AS", at, "write expression AS name")
            case "OVER" if missing:
                raise text.error("syntax error: nothing follows OVER", at, "write OVER (PARTITION BY ... ORDER BY ...)")
            case "GROUP_BY" if missing:
                raise text.error("syntax error: nothing follows GROUP BY", at, "name what rows are grouped by")
            case "VAR" | "MATCH_RECOGNIZE" if token.text.upper() == "MATCH_RECOGNIZE" and kind(after) == "L_PAREN":
                raise text.error("MATCH_RECOGNIZE is not supported yet", at)
            case "ASC" | "DESC" if kind(after) in ("ASC", "DESC"):
                raise text.error(f"syntax error: unexpected {after.text!r}", after.start, "ASC or DESC, not both")
            case "FOR" if missing:
                raise text.error("syntax error: nothing follows FOR", at, "write substring(text FROM 1 FOR 2)")
            case "PARTITION_BY" if missing or kind(after) == "ORDER_BY":
                raise text.error("syntax error: nothing follows PARTITION BY", at, "name columns, or leave it out")
            case "IN" if kind(after) == "NUMBER":
                raise text.error("syntax error: IN takes a list in parentheses", at, "write IN (1, 2)")
            case "STRING" if kind(after) == "STRING" and "\n" not in text.text[token.end : after.start]:
                raise text.error(
                    "syntax error: two texts stand side by side",
                    after.start,
                    "write a comma or || between; a quote within quotes is written twice: 'it''s'",
                )
            case "NUMBER" if kind(after) == "VAR" and after.start == token.end + 1:
                written = text.text[token.start : after.end + 1]
                raise text.error(
                    f"syntax error: {written!r} is no number", at, "write 1.5e3; before a name stands a blank"
                )
            case "BLOCK_START":
                raise text.error(
                    f"syntax error: {token.text!r} begins a template", at, "fill templates in before the text is read"
                )
        for character in token.text if kind(token) == "VAR" else "":
            if character in _CURLY:
                raise text.error(
                    f"syntax error: {character!r} is no quote of SQL",
                    at,
                    "write 'text' and \"name\" with straight quotes",
                )


def unclosed(text: str) -> tuple[str, int] | None:
    """A quote or comment that does not end, by what would end it, and where it begins."""
    place = 0
    opening = re.compile(r"[eE]'|'|\"|\$(?:[A-Za-z_]\w*)?\$|--|/\*")
    while (found := opening.search(text, place)) is not None:
        start, sign = found.span()[0], found[0]
        match sign:
            case "--":
                end = text.find("\n", start)
                place = end + 1 if end >= 0 else len(text)
                continue
            case "/*":
                closing, pattern = "*/", re.compile(r"\*/")
            case "e'" | "E'":
                closing, pattern = "'", re.compile(r"(?<!\\)(?:\\\\)*'(?!')")
            case _:
                closing = sign
                pattern = re.compile(re.escape(sign) if sign[0] == "$" else rf"{sign}(?!{sign})")
        if sign in ("'", '"') and text.startswith(sign, start + 1) and not text.startswith(sign, start + 2):
            place = start + 2
            continue
        inside = re.compile(rf"(?:[^{sign}]|{sign}{sign})*{sign}") if sign in ("'", '"') else pattern
        ended = inside.match(text, start + 1) if sign in ("'", '"') else inside.search(text, found.end())
        if ended is None:
            return closing, start
        place = ended.end()
    return None


@attrs.frozen
class Mistake:
    """A parser's error, and the tokens around it."""

    text: Located
    tokens: Sequence[Any]
    at: int

    @property
    def token(self) -> Any:
        """Where the parser stopped."""
        return self.tokens[self.at]

    def before(self, number: int = 1) -> Any:
        """A token before it; None where there is none."""
        return self.tokens[self.at - number] if self.at >= number else None

    def shown(self) -> str:
        """The token as it is written."""
        return repr(self.text.text[self.token.start : self.token.end + 1])

    def error(self, message: str, hint: str | None = None, at: Any = None) -> SqlError:
        """The error at a token."""
        return self.text.error(f"syntax error: {message}", (at or self.token).start, hint)

    def misspelled(self) -> SqlError | None:
        """The error of a keyword that is written wrong, at one of the last words, or at the first of the statement."""
        first = next(
            (place + 1 for place in range(self.at, -1, -1) if kind(self.tokens[place]) == "SEMICOLON"),
            0,
        )
        places = [self.at - 1, self.at, self.at - 2, self.at - 3, first]
        for place in dict.fromkeys(place for place in places if first <= place <= self.at):
            token = self.tokens[place]
            word = token.text.upper()
            if kind(token) not in ("VAR", "NULLS", "UNIQUE") or word in _WORDS:
                continue
            near = [_MEANT[word]] if word in _MEANT else difflib.get_close_matches(word, _WORDS, n=1, cutoff=0.72)
            if near and word not in (f"{near[0]}S", f"{near[0]}ED"):
                return self.error(
                    f"unexpected {self.text.text[token.start : token.end + 1]!r}; did you mean {near[0]}?", at=token
                )
        return None

    def opened(self, kinds: Sequence[str] = ("L_PAREN", "L_BRACKET", "L_BRACE")) -> Any:
        """The last parenthesis that is still open here."""
        open_ones: list[Any] = []
        for token in self.tokens[: self.at + 1]:
            if kind(token) in _CLOSING:
                open_ones.append(token)
            elif kind(token) in _CLOSING.values() and open_ones and token is not self.token:
                open_ones.pop()
        return next((token for token in reversed(open_ones) if kind(token) in kinds), None)

    def called(self) -> tuple[Any, str]:
        """The function in whose arguments the token stands."""
        depth = 0
        for place in range(self.at, 0, -1):
            depth += {"R_PAREN": 1, "L_PAREN": -1}.get(kind(self.tokens[place]), 0)
            if depth == 0 and kind(self.tokens[place]) == "L_PAREN":
                break
            if depth < 0:
                break
        name = self.tokens[max(place - 1, 0)]
        return name, name.text.lower()


def _wrong_sign(mistake: Mistake) -> SqlError | None:
    """The error of a character that is no sign of SQL's."""
    token, source = mistake.token, mistake.text.text
    if source.startswith("=>", token.start):
        return mistake.error("unexpected '=>'", "greater or equal is written >=")
    if source[token.start] in "≥≤≠":
        sign = {"≥": ">=", "≤": "<=", "≠": "<>"}[source[token.start]]
        return mistake.error(f"unexpected {source[token.start]!r}", f"write {sign}")
    if source[token.start] in _CURLY:
        return mistake.error(f"{source[token.start]!r} is no quote of SQL", "write 'text' with straight quotes")
    if source[token.start] == "!":
        return mistake.error("unexpected '!'", "write <> for different, and NOT for the opposite of a condition")
    if "`" in (source[token.start], source[max(token.start - 1, 0)]):
        return mistake.error(
            "unexpected '`'",
            "names are quoted by \"double quotes\"; dialect='mysql' reads others",
            mistake.before() if source[token.start] != "`" else None,
        )
    return None


def unexpected(mistake: Mistake) -> SqlError:
    """The error of a token that cannot stand where it does."""
    token, before = mistake.token, mistake.before()
    word, last = token.text.upper(), before.text.upper() if before is not None else ""
    shown = mistake.shown()
    if (sign := _wrong_sign(mistake)) is not None:
        return sign
    if kind(token) == "R_PAREN" and mistake.opened() is None:
        return mistake.error("unexpected ')': no parenthesis is open here", "leave it out, or open one before")
    if "EMIT" in (word, last):
        return mistake.error(f"unexpected {shown}", "write EMIT FINAL or EMIT CHANGES at the end")
    if last in ("GROUP", "ORDER", "PARTITION"):
        return mistake.error(f"expected BY after {last} near {shown}", f"write {last} BY", before)
    if last == "TOP":
        return mistake.error(f"unexpected {shown}", "write LIMIT 10 at the end of the query, for example", before)
    if (found := mistake.misspelled()) is not None:
        return found
    if kind(token) == "SELECT":
        return mistake.error("unexpected 'SELECT'", "a query in a query stands in parentheses: (SELECT ...)")
    if word in _JOINS:
        return mistake.error(f"unexpected {shown}", f"write {'INNER' if word == 'OUTER' else word} JOIN table")
    if last in ("IN", "ALL", "ANY", "EXISTS") or (
        mistake.before(3) is not None and mistake.before(3).text.upper() == "IN"
    ):
        return mistake.error(f"unexpected {shown}", "IN, ANY, ALL and EXISTS take what follows in parentheses")
    if last == "VALUES":
        return mistake.error(f"unexpected {shown}", "each row stands in parentheses: VALUES (1, 'a'), (2, 'b')")
    if kind(before) in ("VAR", "STRING", "NUMBER", "R_PAREN") and kind(token) in (
        "VAR",
        "STRING",
        "NUMBER",
        "IDENTIFIER",
    ):
        return mistake.error(f"unexpected {shown}", "a comma, an operator or a keyword may be missing before it")
    if word in _WORDS:
        return mistake.error(f"unexpected {shown}", f"{word} cannot stand here; something may be missing before it")
    return mistake.error(f"unexpected {shown}", "leave it out, or see what is missing before it")


def incomplete(mistake: Mistake, node: str) -> SqlError:
    """The error of something of which a part is missing."""
    name = _SIGNS.get(node.upper(), node.upper())
    near = mistake.shown()
    here, last, before = mistake.token.text, mistake.before(), mistake.before(2)
    if here == "<" and last is not None and last.text == "=":
        last, before = mistake.token, last
    if last is not None and before is not None and (before.text, last.text) == ("=", "<"):
        return mistake.error("unexpected '=<'", "less or equal is written <=", before)
    if (
        kind(mistake.token) == "R_PAREN"
        and kind(last) == "L_PAREN"
        and (call := mistake.called())[1] != "grouping"
        and (call[1].isidentifier() and call[1].upper() not in ("SETS", "WHERE"))
    ):
        return mistake.error(
            f"{call[1]}() lacks an argument near {near}", f"write {call[1]}(...) of a column, for example", call[0]
        )
    hints = {
        "CAST": "write CAST(value AS type)",
        "CASE": "write CASE WHEN condition THEN value ELSE value END",
        "BETWEEN": "write BETWEEN low AND high",
        "UNION": "write SELECT ... UNION [ALL] SELECT ...",
        "INTERSECT": "write SELECT ... INTERSECT [ALL] SELECT ...",
        "EXCEPT": "write SELECT ... EXCEPT [ALL] SELECT ...",
        "GROUPING SETS": "write GROUPING SETS ((a, b), (a), ())",
    }
    hint = hints.get(name, f"something is missing before or after {name}")
    return mistake.error(f"incomplete {name} near {near}", hint)


def missing(mistake: Mistake, wanted: str) -> SqlError:
    """The error of a sign or word that should stand here."""
    near = mistake.shown()
    if wanted == "table name":
        return mistake.error(f"expected a table after {near}", "write FROM table, or JOIN table ON condition")
    if wanted in ")]}":
        if (found := mistake.misspelled()) is not None:
            return found
        opened = mistake.opened(
            [
                name
                for name, closing in _CLOSING.items()
                if wanted == {"R_PAREN": ")", "R_BRACKET": "]", "R_BRACE": "}"}[closing]
            ]
        )
        if opened is not None:
            line = mistake.text.text.count("\n", 0, opened.start) + 1
            column = opened.start - mistake.text.text.rfind("\n", 0, opened.start)
            return mistake.error(f"expected {wanted} near {near}", f"it closes what line {line}, column {column} opens")
    if wanted == "END after CASE":
        return mistake.error(f"incomplete CASE near {near}", "write CASE WHEN condition THEN value ELSE value END")
    return mistake.error(f"expected {wanted} near {near}", f"write {wanted} there")


def too_many(mistake: Mistake, given: str, most: str) -> SqlError:
    """The error of a call with too many arguments."""
    name, called = mistake.called()
    some = "argument" if most == "1" else "arguments"
    return mistake.error(
        f"{called}() takes {most} {some}, not {given}", f"leave out what follows argument {most}", name
    )


def without_parameters(mistake: Mistake, name: str) -> SqlError:
    """The error of a type with parameters that it does not take."""
    return mistake.error(f"{name} takes no parameters", f"write {name}")


def _query_missing(mistake: Mistake) -> SqlError:
    return mistake.error("no query follows WITH", "write WITH name AS (SELECT ...) SELECT ... FROM name")


_MISTAKES: Final[tuple[tuple[str, Callable[..., SqlError]], ...]] = (
    (r"Invalid expression / Unexpected token", unexpected),
    (r"Required keyword: '.*' missing for <class '.*\.(\w+)'>", incomplete),
    (r"Expected (table name)", missing),
    (r"Expecting (\S+)", missing),
    (r"Expected ([\]})])", missing),
    (r"Expected (END after CASE)", missing),
    (r"The number of provided arguments \((\d+)\) is greater than .*\((\d+)\)", too_many),
    (r"(.*) takes no parameters", without_parameters),
    (r"Failed to parse any statement following CTE", _query_missing),
)


def explained(text: Located, tokens: Sequence[Any], message: str, line: int, column: int) -> SqlError:
    """What a parser's message about the token that ends in a line and column means."""
    at = next((place for place, token in enumerate(tokens) if (token.line, token.col) == (line, column)), None)
    if at is None:
        return text.error(f"syntax error: {message}", 0)
    mistake = Mistake(text, tokens, at)
    for pattern, made in _MISTAKES:
        if (found := re.match(pattern, message)) is not None:
            return made(mistake, *found.groups())
    if (twice := re.match(r"Found multiple '(.*)' clauses", message)) is not None:
        return mistake.error(
            f"{twice[1]} is written twice", "join conditions by AND, and list keys with commas between"
        )
    if message == "Expected AS after CAST":
        return mistake.error("incomplete CAST", "write CAST(value AS type)")
    if message == "Expected type":
        return mistake.error("expected a type", "write value::TEXT, for example")
    if message == "Expected CTE to have alias":
        return mistake.error(f"expected a common table near {mistake.shown()}", "write WITH name AS (SELECT ...)")
    if message.endswith(" is not supported yet"):
        return text.error(message, mistake.token.start)
    return mistake.error(message)
