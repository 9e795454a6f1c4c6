"""Literals and conditions of a tree written in ways of their own, as expressions: choices, collations, escapes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import pyarrow as pa

from operators.expressions import Call, Case, Expression, Literal
from operators.sql.grammar.dialect import Text, Tree, exp

Convert = Callable[[Tree], Expression]

_COLLATIONS: Final = ("C", "POSIX", "ucs_basic", "default", "binary", "utf8_binary", "utf8mb4_bin")
"""Collations that compare characters by their numbers, which is what is done here."""

_CODE: Final = re.compile(r"\\(?:\\|\+([0-9A-Fa-f]{6})|([0-9A-Fa-f]{4}))")


def choice(text: Text, node: Tree, convert: Convert) -> Expression | None:
    """The expression of such a node; None of any other.

    Raises:
        SqlError: it makes no sense.
    """
    match node:
        case exp.Nvl2():
            present = Call("is not null", (convert(node.this),))
            return Case(((present, convert(node.args["true"])),), convert(node.args.get("false") or exp.Null()))
        case exp.DecodeCase():
            return _decoded(node, convert)
        case exp.Between() if node.args.get("symmetric"):
            value, low, high = (convert(node.args[key]) for key in ("this", "low", "high"))
            return Call("or", (_between(value, low, high), _between(value, high, low)))
        case exp.Is() if _word(node.expression) == "unknown":
            return Call("is not null" if node.args.get("negate") else "is null", (convert(node.this),))
        case exp.Collate():
            if node.expression.name.lower() not in map(str.lower, _COLLATIONS):
                raise text.error(
                    f"the collation {node.expression.name!r} is not supported",
                    node.expression,
                    'text is compared character by character, as by COLLATE "C"',
                )
            return convert(node.this)
        case exp.HexString():
            return Literal(bytes.fromhex(node.this), pa.binary())
        case exp.ByteString() if node.args.get("is_bytes"):
            return Literal(node.this.encode(), pa.binary())
        case exp.ByteString():
            return Literal(node.this)
        case exp.UnicodeString():
            return Literal(_CODE.sub(lambda found: chr(int(found[1] or found[2] or "5c", 16)), node.this))
    return None


def _word(node: Tree) -> str:
    return node.name.lower() if isinstance(node, exp.Column | exp.Var | exp.Identifier) else ""


def _between(value: Expression, low: Expression, high: Expression) -> Expression:
    return Call("and", (Call(">=", (value, low)), Call("<=", (value, high))))


def _decoded(node: exp.DecodeCase, convert: Convert) -> Expression:
    """Oracle's DECODE, in which NULL equals NULL."""
    value, *rest = map(convert, node.expressions)
    pairs = list(zip(rest[::2], rest[1::2], strict=False))
    otherwise = rest[-1] if len(rest) % 2 else Literal(None)
    return Case(tuple((Call("is not distinct from", (value, key)), result) for key, result in pairs), otherwise)
