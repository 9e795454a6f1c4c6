"""What joins keep of their sides: rows that go, go before they come, come again; and pieces of what comes out."""

from collections import Counter
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from flow import StreamSchema
from flow.schema import WEIGHT, changelog_of
from flow.testing import drive
from operators import Join
from operators.joining import partition as joining
from operators.joining.side import Side
from tests.joins import CONDITIONS, KINDS, LEFT, LOGS, RIGHT, batch, changelog, expected, open_join, summed


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
        assert len(join._sides[1].of(np.array([0]))) < 12
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


@pytest.mark.parametrize("most", [3, 100])
def test_strings_that_come_in_dictionaries_go_out_in_dictionaries(monkeypatch, most):
    monkeypatch.setattr("operators.joining.payload._MOST_IN_DICTIONARY", most)
    coded = pa.dictionary(pa.int32(), pa.string())
    schema = pa.schema([("k", pa.int64()), ("name", coded)])
    inputs = {
        "left": StreamSchema(changelog_of(schema)),
        "right": StreamSchema(pa.schema([("l", pa.int64())])),
    }
    operator = Join("left", [("k", "l")], gives=("name", "l"))
    assert operator.output(inputs).columns.field("name").type == coded
    join = open_join(operator, inputs)
    # Of dictionaries with values that none of their rows has, and one that differs from batch to batch.
    texts = [["a", None, "b"], ["b", "c", "c"], ["d", "e", None], ["f", "a", "g"]]
    out = Counter()
    for number, names in enumerate(texts):
        array = pa.array([*"xyz"[:number], *names]).dictionary_encode().slice(number)
        keys = pa.array(np.arange(3) + 3 * number)
        ones = pa.array(np.ones(3, np.int64))
        columns = [keys, array, ones]
        summed(join.on_batch(pa.record_batch(columns, schema=inputs["left"].columns), "left"), out)
        if number:
            # The row before gets another name.
            keys = pa.array([3 * number - 3] * 2)
            renamed = pa.array([texts[number - 1][0], f"new{number}"]).dictionary_encode()
            columns = [keys, renamed, pa.array([-1, 1])]
            summed(join.on_batch(pa.record_batch(columns, schema=inputs["left"].columns), "left"), out)
    state = join.snapshot()
    join = open_join(operator, inputs)
    join.restore(state)
    summed(join.on_batch(pa.record_batch([pa.array(np.arange(12))], ["l"]), "right"), out)
    names = ["new1", None, "b", "new2", "c", "c", "new3", "e", None, "f", "a", "g"]
    assert +out == Counter({(name, key): 1 for key, name in enumerate(names)})


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
    (pa.dictionary(pa.int32(), pa.large_string()), ["", "é"]),
    (pa.dictionary(pa.int32(), pa.binary()), [b"", b"\x00"]),
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
