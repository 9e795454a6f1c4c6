"""The cases under tests/sql (tests/sql_cases.py says how they are written): each adds up to what DuckDB returns.

Every case runs in batches of 1, of 7 and of all rows, at 1 and at 4 partitions, over rows that stay, and over rows of
which some are taken back, copies among them. Of these twelve runs each case has six, such that every two of the three
choices meet.
"""

from collections.abc import Mapping
from functools import partial

import pyarrow as pa
import pytest

from flow import WEIGHT, PenstockError
from operators.testing import Batching, Input, Reference, assert_matches_batch, with_retractions
from tests.sql_cases import Case, all_cases
from tests.user_functions import FUNCTIONS

CASES = all_cases()
EVER = "100 days"


def shown(table: pa.Table) -> list[str]:
    """The rows as text, sorted; those of a changelog summed up."""
    weights = table["_weight"].to_pylist() if "_weight" in table.column_names else [1] * table.num_rows
    counts: dict[str, int] = {}
    for row, weight in zip(table.to_pylist(), weights, strict=True):
        row.pop("_weight", None)
        text = " | ".join(f"{value:.9g}" if isinstance(value, float) else str(value) for value in row.values())
        counts[text] = counts.get(text, 0) + weight
    assert min(counts.values(), default=0) >= 0, "a row was retracted that had not been inserted"
    return sorted(text for text, count in counts.items() for _ in range(count))


def inputs(tables: Mapping[str, pa.Table], delay: str) -> dict[str, Input]:
    return {
        name: Input(table, "event_time", delay) if "event_time" in table.column_names else Input(table)
        for name, table in tables.items()
    }


@pytest.mark.parametrize("case", [case for case in CASES if case.rows is not None], ids=lambda case: case.name)
def test_the_expected_rows_are_duckdbs(case: Case) -> None:
    with Reference(case.duckdb or case.query) as batch:
        result = batch.table(case.tables)
    assert shown(result) == case.rows


def check(case: Case, given: Mapping[str, Input], partitions: int, other: int, *, whole: bool) -> None:
    reference = case.duckdb or None
    batches: tuple[Batching, ...] = (1, "all")
    matches = partial(assert_matches_batch, case.query, given, reference=reference, functions=FUNCTIONS)
    matches(batches=batches, partitions=[partitions], whole=whole)
    matches(batches=[7], partitions=[other], whole=False)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_rows_as_they_are_written(case: Case) -> None:
    check(case, inputs(case.used(), "10s"), 4, 1, whole=True)


@pytest.mark.parametrize("case", [case for case in CASES if not case.ordered], ids=lambda case: case.name)
def test_rows_that_come_and_go(case: Case) -> None:
    changing = {
        name: table if WEIGHT in table.column_names else with_retractions(table, seed)
        for seed, (name, table) in enumerate(case.used().items())
    }
    if case.append_only is None:
        check(case, inputs(changing, EVER), 1, 4, whole=False)
        return
    with pytest.raises((PenstockError, ExceptionGroup)) as refused:
        check(case, inputs(changing, EVER), 1, 4, whole=False)
    error = refused.value
    assert case.append_only in str(error.exceptions[0] if isinstance(error, ExceptionGroup) else error)
