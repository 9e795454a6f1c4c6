"""The dialect: sqlglot's parsers, extended by what streams need. Only its parsers import it.

A parsed node knows where in the text it stands (`offset_of`); every parsing error becomes a `SqlError` with its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from typing import Any, Final, TypeAlias

import attrs
from sqlglot import ErrorLevel, Parser, Tokenizer, TokenType, exp
from sqlglot.dialects import DIALECT_MODULE_NAMES
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ParseError, TokenError

from flow.errors import known
from operators.sql.grammar.errors import SqlError
from operators.sql.grammar.let_pass import chained, counted
from operators.sql.grammar.mistakes import explained, refuse_slips, unclosed
from operators.sql.grammar.nested_parser import (
    FILTERS,
    TRANSFORMS,
    WRITTEN_AS,
    nested_functions,
    words_of,
)
from operators.sql.grammar.query_parser import EMIT, UNSUPPORTED_WINDOWS, WINDOWS, QueryParser, is_comma
from operators.sql.grammar.statement_parser import EXPLAIN
from operators.sql.grammar.text_parser import text_functions
from operators.sql.grammar.time_parser import functions_of
from operators.udf import UserFunction

__all__ = [
    "EMIT",
    "EXPLAIN",
    "FILTERS",
    "POSTGRES",
    "TRANSFORMS",
    "UNSUPPORTED_WINDOWS",
    "WINDOWS",
    "WRITTEN_AS",
    "Text",
    "Tree",
    "exp",
    "is_comma",
    "offset_of",
    "parse",
    "render",
]

Tree: TypeAlias = exp.Expr
"""A node of sqlglot's syntax tree."""

POSTGRES: Final = "postgres"


def strict(dialect: type[Dialect]) -> bool:
    """Whether a dialect is the one in which nothing is let pass."""
    return dialect.__name__.lower() == POSTGRES


def offset_of(node: Tree) -> int | None:
    """Where the leftmost token of a node stands in its text; None where the parser kept no place."""
    return min((part.meta["start"] for part in node.walk() if "start" in part.meta), default=None)


def render(node: Tree) -> str:
    """A node as text, for error messages."""
    return node.sql(dialect=POSTGRES)


@attrs.frozen
class Text:
    """SQL text, the errors in it, and the functions of users that it may call, by their names in lower case."""

    text: str
    functions: dict[str, UserFunction] = attrs.field(factory=dict)

    def error(self, message: str, at: Tree | int | None = None, hint: str | None = None) -> SqlError:
        """The error that points at a node or an offset of the text."""
        offset, node = (at, None) if isinstance(at, int) else (None, at)
        while offset is None and node is not None:
            # What has no place of its own stands in something that has.
            offset, node = offset_of(node), node.parent
        return SqlError(message, text=self.text, offset=offset, hint=hint)


def _of_word(parser: Any, token: Any, reads: Callable[[Any, Any], Any]) -> Any:
    """TRUE, FALSE or NULL, with its place."""
    node = reads(parser, token)
    node.meta.setdefault("start", token.start)
    return node


@cache
def _parser_class(dialect: type[Dialect]) -> type[Parser]:
    functions = {**dialect.parser_class.FUNCTIONS, "EVERY": exp.LogicalAnd.from_arg_list, **nested_functions()}
    functions.update(functions_of(dialect), **text_functions(dialect))
    functions = {name: counted(read) for name, read in functions.items()}
    words = {**dialect.parser_class.PRIMARY_PARSERS}
    for token in (TokenType.TRUE, TokenType.FALSE, TokenType.NULL):
        words[token] = partial(_of_word, reads=words[token])
    clauses = {
        token: partial(QueryParser._parse_clause, reads=reads)
        for token, reads in dialect.parser_class.QUERY_MODIFIER_PARSERS.items()
    }
    own = {
        "FUNCTIONS": functions,
        "PRIMARY_PARSERS": words,
        "QUERY_MODIFIER_PARSERS": clauses,
        "STRICT": strict(dialect),
        **words_of(dialect),
    }
    return type(f"Streaming{dialect.__name__}", (QueryParser, dialect.parser_class), own)


@cache
def _tokenizer_class(dialect: type[Dialect]) -> type[Tokenizer]:
    # Else EXPLAIN and others would make one string of all that follows.
    return type(f"Streaming{dialect.__name__}Tokenizer", (dialect.tokenizer_class,), {"COMMANDS": set()})


def _is_dialect(name: str) -> bool:
    # `Dialect.classes` would load all of them, which takes longer than most queries take to be planned.
    return name in DIALECT_MODULE_NAMES or name in Dialect.classes


def _no_dialect(name: str) -> str:
    return f"no SQL dialect {name!r}; {known(name, [each for each in Dialect.classes if each])}"


def speaker_of(dialect: str) -> Dialect:
    """The dialect of a name.

    Raises:
        SqlError: there is none.
    """
    if not _is_dialect(dialect):
        raise SqlError(_no_dialect(dialect))
    speaker = Dialect.get_or_raise(dialect)
    # Subscripts stay as they are written; NestedParser notes from what they count.
    speaker.INDEX_OFFSET = 0
    if strict(type(speaker)):
        speaker.NUMBERS_CAN_BE_UNDERSCORE_SEPARATED = True
    return speaker


def parse(text: Text, dialect: str = POSTGRES) -> list[Tree]:
    """The statements of a text, of which ``SET dialect`` says how those after it are to be read.

    Raises:
        SqlError: the text is not well formed, or sqlglot has no such dialect.
    """
    trees: list[Tree] = []
    begin = 0
    first = dialect
    for end, spoken in _switches(text, dialect):
        trees += _parsed(text, begin, end, dialect, switches=True)
        begin, dialect = end, first if spoken is None else spoken
        if not _is_dialect(dialect):
            raise text.error(_no_dialect(dialect), trees[-1].expressions[0].args["value"])
    return trees + _parsed(text, begin, len(text.text), dialect)


_SWITCH: Final = re.compile(
    r"\b(?:SET\s+(['\"]?)dialect\1\s*(?:=|\bTO\b)\s*(?:'(\w*)'|(\w+))|RESET\s+(['\"]?)(?:dialect|ALL)\4)"
    r"(?:\s|--[^\n]*\n|/\*.*?\*/)*(?:;|\Z)",
    re.IGNORECASE | re.DOTALL,
)


def _switches(text: Text, dialect: str) -> Iterator[tuple[int, str | None]]:
    """Where each statement ends that changes the dialect, and to which; None means the first again."""
    begin, first = 0, dialect
    for found in _SWITCH.finditer(text.text):
        speaker = speaker_of(dialect)
        try:
            # What looks like one may stand in a string or comment: then no such tokens stand at the end.
            tokens = _tokens(speaker, text, begin, found.end())
        except TokenError:
            continue
        starts = [token.start for token in tokens]
        if found.start() not in starts:
            continue
        place = starts.index(found.start())
        if place and tokens[place - 1].token_type != TokenType.SEMICOLON:
            continue
        spoken = found[2] if found[2] is not None else found[3]
        yield found.end(), spoken
        begin, dialect = found.end(), first if spoken is None else spoken


def _tokens(speaker: Dialect, text: Text, begin: int, end: int) -> list[Any]:
    """The tokens of a part of a text, at their places in the whole."""
    blank = re.sub(r"\S", " ", text.text[:begin])
    return _tokenizer_class(type(speaker))(dialect=speaker).tokenize(blank + text.text[begin:end])


def _parsed(text: Text, begin: int, end: int, dialect: str, *, switches: bool = False) -> list[Tree]:
    speaker = speaker_of(dialect)
    tokens: Sequence[Any] = ()
    try:
        tokens = _tokens(speaker, text, begin, end)
        if dialect == POSTGRES:
            # Other dialects let a comma stand at the end of a list.
            refuse_slips(text, tokens)
        trees = _parser_class(type(speaker))(dialect=speaker, error_level=ErrorLevel.IMMEDIATE).parse(tokens, text.text)
    except TokenError as error:
        raise _of_token_error(text, error) from None
    except ParseError as error:
        raise _of_parse_error(text, tokens, error) from None
    except RecursionError:
        raise text.error("the text is nested too deep", 0) from None
    found = [tree for tree in trees if tree is not None and not isinstance(tree, exp.Semicolon)]
    if strict(type(speaker)):
        for tree in found:
            if (chain := chained(tree)) is not None:
                raise text.error(
                    f"syntax error: {render(chain)} compares the result of another comparison",
                    chain,
                    "write a < b AND b < c, or parentheses: (a = b) = c",
                )
    for tree in found[:-1] if switches else found:
        if isinstance(tree, exp.Set) and tree.expressions[0].this.lower() in ("dialect", "all"):
            # What follows has been read in the dialect before.
            raise text.error("the dialect is set by SET dialect = 'name', RESET dialect or RESET ALL, and ;", tree)
    return found


def _of_token_error(text: Text, error: TokenError) -> SqlError:
    if (found := unclosed(text.text)) is not None:
        return text.error(
            f"missing the closing {found[0]}", found[1], "a quote within quotes is written twice: 'it''s'"
        )
    told = re.search(r"(.*) from (\d+):(\d+)", f"{error} {error.__cause__}")
    return text.error(f"syntax error: {told[1]}" if told else "syntax error", int(told[3]) if told else 0)


def _of_parse_error(text: Text, tokens: Sequence[Any], error: ParseError) -> SqlError:
    detail = error.errors[0] if error.errors else {}
    message = str(detail.get("description") or error)
    return explained(text, tokens, message, detail.get("line") or 0, detail.get("col") or 0)
