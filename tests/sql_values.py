"""Random values and conditions over columns, as text; what DuckDB says differently is kept beside it (`both`)."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from datetime import date, datetime
from typing import Any

from tests.sql_choices import Choices
from tests.sql_data import BOOL, DATE, DECIMAL, FLOAT, INT, LIST, STRUCT, TEXT, TIME, USUAL, VALUES
from tests.sql_users import SAID

Columns = list[tuple[str, str]]
"""Names, as a query says them, and kinds."""

_BOTH = re.compile("\x01([^\x01\x02\x03]*)\x02([^\x01\x02\x03]*)\x03")
COMPARISONS = ("=", "<>", "<", ">=", ">", "<=")


def both(ours: str, theirs: str) -> str:
    """What is said differently to DuckDB, as a part of a query."""
    return f"\x01{ours}\x02{theirs}\x03"


def sides(text: str) -> tuple[str, str]:
    """A query, and how DuckDB is asked it."""
    found = []
    for side in (r"\1", r"\2"):
        said = text
        while "\x01" in said:
            said = _BOTH.sub(side, said)
        found.append(said)
    return found[0], found[1]


def _said(value: Any) -> str:
    match value:
        case None:
            return "NULL"
        case list():
            return f"[{', '.join(map(_said, value))}]"
        case dict():
            return f"{{{', '.join(f'{name!r}: {_said(each)}' for name, each in value.items())}}}"
    return repr(value)


class Values(ABC):
    """Makes values and conditions; queries inside them come from the class that derives from this one."""

    def __init__(self, choices: Choices) -> None:
        self.choices = choices
        self.one_in = choices.one_in
        self.pick = choices.pick

    @abstractmethod
    def subquery_value(self, columns: Columns, kind: str, nested: int) -> str:
        """A query in parentheses that has one value."""

    @abstractmethod
    def subquery_condition(self, columns: Columns, nested: int) -> str:
        """A condition with a query in it."""

    def value(self, columns: Columns, kind: str, depth: int, nested: int = 0, *, column: bool = False) -> str:
        """A value of a kind; with `column` it depends on one wherever there is any."""
        if depth and self.one_in(3):
            return self.made(columns, kind, depth)
        if nested and self.one_in(8):
            return self.subquery_value(columns, kind, nested)
        same = [name for name, other in columns if other == kind]
        if same and (column or not self.one_in(8)):
            return self.pick(same)
        if columns and (column or not self.one_in(3)):
            return self.of_another(columns, kind)
        return self.literal(kind)

    def of_another(self, columns: Columns, kind: str) -> str:
        name, other = self.pick(columns)
        if kind == BOOL and other != LIST:
            return f"({name} IS NULL)"
        casts = {
            (INT, FLOAT): f"CAST({name} AS DOUBLE)",
            (INT, TEXT): f"CAST({name} AS VARCHAR)",
            (INT, DECIMAL): f"CAST({name} AS DECIMAL(9, 2))",
            (TEXT, INT): f"length({name})",
            (TIME, DATE): f"CAST({name} AS DATE)",
            (DATE, TIME): f"CAST({name} AS TIMESTAMP)",
            (DECIMAL, FLOAT): f"CAST({name} AS DOUBLE)",
            (BOOL, INT): f"CAST({name} AS INTEGER)",
            (BOOL, TEXT): f"CAST({name} AS VARCHAR)",
            (DATE, TEXT): f"CAST({name} AS VARCHAR)",
            (INT, LIST): f"[{name}, {name}]",
            (LIST, INT): f"{name}[1]",
            (LIST, BOOL): both(f"(cardinality({name}) > 1)", f"(len({name}) > 1)"),
            (INT, STRUCT): f"{{'x': {name}, 'y': 'a'}}",
            (TEXT, STRUCT): f"{{'x': 1, 'y': {name}}}",
            (STRUCT, INT): f"({name}).x",
            (STRUCT, TEXT): f"({name}).y",
        }
        if (other, kind) in casts and not self.one_in(3):
            return casts[other, kind]
        return f"CASE WHEN {name} IS NULL THEN {self.literal(kind)} ELSE {self.literal(kind)} END"

    def made(self, columns: Columns, kind: str, depth: int) -> str:
        one = self.value(columns, kind, depth - 1, column=True)
        other = self.value(columns, kind, depth - 1)
        forms = [
            lambda: f"coalesce({one}, {other})",
            lambda: f"nullif({one}, {other})",
            lambda: f"CASE WHEN {self.condition(columns, 0)} THEN {one} ELSE {other} END",
            lambda: f"CASE {one} WHEN {self.literal(kind)} THEN {other} ELSE {self.literal(kind)} END",
            lambda: f"CASE WHEN {self.condition(columns, 0)} THEN {one} END",
        ]
        if kind not in (BOOL, LIST, STRUCT):
            forms += [lambda: f"greatest({one}, {other})", lambda: f"least({one}, {other})"]
        if kind in SAID:
            ours, theirs = (said.format(one=one, other=other) for said in SAID[kind])
            forms.append(lambda: both(ours, theirs))
        forms += [lambda form=form: form for form in self._of_kind(kind, one, other, columns)]
        return self.pick(forms)()

    def _of_kind(self, kind: str, one: str, other: str, columns: Columns) -> list[str]:
        sums = [f"({one} + {other})", f"({one} - {other})", f"abs({one})", f"(-{one})"]
        match kind:
            case "BIGINT":
                return [
                    *sums,
                    f"({one} * {other})",
                    f"({one} % 2)",
                    f"({one} & {other})",
                    f"({one} | {other})",
                    both(f"({one} / 2)", f"({one} // 2)"),
                    both(f"({one} / nullif({other}, 0))", f"({one} // nullif({other}, 0))"),
                    f"CAST(sign({one}) AS BIGINT)",
                ]
            case "DOUBLE":
                return [*sums, f"({one} * {other})", f"({one} / CAST(2 AS DOUBLE))", f"floor({one})", f"ceil({one})"]
            case "DECIMAL(9, 2)":
                return [f"CAST({sums[0]} AS DECIMAL(9, 2))", f"CAST({sums[1]} AS DECIMAL(9, 2))", sums[2], sums[3]]
            case "VARCHAR":
                return [
                    f"({one} || {other})",
                    f"upper({one})",
                    f"lower({one})",
                    f"concat({one}, {other})",
                    f"substr({one}, 1, 1)",
                    f"replace({one}, 'a', 'c')",
                    f"left({one}, 1)",
                    f"right({one}, 1)",
                    f"trim({one})",
                ]
            case "DATE":
                return [f"({one} + 1)", f"({one} - 1)", f"CAST(date_trunc('month', {one}) AS DATE)"]
            case "TIMESTAMP":
                return [
                    f"({one} + INTERVAL '1 hour')",
                    f"({one} - INTERVAL '1 minute')",
                    f"date_trunc('minute', {one})",
                ]
        if kind == LIST:
            return [f"{one}[1:1]", f"[{one}[1], 2]", f"[x + 1 FOR x IN {one}]"]
        if kind == STRUCT:
            return [f"{{'x': ({one}).x, 'y': 'c'}}", f"{{'x': 3, 'y': ({one}).y}}"]
        again = self.value(columns, BOOL, 0)
        return [f"({one} AND {other})", f"({one} OR {again})", f"(NOT {one})", f"({self.condition(columns, 0)})"]

    def literal(self, kind: str) -> str:
        value = self.pick(VALUES[kind])
        if kind == STRUCT:
            ours, theirs = f"CAST({_said(value)} AS {kind})", f"CAST({_said(value)} AS STRUCT(x BIGINT, y VARCHAR))"
            return both(ours, theirs)
        if value is None or kind == LIST:
            return f"CAST({_said(value)} AS {kind})"
        if isinstance(value, date | datetime):
            return f"{kind} '{value}'"
        if kind in (FLOAT, DECIMAL):
            return f"CAST({value} AS {kind})"
        return f"'{value}'" if kind == TEXT else str(value).upper()

    def condition(self, columns: Columns, depth: int, nested: int = 0) -> str:
        if depth and self.one_in(2):
            one, other = self.condition(columns, depth - 1, nested), self.condition(columns, depth - 1)
            return self.pick([f"({one} AND {other})", f"({one} OR {other})", f"NOT ({one})"])
        if nested and self.one_in(3):
            return self.subquery_condition(columns, nested)
        if self.one_in(12):
            return self.of_rows(columns)
        kind = self.pick(USUAL)
        one = self.value(columns, kind, min(depth, 1), column=True)
        other = self.value(columns, kind, 0)
        forms = [f"{one} {word} {other}" for word in (*COMPARISONS, "IS DISTINCT FROM", "IS NOT DISTINCT FROM")]
        forms += [
            f"{one} IS NULL",
            f"{one} IS NOT NULL",
            f"{one} IN ({other}, {self.literal(kind)})",
            f"{one} NOT IN ({self.literal(kind)}, {self.literal(kind)})",
            f"{one} BETWEEN {self.literal(kind)} AND {other}",
            f"{one} NOT BETWEEN {other} AND {self.literal(kind)}",
        ]
        if kind == TEXT:
            pattern = self.pick(["a%", "%b", "_", "%", ""])
            forms += [f"{one} LIKE '{pattern}'", f"{one} NOT LIKE '{pattern}'", f"{one} ILIKE 'A%'"]
        if kind == BOOL:
            forms += [one, f"{one} IS TRUE", f"{one} IS NOT TRUE", f"{one} IS FALSE", f"{one} IS UNKNOWN"]
        return self.pick(forms)

    def of_rows(self, columns: Columns) -> str:
        """A comparison of rows, which DuckDB compares as values of their own: it is asked column by column."""
        kinds = self.choices.some(USUAL, 2, 2)
        one = [self.value(columns, kind, 0, column=True) for kind in kinds]
        other = [self.value(columns, kind, 0) for kind in kinds]
        third = [self.value(columns, kind, 0) for kind in kinds]
        left, right, last = (f"({', '.join(row)})" for row in (one, other, third))
        equal, equal_last = (f"({one[0]} = {row[0]} AND {one[1]} = {row[1]})" for row in (other, third))
        word = self.pick(["=", "<>", "<", ">=", ">", "<="])
        ordered = f"({one[0]} {word[0]} {other[0]} OR ({one[0]} = {other[0]} AND {one[1]} {word} {other[1]}))"
        theirs = {"=": equal, "<>": f"(NOT {equal})"}.get(word, ordered)
        forms = [both(f"({left} {word} {right})", theirs)] * 2
        forms += [both(f"{left} IN ({right}, {last})", f"({equal} OR {equal_last})")]
        forms += [both(f"{left} NOT IN ({right}, {last})", f"(NOT ({equal} OR {equal_last}))")]
        return self.pick(forms)
