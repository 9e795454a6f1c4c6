"""Random calls of aggregates, as text; those whose last digits depend on the order of rows are results only."""

from __future__ import annotations

from tests.sql_data import BOOL, DATE, DECIMAL, FLOAT, INT, KINDS, TEXT, TIME
from tests.sql_users import SAID_OF_GROUPS
from tests.sql_values import Columns, Values, both

LISTS, REAL = "LISTS", "REAL"
"""Kinds of results with which no query goes on."""
LOOSE = (REAL, REAL, LISTS)
NULLS = ("NULLS LAST", "NULLS FIRST")


class Aggregates(Values):
    """Makes calls of aggregates of each kind."""

    def aggregate(self, columns: Columns, kind: str) -> str:
        call = self.pick(self._calls(columns, kind))
        if self.one_in(6):
            condition = self.condition(columns, 0)
            call = f"{call} FILTER (WHERE {condition})" if call.endswith(")") and not call.startswith("CAST") else call
        return call

    def _calls(self, columns: Columns, kind: str) -> list[str]:
        if kind == REAL:
            return self._real(columns)
        if kind == LISTS:
            return self._lists(columns)
        one = self.value(columns, kind, 1, column=True)
        calls = [f"min({one})", f"max({one})", *self._chosen(columns, one)]
        other = self.value(columns, self.pick(KINDS), 0, column=True)
        if kind in SAID_OF_GROUPS:
            ours, theirs = SAID_OF_GROUPS[kind]
            calls.append(both(ours.format(one=one), theirs.format(one=one)))
        match kind:
            case "BIGINT":
                calls += ["count(*)", f"count({other})", f"count(DISTINCT {other})", f"sum({one})"] * 2
                calls += [f"sum(DISTINCT {one})", f"bit_and({one})", f"bit_or({one})", f"bit_xor({one})"]
                calls += [f"percentile_disc(0.5) WITHIN GROUP (ORDER BY {one})"]
            case "DOUBLE":
                number = self.value(columns, self.pick([INT, FLOAT]), 1, column=True)
                calls += [f"sum({one})", f"sum({one})", f"median({number})", f"sum(DISTINCT {one})"]
            case "BOOLEAN":
                calls += [f"bool_and({one})", f"bool_or({one})", both(f"every({one})", f"bool_and({one})")]
            case "VARCHAR":
                calls += [f"string_agg({one}, '-' ORDER BY {one} {self.pick(['', 'DESC'])})"]
                calls += [f"string_agg(DISTINCT {one}, ',' ORDER BY {one})"]
            case "DECIMAL(9, 2)":
                calls += [f"CAST(sum({one}) AS DECIMAL(9, 2))"] * 2
        return calls

    def _chosen(self, columns: Columns, one: str) -> list[str]:
        """The first and the last, and the value of the extreme: DuckDB would leave it to chance which of several."""
        by = self.value(columns, self.pick([INT, TEXT, FLOAT, DATE, TIME]), 0, column=True)
        given = f"FILTER (WHERE {one} IS NOT NULL AND {by} IS NOT NULL)"
        up, down = f"array_agg({one} ORDER BY {by}, {one})", f"array_agg({one} ORDER BY {by} DESC, {one})"
        nulls = self.pick(NULLS)
        back = NULLS[1 - NULLS.index(nulls)]
        first = f"(array_agg({one} ORDER BY {by} {nulls}, {one}) FILTER (WHERE {one} IS NOT NULL))[1]"
        last = f"(array_agg({one} ORDER BY {by} DESC {back}, {one} DESC) FILTER (WHERE {one} IS NOT NULL))[1]"
        return [
            both(f"arg_min({one}, {by})", f"({up} {given})[1]"),
            both(f"arg_max({one}, {by})", f"({down} {given})[1]"),
            both(f"first({one} ORDER BY {by} {nulls}, {one})", first),
            both(f"last({one} ORDER BY {by} {nulls}, {one})", last),
        ]

    def _real(self, columns: Columns) -> list[str]:
        # No covariances: one of 0 is one of 1e-17 in DuckDB, by the order of rows.
        x = self.value(columns, self.pick([INT, FLOAT]), 1, column=True)
        y = self.value(columns, self.pick([INT, FLOAT]), 0, column=True)
        calls = [f"avg({x})", f"avg(DISTINCT {x})", f"avg({self.value(columns, DECIMAL, 0, column=True)})"]
        calls += [f"{name}({x})" for name in ("stddev", "var_samp")]
        # Of one value DuckDB says 0, be it infinite or NaN.
        calls += [both(f"{name}({x})", f"({name}({x}) + 0 * avg({x}))") for name in ("stddev_pop", "var_pop")]
        calls += [both(f"regr_sxx({y}, {x})", f"(regr_sxx({y}, {x}) + 0 * regr_avgx({y}, {x}))")]
        calls += [f"{name}({y}, {x})" for name in ("regr_count", "regr_avgx")]
        calls += [f"percentile_cont(0.25) WITHIN GROUP (ORDER BY {x})"]
        return calls

    def _lists(self, columns: Columns) -> list[str]:
        one = self.value(columns, self.pick([INT, TEXT, FLOAT, BOOL]), 0, column=True)
        order = f"{self.pick(['ASC', 'DESC'])} {self.pick(NULLS)}"
        by = self.value(columns, self.pick([INT, TEXT]), 0, column=True)
        return [
            f"array_agg({one} ORDER BY {one} {order})",
            f"array_agg({one} ORDER BY {by} {order}, {one} {order})",
            f"array_agg(DISTINCT {one} ORDER BY {one} {order})",
        ]
