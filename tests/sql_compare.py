"""Queries over the same data many times, fast: planned once, stepped without an event loop, asked of one DuckDB.

DuckDB has every row with the moments between which it is there, so that a prepared query can be asked at any of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from random import Random
from typing import Any

import attrs
import duckdb
import pyarrow as pa

from flow import Graph
from flow.graph import StreamSchema
from flow.layout import Layout, lay_out
from flow.nodes import OperatorNode, SourceNode
from flow.settings import Settings
from flow.stepping import Stepping
from operators import Collect, Table, sql
from operators.testing import counted, difference, plain
from tests.sql_data import ARROW, FOREVER, Data, Shape
from tests.sql_generator import Query

Rows = Counter[tuple[Any, ...]]


class Oracle:
    """One DuckDB, whose tables are those of some data at a moment: after so many of its batches."""

    def __init__(self) -> None:
        self._connection = duckdb.connect(config={"threads": 1})
        # Without its optimizer DuckDB plans small queries in half the time, and has fewer ways to be wrong.
        self._connection.execute("PRAGMA disable_optimizer")
        self._connection.execute("CREATE TABLE moment (n INTEGER)")
        self._connection.execute("INSERT INTO moment VALUES (0)")

    def load(self, shapes: Mapping[str, Shape], datas: Iterable[Data]) -> None:
        """Forget all data, and have these."""
        datas = list(datas)
        for name, shape in shapes.items():
            lives = [
                (*row, start + place * FOREVER, min(stop, FOREVER - 1) + place * FOREVER)
                for place, data in enumerate(datas)
                for row, start, stop in data.lives(name)
            ]
            fields = [(column, ARROW[kind]) for column, kind in shape.columns]
            fields += [("_from", pa.int64()), ("_to", pa.int64())]
            columns = [[row[number] for row in lives] for number in range(len(fields))]
            arrays = [pa.array(column, kind) for column, (_, kind) in zip(columns, fields, strict=True)]
            self._connection.register("lives", pa.table(arrays, [column for column, _ in fields]))
            self._connection.execute(f"CREATE OR REPLACE TABLE all_{name} AS SELECT * FROM lives")
            self._connection.unregister("lives")
            shown = ", ".join(column for column, _ in shape.columns)
            self._connection.execute(
                f"CREATE OR REPLACE VIEW {name} AS SELECT {shown} FROM all_{name}, moment WHERE _from <= n AND n < _to"
            )

    def prepare(self, query: str) -> None:
        """Raises duckdb.Error: it is not a query there."""
        self._connection.execute(f"PREPARE asked AS {query}")

    def rows(self, place: int, batches: int) -> Rows:
        """What the prepared query returns over the data of this number, after so many batches."""
        self._connection.execute(f"UPDATE moment SET n = {place * FOREVER + batches}")
        return Counter(tuple(map(plain, row)) for row in self._connection.execute("EXECUTE asked").fetchall())


@attrs.define(eq=False)
class Planned:
    """A query over tables of some shapes, planned.

    Raises:
        SqlError: it is refused.
    """

    query: Query
    shapes: Mapping[str, Shape]
    graph: Graph = attrs.field(init=False)
    tables: set[str] = attrs.field(init=False)
    columns: StreamSchema = attrs.field(init=False)
    gives_changes: bool = attrs.field(init=False)
    _layouts: dict[int, Layout] = attrs.field(init=False, factory=dict)

    def __attrs_post_init__(self) -> None:
        graph = Graph("case")
        streams: dict[str, Any] = {
            name: graph.source(
                name, Table(self.shapes[name].batch([])), event_time=self.shapes[name].event_time, delay="100 days"
            )
            for name in self.query.tables
        }
        sql(self.query.ours, **streams).sink("result", Collect())
        # A common table expression that nothing reads leaves its tables without readers.
        read = {output.node for node in graph for output in node.inputs.values()}
        self.tables = {name for name in streams if name in read}
        graph = Graph("case", {name: node for name, node in graph.nodes.items() if name in read or name == "result"})
        self.graph = graph
        self.columns = graph.schema(graph.node("result").inputs["in"]).columns
        operators = [node.operator for node in graph if isinstance(node, OperatorNode)]
        self.gives_changes = all(getattr(operator, "emit", "changes") == "changes" for operator in operators)

    def steps(self, oracle: Oracle, place: int, data: Data, partitions: int, seed: int) -> str | None:
        """Compare in single steps, on the way and at the end; returns what differs."""
        chance = Random(seed)
        if partitions not in self._layouts:
            self._layouts[partitions] = lay_out(self.graph.nodes, Settings(partitions=partitions, readers=1))
        stepping = Stepping(self._layouts[partitions], choose=chance.randrange)
        while values := [name for name in stepping.waiting if name not in self.tables]:
            stepping.read(values[0])
        count = len(data.batches)
        stop = chance.randrange(1, count) if self.gives_changes and count > 1 else None
        for number, (name, changes) in enumerate(data.batches, 1):
            if name in self.tables:
                stepping.feed(name, self.shapes[name].batch(changes))
            while chance.random() < 0.5 and stepping.deliver():
                pass
            if number == stop:
                stepping.settle()
                wrong = self._compare(oracle.rows(place, number), stepping.written["result"])
                if wrong is not None:
                    return f"after {number} of {count} batches\n{wrong}"
        stepping.end()
        return self._compare(oracle.rows(place, count), stepping.written["result"])

    def whole(self, oracle: Oracle, place: int, data: Data, partitions: int) -> str | None:
        """Compare after a run with event loop and threads; returns what differs."""
        nodes = dict(self.graph.nodes)
        for name in self.tables:
            batches = [self.shapes[name].batch(changes) for table, changes in data.batches if table == name]
            node = nodes[name]
            assert isinstance(node, SourceNode)
            nodes[name] = attrs.evolve(node, source=Table(batches or [self.shapes[name].batch([])]))
        graph = Graph("case", nodes)
        graph.run(partitions=partitions)
        result: Any = graph.node("result")
        wrong = self._compare(oracle.rows(place, len(data.batches)), result.sink.changes().to_batches())
        return wrong and f"in a whole run\n{wrong}"

    def _compare(self, expected: Rows, written: list[pa.RecordBatch]) -> str | None:
        given = counted(pa.Table.from_batches(written, self.columns))
        if given == expected:
            return None
        missing, extra = difference(expected, given)
        below = [row for row, count in given.items() if count < 0]
        if not (missing or extra or below):
            return None
        told = [("missing", missing), ("too many", extra), ("taken back that were not there", below)]
        return "\n".join(f"rows {what}: {rows}" for what, rows in told if rows)
