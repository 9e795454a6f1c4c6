"""Operators and functions of nested values by our names, for the nodes that sqlglot reads them into."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from operators.sql.expressions.functions.shape import Shape, same
from operators.sql.grammar.dialect import Tree, exp


def _length(node: Any) -> Shape:
    return "array_length", (node.this, node.args.get("expression"))


def _series(node: Any) -> Shape:
    name = "range" if node.args.get("is_end_exclusive") else "generate_series"
    return name, (node.args.get("start"), node.args.get("end"), node.args.get("step"))


def _sorted(node: Any) -> Shape:
    return "array_sort", (node.this, node.args.get("expression"))


NESTED: Final[dict[type[Tree], Callable[[Any], Shape]]] = {
    exp.ArrayContainedBy: same("<@", "this", "expression"),
    exp.ArrayContainsAll: same("@>", "this", "expression"),
    exp.ArrayOverlaps: same("&&", "this", "expression"),
    exp.ArrayPrepend: same("array_prepend", "expression", "this"),
    exp.ArraySize: _length,
    exp.ArraySort: _sorted,
    exp.ExplodingGenerateSeries: _series,
    exp.GenerateSeries: _series,
    exp.JSONBContains: same("@>", "this", "expression"),
    exp.JSONBContainsAllTopKeys: same("?&", "this", "expression"),
    exp.JSONBContainsAnyTopKeys: same("?|", "this", "expression"),
    exp.JSONBContainsTopKey: same("?", "this", "expression"),
    exp.JSONBExtract: same("#>", "this", "expression"),
    exp.JSONBExtractScalar: same("#>>", "this", "expression"),
    exp.JSONBPathExists: same("jsonb_path_exists", "this", "expression"),
}
