"""The grammar of queries: what is added to a dialect's parser for window table functions, EMIT and sets of groups.

What sqlglot reads in any order is refused here where it is not in SQL's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlglot import TokenType, exp

from operators.sql.grammar.let_pass import WITHOUT_PARAMETERS, surplus
from operators.sql.grammar.nested_parser import NestedParser
from operators.sql.grammar.statement_parser import StatementParser
from operators.sql.grammar.time_parser import TimeParser

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

_DEEPER: Final = {
    TokenType.L_PAREN: 1,
    TokenType.L_BRACKET: 1,
    TokenType.L_BRACE: 1,
    TokenType.R_PAREN: -1,
    TokenType.R_BRACKET: -1,
    TokenType.R_BRACE: -1,
}

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


class QueryParser(StatementParser, TimeParser, NestedParser):
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
            depth += _DEEPER.get(token.token_type, 0)
            if not depth or (depth == 1 and token.token_type == TokenType.ORDER_BY):
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
