"""The grammar of nested values: maps, list comprehensions, functions of elements, and JSON's arrow among arguments.

In arguments sqlglot takes every ``name -> ...`` for a function; here it is one only where a function is wanted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sqlglot import Parser, TokenType, exp
from sqlglot.dialects.dialect import Dialect

TRANSFORMS: Final = frozenset({"list_transform", "list_apply", "array_transform", "array_apply", "apply", "transform"})
_WHOLE: Final = (exp.Anonymous, exp.Column, exp.Paren, exp.Neg, exp.Interval)
"""What stands right of an arrow as it is; of other nodes, their leftmost part does."""

FILTERS: Final = frozenset({"list_filter", "array_filter", "filter"})


class NestedParser(Parser):
    """Reads nested values alike in all dialects."""

    def _parse_function(self, *arguments: Any, **options: Any) -> Any:
        node = super()._parse_function(*arguments, **options)
        if node is not None:
            for function in list(node.find_all(exp.Lambda)):
                if _name(function.parent) not in TRANSFORMS | FILTERS and len(function.expressions) == 1:
                    function.replace(_arrow(function))
        return node

    def _parse_map(self) -> Any:
        if self._match(TokenType.L_BRACE, advance=False):
            holder = exp.Paren(this=self._parse_bracket())
            node: Any = holder
            while isinstance(node.this, exp.Bracket):
                node = node.this
            node.set("this", self.expression(exp.ToMap(this=node.this)))
            return holder.this
        keys, values = (*self._parse_wrapped_csv(self._parse_disjunction, optional=False), None, None)[:2]
        return self.expression(exp.Map(keys=keys, values=values))

    def _parse_bracket(self, *arguments: Any, **options: Any) -> Any:
        node = super()._parse_bracket(*arguments, **options)
        if isinstance(node, exp.Array) and [type(each) for each in node.expressions] == [exp.Comprehension]:
            return _comprehended(node.expressions[0])
        return node


def nested_functions() -> dict[str, Callable[[list[Any]], Any]]:
    """Aggregates that a dialect's parser does not know for such."""

    def listed(arguments: list[Any]) -> Any:
        return exp.JSONArrayAgg(this=arguments[0] if arguments else None)

    def paired(arguments: list[Any]) -> Any:
        return (
            exp.JSONBObjectAgg(this=arguments[0], expression=arguments[1]) if len(arguments) == 2 else _odd(arguments)
        )

    def _odd(arguments: list[Any]) -> Any:
        return exp.JSONObjectAgg(expressions=arguments)

    lists = dict.fromkeys(("JSON_AGG", "JSONB_AGG", "JSON_GROUP_ARRAY"), listed)
    return {**lists, **dict.fromkeys(("JSON_OBJECT_AGG", "JSONB_OBJECT_AGG", "JSON_GROUP_OBJECT"), paired)}


def words_of(dialect: type[Dialect]) -> dict[str, Any]:
    """What else a parser class of a dialect has of its own."""
    parser = dialect.parser_class
    without = {name: reads for name, reads in parser.FUNCTION_PARSERS.items() if name not in ("JSON_AGG",)}
    words = {**parser.NO_PAREN_FUNCTION_PARSERS, "MAP": lambda self: self._parse_map()}
    return {
        "FUNCTION_PARSERS": without,
        "NO_PAREN_FUNCTION_PARSERS": words,
        "MAP_KEYS_ARE_ARBITRARY_EXPRESSIONS": True,
    }


def _name(node: Any) -> str:
    match node:
        case exp.Transform():
            return "list_transform"
        case exp.ArrayFilter():
            return "list_filter"
        case exp.Anonymous():
            return str(node.this).lower()
    return ""


def _arrow(function: exp.Lambda) -> exp.Expr:
    """``document -> first operand ...``, as opposed to a function of a parameter called document."""
    (name,) = function.expressions
    document = name if isinstance(name, exp.Expr) and not isinstance(name, exp.Identifier) else exp.Column(this=name)
    holder = exp.Paren(this=function.this)
    leaf = holder.this
    while isinstance(leaf.this, exp.Expr) and not isinstance(leaf, _WHOLE):
        leaf = leaf.this
    key: exp.Expr = leaf.copy()
    if isinstance(leaf, exp.Literal):
        step = exp.JSONPathKey(this=leaf.this) if leaf.is_string else exp.JSONPathSubscript(this=int(leaf.this))
        key = exp.JSONPath(expressions=[exp.JSONPathRoot(), step])
    leaf.replace(exp.JSONExtract(this=document, expression=key))
    made: exp.Expr = holder.this
    return made


def _comprehended(node: Any) -> exp.Expr:
    """``[f(x) for x in list if condition]``."""
    name = node.expression
    source = node.args["iterator"]
    if node.args.get("position") is not None:
        return exp.Array(expressions=[node])
    if (condition := node.args.get("condition")) is not None:
        source = exp.Anonymous(this="list_filter", expressions=[source, _function(name, condition)])
    return exp.Anonymous(this="list_transform", expressions=[source, _function(name, node.this)])


def _function(name: exp.Identifier, body: exp.Expr) -> exp.Lambda:
    holder = exp.Paren(this=body)
    for column in list(holder.find_all(exp.Column)):
        if column.name == name.name and not column.table:
            column.replace(column.this)
        elif column.table == name.name:
            column.replace(exp.Dot(this=column.args["table"], expression=column.this))
    return exp.Lambda(this=holder.this, expressions=[name.copy()])
