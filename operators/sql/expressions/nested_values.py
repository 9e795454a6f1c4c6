"""Arrays, structs, maps and JSON of a tree as expressions: subscripts, literals, paths, and functions of elements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import pyarrow as pa

from operators.expressions import Call, Cast, Expression, Field, Literal
from operators.expressions.documents import Step, dump
from operators.expressions.lambdas import OfElements
from operators.expressions.quantifiers import Quantified
from operators.expressions.types import JSON
from operators.sql.expressions.functions.table import shape_of
from operators.sql.expressions.types import arrow_type
from operators.sql.grammar.dialect import FILTERS, TRANSFORMS, Text, Tree, exp, render

Convert = Callable[[Tree], Expression]

ELEMENT: Final = "element"
"""Argument of a parameter's tree: it is one of a function of elements, as opposed to one of the query."""

_JSON_KINDS: Final = ("value", "scalar", "array", "object")


def nested_value(text: Text, node: Tree, convert: Convert, operator: str | None) -> Expression | None:
    """The expression of a node that is about nested values; None of any other.

    Args:
        text: where it stands.
        node: the node.
        convert: reads the parts.
        operator: our name of the node's operator, where it is one.

    Raises:
        SqlError: it makes no sense.
    """
    if operator is not None:
        return _quantified(node, convert, operator)
    match node:
        case exp.Array():
            return _array(node, convert)
        case exp.Struct():
            return Call("struct_pack", _named(text, node.expressions, convert))
        case exp.Map() if node.args.get("keys") is not None:
            return Call("map", (convert(node.args["keys"]), convert(node.args["values"])))
        case exp.Map() | exp.ToMap():
            return _map(node, convert)
        case exp.Bracket():
            return _subscript(text, node, convert)
        case exp.Dot() if isinstance(node.expression, exp.Star):
            raise text.error("(struct).* stands alone in the SELECT list", node, "name the fields: (s).a, (s).b")
        case exp.Dot():
            return Field(convert(node.this), node.name)
        case exp.JSONExtract() | exp.JSONExtractScalar():
            return _extracted(text, node, convert)
        case exp.JSONObject():
            members = [part for pair in node.expressions for part in (pair.this, pair.expression)]
            return Call("json_build_object", tuple(map(convert, members)))
        case exp.JSONArray():
            return Call("json_build_array", tuple(map(convert, node.expressions)))
        case exp.JSONValue():
            value = Call("json_value", (convert(node.this), convert(node.args["path"])))
            returning = node.args.get("returning")
            return value if not returning else Cast(value, arrow_type(text, returning))
        case exp.ParseJSON():
            return Cast(convert(node.this), JSON, forgiving=bool(node.args.get("safe")))
        case exp.Cast() if node.args["to"].this == exp.DType.JSONB:
            return Call("jsonb", (Cast(convert(node.this), JSON, forgiving=isinstance(node, exp.TryCast)),))
        case exp.Is() if isinstance(node.expression, exp.JSON):
            return _is_json(text, node, convert(node.this))
        case exp.Uuid():
            raise text.error(
                "random UUIDs are not supported: a row that is taken back must be the one that was given out",
                node,
                "compute one from the row's columns: CAST(md5(a || '/' || b) AS UUID)",
            )
    return _of_elements(text, node, convert) or _with_names(text, node, convert)


def _array(node: Tree, convert: Convert) -> Expression:
    if not node.expressions:
        return Literal([], pa.list_(pa.null()))
    return Call("array", tuple(map(convert, node.expressions)))


def _named(text: Text, items: Sequence[Any], convert: Convert) -> tuple[Expression, ...]:
    """Names and values, one after the other."""
    parts: list[Expression] = []
    for number, item in enumerate(items, 1):
        match item:
            case exp.PropertyEQ() | exp.EQ() | exp.Kwarg():
                parts += [Literal(item.this.name), convert(item.expression)]
            case exp.Alias():
                parts += [Literal(item.alias), convert(item.this)]
            case exp.Column():
                parts += [Literal(item.name), convert(item)]
            case _:
                parts += [Literal(f"f{number}"), convert(item)]
    return tuple(parts)


def _map(node: Any, convert: Convert) -> Expression:
    items = node.this.expressions if node.this is not None else []
    if not items:
        empty = Literal([], pa.list_(pa.null()))
        return Call("map", (empty, empty))
    keys = [Literal(each.this.name) if isinstance(each.this, exp.Identifier) else convert(each.this) for each in items]
    return Call("map", (Call("array", tuple(keys)), Call("array", tuple(convert(each.expression) for each in items))))


def _subscript(text: Text, node: Any, convert: Convert) -> Expression:
    if len(node.expressions) != 1:
        raise text.error("a subscript is one position, key or range", node)
    (wanted,) = node.expressions
    operand = convert(node.this)
    if isinstance(wanted, exp.Slice):
        if wanted.args.get("step"):
            raise text.error("slices with steps are not supported", wanted)
        first = Literal(1) if wanted.this is None else convert(wanted.this)
        last = Literal(-1) if wanted.expression is None else convert(wanted.expression)
        return Call("array_slice", (operand, first, last))
    index = convert(wanted)
    if not node.args.get("offset") and not (isinstance(wanted, exp.Literal) and wanted.is_string):
        # The dialect counts from 0.
        index = Call("+", (index, Literal(1)))
    return Call("list_element", (operand, index))


def _quantified(node: Tree, convert: Convert, operator: str) -> Expression | None:
    quantifier = node.expression
    match quantifier:
        case exp.Any() | exp.All():
            values, every = quantifier.this, isinstance(quantifier, exp.All)
        case exp.Anonymous() if str(quantifier.this).lower() in ("all", "some") and len(quantifier.expressions) == 1:
            (values,) = quantifier.expressions
            every = str(quantifier.this).lower() == "all"
        case _:
            return None
    if isinstance(values, exp.Tuple | exp.Query) or values is None:
        return None
    result: Expression = Quantified(operator, convert(node.this), convert(values), every)
    return Call("not", (result,)) if node.args.get("negate") else result


def _steps(path: Any) -> tuple[Step, ...] | None:
    """The steps of a path that the text spells out; None where it has others than names and numbers."""
    if not isinstance(path, exp.JSONPath):
        return None
    steps: list[Step] = []
    for part in path.expressions:
        match part:
            case exp.JSONPathRoot():
                continue
            case exp.JSONPathKey() | exp.JSONPathSubscript() if isinstance(part.this, str | int):
                steps.append(part.this)
            case _:
                return None
    return tuple(steps)


def _extracted(text: Text, node: Any, convert: Convert) -> Expression:
    scalar = isinstance(node, exp.JSONExtractScalar)
    steps = _steps(node.expression)
    if node.args.get("expressions"):
        more = [each.this for each in node.expressions if isinstance(each, exp.Literal)]
        steps = None if steps is None or len(more) < len(node.expressions) else (*steps, *more)
    operand = node.this
    if steps is None:
        if isinstance(node.expression, exp.JSONPath):
            raise text.error(
                "paths with others than names and numbers are not supported", node,
                "unnest json_array_elements(...) for all elements of an array",
            )  # fmt: skip
        return Call("->>" if scalar else "->", (convert(operand), convert(node.expression)))
    # A chain is one path: the document is read once.
    while isinstance(operand, exp.JSONExtract) and not operand.args.get("expressions"):
        before = _steps(operand.expression)
        if before is None:
            break
        steps, operand = (*before, *steps), operand.this
    document = convert(operand)
    if len(steps) == 1:
        return Call("->>" if scalar else "->", (document, Literal(steps[0])))
    path = "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{dump(step)}" for step in steps)
    return Call("json_extract_string" if scalar else "json_extract", (document, Literal(path)))


def _is_json(text: Text, node: Any, operand: Expression) -> Expression:
    kind = node.expression
    word = (str(kind.this) if kind.this else "VALUE").lower()
    if word not in _JSON_KINDS or kind.args.get("with_") or kind.args.get("unique"):
        raise text.error(f"IS {render(kind)} is not supported", node, "write IS JSON [VALUE | SCALAR | ARRAY | OBJECT]")
    return Call(f"is json {word}", (operand,))


def _of_elements(text: Text, node: Tree, convert: Convert) -> Expression | None:
    if not any(isinstance(each, exp.Lambda) for each in node.iter_expressions()):
        return None
    shape = ("list_transform", (node.this, node.expression)) if isinstance(node, exp.Transform) else shape_of(node)
    name = shape[0].lower() if shape else ""
    arguments = [each for each in shape[1] if each is not None] if shape else []
    if name not in TRANSFORMS | FILTERS or len(arguments) != 2:
        raise text.error(
            f"{name or node.key}() of a function is not supported", node, "known here: list_transform and list_filter"
        )
    operand, function = arguments
    if not isinstance(function, exp.Lambda):
        raise text.error(f"{name}() takes a list and a function: {name}(list, x -> x + 1)", node)
    parameters = tuple(each.name for each in function.expressions)
    body = function.this.copy()
    holder = exp.Paren(this=body)
    for identifier in list(holder.find_all(exp.Identifier)):
        if identifier.name in parameters and _is_value(identifier):
            parameter = exp.Parameter(this=identifier.copy())
            parameter.set(ELEMENT, True)
            identifier.replace(parameter)
    return OfElements(convert(operand), parameters, convert(holder), name in FILTERS)


def _is_value(identifier: exp.Identifier) -> bool:
    """Whether a name stands for a value itself, as opposed to a part of another name."""
    parent = identifier.parent
    if isinstance(parent, exp.Lambda | exp.Dot):
        return parent.this is identifier
    return not isinstance(parent, exp.Column | exp.PropertyEQ)


def _with_names(text: Text, node: Tree, convert: Convert) -> Expression | None:
    """``f(x, name := value)``."""
    if not isinstance(node, exp.Anonymous) or not any(isinstance(each, exp.PropertyEQ) for each in node.expressions):
        return None
    given = [each for each in node.expressions if not isinstance(each, exp.PropertyEQ)]
    named = [each for each in node.expressions if isinstance(each, exp.PropertyEQ)]
    return Call(str(node.this), (*map(convert, given), *_named(text, named, convert)))
