"""Random queries over the tables of tests/sql_data.py, as text for us and for DuckDB.

Every order is whole: it names all columns, so that no choice among rows is left to chance.
"""

from __future__ import annotations

from collections.abc import Mapping

from tests.sql_aggregates import LOOSE, NULLS, Aggregates
from tests.sql_choices import Choices
from tests.sql_data import BOOL, EVENT_TIME, FLOAT, INT, LIST, STRUCT, TEXT, USUAL, Shape
from tests.sql_values import COMPARISONS, Columns, both, sides

SETS = ("UNION ALL", "UNION", "EXCEPT", "INTERSECT", "EXCEPT ALL", "INTERSECT ALL")
JOINS = ("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN")
SIZES = (("1 minute", "30 seconds"), ("1 hour", "30 minutes"), ("90 seconds", "45 seconds"))

Made = tuple[str, list[str]]
"""A query, and the kinds of its columns: x0, x1, ..."""


class Queries(Aggregates):
    """Makes queries over tables, views and common tables."""

    def __init__(self, choices: Choices, tables: Mapping[str, Shape]) -> None:
        super().__init__(choices)
        self.tables = {name: list(shape.columns) for name, shape in tables.items()}
        self.timed = [name for name, shape in tables.items() if shape.event_time]
        self.keyed = [name for name, shape in tables.items() if shape.keyed]
        self.common: dict[str, Columns] = {}
        self.count = 0

    def views(self) -> tuple[tuple[str, ...], list[str]]:
        """Views, and the same as DuckDB's common tables; queries after them read them, too."""
        views, theirs = [], []
        for number in range(1 + self.choices.below(2) if self.one_in(6) else 0):
            text, kinds = self.query(1)
            self.common[f"v{number}"] = [(f"x{place}", kind) for place, kind in enumerate(kinds)]
            word = self.pick(["VIEW", "VIEW", "MATERIALIZED VIEW"])
            views.append(f"CREATE {word} v{number} AS {sides(text)[0]}")
            theirs.append(f"v{number} AS ({text})")
        return tuple(views), theirs

    def whole(self) -> tuple[list[str], str]:
        """The common tables of a query, and the query."""
        commons = []
        self.common.pop("c0", None)
        if self.one_in(6):
            text, kinds = self.query(1)
            self.common["c0"] = [(f"x{number}", kind) for number, kind in enumerate(kinds)]
            commons = [f"c0 AS ({text})"]
        return commons, self.body()

    def body(self) -> str:
        form = self.choices.below(11)
        if form == 10:
            return self.correlated()
        if form == 9 and self.timed:
            return self.windowed()
        if form == 8:
            return self.numbered()[0]
        if form == 7:
            return self.distinct_on()
        text, kinds = self.query(self.pick([1, 1, 2]), loose=True)
        return self.first_rows(text, kinds) if form == 6 else text

    def correlated(self) -> str:
        """Values of subqueries over joins of two tables, for each row of a third."""
        source, columns = self.table(0)
        outputs = [f"{name} AS x{place}" for place, (name, _) in enumerate(self.choices.different(columns, 1, 2))]
        for _ in range(1 + self.choices.below(2)):
            kind = self.pick((INT, BOOL, INT, TEXT, FLOAT))
            outputs.append(f"{self.over_joined(columns, kind)} AS x{len(outputs)}")
        where = f" WHERE {self.condition(columns, 1, 1)}" if self.one_in(4) else ""
        return f"SELECT {', '.join(outputs)} FROM {source}{where}"

    def over_joined(self, outer: Columns, kind: str) -> str:
        left, inner = self.table(1)
        right, more = self.table(1)
        join = self.pick(("FULL JOIN", "LEFT JOIN", "RIGHT JOIN", "JOIN"))
        source = f"{left} {join} {right} ON {self.on(inner, more)}"
        inner = inner + more
        one = self.value(inner, kind, 1, column=True)
        calls = {
            INT: [f"bit_and({one})", f"bit_or({one})", f"bit_xor({one})", f"sum({one})", f"count({one})"],
            BOOL: [f"bool_and({one})", f"bool_or({one})"],
        }.get(kind, [f"max({one})"])
        return f"(SELECT {self.pick(calls)} FROM {source}{self.related(inner, outer, 0)})"

    def query(self, depth: int, kinds: list[str] | None = None, *, loose: bool = False) -> Made:
        """A query of at most this depth; `loose`: with results that are only compared in the end."""
        if depth and self.one_in(5):
            left, kinds = self.query(depth - 1, kinds)
            right, _ = self.query(depth - 1, kinds)
            return f"({left}) {self.pick(SETS)} ({right})", kinds
        if kinds is None and depth and self.one_in(12):
            text, kinds = self.numbered()
            return text, kinds
        return self.select(depth, kinds, [], loose=loose)

    def select(self, depth: int, kinds: list[str] | None, outer: Columns, *, loose: bool = False) -> Made:
        """A SELECT; columns of the queries around it are only in its WHERE."""
        source, columns = self.source(depth)
        where = f" WHERE {self.condition(columns, 2, depth)}" if self.one_in(2) else ""
        if not where and depth and self.one_in(4):
            where = f" WHERE {self.subquery_condition(columns, 1)} AND {self.subquery_condition(columns, 1)}"
        if outer:
            where = self.related(columns, outer, depth)
        wanted = kinds or self.choices.some(USUAL, 1, 3)
        if self.one_in(2):
            return self.grouped(source, columns, where, wanted, loose=loose)
        nested = depth if not outer else 0
        outputs = ", ".join(f"{self.value(columns, kind, 2, nested)} AS x{n}" for n, kind in enumerate(wanted))
        return f"SELECT {'DISTINCT ' if self.one_in(4) else ''}{outputs} FROM {source}{where}", wanted

    def grouped(self, source: str, columns: Columns, where: str, wanted: list[str], *, loose: bool) -> Made:
        if self.one_in(6):
            return self.by_sets(source, columns, where, wanted)
        keys, outputs = [], []
        for number, kind in enumerate(wanted):
            if self.one_in(2):
                outputs.append(self.aggregate(columns, kind))
            else:
                outputs.append(self.value(columns, kind, 1, column=True))
                keys.append(number)
        if not keys or self.one_in(8):
            keys = []
            outputs = [self.aggregate(columns, kind) for kind in wanted]
        if loose:
            outputs += [self.aggregate(columns, self.pick(LOOSE)) for _ in range(self.choices.below(3))]
        # A position names a key whatever it is made of; a literal alone would be taken for a position itself.
        group = f" GROUP BY {', '.join(str(number + 1) for number in keys)}" if keys else ""
        having = ""
        if keys and self.one_in(3):
            having = f" HAVING {self.aggregate(columns, INT)} {self.pick(COMPARISONS)} {self.choices.below(3)}"
            if self.one_in(3):
                kind = self.pick(USUAL)
                least = self.subquery_value([], kind, 1)
                having = f" HAVING {self.aggregate(columns, kind)} {self.pick(COMPARISONS)} {least}"
        named = ", ".join(f"{output} AS x{number}" for number, output in enumerate(outputs))
        return f"SELECT {named} FROM {source}{where}{group}{having}", wanted

    def by_sets(self, source: str, columns: Columns, where: str, wanted: list[str]) -> Made:
        keys = self.choices.different([name for name, _ in columns], 1, 3)
        kinds = dict(columns)
        outputs = []
        for number, kind in enumerate(wanted):
            same = [key for key in keys if kinds[key] == kind]
            if kind == INT and self.one_in(4):
                output = f"grouping({', '.join(keys)})"
            elif same and not self.one_in(3):
                output = self.pick(same)
            else:
                output = self.aggregate(columns, kind)
            outputs.append(f"{output} AS x{number}")
        sets = [f"({', '.join(self.choices.different(keys, 0, 2))})" for _ in range(2)]
        words = [
            f"ROLLUP ({', '.join(keys)})",
            f"CUBE ({', '.join(keys)})",
            f"GROUPING SETS (({', '.join(keys)}), {', '.join(sets)})",
        ]
        return f"SELECT {', '.join(outputs)} FROM {source}{where} GROUP BY {self.pick(words)}", wanted

    def windowed(self) -> str:
        """Groups of windows, given out at their end or as they change."""
        table, columns = self.window()
        keys = [table.rpartition(" ")[2] + "." + self.pick(["window_start", "window_end"])]
        keys += self.choices.different([name for name, _ in columns[:-2]], 0, 2)
        where = f" WHERE {self.condition(columns[:-2], 1, 0)}" if self.one_in(3) else ""
        calls = [self.aggregate(columns[:-2], self.pick(USUAL)) for _ in range(1 + self.choices.below(3))]
        outputs = ", ".join(f"{output} AS x{number}" for number, output in enumerate([*keys, *calls]))
        by = ", ".join(keys)
        emit = self.pick(["", " EMIT CHANGES", " EMIT FINAL"])
        return f"SELECT {outputs} FROM {table}{where} GROUP BY {by}{both(emit, '')}"

    def window(self) -> tuple[str, Columns]:
        name = self.pick(self.timed)
        size, slide = self.pick(SIZES)
        self.count += 1
        alias = f"q{self.count}"
        columns = [(f"{alias}.{column}", kind) for column, kind in self.tables[name]]
        columns += [(f"{alias}.window_start", "TIMESTAMP"), (f"{alias}.window_end", "TIMESTAMP")]
        if self.one_in(3):
            starts = (
                f"SELECT unnest(generate_series(TIMESTAMP '2023-12-31 22:00:00', TIMESTAMP '2024-01-01 02:00:00', "
                f"INTERVAL '{slide}')) AS window_start"
            )
            ours = f"HOP({name}, {EVENT_TIME}, INTERVAL '{slide}', INTERVAL '{size}')"
            theirs = (
                f"(SELECT *, window_start + INTERVAL '{size}' AS window_end FROM {name} JOIN ({starts}) AS s ON "
                f"{EVENT_TIME} >= window_start AND {EVENT_TIME} < window_start + INTERVAL '{size}')"
            )
        else:
            start = f"time_bucket(INTERVAL '{size}', {EVENT_TIME}, TIMESTAMP '1970-01-01')"
            ours = f"TUMBLE({name}, {EVENT_TIME}, INTERVAL '{size}')"
            theirs = (
                f"(SELECT *, {start} AS window_start, {start} + INTERVAL '{size}' AS window_end FROM {name} "
                f"WHERE {EVENT_TIME} IS NOT NULL)"
            )
        return f"{both(ours, theirs)} AS {alias}", columns

    def first_rows(self, text: str, kinds: list[str]) -> str:
        """The first rows of a query; what is written in no order is in that of all results."""
        count = len(kinds)
        order = ", ".join(
            f"x{number} {self.pick(['ASC', 'DESC'])} {self.pick(NULLS)}"
            for number in self.choices.different(range(count), count, count)
        )
        names = ", ".join(f"x{number}" for number in range(count))
        rows = f"LIMIT {self.choices.below(6)}"
        if self.one_in(3):
            rows = self.pick([f"{rows} OFFSET {self.choices.below(4)}", f"OFFSET {1 + self.choices.below(3)}"])
        return f"SELECT {names} FROM ({text}) AS r ORDER BY {order} {rows}"

    def ordered(self, columns: Columns) -> list[str]:
        """An order by all columns."""
        names = self.choices.different([name for name, _ in columns], len(columns), len(columns))
        return [f"{name} {self.pick(['ASC', 'DESC'])} {self.pick(NULLS)}" for name in names]

    def numbered(self) -> Made:
        """The first rows of each group, or rows with their numbers."""
        source, columns = self.table(1)
        shown = self.choices.different(columns, 1, 3)
        kinds = [kind for _, kind in shown]
        by = self.choices.different([name for name, _ in columns], 0, 2)
        part = f"PARTITION BY {', '.join(by)} " if by else ""
        number = f"row_number() OVER ({part}ORDER BY {', '.join(self.ordered(columns))})"
        where = f" WHERE {self.condition(columns, 1, 0)}" if self.one_in(3) else ""
        outputs = [f"{name} AS x{place}" for place, (name, _) in enumerate(shown)]
        bound = f"{self.pick(['<=', '<', '=', '>='])} {1 + self.choices.below(3)}"
        form = self.choices.below(3)
        if form == 0:
            return f"SELECT {', '.join(outputs)} FROM {source}{where} QUALIFY {number} {bound}", kinds
        outputs.append(f"{number} AS x{len(shown)}")
        text = f"SELECT {', '.join(outputs)} FROM {source}{where}"
        if form == 1:
            names = ", ".join(f"n.x{place} AS x{place}" for place in range(len(shown)))
            text = f"SELECT {names} FROM ({text}) AS n WHERE n.x{len(shown)} {bound}"
            return text, kinds
        return text, [*kinds, INT]

    def distinct_on(self) -> str:
        source, columns = self.source(1)
        order = self.ordered(columns)
        on = [item.split(" ")[0] for item in order[: 1 + self.choices.below(2)]]
        shown = self.choices.different([name for name, _ in columns], 1, 3)
        outputs = ", ".join(f"{name} AS x{place}" for place, name in enumerate(shown))
        where = f" WHERE {self.condition(columns, 1, 0)}" if self.one_in(3) else ""
        return f"SELECT DISTINCT ON ({', '.join(on)}) {outputs} FROM {source}{where} ORDER BY {', '.join(order)}"

    def source(self, depth: int) -> tuple[str, Columns]:
        left, columns = self.table(depth)
        for _ in range(max(0, self.choices.below(4) - 1) if depth else 0):
            form = self.choices.below(13)
            if form == 12:
                return self.unnested(left, columns)
            if form == 11:
                return self.lateral(left, columns)
            right, more = self.table(depth - 1)
            if form == 10:
                return f"{left} {self.pick(['SEMI', 'ANTI'])} JOIN {right} ON {self.on(columns, more)}", columns
            if form == 9:
                return f"{left} CROSS JOIN {right}", columns + more
            left, columns = f"{left} {self.pick(JOINS)} {right} ON {self.on(columns, more)}", columns + more
        return left, columns

    def on(self, columns: Columns, more: Columns) -> str:
        pairs = [(one, other) for one, kind in columns for other, same in more if kind == same]
        if not pairs or self.one_in(6):
            return self.condition(columns + more, 1)
        one, other = self.pick(pairs)
        said = f"{one} {'=' if not self.one_in(8) else 'IS NOT DISTINCT FROM'} {other}"
        if self.one_in(5):
            one, other = self.pick(pairs)
            said += f" AND {one} = {other}"
        return f"{said} AND {self.condition(columns + more, 1)}" if self.one_in(3) else said

    def lateral(self, left: str, columns: Columns) -> tuple[str, Columns]:
        self.count += 1
        alias = f"q{self.count}"
        text, kinds = self.select(0, None, columns)
        joined = self.pick([f"{left} CROSS JOIN LATERAL ({text})", f"{left} LEFT JOIN LATERAL ({text})"])
        on = " ON true" if " LEFT JOIN LATERAL (" in joined[len(left) :] else ""
        return f"{joined} AS {alias}{on}", columns + [(f"{alias}.x{n}", kind) for n, kind in enumerate(kinds)]

    def unnested(self, left: str, columns: Columns) -> tuple[str, Columns]:
        self.count += 1
        alias = f"q{self.count}"
        lists = [name for name, kind in columns if kind == LIST]
        if lists and self.one_in(2):
            return f"{left} CROSS JOIN UNNEST({self.pick(lists)}) AS {alias}(x0)", [*columns, (f"{alias}.x0", INT)]
        # Structs become several columns.
        kind = self.pick([kind for kind in USUAL if kind != STRUCT])
        values = [self.value(columns, kind, 1, column=True) for _ in range(1 + self.choices.below(3))]
        return f"{left} CROSS JOIN UNNEST(ARRAY[{', '.join(values)}]) AS {alias}(x0)", [*columns, (f"{alias}.x0", kind)]

    def table(self, depth: int) -> tuple[str, Columns]:
        self.count += 1
        alias = f"q{self.count}"
        if self.common and self.one_in(2):
            name = self.pick(list(self.common))
            return f"{name} AS {alias}", [(f"{alias}.{column}", kind) for column, kind in self.common[name]]
        if depth and self.one_in(4):
            text, kinds = self.query(depth - 1)
            return f"({text}) AS {alias}", [(f"{alias}.x{n}", kind) for n, kind in enumerate(kinds)]
        if depth and self.one_in(10):
            return self.merged(alias)
        if depth and self.one_in(16):
            inner, columns = self.source(depth)
            return (f"({inner})" if " JOIN " in inner and "UNNEST" not in inner else inner), columns
        if self.timed and self.one_in(24):
            return self.window()
        name = self.pick(list(self.tables))
        return f"{name} AS {alias}", [(f"{alias}.{column}", kind) for column, kind in self.tables[name]]

    def merged(self, alias: str) -> tuple[str, Columns]:
        """Two tables joined by the columns that they have in common; all have `i0`."""
        one, other = self.pick(list(self.tables)), self.pick(list(self.tables))
        join, form = self.pick(JOINS), self.choices.below(2)
        first, second = self.tables[one], self.tables[other]
        names = [name for name, _ in second]
        shared = [name for name, _ in first if name in names] if form else ["i0"]
        kinds = dict(first)
        shown = [(name, kinds[name]) for name in shared]
        shown += [(f"m1.{name}", kind) for name, kind in first if name not in shared]
        shown += [(f"m2.{name}", kind) for name, kind in second if name not in shared]
        text = ", ".join(f"{name} AS x{place}" for place, (name, _) in enumerate(shown))
        joined = f"{one} AS m1 NATURAL {join} {other} AS m2" if form else f"{one} AS m1 {join} {other} AS m2 USING (i0)"
        columns = [(f"{alias}.x{place}", kind) for place, (_, kind) in enumerate(shown)]
        return f"(SELECT {text} FROM {joined}) AS {alias}", columns

    def related(self, inner: Columns, outer: Columns, nested: int) -> str:
        """A WHERE that says what rows of a subquery have to do with the row around it."""
        pairs = [(one, other) for one, kind in inner for other, same in outer if kind == same]
        said = []
        if pairs and not self.one_in(5):
            one, other = self.pick(pairs)
            said.append(f"{one} {'=' if not self.one_in(4) else self.pick(COMPARISONS)} {other}")
        if self.one_in(4):
            said.append(self.condition(inner + outer, 1, nested))
        return f" WHERE {' AND '.join(said)}" if said else ""

    def subquery_value(self, columns: Columns, kind: str, nested: int) -> str:
        whole = [name for name, other in columns if other == INT]
        if whole and self.keyed and self.one_in(4):
            self.count += 1
            alias, name = f"q{self.count}", self.pick(self.keyed)
            inner = [(f"{alias}.{column}", other) for column, other in self.tables[name]]
            one = self.value(inner, kind, 1, column=True)
            return f"(SELECT {one} FROM {name} AS {alias} WHERE {inner[0][0]} = {self.pick(whole)})"
        if self.one_in(6):
            source, inner = self.table(0)
            order = ", ".join(self.ordered(inner))
            one, where = self.value(inner, kind, 0, column=True), self.related(inner, columns, 0)
            return f"(SELECT {one} FROM {source}{where} ORDER BY {order} LIMIT 1)"
        source, inner = self.source(nested - 1)
        return f"(SELECT {self.aggregate(inner, kind)} FROM {source}{self.related(inner, columns, nested - 1)})"

    def subquery_condition(self, columns: Columns, nested: int) -> str:
        name, kind = self.pick(columns)
        outer = columns if self.one_in(3) else []
        match self.choices.below(6):
            case 5:
                return self.row_in(columns, outer, nested)
            case 0:
                word = self.pick(["IN", "NOT IN"])
                return f"{name} {word} ({self.select(nested - 1, [kind], outer)[0]})"
            case 1:
                source, inner = self.source(nested - 1)
                word = self.pick(["EXISTS", "NOT EXISTS"])
                return f"{word} (SELECT 1 FROM {source}{self.related(inner, columns, nested - 1)})"
            case 2:
                return f"{name} {self.pick(COMPARISONS)} {self.subquery_value(outer, kind, nested)}"
            case 3:
                word = f"{self.pick(COMPARISONS)} {self.pick(['ANY', 'ALL'])}"
                return f"{name} {word} ({self.select(nested - 1, [kind], outer)[0]})"
        return f"{name} IN ({self.query(nested - 1, [kind])[0]})"

    def row_in(self, columns: Columns, outer: Columns, nested: int) -> str:
        """Whether a row is among those of a query: DuckDB is asked of each, and what is then known."""
        (one, kind), (other, second) = self.choices.some(columns, 2, 2)
        text, _ = self.select(nested - 1, [kind, second], outer)
        self.count += 1
        alias = f"q{self.count}"
        equal = f"{alias}.x0 = {one} AND {alias}.x1 = {other}"
        known = f"CASE WHEN bool_or({equal}) THEN true WHEN bool_or(({equal}) IS NULL) THEN NULL ELSE false END"
        theirs = f"(SELECT {known} FROM ({text}) AS {alias})"
        word = self.pick(["IN", "NOT IN"])
        return both(f"(({one}, {other}) {word} ({text}))", theirs if word == "IN" else f"(NOT {theirs})")
