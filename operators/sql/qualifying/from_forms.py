"""The many ways to write what is computed of each row, in FROM and in SELECT, put into one.

Afterwards a table function is an UNNEST, whatever dialect it came from, and what may be lateral is no LATERAL any more:
a subquery says it by an argument of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pyarrow as pa

from flow.errors import known
from operators.expressions.table_functions import TableFunction
from operators.expressions.type_names import type_text
from operators.sql.expressions.functions.table import shape_of
from operators.sql.expressions.reader import bare
from operators.sql.grammar.dialect import Text, Tree, exp, render
from operators.sql.qualifying.subquery_nodes import LATERAL, own_parts
from operators.unnest import element_type

NUMBERED: Final = "numbered"
"""Argument of an UNNEST's tree: its last column is the number of the element (the first one by `NUMBER_FIRST`)."""

NUMBER_FIRST: Final = "number_first"

FROM_ZERO: Final = "from_zero"
"""Argument of an UNNEST's tree: numbers count from 0."""

WHOLE_ELEMENTS: Final = "whole_elements"
"""Argument of an UNNEST's tree: structs stay structs."""

CALLED: Final = "called"
"""Argument of an UNNEST's tree: the name of its column where nothing else says one."""

_FLATTENED: Final = ("SEQ", "KEY", "PATH", "INDEX", "VALUE", "THIS")
"""The columns of Snowflake's FLATTEN, as sqlglot names them."""


def spelled_alike(text: Text, query: Tree) -> None:
    """Rewrite a query's tree in place.

    Raises:
        SqlError: a table function is not supported.
    """
    for select in query.find_all(exp.Select):
        for lateral in select.args.get("laterals") or ():
            outer = bool(lateral.args.get("outer"))
            join = exp.Join(this=lateral.copy(), **_kind(outer))
            join.meta.update(lateral.meta)
            select.append("joins", join)
        select.set("laterals", None)
    for table in list(query.find_all(exp.Table)):
        if _is_series(table.this):
            table.replace(_unnest_of(table, [_series(table.this)]))
        elif (call := _table_call(text, table.this)) is not None:
            table.replace(_unnest_of(table, [call]))
    for unnest in list(query.find_all(exp.Unnest)):
        if not isinstance(unnest.parent, exp.Lateral):
            _number(unnest)
    for lateral in list(query.find_all(exp.Lateral)):
        _replace_lateral(text, lateral)
    for series in list(query.find_all(exp.ExplodingGenerateSeries)):
        called = exp.Explode(this=_series(series))
        called.set(CALLED, "generate_series")
        series.replace(called)
    for plain in list(query.find_all(exp.GenerateSeries)):
        plain.replace(_series(plain))


def _called(node: Tree) -> Tree:
    """What stands in TABLE(...), as Flink writes it, or in none."""
    wrapped = isinstance(node, exp.Anonymous) and str(node.this).upper() == "TABLE" and len(node.expressions) == 1
    return node.expressions[0] if wrapped else node


def _table_call(text: Text, node: Tree) -> exp.Anonymous | None:
    """A call of a user's table function, if it is one."""
    node = _called(node)
    name, arguments = shape_of(node) or ("", ())
    if not isinstance(text.functions.get(name.lower()), TableFunction):
        return None
    call = exp.Anonymous(this=name.lower(), expressions=[each for each in arguments if each is not None])
    call.meta.update(node.meta)
    return call


def _no_table_function(text: Text, node: Tree) -> str:
    name = render(_called(node)).partition("(")[0].lower()
    names = [own for own, each in text.functions.items() if isinstance(each, TableFunction)]
    return f"{name!r} behind LATERAL is no table function; {known(name, [*names, 'unnest'])}"


def _kind(outer: bool) -> dict[str, object]:
    return {"side": "LEFT", "on": exp.true()} if outer else {"kind": "CROSS"}


def _is_series(node: Tree) -> bool:
    if isinstance(node, exp.Anonymous):
        return str(node.this).lower() == "range"
    return isinstance(node, exp.GenerateSeries | exp.ExplodingGenerateSeries)


def _series(node: Tree) -> exp.Anonymous:
    if isinstance(node, exp.Anonymous):
        start = [exp.Literal.number(0)] if len(node.expressions) == 1 else []
        return exp.Anonymous(this="range", expressions=[*start, *node.expressions])
    name = "range" if node.args.get("is_end_exclusive") is True else "generate_series"
    # A fourth argument that is written is sqlglot's own mark: the function says that it takes no such thing.
    marked = node.args.get("is_end_exclusive")
    fourth = marked if isinstance(marked, exp.Literal) else None
    given = (*(node.args.get(key) for key in ("start", "end", "step")), fourth)
    return exp.Anonymous(this=name, expressions=[each for each in given if each is not None])


def _unnest_of(source: Tree, arrays: list[Tree]) -> exp.Unnest:
    """An UNNEST with the alias and the joins of what stood there."""
    unnest = exp.Unnest(expressions=arrays)
    unnest.meta.update(source.meta)
    for key in ("alias", "joins"):
        if source.args.get(key):
            unnest.set(key, source.args[key])
    if source.args.get("ordinality"):
        unnest.set(NUMBERED, True)
    if isinstance(arrays[0], exp.Anonymous):
        unnest.set(CALLED, str(arrays[0].this))
    return unnest


def _number(unnest: exp.Unnest) -> None:
    """Give the number of the element the place of its name among the others, where sqlglot has taken it from there."""
    offset, alias = unnest.args.get("offset"), unnest.args.get("alias")
    columns_only = alias is not None and not alias.args.get("this")
    if columns_only:
        # BigQuery's alias names the element.
        unnest.set(WHOLE_ELEMENTS, True)
    if not offset:
        return
    unnest.set("offset", None)
    unnest.set(NUMBERED, True)
    unnest.set(FROM_ZERO, columns_only)
    if isinstance(offset, exp.Identifier):
        if alias is None:
            alias = exp.TableAlias()
            unnest.set("alias", alias)
        alias.append("columns", offset)


def _replace_lateral(text: Text, lateral: exp.Lateral) -> None:
    inner, join = lateral.this, lateral.parent
    if isinstance(join, exp.Join) and lateral.args.get("cross_apply") is not None:
        for key, value in _kind(not lateral.args["cross_apply"]).items():
            join.set(key, value)
    replacement: Tree
    match inner:
        case exp.Subquery() if isinstance(inner.this, exp.Values) and inner.this.find(exp.Column):
            replacement = _unnest_of(lateral, _columns_of(text, inner.this))
            replacement.set(WHOLE_ELEMENTS, True)
            alias = replacement.args.get("alias") or exp.TableAlias(this=exp.to_identifier("values"))
            replacement.set("alias", alias)
            for number in range(len(alias.args.get("columns") or ()), len(replacement.expressions)):
                alias.append("columns", exp.to_identifier(f"column{number + 1}"))
        case exp.Subquery():
            inner.set(LATERAL, True)
            if lateral.args.get("alias"):
                inner.set("alias", lateral.args["alias"])
            replacement = inner
        case exp.Unnest():
            inner.set("alias", lateral.args.get("alias"))
            _number(inner)
            replacement = inner
        case _ if _is_series(inner):
            replacement = _unnest_of(lateral, [_series(inner)])
        case exp.Posexplode() | exp.Explode():
            replacement = _exploded(text, lateral, inner)
        case _ if (call := _table_call(text, inner)) is not None:
            replacement = _unnest_of(lateral, [call])
        case exp.Func():
            raise text.error(
                _no_table_function(text, inner),
                inner,
                "a subquery, UNNEST(...) or a function that RETURNS TABLE (...) may stand there",
            )
        case _:
            raise text.error(
                f"LATERAL {inner.key.upper()} is not supported yet", inner, "a subquery or UNNEST(...) may stand there"
            )
    if joins := lateral.args.get("joins"):
        replacement.set("joins", joins)
    lateral.replace(replacement)


def _columns_of(text: Text, values: exp.Values) -> list[Tree]:
    """VALUES that are computed of each row, as arrays side by side."""
    rows = [each.expressions if isinstance(each, exp.Tuple) else [each.unnest()] for each in values.expressions]
    if any(len(row) != len(rows[0]) for row in rows):
        raise text.error("VALUES has rows of different lengths", values)
    return [exp.Array(expressions=[each.copy() for each in column]) for column in zip(*rows, strict=True)]


def _exploded(text: Text, lateral: exp.Lateral, inner: Tree) -> exp.Unnest:
    array = inner.this
    alias = lateral.args.get("alias")
    named = [each.name for each in alias.args.get("columns") or ()] if alias is not None else []
    if isinstance(array, exp.Kwarg):
        if array.this.name.lower() != "input" or inner.expressions:
            raise text.error("FLATTEN takes input => array alone here", array)
        unnest = _unnest_of(lateral, [array.expression])
        if alias is not None and tuple(named) == _FLATTENED:
            columns = [exp.to_identifier(name) for name in ("value", "index")]
            unnest.set("alias", exp.TableAlias(this=alias.this, columns=columns))
        unnest.set(NUMBERED, True)
        unnest.set(FROM_ZERO, True)
        unnest.set(WHOLE_ELEMENTS, True)
        return unnest
    unnest = _unnest_of(lateral, [array])
    unnest.set(CALLED, "col")
    if isinstance(inner, exp.Posexplode):
        for key in (NUMBERED, NUMBER_FIRST, FROM_ZERO):
            unnest.set(key, True)
    # Spark's structs stay structs, but a map has keys and values.
    unnest.set(WHOLE_ELEMENTS, len(named) - isinstance(inner, exp.Posexplode) < 2)
    return unnest


def refuse_unnest(text: Text, clause: Tree, name: str) -> None:
    """Raise where a clause that asks something of a row would make several rows of it."""
    for part in own_parts(clause):
        if isinstance(part, exp.Explode):
            raise text.error(
                f"UNNEST is not allowed in {name}",
                part,
                "write value = ANY (array), or put UNNEST into FROM and name its column here",
            )


def element_columns(text: Text, leaf: exp.Unnest, kinds: Sequence[pa.DataType]) -> list[list[tuple[str, str | None]]]:
    """The columns that each array of a table function becomes: what it is called, and the field of the element.

    Raises:
        SqlError: an argument is neither a list nor a map.
    """
    result: list[list[tuple[str, str | None]]] = []
    default = leaf.alias if leaf.alias and len(kinds) == 1 else leaf.args.get("called") or "unnest"
    for number, (tree, kind) in enumerate(zip(leaf.expressions, kinds, strict=True)):
        element = element_type(kind)
        if element is None:
            raise text.error(
                f"UNNEST takes lists and maps; {render(bare(tree))} has type {type_text(kind)}",
                tree,
                "make a list: ARRAY[...]",
            )
        if pa.types.is_struct(element) and not leaf.args.get(WHOLE_ELEMENTS):
            result.append([(field.name, field.name) for field in element])
        else:
            result.append([(default if number == 0 else f"{default}_{number}", None)])
    return result
