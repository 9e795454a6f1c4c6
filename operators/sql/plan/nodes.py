"""The logical plan: frozen nodes, each a table made of the tables under it. Knows neither SQL text nor operators.

The names of a node's columns are unique. What a node's columns are is `lowering.schema_of`'s.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

import attrs
import pyarrow as pa

from flow.durations import spelled
from flow.nodes import ErrorPolicy
from flow.schema import StreamSchema
from operators.aggregates import Aggregation
from operators.expressions import Expression
from operators.expressions.awaited import AsyncCall, AsyncFunction
from operators.values.order_words import Order

Emit = Literal["final", "changes"]


@attrs.frozen
class Scan:
    """A table as it comes in, by the name that the catalog gives it.

    Attributes:
        keys: sets of columns of which no two rows of the table have the same values, as declared or known.
        rows: about how many there are to read, where that is known.
    """

    table: str
    schema: StreamSchema
    keys: tuple[tuple[str, ...], ...] = ()
    rows: int | None = attrs.field(default=None, eq=False)


@attrs.frozen
class LookupTable(Scan):
    """A table that can only be asked for the row of a key, which is its only one: never part of a finished plan.

    Attributes:
        row: of the key's values, in the key's order: a struct of all columns, or NULL where there is no such row.
    """

    row: AsyncFunction = attrs.field(kw_only=True)


@attrs.frozen
class Values:
    """A table whose rows the query says."""

    table: pa.Table = attrs.field(hash=False)


WINDOW_COLUMNS: Final = ("window_start", "window_end")
"""Columns that the assignment of windows adds."""


@attrs.frozen
class AssignWindows:
    """Its input's rows, once for each window that they fall into, with ``window_start`` and ``window_end``.

    Durations are microseconds; windows tumble where `slide` equals `size`.
    """

    input: Plan
    column: str
    size: int
    slide: int


@attrs.frozen
class Filter:
    """The rows for which the predicate is true."""

    input: Plan
    predicate: Expression


@attrs.frozen
class Project:
    """Columns computed from its input's, row by row."""

    input: Plan
    columns: tuple[tuple[str, Expression], ...]


@attrs.frozen
class Window:
    """The windows by which an aggregate groups: its input's rows are assigned to them by their time column."""

    column: str
    size: int
    slide: int


@attrs.frozen
class Aggregate:
    """One row a group: the keys, then, where there is a window, its start and end, then the aggregates."""

    input: Plan
    keys: tuple[str, ...]
    aggregations: tuple[tuple[str, Aggregation], ...]
    emit: Emit
    window: Window | None = None


@attrs.frozen
class Distinct:
    """Each row once, when it first comes."""

    input: Plan


JoinKind = Literal["inner", "left", "right", "full", "semi", "anti"]


@attrs.frozen
class Join:
    """The pairs of rows that meet, and, by its kind, the rows of one side that meet none.

    Keys are pairs of columns, left and right, of equal type; without keys every row is tried with every row. A pair
    must satisfy the condition too. The columns are the left's, then the right's; of kinds semi and anti the left's; of
    them only those in `gives`, where it is not None.
    """

    left: Plan
    right: Plan
    kind: JoinKind = "inner"
    keys: tuple[tuple[str, str], ...] = ()
    condition: Expression | None = None
    null_safe: bool = False
    gives: tuple[str, ...] | None = None


@attrs.frozen
class Union:
    """The rows of all its inputs, whose columns are alike."""

    inputs: tuple[Plan, ...]


@attrs.frozen
class SetOperation:
    """The rows of the left that the right has too, or has not: each once, or, with `all`, as often as counting says."""

    left: Plan
    right: Plan
    kind: Literal["intersect", "except"]
    all: bool = False


@attrs.frozen
class TopN:
    """The first rows of its input, or of each key, in an order, without the `offset` very first.

    With `rank`, a column of that name numbers them from 1.
    """

    input: Plan
    order: tuple[Order, ...]
    limit: int | None = None
    offset: int = 0
    keys: tuple[str, ...] = ()
    rank: str | None = None


@attrs.frozen
class Unnest:
    """Its input's rows, each once for every element of lists in them: in place of the lists, the elements are columns.

    Attributes:
        lists: columns of the input, and what their elements are called.
        ordinality: a further column with the elements' numbers, from 1.
        outer: whether a row without any element stays, with NULLs.
    """

    input: Plan
    lists: tuple[tuple[str, str], ...]
    ordinality: str | None = None
    outer: bool = False

    @property
    def made(self) -> frozenset[str]:
        """The columns that its input has not."""
        return frozenset(name for _, name in self.lists) | ({self.ordinality} if self.ordinality else set())


@attrs.frozen
class AwaitCalls:
    """Its input's rows, with the values of async functions as further columns."""

    input: Plan
    calls: tuple[tuple[str, AsyncCall], ...]

    @property
    def made(self) -> frozenset[str]:
        """The columns that its input has not."""
        return frozenset(name for name, _ in self.calls)

    @property
    def on_error(self) -> ErrorPolicy:
        """What becomes of rows for which no call succeeds."""
        return next((call.function.on_error for _, call in self.calls if call.function.on_error != "fail"), "fail")


@attrs.frozen
class OnlyRow:
    """Its input's rows; it fails where, at the end, one of them has more than one row for a subquery's value.

    Attributes:
        rows: the column that says how many.
        value: the column of the value.
    """

    input: Plan
    rows: str
    value: str


Plan = (
    Scan
    | Values
    | AssignWindows
    | Filter
    | Project
    | Aggregate
    | Distinct
    | Join
    | Union
    | SetOperation
    | TopN
    | Unnest
    | AwaitCalls
    | OnlyRow
)

INPUTS: Final = frozenset({"input", "left", "right", "inputs"})
"""The attributes of nodes that are tables under them."""


def inputs_of(plan: Plan) -> tuple[Plan, ...]:
    """The tables that a node is made of."""
    match plan:
        case Scan() | Values():
            return ()
        case Join() | SetOperation():
            return plan.left, plan.right
        case Union():
            return plan.inputs
        case _:
            return (plan.input,)


def with_inputs(plan: Plan, inputs: tuple[Plan, ...]) -> Plan:
    """The same node over other tables."""
    match plan:
        case Scan() | Values():
            return plan
        case Join() | SetOperation():
            return attrs.evolve(plan, left=inputs[0], right=inputs[1])
        case Union():
            return attrs.evolve(plan, inputs=inputs)
        case _:
            return attrs.evolve(plan, input=inputs[0])


def walk(plan: Plan) -> Iterator[Plan]:
    """The node and all under it."""
    yield plan
    for part in inputs_of(plan):
        yield from walk(part)


def describe(plan: Plan, depth: int = 0) -> str:
    """The plan as an indented tree, one node a line."""
    return "\n".join([f"{'  ' * depth}{headline(plan)}", *(describe(part, depth + 1) for part in inputs_of(plan))])


def headline(plan: Plan) -> str:
    """A node in one line, without what is under it."""
    match plan:
        case Scan():
            detail = plan.table
        case AssignWindows():
            detail = f"{plan.column}, {_windows(plan)}"
        case Filter():
            detail = str(plan.predicate)
        case Project():
            detail = ", ".join(f"{expression} AS {name}" for name, expression in plan.columns)
        case Aggregate():
            by = [
                *plan.keys,
                *([_windows(plan.window)] if plan.window else []),
            ]
            detail = f"by [{', '.join(by)}], {', '.join(name for name, _ in plan.aggregations)}, emit {plan.emit}"
        case Join():
            sign = "IS NOT DISTINCT FROM" if plan.null_safe else "="
            on = [f"{left} {sign} {right}" for left, right in plan.keys]
            if plan.condition is not None:
                on.append(str(plan.condition))
            detail = f"{plan.kind}, on {' and '.join(on)}" if on else plan.kind
        case Values():
            named = ", ".join(name for name in plan.table.column_names if name)
            detail = f"{plan.table.num_rows} rows of {named}" if named else "one row"
        case SetOperation():
            detail = f"{plan.kind}{' all' if plan.all else ''}"
        case TopN():
            detail = _top_n(plan)
        case AwaitCalls():
            detail = ", ".join(f"{call} AS {name}" for name, call in plan.calls)
        case Unnest():
            lists = ", ".join(f"{column} AS {name}" for column, name in plan.lists)
            number = f", numbered as {plan.ordinality}" if plan.ordinality else ""
            detail = f"{'outer, ' if plan.outer else ''}{lists}{number}"
        case _:
            detail = ""
    return f"{type(plan).__name__}{f'({detail})' if detail else ''}"


def _windows(plan: AssignWindows | Window) -> str:
    every = "" if plan.slide == plan.size else f" every {spelled(plan.slide)}"
    return f"windows of {spelled(plan.size)}{every}"


def _top_n(plan: TopN) -> str:
    directions = {False: "", True: " DESC"}
    nulls = {None: "", False: " NULLS LAST", True: " NULLS FIRST"}
    order = [f"{each.column}{directions[each.descending]}{nulls[each.nulls_first]}" for each in plan.order]
    parts = [
        *([f"of each [{', '.join(plan.keys)}]"] if plan.keys else []),
        *([f"order by {', '.join(order)}"] if order else []),
        *([f"limit {plan.limit}"] if plan.limit is not None else []),
        *([f"offset {plan.offset}"] if plan.offset else []),
        *([f"numbered as {plan.rank}"] if plan.rank else []),
    ]
    return ", ".join(parts)
