"""The grammar of nested values: maps, list comprehensions, functions of elements, and JSON's arrow among arguments.

In arguments sqlglot takes every ``name -> ...`` for a function; here it is one only where a function is wanted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sqlglot import Parser, TokenType, exp
from sqlglot.dialects.dialect import Dialect

TRANSFORMS: Final = frozenset({"list_transform", "list_apply", "array_transform", "array_apply", "apply", "transform"})
WRITTEN_AS: Final = "written_as"
"""In the meta data of a node: the name of the function that it was written as."""

_WRONG: Final = "wrong"
"""In the meta data of a node: why it makes no sense."""

_MADE: Final = {
    (exp.JSONArrayAgg, False): "to_json",
    (exp.JSONBObjectAgg, False): "json_object_from_entries",
    (exp.JSONBObjectAgg, True): "map_from_entries",
}

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
        core = node.this if isinstance(node, exp.Filter) else node
        if isinstance(core, exp.JSONObjectAgg):
            self.raise_error(core.meta.get(_WRONG, "JSON_OBJECTAGG: write json_object_agg(name, value)"))
        if isinstance(core, exp.JSONArrayAgg | exp.JSONBObjectAgg) and WRITTEN_AS in core.meta:
            return _of_list(node, core)
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
        subscript = node
        while isinstance(subscript, exp.Bracket):
            if subscript.args.get("offset") is None:
                # What sqlglot would do to indices depends on what it knows of their types.
                subscript.set("offset", type(self.dialect).INDEX_OFFSET)
            subscript = subscript.this
        if isinstance(subscript, exp.Array) and [type(each) for each in subscript.expressions] == [exp.Comprehension]:
            made = _comprehended(subscript.expressions[0])
            if subscript is node:
                return made
            subscript.replace(made)
        return node


def nested_functions() -> dict[str, Callable[[list[Any]], Any]]:
    """Aggregates that not all dialects' parsers know for such."""

    def reading(name: str, pairs: bool) -> Callable[[list[Any]], Any]:
        def read(arguments: list[Any]) -> Any:
            made: exp.Expr
            if len(arguments) != 1 + pairs:
                wanted = "a name and a value" if pairs else "one argument"
                made = exp.JSONObjectAgg(expressions=arguments)
                made.meta[_WRONG] = f"{name}() takes {wanted}"
                return made
            if pairs:
                made = exp.JSONBObjectAgg(this=arguments[0], expression=arguments[1])
            else:
                made = exp.JSONArrayAgg(this=arguments[0])
            made.meta[WRITTEN_AS] = name
            return made

        return read

    lists = {name.upper(): reading(name, pairs=False) for name in ("json_agg", "jsonb_agg", "json_group_array")}
    names = ("json_object_agg", "jsonb_object_agg", "json_group_object", "map_agg")
    return lists | {name.upper(): reading(name, pairs=True) for name in names}


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


def _of_list(node: Any, core: Any) -> exp.Expr:
    """An aggregate that gives JSON, or a map, as a function of the list of all values (or of keys and values)."""
    name = core.meta[WRITTEN_AS]
    given = core.this
    if isinstance(core, exp.JSONBObjectAgg):
        order = core.expression if isinstance(core.expression, exp.Order) else None
        value = core.expression if order is None else order.this
        given = exp.Anonymous(this="row", expressions=[core.this, value])
        if order is not None:
            given = exp.Order(this=given, expressions=order.expressions)
    listed: exp.Expr = exp.ArrayAgg(this=given)
    listed.meta.update(core.meta)
    if isinstance(node, exp.Filter):
        listed = exp.Filter(this=listed, expression=node.expression)
    made = exp.Anonymous(this=_MADE[type(core), name == "map_agg"], expressions=[listed])
    made.meta.update(core.meta)
    return made


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
