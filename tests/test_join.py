"""Joins: all kinds, under insertions and deletions on both sides, compared with DuckDB."""

import pickle
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow import Graph, GraphError, PartitionContext, StreamSchema
from flow.hashing import hash_columns, key_groups
from flow.operator import KEY_GROUP
from flow.schema import WEIGHT, changelog_of
from flow.testing import drive
from operators import Collect, Join, Table, agg, col
from tests.aggregating import oracle
from tests.joins import CONDITIONS, KINDS, LEFT, LOGS, PLAIN, RIGHT, batch, changelog, expected, open_join, summed


class Partitions:
    """Some partitions of a join, and the routers in front of them."""

    def __init__(self, operator, inputs, number, state=()):
        self.operator, self.inputs = operator, inputs
        self.parts = [operator.open(PartitionContext("join", inputs, i, number)) for i in range(number)]
        self.owners = np.zeros(256, np.int64)
        for i in range(number):
            groups = PartitionContext("join", inputs, i, number).key_groups
            self.owners[groups.start : groups.stop] = i
        for i, part in enumerate(self.parts):
            given = {}
            for name in {name for tables in state for name in tables}:
                table = pa.concat_tables([tables[name] for tables in state])
                given[name] = table.filter(pa.array(self.owners[table[KEY_GROUP].to_numpy()] == i))
            if given:
                part.restore(given)

    def on_batch(self, batch, port):
        keys = [pair[self.operator.ports.index(port)] for pair in self.operator.keys]
        owners = np.zeros(batch.num_rows, np.int64)
        if keys:
            owners = self.owners[key_groups(hash_columns([batch.column(key) for key in keys]))]
        declared = self.operator.output(self.inputs).columns
        for i, part in enumerate(self.parts):
            for made in part.on_batch(batch.filter(pa.array(owners == i)), port):
                assert made.num_rows
                assert made.schema == declared
                made.validate(full=True)
                yield made

    def snapshot(self):
        return [part.snapshot() for part in self.parts]


ROWS = st.tuples(
    st.sampled_from([None, 0, 1, 2]), st.sampled_from([None, "", "é"]), st.sampled_from([None, None, 0, 1, 2])
)


@st.composite
def changes(draw):
    """Batches of both sides, interleaved: at the end of each, no row is there less than never."""
    logs = draw(st.tuples(st.booleans(), st.booleans()))
    there = (Counter(), Counter())
    batches = []
    for _ in range(draw(st.integers(1, 8))):
        side = draw(st.integers(0, 1))
        made = []
        for _ in range(draw(st.integers(1, 10))):
            standing = [row for row, number in there[side].items() if number]
            if logs[side] and standing and draw(st.booleans()):
                row = draw(st.sampled_from(standing))
                weight = -draw(st.integers(1, there[side][row]))
            else:
                row, weight = draw(ROWS), draw(st.integers(1, 2)) if logs[side] else 1
            there[side][row] += weight
            made.append((row, weight))
        batches.append((side, draw(st.permutations(made))))
    return logs, batches


@settings(max_examples=100, deadline=None)
@given(
    changes(),
    st.sampled_from(KINDS),
    st.sampled_from([[], [("a", "c")], [("b", "d")], [("a", "c"), ("b", "d")]]),
    st.booleans(),
    st.sampled_from(list(CONDITIONS)),
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(0, 8),
)
def test_changes_sum_up_to_the_join(given_changes, kind, keys, null_safe, condition, before, after, cut):
    logs, batches = given_changes
    schemas = [changelog_of(schema) if log else schema for schema, log in zip((LEFT, RIGHT), logs, strict=True)]
    inputs = {port: StreamSchema(schema) for port, schema in zip(("left", "right"), schemas, strict=True)}
    operator = Join(kind, keys, CONDITIONS[condition], null_safe)
    if operator.single:
        before = after = 1
    join = Partitions(operator, inputs, before)
    out, tables = Counter(), (Counter(), Counter())
    for number, (side, made) in enumerate(batches):
        if number == cut:
            join = Partitions(operator, inputs, after, join.snapshot())
        summed(join.on_batch(batch((LEFT, RIGHT)[side], made, logs[side]), ("left", "right")[side]), out)
        for row, weight in made:
            tables[side][row] += weight
        if number in (cut, len(batches) - 1):
            standing = [
                pa.Table.from_batches([batch(schema, [(row, 1) for row in table.elements()], False)])
                for schema, table in zip((LEFT, RIGHT), tables, strict=True)
            ]
            assert +out == expected(standing, kind, keys, null_safe, condition)
            assert min(out.values(), default=0) >= 0


def test_only_a_first_or_last_partner_changes_rows_without_partner():
    join = open_join(Join("left", [("a", "c")]))
    one, r1, r2 = (1, "l", 0), (1, "r", 1), (1, "r", 2)
    steps = [
        ("left", [one], {(*one, None, None, None): 1}),
        ("right", [r1], {(*one, *r1): 1, (*one, None, None, None): -1}),
        ("right", [r2], {(*one, *r2): 1}),
        ("right", [[r1]], {(*one, *r1): -1}),
        ("right", [[r2], r1], {(*one, *r2): -1, (*one, *r1): 1}),
        ("right", [[r1], r1], {}),
        ("right", [[r1]], {(*one, *r1): -1, (*one, None, None, None): 1}),
        ("left", [[one]], {(*one, None, None, None): -1}),
    ]
    for port, rows, changes in steps:
        schema = {"left": LEFT, "right": RIGHT}[port]
        assert summed(join.on_batch(changelog(schema, *rows), port)) == changes


@pytest.mark.parametrize("condition", [None, "x < y"])
def test_partners_are_still_known_when_rows_begin_to_be_taken_back(monkeypatch, condition):
    monkeypatch.setattr("operators.joining.side._AT_ONCE", 2)
    join = open_join(Join("full", [("a", "c")], CONDITIONS[condition]))
    one, two, r1, r2 = (1, "l", 0), (1, "l", 1), (1, "r", 5), (1, "r", 6)
    for port, rows, changes in [
        ("left", [one, two, two], {(*row, None, None, None): 1 + (row == two) for row in (one, two)}),
        ("right", [r1, r2], None),
        ("left", [[one]], {(*one, *r1): -1, (*one, *r2): -1}),
        ("right", [[r1]], {(*two, *r1): -2}),
        ("right", [[r2]], {(*two, *r2): -2, (*two, None, None, None): 2}),
    ]:
        made = summed(join.on_batch(changelog({"left": LEFT, "right": RIGHT}[port], *rows), port))
        assert changes is None or made == changes


def test_a_partner_of_nothing_but_nulls_looks_like_none():
    blank = (None, None, None)
    for condition in (None, col("b") == "l"):
        join = open_join(Join("left", [("a", "c")], condition, null_safe=True))
        one = (None, "l", 1)
        assert summed(join.on_batch(changelog(LEFT, one), "left")) == {(*one, *blank): 1}
        assert not list(join.on_batch(changelog(RIGHT, blank), "right"))
        assert summed(join.on_batch(changelog(RIGHT, blank, blank), "right")) == {(*one, *blank): 2}
        assert summed(join.on_batch(changelog(RIGHT, [blank], [blank]), "right")) == {(*one, *blank): -2}
        assert not list(join.on_batch(changelog(RIGHT, [blank]), "right"))
    join = open_join(Join("full", [], col("x") == 1))
    assert summed(join.on_batch(changelog(RIGHT, blank), "right")) == {(*blank, *blank): 1}
    # The row of the right without partner goes, and one of the left that looks like it comes.
    one = (1, "l", 1)
    assert summed(join.on_batch(changelog(LEFT, blank, one), "left")) == {(*one, *blank): 1}
    assert summed(join.on_batch(changelog(LEFT, [one]), "left")) == {(*one, *blank): -1, (*blank, *blank): 1}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("condition", [None, "x < y"])
def test_rows_may_be_taken_back_before_they_come(kind, condition):
    join = open_join(Join(kind, [("a", "c")], CONDITIONS[condition]))
    rows = [(1, "l", 0), (1, "l", 9), (2, "l", 0)]
    others = [(1, "r", 1), (3, "r", 1)]
    out = Counter()
    for port, schema, changes in [
        ("right", RIGHT, [[others[0]]]),
        ("left", LEFT, [[rows[0]], rows[1], [rows[2]]]),
        ("right", RIGHT, [others[0], others[1]]),
        ("left", LEFT, [rows[0], rows[2]]),
        ("right", RIGHT, [others[0]]),
        ("left", LEFT, [rows[0], rows[2]]),
    ]:
        summed(join.on_batch(changelog(schema, *changes), port), out)
    left = pa.Table.from_batches([batch(LEFT, [(row, 1) for row in rows], False)])
    right = pa.Table.from_batches([batch(RIGHT, [(row, 1) for row in others], False)])
    assert +out == expected((left, right), kind, [("a", "c")], False, condition)
    assert min(out.values()) >= 0


@pytest.mark.parametrize("kind", ["inner", "semi"])
def test_inputs_that_only_append_give_rows_without_weights(kind):
    assert not Join(kind, [("a", "c")]).output(PLAIN).changelog
    assert Join(kind, [("a", "c")]).output({**PLAIN, "right": LOGS["right"]}).changelog
    left, right = batch(LEFT, [((1, "l", 0), 1)] * 2, False), batch(RIGHT, [((1, "r", 5), 1)], False)
    made = drive(Join(kind, [("a", "c")]), [("left", left), ("right", right), ("right", right), ("left", left)])
    assert made.table.num_rows == (8 if kind == "inner" else 4)
    assert made.schema.names == (["a", "b", "x", "c", "d", "y"] if kind == "inner" else ["a", "b", "x"])


def test_what_does_not_fit_is_refused():
    def refused(match, operator, left=LEFT, right=RIGHT):
        with pytest.raises(GraphError, match=match):
            operator.output({"left": StreamSchema(left), "right": StreamSchema(right)})

    refused(r"no key column 'z' on the left; known here: \['a', 'b', 'x'\]", Join("inner", [("z", "c")]))
    refused("no key column 'a' on the right", Join("inner", [("a", "a")]))
    refused("keys must be of one type: 'x' is int32, 'c' is int64: cast one", Join("inner", [("x", "c")]))
    refused(r"unique among both sides; on both are: \['a', 'b', 'x'\]", Join("left", [("a", "a")]), LEFT, LEFT)
    refused("'z'", Join("semi", [("a", "c")], col("z") > 1))
    union = pa.sparse_union([pa.field("n", pa.int64())])
    other = pa.schema([("c", pa.int64()), ("u", union)])
    refused("'u' of type .* cannot be told apart when rows are taken back", Join("left"), LEFT, changelog_of(other))
    refused(
        "rows with columns of type string_view cannot be joined: cast 's' first",
        Join("inner"),
        LEFT,
        pa.schema([("s", pa.string_view())]),
    )
    with pytest.raises(GraphError, match=r"no kind of join 'outer'; known here: .*'inner'"):
        Join("outer")
    assert not Join("semi", [("a", "a")]).output({"left": StreamSchema(LEFT), "right": StreamSchema(LEFT)}).changelog


def test_no_more_than_is_wanted_is_read():
    operator = Join("left", [("a", "c")], col("x") < col("y"))
    assert operator.needs(frozenset({"b", "d", WEIGHT}))["right"] >= {"c", "d", "x", "y"}
    assert "d" not in Join("semi", [("a", "c")]).needs(frozenset({"b"}))["right"]
    assert pickle.loads(pickle.dumps(operator)) == operator
    assert Join("inner").single
    assert not operator.single


def run(build, partitions, sizes=3):
    graph = Graph("joins")
    result = Collect()
    people = graph.source("people", Table(PEOPLE, batch_rows=sizes))
    trips = graph.source("trips", Table(TRIPS, batch_rows=sizes))
    build(people, trips).sink("out", result)
    graph.run(partitions=partitions)
    return result.table()


PEOPLE = pa.table(
    {"id": [*range(40), None], "name": [f"n{i % 7}" for i in range(41)], "city": ["x", None] * 20 + ["x"]}
)
TRIPS = pa.table({"id": [i * 7 % 60 for i in range(90)], "city": ["x", "y", None] * 30, "km": list(range(90))})


@pytest.mark.parametrize("partitions", [1, 4])
def test_joins_in_a_graph(partitions):
    def check(build, query):
        table = run(build, partitions)
        found = Counter(tuple(row.values()) for row in table.to_pylist())
        assert found == Counter(oracle(query, people=PEOPLE, trips=TRIPS))

    check(
        lambda people, trips: people.join(trips, on="id", kind="full", prefix="trip_"),
        "SELECT coalesce(p.id, t.id), name, p.city, t.city, km FROM people p FULL JOIN trips t ON p.id = t.id",
    )
    check(
        lambda people, trips: people.join(trips, on=("id", "city"), kind="right"),
        "SELECT t.id, name, t.city, km FROM people p RIGHT JOIN trips t ON p.id = t.id AND p.city = t.city",
    )
    check(
        lambda people, trips: people.join(
            trips, on={"id": "km"}, kind="left", prefix="of_", condition=col("city") == col("of_city")
        ),
        "SELECT p.*, t.* FROM people p LEFT JOIN trips t ON p.id = t.km AND p.city = t.city",
    )
    check(
        lambda people, trips: people.join(trips, on="id", kind="semi", condition=col("km") > 50, prefix="of_"),
        "SELECT * FROM people p WHERE EXISTS (SELECT * FROM trips t WHERE t.id = p.id AND km > 50)",
    )
    check(
        lambda people, trips: people.join(trips, on="city", kind="anti", null_safe=True),
        "SELECT * FROM people p WHERE NOT EXISTS (SELECT * FROM trips t WHERE t.city IS NOT DISTINCT FROM p.city)",
    )
    check(
        lambda people, trips: people.join(trips.key_by("city").aggregate(km=agg.sum("km")), on="city").join(
            trips.aggregate(most=agg.max("id")), condition=col("km") > col("most")
        ),
        "SELECT p.*, c.km, m.most FROM people p JOIN (SELECT city, sum(km) AS km FROM trips GROUP BY city) c "
        "ON p.city = c.city JOIN (SELECT max(id) AS most FROM trips) m ON c.km > m.most",
    )


def test_names_on_both_sides_must_be_told_apart():
    def built(**how):
        graph = Graph("joins")
        people, trips = graph.source("people", Table(PEOPLE)), graph.source("trips", Table(TRIPS))
        return people.join(trips, **how)

    with pytest.raises(GraphError, match=r"both sides have columns \['city'\]: name one side's anew by prefix="):
        built(on="id")
    with pytest.raises(GraphError, match="with the prefix '' there would be two columns 'city'"):
        built(on="id", prefix="")
    with pytest.raises(GraphError, match="no key column 'ident' on the right; known here"):
        built(on={"id": "ident"}, prefix="of_")
    graph = Graph("joins")
    people, trips = graph.source("people", Table(PEOPLE)).key_by("id"), graph.source("trips", Table(TRIPS))
    with pytest.raises(GraphError, match=r"'people.*' is divided by \['id'\]; both sides of a join are divided by all"):
        people.join(trips, on=["id", "city"])
    assert built(on="id", prefix="of_", kind="left").schema.names == ["id", "name", "city", "of_city", "km"]
    assert built(on=["id", "city"], name="both").name == "both"
    assert built(on="id", kind="semi").schema.names == ["id", "name", "city"]
