"""Join: the pairs of rows of two streams that belong together, kept up to date under changes of both.

Put together, the changes that have come out are at any time the join of the rows that have come in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final, Literal, get_args

import attrs
import pyarrow as pa

from flow.errors import GraphError, known
from flow.graph import Stream
from flow.hashing import hash_columns
from flow.nodes import ErrorPolicy
from flow.operator import Kept, Operator, Partition, PartitionContext
from flow.router import BROADCAST
from flow.schema import WEIGHT, StreamSchema, changelog_of
from flow.verbs import verb
from operators.aggregates.columns import plain_type
from operators.aggregates.layout import apart
from operators.expressions import Expression, bind_condition, coalesce, col, expression
from operators.expressions.type_names import type_text
from operators.joining.input import Input, kept_type
from operators.joining.partition import JoinPartition
from operators.project import Project
from operators.routing import keyed

JoinKind = Literal["inner", "left", "right", "full", "semi", "anti"]

_SHOWN: Final[dict[str, tuple[int, int]]] = {
    "inner": (0, 0),
    "left": (-1, 0),
    "right": (0, -1),
    "full": (-1, -1),
    "semi": (1, 0),
    "anti": (-1, 0),
}

_EARLY: Final[dict[str, tuple[str, ...]]] = {
    "inner": ("left", "right"),
    "left": ("right",),
    "right": ("left",),
    "full": (),
    "semi": ("left", "right"),
    "anti": ("right",),
}
"""The sides of which one had better come first: less is kept then, and less of what comes out is taken back."""


_FEWER_ROWS: Final = (
    "let fewer rows come to it (filter them, or aggregate them, before), or let one side be a table that ends: from "
    "then on the other's rows are not kept"
)


_MAY_BE_BROADCAST: Final[dict[str, tuple[str, ...]]] = {
    "inner": ("left", "right"),
    "left": ("right",),
    "right": ("left",),
    "full": (),
    "semi": ("right",),
    "anti": ("right",),
}
"""The sides of which no row comes out alone: every partition would put it out."""


def _pairs(keys: Iterable[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((left, right) for left, right in keys)


def _condition(value: Any) -> Expression | None:
    return None if value is None else expression(value)


@attrs.frozen
class Join(Operator):
    """Pairs of rows of its two ports, equal in the keys and satisfying the condition.

    ``left``, ``right`` and ``full`` joins also give the rows of that side (of both) that have no partner, with NULLs
    for the other side's columns; ``semi`` gives the left's rows that have a partner, ``anti`` those that have none.
    Both ports must be divided by the keys, in their order; or one of them is broadcast, and the other, which must be
    append-only then, is divided as it likes.

    The state is the rows of both sides, for ever, or until the other side ends where they wait for nothing else; of a
    semi or anti join without condition, only the left's rows, and the number of the right's by key. Columns come out
    in a dictionary where strings come in one, else plain.

    Attributes:
        kind: which rows come out.
        keys: pairs of a column of the left and one of the right that must be equal (none: every row meets every row).
        condition: over the columns of both sides, what a pair must satisfy too.
        null_safe: whether NULL keys equal each other; else rows with a NULL key have no partner.
        broadcast: the side of which every partition gets every row.
        gives: the columns that come out, of those that would; None gives all.
        single: whether there is one partition: where there is no key, and nothing is broadcast.
    """

    kind: JoinKind = attrs.field()
    keys: tuple[tuple[str, str], ...] = attrs.field(default=(), converter=_pairs)
    condition: Expression | None = attrs.field(default=None, converter=_condition)
    null_safe: bool = False
    broadcast: Literal["left", "right"] | None = attrs.field(default=None)
    gives: tuple[str, ...] | None = None
    single: bool = attrs.field(init=False, repr=False, eq=False)
    takes_back: str = attrs.field(init=False, repr=False, eq=False)
    early: tuple[str, ...] = attrs.field(init=False, repr=False, eq=False)

    ports = ("left", "right")
    timed = False
    vectorised = True

    @single.default
    def _single(self) -> bool:
        return not self.keys and self.broadcast is None

    @early.default
    def _early(self) -> tuple[str, ...]:
        return _EARLY.get(self.kind, ()) if self.broadcast is None else (self.broadcast,)

    @takes_back.default
    def _taken_back(self) -> str:
        if self.kind in ("semi", "anti"):
            return f"({self.kind} join) takes rows back when a partner comes or goes"
        return f"({self.kind} join) takes back the row without partner once a partner comes"

    @kind.validator
    def _known_kind(self, attribute: attrs.Attribute[str], value: str) -> None:
        if value not in get_args(JoinKind):
            raise GraphError(f"no kind of join {value!r}; {known(str(value), get_args(JoinKind))}")

    @broadcast.validator
    def _rightly_broadcast(self, attribute: attrs.Attribute[str], value: str | None) -> None:
        if value is not None and not can_be_broadcast(self.kind, value):
            raise GraphError(
                f"the {value} side of a {self.kind} join cannot be broadcast: its rows come out without partner, and "
                f"every partition would put them out; sides that can be: {list(_MAY_BE_BROADCAST[self.kind])}"
            )

    @property
    def paired(self) -> bool:
        """Whether pairs come out; else rows of the left only."""
        return self.kind not in ("semi", "anti")

    def output(self, inputs: Mapping[str, StreamSchema]) -> StreamSchema:
        """The left's columns, then, where pairs come out, the right's; raises GraphError where they do not fit."""
        left, right = (inputs[port] for port in self.ports)
        for mine, theirs in self.keys:
            kinds = [_key_type(left, mine, "left"), _key_type(right, theirs, "right")]
            if kinds[0] != kinds[1]:
                raise GraphError(
                    f"keys must be of one type: {mine!r} is {kinds[0]}, {theirs!r} is {kinds[1]}: cast one"
                )
            _check_hashable(mine, kinds[0], "cannot be a key")
        both = sorted(set(left.names) & set(right.names))
        if both and (self.paired or self.condition is not None):
            raise GraphError(f"column names must be unique among both sides; on both are: {both}; rename them on one")
        for schema in (left, right):
            for name in schema.names if schema.changelog else ():
                _check_hashable(name, schema.column_type(name), "cannot be told apart when rows are taken back")
        if self.broadcast is not None and (right if self.broadcast == "left" else left).changelog:
            raise GraphError(
                f"the {self.broadcast} side is broadcast, so the other must be append-only: a row could be taken back "
                "in another partition than it is in"
            )
        if self.condition is not None:
            bind_condition(self.condition, pa.schema([*_fields(left), *_fields(right)]))
        columns = pa.schema([*_fields(left), *(_fields(right) if self.paired else ())])
        if self.gives is not None:
            for name in self.gives:
                if name not in columns.names:
                    raise GraphError(f"no column {name!r} to give; {known(name, columns.names)}")
            columns = pa.schema([field for field in columns if field.name in self.gives])
        appends = self.kind in ("inner", "semi") and not left.changelog and not right.changelog
        return StreamSchema(columns if appends else changelog_of(columns))

    def keeps(self, inputs: Mapping[str, StreamSchema]) -> Kept | None:
        """The rows of both sides, or of the left, with how many of the right there are."""
        if self.broadcast is not None:
            kept = f"every row of the {self.broadcast} side in each partition, of the other until it ends"
            return Kept(kept, "rows", _FEWER_ROWS)
        if self.paired or self.condition is not None:
            return Kept("every row of both sides, of each until the other has ended", "rows", _FEWER_ROWS)
        return Kept("every row of the left side, and the number of the right's by key", "rows", _FEWER_ROWS)

    def open(self, context: PartitionContext) -> Partition:
        """As `Operator.open`."""
        left, right = (self._input(side, context.inputs) for side in (0, 1))
        bound = None
        if self.condition is not None:
            asked = [
                pa.field(given.columns[i], plain_type(given.kinds[i])) for given in (left, right) for i in given.asked
            ]
            bound = bind_condition(self.condition, pa.schema(asked))
        whole_side = None if self.broadcast is None else self.ports.index(self.broadcast)
        return JoinPartition(
            (left, right),
            self.output(context.inputs).columns,
            self.paired,
            self.null_safe,
            bound,
            elsewhere=None if context.partition == 0 else whole_side,
            everywhere=whole_side,
        )

    def _input(self, side: int, inputs: Mapping[str, StreamSchema]) -> Input:
        schema, other = inputs[self.ports[side]], inputs[self.ports[1 - side]]
        read = frozenset[str]() if self.condition is None else self.condition.columns
        whole = self.paired or side == 0
        given = self._given(schema) if whole else frozenset[str]()
        if self.paired:
            # A key that comes out of the other side is as well taken from the rows of this one that it meets.
            given_there = self._given(other)
            met = {pair[side] for pair in self.keys if pair[1 - side] in given_there}
        else:
            met = set()
        names = [name for name in schema.names if name in given or name in read or name in met]
        keys = [pair[side] for pair in self.keys]
        return Input(
            keys=keys,
            key_kinds=[plain_type(schema.column_type(key)) for key in keys],
            columns=names,
            kinds=[kept_type(schema.column_type(name)) for name in names],
            given=[place for place, name in enumerate(names) if name in given],
            asked=[place for place, name in enumerate(names) if name in read],
            changelog=schema.changelog,
            shown=_SHOWN[self.kind][side],
            kept=whole or self.condition is not None,
        )

    def _given(self, schema: StreamSchema) -> frozenset[str]:
        names = frozenset(schema.names)
        return names if self.gives is None else names.intersection(self.gives)

    def needs(self, wanted: frozenset[str]) -> Mapping[str, frozenset[str]]:
        """What is wanted, the keys, and what the condition reads."""
        read = frozenset[str]() if self.condition is None else self.condition.columns
        wanted = wanted if self.gives is None else wanted.intersection(self.gives)
        left = wanted | read | {key for key, _ in self.keys}
        right = (wanted if self.paired else frozenset()) | read | {key for _, key in self.keys}
        return {"left": left - {WEIGHT}, "right": right - {WEIGHT}}


def can_be_broadcast(kind: JoinKind, side: str) -> bool:
    """Whether every partition of a join of this kind may have all rows of a side."""
    return side in _MAY_BE_BROADCAST[kind]


def _fields(schema: StreamSchema) -> list[pa.Field]:
    fields = [pa.field(name, kept_type(schema.column_type(name))) for name in schema.names]
    for field in fields:
        if not _can_be_taken(field.type):
            raise GraphError(f"rows with columns of type {field.type} cannot be joined: cast {field.name!r} first")
    return fields


@cache
def _can_be_taken(kind: pa.DataType) -> bool:
    """Whether rows of a type can be picked by their numbers, which Arrow tells by trying."""
    try:
        pa.nulls(0, kind).take(pa.array([], pa.int64()))
    except pa.ArrowNotImplementedError:
        return False
    return True


def _key_type(schema: StreamSchema, key: str, side: str) -> pa.DataType:
    if key not in schema.names:
        raise GraphError(f"no key column {key!r} on the {side}; {known(key, schema.names)}")
    return plain_type(schema.column_type(key))


def _check_hashable(name: str, kind: pa.DataType, why: str) -> None:
    try:
        hash_columns([pa.nulls(0, kind)])
    except TypeError as error:
        raise GraphError(f"column {name!r} of type {type_text(kind)} {why}: cast it") from error


Keys = str | Iterable[str | tuple[str, str]] | Mapping[str, str]
"""One column that both sides have, several of them, pairs of a left and a right column, or a mapping of such pairs."""


@verb
def join(
    stream: Stream,
    other: Stream,
    *,
    on: Keys = (),
    kind: JoinKind = "inner",
    condition: Any = None,
    null_safe: bool = False,
    broadcast: bool = False,
    prefix: str | None = None,
    name: str | None = None,
    partitions: int | None = None,
    on_error: ErrorPolicy = "fail",
) -> Stream:
    """Join another stream: ``orders.join(customers, on={"customer": "id"}, kind="left")``.

    A key that has the same name on both sides comes out once, from whichever side has the row.

    Args:
        stream: the left side.
        other: the right side.
        on: the keys, by which rows are divided here unless `key_by` did it (none: every row meets every row).
        kind: ``inner``, ``left``, ``right``, ``full``, ``semi`` or ``anti``.
        condition: over the columns of both sides, what a pair must satisfy too.
        null_safe: whether NULL keys equal each other.
        broadcast: whether every partition gets all rows of the other stream, so that this one stays where it is; for
            a small table, and kinds ``inner``, ``left``, ``semi`` and ``anti``.
        prefix: put before the names of those of the right's columns that the left has too, in the condition as well.
        name: of the node.
        partitions: how many instances.
        on_error: what becomes of rows for which the condition cannot be computed; where rows may be taken back, only
            of conditions that can be computed for all.

    Raises:
        GraphError: a key is missing or of another type than its partner, both sides have a column of one name, or the
            other stream cannot be broadcast.
    """
    pairs = _named(on)
    paired = kind not in ("semi", "anti")
    merged = [left for left, right in pairs if left == right]
    if not paired and condition is None:
        renamed: dict[str, str] = {}
    else:
        renamed = _renamed(stream.schema.names, other.schema.names, merged, prefix)
    for _, right in pairs:
        _key_type(other.schema, right, "right")
    if renamed:
        other = other.apply(Project([(renamed.get(each, each), each) for each in other.schema.names]))
    keys = [(left, renamed.get(right, right)) for left, right in pairs]
    if broadcast and condition is not None and on_error != "fail":
        raise GraphError(
            f"on_error={on_error!r} would give a broadcast row up in the partitions where the condition cannot be "
            "computed for it, and keep it in the others: leave out broadcast, on_error or the condition"
        )
    if on_error != "fail" and (stream.schema.changelog or other.schema.changelog):
        _refuse_changes(_condition(condition), stream.schema, other.schema, on_error)
    if broadcast:
        mine, theirs = stream, other.route(BROADCAST)
    else:
        mine = _divided(stream, tuple(left for left, _ in keys))
        theirs = _divided(other, tuple(right for _, right in keys))
    joined = mine.apply(
        Join(kind, keys, condition, null_safe, "right" if broadcast else None),
        name=name if not (paired and merged) else None,
        partitions=partitions,
        on_error=on_error,
        right=theirs,
    )
    if not (paired and merged):
        return joined
    spare = {renamed[key]: key for key in merged}
    values: dict[str, Any] = {each: each for each in joined.schema.names if each not in spare}
    for copy, key in spare.items():
        if kind in ("right", "full"):
            values[key] = copy if kind == "right" else coalesce(col(key), col(copy))
    shown = joined.apply(Project(values.items(), frozenset(joined.schema.columns.names)), name=name)
    return attrs.evolve(shown, rejecting=joined.name)


def _refuse_changes(
    condition: Expression | None, left: StreamSchema, right: StreamSchema, on_error: ErrorPolicy
) -> None:
    """Raise where a pair may be at fault whose rows may be taken back: it depends on the other side which rows are."""
    if condition is None or bind_condition(condition, pa.schema([*_fields(left), *_fields(right)])).root.total:
        return
    raise GraphError(
        f"on_error={on_error!r} would give up rows for which the condition cannot be computed, and lose track of them: "
        "once the row of the other side has gone, taking them back would subtract what was never added; compute what "
        "can fail in a column before the join, by with_columns(..., on_error=...)"
    )


def _named(on: Keys) -> list[tuple[str, str]]:
    if isinstance(on, str):
        return [(on, on)]
    if isinstance(on, Mapping):
        return list(on.items())
    return [(key, key) if isinstance(key, str) else (key[0], key[1]) for key in on]


def _renamed(left: list[str], right: list[str], merged: list[str], prefix: str | None) -> dict[str, str]:
    """New names of the right's columns, such that none is the left's."""
    both = [each for each in right if each in left]
    ambiguous = [each for each in both if each not in merged]
    if ambiguous and prefix is None:
        raise GraphError(
            f"both sides have columns {ambiguous}: name one side's anew by prefix='right_' or rename(...), "
            "or join on them"
        )
    names = {each: f"{prefix}{each}" for each in ambiguous}
    for name in names.values():
        if name in left or name in right:
            raise GraphError(f"with the prefix {prefix!r} there would be two columns {name!r}; choose another prefix")
    copies = [each for each in both if each in merged]
    taken = [*left, *right, *names.values()]
    return names | dict(zip(copies, apart(taken, [f"_right_{each}" for each in copies]), strict=True))


def _divided(stream: Stream, keys: tuple[str, ...]) -> Stream:
    divided, routed = keyed(stream, keys)
    if routed != keys:
        raise GraphError(
            f"{stream.name!r} is divided by {list(routed)}; both sides of a join are divided by all its keys, in one "
            f"order: {list(keys)}; leave key_by out"
        )
    return divided
