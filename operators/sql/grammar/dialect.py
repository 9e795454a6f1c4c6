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
from operators.sql.grammar.let_pass import WITHOUT_PARAMETERS, chained, counted, surplus
from operators.sql.grammar.mistakes import explained, refuse_slips, unclosed
from operators.sql.grammar.nested_parser import (
    FILTERS,
    TRANSFORMS,
    WRITTEN_AS,
    NestedParser,
    nested_functions,
    words_of,
)
from operators.sql.grammar.statement_parser import EXPLAIN, StatementParser
from operators.sql.grammar.text_parser import text_functions
from operators.sql.grammar.time_parser import TimeParser, functions_of
from operators.udf import UserFunction

__all__ = [
    "EXPLAIN",
    "FILTERS",
    "POSTGRES",
    "TRANSFORMS",
    "WINDOWS",
    "WRITTEN_AS",
    "Text",
    "Tree",
    "exp",
    "offset_of",
    "parse",
    "render",
]

Tree: TypeAlias = exp.Expr
"""A node of sqlglot's syntax tree."""

POSTGRES: Final = "postgres"

WINDOWS: Final = ("TUMBLE", "HOP")
"""Table functions that assign rows to windows."""

UNSUPPORTED_WINDOWS: Final = ("SESSION", "CUMULATE")

_ORDER: Final = {
    TokenType.WHERE: 1,
    TokenType.GROUP_BY: 2,
    TokenType.HAVING: 3,
    TokenType.ORDER_BY: 5,
    TokenType.LIMIT: 6,
}
"""Clauses in their order; QUALIFY and WINDOW stand in different places in different dialects."""

_REFUSED: Final = {
    TokenType.SORT_BY: "SORT BY",
    TokenType.CLUSTER_BY: "CLUSTER BY",
    TokenType.DISTRIBUTE_BY: "DISTRIBUTE BY",
    TokenType.CONNECT_BY: "CONNECT BY",
    TokenType.PREWHERE: "PREWHERE",
    TokenType.MATCH_RECOGNIZE: "MATCH_RECOGNIZE",
}

EMIT: Final = "emit"
"""Argument of a query's tree: 'FINAL' or 'CHANGES', where the query says it."""


_COMMA: Final = "comma"


def is_comma(join: exp.Join) -> bool:
    """Whether a join is written as a comma, which binds loosest."""
    return _COMMA in join.meta and not join.kind


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


class _Streaming(StatementParser, TimeParser, NestedParser):
    """What is added to a dialect's parser for queries: window table functions, EMIT, sets of groups."""

    STRICT = False
    """Whether what PostgreSQL does not read is refused, though other dialects do."""

    _clauses: Sequence[TokenType] = ()
    """Those of the query that is being read, as far as their order is fixed."""

    def validate_expression(self, expression: Any, args: Any = None) -> Any:
        """What sqlglot checks, and that no argument was passed over."""
        if args and (taken := surplus(expression)) is not None:
            self.raise_error(
                f"The number of provided arguments ({len(args)}) is greater than the supported number ({taken})"
            )
        return super().validate_expression(expression, args)

    def _parse_clause(self, reads: Callable[[Any], Any]) -> Any:
        token = self._curr
        if (name := _REFUSED.get(token.token_type)) is not None:
            self.raise_error(f"{name} is not supported yet", token)
        place = _ORDER.get(token.token_type)
        if place is not None:
            for other in self._clauses:
                if _ORDER[other] > place:
                    before = other.name.replace("_", " ")
                    self.raise_error(f"{token.text.upper()} stands before {before}, not behind it", token)
            self._clauses = [*self._clauses, token.token_type]
        return reads(self)

    def _parse_interval(self, *arguments: Any, **options: Any) -> Any:
        return self._placed(self._curr, super()._parse_interval(*arguments, **options))

    def _parse_function(self, *arguments: Any, **options: Any) -> Any:
        return self._placed(self._curr, super()._parse_function(*arguments, **options))

    def _parse_types(self, *arguments: Any, **options: Any) -> Any:
        token, node = self._curr, super()._parse_types(*arguments, **options)
        if not isinstance(node, exp.DataType):
            return node
        if self.STRICT and node.expressions and node.this in WITHOUT_PARAMETERS:
            self.raise_error(f"{token.text.upper()} takes no parameters", token)
        return self._placed(token, node)

    def _parse_string_agg(self) -> Any:
        depth = arguments = 1
        for token in self._tokens[self._index :]:
            depth += {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1}.get(token.token_type, 0)
            if not depth or token.token_type == TokenType.ORDER_BY:
                break
            arguments += depth == 1 and token.token_type == TokenType.COMMA
        if arguments > 2:
            self.raise_error(f"The number of provided arguments ({arguments}) is greater than the supported number (2)")
        return super()._parse_string_agg()

    def _parse_using_identifiers(self) -> Any:
        if self.STRICT and self._curr.token_type != TokenType.L_PAREN:
            self.raise_error("USING takes columns in parentheses", self._curr)
        return self._parse_wrapped_csv(self._parse_id_var, optional=True)

    def _parse_placeholder(self) -> Any:
        return self._placed(self._curr, super()._parse_placeholder())

    def _parse_table(self, *arguments: Any, **options: Any) -> Any:
        wrapped = self._curr.text.upper() == "TABLE" and self._next.text == "("
        index = self._index
        if wrapped:
            self._advance(2)
        if self._curr.text.upper() in (*WINDOWS, *UNSUPPORTED_WINDOWS) and self._next.text == "(":
            window = self._parse_window_function()
            if wrapped:
                self._match_r_paren()
            table = self.expression(exp.Table(this=window))
            if alias := self._parse_table_alias():
                table.set("alias", alias)
            for join in self._parse_joins() if options.get("joins") else ():
                table.append("joins", join)
            return table
        self._retreat(index)
        return super()._parse_table(*arguments, **options)

    def _parse_join(self, *arguments: Any, **options: Any) -> Any:
        token = self._curr
        join = self._placed(token, super()._parse_join(*arguments, **options))
        if join is not None and token.token_type == TokenType.COMMA:
            join.meta[_COMMA] = True
        return join

    def _parse_grouping_set(self) -> Any:
        return self._parse_grouping_sets() or self._parse_cube_or_rollup() or self._parse_disjunction()

    def _parse_cube_or_rollup(self, with_prefix: bool = False) -> Any:
        if with_prefix or self._next.token_type != TokenType.L_PAREN:
            return super()._parse_cube_or_rollup(with_prefix)
        for token, kind in ((TokenType.CUBE, exp.Cube), (TokenType.ROLLUP, exp.Rollup)):
            if self._match(token):
                # Conditions too are keys, as opposed to what sqlglot reads.
                return self.expression(kind(expressions=self._parse_wrapped_csv(self._parse_disjunction)))
        return None

    def _parse_window_function(self) -> Any:
        name = self._curr
        self._advance(2)
        arguments = self._parse_csv(self._parse_window_argument)
        self._match_r_paren()
        return self.expression(exp.Anonymous(this=name.text.upper(), expressions=arguments), token=name)

    def _parse_window_argument(self) -> Any:
        name = None
        value: Any
        if self._next.token_type == TokenType.FARROW:
            name = self._parse_id_var(any_token=True)
            self._advance()
        if self._curr.text.upper() == "TABLE":
            self._advance()
            value = self._parse_table_parts()
        elif self._curr.text.upper() == "DESCRIPTOR" and self._next.text == "(":
            self._advance(2)
            value = self._parse_column()
            self._match_r_paren()
        else:
            value = self._parse_select(nested=True) if self._curr.text == "(" else self._parse_disjunction()
        return self.expression(exp.Kwarg(this=name, expression=value)) if name else value

    def _at_emit(self) -> bool:
        return self._curr.text.upper() == EMIT.upper() and self._next.text.upper() in ("FINAL", "CHANGES")

    def _parse_table_alias(self, *arguments: Any, **options: Any) -> Any:
        return None if self._at_emit() else super()._parse_table_alias(*arguments, **options)

    def _parse_alias(self, this: Any, *arguments: Any, **options: Any) -> Any:
        return this if self._at_emit() else super()._parse_alias(this, *arguments, **options)

    def _parse_query_modifiers(self, this: Any) -> Any:
        around, self._clauses = self._clauses, []
        this = super()._parse_query_modifiers(this)
        self._clauses = around
        if isinstance(this, exp.Query) and self._at_emit():
            token = self._curr
            this.set(EMIT, self.expression(exp.Var(this=self._next.text.upper()), token=token))
            self._advance(2)
        return this

    def _parse_as_command(self, start: Any) -> Any:
        return self.raise_error(f"{start.text.upper()} is not supported", start)

    def _parse_command(self) -> Any:
        return self.raise_error(f"{self._prev.text.upper()} is not supported", self._prev)


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
        token: partial(_Streaming._parse_clause, reads=reads)
        for token, reads in dialect.parser_class.QUERY_MODIFIER_PARSERS.items()
    }
    own = {
        "FUNCTIONS": functions,
        "PRIMARY_PARSERS": words,
        "QUERY_MODIFIER_PARSERS": clauses,
        "STRICT": strict(dialect),
        **words_of(dialect),
    }
    return type(f"Streaming{dialect.__name__}", (_Streaming, dialect.parser_class), own)


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
