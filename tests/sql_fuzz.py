"""Random queries over random changes, compared with DuckDB for as long as is asked: python -m tests.sql_fuzz --cases N.

A case is a query over some data in its batches, at a number of partitions. Queries come in worlds: so many over the
same tables, each over so many data. Each difference is made smaller and printed as a case for a file of tests/sql;
exits with 1 if there was one.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from random import Random

import attrs
import duckdb

from operators import SqlError
from tests.sql_cases import written
from tests.sql_choices import Choices, smaller_choices, smaller_list
from tests.sql_compare import Oracle, Planned
from tests.sql_data import Data, Shape, data, shapes, valid
from tests.sql_scripts import Query, query

QUERIES = 8
DATA = 10
PARTITIONS = (1, 1, 1, 2, 2, 3, 4)
WHOLE = 60
WRONG = "no column"
"""Refusals that cannot be right: the generator names nothing that is not there."""


@attrs.define
class Found:
    """A case that is wrong, as small as it got."""

    query: Query
    shapes: dict[str, Shape]
    data: Data
    partitions: int
    seed: int
    kind: str
    error: str

    def __str__(self) -> str:
        tables = {}
        for name in self.query.tables:
            changes = self.data.changes(name)
            tables[name] = self.shapes[name].batch(changes)
        batches = " ".join(f"{name}:{len(changes)}" for name, changes in self.data.batches)
        encoded = [name for name in self.query.tables if self.shapes[name].encoded]
        how = f"batches {batches}, partitions {self.partitions}, seed {self.seed}, encoded {encoded}"
        name = f"found at random: {how}"
        cases = [written(name, asked.ours, tables, asked.theirs) for asked in self.query.asked]
        return "\n\n".join([self.error, self.query.script(self.shapes), *cases])


@attrs.define
class Search:
    """Goes through random cases, and counts what became of them.

    Attributes:
        queries: how many were compared, each over several data.
        broadcast: in how many of them a table is broadcast.
        compared: how many cases were.
        refused: queries that the planner refused, by message.
        refusals: one of them for each message.
        unknown: queries that DuckDB did not understand, by message.
        found: the wrong ones.
        first_found: how many were right before the first of them.
        shrink: whether those are made smaller.
        whole: one case in so many runs as a whole, too, with event loop and threads; 0: none.
    """

    shrink: bool = True
    whole: int = WHOLE
    queries: int = 0
    broadcast: int = 0
    compared: int = 0
    refused: Counter[str] = attrs.field(factory=Counter)
    refusals: dict[str, str] = attrs.field(factory=dict)
    unknown: Counter[str] = attrs.field(factory=Counter)
    found: list[Found] = attrs.field(factory=list)
    first_found: int | None = None
    _oracle: Oracle = attrs.field(init=False, factory=Oracle)

    def world(self, seed: int, most: int | None = None) -> None:
        """Compare several queries over several data; until so many cases in all are compared."""
        chance = Random(seed)
        tables = shapes(Choices(chance))
        datas = [data(Choices(chance), tables) for _ in range(DATA)]
        self._oracle.load(tables, datas)
        for number in range(QUERIES):
            if most is not None and self.compared >= most:
                return
            choices = Choices(chance)
            found = self._query(query(choices, tables), tables, datas, Random(f"{seed} {number}"), most)
            if found is not None:
                if self.first_found is None:
                    self.first_found = self.compared
                self.found.append(self._smaller(found, choices.made) if self.shrink else found)
                self._oracle.load(tables, datas)

    def _query(
        self, asked: Query, tables: dict[str, Shape], datas: list[Data], chance: Random, most: int | None
    ) -> Found | None:
        try:
            self._oracle.prepare(asked)
        except duckdb.Error as error:
            self.unknown[str(error).splitlines()[0][:100]] += 1
            return None
        partitions, seed, tried = 1, 0, datas[0]
        planned = None
        try:
            planned = Planned(asked, tables)
            self.queries += 1
            self.broadcast += planned.broadcast
            for place, tried in enumerate(datas):
                if most is not None and self.compared >= most:
                    break
                partitions, seed = chance.choice(PARTITIONS), chance.randrange(1000)
                wrong = planned.steps(self._oracle, place, tried, partitions, seed)
                if wrong is None and self.whole and chance.randrange(self.whole) == 0:
                    wrong = planned.whole(self._oracle, place, tried, partitions, seed)
                if wrong is not None:
                    return Found(asked, tables, tried, partitions, seed, "difference", wrong)
                self.compared += 1
        except SqlError as error:
            if error.message.startswith(WRONG):
                return Found(asked, tables, tried, partitions, seed, "SqlError", error.message)
            self.refused[error.message[:100]] += 1
            self.refusals.setdefault(error.message[:100], asked.script(tables))
        except duckdb.Error as error:
            self.unknown[str(error).splitlines()[0][:100]] += 1
        except (Exception, ExceptionGroup) as error:
            told = "".join(traceback.format_exception(error)[-8:])
            return Found(asked, tables, tried, partitions, seed, type(error).__name__, told)
        return None

    def _smaller(self, found: Found, made: list[int]) -> Found:
        """The same with a shorter query and fewer changes, wrong in the same way."""
        best = found

        def fails(asked: Query, rows: Data) -> bool:
            nonlocal best
            quiet = Search(shrink=False, whole=0)
            quiet._oracle = self._oracle
            self._oracle.load({name: found.shapes[name] for name in asked.tables}, [rows])
            again = quiet._again(asked, found, rows)
            if again is None or again.kind != found.kind:
                return False
            best = again
            return True

        def shorter(candidate: list[int]) -> bool:
            choices = Choices(given=candidate)
            asked = query(choices, found.shapes)
            if _length(asked) > _length(best.query) + 20:
                return False
            return fails(asked, best.data)

        def fewer(changes: list[tuple[str, int, object]]) -> bool:
            batches: dict[int, tuple[str, list[object]]] = {}
            for name, number, change in changes:
                batches.setdefault(number, (name, []))[1].append(change)
            return fails(best.query, valid(batches.values(), best.shapes))

        if not fails(found.query, found.data):
            return found
        made = smaller_choices(made, shorter)
        flat = [(name, number, change) for number, (name, batch) in enumerate(best.data.batches) for change in batch]
        smaller_list(flat, fewer)
        smaller_choices(made, shorter, 200)
        return best

    def _again(self, asked: Query, found: Found, rows: Data) -> Found | None:
        try:
            self._oracle.prepare(asked)
            wrong = Planned(asked, found.shapes).steps(self._oracle, 0, rows, found.partitions, found.seed)
        except SqlError as error:
            wrong = error.message if error.message.startswith(WRONG) else None
            return wrong and attrs.evolve(found, query=asked, data=rows, kind="SqlError", error=wrong)
        except duckdb.Error:
            return None
        except (Exception, ExceptionGroup) as error:
            told = "".join(traceback.format_exception(error)[-8:])
            return attrs.evolve(found, query=asked, data=rows, kind=type(error).__name__, error=told)
        if wrong is None:
            return None
        return attrs.evolve(found, query=asked, data=rows, kind="difference", error=wrong)


def _length(asked: Query) -> int:
    return sum(map(len, asked.views)) + sum(len(each.ours) for each in asked.asked)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000, help="how many to compare")
    parser.add_argument("--seed", type=int, default=0, help="where to begin")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so long")
    parser.add_argument("--whole", type=int, default=WHOLE, help="run one case in so many as a whole, too; 0: none")
    parser.add_argument("--differences", type=int, default=10, help="stop after so many")
    options = parser.parse_args()
    return searched(Search(whole=options.whole), options, lambda text: print(text, flush=True))


def searched(search: Search, options: argparse.Namespace, told: Callable[[str], None]) -> int:
    began, seed, shown = time.perf_counter(), options.seed, 0
    while search.compared < options.cases and len(search.found) < options.differences:
        if time.perf_counter() - began > options.seconds:
            break
        search.world(seed, options.cases)
        seed += 1
        for found in search.found[shown:]:
            told(f"\nworld {seed - 1}\n{found}")
        shown = len(search.found)
        if (seed - options.seed) % 20 == 0:
            rate = search.compared / (time.perf_counter() - began)
            told(f"{search.compared} cases, {search.queries} queries, {rate:.0f} cases/s, {shown} differences")
    rate = search.compared / (time.perf_counter() - began)
    told(
        f"next seed {seed}: {search.compared} cases, {search.queries} queries, {search.broadcast} of which broadcast "
        f"a table, {rate:.0f} cases/s, {shown} differences"
    )
    for what, counts in (("refused", search.refused), ("unknown to DuckDB", search.unknown)):
        for message, times in counts.most_common(20):
            told(f"{what} {times} times: {message}\n    {search.refusals.get(message, '')}")
    return int(shown > 0)


if __name__ == "__main__":
    sys.exit(main())
