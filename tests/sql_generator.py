"""Random tables of changes and random queries over them, for Hypothesis, which shrinks what fails.

Values come from few, so that they meet; numbers with a fraction are multiples of 0.25, whose sums are exact.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs
import pyarrow as pa
from hypothesis import strategies as st

from flow.schema import WEIGHT

INT, FLOAT, TEXT, BOOL = "BIGINT", "DOUBLE", "VARCHAR", "BOOLEAN"
TYPES = (INT, TEXT, FLOAT, BOOL)
ARROW = {INT: pa.int64(), FLOAT: pa.float64(), TEXT: pa.string(), BOOL: pa.bool_()}
VALUES = {
    INT: [None, 0, 1, 2, -1, 3],
    TEXT: [None, "a", "b", "", "ab"],
    FLOAT: [None, 0.0, 0.5, 1.0, -0.25, 2.75],
    BOOL: [None, True, False],
}
NAMES = {INT: "i", FLOAT: "f", TEXT: "s", BOOL: "b"}
MOST_CHANGES = 14

Draw = Callable[..., object]
Columns = list[tuple[str, str]]
"""Names, as a query says them, and types."""


@attrs.frozen
class Random:
    """A query, the tables of changes that it reads, and how they come."""

    query: str
    tables: dict[str, pa.Table]
    batching: int | str
    partitions: int
    seed: int


@st.composite
def cases(draw: Draw) -> Random:
    changing = draw(st.booleans())
    names = [f"t{number}" for number in range(draw(st.integers(1, 3)))]
    tables = {name: draw(changes(changing)) for name in names}
    kinds = {kind: sql for sql, kind in ARROW.items()}
    shapes = {
        name: [(field.name, kinds[field.type]) for field in table.schema if field.name != WEIGHT]
        for name, table in tables.items()
    }
    query = _Query(draw, shapes).whole()
    used = {name: table for name, table in tables.items() if f" {name}" in query}
    return Random(
        query,
        used,
        draw(st.sampled_from([1, "all", "random", 7])),
        draw(st.sampled_from([1, 4, 2])),
        draw(st.integers(0, 1000)),
    )


@st.composite
def changes(draw: Draw, changing: bool) -> pa.Table:
    """A table of changes, or of rows that stay; a row is only taken back where it is there."""
    kinds = [INT, *draw(st.lists(st.sampled_from(TYPES), min_size=1, max_size=3))]
    rows = st.tuples(*(st.sampled_from(VALUES[kind]) for kind in kinds))
    there: list[tuple[object, ...]] = []
    out: list[tuple[object, ...]] = []
    for row in draw(st.lists(rows, max_size=MOST_CHANGES)):
        if changing and there and draw(st.integers(0, 2)) == 2:
            out.append((*there.pop(draw(st.integers(0, len(there) - 1))), -1))
        else:
            there.append(row)
            out.append((*row, 1))
    fields = [pa.field(f"{NAMES[kind]}{number}", ARROW[kind]) for number, kind in enumerate(kinds)]
    if changing:
        fields.append(pa.field(WEIGHT, pa.int64(), nullable=False))
    columns = [[row[number] for row in out] for number in range(len(fields))]
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, fields, strict=True)], pa.schema(fields)
    )


class _Query:
    def __init__(self, draw: Draw, tables: dict[str, Columns]) -> None:
        self.draw = draw
        self.tables = tables
        self.count = 0

    def whole(self) -> str:
        query, kinds = self.query(2)
        if self.one_of(4) == 3:
            order = [
                f"{number} {self.pick(['ASC', 'DESC'])} NULLS {self.pick(['LAST', 'FIRST'])}"
                for number in self.draw(st.permutations(range(1, len(kinds) + 1)))
            ]
            query = f"SELECT * FROM ({query}) AS r ORDER BY {', '.join(order)} LIMIT {self.draw(st.integers(0, 5))}"
            if self.one_of(3) == 2:
                query += f" OFFSET {self.draw(st.integers(0, 3))}"
        return query

    def query(self, depth: int, kinds: list[str] | None = None) -> tuple[str, list[str]]:
        """A query of at most this depth, with columns x0, x1, ... of these types."""
        if depth and self.one_of(5) == 4:
            left, kinds = self.query(depth - 1, kinds)
            right, _ = self.query(depth - 1, kinds)
            word = self.pick(["UNION ALL", "UNION", "EXCEPT", "INTERSECT", "EXCEPT ALL", "INTERSECT ALL"])
            return f"({left}) {word} ({right})", kinds
        return self.select(depth, kinds)

    def select(self, depth: int, kinds: list[str] | None) -> tuple[str, list[str]]:
        source, columns = self.source(depth)
        where = f" WHERE {self.condition(columns, 2, depth)}" if self.one_of(2) else ""
        wanted = kinds or self.draw(st.lists(st.sampled_from(TYPES), min_size=1, max_size=3))
        if self.one_of(2):
            return self.grouped(source, columns, where, wanted)
        outputs = ", ".join(f"{self.value(columns, kind, 2)} AS x{n}" for n, kind in enumerate(wanted))
        return f"SELECT {'DISTINCT ' if self.one_of(4) == 3 else ''}{outputs} FROM {source}{where}", wanted

    def grouped(self, source: str, columns: Columns, where: str, wanted: list[str]) -> tuple[str, list[str]]:
        keys: list[str] = []
        outputs: list[str] = []
        for kind in wanted:
            if self.one_of(2):
                keys.append(self.value(columns, kind, 1, column=True))
                outputs.append(keys[-1])
            else:
                outputs.append(self.aggregate(columns, kind))
        # A position names a key whatever it is made of; a literal alone would be taken for a position itself.
        by = [str(n) for n, output in enumerate(outputs, 1) if output in keys]
        group = f" GROUP BY {', '.join(by)}" if by else ""
        if not by and all("(" not in output for output in outputs):
            outputs[0] = self.aggregate(columns, wanted[0])
        having = ""
        if by and self.one_of(3) == 2:
            having = (
                f" HAVING {self.aggregate(columns, INT)} {self.pick(['>', '<', '='])} {self.draw(st.integers(0, 2))}"
            )
        named = ", ".join(f"{output} AS x{n}" for n, output in enumerate(outputs))
        return f"SELECT {named} FROM {source}{where}{group}{having}", wanted

    def source(self, depth: int) -> tuple[str, Columns]:
        left, columns = self.table(depth)
        for _ in range(max(0, self.one_of(4) - 1) if depth else 0):
            right, more = self.table(depth - 1)
            kind = self.pick(["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN"])
            pairs = [(one, other) for one, k in columns for other, o in more if k == o]
            columns = columns + more
            if kind == "CROSS JOIN" or not pairs:
                left = f"{left} CROSS JOIN {right}"
                continue
            one, other = self.pick(pairs)
            on = f"{one} = {other}"
            if self.one_of(3) == 2:
                on += f" AND {self.condition(columns, 1, 0)}"
            left = f"{left} {kind} {right} ON {on}"
        return left, columns

    def table(self, depth: int) -> tuple[str, Columns]:
        self.count += 1
        alias = f"q{self.count}"
        if depth and self.one_of(4) == 3:
            query, kinds = self.query(depth - 1)
            return f"({query}) AS {alias}", [(f"{alias}.x{n}", kind) for n, kind in enumerate(kinds)]
        name = self.pick(list(self.tables))
        return f"{name} AS {alias}", [(f"{alias}.{column}", kind) for column, kind in self.tables[name]]

    def aggregate(self, columns: Columns, kind: str) -> str:
        argument = self.value(columns, kind, 1, column=True)
        calls = [f"min({argument})", f"max({argument})"]
        if kind == INT:
            other = self.value(columns, self.pick(TYPES), 1, column=True)
            calls = ["count(*)", f"count({other})", f"sum({argument})", f"count(DISTINCT {other})", *calls]
        elif kind == FLOAT:
            number = self.value(columns, self.pick([INT, FLOAT]), 1, column=True)
            calls = [f"avg({number})", f"sum({argument})", *calls]
        elif kind == BOOL:
            calls = [f"bool_and({argument})", f"bool_or({argument})", *calls]
        call = self.pick(calls)
        return f"{call} FILTER (WHERE {self.condition(columns, 1, 0)})" if self.one_of(5) == 4 else call

    def value(self, columns: Columns, kind: str, depth: int, column: bool = False) -> str:
        """An expression of a type; one that is no literal with `column`."""
        known = [name for name, other in columns if other == kind]
        if known and (not depth or self.one_of(3)):
            return self.pick(known)
        if not depth:
            return self.literal(kind) if not column else self.of_another(columns, kind)
        if kind == BOOL:
            return f"({self.condition(columns, depth - 1, 0)})"
        one, other = self.value(columns, kind, depth - 1, column), self.value(columns, kind, depth - 1)
        made = [
            f"coalesce({one}, {other})",
            f"nullif({one}, {other})",
            f"CASE WHEN {self.condition(columns, 0, 0)} THEN {one} ELSE {other} END",
        ]
        if kind == TEXT:
            made += [f"({one} || {other})", f"upper({one})"]
        else:
            made += [f"({one} + {other})", f"({one} - {other})", f"({one} * {other})", f"abs({one})", f"(-{one})"]
        return self.pick(made)

    def of_another(self, columns: Columns, kind: str) -> str:
        name, _ = self.pick(columns)
        if kind == BOOL:
            return f"({name} IS NULL)"
        return f"CASE WHEN {name} IS NULL THEN {self.literal(kind)} ELSE {self.literal(kind)} END"

    def literal(self, kind: str) -> str:
        value = self.pick(VALUES[kind])
        if value is None or kind == FLOAT:
            return f"CAST({'NULL' if value is None else value} AS {kind})"
        return f"'{value}'" if kind == TEXT else str(value).upper()

    def condition(self, columns: Columns, depth: int, nested: int) -> str:
        if depth and self.one_of(2):
            one, other = self.condition(columns, depth - 1, nested), self.condition(columns, depth - 1, 0)
            return self.pick([f"({one} AND {other})", f"({one} OR {other})", f"NOT ({one})"])
        if nested and self.one_of(4) == 3:
            return self.subquery(columns, nested)
        kind = self.pick(TYPES)
        one, other = self.value(columns, kind, min(depth, 1), column=True), self.value(columns, kind, 0)
        made = [f"{one} {word} {other}" for word in ("=", "<>", "<", ">=", "IS DISTINCT FROM", "IS NOT DISTINCT FROM")]
        made += [f"{one} IS NULL", f"{one} IS NOT NULL", f"{one} IN ({other}, {self.literal(kind)})"]
        if kind in (INT, FLOAT):
            made += [f"{one} BETWEEN {self.literal(kind)} AND {other}"]
        if kind == TEXT:
            made += [f"{one} LIKE 'a%'"]
        if kind == BOOL:
            made += [one, f"{one} IS TRUE", f"{one} IS NOT TRUE"]
        return self.pick(made)

    def subquery(self, columns: Columns, nested: int) -> str:
        name, kind = self.pick(columns)
        form = self.pick(["IN", "NOT IN", "EXISTS", "NOT EXISTS", "="])
        if form == "=":
            source, inner = self.table(nested - 1)
            return f"{name} = (SELECT {self.pick(['min', 'max'])}({self.value(inner, kind, 0, True)}) FROM {source})"
        if form.endswith("IN"):
            return f"{name} {form} ({self.select(nested - 1, [kind])[0]})"
        source, inner = self.table(nested - 1)
        same = [other for other, k in inner if k == kind]
        where = f" WHERE {self.pick(same)} = {name}" if same else ""
        return f"{form} (SELECT 1 FROM {source}{where})"

    def one_of(self, count: int) -> int:
        return self.draw(st.integers(0, count - 1))

    def pick(self, choices: list) -> object:
        return self.draw(st.sampled_from(choices))
