"""Grouping: which columns are keys, which aggregates are computed, and what a SELECT may say about groups.

Over an aggregate, a key is a column and an aggregate is a column; nothing else is left to speak of.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from operators.aggregates import Aggregation
from operators.expressions import Column
from operators.sql.expressions.aggregate_calls import AggregateReader
from operators.sql.expressions.reader import ExpressionReader, bare
from operators.sql.grammar.dialect import Tree, exp, render
from operators.sql.optimising.windows import Lifted, lift_windows
from operators.sql.plan import nodes as p
from operators.sql.plan.operators import schema_of
from operators.sql.planning.grouping_sets import Marked, grouped, sets_of
from operators.sql.planning.rows import Rows, checked, column_in_place

_MARKS: Final = exp.Grouping | exp.GroupingId
"""Calls of grouping(), which are aggregates to the parser."""

GROUPED: Final = "__groups"
"""The relation that columns of an aggregate belong to."""


class Grouping:
    """The aggregation of one SELECT.

    Args:
        rows: what is grouped.
        keys: what follows GROUP BY: keys, and sets of them.
        calls: the aggregates that the query mentions.
        outputs: its projections and their names; keys and aggregates take these names where they can.
    """

    def __init__(
        self, rows: Rows, keys: Sequence[Tree], calls: Sequence[Tree], outputs: Sequence[tuple[Tree, str]]
    ) -> None:
        self._text = rows.text
        self._input = rows.plan
        self._schema = schema_of(rows.plan)
        self._columns = rows.columns
        self._reader = ExpressionReader(self._text, self._schema.columns, self._columns)
        self._outputs = outputs
        self._taken = set(self._schema.names) | set(p.WINDOW_COLUMNS)
        self._sets = sets_of(self._text, keys)
        self._keys = self._named([key for each in self._sets for key in each], "__key")
        self._calls = self._named([call for call in calls if not isinstance(call, _MARKS)], "__aggregate")
        self._marks = self._named([call for call in calls if isinstance(call, _MARKS)], "__grouping")
        self._results: dict[str, str] = {}

    def plan(self, emit: p.Emit | None) -> p.Plan:
        """The aggregate; without `emit`, windows give out final results and everything else gives out changes.

        Raises:
            SqlError: a key or an aggregate does not fit the table.
        """
        computed = tuple((name, self._reader.read(key)) for key, name in self._keys if not isinstance(key, exp.Column))
        aggregates = AggregateReader(self._text, self._schema.columns, self._reader)
        aggregations = tuple((name, aggregates.read(call)) for call, name in self._calls)
        source = self._input
        keys = tuple(name for _, name in self._keys)
        if computed:
            used = {*keys, *p.WINDOW_COLUMNS}.union(*(aggregation.columns for _, aggregation in aggregations))
            kept = [name for name in self._schema.names if name in used or name == self._schema.event_time]
            source = p.Project(source, (*((name, Column(name)) for name in kept), *computed))
        lifted = lift_windows(source, keys)
        if lifted is not None:
            return self._over_windows(lifted, keys, aggregations, emit or "final")
        made = grouped(source, keys, self._sets_of_names(), aggregations, self._marked(), emit or "changes")
        return checked(self._text, made, self._first_key)

    def _over_windows(
        self, lifted: Lifted, keys: tuple[str, ...], aggregations: tuple[tuple[str, Aggregation], ...], emit: p.Emit
    ) -> p.Plan:
        """The aggregate by windows, and above it the conditions on their bounds."""
        if len(self._sets) > 1 or self._marks:
            raise self._text.error("GROUPING SETS, ROLLUP and CUBE are not supported yet over windows", self._first_key)
        arguments = {name for _, aggregation in aggregations for name in aggregation.columns}
        if lifted.entangled or arguments & {lifted.start, lifted.end}:
            raise self._text.error(
                "grouping by a window is not supported yet where the window's bounds are used together with other "
                "columns below the GROUP BY",
                self._first_key,
                hint="use window_start and window_end in the SELECT list and in HAVING",
            )
        self._results = {lifted.start: p.WINDOW_COLUMNS[0], lifted.end: p.WINDOW_COLUMNS[1]}
        own = tuple(key for key in keys if key not in self._results)
        aggregate = p.Aggregate(lifted.plan, own, aggregations, emit, lifted.window)
        above: p.Plan = checked(self._text, aggregate, self._first_key)
        for predicate in lifted.above:
            above = p.Filter(above, predicate)
        return above

    @property
    def _first_key(self) -> Tree | None:
        """Where the text speaks of groups, for errors."""
        return self._keys[0][0] if self._keys else None

    @property
    def labels(self) -> dict[str, str]:
        """What stands behind columns that have no name in the query."""
        named = (*self._keys, *self._calls, *self._marks)
        return {name: render(bare(tree)) for tree, name in named if name.startswith("__")}

    def over_groups(self, tree: Tree) -> Tree:
        """An expression of the SELECT list or of HAVING, over the aggregate's columns.

        Raises:
            SqlError: it uses a column that is neither a key nor inside an aggregate.
        """
        replaced = tree.transform(self._over_groups)
        for column in replaced.find_all(exp.Column):
            if column.table != GROUPED:
                raise self._text.error(
                    f"column {column.name!r} must appear in GROUP BY or inside an aggregate; "
                    f"grouped by: {[render(bare(key)) for key, _ in self._keys]}",
                    column,
                )
        return replaced

    def _over_groups(self, node: Tree) -> Tree:
        name = next((name for tree, name in (*self._keys, *self._calls, *self._marks) if tree == node), None)
        if name is None:
            return node
        return column_in_place(node, self._results.get(name, name), GROUPED)

    def _sets_of_names(self) -> list[tuple[str, ...]]:
        names = [[next(name for tree, name in self._keys if tree == key) for key in each] for each in self._sets]
        return [tuple(dict.fromkeys(each)) for each in names]

    def _marked(self) -> list[Marked]:
        return [Marked(name, tuple(map(self._key_of_mark, call.expressions))) for call, name in self._marks]

    def _key_of_mark(self, tree: Tree) -> str:
        name = next((name for key, name in self._keys if key == tree), None)
        if name is None:
            raise self._text.error(
                f"grouping() takes what follows GROUP BY, not {render(bare(tree))}; "
                f"grouped by: {[render(bare(key)) for key, _ in self._keys]}",
                tree,
            )
        return name

    def _named(self, trees: Sequence[Tree], stem: str) -> list[tuple[Tree, str]]:
        """Each different tree once, with the name of its column."""
        named: list[tuple[Tree, str]] = []
        for tree in trees:
            if any(tree == other for other, _ in named):
                continue
            if isinstance(tree, exp.Column):
                named.append((tree, self._columns[tree.table, tree.name]))
                continue
            alias = next((alias for output, alias in self._outputs if output == tree), None)
            name = alias if alias is not None and alias not in self._taken else self._free(f"{stem}{len(named)}")
            self._taken.add(name)
            named.append((tree, name))
        return named

    def _free(self, name: str) -> str:
        """The name, or one like it that no column has: a subquery below may have columns that nobody named, too."""
        return name if name not in self._taken else self._free(f"{name}_")
