"""The dialect: sqlglot's parsers, extended by what streams need. The one place where sqlglot is imported.

A parsed node knows where in the text it stands (`offset_of`); every parsing error becomes a `SqlError` with its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any, Final, TypeAlias

import attrs
from sqlglot import ErrorLevel, Parser, TokenType, exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ParseError, TokenError

from flow.errors import known
from operators.sql.errors import SqlError

__all__ = ["POSTGRES", "WINDOWS", "Text", "Tree", "exp", "offset_of", "parse", "render"]

Tree: TypeAlias = exp.Expr
"""A node of sqlglot's syntax tree."""

POSTGRES: Final = "postgres"

WINDOWS: Final = ("TUMBLE", "HOP")
"""Table functions that assign rows to windows."""

UNSUPPORTED_WINDOWS: Final = ("SESSION", "CUMULATE")

EMIT: Final = "emit"
"""Argument of a query's tree: 'FINAL' or 'CHANGES', where the query says it."""


_COMMA: Final = "comma"


def is_comma(join: exp.Join) -> bool:
    """Whether a join is written as a comma, which binds loosest."""
    return _COMMA in join.meta and not join.kind


def offset_of(node: Tree) -> int | None:
    """Where the leftmost token of a node stands in its text; None where the parser kept no place."""
    return min((part.meta["start"] for part in node.walk() if "start" in part.meta), default=None)


def render(node: Tree) -> str:
    """A node as text, for error messages."""
    return node.sql(dialect=POSTGRES)


@attrs.frozen
class Text:
    """SQL text, and the errors in it."""

    text: str

    def error(self, message: str, at: Tree | int | None = None, hint: str | None = None) -> SqlError:
        """The error that points at a node or an offset of the text."""
        offset = at if isinstance(at, int) or at is None else offset_of(at)
        return SqlError(message, text=self.text, offset=offset, hint=hint)


class _Streaming(Parser):
    """What is added to a dialect's parser: window table functions, EMIT, and tables with watermarks and connectors."""

    WRAPPED_TRANSFORM_COLUMN_CONSTRAINT = False

    def _parse_statement(self) -> Any:
        return self._placed(self._curr, super()._parse_statement())

    def _parse_interval(self, *arguments: Any, **options: Any) -> Any:
        return self._placed(self._curr, super()._parse_interval(*arguments, **options))

    def _placed(self, token: Any, node: Any) -> Any:
        """A node that knows where it stands, as sqlglot's own nodes do not all."""
        if node is not None and token:
            node.meta.setdefault("start", token.start)
        return node

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
        this = super()._parse_query_modifiers(this)
        if isinstance(this, exp.Query) and self._at_emit():
            token = self._curr
            this.set(EMIT, self.expression(exp.Var(this=self._next.text.upper()), token=token))
            self._advance(2)
        return this

    def _parse_as_command(self, start: Any) -> Any:
        return self.raise_error(f"{start.text.upper()} is not supported", start)

    def _parse_command(self) -> Any:
        return self.raise_error(f"{self._prev.text.upper()} is not supported", self._prev)

    def _parse_create(self) -> Any:
        start = self._prev
        replace = bool(self._match_pair(TokenType.OR, TokenType.REPLACE))
        temporary = bool(self._match(TokenType.TEMPORARY))
        if not self._match_set((TokenType.TABLE, TokenType.VIEW)):
            self.raise_error("expected CREATE TABLE or CREATE VIEW")
        kind = self._prev.text.upper()
        exists = self._parse_exists(not_=True)
        name = self._parse_table_parts(schema=True)
        columns = self._parse_declarations() if self._curr.text == "(" else None
        options = None
        if kind == "TABLE" and self._match(TokenType.WITH):
            options = exp.Properties(expressions=self._parse_wrapped(lambda: self._parse_csv(self._parse_option)))
        query = self._parse_statement() if self._match(TokenType.ALIAS) else None
        if kind == "VIEW" and query is None:
            self.raise_error("expected AS and a query")
        return self.expression(
            exp.Create(
                this=exp.Schema(this=name, expressions=columns) if columns else name,
                kind=kind,
                replace=replace,
                exists=exists,
                properties=options,
                expression=query,
                refresh=temporary,
            ),
            token=start,
        )

    def _parse_declarations(self) -> list[Any]:
        return self._parse_wrapped(lambda: self._parse_csv(self._parse_declaration))

    def _parse_declaration(self) -> Any:
        if self._curr.text.upper() == "WATERMARK" and self._next.token_type == TokenType.FOR:
            token = self._curr
            self._advance(2)
            column = self._parse_column()
            if not self._match(TokenType.ALIAS):
                self.raise_error("expected AS after WATERMARK FOR column")
            return self.expression(
                exp.WatermarkColumnConstraint(this=column, expression=self._parse_disjunction()), token=token
            )
        if self._curr.text.upper().partition(" ")[0] in ("PRIMARY", "UNIQUE", "FOREIGN", "CONSTRAINT", "CHECK"):
            self.raise_error("constraints are not supported: a stream has columns and a watermark")
        return self._parse_field_def()

    def _parse_option(self) -> Any:
        token = self._curr
        if self._match(TokenType.STRING):
            key = token.text
        else:
            words = [self._parse_id_var(any_token=True)]
            while self._match(TokenType.DOT):
                words.append(self._parse_id_var(any_token=True))
            if words[-1] is None:
                self.raise_error("expected the name of an option")
            key = ".".join(word.name for word in words if word)
        if not self._match(TokenType.EQ):
            self.raise_error(f"expected = after the option {key!r}")
        value = self._parse_unary()
        return self.expression(exp.Property(this=key, value=value), token=token)


@cache
def _parser_class(dialect: type[Dialect]) -> type[Parser]:
    functions = {**dialect.parser_class.FUNCTIONS, "EVERY": exp.LogicalAnd.from_arg_list}
    return type(f"Streaming{dialect.__name__}", (_Streaming, dialect.parser_class), {"FUNCTIONS": functions})


def parse(text: Text, dialect: str = POSTGRES) -> list[Tree]:
    """The statements of a text.

    Raises:
        SqlError: the text is not well formed, or sqlglot has no such dialect.
    """
    if dialect not in Dialect.classes:
        names = [name for name in Dialect.classes if name]
        raise SqlError(f"no SQL dialect {dialect!r}; {known(dialect, names)}")
    speaker = Dialect.get_or_raise(dialect)
    try:
        tokens = speaker.tokenize(text.text)
        trees = _parser_class(type(speaker))(dialect=speaker, error_level=ErrorLevel.IMMEDIATE).parse(tokens, text.text)
    except TokenError as error:
        raise _of_token_error(text, error) from None
    except ParseError as error:
        raise _of_parse_error(text, error) from None
    except RecursionError:
        raise text.error("the text is nested too deep", 0) from None
    return [tree for tree in trees if tree is not None and not isinstance(tree, exp.Semicolon)]


def _of_token_error(text: Text, error: TokenError) -> SqlError:
    found = re.search(r"(.*) from (\d+):(\d+)", f"{error} {error.__cause__}")
    if not found:
        return text.error(str(error.__cause__ or error), 0)
    missing = re.search(r"Missing (\S+)$", found[1])
    return text.error(f"missing the closing {missing[1]}" if missing else found[1], int(found[3]))


_MESSAGES: Final[tuple[tuple[str, Callable[[re.Match[str], str], str]], ...]] = (
    (r"Invalid expression / Unexpected token", lambda found, token: f"unexpected {token}"),
    (r"Expected table name", lambda found, token: f"expected a table after {token}"),
    (r"Expecting (\S+)", lambda found, token: f"expected {found[1]} near {token}"),
    (
        r"Required keyword: '.*' missing for <class '.*\.(\w+)'>",
        lambda found, token: f"incomplete {found[1].upper()} near {token}",
    ),
)


def _of_parse_error(text: Text, error: ParseError) -> SqlError:
    detail = error.errors[0] if error.errors else {}
    token = detail.get("highlight") or ""
    offset = None
    if "line" in detail:
        lines = text.text.splitlines(keepends=True)
        # sqlglot's column is that of the token's last character.
        offset = sum(map(len, lines[: detail["line"] - 1])) + max(detail["col"] - len(token), 0)
    message = str(detail.get("description") or error)
    for pattern, ours in _MESSAGES:
        if found := re.match(pattern, message):
            message = ours(found, repr(token) if token else "the end")
            break
    return text.error(f"syntax error: {message}", offset)
