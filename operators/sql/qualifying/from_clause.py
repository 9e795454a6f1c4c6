"""Reading a FROM clause: which relations it joins, how, in what order, and what can be named afterwards.

Afterwards every USING and NATURAL has become an ON, with its columns qualified.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, cast

import attrs

from flow.errors import known
from operators.sql.grammar.dialect import Text, Tree, exp, is_comma
from operators.sql.plan.nodes import JoinKind
from operators.sql.qualifying.names import refuse
from operators.sql.qualifying.scope import Relation, Scope, Visible
from operators.sql.qualifying.subquery_nodes import LATERAL

_KINDS: Final[dict[tuple[str, str], JoinKind]] = {
    ("", ""): "inner",
    ("", "INNER"): "inner",
    ("", "CROSS"): "inner",
    ("LEFT", ""): "left",
    ("LEFT", "OUTER"): "left",
    ("RIGHT", ""): "right",
    ("RIGHT", "OUTER"): "right",
    ("FULL", ""): "full",
    ("FULL", "OUTER"): "full",
    ("", "SEMI"): "semi",
    ("LEFT", "SEMI"): "semi",
    ("", "ANTI"): "anti",
    ("LEFT", "ANTI"): "anti",
}


@attrs.frozen(eq=False)
class Joined:
    """Two items of a FROM clause, joined.

    Attributes:
        left: a relation's tree, or a join.
        right: likewise.
        kind: as the plan's.
        join: the tree that says so; None for a comma.
    """

    left: FromItem
    right: FromItem
    kind: JoinKind = "inner"
    join: exp.Join | None = None


FromItem = Tree | Joined

NOTHING: Final = Scope((), ())
"""What can be named where there is no table."""


def read_from(text: Text, select: exp.Select) -> FromItem:
    """The FROM clause of a SELECT, as a tree of joins in which commas bind loosest.

    Raises:
        SqlError: it has a join of an unknown kind.
    """
    return _folded(text, select.args["from_"].this, select.args.get("joins") or ())


def _item(text: Text, source: Tree) -> FromItem:
    if isinstance(source, exp.Subquery) and isinstance(source.this, exp.Table | exp.Subquery):
        if not source.args.get("alias"):
            refuse(text, source, {"this", "joins"})
            for join in source.this.args.get("joins") or ():
                if is_comma(join):
                    raise text.error("a comma cannot stand in parentheses here", join, "write CROSS JOIN")
            return _folded(text, source.this, ())
        # A join in parentheses with an alias is a subquery that takes everything from it.
        source.set("this", exp.Select(expressions=[exp.Star()], from_=exp.From(this=source.this)))
    return source


def _folded(text: Text, first: Tree, joins: Sequence[exp.Join]) -> FromItem:
    return _chained(text, _chained(text, _item(text, first), first.args.get("joins") or ()), joins)


def _chained(text: Text, current: FromItem, joins: Sequence[exp.Join]) -> FromItem:
    items: list[FromItem] = []
    for join in joins:
        if is_comma(join):
            items.append(current)
            current = _folded(text, join.this, ())
        else:
            current = _joined(text, current, join)
    items.append(current)
    result, *others = items
    for item in others:
        result = _beside(result, item)
    return result


def _beside(left: FromItem, item: FromItem) -> Joined:
    """Two items with a comma between: what may be lateral stands next to what it may name."""
    if isinstance(item, Joined) and item.kind not in ("right", "full") and _may_be_lateral(_leaf(item)):
        join = item.join
        if join is None or not (join.method or join.args.get("using")):
            return attrs.evolve(item, left=_beside(left, item.left))
    return Joined(left, item)


def _may_be_lateral(leaf: Tree) -> bool:
    return isinstance(leaf, exp.Unnest) or bool(leaf.args.get(LATERAL))


def _joined(text: Text, left: FromItem, join: exp.Join) -> Joined:
    refuse(text, join, {"this", "side", "kind", "method", "on", "using"})
    side, kind, method = join.side, join.kind, join.method
    if method not in ("", "NATURAL") or (side, kind) not in _KINDS:
        name = " ".join(word for word in (method, side, kind, "JOIN") if word)
        raise text.error(
            f"{name} is not supported yet", join, "INNER, CROSS, LEFT, RIGHT, FULL, SEMI and ANTI joins are"
        )
    conditions = [name for name in ("on", "using") if join.args.get(name)]
    if kind == "CROSS" or method:
        if conditions:
            raise text.error(f"a {method or kind} JOIN takes no {conditions[0].upper()}", join)
    elif not conditions:
        raise text.error(
            "JOIN needs a condition: ON or USING", join, "write CROSS JOIN where every row meets every row"
        )
    return Joined(left, _folded(text, join.this, ()), _KINDS[side, kind], join)


def qualify_from(
    text: Text,
    item: FromItem,
    relation: Callable[[Tree, Scope], Relation],
    condition: Callable[[Tree, Scope], None],
    beside: Scope = NOTHING,
) -> Scope:
    """Qualify a FROM clause in place.

    Args:
        text: where the clause stands.
        item: of `read_from`.
        relation: qualifies a relation's own tree, which may be able to name what stands to the left of it.
        condition: qualifies what follows ON, in place, by what it can name.
        beside: what stands to the left.

    Returns:
        What can be named afterwards.

    Raises:
        SqlError: two relations have one name, or a column of USING is not in both.
    """
    if not isinstance(item, Joined):
        return Scope.of(relation(item, beside))
    left = qualify_from(text, item.left, relation, condition, beside)
    right = qualify_from(text, item.right, relation, condition, left)
    taken = {each.alias for each in left.relations}
    for each in right.relations:
        if each.alias in taken:
            raise text.error(
                f"two tables in FROM are named {each.alias!r}",
                _leaf(item.right),
                "give one of them an alias: table AS name",
            )
    both = Scope((*left.relations, *right.relations), (*left.visible, *right.visible))
    join = item.join
    if join is None:
        return both
    merged = [_merge(text, name, left, right, item) for name in _shared(text, join, left, right)]
    if merged or join.method:
        join.set("method", None)
        join.set("using", None)
        join.set("on", exp.and_(*(each.equality for each in merged), copy=False) if merged else exp.true())
        gone = {id(each) for pair in merged for each in (pair.left, pair.right)}
        rest = tuple(each for each in both.visible if id(each) not in gone)
        both = Scope(both.relations, (*(each.visible for each in merged), *rest))
    elif (on := join.args.get("on")) is not None:
        # A wrapper, so that a condition that is itself replaced has a parent.
        join.set("on", exp.Paren(this=on))
        condition(join.args["on"], both)
    if item.kind in ("semi", "anti"):
        return left
    return both


def _shared(text: Text, join: exp.Join, left: Scope, right: Scope) -> list[exp.Identifier]:
    """The columns that NATURAL or USING makes one of."""
    if join.method == "NATURAL":
        names = {each.name for each in right.visible}
        shared = dict.fromkeys(each.name for each in left.visible if each.name in names)
        return [exp.to_identifier(name, quoted=True) for name in shared]
    named = [_named(each) for each in join.args.get("using") or ()]
    for place, one in enumerate(named):
        if any(one.name == other.name for other in named[:place]):
            raise text.error(f"column {one.name!r} stands twice in USING", one, "leave one of them out")
    return named


@attrs.frozen(eq=False)
class _Merged:
    left: Visible
    right: Visible
    visible: Visible
    equality: Tree


def _named(node: Tree) -> exp.Identifier:
    return cast(exp.Identifier, node.this if isinstance(node, exp.Column) else node)


def _merge(text: Text, name: exp.Identifier, left: Scope, right: Scope, item: Joined) -> _Merged:
    found = []
    for side, scope in (("left", left), ("right", right)):
        holders = scope.holders(text, name)
        if not holders:
            names = [each.name for each in scope.visible]
            raise text.error(f"no column {name.name!r} on the {side} of USING; {known(name.name, names)}", name)
        if len(holders) > 1:
            candidates = [f"{each.relation}.{each.name}" for each in holders]
            raise text.error(
                f"column {name.name!r} of USING is ambiguous on the {side}: {candidates}", name, "write ON instead"
            )
        found.append(holders[0])
    one, other = found
    equality = exp.EQ(this=one.tree.copy(), expression=other.tree.copy())
    equality.meta.update(name.meta)
    match item.kind:
        case "right":
            visible = attrs.evolve(other, name=one.name)
        case "full":
            tree = exp.Coalesce(this=one.tree.copy(), expressions=[other.tree.copy()])
            visible = Visible(f"{one.relation}, {other.relation}", one.name, tree)
        case _:
            visible = one
    return _Merged(one, other, visible, equality)


def _leaf(item: FromItem) -> Tree:
    while isinstance(item, Joined):
        item = item.left
    return item
