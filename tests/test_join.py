"""Joins: all kinds, under insertions and deletions on both sides, compared with DuckDB."""

import pickle
from collections import Counter
from decimal import Decimal

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
from operators.joining import partition as joining
from operators.joining.side import Side
from tests.aggregating import oracle

KINDS = ("inner", "left", "right", "full", "semi", "anti")
LEFT = pa.schema([("a", pa.int64()), ("b", pa.string()), ("x", pa.int32())])
RIGHT = pa.schema([("c", pa.int64()), ("d", pa.string()), ("y", pa.int32())])
CONDITIONS = {
    None: None,
    "x < y": col("x") < col("y"),
    "x IS NULL": col("x").is_null(),
    "coalesce(x, 5) <> coalesce(y, 6)": (col("x").is_null() | col("y").is_null() | (col("x") != col("y"))),
}


def expected(tables, kind, keys, null_safe, condition):
    """What DuckDB says, as a counter of rows."""
    same = "IS NOT DISTINCT FROM" if null_safe else "="
    on = " AND ".join(
        [*(f"l.{one} {same} r.{other}" for one, other in keys), *([f"({condition})"] if condition else [])]
    )
    on = on or "TRUE"
    left, right = tables
    if kind == "full":
        # DuckDB has no full join on conditions other than equality: it is a left join and what is left over.
        query = (
            f"SELECT l.*, r.* FROM l LEFT JOIN r ON {on} UNION ALL "
            f"SELECT NULL, NULL, NULL, r.* FROM r WHERE NOT EXISTS (SELECT * FROM l WHERE {on})"
        )
    elif kind in ("semi", "anti"):
        negated = "NOT " if kind == "anti" else ""
        query = f"SELECT l.* FROM l WHERE {negated}EXISTS (SELECT * FROM r WHERE {on})"
    else:
        query = f"SELECT l.*, r.* FROM l {kind.upper()} JOIN r ON {on}"
    return Counter(oracle(query, l=left, r=right))


def batch(schema, changes, changelog):
    """A batch of pairs of row and weight."""
    columns = [pa.array([row[i] for row, _ in changes], field.type) for i, field in enumerate(schema)]
    if not changelog:
        return pa.RecordBatch.from_arrays(columns, schema=schema)
    weights = pa.array([weight for _, weight in changes], pa.int64())
    return pa.RecordBatch.from_arrays([*columns, weights], schema=changelog_of(schema))


def summed(batches, into=None):
    """The rows that stand after the changes of batches; checks that no row both comes and goes."""
    standing = Counter() if into is None else into
    signs = {}
    for each in batches:
        for row in each.to_pylist():
            weight = row.pop(WEIGHT, 1)
            assert abs(weight) == 1
            values = tuple(row.values())
            assert signs.setdefault(values, weight) == weight, "a row comes and goes in one batch's changes"
            standing[values] += weight
    return standing


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


def changelog(schema, *changes):
    """A batch of rows, of which those in lists of one are taken back."""
    return batch(schema, [(row[0], -1) if isinstance(row, list) else (row, 1) for row in changes], True)


LOGS = {"left": StreamSchema(changelog_of(LEFT)), "right": StreamSchema(changelog_of(RIGHT))}
PLAIN = {"left": StreamSchema(LEFT), "right": StreamSchema(RIGHT)}


def open_join(operator, inputs=LOGS):
    return operator.open(PartitionContext("join", inputs))


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


def test_a_frequent_key_comes_out_in_pieces():
    number = 20_000
    left = pa.record_batch([np.zeros(number, np.int64), np.arange(number)], ["a", "n"])
    right = pa.record_batch([np.zeros(number, np.int64), np.arange(number)], ["c", "m"])
    inputs = {"left": StreamSchema(left.schema), "right": StreamSchema(right.schema)}
    for kind in ("inner", "full"):
        join = open_join(Join(kind, [("a", "c")]), inputs)
        list(join.on_batch(left, "left"))
        pieces = join.on_batch(right, "right")
        taken = [next(pieces) for _ in range(3)]
        assert [piece.num_rows for piece in taken] == [joining.PIECE] * 3
        assert len({*zip(*(np.concatenate([piece[name] for piece in taken]) for name in "nm"), strict=True)}) == 3 * (
            joining.PIECE
        )


def test_pieces_end_anywhere(monkeypatch):
    monkeypatch.setattr(joining, "PIECE", 7)
    lefts = [((i % 3, "l", i), 1 + i % 2) for i in range(20)]
    rights = [((i % 3, "r", i), 1 + i % 3) for i in range(25)]
    items = [("left", batch(LEFT, lefts, True)), ("right", batch(RIGHT, rights, True))]
    tables = [
        pa.Table.from_batches([batch(schema, [(row, 1) for row, number in given for _ in range(number)], False)])
        for schema, given in ((LEFT, lefts), (RIGHT, rights))
    ]
    for kind in KINDS:
        for condition in (None, "x < y"):
            made = drive(Join(kind, [("a", "c")], CONDITIONS[condition]), items, inputs=LOGS)
            out = Counter()
            for each in made.batches:
                summed([each], out)
            assert +out == expected(tables, kind, [("a", "c")], False, condition)
            # What follows from changed rows themselves is no longer than they are; the rest comes in pieces.
            assert all(each.num_rows <= 7 or kind in ("left", "full", "anti") for each in made.batches)


def churned(kind, rounds, condition=None):
    """A join after many versions of one row of the right and a new key a round, and what has come out."""
    join = open_join(Join(kind, [("a", "c")], CONDITIONS[condition]))
    out = summed(join.on_batch(changelog(LEFT, (0, "l", 0), (1, "l", 0)), "left"))
    for version in range(rounds):
        summed(join.on_batch(changelog(RIGHT, (0, "r", version + 1), (version + 2, "r", 1)), "right"), out)
        summed(join.on_batch(changelog(LEFT, (version + 2, "l", 3), [(version + 2, "l", 3)]), "left"), out)
        if version < rounds - 1:
            gone = changelog(RIGHT, [(0, "r", version + 1)], [(version + 2, "r", 1)])
            summed(join.on_batch(gone, "right"), out)
    return join, +out


@pytest.mark.parametrize(("kind", "condition"), [("left", None), ("left", "x < y"), ("anti", None), ("full", "x < y")])
def test_what_is_gone_is_forgotten(monkeypatch, kind, condition):
    rounds = 30
    join, long_ago = churned(kind, rounds, condition)
    if kind != "anti":
        # The list that is probed for a key has no more dead rows than live ones and a few.
        _, lengths = join._sides[1].spans(np.array([0]))
        assert lengths[0] < 12
        assert join._sides[1].rows > rounds
    monkeypatch.setattr("operators.joining.side._FEW_ROWS", 8)
    monkeypatch.setattr(joining, "_MANY_SLOTS", 8)
    join, out = churned(kind, rounds, condition)
    assert out == long_ago
    assert join._sides[1].rows < 20
    assert len(join._index) < 20


def test_rows_that_go_are_found_under_their_keys_and_replaced():
    side = Side([pa.int64(), pa.string()])
    side.apply([pa.array([1, 2, 2]), pa.array(["a", "b", "c"])], np.array([0, 1, 1]), None)
    changes = [pa.array([1, 1, 2, 2, 3]), pa.array(["a", "x", "c", "c", "new"])]
    delta = side.apply(changes, np.array([0, 0, 1, 1, 2]), np.array([-1, 1, -1, 1, 1]))
    told = sorted(zip(delta.columns[1].to_pylist(), delta.weights.tolist(), strict=True))
    assert told == [("a", -1), ("new", 1), ("x", 1)]
    assert side.values(side.standing(), [1])[0].to_pylist() == ["b", "c", "x", "new"]
    assert side._identity is None
    numbers = Side([pa.int64()])
    numbers.apply([pa.array([10, 20])], np.array([0, 1]), None)
    numbers.apply([pa.array([10, None, 20, 5])], np.array([0, 0, 1, 0]), np.array([-1, 1, -1, 1]))
    assert sorted(numbers.values(numbers.standing())[0].to_pylist(), key=str) == [5, None]
    assert numbers.rows == 3


def test_a_row_that_goes_before_it_came_is_counted_below_zero():
    side = Side([pa.int64()])
    side.apply([pa.array([10])], np.array([0]), None)
    side.apply([pa.array([11])], np.array([0]), np.array([-1]))
    assert side.count(side.standing()).tolist() == [1, -1]
    side.apply([pa.array([11])], np.array([0]), np.array([1]))
    assert side.values(side.standing())[0].to_pylist() == [10]


@pytest.mark.parametrize("kind", ["inner", "left", "right", "full", "semi", "anti"])
@pytest.mark.parametrize("ended", ["left", "right"])
@pytest.mark.parametrize("condition", [None, "x < y"])
def test_a_side_that_has_ended_changes_nothing_but_what_is_kept(kind, ended, condition):
    """What comes out is the same with and without being told of the end, and after a restore."""
    other = "right" if ended == "left" else "left"
    early = {"left": [(1, "l", 1), (2, "l", 2), (None, "l", 3)], "right": [(1, "r", 2), (3, "r", 9), (3, "r", 9)]}
    late = [(1, "n", 5), (1, "n", 0), (4, "n", 4), (None, "n", 1)]
    outs = []
    for told in (False, True):
        join, out = open_join(Join(kind, [("a", "c")], CONDITIONS[condition])), Counter()
        for port, schema in (("left", LEFT), ("right", RIGHT)):
            summed(join.on_batch(changelog(schema, *early[port]), port), out)
        if told:
            join.on_port_end(ended)
            again = open_join(Join(kind, [("a", "c")], CONDITIONS[condition]))
            again.restore(join.snapshot())
            join = again
        schema = LEFT if other == "left" else RIGHT
        summed(join.on_batch(changelog(schema, *late), other), out)
        summed(join.on_batch(changelog(schema, (5, "n", 5), [late[0]], [early[other][0]]), other), out)
        outs.append(+out)
        assert all(count >= 0 for count in out.values())
    assert outs[0] == outs[1]
    if kind == "inner":
        assert join._sides[("left", "right").index(other)].rows == 0
    with pytest.raises(RuntimeError, match="had ended"):
        list(join.on_batch(changelog(LEFT if ended == "left" else RIGHT, (1, "z", 1)), ended))


def test_rows_whose_hashes_are_equal_by_chance_are_told_apart(monkeypatch):
    monkeypatch.setattr("operators.joining.side.hash_columns", lambda columns: np.zeros(len(columns[0]), np.uint64))
    side = Side([pa.int64(), pa.float64()])
    numbers = np.array([1, 2, 1, 3, 2])
    columns = [pa.array([5, 5, 5, 5, 6]), pa.array([float("nan"), None, float("nan"), 0.0, None])]
    delta = side.apply(columns, numbers, np.array([2, 1, 1, 1, 1]))
    assert delta.weights.tolist() == [3, 1, 1, 1]
    delta = side.apply([column.slice(1, 3) for column in columns], numbers[1:4], np.array([-1, -3, 4]))
    assert delta.weights.tolist() == [-1, -3, 4]
    assert side.counts[side.standing()].tolist() == [5, 1]


TYPES = [
    (pa.bool_(), [True, False]),
    (pa.uint8(), [7, 8]),
    (pa.float32(), [0.5, float("inf")]),
    (pa.decimal128(20, 2), [Decimal("1.50"), Decimal("-7.25")]),
    (pa.large_string(), ["", "é"]),
    (pa.large_binary(), [b"", b"\x00\x01"]),
    (pa.binary(2), [b"ab", b"cd"]),
    (pa.date32(), [0, 19_000]),
    (pa.timestamp("us", "UTC"), [0, 10**15]),
    (pa.month_day_nano_interval(), [(1, 2, 3), (0, 0, 1)]),
    (pa.list_(pa.string()), [["a", None], []]),
    (pa.struct([("k", pa.int64())]), [{"k": 1}, {"k": None}]),
    (pa.map_(pa.string(), pa.int64()), [[("a", 1)], []]),
    (pa.dictionary(pa.int8(), pa.string()), ["a", "b"]),
    (pa.uuid(), [b"0" * 16, b"1" * 16]),
]


@pytest.mark.parametrize(
    ("kind", "values"), TYPES, ids=lambda value: str(value) if isinstance(value, pa.DataType) else ""
)
def test_columns_of_any_type_come_and_go(kind, values):
    def column(chosen):
        if isinstance(kind, pa.UuidType):
            return pa.ExtensionArray.from_storage(kind, pa.array(chosen, kind.storage_type))
        return pa.array(chosen, kind)

    one, two = values
    left = pa.record_batch([column([one, two, None]), pa.array([1, 1, 1])], ["k", WEIGHT])
    left = left.cast(changelog_of(pa.schema([("k", kind)])))
    right = pa.record_batch([column([one, None, two, two]), column([two, one, None, None])], ["l", "v"])
    right = right.append_column(pa.field(WEIGHT, pa.int64(), False), pa.array([1, 1, 1, 1]))
    inputs = {"left": StreamSchema(left.schema), "right": StreamSchema(right.schema)}
    operator = Join("full", [("k", "l")], null_safe=True)
    join = open_join(operator, inputs)
    first = [*join.on_batch(left, "left"), *join.on_batch(right, "right")]
    state = join.snapshot()
    join = open_join(operator, inputs)
    join.restore(state)
    negative = pa.array([-1] * 4)
    back = list(join.on_batch(right.set_column(2, right.schema.field(2), negative), "right"))
    back += join.on_batch(left.set_column(1, left.schema.field(1), negative.slice(1)), "left")
    for made in [*first, *back]:
        made.validate(full=True)
        assert made.schema == operator.output(inputs).columns
    standing = Counter()
    for made in first:
        for row in made.to_pylist():
            standing[repr(row["k"]), repr(row["l"]), repr(row["v"])] += row[WEIGHT]
    wanted = [(repr(row["l"]), repr(row["l"]), repr(row["v"])) for row in right.to_pylist()]
    assert +standing == Counter(wanted)
    for made in back:
        for row in made.to_pylist():
            standing[repr(row["k"]), repr(row["l"]), repr(row["v"])] += row[WEIGHT]
    assert not +standing
    assert not -standing


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
