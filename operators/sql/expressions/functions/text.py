"""Functions of text by our names, with arguments in our order, for the nodes that sqlglot reads them into."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from operators.sql.expressions.functions.shape import Shape, same
from operators.sql.grammar.dialect import Tree, exp

_DEFAULTS: Final = {"position": "1", "occurrence": "1", "option": "0", "group": "0"}
"""What numbers stand for those that a call of a regular expression's function leaves out before others."""


def _trim(node: Any) -> Shape:
    name = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(str(node.args.get("position")).upper(), "trim")
    return name, (node.this, node.args.get("expression"))


def _pad(node: Any) -> Shape:
    name = "lpad" if node.args.get("is_left") else "rpad"
    return name, (node.this, node.expression, node.args.get("fill_pattern"))


def _regexp_like(node: Any) -> Shape:
    if node.args.get("flag") or node.args.get("full_match"):
        name = "regexp_full_match" if node.args.get("full_match") else "regexp_like"
        return name, (node.this, node.expression, node.args.get("flag"))
    return "~", (node.this, node.expression)


def _parameters(node: Any, *keys: str) -> list[Tree | None]:
    given = [node.args.get(key) for key in keys]
    while given and given[-1] is None:
        given.pop()
    for place, key in enumerate(keys[: len(given)]):
        if given[place] is None:
            given[place] = exp.Literal.number(_DEFAULTS[key]) if key in _DEFAULTS else exp.Literal.string("")
    return [node.this, node.expression, *given]


def _called(name: str, *keys: str) -> Callable[[Any], Shape]:
    return lambda node: (name, _parameters(node, *keys))


def _regexp_extract(node: Any) -> Shape:
    if node.args.get("null_if_no_match"):
        return "regexp_substr", _parameters(node, "position", "occurrence", "parameters", "group")
    group, flags = node.args.get("group"), node.args.get("parameters")
    if group is None:
        # Where sqlglot knows of no group, what it takes for a position is DuckDB's group.
        group, flags = node.args.get("position"), flags or node.args.get("occurrence")
    return "regexp_extract", (node.this, node.expression, group or exp.Literal.number("0"), flags)


def _regexp_replace(node: Any) -> Shape:
    flags, position, number = (node.args.get(key) for key in ("modifiers", "position", "occurrence"))
    start = (node.this, node.expression, node.args.get("replacement") or exp.Literal.string(""))
    once = bool(node.args.get("single_replace"))
    if position is not None and getattr(position, "is_string", False):
        flags, position = position, None
    if position is None and number is None:
        every = None if once or flags is not None else exp.Literal.string("g")
        return "regexp_replace", (*start, flags or every)
    number = number or exp.Literal.number("1" if once else "0")
    return "regexp_replace", (*start, position or exp.Literal.number("1"), number, flags)


def _concat(node: Any) -> Shape:
    """Of dialects in which NULL makes it NULL, ``||``."""
    first, *rest = node.expressions
    if node.args.get("coalesce") or not rest:
        return "concat", node.expressions
    joined = rest.pop()
    while rest:
        joined = exp.DPipe(this=rest.pop(), expression=joined)
    return "||", (exp.Concat(expressions=[first], coalesce=True) if _is_number(first) else first, joined)


def _is_number(node: Any) -> bool:
    return isinstance(node, exp.Literal) and not node.is_string


def _split(node: Any) -> Shape:
    if node.args.get("limit"):
        return "split with a limit", (node.this, node.expression, node.args["limit"])
    whole = node.args.get("empty_delimiter_returns_whole")
    return "string_to_array" if whole else "string_split", (node.this, node.expression)


def _normalize(node: Any) -> Shape:
    form = node.args.get("form")
    return "normalize", (node.this, exp.Literal.string(form.name) if isinstance(form, exp.Expression) else None)


def _length(node: Any) -> Shape:
    charset = node.args.get("encoding")
    return "length", (node.this if charset is None else _called_with("convert_from", node.this, charset),)


def _called_with(name: str, *arguments: Any) -> Tree:
    return exp.Anonymous(this=name, expressions=list(arguments))


def _extreme(name: str) -> Callable[[Any], Shape]:
    def shape(node: Any) -> Shape:
        return name if node.args.get("ignore_nulls") else f"{name}_or_null", (node.this, *node.expressions)

    return shape


TEXT: Final[dict[type[Tree], Callable[[Any], Shape]]] = {
    exp.ByteLength: same("octet_length", "this"),
    exp.Chr: lambda node: ("chr", node.expressions),
    exp.Concat: _concat,
    exp.Contains: same("contains", "this", "expression"),
    exp.EqualNull: same("is not distinct from", "this", "expression"),
    exp.FromBase64: same("from_base64", "this"),
    exp.Getbit: same("get_bit", "this", "expression"),
    exp.Greatest: _extreme("greatest"),
    exp.Hex: same("hex", "this"),
    exp.Initcap: same("initcap", "this"),
    exp.Least: _extreme("least"),
    exp.Length: _length,
    exp.LowerHex: same("to_hex", "this"),
    exp.MD5Digest: lambda node: ("unhex", (exp.MD5(this=node.this),)),
    exp.Normalize: _normalize,
    exp.Pad: _pad,
    exp.ParseUrl: lambda node: (
        "parse_url",
        (node.this, node.args.get("part_to_extract") or node.args.get("permissive"), node.args.get("key")),
    ),
    exp.RegexpCount: _called("regexp_count", "position", "parameters"),
    exp.RegexpExtract: _regexp_extract,
    exp.RegexpExtractAll: same("regexp_extract_all", "this", "expression", "group", "parameters"),
    exp.RegexpFullMatch: same("regexp_full_match", "this", "expression", "options"),
    exp.RegexpInstr: _called("regexp_instr", "position", "occurrence", "option", "parameters", "group"),
    exp.RegexpLike: _regexp_like,
    exp.RegexpReplace: _regexp_replace,
    exp.RegexpSplit: same("regexp_split_to_array", "this", "expression", "limit"),
    exp.RegexpSubstr: _called("regexp_substr", "position", "occurrence", "parameters", "group"),
    exp.SHA: same("sha1", "this"),
    exp.SHA1Digest: lambda node: ("unhex", (exp.SHA(this=node.this),)),
    exp.SHA2: lambda node: ("sha2", (node.this, node.args.get("length") or exp.Literal.number(256))),
    exp.SHA2Digest: lambda node: (f"sha{node.args['length'].name}", (node.this,)),
    exp.Space: lambda node: ("repeat", (exp.Literal.string(" "), node.this)),
    exp.Split: _split,
    exp.StrPosition: same("strpos", "this", "substr", "position", "occurrence"),
    exp.StringToArray: same("string_to_array", "this", "expression", "null"),
    exp.Stuff: same("overlay", "this", "expression", "start", "length"),
    exp.SubstringIndex: same("substring_index", "this", "delimiter", "count"),
    exp.ToBase64: same("to_base64", "this"),
    exp.Trim: _trim,
    exp.Unhex: same("unhex", "this"),
    exp.Unicode: same("ascii", "this"),
}
