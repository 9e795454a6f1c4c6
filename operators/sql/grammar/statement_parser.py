"""The grammar of statements other than queries: what sqlglot's parsers are given for tables, sinks, settings and SHOW.

Each statement becomes a node of sqlglot's own kinds, whatever the dialect that its queries are written in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sqlglot import Parser, TokenType, exp

EXPLAIN: Final = "EXPLAIN"
"""The kind of a `Describe` that is an EXPLAIN; its style is LOGICAL or PHYSICAL."""

_CREATED: Final = ("TABLE", "SOURCE", "SINK", "VIEW", "MATERIALIZED VIEW", "FUNCTION")
_LEVELS: Final = ("LOGICAL", "PHYSICAL")
_QUOTED: Final = (TokenType.STRING, TokenType.IDENTIFIER)


class StatementParser(Parser):
    """CREATE TABLE | SOURCE | SINK | VIEW, SET, RESET, SHOW, DESCRIBE, EXPLAIN and DROP, alike in all dialects."""

    WRAPPED_TRANSFORM_COLUMN_CONSTRAINT = False

    def _parse_statement(self) -> Any:
        start = self._curr
        own: dict[str, Callable[[], Any]] = {
            "SET": self._parse_setting,
            "RESET": self._parse_reset,
            "SHOW": self._parse_listing,
            "DESCRIBE": self._parse_description,
            "DESC": self._parse_description,
            EXPLAIN: self._parse_explanation,
            "DROP": self._parse_dropping,
        }
        if start and start.token_type not in _QUOTED and (reads := own.get(start.text.upper())):
            self._advance()
            return self._placed(start, reads())
        return self._placed(start, super()._parse_statement())

    def _placed(self, token: Any, node: Any) -> Any:
        """A node that knows where it stands, as sqlglot's own nodes do not all."""
        if node is not None and token:
            node.meta.setdefault("start", token.start)
        return node

    def _is_word(self, *words: str) -> bool:
        """Whether the next token is one of these words, which is then passed."""
        if self._curr.token_type in _QUOTED or self._curr.text.upper() not in words:
            return False
        self._advance()
        return True

    def _parse_setting(self) -> Any:
        name, token = self._parse_dotted("a setting")
        if not self._match(TokenType.EQ) and not self._is_word("TO"):
            self.raise_error(f"expected = after SET {name}")
        value: Any
        if self._curr.token_type in (TokenType.STRING, TokenType.NUMBER, TokenType.DASH):
            value = self._parse_unary()
        else:
            value = self._parse_var(any_token=True)
        if value is None:
            self.raise_error(f"expected a value after SET {name} =")
        return exp.Set(expressions=[self.expression(exp.Property(this=name, value=value), token=token)], unset=False)

    def _parse_reset(self) -> Any:
        name, token = self._parse_dotted("a setting, or ALL,")
        return exp.Set(
            expressions=[self.expression(exp.Property(this=name, value=exp.Null()), token=token)], unset=True
        )

    def _parse_listing(self) -> Any:
        self._is_word("FULL")
        token = self._curr
        name: Any = self._parse_var(any_token=True)
        if name is None:
            self.raise_error("expected what to show: SHOW TABLES, for example")
        if self._curr:
            self.raise_error("SHOW takes one word; DESCRIBE tells the columns of a table", self._curr)
        return self._placed(token, exp.Show(this=name.name.upper()))

    def _parse_description(self) -> Any:
        return exp.Describe(this=self._parse_query_or_name())

    def _parse_explanation(self) -> Any:
        if self._is_word("ANALYZE", "ANALYSE", "VERBOSE"):
            self.raise_error("EXPLAIN runs nothing: run the query, whose report says where time went", self._prev)
        style = self._curr.text.upper() if self._curr.text.upper() in _LEVELS else _LEVELS[0]
        self._is_word(*_LEVELS)
        if self._curr.text.upper() == "PLAN" and self._next.text.upper() == "FOR":
            self._advance(2)
        token = self._curr
        explained = self._placed(token, super()._parse_statement())
        if not isinstance(explained, exp.Query | exp.Values | exp.Insert):
            self.raise_error("expected a query or an INSERT after EXPLAIN [LOGICAL | PHYSICAL]", token)
        return exp.Describe(this=explained, kind=EXPLAIN, style=style)

    def _parse_query_or_name(self) -> Any:
        token = self._curr
        if token.text.upper() in ("SELECT", "WITH", "VALUES", "FROM", "("):
            return self._placed(token, super()._parse_statement())
        self._is_word("TABLE", "SOURCE", "SINK", "VIEW")
        return self._parse_table_parts(schema=True)

    def _parse_dropping(self) -> Any:
        kind = self._parse_kind("DROP")
        exists = self._parse_exists()
        name = self._parse_table_parts(schema=True)
        if self._is_word("CASCADE", "RESTRICT"):
            self.raise_error("DROP takes neither CASCADE nor RESTRICT here", self._prev)
        return exp.Drop(this=name, kind=kind, exists=exists)

    def _parse_kind(self, verb: str) -> str:
        materialized = self._is_word("MATERIALIZED")
        kind = ("MATERIALIZED " if materialized else "") + self._curr.text.upper()
        if kind not in _CREATED:
            self.raise_error(
                f"expected {', '.join(f'{verb} {each}' for each in _CREATED[:-1])} or {verb} {_CREATED[-1]}"
            )
        self._advance()
        return kind

    def _parse_function_declaration(self, start: Any, replace: bool) -> Any:
        """``[AGGREGATE] FUNCTION name[(argument type, ...)] [RETURNS type] LANGUAGE word AS 'module:name' [WITH]``.

        A table function RETURNS TABLE (name type, ...).
        """
        aggregate = self._is_word("AGGREGATE")
        if not self._is_word("FUNCTION"):
            self.raise_error("expected CREATE AGGREGATE FUNCTION")
        exists = self._parse_exists(not_=True)
        name = self._parse_table_parts(schema=True)
        arguments = self._parse_wrapped_csv(self._parse_field_def) if self._curr.text == "(" else None
        parts: list[Any] = [exp.Property(this="kind", value=exp.Literal.string("aggregate"))] if aggregate else []
        body = None
        while self._curr and self._curr.token_type != TokenType.SEMICOLON:
            token = self._curr
            if self._is_word("RETURNS"):
                table = self._is_word("TABLE")
                returned: Any = self._parse_types() if not table else None
                if table:
                    returned = exp.Schema(expressions=self._parse_wrapped_csv(self._parse_field_def))
                parts.append(self._placed(token, exp.ReturnsProperty(this=returned, is_table=table)))
            elif self._is_word("LANGUAGE"):
                parts.append(self._placed(token, exp.LanguageProperty(this=self._parse_var(any_token=True))))
            elif self._match(TokenType.ALIAS):
                body = self._parse_string()
            elif self._match(TokenType.WITH):
                parts += self._parse_wrapped(lambda: self._parse_csv(self._parse_option))
            else:
                self.raise_error("expected RETURNS type, LANGUAGE PYTHON, AS 'module:name' or WITH (...)")
        return self.expression(
            exp.Create(
                this=name if arguments is None else exp.UserDefinedFunction(this=name, expressions=arguments),
                kind="FUNCTION",
                replace=replace,
                exists=exists,
                properties=exp.Properties(expressions=parts),
                expression=body,
            ),
            token=start,
        )

    def _parse_create(self) -> Any:
        start = self._prev
        replace = bool(self._match_pair(TokenType.OR, TokenType.REPLACE))
        temporary = bool(self._match(TokenType.TEMPORARY))
        if self._curr.text.upper() in ("FUNCTION", "AGGREGATE"):
            return self._parse_function_declaration(start, replace)
        kind = self._parse_kind("CREATE")
        exists = self._parse_exists(not_=True)
        name = self._parse_table_parts(schema=True)
        columns = self._parse_declarations() if self._curr.text == "(" else None
        options = None
        if not kind.endswith("VIEW") and self._match(TokenType.WITH):
            options = exp.Properties(expressions=self._parse_wrapped(lambda: self._parse_csv(self._parse_option)))
        query = self._parse_statement() if self._match(TokenType.ALIAS) else None
        if kind.endswith("VIEW") and query is None:
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
        token = self._curr
        if token.text.upper() == "WATERMARK" and self._next.token_type == TokenType.FOR:
            self._advance(2)
            column = self._parse_column()
            if not self._match(TokenType.ALIAS):
                self.raise_error("expected AS after WATERMARK FOR column")
            return self.expression(
                exp.WatermarkColumnConstraint(this=column, expression=self._parse_disjunction()), token=token
            )
        if token.token_type not in _QUOTED and token.text.upper() == "CONSTRAINT":
            self._advance()
            self._parse_id_var()
        word = self._curr.text.upper().partition(" ")[0]
        if self._curr.token_type in _QUOTED or word not in ("PRIMARY", "UNIQUE", "FOREIGN", "CHECK"):
            return self._parse_field_def()
        if word == "PRIMARY":
            self._is_word("PRIMARY KEY") or (self._is_word("PRIMARY") and self._is_word("KEY"))
            names = self._parse_wrapped_csv(self._parse_id_var)
            self._parse_enforced()
            return self._placed(token, exp.PrimaryKey(expressions=names))
        if word == "CHECK":
            self._advance()
            condition = self._parse_wrapped(self._parse_disjunction)
            self._parse_enforced()
            return self._placed(token, exp.CheckColumnConstraint(this=condition))
        self.raise_error(f"{word} is not supported: nothing would check it", token)
        return None

    def _parse_enforced(self) -> None:
        """Pass [NOT] ENFORCED, which says nothing new: a key is a promise, a check is made."""
        if self._curr.text.upper() == "NOT" and self._next.text.upper() == "ENFORCED":
            self._advance(2)
        else:
            self._is_word("ENFORCED")

    def _parse_option(self) -> Any:
        key, token = self._parse_dotted("an option")
        if not self._match(TokenType.EQ):
            self.raise_error(f"expected = after the option {key!r}")
        value = self._parse_unary()
        return self.expression(exp.Property(this=key, value=value), token=token)

    def _parse_dotted(self, what: str) -> tuple[str, Any]:
        """A name that may have dots in it, or stand in quotes, and its first token."""
        token = self._curr
        if self._match(TokenType.STRING):
            return token.text, token
        words: list[Any] = [self._parse_id_var(any_token=True)]
        while self._match(TokenType.DOT):
            words.append(self._parse_id_var(any_token=True))
        if words[-1] is None:
            self.raise_error(f"expected the name of {what}")
        return ".".join(word.name for word in words if word), token
