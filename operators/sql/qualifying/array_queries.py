"""ARRAY(SELECT ...) as the aggregate that it is: array_agg over the subquery's rows, in their order."""

from __future__ import annotations

from typing import Final

from operators.sql.expressions.reader import aggregate_calls
from operators.sql.grammar.dialect import Text, Tree, exp

_VALUE: Final = "__value"

_ROWS: Final = "__rows"


def arrays_aggregated(text: Text, query: Tree) -> None:
    """Rewrite a query's tree in place: what stands in ARRAY(...) gives one row with the list, or NULL for an empty one.

    Raises:
        SqlError: it has no single column.
    """
    for array in list(query.find_all(exp.Array)):
        if len(array.expressions) == 1 and isinstance(array.expressions[0], exp.Select | exp.SetOperation):
            _aggregate(text, array.expressions[0])


def _aggregate(text: Text, query: Tree) -> None:
    if not isinstance(query, exp.Select):
        _wrap(query, [])
        return
    if len(query.expressions) != 1 or query.expressions[0].is_star:
        raise text.error("ARRAY(SELECT ...) takes one column, by its name", query, "write ARRAY(SELECT name FROM ...)")
    (projection,) = query.expressions
    value = projection.unalias()
    order = query.args.get("order")
    keys = [(_meant(each.this, projection), each) for each in order.expressions] if order else []
    clauses = ("group", "having", "distinct", "limit", "offset", "qualify")
    made = aggregate_calls(value) or value.find(exp.Window) or value.find(exp.Explode)
    if not made and not any(query.args.get(clause) for clause in clauses):
        query.set("order", None)
        query.set("expressions", [_list_of(value.copy(), [_like(each, key.copy()) for key, each in keys])])
        return
    names = [_VALUE if key == value else f"__order{number}" for number, (key, _) in enumerate(keys)]
    hidden = {name: exp.alias_(key.copy(), name) for name, (key, _) in zip(names, keys, strict=True) if name != _VALUE}
    query.set("expressions", [exp.alias_(value.copy(), _VALUE), *hidden.values()])
    if order:
        order.set("expressions", [_like(each, key.copy()) for key, each in keys])
    if not any(query.args.get(clause) for clause in ("limit", "offset")):
        query.set("order", None)
    _wrap(query, [_like(each, exp.column(name)) for name, (_, each) in zip(names, keys, strict=True)])


def _meant(key: Tree, projection: Tree) -> Tree:
    """The expression that a key of ORDER BY means."""
    if (isinstance(key, exp.Literal) and key.this == "1") or (
        isinstance(key, exp.Column) and not key.table and key.name == projection.alias
    ):
        result: Tree = projection.unalias()
        return result
    return key


def _like(ordered: Tree, key: Tree) -> exp.Ordered:
    return exp.Ordered(this=key, desc=ordered.args.get("desc"), nulls_first=ordered.args.get("nulls_first"))


def _list_of(value: Tree, order: list[exp.Ordered]) -> exp.ArrayAgg:
    return exp.ArrayAgg(this=exp.Order(this=value, expressions=order) if order else value)


def _wrap(query: Tree, order: list[exp.Ordered]) -> None:
    select = exp.Select(expressions=[_list_of(exp.column(_VALUE), order)])
    select.meta.update(query.meta)
    query.replace(select)
    columns = [] if isinstance(query, exp.Select) else [exp.to_identifier(_VALUE)]
    alias = exp.TableAlias(this=exp.to_identifier(_ROWS), columns=columns)
    select.set("from_", exp.From(this=exp.Subquery(this=query, alias=alias)))
