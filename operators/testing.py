"""The test kit for queries: what a query puts out over streams adds up to what DuckDB returns over the same tables.

Nothing here depends on chance that a seed does not fix, but for the order in which a whole run meets its batches.
"""

from __future__ import annotations

import math
import random
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache, cached_property
from itertools import pairwise
from typing import Any, Final, Literal, TypeAlias
from uuid import UUID

import attrs
import pyarrow as pa

from flow.errors import MissingExtraError, PenstockError
from flow.graph import Graph
from flow.nodes import OperatorNode, SinkNode, SourceNode
from flow.schema import WEIGHT
from flow.stepping import Stepping
from operators.in_process.tables import Collect, Table, summed
from operators.sql import sql
from operators.sql.grammar.dialect import POSTGRES
from operators.udf import UserFunction

Row: TypeAlias = tuple[Any, ...]

Batching: TypeAlias = int | Literal["random", "all"]
"""Rows a batch: so many, as chance will have it, or all at once."""

SHOWN: Final = 10
"""Rows of each kind that a difference shows."""

_EACH: Final = 1
"""How often a run in single steps is compared before its end."""


@attrs.frozen
class Input:
    """A stream made of a table of changes, in this order.

    Attributes:
        changes: the rows; with a last int64 column ``_weight`` (+1 inserts, -1 retracts) the stream is a changelog.
        event_time: the timestamp column that the watermark speaks of.
        delay: how far event times may be out of order.
    """

    changes: pa.Table
    event_time: str | None = None
    delay: str = "0s"


def assert_matches_batch(
    query: str,
    inputs: Mapping[str, Any],
    *,
    reference: str | None = None,
    batches: Sequence[Batching] = (1, 7, "all", "random"),
    partitions: Sequence[int] = (1, 4),
    whole: bool = True,
    dialect: str = POSTGRES,
    functions: Sequence[UserFunction] = (),
    seed: int = 0,
) -> None:
    """Run a query over streams in every batching and number of partitions, and compare with DuckDB.

    Each combination runs in single steps, sources and channels taking turns by chance, and is compared on the way too,
    wherever the query gives out changes; then it runs once as a whole, with event loop and threads.
    Rows are compared as multisets, numbers with a fraction to 1e-9 relative.

    Args:
        query: what `operators.sql` takes.
        inputs: the streams by the names that the query calls them: tables of changes (an Arrow table, a dict of
            columns, or anything else that `Table` takes), or an `Input` where there is an event time.
        reference: the query for DuckDB, where that is another one.
        batches: rows a batch, ``"all"`` or ``"random"``.
        partitions: how many instances of each operator.
        whole: whether to run as a whole, too, with the most partitions.
        dialect: of the query.
        functions: of users, that the query calls; DuckDB does not know them, so `reference` says it in other words.
        seed: what chance begins with.

    Raises:
        AssertionError: the results differ; tells which rows are missing and which are too many.
        MissingExtraError: DuckDB is not installed.
        SqlError: the query is refused.
    """
    given = {name: each if isinstance(each, Input) else Input(_table(each)) for name, each in inputs.items()}
    case = _Case(query, given, dialect, functions)
    with Reference(reference or query) as batch:
        for count in partitions:
            for batching in batches:
                case.step(batch, batching, count, random.Random(f"{seed} {batching} {count}"))
        if whole:
            case.run(batch, max(partitions), random.Random(f"{seed}"))


def with_retractions(table: pa.Table, seed: int = 0) -> pa.Table:
    """Changes that add up to the rows of a table: they come in any order, and others come and go in between.

    Rows that are inserted twice lose one copy again, and rows of which the columns are mixed from several are there
    for a while; a row's insertion always comes before its retraction.
    """
    chance = random.Random(f"{seed}")
    rows = table.num_rows
    if not rows:
        return table.append_column(pa.field(WEIGHT, pa.int64(), nullable=False), pa.array([], pa.int64()))
    extra = max(1, rows // 4)
    copies = table.take([chance.randrange(rows) for _ in range(extra)])
    mixed = pa.table(
        [column.take([chance.randrange(rows) for _ in range(extra)]) for column in table.columns], schema=table.schema
    )
    everything = pa.concat_tables([table, copies, mixed]).combine_chunks()
    order = [(chance.random(), row, 1) for row in range(everything.num_rows)]
    order += [(at + (1 - at) * chance.random(), row, -1) for at, row, _ in order[rows:]]
    order.sort(key=lambda change: (change[0], -change[2]))
    changes = everything.take([row for _, row, _ in order])
    weights = pa.array([weight for _, _, weight in order], pa.int64())
    return changes.append_column(pa.field(WEIGHT, pa.int64(), nullable=False), weights)


class Reference:
    """What DuckDB returns for a query, over any tables; a context manager.

    Raises:
        MissingExtraError: DuckDB is not installed.
    """

    def __init__(self, query: str) -> None:
        self._query = query.strip().rstrip(";")
        self._connection = _duckdb().cursor()

    def __enter__(self) -> Reference:
        return self

    def __exit__(self, *error: object) -> None:
        self._connection.close()

    def table(self, tables: Mapping[str, pa.Table]) -> pa.Table:
        """The result over tables of changes, each summed up to the rows that remain.

        Raises:
            PenstockError: a row is retracted that had not been inserted.
        """
        for name, table in tables.items():
            self._connection.register(name, final(table))
        return self._connection.sql(self._query).to_arrow_table()

    def rows(self, tables: Mapping[str, pa.Table]) -> Counter[Row]:
        """How often each row is there in `table`."""
        return counted(self.table(tables))


@cache
def _duckdb() -> Any:
    try:
        import duckdb
    except ImportError as error:
        raise MissingExtraError("comparing with a batch engine", "test", "duckdb") from error
    return duckdb.connect(config={"threads": 1})


@attrs.define(eq=False)
class _Case:
    query: str
    inputs: Mapping[str, Input]
    dialect: str
    functions: Sequence[UserFunction] = ()
    _last: Counter[Row] | None = None

    @cached_property
    def _planned(self) -> Graph:
        """The query over the whole tables, with a sink called ``result``."""
        graph = Graph("case")
        streams: dict[str, Any] = {
            name: graph.source(name, Table(each.changes), event_time=each.event_time, delay=each.delay)
            for name, each in self.inputs.items()
        }
        sql(self.query, dialect=self.dialect, functions=self.functions, **streams).sink("result", Collect())
        return graph

    def _graph(self, pieces: Mapping[str, Sequence[pa.RecordBatch]]) -> Graph:
        """The same over other batches."""
        nodes = {
            name: attrs.evolve(node, source=Table(pieces[name], max(1, *(piece.num_rows for piece in pieces[name]))))
            if isinstance(node, SourceNode) and name in pieces
            else node
            for name, node in self._planned.nodes.items()
        }
        return Graph("case", nodes)

    def step(self, batch: Reference, batching: Batching, partitions: int, chance: random.Random) -> None:
        """Once in single steps, compared at its end and, where that makes sense, on the way."""
        pieces = {name: _cut(each.changes, batching, chance) for name, each in self.inputs.items()}
        graph = self._graph(pieces)
        stepping = Stepping(graph, partitions=partitions, choose=chance.randrange)
        columns = graph.schema(graph.node("result").inputs["in"]).columns
        while values := [name for name in stepping.waiting if name not in pieces]:
            stepping.read(values[0])
        left = {name: list(each) for name, each in pieces.items()}
        total = sum(map(len, pieces.values()))
        stops = set(chance.sample(range(1, total), min(_EACH, total - 1))) if self._gives_changes(graph) else set()
        read = dict.fromkeys(pieces, 0)
        what = f"batches: {batching}; partitions: {partitions}"
        for number in range(1, total + 1):
            name = chance.choice([name for name, batches in left.items() if batches])
            read[name] += left[name].pop(0).num_rows
            stepping.read(name)
            if not left[name] and chance.random() < 0.5:
                stepping.finish(name)
            while chance.random() < 0.5 and stepping.deliver():
                pass
            if number in stops:
                stepping.settle()
                sofar = {name: self.inputs[name].changes.slice(0, rows) for name, rows in read.items()}
                told = ", ".join(f"{rows} of {name!r}" for name, rows in read.items())
                self._compare(batch, sofar, stepping, columns, f"{what}; after these rows: {told}")
        stepping.end()
        self._compare(batch, None, stepping, columns, what)

    def run(self, batch: Reference, partitions: int, chance: random.Random) -> None:
        """Once as a whole."""
        pieces = {name: _cut(each.changes, "random", chance) for name, each in self.inputs.items()}
        graph = self._graph(pieces)
        graph.run(partitions=partitions)
        sink = graph.node("result")
        assert isinstance(sink, SinkNode)
        assert isinstance(sink.sink, Collect)
        _compare(
            self.query, self._expected(batch), counted(sink.sink.changes()), f"a whole run; partitions: {partitions}"
        )

    def _gives_changes(self, graph: Graph) -> bool:
        """Whether results come out as rows come in: no group waits for a window's end or the input's."""
        operators = [node.operator for node in graph if isinstance(node, OperatorNode)]
        return all(getattr(operator, "emit", "changes") == "changes" for operator in operators)

    def _compare(
        self, batch: Reference, inputs: Mapping[str, pa.Table] | None, stepping: Stepping, columns: pa.Schema, what: str
    ) -> None:
        try:
            expected = self._expected(batch) if inputs is None else batch.rows(inputs)
        except PenstockError:
            if inputs is None:
                raise
            return  # changes that are not yet a table
        written = pa.Table.from_batches(stepping.written["result"], columns)
        _compare(self.query, expected, counted(written), what)

    def _expected(self, batch: Reference) -> Counter[Row]:
        """What DuckDB returns over the whole tables."""
        if self._last is None:
            self._last = batch.rows({name: each.changes for name, each in self.inputs.items()})
        return self._last


def _table(data: Any) -> pa.Table:
    return data if isinstance(data, pa.Table) else pa.Table.from_batches(Table(data).data)


def final(changes: pa.Table) -> pa.Table:
    """The rows that remain of a table of changes.

    Raises:
        PenstockError: a row is retracted that had not been inserted.
    """
    return summed(changes) if WEIGHT in changes.schema.names else changes


def _cut(table: pa.Table, batching: Batching, chance: random.Random) -> list[pa.RecordBatch]:
    (whole,) = table.combine_chunks().to_batches() or [pa.RecordBatch.from_pylist([], schema=table.schema)]
    rows = whole.num_rows
    if batching == "all" or not rows:
        return [whole]
    if batching == "random":
        cuts = sorted(chance.sample(range(1, rows), chance.randrange(rows)))
        bounds = [0, *cuts, rows]
    else:
        bounds = [*range(0, rows, batching), rows]
    return [whole.slice(low, high - low) for low, high in pairwise(bounds)]


def counted(table: pa.Table) -> Counter[Row]:
    """How often each row is there; for a changelog, how often it is left: less than 0 where more was retracted."""
    names = [name for name in table.schema.names if name != WEIGHT]
    columns = [[plain(value) for value in table[name].to_pylist()] for name in names]
    weights = table[WEIGHT].to_pylist() if WEIGHT in table.schema.names else [1] * table.num_rows
    counts: Counter[Row] = Counter()
    for row, weight in zip(zip(*columns, strict=True), weights, strict=True):
        counts[row] += weight
    return Counter({row: count for row, count in counts.items() if count})


def plain(value: Any) -> Any:
    """A value that can be compared and hashed."""
    match value:
        case UUID():
            return str(value)
        case float() if math.isnan(value):
            return "NaN"
        case list():
            return tuple(map(plain, value))
        case dict():
            return tuple((key, plain(each)) for key, each in value.items())
    return value


def difference(expected: Counter[Row], given: Counter[Row]) -> tuple[list[Row], list[Row]]:
    """The rows that are missing and those that are too many; numbers with a fraction may differ by 1e-9 relative."""
    missing = list((expected - given).elements())
    surplus = Counter(given)
    surplus.subtract(expected)
    extra = list((+surplus).elements())
    unmatched = []
    for row in missing:
        near = next((number for number, other in enumerate(extra) if _close(row, other)), None)
        if near is None:
            unmatched.append(row)
        else:
            extra.pop(near)
    return unmatched, extra


def _close(one: Row, other: Row) -> bool:
    return len(one) == len(other) and all(map(_same, one, other))


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, tuple) and isinstance(other, tuple):
        return _close(one, other)
    if isinstance(one, float) and isinstance(other, float | int | Decimal):
        return math.isclose(one, other, rel_tol=1e-9)
    if isinstance(other, float) and isinstance(one, int | Decimal):
        return math.isclose(one, other, rel_tol=1e-9)
    return bool(one == other)


def _compare(query: str, expected: Counter[Row], given: Counter[Row], what: str) -> None:
    missing, extra = difference(expected, given)
    below = [row for row, count in given.items() if count < 0]
    if missing or extra or below:
        raise AssertionError(
            "\n".join(
                [
                    "what the query put out does not add up to what DuckDB returns",
                    textwrap.indent(query.strip(), "  "),
                    what,
                    *_told("rows missing", missing),
                    *_told("rows too many", extra),
                    *_told("rows retracted that had not been inserted", below),
                ]
            )
        )


def _told(what: str, rows: list[Row]) -> Iterator[str]:
    if rows:
        yield f"{what} ({len(rows)}):"
        yield from (f"  {' | '.join('NULL' if value is None else str(value) for value in row)}" for row in rows[:SHOWN])
    if len(rows) > SHOWN:
        yield f"  ... {len(rows) - SHOWN} more"
