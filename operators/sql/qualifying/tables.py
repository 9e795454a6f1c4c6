"""The tables that a query can read while it is qualified: the names of their columns, and, where asked for, the types.

A table is only looked at, and a common table expression only planned, when somebody asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import attrs
import pyarrow as pa

from operators.expressions import Column
from operators.sql.grammar.dialect import Tree
from operators.sql.plan import nodes as p
from operators.sql.plan.operators import schema_of
from operators.sql.qualifying.subquery_nodes import OUTER

Catalog = Mapping[str, p.Plan]
"""What a query can read, by name: tables, and views as the plans that they stand for."""

Columns = Mapping[tuple[str, str], str]
"""The names of a plan's columns, by relation and column in the tree."""


@attrs.frozen
class Domain:
    """The combinations of parameters for which a subquery is computed: a table, to be joined to its FROM clause."""

    plan: p.Plan
    columns: Columns


PlanQuery = Callable[[Tree, Catalog, Domain | None], p.Plan]
"""Plans a qualified query's tree, which it changes."""


class Tables(Mapping[str, Sequence[str]]):
    """The names of the columns of every table.

    Args:
        catalog: the tables.
        plan: plans a query over them.
    """

    def __init__(self, catalog: Catalog, plan: PlanQuery) -> None:
        self._catalog = catalog
        self._plan = plan
        self._common: dict[str, tuple[Sequence[str], p.Plan | Callable[[], p.Plan]]] = {}

    def __getitem__(self, name: str) -> Sequence[str]:
        return self._common[name][0] if name in self._common else schema_of(self._catalog[name]).names

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys([*self._catalog, *self._common]))

    def __len__(self) -> int:
        return len({*self._catalog, *self._common})

    def is_looked_up(self, name: str) -> bool:
        """Whether a table can only be asked for the row of a key."""
        return name not in self._common and isinstance(self._catalog[name], p.LookupTable)

    def types(self, name: str) -> Sequence[pa.DataType]:
        """The types of the columns of a table of the catalog."""
        schema = schema_of(self._catalog[name])
        return [schema.column_type(column) for column in schema.names]

    def with_room(self) -> Tables:
        """These tables, to which common table expressions can be added."""
        result = Tables(self._catalog, self._plan)
        result._common = dict(self._common)
        return result

    def add(self, name: str, columns: Sequence[str], query: Tree) -> None:
        """Add a common table expression, which is qualified."""
        before = self.with_room()

        def plan() -> p.Plan:
            made = before.planned(query)
            named = zip(columns, schema_of(made).names, strict=True)
            return p.Project(made, tuple((new, Column(old)) for new, old in named))

        self._common[name] = columns, plan

    def plan_of(self, name: str) -> p.Plan:
        """The plan of a table."""
        if name not in self._common:
            return self._catalog[name]
        columns, plan = self._common[name]
        if callable(plan):
            plan = plan()
            self._common[name] = columns, plan
        return plan

    def planned(self, query: Tree, kinds: Sequence[pa.DataType] = ()) -> p.Plan:
        """The plan of a qualified query over parameters of some types, for the sake of its own types."""
        domain = None
        if kinds:
            names = [f"__outer{number}" for number in range(len(kinds))]
            table = pa.table([pa.array([], kind) for kind in kinds], names)
            domain = Domain(p.Values(table), {(OUTER, str(number)): name for number, name in enumerate(names)})
        return self._plan(query.copy(), _Plans(self), domain)


class _Plans(Mapping[str, p.Plan]):
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def __getitem__(self, name: str) -> p.Plan:
        return self._tables.plan_of(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)
