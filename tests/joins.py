"""Joins to test: two sides of three columns, batches of their changes, what stands after them, and what DuckDB says."""

from collections import Counter

import pyarrow as pa

from flow import PartitionContext, StreamSchema
from flow.schema import WEIGHT, changelog_of
from operators import col
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


def changelog(schema, *changes):
    """A batch of rows, of which those in lists of one are taken back."""
    return batch(schema, [(row[0], -1) if isinstance(row, list) else (row, 1) for row in changes], True)


LOGS = {"left": StreamSchema(changelog_of(LEFT)), "right": StreamSchema(changelog_of(RIGHT))}
PLAIN = {"left": StreamSchema(LEFT), "right": StreamSchema(RIGHT)}


def open_join(operator, inputs=LOGS):
    return operator.open(PartitionContext("join", inputs))
