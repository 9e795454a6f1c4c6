"""How joins are made: which conditions become keys, which go down to a side, and in what order tables are joined.

No condition goes down to a side that gets NULLs for rows without partner, and none overtakes one that stays behind,
unless it cannot fail.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Protocol

import attrs
import pyarrow as pa

from flow.hashing import hash_columns
from operators.aggregates.columns import plain_type
from operators.expressions import Call, Cast, Column, Expression, Literal
from operators.expressions.functions.comparison import comparable
from operators.expressions.types import Argument, common, logical
from operators.sql.optimising.join_order import JoinOrder, size_known
from operators.sql.plan import nodes as p
from operators.sql.plan.conditions import all_of, factored, filtered, implied, parts_of, rejects_nulls, total, volatile
from operators.sql.plan.operators import schema_of


class Pushing(Protocol):
    """What takes conditions further down."""

    def push(self, plan: p.Plan, conditions: tuple[Expression, ...]) -> p.Plan:
        """A plan with conditions on its rows, each as far down as it can go."""
        ...

    def apart(self, plan: p.Plan) -> bool:
        """Whether a plan must stay as it is, for others use it as well."""
        ...


_EQUALITIES: Final = {"=": False, "is not distinct from": True}
"""Functions by which keys are compared, and whether NULLs are equal by them."""

_PRESERVED: Final[dict[p.JoinKind, tuple[bool, bool]]] = {
    "inner": (True, True),
    "left": (True, False),
    "right": (False, True),
    "full": (False, False),
    "semi": (True, False),
    "anti": (True, False),
}
"""Which sides' rows come out as they are, so that conditions on the result are conditions on them."""

_NARROWED: Final[dict[tuple[p.JoinKind, bool, bool], p.JoinKind]] = {
    ("left", False, True): "inner",
    ("left", True, True): "inner",
    ("right", True, False): "inner",
    ("right", True, True): "inner",
    ("full", True, True): "inner",
    ("full", True, False): "left",
    ("full", False, True): "right",
}
"""What is left of an outer join where rows whose left, or right, columns are all NULL are not wanted."""


@attrs.frozen
class _Key:
    left: Expression
    right: Expression
    null_safe: bool


def join(left: p.Plan, right: p.Plan, kind: p.JoinKind, conditions: Sequence[Expression]) -> p.Plan:
    """The join of two tables ON conditions over the columns of both, whose names are unique among both.

    Columns may be added to those of the two: keys that had to be computed.
    """
    if kind == "inner":
        return _filters(p.Join(left, right), conditions)
    names = _names(left), _names(right)
    schema = _columns_of(left, right)
    keys: list[_Key] = []
    rest: list[Expression] = []
    for condition in conditions:
        if condition == Literal(True):
            continue
        used = condition.columns
        movable = not volatile(condition) and (not rest or total(condition, schema))
        if movable and used and used <= names[1] and kind in ("left", "semi", "anti"):
            right = p.Filter(right, condition)
        elif movable and used and used <= names[0] and kind in ("right", "semi"):
            left = p.Filter(left, condition)
        elif movable and (key := _key(condition, *names, schema)):
            keys.append(key)
        else:
            rest.append(condition)
    return _built(left, right, kind, keys, rest)


def push_join(plan: p.Join, conditions: tuple[Expression, ...], pushing: Pushing) -> p.Plan:
    """A join with conditions on its rows: both sides rewritten, inner joins in an order that finds keys."""
    left, right = _names(plan.left), _names(plan.right)
    rejected = [any(rejects_nulls(each, names) for each in conditions) for names in (left, right)]
    kind = _NARROWED.get((plan.kind, rejected[0], rejected[1]), plan.kind)
    if kind == "inner":
        # The copy is nobody else's, unlike the joins in it.
        relations, own = _flattened(attrs.evolve(plan, kind="inner"), pushing)
        return _ordered(relations, (*own, *conditions), pushing)
    schema = schema_of(plan).columns
    preserved = _PRESERVED[kind]
    sides: tuple[list[Expression], list[Expression]] = ([], [])
    above: list[Expression] = []
    for condition in conditions:
        movable = not volatile(condition) and (not above or total(condition, schema))
        if movable and preserved[0] and condition.columns and condition.columns <= left:
            sides[0].append(condition)
        elif movable and preserved[1] and condition.columns and condition.columns <= right:
            sides[1].append(condition)
        else:
            above.append(condition)
    plan = attrs.evolve(
        plan,
        kind=kind,
        left=_same(plan.left, pushing.push(plan.left, (*sides[0],))),
        right=_same(plan.right, pushing.push(plan.right, (*sides[1],))),
    )
    return filtered(plan, above)


def _filters(plan: p.Plan, conditions: Iterable[Expression]) -> p.Plan:
    for condition in conditions:
        plan = p.Filter(plan, condition)
    return plan


def _names(plan: p.Plan) -> frozenset[str]:
    return frozenset(schema_of(plan).names)


def _columns_of(*plans: p.Plan) -> pa.Schema:
    """The columns of several tables as those of one."""
    schemas = [schema_of(plan) for plan in plans]
    return pa.schema([schema.columns.field(name) for schema in schemas for name in schema.names])


def _same(before: p.Plan, after: p.Plan) -> p.Plan:
    """The rewritten table without columns that were added to it: two tables might have been given the same."""
    names = schema_of(before).names
    return after if schema_of(after).names == names else p.Project(after, tuple((name, Column(name)) for name in names))


def _flattened(plan: p.Plan, pushing: Pushing) -> tuple[list[p.Plan], tuple[Expression, ...]]:
    """The tables of nested inner joins, and the conditions of these in the order in which they are evaluated."""
    match plan:
        case p.Join() | p.Filter() if pushing.apart(plan):
            pass
        case p.Join(kind="inner"):
            left, on_left = _flattened(plan.left, pushing)
            right, on_right = _flattened(plan.right, pushing)
            sign = "is not distinct from" if plan.null_safe else "="
            keys = (Call(sign, (Column(one), Column(other))) for one, other in plan.keys)
            return left + right, (*on_left, *on_right, *keys, *parts_of(plan.condition))
        case p.Filter():
            relations, conditions = _flattened(plan.input, pushing)
            if len(relations) > 1:
                return relations, (*conditions, plan.predicate)
    return [plan], ()


def _ordered(relations: list[p.Plan], conditions: Sequence[Expression], pushing: Pushing) -> p.Plan:
    """The inner join of tables under conditions: those first of which few rows come, where that is known.

    Else as written, but a table to which no key leads waits for one.
    """
    schema = _columns_of(*relations)
    names = [_names(relation) for relation in relations]
    own: list[list[Expression]] = [[] for _ in relations]
    between: list[Expression] = []
    above: list[Expression] = []
    blocked = False
    for condition in (part for each in conditions for part in _parts(each, schema)):
        used = condition.columns
        movable = bool(used) and not volatile(condition) and (not blocked or total(condition, schema))
        home = next((index for index, columns in enumerate(names) if used <= columns), None)
        if movable and home is not None:
            own[home].append(condition)
            continue
        if not volatile(condition):
            known = (implied(condition, columns, schema) for columns in names)
            own = [each if more is None else [*each, more] for each, more in zip(own, known, strict=True)]
        if movable and (_equality(condition) or total(condition, schema)):
            between.append(condition)
            blocked = blocked or not _equality(condition)
        else:
            above.append(condition)
            blocked = True
    parts = [_same(each, pushing.push(each, (*conditions,))) for each, conditions in zip(relations, own, strict=True)]
    groups: list[p.Plan] = []
    sizes = [size for part in parts if (size := size_known(part)) is not None]
    if len(parts) > 2 and len(sizes) == len(parts):
        order = JoinOrder(list(map(_names, parts)), sizes, _equal(between, schema))
        while (pair := order.next()) is not None:
            first, then = pair
            parts[first], between = _met(parts[first], parts.pop(then), between, schema)
    while parts:
        current = parts.pop(0)
        while (index := _reachable(current, parts, between, schema)) is not None:
            current, between = _met(current, parts.pop(index), between, schema)
        groups.append(current)
    result, *others = groups
    for other in others:
        result, between = _met(result, other, between, schema)
    return filtered(result, [*between, *above])


def _parts(condition: Expression, schema: pa.Schema) -> tuple[Expression, ...]:
    """Conditions that are true together where this one is; AND is only taken apart where no part can fail."""
    if volatile(condition):
        return (condition,)
    parts = parts_of(condition) if total(condition, schema) else (condition,)
    return tuple(part for each in parts for part in factored(each, schema))


def _equality(condition: Expression) -> bool:
    return isinstance(condition, Call) and condition.function in _EQUALITIES


def _equal(conditions: Sequence[Expression], schema: pa.Schema) -> list[tuple[Expression, Expression]]:
    """What must be equal to what, of the conditions that can be keys of a join."""
    pairs = [each.arguments for each in conditions if isinstance(each, Call) and _key(each, *_sides(each), schema)]
    return [(one, other) for one, other in pairs]


def _sides(condition: Call) -> tuple[frozenset[str], frozenset[str]]:
    return condition.arguments[0].columns, condition.arguments[-1].columns


def _reachable(
    current: p.Plan, parts: Sequence[p.Plan], conditions: Sequence[Expression], schema: pa.Schema
) -> int | None:
    """The first of the other tables that has a key in common with this one."""
    here = _names(current)
    for index, part in enumerate(parts):
        there = _names(part)
        if any(_key(condition, here, there, schema) for condition in conditions):
            return index
    return None


def _met(
    left: p.Plan, right: p.Plan, conditions: Sequence[Expression], schema: pa.Schema
) -> tuple[p.Plan, list[Expression]]:
    """The inner join of two tables by what is known of both, and the conditions that are left for later."""
    here, there = _names(left), _names(right)
    keys: list[_Key] = []
    rest: list[Expression] = []
    later: list[Expression] = []
    for condition in conditions:
        if key := _key(condition, here, there, schema):
            keys.append(key)
        else:
            (rest if condition.columns <= here | there else later).append(condition)
    return _built(left, right, "inner", keys, rest, schema.names), later


def _key(condition: Expression, left: frozenset[str], right: frozenset[str], schema: pa.Schema) -> _Key | None:
    """The condition as a key of a join, with both expressions in one type; None where it is none."""
    if not isinstance(condition, Call) or condition.function not in _EQUALITIES or volatile(condition):
        return None
    one, other = condition.arguments
    if one.columns <= right and other.columns <= left:
        one, other = other, one
    if not (one.columns and other.columns and one.columns <= left and other.columns <= right):
        return None
    kinds = [expression.bind(schema).type for expression in (one, other)]
    if plain_type(kinds[0]) != plain_type(kinds[1]):
        meeting = common([Argument(logical(kind)) for kind in kinds])
        if meeting is None or not comparable(meeting):
            return None
        one, other = (
            expression if plain_type(kind) == meeting else Cast(expression, meeting)
            for expression, kind in zip((one, other), kinds, strict=True)
        )
        kinds = [meeting, meeting]
    try:
        hash_columns([pa.nulls(0, plain_type(kinds[0]))])
    except TypeError:
        return None
    return _Key(one, other, _EQUALITIES[condition.function])


def _built(
    left: p.Plan,
    right: p.Plan,
    kind: p.JoinKind,
    keys: Sequence[_Key],
    rest: Sequence[Expression],
    elsewhere: Iterable[str] = (),
) -> p.Plan:
    """The join by these keys and conditions; those that treat NULLs otherwise become conditions.

    Columns of tables that will be joined later have the names `elsewhere`.
    """
    null_safe = bool(keys) and all(key.null_safe for key in keys)
    taken = {*_names(left), *_names(right), *elsewhere}
    sides = _Keyed(left, taken), _Keyed(right, taken)
    pairs: list[tuple[str, str]] = []
    conditions: list[Expression] = []
    for key in keys:
        met = any(one == sides[0].known(key.left) or other == sides[1].known(key.right) for one, other in pairs)
        if met or key.null_safe != null_safe:
            sign = "is not distinct from" if key.null_safe else "="
            conditions.append(Call(sign, (key.left, key.right)))
        else:
            pairs.append((sides[0].named(key.left), sides[1].named(key.right)))
    left, right = (side.plan() for side in sides)
    schema = _columns_of(left, right)
    return p.Join(left, right, kind, tuple(pairs), all_of([*conditions, *rest], schema), null_safe)


class _Keyed:
    """A side of a join, given a column for each key that is computed."""

    def __init__(self, plan: p.Plan, taken: set[str]) -> None:
        self._plan = plan
        self._taken = taken
        self._computed: dict[Expression, str] = {}

    def known(self, key: Expression) -> str | None:
        """The column of a key, if it has one."""
        return key.name if isinstance(key, Column) else self._computed.get(key)

    def named(self, key: Expression) -> str:
        """The column of a key."""
        known = self.known(key)
        if known is not None:
            return known
        number = 1
        while (name := f"__key{number}") in self._taken:
            number += 1
        self._taken.add(name)
        self._computed[key] = name
        return name

    def plan(self) -> p.Plan:
        """The side with the columns."""
        if not self._computed:
            return self._plan
        columns = [(name, Column(name)) for name in schema_of(self._plan).names]
        return p.Project(self._plan, (*columns, *((name, key) for key, name in self._computed.items())))
