"""Scripts over the same data many times, fast: planned once, stepped without an event loop, asked of one DuckDB.

DuckDB has every row with the moments between which it is there, so that a prepared query can be asked at any of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from random import Random

import attrs
import duckdb
import pyarrow as pa

from flow import Graph
from flow.errors import RowError
from flow.layout import Layout, lay_out
from flow.nodes import OperatorNode, RouterNode, SinkNode, SourceNode
from flow.router import Broadcast
from flow.settings import Settings
from flow.stepping import Stepping
from operators import SqlError, read_script
from operators.testing import difference, plain
from tests.sql_data import ARROW, FOREVER, Data, Shape
from tests.sql_scripts import Query
from tests.sql_streams import Fed, Rows, Told


class Oracle:
    """One DuckDB, whose tables are those of some data at a moment: after so many of its batches."""

    def __init__(self) -> None:
        self._connection = duckdb.connect(config={"threads": 1})
        # Without its optimizer DuckDB plans small queries in half the time, and has fewer ways to be wrong.
        self._connection.execute("PRAGMA disable_optimizer")
        self._connection.execute("CREATE TABLE moment (n INTEGER)")
        self._connection.execute("INSERT INTO moment VALUES (0)")
        self._asked: list[str] = []

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

    def prepare(self, query: Query) -> None:
        """Raises duckdb.Error: it is not a query there."""
        self._asked = [each.theirs for each in query.asked]
        for number, asked in enumerate(self._asked):
            self._connection.execute(f"PREPARE asked{number} AS {asked}")

    def rows(self, number: int, place: int, batches: int) -> Rows:
        """What a prepared query returns over the data of this number, after so many batches."""
        self._connection.execute(f"UPDATE moment SET n = {place * FOREVER + batches}")
        return _rows(self._connection.execute(f"EXECUTE asked{number}"))

    def at_odds(self, number: int) -> bool:
        """Whether DuckDB, with its optimizer, gives another answer than without, or none, where it was asked last."""
        first = _rows(self._connection.execute(f"EXECUTE asked{number}"))
        self._connection.execute("PRAGMA enable_optimizer")
        try:
            return any(difference(first, _rows(self._connection.execute(self._asked[number]))))
        except duckdb.Error:
            return True
        finally:
            self._connection.execute("PRAGMA disable_optimizer")


def _rows(result: duckdb.DuckDBPyConnection) -> Rows:
    return Counter(tuple(map(plain, row)) for row in result.fetchall())


@attrs.define(eq=False)
class Planned:
    """A script over tables of some shapes, planned.

    Raises:
        SqlError: it is refused.
    """

    query: Query
    shapes: Mapping[str, Shape]
    graph: Graph = attrs.field(init=False)
    tables: set[str] = attrs.field(init=False)
    gives_changes: bool = attrs.field(init=False)
    broadcast: bool = attrs.field(init=False)
    _layouts: dict[int, Layout] = attrs.field(init=False, factory=dict)

    def __attrs_post_init__(self) -> None:
        try:
            self.graph = read_script(self.query.script(self.shapes)).graph
        except SqlError as error:
            if NO_KEY not in error.message:
                raise
            weights = tuple(attrs.evolve(each, form="weight") for each in self.query.asked)
            self.query = attrs.evolve(self.query, asked=weights)
            self.graph = read_script(self.query.script(self.shapes)).graph
        self.tables = {node.name for node in self.graph if isinstance(node, SourceNode) and node.name in self.shapes}
        operators = [node.operator for node in self.graph if isinstance(node, OperatorNode)]
        self.gives_changes = all(getattr(operator, "emit", "changes") == "changes" for operator in operators)
        routers = [node.router for node in self.graph if isinstance(node, RouterNode)]
        self.broadcast = any(isinstance(router, Broadcast) for router in routers)

    def steps(self, oracle: Oracle, place: int, data: Data, partitions: int, seed: int) -> str | None:
        """Compare in single steps, on the way and at the end; returns what differs."""
        chance = Random(seed)
        if partitions not in self._layouts:
            self._layouts[partitions] = lay_out(self.graph.nodes, Settings(partitions=partitions, readers=1))
        stepping = Stepping(self._layouts[partitions], choose=chance.randrange)
        while values := [name for name in stepping.waiting if name not in self.tables]:
            stepping.read(values[0])
        count = len(data.batches)
        moments = [number for number in data.moments() if number < count]
        stop = chance.choice(moments) if self.gives_changes and moments else None
        last = {name: number for number, (name, _) in enumerate(data.batches, 1)}
        ending = [name for name in sorted(self.tables) if chance.random() < 0.5]
        for name in ending:
            if name not in last:
                stepping.finish(name)
        for number, (name, changes) in enumerate(data.batches, 1):
            if name in self.tables:
                stepping.feed(name, self.shapes[name].read(changes))
                if number == last[name] and name in ending:
                    stepping.finish(name)
            while chance.random() < 0.5 and stepping.deliver():
                pass
            if number == stop:
                stepping.settle()
                wrong = self._compare(oracle, place, number, stepping.written)
                if wrong is not None:
                    return f"after {number} of {count} batches\n{wrong}"
        stepping.end()
        return self._compare(oracle, place, count, stepping.written)

    def whole(self, oracle: Oracle, place: int, data: Data, partitions: int, seed: int) -> str | None:
        """Compare after a run with event loop and threads; returns what differs."""
        chance = Random(seed)
        nodes = dict(self.graph.nodes)
        for name in self.tables:
            batches = [self.shapes[name].read(changes) for table, changes in data.batches if table == name]
            node = nodes[name]
            assert isinstance(node, SourceNode)
            assert isinstance(node.source, Fed)
            nodes[name] = attrs.evolve(node, source=attrs.evolve(node.source, batches=tuple(batches)))
        Graph("case", nodes).run(
            partitions=partitions,
            interleaved=chance.random() < 0.5,
            topology=chance.choice(["prefetched", "prefetched", "routed", "serial"]),
            batch_rows=chance.choice([65_536, 1]),
        )
        written = {name: self._sink(name).collect.changes().to_batches() for name in self._sinks}
        wrong = self._compare(oracle, place, len(data.batches), written)
        return wrong and f"in a whole run\n{wrong}"

    @property
    def _sinks(self) -> list[str]:
        return [f"out{number}" for number in range(len(self.query.asked))]

    def _sink(self, name: str) -> Told:
        node = self.graph.node(name)
        assert isinstance(node, SinkNode)
        assert isinstance(node.sink, Told)
        return node.sink

    def _compare(
        self, oracle: Oracle, place: int, batches: int, written: Mapping[str, list[pa.RecordBatch]]
    ) -> str | None:
        for number, name in enumerate(self._sinks):
            expected = oracle.rows(number, place, batches)
            try:
                given = self._sink(name).rows(written[name], self.graph.schema(self.graph.node(name).inputs["in"]))
            except RowError as error:
                if NULL_KEY in str(error):
                    continue
                raise
            if given == expected:
                continue
            missing, extra = difference(expected, given)
            below = [row for row, count in given.items() if count < 0]
            if missing or extra or below:
                odds = "; DuckDB's optimizer is of another mind" if oracle.at_odds(number) else ""
                told = [("missing", missing), ("too many", extra), ("taken back that were not there", below)]
                return "\n".join([f"in {name}{odds}", *(f"rows {what}: {rows}" for what, rows in told if rows)])
        return None


NO_KEY = "changes by key need the key"
NULL_KEY = "NULL in the key column"
"""What may be said of tables that are told by key."""
